//! How values stand in columns: times as milliseconds, identifiers and JSON as text. Pure.

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::{Error, Result};

pub(super) fn millis(time: Timestamp) -> i64 {
    time.as_millisecond()
}

/// A time as it is read again.
pub(super) fn as_kept(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(millis(time)).unwrap_or(time)
}

pub(super) fn maybe_millis(time: Option<Timestamp>) -> Option<i64> {
    time.map(millis)
}

pub(super) fn from_uid(uid: Uuid) -> String {
    uid.to_string()
}

/// `''` where there is none: NULL is distinct from NULL in a unique index.
pub(super) fn from_parent(parent: Option<Uuid>) -> String {
    parent.map(from_uid).unwrap_or_default()
}

/// A word of a fieldless enum, as serde writes it.
pub(super) fn word<T: Serialize>(value: &T) -> Result<String> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        _ => Err(Error::Damaged("a word cannot be written".to_owned())),
    }
}

pub(super) fn json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::Damaged(format!("JSON cannot be written: {error}")))
}

pub(super) fn maybe_json<T: Serialize>(value: Option<&T>) -> Result<Option<String>> {
    value.map(json).transpose()
}

pub(super) fn flag(value: bool) -> i64 {
    i64::from(value)
}

/// At most so many rows. The number stands in the text: SQLite plans a query anew each time that a `LIMIT` is bound, as
/// it might plan for few rows otherwise than for many.
///
/// Source: `sqlite3VdbeSetVarmask` in `sqlite3ExprIsInteger`, <https://www.sqlite.org/src/file/src/expr.c>
pub(super) fn limit(rows: u32) -> String {
    format!("LIMIT {rows}")
}

pub(super) fn number<T: TryInto<i64>>(value: T) -> i64 {
    value.try_into().unwrap_or(i64::MAX)
}
