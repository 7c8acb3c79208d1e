//! The driver of the scripted cloud.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::*;
use pmks_model::{
    Child, Children, Cluster, Iid, Image, KeyPair, KubernetesVersion, MachineType, MetricValue, NameRule,
    Network, Node, NodeGroup, NodeMetric, OperationKind, Region, ResourceKind, SecurityGroup, Subnet,
    Support, UniqueName, Unseen, UnseenVolumes, Version,
};
use pmks_transport::Lane;

use super::cloud::{Cloud, PROVIDER, found};
use super::stages::{self, Make};

const NAME: NameRule = NameRule { pattern: "^[a-z][a-z0-9-]{0,39}$", says: "1 to 40 lower-case letters" };

const fn field(name: &'static str, secret: bool) -> Field {
    Field { name, secret, required: true, env: "", help: "a value", spider: "" }
}

pub(crate) const CAPABILITIES: Capabilities = Capabilities {
    provider: PROVIDER,
    title: "Fake Kubernetes",
    services: &["compute"],
    first_region: "home",
    credential_forms: &[Form {
        name: "key",
        help: "",
        fields: &[field("accessKey", false), field("secretKey", true)],
    }],
    settings: &[OptionField {
        name: "role",
        kind: OptionKind::Text,
        default: "",
        help: "a role",
        changeable: true,
    }],
    cluster_options: &[OptionField {
        name: "logging",
        kind: OptionKind::Boolean,
        default: "false",
        help: "logs",
        changeable: true,
    }],
    // Everything but the upgrade of a node group.
    operations: &[
        OperationKind::ClusterCreate,
        OperationKind::ClusterDelete,
        OperationKind::ClusterUpgrade,
        OperationKind::ClusterUpdate,
        OperationKind::NodeGroupAdd,
        OperationKind::NodeGroupScale,
        OperationKind::NodeGroupRemove,
        OperationKind::NetworkCreate,
        OperationKind::NetworkUpdate,
        OperationKind::NetworkDelete,
        OperationKind::SubnetCreate,
        OperationKind::SubnetUpdate,
        OperationKind::SubnetDelete,
        OperationKind::SecurityGroupCreate,
        OperationKind::SecurityGroupUpdate,
        OperationKind::SecurityGroupDelete,
        OperationKind::KeyPairCreate,
        OperationKind::KeyPairUpdate,
        OperationKind::KeyPairDelete,
        OperationKind::PrerequisiteFix,
    ],
    cluster_name: NAME,
    node_group_name: NAME,
    network_name: NAME,
    subnet_name: NAME,
    security_group_name: NAME,
    key_pair_name: NAME,
    unique_names: UniqueNames::all(UniqueName::of(40)),
    tags: Some(TagRule {
        most: 5,
        key: NameRule { pattern: "^.{1,20}$", says: "short" },
        value: NameRule { pattern: "^.{0,20}$", says: "short" },
    }),
    node_groups_at_creation: NodeGroupsAtCreation { presence: Presence::Optional, most: 3 },
    minimum_subnets: 1,
    minimum_zones: 1,
    most_subnets: None,
    zonal_subnets: true,
    network_addresses: true,
    tagged: &[
        ResourceKind::Cluster,
        ResourceKind::Network,
        ResourceKind::Subnet,
        ResourceKind::SecurityGroup,
        ResourceKind::KeyPair,
    ],
    security_groups: Presence::Optional,
    image: pmks_model::ImageKind::Type,
    root_disk: RootDisk { types: &["ssd"], default_gib: 20, min_gib: 10, max_gib: 100 },
    key_pair: KeyPairUse::Optional,
    scales_to_zero: true,
    auto_scaling: AutoScaling { managed: true, keeps_limits: true, says: "" },
    token: TokenKind::Bearer,
    token_reach: TokenReach::Cluster,
    native_kubeconfig: true,
    static_kubeconfig: false,
    last_node_group: LastNodeGroup::Kept,
    upgrade: Upgrade { one_minor_at_a_time: true, node_groups_before_next_hop: true, largest_skew: 3 },
    failed_create: FailedCreate::Replace,
    progress_list: false,
    node_metrics: &[NodeMetric::CpuUsage],
    metric_intervals: &[1, 5],
    buckets: &[],
    call_bounds: &[],
    visible_after: Duration::from_secs(20),
};

