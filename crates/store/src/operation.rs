//! Operations as they are stored: intent, plan, stages, outcome, and who carries them on.

use std::collections::BTreeMap;

use jiff::Timestamp;
use pmks_model::{Failure, OperationKind, OperationState, Remains, ResourceReference, StageState};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{AuditEntry, BrokenOff, NewResource, NotRemoved, Observe, ResourceUpdate};

/// An operation with its stages.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// Our identifier; it is also a mark at the cloud.
    pub id: Uuid,
    /// What it does.
    pub kind: OperationKind,
    /// What it is about.
    pub resource: ResourceReference,
    /// The record it is about; `None` for prerequisites of an account.
    pub resource_uid: Option<Uuid>,
    /// The account that it is pinned to.
    pub account: String,
    /// What the user asked for: the driver's `Change` as JSON, as accepted or, once begun, as it was begun.
    pub intent: serde_json::Value,
    /// Who asked.
    pub requested_by: String,
    /// The place in a trace where it was asked for, as `traceparent`.
    pub traceparent: Option<String>,
    /// How it stands.
    pub state: OperationState,
    /// Why it cannot go on, while it is blocked.
    pub blocked: Option<Blocked>,
    /// Its stages in the order of the plan; the first is always [`crate::PREFLIGHT`].
    pub stages: Vec<Stage>,
    /// What was chosen where the user left a choice.
    pub resolved: BTreeMap<String, String>,
    /// What the user should know.
    pub notices: Vec<String>,
    /// What came into being because the cluster stood: the model's `Children` as JSON, at a deletion.
    pub children: serde_json::Value,
    /// How long it usually takes, in seconds at the connection's pace; 0 until it has begun.
    pub expected_seconds: u64,
    /// Why it failed.
    pub error: Option<Failure>,
    /// What exists at the cloud after it ended without success.
    pub remains: Vec<Remains>,
    /// Whether somebody wants it to stop.
    pub cancel_requested: bool,
    /// 1, and one more with every retry.
    pub attempt: u32,
    /// Its place in the queue.
    pub queue_order: i64,
    /// One of those that it waits for, while it is queued and has not its turn.
    pub waits_for: Option<Uuid>,
    /// When it is to be looked at next.
    pub next_run_at: Timestamp,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When its present attempt began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// Whether all that ever happened to a record is a creation that ended before it asked the cloud for anything.
///
/// Given are all operations about the record. What has asked may have made something, whatever was answered.
pub fn made_nothing(about: &[Operation]) -> bool {
    let created = about.iter().any(|operation| operation.kind.creates());
    created && about.iter().all(|operation| operation.state.is_final() && !operation.has_asked())
}

/// Why an operation cannot go on without the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Blocked {
    /// One word: `credential`, `which`.
    pub reason: String,
    /// What it needs, for people.
    pub needs: String,
    /// Between what the user must choose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<String>,
    /// The stage that waits for the choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
}

/// A stage of an operation.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// Its name, unique in the operation.
    pub name: String,
    /// Its place in the plan.
    pub position: u32,
    /// The driver's `StageSpecification` as JSON; `null` for [`crate::PREFLIGHT`].
    pub specification: serde_json::Value,
    /// How it stands and what is known of it.
    pub record: StageRecord,
}

/// What changes of a stage while it is carried out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StageRecord {
    /// How it stands.
    pub state: StageState,
    /// How often the cloud was asked.
    pub attempts: u32,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When the cloud was last asked.
    pub asked_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The client token of the last ask.
    pub token: String,
    /// The cloud's name of its own work.
    pub handle: Option<serde_json::Value>,
    /// The ids that matched before the ask.
    pub baseline: Vec<String>,
    /// What it left behind for those after it.
    pub outputs: Option<serde_json::Value>,
    /// The cloud's identifier of what it made.
    pub system_id: Option<String>,
    /// What tells that from another of the same name made later.
    pub incarnation: Option<String>,
    /// What the cloud says, for people.
    pub detail: String,
    /// Why it failed.
    pub error: Option<Failure>,
    /// The engine's own notes, its versioned JSON.
    pub notes: serde_json::Value,
}

