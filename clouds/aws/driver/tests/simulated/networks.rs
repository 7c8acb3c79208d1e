//! Networks, security groups, key pairs and prerequisites against the simulated AWS.

use std::collections::BTreeMap;

use pmks_driver::{
    Change, CreateKeyPair, CreateNetwork, CreateSecurityGroup, CreateSubnet, DeleteResource, Driver,
    ErrorKind, FixPrerequisites, PrerequisiteState,
};
use pmks_model::{
    Direction, Iid, KeyPairRequest, NetworkRequest, Protocol, ResourceKind, Rule, SecurityGroupRequest,
    SubnetRequest, Tags,
};

use serde_json::{Value, json};

use crate::support::{World, carry_out, kept, marks, world};

const PUBLIC_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJvYm9ib2JvYm9ib2JvYm9ib2JvYm9ib2JvYm9ib2JvYm9i test";

fn subnet(name: &str, cidr: &str) -> SubnetRequest {
    SubnetRequest {
        name: name.to_owned(),
        cidr: cidr.parse().unwrap(),
        zone: String::new(),
        tags: Tags::new(),
    }
}

fn network() -> Change {
    Change::CreateNetwork(CreateNetwork {
        request: NetworkRequest {
            name: "net".to_owned(),
            cidr: "10.0.0.0/16".parse().unwrap(),
            subnets: vec![subnet("a", "10.0.0.0/24"), subnet("b", "10.0.1.0/24")],
            tags: Tags::from([("team".to_owned(), "blue".to_owned())]),
        },
        marks: marks("net"),
        subnet_uids: BTreeMap::from([
            ("a".to_owned(), "sub-a".to_owned()),
            ("b".to_owned(), "sub-b".to_owned()),
        ]),
    })
}

fn rule(direction: Direction, protocol: Protocol, port: Option<u16>) -> Rule {
    Rule { direction, protocol, from_port: port, to_port: None, cidr: "0.0.0.0/0".parse().unwrap() }
}

fn group(network: &str, rules: Vec<Rule>) -> Change {
    let request = SecurityGroupRequest {
        name: "web".to_owned(),
        network: Iid::new("net", network),
        rules,
        tags: Tags::new(),
    };
    Change::CreateSecurityGroup(CreateSecurityGroup { request, marks: marks("web") })
}

fn delete(kind: ResourceKind, name: &str, id: &str, uid: &str) -> Change {
    let iid = Iid::new(name, id);
    Change::DeleteResource(DeleteResource {
        kind,
        iid,
        incarnation: String::new(),
        network: None,
        marks: marks(uid),
    })
}

async fn fails(driver: &dyn Driver, change: &Change) -> ErrorKind {
    carry_out(driver, change).await.unwrap_err().kind().clone()
}

#[tokio::test]
async fn a_network_is_made_read_held_and_deleted() {
    let world = world(&[]).await;
    let driver = world.driver.as_ref();
    let kinds = ["vpc", "subnet", "internetGateway", "securityGroup"];
    let before = world.count(&kinds);

    let made = carry_out(driver, &network()).await.unwrap();
    let again = carry_out(driver, &network()).await.unwrap();
    assert_eq!(made, again, "the same operation makes nothing twice");
    let vpc = made["net"].as_str();
    let read = driver.get_network(vpc).await.unwrap();
    assert_eq!(read.iid, Iid::new("net", vpc));
    assert_eq!(read.tags["team"], "blue");
    let zones: Vec<&str> = read.subnets.iter().map(|subnet| subnet.zone.as_str()).collect();
    assert_ne!(zones[0], zones[1]);
    for subnet in &read.subnets {
        assert_eq!(subnet.key_value_list.get("MapPublicIpOnLaunch"), Some("true"));
        assert_eq!(subnet.tags["kubernetes.io/role/elb"], "1");
    }

    let third = CreateSubnet {
        network: Iid::new("net", vpc),
        request: subnet("c", "10.0.2.0/24"),
        marks: marks("sub-c"),
    };
    let third = carry_out(driver, &Change::CreateSubnet(third)).await.unwrap();
    let overlapping = CreateSubnet {
        network: Iid::new("net", vpc),
        request: subnet("d", "10.0.2.128/25"),
        marks: marks("sub-d"),
    };
    let refused = fails(driver, &Change::CreateSubnet(overlapping)).await;
    assert!(matches!(refused, ErrorKind::InvalidRequest(_)), "{refused:?}");
    let third = delete(ResourceKind::Subnet, "c", &third["c"], "sub-c");
    carry_out(driver, &third).await.unwrap();
    carry_out(driver, &third).await.unwrap();

    let made = carry_out(driver, &group(vpc, Vec::new())).await.unwrap();
    let held = fails(driver, &delete(ResourceKind::Network, "net", vpc, "net")).await;
    let ErrorKind::Precondition { what, .. } = held else { panic!("{held:?}") };
    assert!(what.contains(&made["web"]), "{what}");

    let gone = delete(ResourceKind::SecurityGroup, "web", &made["web"], "web");
    carry_out(driver, &gone).await.unwrap();
    carry_out(driver, &gone).await.unwrap();
    let gone = delete(ResourceKind::Network, "net", vpc, "net");
    carry_out(driver, &gone).await.unwrap();
    carry_out(driver, &gone).await.unwrap();
    assert!(driver.get_network(vpc).await.unwrap_err().is_not_found());
    assert_eq!(world.count(&kinds), before);
}

