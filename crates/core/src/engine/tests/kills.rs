//! A death at every point: no orphan, no duplicate.

use std::time::Duration;

use pmks_model::OperationKind;

use super::cloud::{Cloud, Fault};
use super::rig::{Set, creation, deletion, plans};
use crate::engine::testing::kill_matrix;

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
    let report = kill_matrix(directory.path(), Duration::ZERO, async || create(&[])).await.unwrap();
    // Every ask stands between two writes, and every one of the five was died around.
    let asks = report.points.iter().filter(|point| *point == "engine.ask.after");
    assert_eq!(asks.count(), 5, "{:?}", report.points);
    assert!(report.deaths > 60, "{}", report.deaths);
}

#[tokio::test]
async fn a_creation_survives_deaths_with_hours_between() {
    let directory = tempfile::tempdir().unwrap();
    kill_matrix(directory.path(), Duration::from_mins(11), async || create(&[])).await.unwrap();
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
    kill_matrix(directory.path(), Duration::from_secs(5), async || create(lost)).await.unwrap();
}

#[tokio::test]
async fn a_deletion_survives_a_death_at_every_point() {
    let directory = tempfile::tempdir().unwrap();
    let report = kill_matrix(directory.path(), Duration::ZERO, async || delete()).await.unwrap();
    assert!(report.points.iter().filter(|point| *point == "engine.ask.after").count() >= 5);
}
