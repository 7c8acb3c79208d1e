//! A launch template of the user's own, read before a node group is made from it: EKS says what it refuses only once
//! the control plane stands. Never writes.
//!
//! Source: <https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html>

use pmks_driver::Result;

use crate::wire::eks;
use crate::wire::launch_templates::TemplateVersion;
use crate::{AwsDriver, clusters};

/// The version that EKS takes where none is named.
const DEFAULT_VERSION: &str = "$Default";

/// What was found of a template that a request names.
#[derive(Clone, Debug, Default)]
pub(super) enum Given {
    /// None was named, or the endpoint does not tell.
    #[default]
    Unread,
    /// There is no such template, or no such version of it; in EC2's words.
    Missing(String),
    /// The version that EKS would take.
    Read(TemplateVersion),
}

impl Given {
    /// The machine type that the template names.
    pub(super) fn machine_type(&self) -> Option<&str> {
        match self {
            Self::Read(found) => Some(found.launch_template_data.instance_type.as_str()),
            Self::Unread | Self::Missing(_) => None,
        }
        .filter(|name| !name.is_empty())
    }
}

/// Reads the version of a template that EKS would take; one call where a template is named.
pub(super) async fn read(driver: &AwsDriver, template: Option<eks::LaunchTemplate>) -> Result<Given> {
    let Some(eks::LaunchTemplate { id: Some(id), version, .. }) = template else {
        return Ok(Given::Unread);
    };
    let version = version.as_deref().unwrap_or(DEFAULT_VERSION);
    match driver.api.launch_template_version(&id, version).await {
        Ok(Some(found)) => Ok(Given::Read(found)),
        Ok(None) => Ok(Given::Missing(format!("{id} has no version {version}"))),
        Err(error) if error.is_not_found() => Ok(Given::Missing(error.message().to_owned())),
        Err(error) if clusters::is_unsupported(&error) => Ok(Given::Unread),
        Err(error) => Err(error),
    }
}

/// What a template says that EKS takes from the node group alone, or not at all.
///
/// Source: <https://docs.aws.amazon.com/eks/latest/APIReference/API_LaunchTemplateSpecification.html>
pub(super) fn refused(found: &TemplateVersion) -> Vec<&'static str> {
    let data = &found.launch_template_data;
    let profile = data.iam_instance_profile.as_ref();
    let hibernates = data.hibernation_options.as_ref().is_some_and(|options| options.configured);
    [
        (
            profile.is_some_and(|profile| !(profile.arn.is_empty() && profile.name.is_empty())),
            "an instance profile",
        ),
        (
            data.network_interface_set.entries.iter().any(|interface| !interface.subnet_id.is_empty()),
            "a subnet of a network interface",
        ),
        (data.instance_market_options.is_some(), "a request for spot machines"),
        (hibernates, "hibernation"),
        (!data.instance_initiated_shutdown_behavior.is_empty(), "a shutdown behaviour"),
    ]
    .into_iter()
    .filter_map(|(is_said, what)| is_said.then_some(what))
    .collect()
}

/// A template's version, in words.
pub(super) fn says(found: &TemplateVersion) -> String {
    format!("{} version {} ({})", found.launch_template_id, found.version_number, found.launch_template_name)
}
