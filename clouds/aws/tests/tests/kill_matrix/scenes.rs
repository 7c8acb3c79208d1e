//! Where each kind of operation begins, what is asked for, and what it makes of the world: by kind of resource, so
//! many more or fewer.

use pmks_core::{Caller, ImportCluster, Mutation};
use pmks_model::{OperationKind, ScalingChange, UpgradeTargets};
use pmks_simulation::Cloud as _;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::house::{HERE, House, Process};

/// A public key whose private half nobody has: its bytes are a hash.
const PUBLIC_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINVYgDzfQUCvJxVPnSaWOJFqApohP0NFOA4tJj+PSh0n pmks-kills";

/// Two hops below the newest that is upgraded to.
const OLD: &str = "1.33";
const NEW: &str = "1.35";

/// The image that EKS prepares for Amazon Linux at [`NEW`], taken as one of the user's own.
const OWN_IMAGE: &str = "ami-0ffc56305a8fcf4cf";

/// One kind of operation.
pub(crate) struct Scene {
    /// What stands before.
    before: Vec<Step>,
    /// What is asked for.
    pub(crate) asks: Mutation,
    /// The call whose effect AWS ends as failed, and what it is about: the mutation has failed of it before, and what
    /// is asked for is its next attempt.
    fails: Option<(&'static str, &'static str)>,
    /// That operation.
    failed: Option<Uuid>,
    /// By kind of resource, how many more there are in the end. Kinds that are not named: as many as before.
    pub(crate) change: &'static [(&'static str, i64)],
    /// By kind of resource and attribute or tag, what one of them says in the end.
    pub(crate) says: Vec<(&'static str, &'static str, Value)>,
}

enum Step {
    Does(Mutation),
    Happens(Value),
    Forgets(&'static str),
    /// The cluster is one that somebody else made: nobody gave the connection's principal a way in.
    LocksOut,
}

use Step::{Does, Forgets, Happens, LocksOut};

impl Scene {
    /// The scene of a kind. Exhaustive: a new kind does not compile without one.
    pub(crate) fn of(kind: OperationKind) -> Self {
        match kind {
            OperationKind::ClusterCreate => Self::new(ground(), cluster_with_everything(), CLUSTER_OF_TWO),
            OperationKind::ClusterDelete => {
                let balancer = |kind: &str, service: &str| {
                    Happens(
                        json!({"type": "controllerMakesLoadBalancer", "cluster": "prod", "service": service, "kind": kind}),
                    )
                };
                let volume = Happens(json!({"type": "controllerMakesVolume", "cluster": "prod"}));
                let more = [
                    balancer("classic", "web"),
                    balancer("network", "api"),
                    balancer("application", "shop"),
                    volume,
                ];
                Self::new(standing(NEW, &["ga"], more), delete_cluster(), CLUSTER_OF_ONE_GONE)
            }
            OperationKind::ClusterUpgrade => {
                let asks = upgrade_cluster(UpgradeTargets::All);
                let scene = Self::new(standing(OLD, &["ga"], []), asks, &[]);
                scene.saying("cluster", "version", json!(NEW)).saying("nodeGroup", "version", json!(NEW))
            }
            OperationKind::ClusterImport => {
                let import =
                    ImportCluster { name: "taken".into(), system_id: "prod".into(), take_over: false };
                let asks = Mutation::ImportCluster { connection: HERE.into(), import };
                Self::new(standing(NEW, &["ga"], [Forgets("prod")]), asks, &[])
            }
            OperationKind::ClusterUpdate => {
                let patch = json!({"tags": {"team": "b", "purpose": null}, "deletionProtection": true, "options": {"supportType": "STANDARD"}});
                let asks = Mutation::UpdateCluster {
                    connection: HERE.into(),
                    cluster: "prod".into(),
                    patch,
                    if_match: "*".into(),
                };
                Self::new(standing(NEW, &[], []), asks, &[]).saying("cluster", "team", json!("b"))
            }
            OperationKind::NodeGroupAdd
            | OperationKind::NodeGroupScale
            | OperationKind::NodeGroupUpgrade
            | OperationKind::NodeGroupRemove => Self::of_node_group(kind),
            OperationKind::PrerequisiteFix => {
                let asks = Mutation::FixPrerequisites { connection: HERE.into(), cluster: None };
                Self::new(vec![], asks, &[("role", 2)])
            }
            OperationKind::NetworkCreate
            | OperationKind::NetworkDelete
            | OperationKind::SubnetCreate
            | OperationKind::SubnetDelete
            | OperationKind::SecurityGroupCreate
            | OperationKind::SecurityGroupDelete
            | OperationKind::KeyPairCreate
            | OperationKind::KeyPairDelete => Self::of_ground(kind),
        }
    }

