//! What somebody else does to networks and what lies in them. An identifier is given once: what stands in the place of
//! another thing has its name alone.

use pmks_simulation::{Deed, DeedEvent, Now, StateError};

use super::state::{KeyPair, NetworkInterface, Peer, SecurityGroup, Subnet, Vpc};
use super::vpcs;
use crate::others::{change, replaces, strangers_tags};
use crate::world::{Place, World};

type Done = Result<Option<String>, StateError>;

/// Networks: they go with what lies in them, unless a machine or a cluster does.
pub(crate) fn to_vpc(world: &mut World, place: &Place, event: &DeedEvent, now: Now) -> Done {
    let id = &event.id;
    let ec2 = &mut world.region_mut(place).ec2;
    let Some(vpc) = ec2.vpcs.get_mut(id) else { return Ok(None) };
    if event.deed == Deed::IsChanged {
        change(&mut vpc.tags);
        return Ok(Some(id.clone()));
    }
    let vpc = vpc.clone();
    refuse_used(world, place, event, |interface| interface.vpc == *id)?;
    let ec2 = &mut world.region_mut(place).ec2;
    ec2.vpcs.remove(id);
    ec2.subnets.retain(|_, subnet| subnet.vpc != *id);
    ec2.internet_gateways.retain(|_, gateway| gateway.vpc.as_ref() != Some(id));
    ec2.route_tables.retain(|_, table| table.vpc != *id);
    ec2.security_groups.retain(|_, group| group.vpc != *id);
    if !replaces(event) {
        return Ok(Some(id.clone()));
    }
    let new = world.new_id("vpc");
    let association_id = world.new_id("vpc-cidr-assoc");
    let tags = strangers_tags(&vpc.tags);
    let other = Vpc { id: new.clone(), association_id, tags, created: now.wall, ..vpc };
    vpcs::add_what_comes_with(world, place, now, &other);
    world.region_mut(place).ec2.vpcs.insert(new.clone(), other);
    Ok(Some(new))
}

/// Subnets.
pub(crate) fn to_subnet(world: &mut World, place: &Place, event: &DeedEvent, now: Now) -> Done {
    let id = &event.id;
    let Some(subnet) = world.region_mut(place).ec2.subnets.get_mut(id) else { return Ok(None) };
    if event.deed == Deed::IsChanged {
        change(&mut subnet.tags);
        return Ok(Some(id.clone()));
    }
    let subnet = subnet.clone();
    refuse_used(world, place, event, |interface| interface.subnet == *id)?;
    let ec2 = &mut world.region_mut(place).ec2;
    ec2.subnets.remove(id);
    for table in ec2.route_tables.values_mut() {
        table.associations.retain(|association| association.subnet.as_ref() != Some(id));
    }
    if !replaces(event) {
        return Ok(Some(id.clone()));
    }
    let new = world.new_id("subnet");
    let tags = strangers_tags(&subnet.tags);
    let other = Subnet { id: new.clone(), tags, created: now.wall, ..subnet };
    world.region_mut(place).ec2.subnets.insert(new.clone(), other);
    Ok(Some(new))
}

/// Security groups.
pub(crate) fn to_security_group(world: &mut World, place: &Place, event: &DeedEvent, now: Now) -> Done {
    let id = &event.id;
    let Some(group) = world.region_mut(place).ec2.security_groups.get_mut(id) else { return Ok(None) };
    if event.deed == Deed::IsChanged {
        change(&mut group.tags);
        return Ok(Some(id.clone()));
    }
    let group = group.clone();
    refuse_used(world, place, event, |interface| interface.groups.contains(id))?;
    let groups = &mut world.region_mut(place).ec2.security_groups;
    groups.remove(id);
    for other in groups.values_mut() {
        other.rules.retain(|rule| rule.peer != Peer::Group(id.clone()));
    }
    if !replaces(event) {
        return Ok(Some(id.clone()));
    }
    let new = world.new_id("sg");
    let other = SecurityGroup {
        id: new.clone(),
        description: "of somebody else".to_owned(),
        rules: Vec::new(),
        tags: strangers_tags(&group.tags),
        created: now.wall,
        ..group
    };
    world.region_mut(place).ec2.security_groups.insert(new.clone(), other);
    Ok(Some(new))
}

/// Key pairs, which nothing needs once machines are made.
pub(crate) fn to_key_pair(world: &mut World, place: &Place, event: &DeedEvent, now: Now) -> Option<String> {
    let pair = world.region_mut(place).ec2.key_pairs.get_mut(&event.id)?;
    if event.deed == Deed::IsChanged {
        change(&mut pair.tags);
        return Some(event.id.clone());
    }
    let pair = world.region_mut(place).ec2.key_pairs.remove(&event.id)?;
    if !replaces(event) {
        return Some(event.id.clone());
    }
    let new = world.new_id("key");
    let tags = strangers_tags(&pair.tags);
    let fingerprint = pair.fingerprint.chars().rev().collect();
    let other = KeyPair { id: new.clone(), fingerprint, tags, created: now.wall, ..pair };
    world.region_mut(place).ec2.key_pairs.insert(new.clone(), other);
    Some(new)
}

fn refuse_used(
    world: &World,
    place: &Place,
    event: &DeedEvent,
    uses: impl Fn(&NetworkInterface) -> bool,
) -> Result<(), StateError> {
    let is_used = world.region(place).ec2.network_interfaces.values().any(uses);
    if is_used { Err(event.is_in_use()) } else { Ok(()) }
}
