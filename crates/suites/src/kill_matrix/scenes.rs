//! Where each kind of operation begins, what is asked for, and what it makes of the world: in our words, for any cloud.

use pmks_core::{ImportCluster, Mutation, Tagged};
use pmks_driver::{KeyPairUse, Presence};
use pmks_model::{OperationKind, ResourceKind, ScalingChange, UpgradeTargets};
use serde_json::{Map, Value, json};

use super::house::HERE;
use super::offer::Offer;
use super::scene::Scene;
use super::scene::Step::{self, Does, Forgets, Happens, Remembers};

/// A public key whose private half nobody has: it was thrown away.
const PUBLIC_KEY: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCmP+he1nta0aRhqEBn6G9jcsAGV8bZ40cA5MfK1LpqfSIZQ4eEd+t/CrN\
     DIGk8FNDl9Tyz+WVS/3uYJesfIK0zrZ5gHmQfmPcKc0yhq4cA32HVEY816wiqvgaJiHrfhbcPFkRMhK6bjQ7cGmkx3/f/j+\
     aLK5GHVM8fdKUWXFjPdwMtkwChdjN1flnyd7MqY87WK0Q9NEdJaHL98pcirYY6hVBLS6/I/4JgxQl7yzhoNbBF14V3G7nXC\
     3I8nTkoin8d8djLsFI84Vss4HFjuVSnsy0vD1MTmwfdl34uSeI1ecXjG8lyocl7jUbA8RXHgP/5y71ro29hsII74PkQazjr \
     pmks-kills";

/// The one cluster.
const CLUSTER: &str = "prod";

/// How many nodes a node group of these scenes has.
const NODES: i64 = 2;

/// The scene of a kind. Exhaustive: a new kind does not compile without one.
pub fn of(kind: OperationKind, offer: &Offer) -> Scene {
    match kind {
        OperationKind::ClusterCreate
        | OperationKind::ClusterDelete
        | OperationKind::ClusterUpgrade
        | OperationKind::ClusterImport
        | OperationKind::ClusterUpdate => of_cluster(kind, offer),
        OperationKind::NodeGroupAdd
        | OperationKind::NodeGroupScale
        | OperationKind::NodeGroupUpgrade
        | OperationKind::NodeGroupRemove => of_node_group(kind, offer),
        OperationKind::NetworkCreate
        | OperationKind::NetworkUpdate
        | OperationKind::NetworkDelete
        | OperationKind::SubnetCreate
        | OperationKind::SubnetUpdate
        | OperationKind::SubnetDelete
        | OperationKind::SecurityGroupCreate
        | OperationKind::SecurityGroupUpdate
        | OperationKind::SecurityGroupDelete
        | OperationKind::KeyPairCreate
        | OperationKind::KeyPairUpdate
        | OperationKind::KeyPairDelete => of_ground(kind, offer),
        OperationKind::PrerequisiteFix => {
            let events = offer.under_test.without_prerequisites().unwrap_or_default();
            let asks = Mutation::FixPrerequisites { connection: HERE.into(), cluster: None };
            changing(offer, Scene::new(events.into_iter().map(Happens).collect(), asks), &[], 0)
        }
    }
}

/// The next attempt after the cloud ended a cluster as failed. `None`: it ends none so.
pub fn of_failed_cluster(offer: &Offer) -> Option<Scene> {
    let rule = offer.under_test.fails_next(ResourceKind::Cluster)?;
    Some(of(OperationKind::ClusterCreate, offer).failing(rule))
}

/// The next attempt after the cloud ended a node group as failed.
pub fn of_failed_node_group(offer: &Offer) -> Option<Scene> {
    let rule = offer.under_test.fails_next(ResourceKind::NodeGroup)?;
    Some(of(OperationKind::NodeGroupAdd, offer).failing(rule))
}

/// The next attempt after the cloud ended a change of a node group that exists as failed.
pub fn of_failed_change(offer: &Offer) -> Option<Scene> {
    let kind = OperationKind::NodeGroupScale;
    let rule = offer.under_test.fails_next_change(kind)?;
    Some(of(kind, offer).failing(rule))
}

/// Other tags of a security group; its rules are another scene's. `None`: it takes none.
pub fn of_tagged_group(offer: &Offer) -> Option<Scene> {
    let kind = ResourceKind::SecurityGroup;
    let before = || {
        let steps = [Does(network(offer)), Does(security_group(offer))];
        prerequisites(offer).into_iter().chain(steps).collect()
    };
    offer.capabilities.takes_tags(kind).then(|| other_tags(offer, before(), kind, "nodes"))
}

