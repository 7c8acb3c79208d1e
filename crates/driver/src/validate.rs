//! A request against a provider's capabilities: everything that can be known without asking the cloud.

use std::collections::BTreeMap;

use pmks_model::{
    ClusterRequest, Findings, ImageKind, NodeGroupRequest, ResourceKind, Rule, Says, ScalingField,
    SubnetRequest, Tags, Term, validate_tags,
};
use serde_json::Value;

use crate::{
    Capabilities, Change, KeyPairUse, LastNodeGroup, OptionField, OptionKind, Presence, TagChanges,
    UpdateSecurityGroup,
};

/// Everything that is wrong with a change at this provider, the model's own rules included.
pub fn validate(change: &Change, capabilities: &Capabilities) -> Findings {
    let mut findings = Findings::default();
    let rules = Rules { capabilities, findings: &mut findings };
    rules.check(change);
    findings
}

struct Rules<'a> {
    capabilities: &'a Capabilities,
    findings: &'a mut Findings,
}

impl Rules<'_> {
    fn check(mut self, change: &Change) {
        let capabilities = self.capabilities;
        match change {
            Change::CreateCluster(asked) => self.cluster(&asked.request),
            Change::AddNodeGroup(asked) => {
                asked.request.validate("", self.findings);
                self.node_group(&asked.request, "");
            }
            Change::UpdateCluster(asked) => {
                self.tag_changes(ResourceKind::Cluster, &asked.tags);
                self.options("options", capabilities.cluster_options, &asked.options);
                for field in capabilities.cluster_options.iter().filter(|field| !field.changeable) {
                    if asked.options.contains_key(field.name) {
                        self.findings
                            .add(format!("options.{}", field.name), "cannot be changed after creation");
                    }
                }
            }
            Change::CreateNetwork(asked) => {
                self.name("name", capabilities.network_name.refusal(&asked.request.name));
                for (index, subnet) in asked.request.subnets.iter().enumerate() {
                    self.subnet(subnet, &format!("subnets[{index}]."));
                }
                asked.request.validate(self.findings);
                self.tags("", ResourceKind::Network, &asked.request.tags);
                for (index, subnet) in asked.request.subnets.iter().enumerate() {
                    self.tags(&format!("subnets[{index}]."), ResourceKind::Subnet, &subnet.tags);
                }
            }
            Change::CreateSubnet(asked) => {
                self.subnet(&asked.request, "");
                asked.request.validate("", self.findings);
                self.tags("", ResourceKind::Subnet, &asked.request.tags);
            }
            Change::CreateSecurityGroup(asked) => {
                self.name("name", capabilities.security_group_name.refusal(&asked.request.name));
                asked.request.validate(self.findings);
                self.tags("", ResourceKind::SecurityGroup, &asked.request.tags);
            }
            Change::UpdateSecurityGroup(asked) => self.rules(asked),
            Change::CreateKeyPair(asked) => {
                self.name("name", capabilities.key_pair_name.refusal(&asked.request.name));
                asked.request.validate(self.findings);
                self.tags("", ResourceKind::KeyPair, &asked.request.tags);
            }
            Change::UpdateTags(asked) => self.tag_changes(asked.kind, &asked.tags),
            Change::ChangeNodeGroupScaling(asked) => {
                if asked.change.is_empty() {
                    self.findings.add("scaling", at_least_one_of_scaling());
                }
            }
            Change::DeleteCluster(_)
            | Change::UpgradeCluster(_)
            | Change::UpgradeNodeGroup(_)
            | Change::RemoveNodeGroup(_)
            | Change::DeleteResource(_)
            | Change::FixPrerequisites(_) => {}
        }
    }

    fn cluster(&mut self, request: &ClusterRequest) {
        let capabilities = self.capabilities;
        self.name("name", capabilities.cluster_name.refusal(&request.name));
        request.validate(self.findings);
        if request.subnets.len() < capabilities.minimum_subnets {
            let least = capabilities.minimum_subnets;
            self.findings.add("subnets", format!("must hold at least {least} at {}", capabilities.title));
        }
        if let Some(most) = capabilities.most_subnets.filter(|most| request.subnets.len() > *most) {
            self.findings.add("subnets", format!("must hold at most {most} at {}", capabilities.title));
        }
        self.presence("securityGroups", capabilities.security_groups, request.security_groups.len());
        let at_creation = capabilities.node_groups_at_creation;
        self.presence("nodeGroups", at_creation.presence, request.node_groups.len());
        if request.node_groups.len() > at_creation.most && at_creation.presence != Presence::Forbidden {
            self.findings.add("nodeGroups", format!("at most {} can be asked for at once", at_creation.most));
        }
        for (index, group) in request.node_groups.iter().enumerate() {
            self.node_group(group, &format!("nodeGroups[{index}]."));
        }
        self.system_node_group(request);
        self.one_key_pair(request);
        self.tags("", ResourceKind::Cluster, &request.tags);
        self.options("options", capabilities.cluster_options, &request.options);
    }

    /// The first node group runs the cloud's own pods, where the cloud wants one for them.
    fn system_node_group(&mut self, request: &ClusterRequest) {
        let keeps = self.capabilities.last_node_group == LastNodeGroup::SystemKept;
        let empty = request.node_groups.first().is_some_and(|group| group.scaling.min == 0);
        if keeps && empty && self.capabilities.scales_to_zero {
            let says = "must be at least 1: the first node group runs the cloud's own pods";
            self.findings.add("nodeGroups[0].scaling.min", says);
        }
    }

    /// One key pair is the whole cluster's, where the cloud has it so.
    fn one_key_pair(&mut self, request: &ClusterRequest) {
        if self.capabilities.key_pair != KeyPairUse::OfCluster {
            return;
        }
        let named = |group: &NodeGroupRequest| group.key_pair.clone();
        let Some(first) = request.node_groups.iter().find_map(named) else { return };
        for (index, group) in request.node_groups.iter().enumerate() {
            if group.key_pair.as_ref().is_some_and(|other| *other != first) {
                let says = format!("must be {:?} too: one key pair is the whole cluster's", first.name_id);
                self.findings.add(format!("nodeGroups[{index}].keyPair"), says);
            }
        }
    }

    fn node_group(&mut self, request: &NodeGroupRequest, prefix: &str) {
        let capabilities = self.capabilities;
        self.name(&format!("{prefix}name"), capabilities.node_group_name.refusal(&request.name));
        let disk = capabilities.root_disk;
        let chosen_type = request.root_disk_type.as_str();
        if !matches!(chosen_type, "" | "default") && !disk.types.contains(&chosen_type) {
            let says = if disk.types.is_empty() {
                "cannot be chosen here: leave it out, or say default".to_owned()
            } else {
                format!("is one of {}", disk.types.join(", "))
            };
            self.findings.add(format!("{prefix}rootDiskType"), says);
        }
        if let Some(size) = request.root_disk_size_gib.filter(|size| *size > 0) {
            if disk.max_gib == 0 {
                self.findings.add(format!("{prefix}rootDiskSizeGib"), "cannot be chosen here");
            } else if size < disk.min_gib || size > disk.max_gib {
                let says = format!("must be from {} to {} GiB", disk.min_gib, disk.max_gib);
                self.findings.add(format!("{prefix}rootDiskSizeGib"), says);
            }
        }
        if capabilities.image == ImageKind::Fixed && !matches!(request.image.as_str(), "" | "default") {
            self.findings.add(format!("{prefix}image"), "cannot be chosen here");
        }
        match (capabilities.key_pair, &request.key_pair) {
            (KeyPairUse::Required, None) => self.findings.add(format!("{prefix}keyPair"), "is required here"),
            (KeyPairUse::Unused, Some(_)) => self.findings.add(format!("{prefix}keyPair"), "has no use here"),
            _ => {}
        }
        if !capabilities.scales_to_zero && request.scaling.min == 0 {
            self.findings.add(format!("{prefix}scaling.min"), "must be at least 1 here");
        }
    }

    fn subnet(&mut self, request: &SubnetRequest, prefix: &str) {
        self.name(&format!("{prefix}name"), self.capabilities.subnet_name.refusal(&request.name));
        if !self.capabilities.zonal_subnets && !request.zone.is_empty() {
            self.findings.add(format!("{prefix}zone"), "has no meaning here: a subnet spans the zones");
        }
    }

    fn rules(&mut self, asked: &UpdateSecurityGroup) {
        Rule::validate_all("add", &asked.add, self.findings);
        Rule::validate_all("remove", &asked.remove, self.findings);
        if asked.add.is_empty() && asked.remove.is_empty() {
            self.findings.add("add", "at least one rule to add or to remove is required");
        }
        for (index, _) in asked.remove.iter().enumerate().filter(|(_, rule)| rule.is_among(&asked.add)) {
            self.findings.add(format!("remove[{index}]"), "is to be added too");
        }
    }

    fn name(&mut self, field: &str, refusal: Option<String>) {
        self.findings.add_some(field, refusal);
    }

    fn presence(&mut self, field: &str, presence: Presence, given: usize) {
        match presence {
            Presence::Required if given == 0 => self.findings.add(field, "at least one is required here"),
            Presence::Forbidden if given > 0 => self.findings.add(field, "must not be given here"),
            _ => {}
        }
    }

    fn tag_changes(&mut self, kind: ResourceKind, changes: &TagChanges) {
        validate_tags("", &changes.set(), self.findings);
        self.tags("", kind, &changes.set());
        changes.removed().iter().for_each(|key| self.mark("", key));
    }

    fn tags(&mut self, prefix: &str, kind: ResourceKind, tags: &Tags) {
        let capabilities = self.capabilities;
        let Some(rule) = capabilities.tags.filter(|_| capabilities.tagged.contains(&kind)) else {
            if !tags.is_empty() {
                self.findings.add(format!("{prefix}tags"), capabilities.no_tags(kind));
            }
            return;
        };
        if tags.len() > rule.most {
            self.findings.add(format!("{prefix}tags"), format!("at most {} tags", rule.most));
        }
        for (key, value) in tags {
            // That a key is missing is said at every cloud.
            if !key.is_empty() && !rule.key.allows(key) {
                self.findings.add(format!("{prefix}tags[{key:?}]"), format!("a key is {}", rule.key.says));
            }
            self.mark(prefix, key);
            if !rule.value.allows(value) {
                self.findings
                    .add(format!("{prefix}tags[{key:?}]"), format!("a value is {}", rule.value.says));
            }
        }
    }

    fn mark(&mut self, prefix: &str, key: &str) {
        if crate::Marks::is_own(key) {
            self.findings.add(format!("{prefix}tags[{key:?}]"), "is pmks' own");
        }
    }

    fn options(&mut self, prefix: &str, fields: &[OptionField], given: &BTreeMap<String, Value>) {
        check_options(prefix, fields, given, self.findings);
    }
}