/// Something that is asked of [`crate::Operations::accept`]: all of it becomes true, or nothing.
#[derive(Clone, Debug)]
pub struct Accept {
    /// The operation.
    pub operation: NewOperation,
    /// The connection that it was made ready with: one that leads elsewhere by now is a `Conflict`.
    pub through: Through,
    /// The records that come into being with it.
    pub resources: Vec<NewResource>,
    /// What the user decided that needs no cloud: true from now on, whatever becomes of the operation.
    pub decided: Option<Decided>,
    /// What it holds while it is not over.
    pub holds: Vec<Hold>,
    /// Records of others that it names and does not remove: nothing is made of what is gone, or on its way out.
    pub names: Vec<Uuid>,
    /// Joins an operation of the same kind on the same record that is not over, instead of making one.
    pub joins: bool,
    /// Where, as JSON pointers into the intent, the operation that it would join must say the same: what is asked for
    /// there would be lost by joining another, and is refused.
    pub alike: Vec<&'static str>,
    /// Cancels what waits for the same record or a part of it, and asks what runs there to stop.
    pub supersedes: bool,
    /// The key under which the same request gets the same operation.
    pub idempotency: Option<IdempotencyKey>,
    /// The line for the audit log.
    pub audit: AuditEntry,
}

/// Where a connection led when it was read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Through {
    /// The connection's uid: another one may have its name by now.
    pub connection: Uuid,
    /// Its specification.
    pub specification: serde_json::Value,
    /// Whose account it was; `None`: nobody knew.
    pub account: Option<String>,
}

/// A change of a record that is accepted together with an operation.
#[derive(Clone, Debug)]
pub struct Decided {
    /// The record.
    pub uid: Uuid,
    /// Its revision as it was read: another one now is `Stale`.
    pub revision: i64,
    /// What changes.
    pub update: ResourceUpdate,
}

/// A wish about an operation that is known: to stop, or to go on.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Which.
    pub operation: Uuid,
    /// When.
    pub now: Timestamp,
    /// The key under which the same request gets the same answer.
    pub idempotency: Option<IdempotencyKey>,
    /// The line for the audit log.
    pub audit: AuditEntry,
}

/// An operation to be made.
#[derive(Clone, Debug)]
pub struct NewOperation {
    /// Our identifier.
    pub id: Uuid,
    /// What it does.
    pub kind: OperationKind,
    /// What it is about.
    pub resource: ResourceReference,
    /// The record it is about.
    pub resource_uid: Option<Uuid>,
    /// The account that it is pinned to.
    pub account: String,
    /// The driver's `Change` as JSON; holds no secret.
    pub intent: serde_json::Value,
    /// Who asked.
    pub requested_by: String,
    /// The place in a trace where it is asked for, as `traceparent`.
    pub traceparent: Option<String>,
    /// When.
    pub now: Timestamp,
}

/// A record that an operation holds while it is not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Which; a connection's uid too.
    pub resource: Uuid,
    /// Alone or with others.
    pub mode: HoldMode,
    /// What to do if others hold it.
    pub when_held: WhenHeld,
}

/// Alone or with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldMode {
    /// With others that share it.
    Shared,
    /// Alone.
    Exclusive,
}

/// What to do if an operation that is not over stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenHeld {
    /// Wait for its turn.
    Wait,
    /// Refuse, naming the holders.
    Refuse,
}

/// The key under which the same request gets the same operation for 24 hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Caller, method and path.
    pub scope: String,
    /// The caller's key.
    pub key: String,
    /// A hash of the body.
    pub body_hash: String,
}

/// What became of what was asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Accepted {
    /// A new operation.
    New(Operation),
    /// The operation that does the same already.
    Joined(Operation),
    /// The operation that the same request made before.
    Repeated(Operation),
}

