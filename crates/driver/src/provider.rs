//! The two traits that a cloud implements.

use std::sync::Arc;

use async_trait::async_trait;
use pmks_model::{
    Child, Children, Cluster, Findings, Image, KeyPair, KubernetesVersion, MachineType, MetricValue, Network,
    Node, NodeGroup, Region, ResourceKind, SecurityGroup, Subnet, UnseenVolumes,
};
use pmks_transport::Lane;

use crate::{
    AccountIdentity, AddNodeGroup, Capabilities, Change, ChangeNodeGroupScaling, ClusterCredential,
    ConnectionSpecification, CreateCluster, CreateKeyPair, CreateNetwork, CreateSecurityGroup, CreateSubnet,
    Credential, DeleteCluster, DeleteResource, Detail, DriverError, Environment, ErrorKind, FixPrerequisites,
    House, KubeconfigFormat, KubeconfigUser, Listing, NodeMetricsAsked, OwnWords, OwnWordsOf, Prepared,
    Prerequisite, ProgressList, RemoveNodeGroup, Result, Search, StageCalls, StageSpecification,
    UpdateCluster, UpdateSecurityGroup, UpdateTags, UpgradeCluster, UpgradeNodeGroup,
};

/// A kind of cloud. The registry holds one of each.
#[async_trait]
pub trait Provider: Send + Sync {
    /// What it can do, before any connection.
    fn capabilities(&self) -> &'static Capabilities;

    /// Everything that is known to be wrong with a connection without asking anybody: an ambient one is held against it
    /// before it is kept, since its chain may ask the machine's surroundings.
    fn check(&self, connection: &ConnectionSpecification, environment: &Environment) -> Findings;

    /// Makes a driver for a connection. Sends nothing, except what an ambient credential chain must.
    ///
    /// # Errors
    /// `InvalidRequest` for settings, endpoints or credentials that cannot be right.
    async fn connect(&self, connection: &ConnectionSpecification, house: &House) -> Result<Arc<dyn Driver>>;

    /// A credential like this one, well-formed, that the cloud does not accept, for tests of what it then says. `None`:
    /// any other letters in its secret do.
    fn wrong_credential(&self, _right: &Credential) -> Option<Credential> {
        None
    }
}

/// A provider at work in one account and region.
///
/// An identifier that a read is given is the cloud's own, and tells the resource from every other of the account and
/// region: where names are unique in a zone or resource group alone, it names that too. A text that has not its form
/// is a name, looked for in the connection's own place (its zone, its resource group), or sent as it is.
///
/// Reads make the fewest calls that the API allows, follow every page, and never write. A list in which a call failed
/// is partial and says which. Preparations read only: they check and choose, and answer the plan or an error, having
/// changed nothing.
#[async_trait]
pub trait Driver: Send + Sync {
    /// What it can do here.
    fn capabilities(&self) -> &Capabilities;

    /// The same driver, whose reads wait in that lane. Asks wait in theirs whatever is said here.
    fn on_lane(&self, lane: Lane) -> Arc<dyn Driver>;

    // Reads

    /// Who the credential acts for.
    async fn account_identity(&self) -> Result<AccountIdentity>;

    /// The clusters of the connection's region, ordered by name.
    async fn list_clusters(&self, detail: Detail) -> Result<Listing<Cluster>>;

    /// One cluster by the cloud's identifier, with its node groups and their nodes' identifiers.
    async fn get_cluster(&self, system_id: &str) -> Result<Cluster>;

    /// The node groups of a cluster, with their nodes' identifiers.
    async fn list_node_groups(&self, cluster: &str) -> Result<Listing<NodeGroup>>;

    /// One node group, with its nodes' identifiers.
    async fn get_node_group(&self, cluster: &str, system_id: &str) -> Result<NodeGroup>;

    /// The VMs of a cluster, with details.
    async fn nodes(&self, cluster: &Cluster) -> Result<Listing<Node>>;

    /// What the cloud measures of one node: a value for each interval of the time that is asked for, the oldest first,
    /// in the metric's own unit. Intervals of which the cloud knows nothing, or nothing yet, have none.
    ///
    /// # Errors
    /// `Unsupported`, asking nobody, for what is not in [`Capabilities::node_metrics`].
    async fn node_metrics(&self, asked: &NodeMetricsAsked<'_>) -> Result<Vec<MetricValue>> {
        Err(self.lacks(asked.metric.as_str()))
    }

    /// The Kubernetes versions on offer, oldest first.
    async fn versions(&self) -> Result<Vec<KubernetesVersion>>;

    /// The machine types on offer in the region, ordered by name.
    async fn machine_types(&self) -> Result<Vec<MachineType>>;

