//! Providers.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State as Shared};
use axum::response::IntoResponse;
use pmks_api::{List, Provider};
use pmks_core::PageRequest;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Answer;
use crate::ask::{NoQuery, PartQuery, Query};
use crate::{State, convert};

pub(super) fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new().routes(routes!(list_providers)).routes(routes!(get_provider))
}

/// The providers, with what each can do.
#[utoipa::path(get, path = "/v1/providers", params(PartQuery),
    responses((status = 200, body = List<Provider>)))]
async fn list_providers(Shared(state): Shared<Arc<State>>, Query(query): Query<PartQuery>) -> Answer {
    let part = PageRequest::from(query).part("providers", state.pmks.providers(), |one| one.provider)?;
    Ok(Json(convert::list(part, convert::provider)).into_response())
}

/// A provider, with its credential forms and what it can do.
#[utoipa::path(get, path = "/v1/providers/{provider}", responses((status = 200, body = Provider)))]
async fn get_provider(
    Shared(state): Shared<Arc<State>>,
    Path(provider): Path<String>,
    _: Query<NoQuery>,
) -> Answer {
    Ok(Json(convert::provider(state.pmks.provider(&provider)?)).into_response())
}
