//! A peer that takes no byte of an answer for too long is let go. Reading has limits of its own.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use pmks_transport::Clock;

use super::stream::Keeper;

/// Has writes fail once the peer took nothing for that long.
pub(super) struct Stalling {
    clock: Arc<dyn Clock>,
    limit: Duration,
    patience: Option<BoxFuture<'static, ()>>,
}

impl Stalling {
    pub(super) fn new(clock: Arc<dyn Clock>, limit: Duration) -> Self {
        Self { clock, limit, patience: None }
    }
}

impl<S> Keeper<S> for Stalling {
    fn attempted<T>(
        &mut self,
        context: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.patience = None;
            return polled;
        }
        let patience = self.patience.get_or_insert_with(|| self.clock.deadline(self.limit));
        match patience.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}
