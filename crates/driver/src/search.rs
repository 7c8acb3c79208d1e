//! How children of a cluster are looked for: to show them, or to leave none behind when it is deleted.

use pmks_model::Children;

use crate::{DriverError, ErrorKind};

/// How a deletion looks for children. It is the engine's patience, no part of what a user asks for.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Whether the cluster's own API must answer what stands in it. Otherwise what it does not answer is passed over, with
    /// a notice: a cluster that is broken, or out of reach from here, must still be deletable.
    pub must_hear: bool,
    /// What an earlier attempt or an earlier deletion of the same cluster found, while more answered or less, and has not
    /// surely removed: it is removed wherever it still stands, volumes as is asked now.
    pub known: Children,
}

/// What is done about what does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Care {
    /// It is named: somebody only wants to see.
    ToShow,
    /// The cloud is asked again, what the cluster itself does not answer is named.
    ToDelete,
    /// Both are asked again.
    ToDeleteHeard,
}

impl Care {
    /// Of a deletion.
    pub fn of(search: &Search) -> Self {
        if search.must_hear { Self::ToDeleteHeard } else { Self::ToDelete }
    }

    /// Whether what the cloud did not answer is no answer at all, or is to be asked for again. What the credential may not
    /// see is named.
    pub(crate) fn asks_cloud_again(self, error: &DriverError) -> bool {
        match self {
            Self::ToShow => *error.kind() == ErrorKind::Unauthenticated,
            Self::ToDelete | Self::ToDeleteHeard => !matches!(error.kind(), ErrorKind::Forbidden { .. }),
        }
    }

    /// Whether what the cluster itself did not answer is to be asked for again: what throttles answers soon.
    pub(crate) fn asks_cluster_again(self, error: &DriverError) -> bool {
        let is_throttled = matches!(error.kind(), ErrorKind::Throttled { .. });
        match self {
            Self::ToShow => false,
            Self::ToDelete => is_throttled,
            Self::ToDeleteHeard => is_throttled || !is_refusal(error.kind()),
        }
    }
}

fn is_refusal(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Forbidden { .. }
            | ErrorKind::Unauthenticated
            | ErrorKind::Unsupported { .. }
            | ErrorKind::PrerequisiteMissing { .. }
            | ErrorKind::Precondition { .. }
    )
}
