//! The kill matrix of AWS: every operation kind, carried out by the product against the simulated AWS, ended at every
//! point of its way and taken up by a new process; then our records and the ground truth are compared.
//!
//! The default run ends an even sample of the distinct points, every ask's before and after always among them.
//! `PMKS_LONG=1` ends all of them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests: what fails here fails the test, and the figures are for who reads along"
)]

mod house;
mod matrix;
mod scenes;
mod truth;

use std::collections::BTreeSet;

use pmks_driver::Provider as _;
use pmks_model::OperationKind;
use scenes::Scene;

/// A test for each of these kinds, and the list of them.
macro_rules! kinds {
    ($($name:ident => $kind:ident,)*) => {
        const KINDS: &[OperationKind] = &[$(OperationKind::$kind),*];
        $(
            #[tokio::test]
            async fn $name() {
                matrix::deaths(Scene::of(OperationKind::$kind)).await;
            }
        )*
    };
}

/// The same, with the answers of every changing call lost.
macro_rules! creations {
    ($($name:ident => $kind:ident,)*) => {
        const CREATIONS: &[OperationKind] = &[$(OperationKind::$kind),*];
        mod lost_answers {
            $(
                #[tokio::test]
                async fn $name() {
                    let scene = crate::Scene::of(pmks_model::OperationKind::$kind);
                    crate::matrix::lost_answers(scene).await;
                }
            )*
        }
    };
}

kinds! {
    cluster_create => ClusterCreate,
    cluster_delete => ClusterDelete,
    cluster_upgrade => ClusterUpgrade,
    cluster_import => ClusterImport,
    cluster_update => ClusterUpdate,
    node_group_add => NodeGroupAdd,
    node_group_scale => NodeGroupScale,
    node_group_upgrade => NodeGroupUpgrade,
    node_group_remove => NodeGroupRemove,
    network_create => NetworkCreate,
    network_delete => NetworkDelete,
    subnet_create => SubnetCreate,
    subnet_delete => SubnetDelete,
    security_group_create => SecurityGroupCreate,
    security_group_delete => SecurityGroupDelete,
    key_pair_create => KeyPairCreate,
    key_pair_delete => KeyPairDelete,
    prerequisite_fix => PrerequisiteFix,
}

creations! {
    cluster_create => ClusterCreate,
    node_group_add => NodeGroupAdd,
    network_create => NetworkCreate,
    subnet_create => SubnetCreate,
    security_group_create => SecurityGroupCreate,
    key_pair_create => KeyPairCreate,
    prerequisite_fix => PrerequisiteFix,
}

#[tokio::test]
async fn prerequisite_fix_of_a_cluster() {
    matrix::deaths(Scene::of_access()).await;
}

#[tokio::test]
async fn prerequisite_fix_of_a_cluster_with_lost_answers() {
    matrix::lost_answers(Scene::of_access()).await;
}

#[tokio::test]
async fn retry_after_a_failed_control_plane() {
    matrix::deaths(Scene::of_failed_control_plane()).await;
}

#[tokio::test]
async fn retry_after_a_failed_control_plane_with_lost_answers() {
    matrix::lost_answers(Scene::of_failed_control_plane()).await;
}

#[tokio::test]
async fn retry_after_a_failed_node_group() {
    matrix::deaths(Scene::of_failed_node_group()).await;
}

#[tokio::test]
async fn retry_after_a_failed_node_group_with_lost_answers() {
    matrix::lost_answers(Scene::of_failed_node_group()).await;
}

#[tokio::test]
async fn retry_after_a_failed_add_on() {
    matrix::deaths(Scene::of_failed_add_on()).await;
}

#[tokio::test]
async fn retry_after_a_failed_add_on_with_lost_answers() {
    matrix::lost_answers(Scene::of_failed_add_on()).await;
}

#[tokio::test]
async fn every_stage_that_the_driver_has_is_in_the_matrix() {
    let mut seen = matrix::stages(Scene::of_access()).await;
    for kind in KINDS {
        seen.extend(matrix::stages(Scene::of(*kind)).await);
    }
    let missing: Vec<_> = pmks_aws::stage_kinds().filter(|kind| !seen.contains(*kind)).collect();
    assert!(missing.is_empty(), "{missing:?} are in no plan of these scenes");
}

#[test]
fn every_kind_that_aws_has_is_in_the_matrix() {
    let capabilities = pmks_aws::Aws.capabilities();
    // An import reads only: every provider can, whatever its capabilities say.
    let has = |kind: &OperationKind| capabilities.has(*kind) || *kind == OperationKind::ClusterImport;
    let wanted: BTreeSet<_> =
        OperationKind::ALL.iter().filter(|kind| has(kind)).map(|kind| kind.as_str()).collect();
    let tested: BTreeSet<_> = KINDS.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(tested, wanted);
    let creates =
        |name: &&str| name.rsplit_once('.').is_some_and(|(_, verb)| ["create", "add", "fix"].contains(&verb));
    let wanted: BTreeSet<_> = wanted.into_iter().filter(creates).collect();
    assert_eq!(CREATIONS.iter().map(|kind| kind.as_str()).collect::<BTreeSet<_>>(), wanted);
}
