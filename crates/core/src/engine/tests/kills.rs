//! A death at every point: no orphan, no duplicate.

use std::time::Duration;

use pmks_driver::{Effect, Identity};
use pmks_model::OperationKind;

use super::cloud::{Cloud, Fault};
use super::driver::makes;
use super::rig::{MARK, Set, creation, deletion, plans};
use crate::engine::testing::{Report, kill_matrix};

/// How many points that are not beside an ask are passed over for one at which it dies; `PMKS_LONG=1`: none.
fn stride() -> usize {
    if std::env::var_os("PMKS_LONG").is_some_and(|long| long == "1") { 1 } else { 10 }
}

fn create(rules: &[(&'static str, Fault)]) -> Set {
    let set = Set::new(
        Cloud::new(),
        OperationKind::ClusterCreate,
        plans([(OperationKind::ClusterCreate, creation())]),
    );
    for (name, fault) in rules {
        set.cloud.rule("ask", name, 1, fault.clone());
    }
    set
}

fn delete() -> Set {
    let set = Set::new(
        Cloud::new(),
        OperationKind::ClusterDelete,
        plans([(OperationKind::ClusterDelete, deletion())]),
    );
    for (what, name) in [("role", "r"), ("rules", "x"), ("cluster", "k"), ("group", "a"), ("group", "b")] {
        set.cloud.put(what, name);
    }
    set.cloud.clock.advance(Duration::from_hours(1));
    set
}

#[tokio::test]
async fn a_creation_survives_a_death_at_every_point() {
    let directory = tempfile::tempdir().unwrap();
    let report = kill_matrix(directory.path(), Duration::ZERO, stride(), async || create(&[])).await.unwrap();
    died_around_every_ask(&report, 5);
    assert!(report.deaths.len() > 30, "{}", report.deaths.len());
}

/// Every ask stands between two writes, and before and after each of them it died.
fn died_around_every_ask(report: &Report, asks: usize) {
    let passed = |point: &str| report.points.iter().filter(|passed| *passed == point).count();
    for point in ["engine.ask.before", "engine.ask.after"] {
        assert_eq!(passed(point), asks, "{:?}", report.points);
        assert_eq!(report.died_at(point), asks, "{point}: {:?}", report.deaths);
    }
    for point in ["store.record.before", "store.record.within", "store.record.after"] {
        assert!(report.died_at(point) >= 2 * asks, "{point}: {:?}", report.deaths);
    }
}

#[tokio::test]
async fn a_creation_survives_deaths_with_hours_between() {
    let directory = tempfile::tempdir().unwrap();
    kill_matrix(directory.path(), Duration::from_mins(11), stride(), async || create(&[])).await.unwrap();
}

#[tokio::test]
async fn a_creation_with_every_answer_lost_survives_a_death_at_every_point() {
    let directory = tempfile::tempdir().unwrap();
    let lost = &[
        ("r", Fault::LostAfter),
        ("x", Fault::LostLate(Duration::from_secs(45))),
        ("k", Fault::LostAfter),
        ("a", Fault::LostLate(Duration::from_secs(50))),
        ("b", Fault::LostBefore),
    ];
    kill_matrix(directory.path(), Duration::from_secs(5), stride(), async || create(lost)).await.unwrap();
}

/// The next attempt of a change of what exists, which the cloud has ended as failed.
fn retry() -> Set {
    let stage = makes("upgrade", "u", MARK, Identity::UniqueName).effect(Effect::Idempotent);
    let kind = OperationKind::ClusterUpgrade;
    let mut set = Set::new(Cloud::new(), kind, plans([(kind, vec![stage])]));
    set.cloud.rule("ask", "u", 1, Fault::MadeBroken);
    set.retries = true;
    set
}

#[tokio::test]
async fn a_retry_of_a_failed_change_survives_a_death_at_every_point() {
    let directory = tempfile::tempdir().unwrap();
    let report = kill_matrix(directory.path(), Duration::ZERO, 1, async || retry()).await.unwrap();
    died_around_every_ask(&report, 1);
}

#[tokio::test]
async fn a_deletion_survives_a_death_at_every_point() {
    let directory = tempfile::tempdir().unwrap();
    let report = kill_matrix(directory.path(), Duration::ZERO, stride(), async || delete()).await.unwrap();
    died_around_every_ask(&report, 5);
}
