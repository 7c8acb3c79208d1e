//! The store's file: who reads it, and what becomes of one that an earlier release wrote.

use super::*;

#[tokio::test]
async fn a_file_of_the_first_release_is_brought_up_to_date_and_keeps_what_it_holds() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let writer = sqlx::SqlitePool::connect_with(
        sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true),
    )
    .await
    .unwrap();
    let first = sqlx::migrate::Migration::new(
        1,
        "initial".into(),
        sqlx::migrate::MigrationType::Simple,
        sqlx::SqlStr::from_static(include_str!("../../migrations/sqlite/0001_initial.sql")),
        false,
    );
    sqlx::migrate::Migrator::with_migrations(vec![first]).run(&writer).await.unwrap();
    sqlx::query(
        "INSERT INTO api_tokens (uid, name, hash, role, connections, created_at) \
         VALUES ('00000000-0000-0000-0000-000000000001', 'old', 'h', 'viewer', '[]', 5)",
    )
    .execute(&writer)
    .await
    .unwrap();
    writer.close().await;
    let store = open(directory.path()).await;
    let kept = store.api_tokens().await.unwrap();
    assert_eq!((kept[0].name.as_str(), kept[0].expires_at), ("old", None));
    store.accept(create(1)).await.unwrap_err(); // no connection yet, and no damage
    store.create_connection(connection("c", None), audit()).await.unwrap();
    store.accept(create(1)).await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn what_an_earlier_release_imported_has_the_name_that_the_cloud_said() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    let said = |called: &str| Observation {
        value: json!({"iid": {"nameId": called, "systemId": "x"}}),
        started_at: at(1),
        observed_at: at(1),
    };
    let imported = |uid: u128, name: &str, called: &str| NewResource {
        observation: Some(said(called)),
        imported: true,
        ..resource(Uuid::from_u128(uid), ResourceKind::Network, name)
    };
    let made = NewResource { imported: false, ..imported(4, "made", "other") };
    let all = vec![imported(1, "ours", "theirs"), imported(2, "same", "same"), imported(3, "bare", ""), made];
    store.insert_resources(all, audit()).await.unwrap();
    store.close().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(directory.path().join("s"));
    let writer = sqlx::SqlitePool::connect_with(options).await.unwrap();
    let before =
        "ALTER TABLE resources DROP COLUMN cloud_name; DELETE FROM _sqlx_migrations WHERE version = 12";
    sqlx::raw_sql(before).execute(&writer).await.unwrap();
    writer.close().await;
    let store = open(directory.path()).await;
    let mut called = Vec::new();
    for uid in 1..5 {
        let record = store.resource(Uuid::from_u128(uid)).await.unwrap().unwrap();
        called.push((record.name_at_cloud().to_owned(), record.cloud_name.is_some()));
    }
    let wanted = [("theirs", true), ("same", false), ("bare", false), ("made", false)];
    assert_eq!(called, wanted.map(|(name, other)| (name.to_owned(), other)));
}

#[tokio::test]
async fn the_file_and_its_companions_are_yours_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    let modes = || {
        let files = std::fs::read_dir(directory.path()).unwrap().map(|file| file.unwrap());
        files.map(|file| file.metadata().unwrap().permissions().mode() & 0o777).collect::<Vec<_>>()
    };
    assert!(modes().len() > 1 && modes().iter().all(|mode| *mode == 0o600), "{:?}", modes());
    store.close().await;
}

#[tokio::test]
async fn a_store_that_is_closed_is_one_file() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_connection(directory.path()).await;
    let files = || {
        let files = std::fs::read_dir(directory.path()).unwrap();
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>()
    };
    // Its readers have opened it too.
    assert!(store.connection("c").await.unwrap().is_some() && files().len() > 1);
    store.close().await;
    assert_eq!(files(), ["s"]);
    assert!(open(directory.path()).await.connection("c").await.unwrap().is_some());
}

#[tokio::test]
async fn a_second_process_takes_over_and_the_first_writes_nothing_any_more() {
    let directory = tempfile::tempdir().unwrap();
    let first = with_connection(directory.path()).await;
    first.accept(create(1)).await.unwrap();
    let claimed = claim(&first, 1).await.remove(0);
    let second = open(directory.path()).await;
    let late = first.start(claimed.fence, StageRecord::default(), at(2)).await;
    assert!(matches!(late, Err(Error::Fenced)));
    let now = claim(&second, 2).await.remove(0);
    assert!(claim(&first, 2).await.is_empty());
    second.start(now.fence, StageRecord::default(), at(2)).await.unwrap();
}

fn fault(opened: Result<SqliteStore, Error>) -> pmks_store::Fault {
    let found = match opened {
        Err(Error::Database(error)) => Ok(error.fault),
        other => Err(other),
    };
    found.unwrap()
}

#[tokio::test]
async fn what_is_no_database_and_what_has_a_hole_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let again = async || SqliteStore::open(&path, key(1), Arc::new(NoKillPoints)).await;
    let store = with_connection(directory.path()).await;
    for number in 0..200 {
        let mut record = resource(Uuid::from_u128(number), ResourceKind::KeyPair, &number.to_string());
        record.request = json!("x".repeat(1000));
        store.insert_resources(vec![record], audit()).await.unwrap();
    }
    store.close().await;
    let whole = std::fs::read(&path).unwrap();
    let mut holed = whole.clone();
    let middle = holed.len() / 2 / 4096 * 4096;
    holed[middle..middle + 4096 * 4].fill(0xa5);
    std::fs::write(&path, holed).unwrap();
    assert_eq!(fault(again().await), pmks_store::Fault::Corrupt);
    std::fs::write(&path, "this was never a database, however long it is".repeat(100)).unwrap();
    assert_eq!(fault(again().await), pmks_store::Fault::Corrupt);
    std::fs::write(&path, whole).unwrap();
    assert_eq!(again().await.unwrap().connections(Page::all()).await.unwrap().len(), 1);
}
