//! The kill matrix of Azure, with what only AKS has: volumes outside the resource group that goes with a cluster, and
//! the role of a cluster's identity on its subnet; and the next attempts after changes that AKS ended as failed.

use pmks_core::Mutation;
use pmks_model::OperationKind;
use pmks_simulation::{Effect, Rule};
use pmks_suites::kill_matrix::{HERE, Offer, Scene, Step, scenes};
use serde_json::{Value, json};

pmks_suites::kill_matrix!(
    pmks_azure_tests::AZURE,
    prerequisite_fix_of_a_cluster => role_on_the_subnet,
    cluster_delete_with_a_volume_elsewhere => volume_elsewhere,
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

/// A storage class may put its disks into a resource group of the user's: the cluster's end leaves them.
fn volume_elsewhere(offer: &Offer) -> Scene {
    let mut before = scenes::ground(offer);
    before.push(Step::Remembers);
    before.push(Step::Does(scenes::cluster_with(offer, json!({"entra": true, "azureRbac": true}))));
    let group = "koreacentral";
    let event = json!({"type": "controllerMakesVolume", "cluster": "prod", "resourceGroup": group});
    before.push(Step::Happens(event));
    let asks =
        Mutation::DeleteCluster { connection: HERE.into(), cluster: "prod".into(), delete_volumes: true };
    Scene::new(before, asks).undoing()
}
