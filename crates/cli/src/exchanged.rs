//! What is exchanged with the simulated clouds of this process, for tests that hold it against what the vendors publish:
//! built with debug assertions, it is written into the folder that `PMKS_SIMULATED_EXCHANGES` names, a line for each
//! exchange that shows something new, before its answer leaves: also what a process answered that is killed then is
//! judged. A released program has none of this.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use pmks_simulation::{Cloud, Seen};

/// The folder.
const VARIABLE: &str = "PMKS_SIMULATED_EXCHANGES";

/// What was written already, by provider, of whichever of its clouds.
static SEEN: Mutex<BTreeMap<&str, Arc<Seen>>> = Mutex::new(BTreeMap::new());

/// Keeps what is exchanged with a cloud that begins, if somebody asks for it.
pub(crate) fn keep(provider: &'static str, cloud: &dyn Cloud) {
    let Some(folder) = std::env::var_os(VARIABLE).filter(|_| cfg!(debug_assertions)).map(PathBuf::from)
    else {
        return;
    };
    match file(&folder, provider) {
        Ok(file) => keep_in(file, provider, cloud),
        Err(error) => tracing::error!(%error, folder = %folder.display(), "exchanges cannot be kept"),
    }
}

fn keep_in(mut file: File, provider: &'static str, cloud: &dyn Cloud) {
    let seen = Arc::clone(SEEN.lock().unwrap_or_else(PoisonError::into_inner).entry(provider).or_default());
    cloud.controls().exchanges.keep_and_tell(seen, move |exchange| {
        let line = serde_json::to_string(exchange).map(|line| line + "\n").map_err(Into::into);
        // One writing: the clouds of a process share their file.
        if let Err(error) = line.and_then(|line| file.write_all(line.as_bytes())) {
            tracing::error!(%error, "an exchange cannot be kept");
        }
    });
}

/// The file of this process's clouds of a provider, behind what it holds: its owner's alone, as what is exchanged has
/// the secrets of the simulated cloud.
fn file(folder: &Path, provider: &str) -> std::io::Result<File> {
    let mut options = File::options();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(folder.join(format!("{provider}-{}.jsonl", std::process::id())))
}
