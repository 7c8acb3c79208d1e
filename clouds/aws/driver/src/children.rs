//! What came into being because a cluster stood: what its controllers made at AWS, found through the cluster's own
//! Kubernetes API where it can be reached, and by the tags that controllers set.
//!
//! Sources: <https://docs.aws.amazon.com/eks/latest/userguide/delete-cluster.html>,
//! <https://github.com/kubernetes-sigs/aws-load-balancer-controller/blob/main/docs/deploy/configurations.md>,
//! <https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/tagging.md>,
//! <https://github.com/aws/amazon-vpc-cni-k8s/blob/master/README.md> (`CLUSTER_NAME`).

use std::collections::BTreeMap;

use futures::FutureExt;
use pmks_driver::cluster_objects::{ClusterObjects, keep, volume_made_by};
use pmks_driver::kubernetes::PersistentVolume;
use pmks_driver::{DriverError, ErrorKind, Marks, Result};
use pmks_model::{Child, Children, Cluster, Tags};

use crate::api::ec2::filter;
use crate::wire::{ec2, elb, elbv2};
use crate::{AwsDriver, PROVIDER, kubernetes, networks};

/// A classic balancer; its identifier is its name.
pub(crate) const CLASSIC_BALANCER: &str = "classicLoadBalancer";
/// A network or application balancer.
pub(crate) const BALANCER: &str = "loadBalancer";
/// A target group of such a balancer.
pub(crate) const TARGET_GROUP: &str = "targetGroup";
/// A security group.
pub(crate) const SECURITY_GROUP: &str = "securityGroup";
/// A network interface of the VPC CNI.
pub(crate) const INTERFACE: &str = "networkInterface";
/// An EBS volume.
pub(crate) const VOLUME: &str = Child::VOLUME;

/// All children, ordered by kind and identifier. What could not be looked at is named among the unknown. At least
/// six calls at AWS, and one for every 20 balancers and target groups of the cluster's network; four at the cluster.
pub(crate) async fn children(driver: &AwsDriver, cluster: &Cluster) -> Result<Children> {
    let objects = objects(driver, cluster).await;
    let mut at_aws = at_aws(driver, cluster, &objects).await;
    let mut found: Vec<Child> = objects.children().collect();
    found.append(&mut at_aws.found);
    found.sort_by(|a, b| (&a.kind, &a.system_id).cmp(&(&b.kind, &b.system_id)));
    found.dedup_by(|a, b| (&a.kind, &a.system_id) == (&b.kind, &b.system_id));
    Ok(Children { found, unknown: objects.unknown.into_iter().chain(at_aws.unknown).collect() })
}

/// What the cluster itself knows. Without an endpoint no controller has ever run.
async fn objects(driver: &AwsDriver, cluster: &Cluster) -> ClusterObjects {
    if cluster.access.endpoint.is_empty() {
        return ClusterObjects::default();
    }
    ClusterObjects::read(kubernetes::of(driver, cluster).await).await
}

async fn at_aws(driver: &AwsDriver, cluster: &Cluster, objects: &ClusterObjects) -> Children {
    let of = Owner::new(cluster, objects);
    // Boxed: together they are larger than a future should be.
    let (classic, balancers, groups, targets, interfaces, volumes) = futures::join!(
        classic_balancers(driver, &of).boxed(),
        balancers(driver, &of).boxed(),
        security_groups(driver, &of).boxed(),
        target_groups(driver, &of).boxed(),
        interfaces(driver, &of).boxed(),
        volumes(driver, &of, &objects.volumes).boxed(),
    );
    let mut children = Children::default();
    for (what, read) in [
        ("classic load balancers", classic),
        ("load balancers", balancers),
        ("security groups", groups),
        ("target groups", targets),
        ("network interfaces", interfaces),
        ("volumes", volumes),
    ] {
        keep(what, read, &mut children.found, &mut children.unknown);
    }
    children
}

/// Whose children are looked for.
struct Owner<'a> {
    cluster: &'a str,
    network: &'a str,
    /// The security groups that the user gave to the cluster: never children.
    given_groups: Vec<&'a str>,
    /// Who has which address, such as `Service default/web`.
    addresses: BTreeMap<String, String>,
}

