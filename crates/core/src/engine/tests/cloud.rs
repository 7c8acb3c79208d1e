//! A scripted cloud that keeps the ground truth: what exists, what was ever made, which calls came.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pmks_driver::{DriverError, ErrorKind, Identity, Result};
use pmks_transport::{Clock, VirtualClock};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const BEGAN: &str = "2026-01-01T00:00:00Z";

/// What a stage is about, as its parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) what: String,
    pub(super) name: String,
    pub(super) mark: String,
}

/// Something that exists.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Thing {
    pub(super) id: String,
    pub(super) part: Part,
    token: String,
    made_at: Timestamp,
    pub(super) fails: bool,
    /// When it will be gone.
    pub(super) going_at: Option<Timestamp>,
}

/// What goes wrong with a call.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fault {
    /// Nothing is applied, the answer is lost.
    LostBefore,
    /// It is applied, the answer is lost.
    LostAfter,
    /// It is applied that much later, the answer is lost.
    LostLate(Duration),
    /// Refused, nothing applied.
    Refused(ErrorKind),
    /// Applied, and what is made never comes right.
    MadeBroken,
    /// Answered well, and nothing comes of it.
    Ignored,
    /// A look sees nothing, and cannot say whether that is so.
    NotShown,
    /// The cloud's own work fails so, and nothing is left of it.
    WorkFailed(ErrorKind),
    /// Nothing goes wrong at the cloud, but our wall clock is set meanwhile, forward or back.
    ClockSet(SignedDuration),
}

/// A fault for calls of that name about that thing.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) call: &'static str,
    pub(super) name: &'static str,
    pub(super) times: usize,
    pub(super) fault: Fault,
}

/// A request that reaches the cloud after its sender gave up.
#[derive(Clone)]
struct Late {
    at: Timestamp,
    part: Part,
    token: String,
    identity: Identity,
}

#[derive(Default)]
struct World {
    things: Vec<Thing>,
    late: Vec<Late>,
    /// How many things of that kind and name were ever made.
    made: BTreeMap<(String, String), usize>,
    calls: Vec<String>,
    rules: Vec<Rule>,
    account: String,
    connection: Uuid,
    busy: bool,
}

/// The cloud. Its time is the tests' clock.
pub(super) struct Cloud {
    world: Mutex<World>,
    pub(super) clock: VirtualClock,
    /// How long something that was made stays out of sight.
    pub(super) visible_after: Duration,
    /// How long making and removing take.
    pub(super) takes: Duration,
    /// When the cloud wants to be asked first about work that it names.
    pub(super) first_after: Option<Duration>,
}

impl Cloud {
    pub(super) fn new() -> Self {
        let world = World { account: "fake:1".to_owned(), ..World::default() };
        Self {
            world: Mutex::new(world),
            clock: VirtualClock::new(BEGAN.parse().unwrap()),
            visible_after: Duration::from_secs(10),
            takes: Duration::from_secs(25),
            first_after: None,
        }
    }

    /// The cloud's own time: no clock of ours that is set moves it.
    fn now(&self) -> Timestamp {
        BEGAN.parse::<Timestamp>().unwrap().saturating_add(self.clock.monotonic()).unwrap()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.now();
        let (come, late): (Vec<Late>, Vec<Late>) = world.late.drain(..).partition(|late| late.at <= now);
        world.late = late;
        for late in come {
            // The cloud's own rules hold for what comes late too.
            if world.same(&late.part, &late.token, late.identity).is_none() {
                world.make(late.part, late.token, late.at, false);
            }
        }
        world.things.retain(|thing| thing.going_at.is_none_or(|gone| gone > now));
        world
    }

    pub(super) fn rule(&self, call: &'static str, name: &'static str, times: usize, fault: Fault) {
        self.world().rules.push(Rule { call, name, times, fault });
    }

    pub(super) fn set_account(&self, account: &str) {
        account.clone_into(&mut self.world().account);
    }

    pub(super) fn connection(&self) -> Uuid {
        self.world().connection
    }

    /// The connection is another one of the same name, in another account.
    pub(super) fn connect_again(&self, account: &str) {
        self.world().connection = Uuid::from_u128(0xc02);
        self.set_account(account);
    }

    pub(super) fn account(&self) -> Result<String> {
        self.enter("identity", "")?;
        Ok(self.world().account.clone())
    }

    pub(super) fn set_busy(&self, busy: bool) {
        self.world().busy = busy;
    }

    pub(super) fn is_busy(&self) -> bool {
        self.world().busy
    }

    /// What exists, things on their way out apart.
    pub(super) fn standing(&self) -> Vec<Thing> {
        let world = self.world();
        world.things.iter().filter(|thing| thing.going_at.is_none()).cloned().collect()
    }

    /// Everything that exists, the last request applied, however late.
    pub(super) fn in_the_end(&self) -> Vec<Thing> {
        self.clock.advance(Duration::from_hours(1));
        self.standing()
    }

    pub(super) fn ever_made(&self, what: &str, name: &str) -> usize {
        let key = (what.to_owned(), name.to_owned());
        self.world().made.get(&key).copied().unwrap_or(0)
    }

    pub(super) fn calls(&self, call: &str) -> usize {
        self.world().calls.iter().filter(|seen| *seen == call).count()
    }

