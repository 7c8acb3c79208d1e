//! The draft of an import: it reads the cluster, and stores nothing that the user did not ask for.

use std::collections::BTreeSet;

use pmks_driver::Marks;
use pmks_model::{Cluster, Findings, NodeGroup, OperationKind, ResourceKind, Says, Term, is_same_identifier};
use pmks_store::NewResource;
use serde_json::Value;

use super::{Draft, Drafting, alone, shared};
use crate::cloud_names::other_name;
use crate::failure::{conflict, invalid, missing};
use crate::parts::{is_of, not_in};
use crate::records::{Records, observation};
use crate::resolve::is_absent;
use crate::{ImportCluster, Reference, Result};

impl Drafting<'_> {
    pub(super) async fn import_cluster(&self, import: ImportCluster) -> Result<Draft> {
        let mut findings = Findings::default();
        // Ours alone: it has its name at the cloud.
        findings.add_some("name", pmks_model::refusal_of_ours(&import.name));
        if import.system_id.is_empty() {
            findings.add("systemId", "is required");
        }
        crate::failure::check(findings)?;
        // «Not found» counts only in the account that the connection belongs to.
        self.shared.drivers.acts_for(self.at).await?;
        let records = Records { store: self.shared.store.as_ref(), place: self.place };
        let network = match import.network.as_str() {
            "" => None,
            named => Some(records.get(ResourceKind::Network, None, named).await?),
        };
        let started_at = self.shared.clock.wall();
        let cluster = match self.at.driver.get_cluster(&import.system_id).await {
            Err(error) if is_absent(&error) => {
                let kind = ResourceKind::Cluster;
                return Err(missing("systemId", kind, &import.system_id, " at the cloud"));
            }
            answer => answer.map_err(|error| self.at.failed(&error))?,
        };
        let elsewhere = self.at.elsewhere(&cluster.region);
        if let Some(says) = elsewhere.or_else(|| self.at.cluster_elsewhere(&cluster.iid.system_id)) {
            return Err(invalid("systemId", says));
        }
        let lies_in = &cluster.network.network.system_id;
        if let Some(network) = network.filter(|network| {
            // Where a cloud does not say it, nobody knows better.
            !lies_in.is_empty() && !is_of(network, lies_in)
        }) {
            let own = records.find(ResourceKind::Network, None, Reference::identifier(lies_in)).await?;
            return Err(invalid("systemId", not_in(&import.system_id, &network, own.as_ref(), lies_in)));
        }
        let own = records.of_region(ResourceKind::Cluster).await?;
        // One that is known here was taken over: that is said of it, whoever has marked it.
        if !own.iter().any(|record| record.system_id.as_ref() == Some(&cluster.iid.system_id)) {
            self.refuse_strangers(&cluster, import.take_over)?;
        }
        let names = names_of_groups(&cluster, &import)?;
        let uid = self.uid();
        let resource = self.reference(ResourceKind::Cluster, &import.name);
        Ok(Draft {
            kind: OperationKind::ClusterImport,
            resource,
            resource_uid: Some(uid),
            change: None,
            resources: self.imported_records(uid, &import.name, &cluster, &names, started_at)?,
            holds: vec![alone(uid), shared(self.at.connection.uid)],
            names: Vec::new(),
            decided: None,
            unreadable: Findings::default(),
            findings: Findings::default(),
            notices: Self::takes_in(&cluster),
        })
    }

    /// What an import would take in, for its plan: it has no stages.
    fn takes_in(cluster: &Cluster) -> Vec<String> {
        let names = |groups: Vec<&NodeGroup>| -> Vec<String> {
            groups.into_iter().map(|group| group.iid.name_id.clone()).collect()
        };
        let version = cluster.version.as_ref().map(ToString::to_string).unwrap_or_default();
        let groups = match names(cluster.node_groups.iter().collect()).as_slice() {
            [] => "no node group".to_owned(),
            [one] => format!("node group {one}"),
            some => format!("{} node groups: {}", some.len(), some.join(", ")),
        };
        let mut says = vec![format!(
            "a record is made of cluster {} ({version}, {}) with {groups}; nothing changes at the cloud",
            cluster.iid.system_id,
            cluster.status.as_str()
        )];
        let scaled = |group: &&NodeGroup| group.scaling.is_some_and(|scaling| scaling.auto_scaling);
        let scaled = names(cluster.node_groups.iter().filter(scaled).collect());
        if !scaled.is_empty() {
            says.push(format!(
                "autoscaling is on of {}: it moves their size; switch it off to set a size (node-group scale \
                 --auto-scaling false)",
                scaled.join(", ")
            ));
        }
        says
    }

    /// A mark of another installation means that somebody else may work on it: forgetting takes none off.
    fn refuse_strangers(&self, cluster: &Cluster, take_over: bool) -> Result<()> {
        let [installation, ..] = Marks::KEYS;
        match cluster.tags.get(installation) {
            Some(other) if *other != self.shared.store.installation().to_string() && !take_over => {
                let mut failure = conflict(format!(
                    "{:?} carries the mark of the pmks installation {other}, which may work on it",
                    cluster.iid.system_id
                ));
                let says = Says::from("is imported with ").term(Term::TakeOver).text(
                    ", once that one has forgotten it, which leaves the mark: nothing keeps the other one from changing \
                     what it still knows",
                );
                failure.findings.add("systemId", says);
                Err(failure)
            }
            _ => Ok(()),
        }
    }

    fn imported_records(
        &self,
        uid: uuid::Uuid,
        name: &str,
        cluster: &Cluster,
        names: &[String],
        started_at: jiff::Timestamp,
    ) -> Result<Vec<NewResource>> {
        let observed_at = self.shared.clock.wall();
        let mut whole = self.record(uid, ResourceKind::Cluster, None, name, Value::Null);
        whole.cloud_name = other_name(&cluster.iid.name_id, name);
        whole.system_id = Some(cluster.iid.system_id.clone());
        whole.incarnation = Some(cluster.incarnation.clone());
        whole.observation = Some(observation(cluster, started_at, observed_at)?);
        whole.imported = true;
        let mut records = vec![whole];
        for (group, name) in cluster.node_groups.iter().zip(names) {
            let part = self.uid();
            let mut record = self.record(part, ResourceKind::NodeGroup, Some(uid), name, Value::Null);
            record.cloud_name = other_name(&group.iid.name_id, name);
            record.system_id = Some(group.iid.system_id.clone());
            record.incarnation = Some(group.incarnation.clone());
            record.observation = Some(observation(group, started_at, observed_at)?);
            record.imported = true;
            records.push(record);
        }
        Ok(records)
    }
}

