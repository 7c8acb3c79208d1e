//! Bodies of answers: whole, or one that breaks off in the middle although its length was announced.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;

/// A body that may fail while it is sent.
pub(crate) type Body = BoxBody<Bytes, io::Error>;

/// A body that is sent whole.
pub(crate) fn whole(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed()
}

/// A body of which the first half is sent before the connection breaks.
pub(crate) fn truncated(bytes: &Bytes) -> Body {
    let half = bytes.slice(..bytes.len() / 2);
    let frames = futures::stream::iter([true, false]).then(move |first| {
        let half = half.clone();
        async move {
            if first {
                return Ok(Frame::data(half));
            }
            // Time for what was written to leave the buffers, so that the client really sees a beginning.
            tokio::time::sleep(Duration::from_millis(20)).await;
            Err(io::Error::from(io::ErrorKind::ConnectionAborted))
        }
    });
    BodyExt::boxed(StreamBody::new(frames))
}
