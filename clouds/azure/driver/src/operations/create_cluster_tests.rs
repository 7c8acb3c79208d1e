//! The body that makes a cluster, and its plan.

use pmks_driver::{FoundState, Plan};
use pmks_model::{Iid, Scaling, VersionRequest};

use super::*;

const SUBNET: &str =
    "/subscriptions/0/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/n/subnets/s";

fn marks() -> Marks {
    Marks { installation: "i".into(), operation: "o".into(), uid: "u".into() }
}

fn request() -> ClusterRequest {
    let group = |name: &str| pmks_model::NodeGroupRequest {
        name: name.to_owned(),
        version: VersionRequest::Default,
        machine_type: String::new(),
        image: String::new(),
        root_disk_type: String::new(),
        root_disk_size_gib: None,
        key_pair: None,
        scaling: Scaling { auto_scaling: false, min: 1, max: 4, desired: 2 },
        any_size: false,
    };
    ClusterRequest {
        name: "web_1".into(),
        version: VersionRequest::Default,
        network: Iid::new("n", SUBNET.trim_end_matches("/subnets/s")),
        subnets: vec![Iid::new("s", SUBNET)],
        security_groups: Vec::new(),
        node_groups: vec![group("ga"), group("gb")],
        tags: Tags::new(),
        options: std::collections::BTreeMap::new(),
    }
}

fn id() -> ArmId {
    ArmId::new("0", "g", CONTAINER_SERVICE, "managedClusters", "web_1")
}

#[expect(clippy::needless_pass_by_value, reason = "called with a literal")]
fn network(subnet: Value) -> VirtualNetwork {
    let properties = json!({"addressSpace": {"addressPrefixes": ["10.20.0.0/16"]}, "subnets": [subnet]});
    serde_json::from_value(json!({"name": "n", "location": "koreacentral", "properties": properties}))
        .unwrap()
}

fn fields(findings: &Findings) -> Vec<String> {
    findings.iter().map(|finding| finding.field.clone()).collect()
}

#[test]
fn a_subnet_is_checked_before_anything_is_asked() {
    let guard = ArmId::new("0", "g", "Microsoft.Network", "networkSecurityGroups", "own");
    let found = |request: &ClusterRequest, subnet: Value| {
        let mut findings = Findings::default();
        let subnet_id = ArmId::parse(SUBNET).unwrap();
        let ground = Ground::of(request, subnet_id, &network(subnet), Some(guard.clone()), &mut findings);
        (ground.and_then(|ground| ground.guard), fields(&findings))
    };
    let subnet = |group: Value| json!({"name": "S", "properties": {"addressPrefix": "10.20.0.0/24", "networkSecurityGroup": group}});
    assert_eq!(found(&request(), subnet(Value::Null)), (Some(guard.clone()), vec![]));
    assert_eq!(found(&request(), subnet(json!({"id": guard.to_string().to_uppercase()}))), (None, vec![]));
    let other = json!({"id": guard.to_string().replace("own", "other")});
    assert_eq!(found(&request(), subnet(other)).1, ["securityGroups[0]"]);
    assert_eq!(found(&request(), json!({"name": "t"})).1, ["subnets[0]"]);
    let elsewhere = ClusterRequest { network: Iid::new("m", "m"), ..request() };
    assert_eq!(found(&elsewhere, subnet(Value::Null)).1, ["subnets[0]"]);
    let small = json!({"name": "s", "properties": {"addressPrefix": "10.20.0.0/29"}});
    assert_eq!(found(&request(), small).1, ["subnets[0]"]);
}

#[test]
fn the_plan_waits_for_what_it_needs() {
    let group = ArmId::new("0", "g", "Microsoft.Network", "networkSecurityGroups", "own");
    let asked = CreateCluster { request: request(), marks: marks() };
    let names = |guard: Option<ArmId>| -> Vec<String> {
        let ground = Ground { subnet: ArmId::parse(SUBNET).unwrap(), guard, blocks: None, public_key: None };
        let plan = Plan::of(plan(&id(), json!({}), &ground, &asked));
        assert_eq!(plan.defect(), None);
        plan.stages.into_iter().map(|stage| stage.name).collect()
    };
    assert_eq!(names(None), ["cluster", "role on subnet"]);
    assert_eq!(names(Some(group)), ["cluster", "role on subnet", "security group on subnet s"]);
}

