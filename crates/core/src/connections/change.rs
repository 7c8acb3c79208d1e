//! A change of a connection: what may change, what must be proven before it does.

use futures::{FutureExt as _, TryFutureExt as _};
use pmks_driver::Credential;
use pmks_model::{Failure, Findings, Says};
use pmks_store::{Connection, ConnectionUpdate, PieceKind};
use serde_json::{Value, json};

use super::{Specification, sealed, version_tag, view};
use crate::drivers::{read_specification, same_account};
use crate::failure::{check, conflict, invalid, of_cloud, of_store, stale, unexpected};
use crate::patch::merge;
use crate::patience::{ACTS_FOR, Patience};
use crate::pmks::Shared;
use crate::records::stored;
use crate::{Caller, ConnectionView, NewConnection, Result};

pub(super) async fn update(
    shared: &Shared,
    caller: &Caller,
    name: &str,
    patch: Value,
    if_match: &str,
) -> Result<ConnectionView> {
    let (revision, update) = checked(shared, caller, name, patch, if_match).await?;
    let audit = shared.audit(caller, "connection.update", format!("connection {name}"));
    let changed = shared.store.update_connection(name, Some(revision), update, audit).await;
    let changed = view(&changed.map_err(of_store)?)?;
    // What it says from now on is its own, and no piece's.
    let audit = shared.audit(caller, "connection.detach", format!("connection {name}"));
    shared.store.delete_piece(PieceKind::Connection, name, audit).await.map_err(of_store)?;
    Ok(changed)
}

/// What the patch would make of the connection of this revision.
pub(super) async fn checked(
    shared: &Shared,
    caller: &Caller,
    name: &str,
    mut patch: Value,
    if_match: &str,
) -> Result<(i64, ConnectionUpdate)> {
    caller.require_operator(name)?;
    caller.refuse_key()?;
    let connection = shared.connection(name).await?;
    if if_match != "*" && if_match != version_tag(&connection) {
        return Err(stale("connection", name));
    }
    let before = read_specification(&connection)?;
    let (given, mut unreadable) = take_credential(&mut patch)?;
    if let Some(fields) = patch.as_object_mut()
        && fields.get("pace").is_some_and(|pace| !pace.is_null() && !is_small_number(pace))
    {
        fields.remove("pace");
        unreadable.add("pace", Specification::PACE);
    }
    let merged = merged(&connection, &before, &patch)?;
    let credential = match &given {
        Some(credential) => credential.clone(),
        None => kept(shared, &connection, &before).await?,
    };
    let asked = NewConnection { unreadable, ..with_credential(merged, credential)? };
    unchanged(&connection, &asked)?;
    shared.allowed(caller, &asked)?;
    let after = shared.specified(&asked).await?;
    if (after.endpoints != before.endpoints
        || after.ca_certificate != before.ca_certificate
        || after.settings != before.settings)
        && given.is_none()
    {
        return Err(invalid(
            "credential",
            "a change of endpoints, caCertificate or settings carries it whole again",
        ));
    }
    let update = update_to(shared, &connection, &before, &after, given, Whose::OwnAlone).await?;
    Ok((connection.revision, update))
}

/// The change of a connection to what its pieces say now; `None`: it is so already.
pub(crate) async fn update_of_pieces(
    shared: &Shared,
    caller: &Caller,
    connection: &Connection,
    asked: NewConnection,
) -> Result<Option<ConnectionUpdate>> {
    let before = read_specification(connection)?;
    let after = shared.asked_for(caller, &asked).await?;
    if asked.provider != connection.provider {
        let says =
            format!("connection {:?} is of provider {:?} for ever", connection.name, connection.provider);
        return Err(conflict(says));
    }
    let kept = kept(shared, connection, &before).await?;
    let is_same = sealed(&kept)? == sealed(&asked.credential)?;
    if is_same && after == before {
        return Ok(None);
    }
    let given = Some(asked.credential).filter(|_| !is_same);
    update_to(shared, connection, &before, &after, given, Whose::AnyWhereNothingIs).await.map(Some)
}

/// Whose account a changed credential may act for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// The connection's own.
    OwnAlone,
    /// Another one too, where nothing is known at the connection: those who put pieces have one name for whatever they
    /// put last, and make no other connection.
    AnyWhereNothingIs,
}

/// What the store is told, once it is known to be allowed.
async fn update_to(
    shared: &Shared,
    connection: &Connection,
    before: &Specification,
    after: &Specification,
    given: Option<Credential>,
    whose: Whose,
) -> Result<ConnectionUpdate> {
    let moves = moves(shared, connection, before, after).await?;
    let specification = Some(stored(after)?);
    let mut update = ConnectionUpdate { specification, moves, ..ConnectionUpdate::default() };
    if let Some(credential) = given {
        if connection.account.is_some() {
            let name = &connection.name;
            let driver = shared.drivers.make(name, &connection.provider, after, credential.clone()).await?;
            let asked = driver.account_identity().map_err(|error| of_cloud(name, &error)).boxed();
            let identity = Patience::begins(&shared.clock).needed(name, ACTS_FOR, asked).await?;
            if let Err(failure) = same_account(connection, &identity) {
                let needed = shared.needed_by(name).await?;
                if whose == Whose::OwnAlone || !needed.is_empty() {
                    return Err(needed_too(failure, needed));
                }
            }
            update.account = Some((identity.account, identity.principal));
        }
        update.credential = sealed(&credential)?;
    }
    Ok(update)
}