/// A connection's settings against the provider's description of them.
pub fn validate_settings(settings: &BTreeMap<String, Value>, capabilities: &Capabilities) -> Findings {
    let mut findings = Findings::default();
    check_options("settings", capabilities.settings, settings, &mut findings);
    findings
}

/// What a change of scaling says that asks for nothing.
fn at_least_one_of_scaling() -> Says {
    let [auto_scaling, min, max, desired] = ScalingField::ALL.map(Term::Field);
    let says = Says::from("at least one of ").term(auto_scaling).text(", ").term(min);
    says.text(", ").term(max).text(" and ").term(desired).text(" is required")
}

/// Unknown options and wrong types are findings.
fn check_options(
    prefix: &str,
    fields: &[OptionField],
    given: &BTreeMap<String, Value>,
    findings: &mut Findings,
) {
    for (name, value) in given {
        let field = format!("{prefix}.{name}");
        match fields.iter().find(|candidate| candidate.name == name) {
            None => {
                let known: Vec<&str> = fields.iter().map(|field| field.name).collect();
                findings.add(field, format!("is not known here; known are {}", known.join(", ")));
            }
            Some(option) => findings.add_some(field, wrong_type(option.kind, value)),
        }
    }
}

fn wrong_type(kind: OptionKind, value: &Value) -> Option<String> {
    match kind {
        OptionKind::Boolean => (!value.is_boolean()).then(|| "must be true or false".to_owned()),
        OptionKind::Text => (!value.is_string()).then(|| "must be a text".to_owned()),
        OptionKind::Texts => {
            let texts = value.as_array().is_some_and(|all| all.iter().all(Value::is_string));
            (!texts).then(|| "must be a list of texts".to_owned())
        }
        OptionKind::Choice(words) => {
            let known = value.as_str().is_some_and(|word| words.contains(&word));
            (!known).then(|| format!("must be one of {}", words.join(", ")))
        }
    }
}

#[cfg(test)]
#[path = "validate_tests.rs"]
mod tests;
