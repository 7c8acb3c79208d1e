//! What the cloud refuses is refused before anything is stored, where it answers in time; a plan finds the same.

use pmks_core::{AuditTimes, Caller, ClusterFilter, Idempotency, Mutation, OperationFilter, PageRequest};
use pmks_driver::ErrorKind;
use pmks_model::{
    Failure, FailureKind, Findings, OperationState, Says, ScalingChange, Status, Term, UpgradeTargets,
};
use serde_json::json;

use super::rig::{Rig, create, fields, from, new_cluster, new_network};

fn refusal(found: &[&str]) -> ErrorKind {
    let mut findings = Findings::default();
    for field in found {
        findings.add(*field, "the cloud does not offer it");
    }
    ErrorKind::InvalidRequest(findings)
}

impl Rig {
    fn cloud_refuses(&self, kind: ErrorKind) {
        self.cloud.world().failures.insert("prepare".into(), kind);
    }

    /// How a plan and an acceptance refuse the same cluster, which must be alike.
    async fn refused(&self, cluster: serde_json::Value) -> Failure {
        let stored = self.stored().await;
        let planned = self.pmks.plan(&self.admin, create(from(cluster.clone()))).await.unwrap_err();
        let accepted = self.accept(create(from(cluster))).await.unwrap_err();
        assert_eq!(*planned, accepted);
        assert_eq!(self.stored().await, stored, "a refusal stores nothing");
        accepted
    }

    /// How many clusters, operations and lines of the audit log there are.
    pub(crate) async fn stored(&self) -> (usize, usize, usize) {
        let clusters = self.pmks.clusters().list(Some("here"), &ClusterFilter::default()).await.unwrap();
        let operations = self.pmks.operations().list(&OperationFilter::default()).await.unwrap();
        let page = PageRequest { page_size: Some(1000), ..PageRequest::default() };
        let audit = self.pmks.audit().list(&self.admin, AuditTimes::default(), &page).await.unwrap().items;
        (clusters.items.len(), operations.items.len(), audit.len())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "called with a literal")]
fn cluster(more: serde_json::Value) -> serde_json::Value {
    let mut cluster = json!({"name": "prod", "network": "net", "subnets": ["sub"]});
    cluster.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    cluster
}

#[tokio::test]
async fn what_only_the_cloud_refuses_stores_nothing() {
    let rig = Rig::new().await;
    rig.network().await;
    rig.cloud_refuses(refusal(&["version"]));
    let failure = rig.refused(cluster(json!({"version": "1.99"}))).await;
    assert_eq!((failure.kind, fields(&failure)), (FailureKind::InvalidRequest, vec!["version"]));
    for (kind, class) in [
        (ErrorKind::QuotaExceeded, FailureKind::QuotaExceeded),
        (ErrorKind::Forbidden { permission: None }, FailureKind::Forbidden),
        (
            ErrorKind::PrerequisiteMissing { what: "role".into(), fix: "make it".into() },
            FailureKind::PrerequisiteMissing,
        ),
        (ErrorKind::AlreadyExists, FailureKind::AlreadyExists),
        (ErrorKind::Unexpected, FailureKind::Unexpected),
    ] {
        rig.cloud_refuses(kind);
        assert_eq!(rig.refused(cluster(json!({}))).await.kind, class);
    }
    rig.cloud.world().failures.clear();
    rig.done(create(new_cluster("prod"))).await;
}

#[tokio::test]
async fn a_wrong_version_is_told_with_those_that_there_are() {
    let rig = Rig::new().await;
    rig.cluster().await;
    let said = |failure: &Failure| {
        let all = failure.findings.iter().map(|finding| format!("{} {}", finding.field, finding.says));
        all.collect::<Vec<_>>()
    };
    let upgrade = |version: &str| Mutation::UpgradeCluster {
        connection: "here".into(),
        cluster: "prod".into(),
        version: version.into(),
        node_groups: UpgradeTargets::None,
        force: false,
    };
    let latest = || cluster(json!({"name": "other", "version": "latest"}));
    // A cloud that does not tell them leaves it as it is.
    rig.cloud.world().failures.insert("versions".into(), ErrorKind::Unavailable);
    assert!(!said(&rig.refused(latest()).await)[0].contains("offered"));
    rig.cloud.world().failures.clear();
    let ours = said(&rig.refused(latest()).await);
    assert!(ours.len() == 1 && ours[0].ends_with("; offered are 1.30, 1.31"), "{ours:?}");
    // Of a cluster that stands none that is below its own.
    let ours = said(&rig.accept(upgrade("latest")).await.unwrap_err());
    assert!(ours.len() == 1 && ours[0].ends_with("; offered are 1.31"), "{ours:?}");
    rig.cloud_refuses(refusal(&["version", "tags"]));
    let theirs = said(&rig.refused(cluster(json!({"name": "other", "version": "1.30"}))).await);
    let expected =
        ["version the cloud does not offer it; offered are 1.30, 1.31", "tags the cloud does not offer it"];
    assert_eq!(theirs, expected);
    // What is told is not told again.
    let mut findings = Findings::default();
    findings.add("version", Says::from("no; ").term(Term::Versions(vec!["1.99".into()])));
    rig.cloud_refuses(ErrorKind::InvalidRequest(findings));
    let theirs = said(&rig.refused(cluster(json!({"name": "other"}))).await);
    assert_eq!(theirs, ["version no; offered are 1.99"]);
}

