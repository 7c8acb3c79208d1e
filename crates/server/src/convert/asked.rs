//! From bodies to what the facade is asked.

use pmks_api as api;
use pmks_core::{
    ImportCluster, ImportResource, NewCluster, NewConnection, NewKeyPair, NewNetwork, NewNodeGroup, NewRule,
    NewSecurityGroup, NewSubnet,
};
use pmks_driver::Credential;
use pmks_model::{Failure, Findings, Scaling, ScalingChange, UpgradeTargets};

use crate::refused::Refused;

/// A connection. What could not be read, and what is no credential, is told together with whatever else is wrong.
pub(crate) fn new_connection(asked: api::NewConnection, mut unreadable: Findings) -> NewConnection {
    let credential = Credential::from_json(asked.credential.0).unwrap_or_else(|findings| {
        unreadable.extend(findings);
        Credential::from_values([])
    });
    NewConnection {
        name: asked.name,
        provider: asked.provider,
        region: asked.region,
        zone: asked.zone,
        pace: asked.pace,
        credential,
        unreadable,
        endpoints: asked.endpoints,
        ca_certificate: asked.ca_certificate,
        settings: asked.settings,
    }
}

/// The record of an existing one that is asked for, if `systemId` is given: then nothing else may be, since the cloud
/// says how it is.
pub(crate) fn import_of(
    name: &str,
    system_id: Option<&String>,
    others: &[(&str, bool)],
) -> Result<Option<ImportResource>, Refused> {
    let Some(system_id) = system_id else { return Ok(None) };
    let mut findings = Findings::default();
    for (field, _) in others.iter().filter(|(_, given)| *given) {
        findings.add(*field, "is left out where systemId names an existing one");
    }
    if !findings.is_empty() {
        return Err(Failure::invalid(findings).into());
    }
    Ok(Some(ImportResource { name: name.to_owned(), system_id: system_id.clone() }))
}

/// A network. Its subnets are made with it: existing ones are imported one by one.
pub(crate) fn new_network(asked: api::NewNetwork) -> Result<NewNetwork, Refused> {
    let mut findings = Findings::default();
    for (index, _) in asked.subnets.iter().enumerate().filter(|(_, subnet)| subnet.system_id.is_some()) {
        findings.add(format!("subnets[{index}].systemId"), "is not given here: import it into its network");
    }
    if !findings.is_empty() {
        return Err(Failure::invalid(findings).into());
    }
    Ok(NewNetwork {
        name: asked.name,
        unique_cloud_name: asked.unique_cloud_name,
        cidr: asked.cidr,
        subnets: asked.subnets.into_iter().map(new_subnet).collect(),
        tags: asked.tags,
    })
}

/// A subnet.
pub(crate) fn new_subnet(asked: api::NewSubnet) -> NewSubnet {
    NewSubnet {
        name: asked.name,
        unique_cloud_name: asked.unique_cloud_name,
        cidr: asked.cidr,
        zone: asked.zone,
        tags: asked.tags,
    }
}

/// A security group.
pub(crate) fn new_security_group(asked: api::NewSecurityGroup) -> NewSecurityGroup {
    NewSecurityGroup {
        name: asked.name,
        unique_cloud_name: asked.unique_cloud_name,
        network: asked.network,
        rules: rules(asked.rules),
        tags: asked.tags,
    }
}

/// Rules of a security group.
pub(crate) fn rules(asked: Vec<api::Rule>) -> Vec<NewRule> {
    let rule = |rule: api::Rule| NewRule {
        direction: rule.direction,
        protocol: rule.protocol,
        from_port: rule.from_port,
        to_port: rule.to_port,
        cidr: rule.cidr,
    };
    asked.into_iter().map(rule).collect()
}

/// A key pair.
pub(crate) fn new_key_pair(asked: api::NewKeyPair) -> NewKeyPair {
    NewKeyPair {
        name: asked.name,
        unique_cloud_name: asked.unique_cloud_name,
        public_key: asked.public_key,
        tags: asked.tags,
    }
}

/// A cluster. Numbers that could not be read take others with which nothing else is wrong.
pub(crate) fn new_cluster(asked: api::NewCluster, unreadable: &Findings) -> NewCluster {
    let group = |(index, group)| new_node_group(group, &format!("nodeGroups[{index}]."), unreadable);
    NewCluster {
        name: asked.name,
        unique_cloud_name: asked.unique_cloud_name,
        version: asked.version,
        network: asked.network,
        subnets: asked.subnets,
        security_groups: asked.security_groups,
        node_groups: asked.node_groups.into_iter().enumerate().map(group).collect(),
        tags: asked.tags,
        deletion_protection: asked.deletion_protection,
        options: asked.options,
    }
}

