//! Large answers: few at the same moment, so that what hundreds of calls are answered takes a bounded amount of memory,
//! whatever is sent. A small answer waits for nobody.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Up to this size an answer is small: what a page of a list takes.
const SMALL: usize = 512 * 1024;

/// How many large answers are read, or wait to be understood, at the same moment.
const AT_ONCE: usize = 4;

/// The room that a large answer is given at once. What glibc has freed of up to 32 MiB raises the size below which it keeps
/// memory for what comes next, for as long as the process lives; more than that is a mapping of its own, of which what
/// is written alone takes memory, and goes back when it is dropped.
///
/// Source: <https://man7.org/linux/man-pages/man3/mallopt.3.html>, `M_MMAP_THRESHOLD`
const MAPPED: usize = 33 << 20;

/// The room for large answers, shared by all connections.
pub(crate) struct LargeAnswers(Arc<Semaphore>);

impl Default for LargeAnswers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl LargeAnswers {
    /// A body of which nothing has come yet.
    pub(crate) fn body(&self) -> Growing<'_> {
        Growing { room: self, bytes: BytesMut::new(), permit: None }
    }
}

/// A body as it comes.
pub(crate) struct Growing<'a> {
    room: &'a LargeAnswers,
    bytes: BytesMut,
    permit: Option<OwnedSemaphorePermit>,
}

impl Growing<'_> {
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Takes what came next. One that becomes large waits until there is room: meanwhile the cloud cannot send on.
    pub(crate) async fn push(&mut self, piece: &[u8]) {
        if self.permit.is_none() && self.bytes.len() + piece.len() > SMALL {
            // Nobody closes it.
            self.permit = Arc::clone(&self.room.0).acquire_owned().await.ok();
            self.bytes.reserve(MAPPED);
        }
        self.bytes.extend_from_slice(piece);
    }

    /// The whole of it. A large one keeps its room until the last copy of it is dropped.
    pub(crate) fn whole(self) -> Bytes {
        match self.permit {
            Some(permit) => Bytes::from_owner(Large { bytes: self.bytes, _permit: permit }),
            None => self.bytes.freeze(),
        }
    }
}

struct Large {
    bytes: BytesMut,
    _permit: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Large {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    async fn grown(room: &LargeAnswers, size: usize) -> Bytes {
        let mut body = room.body();
        for _ in 0..size / 1024 {
            body.push(&[b'x'; 1024]).await;
        }
        body.whole()
    }

    #[tokio::test]
    async fn four_large_answers_stand_at_once_and_small_ones_wait_for_nobody() {
        // Told as numbers: whoever lets more stand has to say how much memory that is.
        let (small, large) = (512 * 1024, 513 * 1024);
        let room = LargeAnswers::default();
        let read = |size| grown(&room, size).now_or_never();
        let mut held: Vec<Bytes> = std::iter::from_fn(|| read(large)).take(5).collect();
        assert_eq!(held.len(), 4);
        assert_eq!(read(small).map(|body| body.len()), Some(small));
        // A part of it that somebody keeps is kept in memory with the whole.
        let part = held.pop().map(|body| body.slice(..1));
        assert!(read(large).is_none());
        drop(part);
        assert_eq!(read(large).map(|body| body.len()), Some(large));
    }

    #[tokio::test]
    async fn a_large_answer_is_a_mapping_of_its_own_and_a_small_one_takes_little() {
        let room = LargeAnswers::default();
        let mut body = room.body();
        body.push(&vec![b'x'; SMALL]).await;
        assert!(body.bytes.capacity() < 2 * SMALL, "{}", body.bytes.capacity());
        body.push(b"x").await;
        assert!(body.bytes.capacity() > 32 << 20, "{}", body.bytes.capacity());
    }
}
