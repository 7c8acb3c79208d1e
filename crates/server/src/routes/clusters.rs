//! Clusters.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State as Shared};
use axum::response::IntoResponse;
use bytes::Bytes;
use http::StatusCode;
use pmks_api::{
    Children, Cluster, ClusterPatch, Clusters, ImportCluster, NewCluster, Operation, Plan, Upgrade,
};
use pmks_core::{Interface, Mutation};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Answer, Kept, change, change_as_read, planned_of_record, removal_of_record, with_tag, written};
use crate::ask::{
    Asked, Changing, ClusterListQuery, DeleteClusterQuery, DryRun, ForgetClusterQuery, NoFields, NoQuery,
    Patched, Query, ReadQuery, Told,
};
use crate::{State, convert};

pub(super) fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new()
        .routes(routes!(create_cluster, list_clusters))
        .routes(routes!(import_cluster))
        .routes(routes!(get_cluster, update_cluster, delete_cluster))
        .routes(routes!(forget_cluster))
        .routes(routes!(upgrade_cluster))
        .routes(routes!(get_children))
}

/// Makes a cluster with its node groups.
#[utoipa::path(post, path = "/v1/connections/{connection}/clusters", params(Changing),
    request_body = NewCluster, responses((status = 202, body = Operation), (status = 200, body = Plan)))]
async fn create_cluster(
    Shared(state): Shared<Arc<State>>,
    Path(connection): Path<String>,
    Query(query): Query<Changing>,
    asked: Told<NewCluster>,
) -> Answer {
    let cluster = convert::new_cluster(asked.body, &asked.unreadable);
    let mutation = Mutation::CreateCluster { connection, cluster };
    change_as_read(&state, &asked.caller, mutation, asked.unreadable, query.dry_run).await
}

/// A page of the clusters that pmks keeps a record of; connection `-`: of all connections.
#[utoipa::path(get, path = "/v1/connections/{connection}/clusters", params(ClusterListQuery),
    responses((status = 200, body = Clusters)))]
async fn list_clusters(
    Shared(state): Shared<Arc<State>>,
    Path(connection): Path<String>,
    Query(query): Query<ClusterListQuery>,
) -> Answer {
    let connection = Some(connection.as_str()).filter(|name| *name != "-");
    if query.managed == Some(false) {
        let unmanaged = state.pmks.clusters().unmanaged(connection).await?;
        return Ok(Json(Clusters::Unmanaged(convert::unmanaged(unmanaged))).into_response());
    }
    let page = state
        .pmks
        .clusters()
        .list_written(connection, &query.filter(), Interface::Own, &convert::written_cluster)
        .await?;
    Ok(written(convert::written_list(&page)))
}

/// Takes over an existing cluster. Reads only.
#[utoipa::path(post, path = "/v1/connections/{connection}/clusters:import", params(Changing),
    request_body = ImportCluster, responses((status = 202, body = Operation), (status = 200, body = Plan)))]
async fn import_cluster(
    Shared(state): Shared<Arc<State>>,
    Path(connection): Path<String>,
    Query(query): Query<Changing>,
    asked: Asked<ImportCluster>,
) -> Answer {
    let mutation = Mutation::ImportCluster { connection, import: convert::import_cluster(asked.body) };
    change(&state, &asked.caller, mutation, query.dry_run).await
}

/// A cluster, by our name or the cloud's identifier.
#[utoipa::path(get, path = "/v1/connections/{connection}/clusters/{cluster}", params(ReadQuery),
    responses((status = 200, body = Cluster)))]
async fn get_cluster(
    Shared(state): Shared<Arc<State>>,
    Path((connection, cluster)): Path<(String, String)>,
    Query(query): Query<ReadQuery>,
) -> Answer {
    let clusters = state.pmks.clusters();
    let read = clusters
        .get_written(&connection, &cluster, query.max_age(), Interface::Own, &convert::written_cluster)
        .await?;
    Ok(with_tag(&read.version_tag, written(Bytes::from_owner(Kept(read.text)))))
}

