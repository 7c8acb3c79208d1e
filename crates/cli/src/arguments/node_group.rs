//! Verbs of node groups and nodes.

use clap::{Args, Subcommand};

use super::{CloudName, Mutation, Number};

/// What each of these verbs is about lies in a cluster.
#[derive(Debug, Args)]
pub(crate) struct InCluster {
    /// The cluster
    #[arg(long, env = "PMKS_CLUSTER")]
    pub(crate) cluster: String,
}

/// The numbers of nodes.
#[derive(Debug, Args)]
pub(crate) struct Sizes {
    /// The least number of nodes
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) min: Option<Number>,
    /// The largest number of nodes
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) max: Option<Number>,
    /// The wanted number of nodes (default: min, else max, else the least that the cloud takes)
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) desired: Option<Number>,
}

/// Verbs of node groups.
#[derive(Debug, Subcommand)]
pub(crate) enum NodeGroupCommand {
    /// Adds a node group
    #[command(visible_alias = "create")]
    Add(Box<NodeGroupAdd>),
    /// The node groups of a cluster
    #[command(visible_alias = "ls")]
    List {
        /// The cluster
        #[command(flatten)]
        within: InCluster,
    },
    /// One node group
    Get {
        /// Its name
        name: String,
        /// The cluster
        #[command(flatten)]
        within: InCluster,
    },
    /// Changes limits, size or autoscaling; what is left out stays as it is
    Scale(NodeGroupScale),
    /// Raises the version of a node group
    Upgrade {
        /// Its name
        name: String,
        /// The cluster
        #[command(flatten)]
        within: InCluster,
        /// The wanted version; the cluster's if left out
        #[arg(long = "version", value_name = "VERSION", default_value = "")]
        kubernetes_version: String,
        /// Goes on where pods cannot be moved
        #[arg(long)]
        force: bool,
        /// How to carry it out
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Removes a node group
    #[command(visible_alias = "delete")]
    Remove {
        /// Its name
        name: String,
        /// The cluster
        #[command(flatten)]
        within: InCluster,
        /// How to carry it out
        #[command(flatten)]
        mutation: Mutation,
    },
}

/// A node group to be added.
#[derive(Debug, Args)]
pub(crate) struct NodeGroupAdd {
    /// Its name
    pub(crate) name: String,
    /// The cluster
    #[command(flatten)]
    pub(crate) within: InCluster,
    /// The machine type
    #[arg(long, default_value = "")]
    pub(crate) machine_type: String,
    /// The image
    #[arg(long, default_value = "")]
    pub(crate) image: String,
    /// The root disk's type
    #[arg(long, default_value = "")]
    pub(crate) root_disk_type: String,
    /// The root disk's size
    #[arg(long, value_name = "GIB", allow_negative_numbers = true)]
    pub(crate) root_disk_size_gib: Option<Number>,
    /// The key pair
    #[arg(long, default_value = "")]
    pub(crate) key_pair: String,
    /// The wanted version; follows the cluster if left out
    #[arg(long = "version", value_name = "VERSION", default_value = "")]
    pub(crate) kubernetes_version: String,
    /// How many nodes
    #[command(flatten)]
    pub(crate) sizes: Sizes,
    /// Whether an autoscaler moves the size between the limits
    #[arg(long, default_value_t = false, action = clap::ArgAction::Set)]
    pub(crate) auto_scaling: bool,
    /// How it is called at the cloud
    #[command(flatten)]
    pub(crate) cloud: CloudName,
    /// How to carry it out
    #[command(flatten)]
    pub(crate) mutation: Mutation,
}

/// A change of scaling.
#[derive(Debug, Args)]
pub(crate) struct NodeGroupScale {
    /// Its name
    pub(crate) name: String,
    /// The cluster
    #[command(flatten)]
    pub(crate) within: InCluster,
    /// How many nodes
    #[command(flatten)]
    pub(crate) sizes: Sizes,
    /// Whether an autoscaler moves the size between the limits
    #[arg(long)]
    pub(crate) auto_scaling: Option<bool>,
    /// How to carry it out
    #[command(flatten)]
    pub(crate) mutation: Mutation,
}

/// Verbs of nodes.
#[derive(Debug, Subcommand)]
pub(crate) enum NodeCommand {
    /// The nodes of a cluster
    #[command(visible_alias = "ls")]
    List {
        /// The cluster
        #[command(flatten)]
        within: InCluster,
    },
    /// What the cloud measures of one node
    Metrics {
        /// Its name, or the VM's identifier
        name: String,
        /// What: cpuUsage, memoryUsage, diskRead, diskWrite, diskReadOperations, diskWriteOperations, networkIn, networkOut
        metric: String,
        /// The cluster
        #[command(flatten)]
        within: InCluster,
        /// How long the interval of one value is, in minutes
        #[arg(long, default_value_t = 1)]
        interval_minutes: u32,
        /// How many hours before now the values begin
        #[arg(long, default_value_t = 1)]
        hours: u32,
    },
    /// One node
    Get {
        /// Its name, or the VM's identifier
        name: String,
        /// The cluster
        #[command(flatten)]
        within: InCluster,
    },
}
