//! The calls of EKS.
//!
//! Source: <https://docs.aws.amazon.com/eks/latest/APIReference/API_Operations.html>

use std::collections::BTreeMap;

use http::Method;
use pmks_driver::{Effect, Result};
use pmks_transport::Call;
use serde::Serialize;
use serde_json::{Value, json};

use super::Api;
use crate::errors;
use crate::wire::eks;

/// The largest page of lists.
const PAGE: &str = "100";

impl Api {
    /// A page of the names of the region's clusters.
    pub(crate) async fn list_clusters(&self, page: Option<&str>) -> Result<eks::Names> {
        self.json(paged(self.read("eks.ListClusters", &["clusters"])?, page)).await
    }

    /// One cluster.
    pub(crate) async fn describe_cluster(&self, cluster: &str) -> Result<eks::Cluster> {
        let action = "eks.DescribeCluster";
        let call = self.read(action, &["clusters", cluster])?;
        let found = self.json::<eks::ClusterAnswer>(call).await?.cluster;
        if found.name == cluster { Ok(found) } else { Err(errors::TABLE.about_another(action)) }
    }

    /// The answer about a cluster, or about a node group of it, as it came.
    pub(crate) async fn described_by_eks(&self, cluster: &str, node_group: Option<&str>) -> Result<Value> {
        let call = match node_group {
            Some(name) => self.read("eks.DescribeNodegroup", &["clusters", cluster, "node-groups", name])?,
            None => self.read("eks.DescribeCluster", &["clusters", cluster])?,
        };
        self.json(call).await
    }

    /// Asks for a cluster; with the same token the same cluster.
    pub(crate) async fn create_cluster(&self, body: &eks::CreateCluster) -> Result<eks::Cluster> {
        let call = self.write("eks.CreateCluster", Method::POST, &["clusters"], body)?;
        Ok(self.json::<eks::ClusterAnswer>(call).await?.cluster)
    }

    /// Asks for the end of a cluster.
    pub(crate) async fn delete_cluster(&self, cluster: &str) -> Result<eks::Cluster> {
        let call = self.remove("eks.DeleteCluster", &["clusters", cluster])?;
        Ok(self.json::<eks::ClusterAnswer>(call).await?.cluster)
    }

    /// Asks for a higher version of a control plane.
    pub(crate) async fn update_cluster_version(
        &self,
        cluster: &str,
        body: &eks::UpdateVersion,
    ) -> Result<eks::Update> {
        let call =
            self.write("eks.UpdateClusterVersion", Method::POST, &["clusters", cluster, "updates"], body)?;
        Ok(self.json::<eks::UpdateAnswer>(call).await?.update)
    }

    /// Asks for another configuration of a cluster.
    pub(crate) async fn update_cluster_config(
        &self,
        cluster: &str,
        body: &eks::UpdateClusterConfig,
    ) -> Result<eks::Update> {
        let path = ["clusters", cluster, "update-config"];
        let call = self.write("eks.UpdateClusterConfig", Method::POST, &path, body)?;
        Ok(self.json::<eks::UpdateAnswer>(call).await?.update)
    }

    /// EKS' own work at a cluster, or at a node group of it.
    pub(crate) async fn describe_update(
        &self,
        cluster: &str,
        node_group: Option<&str>,
        update: &str,
    ) -> Result<eks::Update> {
        let mut call = self.read("eks.DescribeUpdate", &["clusters", cluster, "updates", update])?;
        if let Some(node_group) = node_group {
            call = call.query("nodegroupName", node_group);
        }
        Ok(self.json::<eks::UpdateAnswer>(call).await?.update)
    }

    /// A page of the names of a cluster's managed node groups.
    pub(crate) async fn list_nodegroups(&self, cluster: &str, page: Option<&str>) -> Result<eks::Names> {
        let call = self.read("eks.ListNodegroups", &["clusters", cluster, "node-groups"])?;
        self.json(paged(call, page)).await
    }

    /// One node group.
    pub(crate) async fn describe_nodegroup(&self, cluster: &str, node_group: &str) -> Result<eks::Nodegroup> {
        let action = "eks.DescribeNodegroup";
        let call = self.read(action, &["clusters", cluster, "node-groups", node_group])?;
        let found = self.json::<eks::NodegroupAnswer>(call).await?.nodegroup;
        if found.nodegroup_name == node_group { Ok(found) } else { Err(errors::TABLE.about_another(action)) }
    }

