//! Subnets of a network.

use pmks_core::{ImportResource, Mutation, NewSubnet, Reference, SubnetView};
use pmks_model::{FailureKind, ResourceKind};

use super::all::{self, Kind as _};
use super::networks::{self, Network};
use super::shapes;
use crate::Refusal;
use crate::call::{Answer, Call};
use crate::reply::Reply;
use crate::wait::{CHANGE, DELETION, Until};

/// Answers the whole network.
pub(super) async fn create(call: Call) -> Answer {
    let (connection, network) = (call.connection()?, call.named(0).to_owned());
    let can = call.capabilities(&connection).await?;
    let subnet = NewSubnet {
        unique_cloud_name: call.unique_names()?,
        ..networks::new_subnet(&call.asked()?, can.zonal_subnets)?
    };
    let mutation =
        Mutation::CreateSubnet { connection: connection.clone(), network: network.clone(), subnet };
    let operation = call.change(mutation, Until::Over, CHANGE).await?;
    match call.at_once(&operation) {
        Some(accepted) => Ok(accepted),
        None => all::show::<Network>(&call, &connection, &network).await,
    }
}

pub(super) async fn get(call: Call) -> Answer {
    let (network, name) = (call.named(0), call.named(1));
    let connection = call.connection()?;
    let found = call.pmks().subnets().get(&connection, network, name, all::LATELY).await;
    match found {
        Ok(view) if shapes::stands(view.status, &view.iid) => Ok(Reply::Json(shapes::subnet(&view))),
        Ok(_) => Err(Refusal::absent("Subnet not found")),
        Err(failure) if failure.kind == FailureKind::NotFound && failure.is_about(ResourceKind::Subnet) => {
            Err(Refusal::absent("Subnet not found"))
        }
        Err(failure) => Err(failure.into()),
    }
}

pub(super) async fn delete(call: Call) -> Answer {
    let connection = call.connection()?;
    let (network, meant) = (call.named(0).to_owned(), Reference::name(call.named(1)));
    let mutation = Mutation::DeleteSubnet {
        connection: connection.clone(),
        network: network.clone(),
        subnet: meant.clone(),
    };
    match call.change(mutation, Until::Over, DELETION).await {
        Ok(operation) => Ok(call.at_once(&operation).unwrap_or(Reply::result(true))),
        Err(refusal) if call.force()? && refusal.is_final() => {
            let forgotten = call.pmks().subnets().forget(&call.keyless(), &connection, &network, meant).await;
            forgotten.map_err(|_| refusal)?;
            Ok(Reply::result(false))
        }
        Err(refusal) => Err(refusal),
    }
}

/// Answers the whole network.
pub(super) async fn register(call: Call) -> Answer {
    let (connection, asked) = (call.connection()?, call.asked()?);
    let network = asked.required("VPCName")?;
    let import = ImportResource { name: asked.required("Name")?, system_id: asked.required("CSPId")? };
    call.pmks().subnets().import(&call.keyless(), &connection, &network, import).await?;
    all::show::<Network>(&call, &connection, &network).await
}

pub(super) async fn unregister(call: Call) -> Answer {
    let (connection, meant) = (call.connection()?, Reference::name(call.named(0)));
    let network = call.asked()?.required("VPCName")?;
    call.pmks().subnets().forget(&call.keyless(), &connection, &network, meant).await?;
    Ok(Reply::result(true))
}

/// By the cloud's identifier, whether it is known here or not.
pub(super) async fn delete_at_cloud(call: Call) -> Answer {
    let connection = call.connection()?;
    let (network, subnet) = (call.named(0).to_owned(), Reference::identifier(call.named(1)));
    let mutation = Mutation::DeleteSubnet { connection, network, subnet };
    let operation = call.change(mutation, Until::Over, DELETION).await?;
    Ok(call.at_once(&operation).unwrap_or(Reply::result(true)))
}

pub(super) async fn count(call: Call) -> Answer {
    let (call, mut seen) = (&call, std::collections::BTreeSet::new());
    for connection in call.of_path_or_all().await? {
        let connection = connection.as_str();
        let networks = Network::known(call, connection).await?;
        let subnets = networks.into_iter().flat_map(|network| network.subnets);
        let known = |view: SubnetView| Some(view.uid).filter(|uid| !uid.is_empty());
        seen.extend(subnets.filter_map(known));
    }
    Ok(Reply::count(seen.len()))
}
