//! One thing that a security group lets through, and how rules are compared. Pure.

use serde::{Deserialize, Serialize};

use crate::Cidr;

/// One thing that a security group lets through.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// Into the machines or out of them.
    pub direction: Direction,
    /// What is let through.
    pub protocol: Protocol,
    /// The first port; absent for `icmp` and `all`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_port: Option<u16>,
    /// The last port; absent: the same as the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_port: Option<u16>,
    /// The other side's addresses.
    pub cidr: Cidr,
}

impl Rule {
    /// Everything may leave, wherever to. A group's rules hold it exactly if that is so.
    pub const EVERYTHING_OUT: Self = Self {
        direction: Direction::Outbound,
        protocol: Protocol::All,
        from_port: None,
        to_port: None,
        cidr: Cidr::ALL,
    };

    /// Whether rules let everything out by one that says so.
    pub fn let_everything_out(rules: &[Self]) -> bool {
        Self::EVERYTHING_OUT.is_among(rules)
    }

    /// The same in one form, so that rules can be compared: the last port is always said, and only where ports are.
    #[must_use]
    pub fn normal(&self) -> Self {
        match self.protocol {
            Protocol::Tcp | Protocol::Udp => {
                Self { to_port: self.to_port.or(self.from_port), ..self.clone() }
            }
            Protocol::Icmp | Protocol::All => Self { from_port: None, to_port: None, ..self.clone() },
        }
    }

    /// Whether it lets through all that the other does: itself too.
    pub fn covers(&self, other: &Self) -> bool {
        let (own, other) = (self.normal(), other.normal());
        let every_port = own.protocol == Protocol::All || own.from_port.is_none();
        let ports = every_port
            || (other.from_port.is_some()
                && own.from_port <= other.from_port
                && own.to_port >= other.to_port);
        own.direction == other.direction
            && (own.protocol == Protocol::All || own.protocol == other.protocol)
            && ports
            && own.cidr.contains(other.cidr)
    }

    /// Whether the two let through something in common.
    pub fn overlaps(&self, other: &Self) -> bool {
        let every = self.protocol == Protocol::All || other.protocol == Protocol::All;
        let ((first, last), (other_first, other_last)) = (self.ports(), other.ports());
        self.direction == other.direction
            && (every || self.protocol == other.protocol)
            && (every || (first <= other_last && other_first <= last))
            && self.cidr.overlaps(other.cidr)
    }

    /// The first and the last port; all of them where none are told.
    fn ports(&self) -> (u16, u16) {
        match (self.protocol, self.from_port) {
            (Protocol::Tcp | Protocol::Udp, Some(from)) => (from, self.to_port.unwrap_or(from)),
            _ => (0, u16::MAX),
        }
    }

    /// The same, of port 0 too where it is of every port that can be used: nothing is sent to that one.
    ///
    /// Source: <https://www.rfc-editor.org/rfc/rfc6335#section-6>
    fn with_port_zero(&self) -> Self {
        let rule = self.normal();
        match (rule.from_port, rule.to_port) {
            (Some(1), Some(u16::MAX)) => Self { from_port: Some(0), ..rule },
            _ => rule,
        }
    }

    /// Those of these rules that are it: what says the same, else several that together let through exactly what it does.
    /// None where there is no such rule.
    pub fn made_of<'a>(&self, rules: &'a [Self]) -> Vec<&'a Self> {
        let own = self.with_port_zero();
        let same: Vec<&Self> = rules.iter().filter(|rule| rule.with_port_zero() == own).collect();
        if !same.is_empty() {
            return same;
        }
        let is_part = |rule: &&Self| rule.protocol == self.protocol && self.covers(rule);
        let parts: Vec<&Self> = rules.iter().filter(is_part).collect();
        if self.is_covered(&parts) { parts } else { Vec::new() }
    }

    /// Whether these, of its own direction and protocol, together let through all that it does.
    fn is_covered(&self, parts: &[&Self]) -> bool {
        let (first, last) = self.ports();
        let mut port = u32::from(first);
        while port <= u32::from(last) {
            let has = |part: &&&Self| {
                let (first, last) = part.ports();
                (u32::from(first)..=u32::from(last)).contains(&port)
            };
            let here: Vec<Cidr> = parts.iter().filter(has).map(|part| part.cidr).collect();
            if !self.cidr.is_within(&here) {
                return false;
            }
            // What holds at this port holds up to where a part ends or another one begins.
            let turns = parts.iter().flat_map(|part| {
                let (first, last) = part.ports();
                [u32::from(first), u32::from(last) + 1]
            });
            let next = turns.filter(|turn| *turn > port).min();
            port = next.unwrap_or(u32::from(last) + 1);
        }
        true
    }

    /// Whether it is among these, in whatever form.
    pub fn is_among(&self, rules: &[Self]) -> bool {
        let normal = self.normal();
        rules.iter().any(|rule| rule.normal() == normal)
    }
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (way, protocol) = match (self.direction, self.protocol) {
            (Direction::Inbound, protocol) => ("inbound from", protocol),
            (Direction::Outbound, protocol) => ("outbound to", protocol),
        };
        let protocol = match protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Icmp => "icmp",
            Protocol::All => "all",
        };
        write!(f, "{protocol} {way} {}", self.cidr)?;
        match (self.from_port, self.to_port.or(self.from_port)) {
            (Some(from), Some(to)) if from != to => write!(f, ", ports {from} to {to}"),
            (Some(from), _) => write!(f, ", port {from}"),
            (None, _) => Ok(()),
        }
    }
}

