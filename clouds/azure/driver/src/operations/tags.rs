//! Tags by the one rule of Azure's that the capabilities do not say, it knows no case in their keys; and the plan of other
//! tags for a network, security group or key pair. Subnets have none.
//!
//! Source: <https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#tag-usage-and-recommendations>

use async_trait::async_trait;
use pmks_driver::{
    Asked, DriverError, Handle, Look, Poll, Prepared, Result, StageContext, StageSpecification, TagChanges,
    UpdateTags,
};
use pmks_model::{Findings, ResourceKind, Tags};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::delete_resource::refuse_strangers;
use super::standing::Standing;
use super::{Maker, Stage, aim};
use crate::arm_id::ArmId;
use crate::{AzureDriver, PROVIDER};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<SetTags>(), Maker::of::<RemoveTags>()];

/// Finds keys that are one and the same to Azure: of their values it would keep one.
pub(super) fn check<'a>(keys: impl IntoIterator<Item = &'a String>, findings: &mut Findings) {
    let mut seen: Vec<&String> = Vec::new();
    for key in keys {
        match seen.iter().find(|other| other.to_lowercase() == key.to_lowercase()) {
            Some(other) => {
                let says = format!("is the same key as {other:?}: Azure knows no case in them");
                findings.add(format!("tags[{key:?}]"), says);
            }
            None => seen.push(key),
        }
    }
}

/// Refuses them.
///
/// # Errors
/// `InvalidRequest`.
pub(super) fn refuse_same(tags: &Tags) -> Result<()> {
    let mut findings = Findings::default();
    check(tags.keys(), &mut findings);
    findings.into_result().map_err(|findings| DriverError::invalid(PROVIDER, findings))
}

/// Tags with the changes: another spelling of a key is the same tag.
pub(super) fn onto(changes: &TagChanges, mut tags: Tags) -> Tags {
    for (key, value) in &changes.0 {
        tags.retain(|standing, _| !is_same(standing, key));
        if let Some(value) = value {
            tags.insert(key.clone(), value.clone());
        }
    }
    tags
}

fn is_same(key: &str, other: &str) -> bool {
    key.to_lowercase() == other.to_lowercase()
}

/// The value of a tag, however its key is spelled.
fn value<'a>(tags: &'a Tags, key: &str) -> Option<&'a String> {
    tags.iter().find(|(standing, _)| is_same(standing, key)).map(|(_, value)| value)
}

/// Checks the keys, looks that the resource is there, and answers the plan. One call.
///
/// # Errors
/// `NotFound`; `Replaced` for another installation's; `InvalidRequest` for keys that are one to Azure.
pub(crate) async fn prepare(driver: &AzureDriver, asked: &UpdateTags) -> Result<Prepared> {
    let mut findings = Findings::default();
    check(asked.tags.keys(), &mut findings);
    findings.into_result().map_err(|findings| DriverError::invalid(PROVIDER, findings))?;
    let text = asked.iid.system_id.as_str();
    let id = match asked.kind {
        ResourceKind::Network => driver.network_id(text),
        ResourceKind::SecurityGroup => driver.security_group_id(text),
        ResourceKind::KeyPair => driver.key_pair_id(text),
        ResourceKind::Subnet | ResourceKind::Connection | ResourceKind::Cluster | ResourceKind::NodeGroup => {
            return Err(DriverError::unsupported(PROVIDER, "tags of such a resource by this operation"));
        }
    };
    let mut resource = Tagged { kind: asked.kind, id, incarnation: asked.incarnation.clone() };
    let found = resource.read(driver).await?;
    refuse_strangers(&resource.id, &resource.incarnation, &found.incarnation, &found.tags, &asked.marks)?;
    if resource.incarnation.is_empty() {
        resource.incarnation = found.incarnation;
    }
    let mut stages: Vec<StageSpecification> = Vec::new();
    let (tags, keys) = (asked.tags.set(), asked.tags.removed());
    if !tags.is_empty() {
        stages.push(SetTags { resource: resource.clone(), tags }.specification("tags"));
    }
    if !keys.is_empty() {
        // One after the other: Azure works on one change of a resource at a time.
        let before: Vec<String> = stages.iter().map(|stage| stage.name.clone()).collect();
        stages.push(RemoveTags { resource, keys }.specification("removal of tags").after(before));
    }
    Ok(Prepared::of(stages))
}

/// What has tags.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tagged {
    kind: ResourceKind,
    id: ArmId,
    /// Which of those that had its name; empty where nobody knows.
    #[serde(default)]
    incarnation: String,
}

