//! Everything that answers with an operation, as data: one way in for carrying out and for planning.

use pmks_model::{OperationKind, ResourceKind, ScalingChange, UpgradeTargets};

use crate::{
    ImportCluster, NewCluster, NewKeyPair, NewNetwork, NewNodeGroup, NewRule, NewSecurityGroup, NewSubnet,
    OperationView, PrivateKey, Reference,
};

/// A change at a cloud that a caller asks for. [`crate::Pmks::accept`] carries it out, [`crate::Pmks::plan`] shows it.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are the path's names and the bodies of /v1")]
pub enum Mutation {
    CreateCluster {
        connection: String,
        cluster: NewCluster,
    },
    DeleteCluster {
        connection: String,
        cluster: Reference,
        delete_volumes: bool,
    },
    /// A JSON merge patch of `tags`, `deletionProtection` and `options`; `if_match` is the version tag, `*` any.
    UpdateCluster {
        connection: String,
        cluster: String,
        patch: serde_json::Value,
        if_match: String,
    },
    UpgradeCluster {
        connection: String,
        cluster: String,
        version: String,
        node_groups: UpgradeTargets,
        force: bool,
    },
    ImportCluster {
        connection: String,
        import: ImportCluster,
    },
    AddNodeGroup {
        connection: String,
        cluster: String,
        node_group: NewNodeGroup,
    },
    ScaleNodeGroup {
        connection: String,
        cluster: String,
        node_group: String,
        scaling: ScalingChange,
    },
    UpgradeNodeGroup {
        connection: String,
        cluster: String,
        node_group: String,
        version: String,
        force: bool,
    },
    RemoveNodeGroup {
        connection: String,
        cluster: String,
        node_group: Reference,
    },
    CreateNetwork {
        connection: String,
        network: NewNetwork,
    },
    DeleteNetwork {
        connection: String,
        network: Reference,
    },
    CreateSubnet {
        connection: String,
        network: String,
        subnet: NewSubnet,
    },
    DeleteSubnet {
        connection: String,
        network: String,
        subnet: Reference,
    },
    CreateSecurityGroup {
        connection: String,
        security_group: NewSecurityGroup,
    },
    /// Other rules for one that stands; those that are named nowhere stay.
    UpdateSecurityGroup {
        connection: String,
        security_group: String,
        add: Vec<NewRule>,
        remove: Vec<NewRule>,
    },
    DeleteSecurityGroup {
        connection: String,
        security_group: Reference,
    },
    /// A JSON merge patch of `tags`, of a network, subnet, security group, key pair or cluster; `if_match` is the version
    /// tag, `*` any. With `only_new` each tag to be set must be one that it does not have.
    UpdateTags {
        connection: String,
        resource: Tagged,
        patch: serde_json::Value,
        if_match: String,
        only_new: bool,
    },
    CreateKeyPair {
        connection: String,
        key_pair: NewKeyPair,
    },
    DeleteKeyPair {
        connection: String,
        key_pair: Reference,
    },
    /// Of the account, or of one cluster.
    FixPrerequisites {
        connection: String,
        cluster: Option<String>,
    },
}

/// What has tags.
#[derive(Clone, Debug)]
pub struct Tagged {
    /// What it is.
    pub kind: ResourceKind,
    /// The network that it is a part of, where it is a subnet.
    pub network: Option<String>,
    /// Our name, or the cloud's identifier.
    pub name: String,
}

/// What was taken on.
#[derive(Debug)]
pub struct Accepted {
    /// The operation that carries it out.
    pub operation: OperationView,
    /// Whether its turn comes when another one is over.
    pub waits: bool,
    /// The private half of a key pair that pmks makes: stored nowhere, and told once.
    pub private_key: Option<PrivateKey>,
}

impl Mutation {
    /// The connection it belongs to.
    pub fn connection(&self) -> &str {
        match self {
            Self::CreateCluster { connection, .. }
            | Self::DeleteCluster { connection, .. }
            | Self::UpdateCluster { connection, .. }
            | Self::UpgradeCluster { connection, .. }
            | Self::ImportCluster { connection, .. }
            | Self::AddNodeGroup { connection, .. }
            | Self::ScaleNodeGroup { connection, .. }
            | Self::UpgradeNodeGroup { connection, .. }
            | Self::RemoveNodeGroup { connection, .. }
            | Self::CreateNetwork { connection, .. }
            | Self::DeleteNetwork { connection, .. }
            | Self::CreateSubnet { connection, .. }
            | Self::DeleteSubnet { connection, .. }
            | Self::CreateSecurityGroup { connection, .. }
            | Self::UpdateSecurityGroup { connection, .. }
            | Self::DeleteSecurityGroup { connection, .. }
            | Self::UpdateTags { connection, .. }
            | Self::CreateKeyPair { connection, .. }
            | Self::DeleteKeyPair { connection, .. }
            | Self::FixPrerequisites { connection, .. } => connection,
        }
    }

    /// Whether it makes a key pair of which pmks has the private half.
    pub(crate) fn makes_private_key(&self) -> bool {
        matches!(self, Self::CreateKeyPair { key_pair, .. } if key_pair.public_key.is_none())
    }

    /// Whether it is about any version of a record that is there.
    pub(crate) fn takes_any_version(&self) -> bool {
        let (Self::UpdateCluster { if_match, .. } | Self::UpdateTags { if_match, .. }) = self else {
            return false;
        };
        if_match == "*"
    }

    /// The kind of operation that carries it out.
    pub fn kind(&self) -> OperationKind {
        match self {
            Self::CreateCluster { .. } => OperationKind::ClusterCreate,
            Self::DeleteCluster { .. } => OperationKind::ClusterDelete,
            Self::UpdateCluster { .. } => OperationKind::ClusterUpdate,
            Self::UpgradeCluster { .. } => OperationKind::ClusterUpgrade,
            Self::ImportCluster { .. } => OperationKind::ClusterImport,
            Self::AddNodeGroup { .. } => OperationKind::NodeGroupAdd,
            Self::ScaleNodeGroup { .. } => OperationKind::NodeGroupScale,
            Self::UpgradeNodeGroup { .. } => OperationKind::NodeGroupUpgrade,
            Self::RemoveNodeGroup { .. } => OperationKind::NodeGroupRemove,
            Self::CreateNetwork { .. } => OperationKind::NetworkCreate,
            Self::DeleteNetwork { .. } => OperationKind::NetworkDelete,
            Self::CreateSubnet { .. } => OperationKind::SubnetCreate,
            Self::DeleteSubnet { .. } => OperationKind::SubnetDelete,
            Self::CreateSecurityGroup { .. } => OperationKind::SecurityGroupCreate,
            Self::UpdateSecurityGroup { .. } => OperationKind::SecurityGroupUpdate,
            Self::DeleteSecurityGroup { .. } => OperationKind::SecurityGroupDelete,
            Self::UpdateTags { resource, .. } => match resource.kind {
                ResourceKind::Cluster => OperationKind::ClusterUpdate,
                ResourceKind::Subnet => OperationKind::SubnetUpdate,
                ResourceKind::SecurityGroup => OperationKind::SecurityGroupUpdate,
                ResourceKind::KeyPair => OperationKind::KeyPairUpdate,
                _ => OperationKind::NetworkUpdate,
            },
            Self::CreateKeyPair { .. } => OperationKind::KeyPairCreate,
            Self::DeleteKeyPair { .. } => OperationKind::KeyPairDelete,
            Self::FixPrerequisites { .. } => OperationKind::PrerequisiteFix,
        }
    }
}
