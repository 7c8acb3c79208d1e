//! Reading requests: bodies, queries, headers. What cannot be read is refused with the field's name, and never with
//! the value of a credential.

mod body;
mod idempotency;
mod objects;
mod place;
mod query;
mod reading;
mod trouble;

pub(crate) use body::{Asked, NoFields, Patched, Told};
pub(crate) use query::{
    AuditQuery, Changing, ClusterListQuery, DeleteClusterQuery, DryRun, ForgetClusterQuery, KubeconfigFormat,
    KubeconfigQuery, ListQuery, ManagedListQuery, MetricQuery, NoQuery, NodeGroupListQuery,
    OperationListQuery, PartQuery, PrerequisiteQuery, Query, ReadPartQuery, ReadQuery,
};
