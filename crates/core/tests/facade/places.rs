//! A name means what it means at the cloud: one cluster of a zone, one thing of a resource group.

use pmks_core::{ImportCluster, Mutation, PageRequest};
use pmks_model::FailureKind;

use crate::rig::{Rig, new_network};

fn delete(connection: &str) -> Mutation {
    Mutation::DeleteCluster { connection: connection.into(), cluster: "prod".into(), delete_volumes: false }
}

#[tokio::test]
async fn a_cluster_of_another_zone_is_not_reached_by_its_name() {
    let rig = Rig::new().await;
    rig.cluster().await;
    rig.connect_in(Some("b"), "there", "AK1").await;
    let clusters = rig.pmks.clusters();
    assert_eq!(clusters.get("there", "prod", None).await.unwrap_err().kind, FailureKind::NotFound);
    assert_eq!(rig.accept(delete("there")).await.unwrap_err().kind, FailureKind::NotFound);
    // It lies in the same network, which both see, and which it holds.
    let networks = rig.pmks.networks().list("there", &PageRequest::default()).await.unwrap();
    assert_eq!(networks.items.len(), 1);
    let refused = rig
        .accept(Mutation::DeleteNetwork { connection: "there".into(), network: "net".into() })
        .await
        .unwrap_err();
    assert!(refused.detail.contains("prod"), "{refused}");
    let import = ImportCluster {
        name: "prod".into(),
        system_id: "prod".into(),
        take_over: true,
        ..ImportCluster::default()
    };
    let import = Mutation::ImportCluster { connection: "there".into(), import };
    let refused = rig.accept(import).await.unwrap_err();
    assert!(refused.to_string().contains("elsewhere"), "{refused}");
    clusters.get("here", "prod", None).await.unwrap();
}

#[tokio::test]
async fn a_cluster_is_known_once_wherever_its_name_is_looked_for() {
    let rig = Rig::new().await;
    rig.cluster().await;
    rig.connect_in(Some("elsewhere"), "there", "AK1").await;
    let import = ImportCluster {
        name: "again".into(),
        system_id: "prod".into(),
        take_over: true,
        ..ImportCluster::default()
    };
    let import = Mutation::ImportCluster { connection: "there".into(), import };
    let refused = rig.accept(import).await.unwrap_err();
    assert_eq!(refused.kind, FailureKind::AlreadyExists, "{refused}");
    assert!(refused.detail.contains("\"prod\", at connection \"here\""), "{refused}");
    let (unmanaged, _) = rig.pmks.clusters().unmanaged(Some("there")).await.unwrap();
    assert!(unmanaged.is_empty(), "{unmanaged:?}");
}

#[tokio::test]
async fn everything_has_its_name_within_its_group() {
    let rig = Rig::new().await;
    rig.connect_in(Some("group-a"), "a", "AK1").await;
    rig.connect_in(Some("group-b"), "b", "AK1").await;
    let make = |connection: &str| Mutation::CreateNetwork {
        connection: connection.into(),
        network: new_network(&format!("net-{connection}")),
    };
    rig.done(make("a")).await;
    let networks = rig.pmks.networks();
    assert_eq!(networks.get("b", "net-a", None).await.unwrap_err().kind, FailureKind::NotFound);
    assert!(networks.list("b", &PageRequest::default()).await.unwrap().items.is_empty());
    rig.done(make("b")).await;
    assert_eq!(networks.list("a", &PageRequest::default()).await.unwrap().items.len(), 1);
    let again = rig.accept(make("a")).await.unwrap_err();
    assert_eq!(again.kind, FailureKind::AlreadyExists, "{again}");
}
