//! Operations and plans as they are shown.

use std::collections::BTreeMap;

use jiff::Timestamp;
use pmks_model::{Children, Failure, OperationKind, OperationState, Remains, ResourceReference, StageState};
use serde::{Deserialize, Serialize};

/// A durable unit of work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OperationView {
    /// Its id.
    pub id: String,
    /// What it does.
    pub kind: OperationKind,
    /// The connection it belongs to.
    pub connection: String,
    /// What it is about.
    pub resource: ResourceReference,
    /// How it stands.
    pub state: OperationState,
    /// What it waits for, if it is blocked.
    pub blocked: Option<String>,
    /// Whether somebody asked it to stop.
    pub cancel_requested: bool,
    /// Its stages.
    pub stages: Vec<StageView>,
    /// How far it is.
    pub progress: Progress,
    /// What was chosen where the user left a choice.
    pub resolved: BTreeMap<String, String>,
    /// What the user should know and what did not stop it.
    pub notices: Vec<String>,
    /// Why it failed.
    pub error: Option<Failure>,
    /// What exists at the cloud after it ended without success.
    pub remains: Vec<Remains>,
    /// Who asked for it.
    pub requested_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A stage of an operation.
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
    /// How often the cloud was asked for it.
    pub attempts: u32,
    /// What the cloud says.
    pub detail: String,
}

/// How far an operation is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Stages that are done.
    pub done: u32,
    /// All stages; 0 until the plan is made.
    pub total: u32,
    /// How long the whole usually takes, at the connection's pace.
    pub expected_seconds: u64,
}

/// What would be done. Nothing was stored, nothing was changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanView {
    /// The kind of operation that would do it.
    pub kind: OperationKind,
    /// Its stages.
    pub stages: Vec<PlannedStage>,
    /// What would be chosen where the user left a choice.
    pub resolved: BTreeMap<String, String>,
    /// What the user should know and what would not stop it.
    pub findings: Vec<String>,
    /// At a deletion: what came into being because the cluster stood.
    pub children: Children,
}

/// A stage that would be run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedStage {
    /// Its name.
    pub name: String,
    /// The names of those that must be done before.
    pub after: Vec<String>,
    /// How long it usually takes, at the connection's pace.
    pub expected_seconds: u64,
}
