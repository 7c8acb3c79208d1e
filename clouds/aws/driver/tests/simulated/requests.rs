//! What these tests ask for: a ground to stand on, clusters, node groups, and their end.

use std::collections::BTreeMap;

use pmks_driver::{
    Change, ClusterTarget, CreateCluster, CreateNetwork, DeleteCluster, Driver, FixPrerequisites,
    NodeGroupTarget,
};
use pmks_model::{
    Cluster, ClusterRequest, Iid, NetworkRequest, NodeGroupRequest, Scaling, SubnetRequest, Tags,
};
use serde_json::json;

use crate::support::{World, carry_out, marks};

/// Roles, and a network with subnets in two zones: what a cluster needs first.
pub(crate) async fn ground(world: &World) -> (Iid, Vec<Iid>) {
    let driver = &*world.driver;
    let fix = Change::FixPrerequisites(FixPrerequisites { cluster: None, marks: marks("roles") });
    carry_out(driver, &fix).await.unwrap();
    network(driver).await
}

/// A network with subnets in two zones.
pub(crate) async fn network(driver: &dyn Driver) -> (Iid, Vec<Iid>) {
    let subnet = |name: &str, cidr: &str| SubnetRequest {
        name: name.to_owned(),
        cidr: cidr.parse().unwrap(),
        zone: String::new(),
        tags: pmks_model::Tags::new(),
    };
    let request = NetworkRequest {
        name: "net".to_owned(),
        cidr: "10.0.0.0/16".parse().unwrap(),
        subnets: vec![subnet("a", "10.0.0.0/24"), subnet("b", "10.0.1.0/24")],
        tags: Tags::new(),
    };
    let network = Change::CreateNetwork(CreateNetwork {
        request,
        marks: marks("net"),
        subnet_uids: BTreeMap::from([("a".to_owned(), "u-a".to_owned()), ("b".to_owned(), "u-b".to_owned())]),
    });
    let ids = carry_out(driver, &network).await.unwrap();
    (Iid::new("net", &ids["net"]), vec![Iid::new("a", &ids["a"]), Iid::new("b", &ids["b"])])
}

/// Autoscaling, fewest, most and wanted nodes.
pub(crate) fn scaling(auto_scaling: bool, min: u32, max: u32, desired: u32) -> Scaling {
    Scaling { auto_scaling, min, max, desired }
}

/// A node group of that name.
pub(crate) fn group(name: &str, scaling: Scaling) -> NodeGroupRequest {
    serde_json::from_value(json!({"name": name, "scaling": scaling, "machineType": "t3.medium"})).unwrap()
}

/// A cluster on that ground.
pub(crate) fn cluster(
    name: &str,
    ground: &(Iid, Vec<Iid>),
    groups: Vec<NodeGroupRequest>,
    version: &str,
) -> CreateCluster {
    let request = ClusterRequest {
        name: name.to_owned(),
        version: version.parse().unwrap(),
        network: ground.0.clone(),
        subnets: ground.1.clone(),
        security_groups: Vec::new(),
        node_groups: groups,
        tags: Tags::from([("team".to_owned(), "blue".to_owned())]),
        options: BTreeMap::new(),
    };
    CreateCluster { request, marks: marks(name) }
}

/// A cluster, aimed at.
pub(crate) fn target(cluster: &Cluster) -> ClusterTarget {
    ClusterTarget { iid: cluster.iid.clone(), incarnation: cluster.incarnation.clone() }
}

/// A node group of a cluster, aimed at.
pub(crate) fn group_target(cluster: &Cluster, name: &str) -> NodeGroupTarget {
    let group = cluster.node_groups.iter().find(|group| group.iid.system_id == name).unwrap();
    NodeGroupTarget {
        cluster: target(cluster),
        iid: group.iid.clone(),
        incarnation: group.incarnation.clone(),
    }
}

/// The end of a cluster.
pub(crate) fn delete(cluster: &Cluster) -> Change {
    delete_with(cluster, false)
}

/// The end of a cluster, perhaps with its volumes.
pub(crate) fn delete_with(cluster: &Cluster, delete_volumes: bool) -> Change {
    Change::DeleteCluster(DeleteCluster { target: target(cluster), delete_volumes, marks: marks("delete") })
}

/// A cluster that stands, with one node group of one node, `workers`.
pub(crate) async fn standing(world: &World, name: &str) -> Cluster {
    let ground = ground(world).await;
    let create = cluster(name, &ground, vec![group("workers", scaling(false, 1, 1, 1))], "");
    carry_out(&*world.driver, &Change::CreateCluster(create)).await.unwrap();
    world.driver.get_cluster(name).await.unwrap()
}
