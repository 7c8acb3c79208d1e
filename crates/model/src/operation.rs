//! The words of durable work: kinds, states, what an operation is about, what it leaves.

use serde::{Deserialize, Serialize};

/// A kind of resource that pmks keeps a record of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ResourceKind {
    /// Provider, credential, region.
    Connection,
    /// A private network.
    Network,
    /// A part of a network.
    Subnet,
    /// A set of firewall rules.
    SecurityGroup,
    /// A key pair.
    KeyPair,
    /// A managed Kubernetes cluster.
    Cluster,
    /// Nodes of one kind in a cluster.
    NodeGroup,
}

impl ResourceKind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Connection,
        Self::Network,
        Self::Subnet,
        Self::SecurityGroup,
        Self::KeyPair,
        Self::Cluster,
        Self::NodeGroup,
    ];

    /// The word in camelCase, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Network => "network",
            Self::Subnet => "subnet",
            Self::SecurityGroup => "securityGroup",
            Self::KeyPair => "keyPair",
            Self::Cluster => "cluster",
            Self::NodeGroup => "nodeGroup",
        }
    }

    /// The word for people.
    pub fn says(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Network => "network",
            Self::Subnet => "subnet",
            Self::SecurityGroup => "security group",
            Self::KeyPair => "key pair",
            Self::Cluster => "cluster",
            Self::NodeGroup => "node group",
        }
    }
}

/// What an operation is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceReference {
    /// Its kind.
    pub kind: ResourceKind,
    /// The connection it belongs to.
    pub connection: String,
    /// The cluster, if it is a part of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// The network, if it is a part of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// Our name of it.
    pub name: String,
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum OperationKind {
    /// Makes a cluster with its node groups.
    #[serde(rename = "cluster.create")]
    ClusterCreate,
    /// Removes a cluster with all that belongs to it.
    #[serde(rename = "cluster.delete")]
    ClusterDelete,
    /// Raises the version of a cluster and its node groups.
    #[serde(rename = "cluster.upgrade")]
    ClusterUpgrade,
    /// Takes over an existing cluster. Reads only.
    #[serde(rename = "cluster.import")]
    ClusterImport,
    /// Changes tags or options of a cluster.
    #[serde(rename = "cluster.update")]
    ClusterUpdate,
    /// Adds a node group.
    #[serde(rename = "nodeGroup.add")]
    NodeGroupAdd,
    /// Changes size, limits or autoscaling of a node group.
    #[serde(rename = "nodeGroup.scale")]
    NodeGroupScale,
    /// Raises the version of a node group.
    #[serde(rename = "nodeGroup.upgrade")]
    NodeGroupUpgrade,
    /// Removes a node group.
    #[serde(rename = "nodeGroup.remove")]
    NodeGroupRemove,
    /// Makes a network with its subnets.
    #[serde(rename = "network.create")]
    NetworkCreate,
    /// Changes the tags of a network.
    #[serde(rename = "network.update")]
    NetworkUpdate,
    /// Removes a network.
    #[serde(rename = "network.delete")]
    NetworkDelete,
    /// Makes a subnet.
    #[serde(rename = "subnet.create")]
    SubnetCreate,
    /// Changes the tags of a subnet.
    #[serde(rename = "subnet.update")]
    SubnetUpdate,
    /// Removes a subnet.
    #[serde(rename = "subnet.delete")]
    SubnetDelete,
    /// Makes a security group with its rules.
    #[serde(rename = "securityGroup.create")]
    SecurityGroupCreate,
    /// Adds rules to a security group, and removes some; or changes its tags.
    #[serde(rename = "securityGroup.update")]
    SecurityGroupUpdate,
    /// Removes a security group.
    #[serde(rename = "securityGroup.delete")]
    SecurityGroupDelete,
    /// Gives a cloud the public half of a key pair.
    #[serde(rename = "keyPair.create")]
    KeyPairCreate,
    /// Changes the tags of a key pair.
    #[serde(rename = "keyPair.update")]
    KeyPairUpdate,
    /// Removes a key pair from a cloud.
    #[serde(rename = "keyPair.delete")]
    KeyPairDelete,
    /// Makes what must exist in the account first.
    #[serde(rename = "prerequisite.fix")]
    PrerequisiteFix,
}

