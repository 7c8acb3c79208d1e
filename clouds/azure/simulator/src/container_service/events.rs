//! What happens in clusters by itself: controllers make addresses and disks, the autoscaler moves a count.

use pmks_simulation::{Now, StateError};
use serde_json::{Value, json};

use super::state::{Cluster, Entrance};
use super::{infrastructure, machines};
use crate::arm::key;
use crate::json::{at, number, set, text};
use crate::world::{Document, World};

const DISKS: &str = "Microsoft.Compute/disks";

fn needed<'a>(event: &'a Value, name: &str) -> Result<&'a str, StateError> {
    text(event, name).ok_or_else(|| StateError(format!("the event needs `{name}`")))
}

/// The first cluster of this name or id, with its subscription and key.
pub(super) fn find(world: &World, name: &str) -> Result<(String, String, Cluster), StateError> {
    let is_it =
        |cluster: &Cluster| cluster.name().eq_ignore_ascii_case(name) || key(&cluster.id) == key(name);
    let mut subscriptions = world.subscriptions.iter();
    let found = subscriptions.find_map(|(subscription, held)| {
        let (id, cluster) = held.clusters.iter().find(|(_, cluster)| is_it(cluster))?;
        Some((subscription.clone(), id.clone(), cluster.clone()))
    });
    found.ok_or_else(|| StateError(format!("there is no cluster `{name}`")))
}

/// The event `{"type":"controllerMakesLoadBalancer","cluster":NAME,"service":NAME,"namespace"?}`: the Service of that
/// name has a public address.
///
/// # Errors
/// When there is no such cluster, or a field is missing.
pub(crate) fn make_load_balancer(world: &mut World, event: &Value, now: Now) -> Result<Value, StateError> {
    let (subscription, id, cluster) = find(world, needed(event, "cluster")?)?;
    let name = needed(event, "service")?.to_owned();
    let namespace = text(event, "namespace").unwrap_or("default").to_owned();
    let service = format!("{namespace}/{name}");
    let (address, resource) = infrastructure::add_entrance(world, &subscription, &cluster, &service, now);
    let shown = json!({"address": address, "id": resource});
    if let Some(cluster) = world.subscription_mut(&subscription).clusters.get_mut(&id) {
        cluster.entrances.push(Entrance { namespace, name, address, resource, going: false });
    }
    Ok(shown)
}

/// The event `{"type":"controllerMakesVolume","cluster":NAME,"sizeGib"?,"resourceGroup"?}`: a claim has a disk, where its
/// storage class says so in a resource group of the user's.
///
/// Source: <https://learn.microsoft.com/azure/aks/azure-csi-disk-storage-provision#storage-class-parameters-for-dynamic-persistent-volumes>.
///
/// # Errors
/// When there is no such cluster, or the size cannot be.
pub(crate) fn make_volume(world: &mut World, event: &Value, now: Now) -> Result<Value, StateError> {
    let (subscription, _, cluster) = find(world, needed(event, "cluster")?)?;
    let gib = if at(event, "sizeGib").is_null() { Some(10) } else { number(event, "sizeGib") };
    let gib = gib.filter(|gib| (1..=32_767).contains(gib));
    let gib = gib.ok_or_else(|| StateError("sizeGib must lie between 1 and 32767".to_owned()))?;
    let name = format!("pvc-{}", world.random.uuid());
    let group = text(event, "resourceGroup").unwrap_or_else(|| cluster.node_group());
    let id = cluster.id_in(group, DISKS, &name);
    let first = cluster.pools.first().and_then(|pool| Some((pool, pool.machines.first()?)));
    let machine = first.map(|(pool, machine)| cluster.machine_id(&subscription, pool, machine));
    let disk = Document {
        id: id.clone(),
        kind: DISKS.to_owned(),
        body: json!({
            "location": cluster.location, "managedBy": machine, "sku": {"name": "StandardSSD_LRS", "tier": "Standard"},
            "tags": {
                "k8s-azure-created-by": "kubernetes-azure-dd", "kubernetes.io-created-for-pv-name": name,
                "kubernetes.io-created-for-pvc-name": format!("claim-of-{name}"),
                "kubernetes.io-created-for-pvc-namespace": "default",
            },
            "properties": {
                "diskSizeGB": gib, "diskState": "Attached", "creationData": {"createOption": "Empty"},
                "timeCreated": now.wall,
            },
        }),
        state: "Succeeded".to_owned(),
        etag: String::new(),
        created: now.wall,
    };
    world.subscription_mut(&subscription).documents.insert(key(&id), disk);
    Ok(json!({"id": id}))
}

/// The event `{"type":"autoscalerScales","cluster":NAME,"pool":NAME,"count":N}`: the cluster's autoscaler moves a count.
///
/// # Errors
/// When there is no such pool, or its autoscaler is off or may not.
pub(crate) fn autoscale(world: &mut World, event: &Value, now: Now) -> Result<Value, StateError> {
    let (subscription, id, _) = find(world, needed(event, "cluster")?)?;
    let (name, etag) = (needed(event, "pool")?.to_owned(), world.random.uuid());
    let count = number(event, "count").ok_or_else(|| StateError("the event needs `count`".to_owned()))?;
    let held = world.subscription_mut(&subscription);
    let pool = held.clusters.get_mut(&id).and_then(|cluster| cluster.pool_mut(&name));
    let pool = pool.ok_or_else(|| StateError(format!("there is no pool `{name}`")))?;
    let limit = |name: &str| number(&pool.properties, name).unwrap_or_default();
    if !pool.auto_scaling() || !(limit("minCount")..=limit("maxCount")).contains(&count) {
        return Err(StateError(format!("the autoscaler of `{name}` is off, or may not go there")));
    }
    set(&mut pool.properties, "count", count);
    pool.etag = etag;
    machines::scale(world, &subscription, &id, &name, now);
    let held = world.subscription_mut(&subscription);
    if let Some(pool) = held.clusters.get_mut(&id).and_then(|cluster| cluster.pool_mut(&name)) {
        for machine in &mut pool.machines {
            machine.ready_since.get_or_insert(now.wall);
        }
    }
    Ok(json!({"count": count}))
}
