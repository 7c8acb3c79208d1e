//! The driver of one connection: hands every question and every change to the module that knows it.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use pmks_driver::{
    AccountIdentity, AddNodeGroup, Capabilities, Care, ChangeNodeGroupScaling, ClusterCredential,
    CreateCluster, CreateKeyPair, CreateNetwork, CreateSecurityGroup, CreateSubnet, DeleteCluster,
    DeleteResource, Detail, Driver, FixPrerequisites, KubeconfigFormat, KubeconfigUser, Listing,
    NodeMetricsAsked, OwnWords, OwnWordsOf, Prepared, Prerequisite, RemoveNodeGroup, Result, Search,
    StageCalls, StageSpecification, Staged, UpdateCluster, UpdateSecurityGroup, UpdateTags, UpgradeCluster,
    UpgradeNodeGroup,
};
use pmks_model::{
    Child, Children, Cluster, Image, KeyPair, KubernetesVersion, MachineType, MetricValue, Network, Node,
    NodeGroup, Region, SecurityGroup, Subnet,
};
use pmks_transport::{Lane, Transport};

use crate::api::Api;
use crate::capabilities::CAPABILITIES;
use crate::credential::KeySource;
use crate::{
    PROVIDER, access, children, clusters, machines, metrics, networks, operations, own_words, prerequisites,
};

/// AWS in one account and region.
#[derive(Clone, Debug)]
pub(crate) struct AwsDriver {
    /// AWS' calls.
    pub(crate) api: Api,
    /// What the connection says.
    pub(crate) here: Arc<Here>,
}

/// What a connection says, beside its credential and endpoints.
#[derive(Debug)]
pub(crate) struct Here {
    /// The zone, where the user named one.
    pub(crate) zone: Option<String>,
    /// The provider's own settings.
    pub(crate) settings: Settings,
    /// How many times faster than the real cloud this one works.
    pub(crate) pace: u32,
    /// Who signs.
    pub(crate) keys: Arc<dyn KeySource>,
    /// The way to a cluster's own Kubernetes API, and the clock.
    pub(crate) transport: Transport,
}

/// The provider's own settings of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The role of clusters, by name or ARN.
    pub(crate) cluster_role: Option<String>,
    /// The role of nodes, by name or ARN.
    pub(crate) node_group_role: Option<String>,
}

impl Settings {
    /// Reads settings that were already checked.
    pub(crate) fn of(settings: &BTreeMap<String, serde_json::Value>) -> Self {
        let text = |name: &str| {
            let text = settings.get(name)?.as_str()?.trim();
            (!text.is_empty()).then(|| text.to_owned())
        };
        Self { cluster_role: text("clusterRole"), node_group_role: text("nodeRole") }
    }
}

impl AwsDriver {
    /// The connection's region.
    pub(crate) fn region(&self) -> &str {
        self.api.endpoints().region()
    }

    /// The time now.
    pub(crate) fn now(&self) -> jiff::Timestamp {
        self.here.transport.clock().wall()
    }
}

impl Staged for AwsDriver {
    const PROVIDER: &'static str = PROVIDER;

    fn in_lane(&self, lane: Lane) -> Self {
        Self { api: self.api.on_lane(lane), here: Arc::clone(&self.here) }
    }
}

#[async_trait]
impl Driver for AwsDriver {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn on_lane(&self, lane: Lane) -> Arc<dyn Driver> {
        Arc::new(self.in_lane(lane))
    }

    async fn account_identity(&self) -> Result<AccountIdentity> {
        access::account_identity(self).await
    }

    async fn list_clusters(&self, detail: Detail) -> Result<Listing<Cluster>> {
        clusters::list(self, detail).await
    }

    async fn get_cluster(&self, system_id: &str) -> Result<Cluster> {
        clusters::get(self, system_id).await
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
        clusters::versions(self).await
    }

    async fn machine_types(&self) -> Result<Vec<MachineType>> {
        machines::machine_types(self).await
    }

    async fn images(&self) -> Result<Vec<Image>> {
        Ok(machines::images())
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
        networks::list_security_groups(self).await
    }

    async fn get_security_group(&self, system_id: &str) -> Result<SecurityGroup> {
        networks::get_security_group(self, system_id).await
    }

    async fn list_key_pairs(&self) -> Result<Vec<KeyPair>> {
        networks::list_key_pairs(self).await
    }

    async fn get_key_pair(&self, system_id: &str) -> Result<KeyPair> {
        networks::get_key_pair(self, system_id).await
    }

    async fn own_words(&self, of: &OwnWordsOf<'_>) -> Result<OwnWords> {
        own_words::read(self, of).await
    }

    async fn prerequisites(&self, cluster: Option<&Cluster>) -> Result<Vec<Prerequisite>> {
        let mut all = prerequisites::of_account(self).await?;
        if let Some(cluster) = cluster {
            all.push(access::prerequisite(self, cluster).await?);
        }
        Ok(all)
    }

    async fn children(&self, cluster: &Cluster) -> Result<Children> {
        children::children(self, cluster, Care::ToShow).await
    }

    async fn kubeconfig(&self, cluster: &Cluster, format: KubeconfigFormat) -> Result<KubeconfigUser> {
        access::kubeconfig(self, cluster, format)
    }

    async fn generate_cluster_token(&self, cluster: &Cluster) -> Result<ClusterCredential> {
        access::token(self, cluster).await
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

    async fn remove_made(&self, made: &[Child]) -> Result<Prepared> {
        Ok(operations::remove_made::prepare(made))
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

    async fn update_tags(&self, asked: &UpdateTags) -> Result<Prepared> {
        operations::tags::prepare(self, asked).await
    }

    async fn create_key_pair(&self, asked: &CreateKeyPair) -> Result<Prepared> {
        operations::create_key_pair::prepare(self, asked).await
    }

    async fn delete_resource(&self, asked: &DeleteResource) -> Result<Prepared> {
        operations::delete_resource::prepare(self, asked).await
    }

    async fn fix_prerequisites(&self, asked: &FixPrerequisites) -> Result<Prepared> {
        match &asked.cluster {
            None => operations::fix_prerequisites::prepare(self, asked).await,
            Some(cluster) => operations::grant_access::prepare(self, cluster).await,
        }
    }
}
