//! What a transaction may answer instead of its result. Never holds a secret.

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
    },
    /// There is no such record.
    #[error("{what} is not known")]
    NotFound {
        /// What was asked for.
        what: String,
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
    /// The database itself.
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
    /// The tables could not be brought up to date.
    #[error("the database could not be brought up to date")]
    Migration(#[source] sqlx::migrate::MigrateError),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl Error {
    pub(crate) fn not_found(what: impl Into<String>) -> Self {
        Self::NotFound { what: what.into() }
    }
}

fn list(holders: &[Uuid]) -> String {
    holders.iter().map(Uuid::to_string).collect::<Vec<_>>().join(", ")
}
