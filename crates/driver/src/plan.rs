//! A plan: the stages of a change, as stored when it begins and not computed again while it is carried out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pmks_model::{Children, ResourceKind};
use pmks_transport::Effect;
use serde::{Deserialize, Serialize};

/// How a lost answer of an ask is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Identity {
    /// The name is unique at the cloud.
    UniqueName,
    /// The ask carries the cloud's client token, [`crate::StageContext::token`].
    Token {
        /// For how long the cloud remembers it, in seconds.
        lifetime_seconds: u64,
    },
    /// What is made carries our marks from the first moment.
    Tag,
    /// What already matches is written down before the ask; a newer match is ours.
    Baseline,
}

/// What a cancellation does to a stage that the cloud works on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Cancel {
    /// Stops following; what the cloud makes is listed as remaining.
    #[default]
    Leave,
    /// Follows it to its end first: half done it would be worse.
    Finish,
}

/// Which resource of ours a stage's `system_id` belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// Its kind.
    pub kind: ResourceKind,
    /// What the cloud calls it, or is to call it.
    pub name: String,
}

/// What a stage is to remove, as it is listed while it is not surely gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Doomed {
    /// What it is, in one word.
    pub kind: String,
    /// The cloud's identifier.
    pub system_id: String,
    /// Its name, for people.
    pub name: String,
}

/// One stage as data: what the engine must know, and what the driver makes it from again after a restart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StageSpecification {
    /// Its name, unique in the plan, shown to people: `control plane`, `node group workers`.
    pub name: String,
    /// What the driver makes it from, such as `eks.cluster`.
    pub kind: String,
    /// The version of its parameters and outputs.
    pub version: u32,
    /// The names of the stages that must be done before.
    pub after: Vec<String>,
    /// What its ask does to the cloud.
    pub effect: Effect,
    /// How a lost answer is settled.
    pub identity: Identity,
    /// How long after the request's time limit «not found» may still be untrue.
    pub visible_after_seconds: u64,
    /// How long it usually takes.
    pub expected_seconds: u64,
    /// How long it may take before it has failed.
    pub deadline_seconds: u64,
    /// What a cancellation does.
    pub cancel: Cancel,
    /// The resource of ours that it makes, if it makes one.
    pub subject: Option<Subject>,
    /// What it removes, where that has an identifier of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doomed: Option<Doomed>,
    /// The driver's own versioned JSON.
    pub parameters: serde_json::Value,
}

impl StageSpecification {
    /// A stage with the defaults: an idempotent ask, settled by name, some seconds long.
    pub fn new(name: impl Into<String>, kind: &str, version: u32, parameters: serde_json::Value) -> Self {
        let mut stage = Self {
            name: name.into(),
            kind: kind.to_owned(),
            version,
            after: Vec::new(),
            effect: Effect::Idempotent,
            identity: Identity::UniqueName,
            visible_after_seconds: 0,
            expected_seconds: 0,
            deadline_seconds: 0,
            cancel: Cancel::default(),
            subject: None,
            doomed: None,
            parameters,
        };
        stage.set_expected(Duration::from_secs(5));
        stage
    }

    /// Runs after the stages of these names.
    #[must_use]
    pub fn after(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.after = names.into_iter().map(Into::into).collect();
        self
    }

    /// What its ask does to the cloud.
    #[must_use]
    pub fn effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }

    /// How a lost answer is settled.
    #[must_use]
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identity = identity;
        self
    }

    /// How long after the request's time limit «not found» may still be untrue.
    #[must_use]
    pub fn visible_after(mut self, duration: Duration) -> Self {
        self.visible_after_seconds = duration.as_secs();
        self
    }

    /// How long it usually takes; its deadline is three times that, at least 15 minutes.
    #[must_use]
    pub fn expected(mut self, duration: Duration) -> Self {
        self.set_expected(duration);
        self
    }

    /// Another deadline than three times the expected duration.
    #[must_use]
    pub fn deadline(mut self, duration: Duration) -> Self {
        self.deadline_seconds = duration.as_secs();
        self
    }

    /// Follows the stage to its end when the operation is cancelled.
    #[must_use]
    pub fn finish_when_cancelled(mut self) -> Self {
        self.cancel = Cancel::Finish;
        self
    }

    /// The resource of ours that it makes.
    #[must_use]
    pub fn subject(mut self, kind: ResourceKind, name: impl Into<String>) -> Self {
        self.subject = Some(Subject { kind, name: name.into() });
        self
    }

    /// What it removes: listed by this, with the reason, if the operation ends before it is gone.
    #[must_use]
    pub fn removes(
        mut self,
        kind: impl Into<String>,
        system_id: impl Into<String>,
        name: impl Into<String>,
    ) -> Self {
        let (kind, system_id, name) = (kind.into(), system_id.into(), name.into());
        self.doomed = Some(Doomed { kind, system_id, name });
        self
    }

    fn set_expected(&mut self, duration: Duration) {
        self.expected_seconds = duration.as_secs();
        self.deadline_seconds = (duration.as_secs() * 3).max(15 * 60);
    }
}

