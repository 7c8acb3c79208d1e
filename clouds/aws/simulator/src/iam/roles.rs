//! Roles: made, read, changed, deleted.
//!
//! Source of errors and limits: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html>.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use pmks_simulation::{Now, StateError, pages};
use serde_json::{Value, json};

use super::state::{CONSISTENT_AFTER, Role, new_unique_id};
use super::trust;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::query::Query;
use crate::world::{Tags, World};
use crate::xml::Xml;

/// The default quota of roles in an account.
const MOST_ROLES: usize = 1000;

/// `GetRole`
pub(super) fn get(context: &Context<'_>, query: &Query) -> Result<Xml> {
    Ok(Xml::new().child("Role", &written(find(context, query)?)))
}

/// `ListRoles`
pub(super) fn list(context: &Context<'_>, query: &Query) -> Result<Xml> {
    let prefix = query.get("PathPrefix").unwrap_or("/");
    let roles = context.world.iam(&context.caller.account).into_iter().flat_map(|iam| iam.roles.values());
    let roles =
        roles.filter(|role| role.path.starts_with(prefix)).map(|role| (role.name.clone(), written(role)));
    paged(query, "Roles", roles.collect())
}

/// `CreateRole`
pub(super) fn create(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let name = query.required("RoleName")?;
    check_name(name)?;
    let document = query.required("AssumeRolePolicyDocument")?;
    trust::check(document).map_err(|what| Error::bad("MalformedPolicyDocument", what))?;
    let path = query.get("Path").unwrap_or("/");
    if !path.starts_with('/') || !path.ends_with('/') {
        return Err(Error::bad("ValidationError", "The specified value for path is invalid."));
    }
    let max_session_seconds = query.number("MaxSessionDuration")?.unwrap_or(3600);
    if !(3600..=43_200).contains(&max_session_seconds) {
        return Err(Error::bad("ValidationError", "MaxSessionDuration must lie between 3600 and 43200."));
    }
    let account = context.caller.account.clone();
    let held = &context.world.account_mut(&account).iam;
    if held.role(name).is_some() {
        return Err(Error::new(409, "EntityAlreadyExists", format!("Role with name {name} already exists.")));
    }
    if context.effects.quota() || held.roles.len() >= MOST_ROLES {
        return Err(Error::new(
            409,
            "LimitExceeded",
            format!("Cannot exceed quota for RolesPerAccount: {MOST_ROLES}"),
        ));
    }
    let role = Role {
        name: name.to_owned(),
        id: new_unique_id("AROA", &mut context.world.random),
        arn: format!("arn:aws:iam::{account}:role{path}{name}"),
        path: path.to_owned(),
        trust: document.to_owned(),
        description: query.get("Description").map(str::to_owned),
        max_session_seconds,
        attached: std::collections::BTreeSet::new(),
        inline: std::collections::BTreeMap::new(),
        tags: tags(query),
        created: context.now.wall,
        known_from: context.now.work.saturating_add(CONSISTENT_AFTER),
    };
    let answer = Xml::new().child("Role", &written(&role));
    context.world.account_mut(&account).iam.roles.insert(role.name.clone(), role);
    Ok(answer)
}

/// The event `{"type":"roleIsMade","name":NAME,"trust":{…}}`: somebody makes a role in the first account, and every
/// service knows it at once.
///
/// # Errors
/// When the trust is no trust policy, or the name is taken.
pub(crate) fn from_event(
    world: &mut World,
    event: &Value,
    now: Now,
) -> std::result::Result<Value, StateError> {
    let name = event.get("name").and_then(Value::as_str);
    let name = name.ok_or_else(|| StateError("the event needs `name`".to_owned()))?;
    check_name(name).map_err(|error| StateError(error.message))?;
    let trust = event.get("trust").map(Value::to_string).unwrap_or_default();
    trust::check(&trust).map_err(StateError)?;
    let id = new_unique_id("AROA", &mut world.random);
    let (account, held) =
        world.accounts.iter_mut().next().ok_or_else(|| StateError("there is no account".to_owned()))?;
    if held.iam.role(name).is_some() {
        return Err(StateError(format!("a role `{name}` exists")));
    }
    let arn = format!("arn:aws:iam::{account}:role/{name}");
    let role = Role {
        name: name.to_owned(),
        id,
        arn: arn.clone(),
        path: "/".to_owned(),
        trust,
        description: None,
        max_session_seconds: 3600,
        attached: std::collections::BTreeSet::new(),
        inline: std::collections::BTreeMap::new(),
        tags: Tags::new(),
        created: now.wall,
        known_from: now.work,
    };
    held.iam.roles.insert(role.name.clone(), role);
    Ok(json!({"arn": arn}))
}

