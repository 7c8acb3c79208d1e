//! IAM's calls, one function each: builds one request, sends it, reads one answer. Lists follow every page.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/welcome.html>.

use std::collections::BTreeMap;

use pmks_driver::{Effect, Result};

use super::Api;
use crate::clusters::{MOST_PAGES, endless};
use crate::query::{Query, QueryService};
use crate::wire::iam as wire;

impl Api {
    /// One role by name.
    ///
    /// # Errors
    /// `NotFound` (`NoSuchEntity`); `Forbidden` naming `iam:GetRole`.
    pub(crate) async fn get_role(&self, name: &str) -> Result<wire::Role> {
        let query = Query::new(QueryService::Iam, "iam.GetRole", Effect::Read).field("RoleName", name);
        self.query(query).await.map(|answer: wire::GetRole| answer.role)
    }

    /// The ARNs of the managed policies attached to a role.
    pub(crate) async fn list_attached_role_policies(&self, name: &str) -> Result<Vec<String>> {
        let query = Query::new(QueryService::Iam, "iam.ListAttachedRolePolicies", Effect::Read)
            .field("RoleName", name);
        let mut found = Vec::new();
        let mut marker: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let answer: wire::ListAttachedRolePolicies =
                self.query(query.clone().field_some("Marker", marker)).await?;
            found.extend(answer.attached_policies.entries.into_iter().map(|policy| policy.policy_arn));
            marker = answer.marker.filter(|marker| answer.is_truncated && !marker.is_empty());
            if marker.is_none() {
                return Ok(found);
            }
        }
        Err(endless("iam.ListAttachedRolePolicies"))
    }

    /// Makes a role; its name is unique in the account, so a second one is refused.
    pub(crate) async fn create_role(
        &self,
        name: &str,
        trust: &str,
        description: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<wire::Role> {
        let tags: Vec<Vec<(&str, String)>> =
            tags.iter().map(|(key, value)| vec![("Key", key.clone()), ("Value", value.clone())]).collect();
        let query = Query::new(QueryService::Iam, "iam.CreateRole", Effect::Idempotent)
            .field("RoleName", name)
            .field("AssumeRolePolicyDocument", trust)
            .field("Description", description)
            .records("Tags", &tags);
        self.query(query).await.map(|answer: wire::CreateRole| answer.role)
    }

    /// Attaches a managed policy to a role. One that is attached already stays so.
    pub(crate) async fn attach_role_policy(&self, role: &str, policy: &str) -> Result<()> {
        let query = Query::new(QueryService::Iam, "iam.AttachRolePolicy", Effect::Idempotent)
            .field("RoleName", role)
            .field("PolicyArn", policy);
        self.done(query).await
    }
}
