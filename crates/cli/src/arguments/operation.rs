//! Verbs of operations, API tokens, the audit, the log and the master key.

use std::time::Duration;

use clap::Subcommand;
use clap::builder::BoolishValueParser;

use super::OwnPlan;
use super::global::{Moment, duration, moment};

/// Verbs of operations.
#[derive(Debug, Subcommand)]
pub(crate) enum OperationCommand {
    /// Operations, the oldest first
    #[command(visible_alias = "ls")]
    List {
        /// Of the resource of this name
        #[arg(long)]
        resource: Option<String>,
        /// Of this kind, such as cluster.create
        #[arg(long)]
        kind: Option<String>,
        /// In this state
        #[arg(long)]
        state: Option<String>,
    },
    /// One operation with its stages
    Get {
        /// Its id
        id: String,
    },
    /// Shows an operation's progress until it ends
    Watch {
        /// Its id
        id: String,
    },
    /// Stops an operation at its next safe stage; deletes nothing
    Cancel {
        /// Its id
        id: String,
        /// What it would do
        #[command(flatten)]
        own: OwnPlan,
    },
    /// Goes on where an operation failed or is blocked
    Retry {
        /// Its id
        id: String,
        /// Which of the candidates of a blocked operation is its own
        #[arg(long, value_name = "SYSTEM-ID")]
        choice: Option<String>,
        /// Prints the operation instead of waiting for its end
        #[arg(long, env = "PMKS_NO_WAIT", value_parser = BoolishValueParser::new())]
        no_wait: bool,
        /// How long to wait for the end, such as 30m; the operation goes on after it
        #[arg(long, env = "PMKS_WAIT_TIMEOUT", value_name = "DURATION", value_parser = duration)]
        wait_timeout: Option<Duration>,
        /// What it would do
        #[command(flatten)]
        own: OwnPlan,
    },
    /// Carries unfinished operations of the data directory on, without a server
    Resume {
        /// Only this one; all of them if left out
        id: Option<String>,
    },
}

/// Verbs of API tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum ApiTokenCommand {
    /// Makes a token; it is shown once
    Create {
        /// Its name
        name: String,
        /// viewer, operator or admin
        #[arg(long)]
        role: String,
        /// A further connection it may act on, beside that of -c; all where neither is named
        #[arg(long = "for-connection", value_name = "NAME")]
        connections: Vec<String>,
        /// How long it is accepted, such as 12h or 90d; until it is revoked if left out
        #[arg(long, value_name = "DURATION", value_parser = duration)]
        expires_in: Option<Duration>,
        /// What it would do
        #[command(flatten)]
        own: OwnPlan,
    },
    /// All tokens, without the tokens
    #[command(visible_alias = "ls")]
    List,
    /// Takes a token back
    Revoke {
        /// Its name, or its id
        name: String,
        /// What it would do
        #[command(flatten)]
        own: OwnPlan,
    },
}

/// Verbs of the audit.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Who changed what, the newest first
    #[command(visible_alias = "ls")]
    List {
        /// From then on: a time such as 2027-01-31T12:00:00Z, or how long ago, such as 2h or 7d
        #[arg(long, value_name = "TIME", value_parser = moment)]
        since: Option<Moment>,
        /// From before then, said in the same way
        #[arg(long, value_name = "TIME", value_parser = moment)]
        until: Option<Moment>,
        /// The most lines; if left out 100, or all since the time that is said
        #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
        limit: Option<u32>,
    },
}

/// Verbs of the log.
#[derive(Debug, Subcommand)]
pub(crate) enum LogLevelCommand {
    /// What the server logs now
    Get,
    /// Changes it, until it is changed again or the server ends
    Set {
        /// A level such as info, or a filter that gives parts of the program levels of their own
        filter: String,
        /// What it would do
        #[command(flatten)]
        own: OwnPlan,
    },
}

/// Verbs of the master key.
#[derive(Debug, Subcommand)]
pub(crate) enum MasterKeyCommand {
    /// Makes a new key and seals every credential's key with it; no server may run
    Rotate(OwnPlan),
}
