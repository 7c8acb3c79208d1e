//! An answer to a request whose body was not read to its end reaches who sends it: the connection's own end is told, and
//! what still comes is read and dropped, so much and so long. Closed at once, with bytes unread, the system would reset
//! it, and the peer, still writing, would see that reset and never the answer.
//!
//! Sources: <https://www.rfc-editor.org/rfc/rfc9112#section-9.6>, <https://nginx.org/en/docs/http/ngx_http_core_module.html#lingering_close>

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use pmks_transport::Clock;
use tokio::io::{AsyncRead, ReadBuf};

use super::stream::Keeper;

/// How much is read at a time.
const PIECE: usize = 8 << 10;

/// Whether the last request's body was not read to its end. Clones are of the same connection.
#[derive(Clone, Default)]
pub(super) struct Unread(Arc<AtomicBool>);

/// A request's body.
pub(super) struct Watched {
    body: Incoming,
    unread: Unread,
    ended: bool,
}

impl Unread {
    /// The body of the next request.
    pub(super) fn watch(&self, body: Incoming) -> Watched {
        self.0.store(false, Ordering::Relaxed);
        let ended = body.is_end_stream();
        Watched { body, unread: self.clone(), ended }
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        self.ended |= matches!(polled, Poll::Ready(None)) || self.body.is_end_stream();
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if !self.ended {
            self.unread.0.store(true, Ordering::Relaxed);
        }
    }
}

/// Has a stream end in good order.
pub(super) struct Lingering {
    unread: Unread,
    clock: Arc<dyn Clock>,
    limit: Duration,
    bytes_left: usize,
    /// There once our side has ended.
    patience: Option<BoxFuture<'static, ()>>,
}

impl Lingering {
    pub(super) fn new(unread: Unread, clock: Arc<dyn Clock>, limit: Duration, most_bytes: usize) -> Self {
        Self { unread, clock, limit, bytes_left: most_bytes, patience: None }
    }
}

impl<S: AsyncRead + Unpin> Keeper<S> for Lingering {
    /// Ready once the peer has ended, or has sent enough, or for long enough.
    fn poll_after_end(&mut self, stream: &mut S, context: &mut Context<'_>) -> Poll<()> {
        if self.patience.is_none() && !self.unread.0.load(Ordering::Relaxed) {
            return Poll::Ready(());
        }
        let patience = self.patience.get_or_insert_with(|| self.clock.deadline(self.limit));
        if patience.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        let mut piece = [0; PIECE];
        loop {
            let mut buffer = ReadBuf::new(&mut piece);
            let read = ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer));
            let count = buffer.filled().len();
            if read.is_err() || count == 0 || count >= self.bytes_left {
                return Poll::Ready(());
            }
            self.bytes_left -= count;
        }
    }
}
