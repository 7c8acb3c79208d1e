//! Whether the server is ready, and what is wrong if not: check by check. What costs a write to the disk is tried now and
//! then, since whoever asks `/readyz` needs no token.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use pmks_api::Check;
use pmks_core::Pmks;
use pmks_model::Failure;
use tokio::sync::Mutex;

use crate::State;

/// How long an answer of the store holds: the next one costs a write to the disk.
const HOLDS: Duration = Duration::from_secs(5);

/// What the last try found, and since when what fails does.
#[derive(Default)]
pub(crate) struct Readiness(Mutex<Known>);

#[derive(Default)]
struct Known {
    store: Option<Tried>,
    since: BTreeMap<&'static str, Timestamp>,
}

/// When it was tried, and what it came to.
type Tried = (Timestamp, Result<(), Box<Failure>>);

/// What is wrong.
struct Wrong {
    says: String,
    since: Option<Timestamp>,
    fix: Option<String>,
}

impl Readiness {
    /// Every check. All who ask at once wait for one try of the store.
    pub(crate) async fn of(&self, state: &State) -> Vec<Check> {
        let now = state.clock.wall();
        let mut known = self.0.lock().await;
        let store = known.store(&state.pmks, now).await;
        [("server", server(state)), ("engine", engine(state)), ("store", store)]
            .map(|(name, wrong)| known.check(name, wrong, now))
            .into()
    }
}

/// What all that fails says in one line; `None`: nothing does.
pub(crate) fn failures(checks: &[Check]) -> Option<String> {
    let failed = checks.iter().filter_map(|check| Some(format!("{}: {}", check.name, check.says.as_ref()?)));
    let failed: Vec<String> = failed.collect();
    (!failed.is_empty()).then(|| failed.join("; "))
}

fn server(state: &State) -> Option<Wrong> {
    let says = "it is ending".to_owned();
    state.closing.is_cancelled().then_some(Wrong { says, since: None, fix: None })
}

fn engine(state: &State) -> Option<Wrong> {
    if !state.has_engine() {
        let fix = "wait for its start; a command that works without a server never has one".to_owned();
        return Some(Wrong { says: "the engine does not run".to_owned(), since: None, fix: Some(fix) });
    }
    let trouble = state.pmks.engine().trouble()?;
    let fix =
        "operations wait and go on by themselves; look at the store, and if it is well restart".to_owned();
    Some(Wrong { says: trouble.says, since: Some(trouble.since), fix: Some(fix) })
}

impl Known {
    /// Whether the store keeps what it is given.
    async fn store(&mut self, pmks: &Pmks, now: Timestamp) -> Option<Wrong> {
        let fresh = |at: Timestamp| Duration::try_from(now.duration_since(at)).is_ok_and(|age| age < HOLDS);
        let found = match &self.store {
            Some((at, found)) if fresh(*at) => found.clone(),
            _ => {
                let found = match pmks.ping().await {
                    Ok(()) => pmks.ready().await,
                    failed => failed,
                };
                self.store = Some((now, found.clone()));
                found
            }
        };
        let failure = found.err()?;
        Some(Wrong { says: failure.detail, since: None, fix: failure.fix })
    }

    fn check(&mut self, name: &'static str, wrong: Option<Wrong>, now: Timestamp) -> Check {
        let status = if wrong.is_some() { "failed" } else { "ok" }.to_owned();
        let name_text = name.to_owned();
        let Some(wrong) = wrong else {
            self.since.remove(name);
            return Check { name: name_text, status, says: None, since: None, fix: None };
        };
        let first = *self.since.entry(name).or_insert(now);
        let since = wrong.since.unwrap_or(first).to_string();
        Check { name: name_text, status, says: Some(wrong.says), since: Some(since), fix: wrong.fix }
    }
}
