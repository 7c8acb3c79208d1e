//! The driver of one connection: hands every question and every change to the module that knows it.

use std::sync::Arc;

use async_trait::async_trait;
use pmks_driver::{
    AccountIdentity, AddNodeGroup, Capabilities, ChangeNodeGroupScaling, ClusterCredential, CreateCluster,
    CreateKeyPair, CreateNetwork, CreateSecurityGroup, CreateSubnet, DeleteCluster, DeleteResource, Detail,
    Driver, DriverError, KubeconfigFormat, KubeconfigUser, Listing, NodeMetricsAsked, OwnWords, OwnWordsOf,
    Prepared, Prerequisite, RemoveNodeGroup, Result, Search, StageCalls, StageSpecification, Staged,
    UpdateCluster, UpdateSecurityGroup, UpdateTags, UpgradeCluster, UpgradeNodeGroup,
};
use pmks_model::{
    Children, Cluster, Image, KeyPair, KubernetesVersion, MachineType, MetricValue, Network, Node, NodeGroup,
    Region, SecurityGroup, Subnet,
};
use pmks_transport::Lane;

use crate::api::{Api, Kind};
use crate::capabilities::CAPABILITIES;
use crate::{PROVIDER, convert, operations, reads};

/// The Mock cloud, in one account and region.
#[derive(Clone, Debug)]
pub(crate) struct MockDriver {
    /// The cloud's calls.
    pub(crate) api: Api,
    /// The region.
    pub(crate) region: Arc<str>,
    /// The zone of subnets that name none, where the user named one.
    pub(crate) zone: Option<Arc<str>>,
    /// Whether its cloud is the one within the process.
    pub(crate) at_home: bool,
}

impl Staged for MockDriver {
    const PROVIDER: &'static str = PROVIDER;

    fn in_lane(&self, lane: Lane) -> Self {
        Self { api: self.api.on_lane(lane), ..self.clone() }
    }
}

#[async_trait]
impl Driver for MockDriver {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn on_lane(&self, lane: Lane) -> Arc<dyn Driver> {
        Arc::new(self.in_lane(lane))
    }

    fn ends_with_the_process(&self) -> bool {
        self.at_home
    }

    async fn account_identity(&self) -> Result<AccountIdentity> {
        reads::account_identity(self).await
    }

    async fn list_clusters(&self, detail: Detail) -> Result<Listing<Cluster>> {
        reads::list_clusters(self, detail).await
    }

    async fn get_cluster(&self, system_id: &str) -> Result<Cluster> {
        reads::get_cluster(self, system_id).await
    }

    async fn list_node_groups(&self, cluster: &str) -> Result<Listing<NodeGroup>> {
        reads::list_node_groups(self, cluster).await
    }

    async fn get_node_group(&self, cluster: &str, system_id: &str) -> Result<NodeGroup> {
        reads::get_node_group(self, cluster, system_id).await
    }

    async fn nodes(&self, cluster: &Cluster) -> Result<Listing<Node>> {
        reads::nodes(self, cluster).await
    }

    /// The cloud's words and units are ours.
    async fn node_metrics(&self, asked: &NodeMetricsAsked<'_>) -> Result<Vec<MetricValue>> {
        let (node, metric) = (&asked.node.iid.system_id, asked.metric.as_str());
        let told = self.api.metric(node, metric, asked.interval.as_secs(), asked.from, asked.until).await?;
        Ok(told.values)
    }

    async fn versions(&self) -> Result<Vec<KubernetesVersion>> {
        Ok(convert::versions(&self.api.catalogue().await?.versions))
    }

    async fn machine_types(&self) -> Result<Vec<MachineType>> {
        Ok(self.api.catalogue().await?.machine_types.into_iter().map(convert::machine_type).collect())
    }

    async fn images(&self) -> Result<Vec<Image>> {
        Ok(self.api.catalogue().await?.images.into_iter().map(convert::image).collect())
    }

    async fn regions(&self) -> Result<Vec<Region>> {
        reads::regions(self).await
    }

    async fn list_networks(&self) -> Result<Vec<Network>> {
        reads::list_networks(self).await
    }

