//! What clients do with every kind of resource alike: list, compare with the cloud, count, remove. A kind says what is
//! its own.

use std::collections::BTreeSet;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use pmks_core::{Mutation, OperationView};
use pmks_model::{FailureKind, Iid, ResourceKind, Status};
use serde_json::{Value, json};

use crate::Refusal;
use crate::call::{Answer, Call};
use crate::reply::Reply;
use crate::wait::{CHANGE, DELETION, Until};

/// How many the cloud is asked for at once.
const AT_ONCE: usize = 8;

/// What a route's helper answers.
pub(super) type Outcome<T> = Result<T, Refusal>;

/// What everything has.
pub(super) struct Facts<'a> {
    /// Both its names.
    pub(super) iid: &'a Iid,
    /// Its identifier here.
    pub(super) uid: &'a str,
    /// Whether the cloud has it no more.
    gone: bool,
    /// Whether its creation failed before the cloud had it.
    pub(super) unmade: bool,
}

impl<'a> Facts<'a> {
    pub(super) fn of(iid: &'a Iid, uid: &'a str, status: Status) -> Self {
        let unmade = status == Status::Failed && iid.system_id.is_empty();
        Self { iid, uid, gone: status == Status::Missing, unmade }
    }
}

/// A kind of resource.
pub(super) trait Kind {
    /// What it is.
    const KIND: ResourceKind;
    /// Its `ResourceType`.
    const TYPE: &'static str;
    /// The name of its lists.
    const LIST: &'static str;
    /// What core says of one.
    type View: Send + Sync;

    /// What it is like.
    fn facts(view: &Self::View) -> Facts<'_>;

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

    /// The same as the cloud has it now.
    fn get_now(
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
    fn adopt(call: &Call, connection: &str, name: &str, id: &str)
    -> impl Future<Output = Outcome<()>> + Send;

    /// Drops the record alone.
    fn forget(
        call: &Call,
        connection: &str,
        name: &str,
    ) -> impl Future<Output = pmks_core::Result<()>> + Send;
}

pub(super) async fn list<K: Kind>(call: Call) -> Answer {
    let connection = call.connection()?;
    let known = made::<K>(&call, &connection).await?;
    Ok(Reply::list(K::LIST, K::shown(&call, &connection, &known).await?))
}

pub(super) async fn get<K: Kind>(call: Call) -> Answer {
    show::<K>(&call, &call.connection()?, call.named(0)).await
}

/// One as it is known now.
pub(super) async fn show<K: Kind>(call: &Call, connection: &str, name: &str) -> Answer {
    let view = K::get(call, connection, name).await?;
    if K::facts(&view).unmade {
        return Err(absent::<K>(connection, name));
    }
    let shown = K::shown(call, connection, std::slice::from_ref(&view)).await?;
    Ok(Reply::Json(shown.into_iter().next().unwrap_or_default()))
}

/// What both know, what only we know, what only the cloud knows, by their names alone.
pub(super) async fn names<K: Kind>(call: Call) -> Answer {
    let connection = call.connection()?;
    let strangers = K::strangers(&call, &connection).await?;
    let (missing, mapped) = seen::<K>(&call, &connection).await?;
    let strangers: Vec<Value> = strangers.iter().map(|(iid, _)| super::shapes::iid(iid)).collect();
    Ok(Reply::Json(json!({"AllList": {
        "MappedList": iids::<K>(&mapped), "OnlySpiderList": iids::<K>(&missing), "OnlyCSPList": strangers,
    }})))
}

/// The same, what is at the cloud whole.
pub(super) async fn infos<K: Kind>(call: Call) -> Answer {
    let connection = call.connection()?;
    let strangers = K::strangers(&call, &connection).await?;
    let (missing, mapped) = seen::<K>(&call, &connection).await?;
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
        seen.extend(made::<K>(&call, &connection).await?.iter().map(|view| K::facts(view).uid.to_owned()));
    }
    Ok(Reply::count(seen.len()))
}

/// Has one made. What a creation left that failed before the cloud had anything makes room for the next.
pub(super) async fn make<K: Kind>(
    call: &Call,
    connection: &str,
    name: &str,
    mutation: Mutation,
) -> Outcome<OperationView> {
    match call.change(mutation.clone(), Until::Over, CHANGE).await {
        Err(refusal) if refusal.is_taken() && make_room::<K>(call, connection, name).await? => {
            call.change(mutation, Until::Over, CHANGE).await
        }
        ended => ended,
    }
}

/// Removes what failed before the cloud had it; whether there was such a thing.
pub(super) async fn make_room<K: Kind>(call: &Call, connection: &str, name: &str) -> Outcome<bool> {
    let unmade = K::get(call, connection, name).await.is_ok_and(|view| K::facts(&view).unmade);
    if unmade {
        let removal = K::removal(connection.to_owned(), name.to_owned());
        let accepted = call.pmks().accept(&call.keyless(), removal).await?;
        call.follow(accepted.operation, Until::Over, DELETION).await?;
    }
    Ok(unmade)
}

