//! Rules of network security groups in our words, and ours in Azure's.

use serde_json::json;

use super::*;

fn rule(direction: Direction, protocol: Protocol, ports: Option<(u16, u16)>, cidr: &str) -> Rule {
    let (from_port, to_port) = (ports.map(|ports| ports.0), ports.map(|ports| ports.1));
    Rule { direction, protocol, from_port, to_port, cidr: cidr.parse().unwrap() }
}

fn said(properties: serde_json::Value) -> Option<Vec<Rule>> {
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
    assert_eq!(read(&sent, &mut KeyValueList::default()), wanted);
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
    assert_eq!(said(base.clone()).unwrap().len(), 4);
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
        assert_eq!(said(other), None, "{field}");
    }
}

fn outbound(name: &str, access: &str, priority: u32, to: &str, port: &str) -> wire::SecurityRule {
    serde_json::from_value(json!({"name": name, "properties": {"access": access, "direction": "Outbound",
        "protocol": "*", "priority": priority, "sourceAddressPrefix": "*", "sourcePortRange": "*",
        "destinationAddressPrefix": to, "destinationPortRange": port}}))
    .unwrap()
}

#[test]
fn that_everything_may_leave_is_a_rule_exactly_if_it_is_so() {
    let read = |rules: &[wire::SecurityRule]| {
        let mut facts = KeyValueList::default();
        (read(rules, &mut facts), facts.0.len())
    };
    let all = vec![Rule::EVERYTHING_OUT];
    let https = rule(Direction::Outbound, Protocol::Tcp, Some((443, 443)), "10.0.0.0/8");
    let allowed = |priority| outbound("allow-outbound", "Allow", priority, "0.0.0.0/0", "*");
    let denied = outbound("deny-outbound", "Deny", 4096, "0.0.0.0/0", "*");
    // Azure's own rules let everything out.
    assert_eq!(read(&[]), (all.clone(), 0));
    assert_eq!(read(&[azure_rule(&https, 100)]), (vec![https.clone(), Rule::EVERYTHING_OUT], 0));
    // A group of CB-Spider's is open until its allowance is removed.
    assert_eq!(read(&[denied.clone(), allowed(101)]), (all, 1));
    assert_eq!(read(&[denied.clone(), azure_rule(&https, 100)]), (vec![https.clone()], 1));
    // What denies anything before it leaves no rule that says everything.
    let smtp = outbound("no-mail", "Deny", 100, "*", "25");
    assert_eq!(read(&[smtp.clone(), allowed(101)]), (Vec::new(), 2));
    assert!(!denies_everything(&smtp) && denies_everything(&denied) && !is_denial(&denied));
    // Ours is no rule and no fact.
    assert_eq!(read(&rules(std::slice::from_ref(&https))), (vec![https], 0));
    assert_eq!(read(&rules(&[])), (Vec::new(), 0));
}

#[test]
fn the_denial_comes_after_every_rule() {
    let last = |others: &[wire::SecurityRule]| denial(others).unwrap().properties.priority;
    assert_eq!(last(&[]), 4096);
    assert_eq!(last(&[outbound("x", "Deny", 4096, "*", "25")]), 4095);
    let mut inbound = outbound("x", "Deny", 4096, "*", "25");
    "Inbound".clone_into(&mut inbound.properties.direction);
    assert_eq!(last(&[inbound]), 4096);
    let denial = denial(&[]).unwrap();
    assert!(is_denial(&denial), "{denial:?}");
    assert!(rules(&[Rule::EVERYTHING_OUT]).iter().all(|rule| !is_denial(rule)));
}
