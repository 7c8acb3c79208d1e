//! Networks, which CB-Spider calls VPCs.

use pmks_core::{ImportResource, Mutation, NetworkView, NewNetwork, NewSubnet};
use pmks_model::FailureKind;
use serde_json::Value;

use super::all::{Sides, name_of};
use super::shapes;
use crate::Refusal;
use crate::call::{Answer, Call, whole};
use crate::fields::Fields;
use crate::reply::Reply;
use crate::wait::{CHANGE, DELETION, Until};

const WHAT: &str = "VPC";

pub(super) async fn create(call: Call) -> Answer {
    let connection = call.connection()?;
    let asked = call.asked()?;
    let name = asked.required("Name")?;
    let can = call.capabilities(&connection).await?;
    let subnets = asked.parts("SubnetInfoList")?.unwrap_or_default();
    let subnets =
        subnets.iter().map(|subnet| new_subnet(subnet, can.zonal_subnets)).collect::<Result<_, _>>()?;
    let tags = asked.pairs("TagList")?.unwrap_or_default().into_iter().collect();
    let network = NewNetwork { name: name.clone(), cidr: asked.text("IPv4_CIDR")?, subnets, tags };
    let mutation = Mutation::CreateNetwork { connection: connection.clone(), network };
    let operation = call.change(mutation, Until::Over, CHANGE).await;
    let operation = operation.map_err(|refusal| refusal.about(WHAT, &name, &connection))?;
    match call.at_once(&operation) {
        Some(accepted) => Ok(accepted),
        None => shown(&call, &connection, &name).await,
    }
}

/// Where subnets span the region's zones, the one that clients name all the same is passed over.
pub(super) fn new_subnet(asked: &Fields, zonal: bool) -> Result<NewSubnet, Refusal> {
    let zone = if zonal { asked.text("Zone")? } else { String::new() };
    Ok(NewSubnet { name: asked.required("Name")?, cidr: asked.text("IPv4_CIDR")?, zone })
}

pub(super) async fn shown(call: &Call, connection: &str, name: &str) -> Answer {
    Ok(Reply::Json(shapes::network(&read(call, connection, name).await?)))
}

async fn read(call: &Call, connection: &str, name: &str) -> Result<NetworkView, Refusal> {
    let view = call.pmks().networks().get(connection, name, None).await;
    view.map_err(|failure| Refusal::from(failure).about(WHAT, name, connection))
}

pub(super) async fn list(call: Call) -> Answer {
    let connection = call.connection()?;
    Ok(Reply::list("vpc", known(&call, &connection).await?.iter().map(shapes::network).collect()))
}

async fn known(call: &Call, connection: &str) -> Result<Vec<NetworkView>, Refusal> {
    whole(|page| async move { call.pmks().networks().list(connection, &page).await }).await
}

pub(super) async fn get(call: Call) -> Answer {
    shown(&call, &call.connection()?, call.named(0)).await
}

pub(super) async fn delete(call: Call) -> Answer {
    let (connection, name) = (call.connection()?, call.named(0).to_owned());
    let mutation = Mutation::DeleteNetwork { connection: connection.clone(), network: name.clone() };
    match call.change(mutation, Until::Over, DELETION).await {
        Ok(operation) => Ok(call.at_once(&operation).unwrap_or(Reply::result(true))),
        // What the cloud does not let go is forgotten, as clients that force it expect: not removed, hence not true.
        Err(refusal) if call.force()? && refusal.is_final() => {
            call.pmks().networks().forget(&call.keyless(), &connection, &name).await.map_err(|_| refusal)?;
            Ok(Reply::result(false))
        }
        Err(refusal) => Err(refusal.about(WHAT, &name, &connection)),
    }
}

pub(super) async fn register(call: Call) -> Answer {
    let (connection, asked) = (call.connection()?, call.asked()?);
    let import = ImportResource { name: asked.required("Name")?, system_id: asked.required("CSPId")? };
    let name = import.name.clone();
    let made = call.pmks().networks().import(&call.keyless(), &connection, import).await;
    let view = made.map_err(|failure| Refusal::from(failure).about(WHAT, &name, &connection))?;
    // What it has already is registered with it, as CB-Spider names it.
    let strangers = view.subnets.iter().filter(|subnet| subnet.uid.is_empty());
    for (index, subnet) in strangers.enumerate() {
        let import = ImportResource {
            name: format!("{name}-subnet-{index}"),
            system_id: subnet.iid.system_id.clone(),
        };
        call.pmks().subnets().import(&call.keyless(), &connection, &name, import).await?;
    }
    shown(&call, &connection, &name).await
}

pub(super) async fn unregister(call: Call) -> Answer {
    let (connection, name) = (call.connection()?, call.named(0));
    let gone = call.pmks().networks().forget(&call.keyless(), &connection, name).await;
    gone.map_err(|failure| Refusal::from(failure).about(WHAT, name, &connection))?;
    Ok(Reply::result(true))
}

pub(super) async fn all(call: Call) -> Answer {
    sides(&call, |view| shapes::iid(&view.iid)).await.map(Sides::list)
}

pub(super) async fn all_infos(call: Call) -> Answer {
    sides(&call, shapes::network).await.map(|sides| sides.infos("vpc"))
}

async fn sides(call: &Call, show: fn(&NetworkView) -> Value) -> Result<Sides, Refusal> {
    let connection = call.connection()?;
    let strangers = call.pmks().networks().unmanaged(&connection).await?;
    let mut sides = Sides { only_cloud: strangers.iter().map(show).collect(), ..Sides::default() };
    for view in known(call, &connection).await? {
        if view.status == "Missing" {
            sides.only_here.push(shapes::iid(&view.iid));
        } else {
            sides.mapped.push(show(&view));
        }
    }
    Ok(sides)
}

/// By the cloud's identifier, whether it is known here or not.
pub(super) async fn delete_at_cloud(call: Call) -> Answer {
    let (connection, id) = (call.connection()?, call.named(0).to_owned());
    match call.pmks().networks().get(&connection, &id, None).await {
        Err(failure) if failure.kind == FailureKind::NotFound => {
            let import = ImportResource { name: name_of(&id), system_id: id.clone() };
            call.pmks().networks().import(&call.keyless(), &connection, import).await?;
        }
        known => drop(known?),
    }
    let mutation = Mutation::DeleteNetwork { connection, network: id };
    let operation = call.change(mutation, Until::Over, DELETION).await?;
    Ok(call.at_once(&operation).unwrap_or(Reply::result(true)))
}

/// At one connection, or at all: two of one account see the same ones.
pub(super) async fn count(call: Call) -> Answer {
    let mut seen = std::collections::BTreeSet::new();
    for connection in call.of_path_or_all().await? {
        seen.extend(known(&call, &connection).await?.into_iter().map(|view| view.uid));
    }
    Ok(Reply::count(seen.len()))
}
