//! The calls of Google Kubernetes Engine.
//!
//! Source: <https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters>

use http::Method;
use pmks_driver::{Effect, Result};
use pmks_transport::Call;
use serde_json::Value;

use super::Api;
use crate::errors;
use crate::names::ClusterName;
use crate::wire::container as wire;

impl Api {
    /// The clusters of every location of the project, with their node pools. One answer, not paged.
    pub(crate) async fn list_clusters(&self) -> Result<wire::ClusterList> {
        let path = ["v1", "projects", self.project(), "locations", "-", "clusters"];
        self.json(self.read("container.clusters.list", &path)?).await
    }

    /// One cluster, with its node pools.
    pub(crate) async fn get_cluster(&self, cluster: &ClusterName) -> Result<wire::Cluster> {
        let action = "container.clusters.get";
        let found: wire::Cluster = self.json(self.read(action, &path(cluster))?).await?;
        if found.name == cluster.name { Ok(found) } else { Err(errors::TABLE.about_another(action)) }
    }

    /// The same as it came. Its certificate's key and password are in it, where somebody asked for them: no record is kept.
    pub(crate) async fn raw_cluster(&self, cluster: &ClusterName) -> Result<Value> {
        self.privately().json(self.read("container.clusters.get", &path(cluster))?).await
    }

    /// Asks for a cluster with its node pools.
    pub(crate) async fn create_cluster(
        &self,
        location: &str,
        body: &wire::CreateCluster,
    ) -> Result<wire::Operation> {
        let path = ["v1", "projects", self.project(), "locations", location, "clusters"];
        let call = self.write("container.clusters.create", Effect::Creates, Method::POST, &path)?;
        self.json(Self::with_body(call, body)?).await
    }

    /// Asks for one change of a cluster.
    pub(crate) async fn update_cluster(
        &self,
        cluster: &ClusterName,
        update: wire::ClusterUpdate,
    ) -> Result<wire::Operation> {
        let call =
            self.write("container.clusters.update", Effect::Idempotent, Method::PUT, &path(cluster))?;
        self.json(Self::with_body(call, &wire::UpdateCluster { update })?).await
    }

    /// Replaces all labels of a cluster, if they are still those that were read.
    pub(crate) async fn set_labels(
        &self,
        cluster: &ClusterName,
        body: &wire::SetLabels,
    ) -> Result<wire::Operation> {
        let action = "container.clusters.setResourceLabels";
        let call = self.write(action, Effect::Idempotent, Method::POST, &path(cluster))?;
        let call = call.custom_method("setResourceLabels");
        self.json(Self::with_body(call, body)?).await
    }

    /// Asks for the end of a cluster with its node pools.
    pub(crate) async fn delete_cluster(&self, cluster: &ClusterName) -> Result<wire::Operation> {
        let call =
            self.write("container.clusters.delete", Effect::Idempotent, Method::DELETE, &path(cluster))?;
        self.json(call).await
    }

    /// Asks for a node pool.
    pub(crate) async fn create_node_pool(
        &self,
        cluster: &ClusterName,
        body: &wire::CreateNodePool,
    ) -> Result<wire::Operation> {
        let segments = [&path(cluster)[..], &["nodePools"]].concat();
        let call = self.write("container.nodePools.create", Effect::Creates, Method::POST, &segments)?;
        self.json(Self::with_body(call, body)?).await
    }

    /// Asks for another number of nodes in each zone.
    pub(crate) async fn set_size(
        &self,
        cluster: &ClusterName,
        pool: &str,
        body: &wire::SetSize,
    ) -> Result<wire::Operation> {
        let segments = [&path(cluster)[..], &["nodePools", pool]].concat();
        let call = self.write("container.nodePools.setSize", Effect::Idempotent, Method::POST, &segments)?;
        let call = call.custom_method("setSize");
        self.json(Self::with_body(call, body)?).await
    }

    /// Asks for other limits of the autoscaler, or for its end.
    pub(crate) async fn set_autoscaling(
        &self,
        cluster: &ClusterName,
        pool: &str,
        body: &wire::SetAutoscaling,
    ) -> Result<wire::Operation> {
        let segments = [&path(cluster)[..], &["nodePools", pool]].concat();
        let action = "container.nodePools.setAutoscaling";
        let call = self.write(action, Effect::Idempotent, Method::POST, &segments)?;
        let call = call.custom_method("setAutoscaling");
        self.json(Self::with_body(call, body)?).await
    }

    /// Asks for the end of a node pool.
    pub(crate) async fn delete_node_pool(
        &self,
        cluster: &ClusterName,
        pool: &str,
    ) -> Result<wire::Operation> {
        let segments = [&path(cluster)[..], &["nodePools", pool]].concat();
        let call = self.write("container.nodePools.delete", Effect::Idempotent, Method::DELETE, &segments)?;
        self.json(call).await
    }

    /// GKE's own work.
    pub(crate) async fn get_operation(&self, location: &str, operation: &str) -> Result<wire::Operation> {
        let path = ["v1", "projects", self.project(), "locations", location, "operations", operation];
        self.json(self.read("container.operations.get", &path)?).await
    }

    /// All of GKE's own work in a location, of late. One answer, not paged.
    pub(crate) async fn list_operations(&self, location: &str) -> Result<wire::OperationList> {
        let path = ["v1", "projects", self.project(), "locations", location, "operations"];
        self.json(self.read("container.operations.list", &path)?).await
    }

    /// What GKE offers in a location.
    pub(crate) async fn server_config(&self, location: &str) -> Result<wire::ServerConfig> {
        let path = ["v1", "projects", self.project(), "locations", location, "serverConfig"];
        self.json(self.read("container.getServerConfig", &path)?).await
    }

    fn read(&self, action: &'static str, segments: &[&str]) -> Result<Call> {
        self.call("container", action, Effect::Read, Method::GET, segments)
    }

    fn write(&self, action: &'static str, effect: Effect, method: Method, segments: &[&str]) -> Result<Call> {
        self.call("container", action, effect, method, segments)
    }
}

fn path(cluster: &ClusterName) -> [&str; 7] {
    ["v1", "projects", &cluster.project, "locations", &cluster.location, "clusters", &cluster.name]
}
