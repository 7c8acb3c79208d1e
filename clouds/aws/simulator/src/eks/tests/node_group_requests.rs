//! What a node group may be asked for, what is refused, and what fails although it was asked for well.

use pmks_simulation::Effect;
use serde_json::{Value, json};

use super::rig::Rig;

#[test]
fn wrong_requests_are_refused_in_eks_words() {
    let mut rig = Rig::new();
    rig.cluster("one");
    rig.make_role("untrusted", "eks.amazonaws.com", &[]);
    let cases: Vec<(&str, Value, &str, &str)> = vec![
        ("nodegroupName", json!("a b"), "InvalidParameterException", "nodegroup name"),
        (
            "nodeRole",
            json!(rig.role("untrusted")),
            "InvalidParameterException",
            "Following required service principals [ec2.amazonaws.com]",
        ),
        ("nodeRole", json!(rig.role("none")), "InvalidParameterException", "cannot be found"),
        ("subnets", json!(["subnet-9"]), "InvalidParameterException", "subnet-9"),
        (
            "amiType",
            json!("AL2_x86_64"),
            "InvalidParameterException",
            "not supported for kubernetes version 1.34",
        ),
        (
            "amiType",
            json!("AL2023_ARM_64_STANDARD"),
            "InvalidParameterException",
            "not a valid instance type",
        ),
        ("amiType", json!("DOS"), "InvalidParameterException", "amiType DOS"),
        ("amiType", json!("CUSTOM"), "InvalidParameterException", "launch template"),
        (
            "instanceTypes",
            json!(["t9.imaginary"]),
            "InvalidParameterException",
            "do not exist: [t9.imaginary]",
        ),
        ("diskSize", json!(0), "InvalidParameterException", "disk size"),
        ("diskSize", json!(19), "InvalidRequestException", "smaller than snapshot"),
        (
            "remoteAccess",
            json!({"ec2SshKey": "none"}),
            "InvalidRequestException",
            "The key pair 'none' does not exist",
        ),
        (
            "scalingConfig",
            json!({"minSize": 3, "maxSize": 4, "desiredSize": 2}),
            "InvalidParameterException",
            "Minimum capacity 3",
        ),
        (
            "version",
            json!("1.33"),
            "InvalidParameterException",
            "should be equal to Cluster kubernetes version 1.34",
        ),
        (
            "releaseVersion",
            json!("1.33.8-20261101"),
            "InvalidParameterException",
            "not valid for kubernetes version 1.34",
        ),
        (
            "releaseVersion",
            json!("1.34.0-20250101"),
            "InvalidParameterException",
            "Allowed release version is 1.34.4-20261101",
        ),
        ("labels", json!({"eks.amazonaws.com/x": "y"}), "InvalidParameterException", "eks.amazonaws.com/x"),
        ("taints", json!([{"key": "a", "effect": "NEVER"}]), "InvalidParameterException", "taint"),
        (
            "updateConfig",
            json!({"maxUnavailable": 1, "maxUnavailablePercentage": 10}),
            "InvalidParameterException",
            "Only one",
        ),
        ("launchTemplate", json!({"id": "lt-9"}), "InvalidRequestException", "lt-9"),
    ];
    for (member, value, code, words) in cases {
        let mut request = rig.node_group_request("workers");
        request[member] = value;
        let answer = rig.call("POST", "/clusters/one/node-groups", request);
        assert_eq!(answer.status, 400, "{member}: {}", answer.body);
        answer.refused(code, words);
        assert_eq!(answer.body["clusterName"], "one");
    }
    assert_eq!(rig.get("/clusters/one/node-groups")["nodegroups"], json!([]));
    let request = rig.node_group_request("workers");
    rig.call("POST", "/clusters/none/node-groups", request).refused("ResourceNotFoundException", "none");
}

#[test]
fn a_cluster_in_the_making_takes_no_node_group_and_names_are_unique() {
    let mut rig = Rig::new();
    let cluster = rig.cluster_request("one");
    rig.call("POST", "/clusters", cluster);
    let mut request = rig.node_group_request("workers");
    request["clientRequestToken"] = json!("t");
    rig.call("POST", "/clusters/one/node-groups", request.clone())
        .refused("InvalidRequestException", "not in ACTIVE status");
    rig.pass(660);
    let first = rig.call("POST", "/clusters/one/node-groups", request.clone());
    let second = rig.call("POST", "/clusters/one/node-groups", request.clone());
    assert_eq!(first.body["nodegroup"]["nodegroupArn"], second.body["nodegroup"]["nodegroupArn"]);
    request["clientRequestToken"] = json!("u");
    let third = rig.call("POST", "/clusters/one/node-groups", request);
    assert_eq!(third.status, 409);
    third
        .refused("ResourceInUseException", "NodeGroup already exists with name workers and cluster name one");
    rig.call("DELETE", "/clusters/one/node-groups/workers", Value::Null)
        .refused("ResourceInUseException", "being created");
}

