//! Clients that come together, go away, or whose server dies: no name is made twice, and nothing is lost.

use std::time::Duration;

use futures::future::join_all;
use pmks_model::ResourceKind;
use pmks_simulation::{Effect, Rule};
use serde_json::{Value, json};

use super::{Scene, asks, networks, records};
use crate::{CloudUnderTest, Served};

/// How many clusters are asked for at once, in a run of each extent.
const SHORT: usize = 25;
const LONG: usize = 200;

/// Runs it on one cloud. `create`: service and action of the call that makes a cluster there.
pub async fn run(under_test: &'static dyn CloudUnderTest, create: (&str, &str)) {
    let mut scene = Scene::begin(under_test).await;
    records::make(&scene).await;
    networks::make(&scene).await;
    of_one_name(&scene).await;
    many(&scene).await;
    let slow = Rule::new(create.0, create.1, Effect::Delay { seconds: 1.0 });
    scene.world.cloud.controls().faults.add(slow.clone().times(1));
    hangs_up(&scene).await;
    scene.world.cloud.controls().faults.add(slow.times(1));
    scene = dies(scene).await;
    tokio::task::block_in_place(|| scene.served.stop());
}

fn cluster(scene: &Scene, name: &str) -> Value {
    let subnets = networks::subnets(scene);
    asks(json!({"Name": name, "Version": "", "VPCName": "vpc-01", "SubnetNames": subnets}))
}

/// How many clusters of names that begin so the cloud has.
fn at_cloud(scene: &Scene, begin: &str) -> usize {
    let word = scene.under_test.word(ResourceKind::Cluster);
    let rows = scene.world.rows();
    let named = |name: &Option<String>| name.as_ref().is_some_and(|name| name.starts_with(begin));
    rows.iter().filter(|row| Some(row.kind.as_str()) == word && named(&row.name)).count()
}

async fn of_one_name(scene: &Scene) {
    let ask = || scene.client.ask("POST", "/cluster", Some(cluster(scene, "one")));
    let mut answers = <[_; 2]>::from(tokio::join!(ask(), ask()));
    answers.sort_by_key(|(status, _)| *status);
    let [made, refused] = &answers;
    assert_eq!((made.0, refused.0), (200, 409), "{answers:?}");
    let says = "Kubernetes Cluster 'one' already exists in connection 'config-01'";
    assert_eq!((&made.1["IId"]["NameId"], &refused.1["message"]), (&json!("one"), &json!(says)));
    assert_eq!(at_cloud(scene, "one"), 1);
}

async fn many(scene: &Scene) {
    let began = std::time::Instant::now();
    let many = if std::env::var_os("PMKS_LONG").is_some() { LONG } else { SHORT };
    let names: Vec<String> = (0..many).map(|index| format!("many-{index}")).collect();
    let asks = names.iter().map(|name| scene.client.ask("POST", "/cluster", Some(cluster(scene, name))));
    for (name, (status, answer)) in names.iter().zip(join_all(asks).await) {
        assert_eq!((status, &answer["IId"]["NameId"]), (200, &json!(name)), "{answer}");
    }
    println!("{many} clusters at once: answered after {:?}", began.elapsed());
    let listed = scene.get("/cluster").await;
    assert_eq!(listed["cluster"].as_array().unwrap().len(), many + 1);
    assert_eq!(at_cloud(scene, "many-"), many);
}

/// The client is gone before the cloud has answered.
async fn hangs_up(scene: &Scene) {
    let asked = scene.client.raw("POST", "/cluster", Some(cluster(scene, "left")));
    assert!(tokio::time::timeout(Duration::from_millis(300), asked).await.is_err(), "it was answered");
    completes(scene, "left").await;
}

/// The program is killed while the cloud works on the request, and begins anew.
async fn dies(scene: Scene) -> Scene {
    let asked = scene.client.raw("POST", "/cluster", Some(cluster(&scene, "killed")));
    assert!(tokio::time::timeout(Duration::from_millis(300), asked).await.is_err(), "it was answered");
    let Scene { under_test, world, pmks, served, .. } = scene;
    let (pmks, served) = tokio::task::block_in_place(|| {
        served.kill();
        let served = Served::start(&pmks, &super::VARIABLES);
        (pmks, served)
    });
    let client = super::Client::new(&served.url, super::USER);
    let scene = Scene { under_test, world, pmks, served, client };
    completes(&scene, "killed").await;
    scene
}

async fn completes(scene: &Scene, name: &str) {
    for _ in 0..300 {
        let listed = scene.get("/cluster").await;
        let listed = listed["cluster"].as_array().unwrap();
        let is_ready = |cluster: &&Value| cluster["IId"]["NameId"] == name && cluster["Status"] == "Active";
        if listed.iter().filter(is_ready).count() == 1 {
            assert_eq!(at_cloud(scene, name), 1);
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{name} is never in order: {}", scene.get(&format!("/cluster/{name}")).await)
}
