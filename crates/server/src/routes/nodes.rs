//! Nodes: the VMs of a cluster.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State as Shared};
use axum::response::IntoResponse;
use pmks_api::{List, Node, NodeMetrics};
use pmks_core::MetricAsked;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Answer;
use crate::ask::{MetricQuery, Query, ReadPartQuery, ReadQuery};
use crate::{State, convert};

pub(super) fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new()
        .routes(routes!(list_nodes))
        .routes(routes!(get_node))
        .routes(routes!(get_node_metrics))
}

/// The VMs of a cluster.
#[utoipa::path(get, path = "/v1/connections/{connection}/clusters/{cluster}/nodes", params(ReadPartQuery),
    responses((status = 200, body = List<Node>)))]
async fn list_nodes(
    Shared(state): Shared<Arc<State>>,
    Path((connection, cluster)): Path<(String, String)>,
    Query(query): Query<ReadPartQuery>,
) -> Answer {
    let (page, max_age) = query.parts();
    let views = state.pmks.clusters().nodes(&connection, &cluster, max_age).await?;
    let list = format!("nodes of {connection} {cluster}");
    let part = page.part(&list, views, |view| &view.node.iid.system_id)?;
    Ok(Json(convert::list(part, convert::node)).into_response())
}

/// One VM, by the node's name or the VM's identifier.
#[utoipa::path(get, path = "/v1/connections/{connection}/clusters/{cluster}/nodes/{node}", params(ReadQuery),
    responses((status = 200, body = Node)))]
async fn get_node(
    Shared(state): Shared<Arc<State>>,
    Path((connection, cluster, node)): Path<(String, String, String)>,
    Query(query): Query<ReadQuery>,
) -> Answer {
    let view = state.pmks.clusters().node(&connection, &cluster, &node, query.max_age()).await?;
    Ok(Json(convert::node(view)).into_response())
}

/// What the cloud measures of one VM: `cpuUsage`, `memoryUsage`, `diskRead`, `diskWrite`, `diskReadOperations`,
/// `diskWriteOperations`, `networkIn` or `networkOut`, where the provider's capabilities have it.
#[utoipa::path(get, path = "/v1/connections/{connection}/clusters/{cluster}/nodes/{node}/metrics/{metric}",
    params(MetricQuery), responses((status = 200, body = NodeMetrics)))]
async fn get_node_metrics(
    Shared(state): Shared<Arc<State>>,
    Path((connection, cluster, node, metric)): Path<(String, String, String, String)>,
    Query(query): Query<MetricQuery>,
) -> Answer {
    let metric = state.pmks.clusters().metric(&metric)?;
    let asked = MetricAsked { metric, called: metric.as_str() };
    let window = query.window();
    let view = state.pmks.clusters().node_metrics(&connection, &cluster, &node, asked, window).await?;
    Ok(Json(convert::node_metrics(view)).into_response())
}
