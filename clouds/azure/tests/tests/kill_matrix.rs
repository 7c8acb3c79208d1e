//! The kill matrix of Azure, with what only AKS has: volumes outside the resource group that goes with a cluster, and
//! the role of a cluster's identity on its subnet; and the next attempts after changes that AKS ended as failed.

#![expect(clippy::unwrap_used, reason = "a test cannot go on without it")]

use pmks_core::Mutation;
use pmks_model::OperationKind;
use pmks_simulation::{Effect, Rule};
use pmks_suites::kill_matrix::{HERE, Offer, Scene, Step, scenes};
use serde_json::{Value, json};

pmks_suites::kill_matrix!(
    pmks_azure_tests::AZURE,
    prerequisite_fix_of_a_cluster => role_on_the_subnet,
    cluster_delete_with_a_volume_elsewhere => volume_elsewhere,
    cluster_delete_with_a_volume_seen_by_certificate => volume_seen_by_certificate,
    cluster_delete_of_a_cluster_that_is_gone => cluster_gone,
    retry_after_a_failed_upgrade => failed_upgrade,
    retry_after_a_failed_removal => failed_removal,
    retry_after_a_failed_deletion => failed_deletion,
);

fn failed(kind: OperationKind, action: &str, offer: &Offer) -> Scene {
    let rule = Rule::new("containerservice", action, Effect::FailWhileCreating { code: None }).times(1);
    scenes::of(kind, offer).failing(rule)
}

fn failed_upgrade(offer: &Offer) -> Scene {
    failed(OperationKind::ClusterUpgrade, "ManagedClusters_CreateOrUpdate", offer)
}

fn failed_removal(offer: &Offer) -> Scene {
    failed(OperationKind::NodeGroupRemove, "AgentPools_Delete", offer)
}

fn failed_deletion(offer: &Offer) -> Scene {
    failed(OperationKind::ClusterDelete, "ManagedClusters_Delete", offer)
}

/// A prerequisite of one cluster: its identity may work in its subnet.
fn role_on_the_subnet(offer: &Offer) -> Scene {
    let asks = Mutation::FixPrerequisites { connection: HERE.into(), cluster: Some("prod".into()) };
    let before = scenes::standing(offer, &offer.new, &["ga"], [Step::Changes(take_roles_away)]);
    Scene::new(before, asks).making(&[("roleAssignment", 1)])
}

fn take_roles_away(world: &mut Value) {
    match world {
        Value::Object(fields) => {
            if let Some(assignments) = fields.get_mut("assignments") {
                *assignments = json!({});
            }
            fields.values_mut().for_each(take_roles_away);
        }
        Value::Array(items) => items.iter_mut().for_each(take_roles_away),
        _ => {}
    }
}

/// Somebody else deletes the cluster, with its identity: what that was assigned stays until its record is deleted.
fn cluster_gone(offer: &Offer) -> Scene {
    let mut before = scenes::ground(offer);
    before.push(Step::Remembers);
    before.push(Step::Does(scenes::cluster_with(offer, json!({}))));
    before.push(Step::Changes(take_clusters_away));
    let asks =
        Mutation::DeleteCluster { connection: HERE.into(), cluster: "prod".into(), delete_volumes: false };
    Scene::new(before, asks).undoing()
}

/// Clusters with the resource groups that AKS made for them, and all in these.
fn take_clusters_away(world: &mut Value) {
    let subscriptions = world.get_mut("world").unwrap().get_mut("subscriptions").unwrap();
    for subscription in subscriptions.as_object_mut().unwrap().values_mut() {
        let of_aks = |id: &str| id.to_lowercase().contains("/resourcegroups/mc_");
        subscription["clusters"] = json!({});
        subscription["documents"].as_object_mut().unwrap().retain(|id, _| !of_aks(id));
        subscription["groups"].as_object_mut().unwrap().retain(|name, _| !name.starts_with("mc_"));
    }
}

/// A storage class may put its disks into a resource group of the user's: the cluster's end leaves them.
fn volume_elsewhere(offer: &Offer) -> Scene {
    volume_of(offer, json!({"entra": true, "azureRbac": true}))
}

/// The same at a cluster that lets in by the certificate that AKS gives out.
fn volume_seen_by_certificate(offer: &Offer) -> Scene {
    volume_of(offer, json!({}))
}

fn volume_of(offer: &Offer, options: Value) -> Scene {
    let mut before = scenes::ground(offer);
    before.push(Step::Remembers);
    before.push(Step::Does(scenes::cluster_with(offer, options)));
    let group = "koreacentral";
    let event = json!({"type": "controllerMakesVolume", "cluster": "prod", "resourceGroup": group});
    before.push(Step::Happens(event));
    let asks =
        Mutation::DeleteCluster { connection: HERE.into(), cluster: "prod".into(), delete_volumes: true };
    Scene::new(before, asks).undoing()
}
