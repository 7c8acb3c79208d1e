//! What EKS takes and answers: only the fields we use; unknown ones are ignored when reading.
//!
//! Source: <https://docs.aws.amazon.com/eks/latest/APIReference/Welcome.html>

#![expect(clippy::struct_field_names, reason = "the fields are called as EKS calls them")]

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

/// A moment as REST-JSON writes it (seconds with a fraction, perhaps with an exponent), or as an ISO text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment(pub(crate) Timestamp);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Seconds(f64),
            Text(String),
        }
        let moment = match Written::deserialize(deserializer)? {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "milliseconds since 1970 fit; others saturate and are refused"
            )]
            Written::Seconds(seconds) => Timestamp::from_millisecond((seconds * 1000.0).round() as i64),
            Written::Text(text) => text.parse(),
        };
        moment.map(Self).map_err(serde::de::Error::custom)
    }
}

/// A page of names; the list's own name differs by call.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Names {
    #[serde(
        default,
        alias = "clusters",
        alias = "nodegroups",
        alias = "fargateProfileNames",
        alias = "addons"
    )]
    pub(crate) names: Vec<String>,
    pub(crate) next_token: Option<String>,
}

/// `CreateCluster`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateCluster {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) version: Option<String>,
    pub(crate) role_arn: String,
    pub(crate) resources_vpc_config: VpcConfig,
    pub(crate) client_request_token: String,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) access_config: AccessConfig,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) upgrade_policy: Option<UpgradePolicy>,
}

/// Where a cluster lives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VpcConfig {
    #[serde(default)]
    pub(crate) subnet_ids: Vec<String>,
    #[serde(default)]
    pub(crate) security_group_ids: Vec<String>,
    #[serde(default, skip_serializing)]
    pub(crate) cluster_security_group_id: Option<String>,
    #[serde(default, skip_serializing)]
    pub(crate) vpc_id: Option<String>,
    #[serde(default, skip_serializing)]
    pub(crate) endpoint_public_access: Option<bool>,
    #[serde(default, skip_serializing)]
    pub(crate) endpoint_private_access: Option<bool>,
}

/// Who may enter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccessConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) authentication_mode: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bootstrap_cluster_creator_admin_permissions: Option<bool>,
}

/// What happens at the end of standard support.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpgradePolicy {
    #[serde(default)]
    pub(crate) support_type: String,
}

/// The answer about one cluster.
#[derive(Debug, Deserialize)]
pub(crate) struct ClusterAnswer {
    pub(crate) cluster: Cluster,
}

/// A cluster.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Cluster {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) arn: String,
    pub(crate) created_at: Option<Moment>,
    pub(crate) version: Option<String>,
    pub(crate) endpoint: Option<String>,
    pub(crate) role_arn: Option<String>,
    pub(crate) resources_vpc_config: Option<VpcConfig>,
    #[serde(default)]
    pub(crate) status: String,
    pub(crate) certificate_authority: Option<Certificate>,
    pub(crate) platform_version: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) health: Option<Health>,
    pub(crate) access_config: Option<AccessConfig>,
    pub(crate) upgrade_policy: Option<UpgradePolicy>,
    pub(crate) kubernetes_network_config: Option<KubernetesNetwork>,
    pub(crate) deletion_protection: Option<bool>,
}

/// The certificates of an endpoint, in base64.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Certificate {
    pub(crate) data: Option<String>,
}

/// The addresses of Services.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KubernetesNetwork {
    pub(crate) service_ipv4_cidr: Option<String>,
}

/// What is wrong with a cluster or node group.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Health {
    #[serde(default)]
    pub(crate) issues: Vec<Issue>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Issue {
    #[serde(default)]
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) resource_ids: Vec<String>,
}

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

/// `UpdateClusterVersion` and `UpdateNodegroupVersion`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpdateVersion {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) force: bool,
    pub(crate) client_request_token: String,
}

/// `UpdateClusterConfig`, as far as options go.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpdateClusterConfig {
    pub(crate) upgrade_policy: UpgradePolicy,
    pub(crate) client_request_token: String,
}

