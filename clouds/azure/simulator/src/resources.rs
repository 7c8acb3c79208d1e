//! Microsoft.Resources: tenants, subscriptions, regions, resource groups and the registration of providers.

use std::time::Duration;

use serde_json::{Value, json};

use crate::arm::{Call, key, no_such_group};
use crate::catalogue::{self, Region};
use crate::error::{Error, Result};
use crate::json::{at, set, text};
use crate::operations::{self, Step};
use crate::reply::Reply;
use crate::tags;
use crate::world::{Group, Registration, World};

/// How long the deletion of a group takes, beside what is in it.
const GROUP_GOES: Duration = Duration::from_secs(45);
/// How long a provider's registration takes.
const REGISTERED_AFTER: Duration = Duration::from_secs(30);
/// The providers that there are, with the kinds of resources that this cloud has of them.
const PROVIDERS: [(&str, &[&str]); 6] = [
    ("Microsoft.Authorization", &["roleAssignments", "roleDefinitions"]),
    ("Microsoft.Compute", &["virtualMachineScaleSets", "sshPublicKeys", "disks", "skus"]),
    ("Microsoft.ContainerService", &["managedClusters", "locations/kubernetesVersions"]),
    ("Microsoft.ManagedIdentity", &["userAssignedIdentities"]),
    (
        "Microsoft.Network",
        &["virtualNetworks", "networkSecurityGroups", "loadBalancers", "publicIPAddresses"],
    ),
    ("Microsoft.Resources", &["resourceGroups", "subscriptions"]),
];

/// Carries out one call.
///
/// # Errors
/// The service's refusal.
pub(crate) fn handle(call: &mut Call<'_>, action: &str) -> Result<Reply> {
    match action {
        "Tenants_List" => Ok(tenants(call)),
        "Subscriptions_List" => Ok(subscriptions(call)),
        "Subscriptions_Get" => Ok(Reply::ok(subscription(call, &call.subscription().id))),
        "Subscriptions_ListLocations" => Ok(locations(call)),
        "Providers_List" => {
            let shown: Vec<Value> = PROVIDERS.iter().map(|(name, _)| provider(call, name)).collect();
            Ok(Reply::ok(json!({"value": shown})))
        }
        "Providers_ListAtTenantScope" => Ok(Reply::ok(json!({"value": []}))),
        "Providers_Get" => known_provider(call).map(|name| Reply::ok(provider(call, name))),
        "Providers_Register" => register(call),
        "Providers_Unregister" => unregister(call),
        "ResourceGroups_List" => list_groups(call),
        "ResourceGroups_Get" => group(call).map(|group| Reply::ok(show_group(call, &group))),
        "ResourceGroups_CheckExistence" => Ok(Reply::empty(if group(call).is_ok() { 204 } else { 404 })),
        "ResourceGroups_CreateOrUpdate" => put_group(call),
        "ResourceGroups_Update" => patch_group(call),
        "ResourceGroups_Delete" => delete_group(call),
        "ResourceGroups_OperationResult" => operations::result(call, call.name(1)),
        "Tags_GetAtScope" => tags::get(call),
        "Tags_UpdateAtScope" => tags::update(call),
        "Resources_List" => list_resources(call, ""),
        "Resources_ListByResourceGroup" => {
            let below = key(&call.id("")?);
            list_resources(call, &below)
        }
        other => Err(Error::bad("InvalidResourceType", format!("The simulated Azure does not do {other}."))),
    }
}

fn tenants(call: &Call<'_>) -> Reply {
    let tenant = &call.world.directory.tenant;
    Reply::ok(json!({"value": [{
        "id": format!("/tenants/{tenant}"), "tenantId": tenant, "countryCode": "KR", "displayName": "Simulated tenant",
        "domains": ["simulated.onmicrosoft.com"], "tenantCategory": "Home",
        "defaultDomain": "simulated.onmicrosoft.com", "tenantType": "AAD",
    }]}))
}

fn subscriptions(call: &Call<'_>) -> Reply {
    let shown: Vec<Value> = call.world.subscriptions.keys().map(|id| subscription(call, id)).collect();
    Reply::ok(json!({"value": shown, "count": {"type": "Total", "value": shown.len()}}))
}

fn subscription(call: &Call<'_>, id: &str) -> Value {
    let tenant = call.world.subscription(id).moved_to.as_ref().unwrap_or(&call.world.directory.tenant);
    json!({
        "id": format!("/subscriptions/{id}"), "subscriptionId": id, "tenantId": tenant,
        "displayName": call.world.subscription(id).name, "state": "Enabled", "authorizationSource": "RoleBased",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01", "quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off",
        },
        "managedByTenants": [],
    })
}