pub(crate) struct Fake(pub(crate) Cloud);

#[async_trait]
impl Provider for Fake {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn check(&self, connection: &ConnectionSpecification, environment: &Environment) -> pmks_model::Findings {
        let mut findings = pmks_model::Findings::default();
        if connection.zone.as_deref() == Some("nowhere") {
            for field in ["zone", "region", "credential.secretKey"] {
                findings.add(field, "is wrong");
            }
        }
        let ambient = matches!(connection.credential, Credential::Ambient);
        if ambient && environment.get("FAKE_ACCOUNT").is_none() {
            findings.add("settings.role", "is required here, or FAKE_ACCOUNT in the environment");
        }
        findings
    }

    async fn connect(&self, connection: &ConnectionSpecification, house: &House) -> Result<Arc<dyn Driver>> {
        let findings = self.check(connection, &house.environment);
        findings.into_result().map_err(|findings| DriverError::invalid(PROVIDER, findings))?;
        let key = connection.credential.get("accessKey").unwrap_or("ambient").to_owned();
        Ok(Arc::new(FakeDriver { cloud: self.0.clone(), key, zone: connection.zone.clone() }))
    }
}

#[derive(Clone)]
pub(crate) struct FakeDriver {
    cloud: Cloud,
    key: String,
    zone: Option<String>,
}

impl FakeDriver {
    /// A node group's stage after these, and after its template's where there are any.
    fn with_template(
        &self,
        name: &str,
        group: StageSpecification,
        after: &[&str],
    ) -> Vec<StageSpecification> {
        if !self.cloud.world().makes_templates {
            return vec![group.after(after.iter().copied())];
        }
        let template = Make::Template.stage(&format!("template of {name}"));
        let before = [template.name.clone()];
        vec![template.after(after.iter().copied()), group.after(before)]
    }

    fn asked(&self, kind: &str, asked: &impl serde::Serialize) {
        self.cloud.world().asked.insert(kind.to_owned(), serde_json::to_value(asked).unwrap());
    }
}

#[async_trait]
impl Driver for FakeDriver {
    fn capabilities(&self) -> &Capabilities {
        self.cloud.world().capabilities.unwrap_or(&CAPABILITIES)
    }

    fn on_lane(&self, _lane: Lane) -> Arc<dyn Driver> {
        Arc::new(self.clone())
    }

    /// A zone is one for clusters, a group for everything.
    fn space_of_names(&self, kind: ResourceKind, system_id: Option<&str>) -> Option<String> {
        let zone = self.zone.as_deref()?;
        let is_narrow = kind == ResourceKind::Cluster || kind == ResourceKind::NodeGroup;
        let of_id = system_id.map(|id| id.split_once('/').map_or("elsewhere", |(zone, _)| zone));
        (is_narrow || zone.starts_with("group")).then(|| of_id.unwrap_or(zone).to_owned())
    }

