//! Changes against a provider that is strict about everything.

use std::time::Duration;

use pmks_model::NameRule;
use serde_json::json;

use super::*;
use crate::{
    AutoScaling, FailedCreate, NodeGroupsAtCreation, RootDisk, TagRule, TokenKind, TokenReach, Upgrade,
};

const NAME: NameRule =
    NameRule { pattern: "^[a-z][a-z0-9-]{0,19}$", says: "lower-case letters, digits and hyphens" };

const STRICT: Capabilities = Capabilities {
    provider: "test",
    title: "Test Cloud",
    services: &[],
    first_region: "home",
    credential_forms: &[],
    settings: &[option("role", OptionKind::Text, true)],
    cluster_options: &[
        option("tier", OptionKind::Choice(&["free", "paid"]), false),
        option("logs", OptionKind::Boolean, true),
        option("zones", OptionKind::Texts, true),
    ],
    operations: &[],
    cluster_name: NAME,
    node_group_name: NAME,
    network_name: NAME,
    subnet_name: NAME,
    security_group_name: NAME,
    key_pair_name: NAME,
    unique_names: crate::UniqueNames::all(pmks_model::UniqueName::of(20)),
    tags: Some(TagRule {
        most: 2,
        key: NAME,
        value: NameRule { pattern: "^[a-z0-9 ]{0,5}$", says: "short and in lower case" },
    }),
    node_groups_at_creation: NodeGroupsAtCreation { presence: Presence::Required, most: 1 },
    minimum_subnets: 2,
    minimum_zones: 2,
    most_subnets: Some(2),
    zonal_subnets: false,
    network_addresses: true,
    tagged: &[ResourceKind::Cluster],
    security_groups: Presence::Forbidden,
    image: ImageKind::Fixed,
    root_disk: RootDisk { types: &["ssd"], default_gib: 20, min_gib: 10, max_gib: 100 },
    key_pair: KeyPairUse::Unused,
    scales_to_zero: false,
    auto_scaling: AutoScaling { managed: true, keeps_limits: true, says: "" },
    token: TokenKind::Bearer,
    token_reach: TokenReach::Cluster,
    native_kubeconfig: false,
    static_kubeconfig: false,
    last_node_group: LastNodeGroup::Kept,
    upgrade: Upgrade { one_minor_at_a_time: true, node_groups_before_next_hop: false, largest_skew: 2 },
    failed_create: FailedCreate::Replace,
    progress_list: false,
    node_metrics: &[],
    metric_intervals: &[],
    buckets: &[],
    call_bounds: &[],
    visible_after: Duration::ZERO,
};

const fn option(name: &'static str, kind: OptionKind, changeable: bool) -> OptionField {
    OptionField { name, kind, default: "", help: "", changeable }
}

/// The same where one node group is kept for the cloud's own pods and one key pair is the whole cluster's.
const SYSTEM: Capabilities = Capabilities {
    node_groups_at_creation: NodeGroupsAtCreation { presence: Presence::Required, most: 9 },
    key_pair: KeyPairUse::OfCluster,
    scales_to_zero: true,
    last_node_group: LastNodeGroup::SystemKept,
    ..STRICT
};

fn findings(change: &str, asked: &serde_json::Value) -> Vec<String> {
    findings_at(&STRICT, change, asked)
}

fn findings_at(capabilities: &Capabilities, change: &str, asked: &serde_json::Value) -> Vec<String> {
    let change: Change = serde_json::from_value(json!({"change": change, "asked": asked})).unwrap();
    validate(&change, capabilities).iter().map(|finding| finding.field.clone()).collect()
}

fn iid(name: &str) -> serde_json::Value {
    json!({"nameId": name, "systemId": name})
}

fn marks() -> serde_json::Value {
    json!({"installation": "i", "operation": "o", "uid": "u"})
}

