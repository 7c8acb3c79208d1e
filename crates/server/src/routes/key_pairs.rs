//! Key pairs. The private half is in the answer to its creation, and nowhere else ever.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State as Shared};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::LOCATION;
use pmks_api::{CreatedKeyPair, KeyPair, List, NewKeyPair, Operation, Plan, TagsPatch};
use pmks_core::{Accepted, Caller, Handover, Mutation, PrivateKey, Tagged};
use pmks_model::ResourceKind;
use secrecy::ExposeSecret;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{
    Answer, change, location, no_plan, planned_of_record, removal_of_record, unkept, update_tags, with_tag,
};
use crate::ask::{Asked, Changing, DryRun, ManagedListQuery, NoFields, Patched, Query, ReadQuery};
use crate::{State, convert};

pub(super) fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new()
        .routes(routes!(create_key_pair, list_key_pairs))
        .routes(routes!(get_key_pair, update_key_pair, delete_key_pair))
        .routes(routes!(forget_key_pair))
}

/// Makes a key pair, or gives the cloud the public half of yours; with `systemId` keeps a record of an existing one.
///
/// If pmks made the pair, it answers once the cloud has the public half: 201 holds the private half. It is told once, and
/// for twenty minutes to who asks again with the same `Idempotency-Key`, unless the server was restarted: then, and later,
/// that is a 409. Without such a key the same request of the same caller is told it if the answer before reached nobody,
/// and is a 409 otherwise. A creation that fails answers why, and no key.
#[utoipa::path(post, path = "/v1/connections/{connection}/keyPairs", params(Changing),
    request_body = NewKeyPair,
    responses((status = 201, body = CreatedKeyPair), (status = 200, body = Plan)))]
async fn create_key_pair(
    Shared(state): Shared<Arc<State>>,
    Path(connection): Path<String>,
    Query(query): Query<Changing>,
    asked: Asked<NewKeyPair>,
) -> Answer {
    let (caller, body) = (asked.caller, asked.body);
    let others = [
        ("uniqueCloudName", body.unique_cloud_name.is_some()),
        ("publicKey", body.public_key.is_some()),
        ("tags", !body.tags.is_empty()),
    ];
    if let Some(import) = convert::import_of(&body.name, body.system_id.as_ref(), &others)? {
        no_plan(query.dry_run)?;
        let view = state.pmks.key_pairs().import(&caller, &connection, import).await?;
        return Ok((StatusCode::CREATED, Json(convert::key_pair(view))).into_response());
    }
    let mutation = Mutation::CreateKeyPair { connection, key_pair: convert::new_key_pair(body) };
    if query.dry_run.is_some() {
        return change(&state, &caller, mutation, query.dry_run).await;
    }
    made(&state, &caller, mutation).await
}

async fn made(state: &State, caller: &Caller, mutation: Mutation) -> Answer {
    let Accepted { mut operation, private_key: withheld, .. } =
        Box::pin(state.pmks.accept(caller, mutation)).await?;
    let (mut private_key, mut handover) = (None, Handover::default());
    if let Some(withheld) = withheld {
        let made = Box::pin(withheld.once_made(&state.pmks, caller, PrivateKey::PATIENCE)).await?;
        (operation, private_key, handover) = (made.0, Some(made.1), made.2);
    }
    let resource = &operation.resource;
    let view = state.pmks.key_pairs().get(&resource.connection, &resource.name, None).await?;
    let at = location(&format!("/v1/operations/{}", operation.id));
    let body = CreatedKeyPair {
        key_pair: convert::key_pair(view),
        private_key: private_key.map(|key| key.expose_secret().to_owned()),
        operation: convert::operation(operation),
    };
    let mut response: Response = (StatusCode::CREATED, [(LOCATION, at)], Json(body)).into_response();
    response.extensions_mut().insert(handover);
    Ok(unkept(response))
}

/// A page of the key pairs that pmks keeps a record of.
#[utoipa::path(get, path = "/v1/connections/{connection}/keyPairs", params(ManagedListQuery),
    responses((status = 200, body = List<KeyPair>)))]
async fn list_key_pairs(
    Shared(state): Shared<Arc<State>>,
    Path(connection): Path<String>,
    Query(query): Query<ManagedListQuery>,
) -> Answer {
    if query.managed == Some(false) {
        let strangers = state.pmks.key_pairs().unmanaged(&connection).await?;
        return Ok(Json(convert::whole_list(strangers, convert::key_pair)).into_response());
    }
    let page = state.pmks.key_pairs().list(&connection, &query.into()).await?;
    Ok(Json(convert::list(page, convert::key_pair)).into_response())
}

/// A key pair. Never holds the private half.
#[utoipa::path(get, path = "/v1/connections/{connection}/keyPairs/{keyPair}", params(ReadQuery),
    responses((status = 200, body = KeyPair)))]
async fn get_key_pair(
    Shared(state): Shared<Arc<State>>,
    Path((connection, name)): Path<(String, String)>,
    Query(query): Query<ReadQuery>,
) -> Answer {
    let view = state.pmks.key_pairs().get(&connection, &name, query.max_age()).await?;
    let tag = view.version_tag.clone();
    Ok(with_tag(&tag, Json(convert::key_pair(view)).into_response()))
}

/// Changes the tags of a key pair. Those that are not named stay.
#[utoipa::path(patch, path = "/v1/connections/{connection}/keyPairs/{keyPair}", params(Changing),
    request_body(content = TagsPatch, content_type = "application/merge-patch+json"),
    responses((status = 202, body = Operation), (status = 200, body = Plan)))]
async fn update_key_pair(
    Shared(state): Shared<Arc<State>>,
    Path((connection, name)): Path<(String, String)>,
    Query(query): Query<Changing>,
    asked: Patched<TagsPatch>,
) -> Answer {
    let resource = Tagged { kind: ResourceKind::KeyPair, network: None, name };
    update_tags(&state, connection, resource, asked, query.dry_run).await
}

/// Removes a key pair from the cloud.
#[utoipa::path(delete, path = "/v1/connections/{connection}/keyPairs/{keyPair}", params(Changing),
    responses((status = 202, body = Operation), (status = 200, body = Plan)))]
async fn delete_key_pair(
    Shared(state): Shared<Arc<State>>,
    Path((connection, key_pair)): Path<(String, String)>,
    Query(query): Query<Changing>,
    asked: Asked<NoFields>,
) -> Answer {
    let mutation = Mutation::DeleteKeyPair { connection, key_pair: key_pair.into() };
    change(&state, &asked.caller, mutation, query.dry_run).await
}

/// Drops only our record of a key pair.
#[utoipa::path(post, path = "/v1/connections/{connection}/keyPairs/{keyPair}/forget",
    params(Changing), responses((status = 204), (status = 200, body = Plan)))]
async fn forget_key_pair(
    Shared(state): Shared<Arc<State>>,
    Path((connection, name)): Path<(String, String)>,
    Query(query): Query<Changing>,
    asked: Asked<NoFields>,
) -> Answer {
    if query.dry_run == Some(DryRun::Plan) {
        state.pmks.key_pairs().plan_forget(&asked.caller, &connection, &name).await?;
        return Ok(planned_of_record("keyPair.forget", removal_of_record("key pair", &name), Vec::new()));
    }
    state.pmks.key_pairs().forget(&asked.caller, &connection, &name).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
