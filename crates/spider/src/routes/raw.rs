//! What CB-Spider passes on of a cloud as the cloud says it: of a resource its own words, and its name. Of what clouds
//! offer the words end at the driver: what they mean is answered by other routes.

use std::future::{Ready, ready};

use pmks_model::{Iid, ResourceKind};
use serde_json::json;

use super::all::{Kind as _, Outcome, name_of};
use super::clusters::Cluster;
use super::key_pairs::KeyPair;
use super::networks::Network;
use super::security_groups::SecurityGroup;
use super::types;
use crate::Refusal;
use crate::call::{Answer, Call};
use crate::reply::Reply;

/// What the cloud itself says of a resource, without secrets.
pub(super) async fn resource(call: Call) -> Answer {
    let (connection, name) = (call.connection()?, call.named(0));
    let kind = kind(&call)?;
    let (parent, iid) = match kind {
        ResourceKind::Subnet => (String::new(), subnet(&call, &connection, name).await?),
        ResourceKind::NodeGroup => node_group(&call, &connection, name).await?,
        _ => (String::new(), whole(&call, &connection, kind, name).await?),
    };
    if iid.system_id.is_empty() {
        return Err(Refusal::absent(format!("{name} does not exist at the cloud yet")));
    }
    let said = call.pmks().discovery().own_words(&connection, kind, &parent, &iid.system_id).await?;
    Ok(Reply::Json(said))
}

fn kind(call: &Call) -> Outcome<ResourceKind> {
    match call.either("ResourceType")?.trim() {
        "" => Err(Refusal::invalid("ResourceType is empty!")),
        word => types::read(word),
    }
}

/// What is no part of another one.
async fn whole(call: &Call, connection: &str, kind: ResourceKind, name: &str) -> Outcome<Iid> {
    Ok(match kind {
        ResourceKind::Network => Network::get(call, connection, name).await?.iid,
        ResourceKind::SecurityGroup => SecurityGroup::get(call, connection, name).await?.iid,
        ResourceKind::KeyPair => KeyPair::get(call, connection, name).await?.iid,
        ResourceKind::Cluster => Cluster::get(call, connection, name).await?.iid,
        _ => {
            let says = "a name within another resource tells nothing by itself: not supported here";
            return Err(Refusal::unsupported(says));
        }
    })
}

/// A subnet of any network that is known, by name or identifier.
async fn subnet(call: &Call, connection: &str, name: &str) -> Outcome<Iid> {
    let networks = Network::known(call, connection).await?;
    let all = networks.into_iter().flat_map(|network| network.subnets).map(|subnet| ((), subnet.iid));
    one(all, "Subnet", name, connection).map(|((), iid)| iid)
}

/// A node group of any cluster that is known, with its cluster's identifier.
async fn node_group(call: &Call, connection: &str, name: &str) -> Outcome<(String, Iid)> {
    let clusters = Cluster::known(call, connection).await?;
    let all = clusters.into_iter().flat_map(|cluster| {
        let id = cluster.iid.system_id;
        cluster.node_groups.into_iter().map(move |group| (id.clone(), group.iid))
    });
    one(all, "Kubernetes NodeGroup", name, connection)
}

/// The one that is called so. CB-Spider's request names no whole that could tell two of them.
fn one<W>(
    all: impl Iterator<Item = (W, Iid)>,
    what: &str,
    name: &str,
    connection: &str,
) -> Outcome<(W, Iid)> {
    let mut found: Vec<(W, Iid)> =
        all.filter(|(_, iid)| iid.name_id == name || iid.system_id == name).collect();
    match (found.pop(), found.len()) {
        (None, _) => {
            Err(Refusal::absent(format!("{what} '{name}' does not exist in connection '{connection}'")))
        }
        (Some(one), 0) => Ok(one),
        (Some(_), more) => Err(Refusal::invalid(format!(
            "{what} '{name}' is {} in connection '{connection}': name the one that is meant by the cloud's identifier",
            more + 1
        ))),
    }
}

/// What the cloud calls a resource: the last part of its identifier there.
pub(super) async fn name(call: Call) -> Answer {
    let (connection, name) = (call.connection()?, call.named(0));
    let kind = kind(&call)?;
    let iid = whole(&call, &connection, kind, name).await?;
    Ok(Reply::Json(json!({"Name": name_of(&iid.system_id)})))
}

pub(super) fn regions(_: Call) -> Ready<Answer> {
    refused("/regionzone")
}

pub(super) fn machine_types(_: Call) -> Ready<Answer> {
    refused("/vmspec")
}

fn refused(instead: &str) -> Ready<Answer> {
    ready(Err(Refusal::unsupported(format!(
        "the cloud's own answer is not supported here: {instead} says what it means"
    ))))
}
