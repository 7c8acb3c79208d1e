//! What a driver is asked to change: a request with every reference resolved, aimed at an incarnation, and marked.
//!
//! Stored as the intent of an operation, so it is versioned JSON and holds no secret.

use std::collections::BTreeMap;

use pmks_model::{
    ClusterRequest, Iid, KeyPairRequest, NetworkRequest, NodeGroupRequest, OperationKind, ResourceKind, Rule,
    ScalingChange, SecurityGroupRequest, SubnetRequest, Tags, UpgradeRequest, VersionRequest,
};
use serde::{Deserialize, Serialize};

use crate::TagChanges;

/// Three marks that everything we make carries at clouds with tags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Marks {
    /// Which pmks installation made it. A mark of another one is a stranger's.
    pub installation: String,
    /// Which operation made it.
    pub operation: String,
    /// Which record of ours it belongs to.
    pub uid: String,
}

impl Marks {
    /// The tag keys, in the order installation, operation, uid.
    pub const KEYS: [&'static str; 3] = ["pmks-installation", "pmks-operation", "pmks-uid"];

    /// The user's tags with ours.
    pub fn onto(&self, tags: &Tags) -> Tags {
        let mut all = tags.clone();
        let values = [&self.installation, &self.operation, &self.uid];
        all.extend(Self::KEYS.iter().zip(values).map(|(key, value)| ((*key).to_owned(), value.clone())));
        all
    }

    /// Whether these tags are this operation's.
    pub fn are_on(&self, tags: &Tags) -> bool {
        let values = [&self.installation, &self.operation, &self.uid];
        Self::KEYS.iter().zip(values).all(|(key, value)| tags.get(*key) == Some(value))
    }

    /// Whether a tag's key is ours, in any case: some clouds know none, and there another one would be written over it.
    pub fn is_own(key: &str) -> bool {
        Self::KEYS.iter().any(|own| own.eq_ignore_ascii_case(key))
    }

    /// The user's tags, ours taken off.
    pub fn off(tags: &Tags) -> Tags {
        tags.iter().filter(|(key, _)| !Self::is_own(key)).map(|(k, v)| (k.clone(), v.clone())).collect()
    }

    /// Eight characters of lower-case base32 that are the uid's own, for names that we derive.
    pub fn suffix(&self) -> String {
        const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        // FNV-1a: stable across releases, and spread over all bits of a version 7 uuid's text.
        let hash = self.uid.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        (0..8)
            .filter_map(|place| ALPHABET.get(usize::try_from(hash >> (place * 5) & 31).unwrap_or(0)))
            .map(|b| char::from(*b))
            .collect()
    }
}

/// An existing cluster, aimed at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterTarget {
    /// Its names.
    pub iid: Iid,
    /// The incarnation that is meant; another one found there is `Replaced`.
    pub incarnation: String,
}

/// An existing node group, aimed at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeGroupTarget {
    /// The cluster it belongs to.
    pub cluster: ClusterTarget,
    /// Its names.
    pub iid: Iid,
    /// The incarnation that is meant.
    pub incarnation: String,
}

/// A cluster with its node groups.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateCluster {
    /// What is wanted; references carry the cloud's identifiers.
    pub request: ClusterRequest,
    /// Our marks.
    pub marks: Marks,
}

/// The end of a cluster and of all that belongs to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteCluster {
    /// Which.
    pub target: ClusterTarget,
    /// Whether volumes that workloads asked for go too. Otherwise they are kept and listed; where the cloud would take them
    /// along, nothing is deleted.
    pub delete_volumes: bool,
    /// Our marks.
    pub marks: Marks,
}

/// Tags or options of a cluster. What is absent stays as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateCluster {
    /// Which.
    pub target: ClusterTarget,
    /// Other tags.
    pub tags: TagChanges,
    /// Whether each tag to be set must be one that it does not have.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_new_tags: bool,
    /// Options to set.
    pub options: BTreeMap<String, serde_json::Value>,
    /// Our marks.
    pub marks: Marks,
}

/// Higher versions for a cluster and its node groups.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpgradeCluster {
    /// Which.
    pub target: ClusterTarget,
    /// What is wanted.
    pub request: UpgradeRequest,
    /// Our marks.
    pub marks: Marks,
}

