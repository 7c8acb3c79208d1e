//! The launch templates of node groups with an image of the user's own: EKS takes an AMI from a launch template only.
//! Made beside the node group and removed after it. A template of the user's own is never touched.
//!
//! Source: <https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html>

use async_trait::async_trait;
use pmks_driver::{
    Asked, DriverError, ErrorKind, Identity, Look, Marks, Result, StageContext, StageSpecification,
};
use pmks_model::{Child, Tags};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::reference::{self, ID};
use super::user_data::user_data;
use super::{Maker, Stage, aim};
use crate::api::ec2::filter;
use crate::api::launch_templates::TemplateData;
use crate::wire::launch_templates as wire;
use crate::{AwsDriver, PROVIDER, convert, networks};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<MakeTemplate>(), Maker::of::<RemoveTemplate>()];

/// What a template is called among what is to go.
pub(super) const CHILD: &str = "launchTemplate";

/// The kind of the stage that makes one.
pub(super) const MADE_BY: &str = "aws.launchTemplate";

/// Which cluster's nodes a template is for, so that the cluster's end finds it even where no node group came to be.
const CLUSTER_TAG: &str = "pmks-cluster";

/// What a node group of an image of the user's own is launched by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Template {
    /// The AMI.
    pub(super) image: String,
    /// The key pair's name at EC2.
    pub(super) key: Option<String>,
    /// The root disk's device and size in GiB, where the user chose a size.
    pub(super) disk: Option<(String, u32)>,
    /// Security groups beside the cluster's own.
    pub(super) security_groups: Vec<String>,
}

/// The name of the stage that makes a node group's template.
pub(super) fn stage_name(node_group: &str) -> String {
    format!("launch template of {node_group}")
}

/// The stage that makes a node group's template. It reads the cluster, which must be active by then.
pub(super) fn stage(
    cluster: &str,
    node_group: &str,
    template: Template,
    tags: &Tags,
    marks: &Marks,
) -> StageSpecification {
    let name = convert::template_name(node_group, marks);
    let mut tags = marks.onto(tags);
    tags.insert(CLUSTER_TAG.to_owned(), cluster.to_owned());
    let make = MakeTemplate { cluster: cluster.to_owned(), name, template, tags, marks: marks.clone() };
    // The client token comes on top: a second template of the name is refused.
    make.specification(stage_name(node_group)).identity(Identity::UniqueName)
}

/// Makes a launch template. Outputs: `{id}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MakeTemplate {
    cluster: String,
    name: String,
    template: Template,
    tags: Tags,
    marks: Marks,
}

#[async_trait]
impl Stage<AwsDriver> for MakeTemplate {
    const KIND: &'static str = MADE_BY;

    async fn look(&self, driver: &AwsDriver, context: &StageContext) -> Result<Look> {
        let found =
            driver.api.describe_launch_templates(&[filter("launch-template-name", &self.name)]).await?;
        Ok(look_at(&found, &self.name, &self.marks, context))
    }

    /// Reads what nodes must know of their cluster, then sends `ec2.CreateLaunchTemplate`.
    async fn ask(&self, driver: &AwsDriver, context: &StageContext) -> Result<Asked> {
        let found = aim::cluster(driver, &self.cluster, "").await?;
        let cluster = found.ok_or_else(|| no_cluster(&self.cluster))?;
        let user_data = user_data(&cluster)?;
        let own = cluster.resources_vpc_config.and_then(|network| network.cluster_security_group_id);
        // EKS adds the cluster's own group only where a template names none.
        let mut security_groups: Vec<String> = own.into_iter().collect();
        security_groups.extend(self.template.security_groups.iter().cloned());
        let data = TemplateData {
            image: &self.template.image,
            key: self.template.key.as_deref(),
            disk: self.template.disk.as_ref().map(|(device, gib)| (device.as_str(), *gib)),
            security_groups: &security_groups,
            user_data: &user_data,
        };
        let made = driver.api.create_launch_template(&self.name, &context.token, &data, &self.tags).await?;
        let id = made.launch_template_id;
        Ok(Asked::accepted().with_system_id(&id).with_incarnation(&id))
    }
}