    /// The images that a node group can be made from.
    async fn images(&self) -> Result<Vec<Image>>;

    /// What every size of a node group must be a multiple of, in a cluster that this connection makes where no option
    /// says otherwise. Asks nobody where one place is known.
    async fn size_step(&self) -> Result<u32> {
        Ok(1)
    }

    /// The regions, with the zones of the connection's own. Where subnets lie in no zone, those of the others too if
    /// the same answer tells them.
    async fn regions(&self) -> Result<Vec<Region>>;

    /// The networks of the region.
    async fn list_networks(&self) -> Result<Vec<Network>>;

    /// One network by the cloud's identifier, with its subnets.
    async fn get_network(&self, system_id: &str) -> Result<Network>;

    /// One subnet by the cloud's identifier.
    async fn get_subnet(&self, system_id: &str) -> Result<Subnet>;

    /// The cloud's identifier of the subnet that a text tells within a network, whose identifier may be empty where it
    /// is not known yet: the text itself, but where a subnet's name is one within its network alone. `None`: without
    /// the network the text tells none. Asks nobody.
    fn subnet_id(&self, _network: &str, text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    /// What is narrower than the region and has names of that kind for itself, as a zone or a resource group: where the
    /// thing with that identifier lies, else where this connection makes them. `None`: the whole region is one space of
    /// names. Asks nobody.
    fn space_of_names(&self, _kind: ResourceKind, _system_id: Option<&str>) -> Option<String> {
        None
    }

    /// Whether the cloud lives within this process: whatever an earlier one sent it is over, done or not, and what was
    /// done is to be seen. `false`: requests go on by themselves. Asks nobody.
    fn ends_with_the_process(&self) -> bool {
        false
    }

    /// The security groups of the region, ordered by name; those too that the cloud makes for itself.
    async fn list_security_groups(&self) -> Result<Vec<SecurityGroup>>;

    /// One security group by the cloud's identifier.
    async fn get_security_group(&self, system_id: &str) -> Result<SecurityGroup>;

    /// The key pairs of the region, ordered by name.
    async fn list_key_pairs(&self) -> Result<Vec<KeyPair>>;

    /// One key pair by the cloud's identifier.
    async fn get_key_pair(&self, system_id: &str) -> Result<KeyPair>;

    /// What the cloud itself says of a network, subnet, security group, key pair, cluster or node group: all of it, as the
    /// cloud writes it. Elements of XML are members of JSON, their texts as they are.
    async fn own_words(&self, of: &OwnWordsOf<'_>) -> Result<OwnWords> {
        let _ = of;
        Err(self.lacks("ownWords"))
    }

    /// What must exist first: in the account, and, if a cluster is given, at that cluster.
    async fn prerequisites(&self, cluster: Option<&Cluster>) -> Result<Vec<Prerequisite>>;

    /// What came into being because a cluster stood.
    async fn children(&self, cluster: &Cluster) -> Result<Children>;

    /// The user part of a kubeconfig in the cloud's own form (`Native`, `Static`).
    async fn kubeconfig(&self, cluster: &Cluster, format: KubeconfigFormat) -> Result<KubeconfigUser>;

    /// What lets a client in at the Kubernetes API, made from the observation that is given: no call but the
    /// identity's, and where the cloud alone has the certificate, the one that asks for it
    /// ([`crate::ReadKind::ClusterToken`] states the bound).
    async fn generate_cluster_token(&self, cluster: &Cluster) -> Result<ClusterCredential>;

    // Changes

    /// Everything that is under way in the connection's account and location, in the fewest calls: where many wait,
    /// it answers their looks and polls. Only where the capabilities say [`Capabilities::progress_list`].
    async fn list_progress(&self) -> Result<ProgressList> {
        Err(self.lacks("progressList"))
    }

    /// Makes a stage again from what was stored of it.
    ///
    /// # Errors
    /// `Unexpected` if the kind or the version of the stage is not known.
    fn stage(&self, stage: &StageSpecification) -> Result<Box<dyn StageCalls>>;

    /// Prepares [`CreateCluster`]. Everything that is wrong is found in one round: a reference without an identifier is
    /// known not to be there, and what does not hang on it is judged all the same.
    async fn create_cluster(&self, _asked: &CreateCluster) -> Result<Prepared> {
        Err(self.lacks("cluster.create"))
    }

    /// Prepares [`DeleteCluster`]; as of every removal, where what is to go is gone, too: the plan looks that it is, and
    /// removes what is known of it. `NotFound` of a removal means that something else vanished meanwhile.
    ///
    /// Children say what the cluster's end takes along, and what could not be looked at.
    /// Whoever prepares by `<dyn Driver>::prepare` is refused with `Precondition` where volumes would go that nobody
    /// asked to delete, or stay that were asked to go, because nobody sees them.
    async fn delete_cluster(&self, _asked: &DeleteCluster, _search: &Search) -> Result<Prepared> {
        Err(self.lacks("cluster.delete"))
    }

    /// Prepares [`UpdateCluster`].
    async fn update_cluster(&self, _asked: &UpdateCluster) -> Result<Prepared> {
        Err(self.lacks("cluster.update"))
    }

    /// Prepares [`UpgradeCluster`].
    async fn upgrade_cluster(&self, _asked: &UpgradeCluster) -> Result<Prepared> {
        Err(self.lacks("cluster.upgrade"))
    }

    /// Prepares [`AddNodeGroup`].
    async fn add_node_group(&self, _asked: &AddNodeGroup) -> Result<Prepared> {
        Err(self.lacks("nodeGroup.add"))
    }

    /// Prepares [`ChangeNodeGroupScaling`].
    async fn change_node_group_scaling(&self, _asked: &ChangeNodeGroupScaling) -> Result<Prepared> {
        Err(self.lacks("nodeGroup.scale"))
    }

    /// Prepares [`UpgradeNodeGroup`].
    async fn upgrade_node_group(&self, _asked: &UpgradeNodeGroup) -> Result<Prepared> {
        Err(self.lacks("nodeGroup.upgrade"))
    }

    /// Prepares [`RemoveNodeGroup`].
    async fn remove_node_group(&self, _asked: &RemoveNodeGroup) -> Result<Prepared> {
        Err(self.lacks("nodeGroup.remove"))
    }

    /// Prepares the removal of what a creation made before it failed at the thing itself, which was never made: a stage
    /// for each, by the identifier that is given, also where it is gone by now. What no stage is for is named to the
    /// user, and its record stays. A creation that makes the thing itself first leaves nothing.
    async fn remove_made(&self, _made: &[Child]) -> Result<Prepared> {
        Ok(Prepared::default())
    }

    /// Prepares [`CreateNetwork`].
    async fn create_network(&self, _asked: &CreateNetwork) -> Result<Prepared> {
        Err(self.lacks("network.create"))
    }

    /// Prepares [`CreateSubnet`].
    async fn create_subnet(&self, _asked: &CreateSubnet) -> Result<Prepared> {
        Err(self.lacks("subnet.create"))
    }

    /// Prepares [`CreateSecurityGroup`].
    async fn create_security_group(&self, _asked: &CreateSecurityGroup) -> Result<Prepared> {
        Err(self.lacks("securityGroup.create"))
    }

    /// Prepares [`UpdateSecurityGroup`]. A rule that cannot be removed without others is a finding.
    async fn update_security_group(&self, _asked: &UpdateSecurityGroup) -> Result<Prepared> {
        Err(self.lacks("securityGroup.update"))
    }

    /// Prepares [`CreateKeyPair`].
    async fn create_key_pair(&self, _asked: &CreateKeyPair) -> Result<Prepared> {
        Err(self.lacks("keyPair.create"))
    }

    /// Prepares [`UpdateTags`]: of a network, subnet, security group or key pair, where the capabilities say that its kind
    /// takes them ([`Capabilities::tagged`]). Tags that are not named are left alone.
    async fn update_tags(&self, asked: &UpdateTags) -> Result<Prepared> {
        Err(self.lacks(Change::UpdateTags(asked.clone()).kind().as_str()))
    }

    /// Prepares [`DeleteResource`]: of a network, subnet, security group or key pair.
    async fn delete_resource(&self, asked: &DeleteResource) -> Result<Prepared> {
        Err(self.lacks(Change::DeleteResource(asked.clone()).kind().as_str()))
    }

    /// Prepares [`FixPrerequisites`].
    async fn fix_prerequisites(&self, _asked: &FixPrerequisites) -> Result<Prepared> {
        Err(self.lacks("prerequisite.fix"))
    }

    /// The error of an operation that this provider does not have.
    fn lacks(&self, operation: &'static str) -> DriverError {
        DriverError::unsupported(self.capabilities().provider, operation)
    }
}

/// What is to be removed and is gone has a plan too, by its driver's own look at it. «Not found» is said of something
/// beside it then, which vanished while it was read: all is to be read again.
fn read_again(change: &Change, error: DriverError) -> DriverError {
    let vanished = change.kind().removes() && error.is_not_found();
    if vanished { error.as_kind(ErrorKind::Stale) } else { error }
}

impl dyn Driver + '_ {
    /// Prepares any change: checks, chooses, and answers the plan, having changed nothing.
    pub async fn prepare(&self, change: &Change) -> Result<Prepared> {
        self.prepare_by(change, &Search::default()).await
    }