#[test]
fn options_that_contradict_each_other_are_findings() {
    let seen = |options: Value, support: Support| {
        let mut findings = Findings::default();
        let options = serde_json::from_value(options).unwrap();
        let read = Options::of(&ClusterRequest { options, ..request() }, Some(support), &mut findings);
        (read.tier, read.entra.is_some(), read.local_accounts, fields(&findings))
    };
    let none = Vec::<String>::new;
    for (options, support, expected) in [
        (json!({}), Support::Standard, ("Free", false, true, none())),
        (json!({}), Support::Extended, ("Premium", false, true, none())),
        (
            json!({"tier": "Standard"}),
            Support::Extended,
            ("Standard", false, true, vec!["options.tier".to_owned()]),
        ),
        (
            json!({"entra": true, "localAccounts": false, "azureRbac": true}),
            Support::Standard,
            ("Free", true, false, none()),
        ),
        (
            json!({"localAccounts": false}),
            Support::Standard,
            ("Free", false, false, vec!["options.localAccounts".to_owned()]),
        ),
        (
            json!({"adminGroups": ["11111111-2222-3333-4444-555555555555"]}),
            Support::Standard,
            ("Free", false, true, vec!["options.adminGroups".to_owned()]),
        ),
        (
            json!({"entra": true, "adminGroups": ["11111111-2222-3333-4444-555555555555", "ops", "{1}"]}),
            Support::Standard,
            (
                "Free",
                true,
                true,
                vec!["options.adminGroups[1]".to_owned(), "options.adminGroups[2]".to_owned()],
            ),
        ),
        (json!({"azureRbac": false}), Support::Standard, ("Free", false, true, none())),
    ] {
        let (tier, entra, local, fields) = seen(options.clone(), support);
        assert_eq!((tier.as_str(), entra, local, fields), expected, "{options}");
    }
}

#[test]
fn api_servers_have_names_of_their_own() {
    let prefix = dns_prefix("_a_b_", &marks());
    assert_eq!(prefix, format!("a-b-{}", marks().suffix()));
    assert!(dns_prefix(&"a".repeat(63), &marks()).len() <= 54);
}

#[test]
fn a_cluster_is_ours_by_its_marks_and_there_with_all_its_pools() {
    let seen = |state: &str, pool: &str, tags: Tags| {
        let properties = json!({"provisioningState": state, "resourceUID": "u1", "currentKubernetesVersion": "1.34.1",
            "agentPoolProfiles": [{"name": "ga", "provisioningState": pool}]});
        let cluster = json!({"id": id().to_string(), "name": "web_1", "tags": tags, "properties": properties,
            "identity": {"type": "SystemAssigned", "principalId": "p"}});
        match look_at(&id(), &serde_json::from_value(cluster).unwrap(), &marks()) {
            Look::Present(found) => match found.state {
                FoundState::Ready(outputs) => outputs.to_string(),
                FoundState::Pending { says } => says,
                FoundState::Failed(error) => format!("{:?}", error.to_failure().kind),
            },
            Look::Unsure(_) => "unsure".to_owned(),
            _ => "?".to_owned(),
        }
    };
    let ours = marks().onto(&Tags::new());
    for (state, pool, expected) in [
        ("Succeeded", "Succeeded", r#"{"principalId":"p","version":"1.34.1"}"#),
        ("Creating", "Creating", "Creating"),
        ("Updating", "Succeeded", "Updating"),
        ("Failed", "Succeeded", "Precondition"),
        ("Succeeded", "Failed", "Precondition"),
        ("Deleting", "Deleting", "unsure"),
    ] {
        assert_eq!(seen(state, pool, ours.clone()), expected, "{state} {pool}");
    }
    assert_eq!(seen("Succeeded", "Succeeded", Tags::new()), "AlreadyExists");
}
