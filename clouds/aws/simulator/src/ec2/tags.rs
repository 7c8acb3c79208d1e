//! Tags of EC2's resources: at creation, after it, and listed.
//!
//! Source of the limits: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html>.

use super::describe::{Filters, paged};
use super::state::State;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::query::Query;
use crate::world::Tags;
use crate::xml::Xml;

const MOST_TAGS: usize = 50;

/// The tags that a request gives to the resource it makes.
pub(super) fn at_creation(query: &Query, kind: &str) -> Result<Tags> {
    let mut tags = Tags::new();
    for specification in query.structures("TagSpecification") {
        let named = specification.required("ResourceType")?;
        if named != kind {
            let message = format!("'{named}' is not a valid taggable resource type for this operation.");
            return Err(Error::bad("InvalidParameterValue", message));
        }
        tags.extend(read(&specification.structures("Tag"))?);
    }
    check_number(&tags)?;
    Ok(tags)
}

fn read(structures: &[Query]) -> Result<Tags> {
    let mut tags = Tags::new();
    for tag in structures {
        let (key, value) = (tag.required("Key")?, tag.get("Value").unwrap_or_default());
        if key.to_lowercase().starts_with("aws:") {
            let message = "Tag keys starting with 'aws:' are reserved for internal use";
            return Err(Error::bad("InvalidParameterValue", message));
        }
        if key.chars().count() > 128 || value.chars().count() > 256 {
            let message = "Tag key exceeds the maximum length of 128 characters, or its value that of 256";
            return Err(Error::bad("InvalidParameterValue", message));
        }
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            let message = format!("Duplicate tag key '{key}' specified.");
            return Err(Error::bad("InvalidParameterValue", message));
        }
    }
    Ok(tags)
}

fn check_number(tags: &Tags) -> Result<()> {
    if tags.keys().filter(|key| !key.starts_with("aws:")).count() > MOST_TAGS {
        return Err(Error::bad("TagLimitExceeded", format!("The maximum number of tags is {MOST_TAGS}.")));
    }
    Ok(())
}

/// `<tagSet>`
pub(super) fn written(tags: &Tags) -> Xml {
    let items = tags.iter().map(|(key, value)| Xml::new().text("key", key).text("value", value));
    Xml::new().list("tagSet", "item", items)
}

/// `CreateTags`: all or nothing.
pub(super) fn create(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let added = read(&query.structures("Tag"))?;
    let ids = ids(query)?;
    let state = &mut context.region_mut().ec2;
    for id in &ids {
        let mut all = tags_mut(state, id)?.clone();
        all.extend(added.clone());
        check_number(&all)?;
    }
    for id in &ids {
        tags_mut(state, id)?.extend(added.clone());
    }
    Ok(Xml::new().text("return", true))
}

/// `DeleteTags`: a tag is named with its value, or by its key alone.
pub(super) fn delete(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let named = query.structures("Tag");
    let ids = ids(query)?;
    let state = &mut context.region_mut().ec2;
    for id in &ids {
        tags_mut(state, id)?;
    }
    for id in &ids {
        tags_mut(state, id)?.retain(|key, value| {
            let gone = named.is_empty()
                || named.iter().any(|tag| {
                    tag.get("Key") == Some(key) && tag.get("Value").is_none_or(|wanted| wanted == value)
                });
            !gone || key.starts_with("aws:")
        });
    }
    Ok(Xml::new().text("return", true))
}

/// `DescribeTags`
pub(super) fn describe(context: &Context<'_>, query: &Query) -> Result<Xml> {
    let filters = Filters::read(query, &["resource-id", "resource-type", "key", "value"])?;
    let mut items = Vec::new();
    for (id, kind, tags) in all(&context.region().ec2) {
        for (key, value) in tags {
            let own = Tags::from([(key.clone(), value.clone())]);
            let kept = filters.keep(&own, |filter| match filter {
                "resource-id" => vec![id.to_owned()],
                "resource-type" => vec![kind.to_owned()],
                "key" => vec![key.clone()],
                _ => vec![value.clone()],
            });
            if kept {
                let written = Xml::new().text("resourceId", id).text("resourceType", kind);
                items.push((format!("{id} {key}"), written.text("key", key).text("value", value)));
            }
        }
    }
    paged(query, "tagSet", false, items)
}

fn ids(query: &Query) -> Result<Vec<String>> {
    let ids = query.list("ResourceId");
    if ids.is_empty() { Err(Error::missing("resourceIdSet")) } else { Ok(ids) }
}

fn tags_mut<'a>(state: &'a mut State, id: &str) -> Result<&'a mut Tags> {
    let kind = id.split('-').next().unwrap_or_default();
    let found = match kind {
        "vpc" => state.vpcs.get_mut(id).map(|held| &mut held.tags),
        "subnet" => state.subnets.get_mut(id).map(|held| &mut held.tags),
        "igw" => state.internet_gateways.get_mut(id).map(|held| &mut held.tags),
        "rtb" => state.route_tables.get_mut(id).map(|held| &mut held.tags),
        "sg" => state.security_groups.get_mut(id).map(|held| &mut held.tags),
        "sgr" => {
            let rules = state.security_groups.values_mut().flat_map(|group| group.rules.iter_mut());
            rules.into_iter().find(|rule| rule.id == id).map(|rule| &mut rule.tags)
        }
        "key" => state.key_pairs.get_mut(id).map(|held| &mut held.tags),
        "i" => state.instances.get_mut(id).map(|held| &mut held.tags),
        "eni" => state.network_interfaces.get_mut(id).map(|held| &mut held.tags),
        "vol" => state.volumes.get_mut(id).map(|held| &mut held.tags),
        "lt" => state.launch_templates.get_mut(id).map(|held| &mut held.tags),
        _ => return Err(Error::bad("InvalidID", format!("The ID '{id}' is not valid"))),
    };
    found.ok_or_else(|| super::not_found(id))
}

fn all(state: &State) -> Vec<(&str, &'static str, &Tags)> {
    let mut all: Vec<(&str, &'static str, &Tags)> = Vec::new();
    all.extend(state.vpcs.values().map(|held| (held.id.as_str(), "vpc", &held.tags)));
    all.extend(state.subnets.values().map(|held| (held.id.as_str(), "subnet", &held.tags)));
    all.extend(
        state.internet_gateways.values().map(|held| (held.id.as_str(), "internet-gateway", &held.tags)),
    );
    all.extend(state.route_tables.values().map(|held| (held.id.as_str(), "route-table", &held.tags)));
    all.extend(state.security_groups.values().map(|held| (held.id.as_str(), "security-group", &held.tags)));
    all.extend(state.key_pairs.values().map(|held| (held.id.as_str(), "key-pair", &held.tags)));
    all.extend(state.instances.values().map(|held| (held.id.as_str(), "instance", &held.tags)));
    all.extend(
        state.network_interfaces.values().map(|held| (held.id.as_str(), "network-interface", &held.tags)),
    );
    all.extend(state.volumes.values().map(|held| (held.id.as_str(), "volume", &held.tags)));
    all.extend(state.launch_templates.values().map(|held| (held.id.as_str(), "launch-template", &held.tags)));
    all
}
