//! What clients do with every kind of resource alike: list, compare with the cloud, count, remove. A kind says what is
//! its own.

use std::collections::BTreeSet;
use std::time::Duration;

use pmks_core::{Mutation, Reference, Sides};
use pmks_model::{Iid, ResourceKind, Status};
use serde_json::{Value, json};

use super::clusters::Cluster;
use super::key_pairs::KeyPair;
use super::networks::Network;
use super::security_groups::SecurityGroup;
use crate::Refusal;
use crate::call::{Answer, Call};
use crate::reply::Reply;
use crate::wait::{DELETION, Until};

/// How old what is known of a network, security group or key pair may be when it is asked for by itself: clients learn by
/// that whether the cloud still has it, and make what is gone anew.
///
/// Source: <https://github.com/cloud-barista/cb-tumblebug/blob/main/src/core/resource/common.go>,
/// `VerifySharedResourceOnCsp`
pub(super) const LATELY: Option<Duration> = Some(Duration::from_secs(10));

/// What a route's helper answers.
pub(super) type Outcome<T> = Result<T, Refusal>;

/// What everything has.
pub(super) struct Facts<'a> {
    /// Both its names.
    pub(super) iid: &'a Iid,
    /// Its identifier here.
    pub(super) uid: &'a str,
    /// What the cloud calls it.
    cloud_name: &'a str,
    /// Whether its creation failed before the cloud had it.
    pub(super) unmade: bool,
    /// Whether the cloud has it no more.
    pub(super) gone: bool,
    /// Whether it is being made or changed.
    busy: bool,
}

