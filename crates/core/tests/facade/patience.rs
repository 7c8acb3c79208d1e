//! A cloud that does not answer costs who asks some seconds, and never the answer. Each of these waits in real time:
//! what can be waited for at once is.

use std::time::{Duration, Instant};

use pmks_core::{ImportResource, Mutation};
use pmks_model::{Failure, OperationState};
use serde_json::json;

use super::rig::{Rig, create, from, new_cluster, new_network};

#[tokio::test]
async fn a_cloud_that_does_not_answer_is_waited_for_some_seconds() {
    let rig = Rig::new().await;
    rig.network().await;
    rig.cloud.world().hangs = vec!["prepare"];
    let began = Instant::now();
    let operation = rig.accept(create(new_cluster("prod"))).await.unwrap();
    // Half as long as what cannot be done without.
    assert!((9..19).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    rig.cloud.world().hangs.clear();
    rig.settle().await;
    assert_eq!(rig.operation(&operation).await.state, OperationState::Succeeded);
}

#[tokio::test]
async fn what_cannot_be_done_without_is_waited_for_as_well_and_then_refused() {
    let rig = Rig::new().await;
    rig.network().await;
    let before = rig.stored().await;
    rig.cloud.world().hangs = vec!["get_security_group"];
    // No record tells of that group: whether there is one only the cloud knows.
    let asked = cluster(json!({"securityGroups": ["sg-elsewhere"]}));
    let both = async { tokio::join!(rig.pmks.plan(&rig.admin, asked.clone()), rig.accept(asked)) };
    let (planned, refusal) = Box::pin(in_time(both)).await;
    let (planned, refusal) = (*planned.unwrap_err(), refusal.unwrap_err());
    assert_eq!(planned, refusal);
    assert_eq!(rig.stored().await, before, "a refusal stores nothing");
    assert_later(&refusal, "what it has of what the request names");
}

#[tokio::test]
async fn plans_imports_and_validations_are_told_that_the_cloud_does_not_say() {
    let rig = Rig::new().await;
    rig.network().await;
    let before = rig.stored().await;
    let (connections, networks) = (rig.pmks.connections(), rig.pmks.networks());
    connections.validate(&rig.admin, "here").await.unwrap();
    rig.cloud.world().hangs = vec!["prepare", "get_network", "prerequisites"];
    let (planned, imported, validated) = in_time(async {
        tokio::join!(
            rig.pmks.plan(&rig.admin, create(new_cluster("prod"))),
            networks.import(&rig.admin, "here", other()),
            connections.validate(&rig.admin, "here"),
        )
    })
    .await;
    assert_later(&planned.unwrap_err(), "what the change would come to there");
    assert_later(&imported.unwrap_err(), "what it has of what the request names");
    let validated = validated.unwrap();
    assert!(validated.valid, "{validated:?}");
    assert_later(&validated.missed[0], "what stands of what must exist in the account");
    assert_eq!(rig.stored().await, before, "nothing is stored");
}

#[tokio::test]
async fn nobody_waits_for_ever_for_whom_a_credential_acts() {
    let rig = Rig::new().await;
    rig.network().await;
    let second = Mutation::CreateNetwork { connection: "here".into(), network: new_network("second") };
    rig.accept(second).await.unwrap();
    // Another process, which has asked nobody yet.
    let rig = rig.again().await;
    let before = rig.stored().await;
    let (connections, networks) = (rig.pmks.connections(), rig.pmks.networks());
    let known = connections.get("here").await.unwrap();
    let patch = json!({"credential": {"accessKey": "AK1", "secretKey": "x"}});
    let waits = cluster(json!({"network": "second"}));
    rig.cloud.world().hangs = vec!["account_identity"];
    let (updated, update, validated, imported, planned) = in_time(async {
        tokio::join!(
            connections.update(&rig.admin, "here", patch.clone(), "*"),
            connections.plan_update(&rig.admin, "here", patch, "*"),
            connections.validate(&rig.admin, "here"),
            networks.import(&rig.admin, "here", other()),
            rig.pmks.plan(&rig.admin, waits),
        )
    })
    .await;
    let validated = validated.unwrap();
    assert!(!validated.valid, "{validated:?}");
    for refusal in
        [*updated.unwrap_err(), *update.unwrap_err(), validated.error.unwrap(), *imported.unwrap_err()]
    {
        assert_later(&refusal, "whom the credential acts for");
    }
    // What waits for another operation has a plan all the same.
    let planned = planned.unwrap();
    assert!(planned.findings[0].contains("waits for network.create of \"second\""), "{planned:?}");
    assert!(planned.findings[1].contains("has not said within 20 s"), "{planned:?}");
    assert_eq!(connections.get("here").await.unwrap().version_tag, known.version_tag);
    assert_eq!(rig.stored().await, before, "nothing is stored");
}

#[expect(clippy::needless_pass_by_value, reason = "called with a literal")]
fn cluster(more: serde_json::Value) -> Mutation {
    let mut cluster = json!({"name": "prod", "network": "net", "subnets": ["sub"]});
    cluster.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    create(from(cluster))
}

fn other() -> ImportResource {
    from(json!({"name": "other", "systemId": "vpc-9"}))
}

/// What is answered once patience has ended: in real time, whatever the tests' clock says, and on a busy machine late.
async fn in_time<T>(asked: impl Future<Output = T>) -> T {
    let began = Instant::now();
    let answer = tokio::time::timeout(Duration::from_mins(1), Box::pin(asked)).await.unwrap();
    assert!(began.elapsed().as_secs() >= 19, "{:?}", began.elapsed());
    answer
}

/// It is told what was waited for, that nothing came of it, and when to come again.
fn assert_later(refusal: &Failure, what: &str) {
    assert_eq!((refusal.http_status(), refusal.retry_after_seconds), (503, Some(10)), "{refusal}");
    assert!(refusal.detail.contains(what), "{refusal}");
    assert!(refusal.fix.is_some() && refusal.detail.contains("nothing was taken on"), "{refusal}");
}
