//! What the keeper of Kubernetes endpoints is told of AKS' clusters, and who may come in.

use std::collections::{BTreeMap, BTreeSet};

use pmks_simulation::Now;
use pmks_simulation::kubernetes::{
    ClusterEndpoint, ClusterSettings, Clusters, Credential, Deletion, Entrance, Identity, PersistentVolume,
    Present, Refusal, Workload,
};
use serde_json::Value;

use super::state::{Cluster, ENTRANCE_GOES};
use super::{Step, nodes};
use crate::arm::key;
use crate::entra::AKS_SERVER;
use crate::json::{items, number, text};
use crate::operations;
use crate::world::{Subscription, World, tags};

/// The subscription, the cluster's id in lower case, and the identity that a later cluster of the same name does not have.
pub(crate) type Key = (String, String, String);

impl Clusters for World {
    type Key = Key;

    fn name((_, id, _): &Key) -> &str {
        crate::arm::last(id)
    }

    fn standing(&self) -> BTreeSet<Key> {
        let of_subscription = |(id, held): (&String, &Subscription)| {
            let standing = held.clusters.iter().filter(|(_, cluster)| cluster.stands && !cluster.stopped);
            standing
                .filter(|(_, cluster)| !super::copies::is_copy(cluster.name()))
                .map(|(key, cluster)| (id.clone(), key.clone(), cluster.uid.clone()))
                .collect::<Vec<_>>()
        };
        self.subscriptions.iter().flat_map(of_subscription).collect()
    }

    fn endpoint(&self, key: &Key) -> Option<&ClusterEndpoint> {
        cluster(self, key)?.endpoint.as_ref()
    }

    fn set_endpoint(&mut self, (subscription, id, _): &Key, endpoint: ClusterEndpoint) {
        if let Some(cluster) = self.subscription_mut(subscription).clusters.get_mut(id) {
            cluster.endpoint = Some(endpoint);
        }
    }

    fn settings(&self, key: &Key) -> Option<ClusterSettings> {
        cluster(self, key).map(settings)
    }

    fn present(&self, key: &Key) -> Option<Present> {
        let cluster = cluster(self, key)?;
        let shown = |entrance: &super::state::Entrance| Entrance {
            namespace: entrance.namespace.clone(),
            name: entrance.name.clone(),
            address: entrance.address.to_string(),
            ingress: false,
        };
        Some(Present {
            version: git_version(&cluster.version),
            nodes: nodes::nodes(&key.0, cluster),
            entrances: cluster.entrances.iter().filter(|entrance| !entrance.going).map(shown).collect(),
            volumes: volumes(self.subscription(&key.0), cluster),
        })
    }

    fn entrance_deleted(&mut self, (subscription, id, _): &Key, deletion: &Deletion, now: Now) -> bool {
        let Some(cluster) = self.subscription_mut(subscription).clusters.get_mut(id) else { return false };
        let is_it = |entrance: &&mut super::state::Entrance| {
            entrance.namespace == deletion.namespace && entrance.name == deletion.name
        };
        let Some(entrance) = cluster.entrances.iter_mut().find(is_it) else { return false };
        entrance.going = true;
        let step = Step::RemoveEntrance(deletion.namespace.clone(), deletion.name.clone());
        let phases = [(now.work.saturating_add(ENTRANCE_GOES), operations::Step::Cluster(step))];
        operations::add(self, subscription, now, ("", "", id), phases.into());
        true
    }

    fn balancer_stands(&self, key: &Key, deletion: &Deletion) -> bool {
        cluster(self, key).is_some_and(|cluster| {
            let mut entrances = cluster.entrances.iter();
            entrances.any(|known| known.namespace == deletion.namespace && known.name == deletion.name)
        })
    }

    fn authenticate(&self, key: &Key, credential: Credential<'_>, now: Now) -> Result<Identity, Refusal> {
        let cluster = cluster(self, key).ok_or_else(|| Refusal::new("the cluster does not exist"))?;
        match credential {
            Credential::ClientCertificate(certificate) if !cluster.disables_local_accounts() => {
                Ok(Identity {
                    username: certificate.common_name.clone(),
                    groups: certificate.organizations.clone(),
                    ..Identity::default()
                })
            }
            Credential::ClientCertificate(_) => Err(Refusal::new("the cluster disables local accounts")),
            Credential::BearerToken(_) if !cluster.has_entra() => {
                Err(Refusal::new("the cluster does not know Microsoft Entra ID"))
            }
            Credential::BearerToken(token) => by_token(self, cluster, token, now),
        }
    }
}

