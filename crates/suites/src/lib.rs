//! The suites that every cloud's tests are made of. None names a provider: a cloud says what differs by one
//! implementation of [`CloudUnderTest`], and each of its test files is one line.
//!
//! ```text
//! clouds/NAME/tests/src/lib.rs             pub const NAME: &dyn CloudUnderTest = &…;
//! clouds/NAME/tests/tests/clock.rs         pmks_suites::clock!(pmks_NAME_tests::NAME);
//! clouds/NAME/tests/tests/conformance.rs   pmks_suites::conformance!(pmks_NAME_tests::NAME);
//! clouds/NAME/tests/tests/conversation.rs pmks_suites::conversation!(pmks_NAME_tests::NAME);
//! clouds/NAME/tests/tests/crowd.rs         pmks_suites::crowd!(pmks_NAME_tests::NAME, ROOM);
//! clouds/NAME/tests/tests/fault_matrix.rs  pmks_suites::fault_matrix!(pmks_NAME_tests::NAME);
//! clouds/NAME/tests/tests/kill_matrix.rs   pmks_suites::kill_matrix!(pmks_NAME_tests::NAME);
//! clouds/NAME/tests/tests/observability.rs pmks_suites::observability!(pmks_NAME_tests::NAME);
//! clouds/NAME/tests/tests/strange_answers.rs pmks_suites::strange_answers!(pmks_NAME_tests::NAME);
//! clouds/NAME/tests/tests/schema_gate.rs   pmks_suites::schema_gate!(pmks_NAME_tests::NAME, CONTRACT);
//! ```
//!
//! - [`conformance!`]: the cases of `pmks-conformance`, each in a fresh simulated world ([`rig`]), which is also the
//!   witness ([`SimulatedCloud`]). What a witness brings about are the simulated cloud's events: they have the same
//!   names in every cloud (`clustersAreCopied`, `copiesVanish`, `showsOver`, `credentialsMove`, `tokensExpire`, `controllerMakesVolume`,
//!   `controllerMakesLoadBalancer`).
//! - [`kill_matrix!`]: every operation kind carried out by the product, ended at every point of its way and taken up by
//!   a new process ([`kill_matrix`]). What is asked for follows from the capabilities and from what the cloud offers.
//! - [`fault_matrix!`]: the same operation kinds, while one of their calls goes wrong in one way ([`fault_matrix`]).
//! - [`schema_gate!`]: every exchange of the conformance run against the vendor's machine-readable contract, and the gate
//!   itself ([`schema_gate`]). Those of every other suite are judged where its simulated cloud ends: a cloud of the suites
//!   begins in one place (`world`), and says by [`CloudUnderTest::contract`] what it is held against.
//! - [`Client`]: a client that others wrote makes what pmks takes over, and sees what pmks makes.
//! - [`kubernetes!`]: `kubectl`, with the kubeconfig that pmks makes, at a simulated cluster behind which the built-in
//!   endpoint and a real Kubernetes control plane ([`ControlPlane`]) answer in turn.
//! - [`observability!`]: what a server tells those who watch it, read by Prometheus' parser ([`observability`]).
//! - [`strange_answers!`]: every read of a driver, while the cloud's answers are not what they should be
//!   ([`strange_answers`]).
//! - [`clock!`]: the system's clock is set back and forth under a server at its work ([`clock`]).
//! - [`conversation!`]: a client of CB-Spider, at `/spider` ([`conversation`]).
//! - [`crowd!`]: many clusters that are made at once, in several accounts ([`crowd`]).
//! - [`Stranger`]: a server that others wrote.
//! - [`Pmks`]: the program as its users run it; [`Served`]: its server. [`Python`]: software that others wrote, installed once. [`Stand`]: both at
//!   one simulated cloud.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::missing_panics_doc,
    reason = "helpers of tests: what fails here fails the test, and the figures are for who reads along"
)]

mod client;
pub mod clock;
mod cloud_under_test;
mod control_plane;
pub mod conversation;
pub mod crowd;
pub mod fault_matrix;
mod go;
pub mod kill_matrix;
pub mod kubernetes;
pub mod observability;
mod program;
mod python;
mod retold;
mod rig;
pub mod schema_gate;
mod served;
mod simulated_cloud;
mod stand;
pub mod strange_answers;
mod stranger;
mod world;