impl<'a> Owner<'a> {
    fn new(cluster: &'a Cluster, objects: &ClusterObjects) -> Self {
        let mut addresses = BTreeMap::new();
        for object in &objects.balanced {
            let who = format!("{} {}/{}", object.kind.as_str(), object.namespace, object.name);
            for address in &object.addresses {
                addresses.insert(plain_host(address), who.clone());
            }
        }
        Self {
            cluster: &cluster.iid.system_id,
            network: &cluster.network.network.system_id,
            given_groups: cluster.network.security_groups.iter().map(|iid| iid.system_id.as_str()).collect(),
            addresses,
        }
    }

    /// Whether a controller of this cluster says that it made it.
    fn owns(&self, tags: &Tags) -> bool {
        let by_cloud_provider = tags.get(&format!("kubernetes.io/cluster/{}", self.cluster));
        by_cloud_provider.is_some_and(|value| value == "owned") || self.owns_by_controller(tags)
    }

    fn owns_by_controller(&self, tags: &Tags) -> bool {
        tags.get("elbv2.k8s.aws/cluster").is_some_and(|value| value == self.cluster)
    }

    fn is_near(&self, network: &str) -> bool {
        self.network.is_empty() || network == self.network
    }

    /// A balancer is a child if a controller tagged it, or if an object of the cluster has its host name.
    fn balancer(&self, kind: &str, id: &str, name: &str, host: &str, tags: &Tags) -> Option<Child> {
        let object = self.addresses.get(&plain_host(host)).cloned();
        let made_by = object.or_else(|| self.owns(tags).then(|| maker(tags)))?;
        Some(child(kind, id, name, made_by))
    }
}

/// The host name as AWS lists it: objects may carry it in another case, or as `dualstack.…`.
fn plain_host(host: &str) -> String {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host.strip_prefix("dualstack.").map(str::to_owned).unwrap_or(host)
}

/// Who made it, as controllers write it into tags; empty if they do not.
fn maker(tags: &Tags) -> String {
    for (key, kind) in [
        ("kubernetes.io/service-name", "Service"),
        ("service.k8s.aws/stack", "Service"),
        ("ingress.k8s.aws/stack", "Ingress"),
        ("gateway.k8s.aws.alb/stack", "Gateway"),
        ("gateway.k8s.aws.nlb/stack", "Gateway"),
    ] {
        if let Some(name) = tags.get(key) {
            return format!("{kind} {name}");
        }
    }
    String::new()
}

fn child(kind: &str, id: &str, name: &str, made_by: String) -> Child {
    Child {
        kind: kind.to_owned(),
        system_id: id.to_owned(),
        name: name.to_owned(),
        made_by,
        goes_with_cluster: false,
    }
}

