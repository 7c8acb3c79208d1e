//! Verbs of what a cloud offers.

use clap::Subcommand;
use clap::builder::BoolishValueParser;

/// The one verb of discovery.
#[derive(Debug, Subcommand)]
pub(crate) enum ListCommand {
    /// Asks the cloud, or answers what it said not long ago
    #[command(visible_alias = "ls")]
    List {
        /// Asks the cloud now
        #[arg(long, env = "PMKS_REFRESH", value_parser = BoolishValueParser::new())]
        refresh: bool,
    },
}
