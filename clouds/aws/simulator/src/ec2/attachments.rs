//! Network interfaces and disks: listed and, when nothing has them, deleted.
//!
//! Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteNetworkInterface.html>.

use super::describe::Described;
use super::state::{NetworkInterface, State, Volume};
use super::tags;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::query::Query;
use crate::world::Place;
use crate::xml::Xml;

impl Described for NetworkInterface {
    const SET: &'static str = "networkInterfaceSet";
    const IDS: &'static str = "NetworkInterfaceId";
    const FILTERS: &'static [&'static str] = &[
        "network-interface-id",
        "vpc-id",
        "subnet-id",
        "group-id",
        "description",
        "status",
        "availability-zone",
        "attachment.instance-id",
        "attachment.attachment-id",
        "interface-type",
        "requester-id",
        "requester-managed",
        "private-ip-address",
    ];

    fn values(&self, filter: &str) -> Vec<String> {
        let attached = self.attached.iter();
        vec![match filter {
            "vpc-id" => self.vpc.clone(),
            "subnet-id" => self.subnet.clone(),
            "group-id" => return self.groups.clone(),
            "description" => self.description.clone(),
            "status" => self.status().to_owned(),
            "availability-zone" => self.zone.clone(),
            "attachment.instance-id" => return attached.filter_map(|one| one.instance.clone()).collect(),
            "attachment.attachment-id" => return attached.map(|one| one.id.clone()).collect(),
            "interface-type" => self.kind.clone(),
            "requester-id" => return self.requester.iter().cloned().collect(),
            "requester-managed" => self.requester.is_some().to_string(),
            "private-ip-address" => self.private_ip.to_string(),
            _ => self.id.clone(),
        }]
    }

    fn written(&self, state: &State, place: &Place) -> Xml {
        let groups = self.groups.iter().map(|id| {
            let name = state.security_groups.get(id).map(|group| group.name.as_str());
            Xml::new().text("groupId", id).maybe("groupName", name)
        });
        let address = Xml::new().text("privateIpAddress", self.private_ip).text("primary", true);
        let mut xml = Xml::new()
            .text("networkInterfaceId", &self.id)
            .text("subnetId", &self.subnet)
            .text("vpcId", &self.vpc)
            .text("availabilityZone", &self.zone)
            .text("description", &self.description)
            .text("ownerId", &place.account)
            .maybe("requesterId", self.requester.as_ref())
            .text("requesterManaged", self.requester.is_some())
            .text("status", self.status())
            .text("interfaceType", &self.kind)
            .text("privateIpAddress", self.private_ip)
            .text("sourceDestCheck", true)
            .list("groupSet", "item", groups)
            .list("privateIpAddressesSet", "item", [address]);
        if let Some(attached) = &self.attached {
            let attachment = Xml::new()
                .text("attachmentId", &attached.id)
                .maybe("instanceId", attached.instance.as_ref())
                .text("instanceOwnerId", self.requester.as_deref().unwrap_or(&place.account))
                .text("deviceIndex", u8::from(attached.instance.is_none()))
                .text("status", "attached")
                .text("deleteOnTermination", attached.instance.is_some());
            xml = xml.child("attachment", &attachment);
        }
        xml.and(&tags::written(&self.tags))
    }
}

/// `DeleteNetworkInterface`: not of one that is attached, or that a service manages.
pub(super) fn delete_interface(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let id = query.required("NetworkInterfaceId")?;
    let interfaces = &mut context.region_mut().ec2.network_interfaces;
    let interface = interfaces.get(id).ok_or_else(|| NetworkInterface::not_found(id))?;
    if interface.attached.is_some() {
        let message = format!("Network interface '{id}' is currently in use.");
        return Err(Error::bad("InvalidParameterValue", message));
    }
    if interface.requester.is_some() {
        let message = "You do not have permission to access the specified resource.";
        return Err(Error::new(403, "AuthFailure", message));
    }
    interfaces.remove(id);
    Ok(Xml::new().text("return", true))
}

impl Described for Volume {
    const SET: &'static str = "volumeSet";
    const IDS: &'static str = "VolumeId";
    const FILTERS: &'static [&'static str] =
        &["volume-id", "status", "availability-zone", "attachment.instance-id", "volume-type", "size"];

    fn not_found(id: &str) -> Error {
        Error::bad("InvalidVolume.NotFound", format!("The volume '{id}' does not exist."))
    }

    fn values(&self, filter: &str) -> Vec<String> {
        vec![match filter {
            "status" => self.status().to_owned(),
            "availability-zone" => self.zone.clone(),
            "attachment.instance-id" => return self.instance.iter().cloned().collect(),
            "volume-type" => self.kind.clone(),
            "size" => self.size_gib.to_string(),
            _ => self.id.clone(),
        }]
    }

    fn written(&self, _: &State, _: &Place) -> Xml {
        let created = self.created.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
        let attachments = self.instance.iter().map(|instance| {
            Xml::new()
                .text("volumeId", &self.id)
                .text("instanceId", instance)
                .text("device", "/dev/xvda")
                .text("status", "attached")
                .text("attachTime", &created)
                .text("deleteOnTermination", true)
        });
        Xml::new()
            .text("volumeId", &self.id)
            .text("size", self.size_gib)
            .text("availabilityZone", &self.zone)
            .text("status", self.status())
            .text("createTime", &created)
            .text("volumeType", &self.kind)
            .text("encrypted", false)
            .list("attachmentSet", "item", attachments)
            .and(&tags::written(&self.tags))
    }
}

/// `DeleteVolume`
pub(super) fn delete_volume(context: &mut Context<'_>, query: &Query) -> Result<Xml> {
    let id = query.required("VolumeId")?;
    let volumes = &mut context.region_mut().ec2.volumes;
    let volume = volumes.get(id).ok_or_else(|| Volume::not_found(id))?;
    if let Some(instance) = &volume.instance {
        let message = format!("Volume {id} is currently attached to {instance}");
        return Err(Error::bad("VolumeInUse", message));
    }
    volumes.remove(id);
    Ok(Xml::new().text("return", true))
}
