//! Operations: idempotency keys, events, cancellation, retries.

use std::sync::Arc;

use futures::StreamExt as _;
use pmks_core::{Caller, Idempotency, Mutation, OperationFilter, PageRequest};
use pmks_driver::ErrorKind;
use pmks_model::{Cluster, FailureKind, Iid, OperationKind, OperationState};

use super::rig::{Rig, create, fields, new_cluster, new_network};

fn with_key(rig: &Rig, body: &str) -> Caller {
    let idempotency = Idempotency {
        key: "k1".into(),
        method: "POST".into(),
        path: "/v1/connections/here/networks".into(),
        body_hash: body.into(),
    };
    Caller { idempotency: Some(idempotency), ..rig.admin.clone() }
}

fn network(name: &str) -> Mutation {
    Mutation::CreateNetwork { connection: "here".into(), network: new_network(name) }
}

#[tokio::test]
async fn the_same_key_and_body_give_the_same_operation() {
    let rig = Rig::new().await;
    let first = rig.pmks.accept(&with_key(&rig, "h1"), network("net")).await.unwrap();
    rig.settle().await;
    let again = rig.pmks.accept(&with_key(&rig, "h1"), network("net")).await.unwrap();
    assert_eq!(again.operation.id, first.operation.id);
    let failure = rig.pmks.accept(&with_key(&rig, "h2"), network("other")).await.unwrap_err();
    assert_eq!(fields(&failure), ["Idempotency-Key"]);
    let other = Caller { name: "somebody".into(), ..with_key(&rig, "h1") };
    assert_eq!(rig.pmks.accept(&other, network("net")).await.unwrap_err().kind, FailureKind::AlreadyExists);
}

#[tokio::test]
async fn a_repeated_deletion_is_the_deletion_that_was() {
    let rig = Rig::new().await;
    rig.network().await;
    let delete = || Mutation::DeleteNetwork { connection: "here".into(), network: "net".into() };
    let first = rig.pmks.accept(&with_key(&rig, "h1"), delete()).await.unwrap();
    rig.settle().await;
    let again = rig.pmks.accept(&with_key(&rig, "h1"), delete()).await.unwrap();
    assert_eq!((again.operation.id, again.operation.state), (first.operation.id, OperationState::Succeeded));
    assert_eq!(rig.accept(delete()).await.unwrap_err().kind, FailureKind::NotFound);
}

#[tokio::test]
async fn a_refused_request_keeps_no_key() {
    let rig = Rig::new().await;
    let failure = rig.pmks.accept(&with_key(&rig, "h1"), network("Bad")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::InvalidRequest);
    rig.pmks.accept(&with_key(&rig, "h2"), network("good")).await.unwrap();
}

#[tokio::test]
async fn events_begin_with_the_present_and_end_with_the_last_state() {
    let rig = Rig::new().await;
    let operation = rig.accept(network("net")).await.unwrap();
    let id = operation.id.to_string();
    let stream = rig.pmks.operations().events(Some(&id), None).await.unwrap();
    let all = rig.pmks.operations().events(None, Some(0)).await.unwrap();
    rig.settle().await;
    let events: Vec<_> = stream.collect().await;
    assert_eq!(events[0].operation.state, OperationState::Queued);
    assert_eq!(events.last().unwrap().operation.state, OperationState::Succeeded);
    assert!(events.windows(2).all(|pair| pair[0].id <= pair[1].id));
    let last = events.last().unwrap().id;
    let seen = rig.pmks.operations().events(Some(&id), Some(last)).await.unwrap().collect::<Vec<_>>().await;
    assert!(seen.is_empty());
    let resumed = rig.pmks.operations().events(Some(&id), Some(events[0].id)).await.unwrap();
    assert_eq!(resumed.collect::<Vec<_>>().await.last().unwrap().id, last);
    let first_of_all = all.take(1).collect::<Vec<_>>().await;
    assert_eq!(first_of_all[0].operation.id, operation.id);
    let missing = rig.pmks.operations().events(Some("nonsense"), None).await.err().unwrap();
    assert_eq!(missing.kind, FailureKind::NotFound);
}

