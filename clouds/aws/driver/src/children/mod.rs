//! What came into being because a cluster stood: what its controllers made at AWS, found through the cluster's own
//! Kubernetes API where it can be reached, and by the tags that controllers set.
//!
//! Sources: <https://docs.aws.amazon.com/eks/latest/userguide/delete-cluster.html>,
//! <https://github.com/kubernetes-sigs/aws-load-balancer-controller/blob/main/docs/deploy/configurations.md>,
//! <https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/tagging.md>,
//! <https://github.com/aws/amazon-vpc-cni-k8s/blob/master/README.md> (`CLUSTER_NAME`).

mod lists;
mod owner;
mod sweep;

use futures::FutureExt;
use pmks_driver::cluster_objects::{ClusterObjects, Part, in_order, keep_seen};
use pmks_driver::{Care, Result};
use pmks_model::{Child, Children, Cluster};

use crate::{AwsDriver, kubernetes};
use lists::{balancers, classic_balancers, interfaces, security_groups, target_groups, volumes};
use owner::Owner;

pub(crate) use sweep::{remove, standing};

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

/// All children, ordered by kind and identifier; what was not looked at is named among the unknown, or asked for again, as
/// the care says. At least six calls at AWS, and one for every 20 balancers and target groups of the cluster's
/// network; four at the cluster.
///
/// # Errors
/// Whatever kept AWS, or the cluster, from answering what is to be asked for again.
pub(crate) async fn children(driver: &AwsDriver, cluster: &Cluster, care: Care) -> Result<Children> {
    let objects = objects(driver, cluster, care).await?;
    let at_aws = at_aws(driver, cluster, &objects, care).await?;
    let found = in_order(at_aws.found, &objects.children().collect::<Vec<_>>());
    Ok(Children { found, unknown: objects.unknown.into_iter().chain(at_aws.unknown).collect() })
}

/// What the cluster itself knows. Without an endpoint no controller has ever run.
async fn objects(driver: &AwsDriver, cluster: &Cluster, care: Care) -> Result<ClusterObjects> {
    if cluster.access.endpoint.is_empty() {
        return Ok(ClusterObjects::default());
    }
    ClusterObjects::read(kubernetes::of(driver, cluster).await, care).await
}

async fn at_aws(
    driver: &AwsDriver,
    cluster: &Cluster,
    objects: &ClusterObjects,
    care: Care,
) -> Result<Children> {
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
    for (part, read) in [
        (Part::of("classic load balancers"), classic),
        (Part::of("load balancers"), balancers),
        (Part::of("security groups"), groups),
        (Part::of("target groups"), targets),
        (Part::of("network interfaces"), interfaces),
        (Part::with_volumes("volumes"), volumes),
    ] {
        keep_seen(part, read, care, &mut children.found, &mut children.unknown)?;
    }
    Ok(children)
}