#[tokio::test]
async fn findings_of_both_kinds_come_together() {
    let rig = Rig::new().await;
    rig.network().await;
    rig.cloud_refuses(refusal(&[
        "version",
        "nodeGroups[0].machineType",
        "subnets",
        "nodeGroups[0].rootDiskSizeGib",
    ]));
    let group = json!({"name": "w", "rootDiskSizeGib": 1, "machineType": "huge",
        "scaling": {"autoScaling": false, "min": 1, "max": 1, "desired": 1}});
    let asked = json!({"version": "1.99", "nodeGroups": [group]});
    let failure = rig.refused(cluster(asked.clone())).await;
    let (mut found, mut wanted) = (
        fields(&failure),
        ["nodeGroups[0].rootDiskSizeGib", "version", "nodeGroups[0].machineType", "subnets"],
    );
    found.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(found, wanted);
    // Of what lies in a network that is not there the cloud says nothing that would help; of the rest it does.
    let mut astray = asked;
    astray["network"] = json!("nowhere");
    astray["securityGroups"] = json!(["nowhere"]);
    astray["nodeGroups"][0]["keyPair"] = json!("nowhere");
    let failure = rig.refused(cluster(astray)).await;
    let all = [
        "network",
        "securityGroups[0]",
        "nodeGroups[0].keyPair",
        "nodeGroups[0].rootDiskSizeGib",
        "version",
        "nodeGroups[0].machineType",
    ];
    assert_eq!(fields(&failure), all);
    let judged = rig.cloud.world().asked["cluster.create"]["request"].clone();
    assert_eq!(judged["network"], json!({"nameId": "nowhere", "systemId": ""}), "{judged}");
}

#[tokio::test]
async fn a_cloud_that_cannot_say_now_is_asked_by_the_operation() {
    let rig = Rig::new().await;
    rig.network().await;
    rig.cloud_refuses(ErrorKind::Unavailable);
    let operation = rig.accept(create(new_cluster("prod"))).await.unwrap();
    assert!(rig.pmks.plan(&rig.admin, create(new_cluster("other"))).await.is_err());
    rig.cloud.world().failures.clear();
    rig.settle().await;
    assert_eq!(rig.operation(&operation).await.state, OperationState::Succeeded);
}

#[tokio::test]
async fn what_waits_for_another_operation_is_not_judged_by_what_stands_now() {
    let rig = Rig::new().await;
    rig.accept(Mutation::CreateNetwork { connection: "here".into(), network: new_network("net") })
        .await
        .unwrap();
    rig.cloud_refuses(ErrorKind::QuotaExceeded);
    let operation = rig.accept(create(new_cluster("prod"))).await.unwrap();
    let scale = Mutation::ScaleNodeGroup {
        connection: "here".into(),
        cluster: "prod".into(),
        node_group: "workers".into(),
        scaling: ScalingChange { desired: Some(3), ..ScalingChange::default() },
    };
    let plan = rig.pmks.plan(&rig.admin, scale.clone()).await.unwrap();
    assert!(plan.findings[0].contains("waits for cluster.create of \"prod\""), "{plan:?}");
    assert!(plan.findings[1].contains("is not made yet") && plan.stages.is_empty(), "{plan:?}");
    let scaling = rig.accept(scale).await.unwrap();
    rig.cloud.world().failures.clear();
    rig.settle().await;
    for operation in [operation, scaling] {
        assert_eq!(rig.operation(&operation).await.state, OperationState::Succeeded);
    }
}

#[tokio::test]
async fn a_creation_that_made_nothing_leaves_its_name_free() {
    let rig = Rig::new().await;
    rig.network().await;
    let failed = rig.never_made("prod").await;
    let before = rig.get("prod").await;
    assert_eq!(before.status, Status::Failed);
    rig.pmks.plan(&rig.admin, create(new_cluster("prod"))).await.unwrap();
    rig.done(create(new_cluster("prod"))).await;
    let after = rig.get("prod").await;
    assert_eq!((after.status, after.node_groups.len()), (Status::Active, 1));
    assert_ne!(after.uid, before.uid);
    let again = rig.pmks.operations().retry(&rig.admin, &failed.id.to_string(), None).await.unwrap_err();
    assert_eq!(again.kind, FailureKind::Conflict);
    assert!(again.detail.contains("ask for it again"), "{again}");
}

