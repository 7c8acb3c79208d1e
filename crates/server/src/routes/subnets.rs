//! Subnets of a network.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State as Shared};
use axum::response::IntoResponse;
use http::StatusCode;
use pmks_api::{List, NewSubnet, Operation, Plan, Subnet, TagsPatch};
use pmks_core::{Mutation, Tagged};
use pmks_model::ResourceKind;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Answer, change, no_plan, planned_of_record, removal_of_record, update_tags, with_tag};
use crate::ask::{Asked, Changing, DryRun, ListQuery, NoFields, Patched, Query, ReadQuery};
use crate::{State, convert};

pub(super) fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new()
        .routes(routes!(create_subnet, list_subnets))
        .routes(routes!(get_subnet, update_subnet, delete_subnet))
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
        ("tags", !body.tags.is_empty()),
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
    let tag = view.version_tag.clone();
    Ok(with_tag(&tag, Json(convert::subnet(view)).into_response()))
}

/// Changes the tags of a subnet. Those that are not named stay.
#[utoipa::path(patch, path = "/v1/connections/{connection}/networks/{network}/subnets/{subnet}", params(Changing),
    request_body(content = TagsPatch, content_type = "application/merge-patch+json"),
    responses((status = 202, body = Operation), (status = 200, body = Plan)))]
async fn update_subnet(
    Shared(state): Shared<Arc<State>>,
    Path((connection, network, name)): Path<(String, String, String)>,
    Query(query): Query<Changing>,
    asked: Patched<TagsPatch>,
) -> Answer {
    let resource = Tagged { kind: ResourceKind::Subnet, network: Some(network), name };
    update_tags(&state, connection, resource, asked, query.dry_run).await
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
    let mutation = Mutation::DeleteSubnet { connection, network, subnet: subnet.into() };
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
