//! Verbs of clusters.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand, ValueEnum};

use super::{CloudName, Mutation, NodeGroupPairs, OwnPlan};

/// Verbs of clusters.
#[derive(Debug, Subcommand)]
pub(crate) enum ClusterCommand {
    /// Makes a cluster with its node groups
    Create(Box<ClusterCreate>),
    /// The clusters of a connection, or of all
    #[command(visible_alias = "ls")]
    List {
        /// Asks the cloud now
        #[arg(long, env = "PMKS_REFRESH", value_parser = BoolishValueParser::new())]
        refresh: bool,
        /// Those with this tag
        #[arg(long = "tag", value_name = "KEY=VALUE")]
        tags: Vec<String>,
        /// Those of this status
        #[arg(long)]
        status: Option<String>,
    },
    /// One cluster with its node groups
    Get {
        /// Its name
        name: String,
        /// Asks the cloud now
        #[arg(long, env = "PMKS_REFRESH", value_parser = BoolishValueParser::new())]
        refresh: bool,
    },
    /// Changes tags, options or deletion protection
    Update {
        /// Its name
        name: String,
        /// A tag to set; KEY- removes it
        #[arg(long = "tag", value_name = "KEY=VALUE")]
        tags: Vec<String>,
        /// An option of the provider's own
        #[arg(long = "option", value_name = "KEY=VALUE")]
        options: Vec<String>,
        /// Whether pmks refuses a deletion; the cloud's own protection stays as it is
        #[arg(long)]
        deletion_protection: Option<bool>,
        /// How to carry it out
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Removes a cluster with all that belongs to it
    Delete {
        /// Its name
        name: String,
        /// Removes the volumes of its workloads too; otherwise they are kept, or the cluster where the cloud takes them along
        #[arg(long)]
        delete_volumes: bool,
        /// How to carry it out
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Raises the version of a cluster and its node groups
    Upgrade(ClusterUpgrade),
    /// Writes what kubectl needs into a kubeconfig
    Kubeconfig(ClusterKubeconfig),
    /// Takes over an existing cluster; nothing is changed at the cloud
    Import {
        /// Our name for it
        name: String,
        /// The cloud's identifier
        #[arg(long)]
        system_id: String,
        /// Goes on where another pmks installation's mark is on it; that one can still change it
        #[arg(long)]
        take_over: bool,
        /// How to carry it out
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Drops the record; the cloud is left alone
    Forget {
        /// Its name
        name: String,
        /// Even while an operation runs
        #[arg(long)]
        abandon: bool,
        /// Does not ask
        #[arg(short, long, env = "PMKS_YES", value_parser = BoolishValueParser::new())]
        yes: bool,
        /// What it would do
        #[command(flatten)]
        own: OwnPlan,
    },
    /// The clusters at the cloud that pmks keeps no record of
    Unmanaged,
    /// Shows what happens to a cluster until its operation ends
    Watch {
        /// Its name
        name: String,
    },
}

/// A cluster to be made.
#[derive(Debug, Args)]
pub(crate) struct ClusterCreate {
    /// Its name, at the cloud too
    #[arg(required_unless_present = "file")]
    pub(crate) name: Option<String>,
    /// Everything from a YAML or JSON file, `-` for standard input; flags override it
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// The network
    #[arg(long, required_unless_present = "file")]
    pub(crate) network: Option<String>,
    /// A subnet
    #[arg(long = "subnet", value_name = "NAME")]
    pub(crate) subnets: Vec<String>,
    /// A security group
    #[arg(long = "security-group", value_name = "NAME")]
    pub(crate) security_groups: Vec<String>,
    /// The Kubernetes version; the cloud's default if left out
    #[arg(long = "version", value_name = "VERSION")]
    pub(crate) kubernetes_version: Option<String>,
    /// A node group: name=…[,machine-type=…][,min=1,max=3,desired=2][,auto-scaling=true]…
    #[arg(long = "node-group", value_name = "PAIRS")]
    pub(crate) node_groups: Vec<NodeGroupPairs>,
    /// A tag
    #[arg(long = "tag", value_name = "KEY=VALUE")]
    pub(crate) tags: Vec<String>,
    /// An option of the provider's own
    #[arg(long = "option", value_name = "KEY=VALUE")]
    pub(crate) options: Vec<String>,
    /// Has pmks refuse a deletion until this is taken back; the cloud's own protection stays as it is
    #[arg(long)]
    pub(crate) deletion_protection: bool,
    /// How it is called at the cloud
    #[command(flatten)]
    pub(crate) cloud: CloudName,
    /// How to carry it out
    #[command(flatten)]
    pub(crate) mutation: Mutation,
}

/// A rise of versions.
#[derive(Debug, Args)]
pub(crate) struct ClusterUpgrade {
    /// Its name
    pub(crate) name: String,
    /// The wanted version; the cloud's default if left out
    #[arg(long = "version", value_name = "VERSION", default_value = "")]
    pub(crate) kubernetes_version: String,
    /// Which node groups go along: all, none, or names
    #[arg(long = "node-group", value_name = "NAME", default_value = "all")]
    pub(crate) node_groups: Vec<String>,
    /// Goes on where the cloud only warns
    #[arg(long)]
    pub(crate) force: bool,
    /// How to carry it out
    #[command(flatten)]
    pub(crate) mutation: Mutation,
}

/// Where the kubeconfig goes.
#[derive(Debug, Args)]
pub(crate) struct ClusterKubeconfig {
    /// The cluster
    pub(crate) name: String,
    /// How the kubeconfig lets its user in
    #[arg(long, env = "PMKS_FORMAT", value_enum, default_value = "exec")]
    pub(crate) format: KubeconfigFormat,
    /// The file to merge into; $KUBECONFIG or ~/.kube/config if left out
    #[arg(long, value_name = "FILE", conflicts_with = "print")]
    pub(crate) file: Option<PathBuf>,
    /// Prints it instead
    #[arg(long)]
    pub(crate) print: bool,
}

/// How a kubeconfig lets its user in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KubeconfigFormat {
    /// By `pmks token`
    Exec,
    /// By the cloud's own plugin
    Native,
    /// By a credential in the file, where the cloud has one
    Static,
}

impl KubeconfigFormat {
    /// The word as in the API.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Exec => "exec",
            Self::Native => "native",
            Self::Static => "static",
        }
    }
}
