//! Clusters as a cloud tells of them, by the thousand: for whoever measures what many of them cost.

use pmks_driver::Marks;
use pmks_model::{Cluster, Iid, NodeGroup, Scaling, Status, Version};

/// A cluster with two node groups of three nodes each, as large as one of a cloud usually is.
pub(crate) fn seen_cluster(number: u128) -> Cluster {
    let tags = Marks { installation: "i".into(), operation: "o".into(), uid: "u".into() };
    let iid = |kind: &str| Iid::new("", format!("{kind}-0123456789abcdef0"));
    let mut seen = Cluster {
        iid: Iid::unnamed(format!("cluster-{number}")),
        incarnation: "2026-01-01T00:00:00Z".to_owned(),
        version: Some(Version::of_minor(1, 34)),
        status: Status::Active,
        tags: tags.onto(&[("team".to_owned(), "a".to_owned())].into()),
        node_groups: (1..3).map(|part| seen_group(number, part)).collect(),
        ..Cluster::default()
    };
    seen.network.network = iid("vpc");
    seen.network.subnets = vec![iid("subnet"), iid("subnet")];
    seen.access.endpoint =
        "https://0123456789ABCDEF0123456789ABCDEF.gr7.ap-northeast-2.eks.amazonaws.com".into();
    seen.access.certificate_authority = "x".repeat(1_500);
    seen
}

/// One of its node groups, counted from 1.
pub(crate) fn seen_group(number: u128, part: u128) -> NodeGroup {
    NodeGroup {
        iid: Iid::unnamed(format!("group-{part}")),
        incarnation: "2026-01-01T00:00:00Z".to_owned(),
        version: Some(Version::of_minor(1, 34)),
        machine_type: "t3.medium".to_owned(),
        image: "AL2023_x86_64_STANDARD".to_owned(),
        scaling: Some(Scaling { auto_scaling: false, min: 1, max: 5, desired: 3 }),
        status: Status::Active,
        nodes: (0..3)
            .map(|node| Iid::new(format!("ip-10-0-0-{node}"), format!("i-{number:08x}{part}{node}")))
            .collect(),
        ..NodeGroup::default()
    }
}