/// As CB-Spider leaves a network: nothing of it bears a mark of pmks; and one subnet has a route table of its own.
fn forget_who_made_it(world: &World, vpc: &str) {
    world.change(|snapshot| {
        for kind in ["vpcs", "subnets", "internet_gateways"] {
            for one in kept(snapshot, kind).values_mut() {
                one["tags"] = json!({});
            }
        }
        let subnet = kept(snapshot, "subnets").keys().next().unwrap().clone();
        let mut table =
            kept(snapshot, "route_tables").values().find(|one| one["vpc"] == vpc).unwrap().clone();
        table["id"] = json!("rtb-2");
        table["associations"] = json!([{"id": "rtbassoc-2", "subnet": subnet}]);
        kept(snapshot, "route_tables").insert("rtb-2".to_owned(), table);
    });
}

#[tokio::test]
async fn a_network_that_somebody_else_made_goes_with_all_that_it_consists_of() {
    let world = world(&[]).await;
    let driver = world.driver.as_ref();
    let kinds = ["vpc", "subnet", "internetGateway", "routeTable", "securityGroup"];
    let before = world.count(&kinds);
    let vpc = carry_out(driver, &network()).await.unwrap()["net"].clone();
    forget_who_made_it(&world, &vpc);
    let gone = delete(ResourceKind::Network, "net", &vpc, "net");

    // What may be somebody's work holds it, and nothing of it is touched.
    let whole = world.count(&kinds);
    let endpoint = json!({"id": "vpce-1", "vpc": vpc, "service": "com.amazonaws.ap-northeast-2.s3", "kind": "Gateway",
        "tags": {}, "created": "2026-11-23T10:00:00Z"});
    let gateway = json!({"id": "vgw-1", "vpc": vpc, "tags": {}});
    let peering = |id: &str, requester: &str, accepter: &str, status: &str| json!({"id": id, "requester": requester, "accepter": accepter, "status": status, "tags": {}});
    let beside = |id: &str, vpc: &str, state: &str| json!({"id": id, "vpc": vpc, "state": state, "tags": {}});
    let holders: [(&str, &str, Value); 7] = [
        ("vpc_endpoints", "VPC endpoint vpce-1 (com.amazonaws.ap-northeast-2.s3)", endpoint),
        ("vpn_gateways", "VPN gateway vgw-1", gateway),
        ("vpc_peerings", "VPC peering pcx-1", peering("pcx-1", &vpc, "vpc-9", "active")),
        ("vpc_peerings", "VPC peering pcx-2", peering("pcx-2", "vpc-9", &vpc, "active")),
        ("egress_only_gateways", "egress-only internet gateway eigw-1", beside("eigw-1", &vpc, "")),
        ("carrier_gateways", "carrier gateway cagw-1", beside("cagw-1", &vpc, "available")),
        ("network_acls", "network ACL acl-1", beside("acl-1", &vpc, "")),
    ];
    for (kind, says, holder) in holders {
        let id = holder["id"].as_str().unwrap().to_owned();
        world.change(|snapshot| drop(kept(snapshot, kind).insert(id.clone(), holder)));
        let held = fails(driver, &gone).await;
        let ErrorKind::Precondition { what, .. } = held else { panic!("{held:?}") };
        assert_eq!(what, format!("{vpc} is held by {says}"));
        world.change(|snapshot| drop(kept(snapshot, kind).remove(&id)));
    }
    let ended = peering("pcx-3", &vpc, "vpc-9", "deleted");
    world.change(|snapshot| drop(kept(snapshot, "vpc_peerings").insert("pcx-3".to_owned(), ended)));
    let elsewhere = json!({"id": "vgw-2", "vpc": "vpc-9", "tags": {}});
    world.change(|snapshot| drop(kept(snapshot, "vpn_gateways").insert("vgw-2".to_owned(), elsewhere)));
    for (kind, id, of, state) in [
        ("egress_only_gateways", "eigw-2", "vpc-9", ""),
        ("carrier_gateways", "cagw-2", "vpc-9", "available"),
        ("carrier_gateways", "cagw-3", vpc.as_str(), "deleted"),
        ("network_acls", "acl-2", "vpc-9", ""),
    ] {
        world.change(|snapshot| drop(kept(snapshot, kind).insert(id.to_owned(), beside(id, of, state))));
    }
    assert_eq!(world.count(&kinds), whole);

    let prepared = driver.prepare(&gone).await.unwrap();
    let [said] = &prepared.notices[..] else { panic!("{:?}", prepared.notices) };
    let doomed = prepared.plan.stages.iter().filter_map(|stage| stage.doomed.as_ref());
    let parts: Vec<&str> = doomed.map(|one| one.system_id.as_str()).filter(|id| *id != vpc).collect();
    assert_eq!(parts.len(), 4, "{parts:?}");
    assert!(parts.iter().all(|id| said.contains(id)), "{said}");
    carry_out(driver, &gone).await.unwrap();
    carry_out(driver, &gone).await.unwrap();
    assert_eq!(world.count(&kinds), before);
}

