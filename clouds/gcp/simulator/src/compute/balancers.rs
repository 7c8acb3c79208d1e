//! The controllers of a cluster, as far as balancers and disks go: they make a forwarding rule with what belongs to it
//! for a Service of type `LoadBalancer` or an Ingress, and take it away some time after that is gone.
//!
//! What they make carries no label of the cluster: a description names the Service, a firewall rule's its address too,
//! and an endpoint group's the uid of the cluster's `kube-system`. When the cluster goes first, all of it stays and
//! belongs to nobody.
//!
//! Sources: <https://github.com/kubernetes/cloud-provider-gcp> (`gce_loadbalancer_external.go`:
//! `makeServiceDescription`, `makeFirewallDescription`), <https://github.com/kubernetes/ingress-gce>
//! (`pkg/utils/negdescription.go`; its cluster uid is that of `kube-system`).

use std::collections::BTreeSet;
use std::time::Duration;

use pmks_simulation::kubernetes::{Deletion, Entrance, PersistentVolume};
use pmks_simulation::{Now, StateError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::state::{State, Stored, link, path};
use crate::container::{self, Cluster};
use crate::world::{Project, World};

/// From the deletion of a Service until its balancer is gone.
const GONE_AFTER: Duration = Duration::from_secs(35);

/// For whom a controller made something; kept in the body of the forwarding rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Owner {
    location: String,
    cluster: String,
    namespace: String,
    name: String,
    ingress: bool,
    /// Work time at which the controller takes it away.
    going: Option<Duration>,
    /// Whether the controller never comes to it.
    #[serde(default)]
    stuck: bool,
}

/// The event `controllerMakesLoadBalancer {cluster, service, namespace?, kind?, stuck?}`, `kind` being `external`
/// (default) for a Service or `ingress`; the first cluster of that name is meant. What a `stuck` controller made it
/// never takes away.
///
/// # Errors
/// When there is no such cluster, or a field is wrong.
pub(crate) fn controller_makes_load_balancer(
    world: &mut World,
    event: &Value,
    now: Now,
) -> Result<Value, StateError> {
    let text = |key: &str| event.get(key).and_then(Value::as_str);
    let service = text("service").ok_or_else(|| StateError("the event needs `service`".to_owned()))?;
    let ingress = match text("kind").unwrap_or("external") {
        "external" => false,
        "ingress" => true,
        other => return Err(StateError(format!("`{other}` is no kind of balancer"))),
    };
    let (project, cluster) = cluster(world, event)?;
    let owner = Owner {
        location: cluster.location.clone(),
        cluster: cluster.name.clone(),
        namespace: text("namespace").unwrap_or("default").to_owned(),
        name: service.to_owned(),
        ingress,
        going: None,
        stuck: event.get("stuck") == Some(&Value::Bool(true)),
    };
    let address = format!("34.22.{}.{}", 1 + world.random.below(250), 1 + world.random.below(250));
    let made = if ingress {
        for_ingress(world, &project, &cluster, &owner, &address, now)
    } else {
        for_service(world, &project, &cluster, &owner, &address, now)
    };
    let names: Vec<String> = made.iter().map(|stored| stored.name.clone()).collect();
    let state = &mut world.project_mut(&project).compute;
    for mut stored in made {
        // What the API shows of a body is the vendor's alone; who owns it is ours.
        stored.body.insert(OWNER.to_owned(), json!(owner));
        state.resources.insert(stored.key(), stored);
    }
    Ok(json!({"address": address, "names": names}))
}

/// The member of a body that says for whom it was made; no view shows it.
pub(crate) const OWNER: &str = "simulatedOwner";

fn cluster(world: &World, event: &Value) -> Result<(String, Cluster), StateError> {
    let text = |key: &str| event.get(key).and_then(Value::as_str);
    let name = text("cluster").ok_or_else(|| StateError("the event needs `cluster`".to_owned()))?;
    let (project, held) = container::place(world, name)?;
    let found = world.project(&project).container.clusters.get(&held).cloned();
    found.map(|cluster| (project, cluster)).ok_or_else(|| StateError(format!("there is no cluster `{name}`")))
}

