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

#[cfg(test)]
mod tests {
    use pmks_transport::SystemClock;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::super::stream::Kept;
    use super::*;

    const LIMIT: Duration = Duration::from_millis(200);

    #[tokio::test]
    async fn a_peer_that_takes_nothing_is_let_go_and_one_that_is_slow_is_not() {
        let (mut peer, stream) = duplex(4);
        let mut stream = Kept::new(stream, Stalling::new(Arc::new(SystemClock), LIMIT));
        let mut writing = std::pin::pin!(stream.write_all(b"answer and more"));
        for _ in 0..2 {
            assert!(futures::poll!(writing.as_mut()).is_pending());
            tokio::time::sleep(LIMIT * 3 / 4).await;
            peer.read_exact(&mut [0; 4]).await.unwrap();
        }
        assert!(futures::poll!(writing.as_mut()).is_pending());
        let ended = tokio::time::timeout(LIMIT * 50, writing).await.expect("it is let go");
        assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