#[tokio::test]
async fn what_another_installation_put_into_a_network_of_ours_holds_it() {
    let world = world(&[]).await;
    let driver = world.driver.as_ref();
    let vpc = carry_out(driver, &network()).await.unwrap()["net"].clone();
    let mark = |tags: &mut Value| tags["pmks-installation"] = json!("theirs");
    world.change(|snapshot| mark(&mut kept(snapshot, "subnets").values_mut().next().unwrap()["tags"]));
    let gone = delete(ResourceKind::Network, "net", &vpc, "net");
    let held = fails(driver, &gone).await;
    let ErrorKind::Precondition { what, .. } = held else { panic!("{held:?}") };
    assert!(what.ends_with("of another pmks installation"), "{what}");
    // The whole network is of that installation, and was taken over from it.
    world.change(|snapshot| mark(&mut kept(snapshot, "vpcs")[&vpc]["tags"]));
    carry_out(driver, &gone).await.unwrap();
    assert!(driver.get_network(&vpc).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_security_group_has_the_rules_that_were_named() {
    let world = world(&[]).await;
    let driver = world.driver.as_ref();
    let vpc = carry_out(driver, &network()).await.unwrap()["net"].clone();
    let named = vec![
        rule(Direction::Inbound, Protocol::Tcp, Some(22)),
        rule(Direction::Inbound, Protocol::Icmp, None),
        rule(Direction::Outbound, Protocol::Tcp, Some(443)),
    ];
    let change = group(&vpc, named.clone());
    let id = carry_out(driver, &change).await.unwrap()["web"].clone();
    assert_eq!(carry_out(driver, &change).await.unwrap()["web"], id);
    let read = driver.get_security_group(&id).await.unwrap();
    let found: Vec<_> =
        read.rules.iter().map(|rule| (rule.direction, rule.protocol, rule.from_port)).collect();
    let expected: Vec<_> = named.iter().map(|rule| (rule.direction, rule.protocol, rule.from_port)).collect();
    assert_eq!(found.len(), expected.len(), "{found:?}");
    assert!(expected.iter().all(|rule| found.contains(rule)), "{found:?}");

    // Another operation must not adopt it.
    let Change::CreateSecurityGroup(mut other) = change else { unreachable!() };
    other.marks = marks("other");
    let refused = fails(driver, &Change::CreateSecurityGroup(other)).await;
    assert_eq!(refused, ErrorKind::AlreadyExists);
}

#[tokio::test]
async fn a_key_pair_is_imported_and_only_the_one_that_is_meant_is_deleted() {
    let world = world(&[]).await;
    let driver = world.driver.as_ref();
    let request =
        KeyPairRequest { name: "key".to_owned(), public_key: PUBLIC_KEY.to_owned(), tags: Tags::new() };
    let change = Change::CreateKeyPair(CreateKeyPair { request, marks: marks("key") });
    let made = carry_out(driver, &change).await.unwrap();
    assert_eq!(carry_out(driver, &change).await.unwrap(), made);
    let read = driver.get_key_pair(&made["key"]).await.unwrap();
    let id = read.key_value_list.get("KeyPairId").unwrap().to_owned();
    assert_eq!(driver.get_key_pair(&id).await.unwrap(), read, "by EC2's identifier too");

    let Change::DeleteResource(mut foreign) = delete(ResourceKind::KeyPair, "key", "key", "key") else {
        unreachable!()
    };
    foreign.marks.installation = "theirs".to_owned();
    assert_eq!(fails(driver, &Change::DeleteResource(foreign.clone())).await, ErrorKind::Replaced);
    // Its own identifier, where it is known, says that it is the one that was taken over.
    foreign.incarnation = id;
    driver.prepare(&Change::DeleteResource(foreign)).await.unwrap();
    let gone = delete(ResourceKind::KeyPair, "key", "key", "key");
    carry_out(driver, &gone).await.unwrap();
    carry_out(driver, &gone).await.unwrap();
    assert!(driver.get_key_pair("key").await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn roles_are_missing_then_made_then_found() {
    let world = world(&[]).await;
    let driver = world.driver.as_ref();
    let roles = |all: Vec<pmks_driver::Prerequisite>| -> Vec<pmks_driver::Prerequisite> {
        all.into_iter().filter(|one| one.name.ends_with("Role")).collect()
    };
    let before = roles(driver.prerequisites(None).await.unwrap());
    assert_eq!(before.len(), 2);
    for role in &before {
        let PrerequisiteState::Missing { what } = &role.state else { panic!("{role:?}") };
        assert!(what.iter().all(|what| what.contains("does not exist")), "{what:?}");
        assert!(role.fix.is_some());
    }
    let fix = Change::FixPrerequisites(FixPrerequisites { cluster: None, marks: marks("fix") });
    carry_out(driver, &fix).await.unwrap();
    let after = driver.prerequisites(None).await.unwrap();
    for found in &after {
        assert!(matches!(found.state, PrerequisiteState::Satisfied { .. }), "{found:?}");
    }
    let prepared = driver.prepare(&fix).await.unwrap();
    assert!(prepared.plan.stages.is_empty(), "{prepared:?}");
}

#[tokio::test]
async fn a_role_that_the_connection_names_is_the_only_candidate() {
    let world =
        world(&[("clusterRole", "my-role"), ("nodeRole", "arn:aws:iam::000000000000:role/none")]).await;
    let found = world.driver.prerequisites(None).await.unwrap();
    let state = |name: &str| found.iter().find(|one| one.name == name).unwrap().clone();
    let PrerequisiteState::Missing { what } = state("clusterRole").state else { panic!("{found:?}") };
    assert_eq!(what, ["my-role does not exist"]);
    assert_eq!(state("nodeRole").fix, None, "a role named by ARN is its owner's to make");
}

#[tokio::test]
async fn machines_and_places_are_read() {
    let world = world(&[]).await;
    let driver = world.driver.as_ref();
    let types = driver.machine_types().await.unwrap();
    let medium = types.iter().find(|one| one.name == "t3.medium").unwrap();
    assert_eq!((medium.vcpus, medium.memory_mib, medium.architecture.as_str()), (2, 4096, "x86_64"));
    assert!(!medium.zones.is_empty());
    let regions = driver.regions().await.unwrap();
    assert_eq!(regions.iter().filter(|region| !region.zones.is_empty()).count(), 1);
    let images = driver.images().await.unwrap();
    assert_eq!(images.iter().filter(|image| image.default).count(), 1);
}
