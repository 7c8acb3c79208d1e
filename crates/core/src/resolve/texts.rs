//! From the texts of a request to the model's types, everything wrong found together. Asks nothing and nobody.

use std::str::FromStr;

use pmks_model::{
    Cidr, Direction, Findings, Iid, NetworkRequest, NodeGroupRequest, Protocol, Rule, Scaling, SubnetRequest,
    VersionRequest,
};

use crate::{NewNetwork, NewNodeGroup, NewRule, NewSubnet};

/// A version, or the default where the text is none.
pub(crate) fn version(field: &str, text: &str, findings: &mut Findings) -> VersionRequest {
    VersionRequest::from_str(text).unwrap_or_else(|error| {
        findings.add(field, error.to_string());
        VersionRequest::Default
    })
}

/// A block of addresses, or `otherwise` where the text is none.
fn cidr(field: &str, text: &str, otherwise: Cidr, findings: &mut Findings) -> Cidr {
    Cidr::from_str(text).unwrap_or_else(|says| {
        findings.add(field, says);
        otherwise
    })
}

/// A network with its subnets. Where networks have no addresses of their own (`addressed`), none need be given.
pub(crate) fn network(asked: &NewNetwork, addressed: bool, findings: &mut Findings) -> NetworkRequest {
    let unbounded = asked.cidr.is_empty() && !addressed;
    NetworkRequest {
        name: asked.name.clone(),
        cidr: if unbounded { Cidr::ALL } else { cidr("cidr", &asked.cidr, Cidr::ALL, findings) },
        subnets: asked
            .subnets
            .iter()
            .enumerate()
            .map(|(index, asked)| subnet(&format!("subnets[{index}]."), index, asked, findings))
            .collect(),
        tags: asked.tags.clone(),
    }
}

/// A subnet. One that cannot be read gets an address of its own, so that it overlaps no other.
pub(crate) fn subnet(
    prefix: &str,
    index: usize,
    asked: &NewSubnet,
    findings: &mut Findings,
) -> SubnetRequest {
    let nowhere = Cidr::from_str(&format!("255.255.255.{}/32", index % 256)).unwrap_or(Cidr::ALL);
    SubnetRequest {
        name: asked.name.clone(),
        cidr: cidr(&format!("{prefix}cidr"), &asked.cidr, nowhere, findings),
        zone: asked.zone.clone(),
        tags: asked.tags.clone(),
    }
}

/// A rule of a security group.
pub(crate) fn rule(field: &str, asked: &NewRule, findings: &mut Findings) -> Rule {
    let direction = match asked.direction.as_str() {
        "inbound" => Direction::Inbound,
        "outbound" => Direction::Outbound,
        _ => {
            findings.add(format!("{field}.direction"), "must be inbound or outbound");
            Direction::Inbound
        }
    };
    let protocol = match asked.protocol.as_str() {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        "icmp" => Protocol::Icmp,
        "all" => Protocol::All,
        _ => {
            findings.add(format!("{field}.protocol"), "must be tcp, udp, icmp or all");
            // Ports are right or wrong by protocol; this one takes the ports as they were given.
            if asked.from_port.is_some() { Protocol::Tcp } else { Protocol::All }
        }
    };
    let to_port = port(&format!("{field}.toPort"), asked.to_port, None, findings);
    // One that cannot be is not found wrong beside the other too.
    let from_port = port(&format!("{field}.fromPort"), asked.from_port, to_port.or(Some(0)), findings);
    Rule {
        direction,
        protocol,
        from_port,
        to_port,
        cidr: cidr(&format!("{field}.cidr"), &asked.cidr, Cidr::ALL, findings),
    }
}

/// A port, or what takes its place where there is none of that number.
fn port(field: &str, asked: Option<i64>, otherwise: Option<u16>, findings: &mut Findings) -> Option<u16> {
    u16::try_from(asked?).map_or_else(
        |_| {
            findings.add(field, "must be from 0 to 65535");
            otherwise
        },
        Some,
    )
}

/// A rule as it is shown.
pub(crate) fn rule_text(rule: &Rule) -> NewRule {
    let direction = match rule.direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
    };
    let protocol = match rule.protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
        Protocol::Icmp => "icmp",
        Protocol::All => "all",
    };
    NewRule {
        direction: direction.to_owned(),
        protocol: protocol.to_owned(),
        from_port: rule.from_port.map(i64::from),
        to_port: rule.to_port.map(i64::from),
        cidr: rule.cidr.to_string(),
    }
}

/// A node group, its key pair already looked up.
pub(crate) fn node_group(
    prefix: &str,
    asked: &NewNodeGroup,
    key_pair: Option<Iid>,
    findings: &mut Findings,
) -> NodeGroupRequest {
    NodeGroupRequest {
        name: asked.name.clone(),
        version: version(&format!("{prefix}version"), &asked.version, findings),
        machine_type: asked.machine_type.clone(),
        image: asked.image.clone(),
        root_disk_type: asked.root_disk_type.clone(),
        root_disk_size_gib: asked.root_disk_size_gib,
        key_pair,
        scaling: asked.scaling.unwrap_or_else(|| Scaling::fixed(1)),
        any_size: asked.scaling.is_none(),
    }
}

/// Adds what is wrong in fields of which nothing was said yet: a placeholder must not be found wrong too.
pub(crate) fn add_unsaid(findings: &mut Findings, more: &Findings) {
    let said: Vec<String> = findings.iter().map(|finding| finding.field.clone()).collect();
    for finding in more.iter().filter(|finding| !said.contains(&finding.field)) {
        findings.push(finding.clone());
    }
}

/// What lies in a network: of a network that is not there nobody can say what does.
const IN_NETWORK: [&str; 2] = ["subnets", "securityGroups"];

