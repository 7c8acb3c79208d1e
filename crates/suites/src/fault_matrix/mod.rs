//! The fault matrix of a cloud: every operation kind, carried out by the product against the simulated cloud, while one
//! of its calls goes wrong in one of the [`ways`]; then the operation's end is judged, the fault is gone, and the next
//! attempt must lead where nothing went wrong.
//!
//! The default run takes an even sample of all pairs of a call and a way. `PMKS_LONG=1` takes all of them.

mod run;
mod ways;

use crate::CloudUnderTest;
use crate::kill_matrix::MakeScene;

/// The operation's calls go wrong, one after the other, in every way.
pub async fn faults(under_test: &'static dyn CloudUnderTest, scene: MakeScene) {
    run::faults(under_test, scene).await;
}

/// Makes the tests of a [`CloudUnderTest`]: one for each operation kind. `NAME => SCENE` adds scenes of the cloud's own,
/// functions from an [`Offer`](crate::kill_matrix::Offer) to a [`Scene`](crate::kill_matrix::Scene).
#[macro_export]
macro_rules! fault_matrix {
    ($cloud:expr $(, $name:ident => $scene:path)* $(,)?) => {
        $crate::operation_kinds! { [$crate::fault_matrix_kinds] $cloud; }

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
