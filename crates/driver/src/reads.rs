//! What reads answer.

use std::time::Duration;

use jiff::Timestamp;
use pmks_model::{Cluster, Failure, Node, NodeMetric};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// How much a list of clusters holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Names and identifiers alone.
    Ids,
    /// Whole clusters with their node groups.
    Clusters,
    /// The same, with the identifiers of their nodes.
    Nodes,
}

/// A list in which a call may have failed.
#[derive(Clone, Debug)]
pub struct Listing<T> {
    /// What was read.
    pub items: Vec<T>,
    /// What could not be read. Empty: the list is complete.
    pub missed: Vec<Missed>,
}

impl<T> Listing<T> {
    /// A complete list.
    pub fn complete(items: Vec<T>) -> Self {
        Self { items, missed: Vec::new() }
    }

    /// Whether nothing is missing.
    pub fn is_complete(&self) -> bool {
        self.missed.is_empty()
    }
}

/// Something that a list could not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Missed {
    /// Which part, such as `cluster prod`.
    pub what: String,
    /// Why.
    pub failure: Failure,
}

/// What is to be told of a node.
#[derive(Clone, Copy, Debug)]
pub struct NodeMetricsAsked<'a> {
    /// Its cluster.
    pub cluster: &'a Cluster,
    /// The node.
    pub node: &'a Node,
    /// What is measured.
    pub metric: NodeMetric,
    /// How long the interval of one value is, in whole minutes.
    pub interval: Duration,
    /// The first moment.
    pub from: Timestamp,
    /// The moment after the last.
    pub until: Timestamp,
}

/// Who a credential acts for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountIdentity {
    /// The account in one text that never changes: AWS `aws:123456789012`, Azure `tenant/subscription`, …
    pub account: String,
    /// Who acts in it, for people and for access to clusters.
    pub principal: String,
}

/// Something that must exist in the account, or at a cluster, first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Prerequisite {
    /// A stable word: `clusterRole`.
    pub name: String,
    /// What it is for.
    pub says: String,
    /// How it stands.
    pub state: PrerequisiteState,
    /// What `prerequisites --fix` would do; `None`: nothing to fix, or only the user can.
    pub fix: Option<String>,
}

/// How a prerequisite stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "camelCase")]
pub enum PrerequisiteState {
    /// It is there.
    Satisfied {
        /// By what, such as a role's ARN.
        by: String,
    },
    /// It is not there, or not as it must be.
    Missing {
        /// Each thing that is missing, candidates by name.
        what: Vec<String>,
    },
    /// It could not be looked at.
    Unknown {
        /// Why.
        why: String,
    },
}

/// How a kubeconfig lets its user in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KubeconfigFormat {
    /// By `pmks token`.
    Exec,
    /// By the cloud's own plugin.
    Native,
    /// By a credential in the file.
    Static,
}

/// The user part of a kubeconfig in the cloud's own form.
#[derive(Clone, Debug)]
pub enum KubeconfigUser {
    /// A credential plugin to run.
    Exec(ExecCommand),
    /// A credential in the file.
    Static(ClusterCredential),
}

/// A credential plugin to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExecCommand {
    /// The program.
    pub command: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Variables to set; never a secret.
    pub env: Vec<(String, String)>,
    /// What to do where the program is not found.
    pub install_hint: String,
    /// The `apiVersion` that the program answers in.
    pub api_version: String,
    /// Whether the program must be told of the cluster that it is run for, as Google's plugin is.
    #[serde(default)]
    pub provide_cluster_info: bool,
}

/// What lets a client in at a cluster's Kubernetes API, for a while.
#[derive(Clone, Debug)]
pub enum ClusterCredential {
    /// A bearer token.
    Token {
        /// The token.
        token: SecretString,
        /// When it is no longer accepted.
        expires_at: Timestamp,
    },
    /// A client certificate.
    Certificate {
        /// The PEM certificate.
        certificate: String,
        /// The PEM private key.
        key: SecretString,
        /// When it is no longer accepted.
        expires_at: Timestamp,
    },
}

impl ClusterCredential {
    /// When it is no longer accepted.
    pub fn expires_at(&self) -> Timestamp {
        match self {
            Self::Token { expires_at, .. } | Self::Certificate { expires_at, .. } => *expires_at,
        }
    }
}