/// `Precondition` and not `NotFound`: the cluster is not what this stage makes, so looking for that would not help.
fn no_cluster(name: &str) -> DriverError {
    let what = format!("cluster {name:?}, whose nodes the launch template is for, is gone");
    let fix = "create the cluster anew".to_owned();
    DriverError::new(ErrorKind::Precondition { what: what.clone(), fix }, PROVIDER, what)
}

/// What EC2 has named and does not show yet is not absent.
fn look_at(found: &[wire::LaunchTemplate], name: &str, marks: &Marks, context: &StageContext) -> Look {
    match (found.iter().find(|one| one.launch_template_name == name), &context.system_id) {
        (Some(one), _) if networks::is_ours(&one.tag_set, marks) => {
            let id = one.launch_template_id.as_str();
            Look::ready(id, id, json!({ID: id}))
        }
        (Some(one), _) => reference::stranger(&one.launch_template_id, "the launch template", name),
        (None, Some(known)) => Look::Unsure(format!("AWS does not show {known} yet")),
        (None, None) => Look::Absent,
    }
}

/// The template of a node group that this installation made with it, as what is to go; `None`: the node group has none,
/// or one that is not ours. One call where the node group names a template.
pub(super) async fn of_node_group(
    driver: &AwsDriver,
    group: &crate::wire::eks::Nodegroup,
    marks: &Marks,
) -> Result<Option<Child>> {
    let Some(id) = group.launch_template.as_ref().and_then(|template| template.id.as_deref()) else {
        return Ok(None);
    };
    let found = driver.api.launch_template(id).await?;
    Ok(found.filter(|found| made_with(found, group, marks)).map(|found| child(&found)))
}

/// The templates that this installation made for a node group that is gone. One call.
pub(super) async fn of_gone_node_group(
    driver: &AwsDriver,
    cluster: &str,
    group: &str,
    marks: &Marks,
) -> Result<Vec<Child>> {
    let all = of_cluster(driver, cluster, marks).await?;
    Ok(all.into_iter().filter(|found| convert::is_template_name(&found.name, group)).collect())
}

/// Whether this installation made the template for that very node group: all marks of both are the same.
fn made_with(found: &wire::LaunchTemplate, group: &crate::wire::eks::Nodegroup, marks: &Marks) -> bool {
    let tags = found.tag_set.to_tags();
    let [installation, ..] = Marks::KEYS;
    tags.get(installation) == Some(&marks.installation)
        && Marks::KEYS.iter().all(|key| tags.get(*key) == group.tags.get(*key))
}

/// Every template that this installation made for a cluster's nodes, as what is to go. One call.
pub(super) async fn of_cluster(driver: &AwsDriver, cluster: &str, marks: &Marks) -> Result<Vec<Child>> {
    let [installation, ..] = Marks::KEYS;
    let (ours, of) = (format!("tag:{installation}"), format!("tag:{CLUSTER_TAG}"));
    let filters = [filter(&ours, &marks.installation), filter(&of, cluster)];
    Ok(driver.api.describe_launch_templates(&filters).await?.iter().map(child).collect())
}

fn child(found: &wire::LaunchTemplate) -> Child {
    Child {
        kind: CHILD.to_owned(),
        system_id: found.launch_template_id.clone(),
        name: found.launch_template_name.clone(),
        made_by: String::new(),
        goes_with_cluster: false,
    }
}

/// The stage that removes a template.
pub(super) fn removal(template: &Child) -> StageSpecification {
    let remove = RemoveTemplate { id: template.system_id.clone() };
    remove.specification(format!("removal of launch template {}", template.name))
}

/// Removes a launch template by its identifier, which is never given again.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RemoveTemplate {
    id: String,
}

#[async_trait]
impl Stage<AwsDriver> for RemoveTemplate {
    const KIND: &'static str = "aws.launchTemplate.removal";

    async fn look(&self, driver: &AwsDriver, _context: &StageContext) -> Result<Look> {
        let found = driver.api.launch_template(&self.id).await?;
        Ok(found.map_or_else(Look::gone, |_| Look::Absent))
    }

    async fn ask(&self, driver: &AwsDriver, _context: &StageContext) -> Result<Asked> {
        match driver.api.delete_launch_template(&self.id).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(Asked::done(Value::Null)),
        }
    }
}

#[cfg(test)]
#[path = "launch_template_tests.rs"]
mod tests;
