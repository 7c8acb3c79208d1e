//! What a transaction may answer instead of its result. Never holds a secret.

use std::sync::Arc;

use pmks_model::{ResourceKind, Subject};
use uuid::Uuid;

/// The result of a transaction.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a transaction did nothing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name, or the cloud's identifier, is known already.
    #[error("{what} exists already")]
    AlreadyExists {
        /// What exists, for people.
        what: String,
        /// The same, where it is a record.
        about: Option<Subject>,
    },
    /// There is no such record.
    #[error("{what} is not known")]
    NotFound {
        /// What was asked for.
        what: String,
        /// The same, where it is a connection.
        about: Option<Subject>,
    },
    /// It is needed, or not in a state that allows this.
    #[error("{0}")]
    Conflict(String),
    /// Operations that are not over hold it.
    #[error("operations that are not over hold it: {}", list(.holders))]
    Held {
        /// Those operations, oldest first.
        holders: Vec<Uuid>,
    },
    /// An operation of this kind is under way that was asked for otherwise.
    #[error("operation {operation} was asked for otherwise")]
    Unlike {
        /// That operation.
        operation: Uuid,
    },
    /// Somebody else carries the operation on since: nothing may be written any more.
    #[error("the operation was claimed anew")]
    Fenced,
    /// It changed since it was read.
    #[error("{what} changed since it was read")]
    Stale {
        /// What changed.
        what: String,
    },
    /// The idempotency key was used with another body.
    #[error("this idempotency key was used with another request")]
    KeyReused,
    /// The master key is not the one that the credentials are sealed with.
    #[error("the master key does not open this store; give the key it was made with")]
    WrongMasterKey,
    /// A row that cannot be read: damaged, moved, or written by a newer release.
    #[error("{0}")]
    Damaged(String),
    /// The store was closed while the transaction was under way: nobody knows whether it was kept.
    #[error("the store is closed")]
    Closed,
    /// The database itself.
    #[error(transparent)]
    Database(DatabaseError),
    /// The tables could not be brought up to date.
    #[error("the database could not be brought up to date")]
    Migration(#[source] sqlx::migrate::MigrateError),
}

/// The database did not do what it was told.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", .fault.says())]
pub struct DatabaseError {
    /// What is wrong, as far as it can be said.
    pub fault: Fault,
    source: Arc<sqlx::Error>,
}

/// What is wrong with a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no room for more.
    Full,
    /// It cannot be written to, or not be opened at all.
    Forbidden,
    /// It is no database, or not a whole one any more.
    Corrupt,
    /// Its file was taken away, or another one put in its place, while it is served.
    Removed,
    /// Its disk did not read or write: over a quota or a limit, or failing.
    Disk,
    /// Something else; the source says more.
    Other,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Full, Self::Forbidden, Self::Corrupt, Self::Removed, Self::Disk, Self::Other];

    /// By the primary result code, the low byte. Source: <https://www.sqlite.org/rescode.html>
    fn of(error: &sqlx::Error) -> Self {
        let error = match error {
            sqlx::Error::Database(error) => error,
            sqlx::Error::Io(error) => return Self::of_file(error.kind()),
            _ => return Self::Other,
        };
        let code: i32 = error.code().and_then(|code| code.parse().ok()).unwrap_or(0);
        match code & 0xff {
            13 => Self::Full,
            3 | 8 | 14 | 23 => Self::Forbidden,
            10 => Self::Disk,
            11 | 26 => Self::Corrupt,
            _ => Self::Other,
        }
    }

    fn of_file(kind: std::io::ErrorKind) -> Self {
        match kind {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full,
            std::io::ErrorKind::FileTooLarge => Self::Disk,
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => Self::Forbidden,
            _ => Self::Other,
        }
    }

    fn says(self) -> &'static str {
        match self {
            Self::Full => "the disk of the database is full",
            Self::Forbidden => "the database cannot be written to",
            Self::Corrupt => "the database is damaged",
            Self::Removed => "the database was taken away, or another one put in its place",
            Self::Disk => "the disk of the database does not read or write",
            Self::Other => "the database failed",
        }
    }

    /// What its owner can do.
    pub fn fix(self) -> Option<&'static str> {
        match self {
            Self::Full => {
                Some("make room on its disk; what was not stored was not done, and the rest goes on")
            }
            Self::Forbidden => {
                Some("give the user that runs pmks the right to write the file and its folder")
            }
            Self::Corrupt => {
                Some("stop pmks and put a backup in its place, or save what can be read: docs/store.md")
            }
            Self::Removed => Some(
                "stop pmks and put the file, or a backup, in its place; it begins anew where there is none: docs/store.md",
            ),
            Self::Disk => Some(
                "look whether its disk is over a quota or a limit of file sizes, or failing; what was not stored was \
                 not done, and the rest goes on once it writes again",
            ),
            Self::Other => None,
        }
    }

    /// The word used in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Forbidden => "forbidden",
            Self::Corrupt => "corrupt",
            Self::Removed => "removed",
            Self::Disk => "disk",
            Self::Other => "other",
        }
    }
}

impl DatabaseError {
    /// What a check of the whole file found.
    pub(crate) fn corrupt(says: String) -> Self {
        Self { fault: Fault::Corrupt, source: Arc::new(sqlx::Error::Protocol(says)) }
    }

    /// The file is not where it was.
    pub(crate) fn removed(says: String) -> Self {
        Self { fault: Fault::Removed, source: Arc::new(sqlx::Error::Protocol(says)) }
    }
}

impl From<sqlx::Error> for DatabaseError {
    fn from(error: sqlx::Error) -> Self {
        Self { fault: Fault::of(&error), source: Arc::new(error) }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolClosed => Self::Closed,
            error => Self::Database(error.into()),
        }
    }
}

impl From<DatabaseError> for Error {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}

impl Error {
    pub(crate) fn not_found(what: impl Into<String>) -> Self {
        Self::NotFound { what: what.into(), about: None }
    }

    /// There is no such connection.
    pub(crate) fn not_connected(name: &str) -> Self {
        let about = Subject { kind: ResourceKind::Connection, name: name.to_owned() };
        Self::NotFound { what: format!("connection {name:?}"), about: Some(about) }
    }
}

fn list(holders: &[Uuid]) -> String {
    holders.iter().map(Uuid::to_string).collect::<Vec<_>>().join(", ")
}