/// Adds what is wrong in fields that have nothing to do with any of which something was said: it may be so only
/// because of what was wrong there.
pub(crate) fn add_apart(findings: &mut Findings, more: &Findings) {
    let nowhere = findings.iter().any(|known| known.field == "network");
    let hangs = |field: &str| nowhere && IN_NETWORK.iter().any(|part| is_within(field, part));
    let mut apart = apart_from(findings, more);
    apart.retain(|finding| !finding.field.is_empty() && !hangs(&finding.field));
    findings.extend(apart);
}

/// What is said of fields that are neither a part nor the whole of one of which something is said already.
pub(crate) fn apart_from(said: &Findings, more: &Findings) -> Findings {
    let touches = |field: &str| {
        said.iter().any(|known| is_within(field, &known.field) || is_within(&known.field, field))
    };
    let mut apart = more.clone();
    apart.retain(|finding| !touches(&finding.field));
    apart
}

fn is_within(part: &str, whole: &str) -> bool {
    part.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(findings: &Findings) -> Vec<&str> {
        findings.iter().map(|finding| finding.field.as_str()).collect()
    }

    #[test]
    fn every_wrong_text_is_found_once() {
        let asked = NewNetwork {
            name: "n".into(),
            cidr: "10.0.0.1/16".into(),
            subnets: vec![
                NewSubnet { name: "a".into(), cidr: "x".into(), ..NewSubnet::default() },
                NewSubnet { name: "b".into(), cidr: "10.0.1.0/24".into(), ..NewSubnet::default() },
                NewSubnet { name: "c".into(), cidr: "y".into(), ..NewSubnet::default() },
            ],
            ..NewNetwork::default()
        };
        let mut findings = Findings::default();
        let request = network(&asked, true, &mut findings);
        let mut rules = Findings::default();
        request.validate(&mut rules);
        add_unsaid(&mut findings, &rules);
        assert_eq!(fields(&findings), ["cidr", "subnets[0].cidr", "subnets[2].cidr"]);
    }

    #[test]
    fn addresses_may_be_left_out_where_a_network_has_none() {
        let of = |cidr: &str, addressed| {
            let mut findings = Findings::default();
            let asked = NewNetwork { name: "n".into(), cidr: cidr.into(), ..NewNetwork::default() };
            let block = network(&asked, addressed, &mut findings).cidr;
            (block, fields(&findings).len())
        };
        assert_eq!(of("", false), (Cidr::ALL, 0));
        assert_eq!(of("10.0.0.0/16", false), ("10.0.0.0/16".parse().unwrap(), 0));
        assert_eq!((of("", true).1, of("x", false).1), (1, 1));
    }

    #[test]
    fn what_may_follow_from_a_wrong_field_is_not_said() {
        let findings = |fields: &[&str]| {
            let mut findings = Findings::default();
            for field in fields {
                findings.add(*field, "is wrong");
            }
            findings
        };
        let mut said = findings(&["subnets[1]", "nodeGroups[0].image", "name"]);
        let more =
            ["", "subnets", "subnets[1]", "nodeGroups[0].imageSize", "nodeGroups", "name.x", "version"];
        add_apart(&mut said, &findings(&more));
        let all = ["subnets[1]", "nodeGroups[0].image", "name", "nodeGroups[0].imageSize", "version"];
        assert_eq!(fields(&said), all);
        let mut said = findings(&["network"]);
        add_apart(&mut said, &findings(&["subnets", "securityGroups[0]", "version"]));
        assert_eq!(fields(&said), ["network", "version"]);
    }

    #[test]
    fn rules_come_back_as_they_were_written() {
        let text = |direction: &str, protocol: &str, from_port| NewRule {
            direction: direction.into(),
            protocol: protocol.into(),
            from_port,
            to_port: None,
            cidr: "10.0.0.0/8".into(),
        };
        for asked in
            [text("inbound", "tcp", Some(22)), text("outbound", "all", None), text("inbound", "icmp", None)]
        {
            let mut findings = Findings::default();
            assert_eq!(rule_text(&rule("rules[0]", &asked, &mut findings)), asked);
            assert!(findings.is_empty());
        }
        let mut findings = Findings::default();
        let wrong = NewRule { cidr: "all".into(), ..text("in", "TCP", None) };
        rule("rules[0]", &wrong, &mut findings);
        assert_eq!(fields(&findings), ["rules[0].direction", "rules[0].protocol", "rules[0].cidr"]);
    }

    #[test]
    fn a_port_that_no_port_has_is_found_by_its_field() {
        let asked = |from, to| NewRule {
            direction: "inbound".into(),
            protocol: "tcp".into(),
            from_port: from,
            to_port: to,
            cidr: "10.0.0.0/8".into(),
        };
        let network = Iid::new("n", "n");
        for (from, to, wrong) in [
            (Some(0), Some(65535), vec![]),
            (Some(65536), Some(80), vec!["rules[0].fromPort"]),
            (Some(70000), None, vec!["rules[0].fromPort"]),
            (Some(80), Some(-1), vec!["rules[0].toPort"]),
            (Some(i64::MAX), Some(i64::MIN), vec!["rules[0].toPort", "rules[0].fromPort"]),
        ] {
            let mut findings = Findings::default();
            let rules = vec![rule("rules[0]", &asked(from, to), &mut findings)];
            let request = pmks_model::SecurityGroupRequest {
                name: "g".into(),
                network: network.clone(),
                rules,
                tags: pmks_model::Tags::new(),
            };
            request.validate(&mut findings);
            assert_eq!(fields(&findings), wrong, "{from:?} {to:?}");
        }
    }
}
