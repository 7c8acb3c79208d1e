//! Security groups. Google has none: a group is a network tag, and the firewall rules that aim at it. One rule that has
//! the group's name stands for the group itself: it lets nothing out that no other lets out, for Google lets everything out
//! by itself, and is switched off exactly while everything may leave. Never writes.
//!
//! Source: <https://cloud.google.com/firewall/docs/firewalls>

use std::collections::BTreeSet;

use pmks_driver::{DriverError, ErrorKind, Marks, Result};
use pmks_model::{Cidr, Direction, Iid, KeyValueList, Protocol, Rule, SecurityGroup};

use crate::wire::compute::{Firewall, Traffic};
use crate::{GcpDriver, PROVIDER, convert, marks};

/// What Google takes where none is said.
///
/// Source: <https://cloud.google.com/compute/docs/reference/rest/v1/firewalls>, `priority`
const USUAL_PRIORITY: u32 = 1000;
/// After every rule of a user, before Google's own that lets everything out.
const LAST_PRIORITY: u32 = 65_534;

/// Every network tag that a firewall rule aims at, ordered by name. One call, pages apart.
pub(crate) async fn list(driver: &GcpDriver) -> Result<Vec<SecurityGroup>> {
    let all = driver.api.list_firewalls().await?;
    let project = driver.api.project();
    Ok(names(&all).into_iter().filter_map(|name| security_group(name, &all, project)).collect())
}

fn names(all: &[Firewall]) -> BTreeSet<&str> {
    all.iter().flat_map(|firewall| &firewall.target_tags).map(String::as_str).collect()
}

/// One security group. One call, pages apart.
///
/// # Errors
/// `NotFound` where no firewall rule aims at the tag.
pub(crate) async fn get(driver: &GcpDriver, name: &str) -> Result<SecurityGroup> {
    let all = driver.api.list_firewalls().await?;
    security_group(name, &all, driver.api.project()).ok_or_else(|| not_found(name))
}

/// The error of a security group that is not there.
pub(crate) fn not_found(name: &str) -> DriverError {
    let says = format!("no firewall rule of this project aims at the network tag {name:?}");
    DriverError::new(ErrorKind::NotFound, PROVIDER, says).with_action("compute.firewalls.list")
}

/// The rules that aim at that tag and no other: the group's own.
pub(crate) fn of_group<'a>(name: &str, all: &'a [Firewall]) -> Vec<&'a Firewall> {
    all.iter().filter(|firewall| firewall.target_tags.iter().any(|tag| tag == name)).collect()
}

/// Those of them that are of the group's network, the one that stands for the group first, where there is one.
pub(crate) fn of_network<'a>(name: &str, all: &'a [Firewall]) -> Vec<&'a Firewall> {
    let mut own = of_group(name, all);
    own.sort_by_key(|firewall| firewall.name != name);
    let network = own.first().map(|head| head.network.clone());
    own.retain(|firewall| Some(&firewall.network) == network.as_ref());
    own
}

fn security_group(name: &str, all: &[Firewall], project: &str) -> Option<SecurityGroup> {
    let own = of_network(name, all);
    let head = own.first()?;
    let mut facts = KeyValueList::default();
    facts.add("NetworkTag", name);
    let open = everything_leaves(&own);
    let mut rules = Vec::new();
    for firewall in &own {
        facts.add("FirewallRule", &firewall.name);
        if firewall.name != name || !firewall.allowed.is_empty() {
            read(firewall, open, &mut rules, &mut facts);
        }
    }
    if open && !Rule::let_everything_out(&rules) {
        rules.push(Rule::EVERYTHING_OUT);
    }
    Some(SecurityGroup {
        iid: Iid::new(name, name),
        incarnation: incarnation(name, head).to_owned(),
        network: convert::network_name(&head.network, project),
        rules,
        tags: marks::tags_of(&head.description),
        key_value_list: facts,
    })
}

/// What tells a group from a later one of its name: the number of the firewall rule that stands for it. Empty where none
/// does: other rules that aim at the tag come and go.
///
/// Source: <https://cloud.google.com/compute/docs/reference/rest/v1/firewalls>, `id`
pub(crate) fn incarnation<'a>(name: &str, head: &'a Firewall) -> &'a str {
    if head.name == name { convert::number(&head.id) } else { "" }
}

