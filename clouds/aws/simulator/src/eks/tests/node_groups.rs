//! Node groups: machines come and go with them, limits, versions, faults, what is left at the end.

use serde_json::{Value, json};

use super::rig::Rig;

fn standing() -> Rig {
    let mut rig = Rig::new();
    rig.cluster("one");
    rig.node_group("workers");
    rig
}

fn scale(rig: &mut Rig, scaling: &Value) -> super::rig::Answer {
    rig.call("POST", "/clusters/one/node-groups/workers/update-config", json!({"scalingConfig": scaling}))
}

#[test]
fn machines_come_and_go_with_the_group_and_carry_eks_tags() {
    let mut rig = standing();
    let group = rig.group("workers");
    assert_eq!(group["releaseVersion"], "1.34.4-20261101");
    assert_eq!((&group["diskSize"], &group["instanceTypes"]), (&json!(20), &json!(["t3.medium"])));
    let name = group["resources"]["autoScalingGroups"][0]["name"].as_str().unwrap().to_owned();
    assert!(name.starts_with("eks-workers-"));
    let region = rig.world.region(&rig.place);
    let found = &region.auto_scaling.groups[&name];
    let keys: Vec<&str> = found.tags.keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "eks:cluster-name",
            "eks:nodegroup-name",
            "k8s.io/cluster-autoscaler/enabled",
            "k8s.io/cluster-autoscaler/one",
            "kubernetes.io/cluster/one",
        ],
        "EKS' own tags and not the node group's"
    );
    let zones: std::collections::BTreeSet<&str> =
        found.members.iter().map(|member| member.zone.as_str()).collect();
    assert_eq!(zones.len(), 2, "one machine in each zone");
    for instance in region.ec2.instances.values() {
        assert_eq!(instance.tags["kubernetes.io/cluster/one"], "owned");
        assert_eq!(instance.tags["eks:nodegroup-name"], "workers");
        assert_eq!(instance.tags["aws:autoscaling:groupName"], name);
        assert!(!instance.tags.contains_key("team"));
    }
    let templates: Vec<&str> =
        region.ec2.launch_templates.values().map(|template| template.name.as_str()).collect();
    assert_eq!(templates.len(), 1);
    assert!(templates[0].starts_with("eks-"));
    assert_eq!(rig.running(), 2);

    rig.call("DELETE", "/clusters/one", Value::Null)
        .refused("ResourceInUseException", "Cluster has nodegroups attached");
    let deleting = rig.call("DELETE", "/clusters/one/node-groups/workers", Value::Null);
    assert_eq!(deleting.body["nodegroup"]["status"], "DELETING");
    rig.pass(300);
    rig.call("GET", "/clusters/one/node-groups/workers", Value::Null)
        .refused("ResourceNotFoundException", "No node group found for name: workers.");
    assert_eq!(rig.running(), 0);
    let region = rig.world.region(&rig.place);
    assert!(region.auto_scaling.groups.is_empty() && region.ec2.launch_templates.is_empty());
}

#[test]
fn limits_are_absolute_and_machines_follow() {
    let mut rig = standing();
    let update =
        scale(&mut rig, &json!({"minSize": 1, "maxSize": 6, "desiredSize": 5})).body["update"].clone();
    assert_eq!(update["type"], "ConfigUpdate");
    assert_eq!(rig.group("workers")["status"], "UPDATING");
    scale(&mut rig, &json!({"desiredSize": 1})).refused("ResourceInUseException", "currently has update");
    rig.pass(120);
    assert_eq!(rig.running(), 5);
    let id = update["id"].as_str().unwrap();
    let seen = rig.get(&format!("/clusters/one/updates/{id}?nodegroupName=workers"));
    assert_eq!(seen["update"]["status"], "Successful");
    assert_eq!(scale(&mut rig, &json!({"desiredSize": 1})).status, 200);
    rig.pass(120);
    assert_eq!(rig.running(), 1);
    assert_eq!(rig.group("workers")["scalingConfig"], json!({"minSize": 1, "maxSize": 6, "desiredSize": 1}));
    for (scaling, words) in [
        (json!({"minSize": 2}), "Minimum capacity 2 can't be greater than desired size 1"),
        (json!({"desiredSize": 9}), "can't be greater than max size 6"),
        (json!({"maxSize": 0}), "can't be less than 1"),
        (json!({"minSize": -1}), "negative"),
    ] {
        scale(&mut rig, &scaling).refused("InvalidParameterException", words);
    }
}

