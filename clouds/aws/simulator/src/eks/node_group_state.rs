//! What the simulated EKS holds of a managed node group. Data only.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::state::{Issue, Pending, Status, Update};
use crate::world::Tags;

/// A managed node group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NodeGroup {
    /// Its name, unique in the cluster.
    pub(crate) name: String,
    /// Its ARN.
    pub(crate) arn: String,
    /// When it was asked for.
    pub(crate) created_at: Timestamp,
    /// When it was last changed.
    pub(crate) modified_at: Timestamp,
    /// Its status.
    pub(crate) status: Status,
    /// Kubernetes version; absent for an image of the user's own.
    pub(crate) version: Option<String>,
    /// Release of the image (`1.34.4-20261110`), or the user's image id.
    pub(crate) release_version: String,
    /// `ON_DEMAND` or `SPOT`.
    pub(crate) capacity_type: String,
    /// Its limits, as last asked of EKS.
    pub(crate) scaling: Scaling,
    /// Machine types as asked; empty where the launch template says it.
    pub(crate) instance_types: Vec<String>,
    /// Its subnets.
    pub(crate) subnets: Vec<String>,
    /// Key pair and source groups of remote access, as asked.
    pub(crate) remote_access: Option<RemoteAccess>,
    /// Kind of image.
    pub(crate) ami_type: String,
    /// The nodes' role.
    pub(crate) node_role: String,
    /// Kubernetes labels.
    pub(crate) labels: Tags,
    /// Kubernetes taints, as asked.
    pub(crate) taints: Vec<Value>,
    /// Root disk in GiB; absent where the launch template says it.
    pub(crate) disk_gib: Option<i64>,
    /// How many nodes an update takes at once, as asked.
    pub(crate) update_config: Value,
    /// Node repair, as asked.
    pub(crate) node_repair: Option<Value>,
    /// The user's launch template.
    pub(crate) launch_template: Option<LaunchTemplate>,
    /// Its tags, which stay on the node group.
    pub(crate) tags: Tags,
    /// What ails it.
    pub(crate) issues: Vec<Issue>,
    /// Members that are shown over its own, because a test said so.
    #[serde(default)]
    pub(crate) shown_over: Map<String, Value>,
    /// The group that keeps its machines, once it is made.
    pub(crate) auto_scaling_group: Option<String>,
    /// The security group that EKS made for remote access.
    pub(crate) remote_access_group: Option<String>,
    /// The client's token of its creation.
    pub(crate) token: Option<String>,
    /// The request that made it.
    pub(crate) request: Value,
    /// The code with which its creation will fail, where a fault says so.
    pub(crate) failure: Option<String>,
    /// Whether a fault keeps it from ever being ready.
    pub(crate) never_ready: bool,
    /// What it is busy with.
    pub(crate) pending: Option<Pending<NodeGroupStep>>,
    /// Its updates, oldest first.
    pub(crate) updates: Vec<Update>,
}

/// Limits and wanted number of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Scaling {
    /// Fewest.
    pub(crate) min: i64,
    /// Most.
    pub(crate) max: i64,
    /// Wanted.
    pub(crate) desired: i64,
}

/// Remote access to nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RemoteAccess {
    /// Name of the key pair.
    pub(crate) key: Option<String>,
    /// From where; everywhere if empty.
    pub(crate) source_groups: Vec<String>,
}

/// The user's launch template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LaunchTemplate {
    /// `lt-…`.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// Which version of it.
    pub(crate) version: String,
}

/// What a node group is busy with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum NodeGroupStep {
    /// The Auto Scaling group is made and machines are asked for.
    Launch,
    /// Becomes active when its machines are nodes; fails if they are not by that work time.
    Create {
        /// When EKS gives up.
        until: Duration,
    },
    /// The Auto Scaling group is emptied.
    Drain,
    /// Vanishes.
    Delete,
    /// The update of limits and labels of this id ends.
    Config(String),
    /// The update of version of this id goes on by some nodes.
    Replace(String),
    /// The update of this id fails, with that code.
    FailUpdate(String, String),
}
