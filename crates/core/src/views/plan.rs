//! Plans as they are shown. Operations are shown as the store keeps them for its events.

use std::collections::BTreeMap;

use pmks_model::{Children, OperationKind};
use serde::{Deserialize, Serialize};

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
    /// The stages that remove children of their own, by the identifiers of these.
    pub removals: BTreeMap<String, String>,
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
