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

use pmks_model::{Iid, Status};

/// Whether what is shown so is the record of a creation that failed before the cloud had anything of it: it is kept for
/// the retry and holds nothing ([`crate::drafts::unmade`] tells the same of records).
pub fn is_unmade(status: Status, iid: &Iid) -> bool {
    status == Status::Failed && iid.system_id.is_empty()
}