fn for_service(
    world: &mut World,
    project: &str,
    cluster: &Cluster,
    owner: &Owner,
    address: &str,
    now: Now,
) -> Vec<Stored> {
    let region = format!("regions/{}", cluster.region());
    let name = format!("a{}", world.random.hex(31));
    let service = format!("{}/{}", owner.namespace, owner.name);
    let description = json!({"kubernetes.io/service-name": service}).to_string();
    let firewall =
        json!({"kubernetes.io/service-name": service, "kubernetes.io/service-ip": address}).to_string();
    let network = link(&path(project, "global", "networks", &cluster.network));
    let pool = link(&path(project, &region, "targetPools", &name));
    let check = format!("k8s-{}-node", world.random.hex(16));
    let check_link = link(&path(project, "global", "httpHealthChecks", &check));
    let nodes: Vec<String> = world
        .project(project)
        .compute
        .instances
        .values()
        .filter(|one| one.wish.cluster == cluster.name && one.wish.location == cluster.location)
        .map(|one| link(&format!("projects/{project}/zones/{}/instances/{}", one.wish.zone, one.name)))
        .collect();
    let mut make = |collection: &str, scope: &str, name: &str, body: Value| {
        Stored::new(collection, scope, name, body, &mut world.random, now.wall)
    };
    vec![
        make(
            "httpHealthChecks",
            "global",
            &check,
            json!({
                "port": 10256, "requestPath": "/healthz", "description": description, "checkIntervalSec": 8,
                "timeoutSec": 1, "healthyThreshold": 1, "unhealthyThreshold": 3,
            }),
        ),
        make(
            "targetPools",
            &region,
            &name,
            json!({
                "description": description, "instances": nodes, "healthChecks": [check_link], "sessionAffinity": "NONE",
            }),
        ),
        make(
            "firewalls",
            "global",
            &format!("k8s-fw-{name}"),
            json!({
                "network": network, "description": firewall, "priority": 1000, "direction": "INGRESS",
                "disabled": false, "sourceRanges": ["0.0.0.0/0"], "allowed": [{"IPProtocol": "tcp", "ports": ["80"]}],
                "targetTags": [cluster.node_tag()], "logConfig": {"enable": false},
            }),
        ),
        make(
            "forwardingRules",
            &region,
            &name,
            json!({
                "IPAddress": address, "IPProtocol": "TCP", "portRange": "80-80", "target": pool,
                "loadBalancingScheme": "EXTERNAL", "networkTier": "PREMIUM", "description": description,
            }),
        ),
    ]
}

fn for_ingress(
    world: &mut World,
    project: &str,
    cluster: &Cluster,
    owner: &Owner,
    address: &str,
    now: Now,
) -> Vec<Stored> {
    let suffix = format!(
        "{}-{}-{}",
        owner.namespace,
        owner.name,
        world.random.text("abcdefghijklmnopqrstuvwxyz0123456789", 8)
    );
    let global = |collection: &str, name: &str| link(&path(project, "global", collection, name));
    let [check, backend, map, proxy] = ["be", "be", "um", "tp"].map(|kind| format!("k8s2-{kind}-{suffix}"));
    let description =
        json!({"kubernetes.io/ingress-name": format!("{}/{}", owner.namespace, owner.name)}).to_string();
    let zone = cluster.zones.first().cloned().unwrap_or_default();
    let (network, subnetwork) = (
        global("networks", &cluster.network),
        link(&path(project, &format!("regions/{}", cluster.region()), "subnetworks", &cluster.subnetwork)),
    );
    let group = format!("k8s1-{suffix}");
    let scope = format!("zones/{zone}");
    let mut make = |collection: &str, scope: &str, name: &str, body: Value| {
        Stored::new(collection, scope, name, body, &mut world.random, now.wall)
    };
    vec![
        make(
            "networkEndpointGroups",
            &scope,
            &group,
            json!({
                "network": network, "subnetwork": subnetwork, "networkEndpointType": "GCE_VM_IP_PORT", "size": 1,
                "description": json!({"cluster-uid": cluster.uid(), "namespace": owner.namespace,
                    "service-name": owner.name, "port": "80"}).to_string(),
            }),
        ),
        make(
            "healthChecks",
            "global",
            &check,
            json!({
                "type": "HTTP", "httpHealthCheck": {"requestPath": "/"}, "description": description,
            }),
        ),
        make(
            "backendServices",
            "global",
            &backend,
            json!({
                "protocol": "HTTP", "loadBalancingScheme": "EXTERNAL", "description": description,
                "healthChecks": [global("healthChecks", &check)],
                "backends": [{"group": link(&path(project, &scope, "networkEndpointGroups", &group))}],
            }),
        ),
        make(
            "urlMaps",
            "global",
            &map,
            json!({
                "defaultService": global("backendServices", &backend), "description": description,
            }),
        ),
        make(
            "targetHttpProxies",
            "global",
            &proxy,
            json!({
                "urlMap": global("urlMaps", &map), "description": description,
            }),
        ),
        make(
            "forwardingRules",
            "global",
            &format!("k8s2-fr-{suffix}"),
            json!({
                "IPAddress": address, "IPProtocol": "TCP", "portRange": "80-80",
                "target": global("targetHttpProxies", &proxy), "loadBalancingScheme": "EXTERNAL",
                "networkTier": "PREMIUM", "description": description,
            }),
        ),
    ]
}

