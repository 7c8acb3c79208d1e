//! The load on a served release program, beside the same load on an empty handler: `crates/load`.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds both and prints the figures. With one set of flags: what they share would be compiled twice.
///
/// # Errors
/// If they cannot be built, or the load fails.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let built = ["build", "--release", "-p", "pmks", "-p", "pmks-load"];
    let built = Command::new(cargo).args(built).current_dir(root).status()?;
    anyhow::ensure!(built.success(), "the program does not build");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let folder = root.join(target).join("release");
    let ended = Command::new(folder.join("pmks-load")).arg(folder.join("pmks")).status()?;
    anyhow::ensure!(ended.success(), "the load failed");
    Ok(())
}
