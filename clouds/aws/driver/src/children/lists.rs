//! What stands at AWS and is a cluster's child, kind by kind, by lists alone.

use std::collections::BTreeMap;

use pmks_driver::cluster_objects::volume_made_by;
use pmks_driver::kubernetes::PersistentVolume;
use pmks_driver::{Marks, Result};
use pmks_model::{Child, Tags};

use super::owner::{Owner, child, maker};
use super::{BALANCER, CLASSIC_BALANCER, INTERFACE, SECURITY_GROUP, TARGET_GROUP, VOLUME};
use crate::api::ec2::filter;
use crate::wire::{ec2, elb, elbv2};
use crate::{AwsDriver, networks};

pub(super) async fn classic_balancers(driver: &AwsDriver, of: &Owner<'_>) -> Result<Vec<Child>> {
    let all = driver.api.classic_balancers(None).await?;
    let near: Vec<&elb::LoadBalancer> = all.iter().filter(|one| of.is_near(&one.vpc_id)).collect();
    let names: Vec<String> = near.iter().map(|one| one.load_balancer_name.clone()).collect();
    let tags = driver.api.classic_balancer_tags(&names).await?;
    let none = Tags::new();
    let children = near.into_iter().filter_map(|one| {
        let name = one.load_balancer_name.as_str();
        of.balancer(CLASSIC_BALANCER, name, name, &one.dns_name, tags.get(name).unwrap_or(&none))
    });
    Ok(children.collect())
}

pub(super) async fn balancers(driver: &AwsDriver, of: &Owner<'_>) -> Result<Vec<Child>> {
    let all = driver.api.balancers(None).await?;
    let near: Vec<&elbv2::LoadBalancer> = all.iter().filter(|one| of.is_near(&one.vpc_id)).collect();
    let arns: Vec<String> = near.iter().map(|one| one.load_balancer_arn.clone()).collect();
    let tags = driver.api.balancing_tags(&arns).await?;
    let none = Tags::new();
    let children = near.into_iter().filter_map(|one| {
        let (arn, name) = (one.load_balancer_arn.as_str(), one.load_balancer_name.as_str());
        of.balancer(BALANCER, arn, name, &one.dns_name, tags.get(arn).unwrap_or(&none))
    });
    Ok(children.collect())
}

pub(super) async fn target_groups(driver: &AwsDriver, of: &Owner<'_>) -> Result<Vec<Child>> {
    let all = driver.api.target_groups(None).await?;
    let near: Vec<&elbv2::TargetGroup> = all.iter().filter(|one| of.is_near(&one.vpc_id)).collect();
    let arns: Vec<String> = near.iter().map(|one| one.target_group_arn.clone()).collect();
    let tags = driver.api.balancing_tags(&arns).await?;
    let children = near.into_iter().filter_map(|one| {
        let tags = tags.get(&one.target_group_arn).filter(|tags| of.owns(tags))?;
        Some(child(TARGET_GROUP, &one.target_group_arn, &one.target_group_name, maker(tags)))
    });
    Ok(children.collect())
}

pub(super) async fn security_groups(driver: &AwsDriver, of: &Owner<'_>) -> Result<Vec<Child>> {
    if of.network.is_empty() {
        return Ok(Vec::new());
    }
    let groups = driver.api.describe_security_groups(&[filter("vpc-id", of.network)]).await?;
    Ok(groups.iter().filter_map(|group| group_child(group, of)).collect())
}

/// The group that EKS makes for a cluster goes with it. Users tag groups of their own with the cluster's name too: of
/// the others only those are children whose names or tags are a controller's.
fn group_child(group: &ec2::SecurityGroup, of: &Owner<'_>) -> Option<Child> {
    let tags = group.tag_set.to_tags();
    let (id, name) = (group.group_id.as_str(), group.group_name.as_str());
    if of.given_groups.contains(&id) || Marks::KEYS.iter().any(|key| tags.contains_key(*key)) {
        return None;
    }
    if tags.get("aws:eks:cluster-name").is_some_and(|value| value == of.cluster) {
        return Some(Child { goes_with_cluster: true, ..child(SECURITY_GROUP, id, name, "EKS".to_owned()) });
    }
    let controllers = of.owns_by_controller(&tags) || (name.starts_with("k8s-") && of.owns(&tags));
    controllers.then(|| child(SECURITY_GROUP, id, name, maker(&tags)))
}

