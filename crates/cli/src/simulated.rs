//! Simulated clouds that this process serves: fresh ones, or worlds that are kept in a folder.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::Request;
use pmks_model::FailureKind;
use pmks_simulation::{Answered, Before, Change, Cloud, Effects, Identified, Over, RunningCloud, StateError};
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::private_file;
use crate::registry::{Entry, Simulated};

/// So many bytes of changes are always kept before the world is written whole again.
const LEAST: usize = 1 << 20;

/// A simulated cloud that is being served.
pub(crate) struct Served {
    /// The provider's name.
    pub(crate) name: &'static str,
    cloud: Arc<dyn Cloud>,
    running: RunningCloud,
}

/// Serves a fresh world.
///
/// # Errors
/// When the port cannot be had.
pub(crate) async fn fresh(entry: &Entry, how: Simulated, port: u16) -> Result<Served> {
    serve(entry.name, entry.simulated(how), port).await
}

/// Serves the world that is kept in that folder, at the port that it had; a fresh one if there is none.
///
/// # Errors
/// When the port cannot be had, or the world cannot be read.
pub(crate) async fn kept(entry: &Entry, how: Simulated, folder: &Path) -> Result<Served> {
    let (keeping, port) = read(entry, how, folder)?;
    serve_kept(entry.name, keeping, port).await
}

/// The same at any port, where nobody has written down the one that it had.
///
/// # Errors
/// When no port can be had, or the world cannot be read.
pub(crate) async fn kept_anywhere(entry: &Entry, how: Simulated, folder: &Path) -> Result<Served> {
    let (keeping, _) = read(entry, how, folder)?;
    serve_kept(entry.name, keeping, 0).await
}

/// The world that is kept in that folder, or a fresh one, and the port that it had.
fn read(entry: &Entry, how: Simulated, folder: &Path) -> Result<(Keeping, u16)> {
    private_file::folder(folder)?;
    let file = folder.join(format!("{}.json", entry.name));
    let cloud = entry.simulated(how);
    let mut port = 0;
    if let Some(text) = private_file::read_if_any(&file)? {
        let damaged = |why: &dyn std::fmt::Display| {
            Error::new(
                FailureKind::Unexpected,
                format!("the world in {} cannot be read: {why}", file.display()),
            )
            .with_fix("remove the file to begin with a fresh world")
        };
        let mut kept = kept_world(&text).map_err(|error| damaged(&error))?;
        port =
            kept.get("port").and_then(Value::as_u64).and_then(|port| u16::try_from(port).ok()).unwrap_or(0);
        cloud
            .restore(kept.get_mut("world").map(Value::take).unwrap_or_default())
            .map_err(|error| damaged(&error))?;
    }
    let kept = Kept {
        cloud: Arc::clone(&cloud),
        file,
        port: OnceLock::new(),
        answers: AtomicU64::default(),
        written: Mutex::default(),
        turn: tokio::sync::Mutex::default(),
    };
    Ok((Keeping { cloud, kept: Arc::new(kept) }, port))
}

/// What a file holds: a world and its port, then a line for each of the times at which it changed.
fn kept_world(text: &str) -> serde_json::Result<Value> {
    let mut lines = text.split_inclusive('\n');
    let mut kept: Value = serde_json::from_str(lines.next().unwrap_or_default())?;
    // The last one may have been written in part when the process died: nobody was answered by it.
    for line in lines.filter(|line| line.ends_with('\n')) {
        let changes: Vec<Change> = serde_json::from_str(line)?;
        if let Some(world) = kept.get_mut("world") {
            for change in changes {
                change.put_into(world);
            }
        }
    }
    Ok(kept)
}

async fn serve_kept(name: &'static str, keeping: Keeping, port: u16) -> Result<Served> {
    let kept = Arc::clone(&keeping.kept);
    let served = serve(name, Arc::new(Over(keeping)), port).await?;
    // Connections name the port: it is kept with the world.
    let _ = kept.port.set(served.running.address().port());
    kept.write();
    Ok(served)
}

async fn serve(name: &'static str, cloud: Arc<dyn Cloud>, port: u16) -> Result<Served> {
    let running = pmks_simulation::serve(Arc::clone(&cloud), port).await.map_err(|error| {
        Error::new(FailureKind::Unavailable, format!("the simulated {name}: {}", pmks_driver::chain(&error)))
    })?;
    Ok(Served { name, cloud, running })
}

impl Served {
    /// Where it is.
    pub(crate) fn url(&self) -> String {
        self.running.url()
    }

    /// A whole connection to it, under that name.
    pub(crate) fn connection(&self, name: &str) -> Value {
        let mut connection = self.cloud.connection(&self.url());
        if let Value::Object(fields) = &mut connection {
            fields.insert("name".to_owned(), json!(name));
        }
        connection
    }

    /// Ends it.
    pub(crate) async fn stop(self) {
        self.running.stop().await;
        self.cloud.settle();
        self.cloud.kept().await;
    }
}

