//! The fault matrix of a cloud: every operation kind, carried out by the product against the simulated cloud, while one
//! of its calls goes wrong in one of the [`ways`]; then the operation's end is judged, the fault is gone, and the next
//! attempt must lead where nothing went wrong.
//!
//! The default run takes eleven ways a scene, each at one call: scene by scene the next eleven, and other calls, so that a
//! cloud's scenes together meet every way. `PMKS_LONG=1` takes all pairs of a call and a way; `PMKS_WAYS`, words with
//! commas between, only the ways whose names contain one of these.

mod account;
mod anew;
mod beside;
mod clear;
mod reshaper;
mod run;
mod sample;
mod shapes;
mod silence;
mod ways;

pub(crate) use reshaper::Reshaper;

use crate::CloudUnderTest;
use crate::kill_matrix::MakeScene;

/// The operation's calls go wrong, one after the other, in every way.
pub async fn faults(under_test: &'static dyn CloudUnderTest, scene: MakeScene) {
    run::faults(under_test, scene).await;
}

/// Whose account a connection is, is never told by answers that do not say it.
pub async fn account_never_guessed(under_test: &'static dyn CloudUnderTest) {
    account::never_guessed(under_test).await;
}

/// A cluster that is silent is deleted without it, and what it alone knew by the next attempt.
pub async fn deleted_unheard(under_test: &'static dyn CloudUnderTest) {
    silence::deleted_unheard(under_test).await;
}

/// What answers in a cluster's place is no empty cluster.
pub async fn deleted_beside_others(under_test: &'static dyn CloudUnderTest) {
    Box::pin(silence::deleted_beside_others(under_test)).await;
}

/// Volumes that nobody sees keep a cluster from being deleted with its volumes.
pub async fn volumes_unseen(under_test: &'static dyn CloudUnderTest) {
    silence::volumes_unseen(under_test).await;
}

/// A deletion that failed half-way is asked for anew, and leaves nothing.
pub async fn deleted_anew(under_test: &'static dyn CloudUnderTest) {
    anew::deleted_anew(under_test).await;
}

/// What a cluster has brought about is shown as far as it answers.
pub async fn shown_in_parts(under_test: &'static dyn CloudUnderTest) {
    silence::shown_in_parts(under_test).await;
}

/// Makes the tests of a [`CloudUnderTest`]: one for each operation kind, and those of a cluster that is silent. `NAME => SCENE` adds scenes of the cloud's own,
/// functions from an [`Offer`](crate::kill_matrix::Offer) to a [`Scene`](crate::kill_matrix::Scene).
#[macro_export]
macro_rules! fault_matrix {
    ($cloud:expr $(, $name:ident => $scene:path)* $(,)?) => {
        $crate::operation_kinds! { [$crate::fault_matrix_kinds] $cloud; }

        mod silence {
            #[tokio::test]
            async fn a_silent_cluster_is_deleted_and_what_it_alone_knew_by_the_next_attempt() {
                $crate::fault_matrix::deleted_unheard($cloud).await;
            }

            #[tokio::test]
            async fn a_cluster_in_whose_place_another_answers_is_not_taken_for_an_empty_one() {
                $crate::fault_matrix::deleted_beside_others($cloud).await;
            }

            #[tokio::test]
            async fn volumes_that_nobody_sees_are_not_said_to_be_deleted() {
                $crate::fault_matrix::volumes_unseen($cloud).await;
            }

            #[tokio::test]
            async fn what_a_cluster_brought_about_is_shown_as_far_as_it_answers() {
                $crate::fault_matrix::shown_in_parts($cloud).await;
            }
        }

        mod account {
            #[tokio::test]
            async fn nobody_is_taken_for_the_owner_by_an_answer_that_names_none() {
                $crate::fault_matrix::account_never_guessed($cloud).await;
            }
        }

        mod anew {
            #[tokio::test]
            async fn a_new_deletion_removes_what_one_that_failed_has_left() {
                $crate::fault_matrix::deleted_anew($cloud).await;
            }
        }

        $(
            #[tokio::test]
            async fn $name() {
                $crate::fault_matrix::faults($cloud, |offer| ($scene(offer)).into()).await;
            }
        )*
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! fault_matrix_kinds {
    ($cloud:expr; $($name:ident => $kind:ident),*) => {
        $(
            #[tokio::test]
            async fn $name() {
                let scene = |offer: &$crate::kill_matrix::Offer| {
                    $crate::kill_matrix::scene_of($crate::exports::OperationKind::$kind, offer)
                };
                $crate::fault_matrix::faults($cloud, scene).await;
            }
        )*
    };
}
