//! What sharing a commit saves: many who write at once, and one who writes alone, with it and without it.
//!
//! `cargo xtask bench`. Prints figures; asserts nothing.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a bench prints figures, or fails"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pmks_store::{Access as _, AuditEntry, Grouping, MasterKey, NoKillPoints, SqliteStore};

fn line(number: usize) -> AuditEntry {
    let [who, action, request_id] = ["bench", "write", ""].map(str::to_owned);
    AuditEntry { at: Timestamp::UNIX_EPOCH, who, action, target: number.to_string(), request_id }
}

async fn write(store: Arc<SqliteStore>, writes: usize) -> Vec<Duration> {
    let mut took = Vec::with_capacity(writes);
    for number in 0..writes {
        let began = Instant::now();
        store.audit(line(number)).await.unwrap();
        took.push(began.elapsed());
    }
    took
}

async fn measure(grouping: Grouping, writers: usize, each: usize) -> String {
    let directory = tempfile::tempdir_in(".").unwrap();
    let (path, key) = (directory.path().join("s"), MasterKey::from_bytes([1; 32]));
    let opened = SqliteStore::open_grouping(&path, key, Arc::new(NoKillPoints), grouping).await;
    let store = Arc::new(opened.unwrap());
    let began = Instant::now();
    let all: Vec<_> = (0..writers).map(|_| tokio::spawn(write(Arc::clone(&store), each))).collect();
    let mut took = Vec::new();
    for writer in all {
        took.extend(writer.await.unwrap());
    }
    let whole = began.elapsed();
    took.sort_unstable();
    let at = |hundredth: usize| took.get(took.len() * hundredth / 100).copied().unwrap_or_default();
    store.close().await;
    format!(
        "{writers:>3} writers: {:>7.0} changes/s, median {:>8.2?}, p99 {:>8.2?}",
        took.len() as f64 / whole.as_secs_f64(),
        at(50),
        at(99)
    )
}

#[tokio::main]
async fn main() {
    for (name, grouping) in [
        ("one commit a change", Grouping { changes: 1, ..Grouping::default() }),
        ("shared commits     ", Grouping::default()),
    ] {
        for writers in [1, 8, 64, 256] {
            let writes = (1024 / writers).max(16);
            println!("{name} {}", measure(grouping, writers, writes).await);
        }
    }
}
