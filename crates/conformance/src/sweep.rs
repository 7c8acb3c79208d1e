//! Removes what a journal says was begun, whatever ended the process that began it: through the driver's own deletions,
//! in the order in which one thing holds another, and only what carries the suite's marks.
//!
//! What was half made without being anything's part yet – an internet gateway before it is attached – is found by
//! carrying the cheap creations on to their end first, as the engine would, and deleting them whole. A deletion that was
//! cut off is carried on likewise: it knows what it has taken apart. What the deletions of a cluster knew beside it is
//! known to the next one, and named until it is gone.

use pmks_driver::{
    Change, ClusterTarget, DeleteCluster, DeleteResource, DriverError, ErrorKind, Marks, Outputs,
};
use pmks_model::{Child, Iid, ResourceKind};
use serde::Serialize;

use crate::deletion::{Deletion, known_before};
use crate::executor::carry_out;
use crate::ground::{marks, target};
use crate::journal::Begun;
use crate::runner::Runner;
use crate::{INSTALLATION, Rig};

/// Something that a sweep could not remove.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Left {
    /// What it is: a resource of ours, or what came into being because a cluster stood.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The cloud's identifier; empty where nobody knows it.
    pub system_id: String,
    /// Why it could not be removed.
    pub reason: String,
    /// Whether the cloud did not answer: a little later it may be removed.
    #[serde(skip)]
    pub unanswered: bool,
}

impl Left {
    /// What it is, for people.
    pub fn says(&self) -> &str {
        let ours = [
            ResourceKind::Network,
            ResourceKind::Subnet,
            ResourceKind::SecurityGroup,
            ResourceKind::KeyPair,
            ResourceKind::Cluster,
            ResourceKind::NodeGroup,
        ];
        ours.iter().find(|kind| kind.as_str() == self.kind).map_or(&self.kind, |kind| kind.says())
    }
}

/// Why something is left.
#[derive(Clone)]
struct Why {
    reason: String,
    unanswered: bool,
}

impl Why {
    fn of(error: &DriverError) -> Self {
        let unanswered = matches!(
            error.kind(),
            ErrorKind::Unavailable | ErrorKind::Ambiguous | ErrorKind::Throttled { .. }
        );
        Self { reason: error.to_failure().to_string(), unanswered }
    }

    fn left(&self, kind: &str, name: &str, system_id: &str) -> Left {
        Left {
            kind: kind.to_owned(),
            name: name.to_owned(),
            system_id: system_id.to_owned(),
            reason: self.reason.clone(),
            unanswered: self.unanswered,
        }
    }

    fn child(&self, child: &Child) -> Left {
        let name = if child.name.is_empty() { &child.system_id } else { &child.name };
        self.left(&child.kind, name, &child.system_id)
    }
}

/// What a change made, or may have made.
struct Made<'a> {
    begun: &'a Begun,
    /// What was begun after it.
    later: &'a [Begun],
    kind: ResourceKind,
    name: String,
    network: Option<Iid>,
    marks: Marks,
}

/// Removes everything that was begun and is still there. Waits as long as a request that was cut off could still show.
/// What is gone already costs a look.
pub async fn sweep(rig: &Rig, begun: &[Begun]) -> Vec<Left> {
    let made = standing(begun);
    let of = |kind| made.iter().filter(move |one| one.kind == kind);
    let clusters = of(ResourceKind::Cluster).map(|one| one.remove(rig));
    let mut left: Vec<Left> = futures::future::join_all(clusters).await.into_iter().flatten().collect();
    for kind in
        [ResourceKind::Subnet, ResourceKind::SecurityGroup, ResourceKind::KeyPair, ResourceKind::Network]
    {
        for one in of(kind) {
            left.extend(one.remove(rig).await);
        }
    }
    left
}

/// What may be left of what was begun, where it could not even be looked at for that error: by the journal alone.
pub fn unswept(begun: &[Begun], error: &DriverError) -> Vec<Left> {
    let why = Why::of(error);
    by_journal(begun, &Why { reason: format!("it could not be looked at: {}", why.reason), ..why })
}

/// The same, where somebody cut the sweep off.
pub fn cut_off(begun: &[Begun]) -> Vec<Left> {
    by_journal(begun, &Why { reason: "its removal was cut off".to_owned(), unanswered: false })
}

fn by_journal(begun: &[Begun], why: &Why) -> Vec<Left> {
    standing(begun).iter().flat_map(|one| one.named(why)).collect()
}

/// What was asked for, and not surely removed since.
fn standing(begun: &[Begun]) -> Vec<Made<'_>> {
    (0..begun.len())
        .filter_map(|at| Made::of(begun.get(at)?, begun.get(at + 1..)?))
        .filter(|one| one.begun.asked() && !one.is_removed())
        .collect()
}

