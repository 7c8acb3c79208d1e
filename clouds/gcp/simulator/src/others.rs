//! What somebody else does beside the client ([`pmks_simulation::others`]), by service.

use pmks_simulation::{Deed, DeedEvent, Now, StateError};
use serde_json::{Value, json};

use crate::world::World;
use crate::{compute, container};

/// Does it; answers the identifier of what is there then, or of what is gone.
///
/// # Errors
/// When there is no such thing, or it cannot happen to it.
pub(crate) fn act(world: &mut World, event: &Value, now: Now) -> Result<Value, StateError> {
    let event = DeedEvent::read(event)?;
    let projects: Vec<String> = world.projects.keys().cloned().collect();
    for project in projects {
        // What vanishes may do so by the cloud's own fault.
        if event.deed == Deed::IsChanged && container::others::is_busy(world, &project, &event) {
            return Err(event.is_in_use());
        }
        let done = match event.kind.as_str() {
            "cluster" => container::others::to_cluster(world, &project, &event, now),
            "nodePool" => container::others::to_node_pool(world, &project, &event, now),
            "metadataItem" => compute::others::to_metadata(world, &project, &event),
            "network" | "subnetwork" | "firewall" => {
                compute::others::to_resource(world, &project, &event, now)?
            }
            _ => return Err(event.is_not_done()),
        };
        if let Some(id) = done {
            return Ok(json!({"id": id}));
        }
    }
    Err(event.is_missing())
}
