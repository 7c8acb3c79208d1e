//! Acceptances written down together: one statement a table, whatever their number.
//!
//! Where anything stands in the way of one of them none is kept, and which it was is not said: the caller undoes all
//! and tries fewer.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use pmks_model::{OperationState, StageState};
use sqlx::QueryBuilder;
use sqlx::query_builder::Separated;
use uuid::Uuid;

use super::queue::{refuse_lost, wait_behind};
use super::values::{flag, from_parent, from_uid, json, maybe_json, maybe_millis, millis, number, word};
use super::{Connection, Db};
use crate::{
    Accept, Error, Hold, HoldMode, NewOperation, NewResource, Operation, PREFLIGHT, Result, Stage,
    StageRecord, WhenHeld,
};

/// The most values of one statement. Source: `SQLITE_MAX_VARIABLE_NUMBER` at <https://www.sqlite.org/limits.html>
const MOST_VALUES: usize = 32_766;

/// Of so many rows at most a statement is kept prepared: one creation brings no more, and each other number is another
/// statement.
const OFTEN: u64 = 4;

/// What was kept.
pub(super) struct Kept {
    /// One operation an acceptance, in their order.
    pub(super) operations: Vec<Operation>,
    pub(super) newest_event: i64,
}

impl Accept {
    /// Whether nothing but what it brings along has to be looked at.
    pub(super) fn stands_alone(&self) -> bool {
        let waits = self.holds.iter().all(|hold| hold.when_held == WhenHeld::Wait);
        waits && !self.joins && !self.supersedes && self.decided.is_none()
    }
}

/// Keeps all of them, in this order; `None` where something stands in the way.
pub(super) async fn keep_all(on: &mut Connection, accepts: &[Accept]) -> Result<Option<Kept>> {
    if !lead_as_read(on, accepts).await? {
        return Ok(None);
    }
    // What hundreds name together is looked at once.
    let named: BTreeSet<Uuid> = accepts.iter().flat_map(|accept| accept.names.iter().copied()).collect();
    if refuse_lost(on, &named.into_iter().collect::<Vec<_>>()).await.is_err() {
        return Ok(None);
    }
    let records = accepts.iter().flat_map(|accept| {
        let now = accept.operation.now;
        accept.resources.iter().map(move |record| (record, now))
    });
    if insert_records(on, &records.collect::<Vec<_>>()).await? { keep(on, accepts).await } else { Ok(None) }
}

