//! Verbs of networks, subnets, security groups and key pairs.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{CloudName, Mutation, OwnPlan, RulePairs, SubnetPairs};

/// Verbs of networks.
#[derive(Debug, Subcommand)]
pub(crate) enum NetworkCommand {
    /// Makes a network with its subnets
    Create {
        /// Its name
        name: String,
        /// Its addresses, such as 10.0.0.0/16; may be left out where networks have none of their own
        #[arg(long, default_value = "")]
        cidr: String,
        /// A subnet: name=…,cidr=…[,zone=…]
        #[arg(long = "subnet", value_name = "PAIRS")]
        subnets: Vec<SubnetPairs>,
        /// A tag
        #[arg(long = "tag", value_name = "KEY=VALUE")]
        tags: Vec<String>,
        /// How it is called at the cloud
        #[command(flatten)]
        cloud: CloudName,
        /// How to carry it out
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Keeps a record of an existing network
    Import(Import),
    /// All networks of a connection
    #[command(visible_alias = "ls")]
    List,
    /// The networks at the cloud that pmks keeps no record of
    Unmanaged,
    /// One network
    Get(Named),
    /// Changes tags; the others stay
    Update(Retag),
    /// Removes a network with its subnets
    Delete(Delete),
    /// Drops the record; the cloud is left alone
    Forget(Forget),
}

/// Verbs of subnets.
#[derive(Debug, Subcommand)]
pub(crate) enum SubnetCommand {
    /// Makes a subnet
    Create {
        /// Its name
        name: String,
        /// The network it is a part of
        #[arg(long)]
        network: String,
        /// Its addresses, within the network's
        #[arg(long)]
        cidr: String,
        /// Its zone; chosen if left out
        #[arg(long, default_value = "")]
        zone: String,
        /// How it is called at the cloud
        #[command(flatten)]
        cloud: CloudName,
        /// A tag
        #[arg(long = "tag", value_name = "KEY=VALUE")]
        tags: Vec<String>,
        /// How to carry it out
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Keeps a record of an existing subnet
    Import {
        /// Our name for it
        name: String,
        /// The network it is a part of
        #[arg(long)]
        network: String,
        /// The cloud's identifier
        #[arg(long)]
        system_id: String,
        /// What it would do
        #[command(flatten)]
        own: OwnPlan,
    },
    /// All subnets of a network
    #[command(visible_alias = "ls")]
    List {
        /// The network
        #[arg(long)]
        network: String,
    },
    /// One subnet
    Get {
        /// Its name
        name: String,
        /// The network
        #[arg(long)]
        network: String,
    },
    /// Changes tags; the others stay
    Update {
        /// Its name
        name: String,
        /// The network
        #[arg(long)]
        network: String,
        /// A tag to set; KEY- removes it
        #[arg(long = "tag", value_name = "KEY=VALUE", required = true)]
        tags: Vec<String>,
        /// How to carry it out
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Removes a subnet
    Delete {
        /// Its name
        name: String,
        /// The network
        #[arg(long)]
        network: String,
        /// How to carry it out
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Drops the record; the cloud is left alone
    Forget {
        /// Its name
        name: String,
        /// The network
        #[arg(long)]
        network: String,
        /// What it would do
        #[command(flatten)]
        own: OwnPlan,
    },
}

/// Verbs of security groups.
#[derive(Debug, Subcommand)]
pub(crate) enum SecurityGroupCommand {
    /// Makes a security group with its rules
    Create {
        /// Its name
        name: String,
        /// The network it belongs to
        #[arg(long)]
        network: String,
        /// A rule: direction=inbound,protocol=tcp,from-port=22,to-port=22,cidr=… Without an outbound one everything may leave
        #[arg(long = "rule", value_name = "PAIRS")]
        rules: Vec<RulePairs>,
        /// How it is called at the cloud
        #[command(flatten)]
        cloud: CloudName,
        /// A tag
        #[arg(long = "tag", value_name = "KEY=VALUE")]
        tags: Vec<String>,
        /// How to carry it out
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Keeps a record of an existing security group
    Import(Import),
    /// All security groups of a connection
    #[command(visible_alias = "ls")]
    List,
    /// The security groups at the cloud that pmks keeps no record of
    Unmanaged,
    /// One security group
    Get(Named),
    /// Adds rules, and removes some, or changes tags; the others stay
    Update {
        /// Its name
        name: String,
        /// A rule to add: direction=inbound,protocol=tcp,from-port=22,to-port=22,cidr=…
        #[arg(long = "add-rule", value_name = "PAIRS", required_unless_present_any = ["remove", "tags"])]
        add: Vec<RulePairs>,
        /// A rule to remove, in the same form
        #[arg(long = "remove-rule", value_name = "PAIRS")]
        remove: Vec<RulePairs>,
        /// A tag to set; KEY- removes it. Rules are another operation
        #[arg(long = "tag", value_name = "KEY=VALUE", conflicts_with_all = ["add", "remove"])]
        tags: Vec<String>,
        /// How to carry it out
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Removes a security group
    Delete(Delete),
    /// Drops the record; the cloud is left alone
    Forget(Forget),
}

/// Verbs of key pairs.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyPairCommand {
    /// Makes a key pair, or gives the cloud the public half of yours
    Create(KeyPairCreate),
    /// Keeps a record of an existing key pair
    Import(Import),
    /// All key pairs of a connection
    #[command(visible_alias = "ls")]
    List,
    /// The key pairs at the cloud that pmks keeps no record of
    Unmanaged,
    /// One key pair
    Get(Named),
    /// Changes tags; the others stay
    Update(Retag),
    /// Removes a key pair from the cloud
    Delete(Delete),
    /// Drops the record; the cloud is left alone
    Forget(Forget),
}

/// A key pair to be made.
#[derive(Debug, Args)]
pub(crate) struct KeyPairCreate {
    /// Its name
    pub(crate) name: String,
    /// The public half in OpenSSH's form; made by pmks if left out
    #[arg(long, value_name = "FILE")]
    pub(crate) public_key: Option<PathBuf>,
    /// Where to write the private half (0600); printed once if left out
    #[arg(long, value_name = "FILE", conflicts_with = "public_key")]
    pub(crate) save: Option<PathBuf>,
    /// How it is called at the cloud
    #[command(flatten)]
    pub(crate) cloud: CloudName,
    /// A tag
    #[arg(long = "tag", value_name = "KEY=VALUE")]
    pub(crate) tags: Vec<String>,
    /// How to carry it out
    #[command(flatten)]
    pub(crate) mutation: Mutation,
}

/// Other tags for something.
#[derive(Debug, Args)]
pub(crate) struct Retag {
    /// Its name
    pub(crate) name: String,
    /// A tag to set; KEY- removes it
    #[arg(long = "tag", value_name = "KEY=VALUE", required = true)]
    pub(crate) tags: Vec<String>,
    /// How to carry it out
    #[command(flatten)]
    pub(crate) mutation: Mutation,
}

/// An existing thing to keep a record of.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// Our name for it
    pub(crate) name: String,
    /// The cloud's identifier
    #[arg(long)]
    pub(crate) system_id: String,
    /// What it would do
    #[command(flatten)]
    pub(crate) own: OwnPlan,
}

/// Something by its name.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// Its name
    pub(crate) name: String,
}

/// Something whose record is dropped.
#[derive(Debug, Args)]
pub(crate) struct Forget {
    /// Its name
    pub(crate) name: String,
    /// What it would do
    #[command(flatten)]
    pub(crate) own: OwnPlan,
}

/// Something to be removed.
#[derive(Debug, Args)]
pub(crate) struct Delete {
    /// Its name
    pub(crate) name: String,
    /// How to carry it out
    #[command(flatten)]
    pub(crate) mutation: Mutation,
}
