//! CB-Spider's environment variables, by one name each.
//!
//! Source: CB-Spider's `setup.env` and `info-store/InfoStore.go`.

/// Who may ask at `/spider`.
pub(crate) const USERNAME: &str = "SPIDER_USERNAME";
/// With what password.
pub(crate) const PASSWORD: &str = "SPIDER_PASSWORD";
/// Where it listens.
pub(crate) const SERVER_ADDRESS: &str = "SERVER_ADDRESS";
/// Whether names at the cloud are made unique.
pub(crate) const ID_TRANSFORM_MODE: &str = "ID_TRANSFORM_MODE";
/// The folder of CB-Spider's own files.
pub(crate) const ROOT: &str = "CBSPIDER_ROOT";
/// The whole URL of its meta database.
pub(crate) const META_DATABASE_URL: &str = "SPIDER_METADB_URL";
/// Or the parts of that: user, password, host and port, database.
pub(crate) const META_DATABASE_PARTS: [&str; 4] =
    ["SPIDER_METADB_USER", "SPIDER_METADB_PASSWORD", "SPIDER_METADB_ENDPOINT", "SPIDER_METADB_DATABASE"];
/// Whether the database is asked over TLS, as PostgreSQL's clients say it.
pub(crate) const META_DATABASE_SSL_MODE: &str = "SPIDER_METADB_SSLMODE";

/// What means nothing to `pmks serve`, and what is there instead.
pub(crate) fn without_meaning() -> impl Iterator<Item = (&'static str, &'static str)> {
    const DATABASE: &str = "the data directory is the database; `pmks import-spider` reads CB-Spider's";
    const BACKUP: &str = "SQLite backs the data directory up while pmks runs: VACUUM INTO 'backup.db'";
    const LOG: &str = "`pmks log-level` says how much is logged";
    let database = [META_DATABASE_URL, META_DATABASE_SSL_MODE, "SPIDER_METADB_CONNECT_TIMEOUT"];
    let database = database.into_iter().chain(META_DATABASE_PARTS).map(|name| (name, DATABASE));
    let others = [
        ("SERVICE_ADDRESS", "--external-url says where others reach this server"),
        ("PERMISSION_BASED_CONTROL_MODE", "tokens have roles and connections: pmks api-token create"),
        ("ADMINWEB", "there are no pages of administration; /spider/api is always served"),
        ("PLUGIN_SW", "every driver is part of the program"),
        ("CBLOG_ROOT", LOG),
        ("SPIDER_LOG_LEVEL", LOG),
        ("SPIDER_HISCALL_LOG_LEVEL", LOG),
        ("SPIDER_BACKUP_ENABLED", BACKUP),
        ("SPIDER_BACKUP_INTERVAL", BACKUP),
        ("SPIDER_BACKUP_DIR", BACKUP),
        ("SPIDER_BACKUP_MAX_COUNT", BACKUP),
        ("MC_INSIGHT_API_TOKEN", "prices are not told"),
    ];
    others.into_iter().chain(database)
}
