//! Key pairs. The private half is in the answer to the creation, and nowhere else.

use pmks_core::{ImportResource, KeyPairView, Mutation, NewKeyPair, Reference, Sides};
use pmks_model::{Iid, ResourceKind};
use secrecy::ExposeSecret as _;
use serde_json::Value;

use super::all::{Facts, Kind, LATELY, Outcome};
use super::shapes;
use crate::Refusal;
use crate::call::{Answer, Call, whole};
use crate::reply::Reply;
use crate::wait::CHANGE;

/// Key pairs.
pub(super) enum KeyPair {}

impl Kind for KeyPair {
    const KIND: ResourceKind = ResourceKind::KeyPair;
    const TYPE: &'static str = "keypair";
    const LIST: &'static str = "keypair";
    type View = KeyPairView;

    fn facts(view: &KeyPairView) -> Facts<'_> {
        Facts::of(&view.iid, &view.uid, &view.cloud_name, view.status)
    }

    fn connection(view: &KeyPairView) -> &str {
        &view.connection
    }

    async fn known(call: &Call, connection: &str) -> Outcome<Vec<KeyPairView>> {
        whole(|page| async move { call.pmks().key_pairs().list(connection, &page).await }).await
    }

    async fn get(call: &Call, connection: &str, name: &str) -> pmks_core::Result<KeyPairView> {
        call.pmks().key_pairs().get(connection, name, LATELY).await
    }

    async fn shown(_: &Call, _: &str, views: &[KeyPairView]) -> Outcome<Vec<Value>> {
        Ok(views.iter().map(|view| shapes::key_pair(view, "")).collect())
    }

    /// Clients ask this to find out whether a connection works.
    async fn sides(call: &Call, connection: &str) -> Outcome<Sides<KeyPairView, (Iid, Value)>> {
        let sides = call.pmks().key_pairs().sides(connection).await?;
        Ok(sides.with_strangers(|view| (view.iid.clone(), shapes::key_pair(&view, ""))))
    }

    fn removal(connection: String, key_pair: Reference) -> Mutation {
        Mutation::DeleteKeyPair { connection, key_pair }
    }

    async fn adopt(call: &Call, connection: &str, name: &str, id: &str) -> Outcome<()> {
        let import = ImportResource { name: name.to_owned(), system_id: id.to_owned() };
        call.pmks().key_pairs().import(&call.keyless(), connection, import).await?;
        Ok(())
    }

    async fn forget(call: &Call, connection: &str, meant: Reference) -> pmks_core::Result<()> {
        call.pmks().key_pairs().forget(&call.keyless(), connection, meant).await
    }
}

/// A key that a client does not wait for nobody would have: the answer waits whatever the client prefers, and a creation
/// that takes longer is asked to stop.
pub(super) async fn create(call: Call) -> Answer {
    let (connection, asked) = (call.connection()?, call.asked()?);
    let name = asked.required("Name")?;
    let key_pair = NewKeyPair {
        name: name.clone(),
        unique_cloud_name: call.unique_names()?,
        public_key: None,
        tags: shapes::asked_tags(&asked)?,
    };
    let mutation = Mutation::CreateKeyPair { connection: connection.clone(), key_pair };
    let accepted = call.accept(mutation).await?;
    let Some(key) = accepted.private_key else {
        return Err(Refusal::internal("a key pair was made without its private key"));
    };
    let (_, private_key, handover) = key.once_made(call.pmks(), &call.caller, CHANGE).await?;
    let view = KeyPair::get(&call, &connection, &name).await?;
    Ok(Reply::PrivateKey(shapes::key_pair(&view, private_key.expose_secret()), handover))
}

pub(super) async fn register(call: Call) -> Answer {
    let (connection, asked) = (call.connection()?, call.asked()?);
    let import = ImportResource { name: asked.required("Name")?, system_id: asked.required("CSPId")? };
    let view = call.pmks().key_pairs().import(&call.keyless(), &connection, import).await?;
    Ok(Reply::Json(shapes::key_pair(&view, "")))
}