/// One tag is another, one goes, and nothing else changes.
fn other_tags(offer: &Offer, before: Vec<Step>, kind: ResourceKind, name: &str) -> Scene {
    let network = (kind == ResourceKind::Subnet).then(|| "net".to_owned());
    let asks = Mutation::UpdateTags {
        connection: HERE.to_owned(),
        resource: Tagged { kind, network, name: name.to_owned() },
        patch: json!({"tags": {"team": "b", "purpose": null}}),
        if_match: "*".to_owned(),
        only_new: false,
    };
    let scene = Scene::new(before, asks).making(&[]);
    match offer.under_test.word(kind) {
        Some(word) => scene.saying(word, "team", json!("b")),
        None => scene,
    }
}

fn of_cluster(kind: OperationKind, offer: &Offer) -> Scene {
    let (connection, name) = (HERE.to_owned(), CLUSTER.to_owned());
    match kind {
        OperationKind::ClusterCreate => {
            let scene = Scene::new(ground(offer), cluster_with_everything(offer));
            changing(offer, scene, &[(ResourceKind::Cluster, 1), (ResourceKind::NodeGroup, 2)], 2 * NODES)
        }
        OperationKind::ClusterDelete => {
            let mut before = ground(offer);
            before.push(Remembers);
            before.push(Does(cluster(offer, &offer.new, &["ga"])));
            before.extend(children(offer));
            let asks = Mutation::DeleteCluster { connection, cluster: name.into(), delete_volumes: true };
            Scene::new(before, asks).undoing()
        }
        OperationKind::ClusterUpgrade => {
            let asks = upgrade(&offer.new, UpgradeTargets::All);
            let scene = Scene::new(standing(offer, &offer.old, &["ga"], []), asks);
            [ResourceKind::Cluster, ResourceKind::NodeGroup]
                .into_iter()
                .filter_map(|kind| offer.under_test.word(kind))
                .fold(scene, |scene, word| scene.at_version(word, &offer.new))
        }
        OperationKind::ClusterImport => {
            // Which cluster, is known when it was forgotten.
            let import = ImportCluster {
                name: "taken".into(),
                system_id: String::new(),
                take_over: false,
                ..ImportCluster::default()
            };
            let asks = Mutation::ImportCluster { connection, import };
            Scene::new(standing(offer, &offer.new, &["ga"], [Forgets(CLUSTER)]), asks)
        }
        _ => {
            let mut patch = offer.under_test.patch_members();
            let tags = offer.capabilities.tags.is_some();
            if tags {
                patch.insert("tags".into(), json!({"team": "b", "purpose": null}));
            }
            let asks = Mutation::UpdateCluster {
                connection,
                cluster: name,
                patch: Value::Object(patch),
                if_match: "*".into(),
            };
            let groups: &[&str] = if offer.least_node_groups() > 0 { &["ga"] } else { &[] };
            let scene = Scene::new(standing(offer, &offer.new, groups, []), asks);
            match offer.under_test.word(ResourceKind::Cluster) {
                Some(word) if tags => scene.saying(word, "team", json!("b")),
                _ => scene,
            }
        }
    }
}

fn of_node_group(kind: OperationKind, offer: &Offer) -> Scene {
    let (connection, cluster, node_group) = (HERE.to_owned(), CLUSTER.to_owned(), "ga".to_owned());
    match kind {
        OperationKind::NodeGroupAdd => {
            let scene = Scene::new(standing(offer, &offer.new, &["ga"], []), add(offer, "gb"));
            changing(offer, scene, &[(ResourceKind::NodeGroup, 1)], NODES)
        }
        OperationKind::NodeGroupScale => {
            let scaling =
                ScalingChange { auto_scaling: Some(true), min: Some(3), max: Some(6), desired: Some(4) };
            let asks = Mutation::ScaleNodeGroup { connection, cluster, node_group, scaling };
            let scene = Scene::new(standing(offer, &offer.new, &["ga"], []), asks);
            // With autoscaling on, the size is only moved into the new limits: from 2 to 3.
            changing(offer, scene, &[], 1)
        }
        OperationKind::NodeGroupUpgrade => {
            let above = Does(upgrade(&offer.between, UpgradeTargets::None));
            let version = offer.between.clone();
            let asks = Mutation::UpgradeNodeGroup { connection, cluster, node_group, version, force: false };
            let scene = Scene::new(standing(offer, &offer.old, &["ga"], [above]), asks);
            let word = offer.under_test.word(ResourceKind::NodeGroup);
            word.into_iter().fold(scene, |scene, word| scene.at_version(word, &offer.between))
        }
        _ => {
            let asks = Mutation::RemoveNodeGroup { connection, cluster, node_group: node_group.into() };
            let before = standing(offer, &offer.new, &["gb"], [Remembers, Does(add(offer, "ga"))]);
            Scene::new(before, asks).undoing()
        }
    }
}

