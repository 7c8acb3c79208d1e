//! The runs beside which somebody else does something: to what a call is about, just before it.

use pmks_model::{OperationKind, OperationState, ResourceKind};
use pmks_simulation::others::CHANGED;
use pmks_simulation::{Deed, Done, Resource};
use pmks_store::Operation;
use serde_json::json;

use super::clear::{is_clear, says_why};
use super::run::Ended;
use super::ways::Case;
use crate::kill_matrix::{House, Picture, Process, Stage, truth};

/// What an operation is about: its kind and name in the scenes.
pub(super) fn about(kind: OperationKind) -> Option<(ResourceKind, &'static str)> {
    match kind {
        OperationKind::ClusterCreate
        | OperationKind::ClusterDelete
        | OperationKind::ClusterUpgrade
        | OperationKind::ClusterImport
        | OperationKind::ClusterUpdate => Some((ResourceKind::Cluster, "prod")),
        OperationKind::NodeGroupAdd => Some((ResourceKind::NodeGroup, "gb")),
        OperationKind::NodeGroupScale | OperationKind::NodeGroupUpgrade | OperationKind::NodeGroupRemove => {
            Some((ResourceKind::NodeGroup, "ga"))
        }
        OperationKind::NetworkCreate | OperationKind::NetworkUpdate | OperationKind::NetworkDelete => {
            Some((ResourceKind::Network, "net"))
        }
        OperationKind::SubnetCreate | OperationKind::SubnetUpdate | OperationKind::SubnetDelete => {
            Some((ResourceKind::Subnet, "sub-x"))
        }
        OperationKind::SecurityGroupCreate
        | OperationKind::SecurityGroupUpdate
        | OperationKind::SecurityGroupDelete => Some((ResourceKind::SecurityGroup, "nodes")),
        OperationKind::KeyPairCreate | OperationKind::KeyPairUpdate | OperationKind::KeyPairDelete => {
            Some((ResourceKind::KeyPair, "admin"))
        }
        OperationKind::PrerequisiteFix => None,
    }
}

/// On what that stands which an operation makes.
pub(super) fn ground(kind: OperationKind) -> Option<(ResourceKind, &'static str)> {
    match kind {
        OperationKind::ClusterCreate => Some((ResourceKind::Subnet, "sub-0")),
        OperationKind::NodeGroupAdd => Some((ResourceKind::Cluster, "prod")),
        OperationKind::SubnetCreate | OperationKind::SecurityGroupCreate => {
            Some((ResourceKind::Network, "net"))
        }
        _ => None,
    }
}

impl Stage {
    /// One run, and the next attempt where the first one did not succeed. An undisturbed run takes so many changing calls.
    pub(super) async fn beside(
        &self,
        case: &Case,
        (deed, changes): (Deed, usize),
        quiet: &Picture,
        process: &Process,
    ) -> Result<Ended, String> {
        let house = &self.house;
        let mark = house.calls.mark();
        case.begin(house);
        let first = match self.scene.ask(house, process).await {
            Ok(id) => Ok(house.drive(process, id).await?),
            Err(refusal) => Err(refusal),
        };
        Case::end(house);
        let deeds = house.cloud.controls().deeds.done();
        let (ended, last) = match &first {
            Ok(operation) if operation.state == OperationState::Succeeded => {
                let ended = if deeds.is_empty() { Ended::Untouched } else { Ended::Succeeded };
                (ended, Some(operation.clone()))
            }
            first => self.next_attempt(process, first.as_ref().map_err(AsRef::as_ref)).await?,
        };
        if deeds.is_empty() && ended != Ended::Untouched {
            return Err(format!("{ended:?}, and nobody did anything"));
        }
        for done in &deeds {
            match is_left_alone(house, done, last.as_ref()) {
                Err(_) if !can_tell(house, done, case) => return Ok(Ended::Untold),
                told => told?,
            }
        }
        truth::accounted_for(house, process, &self.scene).await?;
        let Some(last) = last else {
            // A field of it is no reason to give up.
            let decides = deed != Deed::IsChanged;
            return if decides { Ok(ended) } else { Err(format!("it is not done: {first:#?}")) };
        };
        if deed != Deed::IsChanged && self.has_done_it(&deeds, &last) {
            let made = house.calls.changes_since(mark).len();
            // Of the parts of a cluster those are raised that are there when the plan is made.
            let is_whole = last.kind == OperationKind::ClusterUpgrade
                && deeds.iter().all(|done| !is_planned(&done.before, &last));
            let is_done = last.kind.removes() || made >= changes || is_whole;
            let says = || format!("it succeeded by {made} of {changes} changing calls: {last:#?}");
            return if is_done { Ok(ended) } else { Err(says()) };
        }
        // What others put there is theirs: without it, all is as if they had not come.
        for done in &deeds {
            clear_away(house, done);
        }
        self.read_anew(process).await?;
        let judged = self.judge(process, &last).await.and_then(|picture| picture.differs(quiet));
        // What the controllers of a cluster made that is gone nobody knows any more: that it is gone, is said.
        let is_gone = deed == Deed::Vanishes && last.kind == OperationKind::ClusterDelete;
        match judged {
            Err(_) if is_gone && !last.notices.is_empty() => Ok(Ended::Undecided),
            judged => judged.map(|()| ended),
        }
    }

