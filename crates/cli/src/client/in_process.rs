//! The way to a server in this process: the same router, without a socket and without a token.

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use futures::{StreamExt as _, TryStreamExt as _};
use http::{HeaderValue, Request, header};
use pmks_core::Caller;
use pmks_model::FailureKind;
use pmks_server::InProcess;
use tower::ServiceExt as _;

use super::{Door, Received, Sent};
use crate::error::{Error, Result};

/// A router of our own.
pub(crate) struct InProcessDoor {
    router: Router,
    caller: Caller,
}

impl InProcessDoor {
    /// That router, called by that user of the machine.
    pub(crate) fn new(router: Router, caller: Caller) -> Self {
        Self { router, caller }
    }
}

#[async_trait]
impl Door for InProcessDoor {
    async fn send(&self, request: Sent) -> Result<Received> {
        let failed = |why: String| Error::new(FailureKind::Unexpected, why);
        let mut whole = Request::builder()
            .method(request.method)
            .uri(request.target)
            .extension(InProcess(self.caller.clone()))
            .body(Body::from(request.body))
            .map_err(|error| failed(format!("the request cannot be sent: {error}")))?;
        *whole.headers_mut() = request.headers;
        whole.headers_mut().insert(header::HOST, HeaderValue::from_static("127.0.0.1"));
        let response = match self.router.clone().oneshot(whole).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let (head, body) = response.into_parts();
        let body =
            body.into_data_stream().map_err(move |error| failed(format!("the answer broke off: {error}")));
        Ok(Received { status: head.status, headers: head.headers, body: body.boxed() })
    }
}