#[test]
fn what_an_autoscaler_does_behind_eks_back_is_seen_through_eks() {
    let mut rig = standing();
    let name = rig.group("workers")["resources"]["autoScalingGroups"][0]["name"].as_str().unwrap().to_owned();
    rig.auto_scaling(&format!("Action=SetDesiredCapacity&AutoScalingGroupName={name}&DesiredCapacity=4"))
        .unwrap();
    rig.pass(120);
    assert_eq!(rig.running(), 4);
    assert_eq!(rig.group("workers")["scalingConfig"]["desiredSize"], 4);
    assert_eq!(scale(&mut rig, &json!({"maxSize": 7})).status, 200);
    rig.pass(60);
    assert_eq!(rig.group("workers")["scalingConfig"], json!({"minSize": 1, "maxSize": 7, "desiredSize": 4}));
}

#[test]
fn a_version_update_replaces_node_by_node_and_keeps_the_limits() {
    let mut rig = standing();
    let update_version = "/clusters/one/node-groups/workers/update-version";
    rig.call("POST", update_version, json!({"version": "1.35"}))
        .refused("InvalidParameterException", "can't be greater than cluster Kubernetes version 1.34");
    rig.call("POST", "/clusters/one/updates", json!({"version": "1.35"}));
    rig.pass(740);
    let old: Vec<String> = rig.world.region(&rig.place).ec2.instances.keys().cloned().collect();
    let update = rig.call("POST", update_version, json!({"version": "1.35", "clientRequestToken": "t"}));
    assert_eq!(update.status, 200, "{}", update.body);
    let again = rig.call("POST", update_version, json!({"version": "1.35", "clientRequestToken": "t"}));
    assert_eq!(update.body["update"]["id"], again.body["update"]["id"]);
    rig.call("DELETE", "/clusters/one/node-groups/workers", Value::Null)
        .refused("ResourceInUseException", "has update");
    let mut fewest = usize::MAX;
    for _ in 0..100 {
        rig.pass(10);
        fewest = fewest.min(rig.running());
        let scaling = rig.group("workers")["scalingConfig"].clone();
        assert_eq!(scaling, json!({"minSize": 1, "maxSize": 4, "desiredSize": 2}), "the surge is EKS' own");
    }
    assert!(fewest >= 2, "never fewer nodes than wanted, but {fewest}");
    let group = rig.group("workers");
    assert_eq!((&group["status"], &group["version"]), (&json!("ACTIVE"), &json!("1.35")));
    assert_eq!(group["releaseVersion"], "1.35.2-20261101");
    assert_eq!(rig.running(), 2);
    let ec2 = &rig.world.region(&rig.place).ec2;
    let alive =
        |id: &String| ec2.instances.get(id).is_some_and(|instance| instance.state.written().1 == "running");
    assert!(!old.iter().any(alive), "every old machine is gone");
    let now = rig.get("/clusters/one/updates?nodegroupName=workers")["updateIds"].clone();
    assert_eq!(now, json!([update.body["update"]["id"]]));
}

#[test]
fn remote_access_makes_a_group_that_goes_with_the_node_group() {
    let mut rig = Rig::new();
    rig.cluster("one");
    let pair = crate::ec2::KeyPair {
        id: "key-1".to_owned(),
        name: "pair".to_owned(),
        kind: "ed25519".to_owned(),
        fingerprint: String::new(),
        public_key: String::new(),
        tags: crate::world::Tags::new(),
        created: rig.now.wall,
    };
    rig.world.region_mut(&rig.place.clone()).ec2.key_pairs.insert("key-1".to_owned(), pair);
    let mut request = rig.node_group_request("workers");
    request["remoteAccess"] = json!({"ec2SshKey": "pair"});
    assert_eq!(rig.call("POST", "/clusters/one/node-groups", request).status, 200);
    rig.pass(240);
    let id = rig.group("workers")["resources"]["remoteAccessSecurityGroup"].as_str().unwrap().to_owned();
    let region = rig.world.region(&rig.place);
    assert!(region.ec2.security_groups[&id].name.starts_with("eks-remoteAccess-"));
    assert!(
        region
            .ec2
            .instances
            .values()
            .all(|instance| instance.groups.contains(&id) && instance.key_name.as_deref() == Some("pair"))
    );
    rig.call("DELETE", "/clusters/one/node-groups/workers", Value::Null);
    rig.pass(400);
    assert!(!rig.world.region(&rig.place).ec2.security_groups.contains_key(&id));
}