#[test]
fn a_cluster_is_held_against_every_rule_at_once() {
    let group = json!({"name": "G!", "image": "x", "rootDiskType": "tape", "rootDiskSizeGib": 5, "keyPair": iid("k"),
        "scaling": {"autoScaling": false, "min": 0, "max": 1, "desired": 0}});
    let request = json!({"name": "한국", "network": iid("n"), "subnets": [iid("a")], "securityGroups": [iid("g")],
        "nodeGroups": [group, {"name": "h", "scaling": {"autoScaling": true, "min": 1, "max": 1, "desired": 1}}],
        "tags": {"a": "123456", "b": "", "pmks-uid": "x"},
        "options": {"tier": "gold", "logs": 1, "zones": ["a", 1], "color": "red"}});
    assert_eq!(
        findings("createCluster", &json!({"request": request, "marks": marks()})),
        [
            "name",
            "subnets",
            "securityGroups",
            "nodeGroups",
            "nodeGroups[0].name",
            "nodeGroups[0].rootDiskType",
            "nodeGroups[0].rootDiskSizeGib",
            "nodeGroups[0].image",
            "nodeGroups[0].keyPair",
            "nodeGroups[0].scaling.min",
            "tags",
            "tags[\"a\"]",
            "tags[\"pmks-uid\"]",
            "options.color",
            "options.logs",
            "options.tier",
            "options.zones",
        ]
    );
}

#[test]
fn an_update_changes_only_what_can_be_changed() {
    let target = json!({"iid": {"nameId": "c", "systemId": "c"}, "incarnation": "1"});
    let asked = json!({"target": target, "tags": {"PMKS-UID": null, "a": null, "b": "far too long", "c": "", "d": "Big"},
        "options": {"tier": "free", "logs": true}, "marks": marks()});
    let wanted = ["tags", "tags[\"b\"]", "tags[\"d\"]", "tags[\"PMKS-UID\"]", "options.tier"];
    assert_eq!(findings("updateCluster", &asked), wanted);
}

#[test]
fn an_empty_scaling_is_refused() {
    let target = json!({"cluster": {"iid": {"nameId": "c", "systemId": "c"}, "incarnation": "1"},
        "iid": {"nameId": "g", "systemId": "g"}, "incarnation": "1"});
    let asked = |change: serde_json::Value| json!({"target": target, "change": change, "marks": marks()});
    assert_eq!(findings("changeNodeGroupScaling", &asked(json!({}))), ["scaling"]);
    assert!(findings("changeNodeGroupScaling", &asked(json!({"max": 3}))).is_empty());
}

#[test]
fn settings_are_held_against_their_description() {
    let given = BTreeMap::from([("role".to_owned(), json!(1)), ("rôle".to_owned(), json!("x"))]);
    let fields: Vec<String> = validate_settings(&given, &STRICT).iter().map(|f| f.field.clone()).collect();
    assert_eq!(fields, ["settings.role", "settings.rôle"]);
}

#[test]
fn a_network_is_held_against_what_subnets_and_networks_can_carry() {
    let subnet = |name: &str, zone: &str| json!({"name": name, "cidr": "10.0.0.0/24", "zone": zone});
    let request = json!({"name": "n", "cidr": "10.0.0.0/16", "subnets": [subnet("a", ""), subnet("B", "z1")],
        "tags": {"team": "a"}});
    let asked = json!({"request": request, "marks": marks(), "subnetUids": {}});
    let wanted = ["subnets[1].name", "subnets[1].zone", "subnets[1].cidr", "tags"];
    assert_eq!(findings("createNetwork", &asked), wanted);
    let asked = json!({"network": iid("n"), "request": subnet("a", "z1"), "marks": marks()});
    assert_eq!(findings("createSubnet", &asked), ["zone"]);
}

#[test]
fn a_cluster_has_no_more_subnets_than_the_cloud_takes() {
    let group = json!({"name": "g", "scaling": {"autoScaling": false, "min": 1, "max": 1, "desired": 1}});
    let request = json!({"name": "c", "network": iid("n"), "subnets": [iid("a"), iid("b"), iid("c")],
        "nodeGroups": [group]});
    assert_eq!(findings("createCluster", &json!({"request": request, "marks": marks()})), ["subnets"]);
}

