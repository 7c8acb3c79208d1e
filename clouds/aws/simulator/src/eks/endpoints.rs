//! What the keeper of Kubernetes endpoints is told of EKS' clusters.

use std::collections::BTreeSet;

use pmks_simulation::Now;
use pmks_simulation::kubernetes::{
    ClusterEndpoint, ClusterSettings, Clusters, Credential, Deletion, Identity, Present, Refusal,
};

use super::authenticator::authenticate;
use super::content;
use super::state::{Cluster, Status};
use crate::elb;
use crate::world::{Place, World};

/// Whose endpoint: place, name, and the identity that a later cluster of the same name does not have.
pub(crate) type Key = (Place, String, String);

impl Clusters for World {
    type Key = Key;

    fn name(key: &Key) -> &str {
        &key.1
    }

    fn standing(&self) -> BTreeSet<Key> {
        let mut standing = BTreeSet::new();
        for place in self.places() {
            for cluster in self.region(&place).eks.clusters.values() {
                let stands = match cluster.status {
                    Status::Active | Status::Updating => true,
                    Status::Deleting => cluster.endpoint.is_some(),
                    _ => false,
                };
                if stands {
                    standing.insert((place.clone(), cluster.name.clone(), cluster.uid.clone()));
                }
            }
        }
        standing
    }

    fn endpoint(&self, key: &Key) -> Option<&ClusterEndpoint> {
        cluster(self, key)?.endpoint.as_ref()
    }

    fn set_endpoint(&mut self, (place, name, _): &Key, endpoint: ClusterEndpoint) {
        if let Some(cluster) = self.region_mut(place).eks.clusters.get_mut(name) {
            cluster.endpoint = Some(endpoint);
        }
    }

    fn settings(&self, key: &Key) -> Option<ClusterSettings> {
        cluster(self, key).map(content::settings)
    }

    fn present(&self, key: &Key) -> Option<Present> {
        cluster(self, key).map(|cluster| content::present(self, &key.0, cluster))
    }

    fn entrance_deleted(&mut self, (place, name, _): &Key, deletion: &Deletion, now: Now) -> bool {
        elb::controller::service_deleted(self, place, &content::owner(name, deletion), now)
    }

    fn balancer_stands(&self, (place, name, _): &Key, deletion: &Deletion) -> bool {
        let owner = content::owner(name, deletion);
        let mut balancers = self.region(place).elb.balancers.values();
        balancers.any(|balancer| balancer.owner.as_ref() == Some(&owner) && balancer.is_shown())
    }

    fn authenticate(
        &self,
        (place, name, _): &Key,
        credential: Credential<'_>,
        now: Now,
    ) -> Result<Identity, Refusal> {
        let Credential::BearerToken(token) = credential else {
            return Err(Refusal::new("EKS issues no client certificates"));
        };
        authenticate(self, place, name, token, now)
    }
}

fn cluster<'a>(world: &'a World, (place, name, _): &Key) -> Option<&'a Cluster> {
    world.region(place).eks.clusters.get(name)
}