/// A token of the tenant for the AKS server. Who owns the subscription is an administrator where Azure's roles count;
/// elsewhere the cluster must name a group of theirs.
///
/// Source: <https://learn.microsoft.com/azure/aks/entra-id-control-plane-authentication>.
fn by_token(world: &World, cluster: &Cluster, token: &str, now: Now) -> Result<Identity, Refusal> {
    let claims = world.directory.keys.read(token);
    let claims = claims.ok_or_else(|| Refusal::new("the token was not signed by the tenant"))?;
    if text(&claims, "aud") != Some(AKS_SERVER) {
        return Err(Refusal::new("the token is for another audience than the AKS server"));
    }
    if number(&claims, "exp").is_none_or(|exp| exp <= now.wall.as_second()) {
        return Err(Refusal::new("the token has expired"));
    }
    let claim = |name: &str| text(&claims, name).unwrap_or_default().to_owned();
    let object_id = claim("oid");
    let groups: Vec<String> = items(claims.get("groups").unwrap_or(&Value::Null))
        .filter_map(|group| group.as_str().map(str::to_owned))
        .collect();
    let profile = crate::json::at(&cluster.body, "properties.aadProfile");
    let administrators = crate::json::at(profile, "adminGroupObjectIDs");
    let named = items(administrators).any(|group| groups.iter().any(|own| group == own.as_str()));
    let owns = crate::json::is_true(profile, "enableAzureRBAC");
    let extra = BTreeMap::from([("oid".to_owned(), vec![object_id.clone()])]);
    Ok(Identity { username: object_id, groups, extra, administrator: named || owns, ..Identity::default() })
}

fn cluster<'a>(world: &'a World, (subscription, id, _): &Key) -> Option<&'a Cluster> {
    world.subscription(subscription).clusters.get(id)
}

/// The volumes behind disks that the storage driver made, wherever they lie.
fn volumes(subscription: &Subscription, cluster: &Cluster) -> Vec<PersistentVolume> {
    let own = key(&cluster.inner_id("", ""));
    let of_cluster = |id: &str, disk: &crate::world::Document| {
        let machine = text(&disk.body, "managedBy").unwrap_or_default();
        let is_disk = disk.kind == "Microsoft.Compute/disks";
        is_disk
            && (id.starts_with(own.trim_end_matches('/'))
                || key(machine).starts_with(own.trim_end_matches('/')))
    };
    let disks = subscription.documents.iter().filter(|(id, disk)| of_cluster(id, disk));
    let volume = |(_, disk): (&String, &crate::world::Document)| {
        let tags = tags(crate::json::at(&disk.body, "tags"));
        let tag = |name: &str| tags.get(name).cloned();
        Some(PersistentVolume {
            name: tag("kubernetes.io-created-for-pv-name")?,
            capacity_gib: number(&disk.body, "properties.diskSizeGB")
                .and_then(|gib| u32::try_from(gib).ok())?,
            driver: "disk.csi.azure.com".to_owned(),
            volume_handle: disk.id.clone(),
            zone: String::new(),
            storage_class: "managed-csi".to_owned(),
            claim_namespace: tag("kubernetes.io-created-for-pvc-namespace")?,
            claim_name: tag("kubernetes.io-created-for-pvc-name")?,
        })
    };
    disks.filter_map(volume).collect()
}

fn settings(cluster: &Cluster) -> ClusterSettings {
    let mut settings = ClusterSettings::new(cluster.name(), &git_version(&cluster.version));
    settings.service_network = [10, 0];
    let services = text(&cluster.body, "properties.networkProfile.serviceCidr").unwrap_or_default();
    let mut numbers = services.split('.').filter_map(|part| part.parse().ok());
    if let (Some(first), Some(second)) = (numbers.next(), numbers.next()) {
        settings.service_network = [first, second];
    }
    for (name, image) in [
        ("azure-cns", "mcr.microsoft.com/containernetworking/azure-cns"),
        ("cloud-node-manager", "mcr.microsoft.com/oss/kubernetes/azure-cloud-node-manager"),
        ("csi-azuredisk-node", "mcr.microsoft.com/oss/kubernetes-csi/azuredisk-csi"),
    ] {
        settings.daemon_sets.push(Workload::new(name, image));
    }
    settings
}

/// The version as the API server says it.
pub(super) fn git_version(version: &str) -> String {
    format!("v{version}")
}
