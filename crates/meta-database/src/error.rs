//! Why a meta database cannot be read.

/// Why a meta database cannot be read. Holds no value of a credential, and no password of a database.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither a file's path nor a URL of PostgreSQL.
    #[error("{0}")]
    Source(String),
    /// It cannot be opened.
    #[error("{place} cannot be opened: {why}")]
    Open {
        /// The file, or the server and database.
        place: String,
        /// What the database says.
        why: String,
    },
    /// It is something else.
    #[error("{0} is no meta database of CB-Spider: it has no table connection_config_infos")]
    Foreign(String),
    /// A table cannot be read.
    #[error("table {table} cannot be read: {why}")]
    Table {
        /// Its name.
        table: &'static str,
        /// What the database says.
        why: String,
    },
    /// Nothing can be made of a row.
    #[error("{table}, the row of {row}: {why}")]
    Row {
        /// Its table.
        table: &'static str,
        /// What tells it from others: its name, or all that it holds of what is known at a cloud.
        row: String,
        /// Why.
        why: String,
    },
}