    /// A prerequisite of one cluster: the way in.
    pub(crate) fn of_access() -> Self {
        let asks = Mutation::FixPrerequisites { connection: HERE.into(), cluster: Some("prod".into()) };
        Self::new(standing(NEW, &[], [LocksOut]), asks, &[("accessEntry", 1)])
    }

    fn of_node_group(kind: OperationKind) -> Self {
        let (connection, cluster, node_group) = (HERE.to_owned(), "prod".to_owned(), "ga".to_owned());
        match kind {
            OperationKind::NodeGroupAdd => Self::new(standing(NEW, &["ga"], []), own_group("gb"), GROUP),
            OperationKind::NodeGroupScale => {
                let scaling =
                    ScalingChange { auto_scaling: Some(true), min: Some(3), max: Some(6), desired: Some(4) };
                let asks = Mutation::ScaleNodeGroup { connection, cluster, node_group, scaling };
                // With autoscaling on, the size is only moved into the new limits: from 2 to 3.
                let more = &[("instance", 1), ("networkInterface", 1), ("volume", 1)];
                let scene = Self::new(standing(NEW, &["ga"], []), asks, more);
                scene
                    .saying("autoScalingGroup", "min", json!(3))
                    .saying("autoScalingGroup", "max", json!(6))
                    .saying("autoScalingGroup", "k8s.io/cluster-autoscaler/enabled", json!("true"))
            }
            OperationKind::NodeGroupUpgrade => {
                let above = Does(upgrade_one_hop());
                let asks = Mutation::UpgradeNodeGroup {
                    connection,
                    cluster,
                    node_group,
                    version: "1.34".into(),
                    force: false,
                };
                let scene = Self::new(standing(OLD, &["ga"], [above]), asks, &[]);
                scene.saying("nodeGroup", "version", json!("1.34"))
            }
            _ => {
                let asks = Mutation::RemoveNodeGroup { connection, cluster, node_group };
                Self::new(standing(NEW, &["gb"], [Does(own_group("ga"))]), asks, GROUP_GONE)
            }
        }
    }

    fn of_ground(kind: OperationKind) -> Self {
        let connection = HERE.to_owned();
        match kind {
            OperationKind::NetworkCreate => Self::new(vec![], network(), NETWORK),
            OperationKind::NetworkDelete => {
                let asks = Mutation::DeleteNetwork { connection, network: "net".into() };
                Self::new(vec![Does(network())], asks, NETWORK_GONE)
            }
            OperationKind::SubnetCreate => {
                let subnet = json!({"name": "sub-c", "cidr": "10.30.9.0/24", "zone": "ap-northeast-2c"});
                let subnet = serde_json::from_value(subnet).unwrap();
                let asks = Mutation::CreateSubnet { connection, network: "net".into(), subnet };
                Self::new(vec![Does(network())], asks, &[("subnet", 1)])
            }
            OperationKind::SubnetDelete => {
                let asks =
                    Mutation::DeleteSubnet { connection, network: "net".into(), subnet: "sub-a".into() };
                Self::new(vec![Does(network())], asks, &[("subnet", -1)])
            }
            OperationKind::SecurityGroupCreate => {
                Self::new(vec![Does(network())], security_group(), &[("securityGroup", 1)])
            }
            OperationKind::SecurityGroupDelete => {
                let asks = Mutation::DeleteSecurityGroup { connection, security_group: "nodes".into() };
                let before = vec![Does(network()), Does(security_group())];
                Self::new(before, asks, &[("securityGroup", -1)])
            }
            OperationKind::KeyPairCreate => Self::new(vec![], key_pair(), &[("keyPair", 1)]),
            _ => {
                let asks = Mutation::DeleteKeyPair { connection, key_pair: "admin".into() };
                Self::new(vec![Does(key_pair())], asks, &[("keyPair", -1)])
            }
        }
    }

