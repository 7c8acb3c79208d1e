//! Verbs of connections.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand};

use super::{Mutation, OwnPlan};

/// Verbs of connections.
#[derive(Debug, Subcommand)]
pub(crate) enum ConnectionCommand {
    /// Makes a connection and checks its credential
    Create(Box<ConnectionCreate>),
    /// All connections
    #[command(visible_alias = "ls")]
    List,
    /// One connection
    Get {
        /// Its name
        name: String,
    },
    /// Changes a connection; another credential must be of the same account
    Update(Box<ConnectionUpdate>),
    /// Forgets a connection; refused while anything is known there
    Delete {
        /// Its name
        name: String,
        /// Does not ask
        #[arg(short, long, env = "PMKS_YES", value_parser = BoolishValueParser::new())]
        yes: bool,
        /// What it would do
        #[command(flatten)]
        own: OwnPlan,
    },
    /// Checks the credential and what must exist in the account
    Validate {
        /// Its name
        name: String,
    },
    /// What must exist in the account first
    Prerequisites {
        /// Its name
        name: String,
        /// Makes what is missing
        #[arg(long)]
        fix: bool,
        /// What is missing for access to this cluster, instead
        #[arg(long)]
        cluster: Option<String>,
        /// How to carry it out
        #[command(flatten)]
        mutation: Mutation,
    },
}

/// A connection to be made.
#[derive(Debug, Args)]
pub(crate) struct ConnectionCreate {
    /// Its name; never changes
    pub(crate) name: String,
    /// The provider, as in `pmks provider list`
    #[arg(long)]
    pub(crate) provider: String,
    /// The region, as the cloud calls it
    #[arg(long)]
    pub(crate) region: String,
    /// The zone, where one is meant
    #[arg(long)]
    pub(crate) zone: Option<String>,
    /// How many times faster than the real cloud it works: for simulated clouds
    #[arg(long, env = "PMKS_PACE")]
    pub(crate) pace: Option<u32>,
    /// Who acts
    #[command(flatten)]
    pub(crate) credential: CredentialArguments,
    /// Replaces the real cloud's endpoint: SERVICE=URL, or all=URL
    #[arg(long = "endpoint", value_name = "SERVICE=URL")]
    pub(crate) endpoints: Vec<String>,
    /// PEM certificates to trust beside the public ones
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// A setting of the provider's own
    #[arg(long = "setting", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<String>,
    /// Does not ask the cloud whether the credential works
    #[arg(long, env = "PMKS_NO_VALIDATE", value_parser = BoolishValueParser::new())]
    pub(crate) no_validate: bool,
    /// What it would do
    #[command(flatten)]
    pub(crate) own: OwnPlan,
}

/// A change of a connection.
#[derive(Debug, Args)]
pub(crate) struct ConnectionUpdate {
    /// Its name
    pub(crate) name: String,
    /// Another zone
    #[arg(long)]
    pub(crate) zone: Option<String>,
    /// Another pace
    #[arg(long)]
    pub(crate) pace: Option<u32>,
    /// Another credential
    #[command(flatten)]
    pub(crate) credential: CredentialArguments,
    /// Another endpoint: SERVICE=URL, or all=URL
    #[arg(long = "endpoint", value_name = "SERVICE=URL")]
    pub(crate) endpoints: Vec<String>,
    /// Other certificates to trust
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// A setting of the provider's own; KEY= removes it
    #[arg(long = "setting", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<String>,
    /// What it would do
    #[command(flatten)]
    pub(crate) own: OwnPlan,
}

/// Who acts at the cloud.
#[derive(Debug, Args)]
pub(crate) struct CredentialArguments {
    /// A credential field; a secret one only as KEY=@FILE, KEY=env:NAME or KEY=- (standard input)
    #[arg(long = "credential", value_name = "KEY=VALUE")]
    pub(crate) fields: Vec<String>,
    /// A JSON file with the credential's fields
    #[arg(long, value_name = "FILE", conflicts_with = "ambient")]
    pub(crate) credential_file: Option<PathBuf>,
    /// The cloud's own chain: profiles, single sign-on, the machine's role
    #[arg(long, conflicts_with = "fields")]
    pub(crate) ambient: bool,
}
