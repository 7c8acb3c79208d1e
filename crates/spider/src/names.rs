//! Words of core in CB-Spider's: kinds of resources, fields of a request.

use pmks_model::{Findings, ResourceKind};

/// A field's name in core, and in CB-Spider's bodies.
const FIELDS: &[(&str, &str)] = &[
    ("name", "Name"),
    ("version", "Version"),
    ("network", "VPCName"),
    ("subnets", "SubnetNames"),
    ("securityGroups", "SecurityGroupNames"),
    ("nodeGroups", "NodeGroupList"),
    ("image", "ImageName"),
    ("machineType", "VMSpecName"),
    ("rootDiskType", "RootDiskType"),
    ("rootDiskSizeGib", "RootDiskSize"),
    ("keyPair", "KeyPairName"),
    ("scaling.autoScaling", "OnAutoScaling"),
    ("scaling.desired", "DesiredNodeSize"),
    ("scaling.min", "MinNodeSize"),
    ("scaling.max", "MaxNodeSize"),
    ("tags", "TagList"),
    ("cidr", "IPv4_CIDR"),
    ("zone", "Zone"),
    ("rules", "SecurityRules"),
    ("direction", "Direction"),
    ("protocol", "IPProtocol"),
    ("fromPort", "FromPort"),
    ("toPort", "ToPort"),
    ("systemId", "CSPId"),
    ("region", "Region"),
    ("provider", "ProviderName"),
];

/// What a kind is called in messages that clients look into; a connection is called nothing there.
pub(crate) fn of(kind: ResourceKind) -> Option<&'static str> {
    Some(match kind {
        ResourceKind::Connection => return None,
        ResourceKind::Network => "VPC",
        ResourceKind::Subnet => "Subnet",
        ResourceKind::SecurityGroup => "Security Group",
        ResourceKind::KeyPair => "VM KeyPair",
        ResourceKind::Cluster => "Kubernetes Cluster",
        ResourceKind::NodeGroup => "Kubernetes NodeGroup",
    })
}

/// Everything that is wrong with a request, its fields named as the client named them.
pub(crate) fn in_their_words(findings: &Findings) -> String {
    let said = findings.iter().map(|finding| {
        // Pages of CB-Spider read the versions to choose from out of this phrase.
        let says = finding.says.replace("offered are ", "Available version(s): ");
        match field(&finding.field) {
            field if field.is_empty() => says,
            field => format!("{field} {says}"),
        }
    });
    said.collect::<Vec<_>>().join("; ")
}

/// The first word of core that a place begins with gives way to CB-Spider's, and so the rest.
fn field(place: &str) -> String {
    let begins = |known: &str| {
        let rest = place.strip_prefix(known)?;
        (rest.is_empty() || rest.starts_with(['.', '['])).then_some(rest)
    };
    let Some((theirs, rest)) = FIELDS.iter().find_map(|(known, theirs)| Some((*theirs, begins(known)?)))
    else {
        return place.to_owned();
    };
    match rest.split_once('.') {
        Some((index, more)) => format!("{theirs}{index}.{}", field(more)),
        None => format!("{theirs}{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_named_as_clients_name_them() {
        for (core, theirs) in [
            ("subnets[1]", "SubnetNames[1]"),
            ("nodeGroups[0].scaling.min", "NodeGroupList[0].MinNodeSize"),
            ("nodeGroups[2].name", "NodeGroupList[2].Name"),
            ("credential.clientId", "credential.clientId"),
            ("namesake", "namesake"),
        ] {
            assert_eq!(field(core), theirs);
        }
    }
}
