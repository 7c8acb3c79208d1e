//! What stands in the way of a change, and what has to go before a cluster does.

use pmks_driver::{Change, ErrorKind, UpgradeCluster};
use pmks_model::{Cluster, UpgradeRequest, UpgradeTargets, VersionRequest};
use pmks_simulation::{Cloud as _, Effect, Rule};
use serde_json::{Value, json};

use crate::requests::{cluster, delete, ground, group, scaling, standing, target};
use crate::support::{carry_out, marks, world};

/// The simulated cluster of that name, as the world keeps it.
fn kept<'a>(snapshot: &'a mut Value, name: &str) -> &'a mut Value {
    fn find<'a>(value: &'a mut Value, name: &str) -> Option<&'a mut Value> {
        let members = value.as_object_mut()?;
        if members.get("clusters").is_some_and(|clusters| clusters.get(name).is_some()) {
            return members.get_mut("clusters")?.get_mut(name);
        }
        members.values_mut().find_map(|member| find(member, name))
    }
    find(snapshot, name).expect("the cluster stands")
}

#[tokio::test]
async fn fargate_profiles_go_before_the_cluster_one_after_the_other() {
    let world = world(&[]).await;
    let seen = standing(&world, "prod").await;
    world.change(|snapshot| {
        let cluster = kept(snapshot, "prod");
        for name in ["default", "jobs"] {
            cluster["fargate_profiles"][name] = json!({
                "name": name, "arn": format!("arn:aws:eks:::fargateprofile/prod/{name}"),
                "created_at": "2026-11-23T10:00:00Z", "role_arn": "arn:aws:iam::1:role/r", "subnets": [],
                "selectors": [], "status": "ACTIVE", "tags": {}, "token": null, "due": null,
            });
        }
    });
    assert_eq!(world.count(&["fargateProfile"]), 2);
    carry_out(&*world.driver, &delete(&seen)).await.unwrap();
    assert_eq!(world.count(&["fargateProfile", "cluster", "nodeGroup"]), 0, "{:?}", world.cloud.resources());
}

#[tokio::test]
async fn eks_own_deletion_protection_is_said_before_anything_is_changed() {
    let world = world(&[]).await;
    let seen = standing(&world, "prod").await;
    world.change(|snapshot| kept(snapshot, "prod")["deletion_protection"] = json!(true));
    let error = carry_out(&*world.driver, &delete(&seen)).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Precondition { .. }), "{error}");
    assert!(error.message().contains("deletion protection"), "{error}");
    let fix = error.to_failure().fix.unwrap();
    assert!(fix.contains("update-cluster-config --name prod --no-deletion-protection"), "{fix}");
    assert_eq!(world.count(&["cluster", "nodeGroup"]), 2);
    world.change(|snapshot| kept(snapshot, "prod")["deletion_protection"] = json!(false));
    carry_out(&*world.driver, &delete(&seen)).await.unwrap();
    assert_eq!(world.count(&["cluster"]), 0);
}

#[tokio::test]
async fn fargate_profiles_that_may_not_be_listed_are_said_and_keep_nothing() {
    let world = world(&[]).await;
    let seen = standing(&world, "prod").await;
    let denied = Rule::new("eks", "ListFargateProfiles", Effect::Deny);
    world.cloud.controls().faults.put(vec![denied]);
    let prepared = world.driver.prepare(&delete(&seen)).await.unwrap();
    let says = |notice: &String| notice.contains("could not be looked at: Fargate profiles");
    assert!(prepared.notices.iter().any(says), "{:?}", prepared.notices);
    carry_out(&*world.driver, &delete(&seen)).await.unwrap();
    assert_eq!(world.count(&["cluster", "nodeGroup"]), 0, "{:?}", world.cloud.resources());
}

fn upgrade(cluster: &Cluster, version: &pmks_model::Version, force: bool) -> Change {
    Change::UpgradeCluster(UpgradeCluster {
        target: target(cluster),
        request: UpgradeRequest {
            version: VersionRequest::Given(version.clone()),
            node_groups: UpgradeTargets::All,
            force,
        },
        marks: marks("upgrade"),
    })
}

#[tokio::test]
async fn insights_that_block_are_named_and_force_goes_on() {
    let world = world(&[]).await;
    let driver = &*world.driver;
    let ground = ground(&world).await;
    let versions = driver.versions().await.unwrap();
    let (from, to) = (versions[0].version.clone(), versions[1].version.clone());
    let create = cluster("old", &ground, vec![group("a", scaling(false, 1, 1, 1))], &from.to_string());
    carry_out(driver, &Change::CreateCluster(create)).await.unwrap();
    let seen = driver.get_cluster("old").await.unwrap();
    let found = |status: &str, name: &str| {
        let event = json!({"type": "findUpgradeInsight", "cluster": "old", "kubernetesVersion": to.to_string(),
            "status": status, "name": name});
        world.cloud.event(&event).unwrap();
    };
    found("WARNING", "Only a warning");
    assert!(driver.prepare(&upgrade(&seen, &to, false)).await.is_ok());
    found("ERROR", "Deprecated APIs removed");
    found("ERROR", "Kubelet version skew");
    let error = driver.prepare(&upgrade(&seen, &to, false)).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Precondition { .. }), "{error}");
    for name in ["Deprecated APIs removed", "Kubelet version skew"] {
        assert!(error.message().contains(name), "{error}");
    }
    assert!(!error.message().contains("Only a warning"), "{error}");
    carry_out(driver, &upgrade(&seen, &to, true)).await.unwrap();
    let risen = driver.get_cluster("old").await.unwrap();
    assert_eq!((risen.version, risen.node_groups[0].nodes.len()), (Some(to), 1));
}
