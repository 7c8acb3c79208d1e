//! The driver of one connection: hands every question and every change to the module that knows it.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;
use pmks_driver::{
    AccountIdentity, AddNodeGroup, Capabilities, Care, ChangeNodeGroupScaling, ClusterCredential,
    CreateCluster, CreateKeyPair, CreateNetwork, CreateSecurityGroup, CreateSubnet, DeleteCluster,
    DeleteResource, Detail, Driver, FixPrerequisites, Handle, KubeconfigFormat, KubeconfigUser, Listing,
    NodeMetricsAsked, OwnWords, OwnWordsOf, Poll, Prepared, Prerequisite, ProgressList, RemoveNodeGroup,
    Result, Search, StageCalls, StageSpecification, Staged, UpdateCluster, UpdateSecurityGroup, UpdateTags,
    UpgradeCluster, UpgradeNodeGroup,
};
use pmks_model::{
    AccessInfo, Children, Cluster, Image, KeyPair, KubernetesVersion, MachineType, MetricValue, Network,
    Node, NodeGroup, Region, ResourceKind, SecurityGroup, Subnet,
};
use pmks_transport::{Lane, Transport};

use crate::api::Api;
use crate::arm_id::{self, ArmId};
use crate::capabilities::CAPABILITIES;
use crate::token_source::Tokens;
use crate::{
    PROVIDER, access, children, clusters, machines, metrics, networks, operations, own_words, prerequisites,
};

/// Azure in one subscription and region.
#[derive(Clone, Debug)]
pub(crate) struct AzureDriver {
    /// Azure's calls.
    pub(crate) api: Api,
    /// What the connection says.
    pub(crate) here: Arc<Here>,
}

/// What a connection says, beside its credential and endpoints.
#[derive(Debug)]
pub(crate) struct Here {
    /// The zone's number, where the user named one.
    pub(crate) zone: Option<String>,
    /// The provider's own settings.
    pub(crate) settings: Settings,
    /// How many times faster than the real cloud this one works.
    pub(crate) pace: u32,
    /// Who acts, for people.
    pub(crate) principal: String,
    /// Where tokens come from.
    pub(crate) tokens: Arc<Tokens>,
    /// The way to a cluster's own Kubernetes API, and the clock.
    pub(crate) transport: Transport,
    /// Whether Azure has said that it has this region.
    pub(crate) place_is_known: AtomicBool,
    /// How clusters are reached, by their incarnation, and since when that is known.
    pub(crate) ways_in: Mutex<BTreeMap<String, (AccessInfo, Timestamp)>>,
}

/// The provider's own settings of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The resource group that everything is made in.
    pub(crate) resource_group: String,
    /// Which of Azure's clouds it is.
    pub(crate) cloud: Option<String>,
    /// The subscription of an ambient connection.
    pub(crate) subscription: Option<String>,
}

impl Settings {
    /// Reads settings; what is wrong with them is found elsewhere.
    pub(crate) fn of(settings: &BTreeMap<String, serde_json::Value>, region: &str) -> Self {
        let text = |name: &str| {
            let text = settings.get(name)?.as_str()?.trim();
            (!text.is_empty()).then(|| text.to_owned())
        };
        Self {
            resource_group: text("resourceGroup").unwrap_or_else(|| region.to_owned()),
            cloud: text("cloud"),
            subscription: text("subscription"),
        }
    }
}

impl AzureDriver {
    /// The connection's region.
    pub(crate) fn region(&self) -> &str {
        self.api.endpoints().region()
    }

    /// The resource group that everything is made in.
    pub(crate) fn group(&self) -> &str {
        &self.here.settings.resource_group
    }

    /// The time now.
    pub(crate) fn now(&self) -> Timestamp {
        self.here.transport.clock().wall()
    }

    /// The identifier of a resource that is made here.
    pub(crate) fn own_id(&self, provider: &str, kind: &str, name: &str) -> ArmId {
        ArmId::new(self.api.subscription(), self.group(), provider, kind, name)
    }

    /// What a text identifies: an identifier of that kind as it is, anything else as a name in the resource group.
    pub(crate) fn resolve(&self, provider: &str, kind: &str, text: &str) -> ArmId {
        ArmId::parse(text).filter(|id| id.is(kind)).unwrap_or_else(|| self.own_id(provider, kind, text))
    }

    /// The cluster that a text identifies.
    pub(crate) fn cluster_id(&self, text: &str) -> ArmId {
        self.resolve(arm_id::CONTAINER_SERVICE, "managedClusters", text)
    }

    /// The virtual network that a text identifies.
    pub(crate) fn network_id(&self, text: &str) -> ArmId {
        self.resolve(arm_id::NETWORK, "virtualNetworks", text)
    }

    /// The network security group that a text identifies.
    pub(crate) fn security_group_id(&self, text: &str) -> ArmId {
        self.resolve(arm_id::NETWORK, "networkSecurityGroups", text)
    }

    /// The SSH public key that a text identifies.
    pub(crate) fn key_pair_id(&self, text: &str) -> ArmId {
        self.resolve(arm_id::COMPUTE, "sshPublicKeys", text)
    }
}

impl Staged for AzureDriver {
    const PROVIDER: &'static str = PROVIDER;

    fn in_lane(&self, lane: Lane) -> Self {
        Self { api: self.api.on_lane(lane), here: Arc::clone(&self.here) }
    }

    /// What Network and Compute do is not in the list.
    fn poll_in(handle: &Handle, list: &ProgressList) -> Option<Poll> {
        operations::follow_in(handle, list)
    }
}

#[async_trait]
impl Driver for AzureDriver {
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

    fn space_of_names(&self, _kind: ResourceKind, system_id: Option<&str>) -> Option<String> {
        let of_id = system_id.and_then(ArmId::parse).map(|id| id.group().to_lowercase());
        Some(of_id.unwrap_or_else(|| self.group().to_lowercase()))
    }

    fn subnet_id(&self, network: &str, text: &str) -> Option<String> {
        networks::subnet_within(network, text)
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
            all.extend(prerequisites::of_cluster(self, cluster).await?);
        }
        Ok(all)
    }

    async fn children(&self, cluster: &Cluster) -> Result<Children> {
        children::children(self, cluster, Care::ToShow).await
    }

    async fn kubeconfig(&self, cluster: &Cluster, format: KubeconfigFormat) -> Result<KubeconfigUser> {
        access::kubeconfig(self, cluster, format).await
    }

    async fn generate_cluster_token(&self, cluster: &Cluster) -> Result<ClusterCredential> {
        access::token(self, cluster).await
    }

    async fn list_progress(&self) -> Result<ProgressList> {
        Ok(operations::list_progress(self.api.clusters().await?))
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
            Some(cluster) => operations::role_assignment::prepare(self, cluster, &asked.marks).await,
        }
    }
}
