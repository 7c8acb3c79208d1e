//! Pieces: sealed, whole with the connections that follow them, gone with the connection whose row they are.

use pmks_model::ResourceKind;
use pmks_store::{
    Access as _, AuditFilter, ConnectionUpdate, Connections as _, Credential, Error, PieceKind, Pieces as _,
    PutPiece, Resources as _, SqliteStore,
};
use serde_json::json;

use crate::{CLUSTER, audit, connection, key, open, resource, with_connection};

fn piece(kind: PieceKind, name: &str, secret: Option<&str>) -> PutPiece {
    PutPiece {
        kind,
        name: name.into(),
        provider: "aws".into(),
        content: json!({"of": name}),
        credential: secret.map(|secret| Credential::new(secret.as_bytes().to_vec())),
        made: Vec::new(),
        changed: Vec::new(),
    }
}

/// The names of the pieces that changed since, of all if any did; and up to where that is.
async fn told(store: &SqliteStore, since: Option<i64>) -> (i64, Option<Vec<String>>) {
    let changes = store.changes_since(since).await.unwrap();
    assert!(changes.gone.is_empty());
    let names = |all: Vec<pmks_store::Piece>| all.into_iter().map(|piece| piece.name).collect();
    (changes.version, changes.pieces.map(names))
}

async fn names(store: &SqliteStore) -> Vec<String> {
    told(store, None).await.1.unwrap()
}

async fn secret(store: &SqliteStore, name: &str) -> String {
    let credential = store.piece_credential(name).await.unwrap().unwrap();
    String::from_utf8(credential.expose().to_vec()).unwrap()
}

#[tokio::test]
async fn secrets_are_sealed_and_open_after_a_change_and_a_new_master_key() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    store.put_piece(piece(PieceKind::Credential, "c", Some("hunter2")), audit()).await.unwrap();
    store.put_piece(piece(PieceKind::Credential, "c", Some("hunter3")), audit()).await.unwrap();
    store.put_piece(piece(PieceKind::Region, "c", None), audit()).await.unwrap();
    assert_eq!(secret(&store, "c").await, "hunter3");
    assert!(store.piece_credential("d").await.unwrap().is_none());
    store.rotate(key(2), audit()).await.unwrap();
    assert_eq!(secret(&store, "c").await, "hunter3");
    store.close().await;
    let bytes = std::fs::read(directory.path().join("s")).unwrap();
    for secret in ["hunter2", "hunter3"] {
        assert!(!bytes.windows(7).any(|window| window == secret.as_bytes()));
    }
}

#[tokio::test]
async fn a_piece_is_put_with_its_connections_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    let made = PutPiece { made: vec![connection("a", None)], ..piece(PieceKind::Connection, "a", None) };
    store.put_piece(made, audit()).await.unwrap();
    let stands = store.connection("a").await.unwrap().unwrap();
    let update =
        || ConnectionUpdate { specification: Some(json!({"region": "s"})), ..ConnectionUpdate::default() };
    let changed = |revision| PutPiece {
        made: vec![connection("b", None)],
        changed: vec![("a".to_owned(), revision, update())],
        ..piece(PieceKind::Region, "r", None)
    };
    let refused = store.put_piece(changed(stands.revision + 1), audit()).await;
    assert!(matches!(refused, Err(Error::Stale { .. })), "{refused:?}");
    assert_eq!(names(&store).await, ["a"]);
    assert!(store.connection("b").await.unwrap().is_none());
    store.put_piece(changed(stands.revision), audit()).await.unwrap();
    assert_eq!(store.connection("a").await.unwrap().unwrap().specification, json!({"region": "s"}));
    let actions: Vec<String> = store
        .audit_log(&AuditFilter::default(), 10)
        .await
        .unwrap()
        .into_iter()
        .map(|line| line.entry.action)
        .collect();
    assert_eq!(actions, ["connection.update", "connection.create", "test", "connection.create", "test"]);
    // The row of a connection goes with it, whatever way that is.
    store.delete_connection("a", Vec::new(), audit()).await.unwrap();
    assert_eq!(names(&store).await, ["r"]);
    store.delete_piece(PieceKind::Region, "r", audit()).await.unwrap();
    store.delete_piece(PieceKind::Region, "r", audit()).await.unwrap();
    assert!(names(&store).await.is_empty());
}

#[tokio::test]
async fn all_pieces_are_told_where_one_changes() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    let (version, none) = told(&store, None).await;
    assert_eq!(none, Some(Vec::new()));
    assert_eq!(told(&store, Some(version)).await, (version, None));
    let hint = store.changes();
    let mut known = *hint.borrow();
    let mut is_told = async |version: i64, names: &[&str]| {
        assert_ne!(std::mem::replace(&mut known, *hint.borrow()), *hint.borrow(), "before it is answered");
        let (now, told) = told(&store, Some(version)).await;
        assert_eq!(told.unwrap(), names);
        now
    };
    store.put_piece(piece(PieceKind::Region, "r", None), audit()).await.unwrap();
    let version = is_told(version, &["r"]).await;
    let with_its_connection =
        PutPiece { made: vec![connection("a", None)], ..piece(PieceKind::Connection, "a", None) };
    store.put_piece(with_its_connection, audit()).await.unwrap();
    let version = is_told(version, &["a", "r"]).await;
    store.put_piece(piece(PieceKind::Region, "r", None), audit()).await.unwrap();
    let version = is_told(version, &["a", "r"]).await;
    store.delete_piece(PieceKind::Region, "r", audit()).await.unwrap();
    let version = is_told(version, &["a"]).await;
    // A connection's end takes its row along.
    let changes = store.changes_since(Some(version)).await.unwrap();
    assert_eq!(changes.pieces, None);
    store.delete_connection("a", Vec::new(), audit()).await.unwrap();
    let changes = store.changes_since(Some(version)).await.unwrap();
    assert_eq!((changes.pieces, changes.gone.len()), (Some(Vec::new()), 1));
}

#[tokio::test]
async fn a_connection_becomes_another_accounts_by_a_decision_and_while_nothing_is_known_there() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    let account = |account: &str| ConnectionUpdate {
        account: Some((account.to_owned(), "me".to_owned())),
        ..ConnectionUpdate::default()
    };
    let first = store.update_connection("c", None, account("aws:1"), audit()).await.unwrap();
    let proof = store.update_connection("c", None, account("aws:2"), audit()).await;
    assert!(matches!(proof, Err(Error::Conflict(_))), "{proof:?}");
    store.insert_resources(vec![resource(CLUSTER, ResourceKind::Cluster, "k")], audit()).await.unwrap();
    let moved = store.update_connection("c", Some(first.revision), account("aws:2"), audit()).await;
    assert!(matches!(moved, Err(Error::Conflict(_))), "{moved:?}");
    store.forget(CLUSTER, false, audit()).await.unwrap();
    let moved = store.update_connection("c", Some(first.revision), account("aws:2"), audit()).await.unwrap();
    assert_eq!(moved.account.as_deref(), Some("aws:2"));
}