#[tokio::test]
async fn a_creation_that_made_nothing_can_still_be_retried() {
    let rig = Rig::new().await;
    rig.network().await;
    let failed = rig.never_made("prod").await;
    rig.pmks.operations().retry(&rig.admin, &failed.id.to_string(), None).await.unwrap();
    // It is under way again: its name is taken.
    assert_eq!(rig.accept(create(new_cluster("prod"))).await.unwrap_err().kind, FailureKind::AlreadyExists);
    rig.settle().await;
    assert_eq!(rig.operation(&failed).await.state, OperationState::Succeeded);
}

#[tokio::test]
async fn a_creation_that_asked_keeps_its_name() {
    let rig = Rig::new().await;
    rig.network().await;
    rig.cloud.world().failures.insert("ask control plane".into(), ErrorKind::QuotaExceeded);
    let failed = rig.run(create(new_cluster("prod"))).await;
    assert_eq!(failed.state, OperationState::Failed);
    rig.cloud.world().failures.clear();
    for refused in [
        rig.accept(create(new_cluster("prod"))).await.unwrap_err(),
        *rig.pmks.plan(&rig.admin, create(new_cluster("prod"))).await.unwrap_err(),
    ] {
        assert_eq!(refused.kind, FailureKind::AlreadyExists);
    }
}

#[tokio::test]
async fn a_refusal_keeps_no_key_and_a_key_gives_what_was_accepted() {
    let rig = Rig::new().await;
    rig.network().await;
    let idempotency = Idempotency {
        key: "k".into(),
        method: "POST".into(),
        path: "/v1/connections/here/clusters".into(),
        body_hash: "h".into(),
    };
    let caller = Caller { idempotency: Some(idempotency), ..rig.admin.clone() };
    rig.cloud_refuses(ErrorKind::QuotaExceeded);
    let refused = rig.pmks.accept(&caller, create(new_cluster("prod"))).await.unwrap_err();
    assert_eq!(refused.kind, FailureKind::QuotaExceeded);
    rig.cloud.world().failures.clear();
    let first = rig.pmks.accept(&caller, create(new_cluster("prod"))).await.unwrap();
    // The cloud may refuse it by now; it was accepted.
    rig.cloud_refuses(ErrorKind::QuotaExceeded);
    let second = rig.pmks.accept(&caller, create(new_cluster("prod"))).await.unwrap();
    assert_eq!(second.operation.id, first.operation.id);
}

#[tokio::test]
async fn a_credential_of_another_account_changes_nothing() {
    let rig = Rig::new().await;
    rig.network().await;
    rig.cloud.world().accounts.insert("AK1".into(), "fake:2".into());
    let connection = rig.pmks.connections().get("here").await.unwrap();
    // What was proven in this process is asked again once the credential is another one.
    let patch = json!({"credential": {"accessKey": "AK1b", "secretKey": "x"}});
    rig.pmks.connections().update(&rig.admin, "here", patch, &connection.version_tag).await.unwrap();
    rig.cloud.world().accounts.insert("AK1b".into(), "fake:2".into());
    let failure = rig.accept(create(new_cluster("prod"))).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Conflict);
    assert!(failure.detail.contains("acts for fake:2"), "{failure}");
}

#[tokio::test]
async fn a_plan_stores_no_account() {
    let rig = Rig::new().await;
    let network = || Mutation::CreateNetwork { connection: "here".into(), network: new_network("net") };
    rig.pmks.plan(&rig.admin, network()).await.unwrap();
    let import = json!({"name": "x", "systemId": "nowhere"});
    let import = Mutation::ImportCluster { connection: "here".into(), import: from(import) };
    assert_eq!(fields(&rig.pmks.plan(&rig.admin, import).await.unwrap_err()), ["systemId"]);
    let proven = async || rig.pmks.connections().get("here").await.unwrap().account;
    assert_eq!(proven().await, None);
    assert_eq!(rig.cloud.count("account_identity"), 1);
    rig.done(network()).await;
    assert_eq!(proven().await.unwrap().account, "fake:1");
}

#[tokio::test]
async fn nothing_is_taken_on_by_what_a_connection_was() {
    let rig = Rig::new().await;
    rig.cloud.world().hangs.push("prepare network");
    let network = || Mutation::CreateNetwork { connection: "here".into(), network: new_network("net") };
    let elsewhere = async {
        rig.breathe().await;
        let patch = json!({"region": "r2"});
        rig.pmks.connections().update(&rig.admin, "here", patch, "*").await.unwrap();
        rig.cloud.world().hangs.clear();
    };
    let (refused, ()) = futures::join!(rig.accept(network()), elsewhere);
    let refused = refused.unwrap_err();
    assert_eq!(refused.kind, FailureKind::Conflict);
    assert!(refused.detail.contains("was changed while this was asked for"), "{refused}");
    rig.accept(network()).await.unwrap();
    let patch = json!({"region": "r1"});
    let refused = rig.pmks.connections().update(&rig.admin, "here", patch, "*").await.unwrap_err();
    assert_eq!(refused.kind, FailureKind::Conflict, "{refused}");
}
