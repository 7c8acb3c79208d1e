//! Connections whose peer has not sent a whole head yet: nobody knows who they are, and they cost a peer nothing. So
//! many may stand at once, and each for so long; one more, and the one that has waited longest is let go.
//!
//! A request costs two numbers here and no timer: who waits for too long is found by looking at all, now and then.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use pmks_transport::Clock;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Stands for no turn: a request is under way.
const BUSY: u64 = u64::MAX;
/// How often in the time that a head may take all are looked at: that is how late one may be let go.
const LOOKS: u32 = 8;

/// All connections.
#[derive(Default)]
pub(super) struct Heads {
    places: Mutex<HashMap<u64, Arc<Place>>>,
    /// Each wait has a later turn than all that began before.
    next: AtomicU64,
    /// One came to wait.
    one_more: Notify,
}

struct Place {
    /// Whose turn its wait has, or [`BUSY`].
    waits_since: AtomicU64,
    let_go: CancellationToken,
}

/// A connection's place among them. Clones are of the same connection.
#[derive(Clone)]
pub(super) struct Head(Arc<Seat>);

/// Taken from among them with its last clone.
struct Seat {
    heads: Arc<Heads>,
    number: u64,
    place: Arc<Place>,
}

/// A request is under way: the connection waits for no head until this is dropped.
pub(super) struct Busy(Head);

impl Heads {
    /// A place for a new connection, which ends with `closing`; the oldest is let go where there are `most` already.
    pub(super) fn enter(self: &Arc<Self>, most: usize, closing: &CancellationToken) -> Head {
        let number = self.turn();
        let place = Place { waits_since: number.into(), let_go: closing.child_token() };
        let place = Arc::new(place);
        {
            let mut places = self.all();
            if places.values().filter(|place| place.turn().is_some()).count() >= most {
                let_go_oldest(&places);
            }
            places.insert(number, Arc::clone(&place));
        }
        self.one_more.notify_one();
        Head(Arc::new(Seat { heads: Arc::clone(self), number, place }))
    }

    /// Lets the one go that has waited longest, then whoever comes to wait, for ever.
    pub(super) async fn make_room(&self) {
        // What was told before is no news.
        self.one_more.notified().now_or_never();
        loop {
            let_go_oldest(&self.all());
            self.one_more.notified().await;
        }
    }

    /// Lets everyone go, for ever, who waits for longer than that, or for an eighth more.
    pub(super) async fn bound(&self, clock: &dyn Clock, limit: Duration) {
        let mut looks = VecDeque::new();
        loop {
            clock.deadline(limit / LOOKS).await;
            looks.push_back(self.next.load(Ordering::SeqCst));
            if looks.len() <= LOOKS as usize {
                continue;
            }
            let Some(long_ago) = looks.pop_front() else { continue };
            for place in self.all().values() {
                if place.turn().is_some_and(|turn| turn < long_ago) {
                    place.let_go.cancel();
                }
            }
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<u64, Arc<Place>>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self) -> u64 {
        self.next.fetch_add(1, Ordering::SeqCst)
    }
}

/// Lets the one go that has waited longest and is not let go yet.
fn let_go_oldest(places: &HashMap<u64, Arc<Place>>) {
    let waiting = places.values().filter_map(|place| Some((place.turn()?, place)));
    if let Some((_, oldest)) = waiting.min_by_key(|(turn, _)| *turn) {
        oldest.let_go.cancel();
    }
}

impl Place {
    /// Since when it waits; `None`: it does not, or is let go.
    fn turn(&self) -> Option<u64> {
        let since = self.waits_since.load(Ordering::SeqCst);
        (since != BUSY && !self.let_go.is_cancelled()).then_some(since)
    }
}

impl Head {
    /// Ready once the connection must go, or all must.
    pub(super) async fn let_go(&self) {
        self.0.place.let_go.cancelled().await;
    }

    /// Whether a request is under way.
    pub(super) fn is_busy(&self) -> bool {
        self.0.place.waits_since.load(Ordering::SeqCst) == BUSY
    }

    /// The head is whole.
    pub(super) fn busy(&self) -> Busy {
        self.0.place.waits_since.store(BUSY, Ordering::SeqCst);
        Busy(self.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let Seat { heads, place, .. } = &*self.0.0;
        place.waits_since.store(heads.turn(), Ordering::SeqCst);
        heads.one_more.notify_one();
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.heads.all().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use pmks_transport::SystemClock;

    use super::*;

    const LIMIT: Duration = Duration::from_millis(400);

    fn is_let_go(head: &Head) -> bool {
        head.0.place.let_go.is_cancelled()
    }

    #[tokio::test]
    async fn who_waits_too_long_is_let_go_and_who_is_answered_is_not() {
        let (heads, closing) = (Arc::new(Heads::default()), CancellationToken::new());
        let (silent, talkative, busy) =
            (heads.enter(9, &closing), heads.enter(9, &closing), heads.enter(9, &closing));
        let _answered = busy.busy();
        let talking = async {
            for _ in 0..10 {
                SystemClock.deadline(LIMIT / 5).await;
                drop(talkative.busy());
            }
        };
        tokio::select! {
            () = heads.bound(&SystemClock, LIMIT) => {}
            () = talking => {}
        }
        assert!(is_let_go(&silent));
        assert!(!is_let_go(&talkative) && !is_let_go(&busy));
        closing.cancel();
        assert!(is_let_go(&talkative) && is_let_go(&busy));
    }

    #[tokio::test]
    async fn the_oldest_makes_room_and_then_whoever_comes_to_wait() {
        let (heads, closing) = (Arc::new(Heads::default()), CancellationToken::new());
        let all = [heads.enter(9, &closing), heads.enter(9, &closing), heads.enter(9, &closing)];
        let answered = all.each_ref().map(Head::busy);
        let [first, second, third] = &all;
        let [one, two, three] = answered;
        drop((two, one));
        {
            let making_room = heads.make_room();
            let mut making_room = std::pin::pin!(making_room);
            assert!(making_room.as_mut().now_or_never().is_none());
            // Its request was over before that of the first: it has waited longer.
            assert_eq!((is_let_go(first), is_let_go(second), is_let_go(third)), (false, true, false));
            drop(three);
            assert!(making_room.as_mut().now_or_never().is_none());
            assert_eq!((is_let_go(first), is_let_go(third)), (true, false));
        }
        drop(all);
        assert!(heads.all().is_empty());
    }
}
