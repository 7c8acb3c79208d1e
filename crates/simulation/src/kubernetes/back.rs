//! The seam behind the front of a cluster's endpoint: what answers a request whose caller is known.
//! Never authenticates.

use std::io;

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};

use super::Identity;

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

/// A whole body.
pub(crate) fn whole(bytes: impl Into<Bytes>) -> ResponseBody {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}