/// The name of each node group: what the user calls it, else what the cloud does, or a number.
fn names_of_groups(cluster: &Cluster, import: &ImportCluster) -> Result<Vec<String>> {
    let (mut findings, given) = (Findings::default(), &import.node_groups);
    let at_cloud = || cluster.node_groups.iter().map(|group| group.iid.name_id.as_str());
    // By their names, for a list of the cloud may have another order each time.
    let number = |name: &str| at_cloud().filter(|other| *other < name).count();
    let called = |name: &str| {
        if import.number_node_groups {
            format!("{}-nodegroup-{}", import.name, number(name))
        } else {
            name.to_owned()
        }
    };
    let mut names: Vec<String> = at_cloud().map(called).collect();
    if import.number_node_groups {
        findings.add_some("name", names.iter().find_map(|name| pmks_model::refusal_of_ours(name)));
    }
    let mut taken = BTreeSet::new();
    for (index, wish) in given.iter().enumerate() {
        let field = |field: &str| format!("nodeGroups[{index}].{field}");
        findings.add_some(field("name"), pmks_model::refusal_of_ours(&wish.name));
        let is_it = |group: &NodeGroup| {
            is_same_identifier(&group.iid.system_id, &wish.system_id) || group.iid.name_id == wish.system_id
        };
        let Some(place) = cluster.node_groups.iter().position(is_it) else {
            let kind = ResourceKind::NodeGroup;
            findings.add_missing(field("systemId"), kind, &wish.system_id, " in the cluster");
            continue;
        };
        if !taken.insert(place) {
            findings.add(field("systemId"), "is named twice");
        }
        if let Some(name) = names.get_mut(place) {
            name.clone_from(&wish.name);
        }
    }
    let mut seen = BTreeSet::new();
    for twice in names.iter().filter(|name| !seen.insert(name.as_str())) {
        // Of whoever gave it: without that name the others can come.
        let wish = given.iter().rposition(|wish| wish.name == *twice);
        let field = wish.map_or_else(|| "nodeGroups".to_owned(), |index| format!("nodeGroups[{index}].name"));
        findings.add(field, format!("two node groups would be called {twice:?}"));
    }
    crate::failure::check(findings)?;
    Ok(names)
}