fn is_small_number(value: &Value) -> bool {
    value.as_u64().is_some_and(|number| u32::try_from(number).is_ok())
}

/// The credential of a patch is always whole: its fields are not merged. What is no credential is told together with
/// whatever else is wrong.
fn take_credential(patch: &mut Value) -> Result<(Option<Credential>, Findings)> {
    let Some(fields) = patch.as_object_mut() else {
        return Err(invalid("", "a merge patch of a connection is a JSON object"));
    };
    match fields.remove("credential") {
        None => Ok((None, Findings::default())),
        Some(Value::Object(fields)) => Ok(match Credential::from_json(fields.into_iter().collect()) {
            Ok(credential) => (Some(credential), Findings::default()),
            Err(findings) => (Some(Credential::from_values([])), findings),
        }),
        Some(_) => {
            Err(invalid("credential", "must be an object of the fields of one of the provider's forms"))
        }
    }
}

/// What is stored, with the patch applied, and without a credential.
fn merged(connection: &Connection, before: &Specification, patch: &Value) -> Result<Value> {
    let mut whole = json!({
        "name": connection.name,
        "provider": connection.provider,
        "region": before.region,
        "zone": before.zone,
        "pace": before.pace,
        "endpoints": before.endpoints,
        "caCertificate": before.ca_certificate,
        "settings": before.settings,
    });
    let known =
        whole.as_object().map(|fields| fields.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    let mut findings = Findings::default();
    for field in patch.as_object().into_iter().flat_map(serde_json::Map::keys) {
        if !known.contains(field) {
            findings.add(field.clone(), "is no field of a connection that can be changed");
        }
    }
    check(findings)?;
    merge(&mut whole, patch);
    Ok(whole)
}

fn with_credential(merged: Value, credential: Credential) -> Result<NewConnection> {
    let mut merged = merged;
    if let Some(fields) = merged.as_object_mut() {
        // A stand-in, so that no secret passes through JSON; the real one takes its place below.
        fields.insert("credential".to_owned(), json!({"ambient": true}));
    }
    let asked: NewConnection = serde_json::from_value(merged)
        .map_err(|error| invalid("", format!("the patch does not fit: {error}")))?;
    Ok(NewConnection { credential, ..asked })
}

async fn kept(shared: &Shared, connection: &Connection, before: &Specification) -> Result<Credential> {
    if before.ambient {
        return Ok(Credential::Ambient);
    }
    let stored = shared.store.credential(&connection.name).await.map_err(of_store)?;
    let (_, sealed) = stored.ok_or_else(|| unexpected("the connection has no credential"))?;
    serde_json::from_slice(sealed.expose()).map_err(|_| unexpected("the stored credential cannot be read"))
}

/// A name is for ever; another provider is another connection.
fn unchanged(connection: &Connection, asked: &NewConnection) -> Result<()> {
    let mut findings = Findings::default();
    if asked.name != connection.name {
        findings.add("name", "cannot be changed");
    }
    if asked.provider != connection.provider {
        findings.add("provider", "cannot be changed");
    }
    check(findings)
}

/// With what would be lost.
fn needed_too(mut failure: Box<Failure>, needed: Vec<Says>) -> Box<Failure> {
    if !needed.is_empty() {
        let says = Says::from(format!("{}; it is needed by ", failure.detail));
        (failure.detail, failure.terms) = says.then(Says::several(needed, ", ")).into_parts();
    }
    failure
}

/// Whether it leads elsewhere. What our records were made through stays where it is while there are any.
async fn moves(
    shared: &Shared,
    connection: &Connection,
    before: &Specification,
    after: &Specification,
) -> Result<bool> {
    let (name, provider) = (&connection.name, &connection.provider);
    let mut moved = Vec::new();
    for (field, is_moved) in [
        ("region", after.region != before.region),
        ("zone", after.zone != before.zone),
        ("endpoints", after.endpoints != before.endpoints),
    ] {
        if is_moved {
            moved.push(field.to_owned());
        }
    }
    let settings = shared.registry.get(provider).map_err(|_| unexpected("a provider that is not known"))?;
    for field in settings.capabilities().settings.iter().filter(|field| !field.changeable) {
        if after.settings.get(field.name) != before.settings.get(field.name) {
            moved.push(format!("settings.{}", field.name));
        }
    }
    if moved.is_empty() {
        return Ok(false);
    }
    let known = shared.known_at(name, &[]).await?;
    if known.is_empty() {
        return Ok(true);
    }
    let says = format!("{} of connection {name:?} cannot change while it is needed by ", moved.join(", "));
    let mut failure = conflict(Says::from(says).then(Says::several(known, ", ")));
    failure.fix = Some("make a new connection for the other place".to_owned());
    Err(failure)
}
