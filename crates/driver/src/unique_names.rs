//! How unique names are formed at a provider, by kind, as data. Forms none: that is core's, when it takes a request on.

use pmks_model::{NameRule, ResourceKind, UniqueName};
use serde::Serialize;

use crate::Capabilities;

/// How names that are to be unique are formed, by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UniqueNames {
    /// Of clusters.
    pub cluster: UniqueName,
    /// Of node groups.
    pub node_group: UniqueName,
    /// Of networks.
    pub network: UniqueName,
    /// Of subnets.
    pub subnet: UniqueName,
    /// Of security groups.
    pub security_group: UniqueName,
    /// Of key pairs.
    pub key_pair: UniqueName,
}

impl UniqueNames {
    /// The same for every kind.
    pub const fn all(form: UniqueName) -> Self {
        Self {
            cluster: form,
            node_group: form,
            network: form,
            subnet: form,
            security_group: form,
            key_pair: form,
        }
    }
}

impl Capabilities {
    /// What names of a kind are allowed, and how a unique one is formed; `None`: it has no name at the cloud.
    pub fn names(&self, kind: ResourceKind) -> Option<(NameRule, UniqueName)> {
        let unique = &self.unique_names;
        Some(match kind {
            ResourceKind::Connection => return None,
            ResourceKind::Cluster => (self.cluster_name, unique.cluster),
            ResourceKind::NodeGroup => (self.node_group_name, unique.node_group),
            ResourceKind::Network => (self.network_name, unique.network),
            ResourceKind::Subnet => (self.subnet_name, unique.subnet),
            ResourceKind::SecurityGroup => (self.security_group_name, unique.security_group),
            ResourceKind::KeyPair => (self.key_pair_name, unique.key_pair),
        })
    }
}
