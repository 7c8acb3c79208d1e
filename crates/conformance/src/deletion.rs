//! The end of a cluster in a sweep: with what its earlier deletions knew, each part tried whatever becomes of the others,
//! and whatever stays named.
//!
//! Asks nobody what still stands: that is the driver's. What a plan is about, and how far it came, is all it looks at.

use std::collections::{BTreeMap, BTreeSet};

use pmks_driver::cluster_objects::object_kind;
use pmks_driver::{Change, DriverError, Effect, Outputs, Search, StageSpecification};
use pmks_model::{Child, Children, ResourceKind};
use serde_json::Value;

use crate::Rig;
use crate::executor::prepare_by;
use crate::journal::{Begun, plan_id};
use crate::runner::Runner;

/// A deletion of a cluster, as far as it came.
pub(crate) struct Deletion {
    stages: Vec<StageSpecification>,
    children: Children,
    /// What the stages left that are over, and well.
    done: BTreeMap<String, Value>,
    /// Why the others failed that were tried.
    failed: BTreeMap<String, DriverError>,
}

impl Deletion {
    /// As a journal tells it.
    pub(crate) fn of(begun: &Begun) -> Self {
        let done = begun.progress.iter();
        let done = done.filter_map(|(stage, one)| Some((stage.clone(), one.outputs.clone()?))).collect();
        let (stages, children) = (begun.stages.clone(), begun.children.clone());
        Self { stages, children, done, failed: BTreeMap::new() }
    }

    /// Carries one out. Each stage is tried that comes after none that failed.
    ///
    /// # Errors
    /// When it cannot be prepared: nothing was asked for then.
    pub(crate) async fn carry_out(rig: &Rig, change: &Change, known: Children) -> Result<Self, DriverError> {
        let driver = rig.driver.as_ref();
        let search = Search { known, ..Search::default() };
        let prepared = prepare_by(rig, driver, change, &search).await?;
        let plan = plan_id(&prepared.plan);
        let mut deletion = Self {
            stages: prepared.plan.stages,
            children: prepared.children,
            done: BTreeMap::new(),
            failed: BTreeMap::new(),
        };
        let mut outputs = Outputs::default();
        for (index, stage) in deletion.stages.iter().enumerate() {
            if !stage.after.iter().all(|name| deletion.done.contains_key(name)) {
                continue;
            }
            let calls = driver.stage(stage)?;
            let mut runner = Runner::new(rig, driver, stage, calls.as_ref(), outputs.clone(), index);
            runner.plan.clone_from(&plan);
            match runner.run().await {
                Ok(left) => {
                    outputs.insert(&stage.name, left.clone());
                    deletion.done.insert(stage.name.clone(), left);
                }
                Err(error) => {
                    deletion.failed.insert(stage.name.clone(), error);
                }
            }
        }
        Ok(deletion)
    }

    /// Whether every stage is over, and well.
    pub(crate) fn is_done(&self) -> bool {
        self.stages.iter().all(|stage| self.done.contains_key(&stage.name))
    }

    /// Whether the cluster itself is gone.
    pub(crate) fn cluster_is_gone(&self) -> bool {
        let is_of_cluster = |stage: &&StageSpecification| {
            stage.subject.as_ref().is_some_and(|subject| subject.kind == ResourceKind::Cluster)
        };
        self.stages.iter().filter(is_of_cluster).any(|stage| self.done.contains_key(&stage.name))
    }

    /// What it knew beside the cluster and has not surely removed; what lies within the cluster goes with it.
    pub(crate) fn standing(&self) -> impl Iterator<Item = &Child> {
        let is_gone = self.cluster_is_gone();
        self.children.found.iter().filter(move |child| {
            let goes = is_gone && child.goes_with_cluster;
            object_kind(&child.kind).is_none() && !goes && !self.has_removed(child)
        })
    }

    /// Why a child stands, if a stage was tried for it.
    pub(crate) fn why(&self, child: &Child) -> Option<&DriverError> {
        let mut about = self.stages.iter().filter(|stage| names(&stage.parameters, &child.system_id));
        about.find_map(|stage| self.failed.get(&stage.name))
    }