fn locations(call: &Call<'_>) -> Reply {
    let id = &call.subscription().id;
    let show = |region: &Region| {
        let zones = region
            .zones()
            .iter()
            .map(|zone| json!({"logicalZone": zone, "physicalZone": format!("{}-az{zone}", region.name)}));
        json!({
            "id": format!("/subscriptions/{id}/locations/{}", region.name), "name": region.name, "type": "Region",
            "displayName": region.display_name, "regionalDisplayName": format!("({}) {}", region.geography, region.display_name),
            "metadata": {
                "regionType": "Physical", "regionCategory": "Recommended", "geography": region.geography,
                "geographyGroup": region.geography, "physicalLocation": region.display_name,
            },
            "availabilityZoneMappings": region.zonal.then(|| zones.collect::<Vec<_>>()),
        })
    };
    Reply::ok(json!({"value": catalogue::REGIONS.iter().map(show).collect::<Vec<_>>()}))
}

fn known_provider(call: &Call<'_>) -> Result<&'static str> {
    let asked = call.name(1);
    let known = PROVIDERS.iter().find(|(name, _)| name.eq_ignore_ascii_case(asked));
    known.map(|(name, _)| *name).ok_or_else(|| {
        Error::new(404, "InvalidResourceNamespace", format!("The resource namespace '{asked}' is invalid."))
    })
}

fn provider(call: &Call<'_>, name: &str) -> Value {
    let subscription = call.subscription();
    let state = match subscription.registrations.get(&name.to_ascii_lowercase()) {
        Some(Registration::Registered) => "Registered",
        Some(Registration::Registering(_)) => "Registering",
        Some(Registration::NotRegistered) => "Unregistered",
        None => "NotRegistered",
    };
    let kinds = PROVIDERS.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, kinds)| kinds);
    let regions: Vec<&str> = catalogue::REGIONS.iter().map(|region| region.display_name).collect();
    let kinds: Vec<Value> = kinds
        .iter()
        .map(|kind| json!({"resourceType": kind, "locations": regions, "apiVersions": []}))
        .collect();
    json!({
        "id": format!("/subscriptions/{}/providers/{name}", subscription.id), "namespace": name,
        "registrationState": state, "registrationPolicy": "RegistrationRequired", "resourceTypes": kinds,
    })
}

fn register(call: &mut Call<'_>) -> Result<Reply> {
    let name = known_provider(call)?;
    let due = call.now.work.saturating_add(REGISTERED_AFTER);
    let known = call.subscription_mut().registrations.entry(name.to_ascii_lowercase());
    let known = known.or_insert(Registration::NotRegistered);
    if *known == Registration::NotRegistered {
        *known = Registration::Registering(due);
    }
    Ok(Reply::ok(provider(call, name)))
}

fn unregister(call: &mut Call<'_>) -> Result<Reply> {
    let name = known_provider(call)?;
    call.subscription_mut().registrations.insert(name.to_ascii_lowercase(), Registration::NotRegistered);
    Ok(Reply::ok(provider(call, name)))
}

fn group(call: &Call<'_>) -> Result<Group> {
    let name = call.name(1);
    call.subscription().groups.get(&key(name)).cloned().ok_or_else(|| no_such_group(name))
}

fn show_group(call: &Call<'_>, group: &Group) -> Value {
    json!({
        "id": format!("/subscriptions/{}/resourceGroups/{}", call.subscription().id, group.name),
        "name": group.name, "type": "Microsoft.Resources/resourceGroups", "location": group.location,
        "tags": group.tags, "managedBy": group.managed_by, "properties": {"provisioningState": group.state},
    })
}

fn list_groups(call: &Call<'_>) -> Result<Reply> {
    let groups = &call.subscription().groups;
    let shown = groups.iter().map(|(key, group)| (key.clone(), show_group(call, group))).collect();
    call.page(shown).map(Reply::ok)
}

