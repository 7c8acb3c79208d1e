//! What clients do with every kind of resource alike: list, compare with the cloud, count, remove. A kind says what is
//! its own.

use std::collections::BTreeSet;

use pmks_core::Mutation;
use pmks_model::{FailureKind, Iid};
use serde_json::{Value, json};

use crate::Refusal;
use crate::call::{Answer, Call};
use crate::reply::Reply;
use crate::wait::{DELETION, Until};

/// What a route's helper answers.
pub(super) type Outcome<T> = Result<T, Refusal>;

/// A kind of resource.
pub(super) trait Kind {
    /// Its `ResourceType`.
    const TYPE: &'static str;
    /// The name of its lists.
    const LIST: &'static str;
    /// What core says of one.
    type View: Send + Sync;

    /// Both its names, its identifier here, and whether it is gone at the cloud.
    fn facts(view: &Self::View) -> (&Iid, &str, bool);

    /// The connection by which it was made or registered.
    fn connection(view: &Self::View) -> &str;

    /// Those that have a record.
    fn known(call: &Call, connection: &str) -> impl Future<Output = Outcome<Vec<Self::View>>> + Send;

    /// One, by name or by the cloud's identifier.
    fn get(
        call: &Call,
        connection: &str,
        name: &str,
    ) -> impl Future<Output = pmks_core::Result<Self::View>> + Send;

    /// Each as clients are shown it.
    fn shown(
        call: &Call,
        connection: &str,
        views: &[Self::View],
    ) -> impl Future<Output = Outcome<Vec<Value>>> + Send;

    /// Those at the cloud that have no record, each as clients are shown it.
    fn strangers(call: &Call, connection: &str) -> impl Future<Output = Outcome<Vec<(Iid, Value)>>> + Send;

    /// The removal of one.
    fn removal(connection: String, name: String) -> Mutation;

    /// Keeps a record of what only the cloud knows.
    fn adopt(call: &Call, connection: &str, id: &str) -> impl Future<Output = Outcome<()>> + Send;

    /// Drops the record alone.
    fn forget(
        call: &Call,
        connection: &str,
        name: &str,
    ) -> impl Future<Output = pmks_core::Result<()>> + Send;
}

pub(super) async fn list<K: Kind>(call: Call) -> Answer {
    let connection = call.connection()?;
    let known = K::known(&call, &connection).await?;
    Ok(Reply::list(K::LIST, K::shown(&call, &connection, &known).await?))
}

pub(super) async fn get<K: Kind>(call: Call) -> Answer {
    show::<K>(&call, &call.connection()?, call.named(0)).await
}

/// One as it is known now.
pub(super) async fn show<K: Kind>(call: &Call, connection: &str, name: &str) -> Answer {
    let view = K::get(call, connection, name).await?;
    let shown = K::shown(call, connection, std::slice::from_ref(&view)).await?;
    Ok(Reply::Json(shown.into_iter().next().unwrap_or_default()))
}

/// What both know, what only we know, what only the cloud knows, by their names alone.
pub(super) async fn names<K: Kind>(call: Call) -> Answer {
    let connection = call.connection()?;
    let strangers = K::strangers(&call, &connection).await?;
    let (missing, mapped) = split::<K>(K::known(&call, &connection).await?);
    let strangers: Vec<Value> = strangers.iter().map(|(iid, _)| super::shapes::iid(iid)).collect();
    Ok(Reply::Json(json!({"AllList": {
        "MappedList": iids::<K>(&mapped), "OnlySpiderList": iids::<K>(&missing), "OnlyCSPList": strangers,
    }})))
}

/// The same, what is at the cloud whole.
pub(super) async fn infos<K: Kind>(call: Call) -> Answer {
    let connection = call.connection()?;
    let strangers = K::strangers(&call, &connection).await?;
    let (missing, mapped) = split::<K>(K::known(&call, &connection).await?);
    let mapped = K::shown(&call, &connection, &mapped).await?;
    let strangers: Vec<Value> = strangers.into_iter().map(|(_, whole)| whole).collect();
    Ok(Reply::Json(json!({"ResourceType": K::TYPE, "AllListInfo": {
        "MappedInfoList": mapped, "OnlySpiderList": iids::<K>(&missing), "OnlyCSPInfoList": strangers,
    }})))
}

/// At one connection, or at all: two of one account see the same ones.
pub(super) async fn count<K: Kind>(call: Call) -> Answer {
    let mut seen = BTreeSet::new();
    for connection in call.of_path_or_all().await? {
        seen.extend(K::known(&call, &connection).await?.iter().map(|view| K::facts(view).1.to_owned()));
    }
    Ok(Reply::count(seen.len()))
}

/// Answers when it is gone. What the cloud does not let go is forgotten, as clients that force it expect: not removed,
/// hence not true.
pub(super) async fn delete<K: Kind>(call: Call) -> Answer {
    let (connection, name) = (call.connection()?, call.named(0).to_owned());
    let removal = K::removal(connection.clone(), name.clone());
    match call.change(removal, Until::Over, DELETION).await {
        Ok(operation) => Ok(call.at_once(&operation).unwrap_or(Reply::result(true))),
        Err(refusal) if call.force()? && refusal.is_final() => {
            K::forget(&call, &connection, &name).await.map_err(|_| refusal)?;
            Ok(Reply::result(false))
        }
        Err(refusal) => Err(refusal),
    }
}

/// By the cloud's identifier, whether it is known here or not.
pub(super) async fn delete_at_cloud<K: Kind>(call: Call) -> Answer {
    let (connection, id) = (call.connection()?, call.named(0).to_owned());
    match K::get(&call, &connection, &id).await {
        Err(failure) if failure.kind == FailureKind::NotFound => K::adopt(&call, &connection, &id).await?,
        known => drop(known?),
    }
    let operation = call.change(K::removal(connection, id), Until::Over, DELETION).await?;
    Ok(call.at_once(&operation).unwrap_or(Reply::result(true)))
}

pub(super) async fn unregister<K: Kind>(call: Call) -> Answer {
    K::forget(&call, &call.connection()?, call.named(0)).await?;
    Ok(Reply::result(true))
}

/// Those that are gone at the cloud, and those that are not.
fn split<K: Kind>(known: Vec<K::View>) -> (Vec<K::View>, Vec<K::View>) {
    known.into_iter().partition(|view| K::facts(view).2)
}

fn iids<K: Kind>(views: &[K::View]) -> Vec<Value> {
    views.iter().map(|view| super::shapes::iid(K::facts(view).0)).collect()
}

/// The name under which something at the cloud is taken over in order to be removed: the last part of its identifier.
pub(super) fn name_of(id: &str) -> String {
    id.rsplit(['/', ':']).next().unwrap_or(id).to_owned()
}
