//! What the keeper of Kubernetes endpoints is told of clusters, and who calls one: the holder of a token that the cloud
//! made for that cluster.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use pmks_simulation::Now;
use pmks_simulation::kubernetes::{
    ClusterEndpoint, ClusterSettings, Clusters, Credential, Deletion, Entrance, Identity, Node,
    PersistentVolume, Present, Refusal,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::catalogue;
use crate::error::{Error, Result};
use crate::world::{Account, Kind, Machine, Thing, World, state};

/// What a token begins with: as CB-Spider's Mock writes it.
const TOKEN: &str = "mock-token-k8s-aws-v1.";
/// How long a token lets in.
const LIFETIME: SignedDuration = SignedDuration::from_mins(15);

/// A token for a cluster.
pub(crate) fn token(secret: &str, cluster: &str, now: Timestamp) -> Result<Value> {
    let end = now.checked_add(LIFETIME).map_err(|error| Error::invalid(error.to_string()))?;
    let text = format!("{TOKEN}{}.{}", end.as_second(), seal(secret, cluster, end.as_second()));
    Ok(json!({"token": text, "expiresAt": end}))
}

fn seal(secret: &str, cluster: &str, end: i64) -> String {
    let hash = Sha256::digest(format!("{secret} {cluster} {end}"));
    hash.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// Whose endpoint: the `MockName`, the cluster's name and its identifier.
pub(crate) type Key = (String, String, String);

impl World {
    fn at(&self, (account, _, id): &Key) -> Option<(&Account, &Thing)> {
        let account = self.accounts.get(account)?;
        Some((account, account.thing(id)?))
    }
}

impl Clusters for World {
    type Key = Key;

    fn name(key: &Key) -> &str {
        &key.1
    }

    fn standing(&self) -> BTreeSet<Key> {
        let stands = |one: &&Thing| {
            one.kind == Kind::Cluster
                && (one.endpoint.is_some() || [state::ACTIVE, state::UPDATING].contains(&&*one.state))
        };
        let of_account = |(name, account): (&String, &Account)| -> Vec<Key> {
            let clusters = account.all().filter(stands);
            clusters.map(|one| (name.clone(), one.name.clone(), one.id.clone())).collect()
        };
        self.accounts.iter().flat_map(of_account).collect()
    }

    fn endpoint(&self, key: &Key) -> Option<&ClusterEndpoint> {
        self.at(key)?.1.endpoint.as_ref()
    }

    fn set_endpoint(&mut self, (account, _, id): &Key, endpoint: ClusterEndpoint) {
        self.revision += 1;
        let things = self.accounts.get_mut(account).map(|account| &mut account.things);
        if let Some(cluster) = things.and_then(|things| things.get_mut(id)) {
            cluster.endpoint = Some(endpoint);
        }
    }

    fn settings(&self, key: &Key) -> Option<ClusterSettings> {
        let (_, cluster) = self.at(key)?;
        Some(ClusterSettings::new(&cluster.name, &catalogue::release(cluster.text("version"))))
    }

    fn present(&self, key: &Key) -> Option<Present> {
        let (account, cluster) = self.at(key)?;
        let groups = account.parts(cluster, Kind::NodeGroup);
        let nodes = groups.flat_map(|group| group.machines.iter().filter_map(|one| node(group, one)));
        let balancers = account.parts(cluster, Kind::Balancer);
        let entrances = balancers.map(|balancer| Entrance {
            namespace: balancer.text("namespace").to_owned(),
            name: balancer.text("service").to_owned(),
            address: balancer.text("address").to_owned(),
            ingress: false,
        });
        let volumes = account.parts(cluster, Kind::Volume).map(|volume| PersistentVolume {
            name: volume.name.clone(),
            capacity_gib: 10,
            driver: "mock.csi".to_owned(),
            volume_handle: volume.id.clone(),
            zone: String::new(),
            storage_class: "standard".to_owned(),
            claim_namespace: "default".to_owned(),
            claim_name: format!("claim-{}", volume.name),
        });
        Some(Present {
            version: catalogue::release(cluster.text("version")),
            nodes: nodes.map(|node| (node, false)).collect(),
            entrances: entrances.collect(),
            volumes: volumes.collect(),
        })
    }

    /// The balancer goes at once.
    fn entrance_deleted(&mut self, key: &Key, deletion: &Deletion, _now: Now) -> bool {
        self.revision += 1;
        let Some(account) = self.accounts.get_mut(&key.0) else { return false };
        let is_it = |one: &&Thing| {
            one.kind == Kind::Balancer && one.parent == key.2 && one.text("service") == deletion.name
        };
        let found = account.all().find(is_it).map(|one| one.id.clone());
        if let Some(id) = found {
            account.take(&id);
        }
        false
    }

    fn balancer_stands(&self, _key: &Key, _deletion: &Deletion) -> bool {
        false
    }

    fn authenticate(
        &self,
        key: &Key,
        credential: Credential<'_>,
        now: Now,
    ) -> std::result::Result<Identity, Refusal> {
        let Credential::BearerToken(shown) = credential else {
            return Err(Refusal::new("the Mock cloud gives no client certificates"));
        };
        let (account, cluster) = self.at(key).ok_or_else(|| Refusal::new("the cluster is gone"))?;
        let parts = shown.strip_prefix(TOKEN).and_then(|rest| rest.split_once('.'));
        let (end, shown) = parts.ok_or_else(|| Refusal::new("this is no token of the Mock cloud"))?;
        let end: i64 = end.parse().map_err(|_| Refusal::new("the token has no end"))?;
        if seal(&account.secret, &cluster.id, end) != shown {
            return Err(Refusal::new("the token is another cluster's, or nobody's"));
        }
        if end <= now.wall.as_second() {
            return Err(Refusal::new("the token has expired"));
        }
        let username = format!("mock:{}", account.id);
        Ok(Identity { username, administrator: true, ..Identity::default() })
    }
}

fn node(group: &Thing, machine: &Machine) -> Option<Node> {
    let machine_type = catalogue::machine_type(group.text("machineType"))?;
    Some(Node {
        name: machine.name.clone(),
        internal_ip: machine.ip.parse().ok()?,
        external_ip: None,
        provider_id: format!("mock:///{}/{}", machine.zone, machine.name),
        instance_type: machine_type.name.to_owned(),
        region: group.region.clone(),
        zone: machine.zone.clone(),
        architecture: "amd64".to_owned(),
        version: catalogue::release(group.text("version")),
        os_image: "Mock".to_owned(),
        kernel_version: "6.12.0".to_owned(),
        container_runtime: "containerd://2.1.4".to_owned(),
        cpu: machine_type.vcpus,
        memory_mib: machine_type.memory_mib,
        max_pods: 110,
        reserved_cpu_millis: 100,
        reserved_memory_mib: 256,
        labels: [("mock/node-group".to_owned(), group.name.clone())].into(),
        ready_since: Some(machine.created),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::error;

    #[test]
    fn a_token_lets_in_at_its_own_cluster_until_its_end() {
        let mut world = World::new(1, Duration::ZERO);
        let now = |seconds: i64| Now {
            wall: Timestamp::from_second(1_800_000_000 + seconds).unwrap(),
            work: Duration::ZERO,
        };
        let cluster = |name: &str| Thing {
            kind: Kind::Cluster,
            id: format!("{name}-1"),
            region: "mars".to_owned(),
            name: name.to_owned(),
            parent: String::new(),
            labels: std::collections::BTreeMap::new(),
            state: state::ACTIVE.to_owned(),
            reason: String::new(),
            created: now(0).wall,
            spec: serde_json::Map::new(),
            machines: Vec::new(),
            endpoint: None,
            shown_over: serde_json::Map::new(),
        };
        for name in ["ours", "other"] {
            world.account("m").put(cluster(name));
        }
        let made: error::Result<Value> = token(&world.account("m").secret, "ours-1", now(0).wall);
        let made = made.unwrap()["token"].as_str().unwrap().to_owned();
        let key = |name: &str| ("m".to_owned(), name.to_owned(), format!("{name}-1"));
        let enters = |name: &str, token: &str, seconds| {
            world.authenticate(&key(name), Credential::BearerToken(token), now(seconds)).is_ok()
        };
        assert!(made.starts_with(TOKEN) && enters("ours", &made, 899));
        for (name, token, seconds) in [
            ("ours", made.as_str(), 900),
            ("other", &made, 0),
            ("ours", "mock-token", 0),
            ("ours", &made[1..], 0),
        ] {
            assert!(!enters(name, token, seconds), "{name} {token} {seconds}");
        }
    }
}
