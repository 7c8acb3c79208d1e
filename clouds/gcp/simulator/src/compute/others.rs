//! What somebody else does to networks, subnetworks, firewall rules and the metadata that all machines share.

use pmks_simulation::others::{CHANGED, STRANGER};
use pmks_simulation::{Deed, DeedEvent, Now, StateError};
use serde_json::json;

use super::references::user_of;
use super::state::{Stored, link, number};
use crate::world::World;

/// Networks go with what lies in them, unless a machine does.
pub(crate) fn to_resource(
    world: &mut World,
    project: &str,
    event: &DeedEvent,
    now: Now,
) -> Result<Option<String>, StateError> {
    let state = &mut world.project_mut(project).compute;
    let of_kind = |one: &Stored| one.collection.trim_end_matches('s') == event.kind && one.id == event.id;
    let Some(found) = state.resources.values_mut().find(|one| of_kind(one)) else { return Ok(None) };
    if event.deed == Deed::IsChanged {
        found.revision += 1;
        match found.collection.as_str() {
            "networks" => drop(found.body.insert("routingConfig".into(), json!({"routingMode": "GLOBAL"}))),
            "subnetworks" => drop(found.body.insert("privateIpGoogleAccess".into(), json!(true))),
            _ => drop(found.body.insert("priority".into(), json!(900))),
        }
        return Ok(Some(event.id.clone()));
    }
    let found = found.clone();
    let own = link(&found.path(project));
    if state.instances.values().any(|machine| machine.mentions(&own, project)) {
        return Err(event.is_in_use());
    }
    while let Some(user) = user_of(state, &found, project) {
        let before = state.resources.len();
        state.resources.retain(|_, one| one.path(project) != user);
        if state.resources.len() == before {
            return Err(event.is_in_use());
        }
    }
    state.resources.remove(&found.key());
    let routes = |one: &Stored| one.collection == "routes" && one.text("network") == own;
    if event.deed == Deed::Vanishes {
        state.resources.retain(|_, one| !routes(one));
        return Ok(Some(event.id.clone()));
    }
    let id = number(&mut world.random);
    let mut other = Stored { id: id.clone(), created: now.wall, revision: 0, busy: None, ..found };
    other.body.insert("description".into(), json!(format!("{} is {}", STRANGER.0, STRANGER.1)));
    world.project_mut(project).compute.resources.insert(other.key(), other);
    Ok(Some(id))
}

/// Items of the metadata: their key is all the identity that they have.
pub(crate) fn to_metadata(world: &mut World, project: &str, event: &DeedEvent) -> Option<String> {
    let state = &mut world.project_mut(project).compute;
    let item = state.metadata.get_mut(&event.id)?;
    match event.deed {
        Deed::Vanishes => drop(state.metadata.remove(&event.id)),
        Deed::IsReplaced => *item = format!("{}:{}", STRANGER.0, STRANGER.1),
        // Beside it: what it says itself has no part that another could change.
        Deed::IsChanged => drop(state.metadata.insert(CHANGED.0.to_owned(), CHANGED.1.to_owned())),
    }
    state.metadata_revision += 1;
    Some(event.id.clone())
}