/// `DeleteRole`
pub(super) fn delete(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let role = find(context, query)?;
    if !role.attached.is_empty() {
        let message = "Cannot delete entity, must detach all policies first.";
        return Err(Error::new(409, "DeleteConflict", message));
    }
    if !role.inline.is_empty() {
        return Err(Error::new(409, "DeleteConflict", "Cannot delete entity, must delete policies first."));
    }
    let name = role.name.clone();
    let account = context.caller.account.clone();
    context.world.account_mut(&account).iam.roles.remove(&name);
    Ok(Xml::new())
}

/// `UpdateAssumeRolePolicy`
pub(super) fn update_trust(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let document = query.required("PolicyDocument")?;
    trust::check(document).map_err(|what| Error::bad("MalformedPolicyDocument", what))?;
    let role = find_to_change(context, query)?;
    document.clone_into(&mut role.trust);
    Ok(Xml::new())
}

/// `TagRole`
pub(super) fn tag(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let added = tags(query);
    let role = find_to_change(context, query)?;
    role.tags.extend(added);
    Ok(Xml::new())
}

/// `UntagRole`
pub(super) fn untag(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let keys = query.list("TagKeys.member");
    let role = find_to_change(context, query)?;
    role.tags.retain(|key, _| !keys.contains(key));
    Ok(Xml::new())
}

/// `ListRoleTags`
pub(super) fn list_tags(context: &Context<'_>, query: &Query) -> Result<Xml> {
    let role = find(context, query)?;
    Ok(written_tags(&role.tags).text("IsTruncated", false))
}

/// The role that the request names.
pub(super) fn find<'a>(context: &'a Context<'_>, query: &Query) -> Result<&'a Role> {
    let name = query.required("RoleName")?;
    check_name(name)?;
    context.world.iam(&context.caller.account).and_then(|iam| iam.role(name)).ok_or_else(|| no_role(name))
}

/// The role that the request names; other services will see its change only later.
pub(super) fn find_to_change<'a>(context: &'a mut Context<'_>, query: &Query) -> Result<&'a mut Role> {
    let name = find(context, query)?.name.clone();
    let known_from = context.now.work.saturating_add(CONSISTENT_AFTER);
    let account = context.caller.account.clone();
    let role = context.world.account_mut(&account).iam.roles.get_mut(&name).ok_or_else(|| no_role(&name))?;
    role.known_from = known_from;
    Ok(role)
}

fn no_role(name: &str) -> Error {
    Error::new(404, "NoSuchEntity", format!("The role with name {name} cannot be found."))
}

/// A page of members under `name`, by the request's `MaxItems` and `Marker`.
pub(super) fn paged(query: &Query, name: &str, items: Vec<(String, Xml)>) -> Result<Xml> {
    let size: usize = query.number("MaxItems")?.unwrap_or(100);
    if !(1..=1000).contains(&size) {
        return Err(Error::bad("ValidationError", "MaxItems must lie between 1 and 1000."));
    }
    let (page, next) = pages::page(items, size, query.get("Marker"))
        .map_err(|_| Error::bad("ValidationError", "The marker is not valid."))?;
    Ok(Xml::new().list(name, "member", page).text("IsTruncated", next.is_some()).maybe("Marker", next))
}

fn check_name(name: &str) -> Result<()> {
    let allowed = |character: char| character.is_ascii_alphanumeric() || "_+=,.@-".contains(character);
    if name.chars().all(allowed) && (1..=64).contains(&name.len()) {
        return Ok(());
    }
    let text = "The specified value for roleName is invalid. It must contain only alphanumeric characters and/or \
                the following: +=,.@_-";
    Err(Error::bad("ValidationError", text))
}

fn tags(query: &Query) -> Tags {
    let tags = query.structures("Tags.member").into_iter();
    tags.filter_map(|tag| Some((tag.get("Key")?.to_owned(), tag.get("Value").unwrap_or_default().to_owned())))
        .collect()
}

fn written_tags(tags: &Tags) -> Xml {
    Xml::new().list(
        "Tags",
        "member",
        tags.iter().map(|(key, value)| Xml::new().text("Key", key).text("Value", value)),
    )
}

/// Policy documents are URL-encoded in answers.
pub(super) fn encoded_document(document: &str) -> String {
    utf8_percent_encode(document, NON_ALPHANUMERIC).to_string()
}

fn written(role: &Role) -> Xml {
    Xml::new()
        .text("Path", &role.path)
        .text("RoleName", &role.name)
        .text("RoleId", &role.id)
        .text("Arn", &role.arn)
        .text("CreateDate", role.created.strftime("%Y-%m-%dT%H:%M:%SZ"))
        .text("AssumeRolePolicyDocument", encoded_document(&role.trust))
        .maybe("Description", role.description.as_ref())
        .text("MaxSessionDuration", role.max_session_seconds)
        .and(&written_tags(&role.tags))
}