/// Else hundreds who each follow an operation of their own ask the store hundreds of times for each commit.
#[tokio::test]
async fn who_follows_one_operation_is_told_what_was_read_once_for_all() {
    let rig = Rig::new().await;
    let operation = rig.accept(network("net")).await.unwrap();
    rig.accept(network("other")).await.unwrap();
    let id = operation.id.to_string();
    let one = rig.pmks.operations().events(Some(&id), None).await.unwrap();
    let mut all = rig.pmks.operations().events(None, None).await.unwrap();
    rig.settle().await;
    let one: Vec<_> = one.collect().await;
    assert!(one.len() > 3 && one.iter().all(|event| event.operation.id == operation.id));
    for event in one.iter().skip(1) {
        let told = loop {
            let told = all.next().await.unwrap();
            if told.id == event.id {
                break told;
            }
        };
        assert!(Arc::ptr_eq(&told.operation, &event.operation), "event {} was read twice", event.id);
    }
}

#[tokio::test]
async fn what_is_queued_is_cancelled_at_once_and_what_is_over_not_at_all() {
    let rig = Rig::new().await;
    let operation = rig.accept(network("net")).await.unwrap();
    let id = operation.id.to_string();
    let operations = rig.pmks.operations();
    let viewer = Caller { role: pmks_core::Role::Viewer, ..rig.admin.clone() };
    assert_eq!(operations.cancel(&viewer, &id).await.unwrap_err().kind, FailureKind::NotAllowed);
    assert_eq!(operations.cancel(&rig.admin, &id).await.unwrap().state, OperationState::Cancelled);
    assert_eq!(operations.cancel(&rig.admin, &id).await.unwrap_err().kind, FailureKind::Conflict);
    assert_eq!(operations.retry(&rig.admin, &id, None).await.unwrap_err().kind, FailureKind::Conflict);
    assert_eq!(rig.cloud.count("ask network"), 0);
}

#[tokio::test]
async fn a_failed_operation_is_retried_as_the_same_one() {
    let rig = Rig::new().await;
    rig.network().await;
    rig.cloud.world().failures.insert("ask node group workers".into(), ErrorKind::QuotaExceeded);
    let failed = rig.run(create(new_cluster("prod"))).await;
    assert_eq!((failed.state, failed.remains.len()), (OperationState::Failed, 1));
    rig.cloud.world().failures.clear();
    let again = rig.pmks.operations().retry(&rig.admin, &failed.id.to_string(), None).await.unwrap();
    assert_eq!((again.id, again.attempt), (failed.id, 2));
    rig.settle().await;
    assert_eq!(rig.operation(&failed).await.state, OperationState::Succeeded);
    assert_eq!(rig.cloud.count("ask control plane"), 1);
    assert_eq!(rig.get("prod").await.node_groups[0].nodes.len(), 2);
}

/// A rig whose cluster `prod` was asked for, and nobody knows whether it was made.
async fn unheard() -> Rig {
    let rig = Rig::new().await;
    rig.network().await;
    rig.cloud.world().failures.insert("ask control plane".into(), ErrorKind::Unavailable);
    let creation = rig.accept(create(new_cluster("prod"))).await.unwrap();
    for _ in 0..120 {
        rig.round().await;
        rig.advance(20);
    }
    let failed = rig.operation(&creation).await;
    assert_eq!(failed.state, OperationState::Failed);
    assert_eq!(failed.remains.first().map(|left| left.system_id.as_str()), Some(""));
    rig.cloud.world().failures.clear();
    rig
}

fn delete_prod() -> Mutation {
    let (connection, cluster) = ("here".to_owned(), "prod".to_owned());
    Mutation::DeleteCluster { connection, cluster: cluster.into(), delete_volumes: false }
}

#[tokio::test]
async fn a_deletion_is_done_where_the_creation_surely_made_nothing() {
    let rig = unheard().await;
    rig.done(delete_prod()).await;
    assert_eq!(rig.cloud.count("ask cluster"), 0);
    assert!(rig.pmks.clusters().get("here", "prod", None).await.is_err());
}

#[tokio::test]
async fn a_deletion_removes_what_the_creation_made_unheard() {
    let rig = unheard().await;
    let made = Cluster { iid: Iid::unnamed("prod"), incarnation: "1".into(), ..Cluster::default() };
    rig.cloud.world().clusters.insert("prod".into(), made);
    rig.cloud.world().several.insert("control plane".into(), vec!["prod".into()]);
    // The cloud cannot say at once.
    rig.cloud.world().failures.insert("look control plane".into(), ErrorKind::Unavailable);
    let deletion = rig.accept(delete_prod()).await.unwrap();
    rig.round().await;
    assert_eq!(rig.operation(&deletion).await.state, OperationState::Running);
    rig.cloud.world().failures.clear();
    rig.settle().await;
    assert_eq!(rig.operation(&deletion).await.state, OperationState::Succeeded);
    assert!(rig.cloud.world().clusters.is_empty());
    assert_eq!(rig.cloud.count("ask cluster"), 1);
    assert!(rig.pmks.clusters().get("here", "prod", None).await.is_err());
}