/// Whether everything may leave: Google says so itself where no rule denies anything, or none before one that lets
/// everything out.
pub(crate) fn everything_leaves(own: &[&Firewall]) -> bool {
    first_denial(own).is_none()
}

/// The denial by which not everything may leave. The lowest priority comes first, and of the same one a denial.
///
/// Source: <https://cloud.google.com/firewall/docs/firewalls#priority_order_for_firewall_rules>
pub(crate) fn first_denial<'a>(own: &[&'a Firewall]) -> Option<&'a Firewall> {
    let says_all = |one: &&&Firewall| Rule::let_everything_out(&said_by(one).0);
    let open_from = own.iter().filter(says_all).map(|one| priority(one)).min();
    let denies = |one: &&&'a Firewall| {
        let denies = !one.disabled && one.direction == "EGRESS" && !one.denied.is_empty();
        denies && open_from.is_none_or(|open| priority(one) <= open)
    };
    own.iter().filter(denies).min_by_key(|one| priority(one)).copied()
}

/// Whether it denies everything that no rule before it lets out, whoever made it.
pub(crate) fn denies_everything(one: &Firewall) -> bool {
    let allowed = Firewall { allowed: one.denied.clone(), denied: Vec::new(), ..one.clone() };
    !one.denied.is_empty() && Rule::let_everything_out(&said_by(&allowed).0)
}

fn priority(firewall: &Firewall) -> u32 {
    firewall.priority.unwrap_or(USUAL_PRIORITY)
}

/// Adds the rules that our words can say, and the others as facts: of denials, tags, service accounts, IPv6, other
/// protocols, and those that are switched off. `open`: everything may leave; else no rule says so.
fn read(firewall: &Firewall, open: bool, rules: &mut Vec<Rule>, facts: &mut KeyValueList) {
    let (mut found, mut whole) = said_by(firewall);
    if !open && Rule::let_everything_out(&found) {
        found.retain(|rule| rule.normal() != Rule::EVERYTHING_OUT);
        whole = false;
    }
    rules.extend(found);
    if !whole {
        facts.add("OtherRule", &firewall.name);
    }
}

/// What a firewall rule lets through in our words, and whether that is all that it does.
pub(crate) fn said_by(firewall: &Firewall) -> (Vec<Rule>, bool) {
    let (direction, ranges) = if firewall.direction == "EGRESS" {
        (Direction::Outbound, &firewall.destination_ranges)
    } else {
        (Direction::Inbound, &firewall.source_ranges)
    };
    if firewall.disabled || !firewall.denied.is_empty() || !firewall.source_tags.is_empty() {
        return (Vec::new(), false);
    }
    let mut found = Vec::new();
    let mut whole = !ranges.is_empty();
    for range in ranges {
        let Ok(cidr) = range.parse::<Cidr>() else {
            whole = false;
            continue;
        };
        for traffic in &firewall.allowed {
            match shapes(traffic) {
                Some(shapes) => found.extend(shapes.into_iter().map(|(protocol, from_port, to_port)| Rule {
                    direction,
                    protocol,
                    from_port,
                    to_port,
                    cidr,
                })),
                None => whole = false,
            }
        }
    }
    (found, whole)
}

type Shape = (Protocol, Option<u16>, Option<u16>);

fn shapes(traffic: &Traffic) -> Option<Vec<Shape>> {
    let protocol = match traffic.protocol.as_str() {
        "tcp" | "6" => Protocol::Tcp,
        "udp" | "17" => Protocol::Udp,
        "icmp" | "1" => return Some(vec![(Protocol::Icmp, None, None)]),
        "all" => return Some(vec![(Protocol::All, None, None)]),
        _ => return None,
    };
    if traffic.ports.is_empty() {
        return Some(vec![(protocol, Some(0), Some(u16::MAX))]);
    }
    let port = |text: &String| {
        let (from, to) = text.split_once('-').unwrap_or((text, text));
        Some((protocol, Some(from.parse().ok()?), Some(to.parse().ok()?)))
    };
    traffic.ports.iter().map(port).collect()
}