#[test]
fn a_cluster_has_one_key_pair_and_nodes_for_the_clouds_pods_where_the_cloud_has_it_so() {
    let group = |name: &str, min: u32, key: serde_json::Value| {
        json!({"name": name, "keyPair": key,
            "scaling": {"autoScaling": false, "min": min, "max": 2, "desired": min}})
    };
    let none = || serde_json::Value::Null;
    let asked = |groups: serde_json::Value| {
        let request = json!({"name": "c", "network": iid("n"), "subnets": [iid("a"), iid("b")],
            "nodeGroups": groups});
        findings_at(&SYSTEM, "createCluster", &json!({"request": request, "marks": marks()}))
    };
    let fine = json!([group("a", 1, none()), group("b", 0, iid("k")), group("c", 1, iid("k"))]);
    assert_eq!(asked(fine), [""; 0]);
    let wrong = json!([group("a", 0, iid("k")), group("b", 1, iid("l"))]);
    assert_eq!(asked(wrong), ["nodeGroups[0].scaling.min", "nodeGroups[1].keyPair"]);
}

#[test]
fn what_is_wrong_with_a_network_is_said_once_and_all_of_it() {
    let here = Capabilities {
        tagged: &[ResourceKind::Network, ResourceKind::Subnet],
        zonal_subnets: true,
        ..STRICT
    };
    let subnet = |name: &str, cidr: &str| json!({"name": name, "cidr": cidr});
    let tagged = |mut subnet: serde_json::Value| {
        subnet["tags"] = json!({"": "x", "pmks-uid": "x"});
        subnet
    };
    let request = json!({"name": "", "cidr": "10.0.0.0/16", "tags": {"": "x", "-": "x"}, "subnets": [
        tagged(subnet("-", "10.0.0.0/24")), subnet("-", "10.0.1.0/24"), subnet("", "10.0.2.0/24"), subnet("", "10.0.3.0/24")]});
    let asked = json!({"request": request, "marks": marks(), "subnetUids": {}});
    let change: Change = serde_json::from_value(json!({"change": "createNetwork", "asked": asked})).unwrap();
    let found = validate(&change, &here);
    let said: Vec<String> = found.iter().map(|one| format!("{}: {}", one.field, one.says)).collect();
    let key = format!("tags[\"-\"]: a key is {}", NAME.says);
    let wanted = [
        "name: is required",
        "subnets[0].name: the name \"-\" is reserved",
        "subnets[1].name: the name \"-\" is reserved",
        "subnets[2].name: is required",
        "subnets[3].name: is required",
        "subnets[1].name: \"-\" is given twice",
        "subnets[0].tags: a tag needs a key",
        "tags: a tag needs a key",
        &key,
        "subnets[0].tags[\"pmks-uid\"]: is pmks' own",
    ];
    assert_eq!(said, wanted);
}

#[test]
fn other_tags_are_held_against_the_rule_where_their_kind_takes_any() {
    let here = Capabilities { tagged: &[ResourceKind::KeyPair], ..STRICT };
    let said = |kind: &str, tags: serde_json::Value| {
        let asked = json!({"kind": kind, "iid": iid("i"), "incarnation": "", "network": null, "tags": tags, "marks": marks()});
        findings_at(&here, "updateTags", &asked)
    };
    assert_eq!(said("keyPair", json!({"team": "a", "gone": null})), [""; 0]);
    assert_eq!(said("network", json!({"team": "a"})), ["tags"]);
    let wrong = json!({"": "a", "PMKS-uid": null, "team": "much too long"});
    assert_eq!(said("keyPair", wrong), ["tags", "tags[\"team\"]", "tags[\"PMKS-uid\"]"]);
}