    /// The same, where children are looked for in that way.
    pub async fn prepare_by(&self, change: &Change, search: &Search) -> Result<Prepared> {
        let prepared = match change {
            Change::CreateCluster(asked) => self.create_cluster(asked).await,
            Change::DeleteCluster(asked) => {
                let prepared = self.delete_cluster(asked, search).await;
                prepared
                    .and_then(|prepared| self.without_lost_volumes(asked, prepared))
                    .and_then(|prepared| self.without_unseen_volumes(asked, prepared))
            }
            Change::UpdateCluster(asked) => self.update_cluster(asked).await,
            Change::UpgradeCluster(asked) => self.upgrade_cluster(asked).await,
            Change::AddNodeGroup(asked) => self.add_node_group(asked).await,
            Change::ChangeNodeGroupScaling(asked) => self.change_node_group_scaling(asked).await,
            Change::UpgradeNodeGroup(asked) => self.upgrade_node_group(asked).await,
            Change::RemoveNodeGroup(asked) => self.remove_node_group(asked).await,
            Change::CreateNetwork(asked) => self.create_network(asked).await,
            Change::CreateSubnet(asked) => self.create_subnet(asked).await,
            Change::CreateSecurityGroup(asked) => self.create_security_group(asked).await,
            Change::UpdateSecurityGroup(asked) => self.update_security_group(asked).await,
            Change::CreateKeyPair(asked) => self.create_key_pair(asked).await,
            Change::UpdateTags(asked) => self.update_tags(asked).await,
            Change::DeleteResource(asked) => self.delete_resource(asked).await,
            Change::FixPrerequisites(asked) => self.fix_prerequisites(asked).await,
        };
        let prepared = prepared.map_err(|error| read_again(change, error))?;
        match prepared.plan.defect() {
            None => Ok(prepared),
            Some(defect) => {
                let provider = self.capabilities().provider;
                let says = format!("the plan is wrong: {defect}");
                Err(DriverError::new(ErrorKind::Unexpected, provider, says))
            }
        }
    }

