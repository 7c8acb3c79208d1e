//! From records and observations to what is shown of clusters and node groups. Pure.

use std::collections::HashMap;

use pmks_driver::Marks;
use pmks_model::{Cluster, Iid, NodeGroup, ResourceKind, Status};
use pmks_store::Resource;

use crate::activity::{Activity, with_failed_parts};
use crate::cloud_names::is_unique;
use crate::drafts::version_tag;
use crate::failure::unexpected;
use crate::inventory::memory::Record;
use crate::records::observed_at;
use crate::resolve::iid;
use crate::{ClusterView, NodeGroupView, ObservedCluster, ObservedNodeGroup, Result};

/// Our names by kind and identifier at the cloud; of security groups and key pairs the identifiers by our names, too.
#[derive(Default)]
pub(crate) struct Names {
    by_system_id: HashMap<(ResourceKind, String), String>,
    identifiers: HashMap<(ResourceKind, String), Vec<String>>,
}

impl Names {
    pub(crate) fn of(records: &[Resource]) -> Self {
        let mut names = Self::default();
        for record in records {
            names.add(record);
        }
        names
    }

    pub(crate) fn add(&mut self, record: &Resource) {
        if let Some(system_id) = &record.system_id {
            self.by_system_id.insert((record.kind, system_id.clone()), record.name.clone());
            if has_identifiers(record.kind) {
                let called_so = self.identifiers.entry((record.kind, record.name.clone()));
                called_so.or_default().push(system_id.clone());
            }
        }
    }

    pub(crate) fn remove(&mut self, record: &Resource) {
        if let Some(system_id) = &record.system_id {
            self.by_system_id.remove(&(record.kind, system_id.clone()));
            let named = (record.kind, record.name.clone());
            if let Some(called_so) = self.identifiers.get_mut(&named) {
                called_so.retain(|known| known != system_id);
                if called_so.is_empty() {
                    self.identifiers.remove(&named);
                }
            }
        }
    }

    /// Our name, else the identifier itself.
    pub(crate) fn text(&self, kind: ResourceKind, system_id: &str) -> String {
        self.by_system_id.get(&(kind, system_id.to_owned())).cloned().unwrap_or_else(|| system_id.to_owned())
    }

    /// Both names of what a cloud tells by its identifier.
    pub(crate) fn iid(&self, kind: ResourceKind, given: &Iid) -> Iid {
        Iid::new(self.text(kind, &given.system_id), given.system_id.clone())
    }

    /// Both names of a security group or key pair that somebody named by either; one that has no record keeps what it was called, as
    /// does a name that several have in spaces of their own.
    fn named(&self, kind: ResourceKind, text: &str) -> Iid {
        let called = (kind, text.to_owned());
        match self.identifiers.get(&called).map(Vec::as_slice) {
            Some([system_id]) => Iid::new(text, system_id.clone()),
            _ => match self.by_system_id.get(&called) {
                Some(name) => Iid::new(name.clone(), text),
                None => Iid::new(text, ""),
            },
        }
    }

    pub(crate) fn iids(&self, kind: ResourceKind, given: &[Iid]) -> Vec<Iid> {
        given.iter().map(|given| self.iid(kind, given)).collect()
    }
}

/// Of what users name by its name alone, while the cloud has another one for it.
fn has_identifiers(kind: ResourceKind) -> bool {
    matches!(kind, ResourceKind::SecurityGroup | ResourceKind::KeyPair)
}

/// What a view is made with.
pub(crate) struct Shown<'a> {
    pub(crate) names: &'a Names,
    pub(crate) activity: &'a Activity,
    pub(crate) refresh_error: Option<String>,
}

/// How a cluster is.
pub(crate) fn status<'r>(
    activity: &Activity,
    cluster: &Record,
    parts: impl IntoIterator<Item = &'r Record>,
) -> (Status, String) {
    let seen = cluster.of_cluster().and_then(|said| said.seen.as_ref());
    let seen = seen.map(|seen| (seen.status, seen.status_reason.clone()));
    let parts: Vec<&Record> = parts.into_iter().collect();
    let shown = activity.status(&cluster.resource, seen, parts.iter().map(|part| &part.resource));
    with_failed_parts(shown, parts.into_iter().filter_map(failed))
}