/// Whether each connection leads where it led when it was read.
pub(super) async fn lead_as_read(on: &mut Connection, accepts: &[Accept]) -> Result<bool> {
    let read: HashSet<_> = accepts.iter().map(|accept| &accept.through).collect();
    for through in read {
        let leads =
            sqlx::query("SELECT 1 FROM connections WHERE uid = $1 AND specification = $2 AND account IS $3")
                .bind(from_uid(through.connection))
                .bind(json(&through.specification)?)
                .bind(through.account.as_deref())
                .fetch_optional(&mut *on)
                .await?;
        if leads.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Makes records; `false`: one of their names or identifiers is known.
pub(super) async fn insert_records(
    on: &mut Connection,
    records: &[(&NewResource, Timestamp)],
) -> Result<bool> {
    let mut rows = Vec::with_capacity(records.len());
    for (new, now) in records {
        let seen = new.observation.as_ref();
        let said = maybe_json(seen.map(|observation| &observation.value))?;
        rows.push((*new, *now, word(&new.kind)?, json(&new.request)?, said));
    }
    let into = "resources (uid, kind, connection, account, location, parent, name, cloud_name, system_id, incarnation, \
         request, observation, observe_start, observed_at, protected, imported, changed_at, revision, created_at, updated_at)";
    insert(on, into, rows, |row, (new, now, kind, request, said)| {
        let seen = new.observation.as_ref();
        row.push_bind(from_uid(new.uid))
            .push_bind(kind)
            .push_bind(new.connection.clone())
            .push_bind(new.account.clone())
            .push_bind(new.location.clone())
            .push_bind(from_parent(new.parent))
            .push_bind(new.name.clone())
            .push_bind(new.cloud_name.clone())
            .push_bind(new.system_id.clone())
            .push_bind(new.incarnation.clone())
            .push_bind(request)
            .push_bind(said)
            .push_bind(maybe_millis(seen.map(|seen| seen.started_at)))
            .push_bind(maybe_millis(seen.map(|seen| seen.observed_at)))
            .push_bind(flag(new.protected))
            .push_bind(flag(new.imported))
            .push_bind(millis(seen.map_or(now, |seen| seen.started_at)))
            .push_bind(1_i64)
            .push_bind(millis(now))
            .push_bind(millis(now));
    })
    .await
}

/// The same, where their records are made already; `None` where something stands in the way.
pub(super) async fn keep(on: &mut Connection, accepts: &[Accept]) -> Result<Option<Kept>> {
    let order: i64 = next_queue_order(on).await?;
    let mut operations: Vec<Operation> =
        (order..).zip(accepts).map(|(order, accept)| queued(&accept.operation, order)).collect();
    let kept = insert_operations(on, &operations).await?
        && insert_stages(
            on,
            operations.iter().map(|operation| (operation.id, PREFLIGHT, 0, "null".to_owned())),
        )
        .await?
        && insert_holds(on, accepts, order).await?
        && insert_keys(on, accepts).await?
        && insert_audit(on, accepts).await?;
    if !kept {
        return Ok(None);
    }
    let behind: HashMap<Uuid, Uuid> = wait_behind(on, order).await?;
    for operation in &mut operations {
        operation.waits_for = behind.get(&operation.id).copied();
    }
    let newest_event = insert_events(on, &operations).await?;
    Ok(Some(Kept { operations, newest_event }))
}

pub(super) async fn next_queue_order(on: &mut Connection) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT COALESCE(MAX(queue_order), 0) + 1 FROM operations").fetch_one(on).await?)
}

/// Keeps stages that nobody has begun: their operation, name, place and specification.
pub(super) async fn insert_stages(
    on: &mut Connection,
    stages: impl Iterator<Item = (Uuid, &str, usize, String)>,
) -> Result<bool> {
    let into =
        "stages (operation, name, position, specification, state, attempts, token, baseline, detail, notes)";
    let waiting = word(&StageState::Waiting)?;
    insert(on, into, stages.collect(), |row, (operation, name, position, specification)| {
        row.push_bind(from_uid(operation))
            .push_bind(name.to_owned())
            .push_bind(number(position))
            .push_bind(specification)
            .push_bind(waiting.clone())
            .push("0, '', '[]', '', 'null'");
    })
    .await
}

async fn insert_operations(on: &mut Connection, operations: &[Operation]) -> Result<bool> {
    let mut rows = Vec::with_capacity(operations.len());
    for new in operations {
        rows.push((new, word(&new.kind)?, json(&new.resource)?, json(&new.intent)?, word(&new.state)?));
    }
    let into = "operations (id, kind, connection, resource, resource_name, resource_uid, account, intent, requested_by, \
         traceparent, state, queue_order, next_run_at, created_at, updated_at, resolved, notices, children, \
         expected_seconds, remains, cancel_requested, attempt, woken, fence)";
    insert(on, into, rows, |row, (new, kind, resource, intent, state)| {
        row.push_bind(from_uid(new.id))
            .push_bind(kind)
            .push_bind(new.resource.connection.clone())
            .push_bind(resource)
            .push_bind(new.resource.name.clone())
            .push_bind(new.resource_uid.map(from_uid))
            .push_bind(new.account.clone())
            .push_bind(intent)
            .push_bind(new.requested_by.clone())
            .push_bind(new.traceparent.clone())
            .push_bind(state)
            .push_bind(new.queue_order)
            .push_bind(millis(new.next_run_at))
            .push_bind(millis(new.created_at))
            .push_bind(millis(new.updated_at))
            .push("'{}', '[]', 'null', 0, '[]', 0, 1, 0, 0");
    })
    .await
}

/// Held twice, the stricter of both counts.
async fn insert_holds(on: &mut Connection, accepts: &[Accept], order: i64) -> Result<bool> {
    let mut rows: Vec<(Uuid, Hold, i64)> = Vec::new();
    for (order, accept) in (order..).zip(accepts) {
        let own = rows.len();
        for hold in &accept.holds {
            let known = rows.iter_mut().skip(own).find(|(_, known, _)| known.resource == hold.resource);
            let Some((_, known, _)) = known else {
                rows.push((accept.operation.id, *hold, order));
                continue;
            };
            if hold.mode == HoldMode::Exclusive {
                known.mode = HoldMode::Exclusive;
            }
            if hold.when_held == WhenHeld::Refuse {
                known.when_held = WhenHeld::Refuse;
            }
        }
    }
    let into = "holds (operation, resource, exclusive, refuses, queue_order, active)";
    insert(on, into, rows, |row, (operation, hold, order)| {
        row.push_bind(from_uid(operation))
            .push_bind(from_uid(hold.resource))
            .push_bind(flag(hold.mode == HoldMode::Exclusive))
            .push_bind(flag(hold.when_held == WhenHeld::Refuse))
            .push_bind(order)
            .push("1");
    })
    .await
}

async fn insert_keys(on: &mut Connection, accepts: &[Accept]) -> Result<bool> {
    let keyed = accepts.iter().filter_map(|accept| Some((accept.idempotency.as_ref()?, &accept.operation)));
    let into = "idempotency_keys (scope, key, body_hash, operation, created_at)";
    insert(on, into, keyed.collect(), |row, (key, operation)| {
        row.push_bind(key.scope.clone())
            .push_bind(key.key.clone())
            .push_bind(key.body_hash.clone())
            .push_bind(from_uid(operation.id))
            .push_bind(millis(operation.now));
    })
    .await
}

async fn insert_audit(on: &mut Connection, accepts: &[Accept]) -> Result<bool> {
    let into = "audit (at, who, action, target, request_id)";
    insert(on, into, accepts.iter().collect(), |row, accept| {
        let line = &accept.audit;
        row.push_bind(millis(line.at))
            .push_bind(line.who.clone())
            .push_bind(line.action.clone())
            .push_bind(line.target.clone())
            .push_bind(line.request_id.clone());
    })
    .await
}

/// The event of each as it now stands; answers the number of the last one.
async fn insert_events(on: &mut Connection, operations: &[Operation]) -> Result<i64> {
    let mut rows = Vec::with_capacity(operations.len());
    for operation in operations {
        rows.push((operation, json(&operation.view())?));
    }
    insert(on, "events (operation, at, snapshot)", rows, |row, (operation, snapshot)| {
        row.push_bind(from_uid(operation.id)).push_bind(millis(operation.updated_at)).push_bind(snapshot);
    })
    .await?;
    Ok(sqlx::query_scalar("SELECT COALESCE(MAX(sequence), 0) FROM events").fetch_one(on).await?)
}

/// Inserts rows, the table and its columns as SQL has them; answers whether nothing stood in the way of any.
async fn insert<R>(
    on: &mut Connection,
    into: &'static str,
    rows: Vec<R>,
    mut values: impl FnMut(&mut Separated<'_, Db, &'static str>, R),
) -> Result<bool> {
    let most = MOST_VALUES / (into.matches(',').count() + 1);
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let mut query = QueryBuilder::<Db>::new("INSERT INTO ");
        query.push(into).push(" ");
        let mut asked = 0;
        query.push_values(rows.by_ref().take(most), |mut row, of| {
            asked += 1;
            values(&mut row, of);
        });
        query.push(" ON CONFLICT DO NOTHING");
        let inserted = query.build().persistent(asked <= OFTEN).execute(&mut *on).await?;
        if inserted.rows_affected() != asked {
            return Ok(false);
        }
    }
    Ok(true)
}

