//! What a cluster's controllers make, found while it stands and gone with it, against the simulated AWS.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test whose setting fails has failed")]

mod support;

use std::collections::BTreeMap;

use pmks_driver::{
    Change, ClusterTarget, CreateCluster, CreateNetwork, DeleteCluster, DeleteResource, FixPrerequisites,
};
use pmks_model::{
    Child, Children, Cluster, ClusterRequest, Iid, NetworkRequest, ResourceKind, SubnetRequest, Tags,
};
use pmks_simulation::Cloud as _;
use serde_json::json;
use support::{World, carry_out, marks, world};

/// A cluster with one node group, in a network of its own.
async fn standing(world: &World) -> Cluster {
    let driver = &*world.driver;
    let fix = Change::FixPrerequisites(FixPrerequisites { cluster: None, marks: marks("roles") });
    carry_out(driver, &fix).await.unwrap();
    let subnet = |name: &str, cidr: &str| SubnetRequest {
        name: name.to_owned(),
        cidr: cidr.parse().unwrap(),
        zone: String::new(),
    };
    let network = Change::CreateNetwork(CreateNetwork {
        request: NetworkRequest {
            name: "net".to_owned(),
            cidr: "10.0.0.0/16".parse().unwrap(),
            subnets: vec![subnet("a", "10.0.0.0/24"), subnet("b", "10.0.1.0/24")],
            tags: Tags::new(),
        },
        marks: marks("net"),
        subnet_uids: BTreeMap::from([("a".to_owned(), "u-a".to_owned()), ("b".to_owned(), "u-b".to_owned())]),
    });
    let ids = carry_out(driver, &network).await.unwrap();
    let group = json!({"name": "workers", "machineType": "t3.medium",
        "scaling": {"autoScaling": false, "min": 1, "max": 1, "desired": 1}});
    let request = ClusterRequest {
        name: "prod".to_owned(),
        version: "".parse().unwrap(),
        network: Iid::new("net", &ids["net"]),
        subnets: vec![Iid::new("a", &ids["a"]), Iid::new("b", &ids["b"])],
        security_groups: Vec::new(),
        node_groups: vec![serde_json::from_value(group).unwrap()],
        tags: Tags::new(),
        options: BTreeMap::new(),
    };
    let create = Change::CreateCluster(CreateCluster { request, marks: marks("prod") });
    carry_out(driver, &create).await.unwrap();
    driver.get_cluster("prod").await.unwrap()
}

fn delete(cluster: &Cluster, delete_volumes: bool) -> Change {
    let target = ClusterTarget { iid: cluster.iid.clone(), incarnation: cluster.incarnation.clone() };
    Change::DeleteCluster(DeleteCluster { target, delete_volumes, marks: marks("delete") })
}

/// Controllers make a balancer of each kind, and a volume.
fn controllers_work(world: &World) {
    for (service, kind) in [("web", "classic"), ("api", "network"), ("shop", "application")] {
        let event = json!({"type": "controllerMakesLoadBalancer", "cluster": "prod", "service": service, "kind": kind});
        world.cloud.event(&event).unwrap();
    }
    world.cloud.event(&json!({"type": "controllerMakesVolume", "cluster": "prod", "claim": "data"})).unwrap();
}

fn of_kind<'a>(children: &'a Children, kind: &str) -> Vec<&'a Child> {
    children.found.iter().filter(|child| child.kind == kind).collect()
}

const LEFT_BY_CONTROLLERS: [&str; 4] = ["loadBalancer", "targetGroup", "securityGroup", "networkInterface"];

#[tokio::test]
async fn children_are_found_with_their_makers_and_go_with_the_cluster() {
    let world = world(&[]).await;
    let driver = &*world.driver;
    let before = world.count(&LEFT_BY_CONTROLLERS);
    let cluster = standing(&world).await;
    controllers_work(&world);

    let children = driver.children(&cluster).await.unwrap();
    assert!(children.unknown.is_empty(), "{:?}", children.unknown);
    let balancers =
        of_kind(&children, "classicLoadBalancer").into_iter().chain(of_kind(&children, "loadBalancer"));
    let mut makers: Vec<&str> = balancers.map(|child| child.made_by.as_str()).collect();
    makers.sort_unstable();
    assert_eq!(makers.len(), 3, "{children:#?}");
    assert!(makers.iter().all(|maker| maker.contains("default/")), "{makers:?}");
    assert!(of_kind(&children, "service").len() + of_kind(&children, "ingress").len() >= 3, "{children:#?}");
    let volumes = of_kind(&children, "volume");
    assert_eq!(volumes.len(), 1, "{children:#?}");
    assert!(!volumes[0].goes_with_cluster);
    let own = of_kind(&children, "securityGroup");
    assert!(own.iter().any(|child| child.goes_with_cluster), "the group that EKS makes: {own:?}");

    carry_out(driver, &delete(&cluster, false)).await.unwrap();
    assert_eq!(world.count(&["cluster", "loadBalancer", "targetGroup"]), 0, "{:?}", world.cloud.resources());
    assert_eq!(world.count(&["volume"]), 1, "volumes are kept, and the nodes' disks are gone");
    let network = cluster.network.network.system_id.as_str();
    let network = DeleteResource {
        kind: ResourceKind::Network,
        iid: Iid::new("net", network),
        network: None,
        marks: marks("net"),
    };
    carry_out(driver, &Change::DeleteResource(network)).await.unwrap();
    assert!(world.count(&LEFT_BY_CONTROLLERS) <= before, "{:?}", world.cloud.resources());
}

#[tokio::test]
async fn volumes_go_on_request() {
    let world = world(&[]).await;
    let cluster = standing(&world).await;
    controllers_work(&world);
    carry_out(&*world.driver, &delete(&cluster, true)).await.unwrap();
    assert_eq!(world.count(&["volume", "loadBalancer", "targetGroup"]), 0, "{:?}", world.cloud.resources());
}
