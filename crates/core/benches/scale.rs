//! Ten thousand clusters that are read, and hundreds of operations in flight: time, calls, memory.
//!
//! `cargo xtask bench`. Prints figures; asserts only that it measured what it says.
#![expect(dead_code, reason = "the rig is the tests'")]
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_imports,
    reason = "a bench prints figures, or fails"
)]

#[path = "../tests/facade/cloud.rs"]
mod cloud;
#[path = "../tests/facade/driver.rs"]
mod driver;
#[path = "../tests/facade/rig.rs"]
mod rig;
#[path = "../tests/facade/sample.rs"]
mod sample;
#[path = "../tests/facade/stages.rs"]
mod stages;

use std::time::{Duration, Instant};

use pmks_core::{ClusterFilter, PageRequest};
use pmks_model::ResourceKind;
use pmks_store::{AuditEntry, NewResource, Observation, Observe};
use pmks_transport::Clock as _;
use serde_json::{Value, json};
use uuid::Uuid;

use rig::{Rig, create, new_cluster};
use sample::{seen_cluster, seen_group};

const CLUSTERS: u128 = 10_000;
const OPERATIONS: u32 = 500;

#[tokio::main]
async fn main() {
    reads().await;
    operations().await;
}

/// Resident memory in MiB.
fn resident() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: f64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0.0);
    pages * 4096.0 / 1024.0 / 1024.0
}

/// Time of the processor that this process has used.
fn processor() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks: u64 = stat.split(' ').skip(13).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn report(what: &str, mut took: Vec<Duration>) {
    took.sort_unstable();
    let at = |hundredth: usize| took[(took.len() * hundredth / 100).min(took.len() - 1)];
    println!("{what}: median {:.2?}, p99 {:.2?}, longest {:.2?}", at(50), at(99), at(100));
}

async fn reads() {
    let rig = Rig::new().await;
    // The first change proves the account, without which nothing is known to be there.
    rig.network().await;
    let store = rig.store();
    let began = Instant::now();
    for from in (0..CLUSTERS).step_by(500) {
        store
            .insert_resources((from..from + 500).flat_map(|n| records(&rig, n)).collect(), audit(&rig))
            .await
            .unwrap();
    }
    println!("{CLUSTERS} clusters and {} node groups stored in {:.1?}", CLUSTERS * 2, began.elapsed());
    let before = resident();
    let began = Instant::now();
    rig.get("cluster-7").await;
    println!("first read, everything read into memory: {:.2?}", began.elapsed());
    println!("memory for it: {:.0} MiB", resident() - before);
    report("a page of 100, everywhere in the list", pages(&rig, 300, |_| PageRequest::default()).await);
    let deleted = |_| PageRequest { state: Some("deleting".to_owned()), ..PageRequest::default() };
    report("a page of those of a state that none has", pages(&rig, 50, deleted).await);
    let mut took = Vec::new();
    for n in 0..500 {
        let name = format!("cluster-{}", n * 17 % 10_000);
        let began = Instant::now();
        rig.get(&name).await;
        took.push(began.elapsed());
    }
    report("one cluster by its name", took);
    let change = async {
        for n in 0.. {
            store.observe(vec![observe(&rig, n % CLUSTERS)]).await.unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        () = change => {}
        took = pages(&rig, 300, |_| PageRequest::default()) => {
            report("a page of 100 while 200 observations a second come", took);
        }
    }
}

async fn pages(rig: &Rig, count: usize, page: impl Fn(usize) -> PageRequest) -> Vec<Duration> {
    let (mut took, mut token) = (Vec::new(), None);
    for n in 0..count {
        let filter = ClusterFilter {
            page: PageRequest { page_token: token.take(), ..page(n) },
            ..ClusterFilter::default()
        };
        let began = Instant::now();
        let answer = rig.pmks.clusters().list(Some("here"), &filter).await.unwrap();
        took.push(began.elapsed());
        token = answer.next_page_token;
    }
    took
}

fn audit(rig: &Rig) -> AuditEntry {
    let [who, action, target, request_id] = ["bench", "insert", "", ""].map(str::to_owned);
    AuditEntry { at: rig.cloud.now(), who, action, target, request_id }
}

fn uid(n: u128, part: u128) -> Uuid {
    Uuid::from_u128((0xc << 100) + n * 10 + part)
}

fn observation(rig: &Rig, value: Value) -> Observation {
    Observation { value, started_at: rig.cloud.now(), observed_at: rig.cloud.now() }
}

fn observe(rig: &Rig, n: u128) -> Observe {
    let observation = observation(rig, serde_json::to_value(seen_cluster(n)).unwrap());
    Observe { uid: uid(n, 0), system_id: None, incarnation: None, observation }
}

fn records(rig: &Rig, n: u128) -> Vec<NewResource> {
    let record = |part: u128, kind, name: String, seen: Value| NewResource {
        uid: uid(n, part),
        kind,
        connection: "here".into(),
        account: "fake:1".into(),
        location: "r1".into(),
        parent: (part > 0).then(|| uid(n, 0)),
        system_id: Some(name.clone()),
        name,
        cloud_name: None,
        incarnation: Some("2026-01-01T00:00:00Z".into()),
        request: json!({"tags": {"team": "a"}}),
        observation: Some(observation(rig, seen)),
        protected: false,
        imported: false,
    };
    let cluster = serde_json::to_value(seen_cluster(n)).unwrap();
    let mut all = vec![record(0, ResourceKind::Cluster, format!("cluster-{n}"), cluster)];
    for part in 1..3 {
        let group = serde_json::to_value(seen_group(n, part)).unwrap();
        all.push(record(part, ResourceKind::NodeGroup, format!("group-{part}"), group));
    }
    all
}

async fn operations() {
    let rig = Rig::new().await;
    rig.network().await;
    rig.cloud.world().stuck.insert("cluster".to_owned());
    let before = resident();
    let began = Instant::now();
    for n in 0..OPERATIONS {
        rig.accept(create(new_cluster(&format!("k{n}")))).await.unwrap();
    }
    println!("{OPERATIONS} operations accepted in {:.1?}", began.elapsed());
    let (began, used) = (Instant::now(), processor());
    pass(&rig, Duration::from_mins(10)).await;
    println!(
        "ten minutes of the cloud's time with all of them in flight: {:.1?}, {:.1?} of the processor, memory +{:.0} MiB",
        began.elapsed(),
        processor().saturating_sub(used),
        resident() - before
    );
    let again = resident();
    pass(&rig, Duration::from_mins(4)).await;
    println!("four more: memory +{:.0} MiB", resident() - again);
    rig.cloud.world().stuck.clear();
    let began = Instant::now();
    pass(&rig, Duration::from_mins(3)).await;
    println!("the rest of their way: {:.1?}, memory +{:.0} MiB", began.elapsed(), resident() - again);
    let idle = processor();
    let serving = rig.pmks.engine().serve(std::future::pending());
    let _ = tokio::time::timeout(Duration::from_secs(5), serving).await;
    println!("five seconds of an idle engine: {:.0?} of the processor", processor().saturating_sub(idle));
}

/// That long of the cloud's time, tick by tick.
async fn pass(rig: &Rig, time: Duration) {
    let until = rig.clock.wall().saturating_add(time).unwrap();
    while rig.clock.wall() < until {
        let now = rig.clock.wall();
        let next = rig.pmks.engine().tick(now).await.unwrap();
        rig.pmks.engine().settle().await;
        let next = next.unwrap_or(until).min(until);
        rig.clock.advance(Duration::try_from(next.duration_since(now)).unwrap_or_default());
    }
}
