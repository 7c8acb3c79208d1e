//! What we read of the API server's answers, and what it says in our words.

use serde::Deserialize;

use super::{BalancedObject, Kind, PersistentVolume};

/// A list says that it is one: what does not would pass for a cluster with nothing in it. Of none there may be `null`.
#[derive(Deserialize)]
pub(super) struct Page<T> {
    #[serde(default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) metadata: PageMetadata,
    #[serde(default = "Option::default")]
    pub(super) items: Option<Vec<T>>,
}

#[derive(Default, Deserialize)]
pub(super) struct PageMetadata {
    #[serde(default, rename = "continue")]
    pub(super) next: String,
}

/// The API server's `Status`.
#[derive(Default, Deserialize)]
pub(super) struct Said {
    #[serde(default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) message: String,
    #[serde(default)]
    pub(super) reason: Option<String>,
}

/// What we read of any object; each kind fills its part.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Object {
    pub(super) metadata: Metadata,
    #[serde(default)]
    pub(super) spec: Specification,
    #[serde(default)]
    status: ObjectStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    name: String,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    pub(super) uid: String,
    #[serde(default)]
    deletion_timestamp: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Specification {
    /// The type of a Service.
    #[serde(default, rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    csi: Option<CsiVolume>,
    #[serde(default)]
    aws_elastic_block_store: Option<InTreeVolume>,
    #[serde(default)]
    gce_persistent_disk: Option<InTreeVolume>,
    #[serde(default)]
    azure_disk: Option<InTreeVolume>,
    #[serde(default)]
    claim_ref: Option<ClaimReference>,
    #[serde(default)]
    persistent_volume_reclaim_policy: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CsiVolume {
    #[serde(default)]
    driver: String,
    #[serde(default)]
    volume_handle: String,
}

/// A disk as the drivers that were once part of Kubernetes write it, each under a name of its own.
///
/// Source: <https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/persistent-volume-v1/>
#[derive(Deserialize)]
struct InTreeVolume {
    #[serde(default, alias = "volumeID", alias = "pdName", alias = "diskURI")]
    id: String,
}

#[derive(Deserialize)]
struct ClaimReference {
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ObjectStatus {
    #[serde(default)]
    load_balancer: LoadBalancerStatus,
    /// Of a Gateway.
    #[serde(default)]
    addresses: Vec<GatewayAddress>,
}

#[derive(Default, Deserialize)]
struct LoadBalancerStatus {
    #[serde(default)]
    ingress: Vec<LoadBalancerIngress>,
}

#[derive(Deserialize)]
struct LoadBalancerIngress {
    #[serde(default)]
    hostname: String,
    #[serde(default)]
    ip: String,
}

#[derive(Deserialize)]
struct GatewayAddress {
    #[serde(default)]
    value: String,
}

impl Object {
    pub(super) fn balanced(self, kind: Kind) -> BalancedObject {
        let given = self.status.load_balancer.ingress.into_iter();
        let addresses = given
            .flat_map(|ingress| [ingress.hostname, ingress.ip])
            .chain(self.status.addresses.into_iter().map(|address| address.value))
            .filter(|address| !address.is_empty())
            .collect();
        BalancedObject {
            kind,
            namespace: self.metadata.namespace,
            name: self.metadata.name,
            uid: self.metadata.uid,
            addresses,
            deleting: self.metadata.deletion_timestamp.is_some(),
        }
    }

    /// `None` for a volume that is no disk at a cloud (`hostPath`, `nfs`, `local`).
    pub(super) fn persistent_volume(self) -> Option<PersistentVolume> {
        let spec = self.spec;
        let (driver, cloud_id) =
            match (spec.csi, spec.aws_elastic_block_store, spec.gce_persistent_disk, spec.azure_disk) {
                (Some(csi), ..) => (csi.driver, csi.volume_handle),
                // Written `aws://ZONE/vol-…` or `vol-…`.
                (None, Some(disk), ..) => {
                    let id = disk.id.rsplit('/').next().unwrap_or_default().to_owned();
                    ("kubernetes.io/aws-ebs".to_owned(), id)
                }
                (None, None, Some(disk), _) => ("kubernetes.io/gce-pd".to_owned(), disk.id),
                (None, None, None, Some(disk)) => ("kubernetes.io/azure-disk".to_owned(), disk.id),
                (None, None, None, None) => return None,
            };
        let claim = spec.claim_ref.map(|claim| format!("{}/{}", claim.namespace, claim.name));
        Some(PersistentVolume {
            name: self.metadata.name,
            cloud_id,
            driver,
            claim: claim.unwrap_or_default(),
            reclaimed: spec.persistent_volume_reclaim_policy == "Delete",
        })
    }
}
