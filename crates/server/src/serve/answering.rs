//! The router as hyper calls it: from a whole head to the end of the answer, the connection waits for no other head.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use pmks_core::Handover;

use super::delivery::Delivery;
use super::heads::{Busy, Head};
use super::linger::Unread;

/// The router of one connection.
pub(super) struct Answering {
    router: TowerToHyperService<Router>,
    head: Head,
    unread: Unread,
    delivery: Delivery,
}

impl Answering {
    pub(super) fn new(router: Router, head: Head, unread: Unread, delivery: Delivery) -> Self {
        Self { router: TowerToHyperService::new(router), head, unread, delivery }
    }
}

impl Service<Request<Incoming>> for Answering {
    type Response = Response<Answered>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let (busy, delivery) = (self.head.busy(), self.delivery.clone());
        let reads = request.method().is_safe();
        let answer = self.router.call(request.map(|body| self.unread.watch(body)));
        Box::pin(async move {
            // What came whole is carried out, whether or not somebody waits for its answer.
            let answered = if reads { answer.await } else { unheeding(answer).await };
            let (mut parts, body) = answered?.into_parts();
            let handover = parts.extensions.remove().map(|handover| (handover, delivery));
            Ok(Response::from_parts(parts, Answered { body, handover, _busy: busy }))
        })
    }
}

/// The same, which goes on when it is dropped.
async fn unheeding<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    match tokio::spawn(future).await {
        Ok(output) => output,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The process ends.
        Err(_) => std::future::pending().await,
    }
}

/// An answer's body.
pub(super) struct Answered {
    body: Body,
    /// What is to be known of its delivery, until all of it is taken.
    handover: Option<(Handover, Delivery)>,
    _busy: Busy,
}

impl hyper::body::Body for Answered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if matches!(polled, Poll::Ready(None | Some(Ok(_))))
            && self.body.is_end_stream()
            && let Some((handover, delivery)) = self.handover.take()
        {
            delivery.begins(handover);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