async fn classic_balancers(driver: &AwsDriver, of: &Owner<'_>) -> Result<Vec<Child>> {
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

async fn balancers(driver: &AwsDriver, of: &Owner<'_>) -> Result<Vec<Child>> {
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

async fn target_groups(driver: &AwsDriver, of: &Owner<'_>) -> Result<Vec<Child>> {
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

async fn security_groups(driver: &AwsDriver, of: &Owner<'_>) -> Result<Vec<Child>> {
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

async fn interfaces(driver: &AwsDriver, of: &Owner<'_>) -> Result<Vec<Child>> {
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

async fn volumes(driver: &AwsDriver, of: &Owner<'_>, claimed: &[PersistentVolume]) -> Result<Vec<Child>> {
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

fn stands(volume: &ec2::Volume) -> bool {
    !matches!(volume.status.as_str(), "deleting" | "deleted")
}

/// Which of these still exist at AWS. One call a kind of child; Kubernetes objects are left out.
pub(crate) async fn standing(driver: &AwsDriver, children: &[Child]) -> Result<Vec<Child>> {
    let api = &driver.api;
    let mut left = Vec::new();
    for kind in [CLASSIC_BALANCER, BALANCER, TARGET_GROUP, SECURITY_GROUP, INTERFACE, VOLUME] {
        let of_kind: Vec<&Child> = children.iter().filter(|child| child.kind == kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        let ids: Vec<String> = of_kind.iter().map(|child| child.system_id.clone()).collect();
        // A balancer that is asked for by name and gone is an error of the whole list: all are listed.
        let found: Vec<String> = match kind {
            CLASSIC_BALANCER => {
                api.classic_balancers(None).await?.into_iter().map(|one| one.load_balancer_name).collect()
            }
            BALANCER => api.balancers(None).await?.into_iter().map(|one| one.load_balancer_arn).collect(),
            TARGET_GROUP => {
                api.target_groups(None).await?.into_iter().map(|one| one.target_group_arn).collect()
            }
            SECURITY_GROUP => {
                let groups = api.describe_security_groups(&[("group-id", ids)]).await?;
                groups.into_iter().map(|one| one.group_id).collect()
            }
            INTERFACE => {
                let interfaces = api.describe_network_interfaces(&[("network-interface-id", ids)]).await?;
                interfaces.into_iter().map(|one| one.network_interface_id).collect()
            }
            _ => {
                let volumes = api.describe_volumes(&[("volume-id", ids)]).await?;
                volumes.into_iter().filter(stands).map(|one| one.volume_id).collect()
            }
        };
        left.extend(of_kind.into_iter().filter(|child| found.contains(&child.system_id)).cloned());
    }
    Ok(left)
}

/// Asks AWS to remove one child, by its stored identifier; gone is success.
///
/// # Errors
/// `Conflict` while something holds it; `Precondition` for a balancer that is protected.
pub(crate) async fn remove(driver: &AwsDriver, child: &Child) -> Result<()> {
    let (api, id) = (&driver.api, child.system_id.as_str());
    let asked = match child.kind.as_str() {
        CLASSIC_BALANCER => api.delete_classic_balancer(id).await,
        BALANCER => api.delete_balancer(id).await,
        TARGET_GROUP => api.delete_target_group(id).await,
        SECURITY_GROUP => api.delete_security_group(id).await,
        INTERFACE => api.delete_network_interface(id).await,
        VOLUME => api.delete_volume(id).await,
        other => {
            let message = format!("a child of kind {other:?} cannot be removed at AWS");
            Err(DriverError::new(ErrorKind::Unexpected, PROVIDER, message))
        }
    };
    match asked {
        Err(error) if error.is_not_found() => Ok(()),
        asked => asked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{List, Tag};
    use pmks_driver::kubernetes::{BalancedObject, Kind};
    use pmks_model::{ClusterNetwork, Iid};

    fn cluster() -> Cluster {
        Cluster {
            iid: Iid::unnamed("prod"),
            network: ClusterNetwork {
                network: Iid::unnamed("vpc-1"),
                security_groups: vec![Iid::unnamed("sg-given")],
                ..ClusterNetwork::default()
            },
            ..Cluster::default()
        }
    }

    fn service(host: &str) -> ClusterObjects {
        let balanced = vec![BalancedObject {
            kind: Kind::Service,
            namespace: "default".to_owned(),
            name: "web".to_owned(),
            uid: String::new(),
            addresses: vec![host.to_owned()],
            deleting: false,
        }];
        ClusterObjects { balanced, ..ClusterObjects::default() }
    }

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

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
    fn a_balancer_is_known_by_its_tags_or_by_an_objects_host_name() {
        let (cluster, objects) = (cluster(), service("dualstack.WEB-1.elb.amazonaws.com"));
        let of = Owner::new(&cluster, &objects);
        let made_by = |host: &str, pairs: &[(&str, &str)]| {
            of.balancer(BALANCER, "arn", "n", host, &tags(pairs)).map(|child| child.made_by)
        };
        assert_eq!(made_by("web-1.elb.amazonaws.com", &[]).as_deref(), Some("Service default/web"));
        let owned = [("kubernetes.io/cluster/prod", "owned"), ("kubernetes.io/service-name", "shop/x")];
        assert_eq!(made_by("x", &owned).as_deref(), Some("Service shop/x"));
        let by_controller = [("elbv2.k8s.aws/cluster", "prod"), ("ingress.k8s.aws/stack", "shop/y")];
        assert_eq!(made_by("x", &by_controller).as_deref(), Some("Ingress shop/y"));
        for strangers in [
            &[("kubernetes.io/cluster/prod", "shared")][..],
            &[("kubernetes.io/cluster/prod2", "owned")],
            &[("elbv2.k8s.aws/cluster", "dev")],
            &[],
        ] {
            assert_eq!(made_by("x", strangers), None, "{strangers:?}");
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
