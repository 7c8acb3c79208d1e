//! What the keeper of Kubernetes endpoints is told of GKE's clusters, and who calls one: the holder of a Google access
//! token.
//!
//! Any token proves who somebody is: by email where its scopes show that, else by number. What GKE then allows by IAM
//! needs a scope for the platform or for GKE.
//!
//! Sources: <https://cloud.google.com/kubernetes-engine/docs/how-to/role-based-access-control>,
//! <https://github.com/kubernetes/kubernetes/pull/58141>.

use std::collections::BTreeSet;

use pmks_simulation::Now;
use pmks_simulation::kubernetes::{
    ClusterEndpoint, ClusterSettings, Clusters, Credential, Deletion, Identity, Present, Refusal,
};

use super::nodes;
use super::state::{Cluster, Status};
use crate::auth::{self, CLOUD_PLATFORM};
use crate::compute;
use crate::world::World;

/// Whose endpoint: project, location and name, and the identity that a later cluster of the same name does not have.
pub(crate) type Key = (String, String, String, String);

impl Clusters for World {
    type Key = Key;

    fn name(key: &Key) -> &str {
        &key.2
    }

    fn standing(&self) -> BTreeSet<Key> {
        let of_project = |project: &crate::world::Project| -> Vec<Key> {
            let clusters =
                project.container.clusters.values().filter(|cluster| stands(self, &project.id, cluster));
            clusters
                .map(|cluster| {
                    (project.id.clone(), cluster.location.clone(), cluster.name.clone(), cluster.id.clone())
                })
                .collect()
        };
        self.projects.values().flat_map(of_project).collect()
    }

    fn endpoint(&self, key: &Key) -> Option<&ClusterEndpoint> {
        cluster(self, key)?.endpoint.as_ref()
    }

    fn set_endpoint(&mut self, (project, location, name, _): &Key, endpoint: ClusterEndpoint) {
        let clusters = &mut self.project_mut(project).container.clusters;
        if let Some(cluster) = clusters.get_mut(&format!("{location}/{name}")) {
            cluster.endpoint = Some(endpoint);
        }
    }

    fn settings(&self, key: &Key) -> Option<ClusterSettings> {
        cluster(self, key).map(nodes::settings)
    }

    fn present(&self, key: &Key) -> Option<Present> {
        let (cluster, project) = (cluster(self, key)?, self.project(&key.0));
        Some(Present {
            version: format!("v{}", cluster.version),
            nodes: nodes::nodes(project, cluster),
            entrances: compute::entrances(&project.compute, cluster),
            volumes: compute::volumes(project, cluster),
        })
    }

    fn entrance_deleted(&mut self, key: &Key, deletion: &Deletion, now: Now) -> bool {
        let Some(cluster) = cluster(self, key).cloned() else { return false };
        compute::entrance_deleted(&mut self.project_mut(&key.0).compute, &cluster, deletion, now)
    }

    fn balancer_stands(&self, key: &Key, deletion: &Deletion) -> bool {
        cluster(self, key)
            .is_some_and(|cluster| compute::stands(&self.project(&key.0).compute, cluster, deletion))
    }

    fn authenticate(&self, key: &Key, credential: Credential<'_>, now: Now) -> Result<Identity, Refusal> {
        let Credential::BearerToken(token) = credential else {
            return Err(Refusal::new("GKE issues no client certificates by default"));
        };
        let access = auth::holder(&self.auth, token, None, now.wall).map_err(Refusal::new)?;
        let principal = &access.principal;
        if principal.project.as_ref().is_some_and(|own| *own != key.0) {
            return Err(Refusal::new(format!("{} belongs to another project", principal.email)));
        }
        let scope = |name: &str| format!("https://www.googleapis.com/auth/{name}");
        let by_email =
            access.has(&[&scope("userinfo.email"), "email"]) || principal.member.starts_with("principal:");
        let by_iam = access.has(&[CLOUD_PLATFORM, &scope("container")]);
        Ok(Identity {
            username: if by_email { &principal.email } else { &principal.unique_id }.clone(),
            administrator: by_iam,
            ..Identity::default()
        })
    }
}

/// Its control plane answers from when its nodes are made until it is gone.
fn stands(world: &World, project: &str, cluster: &Cluster) -> bool {
    match cluster.status {
        Status::Running | Status::RunningWithError => true,
        Status::Stopping | Status::Error => cluster.endpoint.is_some(),
        Status::Provisioning => {
            let groups = &world.project(project).compute.groups;
            cluster
                .pools
                .iter()
                .flat_map(super::state::NodePool::group_keys)
                .any(|group| groups.contains_key(&group))
        }
    }
}

fn cluster<'a>(world: &'a World, (project, location, name, _): &Key) -> Option<&'a Cluster> {
    world.project(project).container.clusters.get(&format!("{location}/{name}"))
}
