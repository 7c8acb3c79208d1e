//! Networks that others made: nodes are put only where they would join, and nothing is made where they would not.

use pmks_driver::{AddNodeGroup, Change, ErrorKind, Prepared};
use pmks_model::{Iid, Tags};
use pmks_simulation::Cloud as _;
use serde_json::{Value, json};

use crate::requests::{cluster, ground, group, scaling, target};
use crate::support::{World, carry_out, kept, marks, world};

/// The default route leads to this gateway; nowhere: there is none.
fn lead(world: &World, gateway: Option<&str>) {
    world.change(|snapshot| {
        for table in kept(snapshot, "route_tables").values_mut() {
            let routes = table["routes"].as_array_mut().unwrap();
            let mut default = routes.pop_if(|route| route["gateway"] != "local").unwrap_or_else(|| {
                let mut route = routes[0].clone();
                route["destination"] = json!("0.0.0.0/0");
                route
            });
            if let Some(gateway) = gateway {
                default["gateway"] = json!(gateway);
                routes.push(default);
            }
        }
    });
}

fn addresses(world: &World, subnet: &Iid, are_given: bool) {
    let id = subnet.system_id.as_str();
    world.change(|snapshot| kept(snapshot, "subnets")[id]["map_public_ip"] = json!(are_given));
}

fn endpoint(world: &World, network: &Iid) {
    let endpoint = json!({
        "id": "vpce-1", "vpc": network.system_id, "service": "com.amazonaws.ap-northeast-2.ec2", "kind": "Interface",
        "tags": {}, "created": "2026-11-23T10:00:00Z",
    });
    world.change(|snapshot| {
        kept(snapshot, "vpc_endpoints").insert("vpce-1".to_owned(), endpoint);
    });
}

/// The subnets that the plan's node group is put in.
fn subnets(prepared: &Prepared) -> Vec<&str> {
    let stage = prepared.plan.stages.iter().find(|stage| stage.name == "node group g").unwrap();
    let subnets = stage.parameters["body"]["subnets"].as_array().unwrap();
    subnets.iter().filter_map(Value::as_str).collect()
}

#[tokio::test]
async fn nodes_that_could_not_join_are_found_before_anything_is_made() {
    let world = world(&[]).await;
    let driver = &*world.driver;
    let ground = ground(&world).await;
    let (first, second) = (&ground.1[0], &ground.1[1]);
    let create = |groups: bool| {
        let groups = if groups { vec![group("g", scaling(false, 1, 1, 1))] } else { Vec::new() };
        Change::CreateCluster(cluster("c", &ground, groups, ""))
    };
    let fine = driver.prepare(&create(true)).await.unwrap();
    assert_eq!(subnets(&fine), [&first.system_id, &second.system_id]);

    addresses(&world, first, false);
    let one = driver.prepare(&create(true)).await.unwrap();
    assert_eq!(subnets(&one), [&second.system_id], "{:?}", one.notices);
    let says = format!("{} (an internet gateway, and no public addresses)", first.system_id);
    assert!(one.notices.iter().any(|notice| notice.contains(&says)), "{:?}", one.notices);

    addresses(&world, second, false);
    let error = driver.prepare(&create(true)).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidRequest(_)), "{error}");
    assert!(error.message().contains("subnets: nodes would join the cluster from none of"), "{error}");
    assert!(driver.prepare(&create(false)).await.is_ok(), "a control plane needs no way out");

    lead(&world, Some("nat-1"));
    assert_eq!(subnets(&driver.prepare(&create(true)).await.unwrap()).len(), 2);
    lead(&world, None);
    let error = driver.prepare(&create(true)).await.unwrap_err();
    assert!(error.message().contains("no default route"), "{error}");

    carry_out(driver, &create(false)).await.unwrap();
    let add = Change::AddNodeGroup(AddNodeGroup {
        cluster: target(&driver.get_cluster("c").await.unwrap()),
        security_groups: Vec::new(),
        request: group("g", scaling(false, 1, 1, 1)),
        tags: Tags::new(),
        marks: marks("g"),
    });
    let error = driver.prepare(&add).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Precondition { .. }), "{error}");
    endpoint(&world, &ground.0);
    let by_endpoints = driver.prepare(&add).await.unwrap();
    assert_eq!(subnets(&by_endpoints).len(), 2);
    let private = |notice: &String| notice.contains("endpointPrivateAccess=true");
    assert!(by_endpoints.notices.iter().any(private), "{:?}", by_endpoints.notices);
    assert_eq!(world.cloud.resources().iter().filter(|row| row.kind == "nodeGroup").count(), 0);
}
