//! The Kubernetes endpoints of the clusters that stand: started, kept in step with the world, and stopped.
//!
//! The world is plain data; what listens lives here, beside it. Nothing waits: an endpoint's port is bound at once.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::clusters::{ClusterEndpoint, Clusters};
use super::content::Content;
use super::{
    Authenticator, Authority, Credential, Endpoint, EndpointSettings, Error, Identity, Refusal, Result,
    WallClock,
};
use crate::Now;
use crate::held::Held;

/// How often, at least and at most, a cluster's watchers are shown what happened meanwhile.
const TICK: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

type LiveByKey<W> = BTreeMap<<W as Clusters>::Key, Live>;

/// All endpoints of one simulated cloud.
pub struct Endpoints<W: Clusters> {
    live: Arc<Mutex<LiveByKey<W>>>,
    ticking: Arc<AtomicBool>,
}

/// One endpoint, and what its cluster holds.
struct Live {
    content: Content,
    // Listens until it is dropped.
    _endpoint: Endpoint,
}

impl<W: Clusters> Default for Endpoints<W> {
    fn default() -> Self {
        Self { live: Arc::default(), ticking: Arc::default() }
    }
}

impl<W: Clusters> Endpoints<W> {
    /// Starts the endpoints of clusters that stand and stops those of clusters that are gone. What a cluster holds is
    /// left for whoever looks at it. Without a runtime nothing can listen, and nothing happens.
    pub fn stand(&self, held: &Arc<Held<W>>) {
        if tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        held.with_world(|world, now| {
            let standing = world.standing();
            live.retain(|key, _| standing.contains(key));
            for key in standing {
                if !live.contains_key(&key)
                    && let Some(started) = self.start_one(held, world, now, &key)
                {
                    live.insert(key, started);
                }
            }
        });
        if !live.is_empty() && !self.ticking.swap(true, Ordering::AcqRel) {
            tokio::spawn(tick::<W>(Arc::downgrade(&self.live), Arc::clone(&self.ticking), Arc::clone(held)));
        }
    }

    /// Brings the endpoints in step with the world, and what those clusters hold that somebody watches.
    pub fn keep(&self, held: &Arc<Held<W>>) {
        self.stand(held);
        self.follow(held, |_, live| live.content.state().is_watched());
    }

    /// Brings one cluster in step with the world: somebody is about to look at it.
    fn show(&self, held: &Arc<Held<W>>, key: &W::Key) {
        self.stand(held);
        self.follow(held, |found, _| found == key);
    }

    fn follow(&self, held: &Arc<Held<W>>, wanted: impl Fn(&W::Key, &Live) -> bool) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        held.with_world(|world, _| {
            for (key, found) in live.iter_mut().filter(|(key, found)| wanted(key, found)) {
                found.content.follow(world, key);
            }
        });
    }

    fn start_one(&self, held: &Arc<Held<W>>, world: &mut W, now: Now, key: &W::Key) -> Option<Live> {
        match self.start(held, world, key, now) {
            Ok(started) => {
                let (mut live, endpoint) = started?;
                world.set_endpoint(key, endpoint);
                // Whoever else looks at it has it brought in step first.
                if live.content.state().is_watched() {
                    live.content.follow(world, key);
                }
                Some(live)
            }
            Err(error) => {
                tracing::error!(%error, cluster = W::name(key), "a simulated cluster has no Kubernetes endpoint");
                None
            }
        }
    }

    /// Makes the cluster's authority, or the one it had before, and begins to listen.
    fn start(
        &self,
        held: &Arc<Held<W>>,
        world: &W,
        key: &W::Key,
        now: Now,
    ) -> Result<Option<(Live, ClusterEndpoint)>> {
        let known = world.endpoint(key);
        let authority = match known {
            Some(known) => Authority::restore(&known.authority)?,
            None => Authority::new(now.wall)?,
        };
        let authority = Arc::new(authority);
        let clock: WallClock = {
            let held = Arc::clone(held);
            Arc::new(move || held.controls.clock.wall())
        };
        let Some(content) = Content::new(held, world, key, Arc::clone(&clock)) else { return Ok(None) };
        let authenticator = ClusterAuthenticator {
            held: Arc::clone(held),
            live: Arc::downgrade(&self.live),
            ticking: Arc::clone(&self.ticking),
            key: key.clone(),
        };
        let endpoint = at_once(Endpoint::start(EndpointSettings {
            cluster: W::name(key).to_owned(),
            authority: Arc::clone(&authority),
            port: known.map(|known| known.port),
            authenticator: Arc::new(authenticator),
            back: held.controls.backs.make(content.state()),
            clock,
        }))?;
        let shown = ClusterEndpoint {
            url: endpoint.url(),
            port: endpoint.port(),
            certificate_authority: STANDARD.encode(authority.certificate_pem()),
            authority: authority.snapshot(),
        };
        Ok(Some((Live { content, _endpoint: endpoint }, shown)))
    }
}

/// Keeps the endpoints in step while nobody asks: a watch must see what happens by itself. Ends with the last one.
async fn tick<W: Clusters>(live: Weak<Mutex<LiveByKey<W>>>, ticking: Arc<AtomicBool>, held: Arc<Held<W>>) {
    loop {
        let due = held.with_world(|world, _| world.next_due());
        let pause = due.and_then(|due| held.controls.clock.real_time_until(due)).unwrap_or(TICK.1);
        tokio::time::sleep(pause.clamp(TICK.0, TICK.1)).await;
        let Some(live) = live.upgrade() else { return };
        let none_left = live.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
        if none_left {
            ticking.store(false, Ordering::Release);
            return;
        }
        Endpoints::<W> { live, ticking: Arc::clone(&ticking) }.keep(&held);
    }
}

/// Runs a future that is ready at once, as binding a port of loopback is.
fn at_once<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(Error::Listen(std::io::ErrorKind::WouldBlock.into())),
    }
}

/// How the endpoint of a cluster asks the world.
struct ClusterAuthenticator<W: Clusters> {
    held: Arc<Held<W>>,
    live: Weak<Mutex<LiveByKey<W>>>,
    ticking: Arc<AtomicBool>,
    key: W::Key,
}

#[async_trait]
impl<W: Clusters> Authenticator for ClusterAuthenticator<W> {
    async fn authenticate(
        &self,
        _: &str,
        credential: Credential<'_>,
    ) -> std::result::Result<Identity, Refusal> {
        // Whoever looks at the cluster sees it as it is at this moment.
        if let Some(live) = self.live.upgrade() {
            Endpoints::<W> { live, ticking: Arc::clone(&self.ticking) }.show(&self.held, &self.key);
        }
        self.held.with_world(|world, now| world.authenticate(&self.key, credential, now))
    }
}
