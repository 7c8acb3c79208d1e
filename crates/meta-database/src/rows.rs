//! Rows of texts, whatever database they lie in.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ColumnIndex, ConnectOptions as _, Connection as _, Database, Decode, Row, Type};

use crate::{Error, Source};

/// How long a database may be locked by who uses it.
const BUSY: Duration = Duration::from_secs(10);

/// A row, and the first of its columns that holds no text, which is empty here.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Texts<const N: usize> {
    pub(crate) texts: [String; N],
    pub(crate) no_text: Option<&'static str>,
}

/// An open database.
pub(crate) enum Rows {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Rows {
    pub(crate) async fn open(source: &Source) -> Result<Self, Error> {
        let failed = |error: sqlx::Error| Error::Open { place: source.to_string(), why: error.to_string() };
        let mut rows = match source {
            Source::File(path) => {
                let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(BUSY);
                Self::Sqlite(options.connect().await.map_err(failed)?)
            }
            Source::Postgres(url) => {
                let options: PgConnectOptions = Source::for_client(url).parse().map_err(failed)?;
                Self::Postgres(options.connect().await.map_err(failed)?)
            }
        };
        match rows.has("connection_config_infos").await {
            Ok(true) => Ok(rows),
            Ok(false) => Err(Error::Foreign(source.to_string())),
            Err(error) => Err(failed(error)),
        }
    }

    /// All rows of a table; none where there is no such table, for CB-Spider makes one with the release that needs it.
    /// What is null is empty.
    pub(crate) async fn all<const N: usize>(
        &mut self,
        table: &'static str,
        columns: [&'static str; N],
    ) -> Result<Vec<Texts<N>>, Error> {
        let failed = |error: sqlx::Error| Error::Table { table, why: error.to_string() };
        if !self.has(table).await.map_err(failed)? {
            return Ok(Vec::new());
        }
        let query = AssertSqlSafe(format!("SELECT {} FROM {table}", columns.join(", ")));
        let rows = match self {
            Self::Sqlite(database) => {
                sqlx::query(query).fetch_all(database).await.map(|rows| texts(&rows, columns))
            }
            Self::Postgres(database) => {
                sqlx::query(query).fetch_all(database).await.map(|rows| texts(&rows, columns))
            }
        };
        let mut rows = rows.map_err(failed)?;
        rows.sort();
        Ok(rows)
    }

    async fn has(&mut self, table: &str) -> sqlx::Result<bool> {
        let count: i64 = match self {
            Self::Sqlite(database) => {
                let query = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?";
                sqlx::query_scalar(query).bind(table).fetch_one(database).await?
            }
            Self::Postgres(database) => {
                let query = "SELECT count(*) FROM information_schema.tables \
                             WHERE table_schema = current_schema() AND table_name = $1";
                sqlx::query_scalar(query).bind(table).fetch_one(database).await?
            }
        };
        Ok(count > 0)
    }

    pub(crate) async fn close(self) {
        // It was only read: that its end fails loses nothing.
        let _ = match self {
            Self::Sqlite(database) => database.close().await,
            Self::Postgres(database) => database.close().await,
        };
    }
}

fn texts<const N: usize, R>(rows: &[R], columns: [&'static str; N]) -> Vec<Texts<N>>
where
    R: Row,
    usize: ColumnIndex<R>,
    for<'r> Option<String>: Decode<'r, R::Database> + Type<R::Database>,
    R::Database: Database,
{
    let read = |row: &R| {
        let mut read = Texts { texts: [const { String::new() }; N], no_text: None };
        for (place, (text, column)) in read.texts.iter_mut().zip(columns).enumerate() {
            match row.try_get::<Option<String>, _>(place) {
                Ok(found) => *text = found.unwrap_or_default(),
                Err(_) => read.no_text = read.no_text.or(Some(column)),
            }
        }
        read
    };
    rows.iter().map(read).collect()
}
