//! Tables over what EKS and Auto Scaling say.

use serde_json::json;

use super::*;
use crate::query::{QueryService, read};
use crate::wire::autoscaling::Groups as GroupPage;

fn described(group: serde_json::Value) -> eks::Nodegroup {
    serde_json::from_value(group).unwrap()
}

/// The form of the answer of `DescribeAutoScalingGroups`.
const GROUPS: &str = r#"<DescribeAutoScalingGroupsResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/">
<DescribeAutoScalingGroupsResult><AutoScalingGroups>
 <member><AutoScalingGroupName>asg-1</AutoScalingGroupName><DesiredCapacity>3</DesiredCapacity>
  <Instances><member><InstanceId>i-2</InstanceId><LifecycleState>InService</LifecycleState></member>
   <member><InstanceId>i-1</InstanceId><LifecycleState>Pending</LifecycleState></member>
   <member><InstanceId>i-0</InstanceId><LifecycleState>Terminated</LifecycleState></member></Instances>
  <Tags><member><Key>k8s.io/cluster-autoscaler/enabled</Key><Value>true</Value></member>
   <member><Key>k8s.io/cluster-autoscaler/prod</Key><Value>owned</Value></member></Tags></member>
 <member><AutoScalingGroupName>asg-2</AutoScalingGroupName><DesiredCapacity>0</DesiredCapacity><Instances/><Tags/></member>
</AutoScalingGroups><NextToken>more</NextToken></DescribeAutoScalingGroupsResult></DescribeAutoScalingGroupsResponse>"#;

fn groups() -> Groups {
    let page: GroupPage = read(QueryService::AutoScaling, GROUPS).unwrap();
    assert_eq!(page.next_token.as_deref(), Some("more"));
    page.groups.entries.into_iter().map(|group| (group.name.clone(), group)).collect()
}

fn group_on(name: &str) -> eks::Nodegroup {
    described(json!({
        "nodegroupName": "workers", "clusterName": "prod", "createdAt": 1_760_000_000.25, "version": "1.33",
        "status": "ACTIVE", "amiType": "AL2023_x86_64_STANDARD", "diskSize": 30, "instanceTypes": ["t3.medium"],
        "scalingConfig": {"minSize": 1, "maxSize": 5, "desiredSize": 2},
        "remoteAccess": {"ec2SshKey": "ops"},
        "resources": {"autoScalingGroups": [{"name": name}]}
    }))
}

#[test]
fn the_switch_the_size_and_the_nodes_come_from_the_auto_scaling_group() {
    let on = node_group("prod", &group_on("asg-1"), &groups());
    assert_eq!(on.scaling, Some(Scaling { auto_scaling: true, min: 1, max: 5, desired: 3 }));
    assert_eq!(on.nodes, [Iid::unnamed("i-1"), Iid::unnamed("i-2")]);
    assert_eq!((on.root_disk_size_gib, on.key_pair.name_id.as_str()), (30, "ops"));
    assert_eq!(on.incarnation, "2025-10-09T08:53:20.25Z");
    let off = node_group("prod", &group_on("asg-2"), &groups());
    assert_eq!(off.scaling, Some(Scaling { auto_scaling: false, min: 1, max: 5, desired: 0 }));
    // Tags of another cluster are no switch, and a group that is not there leaves EKS' own figure.
    assert!(!node_group("other", &group_on("asg-1"), &groups()).scaling.unwrap().auto_scaling);
    let none = node_group("prod", &group_on("asg-9"), &groups());
    assert_eq!(none.scaling, Some(Scaling { auto_scaling: false, min: 1, max: 5, desired: 2 }));
}

#[test]
fn a_launch_template_is_the_image() {
    let group = described(
        json!({"nodegroupName": "g", "amiType": "CUSTOM", "launchTemplate": {"id": "lt-1", "version": "3"}}),
    );
    assert_eq!(node_group("c", &group, &Groups::new()).image, "lt-1");
    assert_eq!(node_group("c", &group_on("asg-1"), &groups()).image, "AL2023_x86_64_STANDARD");
}

#[test]
fn every_word_of_eks_has_ours() {
    for (word, issues, status) in [
        ("CREATING", 0, Status::Creating),
        ("PENDING", 0, Status::Creating),
        ("ACTIVE", 0, Status::Active),
        ("ACTIVE", 1, Status::Degraded),
        ("UPDATING", 0, Status::Updating),
        ("DELETING", 0, Status::Deleting),
        ("FAILED", 0, Status::Failed),
        ("ASCENDING", 0, Status::Unknown),
    ] {
        assert_eq!(cluster_status(word, issues), status, "{word}");
    }
    for (word, status) in [
        ("CREATING", Status::Creating),
        ("ACTIVE", Status::Active),
        ("UPDATING", Status::Updating),
        ("DELETING", Status::Deleting),
        ("CREATE_FAILED", Status::Failed),
        ("DELETE_FAILED", Status::Failed),
        ("DEGRADED", Status::Degraded),
        ("", Status::Unknown),
    ] {
        assert_eq!(node_group_status(word), status, "{word}");
    }
}

