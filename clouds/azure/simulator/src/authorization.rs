//! Microsoft.Authorization and Microsoft.ManagedIdentity: who has which role, and identities that clusters run as.
//!
//! Sources: <https://learn.microsoft.com/rest/api/authorization/role-assignments>,
//! <https://learn.microsoft.com/azure/role-based-access-control/troubleshooting>.

use std::time::Duration;

use serde_json::{Value, json};

use crate::arm::{Call, check_name, key, last};
use crate::error::{Error, Result};
use crate::json::{at, set, text};
use crate::reply::Reply;
use crate::resources::equals;
use crate::world::{Assignment, Document};

/// How long after its creation an identity is not known everywhere.
const REPLICATED_AFTER: Duration = Duration::from_secs(20);
/// Kind and namespace of identities.
const IDENTITIES: &str = "Microsoft.ManagedIdentity/userAssignedIdentities";
/// Role definitions: id and name.
///
/// Source: <https://learn.microsoft.com/azure/role-based-access-control/built-in-roles>.
const ROLES: [(&str, &str); 6] = [
    ("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner"),
    ("b24988ac-6180-42a0-ab88-20f7382dd24c", "Contributor"),
    ("acdd72a7-3385-48ef-bd42-f606fba81ae7", "Reader"),
    ("4d97b98b-1d4f-4787-a291-c67834d212e7", "Network Contributor"),
    ("f1a07417-d97a-45cb-824c-7a7467783830", "Managed Identity Operator"),
    ("b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b", "Azure Kubernetes Service RBAC Cluster Admin"),
];

/// Carries out one call about roles.
///
/// # Errors
/// The service's refusal.
pub(crate) fn handle(call: &mut Call<'_>, action: &str) -> Result<Reply> {
    call.name_scope();
    match action {
        "RoleDefinitions_List" => Ok(definitions(call)),
        "RoleDefinitions_Get" => definition(call),
        "Permissions_ListForResource" => Ok(Reply::ok(
            json!({"value": [{"actions": ["*"], "notActions": [], "dataActions": [], "notDataActions": []}]}),
        )),
        "RoleAssignments_ListForScope" => list(call),
        "RoleAssignments_Get" => get(call),
        "RoleAssignments_Create" => create(call),
        _ => Ok(delete(call)),
    }
}

fn show_definition(call: &Call<'_>, (id, name): (&str, &str)) -> Value {
    json!({
        "id": format!("/subscriptions/{}/providers/Microsoft.Authorization/roleDefinitions/{id}", call.name(0)),
        "name": id, "type": "Microsoft.Authorization/roleDefinitions",
        "properties": {"roleName": name, "type": "BuiltInRole", "description": name, "assignableScopes": ["/"], "permissions": []},
    })
}

fn definitions(call: &Call<'_>) -> Reply {
    let wanted = call.query.get("$filter").and_then(|filter| equals(filter, "roleName"));
    let roles = ROLES.into_iter().filter(|(_, name)| wanted.as_ref().is_none_or(|wanted| wanted == name));
    Reply::ok(json!({"value": roles.map(|role| show_definition(call, role)).collect::<Vec<_>>()}))
}

fn definition(call: &Call<'_>) -> Result<Reply> {
    let found = ROLES.into_iter().find(|(id, _)| *id == call.name(1));
    let found = found.ok_or_else(|| {
        let says = format!("The specified role definition with ID '{}' does not exist.", call.name(1));
        Error::new(404, "RoleDefinitionDoesNotExist", says)
    })?;
    Ok(Reply::ok(show_definition(call, found)))
}

fn show(assignment: &Assignment) -> Value {
    let created = assignment.created;
    json!({
        "id": assignment.id, "name": last(&assignment.id), "type": "Microsoft.Authorization/roleAssignments",
        "properties": {
            "roleDefinitionId": assignment.role, "principalId": assignment.principal,
            "principalType": assignment.principal_type, "scope": assignment.scope,
            "createdOn": created, "updatedOn": created,
        },
    })
}

