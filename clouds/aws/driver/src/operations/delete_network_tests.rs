//! What goes with a network, in which order, and what holds it.

use pmks_driver::{ErrorKind, Plan};

use super::*;

fn marks() -> Marks {
    Marks { installation: "ours".into(), operation: "o".into(), uid: "u".into() }
}

fn tags(installation: &str) -> List<Tag> {
    let [key, ..] = Marks::KEYS;
    let mark = Tag { key: key.to_owned(), value: installation.to_owned() };
    List { entries: if installation.is_empty() { Vec::new() } else { vec![mark] } }
}

/// What that installation made in a network; an empty one: somebody without pmks.
fn content(installation: &str) -> Content {
    let tag_set = tags(installation);
    let subnet =
        |id: &str| wire::Subnet { subnet_id: id.into(), tag_set: tag_set.clone(), ..Default::default() };
    let gateway = wire::InternetGateway {
        internet_gateway_id: "igw-1".into(),
        tag_set: tag_set.clone(),
        ..Default::default()
    };
    let group =
        wire::SecurityGroup { group_id: "sg-1".into(), group_name: "default".into(), ..Default::default() };
    Content {
        subnets: vec![subnet("subnet-1"), subnet("subnet-2")],
        gateways: vec![gateway],
        groups: vec![group],
        ..Default::default()
    }
}

fn table() -> wire::RouteTable {
    wire::RouteTable { route_table_id: "rtb-2".into(), ..Default::default() }
}

fn own(taken_over: Option<&str>) -> impl Fn(&Content) -> Vec<String> {
    let taken_over = taken_over.map(str::to_owned);
    move |content| content.holders(&Own { marks: &marks(), taken_over: taken_over.clone() })
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.stages.iter().map(|stage| stage.name.as_str()).collect()
}

#[test]
fn a_network_goes_last_and_with_all_that_it_consists_of() {
    for installation in ["ours", ""] {
        let mut content = content(installation);
        content.tables.push(table());
        assert!(own(None)(&content).is_empty(), "{installation:?}");
        let plan = Plan::of(content.plan(&Iid::new("net", "vpc-1")));
        assert_eq!(plan.defect(), None);
        let expected = [
            "subnet subnet-1",
            "subnet subnet-2",
            "detachment of igw-1",
            "internet gateway igw-1",
            "route table rtb-2",
            "network",
        ];
        assert_eq!(names(&plan), expected);
        assert_eq!(plan.stages[2].after, expected[..2], "what has public addresses goes first");
        assert_eq!(plan.stages[4].after, expected[..2], "the table is no subnet's then");
        assert_eq!(plan.stages[5].after, expected[..5]);
        let doomed: Vec<String> = plan
            .stages
            .iter()
            .filter_map(|stage| stage.doomed.as_ref())
            .map(|one| format!("{} {} {}", one.kind, one.system_id, one.name))
            .collect();
        let told = [
            "subnet subnet-1 ",
            "subnet subnet-2 ",
            "gateway igw-1 ",
            "routeTable rtb-2 ",
            "network vpc-1 net",
        ];
        assert_eq!(doomed, told);
    }
}

#[test]
fn what_others_made_is_said() {
    let mut content = content("ours");
    content.tables.push(table());
    content.subnets[1].tag_set = tags("");
    assert_eq!(content.made_by_others(&marks()), ["subnet subnet-2", "route table rtb-2"]);
}

#[test]
fn a_gateway_that_an_earlier_attempt_detached_goes_too() {
    let mut content = content("ours");
    content.loose = std::mem::take(&mut content.gateways);
    let plan = Plan::of(content.plan(&Iid::new("net", "vpc-1")));
    assert_eq!(names(&plan), ["subnet subnet-1", "subnet subnet-2", "internet gateway igw-1", "network"]);
    assert_eq!(plan.stages[3].after.len(), 3);
}

#[test]
fn what_may_be_somebodys_work_is_named() {
    let mut held = content("");
    held.interfaces.push(wire::NetworkInterface {
        network_interface_id: "eni-1".into(),
        description: "ELB web".into(),
        ..Default::default()
    });
    held.groups.push(wire::SecurityGroup {
        group_id: "sg-2".into(),
        group_name: "x".into(),
        ..Default::default()
    });
    held.neighbours.push("VPN gateway vgw-1".into());
    let error = refuse_if_held(&Delete::of(What::Network, "vpc-1"), &own(None)(&held)).unwrap_err();
    let says =
        "vpc-1 is held by network interface eni-1 (ELB web), security group sg-2 (x), VPN gateway vgw-1";
    assert_eq!(error.message(), says);
    assert!(matches!(error.kind(), ErrorKind::Precondition { .. }));
}

#[test]
fn what_another_installation_made_goes_only_with_its_own_network() {
    let theirs = content("theirs");
    let says = own(None)(&theirs);
    assert_eq!(says.len(), 3);
    assert_eq!(says[2], "internet gateway igw-1 of another pmks installation");
    assert_eq!(own(Some("others"))(&theirs), says);
    assert!(own(Some("theirs"))(&theirs).is_empty());
}
