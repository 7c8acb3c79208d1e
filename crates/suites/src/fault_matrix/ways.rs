//! The ways in which one call of an operation goes wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pmks_model::{OperationKind, ResourceKind};
use pmks_simulation::{Deed, Effect, Resource, Rule};
use pmks_transport::Fault;

use super::beside::{about, ground};
use super::shapes::{self, Shape};
use crate::CloudUnderTest;
use crate::kill_matrix::{House, is_long, truth};

/// Longer than every time limit of a call.
const SLOWER_THAN_ANY_LIMIT: Duration = Duration::from_hours(1);

/// How late a request may be applied: within its time limit and the time until it is visible.
const LATE: Duration = Duration::from_secs(45);

/// How old the world is that a stale read shows, in seconds.
const STALE_SECONDS: u64 = 60;

/// What is done to one call.
#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    /// On the way to the cloud and back, so often.
    OnTheWay(Fault, usize),
    /// In the cloud, so often; `None`: as long as it lasts.
    InTheCloud(Effect, Option<u64>),
    /// In the shape of the cloud's answer, so often.
    Reshaped(Shape, usize),
    /// By somebody else, once: to one of these kinds of rows, which the call names or that is named here.
    Beside { deed: Deed, kinds: Vec<String>, resource: Option<String> },
}

/// One call that goes wrong in one way.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// The call, as the driver or as the cloud names it.
    pub(crate) action: String,
    /// The way.
    pub(crate) way: &'static str,
    trouble: Trouble,
}

impl Case {
    /// From now on.
    pub(crate) fn begin(&self, house: &House) {
        match self.trouble.clone() {
            Trouble::OnTheWay(fault, times) => house.breaker.set(&self.action, fault, times),
            Trouble::InTheCloud(effect, times) => self.put(house, effect, times),
            Trouble::Reshaped(shape, times) => house.reshaper.set(&self.action, shape, times),
            Trouble::Beside { deed, kinds, resource } => {
                house.cloud.controls().deeds.clear();
                self.put(house, Effect::Meanwhile { deed, kinds, resource }, Some(1));
            }
        }
    }

    fn put(&self, house: &House, effect: Effect, times: Option<u64>) {
        let (service, action) = self.action.split_once('.').unwrap();
        house.cloud.controls().faults.put(vec![Rule { times, ..Rule::new(service, action, effect) }]);
    }

    /// What somebody else does, if that is the way.
    pub(crate) fn deed(&self) -> Option<Deed> {
        match self.trouble {
            Trouble::Beside { deed, .. } => Some(deed),
            _ => None,
        }
    }

    /// Whether its call changes something.
    pub(crate) fn changes(&self) -> bool {
        verb_of(&self.action) != Verb::Reads
    }

    /// Whether an answer is a lie that may be believed: nothing in it shows that it is one.
    pub(crate) fn may_be_believed(&self) -> bool {
        let is_lie = |shape| matches!(shape, Shape::Empty | Shape::EmptyLists | Shape::OtherNames);
        matches!(self.trouble, Trouble::Reshaped(shape, _) if is_lie(shape))
    }

    /// For tests of what is made of cases.
    #[cfg(test)]
    pub(crate) fn named(action: &str, way: &'static str) -> Self {
        Self { action: action.to_owned(), way, trouble: Trouble::OnTheWay(Fault::Pass, 1) }
    }

    /// The fault is gone; answers whether it struck at all.
    pub(crate) fn end(house: &House) -> bool {
        let struck = house.cloud.controls().faults.rules().iter().any(|rule| rule.struck > 0);
        house.cloud.controls().faults.clear();
        let reshaped = house.reshaper.clear();
        house.breaker.clear() || struck || reshaped
    }
}

/// The calls of an undisturbed run.
pub(crate) struct Calls {
    /// As the driver names them.
    pub(crate) sent: BTreeSet<&'static str>,
    /// As the cloud names them, with their service; and the resources that they named.
    pub(crate) received: BTreeMap<(String, String), BTreeSet<String>>,
    /// The kind of the operation.
    pub(crate) kind: OperationKind,
    /// The world before it, and after.
    pub(crate) rows: [Vec<Resource>; 2],
}

/// Every call in every way, those of one call beside each other.
pub(crate) fn cases(under_test: &dyn CloudUnderTest, calls: &Calls) -> Vec<Case> {
    let sent = calls.sent.iter().flat_map(|action| {
        let case = |(way, fault, times): (_, Fault, _)| Case {
            action: (*action).to_owned(),
            way,
            trouble: Trouble::OnTheWay(fault, times),
        };
        on_the_way().into_iter().map(case)
    });
    let received = calls.received.iter().flat_map(|((service, action), named)| {
        let case = |(way, trouble)| Case { action: format!("{service}.{action}"), way, trouble };
        let in_the_cloud = in_the_cloud(under_test, service, action).into_iter();
        let in_the_cloud = in_the_cloud.map(|(way, effect, times)| (way, Trouble::InTheCloud(effect, times)));
        let beside = beside(under_test, calls, action, named);
        in_the_cloud.chain(answered(action)).chain(beside).map(case).collect::<Vec<_>>()
    });
    let all = sent.chain(received);
    match std::env::var("PMKS_WAYS") {
        Ok(wanted) => {
            all.filter(|case| wanted.split(',').any(|word| case.way.contains(word.trim()))).collect()
        }
        Err(_) => all.collect(),
    }
}

