//! Routes one request as Azure does: by its path. Verifies token, API version and subscription, throttles, and adds what
//! ARM adds to every answer.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use pmks_simulation::{Answered, BucketLimits, Effects, Held, Identified, Now, Refusal, Secure};
use serde_json::Value;
use url::form_urlencoded;

use crate::arm::Call;
use crate::entra::{self, Caller, TokenRequest};
use crate::error::{Error, Result};
use crate::reply::{self, Reply};
use crate::routes::{self, Found};
use crate::world::World;
use crate::{authorization, compute, container_service, insights, network, resources, tags};

/// API versions are dates; what is older or newer than these no provider here has.
const VERSIONS: (&str, &str) = ("2014-04-01", "2026-12-31");

/// What a request is about; nothing is proven yet.
pub(crate) fn identify(request: &Request<Bytes>) -> Identified {
    let caller = claimed_caller(request);
    match routes::find(request.method(), request.uri().path()) {
        Some(found) => Identified {
            service: found.route.service.to_owned(),
            action: found.route.action.to_owned(),
            resource: found.resource(),
            caller,
        },
        None => Identified { service: "resources".into(), action: "unknown".into(), resource: None, caller },
    }
}

/// The client id of a login, or of the token's claims.
fn claimed_caller(request: &Request<Bytes>) -> Option<String> {
    if let Some(client) = form(request.body()).remove("client_id") {
        return Some(client);
    }
    let token = request.headers().get(http::header::AUTHORIZATION)?.to_str().ok()?;
    entra::claimed_client(token.split_once(' ')?.1)
}

/// Verifies, throttles and carries out one request.
pub(crate) fn answer(
    held: &Held<World>,
    world: &mut World,
    now: Now,
    request: &Request<Bytes>,
    effects: &Effects,
) -> Answered {
    let request_id = world.random.uuid();
    let mut remaining = Vec::new();
    let result = carry_out(held, world, now, request, effects, &mut remaining);
    let mut answered = match result {
        Ok((reply, code)) => Answered { code, ..reply.answered(&request_id) },
        Err(error) => reply::refused(&error, &request_id),
    };
    decorate(answered.response.headers_mut(), request, &request_id);
    for (name, left) in remaining {
        answered.response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from(left));
    }
    answered
}

