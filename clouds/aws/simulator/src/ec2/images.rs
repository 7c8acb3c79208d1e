//! Machine images: those that AWS makes for EKS. Accounts have none of their own here; these serve as such by their
//! identifiers.
//!
//! Source of the names: <https://docs.aws.amazon.com/eks/latest/userguide/eks-ami-versions-al2023.html>.

use sha2::{Digest, Sha256};

use super::describe::{Filters, paged};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::query::Query;
use crate::world::Tags;
use crate::xml::Xml;

/// The account that publishes EKS' images.
const OWNER: &str = "602401143452";
const RELEASE: &str = "v20261101";
/// What each is made from.
const ROOT_DISK_GIB: u32 = 20;
const MINORS: std::ops::RangeInclusive<u32> = 29..=36;

/// An image.
struct Image {
    id: String,
    name: String,
    architecture: &'static str,
}

/// The id of the image of this name in a region: the same in every world, as with the real ones.
pub(crate) fn image_id(region: &str, name: &str) -> String {
    let digest = Sha256::digest(format!("{region}/{name}").as_bytes());
    let number = digest.iter().take(8).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    format!("ami-0{number:016x}")
}

/// The name of EKS' AL2023 image for a Kubernetes minor version.
pub(crate) fn al2023_name(architecture: &str, minor: u32) -> String {
    format!("amazon-eks-node-al2023-{architecture}-standard-1.{minor}-{RELEASE}")
}

/// Whether there is such an image in a region.
pub(crate) fn exists(region: &str, id: &str) -> bool {
    images(region).iter().any(|image| image.id == id)
}

fn images(region: &str) -> Vec<Image> {
    let of = |minor| ["x86_64", "arm64"].map(|architecture| (minor, architecture));
    let named = MINORS.flat_map(of).map(|(minor, architecture)| {
        let name = al2023_name(architecture, minor);
        Image { id: image_id(region, &name), name, architecture }
    });
    named.collect()
}

/// `DescribeImages`
pub(super) fn describe(context: &Context<'_>, query: &Query) -> Result<Xml> {
    let ids = query.list("ImageId");
    let owners = query.list("Owner");
    let all = images(&context.place.region);
    if let Some(absent) = ids.iter().find(|id| !all.iter().any(|image| image.id == **id)) {
        return Err(Error::bad("InvalidAMIID.NotFound", format!("The image id '[{absent}]' does not exist")));
    }
    let filters = Filters::read(
        query,
        &[
            "image-id",
            "name",
            "architecture",
            "state",
            "owner-id",
            "owner-alias",
            "root-device-type",
            "virtualization-type",
            "image-type",
            "is-public",
        ],
    )?;
    let ours = owners.is_empty() || owners.iter().any(|owner| owner == "amazon" || owner == OWNER);
    let wanted = all.into_iter().filter(|image| {
        ours && (ids.is_empty() || ids.contains(&image.id))
            && filters.keep(&Tags::new(), |filter| {
                vec![match filter {
                    "image-id" => image.id.clone(),
                    "name" => image.name.clone(),
                    "architecture" => image.architecture.to_owned(),
                    "state" => "available".to_owned(),
                    "owner-id" => OWNER.to_owned(),
                    "owner-alias" => "amazon".to_owned(),
                    "root-device-type" => "ebs".to_owned(),
                    "virtualization-type" => "hvm".to_owned(),
                    "image-type" => "machine".to_owned(),
                    _ => "true".to_owned(),
                }]
            })
    });
    paged(
        query,
        "imagesSet",
        !ids.is_empty(),
        wanted.map(|image| (image.id.clone(), written(&image))).collect(),
    )
}

fn written(image: &Image) -> Xml {
    let volume = Xml::new().text("volumeSize", ROOT_DISK_GIB).text("volumeType", "gp3");
    let root = Xml::new().text("deviceName", "/dev/xvda").child("ebs", &volume);
    Xml::new()
        .text("imageId", &image.id)
        .text("imageLocation", format!("amazon/{}", image.name))
        .text("imageState", "available")
        .text("imageOwnerId", OWNER)
        .text("imageOwnerAlias", "amazon")
        .text("isPublic", true)
        .text("architecture", image.architecture)
        .text("imageType", "machine")
        .text("name", &image.name)
        .text("description", "EKS-optimized Kubernetes node based on Amazon Linux 2023")
        .text("rootDeviceType", "ebs")
        .text("rootDeviceName", "/dev/xvda")
        .text("virtualizationType", "hvm")
        .text("hypervisor", "xen")
        .text("creationDate", "2026-11-01T00:00:00.000Z")
        .list("blockDeviceMapping", "item", [root])
}
