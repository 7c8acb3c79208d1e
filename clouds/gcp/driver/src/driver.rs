//! The driver of one connection: hands every question and every change to the module that knows it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use async_trait::async_trait;
use pmks_driver::{
    AccountIdentity, AddNodeGroup, Capabilities, Care, ChangeNodeGroupScaling, ClusterCredential,
    CreateCluster, CreateKeyPair, CreateNetwork, CreateSecurityGroup, CreateSubnet, DeleteCluster,
    DeleteResource, Detail, Driver, FixPrerequisites, Handle, KubeconfigFormat, KubeconfigUser, Listing,
    NodeMetricsAsked, OwnWords, OwnWordsOf, Poll, Prepared, Prerequisite, ProgressList, RemoveNodeGroup,
    Result, Search, StageCalls, StageSpecification, Staged, UpdateCluster, UpdateSecurityGroup,
    UpgradeCluster, UpgradeNodeGroup,
};
use pmks_model::{
    Children, Cluster, Findings, Image, KeyPair, KubernetesVersion, MachineType, MetricValue, Network, Node,
    NodeGroup, Region, ResourceKind, SecurityGroup, Subnet,
};
use pmks_transport::{Lane, Transport};

use crate::api::Api;
use crate::capabilities::CAPABILITIES;
use crate::identity::Tokens;
use crate::names::{self, ClusterName};
use crate::{
    PROVIDER, access, children, clusters, key_pairs, machines, metrics, networks, operations, own_words,
    prerequisites, security_groups, versions,
};

/// Google Cloud in one project and region.
#[derive(Clone, Debug)]
pub(crate) struct GcpDriver {
    /// Google's calls.
    pub(crate) api: Api,
    /// What the connection says.
    pub(crate) here: Arc<Here>,
}

/// What a connection says, beside its credential, project and endpoints.
#[derive(Debug)]
pub(crate) struct Here {
    /// The region.
    pub(crate) region: String,
    /// The zone, where the user named one.
    pub(crate) zone: Option<String>,
    /// How many times faster than the real cloud this one works.
    pub(crate) pace: u32,
    /// Who acts.
    pub(crate) tokens: Arc<Tokens>,
    /// The way to a cluster's own Kubernetes API, and the clock.
    pub(crate) transport: Transport,
    /// Whether Google has said that region and zone exist.
    pub(crate) place_is_known: AtomicBool,
}

/// The provider's own settings of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The project, where it is not the credential's own.
    pub(crate) project_id: Option<String>,
    /// A service account to act for.
    pub(crate) impersonate_service_account: Option<String>,
}

impl Settings {
    /// Reads settings whose types were already checked.
    pub(crate) fn of(settings: &BTreeMap<String, serde_json::Value>) -> Self {
        let text = |name: &str| {
            let text = settings.get(name)?.as_str()?.trim();
            (!text.is_empty()).then(|| text.to_owned())
        };
        Self { project_id: text("projectId"), impersonate_service_account: text("impersonateServiceAccount") }
    }

    /// What is wrong with them.
    pub(crate) fn check(&self, findings: &mut Findings) {
        if self.project_id.as_deref().is_some_and(|project| !names::is_project(project)) {
            findings
                .add("settings.projectId", "must be a project's id, such as my-project-123; not its number");
        }
        if self.impersonate_service_account.as_deref().is_some_and(|email| !names::is_address(email)) {
            let says = "must be a service account's address, such as name@project.iam.gserviceaccount.com";
            findings.add("settings.impersonateServiceAccount", says);
        }
    }
}

impl GcpDriver {
    /// The connection's region.
    pub(crate) fn region(&self) -> &str {
        &self.here.region
    }

    /// Where names of clusters are looked for: the connection's zone, else its region.
    pub(crate) fn location(&self) -> &str {
        self.here.zone.as_deref().unwrap_or(&self.here.region)
    }

    /// The cluster of that identifier or name.
    ///
    /// # Errors
    /// `NotFound` for a text that can name none.
    pub(crate) fn cluster_name(&self, text: &str) -> Result<ClusterName> {
        ClusterName::read(text, self.api.project(), self.location())
    }

    /// The time now.
    pub(crate) fn now(&self) -> jiff::Timestamp {
        self.here.transport.clock().wall()
    }
}

impl Staged for GcpDriver {
    const PROVIDER: &'static str = PROVIDER;

    fn in_lane(&self, lane: Lane) -> Self {
        Self { api: self.api.on_lane(lane), here: Arc::clone(&self.here) }
    }

    /// GKE's own work is told by its name alone; what Compute Engine does is not in the list.
    fn poll_in(handle: &Handle, list: &ProgressList) -> Option<Poll> {
        operations::follow_in(handle, list)
    }
}

#[async_trait]
impl Driver for GcpDriver {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn on_lane(&self, lane: Lane) -> Arc<dyn Driver> {
        Arc::new(self.in_lane(lane))
    }

    /// A regional cluster is told from a zonal one by its name alone, as by the connection that made it.
    fn space_of_names(&self, kind: ResourceKind, system_id: Option<&str>) -> Option<String> {
        let is_zonal = matches!(kind, ResourceKind::Cluster | ResourceKind::NodeGroup);
        let of_id = system_id.and_then(|id| self.cluster_name(id).ok()).map(|name| name.location);
        let of_id = of_id.filter(|location| location != self.region());
        is_zonal.then(|| of_id.unwrap_or_else(|| self.location().to_owned()))
    }

    async fn account_identity(&self) -> Result<AccountIdentity> {
        access::account_identity(self).await
    }

    async fn list_clusters(&self, detail: Detail) -> Result<Listing<Cluster>> {
        clusters::list(self, detail).await
    }