#[test]
fn what_can_never_become_a_node_fails_the_group_with_its_reason() {
    let mut rig = Rig::new();
    rig.cluster("one");
    let request = rig.node_group_request("thin");
    assert_eq!(
        rig.call_with(vec![Effect::InsufficientCapacity], "POST", "/clusters/one/node-groups", request)
            .status,
        200
    );
    let request = rig.node_group_request("lost");
    let effect = Effect::FailWhileCreating { code: None };
    assert_eq!(rig.call_with(vec![effect], "POST", "/clusters/one/node-groups", request).status, 200);
    rig.make_role("bare", "ec2.amazonaws.com", &[]);
    let mut request = rig.node_group_request("bare");
    request["nodeRole"] = json!(rig.role("bare"));
    assert_eq!(rig.call("POST", "/clusters/one/node-groups", request).status, 200);
    rig.pass(400);
    let thin = rig.group("thin");
    assert_eq!(thin["status"], "CREATE_FAILED");
    assert_eq!(thin["health"]["issues"][0]["code"], "AsgInstanceLaunchFailures");
    assert!(
        thin["health"]["issues"][0]["message"].as_str().unwrap().contains("InsufficientInstanceCapacity")
    );
    assert_eq!(rig.group("lost")["health"]["issues"][0]["code"], "NodeCreationFailure");
    assert_eq!(
        rig.group("bare")["health"]["issues"][0]["message"],
        "Instances failed to join the kubernetes cluster"
    );

    let place = rig.place.clone();
    rig.world.region_mut(&place).ec2.subnets.get_mut("subnet-2").unwrap().map_public_ip = false;
    let request = rig.node_group_request("addressless");
    rig.call("POST", "/clusters/one/node-groups", request);
    rig.pass(400);
    assert_eq!(rig.group("addressless")["health"]["issues"][0]["code"], "Ec2SubnetInvalidConfiguration");
    rig.world.region_mut(&place).ec2.route_tables.clear();
    let request = rig.node_group_request("unconnected");
    rig.call("POST", "/clusters/one/node-groups", request);
    rig.pass(400);
    assert_eq!(rig.group("unconnected")["health"]["issues"][0]["code"], "NodeCreationFailure");
    for name in ["thin", "lost", "bare", "addressless", "unconnected"] {
        assert_eq!(rig.call("DELETE", &format!("/clusters/one/node-groups/{name}"), Value::Null).status, 200);
    }
    rig.pass(400);
    assert_eq!(rig.get("/clusters/one/node-groups")["nodegroups"], json!([]));
    assert_eq!(rig.running(), 0);
}

/// A launch template with an AMI; `change` is laid over what makes nodes join.
fn template(rig: &mut Rig, change: &Value) -> String {
    let cluster = rig.get("/clusters/one")["cluster"].clone();
    let word = |key: &str, own: &Value| change[key].as_str().or(own.as_str()).unwrap().to_owned();
    let config = format!(
        "---\napiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec:\n  cluster:\n    name: {}\n    \
         apiServerEndpoint: {}\n    certificateAuthority: {}\n    cidr: {}\n",
        word("name", &json!("one")),
        word("endpoint", &cluster["endpoint"]),
        word("authority", &cluster["certificateAuthority"]["data"]),
        word("cidr", &cluster["kubernetesNetworkConfig"]["serviceIpv4Cidr"]),
    );
    let group = word("group", &cluster["resourcesVpcConfig"]["clusterSecurityGroupId"]);
    let image = super::super::images::id(&rig.place.region, "AL2023_x86_64_STANDARD", "1.34");
    let data = crate::ec2::TemplateData {
        image: Some(word("image", &json!(image))),
        groups: vec![group],
        user_data: Some(base64::Engine::encode(&base64::engine::general_purpose::STANDARD, config)),
        ..crate::ec2::TemplateData::default()
    };
    let (id, created) =
        (rig.world.new_id("lt"), rig.world.region(&rig.place).ec2.vpcs.values().next().unwrap().created);
    let version = crate::ec2::TemplateVersion { number: 1, description: None, data, created };
    let template = crate::ec2::LaunchTemplate {
        id: id.clone(),
        name: format!("own-{id}"),
        versions: vec![version],
        default_version: 1,
        client_token: None,
        tags: crate::world::Tags::new(),
        created,
    };
    let place = rig.place.clone();
    rig.world.region_mut(&place).ec2.launch_templates.insert(id.clone(), template);
    id
}

#[test]
fn nodes_with_an_image_of_their_own_join_by_what_their_template_says() {
    let mut rig = Rig::new();
    rig.cluster("one");
    for (name, change, status) in [
        ("joins", json!({}), "ACTIVE"),
        ("other-cluster", json!({"name": "two"}), "CREATE_FAILED"),
        ("other-endpoint", json!({"endpoint": "https://elsewhere.example"}), "CREATE_FAILED"),
        ("other-authority", json!({"authority": "b3RoZXI="}), "CREATE_FAILED"),
        ("other-services", json!({"cidr": "10.9.0.0/16"}), "CREATE_FAILED"),
    ] {
        let id = template(&mut rig, &change);
        let mut request = rig.node_group_request(name);
        request["launchTemplate"] = json!({"id": id});
        let answer = rig.call("POST", "/clusters/one/node-groups", request);
        assert_eq!(answer.status, 200, "{}", answer.body);
        rig.pass(1800);
        let group = rig.group(name);
        assert_eq!(group["status"], status, "{name}: {}", group["health"]);
        assert_eq!(group["amiType"], "CUSTOM");
        let image = group["releaseVersion"].as_str().unwrap();
        assert!(image.starts_with("ami-"), "{image}");
    }
    let id = template(&mut rig, &json!({"image": "ami-0000"}));
    let mut request = rig.node_group_request("no-image");
    request["launchTemplate"] = json!({"id": id});
    rig.call("POST", "/clusters/one/node-groups", request)
        .refused("InvalidRequestException", "'[ami-0000]' does not exist");
    let id = template(&mut rig, &json!({}));
    let mut request = rig.node_group_request("typed");
    request["launchTemplate"] = json!({"id": id});
    request["amiType"] = json!("CUSTOM");
    rig.call("POST", "/clusters/one/node-groups", request)
        .refused("InvalidParameterException", "cannot specify amiType");
}
