//! Words of core in CB-Spider's: kinds of resources, fields of a request.

use pmks_model::{Findings, ResourceKind, Subject, Term};

use crate::description;

/// Names of one kind of body: each a field of core, and what the body calls it.
type Fields = &'static [(&'static str, &'static str)];

/// Fields of core and of each body, by the name that its shape has in the description: what one body calls `IPv4_CIDR`
/// another one calls `CIDR`.
const FIELDS: &[(&str, Fields)] = &[
    (
        "ClusterRequest",
        &[
            ("name", "Name"),
            ("version", "Version"),
            ("network", "VPCName"),
            ("subnets", "SubnetNames"),
            ("securityGroups", "SecurityGroupNames"),
            ("nodeGroups", "NodeGroupList"),
            ("tags", "TagList"),
        ],
    ),
    (
        "NodeGroupRequest",
        &[
            ("name", "Name"),
            ("image", "ImageName"),
            ("machineType", "VMSpecName"),
            ("rootDiskType", "RootDiskType"),
            ("rootDiskSizeGib", "RootDiskSize"),
            ("keyPair", "KeyPairName"),
            ("scaling.autoScaling", "OnAutoScaling"),
            ("scaling.desired", "DesiredNodeSize"),
            ("scaling.min", "MinNodeSize"),
            ("scaling.max", "MaxNodeSize"),
        ],
    ),
    ("AutoScalingRequest", &[("scaling.autoScaling", "OnAutoScaling")]),
    (
        "ScalingRequest",
        &[
            ("scaling.desired", "DesiredNodeSize"),
            ("scaling.min", "MinNodeSize"),
            ("scaling.max", "MaxNodeSize"),
        ],
    ),
    ("UpgradeRequest", &[("version", "Version")]),
    (
        "VPCRequest",
        &[("name", "Name"), ("cidr", "IPv4_CIDR"), ("subnets", "SubnetInfoList"), ("tags", "TagList")],
    ),
    ("SubnetRequest", &[("name", "Name"), ("zone", "Zone"), ("cidr", "IPv4_CIDR"), ("tags", "TagList")]),
    (
        "SecurityGroupRequest",
        &[("name", "Name"), ("network", "VPCName"), ("rules", "SecurityRules"), ("tags", "TagList")],
    ),
    ("RulesRequest", &[("add", "RuleInfoList"), ("remove", "RuleInfoList")]),
    (
        "RuleRequest",
        &[
            ("direction", "Direction"),
            ("protocol", "IPProtocol"),
            ("fromPort", "FromPort"),
            ("toPort", "ToPort"),
            ("cidr", "CIDR"),
        ],
    ),
    ("KeyPairRequest", &[("name", "Name"), ("tags", "TagList")]),
    ("TagRequest", &[("tags", "Tag")]),
    ("CSPRequest", &[("systemId", "CSPId")]),
    ("RegisterRequest", &[("name", "Name"), ("systemId", "CSPId")]),
    ("VPCRegisterRequest", &[("name", "Name"), ("network", "VPCName"), ("systemId", "CSPId")]),
    ("SubnetRegisterRequest", &[("name", "Name"), ("network", "VPCName"), ("systemId", "CSPId")]),
    (
        "ClusterRegisterRequest",
        &[("name", "Name"), ("network", "VPCName"), ("systemId", "CSPId"), ("takeOver", "TakeOver")],
    ),
    ("DriverInfo", &[("name", "DriverName"), ("provider", "ProviderName")]),
    ("CredentialInfo", &[("name", "CredentialName"), ("provider", "ProviderName")]),
    // Its region and zone are keys of its list.
    (
        "RegionInfo",
        &[("name", "RegionName"), ("provider", "ProviderName"), ("region", "Region"), ("zone", "Zone")],
    ),
    (
        "ConnectionConfigInfo",
        &[("name", "ConfigName"), ("provider", "ProviderName"), ("region", "RegionName")],
    ),
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

/// A term of a sentence, whatever the body. CB-Spider's pages read the versions to choose from out of the last one.
pub(crate) fn term(term: &Term) -> String {
    match term {
        Term::Field(part) | Term::Given(part) => {
            field("NodeGroupRequest", &format!("scaling.{}", part.as_str()))
        }
        Term::AutoScalingOff => "OnAutoScaling \"false\"".to_owned(),
        Term::Versions(all) => format!("Available version(s): {}", all.join(", ")),
        Term::Kind(kind) => of(*kind).unwrap_or(kind.says()).to_owned(),
        Term::Operation(kind) => operation(kind.as_str()),
        Term::TakeOver => field("ClusterRegisterRequest", "takeOver"),
        Term::Provider(name) => crate::routes::to_spider(name),
    }
}

/// `network.create` as `VPC create`.
fn operation(word: &str) -> String {
    let known = |(what, does): (&str, &str)| {
        let kind = ResourceKind::ALL.into_iter().find(|kind| kind.as_str() == what)?;
        Some(format!("{} {does}", of(kind)?))
    };
    word.split_once('.').and_then(known).unwrap_or_else(|| word.to_owned())
}

/// Everything that is wrong with a request, its fields named as clients name them in a body of that shape. Without a shape
/// they are called as in core; with a connection what there is not is told as what is not there at it.
pub(crate) fn in_their_words(findings: &Findings, shape: &str, connection: &str) -> String {
    let said = findings.iter().map(|finding| {
        if let Some(Subject { kind, name }) = &finding.missing
            && let Some(what) = of(*kind)
            && !connection.is_empty()
        {
            return format!("{what} '{name}' does not exist in connection '{connection}'");
        }
        let says = finding.says.in_words(term);
        match field(shape, &finding.field) {
            field if field.is_empty() => says,
            field => format!("{field} {says}"),
        }
    });
    said.collect::<Vec<_>>().join("; ")
}

/// The first word of core that a place begins with gives way to the body's, and so the rest in what that word holds.
fn field(shape: &str, place: &str) -> String {
    let begins = |known: &str| {
        let rest = place.strip_prefix(known)?;
        (rest.is_empty() || rest.starts_with(['.', '['])).then_some(rest)
    };
    let mut known = FIELDS.iter().filter(|(of, _)| *of == shape).flat_map(|(_, fields)| *fields);
    let Some((theirs, rest)) = known.find_map(|(known, theirs)| Some((*theirs, begins(known)?))) else {
        return place.to_owned();
    };
    match rest.split_once('.') {
        Some((index, more)) => {
            format!("{theirs}{index}.{}", field(description::shape_within(shape, theirs), more))
        }
        None => format!("{theirs}{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use pmks_model::{OperationKind, Says, ScalingField};

    use super::*;

    #[test]
    fn places_are_named_as_clients_name_them_in_that_body() {
        for (shape, core, theirs) in [
            ("ClusterRequest", "subnets[1]", "SubnetNames[1]"),
            ("ClusterRequest", "nodeGroups[0].scaling.min", "NodeGroupList[0].MinNodeSize"),
            ("ClusterRequest", "nodeGroups[2].name", "NodeGroupList[2].Name"),
            ("VPCRequest", "subnets[1].cidr", "SubnetInfoList[1].IPv4_CIDR"),
            ("SecurityGroupRequest", "rules[0].cidr", "SecurityRules[0].CIDR"),
            ("RulesRequest", "add[0].toPort", "RuleInfoList[0].ToPort"),
            ("VPCRequest", "tags.a.b", "TagList.a.b"),
            ("ClusterRequest", "namesake", "namesake"),
            ("CredentialInfo", "credential.clientId", "credential.clientId"),
            ("", "cidr", "cidr"),
        ] {
            assert_eq!(field(shape, core), theirs, "{shape}");
        }
    }

    #[test]
    fn every_term_is_told_in_words_of_cb_spiders() {
        let known: BTreeSet<&str> = description::fields_of("NodeGroupRequest").collect();
        for part in ScalingField::ALL {
            for told in [Term::Field(part), Term::Given(part)] {
                assert!(known.contains(term(&told).as_str()), "{told:?} is told as {}", term(&told));
            }
        }
        for (kind, told) in [
            (OperationKind::NetworkCreate, "VPC create"),
            (OperationKind::NodeGroupScale, "Kubernetes NodeGroup scale"),
            (OperationKind::PrerequisiteFix, "prerequisite.fix"),
        ] {
            assert_eq!(term(&Term::Operation(kind)), told);
        }
        assert_eq!(term(&Term::Kind(ResourceKind::Network)), "VPC");
        let versions = Term::Versions(vec!["1.31".to_owned(), "1.32".to_owned()]);
        assert!(description::fields_of("ClusterRegisterRequest").any(|field| field == term(&Term::TakeOver)));
        let says = Says::from("is at odds: ").term(Term::AutoScalingOff).text("; ").term(versions);
        let says = says.text(" by ").term(Term::Provider("fake".to_owned()));
        let mut findings = Findings::default();
        findings.add("scaling.max", says);
        let told = in_their_words(&findings, "ScalingRequest", "here");
        assert_eq!(
            told,
            "MaxNodeSize is at odds: OnAutoScaling \"false\"; Available version(s): 1.31, 1.32 by FAKE"
        );
    }

    #[test]
    fn every_field_of_a_body_is_named_and_none_that_it_does_not_have() {
        for (shape, fields) in FIELDS {
            let known: BTreeSet<&str> = description::fields_of(shape).collect();
            for (core, theirs) in *fields {
                let is_key = *shape == "RegionInfo" && ["Region", "Zone"].contains(theirs);
                assert!(known.contains(theirs) || is_key, "{shape} has no {theirs} for {core}");
            }
        }
        // What a client may send, and core knows nothing of by a name of its own.
        let silent = ["ResourceType", "ResourceName", "DriverLibFileName"];
        let own = ["DriverName", "CredentialName", "RegionName", "ConfigName", "KeyValueInfoList"];
        for operation in description::operations() {
            let body = description::shape_of(operation.method, operation.path);
            let mut shapes = vec![body];
            while let Some(shape) = shapes.pop() {
                for theirs in description::fields_of(shape) {
                    let fields = FIELDS.iter().find(|(of, _)| *of == shape);
                    let named = fields.is_some_and(|(_, all)| all.iter().any(|(_, known)| *known == theirs));
                    let other = silent.contains(&theirs)
                        || own.contains(&theirs)
                        || ["AvailableZoneList", "Key", "Value", "ConnectionName"].contains(&theirs)
                        // It is the network that says the zone of what is registered, and its name is in the path.
                        || ["SubnetRegisterRequest", "SubnetUnregisterRequest"].contains(&shape);
                    assert!(named || other, "{} {}: {shape}.{theirs}", operation.method, operation.path);
                    shapes.push(description::shape_within(shape, theirs));
                }
            }
        }
    }
}
