//! The endpoints of clusters that stand: started and stopped with the world, the same ones after a restart.

use std::net::TcpStream;
use std::sync::Arc;

use pmks_simulation::{Cloud, ManualTime};
use serde_json::Value;

use super::rig::Rig;
use crate::cloud::{AwsCloud, Settings};

fn cloud() -> AwsCloud {
    let time = Arc::new(ManualTime::new("2026-11-23T12:00:00Z".parse().unwrap()));
    AwsCloud::new(Settings { time, ..Settings::default() })
}

fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// Address, port and certificate authority of the cluster `one`.
fn endpoint(cloud: &AwsCloud, rig: &Rig) -> Option<(String, u16, String)> {
    cloud.core().with_world(|world, _| {
        let cluster = world.region(&rig.place).eks.clusters.get("one")?;
        let endpoint = cluster.endpoint.as_ref()?;
        Some((endpoint.url.clone(), endpoint.port, endpoint.certificate_authority.clone()))
    })
}

#[tokio::test]
async fn an_endpoint_listens_as_long_as_its_cluster_stands_and_is_the_same_after_a_restart() {
    let mut rig = Rig::new();
    rig.cluster("one");
    rig.node_group("workers");
    rig.world.region_mut(&rig.place.clone()).eks.clusters.get_mut("one").unwrap().endpoint = None;
    let first = cloud();
    first.core().with_world(|world, _| *world = rig.world.clone());
    first.settle();
    let before = endpoint(&first, &rig).unwrap();
    assert!(before.0.starts_with("https://127.0.0.1:") && listens(before.1));
    let snapshot = first.snapshot().unwrap();
    drop(first);
    // The listener ends with its task, which the runtime must get to.
    while listens(before.1) {
        tokio::task::yield_now().await;
    }
    let second = cloud();
    second.restore(snapshot).unwrap();
    assert_eq!(endpoint(&second, &rig).unwrap(), before);
    assert!(listens(before.1));
    second.reset();
    assert_eq!(endpoint(&second, &rig), None);
    while listens(before.1) {
        tokio::task::yield_now().await;
    }
}

#[test]
fn without_a_runtime_a_cluster_is_still_being_made() {
    let mut rig = Rig::new();
    rig.cluster("one");
    rig.world.region_mut(&rig.place.clone()).eks.clusters.get_mut("one").unwrap().endpoint = None;
    assert_eq!(rig.call("GET", "/clusters/one", Value::Null).body["cluster"]["status"], "CREATING");
}
