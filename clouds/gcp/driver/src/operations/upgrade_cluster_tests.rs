//! Which stages raise a cluster, in which order.

use pmks_driver::Plan;

use super::*;
use crate::versions::tests::config;

fn cluster(now: &str, pools: &[(&str, &str)]) -> wire::Cluster {
    let pool = |(name, version): &(&str, &str)| wire::NodePool {
        name: (*name).to_owned(),
        version: (*version).to_owned(),
        ..wire::NodePool::default()
    };
    wire::Cluster {
        name: "c".into(),
        id: "1".into(),
        current_master_version: now.into(),
        node_pools: pools.iter().map(pool).collect(),
        ..wire::Cluster::default()
    }
}

fn planned(cluster: &wire::Cluster, to: &str, targets: &UpgradeTargets) -> Result<Vec<String>> {
    let now = cluster_version(cluster)?;
    let hops = hops(&now, &to.parse().unwrap(), &config(), "REGULAR")?;
    let facts = Facts { id: "c".into(), cluster, now: &now };
    let plan = Plan::of(plan(&facts, &hops, targets)?);
    assert_eq!(plan.defect(), None);
    Ok(plan.stages.into_iter().map(|stage| format!("{} < {}", stage.name, stage.after.join(","))).collect())
}

#[test]
fn control_planes_hop_and_pools_follow_at_the_end() {
    let standing = cluster("1.32.9-gke.7", &[("ga", "1.32.9-gke.7"), ("gb", "1.32.9-gke.7")]);
    assert_eq!(
        planned(&standing, "1.34.1-gke.9", &UpgradeTargets::All).unwrap(),
        [
            "control plane to 1.33.5-gke.100 < ",
            "control plane to 1.34.1-gke.9 < control plane to 1.33.5-gke.100",
            "node group ga to 1.34.1-gke.9 < control plane to 1.34.1-gke.9",
            "node group gb to 1.34.1-gke.9 < control plane to 1.34.1-gke.9",
        ]
    );
    let alone = planned(&standing, "1.33.5-gke.100", &UpgradeTargets::None).unwrap();
    assert_eq!(alone, ["control plane to 1.33.5-gke.100 < "]);
}

#[test]
fn pools_that_would_fall_too_far_behind_go_first() {
    let standing = cluster("1.32.9-gke.7", &[("ga", "1.31.13-gke.2")]);
    assert_eq!(
        planned(&standing, "1.34.1-gke.9", &UpgradeTargets::All).unwrap(),
        [
            "control plane to 1.33.5-gke.100 < ",
            "node group ga to 1.33.5-gke.100 < control plane to 1.33.5-gke.100",
            "control plane to 1.34.1-gke.9 < node group ga to 1.33.5-gke.100",
            "node group ga to 1.34.1-gke.9 < control plane to 1.34.1-gke.9",
        ]
    );
    let error = planned(&standing, "1.34.1-gke.9", &UpgradeTargets::None).unwrap_err();
    assert!(error.message().contains("node group ga is at 1.31.13-gke.2"), "{error}");
    let error = planned(&standing, "1.34.1-gke.9", &UpgradeTargets::Named(vec!["gx".into()])).unwrap_err();
    assert!(error.message().contains("no node group gx"), "{error}");
}

#[test]
fn what_is_reached_has_no_stages_but_for_pools_that_lag() {
    let standing = cluster("1.33.5-gke.100", &[("ga", "1.32.9-gke.7"), ("gb", "1.33.5-gke.100")]);
    let stages = planned(&standing, "1.33.5-gke.100", &UpgradeTargets::All).unwrap();
    assert_eq!(stages, ["node group ga to 1.33.5-gke.100 < "]);
}

#[test]
fn a_version_is_a_floor() {
    let floor: Version = "1.33.5-gke.100".parse().unwrap();
    for (status, version, expected) in [
        ("RUNNING", "1.32.9-gke.7", "Absent"),
        ("RUNNING", "1.33.5-gke.100", "Ready"),
        ("RECONCILING", "1.34.1-gke.9", "Ready"),
        ("RECONCILING", "1.32.9-gke.7", "Pending"),
        ("DEGRADED", "1.33.5-gke.200", "Ready"),
        ("RUNNING", "", "Absent"),
        ("STOPPING", "1.33.5-gke.100", "Failed"),
    ] {
        let found = wire::Cluster { status: status.into(), ..cluster(version, &[]) };
        let look = format!("{:?}", look_at(&found, "c", &floor));
        assert!(look.contains(expected), "{status} {version}: {look}");
    }
}

#[test]
fn a_pool_that_has_failed_keeps_the_control_plane_where_it_is() {
    let mut standing = cluster("1.32.9-gke.7", &[("ga", "1.32.9-gke.7"), ("gb", "1.32.9-gke.7")]);
    standing.node_pools[1].status = "ERROR".into();
    let why = planned(&standing, "1.33.5-gke.100", &UpgradeTargets::All).unwrap_err().to_string();
    assert!(why.contains("node group gb has failed"), "{why}");
    assert!(planned(&standing, "1.33.5-gke.100", &UpgradeTargets::Named(vec!["ga".into()])).is_ok());
}

#[test]
fn an_autopilot_clusters_nodes_are_google_s_to_raise() {
    let mut standing = cluster("1.32.9-gke.7", &[("pool-1", "1.32.9-gke.7")]);
    standing.autopilot.enabled = true;
    let control_plane = ["control plane to 1.33.5-gke.100 < "];
    assert_eq!(planned(&standing, "1.33.5-gke.100", &UpgradeTargets::All).unwrap(), control_plane);
    assert_eq!(planned(&standing, "1.33.5-gke.100", &UpgradeTargets::None).unwrap(), control_plane);
    let named = UpgradeTargets::Named(vec!["pool-1".into()]);
    let refused = planned(&standing, "1.33.5-gke.100", &named).unwrap_err();
    assert!(refused.message().contains("is an Autopilot cluster"), "{refused}");
}
