//! Whether an answer that holds a private key was handed over: all of it was written, to a peer that had not ended its
//! side by then. Who hung up looks like one that will send nothing more and still reads: it is answered, and may ask again.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures::FutureExt as _;
use pmks_core::Handover;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

/// What goes with answers that are being written. Clones are of the same connection; dropped with it, none of them was
/// handed over.
#[derive(Clone, Default)]
pub(super) struct Delivery(Arc<Mutex<Vec<Handover>>>);

impl Delivery {
    /// All of that answer is with the connection now, to be written.
    pub(super) fn begins(&self, handover: Handover) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(handover);
    }

    /// All that began is written.
    fn ended(&self, in_vain: impl FnOnce() -> bool) {
        let written = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if !written.is_empty() && !in_vain() {
            written.into_iter().for_each(Handover::complete);
        }
    }
}

/// A socket that knows what is written to it.
pub(super) struct Delivering {
    stream: TcpStream,
    delivery: Delivery,
}

impl Delivering {
    pub(super) fn new(stream: TcpStream, delivery: Delivery) -> Self {
        Self { stream, delivery }
    }
}

/// Whether the peer will send nothing more.
fn has_ended(stream: &TcpStream) -> bool {
    let ready = stream.ready(Interest::READABLE).now_or_never();
    matches!(ready, Some(Ok(ready)) if ready.is_read_closed())
}

impl AsyncRead for Delivering {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Delivering {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            self.delivery.ended(|| has_ended(&self.stream));
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
