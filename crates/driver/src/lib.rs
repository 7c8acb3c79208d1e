//! The contract of a cloud's driver: what it can do as data, its reads, its stages, its errors.
//!
//! A driver answers questions (reads) and describes changes (plans of stages, each with a look, an ask and a poll).
//! It never waits for a cloud to finish, never retries, never stores anything: the engine does.

mod capabilities;
mod change;
pub mod cluster_objects;
mod connection;
mod credential;
mod error;
mod fitness;
pub mod kubernetes;
mod own_words;
mod plan;
mod progress;
mod provider;
mod reaction;
mod reads;
pub mod refusals;
mod search;
mod ssh_keys;
mod stage;
mod stages;
mod tags;
mod unique_names;
mod validate;
mod version;

pub use capabilities::{
    ActionBucket, AutoScaling, CallBound, Capabilities, FailedCreate, KeyPairUse, LastNodeGroup,
    NodeGroupsAtCreation, OptionField, OptionKind, Presence, ReadKind, RootDisk, TagRule, TokenKind,
    TokenReach, Upgrade,
};
pub use change::{
    AddNodeGroup, Change, ChangeNodeGroupScaling, ClusterTarget, CreateCluster, CreateKeyPair, CreateNetwork,
    CreateSecurityGroup, CreateSubnet, DeleteCluster, DeleteResource, FixPrerequisites, Marks,
    NodeGroupTarget, RemoveNodeGroup, UpdateCluster, UpdateSecurityGroup, UpdateTags, UpgradeCluster,
    UpgradeNodeGroup,
};
pub use connection::{ConnectionSpecification, House};
pub use credential::{Credential, Environment, Field, Form};
pub use error::{DriverError, ErrorKind, Result, chain, gather};
pub use fitness::refuse_unfit;
pub use own_words::{OwnWords, OwnWordsOf};
pub use plan::{Cancel, Doomed, Identity, Plan, Prepared, StageSpecification, Subject};
pub use progress::ProgressList;
pub use provider::{Driver, Provider};
pub use reaction::{Reaction, reaction};
pub use reads::{
    AccountIdentity, ClusterCredential, Detail, ExecCommand, KubeconfigFormat, KubeconfigUser, Listing,
    Missed, NodeMetricsAsked, Prerequisite, PrerequisiteState,
};
pub use search::{Care, Search};
pub use ssh_keys::fingerprint;
pub use stage::{Asked, Found, FoundState, Handle, Look, Outputs, Poll, StageCalls, StageContext};
pub use stages::{Maker, Stage, Staged, Stages};
pub use tags::TagChanges;
pub use unique_names::UniqueNames;
pub use validate::{validate, validate_settings};
pub use version::refuse_downgrade;

pub use pmks_transport::Effect;
