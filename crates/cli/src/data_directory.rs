//! Where pmks keeps what it remembers: for one user (0700), for one process at a time (a lock).
//!
//! The master key never lies in here.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use pmks_driver::Environment;
use pmks_model::FailureKind;
use pmks_transport::Clock;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::error::{Error, Result};
use crate::{paths, private_file};

/// How often a taken lock is tried again.
const TRY_EVERY: Duration = Duration::from_millis(100);

/// The data directory.
#[derive(Clone, Debug)]
pub(crate) struct DataDirectory {
    path: PathBuf,
}

/// What a server writes so that commands find it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ServerFile {
    /// The process.
    pub(crate) pid: u32,
    /// Where it answers.
    pub(crate) url: Url,
    /// It ends with the command that it works for, and carries on the operation of that command alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) passing: bool,
}

/// Held by the one process that works on the directory.
#[derive(Debug)]
pub(crate) struct Lock {
    // The system frees the lock with the file, whatever ends the process.
    _file: File,
}

/// Who works on the directory.
pub(crate) enum Holder {
    /// We do.
    Us(Lock),
    /// A server, which answers here.
    Server(ServerFile),
}

/// What is wanted of who works on the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// An answer: a command that works there gives it too.
    Answer,
    /// Work that somebody carries on: not a command, which ends with an operation of its own.
    Work,
}

impl DataDirectory {
    /// The directory of `--data-dir`, else of the user.
    pub(crate) fn new(named: Option<&Path>, environment: &Environment) -> Self {
        let path = named.map_or_else(|| paths::data_folder(environment), Path::to_owned);
        Self { path: std::path::absolute(&path).unwrap_or(path) }
    }

    /// Its path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The token that the local server accepts.
    pub(crate) fn token_file(&self) -> PathBuf {
        self.file("token")
    }

    /// Makes it if there is none, and makes it the owner's alone.
    pub(crate) fn make(&self) -> Result<()> {
        private_file::folder(&self.path)?;
        self.close_to_others()
    }

    #[cfg(unix)]
    fn close_to_others(&self) -> Result<()> {
        use std::os::unix::fs::PermissionsExt as _;
        let failed = |error: &std::io::Error| Error::file("use", &self.path, error);
        let metadata = std::fs::metadata(&self.path).map_err(|error| failed(&error))?;
        let others = metadata.permissions().mode() & 0o077;
        if others == 0 {
            return Ok(());
        }
        // A directory that somebody uses for other things is not ours to close.
        let empty = std::fs::read_dir(&self.path).map_err(|error| failed(&error))?.next().is_none();
        if !empty && !self.file("lock").exists() {
            let says = format!("{} can be entered by others and holds other files", self.path.display());
            return Err(Error::new(FailureKind::Precondition, says)
                .with_fix(format!("name another folder, or chmod 700 {}", self.path.display())));
        }
        std::fs::set_permissions(&self.path, std::fs::Permissions::from_mode(0o700))
            .map_err(|error| failed(&error))
    }

    #[cfg(not(unix))]
    fn close_to_others(&self) -> Result<()> {
        Ok(())
    }

    /// The lock, or the server that holds it. A command that holds it and cannot give what is wanted is waited for, for
    /// that long.
    ///
    /// # Errors
    /// `Conflict` while another command works on it.
    pub(crate) async fn hold(&self, clock: &dyn Clock, patience: Duration, wanted: Wanted) -> Result<Holder> {
        self.make()?;
        let deadline = clock.monotonic().saturating_add(patience);
        let mut said = patience.is_zero();
        loop {
            if let Some(lock) = self.try_lock()? {
                // What a killed server left would send others to a port that is not ours.
                self.forget_server();
                return Ok(Holder::Us(lock));
            }
            let server = self.server()?;
            if let Some(server) = server.filter(|server| wanted == Wanted::Answer || !server.passing) {
                return Ok(Holder::Server(server));
            }
            if clock.monotonic() >= deadline {
                let says = format!("another pmks command works on {}", self.path.display());
                return Err(Error::new(FailureKind::Conflict, says)
                    .with_fix("wait for its end, or run `pmks serve`: commands share a server"));
            }
            if !std::mem::replace(&mut said, true) {
                tracing::info!(folder = %self.path.display(), "waiting for another pmks command");
            }
            clock.sleep(TRY_EVERY).await;
        }
    }

