//! Hops of control plane and pools.

use pmks_driver::{ErrorKind, FoundState, Plan};

use super::*;

fn offered(texts: &[&str]) -> Vec<KubernetesVersion> {
    let one = |text: &&str| KubernetesVersion {
        version: text.parse().unwrap(),
        support: pmks_model::Support::Standard,
        default: false,
        end_of_standard_support: None,
        end_of_extended_support: None,
    };
    texts.iter().map(one).collect()
}

fn cluster(version: &str, pools: &[(&str, &str)], state: &str) -> wire::ManagedCluster {
    let pools: Vec<Value> = pools
        .iter()
        .map(|(name, version)| json!({"name": name, "currentOrchestratorVersion": version}))
        .collect();
    let properties = json!({"provisioningState": state, "currentKubernetesVersion": version, "agentPoolProfiles": pools,
        "resourceUID": "u"});
    serde_json::from_value(json!({"id": "", "name": "c", "properties": properties})).unwrap()
}

fn id() -> ArmId {
    ArmId::new("0", "g", "Microsoft.ContainerService", "managedClusters", "c")
}

fn planned(cluster: &wire::ManagedCluster, target: &str, targets: &UpgradeTargets) -> Result<Vec<String>> {
    let (id, offered) = (id(), offered(&["1.32.1", "1.33.1", "1.33.5", "1.34.2"]));
    let now = convert::cluster_version(cluster).unwrap();
    let facts =
        Facts { aim: Aim { id: &id, incarnation: "u" }, cluster, now: &now, offered: &offered, force: false };
    let plan = Plan::of(plan(&facts, &target.parse().unwrap(), targets)?);
    assert_eq!(plan.defect(), None);
    Ok(plan.stages.into_iter().map(|stage| stage.name).collect())
}

#[test]
fn control_plane_and_node_groups_rise_hop_by_hop() {
    let behind = cluster("1.32.1", &[("ga", "1.32.1"), ("gb", "1.31.0")], "Succeeded");
    assert_eq!(
        planned(&behind, "1.34.2", &UpgradeTargets::All).unwrap(),
        [
            "control plane to 1.33.5",
            "node group ga to 1.33.5",
            "node group gb to 1.32.1",
            "node group gb to 1.33.5",
            "control plane to 1.34.2",
            "node group ga to 1.34.2",
            "node group gb to 1.34.2",
        ]
    );
    assert_eq!(
        planned(&behind, "1.34.2", &UpgradeTargets::None).unwrap(),
        ["control plane to 1.33.5", "control plane to 1.34.2"]
    );
    let there = cluster("1.34.2", &[("ga", "1.33.5"), ("gb", "1.34.2")], "Succeeded");
    assert_eq!(planned(&there, "1.34.2", &UpgradeTargets::All).unwrap(), ["node group ga to 1.34.2"]);
    assert_eq!(planned(&there, "1.33.1", &UpgradeTargets::None).unwrap(), Vec::<String>::new());
}

#[test]
fn what_cannot_be_is_a_finding() {
    let behind = cluster("1.33.5", &[("ga", "1.30.0")], "Succeeded");
    for targets in [UpgradeTargets::None, UpgradeTargets::Named(vec!["gz".to_owned()])] {
        let error = planned(&behind, "1.34.2", &targets).unwrap_err();
        let ErrorKind::InvalidRequest(findings) = error.kind() else { panic!("{error}") };
        assert_eq!(findings.iter().next().unwrap().field, "nodeGroups");
    }
}

#[test]
fn a_version_is_reached_at_rest() {
    let seen = |version: &str, state: &str, asked: bool| match look_at(
        &id(),
        &cluster(version, &[], state),
        &"1.33.5".parse().unwrap(),
        asked,
    ) {
        Look::Absent => "absent",
        Look::Present(found) => match found.state {
            FoundState::Ready(_) => "ready",
            FoundState::Pending { .. } => "pending",
            FoundState::Failed(_) => "failed",
        },
        _ => "?",
    };
    for (version, state, asked, expected) in [
        ("1.33.1", "Succeeded", false, "absent"),
        ("1.33.5", "Succeeded", true, "ready"),
        ("1.34.2", "Succeeded", false, "ready"),
        ("1.33.5", "Upgrading", true, "pending"),
        ("1.33.1", "Failed", true, "failed"),
        ("1.33.1", "Failed", false, "absent"),
        ("1.33.1", "Deleting", false, "failed"),
    ] {
        assert_eq!(seen(version, state, asked), expected, "{version} {state} {asked}");
    }
}

#[test]
fn pools_are_sent_as_they_were_read() {
    let pools = json!([{"name": "ga", "orchestratorVersion": "1.32.1"}]);
    let mut raw = json!({"properties": {"agentPoolProfiles": pools, "kubernetesVersion": "1.32.1"}});
    change(&mut raw, &"1.33.5".parse().unwrap(), None);
    assert_eq!(raw, json!({"properties": {"agentPoolProfiles": pools, "kubernetesVersion": "1.33.5"}}));
    change(&mut raw, &"1.33.5".parse().unwrap(), Some("2026-11-23T10:00:00Z".parse().unwrap()));
    assert_eq!(
        raw.pointer("/properties/upgradeSettings/overrideSettings/until"),
        Some(&json!("2026-11-23T14:00:00Z"))
    );
}
