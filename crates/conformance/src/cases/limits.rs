//! What the capabilities rule out, and the last node group.

use pmks_driver::{
    Change, CreateNetwork, ErrorKind, KeyPairUse, LastNodeGroup, Presence, RemoveNodeGroup, validate,
};
use pmks_model::{Iid, ImageKind, ResourceKind, Tags, Version, VersionRequest};
use serde_json::json;

use super::versions::minors;
use crate::executor::{carry_out, refused};
use crate::ground::{
    Ground, delete_cluster, fix_prerequisites, key_pair_request, marks, network_request, node_group_target,
    security_group_request,
};
use crate::report::{check, check_equal};
use crate::{Failed, Rig, Verdict};

/// A cluster on nothing: enough for what is checked without asking the cloud.
fn paper(rig: &Rig) -> Ground {
    let nowhere = |name: &str| Iid::new(name, name);
    let capabilities = rig.driver.capabilities();
    let count = capabilities.minimum_subnets.max(1);
    Ground {
        network: nowhere("n"),
        subnets: (0..count).map(|index| nowhere(&format!("s{index}"))).collect(),
        security_groups: (capabilities.security_groups == Presence::Required)
            .then(|| nowhere("g"))
            .into_iter()
            .collect(),
        key_pair: (capabilities.key_pair == KeyPairUse::Required).then(|| nowhere("k")),
        marks: marks(),
        machine_type: String::new(),
        step: 1,
        tags: pmks_model::Tags::new(),
    }
}

/// Each wrong request with the field that is to be found wrong; the request without it is right.
async fn wrong(rig: &Rig) -> Result<Vec<(Change, &'static str)>, Failed> {
    let capabilities = *rig.driver.capabilities();
    let groups = capabilities.node_groups_at_creation.most.clamp(1, 2);
    let right = paper(rig).cluster("pmks-limits", groups);
    let mut all = Vec::new();
    let mut with = |field: &'static str, spoil: &dyn Fn(&mut pmks_driver::CreateCluster)| {
        let mut asked = right.clone();
        spoil(&mut asked);
        all.push((Change::CreateCluster(asked), field));
    };
    let some = |name: &str| Iid::new(name, name);
    if let Some(most) = capabilities.most_subnets {
        with("subnets", &|asked| {
            asked.request.subnets = (0..=most).map(|index| some(&format!("s{index}"))).collect();
        });
    }
    if capabilities.minimum_subnets > 0 {
        with("subnets", &|asked| asked.request.subnets.clear());
    }
    if capabilities.security_groups == Presence::Forbidden {
        with("securityGroups", &|asked| asked.request.security_groups = vec![some("g")]);
    }
    if capabilities.tags.is_none() {
        with("tags", &|asked| drop(asked.request.tags.insert("a".to_owned(), "b".to_owned())));
    }
    with("options.pmksUnknown", &|asked| {
        asked.request.options.insert("pmksUnknown".to_owned(), json!(1));
    });
    with("nodeGroups[0].rootDiskType", &|asked| {
        asked.request.node_groups.iter_mut().for_each(|group| "tape".clone_into(&mut group.root_disk_type));
    });
    with("nodeGroups[0].rootDiskSizeGib", &|asked| {
        for group in &mut asked.request.node_groups {
            group.root_disk_size_gib = Some(capabilities.root_disk.max_gib.saturating_add(1));
        }
    });
    if capabilities.image == ImageKind::Fixed {
        with("nodeGroups[0].image", &|asked| {
            asked.request.node_groups.iter_mut().for_each(|group| "mine".clone_into(&mut group.image));
        });
    }
    if !capabilities.scales_to_zero || capabilities.last_node_group == LastNodeGroup::SystemKept {
        with("nodeGroups[0].scaling.min", &|asked| {
            asked.request.node_groups.iter_mut().for_each(|group| group.scaling.min = 0);
        });
    }
    match capabilities.key_pair {
        KeyPairUse::Optional => {}
        KeyPairUse::Required => with("nodeGroups[0].keyPair", &|asked| {
            asked.request.node_groups.iter_mut().for_each(|group| group.key_pair = None);
        }),
        KeyPairUse::Unused => with("nodeGroups[0].keyPair", &|asked| {
            asked.request.node_groups.iter_mut().for_each(|group| group.key_pair = Some(some("k")));
        }),
        KeyPairUse::OfCluster if groups < 2 => {}
        KeyPairUse::OfCluster => with("nodeGroups[1].keyPair", &|asked| {
            for (group, key) in asked.request.node_groups.iter_mut().zip(["k", "l"]) {
                group.key_pair = Some(some(key));
            }
        }),
    }
    let network = network_request(rig, "pmks-limits").await?;
    let tagged =
        [ResourceKind::Network, ResourceKind::Subnet, ResourceKind::SecurityGroup, ResourceKind::KeyPair];
    for kind in tagged {
        if let Some((change, field)) = with_tags(kind, &network).filter(|_| !capabilities.takes_tags(kind)) {
            all.push((change, field));
        }
    }
    if !capabilities.zonal_subnets {
        let mut asked = network;
        asked.request.subnets.iter_mut().for_each(|subnet| "z1".clone_into(&mut subnet.zone));
        all.push((Change::CreateNetwork(asked), "subnets[0].zone"));
    }
    Ok(all)
}

