//! What pmks does: connections, networks, clusters, operations, the inventory, access.
//!
//! One facade, [`Pmks`], serves the HTTP server, the command line and every other surface alike. It knows drivers by
//! their traits only, never a provider by name, and speaks no wire protocol of its own.

pub mod engine;

mod caller;
mod failure;
mod forget;
mod pmks;
mod registry;

mod asked;
mod mutation;
mod page;
mod patch;
mod patience;
mod reference;
mod views;

mod drivers;
mod records;

mod accept;
mod beforehand;
mod cloud_names;
mod drafts;
mod hooks;
mod incarnations;
mod preparation;
mod resolve;

mod activity;
mod inventory;
mod listed;
mod live;
mod parts;

mod access;
mod api_tokens;
mod audit;
mod clusters;
mod connections;
mod discovery;
mod key_pairs;
mod measure;
mod networks;
mod node_groups;
mod operations;
mod ours;
mod pieces;
mod replay;
mod security_groups;
mod sides;
mod subnets;
mod tags;
mod versions;
mod zones;

pub use access::{ExecPlugin, KubeconfigRequest, exec_credential, kubeconfig_running};
pub use api_tokens::{ApiTokens, NewApiToken};
pub use asked::{
    ImportCluster, ImportResource, NewCluster, NewConnection, NewKeyPair, NewNetwork, NewNodeGroup, NewRule,
    NewSecurityGroup, NewSubnet,
};
pub use audit::{Audit, AuditTimes};
pub use beforehand::Beforehand;
pub use caller::{Caller, ConnectionScope, Idempotency};
pub use clusters::{ClusterFilter, Clusters, Interface, MetricAsked, WrittenCluster};
pub use connections::Connections;
pub use discovery::{Dated, Discovery, OFFERS_KEPT};
pub use failure::Result;
pub use key_pairs::{GeneratedKeyPair, Handover, KeyPairs, PrivateKey, generate_key_pair};
pub use mutation::{Accepted, Mutation, Tagged};
pub use networks::Networks;
pub use node_groups::NodeGroups;
pub use operations::{Event, EventStream, OperationFilter, Operations};
pub use page::{Page, PageRequest};
pub use pieces::{Holds, Import, ImportPlan, Piece, Pieces, Unconnected};
pub use pmks::{Options, Pmks};
pub use reference::Reference;
pub use registry::Registry;
pub use security_groups::SecurityGroups;
pub use sides::Sides;
pub use subnets::Subnets;
pub use views::{
    ApiTokenView, AuditView, ClusterView, ConnectionView, CreatedApiToken, KeyPairView, NetworkView,
    NodeGroupView, NodeMetricsView, NodeView, ObservedCluster, ObservedNodeGroup, PlanView, PlannedStage,
    PrerequisiteView, SecurityGroupView, SubnetView, UnmanagedCluster, ValidationView, is_unmade,
};

pub use pmks_store::{Blocked, OperationView, PieceKind, Progress, Role, StageView};
