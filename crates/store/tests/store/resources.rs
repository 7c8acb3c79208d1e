//! Records: their names, what was seen of them, their end.

use super::*;

#[tokio::test]
async fn names_and_identifiers_are_unique_in_their_place() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    let mut first = resource(CLUSTER, ResourceKind::Cluster, "k");
    first.system_id = Some("id".into());
    store.insert_resources(vec![first.clone()], audit()).await.unwrap();
    let refused = async |change: fn(&mut NewResource)| {
        let mut next = NewResource { uid: pmks_store::new_uid(at(1)), ..first.clone() };
        change(&mut next);
        store.insert_resources(vec![next], audit()).await.is_err()
    };
    assert!(refused(|next| next.system_id = Some("other".into())).await, "the same name");
    assert!(refused(|next| next.name = "other".into()).await, "the same identifier");
    assert!(!refused(|next| next.account = "aws:2".into()).await);
    assert!(!refused(|next| next.location = "elsewhere".into()).await);
    assert!(!refused(|next| next.parent = Some(CLUSTER)).await);
    let by_name = ResourceKey {
        account: "aws:1".into(),
        location: "r".into(),
        kind: ResourceKind::Cluster,
        parent: None,
        name: "k".into(),
    };
    assert_eq!(store.find_resource(&by_name).await.unwrap().unwrap().uid, CLUSTER);
    let by_id = SystemKey {
        account: "aws:1".into(),
        location: "r".into(),
        kind: ResourceKind::Cluster,
        parent: None,
        system_id: "id".into(),
    };
    assert_eq!(store.find_system_id(&by_id).await.unwrap().unwrap().uid, CLUSTER);
}

#[tokio::test]
async fn an_observation_from_before_a_change_never_overwrites_a_later_one() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    store.accept(create(1)).await.unwrap();
    let observe = |value: i64, start: i64, end: i64| Observe {
        uid: CLUSTER,
        system_id: Some("id".into()),
        incarnation: Some("1".into()),
        observation: Observation { value: json!(value), started_at: at(start), observed_at: at(end) },
    };
    assert_eq!(store.observe(vec![observe(1, 10, 11)]).await.unwrap(), 1);
    assert_eq!(store.observe(vec![observe(2, 9, 12)]).await.unwrap(), 0, "read before what is stored");
    let claimed = claim(&store, 20).await.remove(0);
    let mut end = finish(End::Succeeded, at(30));
    end.observations = vec![observe(3, 29, 30)];
    store.finish(claimed.fence, end).await.unwrap();
    assert_eq!(store.observe(vec![observe(4, 25, 35)]).await.unwrap(), 0, "began before the change ended");
    assert_eq!(store.observe(vec![observe(5, 31, 36)]).await.unwrap(), 1);
    let record = store.resource(CLUSTER).await.unwrap().unwrap();
    assert_eq!(record.observation.unwrap().value, json!(5));
    assert_eq!(record.system_id.as_deref(), Some("id"));
}

#[tokio::test]
async fn a_record_is_forgotten_only_when_nothing_runs_or_it_is_abandoned() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    store.accept(create(1)).await.unwrap();
    let claimed = claim(&store, 0).await.remove(0);
    store.start(claimed.fence, done(), at(1)).await.unwrap();
    assert!(matches!(store.forget(CLUSTER, false, audit()).await, Err(Error::Held { .. })));
    store.forget(CLUSTER, true, audit()).await.unwrap();
    assert!(store.resource(CLUSTER).await.unwrap().is_none());
    let given_up = store.operation(Uuid::from_u128(1)).await.unwrap().unwrap();
    assert_eq!(given_up.state, OperationState::Cancelled);
    assert!(matches!(store.release(claimed.fence, at(9), at(9)).await, Err(Error::Fenced)));
}

#[tokio::test]
async fn pages_by_uid_survive_inserts() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    let uids: Vec<Uuid> = (0..5).map(|second| pmks_store::new_uid(at(second))).collect();
    let records = uids.iter().enumerate();
    let records: Vec<NewResource> =
        records.map(|(index, uid)| resource(*uid, ResourceKind::Network, &format!("n{index}"))).collect();
    store.insert_resources(records, audit()).await.unwrap();
    let filter = ResourceFilter { kind: Some(ResourceKind::Network), ..ResourceFilter::default() };
    let first = store.resources(&filter, Page::first(2)).await.unwrap();
    let after = Page { after: Some(first[1].uid), limit: 10 };
    let rest = store.resources(&filter, after).await.unwrap();
    let seen: Vec<Uuid> = first.iter().chain(&rest).map(|record| record.uid).collect();
    assert_eq!(seen, uids);
    let update = ResourceUpdate { protected: Some(true), ..ResourceUpdate::default() };
    let changed = store.update_resource(uids[0], Some(1), update.clone(), audit()).await.unwrap();
    assert!(changed.protected && changed.revision == 2);
    assert!(matches!(
        store.update_resource(uids[0], Some(1), update, audit()).await,
        Err(Error::Stale { .. })
    ));
    let none = OperationFilter { unfinished: true, ..OperationFilter::default() };
    assert!(store.operations(&none, Page::all()).await.unwrap().is_empty());
}
