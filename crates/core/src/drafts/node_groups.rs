//! Drafts of what is done to node groups. Each holds its cluster alone: clouds change one thing of a cluster at a time.

use pmks_driver::{
    AddNodeGroup, AutoScaling, Change, ChangeNodeGroupScaling, LastNodeGroup, NodeGroupTarget,
    RemoveNodeGroup, UpgradeNodeGroup,
};
use pmks_model::{
    Cluster, Findings, Iid, NodeGroup, NodeGroupRequest, ResourceKind, ResourceReference, Says, Scaling,
    ScalingChange, ScalingField, Term,
};
use pmks_store::{NewResource, Resource};

use super::clusters::target as cluster_target;
use super::{Draft, Drafting, alone};
use crate::failure::precondition;
use crate::records::{ClusterIntent, NodeGroupIntent, intent, observed, stored};
use crate::resolve::{self, iid};
use crate::{NewNodeGroup, Reference, Result};

impl Drafting<'_> {
    pub(super) async fn add_node_group(&self, cluster: &str, asked: NewNodeGroup) -> Result<Draft> {
        let cluster = self.records().get(ResourceKind::Cluster, None, cluster).await?;
        let of_cluster: ClusterIntent = intent(&cluster)?;
        let mut findings = Findings::default();
        let siblings = self.records().all(Some(ResourceKind::NodeGroup), Some(cluster.uid)).await?;
        let taken = siblings.iter().map(|sibling| sibling.name_at_cloud().to_owned());
        let cloud_name = self.cloud_names().beside(taken).draw(
            ResourceKind::NodeGroup,
            asked.unique_cloud_name,
            &asked.name,
            "name",
            &mut findings,
        )?;
        let mut references = self.references(&mut findings);
        let key_pair = references.key_pair("keyPair", &asked.key_pair).await?;
        let mut security_groups: Vec<Iid> = Vec::new();
        for text in &of_cluster.security_groups {
            security_groups.extend(references.security_group("cluster.securityGroups", text, None).await?);
        }
        if cluster.imported && of_cluster.security_groups.is_empty() {
            let seen = observed::<Cluster>(&cluster).map(|seen| seen.network.security_groups);
            security_groups = seen.unwrap_or_default();
        }
        let held = references.shared;
        let uid = self.uid();
        let request = resolve::node_group("", &asked, key_pair, &mut findings);
        let change = Change::AddNodeGroup(AddNodeGroup {
            cluster: cluster_target(&cluster),
            security_groups,
            request: NodeGroupRequest { name: cloud_name.clone().unwrap_or(request.name), ..request },
            tags: of_cluster.tags,
            marks: self.marks(uid),
        });
        let mut draft = self.draft_of(self.part(&cluster, &asked.name), uid, change);
        draft.holds.push(alone(cluster.uid));
        draft.names.push(cluster.uid);
        draft.shares(held);
        let record =
            self.record(uid, ResourceKind::NodeGroup, Some(cluster.uid), &asked.name, stored(&asked)?);
        draft.resources = vec![NewResource { cloud_name, ..record }];
        draft.findings = findings;
        Ok(draft)
    }

    pub(super) async fn scale_node_group(
        &self,
        cluster: &str,
        name: &str,
        scaling: ScalingChange,
    ) -> Result<Draft> {
        let (cluster, record) = self.group(cluster, name).await?;
        let known = KnownScaling::of(&record)?;
        let here = self.capabilities().auto_scaling;
        let scaling = if here.keeps_limits { scaling } else { known.with_waiting_limits(scaling) };
        let mut findings = Findings::default();
        if let Some(wanted) = known.after(scaling, here) {
            beyond_limits(scaling, Some(wanted.min), Some(wanted.max), &mut findings);
            let mut rules = Findings::default();
            wanted.validate("scaling", &mut rules);
            resolve::add_unsaid(&mut findings, &rules);
        }
        if !self.capabilities().scales_to_zero && scaling.min == Some(0) {
            findings.add("scaling.min", "must be at least 1 here");
        }
        let change = Change::ChangeNodeGroupScaling(ChangeNodeGroupScaling {
            target: target(&cluster, &record),
            change: scaling,
            marks: self.marks(record.uid),
        });
        let mut draft = self.change_of(&cluster, &record, change);
        draft.findings = findings;
        Ok(draft)
    }

    pub(super) async fn upgrade_node_group(
        &self,
        cluster: &str,
        name: &str,
        version: &str,
        force: bool,
    ) -> Result<Draft> {
        let (cluster, record) = self.group(cluster, name).await?;
        let mut findings = Findings::default();
        let change = Change::UpgradeNodeGroup(UpgradeNodeGroup {
            target: target(&cluster, &record),
            version: resolve::version("version", version, &mut findings),
            force,
            marks: self.marks(record.uid),
        });
        let mut draft = self.change_of(&cluster, &record, change);
        draft.findings = findings;
        Ok(draft)
    }

    pub(super) async fn remove_node_group(&self, cluster: &str, meant: &Reference) -> Result<Draft> {
        let (cluster, record) = self.group(cluster, meant).await?;
        if self.capabilities().last_node_group != LastNodeGroup::Removable {
            let all = self.records().all(Some(ResourceKind::NodeGroup), Some(cluster.uid)).await?;
            if all.len() == 1 {
                let group = || Says::kind(ResourceKind::NodeGroup);
                let says = Says::from(format!("{} keeps at least one ", self.capabilities().title));
                let says = says.then(group()).text(" in a cluster");
                let fix = Says::from("add another ").then(group()).text(" first, or delete the cluster");
                return Err(precondition(says, fix));
            }
        }
        let remove = RemoveNodeGroup { target: target(&cluster, &record), marks: self.marks(record.uid) };
        Ok(self.change_of(&cluster, &record, Change::RemoveNodeGroup(remove)))
    }

    async fn group(&self, cluster: &str, meant: impl Into<Reference>) -> Result<(Resource, Resource)> {
        let cluster = self.records().get(ResourceKind::Cluster, None, cluster).await?;
        let record = self.records().get(ResourceKind::NodeGroup, Some(cluster.uid), meant).await?;
        Ok((cluster, record))
    }

    fn part(&self, cluster: &Resource, name: &str) -> ResourceReference {
        ResourceReference {
            cluster: Some(cluster.name.clone()),
            ..self.reference(ResourceKind::NodeGroup, name)
        }
    }

    fn change_of(&self, cluster: &Resource, record: &Resource, change: Change) -> Draft {
        let mut draft = self.draft_of(self.part(cluster, &record.name), record.uid, change);
        draft.holds.push(alone(cluster.uid));
        draft
    }
}

