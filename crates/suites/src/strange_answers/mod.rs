//! A driver and a cloud whose answers are not what they should be: whatever comes, each read ends, as an answer or as an
//! error of the driver, and never as a panic.
//!
//! The answers are those of a whole conformance case, given again with one part changed ([`mangle`]): real ones, so that
//! what is changed stands where the driver looks.

pub(crate) mod mangle;
mod replayed;

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pmks_conformance::CASES;
use pmks_driver::{
    Change, ClusterTarget, DeleteCluster, Detail, Driver, DriverError, ErrorKind, FixPrerequisites,
    KubeconfigFormat, Marks, NodeMetricsAsked, OwnWordsOf,
};
use pmks_model::{Cluster, Node, NodeMetric, ResourceKind};
use pmks_simulation::Random;

use crate::retold::retold;
use crate::rig::rig_in;
use crate::simulated_cloud::SPEED;
use crate::{CloudUnderTest, SimulatedCloud};
use replayed::{How, Replayed};

/// How long one read may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often every read is tried.
const ROUNDS: u64 = 4;
/// The same in a long run.
const LONG_ROUNDS: u64 = 400;
/// The most calls of one read: the drivers' own limit of pages, of the few lists that a read consists of.
const MOST_CALLS: usize = 4000;

/// Tries every read of a driver.
///
/// # Panics
/// When a read panics, does not end, or asks without an end.
pub async fn run(under_test: &'static dyn CloudUnderTest) {
    let cloud = Arc::new(Replayed::new());
    let teller = Arc::clone(&cloud);
    let before = |cloud| retold(cloud, teller);
    let world = SimulatedCloud::start_as(under_test, SPEED, before).await;
    let told = Arc::clone(&world.cloud);
    let rig = rig_in(under_test, world, false).await;
    for name in
        ["reads_never_write", "networks_come_and_go", "key_pairs_come_and_go", "security_groups_come_and_go"]
    {
        let case = CASES.iter().find(|case| case.name == name).expect("a case");
        pmks_conformance::run(case, &rig).await.expect("the case, before anything is changed");
    }
    *cloud.how.lock().unwrap() = How::Again;
    let listed = rig.driver.list_clusters(Detail::Nodes).await.expect("what was answered before");
    let cluster = listed.items.first().expect("the cluster of the case").clone();
    let node = rig.driver.nodes(&cluster).await.expect("what was answered before").items.into_iter().next();
    let until = rig.clock.wall();
    let hour = (until - SignedDuration::from_hours(1), until);
    let known = Known { ids: ids(under_test, &cloud), cluster, node, hour };
    let of_before = tried(&rig.driver, &known).await;
    let good = of_before.iter().filter(|(_, result)| result.is_ok()).count();
    assert!(good >= 10, "what was answered before is read again: {of_before:#?}");

    let rounds = if std::env::var_os("PMKS_LONG").is_some() { LONG_ROUNDS } else { ROUNDS };
    let mut refused = 0;
    for seed in 0..rounds {
        *cloud.how.lock().unwrap() = How::Mangled(Random::new(seed));
        cloud.asked();
        let driver = Arc::clone(&rig.driver);
        let asked = known.clone();
        let ended = tokio::spawn(async move { tried(&driver, &asked).await }).await;
        let results = ended.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        refused += results.iter().filter(|(_, result)| result.is_err()).count();
        let most = MOST_CALLS * results.len();
        assert!(cloud.asked() < most, "seed {seed}");
    }
    assert!(refused > 0, "nothing that was changed was noticed");

    *cloud.how.lock().unwrap() = How::Endless;
    cloud.asked();
    let networks = tokio::time::timeout(PATIENCE, rig.driver.list_networks()).await;
    never_ends(networks.expect("it pages for ever").map(drop), cloud.asked());
    let groups = tokio::time::timeout(PATIENCE, rig.driver.list_security_groups()).await;
    never_ends(groups.expect("it pages for ever").map(drop), cloud.asked());
    // What is asked after such answers is of what they said: no vendor's contract knows a zone called `-1`.
    drop(told.controls().exchanges.take());
}

fn never_ends(listed: Result<(), DriverError>, asked: usize) {
    let error = listed.expect_err("a list without an end");
    assert!(matches!(error.kind(), ErrorKind::Unexpected), "{error}");
    assert!(asked > 3 && asked < MOST_CALLS, "{asked}: {error}");
}