#[test]
fn a_cluster_shows_its_endpoint_and_its_troubles() {
    let cluster: eks::Cluster = serde_json::from_value(json!({
        "name": "prod", "arn": "arn:aws:eks:x:1:cluster/prod", "createdAt": 1.76E9, "version": "1.33",
        "endpoint": "https://e", "status": "ACTIVE", "certificateAuthority": {"data": "UEVN"},
        "resourcesVpcConfig": {"vpcId": "vpc-1", "subnetIds": ["s-1"], "clusterSecurityGroupId": "sg-0"},
        "health": {"issues": [{"code": "IamRoleNotFound", "message": "gone", "resourceIds": ["r"]}]}
    }))
    .unwrap();
    let seen = super::cluster(&cluster, Vec::new(), Vec::new());
    assert_eq!(seen.access, AccessInfo { endpoint: "https://e".into(), certificate_authority: "PEM".into() });
    assert_eq!((seen.status, seen.status_reason.as_str()), (Status::Degraded, "IamRoleNotFound: gone (r)"));
    assert_eq!(seen.network.network, Iid::unnamed("vpc-1"));
    assert_eq!(seen.key_value_list.get("ClusterSecurityGroupId"), Some("sg-0"));
}

#[test]
fn versions_say_how_long_they_are_cared_for() {
    let offered: eks::ClusterVersion = serde_json::from_value(json!({
        "clusterVersion": "1.31", "defaultVersion": false, "status": "extended-support",
        "endOfStandardSupportDate": 1_764_201_600
    }))
    .unwrap();
    let version = kubernetes_version(&offered).unwrap();
    assert_eq!(
        (version.support, version.end_of_standard_support.as_deref()),
        (Support::Extended, Some("2025-11-27"))
    );
    assert!(kubernetes_version(&eks::ClusterVersion::default()).is_none());
}

#[test]
fn updates_end_well_or_say_why() {
    let update = |status: &str, code: &str| eks::Update {
        status: status.into(),
        kind: "VersionUpdate".into(),
        errors: vec![eks::UpdateError {
            error_code: code.into(),
            error_message: "m".into(),
            resource_ids: vec![],
        }],
        ..eks::Update::default()
    };
    assert!(matches!(update_poll(&update("Successful", ""), json!(1)), Poll::Done(outputs) if outputs == 1));
    assert!(matches!(update_poll(&update("InProgress", ""), json!(1)), Poll::Pending { .. }));
    assert!(matches!(update_poll(&update("Newword", ""), json!(1)), Poll::Pending { .. }));
    let Poll::Failed(error) = update_poll(&update("Failed", "PodEvictionFailure"), json!(1)) else {
        panic!()
    };
    assert!(matches!(error.kind(), ErrorKind::Precondition { fix, .. } if fix.contains("force")));
    assert!(error.message().contains("PodEvictionFailure: m"), "{error}");
}

#[test]
fn a_failed_creation_is_classed_by_eks_own_codes() {
    let health = |code: &str| eks::Health {
        issues: vec![eks::Issue { code: code.into(), message: "m".into(), resource_ids: vec![] }],
    };
    let kind = |code: &str| failed_creation("node group", "g", Some(&health(code))).kind().clone();
    assert_eq!(kind("InstanceLimitExceeded"), ErrorKind::QuotaExceeded);
    assert_eq!(kind("AccessDenied"), ErrorKind::Forbidden { permission: None });
    assert!(matches!(kind("IamNodeRoleNotFound"), ErrorKind::PrerequisiteMissing { .. }));
    assert!(matches!(kind("NodeCreationFailure"), ErrorKind::Precondition { .. }));
}

#[test]
fn a_machine_on_its_way_out_is_no_node() {
    let of = |state: &str| Instance { id: "i-1".into(), state: state.into(), ..Instance::default() };
    for state in
        ["Pending", "Pending:Wait", "Pending:Proceed", "InService", "EnteringStandby", "Standby", "New:Word"]
    {
        assert!(is_node(&of(state)), "{state}");
    }
    for state in [
        "Terminating",
        "Terminating:Wait",
        "Terminating:Proceed",
        "Terminated",
        "Detaching",
        "Detached",
        "Quarantined",
        "Warmed:Pending",
        "Warmed:Stopped",
        "Warmed:Terminating:Wait",
    ] {
        assert!(!is_node(&of(state)), "{state}");
    }
    let group = |states: &[&str]| {
        let entries = states.iter().map(|state| of(state)).collect();
        Group { name: "a".into(), desired: 2, instances: crate::query::List { entries }, ..Group::default() }
    };
    let says = |states: &[&str]| unrest(&Groups::from([("a".to_owned(), group(states))]));
    assert_eq!(says(&["InService", "Pending", "Terminating"]), None);
    assert!(says(&["InService", "InService", "InService"]).unwrap().contains("has 3 machines and wants 2"));
    assert!(says(&["InService", "Terminating"]).unwrap().contains("has 1 machines and wants 2"));
    assert_eq!(unrest(&Groups::new()), None);
}
