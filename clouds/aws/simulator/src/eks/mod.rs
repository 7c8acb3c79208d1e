//! The simulated EKS: clusters, managed node groups, Fargate profiles, add-ons, access entries, and the state
//! machines behind them. Everything slow goes on in work time, never in a sleep.
//!
//! Speaks REST with JSON as EKS does. Calls that it does not simulate (Outposts, EKS Anywhere, identity providers,
//! pod identity associations, encryption) are refused as unknown.

mod access;
mod addon_catalogue;
mod addons;
mod authenticator;
mod call;
mod cluster_updates;
mod clusters;
mod content;
pub(crate) mod copies;
mod endpoints;
mod error;
mod fargate;
mod images;
mod insights;
mod lookup;
mod made;
mod node_config;
mod node_group_progress;
mod node_group_request;
mod node_group_state;
mod node_group_updates;
mod node_groups;
mod nodes;
pub(crate) mod others;
mod progress;
mod request;
mod rows;
pub(crate) mod shown;
mod state;
mod tags;
mod token;
mod updates;
mod versions;
mod view;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use pmks_simulation::{Effects, Now, StateError};
use serde_json::{Map, Value};

use self::call::Call;
use self::error::{Code, Error, Result};
use self::request::Request;
use crate::context::Context;
use crate::world::{Place, World};

pub(crate) use progress::{next_due, settle};
pub(crate) use rows::resources;
pub(crate) use state::State;

/// The subnets of a cluster that stands: controllers in it make balancers there.
pub(crate) fn cluster_subnets(state: &State, cluster: &str) -> Option<Vec<String>> {
    Some(state.clusters.get(cluster)?.network.subnets.clone())
}

/// Which call a request is, and what it is about.
pub(crate) fn identify(request: &http::Request<Bytes>) -> (String, Option<String>) {
    let Some((action, names)) = request::route(request.method(), request.uri().path()) else {
        return ("unknown".to_owned(), None);
    };
    let body = || serde_json::from_slice::<Map<String, Value>>(request.body()).ok();
    let in_body = |member: &str| body()?.get(member)?.as_str().map(str::to_owned);
    let resource = match action {
        "CreateCluster" => in_body("name"),
        "CreateNodegroup" => in_body("nodegroupName"),
        "CreateAddon" => in_body("addonName"),
        "CreateFargateProfile" => in_body("fargateProfileName"),
        _ => names.last().cloned(),
    };
    (action.to_owned(), resource)
}

/// Carries out one call.
pub(crate) fn handle(context: &mut Context<'_>, request: &http::Request<Bytes>) -> Response<Bytes> {
    let id = context.request_id.clone();
    let (status, body, code) = match carry_out(context, request) {
        Ok(body) => (StatusCode::OK, without_nulls(body), None),
        Err(error) => {
            let status =
                StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, error.body(), Some(error.code.name()))
        }
    };
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert("x-amzn-requestid", id);
    }
    if let Some(code) = code {
        headers.insert("x-amzn-errortype", HeaderValue::from_static(code));
    }
    response
}

/// A page's absent token is left out, not `null`.
fn without_nulls(mut body: Value) -> Value {
    if let Some(members) = body.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    body
}

fn carry_out(context: &mut Context<'_>, request: &http::Request<Bytes>) -> Result<Value> {
    let (action, names) =
        request::route(request.method(), request.uri().path()).ok_or_else(unknown_operation)?;
    let request = Request::read(names, request.uri().query().unwrap_or_default(), request.body())?;
    dispatch(&mut Call::of(context), action, &request)
}

/// Never «not found»: whoever asks for something that is not simulated must not take it for absent.
fn unknown_operation() -> Error {
    Error::new(Code::UnknownOperation, "The simulated EKS has no such operation.")
}

#[rustfmt::skip]
fn dispatch(call: &mut Call<'_>, action: &str, request: &Request) -> Result<Value> {
    match action {
        "CreateCluster" => clusters::create(call, request),
        "DescribeCluster" => clusters::describe(call, request),
        "ListClusters" => clusters::list(call, request),
        "DeleteCluster" => clusters::delete(call, request),
        "DescribeClusterVersions" => clusters::describe_versions(request),
        "UpdateClusterConfig" => cluster_updates::configure(call, request),
        "UpdateClusterVersion" => cluster_updates::upgrade(call, request),
        "DescribeUpdate" => updates::describe(call, request),
        "ListUpdates" => updates::list(call, request),
        "ListInsights" => insights::list(call, request),
        "DescribeInsight" => insights::describe(call, request),
        "CreateNodegroup" => node_groups::create(call, request),
        "DescribeNodegroup" => node_groups::describe(call, request),
        "ListNodegroups" => node_groups::list(call, request),
        "DeleteNodegroup" => node_groups::delete(call, request),
        "UpdateNodegroupConfig" => node_group_updates::configure(call, request),
        "UpdateNodegroupVersion" => node_group_updates::upgrade(call, request),
        "CreateFargateProfile" => fargate::create(call, request),
        "DescribeFargateProfile" => fargate::describe(call, request),
        "ListFargateProfiles" => fargate::list(call, request),
        "DeleteFargateProfile" => fargate::delete(call, request),
        "CreateAddon" => addons::create(call, request),
        "DescribeAddon" => addons::describe(call, request),
        "ListAddons" => addons::list(call, request),
        "UpdateAddon" => addons::update(call, request),
        "DeleteAddon" => addons::delete(call, request),
        "DescribeAddonVersions" => addons::describe_versions(request),
        "CreateAccessEntry" => access::create(call, request),
        "DescribeAccessEntry" => access::describe(call, request),
        "ListAccessEntries" => access::list(call, request),
        "UpdateAccessEntry" => access::update(call, request),
        "DeleteAccessEntry" => access::delete(call, request),
        "AssociateAccessPolicy" => access::associate(call, request),
        "DisassociateAccessPolicy" => access::disassociate(call, request),
        "ListAssociatedAccessPolicies" => access::list_associated(call, request),
        "ListAccessPolicies" => access::list_policies(request),
        "TagResource" => tags::tag(call, request),
        "UntagResource" => tags::untag(call, request),
        "ListTagsForResource" => tags::list(call, request),
        _ => Err(unknown_operation()),
    }
}

/// The event `{"type":"findUpgradeInsight","cluster":NAME,"kubernetesVersion":"1.35","status"?,"name"?}`, `status`
/// being `ERROR` (default, which blocks), `WARNING` or `PASSING`; the first cluster of that name is meant.
///
/// # Errors
/// When the event cannot be read, or there is no such cluster.
pub(crate) fn find_upgrade_insight(
    world: &mut World,
    event: &Value,
    now: Now,
) -> std::result::Result<Value, StateError> {
    let mut event = event.clone();
    if let Some(members) = event.as_object_mut() {
        members.remove("type");
    }
    let unread = |error| StateError(format!("the event cannot be read: {error}"));
    let found: insights::FoundInsight = serde_json::from_value(event).map_err(unread)?;
    let has_it = |place: &Place| world.region(place).eks.clusters.contains_key(&found.cluster);
    let place = world.places().into_iter().find(has_it);
    let place = place.ok_or_else(|| StateError(format!("there is no cluster `{}`", found.cluster)))?;
    let effects = Effects::default();
    let mut call = Call { world, place: &place, now, effects: &effects, principal: String::new() };
    insights::find(&mut call, found).map_err(|error| StateError(error.message))
}