/// The firewall rules that a group is made of, by name: the group itself, then one for each rule.
pub(crate) fn firewalls(name: &str, network: &str, rules: &[Rule], marks: &Marks) -> Vec<Firewall> {
    let base = || base(name, network, marks);
    let head = head(name, Rule::let_everything_out(rules), base());
    let each =
        rules.iter().enumerate().map(|(index, rule)| of_rule(rule, rule_name(name, index, marks), base()));
    [head].into_iter().chain(each).collect()
}

/// The firewall rule that stands for a group; what they have in common is in `base`.
pub(crate) fn head(name: &str, disabled: bool, base: Firewall) -> Firewall {
    Firewall { disabled, ..denial(name.to_owned(), base) }
}

/// A firewall rule that denies what no other lets out.
pub(crate) fn denial(name: String, base: Firewall) -> Firewall {
    Firewall {
        name,
        direction: "EGRESS".to_owned(),
        priority: Some(LAST_PRIORITY),
        denied: vec![Traffic { protocol: "all".to_owned(), ports: Vec::new() }],
        destination_ranges: vec![Cidr::ALL.to_string()],
        ..base
    }
}

/// What the firewall rule of a group's rule is called.
pub(crate) fn rule_name(group: &str, index: usize, marks: &Marks) -> String {
    format!("{group}-{index:02}-{}", marks.suffix())
}

/// The firewall rule of that name for one of a group's rules; what they have in common is in `base`.
pub(crate) fn of_rule(rule: &Rule, name: String, base: Firewall) -> Firewall {
    let ranges = vec![rule.cidr.to_string()];
    let (direction, source_ranges, destination_ranges) = match rule.direction {
        Direction::Inbound => ("INGRESS", ranges, Vec::new()),
        Direction::Outbound => ("EGRESS", Vec::new(), ranges),
    };
    Firewall {
        name,
        direction: direction.to_owned(),
        allowed: vec![traffic(rule)],
        source_ranges,
        destination_ranges,
        ..base
    }
}

/// What all firewall rules of a group have in common.
pub(crate) fn base(name: &str, network: &str, marks: &Marks) -> Firewall {
    Firewall {
        description: marks::describe(marks),
        network: network.to_owned(),
        target_tags: vec![name.to_owned()],
        ..Firewall::default()
    }
}