impl Accepted {
    /// The operation, whatever became of it.
    pub fn operation(self) -> Operation {
        match self {
            Self::New(operation) | Self::Joined(operation) | Self::Repeated(operation) => operation,
        }
    }
}

/// Which operations a server wants to carry on.
#[derive(Clone, Debug, Default)]
pub struct Claim {
    /// The server.
    pub owner: Uuid,
    /// The time now.
    pub now: Timestamp,
    /// Until when nobody else may claim them.
    pub until: Timestamp,
    /// No operation waits longer than until then: what says so was written by a clock that stood wrong, and is due.
    pub longest: Timestamp,
    /// The most operations.
    pub limit: u32,
    /// The most operations of one connection.
    pub limit_per_connection: u32,
    /// Nothing of these connections: enough of it is under way.
    pub except: Vec<String>,
    /// Nothing of these accounts.
    pub except_accounts: Vec<String>,
    /// Not these, whatever their claims say: the same server is at work on them.
    pub under_way: Vec<Uuid>,
    /// Only this one, and those before it that it waits for.
    pub only: Option<Uuid>,
}

/// An operation that is this server's to carry on.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// The operation as it stands.
    pub operation: Operation,
    /// What its writes carry.
    pub fence: Fence,
}

/// The right to write to an operation, until it is claimed anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fence {
    /// Which operation.
    pub operation: Uuid,
    /// Which claim of it.
    pub number: i64,
}

/// What the preparation of an operation found: stored when it begins, and not computed again while it is carried out.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The change as it was begun, with what was looked up since it was accepted.
    pub intent: serde_json::Value,
    /// The stages of the plan.
    pub stages: Vec<NewStage>,
    /// What was chosen where the user left a choice.
    pub resolved: BTreeMap<String, String>,
    /// What the user should know.
    pub notices: Vec<String>,
    /// The model's `Children` as JSON.
    pub children: serde_json::Value,
    /// How long it usually takes, in seconds at the connection's pace.
    pub expected_seconds: u64,
}

/// A stage of a plan.
#[derive(Clone, Debug)]
pub struct NewStage {
    /// Its name.
    pub name: String,
    /// The driver's `StageSpecification` as JSON.
    pub specification: serde_json::Value,
}

/// The end of an operation, or of its present attempt.
#[derive(Clone, Debug)]
pub struct Finish {
    /// How it ended.
    pub end: End,
    /// What exists at the cloud, if it ended without success.
    pub remains: Vec<Remains>,
    /// What a creation that ended without success leaves undone.
    pub broken_off: Option<BrokenOff>,
    /// How a removal ended that had begun and did not succeed.
    pub not_removed: Option<NotRemoved>,
    /// What the cloud said of the resources after it.
    pub observations: Vec<Observe>,
    /// What it makes of records.
    pub updates: Vec<(Uuid, ResourceUpdate)>,
    /// Records of parts that exist now and have none yet.
    pub inserts: Vec<NewResource>,
    /// Records of what is gone, with their parts.
    pub removes: Vec<Uuid>,
    /// The time now.
    pub now: Timestamp,
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// All is done.
    Succeeded,
    /// It cannot be done.
    Failed(Box<Failure>),
    /// The user stopped it.
    Cancelled,
}

/// Which operations a list holds; `None` is any.
#[derive(Clone, Debug, Default)]
pub struct OperationFilter {
    /// Of this connection.
    pub connection: Option<String>,
    /// About this record.
    pub resource_uid: Option<Uuid>,
    /// About a resource of this name.
    pub resource_name: Option<String>,
    /// Of this kind.
    pub kind: Option<OperationKind>,
    /// In this state.
    pub state: Option<OperationState>,
    /// Only what is not over.
    pub unfinished: bool,
}

/// The operations of one kind that are in one state, and not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What they do.
    pub kind: OperationKind,
    /// How they stand.
    pub state: OperationState,
    /// How many.
    pub number: u32,
    /// When the oldest of them was accepted.
    pub oldest: Timestamp,
}
