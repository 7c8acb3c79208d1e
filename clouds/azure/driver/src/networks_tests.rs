//! Networks, subnets and rules in our words.

use serde_json::json;

use super::*;

fn rule(direction: Direction, protocol: Protocol, ports: Option<(u16, u16)>, cidr: &str) -> Rule {
    let (from_port, to_port) = (ports.map(|ports| ports.0), ports.map(|ports| ports.1));
    Rule { direction, protocol, from_port, to_port, cidr: cidr.parse().unwrap() }
}

fn read(properties: serde_json::Value) -> Option<Vec<Rule>> {
    our_rules(&serde_json::from_value(properties).unwrap())
}

#[test]
fn rules_come_back_as_they_were_sent() {
    let wanted = [
        rule(Direction::Inbound, Protocol::Tcp, Some((22, 22)), "10.0.0.0/8"),
        rule(Direction::Inbound, Protocol::Udp, Some((53, 60)), "0.0.0.0/0"),
        rule(Direction::Outbound, Protocol::Icmp, None, "10.0.0.0/8"),
        rule(Direction::Outbound, Protocol::All, None, "0.0.0.0/0"),
    ];
    let sent = rules(&wanted);
    let found: Vec<Rule> = sent.iter().flat_map(|rule| our_rules(&rule.properties).unwrap()).collect();
    assert_eq!(found, wanted);
    let places: Vec<(&str, u32)> =
        sent.iter().map(|rule| (rule.name.as_str(), rule.properties.priority)).collect();
    assert_eq!(
        places,
        [("inbound-100", 100), ("inbound-110", 110), ("outbound-100", 100), ("outbound-110", 110)]
    );
    let open =
        Rule { to_port: None, ..rule(Direction::Inbound, Protocol::Tcp, Some((80, 80)), "10.0.0.0/8") };
    assert_eq!(rules(&[open]).first().unwrap().properties.destination_port_range.as_deref(), Some("80"));
    let last = FIRST_PRIORITY + PRIORITY_STEP * u32::try_from(MOST_RULES).unwrap();
    assert!(last <= 4096 && last + PRIORITY_STEP > 4096);
}

#[test]
fn lists_and_single_values_are_one_and_what_we_cannot_say_is_none() {
    let base = json!({"access": "Allow", "direction": "Inbound", "protocol": "TCP", "sourcePortRange": "*",
        "destinationAddressPrefix": "*", "sourceAddressPrefixes": ["10.0.0.0/8", "1.2.3.4"], "destinationPortRanges": ["80", "443-445"]});
    assert_eq!(read(base.clone()).unwrap().len(), 4);
    for (field, value) in [
        ("access", json!("Deny")),
        ("protocol", json!("Esp")),
        ("sourceAddressPrefixes", json!(["VirtualNetwork"])),
        ("destinationAddressPrefix", json!("10.0.0.4")),
        ("sourcePortRange", json!("1024")),
        ("direction", json!("Sideways")),
    ] {
        let mut other = base.clone();
        other.as_object_mut().unwrap().insert(field.to_owned(), value);
        assert_eq!(read(other), None, "{field}");
    }
}

#[test]
fn a_group_is_of_the_network_that_it_guards() {
    let subnet = "/subscriptions/0/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/n/subnets/s";
    let group: wire::SecurityGroup = serde_json::from_value(json!({
        "id": "/subscriptions/0/resourceGroups/g/providers/Microsoft.Network/networkSecurityGroups/web", "name": "web",
        "properties": {"subnets": [{"id": subnet}], "networkInterfaces": null, "securityRules": [
            {"name": "no", "properties": {"access": "Deny", "direction": "Inbound", "protocol": "*", "priority": 200,
                "sourceAddressPrefix": "*", "destinationAddressPrefix": "*", "destinationPortRange": "*"}}]},
    }))
    .unwrap();
    let group = security_group(&group);
    assert_eq!(group.network, subnet.strip_suffix("/subnets/s").unwrap());
    assert_eq!(
        group.key_value_list.get("OtherRule"),
        Some("no Deny Inbound: protocol *, from * to *, ports *")
    );
}

#[test]
fn networks_hold_their_subnets_under_their_identifiers() {
    let found: wire::VirtualNetwork = serde_json::from_value(json!({
        "id": "/subscriptions/0/resourcegroups/g/providers/microsoft.network/virtualnetworks/n", "name": "n",
        "location": "koreacentral", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16", "10.1.0.0/16"]},
            "subnets": [{"name": "b", "properties": {"addressPrefixes": ["10.0.1.0/24"]}},
                {"name": "a", "properties": {"addressPrefix": "10.0.0.0/24", "ipConfigurations": [{"id": "x"}]}}]},
    }))
    .unwrap();
    let network = network(&found);
    let id = "/subscriptions/0/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/n";
    assert_eq!((network.iid.system_id.as_str(), network.cidr.as_str()), (id, "10.0.0.0/16"));
    let [a, b] = network.subnets.as_slice() else { panic!("two subnets") };
    assert_eq!(
        (a.iid.system_id.as_str(), a.cidr.as_str()),
        (format!("{id}/subnets/a").as_str(), "10.0.0.0/24")
    );
    assert_eq!((b.cidr.as_str(), b.network.as_str()), ("10.0.1.0/24", id));
    assert_eq!(a.key_value_list.get("AddressesInUse"), Some("1"));
}

#[test]
fn a_subnets_name_is_one_within_its_network() {
    let network = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/n";
    let whole = format!("{network}/subnets/a");
    for (network, text, expected) in [
        (network, "a", Some(whole.as_str())),
        (network, &whole, Some(&whole)),
        ("", &whole, Some(&whole)),
        ("", "a", None),
    ] {
        assert_eq!(subnet_within(network, text).as_deref(), expected);
    }
}
