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
use pmks_driver::cluster_objects::{ClusterObjects, keep_permitted};
use pmks_driver::{DeleteCluster, Result};
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

/// All children, ordered by kind and identifier. What may not be looked at is named among the unknown, but for volumes
/// that are to be deleted. At least six calls at AWS, and one for every 20 balancers and target groups of the cluster's
/// network; four at the cluster.
///
/// # Errors
/// Whatever kept AWS from answering, and the cluster where it must be heard; `Forbidden` for those volumes alone.
pub(crate) async fn children(
    driver: &AwsDriver,
    cluster: &Cluster,
    deletion: Option<&DeleteCluster>,
) -> Result<Children> {
    let objects = objects(driver, cluster, deletion.is_some_and(|asked| asked.must_hear)).await?;
    let delete_volumes = deletion.is_some_and(|asked| asked.delete_volumes);
    let mut at_aws = at_aws(driver, cluster, &objects, delete_volumes).await?;
    let mut found: Vec<Child> = objects.children().collect();
    found.append(&mut at_aws.found);
    found.sort_by(|a, b| (&a.kind, &a.system_id).cmp(&(&b.kind, &b.system_id)));
    found.dedup_by(|a, b| (&a.kind, &a.system_id) == (&b.kind, &b.system_id));
    Ok(Children { found, unknown: objects.unknown.into_iter().chain(at_aws.unknown).collect() })
}

/// What the cluster itself knows. Without an endpoint no controller has ever run.
async fn objects(driver: &AwsDriver, cluster: &Cluster, must_hear: bool) -> Result<ClusterObjects> {
    if cluster.access.endpoint.is_empty() {
        return Ok(ClusterObjects::default());
    }
    ClusterObjects::read(kubernetes::of(driver, cluster).await, must_hear).await
}

async fn at_aws(
    driver: &AwsDriver,
    cluster: &Cluster,
    objects: &ClusterObjects,
    delete_volumes: bool,
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
    let volumes = if delete_volumes { Ok(volumes?) } else { volumes };
    for (what, read) in [
        ("classic load balancers", classic),
        ("load balancers", balancers),
        ("security groups", groups),
        ("target groups", targets),
        ("network interfaces", interfaces),
        ("volumes", volumes),
    ] {
        keep_permitted(what, read, &mut children.found, &mut children.unknown)?;
    }
    Ok(children)
}
