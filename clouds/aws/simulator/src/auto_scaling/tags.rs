//! Tags of groups, and the filters by them.
//!
//! Sources: <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateOrUpdateTags.html>,
//! <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Filter.html>.

use super::calls::{invalid, page};
use super::state::{Group, Tag};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::query::Query;
use crate::xml::Xml;

const PER_GROUP: usize = 50;
const KIND: &str = "auto-scaling-group";

/// One filter of a request.
pub(super) struct Filter {
    name: String,
    values: Vec<String>,
}

impl Filter {
    /// Whether a group passes; the names are those of `DescribeAutoScalingGroups`.
    pub(super) fn allows_group(&self, group: &Group) -> bool {
        let wanted = |text: &str| self.values.iter().any(|value| value == text);
        match self.name.strip_prefix("tag:") {
            Some(key) => group.tags.get(key).is_some_and(|tag| wanted(&tag.value)),
            None if self.name == "tag-value" => group.tags.values().any(|tag| wanted(&tag.value)),
            None => group.tags.keys().any(|key| wanted(key)),
        }
    }

    /// Whether a tag passes; the names are those of `DescribeTags`.
    fn allows_tag(&self, group: &Group, key: &str, tag: &Tag) -> bool {
        let wanted = |text: &str| self.values.iter().any(|value| value == text);
        match self.name.as_str() {
            "auto-scaling-group" => wanted(&group.name),
            "key" => wanted(key),
            "value" => wanted(&tag.value),
            _ => wanted(if tag.propagate { "true" } else { "false" }),
        }
    }
}

fn read_filters(query: &Query, known: impl Fn(&str) -> bool) -> Result<Vec<Filter>> {
    let read = |filter: &Query| {
        let name = filter.get("Name").unwrap_or_default().to_owned();
        if !known(&name) {
            return Err(invalid(format!(
                "Filter type {name} is not correct. Allowed Filter types are: tag-key, tag-value, tag:<key>"
            )));
        }
        Ok(Filter { name, values: filter.list("Values.member") })
    };
    query.structures("Filters.member").iter().map(read).collect()
}

/// The filters of `DescribeAutoScalingGroups`.
pub(super) fn filters(query: &Query) -> Result<Vec<Filter>> {
    read_filters(query, |name| name == "tag-key" || name == "tag-value" || name.starts_with("tag:"))
}

/// One tag as the API shows it.
pub(super) fn view(group: &Group, key: &str, tag: &Tag) -> Xml {
    Xml::new()
        .text("ResourceId", &group.name)
        .text("ResourceType", KIND)
        .text("Key", key)
        .text("Value", &tag.value)
        .text("PropagateAtLaunch", tag.propagate)
}

/// The group, key and rest of one tag in a request.
fn named<'a>(context: &'a mut Context<'_>, tag: &Query) -> Result<(&'a mut Group, String)> {
    let key = tag.get("Key").filter(|key| !key.is_empty() && key.chars().count() <= 128);
    let key = key.ok_or_else(|| invalid("A tag key must have 1 to 128 characters."))?.to_owned();
    let name = tag.get("ResourceId").unwrap_or_default();
    if tag.get("ResourceType") != Some(KIND) {
        return Err(invalid(format!("Resource type must be {KIND}")));
    }
    if key.to_ascii_lowercase().starts_with("aws:") {
        return Err(invalid("aws: prefixed tag key names are not allowed for external use."));
    }
    let missing =
        || invalid(format!("AutoScalingGroup name not found - AutoScalingGroup '{name}' not found"));
    Ok((context.region_mut().auto_scaling.groups.get_mut(name).ok_or_else(missing)?, key))
}

/// `CreateOrUpdateTags`.
pub(super) fn create_or_update(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let tags = query.structures("Tags.member");
    if tags.is_empty() {
        return Err(Error::missing("Tags"));
    }
    // All are looked at before the first is set: the call does all or nothing.
    for tag in &tags {
        let (group, key) = named(context, tag)?;
        if !group.tags.contains_key(&key) && group.tags.len() >= PER_GROUP {
            return Err(Error::bad("LimitExceeded", "The maximum number of tags for the group is reached."));
        }
        tag.flag("PropagateAtLaunch")?;
    }
    for tag in &tags {
        let value = tag.get("Value").unwrap_or_default().to_owned();
        let propagate = tag.flag("PropagateAtLaunch")?.unwrap_or(true);
        let (group, key) = named(context, tag)?;
        group.tags.insert(key, Tag { value, propagate });
    }
    Ok(Xml::new())
}

/// `DeleteTags`. A tag that is not there counts as deleted; one with another value is not meant.
pub(super) fn delete(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    for tag in query.structures("Tags.member") {
        let value = tag.get("Value").map(str::to_owned);
        let (group, key) = named(context, &tag)?;
        let meant = group.tags.get(&key).is_some_and(|known| value.is_none_or(|value| value == known.value));
        if meant {
            group.tags.remove(&key);
        }
    }
    Ok(Xml::new())
}

/// `DescribeTags`.
pub(super) fn describe(context: &Context<'_>, query: &Query) -> Result<Xml> {
    let known = ["auto-scaling-group", "key", "value", "propagate-at-launch"];
    let filters = read_filters(query, |name| known.contains(&name))?;
    let groups = context.region().auto_scaling.groups.values();
    let tags = groups.flat_map(|group| group.tags.iter().map(move |(key, tag)| (group, key, tag)));
    let shown = tags
        .filter(|(group, key, tag)| filters.iter().all(|filter| filter.allows_tag(group, key, tag)))
        .map(|(group, key, tag)| (format!("{}\u{0}{key}", group.name), view(group, key, tag)));
    page(query, shown.collect(), "Tags")
}