/// The event `controllerMakesVolume {cluster, sizeGib?}`.
///
/// # Errors
/// When there is no such cluster.
pub(crate) fn controller_makes_volume(
    world: &mut World,
    event: &Value,
    now: Now,
) -> Result<Value, StateError> {
    let (project, cluster) = cluster(world, event)?;
    let size = event.get("sizeGib").and_then(Value::as_u64).unwrap_or(10);
    let name = format!("pvc-{}", world.random.uuid());
    let zone = cluster.zones.first().cloned().unwrap_or_default();
    let scope = format!("zones/{zone}");
    let description = json!({
        "kubernetes.io/created-for/pv/name": name, "kubernetes.io/created-for/pvc/name": format!("claim-of-{name}"),
        "kubernetes.io/created-for/pvc/namespace": "default", "storage.gke.io/created-by": "pd.csi.storage.gke.io",
    })
    .to_string();
    let body = json!({
        "sizeGb": size.to_string(), "status": "READY", "description": description,
        "type": link(&format!("projects/{project}/{scope}/diskTypes/pd-balanced")),
        "labels": {
            "goog-gke-volume": "", "goog-k8s-cluster-name": cluster.name,
            "goog-k8s-cluster-location": cluster.location,
        },
        OWNER: Owner {
            location: cluster.location, cluster: cluster.name, namespace: "default".to_owned(), name: name.clone(),
            ingress: false, going: None, stuck: false,
        },
    });
    let disk = Stored::new("disks", &scope, &name, body, &mut world.random, now.wall);
    let path = disk.path(&project);
    world.project_mut(&project).compute.resources.insert(disk.key(), disk);
    Ok(json!({"disk": path}))
}

fn owner(stored: &Stored) -> Option<Owner> {
    serde_json::from_value(stored.body.get(OWNER)?.clone()).ok()
}

fn of<'a>(
    state: &'a State,
    cluster: &'a Cluster,
    collection: &'a str,
) -> impl Iterator<Item = (Owner, &'a Stored)> {
    let stored = state.resources.values().filter(move |stored| stored.collection == collection);
    stored
        .filter_map(|stored| Some((owner(stored)?, stored)))
        .filter(|(owner, _)| owner.cluster == cluster.name && owner.location == cluster.location)
}

/// The Services and Ingresses of a cluster that own a balancer.
pub(crate) fn entrances(state: &State, cluster: &Cluster) -> BTreeSet<Entrance> {
    let rules = of(state, cluster, "forwardingRules").filter(|(owner, _)| owner.going.is_none());
    rules
        .map(|(owner, rule)| Entrance {
            namespace: owner.namespace,
            name: owner.name,
            address: rule.text("IPAddress").to_owned(),
            ingress: owner.ingress,
        })
        .collect()
}

/// The volumes that the storage driver made.
pub(crate) fn volumes(project: &Project, cluster: &Cluster) -> Vec<PersistentVolume> {
    let disks = of(&project.compute, cluster, "disks");
    disks
        .map(|(_, disk)| PersistentVolume {
            name: disk.name.clone(),
            capacity_gib: disk.text("sizeGb").parse().unwrap_or_default(),
            driver: "pd.csi.storage.gke.io".to_owned(),
            volume_handle: disk.path(&project.id),
            zone: disk.scope.trim_start_matches("zones/").to_owned(),
            storage_class: "standard-rwo".to_owned(),
            claim_namespace: "default".to_owned(),
            claim_name: format!("claim-of-{}", disk.name),
        })
        .collect()
}

fn is_of(owner: &Owner, deletion: &Deletion) -> bool {
    owner.namespace == deletion.namespace
        && owner.name == deletion.name
        && owner.ingress == (deletion.kind == "Ingress")
}

/// A Service or Ingress was deleted: its controller takes the balancer away. Whether there was one.
pub(crate) fn entrance_deleted(state: &mut State, cluster: &Cluster, deletion: &Deletion, now: Now) -> bool {
    let mut found = false;
    for stored in state.resources.values_mut().filter(|stored| stored.collection != "disks") {
        let Some(mut owner) = owner(stored) else { continue };
        let here = owner.cluster == cluster.name && owner.location == cluster.location;
        if here && is_of(&owner, deletion) && owner.going.is_none() {
            found = true;
            if owner.stuck {
                continue;
            }
            owner.going = Some(now.work.saturating_add(GONE_AFTER));
            stored.body.insert(OWNER.to_owned(), json!(owner));
        }
    }
    found
}

/// Whether the balancer of a deleted Service or Ingress is still there.
pub(crate) fn stands(state: &State, cluster: &Cluster, deletion: &Deletion) -> bool {
    of(state, cluster, "forwardingRules").any(|(owner, _)| is_of(&owner, deletion))
}

/// Takes away what controllers have given up, and forgets owners whose cluster is gone.
pub(crate) fn settle(world: &mut World, project: &str, now: Now) {
    let Project { compute, container, .. } = world.project_mut(project);
    compute.resources.retain(|_, stored| {
        owner(stored).is_none_or(|owner| owner.going.is_none_or(|going| going > now.work))
    });
    for stored in compute.resources.values_mut() {
        if owner(stored).is_some_and(|owner| {
            !container.clusters.contains_key(&format!("{}/{}", owner.location, owner.cluster))
        }) {
            stored.body.remove(OWNER);
        }
    }
}

/// When the next thing falls due.
pub(crate) fn next_due(state: &State) -> Option<Duration> {
    state.resources.values().filter_map(|stored| owner(stored)?.going).min()
}
