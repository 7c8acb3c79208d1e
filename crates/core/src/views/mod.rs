//! What callers are shown: records, observations and operations, in the shapes of `/v1`. Holds no secret.

mod cluster;
mod connection;
mod installation;
mod network;
mod plan;

pub use cluster::{
    ClusterView, NodeGroupView, NodeMetricsView, NodeView, ObservedCluster, ObservedNodeGroup,
    UnmanagedCluster,
};
pub use connection::{ConnectionView, PrerequisiteView, ValidationView};
pub use installation::{ApiTokenView, AuditView, CreatedApiToken};
pub use network::{KeyPairView, NetworkView, SecurityGroupView, SubnetView};
pub use plan::{PlanView, PlannedStage};
