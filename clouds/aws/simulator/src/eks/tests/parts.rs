//! What belongs to a cluster beside node groups: add-ons, Fargate profiles, tags.

use serde_json::{Value, json};

use super::rig::Rig;

#[test]
fn addons_are_made_shown_and_deleted() {
    let mut rig = Rig::new();
    rig.cluster("one");
    assert_eq!(
        rig.get("/clusters/one/addons")["addons"],
        json!([]),
        "what a cluster is born with is not managed"
    );
    let made = rig.call("POST", "/clusters/one/addons", json!({"addonName": "eks-pod-identity-agent"}));
    assert_eq!(made.body["addon"]["status"], "CREATING", "{}", made.body);
    rig.call("POST", "/clusters/one/addons", json!({"addonName": "eks-pod-identity-agent"}))
        .refused("ResourceInUseException", "already exists");
    rig.call("POST", "/clusters/one/addons", json!({"addonName": "none"}))
        .refused("InvalidParameterException", "not supported");
    rig.call("POST", "/clusters/one/addons", json!({"addonName": "vpc-cni", "addonVersion": "v0"}))
        .refused("InvalidParameterException", "version");
    rig.pass(80);
    assert_eq!(rig.get("/clusters/one/addons/eks-pod-identity-agent")["addon"]["status"], "ACTIVE");
    rig.call("POST", "/clusters/one/addons", json!({"addonName": "coredns"}));
    rig.pass(80);
    assert_eq!(rig.get("/clusters/one/addons/coredns")["addon"]["status"], "DEGRADED", "no node to run on");
    rig.call("DELETE", "/clusters/one/addons/eks-pod-identity-agent", Value::Null);
    rig.pass(40);
    assert_eq!(rig.get("/clusters/one/addons")["addons"], json!(["coredns"]));
    let offered = rig.get("/addons/supported-versions?kubernetesVersion=1.34&addonName=aws-ebs-csi-driver");
    assert_eq!(offered["addons"][0]["addonVersions"][0]["compatibilities"][0]["clusterVersion"], "1.34");
}

#[test]
fn a_fargate_profile_keeps_its_cluster() {
    let mut rig = Rig::new();
    rig.cluster("one");
    rig.make_role("pods", "eks-fargate-pods.amazonaws.com", &[]);
    let wrong = json!({"fargateProfileName": "p", "podExecutionRoleArn": rig.role("node"), "selectors": [{"namespace": "default"}]});
    rig.call("POST", "/clusters/one/fargate-profiles", wrong)
        .refused("InvalidParameterException", "trust relationship");
    let request = json!({"fargateProfileName": "p", "podExecutionRoleArn": rig.role("pods"), "selectors": [{"namespace": "default"}]});
    assert_eq!(rig.call("POST", "/clusters/one/fargate-profiles", request.clone()).status, 200);
    rig.call("DELETE", "/clusters/one", Value::Null).refused("ResourceInUseException", "Fargate");
    rig.pass(150);
    assert_eq!(rig.get("/clusters/one/fargate-profiles/p")["fargateProfile"]["status"], "ACTIVE");
    assert_eq!(rig.get("/clusters/one/fargate-profiles")["fargateProfileNames"], json!(["p"]));
    rig.call("DELETE", "/clusters/one/fargate-profiles/p", Value::Null);
    rig.pass(120);
    rig.call("GET", "/clusters/one/fargate-profiles/p", Value::Null)
        .refused("ResourceNotFoundException", "p");
    assert_eq!(rig.call("DELETE", "/clusters/one", Value::Null).status, 200);
}

#[test]
fn tags_are_set_and_taken_by_arn() {
    let mut rig = Rig::new();
    rig.cluster("one");
    rig.node_group("workers");
    let arn = rig.group("workers")["nodegroupArn"].as_str().unwrap().to_owned();
    let path = format!("/tags/{}", arn.replace(':', "%3A").replace('/', "%2F"));
    assert_eq!(rig.get(&path)["tags"], json!({"team": "blue"}));
    rig.call("POST", &path, json!({"tags": {"a": "1", "b": "2"}}));
    rig.call("DELETE", &format!("{path}?tagKeys=a&tagKeys=team"), Value::Null);
    assert_eq!(rig.group("workers")["tags"], json!({"b": "2"}));
    rig.call("POST", &path, json!({"tags": {"aws:c": "3"}})).refused("BadRequestException", "aws:");
    let missing = "/tags/arn%3Aaws%3Aeks%3Aap-northeast-2%3A1%3Acluster%2Fnone";
    rig.call("GET", missing, Value::Null).refused("NotFoundException", "none");
}