/// A size beyond a limit that was set before moves no limit: whoever wants that says so.
pub(crate) fn beyond_limits(
    change: ScalingChange,
    min: Option<u32>,
    max: Option<u32>,
    findings: &mut Findings,
) {
    let Some(desired) = change.desired else { return };
    let over = max.filter(|max| change.max.is_none() && desired > *max);
    let under = min.filter(|min| change.min.is_none() && desired < *min);
    let (limit, is, how) = match (over, under) {
        (Some(max), _) => (ScalingField::Max, max, "larger"),
        (None, Some(min)) => (ScalingField::Min, min, "smaller"),
        (None, None) => return,
    };
    let says = Says::from(format!("{desired} is beyond "))
        .term(Term::Field(limit))
        .text(format!(", which is {is}: give a {how} "))
        .term(Term::Given(limit))
        .text(" in the same request");
    findings.add("scaling.desired", says);
}

/// What is known of a node group's scaling.
struct KnownScaling {
    asked: ScalingChange,
    seen: Option<Scaling>,
}

impl KnownScaling {
    fn of(record: &Resource) -> Result<Self> {
        let asked = intent::<NodeGroupIntent>(record)?.scaling;
        Ok(Self { asked, seen: observed::<NodeGroup>(record).and_then(|group| group.scaling) })
    }

    /// The scaling that a change is applied to: as the cloud has it, with what was asked for over it.
    fn now(&self, here: AutoScaling) -> Option<Scaling> {
        let (asked, seen) = (self.asked, self.seen);
        match (asked.auto_scaling, asked.min, asked.max, asked.desired) {
            (Some(auto_scaling), Some(min), Some(max), Some(desired)) => {
                // With autoscaling on, the size is the autoscaler's: what it is now counts, not where it began.
                let desired = seen.filter(|_| auto_scaling).map_or(desired, |seen| seen.desired);
                Some(Scaling { auto_scaling, min, max, desired })
            }
            _ => seen.map(|seen| here.apply(asked, seen)),
        }
    }

    /// The scaling that a change results in. Limits that were asked for hold, also where the cloud keeps none.
    fn after(&self, change: ScalingChange, here: AutoScaling) -> Option<Scaling> {
        let (min, max) = (change.min.or(self.asked.min), change.max.or(self.asked.max));
        self.now(here).map(|now| here.apply(ScalingChange { min, max, ..change }, now))
    }

    /// A change that switches autoscaling on asks for the limits too that waited for it.
    fn with_waiting_limits(&self, change: ScalingChange) -> ScalingChange {
        let is_on = self.seen.is_some_and(|seen| seen.auto_scaling);
        if change.auto_scaling != Some(true) || is_on {
            return change;
        }
        let wish = change.asked_after(self.asked, None);
        ScalingChange { min: wish.min, max: wish.max, ..change }
    }
}

/// The node group that a record is of, as far as it is known.
pub(crate) fn target(cluster: &Resource, record: &Resource) -> NodeGroupTarget {
    NodeGroupTarget {
        cluster: cluster_target(cluster),
        iid: iid(record),
        incarnation: record.incarnation.clone().unwrap_or_default(),
    }
}
