//! Puts the facade together: store, master key, transport, registry. Carries nothing on by itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pmks_core::engine;
use pmks_driver::{Environment, chain};
use pmks_model::FailureKind;
use pmks_store::{AuditEntry, Connections as _, MasterKey, SqliteStore};
use pmks_transport::{DirectoryRecorder, Transport};

use crate::app::App;
use crate::error::{Error, Result};
use crate::key_ring;
use crate::{paths, registry, sudden_death};

/// Opens what the facade is made of. The caller holds the data directory's lock.
///
/// # Errors
/// For a key that does not open the store, a database that cannot be opened, a folder that cannot be written.
pub(crate) async fn open(
    app: &App,
    allow_ambient: bool,
    allow_endpoints: bool,
) -> Result<pmks_core::Options> {
    Ok(pmks_core::Options {
        store: store(app).await?,
        registry: registry::providers(Some(&app.data.file("at-home"))),
        transport: transport(app)?,
        environment: app.environment.clone(),
        allow_ambient,
        allow_endpoints,
        unique_cloud_names: false,
        engine: engine::Options { seed: u64::from(std::process::id()), ..engine::Options::default() },
    })
}

async fn store(app: &App) -> Result<Arc<SqliteStore>> {
    let path = database(app)?;
    say_if_new(app, &path);
    let mut opened = Err(pmks_store::Error::WrongMasterKey);
    for key in master_keys(app, &path)? {
        opened = SqliteStore::open(&path, key, sudden_death::kill_points(&app.environment)).await;
        if !matches!(opened, Err(pmks_store::Error::WrongMasterKey)) {
            break;
        }
    }
    let opened = opened.map_err(|error| {
        let (kind, fix) = match &error {
            pmks_store::Error::WrongMasterKey => (FailureKind::Precondition, None),
            pmks_store::Error::Database(error) => (FailureKind::Precondition, error.fault.fix()),
            _ => (FailureKind::Unexpected, None),
        };
        let refused = Error::new(kind, format!("{} cannot be opened: {}", path.display(), chain(&error)));
        match fix {
            Some(fix) => refused.with_fix(fix),
            None => refused,
        }
    })?;
    Ok(app.opened.keep(Arc::new(opened), app.passing_folder.clone()))
}

/// Wraps every data key with a new master key, and puts that before the old one. The caller holds the lock.
///
/// # Errors
/// As [`open`]; `Precondition` where the key is not in a file.
pub(crate) async fn rotate(app: &App) -> Result<()> {
    if app.environment.get("PMKS_MASTER_KEY").is_some() {
        let says = "the master key is in PMKS_MASTER_KEY, where pmks cannot replace it";
        return Err(Error::new(FailureKind::Precondition, says)
            .with_fix("write it to a file (0600), name that by --master-key-file, and rotate then"));
    }
    let store = store(app).await?;
    // First the file: whatever cuts this off, it holds the key that the store knows.
    let key = key_ring::renew(&master_key_file(app))?;
    let audit = AuditEntry {
        at: app.clock.wall(),
        who: app.environment.get("USER").unwrap_or("local").to_owned(),
        action: "masterKey.rotate".to_owned(),
        target: "masterKey".to_owned(),
        request_id: String::new(),
    };
    store.rotate(key, audit).await.map_err(|error| Error::new(FailureKind::Unexpected, chain(&error)))?;
    crate::output::note(&format!(
        "every credential's key is wrapped by the new master key, the first line of {}; the lines below it are former \
         keys: other data directories and older backups may need them",
        master_key_file(app).display()
    ));
    Ok(())
}

/// Whether anything is known here: where nothing is, there is nothing to look up.
pub(crate) fn is_begun(app: &App) -> Result<bool> {
    Ok(database(app)?.exists())
}

/// The file of the database.
fn database(app: &App) -> Result<PathBuf> {
    let Some(named) = app.global.database.as_deref() else { return Ok(app.data.file("pmks.db")) };
    if let Some(path) = named.strip_prefix("sqlite:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        return match path {
            "" => Err(Error::usage("sqlite: names no file")),
            path => Ok(PathBuf::from(path)),
        };
    }
    if named.starts_with("postgres:") || named.starts_with("postgresql:") {
        return Err(Error::new(FailureKind::Unsupported, "PostgreSQL is not supported yet")
            .with_fix("name sqlite:PATH, or nothing for the data directory"));
    }
    Err(Error::usage("the database is neither sqlite:PATH nor postgres://…"))
}

/// The keys that may have sealed the database, the newest first: of the environment, of a file, else of the user's
/// configuration folder.
/// A new store where there were others is what a user wants, or the sign of one that was lost.
fn say_if_new(app: &App, database: &Path) {
    let is_empty = std::fs::metadata(database).map_or(true, |metadata| metadata.len() == 0);
    if is_empty && app.environment.get("PMKS_MASTER_KEY").is_none() && master_key_file(app).exists() {
        tracing::warn!(
            "a new database is begun in {}: there is none, or an empty one; if there was one, stop and put it back \
             (docs/store.md)",
            database.display()
        );
    }
}

fn master_keys(app: &App, database: &Path) -> Result<Vec<MasterKey>> {
    if let Some(text) = app.environment.get("PMKS_MASTER_KEY") {
        return key_ring::of_text(text);
    }
    let file = master_key_file(app);
    if database.exists() { key_ring::load(&file) } else { key_ring::load_or_create(&file, app.data.path()) }
}

/// Where the master key lies: never within the data directory, so that no backup of it holds both.
pub(crate) fn master_key_file(app: &App) -> PathBuf {
    match &app.global.master_key_file {
        Some(path) => std::path::absolute(path).unwrap_or_else(|_| path.clone()),
        None => default_master_key_file(&app.environment),
    }
}

fn default_master_key_file(environment: &Environment) -> PathBuf {
    paths::configuration_folder(environment).join("master-key")
}

fn transport(app: &App) -> Result<Transport> {
    let mut builder = Transport::builder(Arc::clone(&app.clock));
    if let Some(folder) = &app.global.record {
        let recorder =
            DirectoryRecorder::new(folder).map_err(|error| Error::file("record into", folder, &error))?;
        builder = builder.recorder(Arc::new(recorder));
    }
    Ok(builder.build())
}