fn list(call: &Call<'_>) -> Result<Reply> {
    let filter = call.query.get("$filter").map(String::as_str).unwrap_or_default();
    let principal = equals(filter, "principalId").or_else(|| {
        filter
            .split_once("assignedTo('")
            .and_then(|(_, rest)| rest.split_once('\''))
            .map(|(id, _)| id.to_owned())
    });
    let scope = key(&call.scope);
    let below = format!("{scope}/");
    let shown = call.subscription().assignments.iter().filter(|(_, assignment)| {
        let own = key(&assignment.scope);
        let above = scope == own || scope.starts_with(&format!("{own}/"));
        // Without a filter the list has what counts at the scope and below it.
        let counts = if filter.contains("atScope()") { above } else { above || own.starts_with(&below) };
        counts && principal.as_ref().is_none_or(|principal| *principal == assignment.principal)
    });
    call.page(shown.map(|(id, assignment)| (id.clone(), show(assignment))).collect()).map(Reply::ok)
}

fn assignment_id(call: &Call<'_>) -> String {
    format!("{}/providers/Microsoft.Authorization/roleAssignments/{}", call.scope, call.name(1))
}

fn get(call: &Call<'_>) -> Result<Reply> {
    let found = call.subscription().assignments.get(&key(&assignment_id(call)));
    let missing = || {
        let says = format!("The role assignment '{}' is not found.", call.name(1));
        Error::new(404, "RoleAssignmentNotFound", says)
    };
    found.map(|assignment| Reply::ok(show(assignment))).ok_or_else(missing)
}

fn create(call: &mut Call<'_>) -> Result<Reply> {
    let name = call.name(1).to_owned();
    if name.len() != 36 || name.split('-').count() != 5 {
        let says =
            format!("The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID.");
        return Err(Error::bad("InvalidRoleAssignmentId", says));
    }
    let needed = |name: &str| {
        text(&call.body, name).map(str::to_owned).ok_or_else(|| {
            Error::bad(
                "BadRequestFormat",
                format!("The request was incorrectly formatted: {name} is required."),
            )
        })
    };
    let (role, principal) = (needed("properties.roleDefinitionId")?, needed("properties.principalId")?);
    if !ROLES.iter().any(|(id, _)| *id == last(&role)) {
        let says = format!("The specified role definition with ID '{}' does not exist.", last(&role));
        return Err(Error::bad("RoleDefinitionDoesNotExist", says));
    }
    let known = call.world.directory.principals.get(&principal);
    let replicated = known.is_some_and(|known| known.known_from <= call.now.work);
    // Who says the kind of principal is believed while the directory's replicas are behind.
    let trusted = known.is_some() && text(&call.body, "properties.principalType") == Some("ServicePrincipal");
    if !replicated && !trusted {
        let tenant = &call.world.directory.tenant;
        let says = format!(
            "Principal {} does not exist in the directory {tenant}. Check that you have the correct principal ID. If you \
             are creating this principal and then immediately assigning a role, this error might be related to a \
             replication delay. In this case, set the role assignment principalType property to a value, such as \
             ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype",
            principal.replace('-', "")
        );
        return Err(Error::bad("PrincipalNotFound", says));
    }
    let id = assignment_id(call);
    let made = Assignment {
        id: id.clone(),
        scope: call.scope.clone(),
        role,
        principal,
        principal_type: text(&call.body, "properties.principalType").unwrap_or("ServicePrincipal").to_owned(),
        created: call.now.wall,
    };
    store(call, &key(&id), made)
}

