//! The ways into a cluster.

use std::time::Duration;

use pmks_core::{AuditTimes, Caller, ExecPlugin, KubeconfigRequest, PageRequest, Role, exec_credential};
use pmks_driver::{ErrorKind, KubeconfigFormat};
use pmks_model::{FailureKind, ResourceKind};
use secrecy::ExposeSecret;

use super::other::OTHER;
use super::rig::Rig;

fn request(format: KubeconfigFormat) -> KubeconfigRequest {
    KubeconfigRequest { format, exec: ExecPlugin { command: "/opt/pmks".into(), server: None } }
}

fn viewer() -> Caller {
    Caller { role: Role::Viewer, ..Caller::local("reader") }
}

#[tokio::test]
async fn the_exec_kubeconfig_is_for_everybody_and_the_others_are_not() {
    let rig = Rig::new().await;
    rig.cluster().await;
    let clusters = rig.pmks.clusters();
    let exec =
        clusters.kubeconfig(&viewer(), "here", "prod", &request(KubeconfigFormat::Exec)).await.unwrap();
    assert!(exec.contains("/opt/pmks") && exec.contains("https://127.0.0.1:6443"), "{exec}");
    let native = request(KubeconfigFormat::Native);
    let failure = clusters.kubeconfig(&viewer(), "here", "prod", &native).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotAllowed);
    assert!(clusters.kubeconfig(&rig.admin, "here", "prod", &native).await.unwrap().contains("get-token"));
    let failure = clusters
        .kubeconfig(&rig.admin, "here", "prod", &request(KubeconfigFormat::Static))
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unsupported);
}

#[tokio::test]
async fn a_token_is_for_operators_and_is_written_down() {
    let rig = Rig::new().await;
    rig.cluster().await;
    let clusters = rig.pmks.clusters();
    assert_eq!(clusters.token(&viewer(), "here", "prod").await.unwrap_err().kind, FailureKind::NotAllowed);
    let credential = clusters.token(&rig.admin, "here", "prod").await.unwrap();
    let printed = exec_credential(&credential);
    assert!(printed.expose_secret().contains("token-of-prod"));
    let log = rig
        .pmks
        .audit()
        .list(&rig.admin, AuditTimes::default(), &PageRequest::default())
        .await
        .unwrap()
        .items;
    let line = log.iter().find(|line| line.action == "cluster.token").unwrap();
    assert_eq!((line.who.as_str(), line.target.as_str()), ("me", "cluster prod"));
    assert!(!format!("{log:?}").contains("token-of-prod"));
}

#[tokio::test]
async fn a_token_that_opens_the_account_is_for_administrators() {
    let rig = Rig::new().await;
    rig.cluster().await;
    let operator = Caller { role: Role::Operator, ..Caller::local("operator") };
    let clusters = rig.pmks.clusters();
    assert!(clusters.token(&operator, "here", "prod").await.is_ok());
    rig.cloud.world().capabilities = Some(&OTHER);
    let failure = clusters.token(&operator, "here", "prod").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotAllowed);
    assert!(failure.detail.contains("opens more than the cluster"), "{failure}");
    assert!(clusters.token(&rig.admin, "here", "prod").await.is_ok());
}

#[tokio::test]
async fn a_cluster_that_is_not_there_yet_has_no_way_in() {
    let rig = Rig::new().await;
    rig.network().await;
    rig.never_made("prod").await;
    let clusters = rig.pmks.clusters();
    let exec = request(KubeconfigFormat::Exec);
    let failure = clusters.kubeconfig(&rig.admin, "here", "prod", &exec).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Precondition);
    assert_eq!(clusters.token(&rig.admin, "here", "prod").await.unwrap_err().kind, FailureKind::Precondition);
    assert_eq!(clusters.token(&rig.admin, "here", "none").await.unwrap_err().kind, FailureKind::NotFound);
}

#[tokio::test]
async fn a_cluster_that_is_gone_has_no_way_in() {
    let rig = Rig::new().await;
    rig.cluster().await;
    let clusters = rig.pmks.clusters();
    // A token for the cluster alone asks nobody: it opens nothing once that is gone.
    rig.clock.advance(Duration::from_mins(3));
    let gone = rig.cloud.world().clusters.remove("prod").unwrap();
    rig.cloud.world().calls.clear();
    assert!(clusters.token(&rig.admin, "here", "prod").await.is_ok());
    assert_eq!(rig.cloud.count("get_cluster"), 0);
    rig.cloud.world().capabilities = Some(&OTHER);
    rig.cloud.world().failures.insert("get_cluster".to_owned(), ErrorKind::Unavailable);
    assert!(clusters.token(&rig.admin, "here", "prod").await.is_ok(), "the cloud does not say");
    rig.cloud.world().failures.clear();
    rig.cloud.world().clusters.insert("prod".to_owned(), gone);
    rig.clock.advance(Duration::from_secs(1));
    rig.cloud.world().calls.clear();
    for _ in 0..3 {
        assert!(clusters.token(&rig.admin, "here", "prod").await.is_ok());
    }
    assert_eq!(rig.cloud.count("get_cluster"), 1, "it was just seen");
    rig.cloud.world().clusters.remove("prod");
    rig.clock.advance(Duration::from_mins(2));
    for capabilities in [Some(&OTHER), None] {
        rig.cloud.world().capabilities = capabilities;
        let failure = clusters.token(&rig.admin, "here", "prod").await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::NotFound, "{failure}");
        assert!(failure.is_about(ResourceKind::Cluster) && failure.detail.contains("has not shown"));
    }
    let exec = request(KubeconfigFormat::Exec);
    let failure = clusters.kubeconfig(&rig.admin, "here", "prod", &exec).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotFound);
}

#[tokio::test]
async fn nodes_and_children_are_asked_of_the_cloud() {
    let rig = Rig::new().await;
    rig.cluster().await;
    let clusters = rig.pmks.clusters();
    let nodes = clusters.nodes("here", "prod", None).await.unwrap();
    assert_eq!(nodes.len(), 2);
    assert_eq!(clusters.node("here", "prod", "i-1", None).await.unwrap().node.iid.name_id, "node-1");
    assert_eq!(clusters.node("here", "prod", "i-9", None).await.unwrap_err().kind, FailureKind::NotFound);
    assert_eq!(rig.cloud.count("nodes"), 1);
    assert_eq!(clusters.children("here", "prod").await.unwrap().found.len(), 1);
}
