//! The simulated Auto Scaling: the groups that EKS makes for its node groups, as others see and change them.
//!
//! Makes no group by itself: `CreateAutoScalingGroup` is not simulated, nor are scaling policies and hooks.

mod calls;
mod scaling;
mod state;
mod tags;

use std::time::Duration;

use pmks_simulation::{Now, Resource};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::query::Query;
use crate::world::{Place, World};
use crate::xml::Xml;

pub(crate) use scaling::{check_soon, instance_terminated, terminate_member};
pub(crate) use state::{Group, Launch, Lifecycle, Member, State, Tag};

/// Carries out one call.
pub(crate) fn handle(context: &mut Context<'_>, action: &str, query: &Query) -> Result<Xml> {
    match action {
        "DescribeAutoScalingGroups" => calls::describe_groups(context, query),
        "DescribeAutoScalingInstances" => calls::describe_instances(context, query),
        "SetDesiredCapacity" => calls::set_desired_capacity(context, query),
        "UpdateAutoScalingGroup" => calls::update_group(context, query),
        "TerminateInstanceInAutoScalingGroup" => calls::terminate_instance(context, query),
        "CreateOrUpdateTags" => tags::create_or_update(context, query),
        "DeleteTags" => tags::delete(context, query),
        "DescribeTags" => tags::describe(context, query),
        _ => Err(Error::unknown_action(action)),
    }
}

/// Does what has fallen due at one place.
pub(crate) fn settle(world: &mut World, place: &Place, now: Now) {
    scaling::settle(world, place, now);
}

/// When the next thing falls due.
pub(crate) fn next_due(state: &State) -> Option<Duration> {
    state.groups.values().filter_map(Group::next_due).min()
}

/// Ground truth: groups.
pub(crate) fn resources(state: &State) -> Vec<Resource> {
    let row = |group: &Group| {
        let tags = group.tags.iter().map(|(key, tag)| (key.clone(), tag.value.clone())).collect();
        let members: Vec<&str> = group.members.iter().map(|member| member.instance.as_str()).collect();
        let state = if group.deleting { "Delete in progress" } else { "active" };
        Resource::new("autoScalingGroup", &group.name, state, group.created_at)
            .named(&group.name)
            .tagged(&tags)
            .with("arn", group.arn.as_str())
            .with("min", group.min)
            .with("max", group.max)
            .with("desired", group.desired)
            .with("instances", members)
    };
    state.groups.values().map(row).collect()
}
