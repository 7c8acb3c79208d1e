//! A folder in memory for what tests write: stores that are closed and opened ten thousand times wait for a disk that no
//! test needs. A process that is killed loses nothing by it.

use std::path::{Path, PathBuf};

/// Where Linux keeps such folders.
const SHARED_MEMORY: &str = "/dev/shm";

/// What the suites need at most, twice over.
const LEAST_KIB: u64 = 4 << 20;

/// A new folder in memory, removed when it goes.
#[derive(Debug)]
pub(crate) struct MemoryFolder(PathBuf);

impl MemoryFolder {
    /// `None`: this machine has none that is large enough and may hold programs, or somebody has chosen a place.
    pub(crate) fn new() -> Option<Self> {
        let mounts = std::fs::read_to_string("/proc/mounts").ok()?;
        if std::env::var_os("TMPDIR").is_some() || !is_fit(&mounts) {
            return None;
        }
        let folder = Path::new(SHARED_MEMORY).join(format!("pmks-tests-{}", std::process::id()));
        std::fs::create_dir(&folder).ok()?;
        Some(Self(folder))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for MemoryFolder {
    fn drop(&mut self) {
        // What a test's own child still holds goes with the machine.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// By the lines of `/proc/mounts`: device, place, kind, options.
fn is_fit(mounts: &str) -> bool {
    let mut lines = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let Some(options) = lines.find_map(|line| match line.as_slice() {
        [_, SHARED_MEMORY, "tmpfs", options, ..] => Some(options.split(',').collect::<Vec<_>>()),
        _ => None,
    }) else {
        return false;
    };
    let kib = options.iter().find_map(|option| option.strip_prefix("size=")?.strip_suffix('k')?.parse().ok());
    options.contains(&"rw") && !options.contains(&"noexec") && kib.is_some_and(|kib: u64| kib >= LEAST_KIB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_in_memory_is_large_and_may_hold_programs() {
        assert!(is_fit("proc /proc proc rw 0 0\ntmpfs /dev/shm tmpfs rw,relatime,size=24684084k 0 0\n"));
        for mounts in [
            "",
            "tmpfs /dev/shm tmpfs rw,nosuid,nodev,noexec,relatime,size=24684084k 0 0",
            "shm /dev/shm tmpfs rw,relatime,size=65536k 0 0",
            "tmpfs /dev/shm tmpfs ro,size=24684084k 0 0",
            "/dev/vda /dev/shm ext4 rw 0 0",
        ] {
            assert!(!is_fit(mounts), "{mounts}");
        }
    }
}
