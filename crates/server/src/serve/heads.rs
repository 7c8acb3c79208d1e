//! Connections whose peer has not sent a whole head yet: nobody knows who they are, and they cost a peer nothing. So
//! many may stand at once; one more, and the one that has waited longest is let go.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// All that wait for a head.
#[derive(Default)]
pub(super) struct Heads {
    waiting: Mutex<Waiting>,
    /// One came to wait.
    pub(super) one_more: Notify,
}

#[derive(Default)]
struct Waiting {
    next: u64,
    by_age: BTreeMap<u64, CancellationToken>,
}

/// A connection's place among them. Clones are of the same connection.
#[derive(Clone)]
pub(super) struct Head(Arc<Place>);

struct Place {
    heads: Arc<Heads>,
    at: Mutex<Option<u64>>,
    let_go: CancellationToken,
}

/// A request is under way: the connection waits for no head until this is dropped.
pub(super) struct Busy(Head);

impl Heads {
    /// A place for a new connection; the oldest is let go where there are `most` already.
    pub(super) fn enter(self: &Arc<Self>, most: usize) -> Head {
        if self.count() >= most {
            self.let_go_oldest();
        }
        let place = Place { heads: Arc::clone(self), at: Mutex::default(), let_go: CancellationToken::new() };
        let head = Head(Arc::new(place));
        head.wait();
        head
    }

    /// Lets the one go that has waited longest, if any waits.
    pub(super) fn let_go_oldest(&self) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, let_go)) = waiting.by_age.pop_first() {
            let_go.cancel();
        }
    }

    fn count(&self) -> usize {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).by_age.len()
    }

    fn leave(&self, at: u64) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).by_age.remove(&at);
    }
}

impl Head {
    /// Ready once the connection must go.
    pub(super) async fn let_go(&self) {
        self.0.let_go.cancelled().await;
    }

    /// Whether a request is under way.
    pub(super) fn is_busy(&self) -> bool {
        self.0.at.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// The head is whole.
    pub(super) fn busy(&self) -> Busy {
        if let Some(at) = self.0.at.lock().unwrap_or_else(PoisonError::into_inner).take() {
            self.0.heads.leave(at);
        }
        Busy(self.clone())
    }

    fn wait(&self) {
        let mut waiting = self.0.heads.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let at = waiting.next;
        waiting.next += 1;
        waiting.by_age.insert(at, self.0.let_go.clone());
        drop(waiting);
        *self.0.at.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
        self.0.heads.one_more.notify_one();
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.wait();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(at) = self.at.lock().unwrap_or_else(PoisonError::into_inner).take() {
            self.heads.leave(at);
        }
    }
}