/// An operation as it stands when it is accepted, with what is not known before it is kept left out.
fn queued(new: &NewOperation, order: i64) -> Operation {
    let now = super::values::as_kept(new.now);
    let preflight = Stage {
        name: PREFLIGHT.to_owned(),
        position: 0,
        specification: serde_json::Value::Null,
        record: StageRecord::default(),
    };
    Operation {
        id: new.id,
        kind: new.kind,
        resource: new.resource.clone(),
        resource_uid: new.resource_uid,
        account: new.account.clone(),
        intent: new.intent.clone(),
        requested_by: new.requested_by.clone(),
        traceparent: new.traceparent.clone(),
        state: OperationState::Queued,
        blocked: None,
        stages: vec![preflight],
        resolved: std::collections::BTreeMap::new(),
        notices: Vec::new(),
        children: serde_json::Value::Null,
        expected_seconds: 0,
        error: None,
        remains: Vec::new(),
        cancel_requested: false,
        attempt: 1,
        queue_order: order,
        waits_for: None,
        next_run_at: now,
        created_at: now,
        updated_at: now,
        started_at: None,
        finished_at: None,
    }
}

/// What is said where an operation of that identifier is known: nobody makes one twice.
pub(super) fn made_twice(id: Uuid) -> Error {
    Error::Conflict(format!("operation {id} exists already"))
}
