//! What pmks is held against: the same framework with handlers that do nothing, in a process of its own.

use std::convert::Infallible;
use std::io::Write as _;

use axum::Router;
use axum::extract::State;
use axum::response::sse::{Event, Sse};
use axum::routing::{get, post};
use bytes::Bytes;
use futures::{Stream, stream};
use http::StatusCode;
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// Its path for reads.
pub(crate) const READ: &str = "/empty";
/// Its path for a POST: told to all who listen.
pub(crate) const WRITE: &str = "/told";
/// Its path for those who listen.
pub(crate) const LISTEN: &str = "/events";

/// Serves on a free port, which it says on standard output, until it is killed.
///
/// # Errors
/// If it cannot listen.
pub(crate) async fn serve() -> anyhow::Result<()> {
    let (tell, _) = broadcast::channel::<Bytes>(1024);
    let routes = Router::new()
        .route(READ, get(|| async {}))
        .route(WRITE, post(told))
        .route(LISTEN, get(listen))
        .with_state(tell);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut out = std::io::stdout();
    writeln!(out, "{}", listener.local_addr()?)?;
    out.flush()?;
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
        // As pmks does: answers are written whole.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, routes).await?;
    Ok(())
}

async fn told(State(tell): State<broadcast::Sender<Bytes>>, body: Bytes) -> StatusCode {
    // Nobody listens: as good.
    let _ = tell.send(body);
    StatusCode::ACCEPTED
}

async fn listen(
    State(tell): State<broadcast::Sender<Bytes>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    Sse::new(stream::unfold(tell.subscribe(), async |mut heard| {
        // Who lags behind hears of the rest.
        let body = loop {
            match heard.recv().await {
                Ok(body) => break body,
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        };
        let event = Event::default().event("operation").data(String::from_utf8_lossy(&body));
        Some((Ok(event), heard))
    }))
}
