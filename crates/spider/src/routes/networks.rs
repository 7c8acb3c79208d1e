//! Networks, which CB-Spider calls VPCs.

use pmks_core::{ImportResource, Mutation, NetworkView, NewNetwork, NewSubnet, Reference, Sides};
use pmks_model::{Iid, ResourceKind};
use serde_json::Value;

use super::all::{self, Facts, Kind, LATELY, Outcome};
use super::shapes;
use crate::Refusal;
use crate::call::{Answer, Call, whole};
use crate::fields::Fields;
use crate::wait::{CHANGE, Until};

/// Networks.
pub(super) enum Network {}

impl Kind for Network {
    const KIND: ResourceKind = ResourceKind::Network;
    const TYPE: &'static str = "vpc";
    const LIST: &'static str = "vpc";
    type View = NetworkView;

    fn facts(view: &NetworkView) -> Facts<'_> {
        Facts::of(&view.iid, &view.uid, &view.cloud_name, view.status)
    }

    fn connection(view: &NetworkView) -> &str {
        &view.connection
    }

    async fn known(call: &Call, connection: &str) -> Outcome<Vec<NetworkView>> {
        whole(|page| async move { call.pmks().networks().list(connection, &page).await }).await
    }

    async fn get(call: &Call, connection: &str, name: &str) -> pmks_core::Result<NetworkView> {
        call.pmks().networks().get(connection, name, LATELY).await
    }

    async fn shown(_: &Call, _: &str, views: &[NetworkView]) -> Outcome<Vec<Value>> {
        Ok(views.iter().map(shapes::network).collect())
    }

    async fn sides(call: &Call, connection: &str) -> Outcome<Sides<NetworkView, (Iid, Value)>> {
        let sides = call.pmks().networks().sides(connection).await?;
        Ok(sides.with_strangers(|view| (view.iid.clone(), shapes::network_at_cloud(&view))))
    }

    async fn at_cloud(_: &Call, _: &str, views: &[NetworkView]) -> Outcome<Vec<Value>> {
        Ok(views.iter().map(shapes::network_at_cloud).collect())
    }

    fn removal(connection: String, network: Reference) -> Mutation {
        Mutation::DeleteNetwork { connection, network }
    }

    async fn adopt(call: &Call, connection: &str, name: &str, id: &str) -> Outcome<()> {
        let import = ImportResource { name: name.to_owned(), system_id: id.to_owned() };
        call.pmks().networks().import(&call.keyless(), connection, import).await?;
        Ok(())
    }

    async fn forget(call: &Call, connection: &str, meant: Reference) -> pmks_core::Result<()> {
        call.pmks().networks().forget(&call.keyless(), connection, meant).await
    }
}

pub(super) async fn create(call: Call) -> Answer {
    let connection = call.connection()?;
    let asked = call.asked()?;
    let name = asked.required("Name")?;
    let can = call.capabilities(&connection).await?;
    let subnets = asked.parts("SubnetInfoList")?.unwrap_or_default();
    let subnets =
        subnets.iter().map(|subnet| new_subnet(subnet, can.zonal_subnets)).collect::<Result<_, _>>()?;
    let network = NewNetwork {
        name: name.clone(),
        unique_cloud_name: call.unique_names()?,
        cidr: asked.text("IPv4_CIDR")?,
        subnets,
        tags: shapes::asked_tags(&asked)?,
    };
    let mutation = Mutation::CreateNetwork { connection: connection.clone(), network };
    let operation = call.change(mutation, Until::Over, CHANGE).await?;
    match call.at_once(&operation) {
        Some(accepted) => Ok(accepted),
        None => all::show::<Network>(&call, &connection, &name).await,
    }
}

/// Where subnets span the region's zones, the one that clients name all the same is passed over.
pub(super) fn new_subnet(asked: &Fields, zonal: bool) -> Result<NewSubnet, Refusal> {
    let zone = if zonal { asked.text("Zone")? } else { String::new() };
    Ok(NewSubnet {
        name: asked.required("Name")?,
        unique_cloud_name: None,
        cidr: asked.text("IPv4_CIDR")?,
        zone,
        tags: shapes::asked_tags(asked)?,
    })
}

pub(super) async fn register(call: Call) -> Answer {
    let (connection, asked) = (call.connection()?, call.asked()?);
    let import = ImportResource { name: asked.required("Name")?, system_id: asked.required("CSPId")? };
    let name = import.name.clone();
    let view = call.pmks().networks().import(&call.keyless(), &connection, import).await?;
    // What it has already is registered with it, as CB-Spider names it.
    let strangers = view.subnets.iter().filter(|subnet| subnet.uid.is_empty());
    for (index, subnet) in strangers.enumerate() {
        let import = ImportResource {
            name: format!("{name}-subnet-{index}"),
            system_id: subnet.iid.system_id.clone(),
        };
        call.pmks().subnets().import(&call.keyless(), &connection, &name, import).await?;
    }
    all::show::<Network>(&call, &connection, &name).await
}