/// The name of a node group that the cloud calls failed, and why.
fn failed(part: &Record) -> Option<(&str, &str)> {
    let seen = part.of_node_group()?.seen.as_ref()?;
    let is_failed = seen.status == Status::Failed && part.resource.missing_since.is_none();
    is_failed.then_some((part.resource.name.as_str(), seen.status_reason.as_str()))
}

impl Shown<'_> {
    pub(crate) fn cluster<'r>(
        &self,
        cluster: &Record,
        parts: impl Iterator<Item = &'r Record>,
    ) -> Result<ClusterView> {
        let record = &cluster.resource;
        let said = cluster.of_cluster().ok_or_else(|| unexpected("this record is no cluster's"))?;
        let (asked, seen) = (said.asked.clone()?, said.seen.as_ref());
        let parts: Vec<&Record> = parts.collect();
        let (status, status_reason) = status(self.activity, cluster, parts.iter().copied());
        let node_groups = parts.into_iter().map(|part| self.node_group(cluster, part));
        let mut node_groups = node_groups.collect::<Result<Vec<_>>>()?;
        node_groups.sort_by(|a, b| a.name.cmp(&b.name));
        let place = seen.map(|seen| self.observed_cluster(seen));
        let asked_groups = asked
            .security_groups
            .iter()
            .map(|text| self.names.named(ResourceKind::SecurityGroup, text))
            .collect();
        let texts = |given: Option<&Vec<Iid>>| {
            given.map(|given| given.iter().map(|iid| iid.name_id.clone()).collect()).unwrap_or_default()
        };
        let or_seen = |asked: Vec<String>, given: Option<&Vec<Iid>>| {
            if asked.is_empty() { texts(given) } else { asked }
        };
        Ok(ClusterView {
            uid: record.uid.to_string(),
            connection: record.connection.clone(),
            name: record.name.clone(),
            iid: iid(record),
            cloud_name: record.name_at_cloud().to_owned(),
            unique_cloud_name: is_unique(record),
            version: asked.version,
            network: some(asked.network, || place.as_ref().map(|place| place.network.name_id.clone())),
            subnets: or_seen(asked.subnets, place.as_ref().map(|place| &place.subnets)),
            security_groups: or_seen(
                asked.security_groups,
                place.as_ref().map(|place| &place.security_groups),
            ),
            asked_security_groups: asked_groups,
            node_groups,
            tags: asked.tags,
            deletion_protection: record.protected,
            options: asked.options,
            imported: record.imported,
            status,
            status_reason,
            created_at: seen.and_then(|seen| seen.created_at).unwrap_or(record.created_at),
            observed_at: observed_at(record),
            refresh_error: self.refresh_error.clone(),
            version_tag: version_tag(record),
            observed: place,
            access: seen.map(|seen| seen.access.clone()).unwrap_or_default(),
            addons: seen.map(|seen| seen.addons.clone()).unwrap_or_default(),
            key_value_list: seen.map(|seen| seen.key_value_list.clone()).unwrap_or_default(),
        })
    }

    fn observed_cluster(&self, seen: &Cluster) -> ObservedCluster {
        ObservedCluster {
            status: seen.status,
            version: seen.version.clone(),
            network: self.names.iid(ResourceKind::Network, &seen.network.network),
            subnets: self.names.iids(ResourceKind::Subnet, &seen.network.subnets),
            security_groups: self.names.iids(ResourceKind::SecurityGroup, &seen.network.security_groups),
            tags: Marks::off(&seen.tags),
        }
    }

    pub(crate) fn node_group(&self, cluster: &Record, group: &Record) -> Result<NodeGroupView> {
        let whole_seen = cluster.of_cluster().and_then(|said| Some(said.seen.as_ref()?.status));
        let record = &group.resource;
        let said = group.of_node_group().ok_or_else(|| unexpected("this record is no node group's"))?;
        let (asked, seen) = (said.asked.clone()?, said.seen.as_ref());
        let said = seen.map(|seen| (seen.status, seen.status_reason.clone()));
        let (status, status_reason) =
            self.activity.status_of_part(record, said, &cluster.resource, whole_seen);
        let of_seen = |field: fn(&NodeGroup) -> &String| seen.map(|seen| field(seen).clone());
        let key_pair = || {
            let given = &seen?.key_pair;
            let id = if given.system_id.is_empty() { &given.name_id } else { &given.system_id };
            Some(self.names.text(ResourceKind::KeyPair, id))
        };
        let key_pair = some(asked.key_pair, key_pair);
        let mut key_pair_iid = self.names.named(ResourceKind::KeyPair, &key_pair);
        if key_pair_iid.system_id.is_empty() {
            // No record of ours tells: what the cloud says, else what was asked for, which is the cloud's name then.
            let said = of_seen(|seen| &seen.key_pair.system_id).filter(|said| !said.is_empty());
            key_pair_iid.system_id = said.unwrap_or_else(|| key_pair.clone());
        }
        let disk = seen.map(|seen| seen.root_disk_size_gib).filter(|size| *size > 0);
        let scaling = match (asked.scaling, seen.and_then(|seen| seen.scaling)) {
            (asked, Some(seen)) => Some(asked.applied_to(seen)),
            (asked, None) => whole(asked),
        };
        Ok(NodeGroupView {
            uid: record.uid.to_string(),
            cluster: cluster.resource.name.clone(),
            name: record.name.clone(),
            iid: iid(record),
            cloud_name: record.name_at_cloud().to_owned(),
            unique_cloud_name: is_unique(record),
            version: asked.version,
            machine_type: some(asked.machine_type, || of_seen(|seen| &seen.machine_type)),
            image: some(asked.image, || of_seen(|seen| &seen.image)),
            root_disk_type: some(asked.root_disk_type, || of_seen(|seen| &seen.root_disk_type)),
            root_disk_size_gib: asked.root_disk_size_gib.or(disk),
            key_pair,
            key_pair_iid,
            scaling,
            status,
            status_reason,
            nodes: seen.map(|seen| seen.nodes.clone()).unwrap_or_default(),
            created_at: seen.and_then(|seen| seen.created_at).or(Some(record.created_at)),
            observed_at: observed_at(record),
            observed: seen.map(observed_node_group),
            key_value_list: seen.map(|seen| seen.key_value_list.clone()).unwrap_or_default(),
        })
    }
}

