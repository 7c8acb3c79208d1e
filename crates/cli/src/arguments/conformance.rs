//! The conformance suite in the user's own account.

use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;

/// The conformance suite.
#[derive(Debug, Args)]
pub(crate) struct Conformance {
    /// Only these cases; all of them if left out
    #[arg(long = "case", env = "PMKS_CASE", value_name = "NAME", value_delimiter = ',')]
    pub(crate) cases: Vec<String>,
    /// Shows what would be made, how long it takes and how many calls, and asks the cloud nothing
    #[arg(long, env = "PMKS_PLAN", value_parser = BoolishValueParser::new(), conflicts_with = "clean_up")]
    pub(crate) plan: bool,
    /// Where to write the report (report.json, report.md); a new folder here if left out
    #[arg(long, env = "PMKS_REPORT", value_name = "FOLDER")]
    pub(crate) report: Option<PathBuf>,
    /// Removes what a run that was killed left behind, and does nothing else
    #[arg(long)]
    pub(crate) clean_up: bool,
    /// Does not ask
    #[arg(short, long, env = "PMKS_YES", value_parser = BoolishValueParser::new())]
    pub(crate) yes: bool,
}