    /// The first thing that failed.
    pub(crate) fn first_failure(&self) -> Option<&DriverError> {
        self.stages.iter().find_map(|stage| self.failed.get(&stage.name))
    }

    /// A stage that is done was about it, and does not say that it stands all the same.
    fn has_removed(&self, child: &Child) -> bool {
        let changing = self.stages.iter().filter(|stage| stage.effect != Effect::Read);
        changing
            .filter(|stage| names(&stage.parameters, &child.system_id))
            .any(|stage| self.done.get(&stage.name).is_some_and(|outputs| !names(outputs, &child.system_id)))
    }
}

/// What deletions of a cluster knew and have not surely removed: of a child that several knew, the last one tells. What
/// the last one could not look at, nobody has seen since.
pub(crate) fn known_before(deletions: &[Deletion]) -> Children {
    let (mut told, mut found) = (BTreeSet::new(), Vec::new());
    for deletion in deletions.iter().rev() {
        let standing: Vec<&Child> = deletion.standing().collect();
        for child in &deletion.children.found {
            let is_news = told.insert((&child.kind, &child.system_id));
            if is_news && standing.contains(&child) {
                found.push(child.clone());
            }
        }
    }
    let unknown = deletions.last().map(|last| last.children.unknown.clone()).unwrap_or_default();
    Children { found, unknown }
}

/// Whether that text is among the values, however deep. Some clouds know no case in identifiers.
fn names(value: &Value, text: &str) -> bool {
    match value {
        Value::String(has) => has.eq_ignore_ascii_case(text),
        Value::Array(values) => values.iter().any(|value| names(value, text)),
        Value::Object(values) => values.values().any(|value| names(value, text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use pmks_model::{Unseen, UnseenVolumes};
    use serde_json::json;

    use super::*;

    fn child(id: &str, goes_with_cluster: bool) -> Child {
        let (kind, name, made_by) = ("role".to_owned(), String::new(), String::new());
        Child { kind, system_id: id.to_owned(), name, made_by, goes_with_cluster }
    }

    fn stage(name: &str, id: &str) -> StageSpecification {
        StageSpecification::new(name, "x.removal", 1, json!({"deep": [{"id": id}]}))
    }

    fn deletion(found: Vec<Child>, done: &[&str]) -> Deletion {
        let cluster = stage("cluster", "c").subject(ResourceKind::Cluster, "c");
        let stages = vec![cluster, stage("role", "R1"), stage("other", "r2")];
        let unknown = vec![Unseen {
            what: "volumes".to_owned(),
            why: format!("{} were found", found.len()),
            volumes: UnseenVolumes::Stay,
        }];
        let done = done.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
        Deletion { stages, children: Children { found, unknown }, done, failed: BTreeMap::new() }
    }

    fn ids<'a>(children: impl IntoIterator<Item = &'a Child>) -> Vec<&'a str> {
        children.into_iter().map(|child| child.system_id.as_str()).collect()
    }

    #[test]
    fn what_stands_is_what_no_stage_has_removed() {
        let found = || vec![child("r1", false), child("r2", false), child("inside", true)];
        assert_eq!(ids(deletion(found(), &[]).standing()), ["r1", "r2", "inside"]);
        assert_eq!(ids(deletion(found(), &["cluster", "role"]).standing()), ["r2"]);
        let mut waited = deletion(found(), &["cluster", "role"]);
        waited.done.insert("role".to_owned(), json!({"stands": "r1"}));
        assert_eq!(ids(waited.standing()), ["r1", "r2"]);
        assert!(waited.cluster_is_gone() && !waited.is_done());
    }

    #[test]
    fn of_a_child_the_last_deletion_tells() {
        let first = deletion(vec![child("r1", false), child("r2", false), child("r3", false)], &["cluster"]);
        let last = deletion(vec![child("r1", false), child("r2", false)], &["cluster", "role"]);
        let known = known_before(&[first, last]);
        assert_eq!(ids(&known.found), ["r2", "r3"]);
        assert_eq!(known.unknown[0].why, "2 were found");
        assert_eq!(known_before(&[]), Children::default());
    }
}
