//! What every request passes before its handler: limits of its head, the name it calls us by, who sends it, and the
//! time it may take.

use axum::RequestExt;
use axum::extract::{MatchedPath, RawPathParams, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{HOST, HeaderValue, ORIGIN};
use http::{HeaderMap, Uri, Version};
use pmks_core::Caller;
use pmks_model::{Failure, FailureKind};
use url::{Host, Url};

use crate::access::{self, Access};
use crate::answer::Frame;
use crate::refused::Refused;
use crate::{InProcess, State};

/// Has a request answered that may be, in time.
pub(crate) async fn admit(
    state: &State,
    frame: Frame,
    request: Request,
    next: Next,
) -> Result<Response, Refused> {
    inspect(&request, state, Pages::Own)?;
    let limit = state.limits.request;
    tokio::select! {
        // What is answered at once needs no timer.
        biased;
        response = recognized(state, frame, request, next) => response,
        // What it had accepted by then goes on. A stream's head is quick: what follows it is not counted.
        () = async { state.clock.deadline(limit).await } => {
            let detail = format!("not answered within {} s", limit.as_secs());
            Err(Refused::new(FailureKind::Timeout, detail))
        }
    }
}

/// Finds out who asks and refuses who may not, before anything of the request is read.
async fn recognized(
    state: &State,
    frame: Frame,
    mut request: Request,
    next: Next,
) -> Result<Response, Refused> {
    // Of what no path leads to nothing is to be known.
    let path = request.extensions().get::<MatchedPath>();
    let access = path.map_or(Access::Public, |path| access::of(request.method(), path.as_str()));
    if access != Access::Public {
        let mut caller = match request.extensions().get::<InProcess>() {
            Some(InProcess(caller)) => caller.clone(),
            None => state.authentication.caller(&state.pmks, request.headers()).await?,
        };
        permit(access, &caller, &mut request).await?;
        caller.request_id = Some(frame.request_id);
        caller.traceparent = frame.traceparent;
        request.extensions_mut().insert(caller);
    }
    Ok(next.run(request).await)
}

/// Refuses who may not call that route, on the connection that its path names.
async fn permit(access: Access, caller: &Caller, request: &mut Request) -> Result<(), Refused> {
    if access != Access::Operator {
        return access::check(access, caller, None);
    }
    let names = request.extract_parts::<RawPathParams>().await;
    let names = names.map_err(|_| Refused::malformed("path", "cannot be read"))?;
    let connection = names.iter().find_map(|(name, value)| (name == "connection").then_some(value));
    access::check(access, caller, connection)
}

/// Whose pages may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pages {
    /// Ours.
    Own,
    /// Everybody's: nothing that a browser sends by itself lets anybody in there.
    All,
}

/// Refuses heads that are too large, and whoever calls us by another name than ours or from a page that may not.
pub(crate) fn inspect(request: &Request, state: &State, pages: Pages) -> Result<(), Refused> {
    if request.extensions().get::<InProcess>().is_some() {
        return Ok(());
    }
    head(request, state)?;
    called(request, state, pages)
}

/// Refuses heads that are too large.
fn head(request: &Request, state: &State) -> Result<(), Refused> {
    let lines = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    let bytes = target + lines.sum::<usize>();
    if bytes > state.limits.head_bytes || request.headers().len() > state.limits.headers {
        let (bytes, headers) = (state.limits.head_bytes, state.limits.headers);
        let detail = format!("at most {bytes} bytes in {headers} headers are read");
        return Err(Refused::new(FailureKind::HeadersTooLarge, detail));
    }
    Ok(())
}

/// Refuses who calls us by another name than ours, or by none; on loopback whoever calls us by a name that is not
/// loopback: a page in a browser whose name was made to point here.
/// Source: <https://owasp.org/www-community/attacks/DNS_Rebinding>
fn called(request: &Request, state: &State, pages: Pages) -> Result<(), Refused> {
    if calls_us_plainly(request, state) {
        return Ok(());
    }
    named_once(request).and_then(|()| addressed(request, state, pages))
}

/// Whether it calls us by the very text of where we listen, as nearly every request does: nothing of it is to be read.
fn calls_us_plainly(request: &Request, state: &State) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    let only = hosts.next().filter(|_| hosts.next().is_none());
    request.uri().authority().is_none()
        && !request.headers().contains_key(ORIGIN)
        && only.zip(state.listens.as_deref()).is_some_and(|(host, own)| host.as_bytes() == own.as_bytes())
}

/// A request names the host that it is for once, and legibly: who stands between us and the caller may have read
/// another one of several. Source: <https://www.rfc-editor.org/rfc/rfc9112#section-3.2>
fn named_once(request: &Request) -> Result<(), Refused> {
    let hosts: Vec<&HeaderValue> = request.headers().get_all(HOST).iter().collect();
    let says = match hosts.as_slice() {
        [] if request.version() == Version::HTTP_11 => "is missing",
        [] => return Ok(()),
        [host] if host.is_empty() || host.to_str().is_ok_and(|host| named(host).is_some()) => return Ok(()),
        [_] => "names no host",
        _ => "is given more than once",
    };
    Err(Refused::malformed("Host", says))
}

fn addressed(request: &Request, state: &State, pages: Pages) -> Result<(), Refused> {
    let called = names_us(request);
    if state.loopback && !called.as_ref().is_some_and(|url| is_ours(url, state)) {
        let detail = "this server listens on loopback and answers to that name only";
        let fix = "call it by 127.0.0.1 or localhost; where a proxy or a tunnel gives it another name, start it with \
                   --external-url and that name";
        return Err(Failure::new(FailureKind::NotAllowed, detail).with_fix(fix).into());
    }
    let Some(origin) = request.headers().get(ORIGIN).filter(|_| pages == Pages::Own) else { return Ok(()) };
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
fn names_us(request: &Request) -> Option<Url> {
    calls(request.uri(), request.headers())
}

fn calls(uri: &Uri, headers: &HeaderMap) -> Option<Url> {
    let host = uri.authority().map(http::uri::Authority::as_str);
    named(host.or_else(|| headers.get(HOST)?.to_str().ok())?)
}

/// The URL at which whoever sent this reaches us, without a slash at its end; `None`: nobody does.
pub(crate) fn reached_at(state: &State, uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let own = state.url.as_deref()?;
    let Some(scheme) = state.anywhere else { return Some(own.as_str().trim_end_matches('/').to_owned()) };
    // It stands in a line that a shell reads.
    let plain =
        |host: &str| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte));
    let called = calls(uri, headers);
    let called = called.as_ref().filter(|url| !matches!(url.host(), Some(host) if is_unspecified(&host)));
    Some(match called.and_then(|url| Some((url.host_str()?, url.port()))) {
        Some((host, Some(port))) if plain(host) => format!("{scheme}://{host}:{port}"),
        Some((host, None)) if plain(host) => format!("{scheme}://{host}"),
        // Whoever names no host, as HTTP/1.0 lets, is on this machine or knows the way.
        _ => format!("{scheme}://localhost:{}", own.port_or_known_default().unwrap_or_default()),
    })
}

fn is_unspecified(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(address) => address.is_unspecified(),
        Host::Ipv6(address) => address.is_unspecified(),
        Host::Domain(_) => false,
    }
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
        Some(Host::Ipv4(address)) => address.is_loopback() || external == called.host(),
        Some(Host::Ipv6(address)) => address.is_loopback() || external == called.host(),
        None => false,
    }
}