#[derive(Clone)]
struct Known {
    ids: Vec<(ResourceKind, String)>,
    cluster: Cluster,
    node: Option<Node>,
    hour: (Timestamp, Timestamp),
}

impl Known {
    fn id(&self, kind: ResourceKind) -> &str {
        self.ids.iter().find(|(known, _)| *known == kind).map_or("none", |(_, id)| id)
    }
}

fn ids(under_test: &dyn CloudUnderTest, cloud: &Replayed) -> Vec<(ResourceKind, String)> {
    let rows = cloud.fullest.lock().unwrap();
    let kinds = [
        ResourceKind::Network,
        ResourceKind::Subnet,
        ResourceKind::SecurityGroup,
        ResourceKind::KeyPair,
        ResourceKind::NodeGroup,
    ];
    let of = |kind| {
        rows.iter()
            .find(|row| under_test.word(kind) == Some(&*row.kind))
            .map(|row| (kind, under_test.id(row)))
    };
    kinds.into_iter().filter_map(of).collect()
}

type Tried = Vec<(&'static str, Result<(), DriverError>)>;

/// Every read, one after the other, and those preparations that need no request of their own.
async fn tried(driver: &Arc<dyn Driver>, known: &Known) -> Tried {
    let mut all = Tried::new();
    macro_rules! ask {
        ($read:ident($($argument:expr),*)) => {
            let answered = tokio::time::timeout(PATIENCE, driver.$read($($argument),*)).await;
            let answered = answered.unwrap_or_else(|_| panic!("{} does not end", stringify!($read)));
            all.push((stringify!($read), answered.map(drop)));
        };
    }
    let cluster = &known.cluster;
    let id = &cluster.iid.system_id;
    let marks = || Marks { installation: "i".to_owned(), operation: "o".to_owned(), uid: "u".to_owned() };
    ask!(account_identity());
    ask!(list_clusters(Detail::Ids));
    ask!(list_clusters(Detail::Nodes));
    ask!(get_cluster(id));
    ask!(list_node_groups(id));
    ask!(get_node_group(id, known.id(ResourceKind::NodeGroup)));
    ask!(nodes(cluster));
    if let Some(node) = &known.node {
        let (from, until) = known.hour;
        let interval = Duration::from_mins(1);
        for metric in NodeMetric::ALL {
            let asked = NodeMetricsAsked { cluster, node, metric, interval, from, until };
            ask!(node_metrics(&asked));
        }
    }
    ask!(versions());
    ask!(machine_types());
    ask!(images());
    ask!(regions());
    ask!(size_step());
    ask!(list_networks());
    ask!(list_security_groups());
    ask!(list_key_pairs());
    ask!(get_network(known.id(ResourceKind::Network)));
    ask!(get_subnet(known.id(ResourceKind::Subnet)));
    ask!(get_security_group(known.id(ResourceKind::SecurityGroup)));
    ask!(get_key_pair(known.id(ResourceKind::KeyPair)));
    for kind in [
        ResourceKind::Network,
        ResourceKind::Subnet,
        ResourceKind::SecurityGroup,
        ResourceKind::KeyPair,
        ResourceKind::NodeGroup,
    ] {
        let of = OwnWordsOf { kind, parent: id, system_id: known.id(kind) };
        ask!(own_words(&of));
    }
    let of = OwnWordsOf { kind: ResourceKind::Cluster, parent: "", system_id: id };
    ask!(own_words(&of));
    ask!(prerequisites(None));
    ask!(prerequisites(Some(cluster)));
    ask!(children(cluster));
    ask!(kubeconfig(cluster, KubeconfigFormat::Native));
    ask!(kubeconfig(cluster, KubeconfigFormat::Static));
    ask!(generate_cluster_token(cluster));
    ask!(list_progress());
    let target = ClusterTarget { iid: cluster.iid.clone(), incarnation: cluster.incarnation.clone() };
    let delete = Change::DeleteCluster(DeleteCluster { target, delete_volumes: true, marks: marks() });
    ask!(prepare(&delete));
    let fix = Change::FixPrerequisites(FixPrerequisites { cluster: None, marks: marks() });
    ask!(prepare(&fix));
    all
}