#[test]
fn a_terminated_member_is_replaced_unless_the_wanted_number_falls() {
    let mut rig = standing();
    let name = rig.group("workers")["resources"]["autoScalingGroups"][0]["name"].as_str().unwrap().to_owned();
    let first = rig.world.region(&rig.place).auto_scaling.groups[&name].members[0].instance.clone();
    let form = |id: &str, decrement: bool| {
        format!(
            "Action=TerminateInstanceInAutoScalingGroup&InstanceId={id}&ShouldDecrementDesiredCapacity={decrement}"
        )
    };
    rig.auto_scaling(&form(&first, false)).unwrap();
    rig.pass(200);
    assert_eq!(rig.running(), 2);
    let members = &rig.world.region(&rig.place).auto_scaling.groups[&name].members;
    assert!(!members.iter().any(|member| member.instance == first));
    let second = members[0].instance.clone();
    rig.auto_scaling(&form(&second, true)).unwrap();
    rig.pass(200);
    assert_eq!(rig.running(), 1);
    let last = rig.world.region(&rig.place).auto_scaling.groups[&name].members[0].instance.clone();
    assert_eq!(rig.auto_scaling(&form(&last, true)).unwrap_err().code, "ValidationError");
}

#[test]
fn discovery_tags_can_be_taken_off_and_put_on_again() {
    let mut rig = standing();
    let name = rig.group("workers")["resources"]["autoScalingGroups"][0]["name"].as_str().unwrap().to_owned();
    let tag = format!(
        "Tags.member.1.ResourceId={name}&Tags.member.1.ResourceType=auto-scaling-group&Tags.member.1.Key=k8s.io/cluster-autoscaler/enabled"
    );
    rig.auto_scaling(&format!("Action=DeleteTags&{tag}")).unwrap();
    let find = "Action=DescribeAutoScalingGroups&Filters.member.1.Name=tag-key&Filters.member.1.Values.member.1=k8s.io/cluster-autoscaler/enabled";
    assert!(!rig.auto_scaling(find).unwrap().document("X", "").contains(&name));
    rig.auto_scaling(&format!(
        "Action=CreateOrUpdateTags&{tag}&Tags.member.1.Value=true&Tags.member.1.PropagateAtLaunch=true"
    ))
    .unwrap();
    assert!(rig.auto_scaling(find).unwrap().document("X", "").contains(&name));
    let described = rig.auto_scaling(&format!("Action=DescribeTags&Filters.member.1.Name=auto-scaling-group&Filters.member.1.Values.member.1={name}")).unwrap();
    assert_eq!(described.document("X", "").matches("<Key>").count(), 5);
    let missing = tag.replace(&name, "none");
    assert_eq!(
        rig.auto_scaling(&format!("Action=DeleteTags&{missing}")).unwrap_err().code,
        "ValidationError"
    );
    assert_eq!(
        rig.auto_scaling("Action=DescribeAutoScalingGroups&MaxRecords=1000").unwrap_err().code,
        "ValidationError"
    );
    assert_eq!(
        rig.auto_scaling("Action=SetDesiredCapacity&AutoScalingGroupName=none&DesiredCapacity=1")
            .unwrap_err()
            .code,
        "ValidationError"
    );
}

#[test]
fn a_world_in_the_middle_of_its_work_goes_on_after_being_written_and_read() {
    let mut rig = standing();
    assert_eq!(scale(&mut rig, &json!({"desiredSize": 4})).status, 200);
    let written = serde_json::to_string(&rig.world).unwrap();
    rig.world = serde_json::from_str(&written).unwrap();
    rig.pass(120);
    assert_eq!(rig.running(), 4);
    assert_eq!(rig.group("workers")["status"], "ACTIVE");
}
