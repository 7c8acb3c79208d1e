//! Programs in Go that belong to a test, built once and kept in the user's cache.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use pmks_control_plane::{cache_folder, fingerprint, which};

/// The program whose module lies in a folder; or why it cannot be had on this machine.
///
/// # Errors
/// One line for people.
pub fn go_program(module: &Path) -> Result<PathBuf, String> {
    let go = which("go").ok_or("go is not found")?;
    let says = |error: std::io::Error| format!("{}: {error}", module.display());
    let mut files: Vec<PathBuf> =
        fs::read_dir(module).map_err(says)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    let sources: Vec<String> =
        files.iter().map(fs::read_to_string).collect::<Result<_, _>>().map_err(says)?;
    let texts: Vec<&str> = sources.iter().map(String::as_str).collect();
    let folder = cache_folder()?.join(format!("go-{:016x}", fingerprint(&texts)));
    fs::create_dir_all(&folder).map_err(says)?;
    let lock = File::create(folder.join("lock")).map_err(says)?;
    lock.lock().map_err(says)?;
    let program = folder.join("program");
    if program.exists() {
        return Ok(program);
    }
    let partial = folder.join("partial");
    let mut build = Command::new(go);
    build.args(["build", "-trimpath", "-buildvcs=false", "-o"]).arg(&partial).arg(".").current_dir(module);
    let output = build.env_remove("GOFLAGS").env("CGO_ENABLED", "0").output().map_err(says)?;
    if !output.status.success() {
        return Err(format!("go build: {}", String::from_utf8_lossy(&output.stderr)));
    }
    fs::rename(&partial, &program).map_err(says)?;
    Ok(program)
}
