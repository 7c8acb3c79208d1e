//! What a user may ask for. References are still names here; a driver gets them with the cloud's identifiers.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::{Cidr, Findings, Iid, Protocol, Rule, Scaling, VersionRequest, refusal_of_reference};

/// Tags: key to value, ordered by key.
pub type Tags = BTreeMap<String, String>;

/// A cluster that is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterRequest {
    /// What it is to be called at the cloud.
    pub name: String,
    /// The wanted version.
    #[serde(default)]
    pub version: VersionRequest,
    /// The network to live in.
    pub network: Iid,
    /// Its subnets.
    pub subnets: Vec<Iid>,
    /// Its security groups.
    #[serde(default)]
    pub security_groups: Vec<Iid>,
    /// The node groups to begin with.
    #[serde(default)]
    pub node_groups: Vec<NodeGroupRequest>,
    /// The user's tags.
    #[serde(default)]
    pub tags: Tags,
    /// The provider's own options, as its capabilities describe them.
    #[serde(default)]
    pub options: BTreeMap<String, serde_json::Value>,
}

/// A node group that is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeGroupRequest {
    /// What it is to be called at the cloud.
    pub name: String,
    /// The wanted version; `Default` follows the cluster.
    #[serde(default)]
    pub version: VersionRequest,
    /// The machine type; empty: the provider's default.
    #[serde(default)]
    pub machine_type: String,
    /// The image; empty or `default`: the provider's default.
    #[serde(default)]
    pub image: String,
    /// The root disk's type; empty or `default`: the cloud's default.
    #[serde(default)]
    pub root_disk_type: String,
    /// The root disk's size in GiB; `None`: the cloud's default.
    #[serde(default)]
    pub root_disk_size_gib: Option<u32>,
    /// The key pair for the nodes, if any.
    #[serde(default)]
    pub key_pair: Option<Iid>,
    /// Limits and size.
    pub scaling: Scaling,
    /// Whether nobody said a size: `scaling` is one node then, and where a cloud counts nodes by zone, one in each.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub any_size: bool,
}

/// A rise of versions that is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpgradeRequest {
    /// The wanted version, a floor.
    #[serde(default)]
    pub version: VersionRequest,
    /// Which node groups go along.
    #[serde(default)]
    pub node_groups: UpgradeTargets,
    /// Goes on where the cloud warns (blocking insights, disruption budgets).
    #[serde(default)]
    pub force: bool,
}

/// Which node groups an upgrade takes along.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UpgradeTargets {
    /// All of the cluster.
    #[default]
    All,
    /// None: the control plane alone.
    None,
    /// These.
    Named(Vec<String>),
}

/// A network that is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NetworkRequest {
    /// What it is to be called at the cloud.
    pub name: String,
    /// Its addresses; all that there are where none were named, at clouds whose networks have none of their own.
    pub cidr: Cidr,
    /// Its subnets to begin with.
    #[serde(default)]
    pub subnets: Vec<SubnetRequest>,
    /// The user's tags.
    #[serde(default)]
    pub tags: Tags,
}

/// A subnet that is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SubnetRequest {
    /// What it is to be called at the cloud.
    pub name: String,
    /// Its addresses, within the network's.
    pub cidr: Cidr,
    /// Its zone; empty: chosen by the driver, the connection's zone first.
    #[serde(default)]
    pub zone: String,
    /// The user's tags.
    #[serde(default)]
    pub tags: Tags,
}

/// A security group that is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecurityGroupRequest {
    /// What it is to be called at the cloud.
    pub name: String,
    /// The network it belongs to.
    pub network: Iid,
    /// What it lets through, and nothing else: everything may leave only where [`Rule::EVERYTHING_OUT`] is among them.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// The user's tags.
    #[serde(default)]
    pub tags: Tags,
}

/// A key pair whose public half a cloud is to get.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyPairRequest {
    /// What it is to be called at the cloud.
    pub name: String,
    /// The public half in OpenSSH's form: `ssh-rsa AAAA… comment`.
    pub public_key: String,
    /// The user's tags.
    #[serde(default)]
    pub tags: Tags,
}

