//! Machines and what comes with each: a network interface and a root disk. They start and end in work time.
//!
//! Made for Auto Scaling and by nobody else: the simulation has no `RunInstances`.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use pmks_simulation::Now;

use super::state::{Attached, Instance, InstanceState, NetworkInterface, State, Volume};
use crate::error::{Error, Result};
use crate::world::{Place, Tags, World};

/// From `pending` to `running`.
const STARTS_AFTER: Duration = Duration::from_secs(20);
/// From `shutting-down` to `terminated`.
const ENDS_AFTER: Duration = Duration::from_secs(40);
/// How long a terminated machine is still shown.
const SHOWN_FOR: Duration = Duration::from_hours(1);

/// How many addresses AWS keeps at the beginning and at the end of a subnet.
///
/// Source: <https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html>.
const KEPT_BY_AWS: (u64, u64) = (4, 1);

/// What one machine is made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish<'a> {
    /// The subnet's id.
    pub(crate) subnet: &'a str,
    /// The machine type.
    pub(crate) instance_type: &'a str,
    /// The image's id.
    pub(crate) image: &'a str,
    /// The key pair's name.
    pub(crate) key: Option<&'a str>,
    /// Ids of security groups.
    pub(crate) security_groups: &'a [String],
    /// Size of the root disk.
    pub(crate) disk_gib: i64,
    /// The role that its instance profile carries.
    pub(crate) role_arn: &'a str,
    /// Whether it is a spot instance.
    pub(crate) spot: bool,
    /// Of the machine, its disk and its interface.
    pub(crate) tags: &'a Tags,
}

/// Launches one machine and answers its id.
///
/// # Errors
/// What EC2 would say: an unknown subnet or group, or no free address.
pub(crate) fn launch(world: &mut World, place: &Place, now: Now, wish: &Wish<'_>) -> Result<String> {
    let ec2 = &world.region(place).ec2;
    if let Some(missing) = wish.security_groups.iter().find(|group| !ec2.security_groups.contains_key(*group))
    {
        return Err(Error::bad(
            "InvalidGroup.NotFound",
            format!("The security group '{missing}' does not exist"),
        ));
    }
    let id = world.new_id("i");
    let reservation_id = world.new_id("r");
    let attachment = world.new_id("eni-attach");
    let volume_id = world.new_id("vol");
    let public = Ipv4Addr::new(3, 34, low_byte(&mut world.random), low_byte(&mut world.random));
    let interface = add_interface(world, place, wish.subnet, now, |interface| {
        interface.groups = wish.security_groups.to_vec();
        interface.tags.clone_from(wish.tags);
        interface.attached = Some(Attached { id: attachment, instance: Some(id.clone()) });
    })?;
    let ec2 = &mut world.region_mut(place).ec2;
    let maps_public = ec2.subnets.get(wish.subnet).is_some_and(|subnet| subnet.map_public_ip);
    let volume = Volume {
        id: volume_id.clone(),
        zone: interface.zone.clone(),
        size_gib: wish.disk_gib,
        kind: "gp3".to_owned(),
        instance: Some(id.clone()),
        tags: wish.tags.clone(),
        created: now.wall,
    };
    ec2.volumes.insert(volume_id.clone(), volume);
    let instance = Instance {
        id: id.clone(),
        reservation_id,
        state: InstanceState::Pending,
        due: Some(now.work.saturating_add(STARTS_AFTER)),
        machine_type: wish.instance_type.to_owned(),
        image: wish.image.to_owned(),
        subnet: wish.subnet.to_owned(),
        vpc: interface.vpc,
        zone: interface.zone,
        private_ip: interface.private_ip,
        public_ip: maps_public.then_some(public),
        key_name: wish.key.map(str::to_owned),
        groups: wish.security_groups.to_vec(),
        interface: interface.id,
        volume: volume_id,
        role_arn: wish.role_arn.to_owned(),
        spot: wish.spot,
        tags: wish.tags.clone(),
        launched: now.wall,
    };
    ec2.instances.insert(id.clone(), instance);
    Ok(id)
}

/// Makes a network interface in a subnet; `describe` says what it is for.
///
/// # Errors
/// `InvalidSubnetID.NotFound`, `InsufficientFreeAddressesInSubnet`.
pub(crate) fn add_interface(
    world: &mut World,
    place: &Place,
    subnet: &str,
    now: Now,
    describe: impl FnOnce(&mut NetworkInterface),
) -> Result<NetworkInterface> {
    let id = world.new_id("eni");
    let ec2 = &mut world.region_mut(place).ec2;
    let missing =
        || Error::bad("InvalidSubnetID.NotFound", format!("The subnet ID '{subnet}' does not exist"));
    let held = ec2.subnets.get(subnet).ok_or_else(missing)?;
    let used: BTreeSet<Ipv4Addr> = ec2.used_addresses(subnet).collect();
    let private_ip = held
        .cidr
        .usable(KEPT_BY_AWS.0, KEPT_BY_AWS.1)
        .find(|address| !used.contains(address))
        .ok_or_else(|| {
        let message =
            format!("There are not enough free addresses in subnet '{subnet}' to satisfy the request.");
        Error::bad("InsufficientFreeAddressesInSubnet", message)
    })?;
    let mut interface = NetworkInterface {
        id: id.clone(),
        subnet: subnet.to_owned(),
        vpc: held.vpc.clone(),
        zone: held.zone.clone(),
        private_ip,
        groups: Vec::new(),
        description: String::new(),
        kind: "interface".to_owned(),
        requester: None,
        attached: None,
        tags: Tags::new(),
        created: now.wall,
    };
    describe(&mut interface);
    ec2.network_interfaces.insert(id, interface.clone());
    Ok(interface)
}

/// Begins to end a machine; an unknown one, or one that ends already, is left alone.
pub(crate) fn terminate(world: &mut World, place: &Place, now: Now, id: &str) {
    if let Some(instance) = world.region_mut(place).ec2.instances.get_mut(id)
        && matches!(instance.state, InstanceState::Pending | InstanceState::Running)
    {
        instance.state = InstanceState::ShuttingDown;
        instance.due = Some(now.work.saturating_add(ENDS_AFTER));
    }
}

/// Moves every machine on whose time has come.
pub(crate) fn settle(world: &mut World, place: &Place, now: Now) {
    let ec2 = &mut world.region_mut(place).ec2;
    let due = |instance: &&mut Instance| instance.due.is_some_and(|due| due <= now.work);
    let mut ended = Vec::new();
    let mut forgotten = Vec::new();
    for instance in ec2.instances.values_mut().filter(due) {
        match instance.state {
            InstanceState::Pending => {
                instance.state = InstanceState::Running;
                instance.due = None;
            }
            InstanceState::Running => instance.due = None,
            InstanceState::ShuttingDown => {
                instance.state = InstanceState::Terminated;
                instance.due = Some(now.work.saturating_add(SHOWN_FOR));
                ended.push((instance.interface.clone(), instance.volume.clone()));
            }
            InstanceState::Terminated => forgotten.push(instance.id.clone()),
        }
    }
    for (interface, volume) in ended {
        ec2.network_interfaces.remove(&interface);
        ec2.volumes.remove(&volume);
    }
    for id in forgotten {
        ec2.instances.remove(&id);
    }
}

/// When the next machine moves on.
pub(crate) fn next_due(state: &State) -> Option<Duration> {
    state.instances.values().filter_map(|instance| instance.due).min()
}

fn low_byte(random: &mut pmks_simulation::Random) -> u8 {
    u8::try_from(random.below(256)).unwrap_or(0)
}
