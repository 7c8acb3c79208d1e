//! A stream around another one: what is read and written goes through as it is, but for what its keeper does otherwise.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is done otherwise at a stream.
pub(super) trait Keeper<S> {
    /// What becomes of a write, a flush or an end of our side.
    fn attempted<T>(&mut self, _: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        polled
    }

    /// All that was written is with the system.
    fn flushed(&mut self, _: &S) {}

    /// Our side has ended: ready when the stream may be closed.
    fn poll_after_end(&mut self, _: &mut S, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

/// A stream and its keeper.
pub(super) struct Kept<S, K> {
    stream: S,
    keeper: K,
    /// Our side.
    has_ended: bool,
}

impl<S, K> Kept<S, K> {
    pub(super) fn new(stream: S, keeper: K) -> Self {
        Self { stream, keeper, has_ended: false }
    }
}

impl<S: AsyncRead + Unpin, K: Unpin> AsyncRead for Kept<S, K> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin, K: Keeper<S> + Unpin> AsyncWrite for Kept<S, K> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.keeper.attempted(context, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.keeper.attempted(context, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, keeper, .. } = self.get_mut();
        let polled = Pin::new(&mut *stream).poll_flush(context);
        if matches!(polled, Poll::Ready(Ok(()))) {
            keeper.flushed(stream);
        }
        keeper.attempted(context, polled)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, keeper, has_ended } = self.get_mut();
        if !*has_ended {
            let polled = Pin::new(&mut *stream).poll_shutdown(context);
            ready!(keeper.attempted(context, polled))?;
            *has_ended = true;
        }
        keeper.poll_after_end(stream, context).map(Ok)
    }
}
