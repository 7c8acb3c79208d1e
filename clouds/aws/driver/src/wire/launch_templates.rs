//! What EC2 answers about images and launch templates, as its XML says it: only the fields that we use.
//!
//! Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Welcome.html>.

#![expect(clippy::struct_field_names, reason = "the names are EC2's own")]

use serde::Deserialize;

use crate::query::{List, Tag};

/// A machine image.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Image {
    pub(crate) image_id: String,
    pub(crate) name: String,
    pub(crate) image_state: String,
    pub(crate) architecture: String,
    /// `windows`, or nothing.
    pub(crate) platform: String,
    pub(crate) root_device_name: String,
    pub(crate) block_device_mapping: List<BlockDevice>,
}

impl Image {
    /// The size of the disk that it starts from, in GiB, where it says one: nodes' disks are not smaller.
    pub(crate) fn root_disk_gib(&self) -> Option<u32> {
        let root =
            self.block_device_mapping.entries.iter().find(|one| one.device_name == self.root_device_name);
        root.and_then(|root| root.ebs.volume_size)
    }
}

/// A disk of an image.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct BlockDevice {
    pub(crate) device_name: String,
    pub(crate) ebs: Ebs,
}

/// The volume that a disk is made as.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Ebs {
    pub(crate) volume_size: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DescribeImages {
    pub(crate) images_set: List<Image>,
    pub(crate) next_token: Option<String>,
}

/// A launch template.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct LaunchTemplate {
    pub(crate) launch_template_id: String,
    pub(crate) launch_template_name: String,
    pub(crate) tag_set: List<Tag>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct CreateLaunchTemplate {
    pub(crate) launch_template: LaunchTemplate,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DescribeLaunchTemplates {
    pub(crate) launch_templates: List<LaunchTemplate>,
    pub(crate) next_token: Option<String>,
}

/// A version of a launch template.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct TemplateVersion {
    pub(crate) launch_template_id: String,
    pub(crate) launch_template_name: String,
    pub(crate) version_number: u64,
    pub(crate) launch_template_data: TemplateData,
}

/// What it says of machines, as far as EKS minds it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct TemplateData {
    pub(crate) image_id: String,
    pub(crate) instance_type: String,
    pub(crate) iam_instance_profile: Option<InstanceProfile>,
    pub(crate) instance_market_options: Option<MarketOptions>,
    pub(crate) hibernation_options: Option<HibernationOptions>,
    pub(crate) instance_initiated_shutdown_behavior: String,
    pub(crate) network_interface_set: List<TemplateInterface>,
}

/// Which role machines have.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct InstanceProfile {
    pub(crate) arn: String,
    pub(crate) name: String,
}

/// How machines are bought.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct MarketOptions {}

/// Whether machines hibernate.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct HibernationOptions {
    pub(crate) configured: bool,
}

/// A network interface of machines.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct TemplateInterface {
    pub(crate) subnet_id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DescribeLaunchTemplateVersions {
    pub(crate) launch_template_version_set: List<TemplateVersion>,
}
