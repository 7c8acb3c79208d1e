//! The driver against moto, a server that others wrote: what it has works, and what it lacks is said clearly.
//!
//! Needs `moto_server` (`moto[server]` at the Python package index) on the path or in `~/.cache/pmks-venv`; without it one line says so.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use pmks_aws::Aws;
use pmks_driver::{
    Change, ChangeNodeGroupScaling, ClusterTarget, ConnectionSpecification, CreateCluster, Credential,
    DeleteCluster, Detail, Driver, Environment, ErrorKind, FixPrerequisites, House, NodeGroupTarget,
    Provider, RemoveNodeGroup, UpgradeCluster,
};
use pmks_model::{ClusterRequest, Iid, Scaling, ScalingChange, Status, Tags, UpgradeRequest, UpgradeTargets};
use pmks_transport::{SystemClock, Transport};
use serde_json::json;

use crate::requests::network;
use crate::support::{carry_out, marks};

struct Moto {
    process: Child,
    port: u16,
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts moto, if it is there.
async fn moto() -> Option<Moto> {
    let venv =
        std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/pmks-venv/bin/moto_server"));
    let program = venv.filter(|path| path.exists()).unwrap_or_else(|| PathBuf::from("moto_server"));
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let process = Command::new(program)
        .args(["-H", "127.0.0.1", "-p", &port.to_string()])
        .env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let moto = Moto { process, port };
    for _ in 0..600 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Some(moto);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    None
}

async fn driver(moto: &Moto) -> Arc<dyn Driver> {
    let credential = Credential::from_values([
        ("accessKeyId".to_owned(), "AKIAIOSFODNN7EXAMPLE".to_owned()),
        ("secretAccessKey".to_owned(), "moto-takes-any-secret".to_owned()),
    ]);
    let connection = ConnectionSpecification {
        name: "moto".to_owned(),
        region: "us-east-1".to_owned(),
        zone: None,
        credential,
        endpoints: BTreeMap::from([(
            "all".to_owned(),
            format!("http://127.0.0.1:{}", moto.port).parse().unwrap(),
        )]),
        ca_certificate: None,
        settings: BTreeMap::new(),
        pace: 5,
    };
    let house = House {
        transport: Transport::builder(Arc::new(SystemClock)).build(),
        environment: Environment::default(),
        installation: "ours".to_owned(),
    };
    Aws.connect(&connection, &house).await.unwrap()
}

fn cluster(network: Iid, subnets: Vec<Iid>) -> Change {
    let scaling = Scaling { auto_scaling: true, min: 1, max: 3, desired: 2 };
    let request = ClusterRequest {
        name: "prod".to_owned(),
        version: "1.33".parse().unwrap(),
        network,
        subnets,
        security_groups: Vec::new(),
        node_groups: vec![serde_json::from_value(json!({"name": "workers", "scaling": scaling})).unwrap()],
        tags: Tags::new(),
        options: BTreeMap::new(),
    };
    Change::CreateCluster(CreateCluster { request, marks: marks("prod") })
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "a skip is one visible line")]
async fn what_moto_has_works_and_what_it_lacks_is_said() {
    let Some(moto) = moto().await else {
        eprintln!("SKIPPED the driver against moto: there is no moto_server (PyPI: moto[server])");
        return;
    };
    let driver = driver(&moto).await;
    let driver = &*driver;
    let fix = Change::FixPrerequisites(FixPrerequisites { cluster: None, marks: marks("roles") });
    carry_out(driver, &fix).await.unwrap();
    let (vpc, subnets) = network(driver).await;
    let create = cluster(vpc, subnets);
    carry_out(driver, &create).await.unwrap();
    carry_out(driver, &create).await.unwrap();

    let listed = driver.list_clusters(Detail::Nodes).await.unwrap();
    assert!(listed.is_complete(), "{:?}", listed.missed);
    let seen = &listed.items[0];
    assert_eq!((seen.iid.name_id.as_str(), seen.status), ("prod", Status::Active));
    assert_eq!(seen.node_groups[0].scaling.map(|scaling| scaling.max), Some(3));
    let target = ClusterTarget { iid: seen.iid.clone(), incarnation: seen.incarnation.clone() };
    let group = &seen.node_groups[0];
    let workers = NodeGroupTarget {
        cluster: target.clone(),
        iid: group.iid.clone(),
        incarnation: group.incarnation.clone(),
    };

    let change = ScalingChange { auto_scaling: Some(false), desired: Some(3), max: Some(4), min: None };
    let scale = ChangeNodeGroupScaling { target: workers.clone(), change, marks: marks("scale") };
    carry_out(driver, &Change::ChangeNodeGroupScaling(scale)).await.unwrap();
    let scaled = driver.get_node_group("prod", "workers").await.unwrap().scaling.unwrap();
    assert_eq!((scaled.min, scaled.max, scaled.desired), (1, 4, 3));

    let versions = driver.versions().await.unwrap_err();
    assert!(matches!(versions.kind(), ErrorKind::Unsupported { .. }), "{versions}");
    assert!(versions.message().contains("does not implement eks.DescribeClusterVersions"), "{versions}");
    let request =
        UpgradeRequest { version: "1.34".parse().unwrap(), node_groups: UpgradeTargets::All, force: false };
    let upgrade = UpgradeCluster { target: target.clone(), request, marks: marks("upgrade") };
    let lacking = carry_out(driver, &Change::UpgradeCluster(upgrade)).await.unwrap_err();
    assert!(matches!(lacking.kind(), ErrorKind::Unsupported { .. }), "{lacking}");

    let remove = Change::RemoveNodeGroup(RemoveNodeGroup { target: workers, marks: marks("remove") });
    carry_out(driver, &remove).await.unwrap();
    let delete = DeleteCluster { target, delete_volumes: false, marks: marks("delete") };
    carry_out(driver, &Change::DeleteCluster(delete.clone())).await.unwrap();
    carry_out(driver, &Change::DeleteCluster(delete)).await.unwrap();
    assert!(driver.list_clusters(Detail::Ids).await.unwrap().items.is_empty());
}
