//! Plans of upgrades, and what stands in their way.

use super::*;

fn v(text: &str) -> Version {
    text.parse().unwrap()
}

fn group(name: &str, version: &str) -> eks::Nodegroup {
    eks::Nodegroup { nodegroup_name: name.into(), version: Some(version.into()), ..eks::Nodegroup::default() }
}

/// The plan in one line: stages, each with those that it waits for.
fn planned(
    now: &str,
    groups: &[eks::Nodegroup],
    target: &str,
    targets: &UpgradeTargets,
) -> std::result::Result<Vec<String>, String> {
    let cluster = eks::Cluster { name: "c".into(), ..eks::Cluster::default() };
    let facts = Facts { cluster: &cluster, now: &v(now), groups, force: false };
    let stages = plan(&facts, &v(target), targets).map_err(|error| error.to_string())?;
    assert_eq!(pmks_driver::Plan::of(stages.clone()).defect(), None);
    Ok(stages.iter().map(|stage| format!("{} < {}", stage.name, stage.after.join(" + "))).collect())
}

#[test]
fn hops_alternate_between_control_plane_and_node_groups() {
    let groups = [group("a", "1.31"), group("b", "1.31")];
    assert_eq!(
        planned("1.31", &groups, "1.33", &UpgradeTargets::All).unwrap(),
        [
            "control plane to 1.32 < ",
            "node group a to 1.32 < control plane to 1.32",
            "node group b to 1.32 < control plane to 1.32",
            "control plane to 1.33 < node group a to 1.32 + node group b to 1.32",
            "node group a to 1.33 < control plane to 1.33",
            "node group b to 1.33 < control plane to 1.33",
        ]
    );
    assert_eq!(
        planned("1.31", &[], "1.33", &UpgradeTargets::None).unwrap(),
        ["control plane to 1.32 < ", "control plane to 1.33 < control plane to 1.32"]
    );
}

#[test]
fn an_image_that_ends_before_the_target_stops_the_upgrade_before_its_first_hop() {
    let of = |ami: &str| [eks::Nodegroup { ami_type: Some(ami.into()), ..group("a", "1.31") }];
    let says = planned("1.31", &of("AL2_x86_64"), "1.33", &UpgradeTargets::All).unwrap_err();
    assert!(
        says.contains("node group a cannot go along: EKS has no AL2_x86_64 for Kubernetes 1.33"),
        "{says}"
    );
    assert!(planned("1.31", &of("AL2_x86_64"), "1.32", &UpgradeTargets::All).is_ok());
    assert!(planned("1.31", &of("AL2023_x86_64_STANDARD"), "1.33", &UpgradeTargets::All).is_ok());
}

#[test]
fn what_lags_is_raised_first_and_what_is_reached_is_left_alone() {
    assert_eq!(
        planned("1.32", &[group("a", "1.31"), group("b", "1.32")], "1.33", &UpgradeTargets::All).unwrap(),
        [
            "node group a to 1.32 < ",
            "control plane to 1.33 < node group a to 1.32",
            "node group a to 1.33 < control plane to 1.33",
            "node group b to 1.33 < control plane to 1.33",
        ]
    );
    assert_eq!(
        planned("1.33", &[group("a", "1.32"), group("b", "1.33")], "1.33", &UpgradeTargets::All).unwrap(),
        ["node group a to 1.33 < "]
    );
    // Never a downgrade.
    assert!(planned("1.33", &[group("a", "1.33")], "1.31", &UpgradeTargets::All).unwrap().is_empty());
}

#[test]
fn what_stays_behind_is_refused_where_eks_would() {
    let one = [group("a", "1.32")];
    assert_eq!(planned("1.32", &one, "1.33", &UpgradeTargets::None).unwrap(), ["control plane to 1.33 < "]);
    for (now, groups, target, targets, says) in [
        ("1.31", vec![group("a", "1.31")], "1.33", UpgradeTargets::None, "before each hop"),
        ("1.32", vec![group("a", "1.31")], "1.33", UpgradeTargets::None, "before each hop"),
        ("1.32", vec![group("a", "1.32")], "1.36", UpgradeTargets::None, "at most 3 minors"),
        (
            "1.32",
            vec![group("a", "1.32"), group("b", "1.31")],
            "1.33",
            UpgradeTargets::Named(vec!["a".into()]),
            "node group b",
        ),
        ("1.32", vec![], "1.33", UpgradeTargets::Named(vec!["x".into()]), "no node group x"),
    ] {
        let error = planned(now, &groups, target, &targets).unwrap_err();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn every_blocking_insight_is_named() {
    let insight = |name: &str, version: &str, status: &str| eks::Insight {
        name: name.into(),
        kubernetes_version: version.into(),
        description: "d".into(),
        insight_status: Some(eks::InsightStatus { status: status.into(), reason: format!("{name} because") }),
    };
    assert!(blocks(&insight("a", "1.33", "ERROR"), "1.33"));
    assert!(blocks(&insight("a", "", "ERROR"), "1.33"));
    assert!(!blocks(&insight("a", "1.34", "ERROR"), "1.33"));
    assert!(!blocks(&insight("a", "1.33", "WARNING"), "1.33"));
    assert!(refuse_blocked(&[]).is_ok());
    let error =
        refuse_blocked(&[insight("apis", "1.33", "ERROR"), insight("skew", "1.33", "ERROR")]).unwrap_err();
    assert!(error.message().contains("apis because") && error.message().contains("skew because"), "{error}");
    assert!(matches!(error.kind(), ErrorKind::Precondition { fix, .. } if fix.contains("force")));
}

#[test]
fn a_control_plane_is_raised_once() {
    for (status, version, expected) in [
        ("ACTIVE", "1.32", "Absent"),
        ("ACTIVE", "1.33", "Ready"),
        ("ACTIVE", "1.34", "Ready"),
        ("UPDATING", "1.32", "Pending"),
        ("DELETING", "1.32", "Failed"),
    ] {
        let cluster =
            eks::Cluster { status: status.into(), version: Some(version.into()), ..eks::Cluster::default() };
        let look = format!("{:?}", look_at(&cluster, &v("1.33")));
        assert!(look.contains(expected), "{status} {version}: {look}");
    }
}

#[test]
fn a_node_group_that_has_failed_keeps_the_control_plane_where_it_is() {
    let failed =
        |name: &str, version: &str| eks::Nodegroup { status: "CREATE_FAILED".into(), ..group(name, version) };
    let groups = [group("a", "1.31"), failed("b", "1.31"), failed("c", "1.31")];
    let why = planned("1.31", &groups, "1.32", &UpgradeTargets::All).unwrap_err();
    assert!(why.contains("node group b has failed") && why.contains("node group c has failed"), "{why}");
    assert!(planned("1.31", &groups, "1.32", &UpgradeTargets::Named(vec!["a".into()])).is_ok());
    // What is there already is not touched.
    assert!(planned("1.31", &[failed("b", "1.32")], "1.32", &UpgradeTargets::All).is_ok());
}