fn put_group(call: &mut Call<'_>) -> Result<Reply> {
    let name = call.name(1).to_owned();
    check_group_name(&name)?;
    let location = call.location("Microsoft.Resources/resourceGroups")?;
    let known = group(call).ok();
    if let Some(known) = &known {
        call.same_location(&known.location, &location, &name)?;
        if known.state == "Deleting" {
            let says = format!(
                "The resource group '{name}' is in deprovisioning state and cannot perform this operation."
            );
            return Err(Error::new(409, "ResourceGroupBeingDeleted", says));
        }
    }
    let status = if known.is_some() { 200 } else { 201 };
    let made = Group {
        name: known.as_ref().map_or(name, |known| known.name.clone()),
        location,
        tags: at(&call.body, "tags").clone(),
        managed_by: known.as_ref().and_then(|known| known.managed_by.clone()),
        state: "Succeeded".to_owned(),
        created: known.map_or(call.now.wall, |known| known.created),
    };
    call.subscription_mut().groups.insert(key(&made.name), made.clone());
    Ok(Reply::new(status, show_group(call, &made)))
}

fn patch_group(call: &mut Call<'_>) -> Result<Reply> {
    let mut known = group(call)?;
    let tags = at(&call.body, "tags");
    if !tags.is_null() {
        known.tags = tags.clone();
    }
    call.subscription_mut().groups.insert(key(&known.name), known.clone());
    Ok(Reply::ok(show_group(call, &known)))
}

/// Source: <https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftresources>.
fn check_group_name(name: &str) -> Result<()> {
    let fine = (1..=90).contains(&name.chars().count())
        && !name.ends_with('.')
        && name.chars().all(|letter| letter.is_alphanumeric() || "-_.()".contains(letter));
    if fine {
        return Ok(());
    }
    let says = format!(
        "The provided resource group name '{name}' has these invalid characters or is too long. The name can only be a \
         letter, digit, '-', '.', '(', ')' or '_'."
    );
    Err(Error::bad("InvalidResourceGroup", says))
}

fn delete_group(call: &mut Call<'_>) -> Result<Reply> {
    let mut known = group(call)?;
    let id = format!("/subscriptions/{}/resourceGroups/{}", call.subscription().id, known.name);
    "Deleting".clone_into(&mut known.state);
    let location = known.location.clone();
    call.subscription_mut().groups.insert(key(&known.name), known);
    let work =
        operations::start(call, "Microsoft.Resources", &location, &id, [(GROUP_GOES, Step::RemoveGroup)]);
    Ok(work.followed(call, Reply::empty(202)))
}

/// A group vanishes with all in it, the node resource groups of its clusters and what lies in these too.
pub(crate) fn remove_group(world: &mut World, subscription: &str, target: &str) {
    let below = format!("{target}/");
    let held = world.subscription(subscription);
    let inner: Vec<String> = held
        .clusters
        .iter()
        .filter(|(id, _)| id.starts_with(&below))
        .map(|(_, cluster)| {
            key(&format!("/subscriptions/{}/resourceGroups/{}", held.id, cluster.node_group()))
        })
        .collect();
    for group in inner {
        remove_group(world, subscription, &group);
    }
    let held = world.subscription_mut(subscription);
    held.clusters.retain(|id, _| !id.starts_with(&below));
    held.documents.retain(|id, _| !id.starts_with(&below));
    held.assignments.retain(|id, _| !id.starts_with(&below));
    held.groups.remove(crate::arm::last(target));
}

fn list_resources(call: &Call<'_>, below: &str) -> Result<Reply> {
    let subscription = call.subscription();
    let top = |id: &str| crate::arm::split(id).1.split('/').count() == 3;
    let short = |shown: &Value| {
        let mut short = json!({});
        for name in ["id", "name", "type", "location", "tags", "managedBy", "sku", "identity"] {
            set(&mut short, name, at(shown, name).clone());
        }
        short
    };
    let documents = subscription.documents.iter().map(|(id, document)| (id.clone(), short(&document.show())));
    let clusters = subscription.clusters.iter().map(|(id, cluster)| (id.clone(), short(&cluster.show())));
    let mut shown: Vec<(String, Value)> =
        documents.chain(clusters).filter(|(id, _)| id.starts_with(below) && top(id)).collect();
    if let Some(kind) = call.query.get("$filter").and_then(|filter| equals(filter, "resourceType")) {
        shown.retain(|(_, one)| text(one, "type").is_some_and(|known| known.eq_ignore_ascii_case(&kind)));
    }
    call.page(shown).map(Reply::ok)
}

/// The value that an `OData` filter wants of a property: `name eq 'value'`.
pub(crate) fn equals(filter: &str, name: &str) -> Option<String> {
    let after = filter.split_once(&format!("{name} eq '"))?.1;
    after.split_once('\'').map(|(value, _)| value.to_owned())
}