fn of_ground(kind: OperationKind, offer: &Offer) -> Scene {
    let connection = HERE.to_owned();
    let before = |more: Vec<Step>| prerequisites(offer).into_iter().chain(more).collect();
    match kind {
        OperationKind::NetworkCreate => {
            let subnets = i64::try_from(offer.subnets().len()).unwrap();
            let change = [(ResourceKind::Network, 1), (ResourceKind::Subnet, subnets)];
            changing(offer, Scene::new(before(vec![]), network(offer)), &change, 0)
        }
        OperationKind::NetworkUpdate => {
            other_tags(offer, before(vec![Does(network(offer))]), ResourceKind::Network, "net")
        }
        OperationKind::NetworkDelete => {
            let asks = Mutation::DeleteNetwork { connection, network: "net".into() };
            Scene::new(before(vec![Remembers, Does(network(offer))]), asks).undoing()
        }
        OperationKind::SubnetCreate => {
            let scene = Scene::new(before(vec![Does(network(offer))]), subnet(offer));
            changing(offer, scene, &[(ResourceKind::Subnet, 1)], 0)
        }
        OperationKind::SubnetUpdate => {
            let before = before(vec![Does(network(offer)), Does(subnet(offer))]);
            other_tags(offer, before, ResourceKind::Subnet, "sub-x")
        }
        OperationKind::SubnetDelete => {
            let asks = Mutation::DeleteSubnet { connection, network: "net".into(), subnet: "sub-x".into() };
            let before = before(vec![Does(network(offer)), Remembers, Does(subnet(offer))]);
            Scene::new(before, asks).undoing()
        }
        OperationKind::SecurityGroupCreate => {
            let scene = Scene::new(before(vec![Does(network(offer))]), security_group(offer));
            changing(offer, scene, &[(ResourceKind::SecurityGroup, 1)], 0)
        }
        OperationKind::SecurityGroupUpdate => {
            let before = before(vec![Does(network(offer)), Does(open(security_group(offer)))]);
            changing(offer, Scene::new(before, other_rules()), &[], 0)
        }
        OperationKind::SecurityGroupDelete => {
            let asks = Mutation::DeleteSecurityGroup { connection, security_group: "nodes".into() };
            let before = before(vec![Does(network(offer)), Remembers, Does(security_group(offer))]);
            Scene::new(before, asks).undoing()
        }
        OperationKind::KeyPairUpdate => {
            other_tags(offer, before(vec![Does(key_pair(offer))]), ResourceKind::KeyPair, "admin")
        }
        OperationKind::KeyPairCreate => {
            let scene = Scene::new(before(vec![]), key_pair(offer));
            changing(offer, scene, &[(ResourceKind::KeyPair, 1)], 0)
        }
        _ => {
            let asks = Mutation::DeleteKeyPair { connection, key_pair: "admin".into() };
            Scene::new(before(vec![Remembers, Does(key_pair(offer))]), asks).undoing()
        }
    }
}

/// A scene with the change that the cloud's own table says, else with what our records and the nodes are.
fn changing(offer: &Offer, scene: Scene, records: &[(ResourceKind, i64)], nodes: i64) -> Scene {
    if let Some(table) = offer.under_test.change(scene.asks.kind()) {
        return scene.making(table);
    }
    let words = records.iter().filter_map(|(kind, more)| Some((offer.under_test.word(*kind)?, *more)));
    let nodes = (offer.under_test.node_word(), nodes);
    scene.making_at_least(words.chain([nodes]).collect())
}

/// The account's prerequisites, where there is an operation that makes them.
fn prerequisites(offer: &Offer) -> Vec<Step> {
    let fix = Mutation::FixPrerequisites { connection: HERE.into(), cluster: None };
    offer.capabilities.has(OperationKind::PrerequisiteFix).then_some(Does(fix)).into_iter().collect()
}

/// What a cluster stands on.
pub fn ground(offer: &Offer) -> Vec<Step> {
    let mut steps = prerequisites(offer);
    steps.push(Does(network(offer)));
    if takes_security_groups(offer) {
        steps.push(Does(security_group(offer)));
    }
    if takes_key_pairs(offer) {
        steps.push(Does(key_pair(offer)));
    }
    steps
}

