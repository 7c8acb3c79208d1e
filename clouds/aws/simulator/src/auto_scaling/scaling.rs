//! What a group does by itself: launches what is missing, over its zones evenly, and terminates what is too many.

use std::time::Duration;

use pmks_simulation::Now;

use super::state::{Group, Launch, Lifecycle, Member};
use crate::ec2;
use crate::world::{Place, Tags, World};

/// From a change of the wanted number until the group acts.
const REACTION: Duration = Duration::from_secs(3);
/// From launch to service: the machine runs, its kubelet has registered.
const STARTING: Duration = Duration::from_secs(65);
/// From the decision that a member goes until its machine is told to.
const DRAINING: Duration = Duration::from_secs(30);
/// How long a group waits before it tries again to launch what could not be launched.
const RETRY: Duration = Duration::from_mins(1);

/// Lets the group compare its members with the wanted number soon.
pub(crate) fn check_soon(group: &mut Group, now: Now) {
    let soon = now.work.saturating_add(REACTION);
    group.check_at = Some(group.check_at.map_or(soon, |due| due.min(soon)));
}

/// Does what has fallen due.
pub(super) fn settle(world: &mut World, place: &Place, now: Now) {
    let names: Vec<String> = world.region(place).auto_scaling.groups.keys().cloned().collect();
    for name in names {
        move_members(world, place, now, &name);
        let due = |group: &Group| group.check_at.is_some_and(|due| due <= now.work);
        if world.region(place).auto_scaling.groups.get(&name).is_some_and(due) {
            compare(world, place, now, &name);
        }
    }
}

fn group_mut<'a>(world: &'a mut World, place: &Place, name: &str) -> Option<&'a mut Group> {
    world.region_mut(place).auto_scaling.groups.get_mut(name)
}

/// Pending members come into service; machines of those that go are terminated.
fn move_members(world: &mut World, place: &Place, now: Now, name: &str) {
    let Some(group) = group_mut(world, place, name) else { return };
    let mut gone = Vec::new();
    for member in &mut group.members {
        if member.due.is_none_or(|due| due > now.work) {
            continue;
        }
        member.due = None;
        match member.lifecycle {
            Lifecycle::Pending => {
                member.lifecycle = Lifecycle::InService;
                member.in_service_since = Some(now.wall);
            }
            Lifecycle::Terminating => gone.push(member.instance.clone()),
            Lifecycle::InService => {}
        }
    }
    group.members.retain(|member| !gone.contains(&member.instance));
    for instance in gone {
        ec2::machines::terminate(world, place, now, &instance);
    }
}

/// Launches what is missing, lets go what is too many.
fn compare(world: &mut World, place: &Place, now: Now, name: &str) {
    let Some(group) = group_mut(world, place, name) else { return };
    group.check_at = None;
    let wanted = usize::try_from(group.desired).unwrap_or_default();
    let present = group.active().count();
    if present > wanted {
        let victims = victims(group, present - wanted);
        for instance in victims {
            let_go(group, &instance, now);
        }
    }
    for _ in present..wanted {
        if !launch(world, place, now, name) {
            break;
        }
    }
}

/// The members to let go: of an old release first, then from the fullest zone, then the oldest.
///
/// Source: <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-termination-policies.html>.
fn victims(group: &Group, number: usize) -> Vec<String> {
    let mut left: Vec<&Member> = group.active().collect();
    let mut chosen = Vec::new();
    for _ in 0..number {
        let load = |member: &Member| left.iter().filter(|other| other.zone == member.zone).count();
        let newest = group.launch.release.as_str();
        let oldest = left
            .iter()
            .enumerate()
            .min_by_key(|(age, member)| (member.release == newest, std::cmp::Reverse(load(member)), *age));
        let Some((at, member)) = oldest else { break };
        chosen.push(member.instance.clone());
        left.remove(at);
    }
    chosen
}

fn let_go(group: &mut Group, instance: &str, now: Now) {
    let members = group.members.iter_mut().filter(|member| member.instance == instance);
    for member in members.filter(|member| member.lifecycle != Lifecycle::Terminating) {
        member.lifecycle = Lifecycle::Terminating;
        member.due = Some(now.work.saturating_add(DRAINING));
    }
}

