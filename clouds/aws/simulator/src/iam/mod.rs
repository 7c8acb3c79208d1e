//! The simulated IAM: users and their keys, roles and their policies, sessions that STS gave out.
//!
//! Policies are kept and shown, not evaluated: permission is refused by faults alone.

mod policies;
pub(crate) mod roles;
mod state;
pub(crate) mod trust;
pub(crate) mod web_identity;

use jiff::{SignedDuration, Timestamp};
use pmks_simulation::{Now, Random, Resource};
use serde_json::{Value, json};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::query::Query;
use crate::world::{World, random_account_id};
use crate::xml::Xml;

pub(crate) use state::{Role, Session, State};

/// Carries out one call.
pub(crate) fn handle(context: &mut Context<'_>, action: &str, query: &Query) -> Result<Xml> {
    match action {
        "GetRole" => roles::get(context, query),
        "ListRoles" => roles::list(context, query),
        "CreateRole" => roles::create(context, query),
        "DeleteRole" => roles::delete(context, query),
        "UpdateAssumeRolePolicy" => roles::update_trust(context, query),
        "TagRole" => roles::tag(context, query),
        "UntagRole" => roles::untag(context, query),
        "ListRoleTags" => roles::list_tags(context, query),
        "AttachRolePolicy" => policies::attach(context, query),
        "DetachRolePolicy" => policies::detach(context, query),
        "ListAttachedRolePolicies" => policies::list_attached(context, query),
        "ListRolePolicies" => policies::list_inline(context, query),
        "GetRolePolicy" => policies::get_inline(context, query),
        "PutRolePolicy" => policies::put_inline(context, query),
        "DeleteRolePolicy" => policies::delete_inline(context, query),
        "GetPolicy" => policies::get(context, query),
        "GetUser" => Ok(state::get_user(context)),
        _ => Err(Error::unknown_action(action)),
    }
}

/// The IAM of the account that a new world begins with: one user, whose key the ready file offers.
pub(crate) fn first_account(random: &mut Random) -> State {
    State::with_user("pmks", random)
}

/// The credential that the ready file offers.
pub(crate) fn offered_credential(world: &World) -> Value {
    let keys = world.accounts.values().find_map(|account| account.iam.first_key());
    match keys {
        Some((id, secret)) => json!({"accessKeyId": id, "secretAccessKey": secret}),
        None => Value::Null,
    }
}

/// The event `{"type":"credentialsMove"}`: users and keys act in another account from now on, or in their first one again.
pub(crate) fn move_credentials(world: &mut World) -> Value {
    let holds = |account: &&String| world.iam(account).is_some_and(|iam| iam.first_key().is_some());
    let Some(from) = world.accounts.keys().find(holds).cloned() else { return Value::Null };
    let other = world.accounts.keys().find(|id| **id != from).cloned();
    let to = other.unwrap_or_else(|| random_account_id(&mut world.random));
    let users = world.account_mut(&from).iam.take_users();
    world.account_mut(&to).iam.give_users(users);
    json!({"account": to})
}

/// The event `{"type":"tokensExpire"}`: every session of a role that STS gave out has ended.
pub(crate) fn end_sessions(world: &mut World, now: Now) -> Value {
    let end = now.wall.saturating_sub(SignedDuration::from_secs(1)).unwrap_or(Timestamp::MIN);
    for account in world.accounts.values_mut() {
        account.iam.end_sessions(end);
    }
    Value::Null
}

/// Ground truth: roles. Users and their keys are the world's own furniture.
pub(crate) fn resources(account: &str, state: &State) -> Vec<Resource> {
    let row = |role: &Role| {
        Resource::new("role", &role.name, "active", role.created)
            .named(&role.name)
            .tagged(&role.tags)
            .with("account", account)
            .with("arn", role.arn.as_str())
            .with("attachedPolicies", role.attached.iter().cloned().collect::<Vec<_>>())
    };
    state.roles.values().map(row).collect()
}
