//! What the simulated Auto Scaling holds for one account in one region: groups, their members, their tags.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::world::Tags;

/// All groups.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    /// Groups by name.
    pub(crate) groups: BTreeMap<String, Group>,
}

/// An Auto Scaling group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Group {
    /// Its name.
    pub(crate) name: String,
    /// Its ARN.
    pub(crate) arn: String,
    /// When it was made.
    pub(crate) created_at: Timestamp,
    /// Fewest members.
    pub(crate) min: i64,
    /// Most members.
    pub(crate) max: i64,
    /// Wanted members.
    pub(crate) desired: i64,
    /// Its subnets, each with its zone.
    pub(crate) subnets: Vec<(String, String)>,
    /// What its machines are made from.
    pub(crate) launch: Launch,
    /// Its tags by key.
    pub(crate) tags: BTreeMap<String, Tag>,
    /// Its members, oldest first.
    pub(crate) members: Vec<Member>,
    /// When its number of members is next compared with the wanted one.
    pub(crate) check_at: Option<Duration>,
    /// Whether it is being deleted.
    pub(crate) deleting: bool,
    /// Whether the cloud has no machines for it.
    pub(crate) no_capacity: bool,
    /// What the last attempt to launch ended in, where it failed.
    pub(crate) last_failure: Option<String>,
}

/// What a group's machines are made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Launch {
    /// The launch template's id.
    pub(crate) template_id: String,
    /// The launch template's name.
    pub(crate) template_name: String,
    /// Which version of it.
    pub(crate) template_version: String,
    /// Machine types, the first that there is first.
    pub(crate) instance_types: Vec<String>,
    /// The image.
    pub(crate) image: String,
    /// The release that the image is of; nodes that are of another one are old.
    pub(crate) release: String,
    /// Key pair.
    pub(crate) key: Option<String>,
    /// Security groups.
    pub(crate) security_groups: Vec<String>,
    /// Root disk in GiB.
    pub(crate) disk_gib: i64,
    /// The role of the machines, by ARN.
    pub(crate) role_arn: String,
    /// Spot instead of on-demand machines.
    pub(crate) spot: bool,
    /// Tags of the machines beside those that the group propagates.
    pub(crate) tags: Tags,
}

/// A tag of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tag {
    /// Its value.
    pub(crate) value: String,
    /// Whether machines launched from now on get it too.
    pub(crate) propagate: bool,
}

/// Where a member stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Lifecycle {
    /// Launched, not yet in service.
    Pending,
    /// In service.
    InService,
    /// Going.
    Terminating,
}

impl Lifecycle {
    /// Auto Scaling's word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::InService => "InService",
            Self::Terminating => "Terminating",
        }
    }
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Member {
    /// The machine's id.
    pub(crate) instance: String,
    /// Its type.
    pub(crate) instance_type: String,
    /// Its zone.
    pub(crate) zone: String,
    /// The template version that it was launched from.
    pub(crate) template_version: String,
    /// The release of its image.
    pub(crate) release: String,
    /// Where it stands.
    pub(crate) lifecycle: Lifecycle,
    /// When it moves on.
    pub(crate) due: Option<Duration>,
    /// Since when it is in service.
    pub(crate) in_service_since: Option<Timestamp>,
}

impl Group {
    /// The members that count: all but those that go.
    pub(crate) fn active(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.lifecycle != Lifecycle::Terminating)
    }

    /// How many members are in service.
    pub(crate) fn in_service(&self) -> usize {
        self.members.iter().filter(|member| member.lifecycle == Lifecycle::InService).count()
    }

    /// When something of it falls due.
    pub(crate) fn next_due(&self) -> Option<Duration> {
        self.members.iter().filter_map(|member| member.due).chain(self.check_at).min()
    }
}
