//! What a cluster's controllers make, found while it stands and gone with it, against the simulated AWS.

use pmks_driver::{Change, DeleteResource};
use pmks_model::{Child, Children, Iid, ResourceKind};
use pmks_simulation::Cloud as _;
use serde_json::json;

use crate::requests::{delete_with, standing};
use crate::support::{World, carry_out, marks, world};

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
    let cluster = standing(&world, "prod").await;
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

    carry_out(driver, &delete_with(&cluster, false)).await.unwrap();
    assert_eq!(world.count(&["cluster", "loadBalancer", "targetGroup"]), 0, "{:?}", world.cloud.resources());
    assert_eq!(world.count(&["volume"]), 1, "volumes are kept, and the nodes' disks are gone");
    let network = cluster.network.network.system_id.as_str();
    let network = DeleteResource {
        kind: ResourceKind::Network,
        iid: Iid::new("net", network),
        incarnation: String::new(),
        network: None,
        marks: marks("net"),
    };
    carry_out(driver, &Change::DeleteResource(network)).await.unwrap();
    assert!(world.count(&LEFT_BY_CONTROLLERS) <= before, "{:?}", world.cloud.resources());
}

#[tokio::test]
async fn volumes_go_on_request() {
    let world = world(&[]).await;
    let cluster = standing(&world, "prod").await;
    controllers_work(&world);
    carry_out(&*world.driver, &delete_with(&cluster, true)).await.unwrap();
    assert_eq!(world.count(&["volume", "loadBalancer", "targetGroup"]), 0, "{:?}", world.cloud.resources());
}

#[tokio::test]
async fn a_cluster_that_cannot_be_reached_is_searched_by_the_tags_of_its_controllers() {
    let world = world(&[]).await;
    let mut cluster = standing(&world, "prod").await;
    controllers_work(&world);
    let reached = world.driver.children(&cluster).await.unwrap();
    "https://127.0.0.1:1".clone_into(&mut cluster.access.endpoint);
    let children = world.driver.children(&cluster).await.unwrap();
    let unknown = children.unknown.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    for what in ["Services", "Ingresses", "Gateways", "PersistentVolumes"] {
        assert!(unknown.contains(what), "{what} is not named among {unknown:?}");
    }
    let ids = |children: &Children, kind: &str| {
        of_kind(children, kind).into_iter().map(|child| child.system_id.clone()).collect::<Vec<_>>()
    };
    for kind in ["volume", "classicLoadBalancer", "loadBalancer", "targetGroup", "securityGroup"] {
        assert!(!ids(&reached, kind).is_empty(), "{kind}");
        assert_eq!(ids(&children, kind), ids(&reached, kind), "{kind}");
    }
    let elb: Vec<&str> = of_kind(&children, "securityGroup")
        .into_iter()
        .filter(|child| child.name.starts_with("k8s-elb-"))
        .map(|child| child.name.as_str())
        .collect();
    assert_eq!(elb.len(), 2, "one for each balancer but the network one, which has none: {children:#?}");
}

#[tokio::test]
async fn interfaces_that_the_network_plugin_left_go_with_the_cluster() {
    let world = world(&[]).await;
    let cluster = standing(&world, "prod").await;
    let subnet = cluster.network.subnets[0].system_id.clone();
    for of in ["prod", "another"] {
        world.change(|snapshot| leave_interface(snapshot, &subnet, of));
    }
    let found = world.driver.children(&cluster).await.unwrap();
    let interfaces = of_kind(&found, "networkInterface");
    assert_eq!(interfaces.len(), 1, "{found:#?}");
    assert_eq!((interfaces[0].system_id.as_str(), interfaces[0].goes_with_cluster), ("eni-prod", false));
    carry_out(&*world.driver, &delete_with(&cluster, false)).await.unwrap();
    let left: Vec<String> = world.cloud.resources().into_iter().map(|row| row.id).collect();
    assert!(!left.contains(&"eni-prod".to_owned()) && left.contains(&"eni-another".to_owned()), "{left:?}");
}

/// An interface as the VPC CNI leaves one behind when its node goes too fast.
fn leave_interface(snapshot: &mut serde_json::Value, subnet: &str, cluster: &str) {
    let interfaces = find(snapshot, "network_interfaces").expect("the world has interfaces");
    let like = interfaces.as_object().unwrap().values().find(|one| one["subnet"] == subnet).unwrap().clone();
    let id = format!("eni-{cluster}");
    let mut left = like;
    for (key, value) in [
        ("id", json!(id)),
        ("description", json!("aws-K8S-i-0123456789abcdef0")),
        ("attached", json!(null)),
        ("requester", json!(null)),
        ("private_ip", json!(if cluster == "prod" { "10.0.0.201" } else { "10.0.0.202" })),
        ("groups", json!([])),
        (
            "tags",
            json!({"cluster.k8s.amazonaws.com/name": cluster, "node.k8s.amazonaws.com/instance_id": "i-0"}),
        ),
    ] {
        left[key] = value;
    }
    interfaces[&id] = left;
}

/// The first member of that name that is a map with something in it.
fn find<'a>(value: &'a mut serde_json::Value, name: &str) -> Option<&'a mut serde_json::Value> {
    let members = value.as_object_mut()?;
    if members.get(name).is_some_and(|found| found.as_object().is_some_and(|map| !map.is_empty())) {
        return members.get_mut(name);
    }
    members.values_mut().find_map(|member| find(member, name))
}