/// The answers of other shapes that a call is given.
fn answered(action: &str) -> impl Iterator<Item = (&'static str, Trouble)> {
    let parts = if is_long() { MANY_PARTS } else { 1 };
    let first = action.bytes().fold(0, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
    shapes::WAYS.into_iter().flat_map(move |(way, times, shape)| {
        let shapes = match shape {
            Shape::OnePart(seed) => (0..parts).map(|part| Shape::OnePart(first + seed + part)).collect(),
            shape => vec![shape],
        };
        shapes.into_iter().map(move |shape| (way, Trouble::Reshaped(shape, times)))
    })
}

/// What somebody else does just before a call: to what it names and is there, else to what the operation is about or, as
/// long as that is not made, to what that will stand on.
fn beside(
    under_test: &dyn CloudUnderTest,
    calls: &Calls,
    action: &str,
    named: &BTreeSet<String>,
) -> Vec<(&'static str, Trouble)> {
    let kinds: Vec<String> =
        truth::RECORDED.iter().filter_map(|kind| under_test.word(*kind)).map(str::to_owned).collect();
    let [before, after] = &calls.rows;
    let (there, instead) = if verb_of(action) == Verb::Makes {
        (vec![before], ground(calls.kind))
    } else {
        (vec![before, after], about(calls.kind))
    };
    let names_one = there.into_iter().flatten().filter(|row| kinds.contains(&row.kind)).any(|row| {
        let last = row.id.rsplit('/').next().unwrap_or_default();
        named.iter().any(|name| *name == row.id || name == last || row.name.as_ref() == Some(name))
    });
    let resource = match instead {
        _ if names_one => None,
        Some((kind, name)) => match called(under_test, &calls.rows, kind, name) {
            Some(name) => Some(name),
            None => return Vec::new(),
        },
        None => return Vec::new(),
    };
    let ways = [
        ("vanished", Deed::Vanishes),
        ("replaced by a stranger's", Deed::IsReplaced),
        ("changed by somebody else", Deed::IsChanged),
    ];
    let trouble = |deed| Trouble::Beside { deed, kinds: kinds.clone(), resource: resource.clone() };
    ways.into_iter().map(|(way, deed)| (way, trouble(deed))).collect()
}

/// The name of the row that a name of ours is about.
fn called(
    under_test: &dyn CloudUnderTest,
    rows: &[Vec<Resource>],
    kind: ResourceKind,
    name: &str,
) -> Option<String> {
    let word = under_test.word(kind)?;
    let is_it = |row: &&Resource| {
        row.kind == word && (row.name.as_deref() == Some(name) || under_test.id(row) == name)
    };
    rows.iter().flatten().find(is_it).and_then(|row| row.name.clone())
}

/// More often than a call is tried at a time.
const MANY: usize = 12;

/// In how many answers of a call, in a long run, one part is changed.
const MANY_PARTS: u64 = 6;

/// As often as an answer that is read is unreadable before it is worth going on without it.
pub(super) const FEW: usize = 4;

fn on_the_way() -> Vec<(&'static str, Fault, usize)> {
    let retry_after = Some(Duration::from_secs(2));
    vec![
        ("throttled", Fault::Throttle { retry_after }, MANY),
        ("reset before it was applied", Fault::ResetBefore, 1),
        ("reset after it was applied", Fault::DropAnswer, 1),
        ("reset, and applied later", Fault::ApplyLater(LATE), 1),
        ("slower than the time limit", Fault::Delay(SLOWER_THAN_ANY_LIMIT), 1),
        ("answered with garbage", Fault::Garbage, 1),
        ("answered with garbage for a while", Fault::Garbage, FEW),
        ("answered with half an answer", Fault::Truncate, 1),
        ("unreachable for a while", Fault::Refuse, MANY),
    ]
}

fn in_the_cloud(
    under_test: &dyn CloudUnderTest,
    service: &str,
    action: &str,
) -> Vec<(&'static str, Effect, Option<u64>)> {
    let status = |status, code: &str| Effect::Status { status, code: code.to_owned(), message: None };
    let mut ways = vec![
        ("answered 500", status(500, "InternalError"), Some(3)),
        ("answered 500 for ever", status(500, "InternalError"), None),
        ("answered 503 once", status(503, "ServiceUnavailable"), Some(1)),
        ("not permitted", Effect::Deny, None),
    ];
    match verb_of(action) {
        Verb::Reads => ways.push(("a stale read", Effect::StaleReads { seconds: STALE_SECONDS }, Some(2))),
        Verb::Makes => ways.push(("beyond the quota", Effect::Quota, None)),
        Verb::Changes => {}
    }
    if verb_of(action) != Verb::Reads {
        ways.extend(under_test.busy(service).map(|busy| ("busy for ever", busy, None)));
    }
    ways
}

/// What a call does, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Reads,
    Makes,
    Changes,
}

fn verb_of(action: &str) -> Verb {
    let last = action.rsplit(['.', '_']).next().unwrap_or(action).to_ascii_lowercase();
    let begins = |words: &[&str]| words.iter().any(|word| last.starts_with(word));
    if begins(&["get", "list", "describe", "aggregated"]) {
        Verb::Reads
    } else if begins(&["create", "insert", "import"]) {
        Verb::Makes
    } else {
        Verb::Changes
    }
}
