//! The ways into a cluster: kubeconfig and token. Kept nowhere on their way.

use std::sync::Arc;

use axum::extract::{Path, State as Shared};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Uri};
use pmks_api::AccessToken;
use pmks_core::{Caller, ExecPlugin, KubeconfigRequest};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Answer, unkept};
use crate::ask::{Asked, KubeconfigFormat, KubeconfigQuery, NoFields, NoQuery, Query};
use crate::{State, admission, convert};

pub(super) fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new().routes(routes!(get_kubeconfig)).routes(routes!(create_token))
}

/// A kubeconfig. `exec` runs `pmks token` and holds no secret; `native` runs the cloud's own plugin; `static` holds a
/// credential, where the cloud has one. The latter two need the role operator.
#[utoipa::path(get, path = "/v1/connections/{connection}/clusters/{cluster}/kubeconfig",
    params(KubeconfigQuery), responses((status = 200, body = String, content_type = "application/yaml")))]
async fn get_kubeconfig(
    Shared(state): Shared<Arc<State>>,
    Path((connection, cluster)): Path<(String, String)>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
    headers: HeaderMap,
    Query(query): Query<KubeconfigQuery>,
) -> Answer {
    let format = match query.format {
        KubeconfigFormat::Exec => pmks_driver::KubeconfigFormat::Exec,
        KubeconfigFormat::Native => pmks_driver::KubeconfigFormat::Native,
        KubeconfigFormat::Static => pmks_driver::KubeconfigFormat::Static,
    };
    let server = admission::reached_at(&state, &uri, &headers);
    let exec = ExecPlugin { command: query.command.unwrap_or_else(|| "pmks".to_owned()), server };
    let request = KubeconfigRequest { format, exec };
    let yaml = state.pmks.clusters().kubeconfig(&caller, &connection, &cluster, &request).await?;
    Ok(unkept(([(CONTENT_TYPE, "application/yaml")], yaml).into_response()))
}

/// What lets a client in at the cluster's Kubernetes API, for a while.
#[utoipa::path(post, path = "/v1/connections/{connection}/clusters/{cluster}/token",
    responses((status = 200, body = AccessToken)))]
async fn create_token(
    Shared(state): Shared<Arc<State>>,
    Path((connection, cluster)): Path<(String, String)>,
    _: Query<NoQuery>,
    asked: Asked<NoFields>,
) -> Answer {
    let credential = state.pmks.clusters().token(&asked.caller, &connection, &cluster).await?;
    Ok(unkept(Json(convert::access_token(&credential)).into_response()))
}
