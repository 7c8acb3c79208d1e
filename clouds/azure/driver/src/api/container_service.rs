//! `Microsoft.ContainerService`.

use std::time::Duration;

use http::Method;
use pmks_driver::{Effect, Result};
use serde_json::{Value, json};

use super::{Accepted, Api, Condition, change, read, version};
use crate::arm_id::{ArmId, CONTAINER_SERVICE};
use crate::errors;
use crate::wire::container_service as wire;

const SERVICE: &str = "containerservice";
const VERSION: &str = version::CONTAINER_SERVICE;
/// How old the list of versions on offer may be. It changes with Azure's weekly releases, and every creation asks for it:
/// <https://learn.microsoft.com/azure/aks/release-tracker>
const OFFERED: Duration = Duration::from_secs(10);

impl Api {
    /// Every cluster of the subscription, in whatever region and resource group.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/aks/managed-clusters/list>
    pub(crate) async fn clusters(&self) -> Result<Vec<wire::ManagedCluster>> {
        let shape = read(SERVICE, "ManagedClusters.List", VERSION);
        let path = self.in_subscription(&["providers", CONTAINER_SERVICE, "managedClusters"]);
        self.list(shape, self.call(shape, &path)).await
    }

    /// One cluster.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/aks/managed-clusters/get>
    pub(crate) async fn cluster(&self, id: &ArmId) -> Result<wire::ManagedCluster> {
        let shape = read(SERVICE, "ManagedClusters.Get", VERSION);
        let (action, call) = (shape.action, self.call(shape, &id.segments()));
        let found: wire::ManagedCluster = self.json(call).await?;
        let is_it = found.name.eq_ignore_ascii_case(id.name());
        if is_it { Ok(found) } else { Err(errors::TABLE.about_another(action)) }
    }

    /// One cluster as it came: what a replacement is made from.
    pub(crate) async fn raw_cluster(&self, id: &ArmId) -> Result<Value> {
        let shape = read(SERVICE, "ManagedClusters.Get", VERSION);
        self.json(self.call(shape, &id.segments())).await
    }

    /// Asks for a cluster where nothing of that name stands.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/aks/managed-clusters/create-or-update>
    pub(crate) async fn create_cluster(&self, id: &ArmId, body: &Value) -> Result<Accepted> {
        let shape = change(SERVICE, "ManagedClusters.Create", Effect::Creates, &Method::PUT, VERSION);
        self.put(shape, &id.segments(), body, Condition::Nothing).await
    }

    /// Replaces a cluster by what was read of it, with changes.
    pub(crate) async fn update_cluster(
        &self,
        id: &ArmId,
        body: &Value,
        condition: Condition<'_>,
    ) -> Result<Accepted> {
        let shape = change(SERVICE, "ManagedClusters.Update", Effect::Idempotent, &Method::PUT, VERSION);
        self.put(shape, &id.segments(), body, condition).await
    }

    /// Replaces the tags of a cluster.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/aks/managed-clusters/update-tags>
    pub(crate) async fn set_cluster_tags(
        &self,
        id: &ArmId,
        tags: &pmks_model::Tags,
        condition: Condition<'_>,
    ) -> Result<Accepted> {
        let shape =
            change(SERVICE, "ManagedClusters.UpdateTags", Effect::Idempotent, &Method::PATCH, VERSION);
        self.put(shape, &id.segments(), &json!({"tags": tags}), condition).await
    }

    /// Asks for the end of a cluster.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/aks/managed-clusters/delete>
    pub(crate) async fn delete_cluster(&self, id: &ArmId, condition: Condition<'_>) -> Result<Accepted> {
        let shape = change(SERVICE, "ManagedClusters.Delete", Effect::Idempotent, &Method::DELETE, VERSION);
        let call = Self::conditional(self.call(shape, &id.segments()), condition)?;
        self.change(call).await
    }

    /// The kubeconfig of users, or of the administrator. Reads, although it is asked for by POST.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/aks/managed-clusters/list-cluster-user-credentials>
    pub(crate) async fn cluster_credentials(&self, id: &ArmId, of_admin: bool) -> Result<wire::Credentials> {
        let (action, word) = if of_admin {
            ("ManagedClusters.ListClusterAdminCredentials", "listClusterAdminCredential")
        } else {
            ("ManagedClusters.ListClusterUserCredentials", "listClusterUserCredential")
        };
        let shape = super::Shape {
            service: SERVICE,
            action,
            effect: Effect::Read,
            method: &Method::POST,
            version: VERSION,
        };
        let mut path = id.segments();
        path.push(word);
        self.json(self.call(shape, &path)).await
    }

    /// One pool as it came: what a replacement is made from.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/aks/agent-pools/get>
    pub(crate) async fn raw_pool(&self, id: &ArmId) -> Result<Value> {
        let shape = read(SERVICE, "AgentPools.Get", VERSION);
        self.json(self.call(shape, &id.segments())).await
    }

    /// Asks for a pool where nothing of that name stands.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/aks/agent-pools/create-or-update>
    pub(crate) async fn create_pool(&self, id: &ArmId, body: &Value) -> Result<Accepted> {
        let shape = change(SERVICE, "AgentPools.Create", Effect::Creates, &Method::PUT, VERSION);
        self.put(shape, &id.segments(), body, Condition::Nothing).await
    }

    /// Replaces a pool by what was read of it, with changes.
    pub(crate) async fn update_pool(
        &self,
        id: &ArmId,
        body: &Value,
        condition: Condition<'_>,
    ) -> Result<Accepted> {
        let shape = change(SERVICE, "AgentPools.Update", Effect::Idempotent, &Method::PUT, VERSION);
        self.put(shape, &id.segments(), body, condition).await
    }

    /// Asks for the end of a pool.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/aks/agent-pools/delete>
    pub(crate) async fn delete_pool(&self, id: &ArmId, condition: Condition<'_>) -> Result<Accepted> {
        let shape = change(SERVICE, "AgentPools.Delete", Effect::Idempotent, &Method::DELETE, VERSION);
        let call = Self::conditional(self.call(shape, &id.segments()), condition)?;
        self.change(call).await
    }

    /// The Kubernetes versions of the connection's region, as they were [`OFFERED`] ago at most.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/aks/managed-clusters/list-kubernetes-versions>
    pub(crate) async fn kubernetes_versions(&self) -> Result<wire::KubernetesVersions> {
        let shape = read(SERVICE, "ManagedClusters.ListKubernetesVersions", VERSION);
        let region = self.endpoints.region();
        let path = self.in_subscription(&[
            "providers",
            CONTAINER_SERVICE,
            "locations",
            region,
            "kubernetesVersions",
        ]);
        self.json(self.call(shape, &path).unchanging(OFFERED)).await
    }
}