/// A creation that gives tags to something of that kind, and where; `None`: nothing of the kind is made by itself.
fn with_tags(kind: ResourceKind, network: &CreateNetwork) -> Option<(Change, &'static str)> {
    let tags = || Tags::from([("a".to_owned(), "b".to_owned())]);
    Some(match kind {
        ResourceKind::Network => {
            let mut asked = network.clone();
            asked.request.tags = tags();
            (Change::CreateNetwork(asked), "tags")
        }
        ResourceKind::Subnet => {
            let mut asked = network.clone();
            asked.request.subnets.iter_mut().for_each(|subnet| subnet.tags = tags());
            (Change::CreateNetwork(asked), "subnets[0].tags")
        }
        ResourceKind::SecurityGroup => {
            let mut asked = security_group_request("pmks-limits", &Iid::new("n", "n"));
            asked.request.tags = tags();
            (Change::CreateSecurityGroup(asked), "tags")
        }
        ResourceKind::KeyPair => {
            let mut asked = key_pair_request("pmks-limits");
            asked.request.tags = tags();
            (Change::CreateKeyPair(asked), "tags")
        }
        ResourceKind::Connection | ResourceKind::Cluster | ResourceKind::NodeGroup => return None,
    })
}

/// What the capabilities rule out is a finding on its field, known without asking the cloud, and nothing else is.
pub(crate) async fn what_the_capabilities_forbid_is_a_finding(rig: Rig) -> Result<Verdict, Failed> {
    let capabilities = *rig.driver.capabilities();
    let groups = capabilities.node_groups_at_creation.most.clamp(1, 2);
    let right = Change::CreateCluster(paper(&rig).cluster("pmks-limits", groups));
    let findings = validate(&right, &capabilities);
    check(findings.is_empty(), || format!("what is right is found wrong: {findings}"))?;
    let wrong = wrong(&rig).await?;
    let mark = rig.calls.mark();
    for (change, field) in wrong {
        let findings = validate(&change, &capabilities);
        check(findings.iter().any(|finding| finding.field == field), || {
            format!("{field} is not found wrong: {findings}")
        })?;
    }
    let sent = rig.calls.since(mark);
    check(sent.is_empty(), || format!("checking sent {sent:?}"))?;
    Ok(Verdict::Passed)
}

/// What the cloud does not offer is found together, also beside references that are not there: those were found before,
/// and have no identifier.
pub(crate) async fn everything_wrong_comes_in_one_round(rig: Rig) -> Result<Verdict, Failed> {
    fix_prerequisites(&rig).await?;
    let capabilities = *rig.driver.capabilities();
    let with_groups = capabilities.node_groups_at_creation.presence != Presence::Forbidden;
    let mut asked = paper(&rig).cluster("pmks-astray", usize::from(with_groups));
    let (request, mut wanted) = (&mut asked.request, Vec::new());
    let nowhere = [&mut request.network].into_iter().chain(&mut request.subnets);
    for reference in nowhere.chain(&mut request.security_groups) {
        reference.system_id.clear();
    }
    for group in &mut request.node_groups {
        group.key_pair = None;
        "pmks-unknown".clone_into(&mut group.machine_type);
        wanted.push("nodeGroups[0].machineType");
        if capabilities.image != ImageKind::Fixed {
            "pmks-unknown".clone_into(&mut group.image);
            wanted.push("nodeGroups[0].image");
        }
    }
    // Where a server lists no versions, none is unknown.
    if minors(&rig).await?.is_ok() {
        request.version = VersionRequest::Given(Version::of_minor(1, 999));
        wanted.push("version");
    }
    let error = refused(&rig, &Change::CreateCluster(asked)).await?;
    let ErrorKind::InvalidRequest(findings) = error.kind() else { return Err(error.into()) };
    for field in wanted {
        check(findings.iter().any(|finding| finding.field == field), || {
            format!("{field} is not found wrong beside {findings}")
        })?;
    }
    Ok(Verdict::Passed)
}

/// The last node group goes where the capabilities let it, and stays elsewhere: refused, nothing sent that changes it.
pub(crate) async fn the_last_node_group_is_as_the_capabilities_say(rig: Rig) -> Result<Verdict, Failed> {
    let ground = Ground::make(&rig).await?;
    let cluster = ground.cluster_with(&rig, "pmks-last", 1).await?;
    let group = cluster.node_groups.first().ok_or_else(|| Failed("no node group".to_owned()))?;
    let asked = RemoveNodeGroup { target: node_group_target(&cluster, group), marks: marks() };
    let change = Change::RemoveNodeGroup(asked);
    let left = match rig.driver.capabilities().last_node_group {
        LastNodeGroup::Removable => {
            carry_out(&rig, &change).await?;
            0
        }
        LastNodeGroup::Kept | LastNodeGroup::SystemKept => {
            let error = refused(&rig, &change).await?;
            let known = matches!(error.kind(), ErrorKind::Precondition { .. } | ErrorKind::InvalidRequest(_));
            check(known, || format!("{:?}: {error}", error.kind()))?;
            1
        }
    };
    let after = rig.driver.get_cluster(&cluster.iid.system_id).await?;
    check_equal(&after.node_groups.len(), &left, "the node groups that are left")?;
    delete_cluster(&rig, &after).await?;
    ground.clear(&rig).await?;
    Ok(Verdict::Passed)
}
