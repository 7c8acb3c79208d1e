//! Accepting, and one connection's life. At most so many at once; more wait in the system's queue.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures::future::BoxFuture;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::answering::Answering;
use super::delivery::Delivery;
use super::heads::{Head, Heads};
use super::linger::{Lingering, Unread};
use super::stall::Stalling;
use super::stream::Kept;
use crate::State;

/// Beyond this, and beyond its own hundred headers, hyper answers by itself, with a bare 431; within them the answer is
/// ours. Told of another number of headers, it would ask for memory for all of them at each request.
const HARD_HEAD_BYTES: usize = 64 << 10;
/// How long to wait when the system has no file descriptor left.
const EXHAUSTED: Duration = Duration::from_millis(100);

#[derive(Clone)]
struct Serve {
    acceptor: Option<TlsAcceptor>,
    router: Router,
    state: Arc<State>,
    /// Ready once patience with what is under way has ended.
    abandon: CancellationToken,
}

/// Accepts until `shutdown` is ready, then lets what is under way finish, for a while.
pub(super) async fn accept(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    router: Router,
    state: Arc<State>,
    mut shutdown: BoxFuture<'static, ()>,
) {
    let serve = Serve { acceptor, router, state, abandon: CancellationToken::new() };
    let tasks = TaskTracker::new();
    tokio::select! {
        () = &mut shutdown => {}
        () = accept_each(&listener, &serve, &tasks) => {}
    }
    drop(listener);
    serve.state.closing.cancel();
    tasks.close();
    tokio::select! {
        () = tasks.wait() => {}
        () = serve.state.clock.deadline(serve.state.limits.drain) => {
            serve.abandon.cancel();
            tasks.wait().await;
        }
    }
}

async fn accept_each(listener: &TcpListener, serve: &Serve, tasks: &TaskTracker) {
    let slots = Arc::new(Semaphore::new(serve.state.limits.connections));
    let heads = Arc::new(Heads::default());
    let bounded = heads.bound(&*serve.state.clock, serve.state.limits.head_read);
    tokio::select! {
        () = bounded => {}
        () = accept_next(listener, serve, tasks, &slots, &heads) => {}
    }
}

async fn accept_next(
    listener: &TcpListener,
    serve: &Serve,
    tasks: &TaskTracker,
    slots: &Arc<Semaphore>,
    heads: &Arc<Heads>,
) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let Some(slot) = slot(slots, heads).await else { return };
                let head = heads.enter(serve.state.limits.heads, &serve.state.closing);
                let serve = serve.clone();
                tasks.spawn(async move {
                    serve.connection(stream, head).await;
                    drop(slot);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                serve.state.clock.deadline(EXHAUSTED).await;
            }
        }
    }
}

/// Room for one more: that of one that waits for a head, else of the next one that ends.
async fn slot(slots: &Arc<Semaphore>, heads: &Heads) -> Option<OwnedSemaphorePermit> {
    if let Ok(slot) = Arc::clone(slots).try_acquire_owned() {
        return Some(slot);
    }
    tokio::select! {
        slot = Arc::clone(slots).acquire_owned() => slot.ok(),
        () = heads.make_room() => None,
    }
}

impl Serve {
    async fn connection(self, stream: TcpStream, head: Head) {
        // Answers are written whole: waiting for more would only delay them.
        let _ = stream.set_nodelay(true);
        let limits = self.state.limits;
        let delivery = Delivery::default();
        let stream = Kept::new(stream, delivery.clone());
        let stream = Kept::new(stream, Stalling::new(Arc::clone(&self.state.clock), limits.stall));
        let Some(acceptor) = self.acceptor.clone() else { return self.http(stream, head, delivery).await };
        let secured = tokio::select! {
            secured = acceptor.accept(stream) => secured,
            () = dismissed(&self.state, &head) => return,
        };
        match secured {
            Ok(stream) => self.http(stream, head, delivery).await,
            Err(error) => tracing::debug!(%error, "no TLS"),
        }
    }

    async fn http(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        head: Head,
        delivery: Delivery,
    ) {
        let limits = self.state.limits;
        let unread = Unread::default();
        let service = Answering::new(self.router, head.clone(), unread.clone(), delivery);
        let clock = Arc::clone(&self.state.clock);
        let lingering = Lingering::new(unread, clock, limits.linger, limits.linger_bytes);
        let stream = Kept::new(stream, lingering);
        let connection = http1::Builder::new()
            .max_buf_size(HARD_HEAD_BYTES)
            // A peer that will send nothing more may still read.
            .half_close(true)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            // It is what is ready, as a rule.
            biased;
            ended = connection.as_mut() => ended,
            () = dismissed(&self.state, &head) => {
                // A request that came just then is answered.
                if !head.is_busy() && !self.state.closing.is_cancelled() {
                    return;
                }
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    ended = connection => ended,
                    () = self.abandon.cancelled() => return,
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection broke");
        }
    }
}

/// Ready once a connection must go, but not before whoever came had a moment; or once all must.
async fn dismissed(state: &State, head: &Head) {
    tokio::select! {
        biased;
        () = state.closing.cancelled() => {}
        _ = futures::future::join(state.clock.deadline(state.limits.moment), head.let_go()) => {}
    }
}
