//! From a request to its route and back: one handler for all of them. Every path is served with and without a slash at
//! its end, for a redirect would turn a client's POST into a GET.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use axum::Router;
use axum::extract::{FromRequestParts as _, RawPathParams, Request};
use axum::response::Response;
use axum::routing::any;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use pmks_core::{Caller, Idempotency, Pmks, Role};
use pmks_model::FailureKind;
use pmks_transport::Clock;
use serde_json::Value;
use tracing::Instrument as _;
use url::Url;

use crate::Refusal;
use crate::call::{Answer, Call, Handler};
use crate::description;
use crate::fields::Fields;
use crate::routes;

/// What every route shares.
pub struct Settings {
    /// Core.
    pub pmks: Pmks,
    /// The clock of everything.
    pub clock: Arc<dyn Clock>,
    /// The URL at which clients reach the server; `None`: each request says its own as [`ReachedAt`], or nobody does.
    pub url: Option<Arc<Url>>,
    /// The largest body that is read, in bytes.
    pub body_bytes: usize,
    /// How long a body may take.
    pub body_time: Duration,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("url", &self.url).finish_non_exhaustive()
    }
}

/// In a request: the URL at which its sender reaches the server, without a slash at its end.
#[derive(Clone, Debug)]
pub struct ReachedAt(pub String);