impl<'a> Made<'a> {
    fn of(begun: &'a Begun, later: &'a [Begun]) -> Option<Self> {
        let (kind, name, network, marks) = match &begun.change {
            Change::CreateCluster(asked) => (ResourceKind::Cluster, &asked.request.name, None, &asked.marks),
            Change::CreateNetwork(asked) => (ResourceKind::Network, &asked.request.name, None, &asked.marks),
            Change::CreateSubnet(asked) => {
                (ResourceKind::Subnet, &asked.request.name, Some(asked.network.clone()), &asked.marks)
            }
            Change::CreateSecurityGroup(asked) => {
                (ResourceKind::SecurityGroup, &asked.request.name, None, &asked.marks)
            }
            Change::CreateKeyPair(asked) => (ResourceKind::KeyPair, &asked.request.name, None, &asked.marks),
            // A node group goes with its cluster, which the suite made too; prerequisites stay.
            _ => return None,
        };
        Some(Self { begun, later, kind, name: name.clone(), network, marks: marks.clone() })
    }

    /// Whether a deletion of it ran to its end since.
    fn is_removed(&self) -> bool {
        self.removals().any(Begun::is_done)
    }

    /// The deletions of it that were begun. An earlier one was of another of the same name.
    fn removals(&self) -> impl Iterator<Item = &'a Begun> {
        let made = self.begun.made(self.kind, &self.name);
        let kind = self.kind;
        self.later.iter().filter(move |one| made.as_ref().is_some_and(|made| is_removed_by(kind, one, made)))
    }

    /// Its deletions, as far as they came.
    fn deletions(&self) -> Vec<Deletion> {
        self.removals().map(Deletion::of).collect()
    }

    /// All that may be left of it, by the journal: with its subnets, or with what its deletions knew beside it.
    fn named(&self, why: &Why) -> Vec<Left> {
        let system_id = self.begun.made(self.kind, &self.name).map(|(id, _)| id).unwrap_or_default();
        let mut left = Vec::new();
        let deletions = self.deletions();
        if !deletions.iter().any(Deletion::cluster_is_gone) {
            left.push(why.left(self.kind.as_str(), &self.name, &system_id));
        }
        left.extend(known_before(&deletions).found.iter().map(|child| why.child(child)));
        let subjects = self.begun.asked_stages().filter_map(|stage| stage.subject.as_ref());
        let parts = subjects.filter(|part| part.kind == ResourceKind::Subnet && self.kind != part.kind);
        left.extend(parts.map(|part| {
            let id = self.begun.made(part.kind, &part.name).map(|(id, _)| id).unwrap_or_default();
            why.left(part.kind.as_str(), &part.name, &id)
        }));
        left
    }

    /// What is left of it.
    async fn remove(&self, rig: &Rig) -> Vec<Left> {
        let mut system_id = String::new();
        match Box::pin(self.try_remove(rig, &mut system_id)).await {
            Ok(left) => left,
            Err(error) if self.kind == ResourceKind::Cluster => self.named(&Why::of(&error)),
            Err(error) => {
                let why = Why::of(&error);
                let mut left = vec![why.left(self.kind.as_str(), &self.name, &system_id)];
                // A network may stand with some of its subnets, or without.
                if self.kind == ResourceKind::Network
                    && let Ok(network) = rig.driver.get_network(&system_id).await
                {
                    let parts = network.subnets.iter().map(|subnet| &subnet.iid);
                    left.extend(
                        parts
                            .map(|iid| why.left(ResourceKind::Subnet.as_str(), &iid.name_id, &iid.system_id)),
                    );
                }
                left
            }
        }
    }

    async fn try_remove(&self, rig: &Rig, system_id: &mut String) -> Result<Vec<Left>, DriverError> {
        let mut unfinished = None;
        if self.kind != ResourceKind::Cluster && !self.begun.is_done() {
            // A quota may stand in the way; what is there by then is deleted all the same.
            unfinished = finish(rig, self.begun).await.err();
        }
        let Some((id, incarnation)) = self.found(rig).await? else {
            return unfinished.map_or(Ok(Vec::new()), Err);
        };
        system_id.clone_from(&id);
        let iid = Iid::new(self.name.clone(), id.clone());
        if self.kind == ResourceKind::Cluster {
            return self.remove_cluster(rig, iid, incarnation).await;
        }
        for one in self.removals().filter(|one| one.asked()) {
            // What a deletion has taken apart already – a gateway that is detached – it alone still knows. Where it cannot
            // go on, what is there is deleted anew.
            let _ = finish(rig, one).await;
        }
        let asked = DeleteResource {
            kind: self.kind,
            iid,
            incarnation: String::new(),
            network: self.network.clone(),
            marks: self.own(),
        };
        carry_out(rig, &Change::DeleteResource(asked)).await?;
        still_there(rig, self.kind, &id).await.map(|()| Vec::new())
    }

    /// The marks of its removal: names that are derived follow from the uid of what made it.
    fn own(&self) -> Marks {
        Marks { uid: self.marks.uid.clone(), ..marks() }
    }

    /// The identifier that the cloud gave, as written down, else as a look finds it.
    async fn found(&self, rig: &Rig) -> Result<Option<(String, String)>, DriverError> {
        if let Some(made) = self.begun.made(self.kind, &self.name) {
            return Ok(Some(made));
        }
        let Some(stage) = self.begun.stage_of(self.kind, &self.name) else { return Ok(None) };
        let Some(progress) = self.begun.progress.get(&stage.name) else { return Ok(None) };
        let calls = rig.driver.stage(stage)?;
        let outputs = outputs_of(self.begun);
        let mut runner = Runner::new(rig, rig.driver.as_ref(), stage, calls.as_ref(), outputs, 0);
        progress.onto(&mut runner.context);
        runner.settle();
        runner.find().await
    }

    async fn remove_cluster(
        &self,
        rig: &Rig,
        iid: Iid,
        incarnation: String,
    ) -> Result<Vec<Left>, DriverError> {
        let id = iid.system_id.clone();
        let mut meant = ClusterTarget { iid, incarnation };
        match rig.driver.get_cluster(&id).await {
            // What the cluster's end leaves is asked for even where the cluster itself is gone.
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
            Ok(cluster) => {
                let own = cluster.tags.get(Marks::KEYS[0]).map(String::as_str) == Some(INSTALLATION);
                let tagged = rig.driver.capabilities().tags.is_some();
                let another = !meant.incarnation.is_empty() && meant.incarnation != cluster.incarnation;
                if another || (tagged && !own) {
                    // The one that the suite made is gone; this one is somebody else's.
                    let reason = "another cluster has the name by now: its deletion cannot go on".to_owned();
                    let why = Why { reason, unanswered: false };
                    return Ok(known_before(&self.deletions())
                        .found
                        .iter()
                        .map(|one| why.child(one))
                        .collect());
                }
                meant = target(&cluster);
            }
        }
        let asked = DeleteCluster { target: meant, delete_volumes: true, marks: self.own() };
        let known = known_before(&self.deletions());
        let deletion = Deletion::carry_out(rig, &Change::DeleteCluster(asked), known).await?;
        Ok(self.left_of(&deletion, &id))
    }

    /// What a deletion that was carried out just now has left, each with its own reason.
    fn left_of(&self, deletion: &Deletion, id: &str) -> Vec<Left> {
        if deletion.is_done() {
            return Vec::new();
        }
        let unsaid = Why { reason: "its removal did not come to its turn".to_owned(), unanswered: false };
        let first = deletion.first_failure().map_or(unsaid, Why::of);
        let why = |child: &Child| deletion.why(child).map_or_else(|| first.clone(), Why::of);
        let mut left: Vec<Left> = deletion.standing().map(|child| why(child).child(child)).collect();
        if left.is_empty() || !deletion.cluster_is_gone() {
            left.insert(0, first.left(self.kind.as_str(), &self.name, id));
        }
        left
    }
}

