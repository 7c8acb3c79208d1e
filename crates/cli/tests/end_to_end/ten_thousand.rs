//! Thousands of clusters that a server knows: how large it is, what its lists take, and that it rests while nobody asks
//! it for anything. A thousand by default; `PMKS_LONG=1` makes it ten thousand.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pmks_model::ResourceKind;
use pmks_store::{
    AuditEntry, Connections as _, MasterKey, NewResource, NoKillPoints, Observation, Resources as _,
    SqliteStore,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::accounts::{api, listed};
use crate::measures::{processor, resident};
use crate::sample::{seen_cluster, seen_group};
use crate::sandbox::{Sandbox, wait_for};
use crate::visitor::Visitor;

const CLUSTERS: u32 = 10_000;

/// The most memory that a server with so many may take, in MiB.
const LARGEST: f64 = 512.0;

/// What of it may be there without any cluster.
const EMPTY: f64 = 112.0;

/// What a page may take at most, but for one in a hundred. The program is built without optimization here, on a
/// machine that has other work: the bench of the released one holds the 50 ms that are promised.
const PAGE: Duration = Duration::from_secs(2);

/// How long nobody asks for anything.
const REST: Duration = Duration::from_secs(5);

#[test]
fn thousands_of_clusters_take_little_memory_and_an_idle_server_rests() {
    let long = std::env::var("PMKS_LONG").is_ok_and(|value| value == "1");
    let clusters = if long { CLUSTERS } else { CLUSTERS / 10 };
    let user = Sandbox::new();
    let simulator = user.simulate("1");
    assert_eq!(user.connect("a", &simulator).code, Some(0));
    user.good(&["connection", "validate", "a"]);
    remember(&user, clusters);
    let server = user.serve(&[]);
    let visitor = api(&user, &server);
    // The first read brings everything into memory.
    wait_for("the first page", || {
        visitor.get("connections/-/clusters?pageSize=1")["items"].as_array().map(|_| ())
    });
    simulator.world.forget_calls();
    let all = listed(&visitor, "connections/-/clusters");
    assert_eq!(u32::try_from(all.len()), Ok(clusters));
    let slow = ninety_ninth(&visitor);
    assert!(slow < PAGE, "a page of a hundred took {slow:.0?}");
    // What lists began is over, and what they answered is given back.
    std::thread::sleep(REST);
    let (before, asked) = (processor(&server), simulator.world.all_calls());
    std::thread::sleep(REST);
    let worked = processor(&server).saturating_sub(before);
    assert!(worked <= REST / 50, "{worked:.0?} of the processor in {REST:.0?} of rest");
    assert_eq!(simulator.world.all_calls(), asked, "an idle server asks nobody");
    let takes = resident(&server);
    let most = EMPTY + (LARGEST - EMPTY) * f64::from(clusters) / f64::from(CLUSTERS);
    assert!(takes < most, "{takes:.0} MiB of {most:.0}");
    println!(
        "{clusters} clusters: {takes:.0} MiB, p99 of pages {slow:.0?}, {worked:.0?} of the processor at rest, {asked} calls for the lists"
    );
    assert_eq!(server.terminate(), Some(0));
}

/// What all but one of a hundred pages took at most.
fn ninety_ninth(visitor: &Visitor) -> Duration {
    let mut page = String::new();
    let mut took: Vec<Duration> = (0..100)
        .map(|_| {
            let began = Instant::now();
            let answer = visitor.get(&format!("connections/-/clusters?pageSize=100{page}"));
            let took = began.elapsed();
            page =
                answer["nextPageToken"].as_str().map(|next| format!("&pageToken={next}")).unwrap_or_default();
            took
        })
        .collect();
    took.sort_unstable();
    took[98]
}

/// Puts the clusters into the store, as if they had been made and seen.
fn remember(user: &Sandbox, clusters: u32) {
    let key = std::fs::read_to_string(user.path(".config/pmks/master-key")).unwrap();
    let database = user.path(".local/share/pmks/pmks.db");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let key = MasterKey::from_text(&key).unwrap();
        let store = SqliteStore::open(&database, key, Arc::new(NoKillPoints)).await.unwrap();
        let connection = store.connection("a").await.unwrap().unwrap();
        let account = connection.account.unwrap();
        let [who, action, target, request_id] = ["test", "insert", "", ""].map(str::to_owned);
        let at = now();
        for from in (0..u128::from(clusters)).step_by(500) {
            let rows = (from..from + 500).flat_map(|number| records(&account, at, number)).collect();
            let [who, action, target, request_id] = [&who, &action, &target, &request_id].map(Clone::clone);
            store.insert_resources(rows, AuditEntry { at, who, action, target, request_id }).await.unwrap();
        }
        store.close().await;
    });
}

#[expect(clippy::disallowed_methods, reason = "these tests stand outside the program")]
fn now() -> Timestamp {
    Timestamp::now()
}

fn records(account: &str, at: Timestamp, number: u128) -> Vec<NewResource> {
    let uid = |part: u128| Uuid::from_u128((0xc << 100) + number * 10 + part);
    let record = |part: u128, kind, name: String, seen: Value| NewResource {
        uid: uid(part),
        kind,
        connection: "a".into(),
        account: account.into(),
        location: "ap-northeast-2".into(),
        parent: (part > 0).then(|| uid(0)),
        system_id: Some(name.clone()),
        name,
        cloud_name: None,
        incarnation: Some("2026-01-01T00:00:00Z".into()),
        request: json!({"tags": {"team": "a"}}),
        observation: Some(Observation { value: seen, started_at: at, observed_at: at }),
        protected: false,
        imported: false,
    };
    let cluster = serde_json::to_value(seen_cluster(number)).unwrap();
    let mut all = vec![record(0, ResourceKind::Cluster, format!("cluster-{number}"), cluster)];
    for part in 1..3 {
        let group = serde_json::to_value(seen_group(number, part)).unwrap();
        all.push(record(part, ResourceKind::NodeGroup, format!("group-{part}"), group));
    }
    all
}