/// A cluster of that version with these node groups, and what happens then.
pub fn standing<const N: usize>(offer: &Offer, version: &str, groups: &[&str], more: [Step; N]) -> Vec<Step> {
    ground(offer).into_iter().chain([Does(cluster(offer, version, groups))]).chain(more).collect()
}

/// The end of a cluster whose controllers have made balancers; volumes are kept.
pub(crate) fn of_balanced_cluster(offer: &Offer) -> Scene {
    let mut before = ground(offer);
    before.push(Remembers);
    before.push(Does(cluster(offer, &offer.new, &["ga"])));
    before.extend(balancers(offer));
    let (connection, name) = (HERE.to_owned(), CLUSTER.to_owned());
    Scene::new(before, Mutation::DeleteCluster { connection, cluster: name.into(), delete_volumes: false })
        .undoing()
}

/// What controllers in the cluster make: balancers of every kind, and a volume.
fn children(offer: &Offer) -> Vec<Step> {
    let mut made = balancers(offer);
    made.push(Happens(json!({"type": "controllerMakesVolume", "cluster": CLUSTER})));
    made
}

fn balancers(offer: &Offer) -> Vec<Step> {
    let balancer = |service: String, kind: Option<&str>| {
        let mut event =
            json!({"type": "controllerMakesLoadBalancer", "cluster": CLUSTER, "service": service});
        if let Some(kind) = kind {
            event["kind"] = json!(kind);
        }
        Happens(event)
    };
    let kinds = offer.under_test.load_balancers();
    let mut made: Vec<Step> =
        kinds.iter().enumerate().map(|(index, kind)| balancer(format!("web-{index}"), Some(kind))).collect();
    if kinds.is_empty() {
        made.push(balancer("web".to_owned(), None));
    }
    made
}

fn takes_security_groups(offer: &Offer) -> bool {
    offer.capabilities.security_groups != Presence::Forbidden
}

fn takes_key_pairs(offer: &Offer) -> bool {
    offer.capabilities.key_pair != KeyPairUse::Unused
}

fn network(offer: &Offer) -> Mutation {
    let subnets = offer.subnets().into_iter().enumerate().map(
        |(index, name)| json!({"name": name, "cidr": format!("10.30.{index}.0/24"), "zone": offer.zone(index)}),
    );
    let network = json!({"name": "net", "cidr": "10.30.0.0/16", "subnets": subnets.collect::<Vec<_>>()});
    let network = tagged(offer, ResourceKind::Network, network);
    Mutation::CreateNetwork { connection: HERE.into(), network: serde_json::from_value(network).unwrap() }
}

/// A request with tags, where the cloud has some for its kind.
fn tagged(offer: &Offer, kind: ResourceKind, mut request: Value) -> Value {
    if offer.capabilities.takes_tags(kind) {
        request["tags"] = json!({"team": "a", "purpose": "kills"});
    }
    request
}

/// One more subnet of that network.
fn subnet(offer: &Offer) -> Mutation {
    let zone = offer.zone(offer.subnets().len());
    let subnet = json!({"name": "sub-x", "cidr": "10.30.99.0/24", "zone": zone});
    let subnet = tagged(offer, ResourceKind::Subnet, subnet);
    let subnet = serde_json::from_value(subnet).unwrap();
    Mutation::CreateSubnet { connection: HERE.into(), network: "net".into(), subnet }
}

fn security_group(offer: &Offer) -> Mutation {
    let group = json!({"name": "nodes", "network": "net", "rules": [
        {"direction": "inbound", "protocol": "tcp", "fromPort": 22, "toPort": 22, "cidr": "10.30.0.0/16"},
        {"direction": "inbound", "protocol": "udp", "fromPort": 53, "toPort": 54, "cidr": "10.30.0.0/16"},
        {"direction": "outbound", "protocol": "tcp", "fromPort": 443, "toPort": 443, "cidr": "0.0.0.0/0"},
    ]});
    let group = tagged(offer, ResourceKind::SecurityGroup, group);
    let security_group = serde_json::from_value(group).unwrap();
    Mutation::CreateSecurityGroup { connection: HERE.into(), security_group }
}

