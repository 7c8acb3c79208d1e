//! Conditions of lists. Only what is asked for stands in the query, so that an index answers it: `$1 IS NULL OR …`
//! reads every row.

use sqlx::{AssertSqlSafe, Pool};

use super::Db;
use super::values::limit;
use crate::Result;

type Row = <Db as sqlx::Database>::Row;

/// A list of rows of one table, ordered by its key.
pub(super) struct Rows {
    query: String,
    values: Vec<String>,
}

impl Rows {
    /// Those after that key.
    pub(super) fn after(table: &'static str, key: &'static str, after: Option<String>) -> Self {
        let query = format!("SELECT * FROM {table} WHERE {key} > $1");
        Self { query, values: vec![after.unwrap_or_default()] }
    }

    /// Only those whose column has that value, if there is one.
    pub(super) fn and(mut self, column: &'static str, value: Option<String>) -> Self {
        if let Some(value) = value {
            self.values.push(value);
            let condition = format!(" AND {column} = ${}", self.values.len());
            self.query.push_str(&condition);
        }
        self
    }

    /// Only those of which that condition is true, if it is wanted.
    pub(super) fn only(mut self, condition: &'static str, wanted: bool) -> Self {
        if wanted {
            self.query.push_str(" AND ");
            self.query.push_str(condition);
        }
        self
    }

    /// The query, at most so many rows of it.
    pub(super) fn query(&self, key: &'static str, most: u32) -> String {
        format!("{} ORDER BY {key} {}", self.query, limit(most))
    }

    pub(super) async fn fetch(self, readers: &Pool<Db>, key: &'static str, most: u32) -> Result<Vec<Row>> {
        // Table, columns and conditions are literals of ours; every value is bound.
        let query = sqlx::query(AssertSqlSafe(self.query(key, most)));
        let query = self.values.iter().fold(query, |query, value| query.bind(value.as_str()));
        Ok(query.fetch_all(readers).await?)
    }
}
