//! The program `pmks` as its users run it, with a data directory of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// What a process needs of the machine and nobody's credentials are in.
const KEPT: &[&str] = &["PATH", "LANG", "LC_ALL", "TMPDIR", "LLVM_PROFILE_FILE"];

/// `pmks` with a fresh data directory, key and configuration. Nothing of the machine's user is read or written.
#[derive(Debug)]
pub struct Pmks {
    home: tempfile::TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code.
    pub code: i32,
    /// What it printed.
    pub stdout: String,
    /// What it said beside that.
    pub stderr: String,
}

impl Pmks {
    /// A fresh one.
    ///
    /// # Errors
    /// If there is no temporary folder.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self { home: tempfile::tempdir()? })
    }

    /// The folder that stands for the user's home.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The program, which `cargo test --workspace` builds before it runs any test.
    pub fn program() -> PathBuf {
        let test = std::env::current_exe().expect("the test's own path");
        let folder = test.parent().and_then(Path::parent).expect("the build folder");
        let program = folder.join("pmks");
        assert!(
            program.exists(),
            "{} is not built: cargo test --workspace --no-run builds it",
            program.display()
        );
        program
    }

    /// A command with this home.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(Self::program());
        command.args(arguments);
        self.surround(&mut command);
        command
    }

    /// Lets a program see this home and nothing of the machine's user.
    pub fn surround(&self, command: &mut Command) {
        command
            .env_clear()
            .envs(KEPT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
            .env("HOME", self.home())
            .env("XDG_CONFIG_HOME", self.home().join("config"))
            .env("XDG_DATA_HOME", self.home().join("data"))
            .env("KUBECONFIG", self.home().join("kubeconfig"))
            .env("PMKS_RECORD", self.exchanges());
    }

    /// The folder into which every exchange with a cloud is written.
    pub fn exchanges(&self) -> PathBuf {
        self.home().join("exchanges")
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(&self.command(arguments).output().expect("pmks starts"))
    }

    /// Runs a command that must succeed.
    pub fn succeed(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert!(
            ended.code == 0,
            "pmks {} → {}\n{}{}",
            arguments.join(" "),
            ended.code,
            ended.stdout,
            ended.stderr
        );
        ended.stdout
    }

    /// Runs a command that must succeed, and reads its JSON.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["-o", "json"]).collect();
        let text = self.succeed(&arguments);
        serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("pmks {}: {error}: {text}", arguments.join(" ")))
    }
}

impl Ended {
    /// Of a command that ended.
    pub fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}
