//! What AKS makes for a cluster in its node resource group, and takes along when the cluster goes.
//!
//! Source: <https://learn.microsoft.com/azure/aks/faq#why-are-two-resource-groups-created-with-aks>.

use std::net::Ipv4Addr;

use pmks_simulation::Now;
use serde_json::{Value, json};

use super::state::Cluster;
use crate::arm::{key, last};
use crate::json::{at, set, text};
use crate::network::{ADDRESSES, BALANCERS, GROUPS, NETWORKS, ROUTE_TABLES, SUBNETS};
use crate::resources;
use crate::world::{Document, Group, World};

const IDENTITIES: &str = "Microsoft.ManagedIdentity/userAssignedIdentities";

/// The node resource group with network, balancer, address and identity.
pub(super) fn build(world: &mut World, subscription: &str, target: &str, now: Now) {
    let Some(cluster) = world.subscription(subscription).clusters.get(target).cloned() else { return };
    let group = Group {
        name: cluster.node_group().to_owned(),
        location: cluster.location.clone(),
        tags: json!({
            "aks-managed-cluster-name": cluster.name(), "aks-managed-cluster-rg": cluster.group,
        }),
        managed_by: Some(cluster.id.clone()),
        state: "Succeeded".to_owned(),
        created: now.wall,
    };
    world.subscription_mut(subscription).groups.entry(key(&group.name)).or_insert(group);
    let own_network = cluster.pools.iter().any(|pool| text(&pool.properties, "vnetSubnetID").is_none());
    if own_network {
        make_network(world, subscription, &cluster, now);
    }
    let name = cluster.security_group();
    put(world, subscription, &cluster, (GROUPS, &name), &json!({}), now);
    let uses_routes = text(&cluster.body, "properties.networkProfile.networkPlugin") == Some("kubenet");
    if uses_routes {
        let name = format!("aks-agentpool-{}-routetable", cluster.number);
        put(
            world,
            subscription,
            &cluster,
            (ROUTE_TABLES, &name),
            &json!({"disableBgpRoutePropagation": false, "routes": []}),
            now,
        );
    }
    let balanced = text(&cluster.body, "properties.networkProfile.outboundType") == Some("loadBalancer");
    if balanced {
        make_balancer(world, subscription, &cluster, now);
    }
    make_identity(world, subscription, target, &cluster, now);
}

fn make_network(world: &mut World, subscription: &str, cluster: &Cluster, now: Now) {
    let name = format!("aks-vnet-{}", cluster.number);
    let space = json!({"addressSpace": {"addressPrefixes": ["10.224.0.0/12"]}});
    put(world, subscription, cluster, (NETWORKS, &name), &space, now);
    let subnet = format!("{}/subnets/aks-subnet", cluster.inner_id(NETWORKS, &name));
    let made = Document {
        id: subnet.clone(),
        kind: SUBNETS.to_owned(),
        body: json!({"properties": {"addressPrefix": "10.224.0.0/16"}}),
        state: "Succeeded".to_owned(),
        etag: world.random.uuid(),
        created: now.wall,
    };
    world.subscription_mut(subscription).documents.entry(key(&subnet)).or_insert(made);
}

fn make_balancer(world: &mut World, subscription: &str, cluster: &Cluster, now: Now) {
    let name = world.random.uuid();
    let address = public_address(world);
    let properties = json!({
        "publicIPAddressVersion": "IPv4", "publicIPAllocationMethod": "Static", "idleTimeoutInMinutes": 4,
        "ipAddress": address,
    });
    put(world, subscription, cluster, (ADDRESSES, &name), &properties, now);
    let balancer = cluster.inner_id(BALANCERS, "kubernetes");
    let properties = json!({
        "frontendIPConfigurations": [{
            "id": format!("{balancer}/frontendIPConfigurations/{name}"), "name": name,
            "properties": {
                "provisioningState": "Succeeded", "privateIPAllocationMethod": "Dynamic",
                "publicIPAddress": {"id": cluster.inner_id(ADDRESSES, &name)},
            },
        }],
        "backendAddressPools": [], "loadBalancingRules": [], "probes": [], "inboundNatRules": [],
    });
    put(world, subscription, cluster, (BALANCERS, "kubernetes"), &properties, now);
}

fn make_identity(world: &mut World, subscription: &str, target: &str, cluster: &Cluster, now: Now) {
    if cluster.kubelet_identity.is_some() {
        return;
    }
    let (principal, client) = world.directory.add_identity(&mut world.random, now.work);
    let name = format!("{}-agentpool", cluster.name());
    let id = cluster.inner_id(IDENTITIES, &name);
    let tenant = world.directory.tenant.clone();
    let made = Document {
        id: id.clone(),
        kind: IDENTITIES.to_owned(),
        body: json!({
            "location": cluster.location,
            "properties": {"tenantId": tenant, "principalId": principal, "clientId": client},
        }),
        state: String::new(),
        etag: String::new(),
        created: now.wall,
    };
    let held = world.subscription_mut(subscription);
    held.documents.insert(key(&id), made);
    if let Some(cluster) = held.clusters.get_mut(target) {
        cluster.kubelet_identity = Some((id, client, principal));
    }
}

