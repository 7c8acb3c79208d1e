//! What one stage needs of another, and the answers that several looks have in common. Sends nothing.

use pmks_driver::{DriverError, ErrorKind, Found, FoundState, Look, Marks, Result, StageContext};
use serde::{Deserialize, Serialize};

use crate::PROVIDER;
use crate::api::ec2::filter;

/// The key under which every stage that makes something leaves the cloud's identifier.
pub(crate) const ID: &str = "id";

/// A resource that a stage needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Reference {
    /// Known when the plan was made.
    Id(String),
    /// Made by the stage of this name.
    Stage(String),
}

impl Reference {
    /// The cloud's identifier.
    ///
    /// # Errors
    /// `Unexpected` if the stage left none behind: the plan is wrong then.
    pub(crate) fn id<'a>(&'a self, context: &'a StageContext) -> Result<&'a str> {
        match self {
            Self::Id(id) => Ok(id),
            Self::Stage(stage) => context.outputs.text(stage, ID).ok_or_else(|| {
                let message = format!("the stage {stage:?} left no identifier behind");
                DriverError::new(ErrorKind::Unexpected, PROVIDER, message)
            }),
        }
    }

    /// Whether it stood when the plan was made.
    pub(crate) fn is_known(&self) -> bool {
        matches!(self, Self::Id(_))
    }

    /// «Not found» about something that was made a moment ago is EC2's eventual consistency: it is waited for.
    ///
    /// Source: <https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html>
    pub(crate) fn settle(&self, error: DriverError) -> DriverError {
        match self {
            Self::Stage(_) if error.is_not_found() => {
                let by = "AWS, which does not show yet what was just made".to_owned();
                error.as_kind(ErrorKind::Conflict { by })
            }
            _ => error,
        }
    }
}

/// EC2's filters for what carries these marks.
pub(crate) fn marked(marks: &Marks) -> Vec<(String, String)> {
    let values = [&marks.installation, &marks.operation, &marks.uid];
    Marks::KEYS.iter().zip(values).map(|(key, value)| (format!("tag:{key}"), value.clone())).collect()
}

/// The same in the form that calls take.
pub(crate) fn filters(pairs: &[(String, String)]) -> Vec<(&str, Vec<String>)> {
    pairs.iter().map(|(name, value)| filter(name, value)).collect()
}

/// What was found by our marks, as a look's answer: nothing is absence only as long as AWS has not already told us
/// the identifier.
pub(crate) fn look<T>(
    context: &StageContext,
    found: &[T],
    id: impl Fn(&T) -> &str,
    state: impl Fn(&T) -> FoundState,
) -> Look {
    let known = context.system_id.as_deref();
    let told = found.iter().find(|one| known == Some(id(one)));
    match (told, found, known) {
        (Some(one), ..) | (None, [one], None) => Look::Present(Found {
            system_id: id(one).to_owned(),
            incarnation: id(one).to_owned(),
            state: state(one),
        }),
        (None, _, Some(known)) => Look::Unsure(format!("AWS does not show {known} yet")),
        (None, [], None) => Look::Absent,
        (None, several, None) => Look::Several(several.iter().map(|one| id(one).to_owned()).collect()),
    }
}

/// The state of something that is there at once or not at all, or that says its state in a word.
pub(crate) fn ready_when(there: bool, word: &str, outputs: serde_json::Value) -> FoundState {
    if there { FoundState::Ready(outputs) } else { FoundState::Pending { says: word.to_owned() } }
}

/// The stage has failed: the name is taken by something that does not carry our marks.
pub(crate) fn stranger(id: &str, what: &str, name: &str) -> Look {
    Look::failed(id, id, taken(id, what, name))
}

/// The error of a name that a stranger has.
pub(crate) fn taken(id: &str, what: &str, name: &str) -> DriverError {
    let message = format!("{what} {name:?} exists already ({id}) and was not made by this operation");
    DriverError::new(ErrorKind::AlreadyExists, PROVIDER, message)
}

#[cfg(test)]
pub(crate) mod tests {
    use jiff::Timestamp;
    use pmks_driver::Outputs;
    use serde_json::json;

    use super::*;

    /// A context in which one stage has left an identifier behind.
    pub(crate) fn context(system_id: Option<&str>) -> StageContext {
        let mut outputs = Outputs::default();
        outputs.insert("network", json!({"id": "vpc-1"}));
        StageContext {
            outputs,
            token: "t".to_owned(),
            baseline: None,
            system_id: system_id.map(str::to_owned),
            incarnation: None,
            started_at: Timestamp::UNIX_EPOCH,
            now: Timestamp::UNIX_EPOCH,
            pace: 1,
        }
    }

    fn seen(known: Option<&str>, found: &[&str]) -> String {
        let ready = |_: &&str| FoundState::Ready(serde_json::Value::Null);
        match look(&context(known), found, |id| id, ready) {
            Look::Absent => "absent".to_owned(),
            Look::Present(found) => found.system_id,
            Look::Several(ids) => ids.join("+"),
            Look::Unsure(_) => "unsure".to_owned(),
        }
    }

    #[test]
    fn what_aws_has_named_is_never_absent() {
        assert_eq!(seen(None, &[]), "absent");
        assert_eq!(seen(Some("a"), &[]), "unsure");
        assert_eq!(seen(None, &["a"]), "a");
        assert_eq!(seen(None, &["a", "b"]), "a+b");
        assert_eq!(seen(Some("b"), &["a", "b"]), "b");
        assert_eq!(seen(Some("c"), &["a"]), "unsure");
    }

    #[test]
    fn references_are_resolved_and_fresh_ones_waited_for() {
        let missing = || DriverError::new(ErrorKind::NotFound, PROVIDER, "no");
        let fresh = Reference::Stage("network".to_owned());
        assert_eq!(fresh.id(&context(None)).unwrap(), "vpc-1");
        assert!(matches!(fresh.settle(missing()).kind(), ErrorKind::Conflict { .. }));
        let known = Reference::Id("vpc-9".to_owned());
        assert_eq!(known.id(&context(None)).unwrap(), "vpc-9");
        assert!(known.settle(missing()).is_not_found());
        assert!(Reference::Stage("other".to_owned()).id(&context(None)).is_err());
    }
}