    async fn get_network(&self, system_id: &str) -> Result<Network> {
        self.api.get(Kind::Network, system_id).await.map(convert::network)
    }

    async fn get_subnet(&self, system_id: &str) -> Result<Subnet> {
        self.api.get(Kind::Subnet, system_id).await.map(convert::subnet)
    }

    async fn list_security_groups(&self) -> Result<Vec<SecurityGroup>> {
        reads::list_security_groups(self).await
    }

    async fn get_security_group(&self, system_id: &str) -> Result<SecurityGroup> {
        self.api.get(Kind::SecurityGroup, system_id).await.map(convert::security_group)
    }

    async fn list_key_pairs(&self) -> Result<Vec<KeyPair>> {
        reads::list_key_pairs(self).await
    }

    async fn get_key_pair(&self, system_id: &str) -> Result<KeyPair> {
        reads::get_key_pair(self, system_id).await
    }

    async fn own_words(&self, of: &OwnWordsOf<'_>) -> Result<OwnWords> {
        reads::own_words(self, of).await
    }

    /// Nothing has to exist first.
    async fn prerequisites(&self, _cluster: Option<&Cluster>) -> Result<Vec<Prerequisite>> {
        Ok(Vec::new())
    }

    async fn children(&self, cluster: &Cluster) -> Result<Children> {
        reads::children(self, cluster).await
    }

    async fn kubeconfig(&self, _cluster: &Cluster, _format: KubeconfigFormat) -> Result<KubeconfigUser> {
        Err(DriverError::unsupported(PROVIDER, "kubeconfig of its own"))
    }

    async fn generate_cluster_token(&self, cluster: &Cluster) -> Result<ClusterCredential> {
        reads::cluster_token(self, cluster).await
    }

    fn stage(&self, stage: &StageSpecification) -> Result<Box<dyn StageCalls>> {
        operations::STAGES.calls(self, stage)
    }

    async fn create_cluster(&self, asked: &CreateCluster) -> Result<Prepared> {
        operations::clusters::create(self, asked).await
    }

    async fn delete_cluster(&self, asked: &DeleteCluster, search: &Search) -> Result<Prepared> {
        operations::clusters::delete(self, asked, search).await
    }

    async fn update_cluster(&self, asked: &UpdateCluster) -> Result<Prepared> {
        operations::clusters::update(self, asked).await
    }

    async fn upgrade_cluster(&self, asked: &UpgradeCluster) -> Result<Prepared> {
        operations::clusters::upgrade(self, asked).await
    }

    async fn add_node_group(&self, asked: &AddNodeGroup) -> Result<Prepared> {
        operations::node_groups::add(self, asked).await
    }

    async fn change_node_group_scaling(&self, asked: &ChangeNodeGroupScaling) -> Result<Prepared> {
        operations::node_groups::scale(self, asked).await
    }

    async fn upgrade_node_group(&self, asked: &UpgradeNodeGroup) -> Result<Prepared> {
        operations::node_groups::upgrade(self, asked).await
    }

    async fn remove_node_group(&self, asked: &RemoveNodeGroup) -> Result<Prepared> {
        operations::node_groups::remove(self, asked).await
    }

    async fn create_network(&self, asked: &CreateNetwork) -> Result<Prepared> {
        operations::ground::create_network(self, asked).await
    }

    async fn create_subnet(&self, asked: &CreateSubnet) -> Result<Prepared> {
        operations::ground::create_subnet(self, asked).await
    }

    async fn create_security_group(&self, asked: &CreateSecurityGroup) -> Result<Prepared> {
        operations::ground::create_security_group(self, asked).await
    }

    async fn update_security_group(&self, asked: &UpdateSecurityGroup) -> Result<Prepared> {
        operations::rules::prepare(self, asked).await
    }

    async fn update_tags(&self, asked: &UpdateTags) -> Result<Prepared> {
        operations::tags::prepare(self, asked).await
    }

    async fn create_key_pair(&self, asked: &CreateKeyPair) -> Result<Prepared> {
        operations::ground::create_key_pair(self, asked).await
    }

    async fn delete_resource(&self, asked: &DeleteResource) -> Result<Prepared> {
        operations::ground::delete(self, asked).await
    }
}