/// Which way a rule lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Into the machines.
    Inbound,
    /// Out of the machines.
    Outbound,
}

/// What a rule lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP, from port to port.
    Tcp,
    /// UDP, from port to port.
    Udp,
    /// ICMP of every type.
    Icmp,
    /// Everything.
    All,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(protocol: Protocol, from_port: Option<u16>, to_port: Option<u16>, cidr: &str) -> Rule {
        let cidr = cidr.parse().unwrap();
        Rule { direction: Direction::Inbound, protocol, from_port, to_port, cidr }
    }

    fn tcp(from: u16, to: u16, cidr: &str) -> Rule {
        rule(Protocol::Tcp, Some(from), Some(to), cidr)
    }

    #[test]
    fn rules_are_the_same_in_whatever_form() {
        let rule = |protocol, from, to| rule(protocol, from, to, "10.0.0.0/8");
        let one = rule(Protocol::Tcp, Some(22), None);
        assert!(
            one.is_among(&[rule(Protocol::Udp, Some(22), None), rule(Protocol::Tcp, Some(22), Some(22))])
        );
        assert!(!one.is_among(&[rule(Protocol::Tcp, Some(22), Some(23)), rule(Protocol::All, None, None)]));
        assert!(rule(Protocol::Icmp, Some(0), None).is_among(&[rule(Protocol::Icmp, None, None)]));
        assert_eq!(one.to_string(), "tcp inbound from 10.0.0.0/8, port 22");
        assert_eq!(
            rule(Protocol::Udp, Some(1), Some(9)).to_string(),
            "udp inbound from 10.0.0.0/8, ports 1 to 9"
        );
    }

    #[test]
    fn a_rule_is_one_that_says_the_same_or_several_that_together_do() {
        const HALVES: [&str; 2] = ["10.0.0.0/9", "10.128.0.0/9"];
        let all = "10.0.0.0/8";
        let made = |rule: &Rule, of: &[Rule]| rule.made_of(of).len();
        let wanted = tcp(100, 200, all);
        assert_eq!(made(&wanted, &[tcp(1, 2, all), wanted.clone(), tcp(100, 150, all)]), 1);
        assert_eq!(made(&wanted, &[tcp(151, 200, all), tcp(100, 150, all), tcp(201, 300, all)]), 2);
        let quarters: Vec<Rule> =
            HALVES.iter().flat_map(|half| [tcp(100, 150, half), tcp(140, 200, half)]).collect();
        assert_eq!(made(&wanted, &quarters), 4);
        for none in [
            vec![],
            // One that is narrower, one that is wider, a hole at a port, one in the addresses.
            vec![tcp(100, 199, all)],
            vec![tcp(100, 250, all)],
            vec![tcp(100, 149, all), tcp(151, 200, all)],
            quarters.get(..3).unwrap().to_vec(),
            vec![tcp(100, 200, "10.0.0.0/9"), tcp(100, 200, "10.192.0.0/10")],
        ] {
            assert_eq!(made(&wanted, &none), 0, "{none:?}");
        }
        let outbound = Rule { direction: Direction::Outbound, ..wanted.clone() };
        assert_eq!(made(&wanted, &[outbound]), 0);
        let everything = rule(Protocol::All, None, None, "0.0.0.0/0");
        let parts = [tcp(0, u16::MAX, "0.0.0.0/0"), rule(Protocol::Icmp, None, None, "0.0.0.0/0")];
        assert_eq!(made(&everything, &parts), 0, "there are other protocols");
        let halves = ["0.0.0.0/1", "128.0.0.0/1"].map(|half| rule(Protocol::All, None, None, half));
        assert_eq!(made(&everything, &halves), 2);
        let every_port = rule(Protocol::Tcp, Some(0), Some(u16::MAX), all);
        assert_eq!(made(&every_port, &[tcp(0, 9, all), tcp(10, u16::MAX, all)]), 2);
        // Whether port 0 is named with all the others or not, nothing is sent there.
        let usable = tcp(1, u16::MAX, all);
        for (wanted, has) in [(&every_port, &usable), (&usable, &every_port)] {
            assert_eq!(wanted.made_of(&[tcp(1, 9, all), has.clone()]), [has]);
        }
        assert_eq!(made(&every_port, &[usable.clone(), every_port.clone()]), 2);
        assert_eq!(made(&tcp(0, 9, all), &[tcp(1, 9, all)]), 0);
        let one = tcp(1, 1, "10.0.0.1/32");
        assert_eq!(made(&one, &[tcp(1, 1, "10.0.0.2/32")]), 0);
    }

    #[test]
    fn what_two_rules_have_in_common() {
        let wanted = tcp(100, 200, "10.0.0.0/8");
        for (other, common) in [
            (tcp(200, 300, "10.1.0.0/16"), true),
            (tcp(201, 300, "10.1.0.0/16"), false),
            (tcp(100, 200, "11.0.0.0/8"), false),
            (rule(Protocol::Udp, Some(100), Some(200), "10.0.0.0/8"), false),
            (rule(Protocol::All, None, None, "0.0.0.0/0"), true),
            (Rule { direction: Direction::Outbound, ..wanted.clone() }, false),
        ] {
            assert_eq!((wanted.overlaps(&other), other.overlaps(&wanted)), (common, common), "{other}");
        }
    }
}
