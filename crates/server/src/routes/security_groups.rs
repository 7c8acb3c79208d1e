//! Security groups.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State as Shared};
use axum::response::IntoResponse;
use http::StatusCode;
use pmks_api::{ChangeRules, List, NewSecurityGroup, Operation, Plan, SecurityGroup, TagsPatch};
use pmks_core::{Mutation, Tagged};
use pmks_model::ResourceKind;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{
    Answer, change, change_as_read, no_plan, planned_of_record, removal_of_record, update_tags, with_tag,
};
use crate::ask::{Asked, Changing, DryRun, ManagedListQuery, NoFields, Patched, Query, ReadQuery, Told};
use crate::{State, convert};

pub(super) fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new()
        .routes(routes!(create_security_group, list_security_groups))
        .routes(routes!(get_security_group, update_security_group, delete_security_group))
        .routes(routes!(change_rules))
        .routes(routes!(forget_security_group))
}

/// Makes a security group with its rules; with `systemId` keeps a record of an existing one (201).
#[utoipa::path(post, path = "/v1/connections/{connection}/securityGroups", params(Changing),
    request_body = NewSecurityGroup,
    responses((status = 202, body = Operation), (status = 201, body = SecurityGroup), (status = 200, body = Plan)))]
async fn create_security_group(
    Shared(state): Shared<Arc<State>>,
    Path(connection): Path<String>,
    Query(query): Query<Changing>,
    asked: Told<NewSecurityGroup>,
) -> Answer {
    let Told { caller, body, unreadable } = asked;
    let others = [
        ("uniqueCloudName", body.unique_cloud_name.is_some()),
        ("network", !body.network.is_empty()),
        ("rules", !body.rules.is_empty()),
        ("tags", !body.tags.is_empty()),
    ];
    if let Some(import) = convert::import_of(&body.name, body.system_id.as_ref(), &others)? {
        no_plan(query.dry_run)?;
        let view = state.pmks.security_groups().import(&caller, &connection, import).await?;
        return Ok((StatusCode::CREATED, Json(convert::security_group(view))).into_response());
    }
    let security_group = convert::new_security_group(body);
    let mutation = Mutation::CreateSecurityGroup { connection, security_group };
    change_as_read(&state, &caller, mutation, unreadable, query.dry_run).await
}

/// A page of the security groups that pmks keeps a record of.
#[utoipa::path(get, path = "/v1/connections/{connection}/securityGroups", params(ManagedListQuery),
    responses((status = 200, body = List<SecurityGroup>)))]
async fn list_security_groups(
    Shared(state): Shared<Arc<State>>,
    Path(connection): Path<String>,
    Query(query): Query<ManagedListQuery>,
) -> Answer {
    if query.managed == Some(false) {
        let strangers = state.pmks.security_groups().unmanaged(&connection).await?;
        return Ok(Json(convert::whole_list(strangers, convert::security_group)).into_response());
    }
    let page = state.pmks.security_groups().list(&connection, &query.into()).await?;
    Ok(Json(convert::list(page, convert::security_group)).into_response())
}

/// A security group.
#[utoipa::path(get, path = "/v1/connections/{connection}/securityGroups/{securityGroup}", params(ReadQuery),
    responses((status = 200, body = SecurityGroup)))]
async fn get_security_group(
    Shared(state): Shared<Arc<State>>,
    Path((connection, name)): Path<(String, String)>,
    Query(query): Query<ReadQuery>,
) -> Answer {
    let view = state.pmks.security_groups().get(&connection, &name, query.max_age()).await?;
    let tag = view.version_tag.clone();
    Ok(with_tag(&tag, Json(convert::security_group(view)).into_response()))
}

/// Adds rules to a security group, and removes some. What is so already is no error.
#[utoipa::path(post, path = "/v1/connections/{connection}/securityGroups/{securityGroup}/rules", params(Changing),
    request_body = ChangeRules, responses((status = 202, body = Operation), (status = 200, body = Plan)))]
async fn change_rules(
    Shared(state): Shared<Arc<State>>,
    Path((connection, security_group)): Path<(String, String)>,
    Query(query): Query<Changing>,
    asked: Told<ChangeRules>,
) -> Answer {
    let Told { caller, body, unreadable } = asked;
    let (add, remove) = (convert::rules(body.add), convert::rules(body.remove));
    let mutation = Mutation::UpdateSecurityGroup { connection, security_group, add, remove };
    change_as_read(&state, &caller, mutation, unreadable, query.dry_run).await
}

/// Changes the tags of a security group. Those that are not named stay.
#[utoipa::path(patch, path = "/v1/connections/{connection}/securityGroups/{securityGroup}", params(Changing),
    request_body(content = TagsPatch, content_type = "application/merge-patch+json"),
    responses((status = 202, body = Operation), (status = 200, body = Plan)))]
async fn update_security_group(
    Shared(state): Shared<Arc<State>>,
    Path((connection, name)): Path<(String, String)>,
    Query(query): Query<Changing>,
    asked: Patched<TagsPatch>,
) -> Answer {
    let resource = Tagged { kind: ResourceKind::SecurityGroup, network: None, name };
    update_tags(&state, connection, resource, asked, query.dry_run).await
}

/// Removes a security group.
#[utoipa::path(delete, path = "/v1/connections/{connection}/securityGroups/{securityGroup}", params(Changing),
    responses((status = 202, body = Operation), (status = 200, body = Plan)))]
async fn delete_security_group(
    Shared(state): Shared<Arc<State>>,
    Path((connection, security_group)): Path<(String, String)>,
    Query(query): Query<Changing>,
    asked: Asked<NoFields>,
) -> Answer {
    let mutation = Mutation::DeleteSecurityGroup { connection, security_group: security_group.into() };
    change(&state, &asked.caller, mutation, query.dry_run).await
}

/// Drops only our record of a security group.
#[utoipa::path(post, path = "/v1/connections/{connection}/securityGroups/{securityGroup}/forget",
    params(Changing), responses((status = 204), (status = 200, body = Plan)))]
async fn forget_security_group(
    Shared(state): Shared<Arc<State>>,
    Path((connection, name)): Path<(String, String)>,
    Query(query): Query<Changing>,
    asked: Asked<NoFields>,
) -> Answer {
    if query.dry_run == Some(DryRun::Plan) {
        state.pmks.security_groups().plan_forget(&asked.caller, &connection, &name).await?;
        return Ok(planned_of_record(
            "securityGroup.forget",
            removal_of_record("security group", &name),
            Vec::new(),
        ));
    }
    state.pmks.security_groups().forget(&asked.caller, &connection, &name).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
