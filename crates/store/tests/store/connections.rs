//! Connections, what is sealed of them, and who may come in.

use super::*;

#[tokio::test]
async fn a_credential_comes_back_and_lies_nowhere_in_the_clear() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    let (revision, credential) = store.credential("c").await.unwrap().unwrap();
    assert_eq!((revision, credential.expose()), (1, b"hunter2".as_slice()));
    assert_eq!(format!("{credential:?}"), "Credential(..)");
    let update = ConnectionUpdate {
        credential: Some(Credential::new(b"hunter3".to_vec())),
        ..ConnectionUpdate::default()
    };
    let changed = store.update_connection("c", Some(1), update, audit()).await.unwrap();
    assert_eq!((changed.credential_revision, changed.revision), (2, 2));
    assert_eq!(store.credential("c").await.unwrap().unwrap().1.expose(), b"hunter3");
    store.close().await;
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"hunter"));
    }
}

#[tokio::test]
async fn sealed_rows_cannot_be_swapped_or_put_back() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    store.create_connection(connection("d", Some("other")), audit()).await.unwrap();
    store.close().await;
    let url = format!("sqlite://{}", directory.path().join("s").display());
    let raw = sqlx::SqlitePool::connect(&url).await.unwrap();
    for swap in [
        "UPDATE credentials SET sealed = (SELECT sealed FROM credentials o WHERE o.connection <> credentials.connection)",
        "UPDATE credentials SET data_key = (SELECT data_key FROM credentials o WHERE o.connection <> credentials.connection)",
        "UPDATE credentials SET revision = revision + 1",
    ] {
        let kept = sqlx::query("CREATE TABLE kept AS SELECT * FROM credentials").execute(&raw).await;
        kept.unwrap();
        sqlx::query(swap).execute(&raw).await.unwrap();
        let store = open(directory.path()).await;
        let error = store.credential("c").await.unwrap_err();
        assert!(matches!(error, Error::Damaged(_)), "{swap}: {error}");
        store.close().await;
        sqlx::query("DELETE FROM credentials").execute(&raw).await.unwrap();
        sqlx::query("INSERT INTO credentials SELECT * FROM kept").execute(&raw).await.unwrap();
        sqlx::query("DROP TABLE kept").execute(&raw).await.unwrap();
    }
    let store = open(directory.path()).await;
    assert!(store.credential("c").await.unwrap().is_some());
}

#[tokio::test]
async fn a_rotated_master_key_is_the_only_one_that_opens() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    store.rotate(key(2), audit()).await.unwrap();
    assert_eq!(store.credential("c").await.unwrap().unwrap().1.expose(), b"hunter2");
    store.close().await;
    let path = directory.path().join("s");
    let old = SqliteStore::open(&path, key(1), Arc::new(NoKillPoints)).await;
    assert!(matches!(old, Err(Error::WrongMasterKey)));
    let new = SqliteStore::open(&path, key(2), Arc::new(NoKillPoints)).await.unwrap();
    assert_eq!(new.credential("c").await.unwrap().unwrap().1.expose(), b"hunter2");
}

#[tokio::test]
async fn a_connection_stays_in_its_account_and_while_something_is_known_there() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    let account = |name: &str| ConnectionUpdate {
        account: Some((name.to_owned(), "me".to_owned())),
        ..ConnectionUpdate::default()
    };
    store.update_connection("c", None, account("aws:1"), audit()).await.unwrap();
    let other = store.update_connection("c", None, account("aws:2"), audit()).await;
    assert!(matches!(other, Err(Error::Conflict(_))));
    let stale = store.update_connection("c", Some(1), account("aws:1"), audit()).await;
    assert!(matches!(stale, Err(Error::Stale { .. })));
    let twice = store.create_connection(connection("c", None), audit()).await;
    assert!(matches!(twice, Err(Error::AlreadyExists { .. })));
    let through = Through { account: Some("aws:1".into()), ..create(1).through };
    let of_account = Accept { through, ..create(1) };
    store.accept(of_account).await.unwrap();
    assert!(matches!(store.delete_connection("c", Vec::new(), audit()).await, Err(Error::Held { .. })));
    store.cancel(wish(1, 1)).await.unwrap();
    store.delete_connection("c", Vec::new(), audit()).await.unwrap();
    assert!(store.credential("c").await.unwrap().is_none());
}

#[tokio::test]
async fn what_was_made_meanwhile_keeps_its_connection() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    let other = Uuid::from_u128(0xc2);
    let made = NewResource { system_id: Some("k-1".into()), ..resource(CLUSTER, ResourceKind::Cluster, "k") };
    let never = resource(other, ResourceKind::Cluster, "never");
    store.insert_resources(vec![made, never], audit()).await.unwrap();
    // To who asked, both were never made: since then a retry has made one of them.
    let unmade = || vec![(CLUSTER, audit()), (other, audit())];
    let refused = store.delete_connection("c", unmade(), audit()).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    assert!(
        store.resource(CLUSTER).await.unwrap().is_some() && store.resource(other).await.unwrap().is_some()
    );
    store.forget(CLUSTER, false, audit()).await.unwrap();
    store.delete_connection("c", unmade(), audit()).await.unwrap();
    assert!(store.resource(other).await.unwrap().is_none());
}

#[tokio::test]
async fn tokens_are_kept_as_hashes_and_revoked_for_good() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    let token = NewApiToken {
        uid: pmks_store::new_uid(at(0)),
        name: "ci".into(),
        hash: "h".into(),
        role: Role::Operator,
        connections: vec!["c".into()],
        expires_at: Some(at(3600)),
    };
    let known = store.changes_since(None).await.unwrap().version;
    let made = store.create_api_token(token.clone(), audit()).await.unwrap();
    assert!(matches!(store.create_api_token(token, audit()).await, Err(Error::AlreadyExists { .. })));
    assert_eq!(store.api_tokens().await.unwrap(), std::slice::from_ref(&made));
    let hint = store.changes();
    let (told, number) = (store.changes_since(Some(known)).await.unwrap(), *hint.borrow());
    assert_eq!((told.api_tokens, told.gone.len()), (vec![made], 0), "who keeps them hears of a new one");
    store.revoke_api_token("ci", audit()).await.unwrap();
    assert_ne!(*hint.borrow(), number, "the number differs before the revocation is answered");
    let told = store.changes_since(Some(told.version)).await.unwrap();
    assert!(told.api_tokens.len() == 1 && told.api_tokens[0].revoked_at.is_some());
    assert_eq!(store.changes_since(None).await.unwrap().api_tokens, told.api_tokens);
    assert!(store.api_tokens().await.unwrap()[0].revoked_at.is_some());
    assert!(matches!(store.revoke_api_token("ci", audit()).await, Err(Error::NotFound { .. })));
}
