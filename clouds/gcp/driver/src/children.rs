//! What came into being because a cluster stood: what its controllers made at Google, found through the cluster's own
//! Kubernetes API where it can be reached. Forwarding rules, network endpoint groups and firewall rules carry no label
//! of their cluster: forwarding and firewall rules are known by their address and by whom they say they were made for,
//! endpoint groups by the cluster's own identifier in their description, disks by the cluster's volumes and by label.
//!
//! Sources: <https://cloud.google.com/kubernetes-engine/docs/how-to/deleting-a-cluster#overview>,
//! <https://github.com/kubernetes/cloud-provider-gcp/blob/master/providers/gce/gce_loadbalancer_naming.go>,
//! <https://github.com/kubernetes/ingress-gce/blob/master/pkg/utils/negdescription.go>,
//! <https://cloud.google.com/kubernetes-engine/docs/how-to/creating-managing-labels#automatically-applied-labels>

use std::collections::BTreeMap;

use futures::FutureExt;
use futures::stream::{self, StreamExt, TryStreamExt};
use pmks_driver::cluster_objects::{ClusterObjects, Part, answered, in_order, keep_seen, volume_made_by};
use pmks_driver::{Care, DriverError, ErrorKind, Result, chain};
use pmks_model::{Child, Children, Cluster};
use serde_json::Value;

use crate::api::compute::{Everywhere, Kind, Scope};
use crate::balancer_parts::{self, Front};
use crate::names::Placed;
use crate::wire::compute as wire;
use crate::{GcpDriver, PROVIDER, convert, kubernetes};

/// The front of a balancer.
pub(crate) const FORWARDING_RULE: &str = "forwardingRule";
/// The backends of a balancer in one zone.
pub(crate) const ENDPOINT_GROUP: &str = "networkEndpointGroup";
/// What lets clients of a balancer in.
pub(crate) const FIREWALL: &str = "firewallRule";
/// A persistent disk.
pub(crate) const VOLUME: &str = Child::VOLUME;

/// Known by the identifier that the cluster gives to itself.
const OF_GROUPS: Part = Part::of("network endpoint groups");

/// How many children are looked at at once.
pub(crate) const AT_ONCE: usize = 8;

/// All children, ordered by kind and identifier; what was not looked at is named among the unknown, or asked for again, as
/// the care says. Four calls at Google, one more for each part behind a forwarding rule, and five at the cluster.
///
/// # Errors
/// Whatever kept Google, or the cluster, from answering what is to be asked for again.
pub(crate) async fn children(driver: &GcpDriver, cluster: &Cluster, care: Care) -> Result<Children> {
    let (objects, uid) = objects(driver, cluster, care).await?;
    let of = Owner::new(cluster, &objects, uid);
    let (rules, groups, firewalls, disks) = futures::join!(
        driver.api.forwarding_rules().boxed(),
        driver.api.network_endpoint_groups().boxed(),
        driver.api.list_firewalls().boxed(),
        driver.api.disks_of(&cluster.iid.name_id).boxed(),
    );
    let mut found = Children { found: objects.children().collect(), unknown: objects.unknown.clone() };
    let project = driver.api.project();
    let (of_rules, of_groups) = (Part::of("forwarding rules"), OF_GROUPS);
    let behind = match &rules {
        Ok(rules) => balancer_parts::behind(driver, of.fronts(rules)).await,
        // They are unknown themselves.
        Err(_) => Ok(Vec::new()),
    };
    let (of_firewalls, of_disks) = (Part::of("firewall rules"), Part::with_volumes("disks"));
    let rules = found_in(of_rules, rules, &mut found, |scope, rule| of.forwarding_rule(scope, &rule));
    let groups = found_in(of_groups, groups, &mut found, |scope, group| of.endpoint_group(scope, &group));
    let firewalls = firewalls.map(|all| all.iter().filter_map(|one| of.firewall(one, project)).collect());
    let labelled = found_in(of_disks, disks, &mut found, |scope, disk| of.disk(scope, &disk));
    let disks = labelled.map(|labelled| with_claimed(labelled, &objects));
    let of_parts = Part::of("what stands behind forwarding rules");
    let reads = [
        (of_rules, rules),
        (of_parts, behind),
        (of_groups, groups),
        (of_firewalls, firewalls),
        (of_disks, disks),
    ];
    for (part, read) in reads {
        keep_seen(part, read, care, &mut found.found, &mut found.unknown)?;
    }
    found.found = in_order(found.found, &[]);
    Ok(found)
}

