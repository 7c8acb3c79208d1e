//! Drafts of what is done to clusters.

use std::collections::BTreeMap;

use pmks_driver::{
    Change, ClusterTarget, CreateCluster, DeleteCluster, FixPrerequisites, UpdateCluster, UpgradeCluster,
};
use pmks_model::{
    ClusterRequest, Findings, Iid, NodeGroupRequest, ResourceKind, UpgradeRequest, UpgradeTargets,
};
use pmks_store::{NewResource, Resource, ResourceUpdate};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::tags::{Wish, changes, decided, require_unchanged};
use super::{Draft, Drafting, shared};
use crate::cloud_names::distinct;
use crate::failure::{invalid, precondition};
use crate::records::{ClusterIntent, stored};
use crate::resolve::{self, iid};
use crate::{NewCluster, Reference, Result};

/// What a new cluster and its node groups are called at the cloud; `None`: as they are here.
struct Called {
    cluster: Option<String>,
    groups: Vec<Option<String>>,
}

/// What a PATCH of a cluster may hold. Present and `null` is told from absent.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ClusterPatch {
    #[serde(default)]
    tags: Wish<BTreeMap<String, Option<String>>>,
    #[serde(default)]
    deletion_protection: Wish<bool>,
    #[serde(default)]
    options: Wish<BTreeMap<String, Value>>,
}

/// Options are set at the cloud: there is nothing that their absence would mean there.
fn options(wish: Wish<BTreeMap<String, Value>>, findings: &mut Findings) -> BTreeMap<String, Value> {
    let says = "cannot be removed: set the value that is wanted";
    let given = match wish {
        Wish::Absent => BTreeMap::new(),
        Wish::Given(given) => given,
        Wish::Removed => {
            findings.add("options", says);
            BTreeMap::new()
        }
    };
    for (name, _) in given.iter().filter(|(_, value)| value.is_null()) {
        findings.add(format!("options.{name}"), says);
    }
    given
}

