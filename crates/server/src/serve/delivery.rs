//! Whether an answer that holds a private key was handed over: all of it was written, to a peer that had not ended its
//! side by then. Who hung up looks like one that will send nothing more and still reads: it is answered, and may ask again.

use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt as _;
use pmks_core::Handover;
use tokio::io::Interest;
use tokio::net::TcpStream;

use super::stream::Keeper;

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

impl Keeper<TcpStream> for Delivery {
    fn flushed(&mut self, stream: &TcpStream) {
        self.ended(|| has_ended(stream));
    }
}

/// Whether the peer will send nothing more.
fn has_ended(stream: &TcpStream) -> bool {
    let ready = stream.ready(Interest::READABLE).now_or_never();
    matches!(ready, Some(Ok(ready)) if ready.is_read_closed())
}