/// The same assignment under the same name is answered as it stands; under another name it exists.
fn store(call: &mut Call<'_>, id: &str, made: Assignment) -> Result<Reply> {
    let same = |known: &Assignment| {
        key(&known.scope) == key(&made.scope)
            && last(&known.role) == last(&made.role)
            && known.principal == made.principal
    };
    let assignments = &mut call.subscription_mut().assignments;
    if let Some(known) = assignments.get(id) {
        if same(known) {
            return Ok(Reply::ok(show(known)));
        }
        let says = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.";
        return Err(Error::bad("RoleAssignmentUpdateNotPermitted", says));
    }
    if let Some(known) = assignments.values().find(|known| same(known)) {
        let says = format!(
            "The role assignment already exists. The ID of the existing role assignment is {}.",
            last(&known.id).replace('-', "")
        );
        return Err(Error::new(409, "RoleAssignmentExists", says));
    }
    let shown = show(&made);
    assignments.insert(id.to_owned(), made);
    Ok(Reply::new(201, shown))
}

fn delete(call: &mut Call<'_>) -> Reply {
    let id = key(&assignment_id(call));
    match call.subscription_mut().assignments.remove(&id) {
        Some(gone) => Reply::ok(show(&gone)),
        None => Reply::empty(204),
    }
}

/// Carries out one call about managed identities.
///
/// # Errors
/// The service's refusal.
pub(crate) fn identities(call: &mut Call<'_>, action: &str) -> Result<Reply> {
    match action {
        "UserAssignedIdentities_ListBySubscription" => {
            call.page(call.documents(IDENTITIES, false)?).map(Reply::ok)
        }
        "UserAssignedIdentities_ListByResourceGroup" => {
            call.page(call.documents(IDENTITIES, true)?).map(Reply::ok)
        }
        "UserAssignedIdentities_Get" => {
            let id = call.id(&format!("{IDENTITIES}/{}", call.name(2)))?;
            call.document(&id).map(|document| Reply::ok(document.show()))
        }
        "UserAssignedIdentities_CreateOrUpdate" => put_identity(call),
        _ => {
            let id = call.id(&format!("{IDENTITIES}/{}", call.name(2)))?;
            let Some(gone) = call.subscription_mut().documents.remove(&key(&id)) else {
                return Ok(Reply::empty(204));
            };
            if let Some(principal) = text(&gone.body, "properties.principalId") {
                call.world.directory.principals.remove(principal);
            }
            Ok(Reply::empty(200))
        }
    }
}

fn put_identity(call: &mut Call<'_>) -> Result<Reply> {
    let name = call.name(2).to_owned();
    check_name(&name)?;
    call.registered("Microsoft.ManagedIdentity")?;
    let location = call.location(IDENTITIES)?;
    let id = call.id(&format!("{IDENTITIES}/{name}"))?;
    let tags = at(&call.body, "tags").clone();
    if let Some(known) = call.subscription_mut().documents.get_mut(&key(&id)) {
        set(&mut known.body, "tags", tags);
        return Ok(Reply::ok(known.show()));
    }
    let made = add_identity(call, &id, &location, &tags);
    Ok(Reply::new(201, made.show()))
}

/// A new managed identity, in the directory and as a resource.
fn add_identity(call: &mut Call<'_>, id: &str, location: &str, tags: &Value) -> Document {
    let known_from = call.now.work.saturating_add(REPLICATED_AFTER);
    let world = &mut *call.world;
    let (principal, client) = world.directory.add_identity(&mut world.random, known_from);
    let properties =
        json!({"tenantId": world.directory.tenant, "principalId": principal, "clientId": client});
    let made = Document {
        id: id.to_owned(),
        kind: IDENTITIES.to_owned(),
        body: json!({"location": location, "tags": tags, "properties": properties}),
        state: String::new(),
        etag: String::new(),
        created: call.now.wall,
    };
    call.subscription_mut().documents.insert(key(id), made.clone());
    made
}

/// The identity that a cluster gets from the system, as its principal's object id.
pub(crate) fn add_system_identity(call: &mut Call<'_>) -> String {
    let known_from = call.now.work.saturating_add(REPLICATED_AFTER);
    let world = &mut *call.world;
    world.directory.add_identity(&mut world.random, known_from).0
}
