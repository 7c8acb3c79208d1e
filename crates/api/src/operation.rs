//! Operations, their stages, and plans.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Problem;

/// A durable unit of work that carries a request out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// Its id.
    pub id: String,
    /// What it does, such as `cluster.create`.
    pub kind: String,
    /// The connection it belongs to.
    pub connection: String,
    /// What it is about.
    pub resource: ResourceReference,
    /// `queued`, `running`, `blocked`, `succeeded`, `failed` or `cancelled`.
    pub state: String,
    /// What it waits for, if it is blocked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<Blocked>,
    /// Whether somebody asked it to stop.
    pub cancel_requested: bool,
    /// 1, and one more with every retry.
    pub attempt: u32,
    /// Its stages, in an order in which they could run one by one.
    pub stages: Vec<Stage>,
    /// How far it is.
    pub progress: Progress,
    /// What was chosen where the request left a choice.
    pub resolved: BTreeMap<String, String>,
    /// What the user should know and what did not stop it.
    pub notices: Vec<String>,
    /// Why it failed, or what it is blocked by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
    /// What exists at the cloud after it ended without success.
    pub remains: Vec<Remains>,
    /// Who asked for it.
    pub requested_by: String,
    /// When.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
}

/// How an operation goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"choice": "vpc-0123456789abcdef0"}))]
pub struct RetryOperation {
    /// Which of the candidates of an operation that is blocked by `which` is its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<String>,
}

/// Why an operation cannot go on without the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Blocked {
    /// One word, such as `credential` or `which`.
    pub reason: String,
    /// What it needs.
    pub needs: String,
    /// Between what the user must choose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<String>,
}

/// What an operation is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceReference {
    /// Its kind, such as `cluster` or `nodeGroup`.
    pub kind: String,
    /// The connection it belongs to.
    pub connection: String,
    /// The cluster, if it is a part of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// The network, if it is a part of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// Our name of it.
    pub name: String,
}

/// A stage of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// `waiting`, `asking`, `following`, `done` or `failed`.
    pub state: String,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<String>,
    /// How often the cloud was asked for it.
    pub attempts: u32,
    /// What the cloud says.
    pub detail: String,
}

/// How far an operation is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Stages that are done.
    pub done: u32,
    /// All stages; 0 until the plan is made.
    pub total: u32,
    /// How long the whole usually takes.
    pub expected_seconds: u64,
}

/// Something that exists at the cloud after an operation ended without success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Remains {
    /// What it is.
    pub kind: String,
    /// The cloud's identifier.
    pub system_id: String,
    /// Its name.
    pub name: String,
    /// Why it is still there.
    pub reason: String,
}

/// What would be done. Nothing was stored, nothing was changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The kind of operation that would do it.
    pub kind: String,
    /// Its stages.
    pub stages: Vec<PlannedStage>,
    /// What would be chosen where the request leaves a choice.
    pub resolved: BTreeMap<String, String>,
    /// What the user should know and what would not stop it.
    pub findings: Vec<String>,
    /// At a deletion: what came into being because the cluster stood.
    pub children: Children,
}

/// A stage that would be run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedStage {
    /// Its name.
    pub name: String,
    /// The names of those that must be done before.
    pub after: Vec<String>,
    /// How long it usually takes.
    pub expected_seconds: u64,
}

/// All that came into being because a cluster stood.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Children {
    /// What was found.
    pub found: Vec<Child>,
    /// What could not be looked at, and why.
    pub unknown: Vec<String>,
}

/// Something that came into being because a cluster stood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Child {
    /// What it is, such as `loadBalancer` or `volume`.
    pub kind: String,
    /// The cloud's identifier.
    pub system_id: String,
    /// Its name.
    pub name: String,
    /// Who made it.
    pub made_by: String,
    /// Whether deleting the cluster takes it along.
    pub goes_with_cluster: bool,
    /// In a plan: the stage that removes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_by: Option<String>,
}
