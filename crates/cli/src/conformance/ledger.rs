//! The journal of a run on the disk: a file a connection in the data directory (0600), a JSON line an entry, on the disk
//! before the cloud is asked. What is in it at the start is what an earlier run left behind.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pmks_conformance::{Entry, Sink};
use pmks_model::FailureKind;
use serde::{Deserialize, Serialize};

use super::connection::Place;
use crate::app::App;
use crate::error::{Error, Result};
use crate::{private_file, shell};

/// The version of the file.
const VERSION: u32 = 1;

/// The first line: where what follows was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Heading {
    journal: u32,
    provider: String,
    region: String,
    account: String,
}

/// What an earlier run left behind.
#[derive(Debug, Default)]
pub(crate) struct LeftBehind {
    /// The account in which it ran.
    pub(crate) account: String,
    /// What it asked for.
    pub(crate) lines: Vec<Entry>,
}

impl LeftBehind {
    /// Whether nothing was.
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

/// The file, held by this process alone.
#[derive(Clone)]
pub(crate) struct Ledger {
    file: Arc<Mutex<File>>,
    path: PathBuf,
    provider: String,
    region: String,
}

/// Refuses while an earlier run has left something behind at the connection: nothing else could remove it.
///
/// # Errors
/// `Precondition`, naming the file that knows.
pub(crate) fn nothing_is_left_at(app: &App, connection: &str) -> Result<()> {
    let path = file(app, connection);
    if !std::fs::metadata(&path).is_ok_and(|metadata| metadata.len() > 0) {
        return Ok(());
    }
    let says =
        format!("a run of the conformance suite may have left something behind there: {}", path.display());
    let by = shell::connection(connection);
    let fix = format!("pmks conformance {by} --clean-up; or see what the file names, then remove it");
    Err(Error::new(FailureKind::Precondition, says).with_fix(fix))
}

fn folder(app: &App) -> PathBuf {
    app.data.file("conformance")
}

fn file(app: &App, connection: &str) -> PathBuf {
    folder(app).join(file_name(connection))
}

/// The name as it is where every file system takes it, else its hash: a connection's may be longer than any file's, and
/// written in letters that one of them folds.
fn file_name(connection: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if connection.len() <= 63 && connection.chars().all(is_plain) {
        return format!("{connection}.journal");
    }
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, connection.as_bytes());
    format!("~{}.journal", URL_SAFE_NO_PAD.encode(hash))
}

impl Ledger {
    /// Opens the connection's file.
    ///
    /// # Errors
    /// `Conflict` while another process runs the suite there.
    pub(crate) fn open(app: &App, place: &Place) -> Result<Self> {
        private_file::folder(&folder(app))?;
        let path = file(app, &place.specification.name);
        let failed = |error: &std::io::Error| Error::file("open", &path, error);
        let mut options = File::options();
        options.create(true).read(true).write(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(|error| failed(&error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                let says = format!("the suite runs on connection {:?} already", place.specification.name);
                return Err(Error::new(FailureKind::Conflict, says).with_fix("wait for its end"));
            }
            Err(std::fs::TryLockError::Error(error)) => return Err(failed(&error)),
        }
        Ok(Self {
            file: Arc::new(Mutex::new(file)),
            path,
            provider: place.provider.clone(),
            region: place.specification.region.clone(),
        })
    }

    /// What an earlier run left behind. The last line may have been cut off while it was written: what it tells of was
    /// not asked for then.
    ///
    /// # Errors
    /// For a file of another version or place.
    pub(crate) fn left_behind(&self) -> Result<LeftBehind> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = |error: std::io::Error| Error::file("read", &self.path, &error);
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let lines: Vec<String> =
            BufReader::new(&*file).lines().collect::<std::io::Result<_>>().map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        let Some((first, rest)) = lines.split_first() else { return Ok(LeftBehind::default()) };
        let odd = |what: &str| {
            let says = format!("{} {what}", self.path.display());
            Error::new(FailureKind::Precondition, says)
                .with_fix("see what it names at the cloud, then remove the file")
        };
        let heading: Heading = serde_json::from_str(first).map_err(|_| odd("cannot be read"))?;
        if heading.journal != VERSION || heading.provider != self.provider || heading.region != self.region {
            return Err(odd("was written for another place, or by another version"));
        }
        let mut read = Vec::with_capacity(rest.len());
        for (index, line) in rest.iter().enumerate() {
            match serde_json::from_str(line) {
                Ok(entry) => read.push(entry),
                Err(_) if index + 1 == rest.len() => {}
                Err(_) => return Err(odd("is damaged")),
            }
        }
        Ok(LeftBehind { account: heading.account, lines: read })
    }

    /// Begins anew: nothing is left of what was asked for before.
    pub(crate) fn begin(&self, account: &str) -> Result<()> {
        let heading = Heading {
            journal: VERSION,
            provider: self.provider.clone(),
            region: self.region.clone(),
            account: account.to_owned(),
        };
        self.clear()?;
        let kept = self.line(&heading, true);
        kept.map_err(|why| Error::new(FailureKind::Unexpected, format!("{}: {why}", self.path.display())))
    }

    /// Empties the file.
    pub(crate) fn clear(&self) -> Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| file.sync_data())
            .map_err(|error| Error::file("write", &self.path, &error))
    }

    fn line(&self, value: &impl Serialize, lasting: bool) -> std::result::Result<(), String> {
        let mut line = serde_json::to_string(value).map_err(|error| error.to_string())?;
        line.push('\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let written = file.write_all(line.as_bytes());
        written
            .and_then(|()| if lasting { file.sync_data() } else { Ok(()) })
            .map_err(|error| error.to_string())
    }
}

impl Sink for Ledger {
    fn keep(&self, entry: &Entry, lasting: bool) -> std::result::Result<(), String> {
        self.line(entry, lasting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_connection_has_a_file_of_its_own_that_can_be_made() {
        let longest = "\u{1f680}".repeat(255);
        let names =
            ["aws", "서울 (운영)", "a b", "a  b", "~aws", &longest, &"x".repeat(255), &"x".repeat(64)];
        let files: std::collections::BTreeSet<String> = names.iter().map(|name| file_name(name)).collect();
        assert_eq!(files.len(), names.len(), "{files:?}");
        assert!(files.contains("aws.journal"), "as it always was: {files:?}");
        for file in files {
            assert!(file.len() <= 100 && file.is_ascii() && !file.contains(['/', ' ']), "{file}");
        }
    }
}