    /// Asks for a node group; with the same token the same one.
    pub(crate) async fn create_nodegroup(
        &self,
        cluster: &str,
        body: &eks::CreateNodegroup,
    ) -> Result<eks::Nodegroup> {
        let path = ["clusters", cluster, "node-groups"];
        let call = self.write("eks.CreateNodegroup", Method::POST, &path, body)?;
        Ok(self.json::<eks::NodegroupAnswer>(call).await?.nodegroup)
    }

    /// Asks for the end of a node group.
    pub(crate) async fn delete_nodegroup(&self, cluster: &str, node_group: &str) -> Result<()> {
        let call = self.remove("eks.DeleteNodegroup", &["clusters", cluster, "node-groups", node_group])?;
        self.send(call).await.map(|_| ())
    }

    /// Asks for other limits or another size of a node group.
    pub(crate) async fn update_nodegroup_config(
        &self,
        cluster: &str,
        node_group: &str,
        body: &eks::UpdateNodegroupConfig,
    ) -> Result<eks::Update> {
        let path = ["clusters", cluster, "node-groups", node_group, "update-config"];
        let call = self.write("eks.UpdateNodegroupConfig", Method::POST, &path, body)?;
        Ok(self.json::<eks::UpdateAnswer>(call).await?.update)
    }

    /// Asks for a higher version of a node group.
    pub(crate) async fn update_nodegroup_version(
        &self,
        cluster: &str,
        node_group: &str,
        body: &eks::UpdateVersion,
    ) -> Result<eks::Update> {
        let path = ["clusters", cluster, "node-groups", node_group, "update-version"];
        let call = self.write("eks.UpdateNodegroupVersion", Method::POST, &path, body)?;
        Ok(self.json::<eks::UpdateAnswer>(call).await?.update)
    }

    /// A page of the names of a cluster's Fargate profiles.
    pub(crate) async fn list_fargate_profiles(
        &self,
        cluster: &str,
        page: Option<&str>,
    ) -> Result<eks::Names> {
        let call = self.read("eks.ListFargateProfiles", &["clusters", cluster, "fargate-profiles"])?;
        self.json(paged(call, page)).await
    }

    /// One Fargate profile.
    pub(crate) async fn describe_fargate_profile(
        &self,
        cluster: &str,
        profile: &str,
    ) -> Result<eks::FargateProfile> {
        let call =
            self.read("eks.DescribeFargateProfile", &["clusters", cluster, "fargate-profiles", profile])?;
        Ok(self.json::<eks::FargateProfileAnswer>(call).await?.fargate_profile)
    }

    /// Asks for the end of a Fargate profile.
    pub(crate) async fn delete_fargate_profile(&self, cluster: &str, profile: &str) -> Result<()> {
        let call =
            self.remove("eks.DeleteFargateProfile", &["clusters", cluster, "fargate-profiles", profile])?;
        self.send(call).await.map(|_| ())
    }

    /// A page of the versions on offer.
    pub(crate) async fn describe_cluster_versions(&self, page: Option<&str>) -> Result<eks::Versions> {
        let call = self.read("eks.DescribeClusterVersions", &["cluster-versions"])?;
        self.json(paged(call, page)).await
    }

    /// A page of what stands in the way of an upgrade to a version.
    pub(crate) async fn list_insights(
        &self,
        cluster: &str,
        version: &str,
        page: Option<&str>,
    ) -> Result<eks::Insights> {
        let mut body = json!({
            "filter": {"categories": ["UPGRADE_READINESS"], "kubernetesVersions": [version], "statuses": ["ERROR"]},
            "maxResults": 100,
        });
        if let (Some(page), Some(members)) = (page, body.as_object_mut()) {
            members.insert("nextToken".to_owned(), json!(page));
        }
        let action = "eks.ListInsights";
        let call = self
            .call("eks", action, Effect::Read, Method::POST, &["clusters", cluster, "insights"])?
            .json(&body)
            .map_err(|error| errors::TABLE.of_transport(action, Effect::Read, error))?;
        self.json(call).await
    }

    /// A page of the names of a cluster's add-ons.
    pub(crate) async fn list_addons(&self, cluster: &str, page: Option<&str>) -> Result<eks::Names> {
        let call = self.read("eks.ListAddons", &["clusters", cluster, "addons"])?;
        self.json(paged(call, page)).await
    }