/// The routes of one path: each with its method, and the shape of what is asked for there.
type Methods = Arc<[(Method, Handler, &'static str)]>;

/// What the rest of a path is called in the table of routes.
const REST: &str = "rest";

/// Everything below `/spider`. A [`Caller`] is in each request's extensions, but where [`exempt`] says so.
pub fn router(settings: Settings) -> Router {
    let settings = Arc::new(settings);
    let mut paths: BTreeMap<&str, Vec<(Method, Handler, &'static str)>> = BTreeMap::new();
    for (method, path, handler) in routes::all() {
        let shape = description::shape_of(method.as_str(), path);
        paths.entry(path).or_default().push((method, handler, shape));
    }
    let mut router = Router::new();
    for (path, methods) in paths {
        let (settings, methods) = (Arc::clone(&settings), Methods::from(methods));
        let answer = any(move |request| routed(Arc::clone(&settings), Arc::clone(&methods), request));
        router = router.route(path, answer.clone());
        // The rest of a path has that slash in it.
        if !path.ends_with(&format!("{{*{REST}}}")) {
            router = router.route(&format!("{path}/"), answer);
        }
    }
    router.fallback(nowhere)
}

/// Whether a path below `/spider` is for everybody.
pub fn exempt(path: &str) -> bool {
    routes::PUBLIC.contains(&path.strip_suffix('/').unwrap_or(path))
}

async fn nowhere(request: Request) -> Response {
    match routes::outside(request.uri().path()) {
        Some(says) => Refusal::unsupported(says).into_response(),
        None => Refusal::absent("Not Found").into_response(),
    }
}

async fn routed(settings: Arc<Settings>, methods: Methods, request: Request) -> Response {
    let asked = if *request.method() == Method::HEAD { Method::GET } else { request.method().clone() };
    let Some((_, handler, shape)) = methods.iter().find(|(method, ..)| *method == asked) else {
        let path = request.uri().path();
        return match routes::outside(path).filter(|_| routes::is_theirs(&asked, path)) {
            Some(says) => Refusal::unsupported(says).into_response(),
            None => other_method(&methods),
        };
    };
    match answer(settings, *handler, request).await {
        Ok(reply) => reply.into_response(),
        Err(refusal) => refusal.of_body(shape).into_response(),
    }
}

fn other_method(methods: &Methods) -> Response {
    let known: Vec<&str> = methods.iter().map(|(method, ..)| method.as_str()).collect();
    let mut response = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed").into_response();
    if let Ok(known) = HeaderValue::from_str(&known.join(", ")) {
        response.headers_mut().insert(ALLOW, known);
    }
    response
}

async fn answer(settings: Arc<Settings>, handler: Handler, request: Request) -> Answer {
    let (mut parts, body) = request.into_parts();
    let bytes = tokio::select! {
        read = Limited::new(body, settings.body_bytes).collect() => match read {
            Ok(collected) => collected.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => {
                let says = format!("bodies of up to {} bytes are read", settings.body_bytes);
                return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, says));
            }
            Err(_) => return Err(Refusal::malformed("the body ended too early")),
        },
        () = settings.clock.deadline(settings.body_time) => {
            return Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body did not come in time"));
        }
    };
    let path = match RawPathParams::from_request_parts(&mut parts, &()).await {
        Ok(names) => {
            // Spaces around a name are none of it, as in bodies; one of nothing else is no name left out.
            let text = |(name, value): (&str, &str)| {
                let whole = if name == REST { value.strip_suffix('/').unwrap_or(value) } else { value };
                let bare = whole.trim();
                if bare.is_empty() { whole.to_owned() } else { bare.to_owned() }
            };
            names.iter().map(text).collect()
        }
        Err(_) => return Err(Refusal::malformed("the path is no UTF-8")),
    };
    let body = read(&parts, &bytes)?;
    let mut caller = parts.extensions.get::<Caller>().cloned().unwrap_or_else(nobody);
    caller.idempotency = key(&parts, &bytes)?;
    let respond_async = parts.headers.get_all("prefer").iter().any(|value| {
        value.to_str().is_ok_and(|text| text.split([',', ';']).any(|word| word.trim() == "respond-async"))
    });
    let own = settings.url.as_deref().map(|url| url.as_str().trim_end_matches('/').to_owned());
    let by_request = || parts.extensions.get::<ReachedAt>().map(|ReachedAt(url)| url.clone());
    let server = own.or_else(by_request).unwrap_or_default();
    let call = Call { query: query(&parts)?, settings, caller, path, body, respond_async, server };
    let (pmks, connection) = (call.pmks().clone(), call.either("ConnectionName").unwrap_or_default());
    let answer = if parts.method == Method::GET || parts.method == Method::HEAD {
        handler(call).await
    } else {
        // What came whole is carried out: who hangs up ends nothing but the answer.
        let ended = tokio::spawn(handler(call).in_current_span()).await;
        ended.unwrap_or_else(|_| Err(Refusal::internal("the request broke off")))
    };
    let refusal = match answer {
        Err(refusal) => refusal,
        reply => return reply,
    };
    // Some routes name it in their path, and pass over what else is said of one.
    match refusal.absent_connection() {
        Some(name) => Err(not_connected(&pmks, name).await),
        None => Err(refusal.at(connection.trim())),
    }
}

/// Why there is no such connection: nobody made it, or what it is made of is not there.
async fn not_connected(pmks: &Pmks, name: &str) -> Refusal {
    match pmks.pieces().lacking(name).await {
        Ok(Some(failure)) if failure.kind == FailureKind::Unsupported => {
            Refusal::unsupported(format!("{name} does not support ClusterHandler: {}", failure.detail))
        }
        Ok(Some(failure)) => Refusal::absent(format!("{name}: {}", failure.detail)),
        _ => Refusal::absent(format!("{name}: does not exist!")),
    }
}

/// Whom only what is public answers.
fn nobody() -> Caller {
    Caller { role: Role::Viewer, ..Caller::local("nobody") }
}

fn read(parts: &Parts, bytes: &Bytes) -> Result<Fields, Refusal> {
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !bytes.is_empty() && !essence.eq_ignore_ascii_case("application/json") {
        let says = "code=415, message=Unsupported Media Type: a body is application/json";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, says));
    }
    Fields::of_body(bytes)
}

fn query(parts: &Parts) -> Result<Fields, Refusal> {
    let pairs: Vec<(String, String)> = serde_html_form::from_str(parts.uri.query().unwrap_or_default())
        .map_err(|_| Refusal::malformed("the query cannot be read"))?;
    // Of several of one name the first one, as Go takes it.
    let mut fields = serde_json::Map::new();
    for (name, value) in pairs {
        fields.entry(name).or_insert(Value::String(value));
    }
    Fields::of_query(Value::Object(fields))
}

fn key(parts: &Parts, body: &[u8]) -> Result<Option<Idempotency>, Refusal> {
    let Some(value) = parts.headers.get("idempotency-key") else { return Ok(None) };
    let key = value.to_str().map(str::trim).unwrap_or_default();
    if key.is_empty() || key.len() > 255 {
        return Err(Refusal::malformed("Idempotency-Key is one text of 1 to 255 visible characters"));
    }
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(parts.uri.query().unwrap_or_default().as_bytes());
    hash.update(b"\n");
    hash.update(body);
    Ok(Some(Idempotency {
        key: key.to_owned(),
        method: parts.method.to_string(),
        path: format!("/spider{}", parts.uri.path()),
        body_hash: URL_SAFE_NO_PAD.encode(hash.finish()),
    }))
}
