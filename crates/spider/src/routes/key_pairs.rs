//! Key pairs. The private half is in the answer to the creation, and nowhere else.

use pmks_core::{ImportResource, KeyPairView, Mutation, NewKeyPair};
use pmks_model::FailureKind;
use secrecy::ExposeSecret as _;

use super::all::{Sides, name_of};
use super::shapes;
use crate::Refusal;
use crate::call::{Answer, Call, whole};
use crate::reply::Reply;
use crate::wait::{CHANGE, DELETION, Until};

const WHAT: &str = "VM KeyPair";

/// A key that a client does not wait for nobody would have: the answer waits whatever the client prefers.
pub(super) async fn create(call: Call) -> Answer {
    let (connection, asked) = (call.connection()?, call.asked()?);
    let name = asked.required("Name")?;
    let key_pair = NewKeyPair { name: name.clone(), public_key: None };
    let mutation = Mutation::CreateKeyPair { connection: connection.clone(), key_pair };
    let accepted = call.pmks().accept(&call.caller, mutation).await;
    let accepted = accepted.map_err(|failure| Refusal::from(failure).about(WHAT, &name, &connection))?;
    let private_key = if let Some(key) = accepted.private_key {
        key.once_made(call.pmks(), &call.caller).await?.1.expose_secret().to_owned()
    } else {
        call.follow(accepted.operation, Until::Over, CHANGE).await?;
        String::new()
    };
    let view = read(&call, &connection, &name).await?;
    Ok(Reply::Secret(shapes::key_pair(&view, &private_key)))
}

async fn read(call: &Call, connection: &str, name: &str) -> Result<KeyPairView, Refusal> {
    let view = call.pmks().key_pairs().get(connection, name, None).await;
    view.map_err(|failure| Refusal::from(failure).about(WHAT, name, connection))
}

pub(super) async fn list(call: Call) -> Answer {
    let connection = call.connection()?;
    let known = known(&call, &connection).await?;
    Ok(Reply::list("keypair", known.iter().map(|view| shapes::key_pair(view, "")).collect()))
}

async fn known(call: &Call, connection: &str) -> Result<Vec<KeyPairView>, Refusal> {
    whole(|page| async move { call.pmks().key_pairs().list(connection, &page).await }).await
}

pub(super) async fn get(call: Call) -> Answer {
    let view = read(&call, &call.connection()?, call.named(0)).await?;
    Ok(Reply::Json(shapes::key_pair(&view, "")))
}

pub(super) async fn delete(call: Call) -> Answer {
    let (connection, name) = (call.connection()?, call.named(0).to_owned());
    let mutation = Mutation::DeleteKeyPair { connection: connection.clone(), key_pair: name.clone() };
    match call.change(mutation, Until::Over, DELETION).await {
        Ok(operation) => Ok(call.at_once(&operation).unwrap_or(Reply::result(true))),
        Err(refusal) if call.force()? && refusal.is_final() => {
            call.pmks().key_pairs().forget(&call.keyless(), &connection, &name).await.map_err(|_| refusal)?;
            Ok(Reply::result(false))
        }
        Err(refusal) => Err(refusal.about(WHAT, &name, &connection)),
    }
}

pub(super) async fn register(call: Call) -> Answer {
    let (connection, asked) = (call.connection()?, call.asked()?);
    let import = ImportResource { name: asked.required("Name")?, system_id: asked.required("CSPId")? };
    let name = import.name.clone();
    let made = call.pmks().key_pairs().import(&call.keyless(), &connection, import).await;
    let view = made.map_err(|failure| Refusal::from(failure).about(WHAT, &name, &connection))?;
    Ok(Reply::Json(shapes::key_pair(&view, "")))
}

pub(super) async fn unregister(call: Call) -> Answer {
    let (connection, name) = (call.connection()?, call.named(0));
    let gone = call.pmks().key_pairs().forget(&call.keyless(), &connection, name).await;
    gone.map_err(|failure| Refusal::from(failure).about(WHAT, name, &connection))?;
    Ok(Reply::result(true))
}

/// Clients ask this to find out whether a connection works: the cloud is asked whom it acts for.
pub(super) async fn all(call: Call) -> Answer {
    proven(&call).await?;
    let mut sides = Sides::default();
    for view in known(&call, &call.connection()?).await? {
        let side = if view.status == "Missing" { &mut sides.only_here } else { &mut sides.mapped };
        side.push(shapes::iid(&view.iid));
    }
    Ok(sides.list())
}

pub(super) async fn all_infos(call: Call) -> Answer {
    proven(&call).await?;
    let mut sides = Sides::default();
    for view in known(&call, &call.connection()?).await? {
        if view.status == "Missing" {
            sides.only_here.push(shapes::iid(&view.iid));
        } else {
            sides.mapped.push(shapes::key_pair(&view, ""));
        }
    }
    Ok(sides.infos("keypair"))
}

async fn proven(call: &Call) -> Result<(), Refusal> {
    call.pmks().connections().prove(&call.caller, &call.connection()?).await?;
    Ok(())
}

pub(super) async fn delete_at_cloud(call: Call) -> Answer {
    let (connection, id) = (call.connection()?, call.named(0).to_owned());
    match call.pmks().key_pairs().get(&connection, &id, None).await {
        Err(failure) if failure.kind == FailureKind::NotFound => {
            let import = ImportResource { name: name_of(&id), system_id: id.clone() };
            call.pmks().key_pairs().import(&call.keyless(), &connection, import).await?;
        }
        known => drop(known?),
    }
    let mutation = Mutation::DeleteKeyPair { connection, key_pair: id };
    let operation = call.change(mutation, Until::Over, DELETION).await?;
    Ok(call.at_once(&operation).unwrap_or(Reply::result(true)))
}

pub(super) async fn count(call: Call) -> Answer {
    let mut seen = std::collections::BTreeSet::new();
    for connection in call.of_path_or_all().await? {
        seen.extend(known(&call, &connection).await?.into_iter().map(|view| view.uid));
    }
    Ok(Reply::count(seen.len()))
}
