//! Software from PyPI that others wrote, in a virtual environment that is made once and kept in the user's cache.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

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
        let folder = cache_folder()?.join(format!("python-{:016x}", fingerprint(requirements)));
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
    let must_run = std::env::var("CI").is_ok_and(|value| value == "true") && which("python3").is_some();
    assert!(!must_run, "{suite} cannot run: {why}");
    note_skipped(suite, why);
}

/// The visible line alone: for what no package registry has.
pub fn note_skipped(suite: &str, why: &str) {
    // Written past the test runner's capture, which swallows what a passing test prints.
    let _ = writeln!(std::io::stderr(), "SKIPPED {suite}: {why}");
}

/// Where a program is on the search path.
pub fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|candidate| candidate.is_file())
}

fn cache_folder() -> Result<PathBuf, String> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
    cache
        .map(|cache| cache.join("pmks"))
        .ok_or_else(|| "there is no cache folder: HOME is not set".to_owned())
}

/// FNV-1a: another list of requirements is another environment.
fn fingerprint(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
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
