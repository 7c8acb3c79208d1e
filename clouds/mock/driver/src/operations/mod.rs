//! The stages – to make a thing, to change one, to remove one – and the plans that are made of them.

mod change;
pub(crate) mod clusters;
pub(crate) mod ground;
mod make;
pub(crate) mod node_groups;
mod remove;
pub(crate) mod rules;
pub(crate) mod tags;
mod target;

use std::time::Duration;

use pmks_driver::{Asked, DriverError, Handle, Maker, Poll, Result, Stages};
use serde_json::{Value, json};

use crate::api::Kind;
use crate::wire::Operation;
use crate::{MockDriver, errors};

pub(crate) use target::gone;

/// Every kind of stage.
pub(crate) const STAGES: Stages<MockDriver> = Stages(&[&[
    Maker::of::<make::Make>(),
    Maker::of::<change::Change>(),
    Maker::of::<remove::Remove>(),
    Maker::of::<rules::ChangeRules>(),
    Maker::of::<tags::ChangeLabels>(),
]]);

/// The kinds of stages that plans are made of, so that a suite can tell that it has seen them all.
pub fn stage_kinds() -> impl Iterator<Item = &'static str> {
    STAGES.kinds()
}

/// How long the cloud's work usually takes where it was told to take its time. Else it is done when it is answered.
const EXPECTED: Duration = Duration::from_mins(1);
/// How long after its time limit a request that was lost may still be seen.
const UNSEEN: Duration = Duration::from_mins(1);
/// The key under which a stage that makes something leaves its identifier.
const ID: &str = "id";

/// What an ask was answered.
fn asked(operation: Operation) -> Asked {
    match operation.state.as_str() {
        "Done" => Asked::done(json!({ID: operation.target})),
        _ => Asked::following(Value::from(operation.id)),
    }
}

/// What the removal of something was answered.
fn asked_to_go(answer: Result<Operation>) -> Result<Asked> {
    match answer {
        Err(error) if error.is_not_found() => Ok(Asked::done(Value::Null)),
        answer => answer.map(asked),
    }
}

/// How the cloud's own work stands.
async fn follow(driver: &MockDriver, handle: &Handle) -> Result<Poll> {
    let operation = match driver.api.operation(handle.0.as_str().unwrap_or_default()).await {
        Err(error) if error.is_not_found() => return Ok(Poll::Lost),
        operation => operation?,
    };
    Ok(match (operation.state.as_str(), &operation.error) {
        (_, Some(said)) => Poll::Failed(errors::of_operation("mock.operations.get", said)),
        ("Done", None) => Poll::Done(json!({ID: operation.target})),
        (word, None) => Poll::Pending { says: format!("the operation is {word}"), after: None },
    })
}

/// Refuses what some use.
fn refuse_used(kind: Kind, name: &str, by: &[String]) -> Result<()> {
    if by.is_empty() {
        return Ok(());
    }
    let what = format!("{} {name} is used by {}", kind.names().word, by.join(", "));
    let fix = "delete what uses it first".to_owned();
    let of = pmks_driver::ErrorKind::Precondition { what: what.clone(), fix };
    Err(DriverError::new(of, crate::PROVIDER, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_stage_is_known_once() {
        assert_eq!(STAGES.defect(), None);
    }

    #[test]
    fn what_is_done_is_not_followed() {
        let operation = |state: &str| Operation {
            id: "o-1".to_owned(),
            target: "prod-1".to_owned(),
            state: state.to_owned(),
            error: None,
        };
        let done = asked(operation("Done"));
        assert_eq!((done.done, done.handle), (Some(json!({"id": "prod-1"})), None));
        let running = asked(operation("Running"));
        assert_eq!((running.done, running.handle), (None, Some(Handle(json!("o-1")))));
    }
}
