//! A creation beside a removal of what it names: one of the two is refused, and nothing is left half made.

use pmks_core::{ClusterFilter, Mutation, NewCluster, NewKeyPair, OperationView, PageRequest};
use pmks_model::{Failure, FailureKind, OperationState};
use serde_json::json;

use super::rig::{Rig, create, from};

impl Rig {
    /// A network `net`, and the key pair `key`.
    async fn ground(&self) {
        self.network().await;
        let key_pair = NewKeyPair { name: "key".into(), ..NewKeyPair::default() };
        self.done(Mutation::CreateKeyPair { connection: "here".into(), key_pair }).await;
    }

    /// Asks for the cluster, and does the other while the cloud is asked whether it can be made.
    async fn meanwhile(&self, other: impl Future<Output = ()>) -> Result<OperationView, Failure> {
        self.cloud.world().hangs.push("prepare");
        let other = async {
            self.breathe().await;
            other.await;
            self.cloud.world().hangs.clear();
        };
        Box::pin(async { futures::join!(self.accept(create(with_key())), other).0 }).await
    }

    /// Nobody knows of a cluster.
    async fn assert_nothing_made(&self) {
        self.settle().await;
        let known = self.pmks.clusters().list(Some("here"), &ClusterFilter::default()).await.unwrap();
        assert_eq!(known.items, []);
        assert!(self.cloud.world().clusters.is_empty());
    }
}

fn with_key() -> NewCluster {
    from(json!({
        "name": "prod", "network": "net", "subnets": ["sub"],
        "nodeGroups": [{
            "name": "workers", "keyPair": "key",
            "scaling": {"autoScaling": false, "min": 1, "max": 3, "desired": 2},
        }],
    }))
}

fn delete_key() -> Mutation {
    Mutation::DeleteKeyPair { connection: "here".into(), key_pair: "key".into() }
}

#[tokio::test]
async fn a_creation_is_refused_whose_key_pair_goes_while_it_is_checked() {
    let rig = Rig::new().await;
    rig.ground().await;
    let removal = async { drop(rig.accept(delete_key()).await.unwrap()) };
    let refused = rig.meanwhile(removal).await.unwrap_err();
    assert_eq!(refused.kind, FailureKind::Conflict);
    assert!(refused.detail.contains("key pair \"key\" is being deleted by operation"), "{refused}");
    rig.assert_nothing_made().await;
    assert!(rig.cloud.world().key_pairs.is_empty(), "its removal went on");
}

#[tokio::test]
async fn a_creation_is_refused_whose_key_pair_went_while_it_was_checked() {
    let rig = Rig::new().await;
    rig.ground().await;
    let removal = async { drop(rig.done(delete_key()).await) };
    let refused = rig.meanwhile(removal).await.unwrap_err();
    assert_eq!(refused.kind, FailureKind::InvalidRequest, "as if it had never been there: {refused}");
    assert_eq!(refused.findings.iter().next().unwrap().field, "nodeGroups[0].keyPair");
    rig.assert_nothing_made().await;
}

#[tokio::test]
async fn a_creation_is_refused_whose_network_goes_while_it_is_checked() {
    let rig = Rig::new().await;
    rig.ground().await;
    let delete = Mutation::DeleteNetwork { connection: "here".into(), network: "net".into() };
    let removal = async { drop(rig.accept(delete).await.unwrap()) };
    let refused = rig.meanwhile(removal).await.unwrap_err();
    assert_eq!(refused.kind, FailureKind::Conflict);
    assert!(refused.detail.contains("network \"net\" is being deleted by operation"), "{refused}");
    rig.assert_nothing_made().await;
}

#[tokio::test]
async fn a_removal_is_refused_at_its_beginning_by_what_was_made_of_it_while_it_was_checked() {
    let rig = Rig::new().await;
    rig.ground().await;
    rig.cloud.world().hangs.push("prepare removal");
    let creation = async {
        rig.breathe().await;
        rig.done(create(with_key())).await;
        rig.cloud.world().hangs.clear();
    };
    let (removal, ()) = Box::pin(async { futures::join!(rig.accept(delete_key()), creation) }).await;
    rig.settle().await;
    let removal = rig.operation(&removal.unwrap()).await;
    assert_eq!(removal.state, OperationState::Failed, "{removal:#?}");
    let why = removal.error.unwrap();
    assert_eq!(why.kind, FailureKind::Conflict);
    assert_eq!(why.detail, "key pair \"key\" is used by node group \"workers\"");
    assert_eq!(rig.cloud.world().key_pairs.len(), 1);
    let pairs = rig.pmks.key_pairs().list("here", &PageRequest::default()).await.unwrap();
    assert_eq!(pairs.items[0].status, pmks_model::Status::Active);
}