/// The same group, and everything may leave.
fn open(mut creation: Mutation) -> Mutation {
    if let Mutation::CreateSecurityGroup { security_group, .. } = &mut creation {
        let everything = json!({"direction": "outbound", "protocol": "all", "cidr": "0.0.0.0/0"});
        security_group.rules.push(serde_json::from_value(everything).unwrap());
    }
    creation
}

/// Three rules more, and two of those that stand less, that everything may leave among them.
fn other_rules() -> Mutation {
    let rules = |rules: Value| serde_json::from_value(rules).unwrap();
    Mutation::UpdateSecurityGroup {
        connection: HERE.into(),
        security_group: "nodes".into(),
        add: rules(json!([
            {"direction": "inbound", "protocol": "tcp", "fromPort": 443, "cidr": "10.30.0.0/16"},
            {"direction": "inbound", "protocol": "tcp", "fromPort": 8000, "toPort": 9000, "cidr": "10.0.0.0/8"},
            {"direction": "inbound", "protocol": "icmp", "cidr": "10.30.0.0/16"},
        ])),
        remove: rules(json!([
            {"direction": "inbound", "protocol": "udp", "fromPort": 53, "toPort": 54, "cidr": "10.30.0.0/16"},
            {"direction": "outbound", "protocol": "all", "cidr": "0.0.0.0/0"},
        ])),
    }
}

fn key_pair(offer: &Offer) -> Mutation {
    let key_pair = json!({"name": "admin", "publicKey": PUBLIC_KEY});
    let key_pair = serde_json::from_value(tagged(offer, ResourceKind::KeyPair, key_pair)).unwrap();
    Mutation::CreateKeyPair { connection: HERE.into(), key_pair }
}

fn group(offer: &Offer, name: &str) -> Value {
    let mut group = json!({"name": name, "machineType": offer.machine_type,
        "scaling": {"autoScaling": false, "min": 1, "max": 4, "desired": NODES}});
    if takes_key_pairs(offer) {
        group["keyPair"] = json!("admin");
    }
    group
}

/// One more node group, with what the cloud's own members lead through.
fn add(offer: &Offer, name: &str) -> Mutation {
    let mut node_group = group(offer, name);
    merge(&mut node_group, offer.under_test.node_group_members());
    let node_group = serde_json::from_value(node_group).unwrap();
    Mutation::AddNodeGroup { connection: HERE.into(), cluster: CLUSTER.into(), node_group }
}

fn cluster_request(offer: &Offer, version: &str, groups: &[Value]) -> Value {
    let subnets: Vec<String> = offer.subnets().into_iter().take(offer.needed_subnets()).collect();
    let mut cluster = json!({"name": CLUSTER, "version": version, "network": "net", "subnets": subnets,
        "nodeGroups": groups});
    if takes_security_groups(offer) {
        cluster["securityGroups"] = json!(["nodes"]);
    }
    if offer.capabilities.tags.is_some() {
        cluster["tags"] = json!({"team": "a", "purpose": "kills"});
    }
    cluster
}

fn cluster(offer: &Offer, version: &str, groups: &[&str]) -> Mutation {
    let groups: Vec<Value> = groups.iter().map(|name| group(offer, name)).collect();
    let cluster = serde_json::from_value(cluster_request(offer, version, &groups)).unwrap();
    Mutation::CreateCluster { connection: HERE.into(), cluster }
}

/// Two node groups, one of which an autoscaler moves, and what the cloud's own members lead through.
pub fn cluster_with_everything(offer: &Offer) -> Mutation {
    let mut groups = [group(offer, "ga"), group(offer, "gb")];
    groups[0]["scaling"]["autoScaling"] = json!(true);
    let mut cluster = cluster_request(offer, &offer.new, &groups);
    merge(&mut cluster, offer.under_test.cluster_members());
    Mutation::CreateCluster { connection: HERE.into(), cluster: serde_json::from_value(cluster).unwrap() }
}

/// A cluster with one node group and these options.
pub fn cluster_with(offer: &Offer, options: Value) -> Mutation {
    let mut cluster = cluster_request(offer, &offer.new, &[group(offer, "ga")]);
    cluster["options"] = options;
    Mutation::CreateCluster { connection: HERE.into(), cluster: serde_json::from_value(cluster).unwrap() }
}

fn merge(request: &mut Value, members: Map<String, Value>) {
    request.as_object_mut().unwrap().extend(members);
}

fn upgrade(version: &str, node_groups: UpgradeTargets) -> Mutation {
    Mutation::UpgradeCluster {
        connection: HERE.into(),
        cluster: CLUSTER.into(),
        version: version.into(),
        node_groups,
        force: false,
    }
}