    async fn account_identity(&self) -> Result<AccountIdentity> {
        self.cloud.answer("account_identity").await;
        while self.cloud.world().silent {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let world = self.cloud.call("account_identity")?;
        match world.accounts.get(&self.key) {
            Some(account) => Ok(AccountIdentity { account: account.clone(), principal: self.key.clone() }),
            None => Err(DriverError::new(ErrorKind::Unauthenticated, PROVIDER, "who are you?")),
        }
    }

    async fn list_clusters(&self, _detail: Detail) -> Result<Listing<Cluster>> {
        let (mut listing, partial, slow) = {
            let world = self.cloud.call("list_clusters")?;
            let all = world.clusters.values().cloned().collect();
            (Listing::complete(all), world.partial, world.slow.clone())
        };
        if let Some(mut open) = slow {
            open.wait_for(|open| *open).await.unwrap();
        }
        if partial {
            let error = DriverError::new(ErrorKind::Unavailable, PROVIDER, "not now");
            listing.missed.push(Missed { what: "a cluster".to_owned(), failure: error.to_failure() });
        }
        Ok(listing)
    }

    async fn get_cluster(&self, system_id: &str) -> Result<Cluster> {
        found(&self.cloud.call("get_cluster")?.clusters, system_id)
    }

    async fn list_node_groups(&self, cluster: &str) -> Result<Listing<NodeGroup>> {
        Ok(Listing::complete(self.get_cluster(cluster).await?.node_groups))
    }

    async fn get_node_group(&self, cluster: &str, system_id: &str) -> Result<NodeGroup> {
        let all = self.get_cluster(cluster).await?.node_groups;
        let lost = || DriverError::new(ErrorKind::NotFound, PROVIDER, "no such group");
        all.into_iter().find(|group| group.iid.system_id == system_id).ok_or_else(lost)
    }

    async fn nodes(&self, cluster: &Cluster) -> Result<Listing<Node>> {
        drop(self.cloud.call("nodes")?);
        let of = |group: &NodeGroup| {
            let name = group.iid.name_id.clone();
            group.nodes.clone().into_iter().map(move |iid| Node {
                // A group that tells identifiers alone does not know what nodes are called.
                iid: if iid.name_id == iid.system_id {
                    Iid::new(format!("host-of-{}", iid.system_id), iid.system_id)
                } else {
                    iid
                },
                node_group: name.clone(),
                ..Node::default()
            })
        };
        Ok(Listing::complete(cluster.node_groups.iter().flat_map(of).collect()))
    }

    /// One value at each end of the time.
    async fn node_metrics(&self, asked: &NodeMetricsAsked<'_>) -> Result<Vec<MetricValue>> {
        drop(self.cloud.call("node_metrics")?);
        let (from, last) = (asked.from, asked.until - asked.interval);
        Ok(vec![MetricValue { at: from, value: 12.5 }, MetricValue { at: last, value: 14.0 }])
    }

    async fn versions(&self) -> Result<Vec<KubernetesVersion>> {
        drop(self.cloud.call("versions")?);
        let version = |minor, support| KubernetesVersion {
            version: Version::of_minor(1, minor),
            default: minor == 31,
            support,
            end_of_standard_support: None,
            end_of_extended_support: None,
        };
        Ok(vec![
            version(31, Support::Standard),
            version(30, Support::Extended),
            version(29, Support::Unsupported),
        ])
    }

    async fn machine_types(&self) -> Result<Vec<MachineType>> {
        drop(self.cloud.call("machine_types")?);
        Ok(vec![MachineType { name: "small".to_owned(), ..MachineType::default() }])
    }

    async fn images(&self) -> Result<Vec<Image>> {
        drop(self.cloud.call("images")?);
        Ok(Vec::new())
    }

    async fn regions(&self) -> Result<Vec<Region>> {
        drop(self.cloud.call("regions")?);
        Ok(Vec::new())
    }

    /// Of networks alone, with what nobody should be told.
    async fn own_words(&self, of: &OwnWordsOf<'_>) -> Result<OwnWords> {
        if of.kind != ResourceKind::Network {
            return Err(self.lacks("ownWords"));
        }
        found(&self.cloud.call("own_words")?.networks, of.system_id)?;
        Ok(OwnWords::of(&serde_json::json!({"id": of.system_id, "adminPassword": "hunter2"})))
    }

    async fn list_networks(&self) -> Result<Vec<Network>> {
        let world = self.cloud.call("list_networks")?;
        let whole = |network: &Network| {
            let subnets = world.subnets.values().filter(|subnet| subnet.network == network.iid.system_id);
            Network { subnets: subnets.cloned().collect(), ..network.clone() }
        };
        Ok(world.networks.values().map(whole).collect())
    }

    async fn get_network(&self, system_id: &str) -> Result<Network> {
        self.cloud.answer("get_network").await;
        let world = self.cloud.call("get_network")?;
        let subnets = world.subnets.values().filter(|subnet| subnet.network == system_id).cloned().collect();
        Ok(Network { subnets, ..found(&world.networks, system_id)? })
    }

    async fn get_subnet(&self, system_id: &str) -> Result<Subnet> {
        found(&self.cloud.call("get_subnet")?.subnets, system_id)
    }

    async fn list_security_groups(&self) -> Result<Vec<SecurityGroup>> {
        Ok(self.cloud.call("list_security_groups")?.security_groups.values().cloned().collect())
    }

    async fn get_security_group(&self, system_id: &str) -> Result<SecurityGroup> {
        self.cloud.answer("get_security_group").await;
        found(&self.cloud.call("get_security_group")?.security_groups, system_id)
    }

    async fn list_key_pairs(&self) -> Result<Vec<KeyPair>> {
        Ok(self.cloud.call("list_key_pairs")?.key_pairs.values().cloned().collect())
    }

    async fn get_key_pair(&self, system_id: &str) -> Result<KeyPair> {
        found(&self.cloud.call("get_key_pair")?.key_pairs, system_id)
    }

    async fn prerequisites(&self, _cluster: Option<&Cluster>) -> Result<Vec<Prerequisite>> {
        self.cloud.answer("prerequisites").await;
        drop(self.cloud.call("prerequisites")?);
        let state = PrerequisiteState::Missing { what: vec!["role".to_owned()] };
        Ok(vec![Prerequisite { name: "role".to_owned(), says: "a role".to_owned(), state, fix: None }])
    }

    async fn children(&self, _cluster: &Cluster) -> Result<Children> {
        drop(self.cloud.call("children")?);
        let child = Child {
            kind: "volume".to_owned(),
            system_id: "vol-1".to_owned(),
            name: String::new(),
            made_by: "a claim".to_owned(),
            goes_with_cluster: self.cloud.world().volumes_go,
        };
        let why = "it does not answer".to_owned();
        let unseen = Unseen { what: "volumes".to_owned(), why, volumes: UnseenVolumes::Stay };
        let unknown = self.cloud.world().volumes_unseen.then_some(unseen);
        Ok(Children { found: vec![child], unknown: unknown.into_iter().collect() })
    }

    async fn kubeconfig(&self, cluster: &Cluster, _format: KubeconfigFormat) -> Result<KubeconfigUser> {
        Ok(KubeconfigUser::Exec(ExecCommand {
            command: "fake".to_owned(),
            args: vec!["get-token".to_owned(), cluster.iid.system_id.clone()],
            env: Vec::new(),
            install_hint: String::new(),
            api_version: "client.authentication.k8s.io/v1".to_owned(),
            provide_cluster_info: false,
        }))
    }

    async fn generate_cluster_token(&self, cluster: &Cluster) -> Result<ClusterCredential> {
        let expires_at = self.cloud.now() + Duration::from_mins(15);
        Ok(ClusterCredential::Token {
            token: format!("token-of-{}", cluster.iid.system_id).into(),
            expires_at,
        })
    }

    fn stage(&self, stage: &StageSpecification) -> Result<Box<dyn StageCalls>> {
        Ok(stages::of(&self.cloud, stage))
    }

    async fn create_cluster(&self, asked: &CreateCluster) -> Result<Prepared> {
        self.asked("cluster.create", asked);
        drop(self.cloud.call("prepare")?);
        self.cloud.answer("prepare").await;
        let make = Make::Cluster { request: asked.request.clone(), marks: asked.marks.clone() };
        let cluster = make.stage("control plane").subject(ResourceKind::Cluster, &asked.request.name);
        let groups = asked.request.node_groups.iter().flat_map(|group| {
            let make = Make::NodeGroup { cluster: asked.request.name.clone(), request: group.clone() };
            let group_stage = make
                .stage(&format!("node group {}", group.name))
                .subject(ResourceKind::NodeGroup, &group.name);
            self.with_template(&group.name, group_stage, &["control plane"])
        });
        let groups: Vec<StageSpecification> = groups.collect();
        Ok(Prepared::of([cluster].into_iter().chain(groups)).resolved("version", "1.31, the cloud's default"))
    }

    async fn delete_cluster(&self, asked: &DeleteCluster, search: &Search) -> Result<Prepared> {
        drop(self.cloud.call("prepare")?);
        self.asked("cluster.delete", asked);
        let cluster = found(&self.cloud.world().clusters, &asked.target.iid.system_id);
        let children = match cluster {
            Ok(cluster) => self.children(&cluster).await?,
            Err(_) => search.known.clone(),
        };
        let remove = Make::RemoveCluster { id: asked.target.iid.system_id.clone() };
        let remove = remove.stage("cluster").subject(ResourceKind::Cluster, &asked.target.iid.name_id);
        let sweep = self.cloud.world().sweeps.then(|| Make::Nothing.stage("sweep").after(["cluster"]));
        let volumes = children.found.iter().filter(|_| asked.delete_volumes).map(|volume| {
            let sweep = Make::Sweep { id: volume.system_id.clone() };
            sweep.stage(&format!("volume {}", volume.system_id)).after(["cluster"])
        });
        let stages: Vec<StageSpecification> = [remove].into_iter().chain(sweep).chain(volumes).collect();
        Ok(Prepared { children, ..Prepared::of(stages) })
    }

    async fn update_cluster(&self, asked: &UpdateCluster) -> Result<Prepared> {
        self.asked("cluster.update", asked);
        let (id, tags) = (asked.target.iid.system_id.clone(), asked.tags.clone());
        Ok(Prepared::of([Make::Tag { kind: ResourceKind::Cluster, id, tags }.stage("tags")]))
    }

    async fn upgrade_cluster(&self, asked: &UpgradeCluster) -> Result<Prepared> {
        self.asked("cluster.upgrade", asked);
        let pmks_model::VersionRequest::Given(version) = &asked.request.version else {
            return Ok(Prepared::default());
        };
        let upgrade = Make::Upgrade { id: asked.target.iid.system_id.clone(), version: version.clone() };
        Ok(Prepared::of([upgrade.stage("control plane")]))
    }

    async fn add_node_group(&self, asked: &AddNodeGroup) -> Result<Prepared> {
        self.asked("nodeGroup.add", asked);
        let make =
            Make::NodeGroup { cluster: asked.cluster.iid.system_id.clone(), request: asked.request.clone() };
        let group = make.stage("node group").subject(ResourceKind::NodeGroup, &asked.request.name);
        Ok(Prepared::of(self.with_template(&asked.request.name, group, &[])))
    }

    async fn change_node_group_scaling(&self, asked: &ChangeNodeGroupScaling) -> Result<Prepared> {
        self.asked("nodeGroup.scale", asked);
        let cluster = asked.target.cluster.iid.system_id.clone();
        let group = self.get_node_group(&cluster, &asked.target.iid.system_id).await?;
        refuse_unfit(PROVIDER, [&group])?;
        if let Some(now) = group.scaling {
            let (here, mut findings) = (self.capabilities().auto_scaling, pmks_model::Findings::default());
            here.find_lost_size(asked.change, here.apply(asked.change, now), &mut findings);
            findings.into_result().map_err(|findings| DriverError::invalid(PROVIDER, findings))?;
        }
        let scale = Make::Scale { cluster, id: asked.target.iid.system_id.clone(), change: asked.change };
        Ok(Prepared::of([scale.stage("scaling")]))
    }

    async fn remove_node_group(&self, asked: &RemoveNodeGroup) -> Result<Prepared> {
        let cluster = asked.target.cluster.iid.system_id.clone();
        let remove = Make::RemoveNodeGroup { cluster, id: asked.target.iid.system_id.clone() };
        Ok(Prepared::of([remove.stage("node group")]))
    }

    async fn remove_made(&self, made: &[Child]) -> Result<Prepared> {
        drop(self.cloud.call("remove made")?);
        let keeps = self.cloud.world().keeps_templates;
        let templates = made.iter().filter(|made| made.kind == "template" && !keeps);
        Ok(Prepared::of(templates.map(|made| {
            let id = made.system_id.clone();
            Make::RemoveTemplate { id: id.clone() }.stage(&format!("removal of template {id}"))
        })))
    }

    async fn create_network(&self, asked: &CreateNetwork) -> Result<Prepared> {
        self.cloud.answer("prepare network").await;
        self.asked("network.create", asked);
        drop(self.cloud.call("prepare")?);
        let network = Make::Network { request: asked.request.clone() };
        let network = network.stage("network").subject(ResourceKind::Network, &asked.request.name);
        let subnets = asked.request.subnets.iter().map(|subnet| {
            let make = Make::Subnet { network: String::new(), request: subnet.clone() };
            make.stage(&format!("subnet {}", subnet.name))
                .after(["network"])
                .subject(ResourceKind::Subnet, &subnet.name)
        });
        Ok(Prepared::of([network].into_iter().chain(subnets)))
    }

    async fn create_subnet(&self, asked: &CreateSubnet) -> Result<Prepared> {
        let make = Make::Subnet { network: asked.network.system_id.clone(), request: asked.request.clone() };
        Ok(Prepared::of([make.stage("subnet").subject(ResourceKind::Subnet, &asked.request.name)]))
    }

    async fn create_security_group(&self, asked: &CreateSecurityGroup) -> Result<Prepared> {
        self.asked("securityGroup.create", asked);
        let make = Make::SecurityGroup { request: asked.request.clone() };
        let stage = make.stage("security group").subject(ResourceKind::SecurityGroup, &asked.request.name);
        Ok(Prepared::of([stage]))
    }

    async fn update_security_group(&self, asked: &UpdateSecurityGroup) -> Result<Prepared> {
        self.asked("securityGroup.update", asked);
        Ok(Prepared::of([Make::Rules { asked: asked.clone() }.stage("rules")]))
    }

    async fn create_key_pair(&self, asked: &CreateKeyPair) -> Result<Prepared> {
        self.asked("keyPair.create", asked);
        drop(self.cloud.call("prepare")?);
        let make = Make::KeyPair { name: asked.request.name.clone() };
        Ok(Prepared::of([make.stage("key pair").subject(ResourceKind::KeyPair, &asked.request.name)]))
    }

    async fn update_tags(&self, asked: &UpdateTags) -> Result<Prepared> {
        self.asked("tags", asked);
        let (id, tags) = (asked.iid.system_id.clone(), asked.tags.clone());
        Ok(Prepared::of([Make::Tag { kind: asked.kind, id, tags }.stage("tags")]))
    }

    async fn delete_resource(&self, asked: &DeleteResource) -> Result<Prepared> {
        self.cloud.answer("prepare removal").await;
        self.asked(&format!("{}.delete", asked.kind.as_str()), asked);
        let remove = Make::Remove { kind: asked.kind, id: asked.iid.system_id.clone() };
        let stage = remove.stage("removal");
        Ok(Prepared::of([stage.removes(asked.kind.as_str(), &asked.iid.system_id, &asked.iid.name_id)]))
    }

    async fn fix_prerequisites(&self, asked: &FixPrerequisites) -> Result<Prepared> {
        self.asked("prerequisite.fix", asked);
        Ok(Prepared::of([Make::Nothing.stage("role")]))
    }
}
