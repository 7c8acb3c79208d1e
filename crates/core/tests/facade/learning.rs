//! Whose account a connection is, learned by whoever reads there first.

use pmks_core::{ClusterFilter, PageRequest};
use pmks_driver::ErrorKind;
use pmks_model::FailureKind;

use super::rig::Rig;

impl Rig {
    /// The networks and clusters that a connection shows.
    async fn shown(&self, connection: &str) -> (usize, usize) {
        let networks = self.pmks.networks().list(connection, &PageRequest::default()).await.unwrap();
        let clusters = self.pmks.clusters().list(Some(connection), &ClusterFilter::default()).await.unwrap();
        (networks.items.len(), clusters.items.len())
    }
}

#[tokio::test]
async fn what_others_made_in_an_account_is_read_by_a_connection_that_nobody_has_used_yet() {
    let rig = Rig::new().await;
    rig.cluster().await;
    rig.connect("list", "AK1b").await;
    assert_eq!(rig.shown("list").await, (1, 1));
    for name in ["network", "subnet", "cluster", "group", "forgets"] {
        rig.connect(name, "AK1b").await;
    }
    assert_eq!(rig.pmks.networks().get("network", "net", None).await.unwrap().name, "net");
    assert_eq!(rig.pmks.subnets().get("subnet", "net", "sub", None).await.unwrap().name, "sub");
    assert_eq!(rig.pmks.clusters().get("cluster", "prod", None).await.unwrap().name, "prod");
    assert_eq!(rig.pmks.node_groups().get("group", "prod", "workers", None).await.unwrap().name, "workers");
    rig.pmks.clusters().forget(&rig.admin, "forgets", "prod", false).await.unwrap();
    rig.connect("other", "AK2").await;
    assert_eq!(rig.shown("other").await, (0, 0), "another account's");
}

#[tokio::test]
async fn an_account_is_asked_for_once_and_of_one_connection_alone() {
    let rig = Rig::new().await;
    rig.cluster().await;
    rig.connect("also", "AK1b").await;
    let asked = rig.cloud.count("account_identity");
    // Of all connections together each account is known by some that made something there.
    rig.pmks.clusters().list(None, &ClusterFilter::default()).await.unwrap();
    assert_eq!(rig.cloud.count("account_identity"), asked);
    for _ in 0..3 {
        rig.shown("also").await;
    }
    assert_eq!(rig.cloud.count("account_identity"), asked + 1);
}

#[tokio::test]
async fn who_may_not_use_a_connection_has_nobody_asked() {
    let rig = Rig::new().await;
    let viewer = pmks_core::Caller { role: pmks_core::Role::Viewer, ..pmks_core::Caller::local("viewer") };
    let failure = rig.pmks.networks().forget(&viewer, "here", "net").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotAllowed);
    assert_eq!(rig.cloud.count("account_identity"), 0);
}

#[tokio::test]
async fn a_credential_that_the_cloud_refuses_knows_of_nothing() {
    let rig = Rig::new().await;
    rig.cluster().await;
    rig.connect("also", "AK1b").await;
    rig.cloud.world().failures.insert("account_identity".into(), ErrorKind::Unauthenticated);
    assert_eq!(rig.shown("also").await, (0, 0));
    rig.cloud.world().failures.clear();
    assert_eq!(rig.shown("also").await, (1, 1), "asked again: it answers at once");
}

#[tokio::test]
async fn a_cloud_that_says_nothing_is_waited_for_once_in_a_while() {
    let rig = Rig::new().await;
    rig.cluster().await;
    rig.connect("also", "AK1b").await;
    rig.cloud.world().silent = true;
    // A peer is waited for in real time, whatever the tests' clock says.
    let began = std::time::Instant::now();
    assert_eq!(rig.shown("also").await, (0, 0));
    assert_eq!(rig.shown("also").await, (0, 0));
    assert!((4..9).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    rig.cloud.world().silent = false;
    rig.advance(31);
    assert_eq!(rig.shown("also").await, (1, 1));
}
