//! Calls about machines and their groups.

use std::collections::BTreeMap;
use std::time::Duration;

use pmks_simulation::pages::page;
use serde_json::{Map, Value, json};

use super::machines::{Instance, drop_instance, members};
use super::operations::{self, End};
use super::references::{no_resource, scope};
use super::state::{fingerprint, link};
use super::{Asked, lists, machine_views};
use crate::call::Call;
use crate::error::{Code, Error, Result};

/// Reads a machine, a group or its manager.
pub(crate) fn get(call: &Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let (zone, name) = (asked.route.name(0), asked.route.name(1));
    scope(call, zone)?;
    let state = &call.held().compute;
    let held = format!("{zone}/{name}");
    let collection = asked.route.action.split('.').next().unwrap_or_default();
    let found = match collection {
        "instances" => state.instances.get(&held).map(|one| machine_views::instance(one, call.project)),
        "instanceGroupManagers" => {
            state.groups.get(&held).map(|one| machine_views::manager(state, one, call.project))
        }
        _ => state.groups.get(&held).map(|one| machine_views::group(state, one, call.project)),
    };
    found.ok_or_else(|| no_resource(&format!("projects/{}/zones/{zone}/{collection}/{name}", call.project)))
}

/// The members of a group with what its manager does with each.
pub(crate) fn list_managed(call: &Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let (zone, name) = (asked.route.name(0), asked.route.name(1));
    let (items, next) = listed(call, asked, |one| machine_views::managed(one, call.project))
        .ok_or_else(|| no_group(call, "instanceGroupManagers", zone, name))??;
    let mut answer = json!({});
    if !items.is_empty() {
        answer["managedInstances"] = items.into();
    }
    if let Some(next) = next {
        answer["nextPageToken"] = next.into();
    }
    Ok(answer)
}

/// The members of a group.
pub(crate) fn list_instances(call: &Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let (zone, name) = (asked.route.name(0), asked.route.name(1));
    let shown = |one: &Instance| {
        let path = format!("projects/{}/zones/{zone}/instances/{}", call.project, one.name);
        json!({"instance": link(&path), "status": one.status})
    };
    let (items, next) =
        listed(call, asked, shown).ok_or_else(|| no_group(call, "instanceGroups", zone, name))??;
    let path = format!("projects/{}/zones/{zone}/instanceGroups/{name}/listInstances", call.project);
    let mut answer =
        json!({"kind": "compute#instanceGroupsListInstances", "id": path, "selfLink": link(&path)});
    if !items.is_empty() {
        answer["items"] = items.into();
    }
    if let Some(next) = next {
        answer["nextPageToken"] = next.into();
    }
    Ok(answer)
}

fn no_group(call: &Call<'_>, collection: &str, zone: &str, name: &str) -> Error {
    no_resource(&format!("projects/{}/zones/{zone}/{collection}/{name}", call.project))
}

type Listed = Result<(Vec<Value>, Option<String>)>;

fn listed(call: &Call<'_>, asked: &Asked<'_>, show: impl Fn(&Instance) -> Value) -> Option<Listed> {
    let state = &call.held().compute;
    let held = format!("{}/{}", asked.route.name(0), asked.route.name(1));
    state.groups.get(&held)?;
    let items = members(state, &held).map(|one| (one.name.clone(), show(one))).collect();
    Some(lists::size(asked).and_then(|size| {
        page(items, size, asked.query("pageToken")).map_err(|_| {
            Error::invalid("Invalid value for field 'pageToken'. The page token is not valid.")
                .reason("invalid")
        })
    }))
}

/// Removes a machine; its group makes another one.
pub(crate) fn delete(call: &mut Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let found = find(call, asked)?;
    let group = format!("{}/{}", found.wish.zone, found.group);
    let now = call.now;
    drop_instance(call.world, call.project, &group, &found.name, now);
    begin(call, &found, "delete", Duration::from_secs(41))
}

/// Replaces the labels of a machine.
pub(crate) fn set_labels(call: &mut Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let body = asked.message("InstancesSetLabelsRequest")?;
    let given = body.get("labelFingerprint").and_then(Value::as_str);
    let labels = texts(body.get("labels"));
    change(
        call,
        asked,
        (given, 2000, "Labels fingerprint either invalid or resource labels have changed"),
        |one| {
            one.wish.labels = labels;
        },
    )
}

/// Replaces the metadata of a machine.
pub(crate) fn set_metadata(call: &mut Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let body = asked.message("Metadata")?;
    let given = body.get("fingerprint").and_then(Value::as_str);
    let text = |item: &Value, key: &str| item.get(key).and_then(Value::as_str).map(str::to_owned);
    let items = body.get("items").and_then(Value::as_array).into_iter().flatten();
    let items: BTreeMap<String, String> = items
        .filter_map(|item| Some((text(item, "key")?, text(item, "value").unwrap_or_default())))
        .collect();
    let words = "Supplied fingerprint does not match current metadata fingerprint.";
    change(call, asked, (given, 3000, words), |one| {
        one.wish.metadata = items;
        one.wish.metadata.remove("created-by");
    })
}

/// Replaces the tags of a machine.
pub(crate) fn set_tags(call: &mut Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let body = asked.message("Tags")?;
    let given = body.get("fingerprint").and_then(Value::as_str);
    let items = body.get("items").and_then(Value::as_array).into_iter().flatten();
    let tags: Vec<String> = items.filter_map(Value::as_str).map(str::to_owned).collect();
    change(
        call,
        asked,
        (given, 1000, "Supplied fingerprint does not match current tags fingerprint."),
        |one| {
            one.wish.tags = tags;
        },
    )
}

fn texts(value: Option<&Value>) -> BTreeMap<String, String> {
    let empty = Map::new();
    let members = value.and_then(Value::as_object).unwrap_or(&empty);
    members.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

fn change(
    call: &mut Call<'_>,
    asked: &Asked<'_>,
    (given, offset, words): (Option<&str>, u64, &str),
    act: impl FnOnce(&mut Instance),
) -> Result<Value> {
    let found = find(call, asked)?;
    if given != Some(&fingerprint(&found.id, found.revision + offset)) {
        return Err(Error::new(Code::ConditionNotMet, words));
    }
    if let Some(one) =
        call.held_mut().compute.instances.get_mut(&format!("{}/{}", found.wish.zone, found.name))
    {
        act(one);
        one.revision += 1;
    }
    let kind = asked.route.action.rsplit('.').next().unwrap_or_default();
    begin(call, &found, kind, Duration::from_secs(4))
}

fn find(call: &Call<'_>, asked: &Asked<'_>) -> Result<Instance> {
    let (zone, name) = (asked.route.name(0), asked.route.name(1));
    let found = call.held().compute.instances.get(&format!("{zone}/{name}")).cloned();
    found.ok_or_else(|| no_resource(&format!("projects/{}/zones/{zone}/instances/{name}", call.project)))
}

fn begin(call: &mut Call<'_>, one: &Instance, kind: &str, usual: Duration) -> Result<Value> {
    let scope = format!("zones/{}", one.wish.zone);
    let path = format!("projects/{}/{scope}/instances/{}", call.project, one.name);
    let name = operations::start(call, kind, &scope, (&path, &one.id), ("", End::Nothing), usual);
    operations::answer(call, &name)
}
