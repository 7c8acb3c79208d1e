//! Machines as the API shows and ends them; how they live is `machines.rs`'s.
//!
//! Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html>.

use super::describe::{Described, Filters, paged};
use super::state::{Instance, State};
use super::{machines, tags};
use crate::auto_scaling;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::query::Query;
use crate::world::Place;
use crate::xml::Xml;

impl Described for Instance {
    const SET: &'static str = "reservationSet";
    const IDS: &'static str = "InstanceId";
    const FILTERS: &'static [&'static str] = &[
        "instance-id",
        "instance-state-name",
        "instance-state-code",
        "vpc-id",
        "subnet-id",
        "instance-type",
        "image-id",
        "key-name",
        "availability-zone",
        "private-ip-address",
        "private-dns-name",
        "instance.group-id",
        "network-interface.network-interface-id",
        "reservation-id",
    ];

    fn values(&self, filter: &str) -> Vec<String> {
        vec![match filter {
            "instance-state-name" => self.state.written().1.to_owned(),
            "instance-state-code" => self.state.written().0.to_string(),
            "vpc-id" => self.vpc.clone(),
            "subnet-id" => self.subnet.clone(),
            "instance-type" => self.machine_type.clone(),
            "image-id" => self.image.clone(),
            "key-name" => self.key_name.clone().unwrap_or_default(),
            "availability-zone" => self.zone.clone(),
            "private-ip-address" => self.private_ip.to_string(),
            "private-dns-name" => self.private_dns(),
            "instance.group-id" => return self.groups.clone(),
            "network-interface.network-interface-id" => self.interface.clone(),
            "reservation-id" => self.reservation_id.clone(),
            _ => self.id.clone(),
        }]
    }

    fn written(&self, state: &State, place: &Place) -> Xml {
        let instance = instance(self, state, place);
        Xml::new()
            .text("reservationId", &self.reservation_id)
            .text("ownerId", &place.account)
            .list("groupSet", "item", [])
            .list("instancesSet", "item", [instance])
            .text("requesterId", "940372691376")
    }
}

impl Instance {
    /// `ip-10-0-1-5.ap-northeast-2.compute.internal`
    pub(crate) fn private_dns(&self) -> String {
        let region = self.zone.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
        let domain = if region == "us-east-1" {
            "ec2.internal".to_owned()
        } else {
            format!("{region}.compute.internal")
        };
        format!("ip-{}.{domain}", self.private_ip.to_string().replace('.', "-"))
    }
}

fn instance(held: &Instance, state: &State, place: &Place) -> Xml {
    let (code, name) = held.state.written();
    let status = Xml::new().text("code", code).text("name", name);
    let groups = || {
        held.groups.iter().map(|id| {
            let name = state.security_groups.get(id).map(|group| group.name.as_str());
            Xml::new().text("groupId", id).maybe("groupName", name)
        })
    };
    let placement = Xml::new().text("availabilityZone", &held.zone).text("tenancy", "default");
    let profile = held.role_arn.replacen(":role/", ":instance-profile/", 1);
    let launched = held.launched.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string();
    let mut xml = Xml::new()
        .text("instanceId", &held.id)
        .text("imageId", &held.image)
        .child("instanceState", &status)
        .text("privateDnsName", held.private_dns())
        .maybe("keyName", held.key_name.as_ref())
        .text("instanceType", &held.machine_type)
        .text("launchTime", &launched)
        .child("placement", &placement)
        .text("architecture", super::machine_types::architecture(&held.machine_type))
        .text("rootDeviceType", "ebs")
        .text("rootDeviceName", "/dev/xvda")
        .text("virtualizationType", "hvm")
        .text("hypervisor", "xen")
        .maybe("instanceLifecycle", held.spot.then_some("spot"));
    // A terminated machine has neither network nor disks any more.
    if name != "terminated" {
        let volume = Xml::new()
            .text("volumeId", &held.volume)
            .text("status", "attached")
            .text("attachTime", &launched)
            .text("deleteOnTermination", true);
        let interface = Xml::new()
            .text("networkInterfaceId", &held.interface)
            .text("subnetId", &held.subnet)
            .text("vpcId", &held.vpc)
            .text("ownerId", &place.account)
            .text("status", "in-use")
            .text("privateIpAddress", held.private_ip)
            .list("groupSet", "item", groups());
        let disk = Xml::new().text("deviceName", "/dev/xvda").child("ebs", &volume);
        xml = xml
            .text("privateIpAddress", held.private_ip)
            .maybe("ipAddress", held.public_ip)
            .text("subnetId", &held.subnet)
            .text("vpcId", &held.vpc)
            .list("groupSet", "item", groups())
            .list("blockDeviceMapping", "item", [disk])
            .list("networkInterfaceSet", "item", [interface])
            .child("iamInstanceProfile", &Xml::new().text("arn", profile));
    }
    xml.and(&tags::written(&held.tags))
}

/// `DescribeInstanceStatus`, of running machines.
pub(super) fn status(context: &Context<'_>, query: &Query) -> Result<Xml> {
    let ids = query.list("InstanceId");
    let all = query.flag("IncludeAllInstances")?.unwrap_or(false);
    let instances = &context.region().ec2.instances;
    if let Some(absent) = ids.iter().find(|id| !instances.contains_key(*id)) {
        return Err(Instance::not_found(absent));
    }
    let filters = Filters::read(query, Instance::FILTERS)?;
    let wanted = instances.values().filter(|one| {
        (ids.is_empty() || ids.contains(&one.id))
            && (all || one.state.written().1 == "running")
            && filters.keep(&one.tags, |filter| one.values(filter))
    });
    let written = wanted.map(|one| {
        let (code, name) = one.state.written();
        let ok = Xml::new().text("status", "ok");
        let xml = Xml::new()
            .text("instanceId", &one.id)
            .text("availabilityZone", &one.zone)
            .child("instanceState", &Xml::new().text("code", code).text("name", name))
            .child("systemStatus", &ok)
            .child("instanceStatus", &ok);
        (one.id.clone(), xml)
    });
    paged(query, "instanceStatusSet", !ids.is_empty(), written.collect())
}

/// `TerminateInstances`; a group that has the machine will make another one.
pub(super) fn terminate(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let ids = query.list("InstanceId");
    if ids.is_empty() {
        return Err(Error::missing("InstanceId"));
    }
    let before: Vec<(u32, &'static str)> = ids
        .iter()
        .map(|id| {
            let held = context.region().ec2.instances.get(id).ok_or_else(|| Instance::not_found(id))?;
            Ok(held.state.written())
        })
        .collect::<Result<_>>()?;
    let (place, now) = (context.place.clone(), context.now);
    let mut changes = Vec::new();
    for (id, (code, name)) in ids.iter().zip(before) {
        machines::terminate(context.world, &place, now, id);
        auto_scaling::instance_terminated(context.world, &place, now, id);
        let (code_now, name_now) =
            context.region().ec2.instances.get(id).map_or((48, "terminated"), |one| one.state.written());
        let change = Xml::new()
            .text("instanceId", id)
            .child("currentState", &Xml::new().text("code", code_now).text("name", name_now))
            .child("previousState", &Xml::new().text("code", code).text("name", name));
        changes.push(change);
    }
    Ok(Xml::new().list("instancesSet", "item", changes))
}
