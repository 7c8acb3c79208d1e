//! The seam behind the front of a cluster's endpoint: what answers a request whose caller is known.
//! Never authenticates.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};

use super::{Builtin, ClusterState, Identity};

/// The body of an answer: whole, or a stream (a watch) that ends when the back ends it.
pub type ResponseBody = UnsyncBoxBody<Bytes, io::Error>;

/// An answer to a request.
pub type Response = http::Response<ResponseBody>;

/// A request whose caller is known. The credential is no longer in it.
#[derive(Clone, Debug)]
pub struct Request {
    /// The HTTP method.
    pub method: http::Method,
    /// The path, still percent-encoded, without the query.
    pub path: String,
    /// The query, still percent-encoded, without the `?`; empty where there is none.
    pub query: String,
    /// The headers, without `Authorization`.
    pub headers: http::HeaderMap,
    /// The whole body.
    pub body: Bytes,
    /// Who asks.
    pub identity: Identity,
}

/// What answers the requests of one cluster: the built-in back, or a real Kubernetes API server behind a proxy.
#[async_trait]
pub trait Back: Send + Sync {
    /// Answers one request. A failure is an answer too (a `Status` object with its HTTP status).
    async fn serve(&self, request: Request) -> Response;
}

/// Makes the back of a cluster whose endpoint begins to listen. Called while the world is held: it must not wait.
pub trait MakeBack: Send + Sync {
    /// What answers over this content.
    fn make(&self, state: &ClusterState) -> Arc<dyn Back>;
}

/// Who makes the backs of a cloud's clusters: the built-in one, unless another is set before a cluster stands.
#[derive(Default)]
pub struct Backs {
    other: Mutex<Option<Arc<dyn MakeBack>>>,
}

impl Backs {
    /// Lets another one make the backs of the clusters to come.
    pub fn set(&self, other: Arc<dyn MakeBack>) {
        *self.other.lock().unwrap_or_else(PoisonError::into_inner) = Some(other);
    }

    pub(crate) fn make(&self, state: &ClusterState) -> Arc<dyn Back> {
        let other = self.other.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match other {
            Some(other) => other.make(state),
            None => Arc::new(Builtin::new(state.clone())),
        }
    }
}

impl fmt::Debug for Backs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Backs").finish_non_exhaustive()
    }
}

/// A whole body.
pub(crate) fn whole(bytes: impl Into<Bytes>) -> ResponseBody {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}