/// A node group, whose fields are named with `prefix` before them.
pub(crate) fn new_node_group(asked: api::NewNodeGroup, prefix: &str, unreadable: &Findings) -> NewNodeGroup {
    let is_unread = |number: &str| is_unread(unreadable, &format!("{prefix}scaling.{number}"));
    NewNodeGroup {
        name: asked.name,
        unique_cloud_name: asked.unique_cloud_name,
        version: asked.version,
        machine_type: asked.machine_type,
        image: asked.image,
        root_disk_type: asked.root_disk_type,
        root_disk_size_gib: asked.root_disk_size_gib,
        key_pair: asked.key_pair,
        scaling: asked.scaling.map(|scaling| settled(scaling, is_unread)),
    }
}

/// An existing cluster.
pub(crate) fn import_cluster(asked: api::ImportCluster) -> ImportCluster {
    let own = |group: api::ImportNodeGroup| ImportResource { name: group.name, system_id: group.system_id };
    ImportCluster {
        name: asked.name,
        system_id: asked.system_id,
        take_over: asked.take_over,
        node_groups: asked.node_groups.into_iter().map(own).collect(),
        ..ImportCluster::default()
    }
}

fn is_unread(unreadable: &Findings, field: &str) -> bool {
    unreadable.iter().any(|finding| finding.field == field)
}

/// What could not be read agrees with what could.
fn settled(asked: api::Scaling, is_unread: impl Fn(&str) -> bool) -> Scaling {
    let read = |name: &str, number: u32| (!is_unread(name)).then_some(number);
    let [min, max, desired] =
        [read("min", asked.min), read("max", asked.max), read("desired", asked.desired)];
    let least = min.or(desired.into_iter().chain(max).min()).unwrap_or(1);
    let most = max.or(desired.into_iter().chain(min).max()).unwrap_or(least.max(1));
    let desired = desired.unwrap_or(least);
    Scaling { auto_scaling: asked.auto_scaling, min: least, max: most, desired }
}

/// A change of scaling, and what could not be read of it, by the fields of the whole scaling: it stays as it is.
pub(crate) fn scaling_change(asked: api::Scale, unreadable: &Findings) -> (ScalingChange, Findings) {
    let read = |name: &str, number: Option<u32>| number.filter(|_| !is_unread(unreadable, name));
    let change = ScalingChange {
        auto_scaling: asked.auto_scaling,
        min: read("min", asked.min),
        max: read("max", asked.max),
        desired: read("desired", asked.desired),
    };
    let mut findings = Findings::default();
    for finding in unreadable.iter() {
        findings.add(format!("scaling.{}", finding.field), finding.says.clone());
    }
    (change, findings)
}

/// The node groups that an upgrade takes along.
pub(crate) fn upgrade_targets(asked: api::UpgradeNodeGroups) -> Result<UpgradeTargets, Refused> {
    match asked {
        api::UpgradeNodeGroups::Names(names) => Ok(UpgradeTargets::Named(names)),
        api::UpgradeNodeGroups::Word(word) if word == "all" => Ok(UpgradeTargets::All),
        api::UpgradeNodeGroups::Word(word) if word == "none" => Ok(UpgradeTargets::None),
        api::UpgradeNodeGroups::Word(_) => {
            Err(Refused::invalid("nodeGroups", "must be \"all\", \"none\" or a list of names"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_were_not_read_agree_with_those_that_were() {
        let scaling = |min, max, desired| api::Scaling { auto_scaling: false, min, max, desired };
        for (given, unread, wanted) in [
            (scaling(1, 5, 3), &[][..], (1, 5, 3)),
            (scaling(9, 1, 3), &[], (9, 1, 3)),
            (scaling(1, 5, 3), &["min"], (3, 5, 3)),
            (scaling(2, 1, 3), &["max"], (2, 3, 3)),
            (scaling(2, 5, 1), &["desired"], (2, 5, 2)),
            (scaling(1, 1, 4), &["min", "max"], (4, 4, 4)),
            (scaling(1, 1, 1), &["min", "max", "desired"], (1, 1, 1)),
        ] {
            let found = settled(given, |name| unread.contains(&name));
            assert_eq!((found.min, found.max, found.desired), wanted, "{given:?} {unread:?}");
        }
    }
}
