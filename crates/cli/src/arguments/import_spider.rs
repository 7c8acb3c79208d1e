//! What is taken over from CB-Spider.

use clap::Args;
use clap::builder::BoolishValueParser;

use super::OwnPlan;

/// CB-Spider's meta database.
#[derive(Debug, Args)]
pub(crate) struct ImportSpider {
    // A URL may hold a password, which other users of this machine read on a command line.
    /// A file of SQLite or a postgres:// URL; if left out, where CB-Spider's own variables say. env:NAME or @FILE
    /// hide a URL that holds a password
    #[arg(long, value_name = "SOURCE")]
    pub(crate) meta_database: Option<String>,
    /// Goes on where another pmks installation's mark is on a cluster; that one can still change it
    #[arg(long)]
    pub(crate) take_over: bool,
    /// Does not ask
    #[arg(short, long, env = "PMKS_YES", value_parser = BoolishValueParser::new())]
    pub(crate) yes: bool,
    /// Or a dry run
    #[command(flatten)]
    pub(crate) own: OwnPlan,
}