    /// The server that works on it, if one does.
    pub(crate) fn running_server(&self) -> Result<Option<ServerFile>> {
        if !self.file("lock").exists() || self.try_lock()?.is_some() {
            return Ok(None);
        }
        self.server()
    }

    /// The lock, unless somebody else holds it.
    pub(crate) fn try_lock(&self) -> Result<Option<Lock>> {
        let path = self.file("lock");
        let failed = |error: &std::io::Error| Error::file("lock", &path, error);
        let mut options = File::options();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(|error| failed(&error))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed(&error)),
        }
    }

    fn server(&self) -> Result<Option<ServerFile>> {
        let text = private_file::read_if_any(&self.file("server.json"))?;
        // Half a file is one that is being written: as good as none.
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Says where the server is; the caller holds the lock.
    pub(crate) fn write_server(&self, server: &ServerFile) -> Result<()> {
        let text = serde_json::to_string(server)
            .map_err(|error| Error::new(FailureKind::Unexpected, error.to_string()))?;
        private_file::replace(&self.file("server.json"), &text)
    }

    /// Says that there is no server; the caller holds the lock.
    pub(crate) fn forget_server(&self) {
        // What is left behind of a server that is gone is recognised by the free lock.
        let _ = std::fs::remove_file(self.file("server.json"));
    }
}

#[cfg(test)]
mod tests {
    use pmks_transport::SystemClock;

    use super::*;
    use proptest::prelude::*;

    fn directory(path: &Path) -> DataDirectory {
        DataDirectory::new(Some(path), &Environment::default())
    }

    #[tokio::test]
    async fn one_process_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let directory = directory(&folder.path().join("data"));
        let Holder::Us(lock) = directory.hold(&SystemClock, Duration::ZERO, Wanted::Work).await.unwrap()
        else {
            panic!("nobody else is there");
        };
        let hold = async |wanted| directory.hold(&SystemClock, Duration::ZERO, wanted).await;
        assert!(hold(Wanted::Answer).await.err().unwrap().is(FailureKind::Conflict));
        let url: Url = "http://127.0.0.1:9".parse().unwrap();
        directory.write_server(&ServerFile { pid: 1, url: url.clone(), passing: true }).unwrap();
        assert!(matches!(hold(Wanted::Answer).await.unwrap(), Holder::Server(_)));
        assert!(
            hold(Wanted::Work).await.err().unwrap().is(FailureKind::Conflict),
            "a command works for itself"
        );
        directory.write_server(&ServerFile { pid: 1, url, passing: false }).unwrap();
        assert!(matches!(hold(Wanted::Work).await.unwrap(), Holder::Server(_)));
        assert_eq!(directory.running_server().unwrap().unwrap().pid, 1);
        drop(lock);
        assert!(directory.running_server().unwrap().is_none(), "a server without the lock is gone");
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_of_other_things_is_left_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let open = folder.path().join("open");
        std::fs::create_dir(&open).unwrap();
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o755)).unwrap();
        directory(&open).make().unwrap();
        assert_eq!(std::fs::metadata(&open).unwrap().permissions().mode() & 0o777, 0o700);
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::write(open.join("photo"), "").unwrap();
        assert!(directory(&open).make().is_err());
    }

    proptest! {
        #![proptest_config(crate::properties::cases(200))]
        #[test]
        fn what_is_no_server_file_is_none(
            text in prop_oneof![
                "\\PC{0,40}",
                "\\{\"pid\":(-?[0-9]{1,20}|\"x\"|null),\"url\":\"(http://127.0.0.1:9|\\[|file:///etc|\\PC{0,8})\"(,\"passing\":(true|1))?\\}?",
            ],
        ) {
            let folder = tempfile::tempdir().unwrap();
            let directory = directory(folder.path());
            std::fs::write(directory.file("server.json"), &text).unwrap();
            if let Some(server) = directory.server().unwrap() {
                let known: ServerFile = serde_json::from_str(&text).unwrap();
                prop_assert_eq!((server.pid, server.url), (known.pid, known.url));
            }
        }
    }
}
