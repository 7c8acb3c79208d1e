//! What is checked and chosen before a cluster is asked for, and the order of its stages.

use pmks_driver::FoundState;
use pmks_model::{Support, Version};

use super::*;

fn request(json: &Value) -> ClusterRequest {
    let mut whole = json!({
        "name": "prod", "network": {"nameId": "n", "systemId": "vpc-1"},
        "subnets": [{"nameId": "a", "systemId": "subnet-a"}, {"nameId": "b", "systemId": "subnet-b"}],
    });
    whole.as_object_mut().unwrap().extend(json.as_object().unwrap().clone());
    serde_json::from_value(whole).unwrap()
}

fn subnet(id: &str, vpc: &str, zone: &str) -> Subnet {
    Subnet { subnet_id: id.into(), vpc_id: vpc.into(), availability_zone: zone.into(), ..Subnet::default() }
}

fn marks() -> Marks {
    Marks { installation: "i".into(), operation: "o".into(), uid: "u".into() }
}

#[test]
fn two_zones_of_one_network_are_needed() {
    let says = |found: &[Subnet]| check_subnets(&request(&json!({})), found).to_string();
    let (a, b) = (subnet("subnet-a", "vpc-1", "z-a"), subnet("subnet-b", "vpc-1", "z-b"));
    assert_eq!(says(&[a.clone(), b]), "");
    assert!(
        says(&[a.clone(), subnet("subnet-b", "vpc-1", "z-a")])
            .contains("at least two zones; these lie in z-a only")
    );
    assert!(says(std::slice::from_ref(&a)).contains("subnets[1]: there is no subnet \"subnet-b\""));
    assert!(
        says(&[a, subnet("subnet-b", "vpc-2", "z-b")]).contains("subnets[1]: lies in vpc-2, not in vpc-1")
    );
}

#[test]
fn versions_are_picked_among_minors() {
    let offered: Vec<KubernetesVersion> = [("1.32", false), ("1.33", true)]
        .map(|(text, default)| KubernetesVersion {
            version: text.parse().unwrap(),
            default,
            support: Support::Standard,
            end_of_standard_support: None,
            end_of_extended_support: None,
        })
        .to_vec();
    let picked = |text: &str| pick(&text.parse().unwrap(), &offered).map(|chosen| chosen.send.unwrap());
    assert_eq!(picked("").unwrap(), "1.33");
    assert_eq!(picked("1.32").unwrap(), "1.32");
    // EKS keeps the patch to itself.
    for text in ["1.20", "1.32.4", "1.33-eks-1"] {
        let says = picked(text).unwrap_err().to_string();
        assert!(says.contains(&format!("{text} is not offered; offered are 1.32, 1.33")), "{says}");
    }
    assert_eq!(unlisted(&VersionRequest::Default).unwrap().send, None);
    let given = unlisted(&VersionRequest::Given(Version::of_minor(1, 30))).unwrap();
    assert_eq!(given.send.as_deref(), Some("1.30"));
    assert!(given.says.contains("unchecked"));
    let says = unlisted(&"1.30.4".parse().unwrap()).unwrap_err().to_string();
    assert!(says.contains("1.30.4 is not offered: EKS has minors alone, as 1.30"), "{says}");
}

#[test]
fn the_body_lets_its_creator_in_and_carries_the_marks() {
    let asked = request(&json!({"tags": {"team": "a"}, "options": {"supportType": "STANDARD"}}));
    let stage = control_plane(&asked, &marks(), "arn:role".into(), Some("1.33".into()));
    let body = stage.parameters.get("body").unwrap();
    assert_eq!(
        body["accessConfig"],
        json!({"authenticationMode": "API_AND_CONFIG_MAP", "bootstrapClusterCreatorAdminPermissions": true})
    );
    assert_eq!(
        body["resourcesVpcConfig"],
        json!({"subnetIds": ["subnet-a", "subnet-b"], "securityGroupIds": []})
    );
    assert_eq!(
        body["tags"],
        json!({"team": "a", "pmks-installation": "i", "pmks-operation": "o", "pmks-uid": "u"})
    );
    assert_eq!(body["upgradePolicy"], json!({"supportType": "STANDARD"}));
    assert_eq!(support_notice(&asked), None);
    let silent = request(&json!({}));
    assert!(support_notice(&silent).unwrap().contains("EXTENDED"));
    let stage = control_plane(&silent, &marks(), "arn:role".into(), None);
    let body = stage.parameters.get("body").unwrap();
    assert!(body.get("version").is_none() && body.get("upgradePolicy").is_none());
}

#[test]
fn add_ons_come_after_the_nodes_that_run_them() {
    let scaling = json!({"autoScaling": false, "min": 1, "max": 2, "desired": 1});
    let asked = request(&json!({
        "nodeGroups": [{"name": "a", "scaling": scaling}, {"name": "b", "scaling": scaling}],
        "options": {"ebsCsiDriver": true, "podIdentityAgent": false},
    }));
    let stages = addon_stages(&asked, &marks());
    let all: Vec<(&str, &[String])> =
        stages.iter().map(|stage| (stage.name.as_str(), stage.after.as_slice())).collect();
    assert_eq!(
        all,
        [("add-on aws-ebs-csi-driver", ["node group a".to_owned(), "node group b".to_owned()].as_slice())]
    );
    assert!(addon_stages(&request(&json!({})), &marks()).is_empty());
}

#[test]
fn a_cluster_is_what_its_marks_and_state_say() {
    let state = |status: &str, operation: &str| {
        let marks = Marks { operation: operation.into(), ..marks() };
        let cluster: eks::Cluster = serde_json::from_value(json!({
            "name": "prod", "status": status, "createdAt": 1_795_000_000, "version": "1.33", "tags": marks.onto(&Tags::new()),
        }))
        .unwrap();
        match look_at(&cluster, &super::tests::marks()) {
            Look::Present(found) => match found.state {
                FoundState::Ready(outputs) => format!("ready {}", outputs["version"]),
                FoundState::Pending { says } => format!("pending {says}"),
                FoundState::Failed(error) => format!("failed {:?}", error.to_failure().kind),
            },
            other => format!("{other:?}"),
        }
    };
    for (status, operation, expected) in [
        ("CREATING", "o", "pending CREATING"),
        ("ACTIVE", "o", "ready \"1.33\""),
        ("FAILED", "o", "failed Precondition"),
        ("FAILED", "stranger", "failed AlreadyExists"),
        ("ACTIVE", "stranger", "failed AlreadyExists"),
        ("DELETING", "o", "Unsure(\"a cluster of that name is being deleted\")"),
        ("NEWWORD", "o", "pending NEWWORD"),
    ] {
        assert_eq!(state(status, operation), expected, "{status} {operation}");
    }
}

#[test]
fn an_add_on_without_nodes_is_not_waited_for() {
    let addon =
        |status: &str| eks::Addon { addon_name: "x".into(), status: status.into(), ..eks::Addon::default() };
    for (status, has_nodes, expected) in [
        ("ACTIVE", true, "Ready"),
        ("CREATING", true, "Pending"),
        ("DEGRADED", true, "Pending"),
        ("DEGRADED", false, "Ready"),
        ("CREATE_FAILED", false, "Failed"),
    ] {
        let look = format!("{:?}", look_at_addon(&addon(status), has_nodes));
        assert!(look.contains(expected), "{status} {has_nodes}: {look}");
    }
}
