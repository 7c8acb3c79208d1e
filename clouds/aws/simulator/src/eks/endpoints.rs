//! The Kubernetes endpoints of the clusters that stand: started, kept in step with the world, and stopped.
//!
//! The world is plain data; what listens lives here, beside it. Nothing waits: an endpoint's port is bound at once.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pmks_simulation::Now;
use pmks_simulation::kubernetes::{
    self, Authenticator, Authority, Builtin, ClusterSettings, ClusterState, Credential, Deletion,
    EndpointSettings, Identity, Node, Refusal, Removal, WallClock, Workload,
};

use super::authenticator::authenticate;
use super::nodes::nodes;
use super::state::{Cluster, Endpoint, Status};
use super::versions;
use crate::cloud::Core;
use crate::elb;
use crate::world::{Place, World};

/// Whose endpoint: place, name, and the identity that a later cluster of the same name does not have.
type Key = (Place, String, String);

/// All endpoints of one simulated AWS.
#[derive(Clone, Default)]
pub(crate) struct Endpoints {
    live: Arc<Mutex<BTreeMap<Key, Live>>>,
}

/// One endpoint that listens, and its cluster's content.
struct Live {
    state: ClusterState,
    /// Deleted Services of which the balancer is not gone yet.
    going: Arc<Mutex<Vec<Deletion>>>,
    /// Nodes as they were last put.
    nodes: BTreeMap<String, Node>,
    /// Services as they were last put: namespace, name, host name.
    services: BTreeSet<(String, String, String)>,
    // Listens until it is dropped.
    _endpoint: kubernetes::Endpoint,
}

impl Endpoints {
    /// Brings the endpoints in step with the world. Without a runtime nothing can listen, and nothing happens.
    pub(crate) fn keep(&self, core: &Arc<Core>) {
        if tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        core.with_world(|world, now| {
            let standing = standing(world);
            live.retain(|key, _| standing.contains(key));
            for key in &standing {
                self.keep_one(core, world, now, key, &mut live);
            }
        });
    }

    fn keep_one(
        &self,
        core: &Arc<Core>,
        world: &mut World,
        now: Now,
        key: &Key,
        live: &mut BTreeMap<Key, Live>,
    ) {
        let (place, name, _) = key;
        let Some(cluster) = world.region(place).eks.clusters.get(name).cloned() else { return };
        if !live.contains_key(key) {
            match self.start(core, place, &cluster, now) {
                Ok((started, endpoint)) => {
                    if let Some(cluster) = world.region_mut(place).eks.clusters.get_mut(name) {
                        cluster.endpoint = Some(endpoint);
                    }
                    live.insert(key.clone(), started);
                }
                Err(error) => {
                    tracing::error!(%error, cluster = name, "a simulated cluster has no Kubernetes endpoint");
                    return;
                }
            }
        }
        if let Some(found) = live.get_mut(key) {
            found.follow(world, place, &cluster);
        }
    }

    /// Makes the cluster's authority, or the one it had before, and begins to listen.
    fn start(
        &self,
        core: &Arc<Core>,
        place: &Place,
        cluster: &Cluster,
        now: Now,
    ) -> Result<(Live, Endpoint), kubernetes::Error> {
        let known = cluster.endpoint.as_ref();
        let authority = match known {
            Some(known) => Authority::restore(&known.authority)?,
            None => Authority::new(now.wall)?,
        };
        let authority = Arc::new(authority);
        let clock: WallClock = {
            let core = Arc::clone(core);
            Arc::new(move || core.controls.clock.wall())
        };
        let state = ClusterState::new(settings(cluster), Arc::clone(&clock));
        let going: Arc<Mutex<Vec<Deletion>>> = Arc::default();
        state.on_delete(hear_deletions(core, place, &cluster.name, &going));
        let authenticator = ClusterAuthenticator {
            core: Arc::clone(core),
            endpoints: Arc::downgrade(&self.live),
            place: place.clone(),
        };
        let endpoint = at_once(kubernetes::Endpoint::start(EndpointSettings {
            cluster: cluster.name.clone(),
            authority: Arc::clone(&authority),
            port: known.map(|known| known.port),
            authenticator: Arc::new(authenticator),
            back: Arc::new(Builtin::new(state.clone())),
            clock,
        }))?;
        let shown = Endpoint {
            url: endpoint.url(),
            port: endpoint.port(),
            certificate_authority: STANDARD.encode(authority.certificate_pem()),
            authority: authority.snapshot(),
        };
        let live =
            Live { state, going, nodes: BTreeMap::new(), services: BTreeSet::new(), _endpoint: endpoint };
        Ok((live, shown))
    }
}