/// What the cluster itself knows, and its own identifier. Without an endpoint no controller has ever run.
async fn objects(
    driver: &GcpDriver,
    cluster: &Cluster,
    care: Care,
) -> Result<(ClusterObjects, Option<String>)> {
    if cluster.access.endpoint.is_empty() {
        return Ok((ClusterObjects::default(), None));
    }
    match kubernetes::of(driver, &cluster.access).await {
        Err(error) => Ok((ClusterObjects::read(Err(error), care).await?, None)),
        Ok(api) => {
            let (objects, uid) =
                futures::join!(ClusterObjects::read(Ok(api.clone()), care), api.namespace_uid("kube-system"));
            let mut objects = objects?;
            let uid = answered(uid, care)?.unwrap_or_else(|error| {
                objects.unknown.push(OF_GROUPS.unseen(chain(&error)));
                None
            });
            Ok((objects, uid))
        }
    }
}

/// What is a child of what was read; scopes that did not answer are unknown.
fn found_in<T>(
    part: Part,
    read: Result<Everywhere<T>>,
    children: &mut Children,
    child: impl Fn(&str, T) -> Option<Child>,
) -> Result<Vec<Child>> {
    let read = read?;
    let unseen = read.missing.iter().map(|scope| part.unseen(format!("{scope} does not answer now")));
    children.unknown.extend(unseen);
    Ok(read.found.into_iter().filter_map(|(scope, one)| child(&scope, one)).collect())
}

/// Whose children are looked for.
struct Owner<'a> {
    cluster: &'a Cluster,
    /// The cluster's identifier of itself.
    uid: Option<String>,
    /// By address, who has it: such as `Service`, `default/web`.
    addresses: BTreeMap<String, (&'static str, String)>,
}

impl<'a> Owner<'a> {
    fn new(cluster: &'a Cluster, objects: &ClusterObjects, uid: Option<String>) -> Self {
        let mut addresses = BTreeMap::new();
        for object in &objects.balanced {
            let name = format!("{}/{}", object.namespace, object.name);
            for address in &object.addresses {
                addresses.insert(address.clone(), (object.kind.as_str(), name.clone()));
            }
        }
        Self { cluster, uid, addresses }
    }

    /// The object that has that address, unless the description names another one.
    fn maker(&self, address: &str, description: &str) -> Option<String> {
        let (kind, name) = self.addresses.get(address)?;
        let named = made_for(description);
        (named.is_empty() || named.contains(name)).then(|| format!("{kind} {name}"))
    }

    fn forwarding_rule(&self, scope: &str, rule: &wire::ForwardingRule) -> Option<Child> {
        let made_by = self.maker(&rule.ip_address, &rule.description)?;
        Some(child(FORWARDING_RULE, format!("{scope}/forwardingRules/{}", rule.name), &rule.name, made_by))
    }

    /// The rules among these that are the cluster's, with what they lead to.
    fn fronts(&self, rules: &Everywhere<wire::ForwardingRule>) -> Vec<Front> {
        let fronts = rules.found.iter().filter_map(|(scope, rule)| {
            let made_by = self.forwarding_rule(scope, rule)?.made_by;
            let links = vec![rule.target.clone(), rule.backend_service.clone()];
            Some(Front { name: rule.name.clone(), made_by, links })
        });
        fronts.collect()
    }

    fn endpoint_group(&self, scope: &str, group: &wire::NetworkEndpointGroup) -> Option<Child> {
        let says: Value = serde_json::from_str(&group.description).ok()?;
        let text = |name: &str| says.get(name).and_then(Value::as_str);
        if self.uid.is_none() || text("cluster-uid") != self.uid.as_deref() {
            return None;
        }
        let made_by = match (text("namespace"), text("service-name")) {
            (Some(namespace), Some(name)) => format!("Service {namespace}/{name}"),
            _ => String::new(),
        };
        let id = format!("{scope}/networkEndpointGroups/{}", group.name);
        Some(child(ENDPOINT_GROUP, id, &group.name, made_by))
    }

    /// What Google's controller makes for a Service names it with its address.
    fn firewall(&self, firewall: &wire::Firewall, project: &str) -> Option<Child> {
        let says: Value = serde_json::from_str(&firewall.description).ok()?;
        let address = says.get("kubernetes.io/service-ip")?.as_str()?;
        let near =
            convert::network_name(&firewall.network, project) == self.cluster.network.network.system_id;
        let made_by = self.maker(address, &firewall.description).filter(|_| near)?;
        Some(child(FIREWALL, format!("global/firewalls/{}", firewall.name), &firewall.name, made_by))
    }

