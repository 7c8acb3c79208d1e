//! The one set of statuses for clusters, node groups and what they are made of, of every cloud.

use serde::{Deserialize, Serialize};

/// How a cluster, node group, network, subnet, security group or key pair is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Status {
    /// Being made.
    Creating,
    /// In order.
    Active,
    /// Being changed.
    Updating,
    /// Being removed.
    Deleting,
    /// Exists, and cannot be used.
    Inactive,
    /// Works in part, or was made in part: its creation ended before all of it was there.
    Degraded,
    /// Its creation or last change failed; nothing of it works.
    Failed,
    /// Stopped on purpose.
    Stopped,
    /// Known to us, and no longer at the cloud.
    Missing,
    /// The cloud says a word we do not know.
    #[default]
    Unknown,
}

impl Status {
    /// Whether it stays so until somebody does something.
    pub fn is_settled(self) -> bool {
        !matches!(self, Self::Creating | Self::Updating | Self::Deleting | Self::Unknown)
    }

    /// The word as it is written everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "Creating",
            Self::Active => "Active",
            Self::Updating => "Updating",
            Self::Deleting => "Deleting",
            Self::Inactive => "Inactive",
            Self::Degraded => "Degraded",
            Self::Failed => "Failed",
            Self::Stopped => "Stopped",
            Self::Missing => "Missing",
            Self::Unknown => "Unknown",
        }
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}
