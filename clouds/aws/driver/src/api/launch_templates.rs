//! EC2's calls about images and launch templates, one function each.
//!
//! Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Welcome.html>.

use std::collections::BTreeMap;

use pmks_driver::{Effect, Result};

use super::Api;
use super::ec2::{Filters, all_pages, read, write};
use crate::wire::launch_templates as wire;

/// How far the answers of an instance's metadata service may travel: one step more than EC2's own default, so that
/// they reach containers. EKS gives its own templates the same.
///
/// Source: <https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html>
const METADATA_HOPS: &str = "2";

/// What a launch template says of its machines.
#[derive(Clone, Debug, Default)]
pub(crate) struct TemplateData<'a> {
    /// The image.
    pub(crate) image: &'a str,
    /// The key pair's name.
    pub(crate) key: Option<&'a str>,
    /// The root disk: its device, and its size in GiB.
    pub(crate) disk: Option<(&'a str, u32)>,
    /// The machines' security groups.
    pub(crate) security_groups: &'a [String],
    /// What a machine does first, in base64.
    pub(crate) user_data: &'a str,
}

impl Api {
    /// The images that match, of those that this account may use.
    pub(crate) async fn describe_images(&self, filters: Filters<'_>) -> Result<Vec<wire::Image>> {
        let query = read("ec2.DescribeImages").filters(filters);
        all_pages!(self, query, wire::DescribeImages, images_set)
    }

    /// The launch templates that match.
    pub(crate) async fn describe_launch_templates(
        &self,
        filters: Filters<'_>,
    ) -> Result<Vec<wire::LaunchTemplate>> {
        let query = read("ec2.DescribeLaunchTemplates").filters(filters);
        all_pages!(self, query, wire::DescribeLaunchTemplates, launch_templates)
    }

    /// One launch template; `None`: it is gone.
    pub(crate) async fn launch_template(&self, id: &str) -> Result<Option<wire::LaunchTemplate>> {
        let query = read("ec2.DescribeLaunchTemplates").list("LaunchTemplateId", [id]);
        match self.query::<wire::DescribeLaunchTemplates>(query).await {
            Ok(answer) => Ok(answer.launch_templates.entries.into_iter().next()),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// One version of a launch template: its number, `$Default` or `$Latest`.
    ///
    /// # Errors
    /// `NotFound` where there is no such template, or no such version of it.
    pub(crate) async fn launch_template_version(
        &self,
        id: &str,
        version: &str,
    ) -> Result<Option<wire::TemplateVersion>> {
        let query = read("ec2.DescribeLaunchTemplateVersions")
            .field("LaunchTemplateId", id)
            .list("LaunchTemplateVersion", [version]);
        let answer: wire::DescribeLaunchTemplateVersions = self.query(query).await?;
        Ok(answer.launch_template_version_set.entries.into_iter().next())
    }

    /// Makes a launch template; with the same token the same one, and its name is unique in the region.
    pub(crate) async fn create_launch_template(
        &self,
        name: &str,
        token: &str,
        data: &TemplateData<'_>,
        tags: &BTreeMap<String, String>,
    ) -> Result<wire::LaunchTemplate> {
        let mut query = write("ec2.CreateLaunchTemplate", Effect::Idempotent)
            .field("LaunchTemplateName", name)
            .field("ClientToken", token)
            .field("LaunchTemplateData.ImageId", data.image)
            .field("LaunchTemplateData.UserData", data.user_data)
            .field("LaunchTemplateData.MetadataOptions.HttpPutResponseHopLimit", METADATA_HOPS)
            .field_some("LaunchTemplateData.KeyName", data.key)
            .list("LaunchTemplateData.SecurityGroupId", data.security_groups)
            .tag_specification("launch-template", tags);
        if let Some((device, gib)) = data.disk {
            let disk = "LaunchTemplateData.BlockDeviceMapping.1";
            query = query
                .field(format!("{disk}.DeviceName"), device)
                .field(format!("{disk}.Ebs.VolumeSize"), gib.to_string());
        }
        self.query(query).await.map(|answer: wire::CreateLaunchTemplate| answer.launch_template)
    }

    /// Deletes a launch template with all its versions. Machines that it started go on.
    pub(crate) async fn delete_launch_template(&self, id: &str) -> Result<()> {
        self.done(write("ec2.DeleteLaunchTemplate", Effect::Idempotent).field("LaunchTemplateId", id)).await
    }
}