    /// A disk with the cluster's labels that is no node's own.
    fn disk(&self, scope: &str, disk: &wire::Disk) -> Option<Child> {
        let label = |name: &str| disk.labels.get(name).map(String::as_str);
        let own = label("goog-k8s-cluster-name") == Some(&self.cluster.iid.name_id)
            && label("goog-k8s-cluster-location") == self.cluster.key_value_list.get("Location")
            && label("goog-gke-volume").is_some()
            && label("goog-gke-node").is_none()
            && disk.status != "DELETING";
        let says: Value = serde_json::from_str(&disk.description).unwrap_or_default();
        let part =
            |part: &str| says.get(format!("kubernetes.io/created-for/pvc/{part}")).and_then(Value::as_str);
        let made_by = match (part("namespace"), part("name")) {
            (Some(namespace), Some(name)) => format!("PersistentVolumeClaim {namespace}/{name}"),
            _ => String::new(),
        };
        own.then(|| child(VOLUME, format!("{scope}/disks/{}", disk.name), &disk.name, made_by))
    }
}

/// The disks that carry the cluster's labels, and those of its volumes.
fn with_claimed(labelled: Vec<Child>, objects: &ClusterObjects) -> Vec<Child> {
    let mut all: BTreeMap<String, Child> =
        labelled.into_iter().map(|child| (child.system_id.clone(), child)).collect();
    for volume in &objects.volumes {
        if !matches!(volume.driver.as_str(), "pd.csi.storage.gke.io" | "kubernetes.io/gce-pd") {
            continue;
        }
        // Volumes of the old form say the disk's name alone, and labels its place.
        let id = match Placed::read(&volume.cloud_id) {
            Some(at) => Some(format!("{}/{}/disks/{}", at.scope, at.place, at.name)),
            None => {
                all.values().find(|child| child.name == volume.cloud_id).map(|child| child.system_id.clone())
            }
        };
        if let Some(id) = id {
            all.insert(id.clone(), child(VOLUME, id, &volume.name, volume_made_by(volume)));
        }
    }
    all.into_values().collect()
}

/// The objects that a description says something was made for, as `namespace/name`.
fn made_for(description: &str) -> Vec<String> {
    let Ok(Value::Object(says)) = serde_json::from_str(description) else { return Vec::new() };
    let named = says.iter().filter(|(key, _)| key.ends_with("-name"));
    named
        .filter_map(|(_, value)| value.as_str())
        .filter(|text| text.contains('/'))
        .map(str::to_owned)
        .collect()
}

pub(crate) fn child(kind: &str, id: String, name: &str, made_by: String) -> Child {
    Child { kind: kind.to_owned(), system_id: id, name: name.to_owned(), made_by, goes_with_cluster: false }
}

/// What a child is at Compute Engine, and where; `None` for objects of the cluster.
pub(crate) fn at_google(child: &Child) -> Option<(Kind, Scope, &str)> {
    let kind = match child.kind.as_str() {
        FORWARDING_RULE => Kind::ForwardingRule,
        ENDPOINT_GROUP => Kind::NetworkEndpointGroup,
        FIREWALL => Kind::Firewall,
        VOLUME => Kind::Disk,
        part => balancer_parts::kind_of(part)?,
    };
    let at = Placed::read(&child.system_id)?;
    Some((kind, Scope::of(&at), at.name))
}

/// Which of these still exist at Google. One call a child; Kubernetes objects are left out.
pub(crate) async fn standing(driver: &GcpDriver, children: &[Child]) -> Result<Vec<Child>> {
    let looks = stream::iter(children.to_vec()).map(|child| async move {
        let Some((kind, scope, name)) = at_google(&child) else { return Ok(None) };
        match driver.api.get::<Value>(kind, &scope, name).await {
            Ok(_) => Ok(Some(child)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    });
    let left: Vec<Option<Child>> = looks.buffered(AT_ONCE).try_collect().await?;
    Ok(left.into_iter().flatten().collect())
}

/// Asks Google to remove one child; `None`: it is gone.
///
/// # Errors
/// `Conflict` while something holds it.
pub(crate) async fn remove(driver: &GcpDriver, child: &Child) -> Result<Option<(Scope, wire::Operation)>> {
    let Some((kind, scope, name)) = at_google(child) else {
        let says = format!("a child of kind {:?} cannot be removed at Google", child.kind);
        return Err(DriverError::new(ErrorKind::Unexpected, PROVIDER, says));
    };
    match driver.api.delete(kind, &scope, name).await {
        Ok(operation) => Ok(Some((scope, operation))),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
#[path = "children_tests.rs"]
mod tests;
