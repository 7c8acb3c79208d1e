//! What somebody else does beside the client ([`pmks_simulation::others`]), by service.

use pmks_simulation::others::STRANGER;
use pmks_simulation::{Deed, DeedEvent, Now, StateError};
use serde_json::{Value, json};

use crate::world::{Tags, World};
use crate::{ec2, eks};

/// Does it; answers the identifier of what is there then, or of what is gone.
///
/// # Errors
/// When there is no such thing, or it cannot happen to it.
pub(crate) fn act(world: &mut World, event: &Value, now: Now) -> Result<Value, StateError> {
    let event = DeedEvent::read(event)?;
    for place in world.places() {
        let done = match event.kind.as_str() {
            "cluster" => eks::others::to_cluster(world, &place, &event, now),
            "nodeGroup" => eks::others::to_node_group(world, &place, &event, now),
            "vpc" => ec2::others::to_vpc(world, &place, &event, now)?,
            "subnet" => ec2::others::to_subnet(world, &place, &event, now)?,
            "securityGroup" => ec2::others::to_security_group(world, &place, &event, now)?,
            "keyPair" => ec2::others::to_key_pair(world, &place, &event, now),
            _ => return Err(event.is_not_done()),
        };
        if let Some(id) = done {
            return Ok(json!({"id": id}));
        }
    }
    Err(event.is_missing())
}

/// The tags of what a stranger made, who calls it by the same name.
pub(crate) fn strangers_tags(before: &Tags) -> Tags {
    let name = before.get("Name").map(|name| ("Name".to_owned(), name.clone()));
    name.into_iter().chain([(STRANGER.0.to_owned(), STRANGER.1.to_owned())]).collect()
}

/// Changes a tag.
pub(crate) fn change(tags: &mut Tags) {
    let (key, value) = pmks_simulation::others::CHANGED;
    tags.insert(key.to_owned(), value.to_owned());
}

/// Whether something stands in the place of what is gone.
pub(crate) fn replaces(event: &DeedEvent) -> bool {
    event.deed == Deed::IsReplaced
}