    /// Whether nothing can be compared with an undisturbed run: what others took away is not what was to go.
    fn has_done_it(&self, deeds: &[Done], last: &Operation) -> bool {
        let itself = about(self.scene.asks.kind()).and_then(|(kind, _)| self.house.under_test.word(kind));
        let took_itself = deeds.iter().all(|done| Some(done.before.kind.as_str()) == itself);
        !deeds.is_empty() && (!last.kind.removes() || !took_itself) && last.attempt == 1
    }

    /// The operation again; `None` where somebody has to decide, and that is said.
    async fn next_attempt(
        &self,
        process: &Process,
        first: Result<&Operation, &pmks_model::Failure>,
    ) -> Result<(Ended, Option<Operation>), String> {
        let house = &self.house;
        match first {
            Ok(operation) => says_why(house, operation)?,
            Err(refusal) => is_clear(refusal)?,
        }
        truth::accounted_for(house, process, &self.scene).await?;
        house.rest().await;
        let again = match first {
            Ok(operation) => house.retry(process, operation.id).await,
            Err(_) => self.scene.ask(house, process).await,
        };
        let operation = match again {
            Err(refusal) => {
                is_clear(&refusal)?;
                return Ok((Ended::Undecided, None));
            }
            Ok(id) => house.drive(process, id).await?,
        };
        if operation.state != OperationState::Succeeded {
            says_why(house, &operation)?;
            return Ok((Ended::Undecided, None));
        }
        Ok((if first.is_ok() { Ended::Failed } else { Ended::Refused }, Some(operation)))
    }
}

/// What others made stands as they made it, and what they changed is as they left it, unless it was to go.
fn is_left_alone(house: &House, done: &Done, last: Option<&Operation>) -> Result<(), String> {
    let rows = house.cloud.resources();
    let now = |then: &Resource| rows.iter().find(|row| row.kind == then.kind && row.id == then.id);
    for then in &done.after {
        let keeps = |key: &str| then.tags.get(key) == now(then).and_then(|row| row.tags.get(key));
        let is_same = match done.deed {
            Deed::Vanishes => true,
            // A part of a cluster that was there when the plan was made is raised, and goes, with its cluster.
            Deed::IsReplaced if last.is_some_and(|operation| is_planned(then, operation)) => true,
            Deed::IsReplaced => now(then).is_some_and(|now| look(now) == look(then)),
            Deed::IsChanged => {
                let removes = last.is_some_and(|operation| operation.kind.removes());
                keeps(CHANGED.0) || (removes && now(then).is_none())
            }
        };
        if !is_same {
            return Err(format!("somebody else's: {then:#?}\nis now: {:#?}", now(then)));
        }
    }
    Ok(())
}

/// Whether the plan of an operation on a whole cluster names this very part of it.
fn is_planned(part: &Resource, operation: &Operation) -> bool {
    let of_whole = [OperationKind::ClusterDelete, OperationKind::ClusterUpgrade].contains(&operation.kind);
    let is_part = part.attributes.contains_key("cluster");
    // Where the world says nothing of what tells a part from a later one, that is when it was made.
    let incarnation = part.attributes.get("incarnation").and_then(serde_json::Value::as_str);
    let which = incarnation.map_or_else(|| part.created_at.to_string(), str::to_owned);
    let names_it = |stage: &pmks_store::Stage| stage.specification.to_string().contains(&which);
    of_whole && is_part && operation.stages.iter().any(names_it)
}

/// Whether the cloud gives a client the means to tell that a stranger's stands there.
fn can_tell(house: &House, done: &Done, case: &Case) -> bool {
    let kind = truth::RECORDED
        .into_iter()
        .find(|kind| house.under_test.word(*kind) == Some(done.before.kind.as_str()));
    let change = case.changes().then_some(case.action.as_str());
    kind.is_none_or(|kind| house.under_test.tells_strangers(kind, change))
}

/// What nobody but its owner changes of a thing. Its state goes on by itself, as do addresses.
fn look(row: &Resource) -> String {
    let said: Vec<_> = row.attributes.iter().filter(|(key, _)| *key != "endpoint").collect();
    format!("{:?} {:?} {said:?}", row.name, row.tags)
}

fn clear_away(house: &House, done: &Done) {
    let itself = |row: &&Resource| row.kind == done.before.kind;
    let gone = |row: &Resource| json!({"type": Deed::Vanishes, "kind": row.kind, "id": row.id});
    match done.deed {
        Deed::Vanishes => {}
        Deed::IsReplaced => {
            for row in done.after.iter().filter(itself) {
                // Its owner may have it in use by now.
                drop(house.cloud.event(&gone(row)));
            }
        }
        Deed::IsChanged => {
            for row in house.cloud.resources().iter().filter(|row| row.name.as_deref() == Some(CHANGED.0)) {
                drop(house.cloud.event(&gone(row)));
            }
        }
    }
}