/// Answers when it is gone. What the cloud does not let go is forgotten, as clients that force it expect: not removed,
/// hence not true.
pub(super) async fn delete<K: Kind>(call: Call) -> Answer {
    let (connection, name) = (call.connection()?, call.named(0).to_owned());
    let force = call.force()?;
    by_name::<K>(&call, &connection, &name).await?;
    let removal = K::removal(connection.clone(), name.clone());
    match call.change(removal, Until::Over, DELETION).await {
        Ok(operation) => Ok(call.at_once(&operation).unwrap_or(Reply::result(true))),
        Err(refusal) if force && refusal.is_final() => {
            K::forget(&call, &connection, &name).await.map_err(|_| refusal)?;
            Ok(Reply::result(false))
        }
        Err(refusal) => Err(refusal),
    }
}

/// By the cloud's identifier, whether it is known here or not. A name that reads the same is something else.
pub(super) async fn delete_at_cloud<K: Kind>(call: Call) -> Answer {
    let (connection, id) = (call.connection()?, call.named(0).to_owned());
    let known = K::known(&call, &connection).await?;
    let of = |is_it: &dyn Fn(&str) -> bool| {
        let found = known.iter().find(|view| is_it(&K::facts(view).iid.system_id));
        found.map(|view| K::facts(view).iid.name_id.clone())
    };
    let own = of(&|own| own == id).or_else(|| of(&|own| own.eq_ignore_ascii_case(&id)));
    let name = if let Some(own) = own { own } else { adopt::<K>(&call, &connection, &known, &id).await? };
    let operation = call.change(K::removal(connection, name), Until::Over, DELETION).await?;
    Ok(call.at_once(&operation).unwrap_or(Reply::result(true)))
}

/// Takes over what only the cloud knows, in order to remove it; its name here.
async fn adopt<K: Kind>(call: &Call, connection: &str, known: &[K::View], id: &str) -> Outcome<String> {
    let plain = name_of(id);
    let is_taken = known.iter().any(|view| K::facts(view).iid.name_id == plain);
    let name = if is_taken { format!("{plain}-to-be-deleted") } else { plain };
    match K::adopt(call, connection, &name, id).await {
        Err(refusal) if refusal.is_of_request() => Err(absent::<K>(connection, id)),
        adopted => adopted.map(|()| name),
    }
}

pub(super) async fn unregister<K: Kind>(call: Call) -> Answer {
    let (connection, name) = (call.connection()?, call.named(0));
    by_name::<K>(&call, &connection, name).await?;
    K::forget(&call, &connection, name).await?;
    Ok(Reply::result(true))
}

/// Core takes an identifier for a name too; what clients remove they name.
pub(super) async fn by_name<K: Kind>(call: &Call, connection: &str, name: &str) -> Outcome<()> {
    match K::get(call, connection, name).await {
        Ok(view) if K::facts(&view).iid.name_id != name => Err(absent::<K>(connection, name)),
        // What is not there, core says.
        _ => Ok(()),
    }
}

pub(super) fn absent<K: Kind>(connection: &str, name: &str) -> Refusal {
    let what = crate::names::of(K::KIND).unwrap_or_default();
    Refusal::absent(format!("{what} '{name}' does not exist in connection '{connection}'"))
}

/// Those that have a record, but for what the cloud never had.
async fn made<K: Kind>(call: &Call, connection: &str) -> Outcome<Vec<K::View>> {
    let mut known = K::known(call, connection).await?;
    known.retain(|view| !K::facts(view).unmade);
    Ok(known)
}

/// The same as the cloud has them now: those that are gone, and those that are not.
async fn seen<K: Kind>(call: &Call, connection: &str) -> Outcome<(Vec<K::View>, Vec<K::View>)> {
    let known = made::<K>(call, connection).await?;
    let fresh = stream::iter(known).map(|view| async move {
        let name = K::facts(&view).iid.name_id.clone();
        match K::get_now(call, connection, &name).await {
            Ok(fresh) => Ok(Some(fresh)),
            // Its record went meanwhile.
            Err(failure) if failure.kind == FailureKind::NotFound => Ok(None),
            Err(failure) => Err(Refusal::from(failure)),
        }
    });
    let fresh: Vec<Option<K::View>> = fresh.buffered(AT_ONCE).try_collect().await?;
    Ok(fresh.into_iter().flatten().partition(|view| K::facts(view).gone))
}

fn iids<K: Kind>(views: &[K::View]) -> Vec<Value> {
    views.iter().map(|view| super::shapes::iid(K::facts(view).iid)).collect()
}

/// The name under which something at the cloud is taken over in order to be removed: the last part of its identifier.
pub(super) fn name_of(id: &str) -> String {
    id.rsplit(['/', ':']).next().unwrap_or(id).to_owned()
}
