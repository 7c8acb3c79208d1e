//! The cases that every driver must pass, against any endpoint: its simulated cloud, a server that others wrote, or
//! the real cloud.
//!
//! Cases are plain async functions over a [`Rig`]; none names a provider, and there is no list of exceptions. What a
//! capability says is absent is asserted to be absent. What a server that others wrote lacks is a skip with its
//! reason, printed and counted.

mod calls;
mod cases;
mod deletion;
mod executor;
mod ground;
mod journal;
mod lists;
mod report;
mod rig;
mod runner;
mod sweep;

pub use calls::{CallLog, SeenCall};
pub use cases::{CASES, Case};
pub use journal::{Begun, Entry, Forgetful, Journal, Sink};
pub use lists::Lists;
pub use report::{Failed, Verdict, run, say_skipped};
pub use rig::{Deed, Rig, Thing, Witness};
pub use sweep::{Left, cut_off, sweep, unswept};

/// The mark of everything that the suite makes.
pub const INSTALLATION: &str = "pmks-conformance";

/// Makes one test per case: `conformance!(setup)`, where `setup` is an async function that answers a fresh [`Rig`].
#[macro_export]
macro_rules! conformance {
    ($setup:path) => {
        $crate::for_each_case!($crate::one_test, $setup);
    };
}

/// One test of one case.
#[doc(hidden)]
#[macro_export]
macro_rules! one_test {
    ($setup:path; $($case:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let case = $crate::CASES.iter().find(|case| case.name == stringify!($case)).unwrap();
                let rig = $setup().await;
                match $crate::run(case, &rig).await {
                    Ok($crate::Verdict::Passed) => {}
                    Ok($crate::Verdict::Skipped(why)) => $crate::say_skipped(case, &why),
                    Err(failed) => panic!("{}: {failed}", case.name),
                }
            }
        )*
    };
}

/// Hands the name of every case to a macro. The one list of cases.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_case {
    ($macro:path, $($argument:tt)*) => {
        $macro! { $($argument)*;
            operations_are_as_the_capabilities_say,
            an_absent_operation_sends_nothing,
            the_account_is_known,
            a_wrong_credential_is_named_as_such,
            a_refused_token_is_replaced_once,
            a_missing_prerequisite_is_named_and_fixed_on_request,
            hostile_names_are_refused_before_anything_is_sent,
            the_longest_names_come_and_go,
            networks_come_and_go,
            names_that_are_taken_are_refused_before_anything_is_made,
            subnets_come_and_go,
            security_groups_come_and_go,
            rules_of_a_standing_group_change,
            key_pairs_come_and_go,
            tags_of_what_clusters_stand_on_change,
            what_took_a_name_is_another_one,
            what_was_taken_over_is_changed_and_removed,
            a_cluster_with_node_groups_comes_and_goes,
            a_cluster_without_node_groups_is_as_the_capabilities_say,
            a_strangers_name_is_never_adopted,
            what_does_not_exist_is_not_found,
            node_groups_are_added_and_removed,
            node_groups_scale_up_and_down,
            auto_scaling_is_switched_on_and_off,
            versions_are_chosen_and_refused,
            a_cluster_is_upgraded_hop_by_hop,
            a_version_is_a_floor,
            a_cluster_is_updated,
            another_incarnation_is_left_alone,
            a_failed_creation_comes_right_at_a_retry,
            a_strangers_failure_is_left_alone,
            a_stranger_between_two_stages_of_a_creation_is_left_alone,
            a_stranger_between_two_stages_of_a_deletion_is_left_alone,
            a_stranger_before_a_scaling_is_left_alone,
            an_unknown_status_word_is_unknown,
            what_is_unknown_survives_scaling_and_upgrade,
            another_account_is_told_from_the_first,
            volumes_of_workloads_go_on_request_alone,
            what_an_earlier_deletion_could_not_see_is_handed_on,
            what_the_capabilities_forbid_is_a_finding,
            everything_wrong_comes_in_one_round,
            the_last_node_group_is_as_the_capabilities_say,
            a_lost_answer_makes_nothing_twice,
            a_late_request_makes_nothing_twice,
            a_busy_or_throttling_cloud_is_waited_for,
            unreadable_answers_are_no_absence,
            reads_never_write,
            reads_stay_within_their_bounds,
            metrics_are_told_or_refused,
            changes_send_one_request_a_stage,
            lists_follow_every_page,
            a_partial_list_says_what_is_missing,
            tokens_and_kubeconfigs_are_made_from_the_observation,
            no_secret_is_in_any_record,
        }
    };
}
