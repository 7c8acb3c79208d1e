//! The commands that keep running: demo, server, simulated clouds.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;

/// The tour on simulated clouds.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Goes on to the end (scales, upgrades, deletes) and leaves
    #[arg(long, env = "PMKS_ONCE", value_parser = BoolishValueParser::new())]
    pub(crate) once: bool,
    /// The clouds; all that are built if left out
    #[arg(long = "cloud", env = "PMKS_CLOUD", value_delimiter = ',', value_name = "NAME")]
    pub(crate) clouds: Vec<String>,
    /// How much faster than the real cloud the simulated one works
    #[arg(long, env = "PMKS_SPEED", default_value = "120", value_parser = moving)]
    pub(crate) speed: f64,
}

/// The server.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where to listen [default: 127.0.0.1:1024]
    #[arg(long, env = "PMKS_LISTEN")]
    pub(crate) listen: Option<SocketAddr>,
    /// The URL at which others reach this server; written into kubeconfigs, and on loopback answered to
    #[arg(long, env = "PMKS_EXTERNAL_URL", value_name = "URL", value_parser = web_url)]
    pub(crate) external_url: Option<url::Url>,
    /// The PEM certificate of the server
    #[arg(long, env = "PMKS_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The PEM private key of the server
    #[arg(long, env = "PMKS_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Also starts these simulated clouds, with a connection to each
    #[arg(long, env = "PMKS_SIMULATED", value_delimiter = ',', value_name = "CLOUD")]
    pub(crate) simulated: Vec<String>,
    /// How much faster than the real cloud the simulated ones work
    #[arg(long, env = "PMKS_SPEED", default_value = "60", value_parser = speed)]
    pub(crate) speed: f64,
    /// Connections may use the cloud's own credential chain although the server is not on loopback
    #[arg(long, env = "PMKS_ALLOW_AMBIENT", value_parser = BoolishValueParser::new())]
    pub(crate) allow_ambient: bool,
    /// Connections may replace endpoints although the server is not on loopback
    #[arg(long, env = "PMKS_ALLOW_ENDPOINTS", value_parser = BoolishValueParser::new())]
    pub(crate) allow_endpoints: bool,
    /// Gives what is made unique names at the cloud, where its request does not say
    #[arg(long, env = "PMKS_UNIQUE_CLOUD_NAMES", value_name = "true|false", value_parser = BoolishValueParser::new(),
        num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) unique_cloud_names: Option<bool>,
}

/// Simulated clouds.
#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// The clouds
    #[arg(required = true, value_name = "CLOUD")]
    pub(crate) clouds: Vec<String>,
    // No setting: `listen` is the server's, and two cannot listen at one place.
    /// Where to listen; each further cloud takes the next port
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// How much faster than the real cloud they work; 0 stands still until told
    #[arg(long, env = "PMKS_SPEED", default_value = "1", value_parser = speed)]
    pub(crate) speed: f64,
    /// What identifiers and chances grow from
    #[arg(long, env = "PMKS_SEED", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Where to write endpoints and credentials (JSON, 0600) once they are ready
    #[arg(long, env = "PMKS_READY_FILE", value_name = "FILE")]
    pub(crate) ready_file: Option<PathBuf>,
}

/// How much faster than the real cloud; 0 stands still until told.
fn speed(text: &str) -> Result<f64, String> {
    let most = pmks_simulation::SimulationClock::MAX_SPEED;
    let speed: f64 = text.parse().map_err(|_| "expected a number".to_owned())?;
    if (0.0..=most).contains(&speed) { Ok(speed) } else { Err(format!("expected a number from 0 to {most}")) }
}

/// The same, for what must not stand still.
fn moving(text: &str) -> Result<f64, String> {
    match speed(text)? {
        speed if speed < 1.0 => {
            Err("expected a number from 1: nobody waits longer than for the real cloud".to_owned())
        }
        speed => Ok(speed),
    }
}

fn web_url(text: &str) -> Result<url::Url, String> {
    let url: url::Url = text.parse().map_err(|error: url::ParseError| error.to_string())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("must begin with https:// or http://".to_owned());
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_reached_by_http() {
        assert!(web_url("https://pmks.example.com").is_ok());
        for text in ["ftp://h", "pmks.example.com", "", "mailto:a@b"] {
            assert!(web_url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn speeds_are_bounded() {
        assert_eq!(speed("0"), Ok(0.0));
        assert_eq!(moving("120"), Ok(120.0));
        for text in ["-1", "NaN", "inf", "1e9", "fast"] {
            assert!(speed(text).is_err(), "{text}");
        }
        assert!(moving("0").is_err());
    }
}
