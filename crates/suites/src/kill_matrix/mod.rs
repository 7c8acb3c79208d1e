//! The kill matrix of a cloud: every operation kind, carried out by the product against the simulated cloud, ended at
//! every point of its way and taken up by a new process; then our records and the ground truth are compared.
//!
//! The default run ends an even sample of the distinct points, every ask's before and after always among them.
//! `PMKS_LONG=1` ends all of them.
//!
//! What the world must be in the end: so many more of what pmks keeps records of, and of nodes, as was asked for; of
//! everything else as the cloud's own table says ([`crate::CloudUnderTest::change`]), else as an undisturbed run left
//! it; and after a removal exactly what was there before the making.

mod house;
mod killed;
mod matrix;
mod offer;
mod scene;
pub mod scenes;
pub(crate) mod truth;
pub mod unique_names;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pmks_model::OperationKind;
use pmks_transport::{Exchange, MemoryRecorder};

use crate::CloudUnderTest;

pub use house::HERE;
pub(crate) use house::{BEHIND, Calls, House, OneTime, Process};
pub(crate) use matrix::{Stage, is_long};
pub use offer::Offer;
pub use scene::{Scene, Step};
pub(crate) use truth::Picture;

/// Makes a scene for what a cloud offers; `None` where the cloud has nothing like it.
pub type MakeScene = fn(&Offer) -> Option<Scene>;

/// The operation dies at its points, one after the other.
pub async fn deaths(under_test: &'static dyn CloudUnderTest, scene: MakeScene) {
    matrix::deaths(under_test, scene).await;
}

/// The answer of each changing call is lost, and the operation dies soon after.
pub async fn lost_answers(under_test: &'static dyn CloudUnderTest, scene: MakeScene) {
    matrix::lost_answers(under_test, scene).await;
}

/// The program itself is killed at points of the operation's way, and started again.
pub async fn killed(under_test: &'static dyn CloudUnderTest, scene: MakeScene) {
    killed::killed(under_test, scene).await;
}