/// What ARM adds to every answer.
fn decorate(headers: &mut HeaderMap, request: &Request<Bytes>, request_id: &str) {
    let own = HeaderValue::from_str(request_id).ok();
    let given = |name: &str| request.headers().get(name).cloned();
    let correlation = given("x-ms-correlation-request-id").or_else(|| own.clone());
    let pairs = [
        ("x-ms-request-id", own),
        ("x-ms-correlation-request-id", correlation),
        ("x-ms-client-request-id", given("x-ms-client-request-id")),
        ("cache-control", Some(HeaderValue::from_static("no-cache"))),
        ("x-content-type-options", Some(HeaderValue::from_static("nosniff"))),
    ];
    for (name, value) in pairs {
        if let Some(value) = value {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

type Carried = (Reply, Option<String>);

fn carry_out(
    held: &Held<World>,
    world: &mut World,
    now: Now,
    request: &Request<Bytes>,
    effects: &Effects,
    remaining: &mut Vec<(&'static str, u64)>,
) -> Result<Carried> {
    let path = request.uri().path();
    let Some(found) = routes::find(request.method(), path) else {
        return Err(unknown(request));
    };
    let base = base(request);
    let query = query(request.uri().query().unwrap_or_default());
    let tenant = found.names.first().map(String::as_str).unwrap_or_default();
    if matches!(found.route.action, "Token_V2") && tenant.eq_ignore_ascii_case("adfs") {
        // AD FS has no versions.
        return Err(unknown(request));
    }
    if let Some(carried) = without_token(world, now, &found, request, &base) {
        return Ok(carried);
    }
    let caller = entra::verify(&world.directory, request.headers(), &base, now.wall)?;
    check_version(&query)?;
    let subscription = found.subscription().unwrap_or_default().to_ascii_lowercase();
    if !subscription.is_empty() && !world.subscriptions.contains_key(&subscription) {
        let says = format!("The subscription '{subscription}' could not be found.");
        return Err(Error::new(404, "SubscriptionNotFound", says));
    }
    throttle(held, &found, (&subscription, &caller), now, remaining)?;
    allowed(world, &found, &caller)?;
    let header = |name| {
        let value = request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        value.map(str::to_owned)
    };
    let mut call = Call {
        now,
        pace: held.controls.clock.pace(),
        effects,
        base,
        caller,
        names: found.names.clone(),
        scope: found.scope.clone(),
        path: path.to_owned(),
        query,
        body: body(request.body())?,
        if_match: header(IF_MATCH),
        if_none_match: header(IF_NONE_MATCH),
        world,
    };
    dispatch(&mut call, &found).map(|reply| (reply, None))
}

fn dispatch(call: &mut Call<'_>, found: &Found) -> Result<Reply> {
    let action = found.route.action;
    match found.route.service {
        "authorization" => authorization::handle(call, action),
        "managedidentity" => authorization::identities(call, action),
        "containerservice" => container_service::handle(call, action).map_err(Error::by_aks),
        "network" => network::handle(call, action),
        "compute" => compute::handle(call, action),
        "insights" => insights::handle(call, action),
        _ => resources::handle(call, action),
    }
}

/// Login, and what clients ask before it.
fn without_token(
    world: &mut World,
    now: Now,
    found: &Found,
    request: &Request<Bytes>,
    base: &str,
) -> Option<Carried> {
    let directory = &world.directory;
    let tenant = found.names.first().map(String::as_str).unwrap_or_default();
    let v2 = request.uri().path().contains("/v2.0/");
    let shown = match found.route.action {
        "Metadata_Endpoints" => entra::metadata(base),
        "Instance_Discovery" => entra::instances(base, directory),
        "OpenId_Configuration" => entra::openid(base, directory, tenant, v2),
        "OpenId_Keys" => entra::keys(directory),
        "Token_V1" | "Token_V2" => {
            let asked = TokenRequest { base, tenant, v2, form: form(request.body()), now: now.wall };
            return Some(entra::token(&world.directory, &mut world.random, &asked));
        }
        _ => return None,
    };
    Some((Reply::ok(shown), None))
}

/// Never a plain «not found»: whoever asks for something that is not simulated must not take it for absent.
fn unknown(request: &Request<Bytes>) -> Error {
    let (method, path) = (request.method(), request.uri().path());
    Error::new(
        400,
        "InvalidResourceType",
        format!(
            "The simulated Azure has no {method} {path}: the resource type or action could not be found."
        ),
    )
}

/// `https://host:port`, as the client wrote it.
fn base(request: &Request<Bytes>) -> String {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    let scheme = if request.extensions().get::<Secure>().is_some() { "https" } else { "http" };
    format!("{scheme}://{host}")
}

/// Names of `OData`'s own parameters and of `api-version` are compared without minding capitals.
fn query(text: &str) -> BTreeMap<String, String> {
    let pairs = form_urlencoded::parse(text.as_bytes());
    pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.into_owned())).collect()
}

fn form(body: &Bytes) -> BTreeMap<String, String> {
    form_urlencoded::parse(body).into_owned().collect()
}

fn body(bytes: &Bytes) -> Result<Value> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    let wrong = |error: serde_json::Error| {
        Error::bad(
            "InvalidRequestContent",
            format!("The request content was invalid and could not be deserialized: '{error}'."),
        )
    };
    serde_json::from_slice(bytes).map(tags::merged).map_err(wrong)
}

fn check_version(query: &BTreeMap<String, String>) -> Result<()> {
    let Some(version) = query.get("api-version").filter(|version| !version.is_empty()) else {
        return Err(Error::bad(
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        ));
    };
    let date = version.strip_suffix("-preview").unwrap_or(version);
    let is_date = date.parse::<jiff::civil::Date>().is_ok() && date.len() == 10;
    if is_date && (VERSIONS.0..=VERSIONS.1).contains(&date) {
        return Ok(());
    }
    Err(Error::bad("InvalidApiVersionParameter", format!("The api-version '{version}' is invalid.")))
}

/// A bucket: capacity, tokens a second.
type Limits = (f64, f64);

/// ARM's buckets, and the provider's own.
///
/// Sources: <https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling>,
/// <https://learn.microsoft.com/azure/aks/quotas-skus-regions#throttling-limits-on-aks-resource-provider-apis>.
fn throttle(
    held: &Held<World>,
    found: &Found,
    (subscription, caller): (&str, &Caller),
    now: Now,
    remaining: &mut Vec<(&'static str, u64)>,
) -> Result<()> {
    if subscription.is_empty() {
        return Ok(());
    }
    // Buckets fill with the clock that goes faster: the date's, or the world's work, so that a client paced to a
    // sped-up world is not throttled for it.
    let (time, pace) = (held.controls.clock.monotonic().max(now.work), held.controls.clock.pace());
    let take = |key: &str, (capacity, per_second): Limits| {
        held.buckets.take(key, BucketLimits { capacity, per_second }, time)
    };
    let (word, header, limits): (_, _, Limits) = match found.permission().rsplit('/').next() {
        Some("read") => ("read", "x-ms-ratelimit-remaining-subscription-reads", (250.0, 25.0)),
        Some("delete") => ("delete", "x-ms-ratelimit-remaining-subscription-deletes", (200.0, 10.0)),
        _ => ("write", "x-ms-ratelimit-remaining-subscription-writes", (200.0, 10.0)),
    };
    let key = format!("{word}/{subscription}/{}", caller.object_id);
    take(&key, limits).map_err(|wait| {
        let seconds = whole_seconds(wait, pace);
        let says = format!(
            "Number of {word} requests for subscription '{subscription}' actor '{}' exceeded. Please try again after \
             '{seconds}' seconds after additional tokens are available.",
            caller.object_id
        );
        Error { retry_after: Some(seconds), ..Error::new(429, "SubscriptionRequestsThrottled", says) }
    })?;
    remaining.push((header, held.buckets.left(&key)));
    let Some((handler, key, limits)) = provider_bucket(found) else { return Ok(()) };
    take(&format!("{handler}/{subscription}/{key}"), limits).map_err(|wait| {
        let seconds = whole_seconds(wait, pace);
        let says = format!(
            "The {handler} request limit has been exceeded for SubID='{subscription}', please retry again in {seconds} \
             seconds. For more information, please visit aka.ms/aks/throttling"
        );
        Error { retry_after: Some(seconds), ..Error::new(429, "Throttled", says).by_aks() }
    })
}

/// Handler, key and limits of the provider's own bucket.
fn provider_bucket(found: &Found) -> Option<(&'static str, String, Limits)> {
    if found.route.service != "containerservice" {
        return None;
    }
    let named = found.names.join("/").to_ascii_lowercase();
    Some(match found.route.action {
        "ManagedClusters_List" => ("ListManagedClustersHandler.GET", String::new(), (500.0, 1.0)),
        "ManagedClusters_ListByResourceGroup" => ("ListManagedClustersHandler.GET", named, (60.0, 1.0)),
        "ManagedClusters_CreateOrUpdate" => ("PutManagedClusterHandler.PUT", named, (20.0, 1.0 / 60.0)),
        "ManagedClusters_Get" => ("GetManagedClusterHandler.GET", named, (60.0, 1.0)),
        "AgentPools_CreateOrUpdate" => ("PutAgentPoolHandler.PUT", named, (20.0, 1.0 / 60.0)),
        "Operations_Get" | "OperationResults_Get" => {
            ("GetOperationStatusHandler.GET", String::new(), (200.0, 2.0))
        }
        _ => ("OtherHandler", String::new(), (60.0, 1.0)),
    })
}

/// The time that a client has to wait for a bucket, which fills as fast as work goes.
fn whole_seconds(wait: Duration, pace: u64) -> u64 {
    let wait = wait / u32::try_from(pace).unwrap_or(u32::MAX);
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// Only who owns the subscription may do anything in it: the offered application.
fn allowed(world: &World, found: &Found, caller: &Caller) -> Result<()> {
    if world.directory.applications.contains_key(&caller.client_id) {
        return Ok(());
    }
    Err(denied(found, caller))
}

fn denied(found: &Found, caller: &Caller) -> Error {
    let scope = match (found.scope.is_empty(), found.subscription()) {
        (false, _) => found.scope.clone(),
        (true, Some(subscription)) => format!("/subscriptions/{subscription}"),
        (true, None) => "/".to_owned(),
    };
    let says = format!(
        "The client '{}' with object id '{}' does not have authorization to perform action '{}' over scope '{scope}' or \
         the scope is invalid. If access was recently granted, please refresh your credentials.",
        caller.client_id,
        caller.object_id,
        found.permission()
    );
    Error::new(403, "AuthorizationFailed", says)
}

/// A fault's refusal in Azure's words.
pub(crate) fn refuse(world: &mut World, call: &Identified, refusal: &Refusal) -> Answered {
    let request_id = world.random.uuid();
    let error = match refusal {
        Refusal::Throttle if call.service == "containerservice" => {
            let says = "The PutManagedClusterHandler.PUT request limit has been exceeded, please retry again. For more \
                        information, please visit aka.ms/aks/throttling";
            Error::new(429, "Throttled", says).by_aks()
        }
        Refusal::Throttle => {
            Error::new(429, "TooManyRequests", "Number of requests exceeded. Please try again later.")
        }
        Refusal::Deny => {
            let caller = call.caller.clone().unwrap_or_default();
            let known = world.directory.applications.get(&caller);
            let object_id = known.map(|known| known.object_id.clone()).unwrap_or_default();
            match routes::by_action(&call.service, &call.action) {
                Some(found) => denied(&found, &Caller { object_id, client_id: caller }),
                None => Error::new(403, "AuthorizationFailed", "The client does not have authorization."),
            }
        }
        Refusal::Status { status, code, message } => {
            Error::new(*status, code, message.as_deref().unwrap_or("A fault of the simulation."))
        }
    };
    let mut answered = reply::refused(&error, &request_id);
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        for name in ["x-ms-request-id", "x-ms-correlation-request-id"] {
            answered.response.headers_mut().insert(HeaderName::from_static(name), id.clone());
        }
    }
    answered
}