fn observed_node_group(seen: &NodeGroup) -> ObservedNodeGroup {
    ObservedNodeGroup {
        version: seen.version.clone(),
        image: seen.image.clone(),
        machine_type: seen.machine_type.clone(),
        root_disk_type: seen.root_disk_type.clone(),
        root_disk_size_gib: seen.root_disk_size_gib,
        scaling: seen.scaling,
    }
}

/// What was asked for, where all of it was.
fn whole(asked: pmks_model::ScalingChange) -> Option<pmks_model::Scaling> {
    Some(pmks_model::Scaling {
        auto_scaling: asked.auto_scaling?,
        min: asked.min?,
        max: asked.max?,
        desired: asked.desired?,
    })
}

/// What was asked for, else what is there.
fn some(asked: String, seen: impl FnOnce() -> Option<String>) -> String {
    if asked.is_empty() { seen().unwrap_or_default() } else { asked }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parts::sample;

    #[test]
    fn security_groups_that_were_asked_for_are_told_by_both_names() {
        let group =
            |uid, name: &str, id: &str| sample(ResourceKind::SecurityGroup, uid, name, Some((id, id)));
        let mut names =
            Names::of(&[group(1, "web", "sg-1"), group(2, "twice", "sg-2"), group(3, "twice", "sg-3")]);
        let told = |names: &Names, text: &str| names.named(ResourceKind::SecurityGroup, text);
        for text in ["web", "sg-1"] {
            assert_eq!(told(&names, text), Iid::new("web", "sg-1"));
        }
        assert_eq!(told(&names, "twice"), Iid::new("twice", ""), "of two spaces: nobody knows which");
        names.remove(&group(3, "twice", "sg-3"));
        assert_eq!(told(&names, "twice"), Iid::new("twice", "sg-2"));
        assert_eq!(told(&names, "none"), Iid::new("none", ""));
    }
}
