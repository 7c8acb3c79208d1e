//! An operation as the world sees it: the shape of `/v1` and of every event. Holds no intent and no driver's data.

use std::collections::BTreeMap;

use jiff::Timestamp;
use pmks_model::{Failure, OperationKind, OperationState, Remains, ResourceReference, StageState};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Blocked, Operation, Stage, Unfinished};

/// An operation as the world sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OperationView {
    /// Our identifier.
    pub id: Uuid,
    /// What it does.
    pub kind: OperationKind,
    /// The connection.
    pub connection: String,
    /// What it is about.
    pub resource: ResourceReference,
    /// How it stands.
    pub state: OperationState,
    /// Why it cannot go on, while it is blocked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<Blocked>,
    /// Whether somebody wants it to stop.
    pub cancel_requested: bool,
    /// 1, and one more with every retry.
    pub attempt: u32,
    /// Its stages.
    pub stages: Vec<StageView>,
    /// How far it is.
    pub progress: Progress,
    /// What was chosen where the user left a choice.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub resolved: BTreeMap<String, String>,
    /// What the user should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
    /// Why it failed.
    pub error: Option<Failure>,
    /// What exists at the cloud after it ended without success.
    pub remains: Vec<Remains>,
    /// Who asked.
    pub requested_by: String,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A stage as the world sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StageView {
    /// Its name.
    pub name: String,
    /// How it stands.
    pub state: StageState,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// How often the cloud was asked.
    pub attempts: u32,
    /// What the cloud says.
    pub detail: String,
}

/// How far an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Stages that are done.
    pub done: usize,
    /// All stages known so far.
    pub total: usize,
    /// How long the whole usually takes, in seconds; 0 while nobody knows.
    pub expected_seconds: u64,
}

impl Operation {
    /// That it is not over, where it is not.
    pub fn unfinished(&self) -> Unfinished {
        Unfinished { id: self.id, kind: self.kind, resource: self.resource_uid }
    }

    /// The operation as the world sees it.
    pub fn view(&self) -> OperationView {
        let done = |stage: &&Stage| stage.record.state == StageState::Done;
        OperationView {
            id: self.id,
            kind: self.kind,
            connection: self.resource.connection.clone(),
            resource: self.resource.clone(),
            state: self.state,
            blocked: self.blocked.clone(),
            cancel_requested: self.cancel_requested,
            attempt: self.attempt,
            stages: self.stages.iter().map(Stage::view).collect(),
            progress: Progress {
                done: self.stages.iter().filter(done).count(),
                total: self.stages.len(),
                expected_seconds: self.expected_seconds,
            },
            resolved: self.resolved.clone(),
            notices: self.notices.clone(),
            error: self.error.clone(),
            remains: self.remains.clone(),
            requested_by: self.requested_by.clone(),
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

impl Stage {
    fn view(&self) -> StageView {
        StageView {
            name: self.name.clone(),
            state: self.record.state,
            started_at: self.record.started_at,
            finished_at: self.record.finished_at,
            attempts: self.record.attempts,
            detail: self.record.detail.clone(),
        }
    }
}
