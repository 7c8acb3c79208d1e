//! What every request passes before its handler: limits of its head, the name it calls us by, who sends it, and the
//! time it may take.

use axum::Router;
use axum::extract::{MatchedPath, RawPathParams, Request, State as Shared};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http::Version;
use http::header::{HOST, HeaderValue, ORIGIN};
use http::request::Parts;
use pmks_model::FailureKind;
use url::{Host, Url};

use crate::access::{self, Access};
use crate::answer::{RequestId, TraceParent, answer};
use crate::refused::Refused;
use crate::{InProcess, State};

/// The routes behind everything that a request must pass, outermost last.
pub(crate) fn admit(routes: Router<State>, state: &State) -> Router<State> {
    routes
        .route_layer(from_fn_with_state(state.clone(), authenticate))
        .layer(from_fn_with_state(state.clone(), bound))
        .layer(from_fn_with_state(state.clone(), inspect))
        .layer(from_fn_with_state(state.clone(), answer))
}

/// Refuses heads that are too large, and on loopback whoever calls us by a name that is not loopback: a page in a
/// browser whose name was made to point here. Source: <https://owasp.org/www-community/attacks/DNS_Rebinding>
async fn inspect(Shared(state): Shared<State>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    if parts.extensions.get::<InProcess>().is_none()
        && let Err(refused) = head(&parts, &state).and_then(|()| called(&parts, &state))
    {
        return refused.into_response();
    }
    next.run(Request::from_parts(parts, body)).await
}

fn head(parts: &Parts, state: &State) -> Result<(), Refused> {
    let lines = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    let target = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
    let bytes = target + lines.sum::<usize>();
    if bytes > state.limits.head_bytes || parts.headers.len() > state.limits.headers {
        let (bytes, headers) = (state.limits.head_bytes, state.limits.headers);
        let detail = format!("at most {bytes} bytes in {headers} headers are read");
        return Err(Refused::new(FailureKind::HeadersTooLarge, detail));
    }
    Ok(())
}

/// Refuses who calls us by another name than ours, or by none.
fn called(parts: &Parts, state: &State) -> Result<(), Refused> {
    if calls_us_plainly(parts, state) {
        return Ok(());
    }
    named_once(parts).and_then(|()| addressed(parts, state))
}

/// Whether it calls us by the very text of where we listen, as nearly every request does: nothing of it is to be read.
fn calls_us_plainly(parts: &Parts, state: &State) -> bool {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let only = hosts.next().filter(|_| hosts.next().is_none());
    parts.uri.authority().is_none()
        && !parts.headers.contains_key(ORIGIN)
        && only.zip(state.listens.as_deref()).is_some_and(|(host, own)| host.as_bytes() == own.as_bytes())
}

/// A request names the host that it is for once, and legibly: who stands between us and the caller may have read
/// another one of several. Source: <https://www.rfc-editor.org/rfc/rfc9112#section-3.2>
fn named_once(parts: &Parts) -> Result<(), Refused> {
    let hosts: Vec<&HeaderValue> = parts.headers.get_all(HOST).iter().collect();
    let says = match hosts.as_slice() {
        [] if parts.version == Version::HTTP_11 => "is missing",
        [] => return Ok(()),
        [host] if host.is_empty() || host.to_str().is_ok_and(|host| named(host).is_some()) => return Ok(()),
        [_] => "names no host",
        _ => "is given more than once",
    };
    Err(Refused::malformed("Host", says))
}

fn addressed(parts: &Parts, state: &State) -> Result<(), Refused> {
    let called = names_us(parts);
    if state.loopback && !called.as_ref().is_some_and(|url| is_ours(url, state)) {
        let detail = "this server listens on loopback and answers to that name only";
        return Err(Refused::new(FailureKind::NotAllowed, detail));
    }
    let Some(origin) = parts.headers.get(ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().ok().and_then(|text| Url::parse(text).ok());
    let same = |own: &Url| {
        origin.as_ref().is_some_and(|origin| {
            origin.host() == own.host() && origin.port_or_known_default() == own.port_or_known_default()
        })
    };
    if called.as_ref().is_some_and(same) || state.url.as_deref().is_some_and(same) {
        return Ok(());
    }
    Err(Refused::new(FailureKind::NotAllowed, "requests of other origins are refused"))
}

/// By which name and port the caller calls us.
fn names_us(parts: &Parts) -> Option<Url> {
    let host = parts.uri.authority().map(http::uri::Authority::as_str);
    named(host.or_else(|| parts.headers.get(HOST)?.to_str().ok())?)
}

/// That host and port, and nothing else.
fn named(host: &str) -> Option<Url> {
    let url = Url::parse(&format!("http://{host}/")).ok()?;
    let is_more = !url.username().is_empty() || url.password().is_some() || url.path() != "/";
    (!is_more && url.query().is_none() && url.fragment().is_none()).then_some(url)
}

fn is_ours(called: &Url, state: &State) -> bool {
    let external = state.url.as_deref().and_then(Url::host);
    match called.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost") || external == called.host(),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Ends a request that takes too long. What it had accepted by then goes on. A stream's head is quick: what follows
/// it is not counted.
async fn bound(Shared(state): Shared<State>, request: Request, next: Next) -> Response {
    let limit = state.limits.request;
    tokio::select! {
        response = next.run(request) => response,
        () = state.clock.deadline(limit) => {
            let detail = format!("not answered within {} s", limit.as_secs());
            Refused::new(FailureKind::Timeout, detail).into_response()
        }
    }
}

/// Finds out who asks and refuses who may not, before anything of the request is read.
async fn authenticate(
    Shared(state): Shared<State>,
    path: MatchedPath,
    names: RawPathParams,
    mut request: Request,
    next: Next,
) -> Result<Response, Refused> {
    let access = access::of(request.method(), path.as_str());
    if access == Access::Public {
        return Ok(next.run(request).await);
    }
    let mut caller = match request.extensions().get::<InProcess>() {
        Some(InProcess(caller)) => caller.clone(),
        None => state.authentication.caller(&state.pmks, request.headers()).await?,
    };
    caller.request_id = request.extensions().get::<RequestId>().map(|id| id.0.to_string());
    caller.traceparent = request.extensions().get::<TraceParent>().and_then(|trace| trace.0.clone());
    let connection = names.iter().find_map(|(name, value)| (name == "connection").then_some(value));
    access::check(access, &caller, connection)?;
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}
