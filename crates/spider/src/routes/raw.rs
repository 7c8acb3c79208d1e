//! What CB-Spider passes on of a cloud as the cloud says it: of a resource its own words, and its name. Of what clouds
//! offer the words end at the driver: what they mean is answered by other routes.

use std::future::{Ready, ready};

use pmks_model::{Iid, ResourceKind};
use serde_json::json;

use super::all::{self, Kind as _, Outcome};
use super::clusters::Cluster;
use super::networks::Network;
use super::types;
use crate::Refusal;
use crate::call::{Answer, Call};
use crate::reply::Reply;

/// A resource that is known here: the identifier of the cluster that it is a part of, its own, and its name at the cloud.
struct Known {
    parent: String,
    iid: Iid,
    cloud_name: String,
}

impl Known {
    fn whole(iid: Iid, cloud_name: String) -> Self {
        Self { parent: String::new(), iid, cloud_name }
    }
}

/// What the cloud itself says of a resource, without secrets.
pub(super) async fn resource(call: Call) -> Answer {
    let (connection, name) = (call.connection()?, call.named(0));
    let kind = kind(&call)?;
    let found = find(&call, &connection, kind, name).await?;
    let id = &found.iid.system_id;
    if id.is_empty() {
        return Err(Refusal::absent(format!("{name} does not exist at the cloud yet")));
    }
    let said = call.pmks().discovery().own_words(&connection, kind, &found.parent, id).await?;
    Ok(Reply::Json(said))
}

/// The name that a resource was made with at the cloud, or was known by there when it was registered. As with CB-Spider it
/// is that of the record: what a tag calls it is told by its tags.
pub(super) async fn name(call: Call) -> Answer {
    let found = find(&call, &call.connection()?, kind(&call)?, call.named(0)).await?;
    Ok(Reply::Json(json!({"Name": found.cloud_name})))
}

fn kind(call: &Call) -> Outcome<ResourceKind> {
    match call.either("ResourceType")?.trim() {
        "" => Err(Refusal::invalid("ResourceType is empty!")),
        word => types::read(word),
    }
}

/// A part is looked for in every network or cluster that is known: CB-Spider's request names no whole.
async fn find(call: &Call, connection: &str, kind: ResourceKind, name: &str) -> Outcome<Known> {
    if let Some(found) = all::found(call, kind, connection, name).await? {
        return Ok(Known::whole(found.iid, found.cloud_name));
    }
    match kind {
        ResourceKind::Subnet => {
            let networks = Network::known(call, connection).await?;
            let parts = networks.into_iter().flat_map(|network| network.subnets);
            one(parts.map(|subnet| Known::whole(subnet.iid, subnet.cloud_name)), kind, name)
        }
        ResourceKind::NodeGroup => {
            let clusters = Cluster::known(call, connection).await?;
            let parts = clusters.into_iter().flat_map(|cluster| {
                let parent = cluster.iid.system_id;
                cluster.node_groups.into_iter().map(move |group| Known {
                    parent: parent.clone(),
                    iid: group.iid,
                    cloud_name: group.cloud_name,
                })
            });
            one(parts, kind, name)
        }
        _ => Err(Refusal::unsupported("a connection is nothing at a cloud")),
    }
}

/// The one that is called so.
fn one(all: impl Iterator<Item = Known>, kind: ResourceKind, name: &str) -> Outcome<Known> {
    let what = crate::names::of(kind).unwrap_or_default();
    let mut found: Vec<Known> =
        all.filter(|one| one.iid.name_id == name || one.iid.system_id == name).collect();
    match (found.pop(), found.len()) {
        (None, _) => Err(Refusal::absent(format!("{what} '{name}' does not exist"))),
        (Some(one), 0) => Ok(one),
        (Some(_), more) => Err(Refusal::invalid(format!(
            "{what} '{name}' is {} here: name the one that is meant by the cloud's identifier",
            more + 1
        ))),
    }
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
