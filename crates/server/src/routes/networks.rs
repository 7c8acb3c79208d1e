//! Networks.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State as Shared};
use axum::response::IntoResponse;
use http::StatusCode;
use pmks_api::{List, Network, NewNetwork, Operation, Plan, TagsPatch};
use pmks_core::{Mutation, Tagged};
use pmks_model::ResourceKind;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Answer, change, no_plan, planned_of_record, removal_of_record, update_tags, with_tag};
use crate::ask::{Asked, Changing, DryRun, ManagedListQuery, NoFields, Patched, Query, ReadQuery};
use crate::{State, convert};

pub(super) fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new()
        .routes(routes!(create_network, list_networks))
        .routes(routes!(get_network, update_network, delete_network))
        .routes(routes!(forget_network))
}

/// Makes a network with its subnets; with `systemId` keeps a record of an existing one (201).
#[utoipa::path(post, path = "/v1/connections/{connection}/networks", params(Changing),
    request_body = NewNetwork,
    responses((status = 202, body = Operation), (status = 201, body = Network), (status = 200, body = Plan)))]
async fn create_network(
    Shared(state): Shared<Arc<State>>,
    Path(connection): Path<String>,
    Query(query): Query<Changing>,
    asked: Asked<NewNetwork>,
) -> Answer {
    let (caller, body) = (asked.caller, asked.body);
    let others = [
        ("uniqueCloudName", body.unique_cloud_name.is_some()),
        ("cidr", !body.cidr.is_empty()),
        ("subnets", !body.subnets.is_empty()),
        ("tags", !body.tags.is_empty()),
    ];
    if let Some(import) = convert::import_of(&body.name, body.system_id.as_ref(), &others)? {
        no_plan(query.dry_run)?;
        let view = state.pmks.networks().import(&caller, &connection, import).await?;
        return Ok((StatusCode::CREATED, Json(convert::network(view))).into_response());
    }
    let mutation = Mutation::CreateNetwork { connection, network: convert::new_network(body)? };
    change(&state, &caller, mutation, query.dry_run).await
}

/// A page of the networks that pmks keeps a record of.
#[utoipa::path(get, path = "/v1/connections/{connection}/networks", params(ManagedListQuery),
    responses((status = 200, body = List<Network>)))]
async fn list_networks(
    Shared(state): Shared<Arc<State>>,
    Path(connection): Path<String>,
    Query(query): Query<ManagedListQuery>,
) -> Answer {
    if query.managed == Some(false) {
        let strangers = state.pmks.networks().unmanaged(&connection).await?;
        return Ok(Json(convert::whole_list(strangers, convert::network)).into_response());
    }
    let page = state.pmks.networks().list(&connection, &query.into()).await?;
    Ok(Json(convert::list(page, convert::network)).into_response())
}

/// A network.
#[utoipa::path(get, path = "/v1/connections/{connection}/networks/{network}", params(ReadQuery),
    responses((status = 200, body = Network)))]
async fn get_network(
    Shared(state): Shared<Arc<State>>,
    Path((connection, network)): Path<(String, String)>,
    Query(query): Query<ReadQuery>,
) -> Answer {
    let view = state.pmks.networks().get(&connection, &network, query.max_age()).await?;
    let tag = view.version_tag.clone();
    Ok(with_tag(&tag, Json(convert::network(view)).into_response()))
}

/// Changes the tags of a network. Those that are not named stay.
#[utoipa::path(patch, path = "/v1/connections/{connection}/networks/{network}", params(Changing),
    request_body(content = TagsPatch, content_type = "application/merge-patch+json"),
    responses((status = 202, body = Operation), (status = 200, body = Plan)))]
async fn update_network(
    Shared(state): Shared<Arc<State>>,
    Path((connection, name)): Path<(String, String)>,
    Query(query): Query<Changing>,
    asked: Patched<TagsPatch>,
) -> Answer {
    let resource = Tagged { kind: ResourceKind::Network, network: None, name };
    update_tags(&state, connection, resource, asked, query.dry_run).await
}

/// Removes a network.
#[utoipa::path(delete, path = "/v1/connections/{connection}/networks/{network}", params(Changing),
    responses((status = 202, body = Operation), (status = 200, body = Plan)))]
async fn delete_network(
    Shared(state): Shared<Arc<State>>,
    Path((connection, network)): Path<(String, String)>,
    Query(query): Query<Changing>,
    asked: Asked<NoFields>,
) -> Answer {
    let mutation = Mutation::DeleteNetwork { connection, network: network.into() };
    change(&state, &asked.caller, mutation, query.dry_run).await
}

/// Drops only our record of a network.
#[utoipa::path(post, path = "/v1/connections/{connection}/networks/{network}/forget",
    params(Changing), responses((status = 204), (status = 200, body = Plan)))]
async fn forget_network(
    Shared(state): Shared<Arc<State>>,
    Path((connection, network)): Path<(String, String)>,
    Query(query): Query<Changing>,
    asked: Asked<NoFields>,
) -> Answer {
    if query.dry_run == Some(DryRun::Plan) {
        state.pmks.networks().plan_forget(&asked.caller, &connection, &network).await?;
        return Ok(planned_of_record("network.forget", removal_of_record("network", &network), Vec::new()));
    }
    state.pmks.networks().forget(&asked.caller, &connection, &network).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
