//! Reading rows into records.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use sqlx::{Database, Decode, Row, Type};
use uuid::Uuid;

use super::Db;
use crate::{
    ApiToken, AuditEntry, AuditLine, Connection, Error, Event, Observation, Operation, Piece, Resource,
    Result, Stage, StageRecord, Standing,
};

type DbRow = <Db as Database>::Row;

/// Typed columns of a row.
pub(super) trait Columns {
    fn plain<T>(&self, column: &'static str) -> Result<T>
    where
        T: for<'r> Decode<'r, Db> + Type<Db>;

    fn text(&self, column: &'static str) -> Result<String> {
        self.plain(column)
    }

    fn uid(&self, column: &'static str) -> Result<Uuid> {
        parse_uid(column, &self.text(column)?)
    }

    fn maybe_uid(&self, column: &'static str) -> Result<Option<Uuid>> {
        let value: Option<String> = self.plain(column)?;
        value.map(|value| parse_uid(column, &value)).transpose()
    }

    fn time(&self, column: &'static str) -> Result<Timestamp> {
        parse_time(column, self.plain(column)?)
    }

    fn maybe_time(&self, column: &'static str) -> Result<Option<Timestamp>> {
        let value: Option<i64> = self.plain(column)?;
        value.map(|value| parse_time(column, value)).transpose()
    }

    fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T> {
        parse_json(column, &self.text(column)?)
    }

    fn maybe_json<T: DeserializeOwned>(&self, column: &'static str) -> Result<Option<T>> {
        let value: Option<String> = self.plain(column)?;
        value.map(|value| parse_json(column, &value)).transpose()
    }

    /// A word of a fieldless enum, as serde writes it.
    fn word<T: DeserializeOwned>(&self, column: &'static str) -> Result<T> {
        let word = serde_json::Value::String(self.text(column)?);
        serde_json::from_value(word).map_err(|error| damaged(column, &error))
    }

    fn flag(&self, column: &'static str) -> Result<bool> {
        Ok(self.plain::<i64>(column)? != 0)
    }

    fn count<T: TryFrom<i64>>(&self, column: &'static str) -> Result<T> {
        T::try_from(self.plain::<i64>(column)?).map_err(|_| damaged(column, &"out of range"))
    }
}

impl Columns for DbRow {
    fn plain<T>(&self, column: &'static str) -> Result<T>
    where
        T: for<'r> Decode<'r, Db> + Type<Db>,
    {
        self.try_get(column).map_err(|error| damaged(column, &error))
    }
}

fn damaged(column: &str, why: &dyn std::fmt::Display) -> Error {
    crate::DatabaseError::corrupt(format!("column {column} cannot be read: {why}")).into()
}

fn parse_uid(column: &str, text: &str) -> Result<Uuid> {
    Uuid::parse_str(text).map_err(|error| damaged(column, &error))
}

fn parse_time(column: &str, value: i64) -> Result<Timestamp> {
    Timestamp::from_millisecond(value).map_err(|error| damaged(column, &error))
}

fn parse_json<T: DeserializeOwned>(column: &str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| damaged(column, &error))
}

pub(super) fn connection(row: &DbRow) -> Result<Connection> {
    Ok(Connection {
        uid: row.uid("uid")?,
        name: row.text("name")?,
        provider: row.text("provider")?,
        specification: row.json("specification")?,
        account: row.plain("account")?,
        principal: row.plain("principal")?,
        credential_revision: row.plain("credential_revision")?,
        revision: row.plain("revision")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

pub(super) fn piece(row: &DbRow) -> Result<Piece> {
    Ok(Piece {
        kind: row.word("kind")?,
        name: row.text("name")?,
        provider: row.text("provider")?,
        content: row.json("content")?,
        revision: row.plain("revision")?,
        created_at: row.time("created_at")?,
    })
}

pub(super) fn resource(row: &DbRow) -> Result<Resource> {
    let parent = row.text("parent")?;
    Ok(Resource {
        uid: row.uid("uid")?,
        kind: row.word("kind")?,
        connection: row.text("connection")?,
        account: row.text("account")?,
        location: row.text("location")?,
        parent: if parent.is_empty() { None } else { Some(parse_uid("parent", &parent)?) },
        name: row.text("name")?,
        cloud_name: row.plain("cloud_name")?,
        system_id: row.plain("system_id")?,
        incarnation: row.plain("incarnation")?,
        request: row.json("request")?,
        observation: observation(row)?,
        protected: row.flag("protected")?,
        missing_since: row.maybe_time("missing_since")?,
        imported: row.flag("imported")?,
        broken_off: row.maybe_json("broken_off")?,
        not_removed: row.maybe_json("not_removed")?,
        changed_at: row.time("changed_at")?,
        revision: row.plain("revision")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

fn observation(row: &DbRow) -> Result<Option<Observation>> {
    let value = row.maybe_json("observation")?;
    let started_at = row.maybe_time("observe_start")?;
    let observed_at = row.maybe_time("observed_at")?;
    Ok(match (value, started_at, observed_at) {
        (Some(value), Some(started_at), Some(observed_at)) => {
            Some(Observation { value, started_at, observed_at })
        }
        _ => None,
    })
}

/// An operation without its stages.
pub(super) fn operation(row: &DbRow) -> Result<Operation> {
    Ok(Operation {
        id: row.uid("id")?,
        kind: row.word("kind")?,
        resource: row.json("resource")?,
        resource_uid: row.maybe_uid("resource_uid")?,
        account: row.text("account")?,
        intent: row.json("intent")?,
        requested_by: row.text("requested_by")?,
        traceparent: row.plain("traceparent")?,
        state: row.word("state")?,
        blocked: row.maybe_json("blocked")?,
        stages: Vec::new(),
        resolved: row.json("resolved")?,
        notices: row.json("notices")?,
        children: row.json("children")?,
        expected_seconds: row.count("expected_seconds")?,
        error: row.maybe_json("error")?,
        remains: row.json("remains")?,
        cancel_requested: row.flag("cancel_requested")?,
        attempt: row.count("attempt")?,
        queue_order: row.plain("queue_order")?,
        waits_for: row.maybe_uid("waits_for")?,
        next_run_at: row.time("next_run_at")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        started_at: row.maybe_time("started_at")?,
        finished_at: row.maybe_time("finished_at")?,
    })
}

pub(super) fn stage(row: &DbRow) -> Result<Stage> {
    Ok(Stage {
        name: row.text("name")?,
        position: row.count("position")?,
        specification: row.json("specification")?,
        record: StageRecord {
            state: row.word("state")?,
            attempts: row.count("attempts")?,
            started_at: row.maybe_time("started_at")?,
            asked_at: row.maybe_time("asked_at")?,
            finished_at: row.maybe_time("finished_at")?,
            token: row.text("token")?,
            handle: row.maybe_json("handle")?,
            baseline: row.json("baseline")?,
            outputs: row.maybe_json("outputs")?,
            system_id: row.plain("system_id")?,
            incarnation: row.plain("incarnation")?,
            detail: row.text("detail")?,
            error: row.maybe_json("error")?,
            notes: row.json("notes")?,
        },
    })
}

pub(super) fn standing(row: &DbRow) -> Result<Standing> {
    Ok(Standing {
        kind: row.word("kind")?,
        state: row.word("state")?,
        number: row.count("number")?,
        oldest: row.time("oldest")?,
    })
}

pub(super) fn event(row: &DbRow) -> Result<Event> {
    Ok(Event {
        sequence: row.plain("sequence")?,
        operation: row.uid("operation")?,
        at: row.time("at")?,
        snapshot: row.json("snapshot")?,
    })
}

pub(super) fn audit_line(row: &DbRow) -> Result<AuditLine> {
    let entry = AuditEntry {
        at: row.time("at")?,
        who: row.text("who")?,
        action: row.text("action")?,
        target: row.text("target")?,
        request_id: row.text("request_id")?,
    };
    Ok(AuditLine { sequence: row.plain("sequence")?, entry })
}

pub(super) fn api_token(row: &DbRow) -> Result<ApiToken> {
    Ok(ApiToken {
        uid: row.uid("uid")?,
        name: row.text("name")?,
        hash: row.text("hash")?,
        role: row.word("role")?,
        connections: row.json("connections")?,
        created_at: row.time("created_at")?,
        expires_at: row.maybe_time("expires_at")?,
        revoked_at: row.maybe_time("revoked_at")?,
    })
}