impl Drafting<'_> {
    pub(super) async fn create_cluster(&self, asked: NewCluster) -> Result<Draft> {
        let mut findings = Findings::default();
        let called = self.called(&asked, &mut findings)?;
        let mut references = self.references(&mut findings);
        let network = references.network("network", &asked.network).await?;
        let (mut subnets, mut security_groups, mut key_pairs) = (Vec::new(), Vec::new(), Vec::new());
        for (index, text) in asked.subnets.iter().enumerate() {
            let field = format!("subnets[{index}]");
            let found = if let Some(network) = &network {
                references.subnet(&field, text, network).await?
            } else {
                references.subnet_anywhere(&field, text).await?;
                None
            };
            subnets.push(found.unwrap_or_else(|| Iid::new(text.clone(), "")));
        }
        for (index, text) in asked.security_groups.iter().enumerate() {
            let field = format!("securityGroups[{index}]");
            let found = references.security_group(&field, text, network.as_ref()).await?;
            security_groups.push(found.unwrap_or_else(|| Iid::new(text.clone(), "")));
        }
        for (index, group) in asked.node_groups.iter().enumerate() {
            key_pairs
                .push(references.key_pair(&format!("nodeGroups[{index}].keyPair"), &group.key_pair).await?);
        }
        let held = references.shared;
        let node_groups: Vec<NodeGroupRequest> = asked
            .node_groups
            .iter()
            .zip(key_pairs)
            .zip(&called.groups)
            .enumerate()
            .map(|(index, ((group, key_pair), called))| {
                let prefix = format!("nodeGroups[{index}].");
                let request = resolve::node_group(&prefix, group, key_pair, &mut findings);
                NodeGroupRequest { name: called.clone().unwrap_or(request.name), ..request }
            })
            .collect();
        let request = ClusterRequest {
            name: called.cluster.clone().unwrap_or_else(|| asked.name.clone()),
            version: resolve::version("version", &asked.version, &mut findings),
            network: network.map_or_else(|| Iid::new(asked.network.clone(), ""), |network| network.iid),
            subnets,
            security_groups,
            node_groups,
            tags: asked.tags.clone(),
            options: asked.options.clone(),
        };
        let uid = self.uid();
        let change = Change::CreateCluster(CreateCluster { request, marks: self.marks(uid) });
        let mut draft = self.draft_of(self.reference(ResourceKind::Cluster, &asked.name), uid, change);
        draft.shares(held);
        draft.resources = self.cluster_records(uid, asked, called)?;
        draft.findings = findings;
        Ok(draft)
    }

    /// What a cluster and the node groups that it begins with are called at the cloud.
    fn called(&self, asked: &NewCluster, findings: &mut Findings) -> Result<Called> {
        let mut names = self.cloud_names();
        let whole = asked.unique_cloud_name;
        let cluster = names.draw(ResourceKind::Cluster, whole, &asked.name, "name", findings)?;
        let mut groups = Vec::with_capacity(asked.node_groups.len());
        for (index, group) in asked.node_groups.iter().enumerate() {
            let (wish, field) = (group.unique_cloud_name.or(whole), format!("nodeGroups[{index}].name"));
            groups.push(names.draw(ResourceKind::NodeGroup, wish, &group.name, &field, findings)?);
        }
        if groups.iter().any(Option::is_some) {
            let own = asked.node_groups.iter().map(|group| group.name.as_str());
            distinct(own, |index| format!("nodeGroups[{index}].name"), findings);
        }
        Ok(Called { cluster, groups })
    }

    /// The records of a cluster and of the node groups that it begins with.
    fn cluster_records(&self, uid: Uuid, asked: NewCluster, called: Called) -> Result<Vec<NewResource>> {
        let asked_of_cluster = ClusterIntent {
            version: asked.version,
            network: asked.network,
            subnets: asked.subnets,
            security_groups: asked.security_groups,
            tags: asked.tags,
            options: asked.options,
        };
        let mut cluster =
            self.record(uid, ResourceKind::Cluster, None, &asked.name, stored(&asked_of_cluster)?);
        cluster.protected = asked.deletion_protection;
        cluster.cloud_name = called.cluster;
        let mut records = vec![cluster];
        for (group, cloud_name) in asked.node_groups.into_iter().zip(called.groups) {
            let request = stored(&group)?;
            let record = self.record(self.uid(), ResourceKind::NodeGroup, Some(uid), &group.name, request);
            records.push(NewResource { cloud_name, ..record });
        }
        Ok(records)
    }

    pub(super) async fn delete_cluster(&self, meant: &Reference, delete_volumes: bool) -> Result<Draft> {
        let record = self.records().get(ResourceKind::Cluster, None, meant).await?;
        if record.protected {
            return Err(precondition(
                format!("the deletion of cluster {:?} is protected", meant.as_str()),
                "take its protection back first, if it is to go (`deletionProtection` at `/v1`, `pmks cluster update`)",
            ));
        }
        let (target, marks) = (target(&record), self.marks(record.uid));
        let change = Change::DeleteCluster(DeleteCluster { target, delete_volumes, marks });
        Ok(self.draft_of(self.reference(ResourceKind::Cluster, &record.name), record.uid, change))
    }

    pub(super) async fn update_cluster(
        &self,
        name: &str,
        patch: &Value,
        if_match: &str,
        only_new_tags: bool,
    ) -> Result<Draft> {
        let record = self.records().get(ResourceKind::Cluster, None, name).await?;
        require_unchanged(&record, if_match)?;
        let patch: ClusterPatch = serde_json::from_value(patch.clone()).map_err(|error| {
            invalid("", format!("of a cluster, tags, deletionProtection and options can change: {error}"))
        })?;
        let protected = match patch.deletion_protection {
            Wish::Absent => None,
            Wish::Removed => Some(false),
            Wish::Given(protected) => Some(protected),
        };
        let tags = changes(&record, patch.tags)?;
        self.require_new_tags(only_new_tags, &record, &tags).await?;
        let mut findings = Findings::default();
        let change = Change::UpdateCluster(UpdateCluster {
            target: target(&record),
            tags,
            only_new_tags,
            options: options(patch.options, &mut findings),
            marks: self.marks(record.uid),
        });
        let mut draft =
            self.draft_of(self.reference(ResourceKind::Cluster, &record.name), record.uid, change);
        let update = ResourceUpdate { protected, ..ResourceUpdate::default() };
        draft.findings = findings;
        draft.decided = Some(decided(&record, update));
        Ok(draft)
    }

    pub(super) async fn upgrade_cluster(
        &self,
        name: &str,
        version: &str,
        mut node_groups: UpgradeTargets,
        force: bool,
    ) -> Result<Draft> {
        let record = self.records().get(ResourceKind::Cluster, None, name).await?;
        let mut findings = Findings::default();
        if let UpgradeTargets::Named(names) = &mut node_groups {
            for (index, group) in names.iter_mut().enumerate() {
                let known =
                    self.records().find(ResourceKind::NodeGroup, Some(record.uid), group.as_str()).await?;
                if let Some(known) = known {
                    known.name_at_cloud().clone_into(group);
                } else {
                    let says = format!("cluster {name:?} has no node group {group:?}");
                    findings.add(format!("nodeGroups[{index}]"), says);
                }
            }
        }
        let version = resolve::version("version", version, &mut findings);
        let change = Change::UpgradeCluster(UpgradeCluster {
            target: target(&record),
            request: UpgradeRequest { version, node_groups, force },
            marks: self.marks(record.uid),
        });
        let mut draft =
            self.draft_of(self.reference(ResourceKind::Cluster, &record.name), record.uid, change);
        draft.findings = findings;
        Ok(draft)
    }

    pub(super) async fn fix_prerequisites(&self, cluster: Option<&str>) -> Result<Draft> {
        let connection = &self.at.connection;
        let Some(name) = cluster else {
            let change = Change::FixPrerequisites(FixPrerequisites {
                cluster: None,
                marks: self.marks(connection.uid),
            });
            let mut draft = self.draft_of(
                self.reference(ResourceKind::Connection, &connection.name),
                connection.uid,
                change,
            );
            // A fix of the account must not wait for the clusters of the connection, nor they for it.
            draft.resource_uid = None;
            draft.holds = vec![shared(connection.uid)];
            return Ok(draft);
        };
        let record = self.records().get(ResourceKind::Cluster, None, name).await?;
        let fix = FixPrerequisites { cluster: Some(target(&record)), marks: self.marks(record.uid) };
        let reference = self.reference(ResourceKind::Cluster, &record.name);
        Ok(self.draft_of(reference, record.uid, Change::FixPrerequisites(fix)))
    }
}

/// The cluster that a record is of, as far as it is known.
pub(crate) fn target(record: &Resource) -> ClusterTarget {
    ClusterTarget { iid: iid(record), incarnation: record.incarnation.clone().unwrap_or_default() }
}