/// One more node group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddNodeGroup {
    /// Its cluster.
    pub cluster: ClusterTarget,
    /// The cluster's security groups as the user named them, if pmks made it.
    pub security_groups: Vec<Iid>,
    /// What is wanted.
    pub request: NodeGroupRequest,
    /// The user's tags of the cluster, which its node groups carry too.
    pub tags: Tags,
    /// Our marks.
    pub marks: Marks,
}

/// Size, limits and autoscaling of a node group, in one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeNodeGroupScaling {
    /// Which.
    pub target: NodeGroupTarget,
    /// What is to change; what is absent stays as the cloud has it.
    pub change: ScalingChange,
    /// Our marks.
    pub marks: Marks,
}

/// A higher version for a node group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpgradeNodeGroup {
    /// Which.
    pub target: NodeGroupTarget,
    /// The wanted version; `Default` is the cluster's.
    pub version: VersionRequest,
    /// Goes on where pods cannot be moved.
    pub force: bool,
    /// Our marks.
    pub marks: Marks,
}

/// The end of a node group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemoveNodeGroup {
    /// Which.
    pub target: NodeGroupTarget,
    /// Our marks.
    pub marks: Marks,
}

/// A network with its subnets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateNetwork {
    /// What is wanted.
    pub request: NetworkRequest,
    /// Our marks; each subnet's uid stands in `subnet_uids`.
    pub marks: Marks,
    /// The uid of each subnet's record, by name.
    pub subnet_uids: BTreeMap<String, String>,
}

/// One more subnet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateSubnet {
    /// The network it is a part of.
    pub network: Iid,
    /// What is wanted.
    pub request: SubnetRequest,
    /// Our marks.
    pub marks: Marks,
}

/// A security group with its rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateSecurityGroup {
    /// What is wanted.
    pub request: SecurityGroupRequest,
    /// Our marks.
    pub marks: Marks,
}

/// Other rules for a security group that stands. What is named neither to be added nor to be removed stays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateSecurityGroup {
    /// Which.
    pub iid: Iid,
    /// Which of those that had this identifier one after the other; empty where the identifier is never given again, or
    /// nothing else is known.
    #[serde(default)]
    pub incarnation: String,
    /// What it is to let through in the end, whether it does so already or not.
    pub add: Vec<Rule>,
    /// What it is no longer to let through by a rule of its own, whether it did so or not.
    pub remove: Vec<Rule>,
    /// Our marks.
    pub marks: Marks,
}

impl UpdateSecurityGroup {
    /// Whether rules are as they are wanted.
    pub fn is_there(&self, standing: &[Rule]) -> bool {
        self.missing(standing).next().is_none() && !standing.iter().any(|rule| rule.is_among(&self.remove))
    }

    /// What is to be added and does not stand.
    pub fn missing<'a>(&'a self, standing: &'a [Rule]) -> impl Iterator<Item = &'a Rule> {
        self.add.iter().filter(|rule| !rule.is_among(standing))
    }
}

/// The public half of a key pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateKeyPair {
    /// What is wanted.
    pub request: KeyPairRequest,
    /// Our marks.
    pub marks: Marks,
}

/// Other tags for a network, subnet, security group or key pair that stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateTags {
    /// What it is.
    pub kind: ResourceKind,
    /// Which.
    pub iid: Iid,
    /// Which of those that had this identifier one after the other; empty where the identifier is never given again, or
    /// nothing else is known.
    pub incarnation: String,
    /// The network it is a part of, where it is a subnet.
    pub network: Option<Iid>,
    /// Other tags.
    pub tags: TagChanges,
    /// Whether each tag to be set must be one that it does not have.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_new_tags: bool,
    /// Our marks.
    pub marks: Marks,
}

/// The end of a network, subnet, security group or key pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteResource {
    /// What it is.
    pub kind: ResourceKind,
    /// Which.
    pub iid: Iid,
    /// Which of those that had this identifier one after the other; empty where the identifier is never given again, or
    /// nothing else is known.
    #[serde(default)]
    pub incarnation: String,
    /// The network it is a part of, where it is a subnet.
    pub network: Option<Iid>,
    /// Our marks.
    pub marks: Marks,
}

