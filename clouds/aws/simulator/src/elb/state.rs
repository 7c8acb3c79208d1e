//! What the simulated Elastic Load Balancing holds for one account in one region.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use pmks_simulation::Resource;
use serde::{Deserialize, Serialize};

use crate::world::Tags;

/// Balancers by name (names are unique in either API), target groups by ARN.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) balancers: BTreeMap<String, Balancer>,
    pub(crate) target_groups: BTreeMap<String, TargetGroup>,
}

/// The kind of a balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Kind {
    Classic,
    Network,
    Application,
}

impl Kind {
    /// The API's word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Network => "network",
            Self::Application => "application",
        }
    }
}

/// One balancer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Balancer {
    pub(crate) name: String,
    /// Empty for a classic one, which has none in its API.
    pub(crate) arn: String,
    pub(crate) kind: Kind,
    pub(crate) dns_name: String,
    pub(crate) vpc: String,
    /// Subnets with their zones.
    pub(crate) subnets: Vec<(String, String)>,
    pub(crate) security_groups: Vec<String>,
    pub(crate) internal: bool,
    /// Its network interfaces.
    pub(crate) interfaces: Vec<String>,
    pub(crate) tags: Tags,
    pub(crate) created: Timestamp,
    /// For whom a controller made it.
    pub(crate) owner: Option<Owner>,
    /// What happens next, and at which work time.
    pub(crate) next: Option<(Duration, Next)>,
}

/// The Service that a controller made a balancer for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owner {
    pub(crate) cluster: String,
    pub(crate) namespace: String,
    pub(crate) service: String,
}

/// What a balancer waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Next {
    /// `provisioning` becomes `active`.
    Active,
    /// The controller deletes it.
    Deleted,
    /// Deleted already; its interfaces, and the controller's security group, go at last.
    Swept,
    /// Deleted behind the back of its controller, which will make another one.
    Replaced,
}

/// One target group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TargetGroup {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) vpc: String,
    pub(crate) balancer: Option<String>,
    pub(crate) tags: Tags,
    pub(crate) created: Timestamp,
}

impl Balancer {
    /// The API's word for its state.
    pub(crate) fn state(&self) -> &'static str {
        match self.next {
            Some((_, Next::Active)) => "provisioning",
            _ => "active",
        }
    }

    /// Whether its Service still stands.
    pub(crate) fn is_wanted(&self) -> bool {
        self.owner.is_some() && !matches!(self.next, Some((_, Next::Deleted | Next::Swept)))
    }

    /// Whether the API still shows it.
    pub(crate) fn is_shown(&self) -> bool {
        !matches!(self.next, Some((_, Next::Swept | Next::Replaced)))
    }
}

/// Ground truth: balancers that the API shows, and target groups.
pub(crate) fn resources(state: &State) -> Vec<Resource> {
    let balancers = state.balancers.values().filter(|balancer| balancer.is_shown()).map(|balancer| {
        let id = if balancer.arn.is_empty() { &balancer.name } else { &balancer.arn };
        Resource::new("loadBalancer", id, balancer.state(), balancer.created)
            .named(&balancer.name)
            .tagged(&balancer.tags)
            .with("vpc", &*balancer.vpc)
            .with("type", balancer.kind.word())
    });
    let groups = state.target_groups.values().map(|group| {
        Resource::new("targetGroup", &group.arn, "active", group.created)
            .named(&group.name)
            .tagged(&group.tags)
            .with("vpc", &*group.vpc)
    });
    balancers.chain(groups).collect()
}
