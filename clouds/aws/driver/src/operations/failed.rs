//! What EKS itself ended as failed: whether it is this operation's to remove before it is asked for anew.
//! Sends nothing.
//!
//! EKS goes on with nothing that failed: it must be deleted first.
//! Source: <https://docs.aws.amazon.com/eks/latest/userguide/troubleshooting.html>

use pmks_driver::{DriverError, ErrorKind, Marks, Result};
use pmks_model::Tags;

use super::add_node_group::taken;
use crate::PROVIDER;

/// What was read of something that failed, a moment before its removal.
pub(super) struct Standing<'a> {
    /// Its word among people: `cluster`.
    pub(super) what: &'static str,
    /// Its name.
    pub(super) name: &'a str,
    /// EKS' word for its state.
    pub(super) status: &'a str,
    /// Its tags.
    pub(super) tags: &'a Tags,
}

/// What is left to do about something that failed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Removal {
    /// Ask for it.
    Ask,
    /// It is on its way out.
    Goes,
}

/// Whether it may be removed: made by this operation, and still failed.
///
/// # Errors
/// `AlreadyExists` where it is a stranger's; `Stale` where it has failed no longer.
pub(super) fn removal(standing: &Standing<'_>, ours: &Marks) -> Result<Removal> {
    if !ours.are_on(standing.tags) {
        return Err(taken(standing.what, standing.name));
    }
    match standing.status {
        "FAILED" | "CREATE_FAILED" | "DELETE_FAILED" => Ok(Removal::Ask),
        "DELETING" => Ok(Removal::Goes),
        word => {
            let message = format!("the {} {:?} had failed, and is {word} now", standing.what, standing.name);
            Err(DriverError::new(ErrorKind::Stale, PROVIDER, message))
        }
    }
}

/// A removal that was sent: what is gone meanwhile is as good.
///
/// # Errors
/// What else EKS answers.
pub(super) fn sent(answer: Result<()>) -> Result<()> {
    match answer {
        Err(error) if !error.is_not_found() => Err(error),
        _ => Ok(()),
    }
}

/// The marks that tags carry; `None` where one is missing.
pub(super) fn marks_of(tags: &Tags) -> Option<Marks> {
    let [installation, operation, uid] = Marks::KEYS.map(|key| tags.get(key).cloned());
    Some(Marks { installation: installation?, operation: operation?, uid: uid? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(operation: &str) -> Marks {
        Marks { installation: "i".into(), operation: operation.into(), uid: "u".into() }
    }

    #[test]
    fn only_what_failed_and_is_this_operations_is_removed() {
        let tags = marks("o").onto(&Tags::new());
        let of = |status: &'static str, operation: &str, tags: &Tags| {
            let standing = Standing { what: "cluster", name: "c", status, tags };
            match removal(&standing, &marks(operation)) {
                Ok(removal) => format!("{removal:?}"),
                Err(error) => format!("{:?}", error.kind()),
            }
        };
        for (status, expected) in [
            ("FAILED", "Ask"),
            ("CREATE_FAILED", "Ask"),
            ("DELETE_FAILED", "Ask"),
            ("DELETING", "Goes"),
            ("ACTIVE", "Stale"),
            ("CREATING", "Stale"),
            ("NEWWORD", "Stale"),
        ] {
            assert_eq!(of(status, "o", &tags), expected, "{status}");
            assert_eq!(of(status, "another", &tags), "AlreadyExists", "{status}");
            assert_eq!(of(status, "o", &Tags::new()), "AlreadyExists", "{status}");
        }
    }

    #[test]
    fn marks_are_whole_or_none() {
        let mut tags = marks("o").onto(&Tags::new());
        assert_eq!(marks_of(&tags), Some(marks("o")));
        tags.remove("pmks-uid");
        assert_eq!(marks_of(&tags), None);
    }
}