/// What must exist in the account first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FixPrerequisites {
    /// The cluster whose prerequisites are meant; `None`: the account's.
    pub cluster: Option<ClusterTarget>,
    /// Our marks.
    pub marks: Marks,
}

/// Any change, as an operation's intent holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", content = "asked", rename_all = "camelCase")]
#[expect(missing_docs, reason = "each variant is named after the type it holds")]
pub enum Change {
    CreateCluster(CreateCluster),
    DeleteCluster(DeleteCluster),
    UpdateCluster(UpdateCluster),
    UpgradeCluster(UpgradeCluster),
    AddNodeGroup(AddNodeGroup),
    ChangeNodeGroupScaling(ChangeNodeGroupScaling),
    UpgradeNodeGroup(UpgradeNodeGroup),
    RemoveNodeGroup(RemoveNodeGroup),
    CreateNetwork(CreateNetwork),
    CreateSubnet(CreateSubnet),
    CreateSecurityGroup(CreateSecurityGroup),
    UpdateSecurityGroup(UpdateSecurityGroup),
    CreateKeyPair(CreateKeyPair),
    UpdateTags(UpdateTags),
    DeleteResource(DeleteResource),
    FixPrerequisites(FixPrerequisites),
}

impl Change {
    /// The kind of operation that carries it out.
    pub fn kind(&self) -> OperationKind {
        match self {
            Self::CreateCluster(_) => OperationKind::ClusterCreate,
            Self::DeleteCluster(_) => OperationKind::ClusterDelete,
            Self::UpdateCluster(_) => OperationKind::ClusterUpdate,
            Self::UpgradeCluster(_) => OperationKind::ClusterUpgrade,
            Self::AddNodeGroup(_) => OperationKind::NodeGroupAdd,
            Self::ChangeNodeGroupScaling(_) => OperationKind::NodeGroupScale,
            Self::UpgradeNodeGroup(_) => OperationKind::NodeGroupUpgrade,
            Self::RemoveNodeGroup(_) => OperationKind::NodeGroupRemove,
            Self::CreateNetwork(_) => OperationKind::NetworkCreate,
            Self::CreateSubnet(_) => OperationKind::SubnetCreate,
            Self::CreateSecurityGroup(_) => OperationKind::SecurityGroupCreate,
            Self::UpdateSecurityGroup(_) => OperationKind::SecurityGroupUpdate,
            Self::CreateKeyPair(_) => OperationKind::KeyPairCreate,
            Self::UpdateTags(asked) => match asked.kind {
                ResourceKind::Subnet => OperationKind::SubnetUpdate,
                ResourceKind::SecurityGroup => OperationKind::SecurityGroupUpdate,
                ResourceKind::KeyPair => OperationKind::KeyPairUpdate,
                _ => OperationKind::NetworkUpdate,
            },
            Self::DeleteResource(asked) => match asked.kind {
                ResourceKind::Subnet => OperationKind::SubnetDelete,
                ResourceKind::SecurityGroup => OperationKind::SecurityGroupDelete,
                ResourceKind::KeyPair => OperationKind::KeyPairDelete,
                _ => OperationKind::NetworkDelete,
            },
            Self::FixPrerequisites(_) => OperationKind::PrerequisiteFix,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks() -> Marks {
        Marks { installation: "i".into(), operation: "o".into(), uid: "0199-a".into() }
    }

    #[test]
    fn marks_come_on_and_off() {
        let own = Tags::from([("team".to_owned(), "a".to_owned())]);
        let all = marks().onto(&own);
        assert!(marks().are_on(&all));
        assert!(!Marks { installation: "j".into(), ..marks() }.are_on(&all));
        assert_eq!(Marks::off(&all), own);
    }

    #[test]
    fn suffixes_are_stable_and_differ() {
        assert_eq!(marks().suffix(), marks().suffix());
        assert_eq!(marks().suffix().len(), 8);
        assert_ne!(marks().suffix(), Marks { uid: "0199-b".into(), ..marks() }.suffix());
    }
}
