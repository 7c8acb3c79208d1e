//! Software from PyPI that others wrote, in a virtual environment that is made once and kept in the user's cache.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use pmks_control_plane::{cache_folder, fingerprint, say, which};

/// A virtual environment with everything of a list of requirements.
#[derive(Clone, Debug)]
pub struct Python {
    folder: PathBuf,
}

impl Python {
    /// The environment with these requirements, as pip reads them, made if it is not there yet; or why it cannot be
    /// had on this machine.
    ///
    /// # Errors
    /// One line for people.
    pub fn get(requirements: &str) -> Result<Self, String> {
        let python = which("python3").ok_or("python3 is not found")?;
        let folder = cache_folder()?.join(format!("python-{:016x}", fingerprint(&[requirements])));
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        // Several test binaries may ask at once; the first makes it.
        let lock = File::create(folder.join("lock")).map_err(|error| error.to_string())?;
        lock.lock().map_err(|error| error.to_string())?;
        let environment = Self { folder: folder.join("environment") };
        let done = folder.join("done");
        if !done.exists() {
            environment.make(&python, requirements)?;
            fs::write(&done, "").map_err(|error| error.to_string())?;
        }
        Ok(environment)
    }

    /// A program of the environment.
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(name)
    }

    fn make(&self, python: &Path, requirements: &str) -> Result<(), String> {
        let list = self.folder.with_file_name("requirements.txt");
        fs::write(&list, requirements).map_err(|error| error.to_string())?;
        run(Command::new(python).args(["-m", "venv", "--clear"]).arg(&self.folder))?;
        run(Command::new(self.program("pip"))
            .args(["install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(&list))
    }
}

/// What to do where something is missing on this machine: one visible line, and in CI, where nothing that can be
/// installed may be missing, a failure.
pub fn skip(suite: &str, why: &str) {
    skip_where(suite, why, &["python3"]);
}

/// The same for what only these programs are needed for: where they are all found, nothing may be skipped in CI.
pub fn skip_where(suite: &str, why: &str, programs: &[&str]) {
    let in_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    let must_run = in_ci && programs.iter().all(|program| which(program).is_some());
    assert!(!must_run, "{suite} cannot run: {why}");
    note_skipped(suite, why);
}

/// The visible line alone: for what no package registry has.
pub fn note_skipped(suite: &str, why: &str) {
    say(&format!("SKIPPED {suite}: {why}"));
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or("failed")
    ))
}
