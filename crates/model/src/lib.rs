//! The domain of pmks: what a cluster is, what may be asked for, and how it is checked.
//!
//! Pure data and pure functions: no I/O, no async, no clock, no provider by name.

mod cluster;
mod failure;
mod finding;
mod iid;
mod key_value;
mod machine;
mod metric;
mod name;
mod network;
mod operation;
mod request;
mod rule;
mod says;
mod scaling;
mod status;
mod unique_name;
mod version;

pub use cluster::{
    AccessInfo, Addon, Child, Children, Cluster, ClusterNetwork, ImageKind, Node, NodeGroup, Unseen,
    UnseenVolumes,
};
pub use failure::{Failure, FailureKind, Subject};
pub use finding::{Finding, Findings};
pub use iid::{Iid, is_same_identifier};
pub use key_value::{KeyValue, KeyValueList};
pub use machine::{GpuKind, Image, KubernetesVersion, MachineType, Region, Support, Zone, ZoneStatus};
pub use metric::{MetricUnit, MetricValue, MetricWindow, NodeMetric};
pub use name::{NameRule, refusal_of_connection, refusal_of_ours, refusal_of_reference};
pub use network::{Cidr, KeyPair, Network, SecurityGroup, Subnet};
pub use operation::{OperationKind, OperationState, Remains, ResourceKind, ResourceReference, StageState};
pub use request::{
    ClusterRequest, KeyPairRequest, NetworkRequest, NodeGroupRequest, SecurityGroupRequest, SubnetRequest,
    Tags, UpgradeRequest, UpgradeTargets, validate_tags,
};
pub use rule::{Direction, Protocol, Rule};
pub use says::{Says, ScalingField, Term, Terms};
pub use scaling::{Scaling, ScalingChange};
pub use status::Status;
pub use unique_name::UniqueName;
pub use version::{Picked, Version, VersionError, VersionRequest};