impl ClusterRequest {
    /// Everything that is wrong with it on any cloud.
    pub fn validate(&self, findings: &mut Findings) {
        for (field, named) in [("subnets", &self.subnets), ("securityGroups", &self.security_groups)] {
            let texts = || named.iter().map(|iid| iid.name_id.as_str());
            for (index, text) in texts().enumerate() {
                findings.add_some(format!("{field}[{index}]"), refusal_of_reference(text).map(str::to_owned));
            }
            distinct(texts(), |index| format!("{field}[{index}]"), findings);
        }
        let names = self.node_groups.iter().map(|group| group.name.as_str());
        distinct(names, |index| format!("nodeGroups[{index}].name"), findings);
        for (index, group) in self.node_groups.iter().enumerate() {
            group.validate(&format!("nodeGroups[{index}]."), findings);
        }
        validate_tags("", &self.tags, findings);
    }
}

impl NodeGroupRequest {
    /// Everything that is wrong with it on any cloud; `prefix` stands before each field (`nodeGroups[0].`).
    pub fn validate(&self, prefix: &str, findings: &mut Findings) {
        self.scaling.validate(&format!("{prefix}scaling"), findings);
        if self.root_disk_size_gib == Some(0) {
            findings.add(
                format!("{prefix}rootDiskSizeGib"),
                "must be at least 1; leave it out for the cloud's default",
            );
        }
    }
}

impl NetworkRequest {
    /// Everything that is wrong with it on any cloud.
    pub fn validate(&self, findings: &mut Findings) {
        let names = self.subnets.iter().map(|subnet| subnet.name.as_str());
        distinct(names, |index| format!("subnets[{index}].name"), findings);
        for (index, subnet) in self.subnets.iter().enumerate() {
            let field = format!("subnets[{index}].cidr");
            if !self.cidr.contains(subnet.cidr) {
                findings.add(&field, format!("must lie within the network's {}", self.cidr));
            }
            subnet.validate(&format!("subnets[{index}]."), findings);
            let before = self.subnets.iter().take(index);
            if let Some(other) = before.into_iter().find(|other| other.cidr.overlaps(subnet.cidr)) {
                findings.add(field, format!("overlaps subnet {:?} ({})", other.name, other.cidr));
            }
        }
        validate_tags("", &self.tags, findings);
    }
}

impl SubnetRequest {
    /// Everything that is wrong with it by itself on any cloud; `prefix` stands before each field (`subnets[0].`).
    pub fn validate(&self, prefix: &str, findings: &mut Findings) {
        validate_tags(prefix, &self.tags, findings);
    }
}

impl SecurityGroupRequest {
    /// Everything that is wrong with it on any cloud.
    pub fn validate(&self, findings: &mut Findings) {
        Rule::validate_all("rules", &self.rules, findings);
        validate_tags("", &self.tags, findings);
    }
}

impl Rule {
    /// Everything that is wrong with a list of rules on any cloud.
    pub fn validate_all(field: &str, rules: &[Self], findings: &mut Findings) {
        let mut seen = HashSet::new();
        for (index, rule) in rules.iter().enumerate() {
            let field = format!("{field}[{index}]");
            rule.validate(&field, findings);
            if !seen.insert(rule.normal()) {
                findings.add(field, "is given twice");
            }
        }
    }

    fn validate(&self, field: &str, findings: &mut Findings) {
        let ported = matches!(self.protocol, Protocol::Tcp | Protocol::Udp);
        match (ported, self.from_port, self.to_port) {
            (true, None, _) => findings.add(format!("{field}.fromPort"), "is required for tcp and udp"),
            (true, Some(from), Some(to)) if to < from => {
                findings.add(format!("{field}.toPort"), format!("must not be below the first port ({from})"));
            }
            (false, None, None) | (true, Some(_), _) => {}
            (false, ..) => findings.add(format!("{field}.fromPort"), "ports make sense for tcp and udp only"),
        }
    }
}

impl KeyPairRequest {
    /// Everything that is wrong with it on any cloud.
    pub fn validate(&self, findings: &mut Findings) {
        let mut words = self.public_key.split_ascii_whitespace();
        let kind = words.next().unwrap_or_default();
        let known = matches!(kind, "ssh-rsa" | "ssh-ed25519");
        let one_line = !self.public_key.trim_end().contains(['\n', '\r']);
        let encoded = words.next().is_some_and(|text| text.len() > 40 && text.starts_with("AAAA"));
        if !(known && one_line && encoded) {
            findings.add("publicKey", "must be one line in OpenSSH's form, of kind ssh-rsa or ssh-ed25519");
        }
        validate_tags("", &self.tags, findings);
    }
}