impl OperationKind {
    /// Every kind.
    pub const ALL: [OperationKind; 22] = [
        Self::ClusterCreate,
        Self::ClusterDelete,
        Self::ClusterUpgrade,
        Self::ClusterImport,
        Self::ClusterUpdate,
        Self::NodeGroupAdd,
        Self::NodeGroupScale,
        Self::NodeGroupUpgrade,
        Self::NodeGroupRemove,
        Self::NetworkCreate,
        Self::NetworkUpdate,
        Self::NetworkDelete,
        Self::SubnetCreate,
        Self::SubnetUpdate,
        Self::SubnetDelete,
        Self::SecurityGroupCreate,
        Self::SecurityGroupUpdate,
        Self::SecurityGroupDelete,
        Self::KeyPairCreate,
        Self::KeyPairUpdate,
        Self::KeyPairDelete,
        Self::PrerequisiteFix,
    ];

    /// The word as in JSON: `cluster.create`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClusterCreate => "cluster.create",
            Self::ClusterDelete => "cluster.delete",
            Self::ClusterUpgrade => "cluster.upgrade",
            Self::ClusterImport => "cluster.import",
            Self::ClusterUpdate => "cluster.update",
            Self::NodeGroupAdd => "nodeGroup.add",
            Self::NodeGroupScale => "nodeGroup.scale",
            Self::NodeGroupUpgrade => "nodeGroup.upgrade",
            Self::NodeGroupRemove => "nodeGroup.remove",
            Self::NetworkCreate => "network.create",
            Self::NetworkUpdate => "network.update",
            Self::NetworkDelete => "network.delete",
            Self::SubnetCreate => "subnet.create",
            Self::SubnetUpdate => "subnet.update",
            Self::SubnetDelete => "subnet.delete",
            Self::SecurityGroupCreate => "securityGroup.create",
            Self::SecurityGroupUpdate => "securityGroup.update",
            Self::SecurityGroupDelete => "securityGroup.delete",
            Self::KeyPairCreate => "keyPair.create",
            Self::KeyPairUpdate => "keyPair.update",
            Self::KeyPairDelete => "keyPair.delete",
            Self::PrerequisiteFix => "prerequisite.fix",
        }
    }

    /// Whether the resource is gone once it has succeeded.
    pub fn removes(self) -> bool {
        matches!(
            self,
            Self::ClusterDelete
                | Self::NodeGroupRemove
                | Self::NetworkDelete
                | Self::SubnetDelete
                | Self::SecurityGroupDelete
                | Self::KeyPairDelete
        )
    }

    /// Whether the resource comes into being.
    pub fn creates(self) -> bool {
        matches!(
            self,
            Self::ClusterCreate
                | Self::NodeGroupAdd
                | Self::NetworkCreate
                | Self::SubnetCreate
                | Self::SecurityGroupCreate
                | Self::KeyPairCreate
        )
    }
}

impl std::fmt::Display for OperationKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for OperationKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| format!("{text:?} is no kind of operation"))
    }
}

/// How an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OperationState {
    /// Waits for its turn.
    Queued,
    /// Is being carried out.
    Running,
    /// Cannot go on without the user; `retry` resumes it.
    Blocked,
    /// Done.
    Succeeded,
    /// Ended without success.
    Failed,
    /// Ended by the user.
    Cancelled,
}

impl OperationState {
    /// Whether it is over. `Blocked` is not.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// The word as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Blocked => "blocked",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl std::fmt::Display for OperationState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for OperationState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Queued, Self::Running, Self::Blocked, Self::Succeeded, Self::Failed, Self::Cancelled]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| format!("{text:?} is no state of an operation"))
    }
}

/// How a stage stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StageState {
    /// Waits for those before it, or for its first look.
    #[default]
    Waiting,
    /// Its ask is about to be sent, or was sent and its answer is not stored.
    Asking,
    /// The cloud works on it.
    Following,
    /// Its effect is there.
    Done,
    /// It failed for good.
    Failed,
}

/// Something that exists at the cloud after an operation ended without success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Remains {
    /// What it is, such as `cluster`, `vpc`, `loadBalancer`, `volume`.
    pub kind: String,
    /// The cloud's identifier.
    pub system_id: String,
    /// Its name.
    pub name: String,
    /// Why it is still there.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_serialized_ones() {
        for kind in OperationKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            assert_eq!(kind.as_str().parse::<OperationKind>().unwrap(), kind);
        }
    }
}
