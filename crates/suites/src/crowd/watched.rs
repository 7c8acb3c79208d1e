//! A future of which one can tell whether it has something to do: it was woken since it was last polled.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

pub(super) struct Watched<F> {
    future: Pin<Box<F>>,
    woken: Arc<Woken>,
}

#[derive(Default)]
struct Woken {
    since_polled: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl<F: Future> Watched<F> {
    pub(super) fn new(future: F) -> Self {
        Self { future: Box::pin(future), woken: Arc::default() }
    }

    pub(super) fn has_something_to_do(&self) -> bool {
        self.woken.since_polled.load(Ordering::SeqCst)
    }
}

impl<F: Future> Future for Watched<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        *self.woken.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(context.waker().clone());
        self.woken.since_polled.store(false, Ordering::SeqCst);
        let waker = Waker::from(Arc::clone(&self.woken));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.since_polled.store(true, Ordering::SeqCst);
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(task) = task {
            task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_woken_has_something_to_do_until_it_is_polled() {
        let (send, receive) = tokio::sync::oneshot::channel();
        let mut watched = Watched::new(async { receive.await.unwrap() });
        assert!(futures::poll!(&mut watched).is_pending() && !watched.has_something_to_do());
        send.send(7).unwrap();
        assert!(watched.has_something_to_do());
        assert_eq!(watched.await, 7);
    }
}