    /// One add-on.
    pub(crate) async fn describe_addon(&self, cluster: &str, addon: &str) -> Result<eks::Addon> {
        let call = self.read("eks.DescribeAddon", &["clusters", cluster, "addons", addon])?;
        Ok(self.json::<eks::AddonAnswer>(call).await?.addon)
    }

    /// Asks for an add-on.
    pub(crate) async fn create_addon(&self, cluster: &str, body: &eks::CreateAddon) -> Result<()> {
        let call = self.write("eks.CreateAddon", Method::POST, &["clusters", cluster, "addons"], body)?;
        self.send(call).await.map(|_| ())
    }

    /// Asks for the end of an add-on, with everything that it runs.
    pub(crate) async fn delete_addon(&self, cluster: &str, addon: &str) -> Result<()> {
        let call = self.remove("eks.DeleteAddon", &["clusters", cluster, "addons", addon])?;
        self.send(call).await.map(|_| ())
    }

    /// Sets tags of a cluster or node group.
    pub(crate) async fn tag_resource(&self, arn: &str, tags: &BTreeMap<String, String>) -> Result<()> {
        let call = self.write("eks.TagResource", Method::POST, &["tags", arn], &json!({"tags": tags}))?;
        self.send(call).await.map(|_| ())
    }

    /// Removes tags of a cluster or node group.
    pub(crate) async fn untag_resource(&self, arn: &str, keys: &[String]) -> Result<()> {
        let call = self.remove("eks.UntagResource", &["tags", arn])?;
        let call = keys.iter().fold(call, |call, key| call.query("tagKeys", key));
        self.send(call).await.map(|_| ())
    }

    /// The access entry of a principal.
    pub(crate) async fn describe_access_entry(
        &self,
        cluster: &str,
        principal: &str,
    ) -> Result<eks::AccessEntry> {
        let call =
            self.read("eks.DescribeAccessEntry", &["clusters", cluster, "access-entries", principal])?;
        Ok(self.json::<eks::AccessEntryAnswer>(call).await?.access_entry)
    }

    /// The policies of a principal's access entry.
    pub(crate) async fn list_access_policies(
        &self,
        cluster: &str,
        principal: &str,
    ) -> Result<eks::AccessPolicies> {
        let path = ["clusters", cluster, "access-entries", principal, "access-policies"];
        self.json(self.read("eks.ListAssociatedAccessPolicies", &path)?).await
    }

    /// Lets a principal in, without any rights yet.
    pub(crate) async fn create_access_entry(
        &self,
        cluster: &str,
        principal: &str,
        token: &str,
    ) -> Result<()> {
        let body = json!({"principalArn": principal, "type": "STANDARD", "clientRequestToken": token});
        let call = self.write(
            "eks.CreateAccessEntry",
            Method::POST,
            &["clusters", cluster, "access-entries"],
            &body,
        )?;
        self.send(call).await.map(|_| ())
    }

    /// Gives a principal that was let in the rights of a policy, in the whole cluster.
    pub(crate) async fn associate_access_policy(
        &self,
        cluster: &str,
        principal: &str,
        policy: &str,
    ) -> Result<()> {
        let path = ["clusters", cluster, "access-entries", principal, "access-policies"];
        let body = json!({"policyArn": policy, "accessScope": {"type": "cluster"}});
        let call = self.write("eks.AssociateAccessPolicy", Method::POST, &path, &body)?;
        self.send(call).await.map(|_| ())
    }

    fn read(&self, action: &'static str, path: &[&str]) -> Result<Call> {
        self.call("eks", action, Effect::Read, Method::GET, path)
    }

    fn remove(&self, action: &'static str, path: &[&str]) -> Result<Call> {
        self.call("eks", action, Effect::Idempotent, Method::DELETE, path)
    }

    /// Every change that EKS takes is idempotent: by its client token, or by what it says.
    fn write(
        &self,
        action: &'static str,
        method: Method,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<Call> {
        self.call("eks", action, Effect::Idempotent, method, path)?
            .json(body)
            .map_err(|error| errors::TABLE.of_transport(action, Effect::Idempotent, error))
    }
}

fn paged(call: Call, page: Option<&str>) -> Call {
    let call = call.query("maxResults", PAGE);
    match page {
        Some(page) => call.query("nextToken", page),
        None => call,
    }
}
