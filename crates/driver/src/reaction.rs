//! The one place that decides what follows from an error.

use pmks_transport::Effect;

use crate::ErrorKind;

/// What the engine does about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// The stage has failed.
    Fail,
    /// The cloud is busy with something else: the same again later, for as long as it takes.
    Wait,
    /// The same again soon, a few times.
    Retry,
    /// Look for the effect before anything is asked again.
    LookFirst,
}

/// What follows from an error of this kind, met by a call of this effect.
pub fn reaction(kind: &ErrorKind, effect: Effect) -> Reaction {
    match (kind, effect) {
        (ErrorKind::Conflict { .. } | ErrorKind::Throttled { .. }, _) => Reaction::Wait,
        (ErrorKind::Stale | ErrorKind::Unavailable, _)
        | (ErrorKind::Ambiguous, Effect::Read | Effect::Idempotent) => Reaction::Retry,
        (ErrorKind::Ambiguous, Effect::Creates)
        | (ErrorKind::NotFound, Effect::Idempotent)
        | (ErrorKind::AlreadyExists | ErrorKind::Unexpected, Effect::Creates | Effect::Idempotent) => {
            Reaction::LookFirst
        }
        (ErrorKind::AlreadyExists | ErrorKind::Unexpected, Effect::Read)
        | (ErrorKind::NotFound, Effect::Read | Effect::Creates)
        | (
            ErrorKind::InvalidRequest(_)
            | ErrorKind::Replaced
            | ErrorKind::QuotaExceeded
            | ErrorKind::Unauthenticated
            | ErrorKind::Forbidden { .. }
            | ErrorKind::PrerequisiteMissing { .. }
            | ErrorKind::Precondition { .. }
            | ErrorKind::Unsupported { .. },
            _,
        ) => Reaction::Fail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_creating_ask_is_never_repeated_unseen() {
        for kind in [ErrorKind::Ambiguous, ErrorKind::Unexpected, ErrorKind::AlreadyExists] {
            assert_eq!(reaction(&kind, Effect::Creates), Reaction::LookFirst, "{kind:?}");
        }
    }

    #[test]
    fn a_busy_cloud_is_waited_for_and_a_refusal_is_final() {
        for effect in [Effect::Read, Effect::Idempotent, Effect::Creates] {
            assert_eq!(reaction(&ErrorKind::Conflict { by: String::new() }, effect), Reaction::Wait);
            assert_eq!(reaction(&ErrorKind::QuotaExceeded, effect), Reaction::Fail);
            assert_eq!(reaction(&ErrorKind::Unavailable, effect), Reaction::Retry);
        }
    }
}