/// The answer about one update.
#[derive(Debug, Deserialize)]
pub(crate) struct UpdateAnswer {
    pub(crate) update: Update,
}

/// EKS' own work at a cluster, node group or add-on.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Update {
    pub(crate) id: Option<String>,
    #[serde(default)]
    pub(crate) status: String,
    #[serde(default, rename = "type")]
    pub(crate) kind: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) errors: Vec<UpdateError>,
}

/// Why an update failed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpdateError {
    #[serde(default)]
    pub(crate) error_code: String,
    #[serde(default)]
    pub(crate) error_message: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) resource_ids: Vec<String>,
}

/// A page of versions.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Versions {
    #[serde(default)]
    pub(crate) cluster_versions: Vec<ClusterVersion>,
    pub(crate) next_token: Option<String>,
}

/// A version on offer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClusterVersion {
    #[serde(default)]
    pub(crate) cluster_version: String,
    #[serde(default)]
    pub(crate) default_version: bool,
    pub(crate) status: Option<String>,
    pub(crate) version_status: Option<String>,
    pub(crate) end_of_standard_support_date: Option<Moment>,
    pub(crate) end_of_extended_support_date: Option<Moment>,
}

/// A page of insights.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Insights {
    #[serde(default)]
    pub(crate) insights: Vec<Insight>,
    pub(crate) next_token: Option<String>,
}

/// What EKS found about an upgrade.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Insight {
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) kubernetes_version: String,
    #[serde(default)]
    pub(crate) description: String,
    pub(crate) insight_status: Option<InsightStatus>,
}

/// How an insight stands.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct InsightStatus {
    #[serde(default)]
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) reason: String,
}

/// `CreateAddon`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateAddon {
    pub(crate) addon_name: String,
    pub(crate) client_request_token: String,
    pub(crate) tags: BTreeMap<String, String>,
}

/// The answer about one add-on.
#[derive(Debug, Deserialize)]
pub(crate) struct AddonAnswer {
    pub(crate) addon: Addon,
}

/// An add-on.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Addon {
    #[serde(default)]
    pub(crate) addon_name: String,
    #[serde(default)]
    pub(crate) status: String,
    pub(crate) addon_version: Option<String>,
    pub(crate) health: Option<Health>,
    pub(crate) created_at: Option<Moment>,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) tags: BTreeMap<String, String>,
}

/// The answer about one Fargate profile.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FargateProfileAnswer {
    pub(crate) fargate_profile: FargateProfile,
}

/// A Fargate profile.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FargateProfile {
    #[serde(default)]
    pub(crate) status: String,
}

/// The answer about one access entry.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccessEntryAnswer {
    pub(crate) access_entry: AccessEntry,
}

/// An access entry.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccessEntry {
    #[serde(default)]
    pub(crate) principal_arn: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) kubernetes_groups: Vec<String>,
}

/// A page of the policies of an access entry.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccessPolicies {
    #[serde(default)]
    pub(crate) associated_access_policies: Vec<AccessPolicy>,
}

/// A policy of an access entry.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccessPolicy {
    #[serde(default)]
    pub(crate) policy_arn: String,
    pub(crate) access_scope: Option<AccessScope>,
}

/// Where a policy holds.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct AccessScope {
    #[serde(default, rename = "type")]
    pub(crate) kind: String,
}

/// An empty value for `null`, which some endpoints send where they mean nothing.
fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_come_in_three_forms() {
        for text in ["1516741388.853", "1.516741388853E9", "\"2018-01-23T21:03:08.853Z\""] {
            let moment: Moment = serde_json::from_str(text).unwrap();
            assert_eq!(moment.0.to_string(), "2018-01-23T21:03:08.853Z", "{text}");
        }
        for text in ["1e300", "\"yesterday\"", "[]"] {
            assert!(serde_json::from_str::<Moment>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn nulls_are_nothing() {
        let group: Nodegroup =
            serde_json::from_str(r#"{"nodegroupName":"g","instanceTypes":null,"tags":null,"unknown":1}"#)
                .unwrap();
        assert!(group.instance_types.is_empty() && group.tags.is_empty());
    }
}