impl<'a> Facts<'a> {
    pub(super) fn of(iid: &'a Iid, uid: &'a str, cloud_name: &'a str, status: Status) -> Self {
        let unmade = pmks_core::is_unmade(status, iid);
        let busy = matches!(status, Status::Creating | Status::Updating);
        Self { iid, uid, cloud_name, unmade, gone: status == Status::Missing, busy }
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

    /// Each as clients are shown it.
    fn shown(
        call: &Call,
        connection: &str,
        views: &[Self::View],
    ) -> impl Future<Output = Outcome<Vec<Value>>> + Send;

    /// Each with what the cloud has in it, known here or not.
    fn at_cloud(
        call: &Call,
        connection: &str,
        views: &[Self::View],
    ) -> impl Future<Output = Outcome<Vec<Value>>> + Send {
        Self::shown(call, connection, views)
    }

    /// What there is, asked now, by who knows of it; what only the cloud knows as clients are shown it.
    fn sides(
        call: &Call,
        connection: &str,
    ) -> impl Future<Output = Outcome<Sides<Self::View, (Iid, Value)>>> + Send;

    /// The removal of one.
    fn removal(connection: String, meant: Reference) -> Mutation;

    /// Keeps a record of what only the cloud knows.
    fn adopt(call: &Call, connection: &str, name: &str, id: &str)
    -> impl Future<Output = Outcome<()>> + Send;

    /// Drops the record alone.
    fn forget(
        call: &Call,
        connection: &str,
        meant: Reference,
    ) -> impl Future<Output = pmks_core::Result<()>> + Send;
}

/// What is known of one, whatever it is.
pub(super) struct Found {
    /// Both its names.
    pub(super) iid: Iid,
    /// What the cloud calls it.
    pub(super) cloud_name: String,
    /// Whether it is being made or changed.
    pub(super) busy: bool,
}

/// One by name or by the cloud's identifier; `None`: what is of that kind is a part of something, or nothing at a cloud.
pub(super) async fn found(
    call: &Call,
    kind: ResourceKind,
    connection: &str,
    name: &str,
) -> Outcome<Option<Found>> {
    let found = match kind {
        ResourceKind::Network => of_kind::<Network>(call, connection, name).await,
        ResourceKind::SecurityGroup => of_kind::<SecurityGroup>(call, connection, name).await,
        ResourceKind::KeyPair => of_kind::<KeyPair>(call, connection, name).await,
        ResourceKind::Cluster => of_kind::<Cluster>(call, connection, name).await,
        ResourceKind::Subnet | ResourceKind::NodeGroup | ResourceKind::Connection => return Ok(None),
    };
    found.map(Some)
}

async fn of_kind<K: Kind>(call: &Call, connection: &str, name: &str) -> Outcome<Found> {
    let view = K::get(call, connection, name).await?;
    let Facts { iid, cloud_name, busy, .. } = K::facts(&view);
    Ok(Found { iid: iid.clone(), cloud_name: cloud_name.to_owned(), busy })
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
    require_standing::<K>(&view, connection, name)?;
    let shown = K::shown(call, connection, std::slice::from_ref(&view)).await?;
    Ok(Reply::Json(shown.into_iter().next().unwrap_or_default()))
}

/// What both know, what only we know, what only the cloud knows, by their names alone.
pub(super) async fn names<K: Kind>(call: Call) -> Answer {
    let sides = K::sides(&call, &call.connection()?).await?;
    let strangers: Vec<Value> = sides.strangers.iter().map(|(iid, _)| super::shapes::iid(iid)).collect();
    Ok(Reply::Json(json!({"AllList": {
        "MappedList": iids::<K>(&without_unmade::<K>(sides.known)),
        "OnlySpiderList": iids::<K>(&sides.gone),
        "OnlyCSPList": strangers,
    }})))
}

/// The same, what is at the cloud whole.
pub(super) async fn infos<K: Kind>(call: Call) -> Answer {
    let connection = call.connection()?;
    let sides = K::sides(&call, &connection).await?;
    let known = K::at_cloud(&call, &connection, &without_unmade::<K>(sides.known)).await?;
    let strangers: Vec<Value> = sides.strangers.into_iter().map(|(_, whole)| whole).collect();
    Ok(Reply::Json(json!({"ResourceType": K::TYPE, "AllListInfo": {
        "MappedInfoList": known, "OnlySpiderList": iids::<K>(&sides.gone), "OnlyCSPInfoList": strangers,
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

/// Answers when it is gone. What the cloud does not let go is forgotten, as clients that force it expect: not removed,
/// hence not true.
pub(super) async fn delete<K: Kind>(call: Call) -> Answer {
    let (connection, meant) = (call.connection()?, Reference::name(call.named(0)));
    let force = call.force()?;
    match call.change(K::removal(connection.clone(), meant.clone()), Until::Over, DELETION).await {
        Ok(operation) => Ok(call.at_once(&operation).unwrap_or(Reply::result(true))),
        Err(refusal) if force && refusal.is_final() => {
            K::forget(&call, &connection, meant).await.map_err(|_| refusal)?;
            Ok(Reply::result(false))
        }
        Err(refusal) => Err(refusal),
    }
}

/// By the cloud's identifier, whether it is known here or not.
pub(super) async fn delete_at_cloud<K: Kind>(call: Call) -> Answer {
    let (connection, id) = (call.connection()?, call.named(0).to_owned());
    let removal = |meant| call.change(K::removal(connection.clone(), meant), Until::Over, DELETION);
    let operation = match removal(Reference::identifier(&id)).await {
        Err(refusal) if refusal.is_absent() && refusal.is_about(K::KIND) => {
            let name = adopt::<K>(&call, &connection, &id).await?;
            match removal(Reference::name(name.clone())).await {
                // What stays at the cloud was asked to go, and not to be known here.
                Err(refusal) if refusal.is_final() => {
                    let _ = K::forget(&call, &connection, Reference::name(name)).await;
                    return Err(refusal);
                }
                ended => ended?,
            }
        }
        ended => ended?,
    };
    Ok(call.at_once(&operation).unwrap_or(Reply::result(true)))
}

/// Takes over what only the cloud knows, in order to remove it; its name here.
async fn adopt<K: Kind>(call: &Call, connection: &str, id: &str) -> Outcome<String> {
    let plain = name_of(id);
    let known = K::known(call, connection).await?;
    let is_taken = known.iter().any(|view| K::facts(view).iid.name_id == plain);
    let name = if is_taken { format!("{plain}-to-be-deleted") } else { plain };
    match K::adopt(call, connection, &name, id).await {
        Err(refusal) if refusal.is_of_request() => Err(absent::<K>(connection, id)),
        adopted => adopted.map(|()| name),
    }
}

pub(super) async fn unregister<K: Kind>(call: Call) -> Answer {
    K::forget(&call, &call.connection()?, Reference::name(call.named(0))).await?;
    Ok(Reply::result(true))
}

pub(super) fn absent<K: Kind>(connection: &str, name: &str) -> Refusal {
    let what = crate::names::of(K::KIND).unwrap_or_default();
    Refusal::absent(format!("{what} '{name}' does not exist in connection '{connection}'"))
}

/// What a client takes for a thing that stands is never shown in the place of one that does not.
pub(super) fn require_standing<K: Kind>(view: &K::View, connection: &str, name: &str) -> Outcome<()> {
    let Facts { unmade, gone, .. } = K::facts(view);
    match (unmade, gone) {
        (true, _) => Err(absent::<K>(connection, name)),
        (_, true) => Err(gone_from::<K>(connection, name)),
        _ => Ok(()),
    }
}

/// What the cloud has no more, and what has a record here until somebody drops that.
pub(super) fn gone_from<K: Kind>(connection: &str, name: &str) -> Refusal {
    let mut refusal = absent::<K>(connection, name);
    refusal.message.push_str(" any more: its DELETE drops what is left of it here");
    refusal
}

/// Those that have a record, but for what the cloud never had.
async fn made<K: Kind>(call: &Call, connection: &str) -> Outcome<Vec<K::View>> {
    Ok(without_unmade::<K>(K::known(call, connection).await?))
}

fn without_unmade<K: Kind>(mut views: Vec<K::View>) -> Vec<K::View> {
    views.retain(|view| !K::facts(view).unmade);
    views
}

fn iids<K: Kind>(views: &[K::View]) -> Vec<Value> {
    views.iter().map(|view| super::shapes::iid(K::facts(view).iid)).collect()
}

/// The name under which something at the cloud is taken over in order to be removed: the last part of its identifier.
pub(super) fn name_of(id: &str) -> String {
    id.rsplit(['/', ':']).next().unwrap_or(id).to_owned()
}