impl Tagged {
    /// What stands there. One call.
    ///
    /// # Errors
    /// `NotFound`; `Replaced` for another one than is meant.
    async fn read(&self, driver: &AzureDriver) -> Result<Standing> {
        let api = &driver.api;
        let found: Standing = match self.kind {
            ResourceKind::KeyPair => api.ssh_public_key(&self.id).await?.into(),
            ResourceKind::SecurityGroup => api.security_group(&self.id).await?.into(),
            _ => api.network(&self.id).await?.into(),
        };
        aim::refuse_another(self.kind.says(), self.id.name(), &self.incarnation, &found.incarnation)?;
        Ok(found)
    }

    async fn look(&self, driver: &AzureDriver, is_wanted: impl Fn(&Tags) -> bool + Send) -> Result<Look> {
        let Standing { tags, state, .. } = self.read(driver).await?;
        Ok(match aim::busy(&self.id, "", &state) {
            Some(look) => look,
            None if is_wanted(&tags) => Look::ready(self.id.to_string(), "", Value::Null),
            None => Look::Absent,
        })
    }

    async fn change(&self, driver: &AzureDriver, operation: &'static str, tags: &Tags) -> Result<Asked> {
        Ok(aim::asked(driver.api.update_tags(&self.id, operation, tags).await?, &self.id))
    }
}

/// Sets tags.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SetTags {
    resource: Tagged,
    tags: Tags,
}

#[async_trait]
impl Stage<AzureDriver> for SetTags {
    const KIND: &'static str = "azure.tags";

    async fn look(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Look> {
        let is_wanted =
            |standing: &Tags| self.tags.iter().all(|(key, wanted)| value(standing, key) == Some(wanted));
        self.resource.look(driver, is_wanted).await
    }

    async fn ask(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Asked> {
        self.resource.change(driver, "Merge", &self.tags).await
    }

    async fn poll(&self, driver: &AzureDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow(driver, "Tags.UpdateAtScope", handle).await
    }
}

/// Takes tags off.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RemoveTags {
    resource: Tagged,
    keys: Vec<String>,
}

impl RemoveTags {
    /// Those of them that stand, with their values.
    fn standing(&self, tags: &Tags) -> Tags {
        let is_named = |key: &str| self.keys.iter().any(|named| is_same(named, key));
        tags.iter()
            .filter(|(key, _)| is_named(key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }
}

#[async_trait]
impl Stage<AzureDriver> for RemoveTags {
    const KIND: &'static str = "azure.tags.removal";

    async fn look(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Look> {
        self.resource.look(driver, |standing| self.standing(standing).is_empty()).await
    }

    /// A tag is named with its value, so that one which somebody writes over meanwhile is looked at again.
    async fn ask(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Asked> {
        let standing = self.standing(&self.resource.read(driver).await?.tags);
        if standing.is_empty() {
            return Ok(Asked::accepted());
        }
        self.resource.change(driver, "Delete", &standing).await
    }

    async fn poll(&self, driver: &AzureDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow(driver, "Tags.UpdateAtScope", handle).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(all: &[(&str, &str)]) -> Tags {
        all.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn tags_that_are_not_named_stay() {
        let changes: TagChanges = [("a", Some("1")), ("b", None)]
            .map(|(key, value)| (key.into(), value.map(Into::into)))
            .into_iter()
            .collect();
        let standing = tags(&[("A", "0"), ("b", "2"), ("c", "3")]);
        assert_eq!(onto(&changes, standing), tags(&[("a", "1"), ("c", "3")]));
    }

    #[test]
    fn what_goes_is_named_as_it_stands() {
        let id = ArmId::new("0", "g", "p", "virtualNetworks", "n");
        let resource = Tagged { kind: ResourceKind::Network, id, incarnation: String::new() };
        let stage = RemoveTags { resource, keys: vec!["team".to_owned(), "none".to_owned()] };
        assert_eq!(stage.standing(&tags(&[("Team", "a"), ("tier", "b")])), tags(&[("Team", "a")]));
    }

    #[test]
    fn keys_that_differ_in_case_alone_are_one() {
        let seen = |keys: &[&str]| {
            let (keys, mut findings) =
                (keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>(), Findings::default());
            check(&keys, &mut findings);
            findings.iter().map(|finding| finding.field.clone()).collect::<Vec<_>>()
        };
        assert!(seen(&["dup", "duo", "d u p"]).is_empty());
        assert_eq!(seen(&["DUP", "dup"]), ["tags[\"dup\"]"]);
        assert_eq!(seen(&["a", "É", "A", "é"]), ["tags[\"A\"]", "tags[\"é\"]"]);
    }
}
