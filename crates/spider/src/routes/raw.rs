//! What CB-Spider passes on of a cloud as the cloud says it. Here the cloud's words end at its driver: what they mean is
//! answered by other routes, and a name at the cloud is known.

use std::future::{Ready, ready};

use pmks_model::ResourceKind;
use serde_json::json;

use super::all::{Kind as _, name_of};
use super::clusters::Cluster;
use super::key_pairs::KeyPair;
use super::networks::Network;
use super::security_groups::SecurityGroup;
use super::types;
use crate::Refusal;
use crate::call::{Answer, Call};
use crate::reply::Reply;

/// What the cloud calls a resource: the last part of its identifier there.
pub(super) async fn name(call: Call) -> Answer {
    let (connection, name) = (call.connection()?, call.named(0));
    let kind = match call.either("ResourceType")?.trim() {
        "" => return Err(Refusal::invalid("ResourceType is empty!")),
        word => types::read(word)?,
    };
    let iid = match kind {
        ResourceKind::Network => Network::get(&call, &connection, name).await?.iid,
        ResourceKind::SecurityGroup => SecurityGroup::get(&call, &connection, name).await?.iid,
        ResourceKind::KeyPair => KeyPair::get(&call, &connection, name).await?.iid,
        ResourceKind::Cluster => Cluster::get(&call, &connection, name).await?.iid,
        _ => {
            let says = "a name within another resource tells nothing by itself: not supported here";
            return Err(Refusal::unsupported(says));
        }
    };
    Ok(Reply::Json(json!({"Name": name_of(&iid.system_id)})))
}

pub(super) fn regions(_: Call) -> Ready<Answer> {
    refused("/regionzone")
}

pub(super) fn machine_types(_: Call) -> Ready<Answer> {
    refused("/vmspec")
}

pub(super) fn resource(_: Call) -> Ready<Answer> {
    refused("KeyValueList of the resource")
}

fn refused(instead: &str) -> Ready<Answer> {
    ready(Err(Refusal::unsupported(format!(
        "the cloud's own answer is not supported here: {instead} says what it means"
    ))))
}
