//! What somebody else does beside the client: a thing is gone, is another one of the same name, or is changed.

use pmks_simulation::others::{CHANGED, STRANGER};
use pmks_simulation::{Deed, DeedEvent, Now, StateError};
use serde_json::{Value, json};

use crate::work;
use crate::world::{Kind, Thing, World, state};

/// Does it, and answers the identifier of what stands there afterwards.
///
/// # Errors
/// When there is no such thing, or somebody uses it.
pub(crate) fn act(world: &mut World, event: &Value, now: Now) -> Result<Value, StateError> {
    let event = DeedEvent::read(event)?;
    let is_it = |one: &&Thing| one.id == event.id && one.kind.word() == event.kind;
    let found = world
        .accounts
        .iter()
        .find_map(|(name, account)| Some((name.clone(), account.all().find(is_it)?.clone())));
    let (account, thing) = found.ok_or_else(|| event.is_missing())?;
    if event.deed == Deed::IsChanged {
        let held = world.account(&account).things.get_mut(&thing.id);
        held.map(|held| held.labels.insert(CHANGED.0.to_owned(), CHANGED.1.to_owned()));
        return Ok(json!({"id": thing.id}));
    }
    let held = world.account(&account);
    let subnets: Vec<Thing> = held.parts(&thing, Kind::Subnet).cloned().collect();
    let used = std::iter::once(&thing).chain(&subnets).any(|one| !held.users(one).is_empty());
    if used {
        return Err(event.is_in_use());
    }
    let groups: Vec<Thing> = held.parts(&thing, Kind::NodeGroup).cloned().collect();
    for gone in subnets.iter().chain([&thing]) {
        world.account(&account).take(&gone.id);
    }
    for gone in subnets.iter().chain(&groups).chain([&thing]) {
        work::forget(world, &gone.id);
    }
    if event.deed == Deed::Vanishes {
        return Ok(json!({"id": thing.id}));
    }
    let id = strangers(world, &account, &thing, thing.parent.clone(), now);
    for part in subnets.iter().chain(&groups) {
        strangers(world, &account, part, id.clone(), now);
    }
    Ok(json!({"id": id}))
}

/// Another one of the same name, all ready.
fn strangers(world: &mut World, account: &str, like: &Thing, parent: String, now: Now) -> String {
    let id = format!("{}-{}", like.name, world.random.hex(12));
    world.account(account).put(Thing {
        id: id.clone(),
        parent,
        labels: [(STRANGER.0.to_owned(), STRANGER.1.to_owned())].into(),
        state: state::ACTIVE.to_owned(),
        created: now.wall,
        endpoint: None,
        ..like.clone()
    });
    id
}
