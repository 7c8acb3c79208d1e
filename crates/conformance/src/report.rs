//! How a case ends.

use std::collections::BTreeSet;
use std::io::Write;

use pmks_driver::DriverError;

use crate::{Case, Rig, Thing};

/// How a case ended that did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All that it asserts holds.
    Passed,
    /// It could not be run here, and why.
    Skipped(String),
}

/// What does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Failed(pub String);

impl From<DriverError> for Failed {
    fn from(error: DriverError) -> Self {
        Self(error.to_failure().to_string())
    }
}

/// Runs a case, then the world's own checks: one that was skipped has changed nothing, nothing is left behind, no secret
/// is in any record.
///
/// # Errors
/// What does not hold.
pub async fn run(case: &Case, rig: &Rig) -> Result<Verdict, Failed> {
    let before: BTreeSet<Thing> = rig.witness.things().await.into_iter().collect();
    let mark = rig.calls.mark();
    let verdict = (case.run)(rig.clone()).await?;
    if let Verdict::Skipped(why) = &verdict {
        let sent = rig.calls.changes_since(mark);
        check(sent.is_empty(), || format!("it was skipped ({why}) after it had sent {sent:?}"))?;
    }
    rig.faults.clear();
    let left: Vec<Thing> =
        rig.witness.things().await.into_iter().filter(|thing| !before.contains(thing)).collect();
    check(left.is_empty(), || format!("left behind: {left:?}"))?;
    for exchange in rig.recorder.exchanges() {
        let text = format!("{exchange:?}");
        check(!rig.secrets.iter().any(|secret| text.contains(secret)), || {
            format!("a secret is in the record of {}", exchange.action)
        })?;
    }
    Ok(verdict)
}

/// One visible line, written past the test runner's capture, which swallows what a passing test prints.
pub fn say_skipped(case: &Case, why: &str) {
    // Nobody is left to tell if standard error is gone.
    let _ = writeln!(std::io::stderr(), "SKIPPED {}: {why}", case.name);
}

/// `Ok` if it holds.
pub(crate) fn check(holds: bool, says: impl FnOnce() -> String) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(Failed(says())) }
}

/// `Ok` if both are equal.
pub(crate) fn check_equal<T: PartialEq + std::fmt::Debug>(
    found: &T,
    wanted: &T,
    what: &str,
) -> Result<(), Failed> {
    check(found == wanted, || format!("{what}: found {found:?}, wanted {wanted:?}"))
}
