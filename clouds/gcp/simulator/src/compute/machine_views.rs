//! Machines, their groups and group managers as the API shows them.

use serde_json::{Value, json};

use super::machines::{Group, Instance, members};
use super::state::{State, fingerprint, link, time};

/// Everything of a collection of machines, each with its scope.
pub(crate) fn all(state: &State, collection: &str, project: &str) -> Vec<(String, Value)> {
    let scope = |zone: &str| format!("zones/{zone}");
    match collection {
        "instances" => {
            let machines = state.instances.values();
            machines.map(|one| (scope(&one.wish.zone), instance(one, project))).collect()
        }
        "instanceGroupManagers" => {
            state.groups.values().map(|one| (scope(&one.wish.zone), manager(state, one, project))).collect()
        }
        _ => state.groups.values().map(|one| (scope(&one.wish.zone), group(state, one, project))).collect(),
    }
}

/// A machine.
pub(crate) fn instance(one: &Instance, project: &str) -> Value {
    let wish = &one.wish;
    let zone = format!("projects/{project}/zones/{}", wish.zone);
    let metadata: Vec<Value> = wish
        .metadata
        .iter()
        .map(|(key, value)| json!({"key": key, "value": value}))
        .chain([json!({"key": "created-by", "value": format!("{zone}/instanceGroupManagers/{}", one.group)})])
        .collect();
    let mut interface = json!({
        "kind": "compute#networkInterface", "name": "nic0", "network": wish.network, "subnetwork": wish.subnetwork,
        "networkIP": one.internal_ip.to_string(), "stackType": "IPV4_ONLY", "fingerprint": fingerprint(&one.id, 1),
    });
    if let Some(external) = one.external_ip {
        interface["accessConfigs"] = json!([{
            "kind": "compute#accessConfig", "name": "external-nat", "type": "ONE_TO_ONE_NAT",
            "natIP": external.to_string(), "networkTier": "PREMIUM",
        }]);
    }
    json!({
        "kind": "compute#instance", "id": one.id, "name": one.name, "creationTimestamp": time(one.created),
        "lastStartTimestamp": time(one.created), "status": one.status, "zone": link(&zone),
        "machineType": link(&format!("{zone}/machineTypes/{}", wish.machine_type)), "cpuPlatform": "Intel Broadwell",
        "selfLink": link(&format!("{zone}/instances/{}", one.name)), "networkInterfaces": [interface],
        "disks": [{
            "kind": "compute#attachedDisk", "type": "PERSISTENT", "mode": "READ_WRITE", "boot": true, "index": 0,
            "autoDelete": true, "deviceName": "persistent-disk-0", "interface": "SCSI",
            "diskSizeGb": wish.disk_gib.to_string(), "source": link(&format!("{zone}/disks/{}", one.name)),
        }],
        "tags": {"items": wish.tags, "fingerprint": fingerprint(&one.id, one.revision + 1000)},
        "labels": wish.labels, "labelFingerprint": fingerprint(&one.id, one.revision + 2000),
        "metadata": {
            "kind": "compute#metadata", "items": metadata, "fingerprint": fingerprint(&one.id, one.revision + 3000),
        },
        "serviceAccounts": [{"email": wish.service_account, "scopes": wish.scopes}],
        "scheduling": {
            "onHostMaintenance": if wish.spot { "TERMINATE" } else { "MIGRATE" }, "automaticRestart": !wish.spot,
            "preemptible": wish.spot, "provisioningModel": if wish.spot { "SPOT" } else { "STANDARD" },
        },
        "canIpForward": false, "deletionProtection": false, "startRestricted": false,
        "fingerprint": fingerprint(&one.id, one.revision),
    })
}

/// A group's manager.
pub(crate) fn manager(state: &State, one: &Group, project: &str) -> Value {
    let zone = format!("projects/{project}/zones/{}", one.wish.zone);
    let held = format!("{}/{}", one.wish.zone, one.name);
    let mut actions = json!({});
    for action in [
        "abandoning",
        "creating",
        "creatingWithoutRetries",
        "deleting",
        "none",
        "recreating",
        "refreshing",
        "restarting",
        "resuming",
        "starting",
        "stopping",
        "suspending",
        "verifying",
    ] {
        actions[action] = 0.into();
    }
    for member in members(state, &held) {
        let action = action(member).to_lowercase();
        actions[&action] = (actions[&action].as_u64().unwrap_or(0) + 1).into();
    }
    let outcome = super::group_outcome(state, &held);
    if outcome.stockout {
        actions["creating"] = outcome.target.saturating_sub(outcome.present).into();
    }
    let stable =
        members(state, &held).all(|member| member.status == "RUNNING") && outcome.present == outcome.target;
    let template = link(&format!("projects/{project}/global/instanceTemplates/{}", one.template));
    json!({
        "kind": "compute#instanceGroupManager", "id": one.id, "name": one.name, "creationTimestamp": time(one.created),
        "zone": link(&zone), "baseInstanceName": one.base, "instanceTemplate": template,
        "versions": [{"instanceTemplate": template, "targetSize": {"calculated": one.target}}],
        "instanceGroup": link(&format!("{zone}/instanceGroups/{}", one.name)), "targetSize": one.target,
        "currentActions": actions, "fingerprint": fingerprint(&one.id, one.revision),
        "status": {"isStable": stable, "versionTarget": {"isReached": true}, "stateful": {"hasStatefulConfig": false}},
        "updatePolicy": {"type": "OPPORTUNISTIC", "minimalAction": "REPLACE"},
        "selfLink": link(&format!("{zone}/instanceGroupManagers/{}", one.name)),
    })
}

/// The group itself.
pub(crate) fn group(state: &State, one: &Group, project: &str) -> Value {
    let zone = format!("projects/{project}/zones/{}", one.wish.zone);
    json!({
        "kind": "compute#instanceGroup", "id": one.id, "name": one.name, "creationTimestamp": time(one.created),
        "description": format!("This instance group is controlled by Instance Group Manager '{}'. To modify instances \
            in this group, use the Instance Group Manager API: \
            https://cloud.google.com/compute/docs/reference/latest/instanceGroupManagers", one.name),
        "network": one.wish.network, "subnetwork": one.wish.subnetwork, "zone": link(&zone),
        "size": members(state, &format!("{}/{}", one.wish.zone, one.name)).count(),
        "fingerprint": fingerprint(&one.id, one.revision + 5000),
        "selfLink": link(&format!("projects/{project}/zones/{}/instanceGroups/{}", one.wish.zone, one.name)),
    })
}

/// A member of a group, as its manager lists it.
pub(crate) fn managed(one: &Instance, project: &str) -> Value {
    let zone = format!("projects/{project}/zones/{}", one.wish.zone);
    json!({
        "name": one.name, "id": one.id, "instance": link(&format!("{zone}/instances/{}", one.name)),
        "instanceStatus": one.status, "currentAction": action(one),
        "targetStatus": if one.going() { "DELETED" } else { "RUNNING" },
        "version": {"instanceTemplate": link(&format!("projects/{project}/global/instanceTemplates/{}", one.template))},
    })
}

/// What its manager does with a member.
fn action(one: &Instance) -> &'static str {
    match one.status.as_str() {
        "STOPPING" => "DELETING",
        "RUNNING" => "NONE",
        _ => "CREATING",
    }
}