/// The content of a ready file for these clouds.
pub(crate) fn ready_file(served: &[Served]) -> Value {
    let clouds: Vec<(&dyn Cloud, &RunningCloud)> =
        served.iter().map(|served| (&*served.cloud, &served.running)).collect();
    pmks_simulation::ready_file(&clouds)
}

/// A cloud whose world is on the disk before an answer leaves: what a killed process has answered stays true.
struct Keeping {
    cloud: Arc<dyn Cloud>,
    kept: Arc<Kept>,
}

/// Where its world is kept. Answers that wait at the same time wait for one writing.
struct Kept {
    cloud: Arc<dyn Cloud>,
    file: PathBuf,
    port: OnceLock<u16>,
    /// How many answers were made: a revision of those clouds that count none themselves.
    answers: AtomicU64,
    written: Mutex<Written>,
    turn: tokio::sync::Mutex<()>,
}

/// What the file holds.
#[derive(Default)]
struct Written {
    /// The revision.
    revision: Option<u64>,
    /// Where to go on writing; nothing where the world must be written whole.
    end: Option<File>,
    /// How many bytes the whole world had, and what changed since.
    whole: usize,
    changes: usize,
}

impl Kept {
    /// A number that rises with whatever may have changed the world.
    fn revision(&self) -> u64 {
        self.cloud.revision().unwrap_or_else(|| self.answers.load(Ordering::SeqCst))
    }

    /// Writes the world as it is.
    fn write(&self) {
        let Some(port) = self.port.get() else { return };
        // Held while it is written: an older world never comes over a newer one.
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        // Before the world is read: what changes it meanwhile is written once more.
        let now = self.revision();
        match self.put(&mut written, *port) {
            Ok(()) => written.revision = Some(now),
            Err(error) => {
                written.end = None;
                tracing::error!(error, "the world cannot be kept");
            }
        }
    }

    /// Writes what changed, or the whole where that is not known, or less than what changed since.
    fn put(&self, written: &mut Written, port: u16) -> std::result::Result<(), String> {
        let changes = self.cloud.changes();
        if let (Some(changes), Some(end)) = (changes, &mut written.end)
            && written.changes <= written.whole.max(LEAST)
        {
            let line = serde_json::to_string(&changes).map_err(|error| error.to_string())? + "\n";
            end.write_all(line.as_bytes()).map_err(|error| error.to_string())?;
            written.changes += line.len();
            return Ok(());
        }
        let world = self.cloud.snapshot().map_err(|error| error.to_string())?;
        let text = json!({"port": port, "world": world}).to_string() + "\n";
        private_file::replace_quickly(&self.file, &text).map_err(|error| error.text())?;
        let end = Some(private_file::append(&self.file).map_err(|error| error.text())?);
        *written = Written { revision: None, end, whole: text.len(), changes: 0 };
        Ok(())
    }

    /// Whether the world of that revision, or a newer one, is on the disk; no, where that is not known at once.
    fn has_written(&self, revision: u64) -> bool {
        self.written
            .try_lock()
            .is_ok_and(|written| written.revision.is_some_and(|written| written >= revision))
    }

    /// Waits until the world is on the disk as it is now, or newer.
    async fn keep(self: Arc<Self>) {
        let wanted = self.revision();
        if self.has_written(wanted) {
            return;
        }
        let _turn = self.turn.lock().await;
        if self.has_written(wanted) {
            return;
        }
        let kept = Arc::clone(&self);
        // A process that ends needs no answer.
        let _ = tokio::task::spawn_blocking(move || kept.write()).await;
    }
}

impl Before for Keeping {
    fn behind(&self) -> &dyn Cloud {
        &*self.cloud
    }

    fn answer(&self, request: &Request<Bytes>, call: &Identified, effects: &Effects) -> Answered {
        let answered = self.cloud.answer(request, call, effects);
        self.kept.answers.fetch_add(1, Ordering::SeqCst);
        answered
    }

    fn reset(&self) {
        self.cloud.reset();
        self.kept.write();
    }

    fn event(&self, event: &Value) -> std::result::Result<Value, StateError> {
        let result = self.cloud.event(event);
        self.kept.write();
        result
    }

    fn kept(&self) -> BoxFuture<'static, ()> {
        Arc::clone(&self.kept).keep().boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_world_and_what_changed_but_for_what_was_cut_off() {
        let change = |value: u8| json!([{"at": ["things", "a"], "is": value}]).to_string();
        let whole = json!({"port": 7, "world": {"things": {"a": 1}}});
        let world = |text: &str| kept_world(text).map(|kept| kept["world"]["things"]["a"].clone()).ok();
        assert_eq!(world(&format!("{whole}")), Some(json!(1)), "as earlier releases wrote it");
        assert_eq!(world(&format!("{whole}\n{}\n{}\n", change(2), change(3))), Some(json!(3)));
        assert_eq!(world(&format!("{whole}\n{}\n{}", change(2), change(3))), Some(json!(2)));
        assert_eq!(world(&format!("{whole}\n{}\n{}", change(2), &change(3)[..9])), Some(json!(2)));
        assert_eq!(world(&format!("{whole}\n{}\n{}\n", &change(2)[..9], change(3))), None);
        assert_eq!(world(""), None);
    }
}