/// Puts something of AKS' own into the node resource group, if it is not there.
fn put(
    world: &mut World,
    subscription: &str,
    cluster: &Cluster,
    (kind, name): (&str, &str),
    properties: &Value,
    now: Now,
) {
    let id = cluster.inner_id(kind, name);
    let mut body = json!({
        "location": cluster.location, "tags": {"aks-managed-cluster-name": cluster.name()}, "properties": properties,
    });
    if kind == ADDRESSES || kind == BALANCERS {
        set(&mut body, "sku", json!({"name": "Standard", "tier": "Regional"}));
    }
    let etag = world.random.uuid();
    let made = Document {
        id: id.clone(),
        kind: kind.to_owned(),
        body,
        state: "Succeeded".to_owned(),
        etag,
        created: now.wall,
    };
    world.subscription_mut(subscription).documents.entry(key(&id)).or_insert(made);
}

fn public_address(world: &mut World) -> Ipv4Addr {
    let mut part = |below: u64| u8::try_from(1 + world.random.below(below)).unwrap_or(1);
    Ipv4Addr::new(20, part(250), part(250), part(250))
}

/// The cluster goes, and all that lies in its node resource group with it; assignments of its identity stay, without
/// anybody who has them.
pub(super) fn remove(world: &mut World, subscription: &str, target: &str) {
    let Some(cluster) = world.subscription_mut(subscription).clusters.remove(target) else { return };
    let id = world.subscription(subscription).id.clone();
    let group = key(&format!("/subscriptions/{id}/resourceGroups/{}", cluster.node_group()));
    resources::remove_group(world, subscription, &group);
    let identities = [cluster.principal, cluster.kubelet_identity.map(|(.., principal)| principal)];
    for principal in identities.into_iter().flatten() {
        world.directory.principals.remove(&principal);
    }
}

/// A public address for a Service, and the balancer's front end for it.
pub(super) fn add_entrance(
    world: &mut World,
    subscription: &str,
    cluster: &Cluster,
    service: &str,
    now: Now,
) -> (Ipv4Addr, String) {
    let name = format!("kubernetes-a{}", world.random.hex(31));
    let address = public_address(world);
    let properties = json!({
        "publicIPAddressVersion": "IPv4", "publicIPAllocationMethod": "Static", "idleTimeoutInMinutes": 4,
        "ipAddress": address,
    });
    put(world, subscription, cluster, (ADDRESSES, &name), &properties, now);
    let id = cluster.inner_id(ADDRESSES, &name);
    let held = world.subscription_mut(subscription);
    if let Some(document) = held.documents.get_mut(&key(&id)) {
        set(
            &mut document.body,
            "tags",
            json!({"k8s-azure-cluster-name": "kubernetes", "k8s-azure-service": service}),
        );
    }
    let balancer = cluster.inner_id(BALANCERS, "kubernetes");
    let front = json!({
        "id": format!("{balancer}/frontendIPConfigurations/{}", last(&name)), "name": name,
        "properties": {"provisioningState": "Succeeded", "publicIPAddress": {"id": id}},
    });
    if let Some(list) = front_ends(world, subscription, &balancer) {
        list.push(front);
    }
    (address, id)
}

/// The address of a deleted Service goes.
pub(super) fn remove_entrance(
    world: &mut World,
    subscription: &str,
    target: &str,
    namespace: &str,
    name: &str,
) {
    let held = world.subscription_mut(subscription);
    let Some(cluster) = held.clusters.get_mut(target) else { return };
    let is_it = |entrance: &super::state::Entrance| entrance.namespace == namespace && entrance.name == name;
    let Some(position) = cluster.entrances.iter().position(is_it) else { return };
    let gone = cluster.entrances.remove(position);
    let balancer = cluster.inner_id(BALANCERS, "kubernetes");
    held.documents.remove(&key(&gone.resource));
    if let Some(list) = front_ends(world, subscription, &balancer) {
        list.retain(|front| at(front, "properties.publicIPAddress.id") != gone.resource.as_str());
    }
}

fn front_ends<'a>(world: &'a mut World, subscription: &str, balancer: &str) -> Option<&'a mut Vec<Value>> {
    let document = world.subscription_mut(subscription).documents.get_mut(&key(balancer))?;
    document.body.pointer_mut("/properties/frontendIPConfigurations")?.as_array_mut()
}