/// Changes tags, deletion protection or options.
#[utoipa::path(patch, path = "/v1/connections/{connection}/clusters/{cluster}", params(Changing),
    request_body(content = ClusterPatch, content_type = "application/merge-patch+json"),
    responses((status = 202, body = Operation), (status = 200, body = Plan)))]
async fn update_cluster(
    Shared(state): Shared<Arc<State>>,
    Path((connection, cluster)): Path<(String, String)>,
    Query(query): Query<Changing>,
    asked: Patched<ClusterPatch>,
) -> Answer {
    let (patch, if_match) = (asked.patch, asked.if_match);
    let mutation = Mutation::UpdateCluster { connection, cluster, patch, if_match };
    change(&state, &asked.caller, mutation, query.dry_run).await
}

/// Removes a cluster with all that belongs to it. Refused while `deletionProtection` is on.
#[utoipa::path(delete, path = "/v1/connections/{connection}/clusters/{cluster}", params(DeleteClusterQuery),
    responses((status = 202, body = Operation), (status = 200, body = Plan)))]
async fn delete_cluster(
    Shared(state): Shared<Arc<State>>,
    Path((connection, cluster)): Path<(String, String)>,
    Query(query): Query<DeleteClusterQuery>,
    asked: Asked<NoFields>,
) -> Answer {
    let delete_volumes = query.delete_volumes;
    let mutation = Mutation::DeleteCluster { connection, cluster: cluster.into(), delete_volumes };
    change(&state, &asked.caller, mutation, query.dry_run).await
}

/// Drops only our record of a cluster.
#[utoipa::path(post, path = "/v1/connections/{connection}/clusters/{cluster}/forget",
    params(ForgetClusterQuery), responses((status = 204), (status = 200, body = Plan)))]
async fn forget_cluster(
    Shared(state): Shared<Arc<State>>,
    Path((connection, cluster)): Path<(String, String)>,
    Query(query): Query<ForgetClusterQuery>,
    asked: Asked<NoFields>,
) -> Answer {
    let clusters = state.pmks.clusters();
    if query.dry_run == Some(DryRun::Plan) {
        let given_up = clusters.plan_forget(&asked.caller, &connection, &cluster, query.abandon).await?;
        return Ok(planned_of_record("cluster.forget", removal_of_record("cluster", &cluster), given_up));
    }
    clusters.forget(&asked.caller, &connection, &cluster, query.abandon).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Raises the version of a cluster and its node groups, hop by hop where the cloud wants it so.
#[utoipa::path(post, path = "/v1/connections/{connection}/clusters/{cluster}/upgrade", params(Changing),
    request_body = Upgrade, responses((status = 202, body = Operation), (status = 200, body = Plan)))]
async fn upgrade_cluster(
    Shared(state): Shared<Arc<State>>,
    Path((connection, cluster)): Path<(String, String)>,
    Query(query): Query<Changing>,
    asked: Asked<Upgrade>,
) -> Answer {
    let Upgrade { version, node_groups, force } = asked.body;
    let node_groups = convert::upgrade_targets(node_groups)?;
    let mutation = Mutation::UpgradeCluster { connection, cluster, version, node_groups, force };
    change(&state, &asked.caller, mutation, query.dry_run).await
}

/// What came into being because the cluster stands: balancers, volumes and the like, asked now.
#[utoipa::path(get, path = "/v1/connections/{connection}/clusters/{cluster}/children",
    responses((status = 200, body = Children)))]
async fn get_children(
    Shared(state): Shared<Arc<State>>,
    Path((connection, cluster)): Path<(String, String)>,
    _: Query<NoQuery>,
) -> Answer {
    let found = state.pmks.clusters().children(&connection, &cluster).await?;
    Ok(Json(convert::children(found)).into_response())
}