    /// At some clouds the cluster's end takes along the volumes that its workloads asked for: a deletion that was not
    /// asked to delete volumes does not begin there.
    fn without_lost_volumes(&self, asked: &DeleteCluster, prepared: Prepared) -> Result<Prepared> {
        let lost = |child: &&Child| child.kind == Child::VOLUME && child.goes_with_cluster;
        let volumes: Vec<&str> =
            prepared.children.found.iter().filter(lost).map(|child| child.system_id.as_str()).collect();
        if volumes.is_empty() || asked.delete_volumes {
            return Ok(prepared);
        }
        let what = format!("the cloud deletes these volumes with the cluster: {}", volumes.join(", "));
        let fix =
            "save what they hold, then ask for the deletion of the volumes too (`deleteVolumes` at `/v1`, `pmks cluster delete --delete-volumes`)".to_owned();
        let kind = ErrorKind::Precondition { what: what.clone(), fix };
        Err(DriverError::new(kind, self.capabilities().provider, what))
    }

    /// Once the cluster is gone, nobody knows volumes any more that were not seen: what is asked about them cannot be
    /// done, or not be said to be.
    fn without_unseen_volumes(&self, asked: &DeleteCluster, prepared: Prepared) -> Result<Prepared> {
        let fate = if asked.delete_volumes { UnseenVolumes::Stay } else { UnseenVolumes::Go };
        let unseen = prepared.children.unknown.iter().filter(|unseen| unseen.volumes == fate);
        let unseen: Vec<String> = unseen.map(ToString::to_string).collect();
        if unseen.is_empty() {
            return Ok(prepared);
        }
        let unseen = unseen.join("; ");
        let (what, instead) = if asked.delete_volumes {
            let what = format!("volumes could not be looked at, and their deletion was asked for: {unseen}");
            (what, "delete the cluster without its volumes, which keeps them")
        } else {
            let what = format!(
                "volumes could not be looked at, and the cloud deletes them with the cluster: {unseen}"
            );
            (
                what,
                "ask for the deletion of the volumes too (`deleteVolumes` at `/v1`, `pmks cluster delete --delete-volumes`)",
            )
        };
        let fix = format!(
            "let the connection's principal see them (a cluster that is stopped is started first), then ask again; or \
             {instead}"
        );
        let kind = ErrorKind::Precondition { what: what.clone(), fix };
        Err(DriverError::new(kind, self.capabilities().provider, what))
    }
}
