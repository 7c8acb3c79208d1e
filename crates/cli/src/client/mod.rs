//! Requests to `/v1`, and their answers. The same whether a server answers over HTTP or one in this process does.

mod events;
mod http;
mod in_process;
mod path;

pub(crate) use self::http::{Authorization, HttpDoor, is_loopback};
pub(crate) use events::Events;
pub(crate) use in_process::InProcessDoor;
pub(crate) use path::Path;

use std::sync::Arc;

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use pmks_api::Problem;
use pmks_model::FailureKind;
use serde_json::Value;

use crate::error::{Error, Result};

/// The largest answer that is read, in bytes.
const LARGEST_ANSWER: usize = 64 * 1024 * 1024;
/// The most pages of a list that are read.
const MOST_PAGES: usize = 10_000;

/// A request as a door takes it.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether it does no harm twice.
    pub(crate) repeatable: bool,
}

/// An answer whose body still comes.
pub(crate) struct Received {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: BoxStream<'static, Result<Bytes>>,
}

/// A way to a server of pmks.
#[async_trait]
pub(crate) trait Door: Send + Sync {
    /// Sends one request, once.
    ///
    /// # Errors
    /// `Unavailable` where nobody answers.
    async fn send(&self, request: Sent) -> Result<Received>;
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// `Null` where there is none.
    pub(crate) body: Value,
}

/// A request of a command.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    method: Method,
    path: Path,
    headers: HeaderMap,
    body: Option<Value>,
    repeatable: bool,
}

impl Request {
    /// A request without a body.
    pub(crate) fn new(method: Method, path: Path) -> Self {
        let repeatable = method == Method::GET;
        Self { method, path, headers: HeaderMap::new(), body: None, repeatable }
    }

    /// One that does no harm twice, whatever its method says.
    pub(crate) fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// With a JSON body.
    pub(crate) fn json(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// With a parameter of the query.
    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        self.path = self.path.query(name, value);
        self
    }

    /// With a header.
    ///
    /// # Errors
    /// For a value that no header can carry.
    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Result<Self> {
        let value = HeaderValue::from_str(value).map_err(|_| {
            Error::usage(format!("{name} cannot be sent: it holds characters that no header can carry"))
        })?;
        self.headers.insert(name, value);
        Ok(self)
    }
}

/// A client of `/v1`. Clones share the way.
#[derive(Clone)]
pub(crate) struct Client {
    door: Arc<dyn Door>,
}

impl Client {
    /// Through that door.
    pub(crate) fn new(door: Arc<dyn Door>) -> Self {
        Self { door }
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// The server's problem, or `Unavailable`, or `Unexpected` for what cannot be read.
    pub(crate) async fn send(&self, request: Request) -> Result<Answer> {
        let received = self.open(request).await?;
        let (status, headers) = (received.status, received.headers);
        let body = whole(received.body).await?;
        if !status.is_success() {
            return Err(refusal(status, &body));
        }
        let json =
            headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let body = if body.is_empty() {
            Value::Null
        } else if json.contains("json") {
            serde_json::from_slice(&body).map_err(|error| unreadable(&error.to_string()))?
        } else {
            Value::String(String::from_utf8(body).map_err(|_| unreadable("it is not UTF-8"))?)
        };
        Ok(Answer { status, body })
    }

    /// Reads one thing.
    pub(crate) async fn get(&self, path: Path) -> Result<Value> {
        Ok(self.send(Request::new(Method::GET, path)).await?.body)
    }

    /// Reads every page of a list.
    pub(crate) async fn list(&self, path: Path) -> Result<Vec<Value>> {
        self.list_at_most(path, None).await
    }

    /// Reads pages of a list until there are so many items.
    pub(crate) async fn list_at_most(&self, path: Path, most: Option<usize>) -> Result<Vec<Value>> {
        let most = most.unwrap_or(usize::MAX);
        let mut items = Vec::new();
        let mut page = path.clone();
        for _ in 0..MOST_PAGES {
            let mut answer = self.get(page).await?;
            if let Some(Value::Array(more)) = answer.get_mut("items").map(Value::take) {
                items.extend(more);
            }
            match answer.get("nextPageToken").and_then(Value::as_str) {
                Some(token) if !token.is_empty() && items.len() < most => {
                    page = path.clone().query("pageToken", token);
                }
                _ => {
                    items.truncate(most);
                    return Ok(items);
                }
            }
        }
        Err(unreadable("the list does not end"))
    }

    /// The events at a path, after that one. `None`: there will be no more.
    pub(crate) async fn events(&self, path: Path, after: Option<&str>) -> Result<Option<Events>> {
        let mut request = Request::new(Method::GET, path).header(header::ACCEPT, "text/event-stream")?;
        if let Some(id) = after {
            request = request.header(HeaderName::from_static("last-event-id"), id)?;
        }
        let received = self.open(request).await?;
        if received.status == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        if !received.status.is_success() {
            return Err(refusal(received.status, &whole(received.body).await?));
        }
        Ok(Some(Events::new(received.body)))
    }

    /// Sends a request as it is.
    pub(crate) async fn pass(&self, request: Sent) -> Result<Received> {
        self.door.send(request).await
    }

    async fn open(&self, request: Request) -> Result<Received> {
        let Request { method, path, mut headers, body, repeatable } = request;
        let body = match body {
            Some(body) => {
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
                Bytes::from(body.to_string())
            }
            None => Bytes::new(),
        };
        self.pass(Sent { method, target: path.target()?, headers, body, repeatable }).await
    }
}

async fn whole(mut body: BoxStream<'static, Result<Bytes>>) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    while let Some(part) = body.next().await {
        all.extend_from_slice(&part?);
        if all.len() > LARGEST_ANSWER {
            return Err(unreadable("it is too large"));
        }
    }
    Ok(all)
}

/// The problem that the server answered; one of our own where something between us answered instead.
fn refusal(status: StatusCode, body: &[u8]) -> Error {
    if let Ok(problem) = serde_json::from_slice::<Problem>(body) {
        return Error::Problem(Box::new(problem));
    }
    let kind = match status.as_u16() {
        401 => FailureKind::NotAuthenticated,
        403 => FailureKind::NotAllowed,
        404 => FailureKind::NotFound,
        409 => FailureKind::Conflict,
        400 | 422 => FailureKind::InvalidRequest,
        413 => FailureKind::BodyTooLarge,
        429 | 502 | 503 | 504 => FailureKind::Unavailable,
        _ => FailureKind::Unexpected,
    };
    // As CB-Spider's clients are answered.
    if let Some(says) = serde_json::from_slice(body).ok().as_ref().and_then(message) {
        return Error::new(kind, says);
    }
    Error::new(kind, format!("the server answered {status}, and not as pmks does"))
        .with_fix("check the server's URL, and what stands between here and there")
}

fn message(body: &Value) -> Option<String> {
    body.get("message")?.as_str().map(str::to_owned)
}

fn unreadable(why: &str) -> Error {
    Error::new(FailureKind::Unexpected, format!("the server's answer cannot be read: {why}"))
}

/// Reads a value of a known shape.
///
/// # Errors
/// `Unexpected`.
pub(crate) fn shaped<T: serde::de::DeserializeOwned>(value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(|error| unreadable(&error.to_string()))
}
