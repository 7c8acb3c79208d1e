//! Managed node groups.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Health, Moment, nullable};

/// `CreateNodegroup`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateNodegroup {
    pub(crate) nodegroup_name: String,
    pub(crate) scaling_config: ScalingConfig,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) disk_size: Option<u32>,
    pub(crate) subnets: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) instance_types: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ami_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) remote_access: Option<RemoteAccess>,
    pub(crate) node_role: String,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) client_request_token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) launch_template: Option<LaunchTemplate>,
}

/// Limits and size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScalingConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) min_size: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_size: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) desired_size: Option<u32>,
}

/// Who may log in at the nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RemoteAccess {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ec2_ssh_key: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) source_security_groups: Vec<String>,
}

/// What nodes are launched by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LaunchTemplate {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
}

/// The answer about one node group.
#[derive(Debug, Deserialize)]
pub(crate) struct NodegroupAnswer {
    pub(crate) nodegroup: Nodegroup,
}

/// A node group.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Nodegroup {
    pub(crate) nodegroup_name: String,
    #[serde(default)]
    pub(crate) nodegroup_arn: String,
    pub(crate) version: Option<String>,
    pub(crate) release_version: Option<String>,
    pub(crate) created_at: Option<Moment>,
    pub(crate) modified_at: Option<Moment>,
    #[serde(default)]
    pub(crate) status: String,
    pub(crate) capacity_type: Option<String>,
    pub(crate) scaling_config: Option<ScalingConfig>,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) instance_types: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) subnets: Vec<String>,
    pub(crate) remote_access: Option<RemoteAccess>,
    pub(crate) ami_type: Option<String>,
    pub(crate) node_role: Option<String>,
    pub(crate) resources: Option<NodegroupResources>,
    pub(crate) disk_size: Option<u32>,
    pub(crate) health: Option<Health>,
    pub(crate) launch_template: Option<LaunchTemplate>,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) tags: BTreeMap<String, String>,
}

impl Nodegroup {
    /// The names of its Auto Scaling groups.
    pub(crate) fn auto_scaling_groups(&self) -> impl Iterator<Item = &str> {
        let groups = self.resources.iter().flat_map(|resources| &resources.auto_scaling_groups);
        groups.map(|group| group.name.as_str())
    }
}

/// What EKS made for a node group.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NodegroupResources {
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) auto_scaling_groups: Vec<Named>,
}

/// Something with a name.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Named {
    #[serde(default)]
    pub(crate) name: String,
}

/// `UpdateNodegroupConfig`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpdateNodegroupConfig {
    pub(crate) scaling_config: ScalingConfig,
    pub(crate) client_request_token: String,
}
