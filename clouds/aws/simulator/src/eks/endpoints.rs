//! The Kubernetes endpoints of the clusters that stand: started, kept in step with the world, and stopped.
//!
//! The world is plain data; what listens lives here, beside it. Nothing waits: an endpoint's port is bound at once.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pmks_simulation::Now;
use pmks_simulation::kubernetes::{
    self, Authenticator, Authority, Builtin, Credential, EndpointSettings, Identity, Refusal, WallClock,
};

use super::authenticator::authenticate;
use super::content::Content;
use super::state::{Cluster, Endpoint, Status};
use crate::cloud::Core;
use crate::world::{Place, World};

/// Whose endpoint: place, name, and the identity that a later cluster of the same name does not have.
type Key = (Place, String, String);

/// All endpoints of one simulated AWS.
#[derive(Clone, Default)]
pub(crate) struct Endpoints {
    live: Arc<Mutex<BTreeMap<Key, Live>>>,
    ticking: Arc<AtomicBool>,
}

/// How often, at least and at most, a cluster's watchers are shown what happened meanwhile.
const TICK: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// One endpoint, and what its cluster holds.
struct Live {
    content: Content,
    // Listens until it is dropped.
    _endpoint: kubernetes::Endpoint,
}

impl Endpoints {
    /// Starts the endpoints of clusters that stand and stops those of clusters that are gone. What a cluster holds is
    /// left for whoever looks at it. Without a runtime nothing can listen, and nothing happens.
    pub(crate) fn stand(&self, core: &Arc<Core>) {
        if tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        core.with_world(|world, now| {
            let standing = standing(world);
            live.retain(|key, _| standing.contains(key));
            for key in standing {
                if !live.contains_key(&key)
                    && let Some(started) = self.start_one(core, world, now, &key)
                {
                    live.insert(key, started);
                }
            }
        });
        if !live.is_empty() && !self.ticking.swap(true, Ordering::AcqRel) {
            tokio::spawn(tick(Arc::downgrade(&self.live), Arc::clone(&self.ticking), Arc::clone(core)));
        }
    }

    /// Brings the endpoints in step with the world, and what those clusters hold that somebody watches.
    pub(crate) fn keep(&self, core: &Arc<Core>) {
        self.stand(core);
        self.follow(core, |_, live| live.content.state().is_watched());
    }

    /// Brings one cluster in step with the world: somebody is about to look at it.
    fn show(&self, core: &Arc<Core>, place: &Place, cluster: &str) {
        self.stand(core);
        self.follow(core, |(at, name, _), _| at == place && name == cluster);
    }

    fn follow(&self, core: &Arc<Core>, wanted: impl Fn(&Key, &Live) -> bool) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        core.with_world(|world, _| {
            for (key, found) in live.iter_mut().filter(|(key, found)| wanted(key, found)) {
                let (place, name, _) = key;
                if let Some(cluster) = world.region(place).eks.clusters.get(name) {
                    found.content.follow(world, place, cluster);
                }
            }
        });
    }

    fn start_one(&self, core: &Arc<Core>, world: &mut World, now: Now, key: &Key) -> Option<Live> {
        let (place, name, _) = key;
        let cluster = world.region(place).eks.clusters.get(name).cloned()?;
        match self.start(core, place, &cluster, now) {
            Ok((mut started, endpoint)) => {
                if let Some(cluster) = world.region_mut(place).eks.clusters.get_mut(name) {
                    cluster.endpoint = Some(endpoint);
                }
                started.content.follow(world, place, &cluster);
                Some(started)
            }
            Err(error) => {
                tracing::error!(%error, cluster = name, "a simulated cluster has no Kubernetes endpoint");
                None
            }
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
        let content = Content::new(core, place, cluster, Arc::clone(&clock));
        let authenticator = ClusterAuthenticator {
            core: Arc::clone(core),
            endpoints: Arc::downgrade(&self.live),
            ticking: Arc::clone(&self.ticking),
            place: place.clone(),
        };
        let endpoint = at_once(kubernetes::Endpoint::start(EndpointSettings {
            cluster: cluster.name.clone(),
            authority: Arc::clone(&authority),
            port: known.map(|known| known.port),
            authenticator: Arc::new(authenticator),
            back: Arc::new(Builtin::new(content.state())),
            clock,
        }))?;
        let shown = Endpoint {
            url: endpoint.url(),
            port: endpoint.port(),
            certificate_authority: STANDARD.encode(authority.certificate_pem()),
            authority: authority.snapshot(),
        };
        let live = Live { content, _endpoint: endpoint };
        Ok((live, shown))
    }
}

/// Keeps the endpoints in step while nobody asks: a watch must see what happens by itself. Ends with the last one.
async fn tick(live: Weak<Mutex<BTreeMap<Key, Live>>>, ticking: Arc<AtomicBool>, core: Arc<Core>) {
    loop {
        let due = core.with_world(|world, _| world.next_due());
        let pause = due.and_then(|due| core.controls.clock.real_time_until(due)).unwrap_or(TICK.1);
        tokio::time::sleep(pause.clamp(TICK.0, TICK.1)).await;
        let Some(live) = live.upgrade() else { return };
        let none_left = live.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
        if none_left {
            ticking.store(false, Ordering::Release);
            return;
        }
        Endpoints { live, ticking: Arc::clone(&ticking) }.keep(&core);
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

/// Runs a future that is ready at once, as binding a port of loopback is.
fn at_once<T>(future: impl Future<Output = Result<T, kubernetes::Error>>) -> Result<T, kubernetes::Error> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(kubernetes::Error::Listen(std::io::ErrorKind::WouldBlock.into())),
    }
}

/// How the endpoint of a cluster asks the world.
struct ClusterAuthenticator {
    core: Arc<Core>,
    endpoints: Weak<Mutex<BTreeMap<Key, Live>>>,
    ticking: Arc<AtomicBool>,
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
            Endpoints { live, ticking: Arc::clone(&self.ticking) }.show(&self.core, &self.place, cluster);
        }
        self.core.with_world(|world, now| authenticate(world, &self.place, cluster, token, now))
    }
}
