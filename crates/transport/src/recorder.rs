//! The record of exchanges: for the schema gate, for tests and for bug reports. What arrives here has no secrets any
//! more; a recorder never sees one.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Effect;

/// One try of a call and what came of it, secrets removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exchange {
    /// When it was sent, by this machine's clock.
    pub at: Timestamp,
    /// The provider of the client.
    pub provider: String,
    /// The service, as the driver names it.
    pub service: String,
    /// The action, as the driver names it.
    pub action: String,
    /// What the call does at the cloud.
    pub effect: Effect,
    /// Which try of the call, from 1.
    pub attempt: u32,
    /// The HTTP method.
    pub method: String,
    /// The URL, secrets in its query removed.
    pub url: String,
    /// The headers sent.
    pub request_headers: BTreeMap<String, String>,
    /// The body sent, as text; empty when there was none.
    pub request_body: String,
    /// The HTTP status; absent when no answer came.
    pub status: Option<u16>,
    /// The headers received.
    pub response_headers: BTreeMap<String, String>,
    /// The body received, as text.
    pub response_body: String,
    /// From the first byte sent to the end, in milliseconds.
    pub duration_ms: u64,
    /// `answered`, or why there is no answer: `notSent`, `lost`, `tooLarge`.
    pub outcome: String,
    /// What went wrong, where no answer came.
    pub error: Option<String>,
    /// Whether a fault layer made or changed what is recorded: such an answer says nothing about the server.
    #[serde(default)]
    pub injected: bool,
}

/// Keeps exchanges. Called once a try, answered or lost; must not block for long.
pub trait Recorder: Send + Sync {
    /// Keeps one exchange.
    fn record(&self, exchange: Exchange);
}

/// Keeps exchanges in memory, for tests.
#[derive(Debug, Default)]
pub struct MemoryRecorder {
    exchanges: Mutex<Vec<Exchange>>,
}

impl MemoryRecorder {
    /// An empty record.
    pub fn new() -> Self {
        Self::default()
    }

    /// A copy of everything recorded, oldest first.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes everything recorded, oldest first, and begins anew.
    pub fn take(&self) -> Vec<Exchange> {
        std::mem::take(&mut *self.exchanges.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Recorder for MemoryRecorder {
    fn record(&self, exchange: Exchange) {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).push(exchange);
    }
}

/// Keeps each exchange as a JSON file of its own in a directory: `000001-eks.CreateCluster.json`, readable by its
/// owner alone. Files that are there already stay.
#[derive(Debug)]
pub struct DirectoryRecorder {
    directory: PathBuf,
    last: AtomicU64,
}

impl DirectoryRecorder {
    /// Records into `directory`, which is made (for its owner alone) if it does not exist.
    ///
    /// # Errors
    /// When the directory can be neither read nor made.
    pub fn new(directory: impl Into<PathBuf>) -> io::Result<Self> {
        let directory = directory.into();
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&directory)?;
        let mut last = 0;
        for entry in fs::read_dir(&directory)? {
            last = last.max(number(&entry?.file_name().to_string_lossy()).unwrap_or_default());
        }
        Ok(Self { directory, last: AtomicU64::new(last) })
    }

    /// Where the files are.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    fn write(&self, exchange: &Exchange) -> io::Result<()> {
        let number = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let action: String = exchange.action.chars().map(file_name_character).collect();
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(self.directory.join(format!("{number:06}-{action}.json")))?;
        let mut text = serde_json::to_vec_pretty(exchange)?;
        text.push(b'\n');
        file.write_all(&text)
    }
}

fn number(file_name: &str) -> Option<u64> {
    file_name.split_once('-')?.0.parse().ok()
}

fn file_name_character(character: char) -> char {
    if character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-') { character } else { '_' }
}

impl Recorder for DirectoryRecorder {
    fn record(&self, exchange: Exchange) {
        if let Err(error) = self.write(&exchange) {
            tracing::warn!(action = exchange.action, %error, "an exchange could not be recorded");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(action: &str) -> Exchange {
        Exchange {
            at: "2026-01-01T00:00:00Z".parse().unwrap(),
            provider: "aws".into(),
            service: "eks".into(),
            action: action.into(),
            effect: Effect::Read,
            attempt: 1,
            method: "GET".into(),
            url: "https://eks.example/".into(),
            request_headers: BTreeMap::new(),
            request_body: String::new(),
            status: None,
            response_headers: BTreeMap::new(),
            response_body: String::new(),
            duration_ms: 5,
            outcome: "lost".into(),
            error: Some("reset".into()),
            injected: false,
        }
    }

    #[test]
    fn each_exchange_is_a_private_numbered_file_and_old_ones_stay() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/b");
        DirectoryRecorder::new(&path).unwrap().record(exchange("eks.ListClusters"));
        DirectoryRecorder::new(&path).unwrap().record(exchange("../x"));
        let mut names: Vec<_> = fs::read_dir(&path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["000001-eks.ListClusters.json", "000002-.._x.json"]);
        let text = fs::read(path.join("000001-eks.ListClusters.json")).unwrap();
        assert_eq!(serde_json::from_slice::<Exchange>(&text).unwrap(), exchange("eks.ListClusters"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&path), 0o700);
            assert_eq!(mode(&path.join("000001-eks.ListClusters.json")), 0o600);
        }
    }
}
