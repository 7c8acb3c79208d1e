//! What every command is given: the settings that hold for all, the environment, the clock, the data directory.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pmks_driver::Environment;
use pmks_store::SqliteStore;
use pmks_transport::{Clock, Sampling, SystemClock};
use tempfile::TempDir;

use crate::arguments::Global;
use crate::data_directory::DataDirectory;
use crate::error::{Error, Result};
use crate::output::Form;
use crate::tracing_setup::Log;

/// How long a store may take to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// What every command is given.
#[derive(Clone)]
pub(crate) struct App {
    /// The settings that hold for every command.
    pub(crate) global: Global,
    /// The variables of the process.
    pub(crate) environment: Environment,
    /// The one clock.
    pub(crate) clock: Arc<dyn Clock>,
    /// Where pmks keeps what it remembers.
    pub(crate) data: DataDirectory,
    /// The stores that this process has open.
    pub(crate) opened: Opened,
    /// The log.
    pub(crate) log: Arc<Log>,
    /// Which traces that begin here are kept, where there is a collector.
    pub(crate) sampling: Option<Sampling>,
    /// Whether the command only shows what it would do.
    pub(crate) plans: bool,
    /// What the data directory goes with, where it is not to stay.
    pub(crate) passing_folder: Option<Arc<TempDir>>,
}

/// The stores that this process has open, to be closed at its end.
#[derive(Clone, Default)]
pub(crate) struct Opened(Arc<Mutex<Vec<Open>>>);

/// A store, and the folder that goes with it.
struct Open {
    store: Arc<SqliteStore>,
    _folder: Option<Arc<TempDir>>,
}

impl Opened {
    /// Keeps one more, and the folder that goes with it.
    pub(crate) fn keep(&self, store: Arc<SqliteStore>, folder: Option<Arc<TempDir>>) -> Arc<SqliteStore> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Open { store: Arc::clone(&store), _folder: folder });
        store
    }

    /// Closes them all: what is committed is in the one file afterwards. Nothing is lost if that takes too long.
    pub(crate) async fn close(&self, clock: &dyn Clock) {
        let stores = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let closed = async {
            for open in stores {
                open.store.close().await;
            }
        };
        tokio::select! {
            () = closed => {}
            () = clock.deadline(PATIENCE) => tracing::warn!("the database is still in use; it was left as it is"),
        }
    }
}

impl App {
    /// From parsed settings.
    pub(crate) fn new(global: Global, environment: Environment, log: Arc<Log>) -> Self {
        let data = DataDirectory::new(global.data_dir.as_deref(), &environment);
        Self {
            global,
            environment,
            clock: Arc::new(SystemClock),
            data,
            opened: Opened::default(),
            log,
            sampling: None,
            plans: false,
            passing_folder: None,
        }
    }

    /// The same where nothing is known yet, in a folder that goes with the command: what only shows something leaves
    /// nothing behind.
    ///
    /// # Errors
    /// When there is no room for temporary files.
    pub(crate) fn nowhere(&self) -> Result<Self> {
        let folder = TempDir::with_prefix("pmks-");
        let folder = folder.map_err(|error| Error::file("write in", &std::env::temp_dir(), &error))?;
        let mut app = self.clone();
        app.data = DataDirectory::new(Some(&folder.path().join("data")), &self.environment);
        app.global.database = None;
        app.global.master_key_file = Some(folder.path().join("master-key"));
        app.passing_folder = Some(Arc::new(folder));
        Ok(app)
    }

    /// How to print.
    pub(crate) fn form(&self) -> Form {
        Form { output: self.global.output, no_color: self.no_color() }
    }

    /// Whether colours are refused. Source: <https://no-color.org/>
    pub(crate) fn no_color(&self) -> bool {
        self.environment.get("NO_COLOR").is_some()
    }

    /// The connection that the command is about.
    ///
    /// # Errors
    /// If none is named.
    pub(crate) fn connection(&self) -> Result<&str> {
        match self.global.connection.as_deref() {
            Some("") | None => {
                Err(Error::usage("this needs a connection").with_fix("name it: -c NAME, or PMKS_CONNECTION"))
            }
            Some("-") => Err(Error::usage("this needs one connection, not all of them (-)")),
            Some(name) => Ok(name),
        }
    }

    /// The connection that the command is about, or all of them.
    pub(crate) fn connection_or_all(&self) -> &str {
        self.global.connection.as_deref().filter(|name| !name.is_empty()).unwrap_or("-")
    }
}