pub(super) async fn interfaces(driver: &AwsDriver, of: &Owner<'_>) -> Result<Vec<Child>> {
    // The tag's value is the cluster's name; interfaces without it may be another cluster's in the same network.
    let own = [filter("description", "aws-K8S-*"), filter("tag:cluster.k8s.amazonaws.com/name", of.cluster)];
    let found = driver.api.describe_network_interfaces(&own).await?;
    let children = found.iter().map(|interface| {
        let id = interface.network_interface_id.as_str();
        child(INTERFACE, id, &interface.description, "VPC CNI".to_owned())
    });
    Ok(children.collect())
}

/// The tags of volumes that were made for a claim.
const CLAIMED: [&str; 4] = [
    "CSIVolumeName",
    "ebs.csi.aws.com/cluster",
    "kubernetes.io/created-for/pv/name",
    "kubernetes.io/created-for/pvc/name",
];

pub(super) async fn volumes(
    driver: &AwsDriver,
    of: &Owner<'_>,
    claimed: &[PersistentVolume],
) -> Result<Vec<Child>> {
    let tag = format!("tag:kubernetes.io/cluster/{}", of.cluster);
    let found = driver.api.describe_volumes(&[filter(&tag, "owned")]).await?;
    let mut children: BTreeMap<String, Child> = BTreeMap::new();
    for volume in found.iter().filter(|volume| stands(volume)) {
        let tags = volume.tag_set.to_tags();
        // The nodes' own disks may carry the cluster's tag too; they go with their instances.
        if !CLAIMED.iter().any(|key| tags.contains_key(*key)) {
            continue;
        }
        let part = |part: &str| tags.get(&format!("kubernetes.io/created-for/pvc/{part}"));
        let made_by = match (part("namespace"), part("name")) {
            (Some(namespace), Some(name)) => format!("PersistentVolumeClaim {namespace}/{name}"),
            _ => String::new(),
        };
        let name = tags.get(networks::NAME_TAG).map(String::as_str).unwrap_or_default();
        children.insert(volume.volume_id.clone(), child(VOLUME, &volume.volume_id, name, made_by));
    }
    // Disks of other storage drivers, such as file systems, have identifiers of their own.
    for volume in claimed.iter().filter(|volume| volume.cloud_id.starts_with("vol-")) {
        let made_by = volume_made_by(volume);
        children.insert(volume.cloud_id.clone(), child(VOLUME, &volume.cloud_id, &volume.name, made_by));
    }
    Ok(children.into_values().collect())
}

pub(super) fn stands(volume: &ec2::Volume) -> bool {
    !matches!(volume.status.as_str(), "deleting" | "deleted")
}

#[cfg(test)]
mod tests {
    use pmks_driver::cluster_objects::ClusterObjects;

    use super::super::owner::tests::cluster;
    use super::*;
    use crate::query::{List, Tag};

    fn group(id: &str, name: &str, pairs: &[(&str, &str)]) -> ec2::SecurityGroup {
        let entries =
            pairs.iter().map(|(k, v)| Tag { key: (*k).to_owned(), value: (*v).to_owned() }).collect();
        ec2::SecurityGroup {
            group_id: id.to_owned(),
            group_name: name.to_owned(),
            tag_set: List { entries },
            ..ec2::SecurityGroup::default()
        }
    }

    #[test]
    fn groups_of_users_are_never_children() {
        let (cluster, objects) = (cluster(), ClusterObjects::default());
        let of = Owner::new(&cluster, &objects);
        let owned = ("kubernetes.io/cluster/prod", "owned");
        let found = |group: ec2::SecurityGroup| group_child(&group, &of).map(|child| child.goes_with_cluster);
        assert_eq!(found(group("sg-1", "k8s-elb-a1", &[owned])), Some(false));
        assert_eq!(
            found(group("sg-2", "eks-cluster-sg-prod-1", &[owned, ("aws:eks:cluster-name", "prod")])),
            Some(true)
        );
        assert_eq!(
            found(group("sg-3", "k8s-traffic-prod", &[("elbv2.k8s.aws/cluster", "prod")])),
            Some(false)
        );
        assert_eq!(found(group("sg-4", "my-nodes", &[owned])), None);
        assert_eq!(found(group("sg-given", "k8s-elb-b", &[owned])), None);
        assert_eq!(found(group("sg-5", "k8s-elb-c", &[owned, ("pmks-uid", "u")])), None);
        assert_eq!(found(group("sg-6", "k8s-elb-d", &[("kubernetes.io/cluster/dev", "owned")])), None);
    }
}