    fn new(before: Vec<Step>, asks: Mutation, change: &'static [(&'static str, i64)]) -> Self {
        Self { before, asks, fails: None, failed: None, change, says: Vec::new() }
    }

    /// The next attempt after AWS ended the control plane as failed.
    pub(crate) fn of_failed_control_plane() -> Self {
        Self::new(ground(), cluster_with_everything(), CLUSTER_OF_TWO_MENDED).failing("CreateCluster", "prod")
    }

    /// The next attempt after AWS ended a node group as failed: as many things stand, and other ones.
    pub(crate) fn of_failed_node_group() -> Self {
        Self::new(standing(NEW, &["ga"], []), own_group("gb"), &[]).failing("CreateNodegroup", "gb")
    }

    /// The next attempt after AWS ended an add-on as failed.
    pub(crate) fn of_failed_add_on() -> Self {
        let asks = cluster_with_everything();
        Self::new(ground(), asks, &[]).failing("CreateAddon", "aws-ebs-csi-driver")
    }

    fn failing(mut self, action: &'static str, resource: &'static str) -> Self {
        self.fails = Some((action, resource));
        self
    }

    /// What the scene is called among figures.
    pub(crate) fn title(&self) -> String {
        match self.fails {
            None => self.asks.kind().to_string(),
            Some((action, _)) => format!("retry of {} after a failed {action}", self.asks.kind()),
        }
    }

    /// Asks for it, as a client does that repeats itself until it is answered.
    pub(crate) async fn ask(&self, house: &House, process: &Process) -> Result<Uuid, String> {
        match self.failed {
            None => Ok(house.accept(process, &self.asks).await?.operation.id),
            Some(id) => house.retry(process, id).await,
        }
    }

    fn saying(mut self, kind: &'static str, what: &'static str, value: Value) -> Self {
        self.says.push((kind, what, value));
        self
    }

    /// Makes what stands before.
    pub(crate) async fn set(&mut self, house: &House, process: &Process) {
        house.connect(process).await;
        for step in self.before.drain(..) {
            match step {
                Does(mutation) => house.done(process, mutation).await,
                Happens(event) => drop(house.cloud.event(&event).unwrap()),
                LocksOut => house.change_world(lock_out),
                Forgets(cluster) => {
                    let clusters = process.pmks.clusters();
                    clusters.forget(&Caller::local("me"), HERE, cluster, false).await.unwrap();
                }
            }
        }
        if let Some((action, resource)) = self.fails {
            self.failed = Some(house.failed(process, self.asks.clone(), action, resource).await);
        }
        // What nobody waited for (a balancer that is being made) comes to its end.
        house.pass(std::time::Duration::from_mins(10)).await;
    }
}

const CLUSTER_OF_TWO: &[(&str, i64)] = &[
    ("accessEntry", 2),
    ("addon", 2),
    ("autoScalingGroup", 2),
    ("cluster", 1),
    ("instance", 4),
    ("launchTemplate", 2),
    ("networkInterface", 6),
    ("nodeGroup", 2),
    ("securityGroup", 3),
    ("volume", 4),
];
/// The same where a control plane stands that failed.
const CLUSTER_OF_TWO_MENDED: &[(&str, i64)] = &[
    ("accessEntry", 2),
    ("addon", 2),
    ("autoScalingGroup", 2),
    ("instance", 4),
    ("launchTemplate", 2),
    ("networkInterface", 6),
    ("nodeGroup", 2),
    ("securityGroup", 3),
    ("volume", 4),
];
/// With what Services and a claim made, and the security groups that EKS and the balancers made for themselves.
const CLUSTER_OF_ONE_GONE: &[(&str, i64)] = &[
    ("accessEntry", -2),
    ("autoScalingGroup", -1),
    ("cluster", -1),
    ("instance", -2),
    ("launchTemplate", -1),
    ("loadBalancer", -3),
    ("networkInterface", -10),
    ("nodeGroup", -1),
    ("securityGroup", -4),
    ("targetGroup", -2),
    ("volume", -3),
];
const GROUP: &[(&str, i64)] = &[
    ("autoScalingGroup", 1),
    ("instance", 2),
    ("launchTemplate", 1),
    ("networkInterface", 2),
    ("nodeGroup", 1),
    ("volume", 2),
];
const GROUP_GONE: &[(&str, i64)] = &[
    ("autoScalingGroup", -1),
    ("instance", -2),
    ("launchTemplate", -1),
    ("networkInterface", -2),
    ("nodeGroup", -1),
    ("volume", -2),
];
const NETWORK: &[(&str, i64)] = &[("internetGateway", 1), ("subnet", 2), ("vpc", 1)];
const NETWORK_GONE: &[(&str, i64)] = &[("internetGateway", -1), ("subnet", -2), ("vpc", -1)];