    async fn get_cluster(&self, system_id: &str) -> Result<Cluster> {
        Box::pin(clusters::get(self, system_id)).await
    }

    async fn list_node_groups(&self, cluster: &str) -> Result<Listing<NodeGroup>> {
        clusters::list_node_groups(self, cluster).await
    }

    async fn get_node_group(&self, cluster: &str, system_id: &str) -> Result<NodeGroup> {
        clusters::get_node_group(self, cluster, system_id).await
    }

    async fn nodes(&self, cluster: &Cluster) -> Result<Listing<Node>> {
        machines::nodes(self, cluster).await
    }

    async fn node_metrics(&self, asked: &NodeMetricsAsked<'_>) -> Result<Vec<MetricValue>> {
        metrics::node(self, asked).await
    }

    async fn versions(&self) -> Result<Vec<KubernetesVersion>> {
        versions::list(self).await
    }

    async fn machine_types(&self) -> Result<Vec<MachineType>> {
        machines::machine_types(self).await
    }

    /// GKE counts the nodes of each zone.
    async fn size_step(&self) -> Result<u32> {
        match &self.here.zone {
            Some(_) => Ok(1),
            None => operations::create_cluster::zones_of_a_regional_cluster(self).await,
        }
    }

    async fn images(&self) -> Result<Vec<Image>> {
        machines::images(self).await
    }

    async fn regions(&self) -> Result<Vec<Region>> {
        machines::regions(self).await
    }

    async fn list_networks(&self) -> Result<Vec<Network>> {
        networks::list(self).await
    }

    async fn get_network(&self, system_id: &str) -> Result<Network> {
        networks::get(self, system_id).await
    }

    async fn get_subnet(&self, system_id: &str) -> Result<Subnet> {
        networks::get_subnet(self, system_id).await
    }

    async fn list_security_groups(&self) -> Result<Vec<SecurityGroup>> {
        security_groups::list(self).await
    }

    async fn get_security_group(&self, system_id: &str) -> Result<SecurityGroup> {
        security_groups::get(self, system_id).await
    }

    async fn list_key_pairs(&self) -> Result<Vec<KeyPair>> {
        key_pairs::list(self).await
    }

    async fn get_key_pair(&self, system_id: &str) -> Result<KeyPair> {
        key_pairs::get(self, system_id).await
    }

    async fn own_words(&self, of: &OwnWordsOf<'_>) -> Result<OwnWords> {
        own_words::read(self, of).await
    }

    async fn prerequisites(&self, _cluster: Option<&Cluster>) -> Result<Vec<Prerequisite>> {
        prerequisites::of_project(self).await
    }

    async fn children(&self, cluster: &Cluster) -> Result<Children> {
        children::children(self, cluster, Care::ToShow).await
    }

    async fn kubeconfig(&self, _cluster: &Cluster, format: KubeconfigFormat) -> Result<KubeconfigUser> {
        access::kubeconfig(format)
    }

    async fn generate_cluster_token(&self, _cluster: &Cluster) -> Result<ClusterCredential> {
        access::token(self).await
    }

    async fn list_progress(&self) -> Result<ProgressList> {
        Ok(ProgressList::new(self.api.list_operations("-").await?))
    }

    fn stage(&self, stage: &StageSpecification) -> Result<Box<dyn StageCalls>> {
        operations::STAGES.calls(self, stage)
    }

    async fn create_cluster(&self, asked: &CreateCluster) -> Result<Prepared> {
        operations::create_cluster::prepare(self, asked).await
    }

    async fn delete_cluster(&self, asked: &DeleteCluster, search: &Search) -> Result<Prepared> {
        operations::delete_cluster::prepare(self, asked, search).await
    }

    async fn update_cluster(&self, asked: &UpdateCluster) -> Result<Prepared> {
        operations::update_cluster::prepare(self, asked).await
    }

    async fn upgrade_cluster(&self, asked: &UpgradeCluster) -> Result<Prepared> {
        operations::upgrade_cluster::prepare(self, asked).await
    }

    async fn add_node_group(&self, asked: &AddNodeGroup) -> Result<Prepared> {
        operations::add_node_group::prepare(self, asked).await
    }

    async fn change_node_group_scaling(&self, asked: &ChangeNodeGroupScaling) -> Result<Prepared> {
        operations::change_node_group_scaling::prepare(self, asked).await
    }

    async fn upgrade_node_group(&self, asked: &UpgradeNodeGroup) -> Result<Prepared> {
        operations::upgrade_node_group::prepare(self, asked).await
    }

    async fn remove_node_group(&self, asked: &RemoveNodeGroup) -> Result<Prepared> {
        operations::remove_node_group::prepare(self, asked).await
    }

    async fn create_network(&self, asked: &CreateNetwork) -> Result<Prepared> {
        operations::create_network::prepare(self, asked).await
    }

    async fn create_subnet(&self, asked: &CreateSubnet) -> Result<Prepared> {
        operations::create_subnet::prepare(self, asked).await
    }

    async fn create_security_group(&self, asked: &CreateSecurityGroup) -> Result<Prepared> {
        operations::create_security_group::prepare(self, asked).await
    }

    async fn update_security_group(&self, asked: &UpdateSecurityGroup) -> Result<Prepared> {
        operations::rules::prepare(self, asked).await
    }

    async fn create_key_pair(&self, asked: &CreateKeyPair) -> Result<Prepared> {
        operations::create_key_pair::prepare(self, asked).await
    }

    async fn delete_resource(&self, asked: &DeleteResource) -> Result<Prepared> {
        operations::delete_resource::prepare(self, asked).await
    }

    async fn fix_prerequisites(&self, asked: &FixPrerequisites) -> Result<Prepared> {
        operations::fix_prerequisites::prepare(self, asked).await
    }
}