/// Whether a change is the deletion of what has that identifier and incarnation.
fn is_removed_by(kind: ResourceKind, one: &Begun, (id, incarnation): &(String, String)) -> bool {
    match &one.change {
        Change::DeleteCluster(asked) => {
            let meant = &asked.target;
            kind == ResourceKind::Cluster
                && meant.iid.system_id == *id
                && (incarnation.is_empty() || meant.incarnation == *incarnation)
        }
        Change::DeleteResource(asked) => asked.kind == kind && asked.iid.system_id == *id,
        _ => false,
    }
}

fn outputs_of(begun: &Begun) -> Outputs {
    let mut outputs = Outputs::default();
    for (stage, progress) in &begun.progress {
        if let Some(left) = &progress.outputs {
            outputs.insert(stage, left.clone());
        }
    }
    outputs
}

/// Carries a plan on to its end, from where it was cut off.
async fn finish(rig: &Rig, begun: &Begun) -> Result<(), DriverError> {
    let mut outputs = outputs_of(begun);
    for (index, stage) in begun.stages.iter().enumerate() {
        let progress = begun.progress.get(&stage.name);
        if progress.is_some_and(|one| one.outputs.is_some()) {
            continue;
        }
        let calls = rig.driver.stage(stage)?;
        let mut runner = Runner::new(rig, rig.driver.as_ref(), stage, calls.as_ref(), outputs.clone(), index);
        if let Some(progress) = progress {
            progress.onto(&mut runner.context);
            runner.settle();
        }
        let left = runner.run().await?;
        outputs.insert(&stage.name, left);
    }
    Ok(())
}

/// An error where something still stands that was removed.
async fn still_there(rig: &Rig, kind: ResourceKind, id: &str) -> Result<(), DriverError> {
    let driver = &rig.driver;
    let read = match kind {
        // Another incarnation may stand there, which is not the suite's: the deletion's own last look has judged.
        ResourceKind::Cluster | ResourceKind::Connection | ResourceKind::NodeGroup => return Ok(()),
        ResourceKind::Network => driver.get_network(id).await.map(drop),
        ResourceKind::Subnet => driver.get_subnet(id).await.map(drop),
        ResourceKind::SecurityGroup => driver.get_security_group(id).await.map(drop),
        ResourceKind::KeyPair => driver.get_key_pair(id).await.map(drop),
    };
    match read {
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => {
            let provider = driver.capabilities().provider;
            Err(DriverError::new(ErrorKind::Unexpected, provider, "it was removed and is still there"))
        }
    }
}
