//! The real Kubernetes control plane, and its `kubectl`, as one program: built once from published Go modules, kept in
//! the user's cache folder. For tests alone; nothing of it is in the product.
//!
//! `module/` is the Go module: a `main` that dispatches to what Kubernetes' own programs consist of, and the versions
//! and checksums of all that it is made of. No download but Go modules, through the ordinary `go` command.

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Which Kubernetes it is.
pub const VERSION: &str = "1.34.2";

/// What decides whether a program that was built before is still the one.
const SOURCES: &[&str] = &[include_str!("../module/main.go"), include_str!("../module/go.sum")];
/// How often somebody who waits is told so.
const SAY_EVERY: Duration = Duration::from_mins(1);

/// The program, built if it is not there yet; or why it cannot be had on this machine.
///
/// A first build takes about ten minutes of one core at the lowest priority, and says so on standard error.
///
/// # Errors
/// One line for people.
pub fn program() -> Result<PathBuf, String> {
    let folder = folder()?;
    let program = folder.join("control-plane");
    if program.exists() {
        return Ok(program);
    }
    let go = which("go").ok_or("go is not found")?;
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let lock = File::create(folder.join("lock")).map_err(|error| error.to_string())?;
    take(&lock)?;
    // Somebody else may have built it meanwhile.
    if !program.exists() {
        let partial = folder.join("control-plane.partial");
        build(&go, &partial)?;
        // Under this name the same program is kubectl.
        let kubectl = folder.join("kubectl");
        let _ = fs::remove_file(&kubectl);
        fs::hard_link(&partial, &kubectl).map_err(|error| format!("{}: {error}", kubectl.display()))?;
        fs::rename(&partial, &program).map_err(|error| format!("{}: {error}", program.display()))?;
    }
    Ok(program)
}

/// Its `kubectl`: of the same version, found or not on the search path.
///
/// # Errors
/// As [`program`].
pub fn kubectl() -> Result<PathBuf, String> {
    Ok(program()?.with_file_name("kubectl"))
}

/// Whether asking for the program takes no time.
pub fn is_built() -> bool {
    folder().is_ok_and(|folder| folder.join("control-plane").exists())
}

/// Where a program is on the search path.
pub fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|candidate| candidate.is_file())
}

/// The folder in which this project keeps what it installed or built once.
///
/// # Errors
/// One line for people.
pub fn cache_folder() -> Result<PathBuf, String> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
    cache
        .map(|cache| cache.join("pmks"))
        .ok_or_else(|| "there is no cache folder: HOME is not set".to_owned())
}

/// FNV-1a, for the names of folders: other content is another folder.
pub fn fingerprint(texts: &[&str]) -> u64 {
    let bytes = texts.iter().flat_map(|text| text.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// One line past the test runner's capture, which swallows what a passing test prints.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn folder() -> Result<PathBuf, String> {
    Ok(cache_folder()?.join(format!("kubernetes-{VERSION}-{:016x}", fingerprint(SOURCES))))
}

/// Several test programs may ask at once, and a build may have begun before them: the others wait and say so.
fn take(lock: &File) -> Result<(), String> {
    match lock.try_lock() {
        Ok(()) => return Ok(()),
        Err(TryLockError::Error(error)) => return Err(error.to_string()),
        Err(TryLockError::WouldBlock) => {}
    }
    say(
        "waiting for the Kubernetes control plane, which another process is building (once, about ten minutes)",
    );
    lock.lock().map_err(|error| error.to_string())
}

fn build(go: &Path, partial: &Path) -> Result<(), String> {
    say(&format!(
        "building the Kubernetes {VERSION} control plane from Go modules: once, about ten minutes, kept in {}",
        partial.parent().unwrap_or(partial).display()
    ));
    let log = partial.with_extension("log");
    let mut child = start(go, partial, &log).map_err(|error| format!("go build: {error}"))?;
    let (begun, mut said) = (Instant::now(), Duration::ZERO);
    loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return if status.success() { Ok(()) } else { Err(last_line(&log)) };
        }
        if begun.elapsed() >= said + SAY_EVERY {
            said = begun.elapsed();
            say(&format!("the Kubernetes control plane is being built since {} min", said.as_secs() / 60));
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// One job at the lowest priority: whoever works or tests beside it shall not notice.
fn start(go: &Path, partial: &Path, log: &Path) -> std::io::Result<Child> {
    let mut command = match which("nice") {
        Some(nice) => {
            let mut command = Command::new(nice);
            command.args(["-n", "19"]).arg(go);
            command
        }
        None => Command::new(go),
    };
    let version = format!("-s -w -X k8s.io/component-base/version.gitVersion=v{VERSION}");
    command
        .args([
            "build",
            "-p",
            "1",
            "-trimpath",
            "-buildvcs=false",
            "-mod=readonly",
            "-ldflags",
            &version,
            "-o",
        ])
        .arg(partial)
        .arg(".")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("module"))
        .env_remove("GOFLAGS")
        .env("CGO_ENABLED", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(log)?)
        .spawn()
}

fn last_line(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    format!("go build: {}", text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("failed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_modules_are_of_one_version() {
        let manifest = include_str!("../module/go.mod");
        assert!(manifest.contains(&format!("k8s.io/kubernetes v{VERSION}\n")), "{VERSION}");
        let staging = VERSION.replacen("1.", "v0.", 1);
        let replaced: Vec<&str> = manifest.lines().filter(|line| line.contains(" => ")).collect();
        assert!(replaced.len() > 30 && replaced.iter().all(|line| line.ends_with(&staging)), "{replaced:?}");
    }

    #[test]
    fn other_sources_are_another_folder() {
        assert_eq!(fingerprint(&["a", "b"]), fingerprint(&["ab"]));
        assert_ne!(fingerprint(&["a"]), fingerprint(&["b"]));
    }
}