/// The stages of a change, in an order in which they could run one by one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Plan {
    /// The stages.
    pub stages: Vec<StageSpecification>,
}

impl Plan {
    /// A plan of these stages.
    pub fn of(stages: impl IntoIterator<Item = StageSpecification>) -> Self {
        Self { stages: stages.into_iter().collect() }
    }

    /// How long it usually takes: the longest way through the stages.
    pub fn expected(&self) -> Duration {
        let mut ends: BTreeMap<&str, u64> = BTreeMap::new();
        for stage in &self.stages {
            let start =
                stage.after.iter().filter_map(|name| ends.get(name.as_str())).max().copied().unwrap_or(0);
            ends.insert(&stage.name, start + stage.expected_seconds);
        }
        Duration::from_secs(ends.values().max().copied().unwrap_or(0))
    }

    /// What is wrong with it: a name twice, or a stage that waits for one that does not stand before it.
    pub fn defect(&self) -> Option<String> {
        let mut before = BTreeSet::new();
        for stage in &self.stages {
            if let Some(missing) = stage.after.iter().find(|name| !before.contains(name.as_str())) {
                return Some(format!(
                    "stage {:?} waits for {missing:?}, which does not stand before it",
                    stage.name
                ));
            }
            if !before.insert(stage.name.as_str()) {
                return Some(format!("stage {:?} stands there twice", stage.name));
            }
        }
        None
    }
}

/// What a driver found when it was asked to prepare a change. Nothing was changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Prepared {
    /// The stages.
    pub plan: Plan,
    /// What was chosen where the user left a choice: `version`, `zones`, `image`, … in words for people.
    pub resolved: BTreeMap<String, String>,
    /// What the user should know and what does not stop the change.
    pub notices: Vec<String>,
    /// At a deletion: what came into being because the cluster stood.
    pub children: Children,
}

impl Prepared {
    /// A plan without anything else to say.
    pub fn of(stages: impl IntoIterator<Item = StageSpecification>) -> Self {
        Self { plan: Plan::of(stages), ..Self::default() }
    }

    /// Adds what was chosen.
    #[must_use]
    pub fn resolved(mut self, what: &str, says: impl Into<String>) -> Self {
        self.resolved.insert(what.to_owned(), says.into());
        self
    }

    /// Adds a notice.
    #[must_use]
    pub fn notice(mut self, says: impl Into<String>) -> Self {
        self.notices.push(says.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(name: &str, after: &[&str], seconds: u64) -> StageSpecification {
        StageSpecification::new(name, "k", 1, serde_json::Value::Null)
            .after(after.iter().copied())
            .expected(Duration::from_secs(seconds))
    }

    #[test]
    fn takes_as_long_as_its_longest_way() {
        let plan = Plan::of([
            stage("a", &[], 10),
            stage("b", &["a"], 5),
            stage("c", &["a"], 7),
            stage("d", &["b"], 1),
        ]);
        assert_eq!(plan.expected(), Duration::from_secs(17));
        assert_eq!(plan.defect(), None);
    }

    #[test]
    fn knows_its_defects() {
        assert!(
            Plan::of([stage("a", &["b"], 1), stage("b", &[], 1)])
                .defect()
                .unwrap()
                .contains("waits for \"b\"")
        );
        assert!(Plan::of([stage("a", &[], 1), stage("a", &[], 1)]).defect().unwrap().contains("twice"));
    }

    #[test]
    fn deadlines_are_three_times_the_expected_and_fifteen_minutes_at_least() {
        assert_eq!(stage("a", &[], 10).deadline_seconds, 900);
        assert_eq!(stage("a", &[], 600).deadline_seconds, 1800);
    }
}