fn traffic(rule: &Rule) -> Traffic {
    let protocol = match rule.protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
        Protocol::Icmp => "icmp",
        Protocol::All => "all",
    };
    let ports = rule.from_port.map(|from| match rule.to_port {
        Some(to) if to != from => format!("{from}-{to}"),
        _ => from.to_string(),
    });
    Traffic { protocol: protocol.to_owned(), ports: ports.into_iter().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(direction: Direction, protocol: Protocol, ports: Option<(u16, u16)>) -> Rule {
        let (from_port, to_port) = (ports.map(|ports| ports.0), ports.map(|ports| ports.1));
        Rule { direction, protocol, from_port, to_port, cidr: "10.0.0.0/8".parse().unwrap() }
    }

    fn marks() -> Marks {
        Marks { installation: "i".into(), operation: "o".into(), uid: "u".into() }
    }

    const NETWORK: &str = "projects/p/global/networks/net";

    #[test]
    fn a_group_comes_back_as_it_was_made() {
        let rules = vec![
            rule(Direction::Inbound, Protocol::Tcp, Some((22, 22))),
            rule(Direction::Inbound, Protocol::Udp, Some((53, 54))),
            rule(Direction::Inbound, Protocol::Icmp, None),
            Rule::EVERYTHING_OUT,
        ];
        let made = firewalls("web", NETWORK, &rules, &marks());
        assert_eq!(made.len(), 5);
        let longest = firewalls(&"a".repeat(50), NETWORK, &rules, &marks());
        assert!(longest.iter().all(|firewall| firewall.name.len() <= 63));
        let found = security_group("web", &made, "p").unwrap();
        assert_eq!(found.rules, rules);
        assert_eq!((found.iid, found.network.as_str()), (Iid::new("web", "web"), "net"));
        assert_eq!(found.tags.get("pmks-uid").map(String::as_str), Some("u"));
        assert_eq!(found.key_value_list.get("OtherRule"), None);
        assert!(security_group("db", &made, "p").is_none());
    }

    #[test]
    fn a_group_is_told_by_the_rule_that_stands_for_it() {
        let mut made = firewalls("web", NETWORK, &[rule(Direction::Inbound, Protocol::Icmp, None)], &marks());
        for (firewall, id) in made.iter_mut().zip(["7", "8"]) {
            id.clone_into(&mut firewall.id);
        }
        let told = |all: &[Firewall]| security_group("web", all, "p").unwrap().incarnation;
        assert_eq!(told(&made), "7");
        assert_eq!(told(&made[1..]), "", "the others come and go");
    }

    #[test]
    fn the_group_denies_what_no_rule_lets_out_unless_everything_may_leave() {
        let head = |rules: &[Rule]| firewalls("web", NETWORK, rules, &marks()).remove(0);
        let https = rule(Direction::Outbound, Protocol::Tcp, Some((443, 443)));
        for closed in [vec![], vec![rule(Direction::Inbound, Protocol::All, None)], vec![https.clone()]] {
            let out = head(&closed);
            assert!(!out.disabled && out.allowed.is_empty() && out.priority == Some(65_534), "{closed:?}");
        }
        assert!(head(&[https, Rule::EVERYTHING_OUT]).disabled);
    }

    #[test]
    fn that_everything_may_leave_is_a_rule_exactly_if_it_is_so() {
        let https = rule(Direction::Outbound, Protocol::Tcp, Some((443, 443)));
        let all = vec![Rule::EVERYTHING_OUT];
        let said = |all: &[Firewall]| {
            let found = security_group("web", all, "p").unwrap();
            let others = found.key_value_list.0.iter().filter(|fact| fact.key == "OtherRule").count();
            (found.rules, others)
        };
        assert_eq!(said(&firewalls("web", NETWORK, &all, &marks())), (all.clone(), 0));
        assert_eq!(said(&firewalls("web", NETWORK, &[], &marks())), (Vec::new(), 0));
        let mut made = firewalls("web", NETWORK, std::slice::from_ref(&https), &marks());
        assert_eq!(said(&made), (vec![https.clone()], 0));
        // Switched off, or gone: Google's own rule holds.
        made[0].disabled = true;
        assert_eq!(said(&made), (vec![https.clone(), Rule::EVERYTHING_OUT], 0));
        assert_eq!(said(&made[1..]), (vec![https.clone(), Rule::EVERYTHING_OUT], 0));
        // A group of CB-Spider's is open until its allowance is removed.
        let base = || base("web", NETWORK, &marks());
        let mut denies = Firewall { priority: Some(65_535), ..denial("web-o-001".into(), base()) };
        let mut allows = of_rule(&Rule::EVERYTHING_OUT, "web-o-002".into(), base());
        allows.priority = Some(1000);
        assert_eq!(said(&[denies.clone(), allows.clone()]), (all, 1));
        let only_https = of_rule(&https, "web-o-003".into(), base());
        assert_eq!(said(&[denies.clone(), only_https]), (vec![https], 1));
        // Of the same priority a denial comes first.
        denies.priority = None;
        assert_eq!(said(&[denies, allows]), (Vec::new(), 2));
    }

    #[test]
    fn what_we_cannot_say_is_a_fact() {
        let strange = Firewall {
            name: "legacy".into(),
            network: NETWORK.into(),
            target_tags: vec!["web".into()],
            allowed: vec![
                Traffic { protocol: "esp".into(), ports: vec![] },
                Traffic { protocol: "tcp".into(), ports: vec![] },
            ],
            source_ranges: vec!["10.0.0.0/8".into()],
            ..Firewall::default()
        };
        let off = Firewall { name: "off".into(), disabled: true, ..strange.clone() };
        let found = security_group("web", &[strange, off], "p").unwrap();
        let every_port = rule(Direction::Inbound, Protocol::Tcp, Some((0, u16::MAX)));
        assert_eq!(found.rules, [every_port, Rule::EVERYTHING_OUT]);
        let aimed_nowhere = Firewall { name: "everybody".into(), ..Firewall::default() };
        let both = Firewall { target_tags: vec!["web".into(), "db".into()], ..aimed_nowhere.clone() };
        assert_eq!(names(&[aimed_nowhere, both]), ["db", "web"].into());
        let others: Vec<&str> = found
            .key_value_list
            .0
            .iter()
            .filter(|fact| fact.key == "OtherRule")
            .map(|fact| fact.value.as_str())
            .collect();
        assert_eq!(others, ["legacy", "off"]);
    }
}
