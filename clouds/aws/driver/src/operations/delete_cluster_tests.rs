//! The order of a cluster's end, and what goes with it.

use super::*;

fn child(kind: &str, id: &str, goes_with_cluster: bool) -> Child {
    Child {
        kind: kind.into(),
        system_id: id.into(),
        name: String::new(),
        made_by: String::new(),
        goes_with_cluster,
    }
}

fn planned(children: Vec<Child>, groups: &[&str], delete_volumes: bool) -> Vec<String> {
    planned_with(children, groups, &[], delete_volumes)
}

fn planned_with(
    children: Vec<Child>,
    groups: &[&str],
    profiles: &[String],
    delete_volumes: bool,
) -> Vec<String> {
    let cluster = eks::Cluster { name: "c".into(), ..eks::Cluster::default() };
    let groups: Vec<eks::Nodegroup> = groups
        .iter()
        .map(|name| eks::Nodegroup { nodegroup_name: (*name).into(), ..eks::Nodegroup::default() })
        .collect();
    let children = Children { found: children, unknown: Vec::new() };
    let facts = Facts {
        cluster: &cluster,
        access: pmks_model::AccessInfo::default(),
        children: &children,
        groups: &groups,
        profiles,
    };
    let stages = plan(&facts, delete_volumes);
    assert_eq!(pmks_driver::Plan::of(stages.clone()).defect(), None);
    stages.iter().map(|stage| format!("{} < {}", stage.name, stage.after.join(" + "))).collect()
}

#[test]
fn an_empty_cluster_goes_in_three_steps() {
    assert_eq!(
        planned(vec![], &[], false),
        [
            "nothing runs < ",
            "removal of the control plane < nothing runs",
            "nothing remains < removal of the control plane",
        ]
    );
}

#[test]
fn fargate_profiles_are_named_and_go_one_after_the_other() {
    assert_eq!(
        planned_with(vec![], &["a"], &["default".to_owned(), "jobs".to_owned()], false),
        [
            "removal of node group a < ",
            "removal of Fargate profile default < ",
            "removal of Fargate profile jobs < removal of Fargate profile default",
            "nothing runs < removal of node group a + removal of Fargate profile default + removal of Fargate profile jobs",
            "removal of the control plane < nothing runs",
            "nothing remains < removal of the control plane",
        ]
    );
}

#[test]
fn launch_templates_go_once_no_node_group_needs_them() {
    let template = Child { name: "t".into(), ..child(launch_template::CHILD, "lt-1", false) };
    assert_eq!(
        planned(vec![template], &["a"], false),
        [
            "removal of node group a < ",
            "nothing runs < removal of node group a",
            "removal of the control plane < nothing runs",
            "removal of launch template t < nothing runs",
            "nothing remains < removal of the control plane + removal of launch template t",
        ]
    );
}

#[test]
fn what_makes_balancers_goes_first_and_what_is_left_goes_last() {
    let children = vec![
        child("service", "default/web", true),
        child("loadBalancer", "arn:lb", false),
        child("targetGroup", "arn:tg", false),
        child("securityGroup", "sg-1", false),
        child("volume", "vol-1", false),
    ];
    assert_eq!(
        planned(children, &["a", "b"], false),
        [
            "removal of service default/web < ",
            "balancers gone < removal of service default/web",
            "removal of node group a < removal of service default/web + balancers gone",
            "removal of node group b < removal of service default/web + balancers gone",
            "nothing runs < removal of node group a + removal of node group b",
            "removal of the control plane < nothing runs",
            "removal of loadBalancer arn:lb < removal of the control plane",
            "removal of targetGroup arn:tg < removal of loadBalancer arn:lb",
            "removal of securityGroup sg-1 < removal of targetGroup arn:tg",
            "nothing remains < removal of securityGroup sg-1",
        ]
    );
}

#[test]
fn volumes_go_on_request_alone_and_are_named_otherwise() {
    let children = vec![child("volume", "vol-1", false), child("volume", "vol-2", true)];
    let removals = |delete| {
        planned(children.clone(), &[], delete)
            .iter()
            .filter(|stage| stage.starts_with("removal of volume"))
            .count()
    };
    assert_eq!(removals(false), 0);
    assert_eq!(removals(true), 2);
    let all = Children { found: children, unknown: vec![Part::of("the cluster").unseen("silent")] };
    assert_eq!(
        notices(&all, false),
        ["could not be looked at: the cluster: silent", "these volumes are kept, and cost on: vol-1"]
    );
    assert_eq!(notices(&all, true), ["could not be looked at: the cluster: silent"]);
}

#[test]
fn a_control_plane_that_failed_to_go_is_asked_again_in_the_next_attempt() {
    use crate::operations::tests::context;
    let asked = StageContext { system_id: Some("c".into()), ..context() };
    for (status, context, expected) in [
        ("ACTIVE", context(), "Absent"),
        ("FAILED", context(), "Absent"),
        ("FAILED", asked, "Failed"),
        ("DELETING", context(), "Pending"),
    ] {
        let cluster = eks::Cluster { status: status.into(), ..eks::Cluster::default() };
        let look = format!("{:?}", look_at(&cluster, &context));
        assert!(look.contains(expected), "{status}: {look}");
    }
}
