//! What a cloud offers on a connection.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State as Shared};
use axum::response::IntoResponse;
use pmks_api::{Discovered, Image, KubernetesVersion, MachineType, Region};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Answer;
use crate::ask::{Query, ReadPartQuery};
use crate::{State, convert};

pub(super) fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new()
        .routes(routes!(list_versions))
        .routes(routes!(list_machine_types))
        .routes(routes!(list_images))
        .routes(routes!(list_regions))
}

/// The Kubernetes versions on offer.
#[utoipa::path(get, path = "/v1/connections/{connection}/versions", params(ReadPartQuery),
    responses((status = 200, body = Discovered<KubernetesVersion>)))]
async fn list_versions(
    Shared(state): Shared<Arc<State>>,
    Path(connection): Path<String>,
    Query(query): Query<ReadPartQuery>,
) -> Answer {
    let (page, max_age) = query.parts();
    let dated = state.pmks.discovery().versions(&connection, max_age).await?;
    let list = format!("versions of {connection}");
    let all = convert::discovered(dated, convert::version);
    let part = page.part(&list, all.items, |one| &one.version)?;
    Ok(Json(Discovered { items: part.items, next_page_token: part.next_page_token, ..all }).into_response())
}

/// The machine types on offer.
#[utoipa::path(get, path = "/v1/connections/{connection}/machineTypes", params(ReadPartQuery),
    responses((status = 200, body = Discovered<MachineType>)))]
async fn list_machine_types(
    Shared(state): Shared<Arc<State>>,
    Path(connection): Path<String>,
    Query(query): Query<ReadPartQuery>,
) -> Answer {
    let (page, max_age) = query.parts();
    let dated = state.pmks.discovery().machine_types(&connection, max_age).await?;
    let list = format!("machine types of {connection}");
    let all = convert::discovered(dated, convert::machine_type);
    let part = page.part(&list, all.items, |one| &one.name)?;
    Ok(Json(Discovered { items: part.items, next_page_token: part.next_page_token, ..all }).into_response())
}

/// The images that nodes can be made from.
#[utoipa::path(get, path = "/v1/connections/{connection}/images", params(ReadPartQuery),
    responses((status = 200, body = Discovered<Image>)))]
async fn list_images(
    Shared(state): Shared<Arc<State>>,
    Path(connection): Path<String>,
    Query(query): Query<ReadPartQuery>,
) -> Answer {
    let (page, max_age) = query.parts();
    let dated = state.pmks.discovery().images(&connection, max_age).await?;
    let list = format!("images of {connection}");
    let all = convert::discovered(dated, convert::image);
    let part = page.part(&list, all.items, |one| &one.name)?;
    Ok(Json(Discovered { items: part.items, next_page_token: part.next_page_token, ..all }).into_response())
}

/// The regions on offer, with the zones of the connection's own.
#[utoipa::path(get, path = "/v1/connections/{connection}/regions", params(ReadPartQuery),
    responses((status = 200, body = Discovered<Region>)))]
async fn list_regions(
    Shared(state): Shared<Arc<State>>,
    Path(connection): Path<String>,
    Query(query): Query<ReadPartQuery>,
) -> Answer {
    let (page, max_age) = query.parts();
    let dated = state.pmks.discovery().regions(&connection, max_age).await?;
    let list = format!("regions of {connection}");
    let all = convert::discovered(dated, convert::region);
    let part = page.part(&list, all.items, |one| &one.name)?;
    Ok(Json(Discovered { items: part.items, next_page_token: part.next_page_token, ..all }).into_response())
}