    /// Something that a stranger made.
    pub(super) fn put(&self, what: &str, name: &str) {
        let part = Part { what: what.to_owned(), name: name.to_owned(), mark: "a stranger".to_owned() };
        let now = self.now();
        self.world().make(part, String::new(), now, false);
    }

    /// Counts the call, and answers the fault that is meant for it.
    pub(super) fn enter(&self, call: &str, name: &str) -> Result<Option<Fault>> {
        let mut world = self.world();
        world.calls.push(format!("{call} {name}"));
        world.calls.push(call.to_owned());
        let rule =
            world.rules.iter_mut().find(|rule| rule.call == call && rule.name == name && rule.times > 0);
        let Some(rule) = rule else { return Ok(None) };
        rule.times -= 1;
        match rule.fault.clone() {
            Fault::Refused(kind) => Err(error(kind, "refused")),
            Fault::ClockSet(by) => {
                self.clock.set_wall(self.clock.wall().checked_add(by).unwrap());
                Ok(None)
            }
            fault => Ok(Some(fault)),
        }
    }

    pub(super) fn make(&self, part: &Part, token: &str, identity: Identity) -> Result<String> {
        let fault = self.enter("ask", &part.name)?;
        let lost = || {
            Err(error(
                match identity {
                    Identity::Token { .. } => ErrorKind::Unavailable,
                    _ => ErrorKind::Ambiguous,
                },
                "the answer was lost",
            ))
        };
        let now = self.now();
        let mut world = self.world();
        if fault == Some(Fault::LostBefore) {
            return lost();
        }
        if let Some(thing) = world.same(part, token, identity) {
            return match identity {
                Identity::Token { .. } if thing.token == token => Ok(thing.id),
                _ => Err(error(ErrorKind::AlreadyExists, "exists already")),
            };
        }
        if let Some(Fault::LostLate(wait)) = fault {
            let at = now.saturating_add(wait).unwrap();
            world.late.push(Late { at, part: part.clone(), token: token.to_owned(), identity });
            return lost();
        }
        let broken = fault == Some(Fault::MadeBroken);
        let id = world.make(part.clone(), token.to_owned(), now, broken);
        if fault == Some(Fault::LostAfter) {
            return lost();
        }
        Ok(id)
    }

    pub(super) fn remove(&self, part: &Part, only: Option<&str>) -> Result<()> {
        let fault = self.enter("ask", &part.name)?;
        if fault == Some(Fault::LostBefore) {
            return Err(error(ErrorKind::Unavailable, "the answer was lost"));
        }
        let gone = self.now().saturating_add(self.takes).unwrap();
        let mut world = self.world();
        for thing in &mut world.things {
            let meant =
                thing.part.what == part.what && (part.name.is_empty() || thing.part.name == part.name);
            if meant && only.is_none_or(|id| id == thing.id) {
                thing.going_at.get_or_insert(gone);
            }
        }
        if fault == Some(Fault::LostAfter) {
            return Err(error(ErrorKind::Unavailable, "the answer was lost"));
        }
        Ok(())
    }

    /// What a look may see: things of that kind that are not too new.
    pub(super) fn seen(&self, part: &Part) -> Vec<Thing> {
        let now = self.now();
        let world = self.world();
        world
            .things
            .iter()
            .filter(|thing| thing.part.what == part.what)
            .filter(|thing| thing.made_at.saturating_add(self.visible_after).unwrap() <= now)
            .cloned()
            .collect()
    }

    /// Goes on with what failed; it comes right, unless it is told to be ignored.
    pub(super) fn repair(&self, thing: &Thing) -> Result<String> {
        let fault = self.enter("ask", &thing.part.name)?;
        let lost = || Err(error(ErrorKind::Ambiguous, "the answer was lost"));
        if fault == Some(Fault::LostBefore) {
            return lost();
        }
        let ignored = self.enter("repair", &thing.part.name)? == Some(Fault::Ignored);
        for broken in self.world().things.iter_mut().filter(|broken| broken.id == thing.id && !ignored) {
            broken.fails = false;
        }
        if fault == Some(Fault::LostAfter) {
            return lost();
        }
        Ok(thing.id.clone())
    }

    /// Takes away what came to nothing.
    pub(super) fn drop_thing(&self, id: &str) {
        self.world().things.retain(|thing| thing.id != id);
    }

    pub(super) fn is_ready(&self, thing: &Thing) -> bool {
        thing.made_at.saturating_add(self.takes).unwrap() <= self.now()
    }
}

impl World {
    /// What keeps the cloud from making that: its token's thing, or the owner of its name.
    fn same(&self, part: &Part, token: &str, identity: Identity) -> Option<Thing> {
        let unique = matches!(identity, Identity::UniqueName | Identity::Token { .. });
        let same = |thing: &&Thing| {
            thing.part.what == part.what && (thing.part.name == part.name || thing.token == token)
        };
        self.things.iter().filter(|_| unique).find(same).cloned()
    }

    fn make(&mut self, part: Part, token: String, made_at: Timestamp, fails: bool) -> String {
        let count = self.made.entry((part.what.clone(), part.name.clone())).or_default();
        *count += 1;
        let id = format!("{}-{}-{count}", part.what, part.name);
        self.things.push(Thing { id: id.clone(), part, token, made_at, fails, going_at: None });
        id
    }
}

pub(super) fn error(kind: ErrorKind, message: &str) -> DriverError {
    DriverError::new(kind, "fake", message)
}
