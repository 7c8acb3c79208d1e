//! What holds for every command, and for every mutation.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{Args, ValueEnum};
use jiff::Timestamp;

/// What holds for every command. Each flag has a variable `PMKS_…` and a key in `pmks.toml`.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The connection
    #[arg(short, long, global = true, env = "PMKS_CONNECTION", value_name = "NAME")]
    pub(crate) connection: Option<String>,
    /// How to print
    #[arg(short, long, global = true, env = "PMKS_OUTPUT", value_enum, default_value = "table")]
    pub(crate) output: Output,
    /// The server to talk to; without it the commands work on the data directory
    #[arg(long, global = true, env = "PMKS_SERVER", value_name = "URL")]
    pub(crate) server: Option<url::Url>,
    /// PEM certificates to trust when talking to the server
    #[arg(long, global = true, env = "PMKS_SERVER_CA", value_name = "FILE")]
    pub(crate) server_ca: Option<PathBuf>,
    /// The configuration file
    #[arg(long, global = true, env = "PMKS_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Where pmks keeps what it remembers
    #[arg(long, global = true, env = "PMKS_DATA_DIR", value_name = "FOLDER")]
    pub(crate) data_dir: Option<PathBuf>,
    /// The database: sqlite:PATH; SQLite in the data directory if left out
    #[arg(long, global = true, env = "PMKS_DATABASE", value_name = "URL", hide_env_values = true)]
    pub(crate) database: Option<String>,
    /// The file of the key that seals credentials
    #[arg(long, global = true, env = "PMKS_MASTER_KEY_FILE", value_name = "FILE")]
    pub(crate) master_key_file: Option<PathBuf>,
    /// Writes every exchange with a cloud into this folder, secrets removed
    #[arg(long, global = true, env = "PMKS_RECORD", value_name = "FOLDER")]
    pub(crate) record: Option<PathBuf>,
    /// What to log to standard error: a level such as info, or a filter such as info,hyper=debug
    #[arg(long, global = true, env = "PMKS_LOG", value_name = "FILTER", default_value = "warn")]
    pub(crate) log: String,
    /// Logs as JSON lines
    #[arg(long, global = true, env = "PMKS_LOG_JSON", value_parser = BoolishValueParser::new())]
    pub(crate) log_json: bool,
}

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// Columns
    Table,
    /// More columns
    Wide,
    /// JSON as the API answers it
    Json,
    /// The same as YAML
    Yaml,
    /// Names alone
    Name,
}

/// What holds for every mutation.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Mutation options")]
pub(crate) struct Mutation {
    /// Shows what would be done, and does nothing
    #[arg(long, env = "PMKS_PLAN", value_parser = BoolishValueParser::new())]
    pub(crate) plan: bool,
    /// Prints the operation instead of waiting for its end
    #[arg(long, env = "PMKS_NO_WAIT", value_parser = BoolishValueParser::new())]
    pub(crate) no_wait: bool,
    /// How long to wait for the end, such as 30m; the operation goes on after it
    #[arg(long, env = "PMKS_WAIT_TIMEOUT", value_name = "DURATION", value_parser = duration)]
    pub(crate) wait_timeout: Option<Duration>,
    /// Does not ask before a deletion
    #[arg(short, long, env = "PMKS_YES", value_parser = BoolishValueParser::new())]
    pub(crate) yes: bool,
    /// Repeats a request safely: the same key is the same operation
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<String>,
}

/// How something new is called at the cloud.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct CloudName {
    /// Gives it, and what is made with it, a unique name at the cloud, made of its own; as the server was started if left out
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) unique_cloud_name: Option<bool>,
}

/// For what changes something without asking a cloud for it.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct OwnPlan {
    /// Shows what would be done, and does nothing
    #[arg(long, env = "PMKS_PLAN", value_parser = BoolishValueParser::new())]
    pub(crate) plan: bool,
}

/// `90`, `90s`, `30m`, `2h`, `7d`.
/// A point in time, as a user says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// So long ago.
    Ago(Duration),
    /// Then.
    At(Timestamp),
}

impl Moment {
    /// When that is.
    pub(crate) fn seen_at(self, now: Timestamp) -> Timestamp {
        match self {
            // What is longer ago than there are times is before all.
            Self::Ago(time) => now.checked_sub(time).unwrap_or(Timestamp::MIN),
            Self::At(time) => time,
        }
    }
}

pub(super) fn moment(text: &str) -> Result<Moment, String> {
    duration(text).map(Moment::Ago).or_else(|_| text.parse().map(Moment::At)).map_err(|_| {
        "expected a time such as 2027-01-31T12:00:00Z, or how long ago, such as 90s, 30m, 2h or 7d".to_owned()
    })
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let count: u64 =
        digits.parse().map_err(|_| "expected a duration such as 90s, 30m, 2h or 7d".to_owned())?;
    let seconds = match unit {
        "" | "s" => Some(count),
        "m" => count.checked_mul(60),
        "h" => count.checked_mul(3600),
        "d" => count.checked_mul(24 * 3600),
        _ => None,
    };
    seconds
        .map(Duration::from_secs)
        .ok_or_else(|| "expected a duration such as 90s, 30m, 2h or 7d".to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_durations() {
        for (text, seconds) in [("90", 90), ("90s", 90), ("30m", 1800), ("2h", 7200), ("7d", 604_800)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)));
        }
        for text in ["", "m", "1w", "-1s", "99999999999999999999s", "18446744073709551615h"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    proptest! {
        #![proptest_config(crate::properties::cases(1000))]
        #[test]
        fn a_duration_is_read_as_it_is_written(count in any::<u64>(), unit in "[smhdwy]?", text in "\\PC{0,8}") {
            let factor = match unit.as_str() { "" | "s" => 1, "m" => 60, "h" => 3600, "d" => 86_400, _ => 0 };
            let wanted = count.checked_mul(factor).filter(|_| factor > 0).map(Duration::from_secs);
            prop_assert_eq!(duration(&format!("{count}{unit}")).ok(), wanted);
            prop_assert!(duration(&text).is_ok() || duration(&text).is_err_and(|says| says.contains("expected")));
        }
    }
}
