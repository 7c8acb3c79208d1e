//! What is done first where a caller wants it so, and what is told where nobody does.

use std::time::Duration;

use pmks_core::{Accepted, Beforehand, Mutation, OperationFilter, Reference};
use pmks_driver::ErrorKind;
use pmks_model::{Failure, FailureKind, OperationKind, OperationState, Status};

use super::rig::{Rig, create, from, new_cluster, new_network};

const ALL: Beforehand = Beforehand { prerequisites: true, room: true };

impl Rig {
    /// Accepts it after what may be done first, carrying that out meanwhile.
    async fn after(&self, mutation: Mutation, may: Beforehand) -> Result<Accepted, Failure> {
        let carrying_out = async {
            loop {
                tokio::time::sleep(Duration::from_millis(10)).await;
                self.settle().await;
            }
        };
        tokio::select! {
            accepted = self.pmks.accept_after(&self.admin, mutation, may) => accepted.map_err(|failure| *failure),
            () = carrying_out => unreachable!("it goes on for ever"),
        }
    }

    async fn kinds(&self) -> Vec<OperationKind> {
        let all = self.pmks.operations().list(&OperationFilter::default()).await.unwrap();
        all.items.into_iter().map(|operation| operation.kind).collect()
    }

    fn lacks_a_role(&self) {
        let kind = ErrorKind::PrerequisiteMissing { what: "role".into(), fix: "make it".into() };
        self.cloud.world().failures.insert("prepare".into(), kind);
    }

    /// A network that the cloud had no room for.
    async fn unmade(&self, name: &str) {
        self.cloud.world().failures.insert("ask network".into(), ErrorKind::QuotaExceeded);
        let create = Mutation::CreateNetwork { connection: "here".into(), network: new_network(name) };
        assert_eq!(self.run(create).await.state, OperationState::Failed);
        self.cloud.world().failures.clear();
    }
}

fn network(name: &str) -> Mutation {
    Mutation::CreateNetwork { connection: "here".into(), network: new_network(name) }
}

#[tokio::test]
async fn what_the_account_lacks_is_made_for_who_wants_it_so_and_told_everybody_else() {
    let rig = Rig::new().await;
    rig.network().await;
    rig.lacks_a_role();
    let may = Beforehand { prerequisites: false, ..ALL };
    for refused in [
        rig.accept(create(new_cluster("prod"))).await.map(drop),
        rig.after(create(new_cluster("prod")), may).await.map(drop),
    ] {
        assert_eq!(refused.unwrap_err().kind, FailureKind::PrerequisiteMissing);
    }
    assert_eq!(rig.kinds().await, [OperationKind::NetworkCreate], "nothing was begun");
    rig.after(create(new_cluster("prod")), ALL).await.unwrap();
    rig.settle().await;
    assert_eq!(rig.get("prod").await.status, Status::Active);
    let kinds = rig.kinds().await;
    assert_eq!(kinds[1..], [OperationKind::PrerequisiteFix, OperationKind::ClusterCreate]);
}

#[tokio::test]
async fn what_cannot_be_made_first_is_the_refusal() {
    let rig = Rig::new().await;
    rig.network().await;
    rig.lacks_a_role();
    rig.cloud.world().failures.insert("ask role".into(), ErrorKind::Forbidden { permission: None });
    let failure = rig.after(create(new_cluster("prod")), ALL).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Forbidden);
    assert!(failure.detail.contains("which comes first"), "{failure}");
    assert!(!rig.kinds().await.contains(&OperationKind::ClusterCreate));
}

#[tokio::test]
async fn what_never_came_to_be_makes_room_for_who_wants_it_so() {
    let rig = Rig::new().await;
    rig.unmade("net").await;
    let may = Beforehand { room: false, ..ALL };
    for refused in
        [rig.accept(network("net")).await.map(drop), rig.after(network("net"), may).await.map(drop)]
    {
        assert_eq!(refused.unwrap_err().kind, FailureKind::AlreadyExists);
    }
    rig.after(network("net"), ALL).await.unwrap();
    rig.settle().await;
    assert_eq!(rig.pmks.networks().get("here", "net", None).await.unwrap().status, Status::Active);
    // What stands, or is being made, makes none.
    let before = rig.kinds().await;
    assert_eq!(rig.after(network("net"), ALL).await.unwrap_err().kind, FailureKind::AlreadyExists);
    let begun = rig.accept(network("other")).await.unwrap();
    let refused = rig.pmks.accept_after(&rig.admin, network("other"), ALL).await.unwrap_err();
    assert_eq!(refused.kind, FailureKind::AlreadyExists);
    rig.settle().await;
    assert_eq!(rig.operation(&begun).await.state, OperationState::Succeeded);
    assert_eq!(rig.kinds().await.len(), before.len() + 1);
}

#[tokio::test]
async fn parts_that_never_came_to_be_make_room_too() {
    let rig = Rig::new().await;
    rig.cluster().await;
    let group = || Mutation::AddNodeGroup {
        connection: "here".into(),
        cluster: "prod".into(),
        node_group: from(serde_json::json!({"name": "more",
            "scaling": {"autoScaling": false, "min": 1, "max": 1, "desired": 1}})),
    };
    let subnet = || Mutation::CreateSubnet {
        connection: "here".into(),
        network: "net".into(),
        subnet: from(serde_json::json!({"name": "more", "cidr": "10.0.2.0/24"})),
    };
    for failing in ["ask node group", "ask subnet"] {
        rig.cloud.world().failures.insert(failing.into(), ErrorKind::QuotaExceeded);
    }
    for part in [group(), subnet()] {
        assert_eq!(rig.run(part).await.state, OperationState::Failed);
    }
    rig.cloud.world().failures.clear();
    for part in [group(), subnet()] {
        let accepted = rig.after(part, ALL).await.unwrap();
        rig.settle().await;
        assert_eq!(rig.operation(&accepted.operation).await.state, OperationState::Succeeded);
    }
}

#[tokio::test]
async fn what_was_never_made_uses_nothing() {
    let rig = Rig::new().await;
    rig.network().await;
    rig.cloud.world().failures.insert("ask control plane".into(), ErrorKind::QuotaExceeded);
    assert_eq!(rig.run(create(new_cluster("prod"))).await.state, OperationState::Failed);
    rig.cloud.world().failures.clear();
    let forgotten = rig.pmks.networks().plan_forget(&rig.admin, "here", "net").await;
    assert!(forgotten.is_ok(), "{forgotten:?}");
    let delete = Mutation::DeleteNetwork { connection: "here".into(), network: Reference::name("net") };
    rig.done(delete).await;
}

#[tokio::test]
async fn what_is_being_made_uses_what_it_names() {
    let rig = Rig::new().await;
    rig.network().await;
    rig.accept(create(new_cluster("prod"))).await.unwrap();
    let delete = Mutation::DeleteNetwork { connection: "here".into(), network: Reference::name("net") };
    let refused = rig.accept(delete).await.unwrap_err();
    assert!(refused.detail.contains("is used by cluster \"prod\""), "{refused}");
}
