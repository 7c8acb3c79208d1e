//! Node groups.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State as Shared};
use axum::response::IntoResponse;
use pmks_api::{List, NewNodeGroup, NodeGroup, Operation, Plan, Scale, UpgradeNodeGroup};
use pmks_core::Mutation;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Answer, change, change_as_read};
use crate::ask::{Asked, Changing, NoFields, NodeGroupListQuery, Query, ReadQuery, Told};
use crate::{State, convert};

pub(super) fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new()
        .routes(routes!(add_node_group, list_node_groups))
        .routes(routes!(get_node_group, remove_node_group))
        .routes(routes!(scale_node_group))
        .routes(routes!(upgrade_node_group))
}

/// Adds a node group.
#[utoipa::path(post, path = "/v1/connections/{connection}/clusters/{cluster}/nodeGroups", params(Changing),
    request_body = NewNodeGroup, responses((status = 202, body = Operation), (status = 200, body = Plan)))]
async fn add_node_group(
    Shared(state): Shared<Arc<State>>,
    Path((connection, cluster)): Path<(String, String)>,
    Query(query): Query<Changing>,
    asked: Told<NewNodeGroup>,
) -> Answer {
    let node_group = convert::new_node_group(asked.body, "", &asked.unreadable);
    let mutation = Mutation::AddNodeGroup { connection, cluster, node_group };
    change_as_read(&state, &asked.caller, mutation, asked.unreadable, query.dry_run).await
}

/// A page of a cluster's node groups.
#[utoipa::path(get, path = "/v1/connections/{connection}/clusters/{cluster}/nodeGroups",
    params(NodeGroupListQuery), responses((status = 200, body = List<NodeGroup>)))]
async fn list_node_groups(
    Shared(state): Shared<Arc<State>>,
    Path((connection, cluster)): Path<(String, String)>,
    Query(query): Query<NodeGroupListQuery>,
) -> Answer {
    let (page, max_age) = query.parts();
    let page = state.pmks.node_groups().list(&connection, &cluster, &page, max_age).await?;
    Ok(Json(convert::list(page, convert::node_group)).into_response())
}

/// A node group.
#[utoipa::path(get, path = "/v1/connections/{connection}/clusters/{cluster}/nodeGroups/{nodeGroup}",
    params(ReadQuery), responses((status = 200, body = NodeGroup)))]
async fn get_node_group(
    Shared(state): Shared<Arc<State>>,
    Path((connection, cluster, name)): Path<(String, String, String)>,
    Query(query): Query<ReadQuery>,
) -> Answer {
    let view = state.pmks.node_groups().get(&connection, &cluster, &name, query.max_age()).await?;
    Ok(Json(convert::node_group(view)).into_response())
}

/// Removes a node group.
#[utoipa::path(delete, path = "/v1/connections/{connection}/clusters/{cluster}/nodeGroups/{nodeGroup}",
    params(Changing), responses((status = 202, body = Operation), (status = 200, body = Plan)))]
async fn remove_node_group(
    Shared(state): Shared<Arc<State>>,
    Path((connection, cluster, node_group)): Path<(String, String, String)>,
    Query(query): Query<Changing>,
    asked: Asked<NoFields>,
) -> Answer {
    let mutation = Mutation::RemoveNodeGroup { connection, cluster, node_group: node_group.into() };
    change(&state, &asked.caller, mutation, query.dry_run).await
}

/// Changes size, limits or autoscaling. What is left out stays as it is.
#[utoipa::path(post, path = "/v1/connections/{connection}/clusters/{cluster}/nodeGroups/{nodeGroup}/scale",
    params(Changing), request_body = Scale,
    responses((status = 202, body = Operation), (status = 200, body = Plan)))]
async fn scale_node_group(
    Shared(state): Shared<Arc<State>>,
    Path((connection, cluster, node_group)): Path<(String, String, String)>,
    Query(query): Query<Changing>,
    asked: Told<Scale>,
) -> Answer {
    let (scaling, unreadable) = convert::scaling_change(asked.body, &asked.unreadable);
    let mutation = Mutation::ScaleNodeGroup { connection, cluster, node_group, scaling };
    change_as_read(&state, &asked.caller, mutation, unreadable, query.dry_run).await
}

/// Raises the version of a node group.
#[utoipa::path(post, path = "/v1/connections/{connection}/clusters/{cluster}/nodeGroups/{nodeGroup}/upgrade",
    params(Changing), request_body = UpgradeNodeGroup,
    responses((status = 202, body = Operation), (status = 200, body = Plan)))]
async fn upgrade_node_group(
    Shared(state): Shared<Arc<State>>,
    Path((connection, cluster, node_group)): Path<(String, String, String)>,
    Query(query): Query<Changing>,
    asked: Asked<UpgradeNodeGroup>,
) -> Answer {
    let UpgradeNodeGroup { version, force } = asked.body;
    let mutation = Mutation::UpgradeNodeGroup { connection, cluster, node_group, version, force };
    change(&state, &asked.caller, mutation, query.dry_run).await
}