fn network() -> Mutation {
    let network = json!({"name": "net", "cidr": "10.30.0.0/16", "tags": {"team": "a"}, "subnets": [
        {"name": "sub-a", "cidr": "10.30.1.0/24", "zone": "ap-northeast-2a"},
        {"name": "sub-b", "cidr": "10.30.2.0/24", "zone": "ap-northeast-2b"},
    ]});
    Mutation::CreateNetwork { connection: HERE.into(), network: serde_json::from_value(network).unwrap() }
}

fn security_group() -> Mutation {
    let group = json!({"name": "nodes", "network": "net", "rules": [
        {"direction": "inbound", "protocol": "tcp", "fromPort": 22, "toPort": 22, "cidr": "10.30.0.0/16"},
        {"direction": "inbound", "protocol": "udp", "fromPort": 53, "toPort": 54, "cidr": "10.30.0.0/16"},
        {"direction": "outbound", "protocol": "tcp", "fromPort": 443, "toPort": 443, "cidr": "0.0.0.0/0"},
    ]});
    let security_group = serde_json::from_value(group).unwrap();
    Mutation::CreateSecurityGroup { connection: HERE.into(), security_group }
}

fn key_pair() -> Mutation {
    let key_pair = serde_json::from_value(json!({"name": "admin", "publicKey": PUBLIC_KEY})).unwrap();
    Mutation::CreateKeyPair { connection: HERE.into(), key_pair }
}

/// A node group of an image of the user's own, for which a launch template is made.
fn own_group(name: &str) -> Mutation {
    let mut node_group = group(name);
    node_group["image"] = json!(OWN_IMAGE);
    let node_group = serde_json::from_value(node_group).unwrap();
    Mutation::AddNodeGroup { connection: HERE.into(), cluster: "prod".into(), node_group }
}

/// Removes the way in of whoever made a cluster.
fn lock_out(world: &mut Value) {
    match world {
        Value::Object(fields) => {
            fields.retain(|key, _| !(key.starts_with("arn:aws:iam::") && key.ends_with(":user/pmks")));
            fields.values_mut().for_each(lock_out);
        }
        Value::Array(items) => items.iter_mut().for_each(lock_out),
        _ => {}
    }
}

fn ground() -> Vec<Step> {
    let fix = Mutation::FixPrerequisites { connection: HERE.into(), cluster: None };
    [fix, network(), security_group(), key_pair()].into_iter().map(Does).collect()
}

fn group(name: &str) -> Value {
    json!({"name": name, "machineType": "t3.medium", "keyPair": "admin",
        "scaling": {"autoScaling": false, "min": 1, "max": 4, "desired": 2}})
}

fn cluster(version: &str, groups: &[&str]) -> Mutation {
    let groups: Vec<Value> = groups.iter().map(|name| group(name)).collect();
    let cluster = json!({"name": "prod", "version": version, "network": "net", "subnets": ["sub-a", "sub-b"],
        "securityGroups": ["nodes"], "nodeGroups": groups, "tags": {"team": "a", "purpose": "kills"}});
    Mutation::CreateCluster { connection: HERE.into(), cluster: serde_json::from_value(cluster).unwrap() }
}

/// Add-ons, and a node group that a Cluster Autoscaler shall find.
fn cluster_with_everything() -> Mutation {
    let mut groups = [group("ga"), group("gb")];
    groups[0]["scaling"]["autoScaling"] = json!(true);
    let Mutation::CreateCluster { connection, mut cluster } = cluster(NEW, &[]) else { unreachable!() };
    cluster.node_groups = groups.map(|group| serde_json::from_value(group).unwrap()).to_vec();
    cluster.options.insert("ebsCsiDriver".into(), json!(true));
    cluster.options.insert("podIdentityAgent".into(), json!(true));
    Mutation::CreateCluster { connection, cluster }
}

fn standing<const N: usize>(version: &str, groups: &[&str], more: [Step; N]) -> Vec<Step> {
    ground().into_iter().chain([Does(cluster(version, groups))]).chain(more).collect()
}

fn delete_cluster() -> Mutation {
    Mutation::DeleteCluster { connection: HERE.into(), cluster: "prod".into(), delete_volumes: true }
}

fn upgrade_cluster(node_groups: UpgradeTargets) -> Mutation {
    Mutation::UpgradeCluster {
        connection: HERE.into(),
        cluster: "prod".into(),
        version: NEW.into(),
        node_groups,
        force: false,
    }
}

fn upgrade_one_hop() -> Mutation {
    Mutation::UpgradeCluster {
        connection: HERE.into(),
        cluster: "prod".into(),
        version: "1.34".into(),
        node_groups: UpgradeTargets::None,
        force: false,
    }
}