/// Every kind of stage that the driver has is in a plan of these kinds and scenes, and what nothing disturbs changes
/// the cloud by as few calls as its API allows ([`CloudUnderTest::least_changes`]).
pub async fn every_stage_is_seen(
    under_test: &'static dyn CloudUnderTest,
    kinds: &[OperationKind],
    scenes: &[MakeScene],
) {
    let (mut seen, mut differ) = (BTreeSet::new(), Vec::new());
    for kind in kinds {
        let Some(run) = matrix::undisturbed(under_test, |offer| scene_of(*kind, offer)).await else {
            continue;
        };
        seen.extend(run.stages);
        let least: BTreeMap<_, _> = under_test.least_changes(*kind).iter().copied().collect();
        if run.changes != least {
            differ.push(format!("{kind}: {:?}, at least {least:?}", run.changes));
        }
    }
    for scene in scenes {
        seen.extend(matrix::undisturbed(under_test, scene).await.into_iter().flat_map(|run| run.stages));
    }
    let missing: Vec<_> = under_test.stage_kinds().into_iter().filter(|kind| !seen.contains(*kind)).collect();
    assert!(missing.is_empty(), "{missing:?} are in no plan of these scenes");
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

/// What is exchanged with the cloud while every operation kind is carried out, undisturbed and through a death in its
/// middle.
pub async fn exchanges(under_test: &'static dyn CloudUnderTest) -> Vec<Exchange> {
    let recorder = Arc::new(MemoryRecorder::new());
    for kind in OperationKind::ALL {
        let house = House::new(under_test).await.recorded(&recorder);
        let Some(stage) = Stage::set_in(house, |offer| scene_of(kind, offer)).await else { continue };
        // How it ends is the matrix' to say; here what goes over the wire counts.
        let quiet = stage.run(&[]).await.unwrap_or_else(|why| panic!("{kind}, undisturbed: {why}"));
        let _ = stage.run(&[quiet.points.len() / 2]).await;
    }
    recorder.take()
}

/// The scene of a kind, where the provider has the kind. An import reads only: every provider can, whatever its
/// capabilities say.
pub fn scene_of(kind: OperationKind, offer: &Offer) -> Option<Scene> {
    let has = offer.capabilities.has(kind) || kind == OperationKind::ClusterImport;
    has.then(|| scenes::of(kind, offer))
}

/// Every kind is among the tests, and every kind that makes something among those whose answers are lost.
pub fn every_kind_is_tested(kinds: &[OperationKind], creations: &[OperationKind]) {
    let words = |kinds: &[OperationKind]| kinds.iter().map(|kind| kind.as_str()).collect::<BTreeSet<_>>();
    let all = words(&OperationKind::ALL);
    assert_eq!(words(kinds), all);
    let creates =
        |name: &&str| name.rsplit_once('.').is_some_and(|(_, verb)| ["create", "add", "fix"].contains(&verb));
    assert_eq!(words(creations), all.into_iter().filter(creates).collect());
}

/// Makes the tests of a [`CloudUnderTest`]: one for each operation kind, and the next attempts after what the cloud
/// ended as failed; the same with lost answers; that no kind and no stage is without one. `NAME => SCENE` adds scenes
/// of the cloud's own, functions from an [`Offer`] to a [`Scene`].
#[macro_export]
macro_rules! kill_matrix {
    ($cloud:expr $(, $name:ident => $scene:path)* $(,)?) => {
        $crate::operation_kinds! { [$crate::kill_matrix_kinds] $cloud;
            lost_answers:
                cluster_create => ClusterCreate,
                node_group_add => NodeGroupAdd,
                network_create => NetworkCreate,
                subnet_create => SubnetCreate,
                security_group_create => SecurityGroupCreate,
                key_pair_create => KeyPairCreate,
                prerequisite_fix => PrerequisiteFix;
            scenes:
                retry_after_a_failed_cluster => $crate::kill_matrix::scenes::of_failed_cluster,
                retry_after_a_failed_node_group => $crate::kill_matrix::scenes::of_failed_node_group,
                retry_after_a_failed_change => $crate::kill_matrix::scenes::of_failed_change,
                cluster_of_a_unique_name => $crate::kill_matrix::unique_names::of_cluster,
                node_group_of_a_unique_name => $crate::kill_matrix::unique_names::of_node_group,
                network_of_a_unique_name => $crate::kill_matrix::unique_names::of_network,
                tags_of_a_security_group => $crate::kill_matrix::scenes::of_tagged_group
                $(, $name => $scene)*;
        }
    };
}

/// Adds every operation kind, with the name of its tests, to what a macro is given.
#[doc(hidden)]
#[macro_export]
macro_rules! operation_kinds {
    ([$($then:tt)*] $($given:tt)*) => {
        $($then)*! { $($given)*
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
            network_update => NetworkUpdate,
            network_delete => NetworkDelete,
            subnet_create => SubnetCreate,
            subnet_update => SubnetUpdate,
            subnet_delete => SubnetDelete,
            security_group_create => SecurityGroupCreate,
            security_group_update => SecurityGroupUpdate,
            security_group_delete => SecurityGroupDelete,
            key_pair_create => KeyPairCreate,
            key_pair_update => KeyPairUpdate,
            key_pair_delete => KeyPairDelete,
            prerequisite_fix => PrerequisiteFix
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! kill_matrix_kinds {
    ($cloud:expr;
        lost_answers: $($lost:ident => $lost_kind:ident),*;
        scenes: $($name:ident => $scene:path),*;
        $($death:ident => $death_kind:ident),*
    ) => {
        $(
            #[tokio::test]
            async fn $death() {
                let scene = |offer: &$crate::kill_matrix::Offer| {
                    $crate::kill_matrix::scene_of($crate::exports::OperationKind::$death_kind, offer)
                };
                $crate::kill_matrix::deaths($cloud, scene).await;
            }
        )*

        $(
            #[tokio::test]
            async fn $name() {
                $crate::kill_matrix::deaths($cloud, |offer| ($scene(offer)).into()).await;
            }
        )*

        mod killed {
            use super::*;

            $(
                #[tokio::test]
                async fn $death() {
                    let scene = |offer: &$crate::kill_matrix::Offer| {
                        $crate::kill_matrix::scene_of($crate::exports::OperationKind::$death_kind, offer)
                    };
                    $crate::kill_matrix::killed($cloud, scene).await;
                }
            )*

            $(
                #[tokio::test]
                async fn $name() {
                    $crate::kill_matrix::killed($cloud, |offer| ($scene(offer)).into()).await;
                }
            )*
        }

        mod lost_answers {
            use super::*;

            $(
                #[tokio::test]
                async fn $lost() {
                    let scene = |offer: &$crate::kill_matrix::Offer| {
                        $crate::kill_matrix::scene_of($crate::exports::OperationKind::$lost_kind, offer)
                    };
                    $crate::kill_matrix::lost_answers($cloud, scene).await;
                }
            )*

            $(
                #[tokio::test]
                async fn $name() {
                    $crate::kill_matrix::lost_answers($cloud, |offer| ($scene(offer)).into()).await;
                }
            )*
        }

        #[tokio::test]
        async fn every_stage_is_in_the_matrix_and_takes_the_least_calls() {
            use $crate::exports::OperationKind;
            $crate::kill_matrix::every_stage_is_seen(
                $cloud,
                &[$(OperationKind::$death_kind),*],
                &[$(|offer| ($scene(offer)).into()),*],
            )
            .await;
        }

        #[test]
        fn every_kind_is_in_the_matrix() {
            use $crate::exports::OperationKind;
            $crate::kill_matrix::every_kind_is_tested(
                &[$(OperationKind::$death_kind),*],
                &[$(OperationKind::$lost_kind),*],
            );
        }
    };
}
