//! The grammar of the command line: nouns, verbs, flags. Parses and checks forms; does nothing.

mod bodies;
mod cluster;
mod conformance;
mod connection;
mod global;
mod import_spider;
mod machine;
mod network;
mod node_group;
mod number;
mod operation;
mod pairs;
mod serving;

pub(crate) use bodies::{NodeGroupBody, RuleBody, ScaleBody, scaling};
pub(crate) use cluster::{
    ClusterCommand, ClusterCreate, ClusterKubeconfig, ClusterUpgrade, KubeconfigFormat,
};
pub(crate) use conformance::Conformance;
pub(crate) use connection::{ConnectionCommand, ConnectionCreate, ConnectionUpdate, CredentialArguments};
pub(crate) use global::{CloudName, Global, Mutation, Output, OwnPlan};
pub(crate) use import_spider::ImportSpider;
pub(crate) use machine::ListCommand;
pub(crate) use network::{
    Import, KeyPairCommand, KeyPairCreate, NetworkCommand, SecurityGroupCommand, SubnetCommand,
};
pub(crate) use node_group::{InCluster, NodeCommand, NodeGroupAdd, NodeGroupCommand, NodeGroupScale, Sizes};
pub(crate) use number::Number;
pub(crate) use operation::{
    ApiTokenCommand, AuditCommand, LogLevelCommand, MasterKeyCommand, OperationCommand,
};
pub(crate) use pairs::{NodeGroupPairs, RulePairs, SubnetPairs};
pub(crate) use serving::{Demo, Serve, Simulate};

use clap::{Parser, Subcommand};

/// One interface to every cloud's managed Kubernetes.
#[derive(Debug, Parser)]
#[command(
    name = "pmks",
    version,
    arg_required_else_help = true,
    after_help = "Start with `pmks demo`: it needs no cloud.\nErrors are explained by `pmks explain KIND`.\n\n\
                  A flag that says how pmks works has a variable, PMKS_ and its name in capitals, and a key in pmks.toml\n\
                  (see `pmks config show`). What one request consists of (names, ranges, rules, versions, tags), and what\n\
                  a request may destroy or pass over (--delete-volumes, --force), has neither: a forgotten variable must\n\
                  not change what a command makes."
)]
pub(crate) struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows what pmks does on simulated clouds: makes a cluster, checks it, and keeps serving
    Demo(Demo),
    /// Runs the server
    Serve(Serve),
    /// Runs simulated clouds alone
    Simulate(Simulate),
    /// Runs the suite that every driver must pass in your own account, and writes a report
    Conformance(Conformance),
    /// The providers and their capabilities
    #[command(subcommand)]
    Provider(ProviderCommand),
    /// Accounts at clouds: provider, credential, region
    #[command(subcommand, visible_alias = "conn")]
    Connection(ConnectionCommand),
    /// Private networks
    #[command(subcommand)]
    Network(NetworkCommand),
    /// Parts of networks
    #[command(subcommand)]
    Subnet(SubnetCommand),
    /// Sets of firewall rules
    #[command(subcommand, visible_alias = "sg")]
    SecurityGroup(SecurityGroupCommand),
    /// SSH key pairs
    #[command(subcommand)]
    KeyPair(KeyPairCommand),
    /// The Kubernetes versions that a cloud offers
    #[command(subcommand)]
    KubernetesVersion(ListCommand),
    /// The machine types that a cloud offers
    #[command(subcommand)]
    MachineType(ListCommand),
    /// The images that nodes can be made from
    #[command(subcommand)]
    Image(ListCommand),
    /// A cloud's regions and zones
    #[command(subcommand)]
    Region(ListCommand),
    /// Managed Kubernetes clusters
    #[command(subcommand)]
    Cluster(ClusterCommand),
    /// Nodes of one image and one machine type in a cluster
    #[command(subcommand, visible_alias = "ng")]
    NodeGroup(NodeGroupCommand),
    /// The VMs of a cluster
    #[command(subcommand)]
    Node(NodeCommand),
    /// Durable work: what is done, by whom, how far it is
    #[command(subcommand, visible_alias = "op")]
    Operation(OperationCommand),
    /// Lets kubectl in: a credential plugin of client.authentication.k8s.io/v1
    Token(InCluster),
    /// Takes over what CB-Spider knows: its drivers, credentials, regions and connections, and by their identifiers
    /// the networks, security groups, key pairs and clusters
    ImportSpider(ImportSpider),
    /// Keeps the token of a server for later commands
    Login(Login),
    /// CB-Spider's command line, at a server's /spider: RESOURCE VERB, and its flags
    #[command(disable_help_flag = true)]
    Spctl(Spctl),
    /// Tokens for the API
    #[command(subcommand)]
    ApiToken(ApiTokenCommand),
    /// Who changed what
    #[command(subcommand)]
    Audit(AuditCommand),
    /// What the server logs
    #[command(subcommand)]
    LogLevel(LogLevelCommand),
    /// The key that seals credentials
    #[command(subcommand)]
    MasterKey(MasterKeyCommand),
    /// The effective configuration and where each value comes from
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Explains a class of error
    Explain(Explain),
    /// Prints completions for a shell
    Completion(Completion),
    /// Prints the manual page
    Man,
}

/// What `spctl` is told, which has a grammar of its own.
#[derive(Debug, clap::Args)]
pub(crate) struct Spctl {
    /// Resource, verb and flags, as spctl takes them
    #[arg(value_name = "ARGUMENT", trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) arguments: Vec<std::ffi::OsString>,
}

/// Verbs of providers.
#[derive(Debug, Subcommand)]
pub(crate) enum ProviderCommand {
    /// All providers
    List,
    /// What a provider can do, its limits, credential fields and options
    Describe {
        /// The provider
        provider: String,
    },
}

/// Where to log in.
#[derive(Debug, clap::Args)]
pub(crate) struct Login {
    /// The server's URL
    pub(crate) url: url::Url,
    /// Where the token comes from: @FILE, env:NAME or - (standard input); asked for otherwise
    #[arg(long, value_name = "SOURCE")]
    pub(crate) token: Option<String>,
}

/// Verbs of the configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Prints it
    Show,
}

/// Which class of error.
#[derive(Debug, clap::Args)]
pub(crate) struct Explain {
    /// The class, such as quota-exceeded; all of them if left out
    pub(crate) kind: Option<String>,
}

/// Which shell.
#[derive(Debug, clap::Args)]
pub(crate) struct Completion {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_grammar_is_sound() {
        Cli::command().debug_assert();
    }
}