pub use client::{Client, is_shown_whole};
pub use cloud_under_test::{CloudUnderTest, Settings};
pub use control_plane::{ControlPlane, Switch, Switchboard};
pub use go::go_program;
pub use pmks_control_plane::{kubectl, which};
pub use program::{Ended, Pmks};
pub use python::{Python, note_skipped, skip, skip_where};
pub use rig::{rig, rig_without_zone};
pub use served::Served;
pub use simulated_cloud::SimulatedCloud;
pub use stand::{Stand, text};
pub use stranger::Stranger;

/// What the macros name.
#[doc(hidden)]
pub mod exports {
    pub use pmks_conformance;
    pub use pmks_model::OperationKind;
    pub use tokio;
}

/// Makes one test of each conformance case, each in a fresh world of a [`CloudUnderTest`].
#[macro_export]
macro_rules! conformance {
    ($cloud:expr) => {
        async fn rig() -> $crate::exports::pmks_conformance::Rig {
            $crate::rig($cloud).await
        }

        $crate::exports::pmks_conformance::conformance!(rig);
    };
}

/// Makes a test of each of these conformance cases, by a connection that names no zone.
#[macro_export]
macro_rules! conformance_without_zone {
    ($cloud:expr; $($case:ident),* $(,)?) => {
        async fn rig() -> $crate::exports::pmks_conformance::Rig {
            $crate::rig_without_zone($cloud).await
        }

        $crate::exports::pmks_conformance::one_test!(rig; $($case),*);
    };
}

/// Makes the test of `kubectl` at a cluster of a [`CloudUnderTest`], behind which the built-in Kubernetes endpoint and a
/// real control plane answer in turn ([`kubernetes`]).
#[macro_export]
macro_rules! kubernetes {
    ($cloud:expr, $script:expr) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn kubectl_gets_the_same_answers_of_the_builtin_endpoint_and_of_a_real_control_plane() {
            $crate::kubernetes::run($cloud, $script).await;
        }
    };
}

/// Makes the tests of a client of CB-Spider at a [`CloudUnderTest`] ([`conversation`]).
#[macro_export]
macro_rules! conversation {
    ($cloud:expr) => {
        #[$crate::exports::tokio::test(flavor = "multi_thread")]
        async fn a_client_of_cb_spider_is_answered_as_it_expects() {
            $crate::conversation::run($cloud).await;
        }

        #[$crate::exports::tokio::test(flavor = "multi_thread")]
        async fn a_client_of_cb_spider_may_have_unique_names_at_the_cloud() {
            $crate::conversation::unique_names::run($cloud).await;
        }
    };
}

/// Makes the test that reads what a server tells of its work on a [`CloudUnderTest`] ([`observability`]).
#[macro_export]
macro_rules! observability {
    ($cloud:expr) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn what_a_server_tells_is_read_by_software_of_others_and_is_as_documented() {
            $crate::observability::run($cloud).await;
        }
    };
}

/// Makes the test that gives a driver what its cloud never should ([`strange_answers`]).
#[macro_export]
macro_rules! strange_answers {
    ($cloud:expr) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn whatever_the_cloud_answers_each_read_ends_as_an_answer_or_an_error() {
            $crate::strange_answers::run($cloud).await;
        }
    };
}

/// Makes the test that sets the system's clock under a server that works on a [`CloudUnderTest`] ([`clock`]).
#[macro_export]
macro_rules! clock {
    ($cloud:expr) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn a_clock_that_steps_back_and_forth_ends_nothing_early_and_makes_nothing_twice() {
            $crate::clock::run($cloud).await;
        }
    };
}

/// Makes the test of many clusters at once on a [`CloudUnderTest`], whose accounts and networks have that [`crowd::Room`].
#[macro_export]
macro_rules! crowd {
    ($cloud:expr, $room:expr) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn many_at_once_all_end_and_stay_within_the_budget() {
            $crate::crowd::run($cloud, $room).await;
        }
    };
}

/// Makes the test that holds every exchange of every conformance case against the vendor's contract.
#[macro_export]
macro_rules! schema_gate {
    ($cloud:expr, $contract:expr) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn every_exchange_is_in_the_vendors_contract() {
            $crate::schema_gate::run($cloud, $contract).await;
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn a_suites_cloud_that_says_what_no_document_knows_fails_its_test() {
            $crate::schema_gate::finds_a_mistake($cloud).await;
        }
    };
}
