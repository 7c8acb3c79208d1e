//! What this place cannot show is known before anything is made, in the rehearsal as in the run: the sums are true.

use pmks_conformance::CASES;

use super::rehearsal::rehearse;
use crate::registry::CLOUDS;

/// The cases that need more than a driver's own lists.
const BEYOND: [&str; 8] = [
    "a_refused_token_is_replaced_once",
    "a_failed_creation_comes_right_at_a_retry",
    "a_strangers_failure_is_left_alone",
    "an_unknown_status_word_is_unknown",
    "what_is_unknown_survives_scaling_and_upgrade",
    "another_account_is_told_from_the_first",
    "volumes_of_workloads_go_on_request_alone",
    "lists_follow_every_page",
];

/// The suite's sizes are ones that a cloud takes wherever the connection's clusters stand.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_without_a_zone_is_rehearsed_as_one() {
    let cases: Vec<_> = CASES.iter().filter(|case| case.name == "node_groups_scale_up_and_down").collect();
    assert_eq!(cases.len(), 1);
    for cloud in CLOUDS {
        for one in rehearse(cloud.name, false, &cases).await.unwrap() {
            assert_eq!(one.says, "", "{}", cloud.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_that_is_skipped_makes_nothing() {
    let cases: Vec<_> = CASES.iter().filter(|case| BEYOND.contains(&case.name)).collect();
    assert_eq!(cases.len(), BEYOND.len());
    for cloud in CLOUDS {
        for one in rehearse(cloud.name, true, &cases).await.unwrap() {
            let name = format!("{} {}", cloud.name, one.case.name);
            assert!(one.says.starts_with("skipped: this witness cannot"), "{name}: {}", one.says);
            assert!(one.figures.made.is_empty(), "{name}: {:?}", one.figures.made);
        }
    }
}
