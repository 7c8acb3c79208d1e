//! `pmks serve` on the data directory of a [`Pmks`], for as long as a test needs it.

use std::fs::File;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{Pmks, text};

/// How long it may take to begin.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server; it ends with this.
#[derive(Debug)]
pub struct Served {
    /// Where it answers, without a slash at the end.
    pub url: String,
    /// The token of its data directory.
    pub token: String,
    process: Child,
}

impl Served {
    /// Starts it, with these variables beside those of every command.
    ///
    /// # Panics
    /// If it does not begin.
    pub fn start(pmks: &Pmks, variables: &[(&str, &str)]) -> Self {
        let log = File::options().create(true).append(true).open(Self::log(pmks)).expect("a log");
        let mut command = pmks.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.envs(variables.iter().copied()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let process = command.spawn().expect("pmks starts");
        let mut running = Self { url: String::new(), token: String::new(), process };
        let folder = pmks.home().join("data/pmks");
        let begun = Instant::now();
        loop {
            let read = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
            let server = read("server.json").and_then(|text| serde_json::from_str::<Value>(&text).ok());
            if let Some(server) = server.filter(|server| server["pid"] == running.process.id()) {
                text(&server, "/url").trim_end_matches('/').clone_into(&mut running.url);
                read("token").expect("a token").trim().clone_into(&mut running.token);
                return running;
            }
            assert!(begun.elapsed() < PATIENCE, "the server does not begin");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The file that servers of this home log into.
    pub fn log(pmks: &Pmks) -> std::path::PathBuf {
        pmks.home().join("serve.log")
    }

    /// Ends it as a power cut does.
    pub fn kill(mut self) {
        self.process.kill().expect("it runs");
        self.process.wait().expect("it ends");
    }

    /// Ends it as an operator does, and waits for that.
    pub fn stop(mut self) {
        let pid = self.process.id().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().expect("kill").success());
        assert!(self.process.wait().expect("it ends").success());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