/// Tags that every cloud takes: a key that is not empty, no control characters. `prefix` stands before each field.
pub fn validate_tags(prefix: &str, tags: &Tags, findings: &mut Findings) {
    for (key, value) in tags {
        if key.is_empty() {
            findings.add(format!("{prefix}tags"), "a tag needs a key");
        }
        if key.chars().chain(value.chars()).any(char::is_control) {
            findings.add(format!("{prefix}tags[{key:?}]"), "must not hold control characters");
        }
    }
}

/// Names each value that stands there before. One that is left out stands for nothing, and not for the same.
fn distinct<'a>(
    values: impl Iterator<Item = &'a str>,
    field: impl Fn(usize) -> String,
    findings: &mut Findings,
) {
    let mut seen = HashSet::new();
    for (index, value) in values.enumerate().filter(|(_, value)| !value.is_empty()) {
        if !seen.insert(value) {
            findings.add(field(index), format!("{value:?} is given twice"));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(findings: &Findings) -> Vec<&str> {
        findings.iter().map(|finding| finding.field.as_str()).collect()
    }

    #[test]
    fn a_cluster_reports_all_findings_together() {
        let scaling = json!({"autoScaling": false, "min": 3, "max": 1, "desired": 1});
        let request: ClusterRequest = serde_json::from_value(json!({
            "name": "a", "network": {"nameId": "n", "systemId": "vpc-1"},
            "subnets": [{"nameId": "s", "systemId": ""}, {"nameId": "s", "systemId": ""}, {"nameId": "", "systemId": ""}],
            "securityGroups": [{"nameId": "-", "systemId": ""}],
            "nodeGroups": [{"name": "g", "scaling": scaling, "rootDiskSizeGib": 0}, {"name": "g", "scaling": scaling}],
            "tags": {"": "x", "k": "a\u{0}b"},
        }))
        .unwrap();
        let mut findings = Findings::default();
        request.validate(&mut findings);
        assert_eq!(
            fields(&findings),
            [
                "subnets[2]",
                "subnets[1]",
                "securityGroups[0]",
                "nodeGroups[1].name",
                "nodeGroups[0].scaling.min",
                "nodeGroups[0].scaling.desired",
                "nodeGroups[0].rootDiskSizeGib",
                "nodeGroups[1].scaling.min",
                "nodeGroups[1].scaling.desired",
                "tags",
                "tags[\"k\"]",
            ]
        );
    }

    #[test]
    fn subnets_lie_apart_and_within() {
        let request: NetworkRequest = serde_json::from_value(json!({
            "name": "n", "cidr": "10.0.0.0/16",
            "subnets": [{"name": "a", "cidr": "10.0.0.0/24"}, {"name": "b", "cidr": "10.0.0.128/25"}, {"name": "c", "cidr": "10.9.0.0/24"}],
        }))
        .unwrap();
        let mut findings = Findings::default();
        request.validate(&mut findings);
        assert_eq!(fields(&findings), ["subnets[1].cidr", "subnets[2].cidr"]);
    }

    #[test]
    fn rules_have_ports_where_ports_exist() {
        let rule = |protocol: &str, from: Option<u16>, to: Option<u16>| -> Rule {
            serde_json::from_value(json!({"direction": "inbound", "protocol": protocol, "fromPort": from, "toPort": to, "cidr": "0.0.0.0/0"})).unwrap()
        };
        let rules = vec![
            rule("tcp", Some(22), None),
            rule("udp", None, None),
            rule("tcp", Some(9), Some(8)),
            rule("all", None, None),
            rule("icmp", Some(1), None),
            rule("all", None, None),
        ];
        let mut findings = Findings::default();
        SecurityGroupRequest { name: "g".into(), network: Iid::default(), rules, tags: Tags::new() }
            .validate(&mut findings);
        assert_eq!(
            fields(&findings),
            ["rules[1].fromPort", "rules[2].toPort", "rules[4].fromPort", "rules[5]"]
        );
    }

    #[test]
    fn a_public_key_is_one_line_of_a_known_kind() {
        let key = format!("ssh-ed25519 AAAA{} me", "C".repeat(60));
        for (text, fine) in [
            (key.as_str(), true),
            ("ssh-dss AAAA", false),
            ("", false),
            ("-----BEGIN OPENSSH PRIVATE KEY-----", false),
        ] {
            let mut findings = Findings::default();
            KeyPairRequest { name: "k".into(), public_key: text.into(), tags: Tags::new() }
                .validate(&mut findings);
            assert_eq!(findings.is_empty(), fine, "{text:?}");
        }
    }
}