/// The clusters whose control plane stands.
fn standing(world: &World) -> BTreeSet<Key> {
    let mut standing = BTreeSet::new();
    for place in world.places() {
        for cluster in world.region(&place).eks.clusters.values() {
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

fn settings(cluster: &Cluster) -> ClusterSettings {
    let mut settings = ClusterSettings::new(&cluster.name, &git_version(cluster));
    let mut numbers = cluster.network.service_cidr.split('.').filter_map(|part| part.parse().ok());
    if let (Some(first), Some(second)) = (numbers.next(), numbers.next()) {
        settings.service_network = [first, second];
    }
    if cluster.bootstrap_addons {
        settings
            .daemon_sets
            .push(Workload::new("aws-node", "602401143452.dkr.ecr.us-west-2.amazonaws.com/amazon-k8s-cni"));
    } else {
        settings.daemon_sets.clear();
        settings.deployments.clear();
    }
    settings
}

fn git_version(cluster: &Cluster) -> String {
    versions::find(&cluster.version).map(versions::Version::git_version).unwrap_or_default()
}

/// Runs a future that is ready at once, as binding a port of loopback is.
fn at_once<T>(future: impl Future<Output = Result<T, kubernetes::Error>>) -> Result<T, kubernetes::Error> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(kubernetes::Error::Listen(std::io::ErrorKind::WouldBlock.into())),
    }
}

impl Live {
    /// Version, nodes and services as the world has them.
    fn follow(&mut self, world: &World, place: &Place, cluster: &Cluster) {
        let version = git_version(cluster);
        if self.state.version() != version {
            self.state.set_version(&version);
        }
        self.follow_nodes(nodes(world, place, cluster));
        self.follow_services(world, place, cluster);
    }

    fn follow_nodes(&mut self, present: Vec<(Node, bool)>) {
        let names: BTreeSet<String> = present.iter().map(|(node, _)| node.name.clone()).collect();
        for gone in self.nodes.keys().filter(|name| !names.contains(*name)) {
            self.state.remove_node(gone);
        }
        self.nodes.retain(|name, _| names.contains(name));
        for (node, going) in present {
            let same = |known: &Node| known.provider_id == node.provider_id && known.labels == node.labels;
            if !self.nodes.get(&node.name).is_some_and(same) {
                self.state.add_node(&node);
                self.nodes.insert(node.name.clone(), node.clone());
            }
            if going {
                self.state.set_node_unschedulable(&node.name, true);
            }
        }
    }

    /// A controller's balancers have Services; a deleted Service goes when its balancer is gone.
    fn follow_services(&mut self, world: &World, place: &Place, cluster: &Cluster) {
        let elb = &world.region(place).elb;
        let stands = |deletion: &Deletion| {
            let owner = owner(&cluster.name, deletion);
            elb.balancers
                .values()
                .any(|balancer| balancer.owner.as_ref() == Some(&owner) && balancer.is_shown())
        };
        let gone: Vec<Deletion> = {
            let mut going = self.going.lock().unwrap_or_else(PoisonError::into_inner);
            let (kept, gone) = going.drain(..).partition(stands);
            *going = kept;
            gone
        };
        for deletion in gone {
            self.state.finish_removal(&deletion);
        }
        let services = elb::controller::services(elb, &cluster.name);
        let present: BTreeSet<(String, String, String)> = services
            .map(|(owner, host)| (owner.namespace.clone(), owner.service.clone(), host.to_owned()))
            .collect();
        for (namespace, name, hostname) in present.difference(&self.services) {
            self.state.put_load_balancer_service(namespace, name, hostname);
        }
        self.services = present;
    }
}

/// For whom a balancer was made.
fn owner(cluster: &str, deletion: &Deletion) -> elb::Owner {
    elb::Owner {
        cluster: cluster.to_owned(),
        namespace: deletion.namespace.clone(),
        service: deletion.name.clone(),
    }
}

/// What happens when a user of the cluster deletes a Service: its controller takes the balancer away. Called by the
/// cluster's content from requests of users alone, never from [`Live::follow`], so the world is free to be asked for.
fn hear_deletions(
    core: &Arc<Core>,
    place: &Place,
    cluster: &str,
    going: &Arc<Mutex<Vec<Deletion>>>,
) -> impl Fn(&Deletion) -> Removal + Send + Sync + 'static {
    let (core, place, cluster, going) =
        (Arc::clone(core), place.clone(), cluster.to_owned(), Arc::clone(going));
    move |deletion| {
        let owner = owner(&cluster, deletion);
        if core.with_world(|world, now| elb::controller::service_deleted(world, &place, &owner, now)) {
            going.lock().unwrap_or_else(PoisonError::into_inner).push(deletion.clone());
            Removal::Pending
        } else {
            Removal::Done
        }
    }
}

/// How the endpoint of a cluster asks the world.
struct ClusterAuthenticator {
    core: Arc<Core>,
    endpoints: Weak<Mutex<BTreeMap<Key, Live>>>,
    place: Place,
}

#[async_trait]
impl Authenticator for ClusterAuthenticator {
    async fn authenticate(&self, cluster: &str, credential: Credential<'_>) -> Result<Identity, Refusal> {
        let Credential::BearerToken(token) = credential else {
            return Err(Refusal::new("EKS issues no client certificates"));
        };
        // Whoever looks at the cluster sees it as it is at this moment.
        if let Some(live) = self.endpoints.upgrade() {
            Endpoints { live }.keep(&self.core);
        }
        self.core.with_world(|world, now| authenticate(world, &self.place, cluster, token, now))
    }
}
