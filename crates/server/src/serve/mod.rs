//! The router on a socket: TLS, bounded connections, slow peers, an end in good order.

mod answering;
mod connection;
mod delivery;
mod heads;
mod limits;
mod linger;
mod stall;
mod stream;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::net::TcpListener;
use url::Url;

pub use limits::Limits;
pub use tls::Tls;

use crate::{State, answered};

/// How a server is put on a socket.
#[derive(Debug)]
pub struct ServeOptions {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The server's certificate; `None`: plain HTTP.
    pub tls: Option<Tls>,
    /// The URL at which others reach it, written into kubeconfigs; `None`: where it listens.
    pub external_url: Option<Url>,
    /// What it bears.
    pub limits: Limits,
}

impl ServeOptions {
    /// Plain HTTP with the usual limits.
    pub fn on(listen: SocketAddr) -> Self {
        Self { listen, tls: None, external_url: None, limits: Limits::default() }
    }
}

/// Why a server could not be put on its socket.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is taken, or not ours.
    #[error("cannot listen on {address}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error("the server's certificate cannot be used: {0}")]
    Certificate(String),
}

/// A server that listens.
pub struct Serving {
    /// Where it listens.
    pub address: SocketAddr,
    /// The URL at which it is reached.
    pub url: Url,
    /// The scheme that it speaks itself, whatever stands before it.
    pub scheme: &'static str,
    finished: BoxFuture<'static, ()>,
}

impl Serving {
    /// Serves until the shutdown that was given is ready, then ends streams, lets requests finish and answers.
    pub async fn finished(self) {
        self.finished.await;
    }
}

impl std::fmt::Debug for Serving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Serving").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Listens. Nothing is answered before [`Serving::finished`] is awaited.
///
/// # Errors
/// The address cannot be listened on; the certificate cannot be used.
pub async fn serve(
    options: ServeOptions,
    mut state: State,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<Serving, ServeError> {
    let failed = |source| ServeError::Listen { address: options.listen, source };
    let acceptor = options.tls.as_ref().map(Tls::acceptor).transpose()?;
    let listener = TcpListener::bind(options.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let scheme = if acceptor.is_some() { "https" } else { "http" };
    if acceptor.is_none() && !address.ip().is_loopback() {
        tracing::warn!(%address, "serving without TLS: tokens travel in the clear");
    }
    let own = Url::parse(&format!("{scheme}://{address}"))
        .map_err(|error| ServeError::Listen { address, source: std::io::Error::other(error) })?;
    state.anywhere = (options.external_url.is_none() && address.ip().is_unspecified()).then_some(scheme);
    let url = options.external_url.unwrap_or(own);
    state.url = Some(Arc::new(url.clone()));
    state.loopback = address.ip().is_loopback();
    state.listens = Some(address.to_string().into());
    state.limits = options.limits;
    let (metrics, clock) = (state.metrics.clone(), Arc::clone(&state.clock));
    let state = Arc::new(state);
    let accepting = connection::accept(listener, acceptor, answered(&state), state, Box::pin(shutdown));
    let finished = Box::pin(async move {
        tokio::select! {
            () = accepting => {}
            () = metrics.keep_up(&*clock) => {}
        }
    });
    Ok(Serving { address, url, scheme, finished })
}
