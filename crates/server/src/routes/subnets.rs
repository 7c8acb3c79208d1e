//! Subnets of a network.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State as Shared};
use axum::response::IntoResponse;
use http::StatusCode;
use pmks_api::{List, NewSubnet, Operation, Plan, Subnet};
use pmks_core::Mutation;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Answer, change, no_plan, planned_of_record, removal_of_record};
use crate::ask::{Asked, Changing, DryRun, ListQuery, NoFields, Query, ReadQuery};
use crate::{State, convert};

pub(super) fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new()
        .routes(routes!(create_subnet, list_subnets))
        .routes(routes!(get_subnet, delete_subnet))
        .routes(routes!(forget_subnet))
}

/// Makes a subnet; with `systemId` keeps a record of an existing one (201).
#[utoipa::path(post, path = "/v1/connections/{connection}/networks/{network}/subnets", params(Changing),
    request_body = NewSubnet,
    responses((status = 202, body = Operation), (status = 201, body = Subnet), (status = 200, body = Plan)))]
async fn create_subnet(
    Shared(state): Shared<Arc<State>>,
    Path((connection, network)): Path<(String, String)>,
    Query(query): Query<Changing>,
    asked: Asked<NewSubnet>,
) -> Answer {
    let (caller, body) = (asked.caller, asked.body);
    let others = [
        ("uniqueCloudName", body.unique_cloud_name.is_some()),
        ("cidr", !body.cidr.is_empty()),
        ("zone", !body.zone.is_empty()),
    ];
    if let Some(import) = convert::import_of(&body.name, body.system_id.as_ref(), &others)? {
        no_plan(query.dry_run)?;
        let view = state.pmks.subnets().import(&caller, &connection, &network, import).await?;
        return Ok((StatusCode::CREATED, Json(convert::subnet(view))).into_response());
    }
    let mutation = Mutation::CreateSubnet { connection, network, subnet: convert::new_subnet(body) };
    change(&state, &caller, mutation, query.dry_run).await
}

/// A page of the subnets of a network, with those that pmks keeps no record of: their `uid` is empty, and their name the
/// cloud's identifier.
#[utoipa::path(get, path = "/v1/connections/{connection}/networks/{network}/subnets", params(ListQuery),
    responses((status = 200, body = List<Subnet>)))]
async fn list_subnets(
    Shared(state): Shared<Arc<State>>,
    Path((connection, network)): Path<(String, String)>,
    Query(query): Query<ListQuery>,
) -> Answer {
    let page = state.pmks.subnets().list(&connection, &network, &query.into()).await?;
    Ok(Json(convert::list(page, convert::subnet)).into_response())
}

/// A subnet.
#[utoipa::path(get, path = "/v1/connections/{connection}/networks/{network}/subnets/{subnet}",
    params(ReadQuery), responses((status = 200, body = Subnet)))]
async fn get_subnet(
    Shared(state): Shared<Arc<State>>,
    Path((connection, network, subnet)): Path<(String, String, String)>,
    Query(query): Query<ReadQuery>,
) -> Answer {
    let view = state.pmks.subnets().get(&connection, &network, &subnet, query.max_age()).await?;
    Ok(Json(convert::subnet(view)).into_response())
}

/// Removes a subnet, by our name or the cloud's identifier.
#[utoipa::path(delete, path = "/v1/connections/{connection}/networks/{network}/subnets/{subnet}",
    params(Changing), responses((status = 202, body = Operation), (status = 200, body = Plan)))]
async fn delete_subnet(
    Shared(state): Shared<Arc<State>>,
    Path((connection, network, subnet)): Path<(String, String, String)>,
    Query(query): Query<Changing>,
    asked: Asked<NoFields>,
) -> Answer {
    let mutation = Mutation::DeleteSubnet { connection, network, subnet };
    change(&state, &asked.caller, mutation, query.dry_run).await
}

/// Drops only our record of a subnet.
#[utoipa::path(post, path = "/v1/connections/{connection}/networks/{network}/subnets/{subnet}/forget",
    params(Changing), responses((status = 204), (status = 200, body = Plan)))]
async fn forget_subnet(
    Shared(state): Shared<Arc<State>>,
    Path((connection, network, subnet)): Path<(String, String, String)>,
    Query(query): Query<Changing>,
    asked: Asked<NoFields>,
) -> Answer {
    if query.dry_run == Some(DryRun::Plan) {
        state.pmks.subnets().plan_forget(&asked.caller, &connection, &network, &subnet).await?;
        return Ok(planned_of_record("subnet.forget", removal_of_record("subnet", &subnet), Vec::new()));
    }
    state.pmks.subnets().forget(&asked.caller, &connection, &network, &subnet).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
