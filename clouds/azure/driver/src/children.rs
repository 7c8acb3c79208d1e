//! What came into being because a cluster stood. AKS keeps all of it in the node resource group, and takes that along:
//! balancers, public addresses, disks. What workloads reach elsewhere is known to the cluster alone.
//!
//! Source: <https://learn.microsoft.com/azure/aks/faq> (node resource group),
//! <https://learn.microsoft.com/azure/aks/delete-cluster>

use pmks_driver::cluster_objects::{Part, answered, in_order, keep_seen};
use pmks_driver::kubernetes::ClusterApi;
use pmks_driver::{Care, Result, chain};
use pmks_model::{Child, Children, Cluster, Tags};

use crate::arm_id::{ArmId, canonical_text};
use crate::convert::NODE_RESOURCE_GROUP;
use crate::operations::role_assignment;
use crate::wire::resources::GenericResource;
use crate::{AzureDriver, PROVIDER, access};

/// A balancer.
const BALANCER: &str = "loadBalancer";
/// A public address.
const ADDRESS: &str = "publicIpAddress";

/// What lies in the node resource group.
const INSIDE: Part = Part::with_volumes_that_go("what lies in the node resource group");
/// What is not known where the cluster itself could not be asked.
const ELSEWHERE: Part = Part::with_volumes("volumes outside the node resource group");

/// All children, ordered by kind and identifier. Two calls, and one at the cluster.
///
/// # Errors
/// Whatever kept Azure, or the cluster, from answering what is to be asked for again.
pub(crate) async fn children(driver: &AzureDriver, cluster: &Cluster, care: Care) -> Result<Children> {
    let mut children = Children::default();
    let Some(group) = cluster.key_value_list.get(NODE_RESOURCE_GROUP) else { return Ok(children) };
    let inside = match driver.api.resources_of(group).await {
        Err(error) if error.is_not_found() => Ok(Vec::new()),
        read => read.map(|resources| resources.iter().filter_map(child).collect()),
    };
    keep_seen(INSIDE, inside, care, &mut children.found, &mut children.unknown)?;
    elsewhere(driver, cluster, group, care, &mut children).await?;
    children.found = in_order(children.found, &[]);
    Ok(children)
}

/// Which of these still exist, as far as that can be asked: disks and roles. What lies within the node resource group is
/// told by its list. One call each.
pub(crate) async fn standing(driver: &AzureDriver, children: &[Child]) -> Result<Vec<Child>> {
    let mut left = Vec::new();
    for child in children {
        let disk = ArmId::parse(&child.system_id).filter(|id| id.is("disks"));
        let stands = match (role_assignment::is_assigned(driver, child).await?, disk) {
            (Some(is_assigned), _) => is_assigned,
            (None, Some(disk)) => driver.api.has_disk(&disk).await?,
            (None, None) => true,
        };
        if stands {
            left.push(child.clone());
        }
    }
    Ok(left)
}

/// A resource of the node resource group that workloads asked for, or that costs by itself. Scale sets, identities and
/// groups are the cluster's own parts.
fn child(resource: &GenericResource) -> Option<Child> {
    let kind = match resource.kind.to_ascii_lowercase().as_str() {
        "microsoft.network/loadbalancers" => BALANCER,
        "microsoft.network/publicipaddresses" => ADDRESS,
        // Azure Disk and Azure File of dynamic volumes live here; the disks of nodes go with their scale sets.
        "microsoft.compute/disks" | "microsoft.storage/storageaccounts" => Child::VOLUME,
        _ => return None,
    };
    Some(Child {
        kind: kind.to_owned(),
        system_id: canonical_text(&resource.id),
        name: resource.name.clone(),
        made_by: maker(&resource.tags),
        goes_with_cluster: true,
    })
}

/// Who made it, as the storage driver and the cloud provider write it into tags; empty if they do not.
///
/// Source: <https://github.com/kubernetes-sigs/azuredisk-csi-driver/blob/master/pkg/azureconstants/azure_constants.go>,
/// <https://github.com/kubernetes-sigs/cloud-provider-azure/blob/master/pkg/consts/consts.go>
fn maker(tags: &Tags) -> String {
    let tag = |name: &str| {
        tags.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    };
    let claim = (tag("kubernetes.io-created-for-pvc-namespace"), tag("kubernetes.io-created-for-pvc-name"));
    if let (Some(namespace), Some(name)) = claim {
        return format!("PersistentVolumeClaim {namespace}/{name}");
    }
    tag("k8s-azure-service").map(|service| format!("Service {service}")).unwrap_or_default()
}

/// Disks of volumes that lie outside the node resource group stay. Only the cluster knows them: it lets us in by a token
/// of Entra, or by the certificate that AKS gives out.
async fn elsewhere(
    driver: &AzureDriver,
    cluster: &Cluster,
    group: &str,
    care: Care,
    children: &mut Children,
) -> Result<()> {
    if cluster.access.endpoint.is_empty() {
        return Ok(());
    }
    if cluster.status == pmks_model::Status::Stopped {
        children.unknown.push(ELSEWHERE.unseen("the cluster is stopped, and cannot be asked"));
        return Ok(());
    }
    let volumes = async {
        let token = access::token(driver, cluster).await?;
        let (transport, pace) = (&driver.here.transport, driver.here.pace);
        ClusterApi::new(transport, PROVIDER, &cluster.access, &token, pace)?.persistent_volumes().await
    };
    match answered(volumes.await, care)? {
        Ok(volumes) => {
            for volume in volumes {
                let id = ArmId::parse(&volume.cloud_id).filter(|id| !id.group().eq_ignore_ascii_case(group));
                let Some(id) = id else { continue };
                children.found.push(Child {
                    kind: Child::VOLUME.to_owned(),
                    system_id: id.to_string(),
                    name: id.name().to_owned(),
                    made_by: format!("PersistentVolume {}", volume.name),
                    goes_with_cluster: false,
                });
            }
        }
        Err(error) => children.unknown.push(ELSEWHERE.unseen(chain(&error))),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_workloads_asked_for_is_told_from_the_clusters_own_parts() {
        let resource = |kind: &str, tags: serde_json::Value| -> GenericResource {
            let id = format!("/subscriptions/0/resourceGroups/MC/providers/{kind}/x");
            serde_json::from_value(json!({"id": id, "name": "x", "type": kind, "tags": tags})).unwrap()
        };
        let seen = |kind: &str, tags: serde_json::Value| {
            child(&resource(kind, tags))
                .map(|child| format!("{} {} {}", child.kind, child.made_by, child.goes_with_cluster))
        };
        let claim = json!({"kubernetes.io-created-for-pvc-name": "data", "kubernetes.io-created-for-pvc-namespace": "shop"});
        for (kind, tags, expected) in [
            ("Microsoft.Compute/disks", claim, Some("volume PersistentVolumeClaim shop/data true")),
            ("Microsoft.Storage/storageAccounts", json!(null), Some("volume  true")),
            ("Microsoft.Network/loadBalancers", json!({}), Some("loadBalancer  true")),
            (
                "Microsoft.Network/publicIPAddresses",
                json!({"k8s-azure-service": "shop/web"}),
                Some("publicIpAddress Service shop/web true"),
            ),
            ("Microsoft.Compute/virtualMachineScaleSets", json!({}), None),
            ("Microsoft.Network/networkSecurityGroups", json!({}), None),
        ] {
            assert_eq!(seen(kind, tags).as_deref(), expected, "{kind}");
        }
    }
}