/// Lets one member go; the group will launch another one if it is then short of members.
pub(crate) fn terminate_member(group: &mut Group, instance: &str, now: Now) {
    let_go(group, instance, now);
    check_soon(group, now);
}

/// A machine was terminated by somebody else: its group forgets it and will replace it.
pub(crate) fn instance_terminated(world: &mut World, place: &Place, now: Now, instance: &str) {
    for group in world.region_mut(place).auto_scaling.groups.values_mut() {
        let before = group.members.len();
        group.members.retain(|member| member.instance != instance);
        if group.members.len() < before {
            check_soon(group, now);
        }
    }
}

/// Launches one machine in the subnet that has the fewest; false when it cannot.
fn launch(world: &mut World, place: &Place, now: Now, name: &str) -> bool {
    let Some(group) = group_mut(world, place, name) else { return false };
    let (launch, tags) = (group.launch.clone(), machine_tags(group));
    let mut subnets = group.subnets.clone();
    let load = |zone: &str| group.active().filter(|member| member.zone == zone).count();
    subnets.sort_by_key(|(_, zone)| load(zone));
    let no_capacity = group.no_capacity;
    let launched = if no_capacity {
        Err(insufficient(&launch, &subnets))
    } else {
        first_that_works(world, place, now, &launch, &tags, &subnets)
    };
    let jitter = Duration::from_secs(world.random.below(15));
    let Some(group) = group_mut(world, place, name) else { return false };
    match launched {
        Ok((instance, zone)) => {
            group.last_failure = None;
            group.members.push(Member {
                instance,
                instance_type: launch.instance_types.first().cloned().unwrap_or_default(),
                zone,
                template_version: launch.template_version,
                release: launch.release,
                lifecycle: Lifecycle::Pending,
                due: Some(now.work.saturating_add(STARTING).saturating_add(jitter)),
                in_service_since: None,
            });
            true
        }
        Err(failure) => {
            group.last_failure = Some(failure);
            group.check_at = Some(now.work.saturating_add(RETRY));
            false
        }
    }
}

/// Source of the words: <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ts-as-capacity.html>.
fn insufficient(launch: &Launch, subnets: &[(String, String)]) -> String {
    let kind = launch.instance_types.first().map(String::as_str).unwrap_or_default();
    let zone = subnets.first().map(|(_, zone)| zone.as_str()).unwrap_or_default();
    format!(
        "Could not launch On-Demand Instances. InsufficientInstanceCapacity - We currently do not have sufficient \
         {kind} capacity in the Availability Zone you requested ({zone}). Our system will be working on \
         provisioning additional capacity. Launching EC2 instance failed."
    )
}

fn first_that_works(
    world: &mut World,
    place: &Place,
    now: Now,
    launch: &Launch,
    tags: &Tags,
    subnets: &[(String, String)],
) -> Result<(String, String), String> {
    let mut failure = "The group has no subnets.".to_owned();
    for (subnet, zone) in subnets {
        let wish = ec2::machines::Wish {
            subnet,
            instance_type: launch.instance_types.first().map(String::as_str).unwrap_or_default(),
            image: &launch.image,
            key: launch.key.as_deref(),
            security_groups: &launch.security_groups,
            disk_gib: launch.disk_gib,
            role_arn: &launch.role_arn,
            spot: launch.spot,
            tags,
        };
        match ec2::machines::launch(world, place, now, &wish) {
            Ok(instance) => return Ok((instance, zone.clone())),
            Err(error) => failure = format!("{}. Launching EC2 instance failed.", error.message),
        }
    }
    Err(failure)
}

/// The tags of a new machine: the template's, those that the group propagates, and Auto Scaling's own.
fn machine_tags(group: &Group) -> Tags {
    let propagated = group.tags.iter().filter(|(_, tag)| tag.propagate);
    let mut tags: Tags = propagated.map(|(key, tag)| (key.clone(), tag.value.clone())).collect();
    tags.extend(group.launch.tags.clone());
    tags.insert("aws:autoscaling:groupName".to_owned(), group.name.clone());
    tags.insert("aws:ec2launchtemplate:id".to_owned(), group.launch.template_id.clone());
    tags.insert("aws:ec2launchtemplate:version".to_owned(), group.launch.template_version.clone());
    tags
}