#[tokio::test]
async fn a_deletion_that_cannot_tell_which_is_meant_removes_nothing() {
    let rig = unheard().await;
    rig.cloud.world().several.insert("control plane".into(), vec!["prod".into(), "prod-2".into()]);
    let refused = rig.run(delete_prod()).await;
    assert_eq!(refused.state, OperationState::Failed);
    let error = refused.error.unwrap();
    assert_eq!(error.kind, FailureKind::Precondition);
    assert!(error.detail.contains("one of prod, prod-2"), "{error}");
    assert_eq!(rig.cloud.count("ask cluster"), 0);
    rig.pmks.clusters().forget(&rig.admin, "here", "prod", false).await.unwrap();
    assert!(rig.pmks.clusters().get("here", "prod", None).await.is_err());
}

#[tokio::test]
async fn a_key_is_refused_where_nothing_is_accepted_under_it() {
    let rig = Rig::new().await;
    let keyed = with_key(&rig, "h");
    let refused = [
        rig.pmks.connections().delete(&keyed, "here").await.unwrap_err(),
        rig.pmks.connections().validate(&keyed, "here").await.unwrap_err(),
        rig.pmks.api_tokens().revoke(&keyed, "t").await.unwrap_err(),
        rig.pmks.clusters().forget(&keyed, "here", "prod", false).await.unwrap_err(),
    ];
    for failure in refused {
        assert_eq!(fields(&failure), ["Idempotency-Key"]);
    }
    assert!(rig.pmks.connections().get("here").await.is_ok());
}

#[tokio::test]
async fn operations_are_listed_by_what_they_are() {
    let rig = Rig::new().await;
    rig.cluster().await;
    let list = async |filter: OperationFilter| {
        rig.pmks.operations().list(&filter).await.unwrap().items.iter().map(|o| o.kind).collect::<Vec<_>>()
    };
    let all = [OperationKind::NetworkCreate, OperationKind::ClusterCreate];
    assert_eq!(list(OperationFilter::default()).await, all);
    let kind = Some(OperationKind::ClusterCreate);
    assert_eq!(
        list(OperationFilter { kind, ..OperationFilter::default() }).await,
        [OperationKind::ClusterCreate]
    );
    let resource = Some("net".to_owned());
    assert_eq!(
        list(OperationFilter { resource, ..OperationFilter::default() }).await,
        [OperationKind::NetworkCreate]
    );
    let state = Some(OperationState::Failed);
    assert_eq!(list(OperationFilter { state, ..OperationFilter::default() }).await, []);
    let page = |page_token| PageRequest { page_size: Some(1), page_token, ..PageRequest::default() };
    let first = rig
        .pmks
        .operations()
        .list(&OperationFilter { page: page(None), ..OperationFilter::default() })
        .await
        .unwrap();
    assert_eq!(
        list(OperationFilter { page: page(first.next_page_token), ..OperationFilter::default() }).await,
        all[1..]
    );
    let wrong = OperationFilter { page: page(Some("eHg".into())), ..OperationFilter::default() };
    assert_eq!(fields(&rig.pmks.operations().list(&wrong).await.unwrap_err()), ["pageToken"]);
}

#[tokio::test]
async fn prerequisites_are_made_for_an_account_and_for_a_cluster() {
    let rig = Rig::new().await;
    rig.cluster().await;
    let fix = |cluster: Option<&str>| Mutation::FixPrerequisites {
        connection: "here".into(),
        cluster: cluster.map(str::to_owned),
    };
    rig.done(fix(None)).await;
    rig.done(fix(Some("prod"))).await;
    let asked = rig.cloud.world().asked.get("prerequisite.fix").cloned().unwrap();
    assert_eq!(super::stages::text(&asked, "/cluster/iid/systemId"), "prod");
    assert_eq!(rig.accept(fix(Some("none"))).await.unwrap_err().kind, FailureKind::NotFound);
    assert_eq!(
        rig.pmks.connections().prerequisites("here", Some("prod")).await.unwrap().prerequisites.len(),
        1
    );
}
