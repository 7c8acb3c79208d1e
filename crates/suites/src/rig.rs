//! A driver against a simulated cloud in this process, as the conformance cases want it.

use std::sync::Arc;

use pmks_conformance::{CallLog, Rig};
use pmks_driver::{Environment, House};
use pmks_transport::{Clock, Faults, MemoryRecorder, SystemClock, Transport};

use crate::simulated_cloud::SPEED;
use crate::{CloudUnderTest, SimulatedCloud};

/// A fresh world with a driver and a witness.
pub async fn rig(under_test: &'static dyn CloudUnderTest) -> Rig {
    make(under_test, false).await
}

/// The same, by a connection that names no zone.
pub async fn rig_without_zone(under_test: &'static dyn CloudUnderTest) -> Rig {
    make(under_test, true).await
}

async fn make(under_test: &'static dyn CloudUnderTest, without_zone: bool) -> Rig {
    rig_in(under_test, SimulatedCloud::start(under_test).await, without_zone).await
}

/// The same in that world.
pub(crate) async fn rig_in(
    under_test: &'static dyn CloudUnderTest,
    world: SimulatedCloud,
    without_zone: bool,
) -> Rig {
    let world = Arc::new(world);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (calls, faults) = (CallLog::default(), Arc::new(Faults::new()));
    let recorder = Arc::new(MemoryRecorder::new());
    let transport = Transport::builder(Arc::clone(&clock))
        .observer(Arc::new(calls.clone()))
        .faults(Arc::clone(&faults) as _)
        .recorder(Arc::clone(&recorder) as _)
        .build();
    let house =
        House { transport, environment: Environment::default(), installation: "pmks-conformance".to_owned() };
    let mut connection = world.connection("conformance");
    let mut strange = world.connection("stranger");
    if without_zone {
        (connection.zone, strange.zone) = (None, None);
    }
    strange.credential = under_test.wrong_credential(&connection.credential);
    let mut secrets = under_test.secrets(&connection.credential);
    secrets.extend(under_test.secrets(&strange.credential));
    assert!(!secrets.is_empty(), "a credential without secrets proves nothing");
    let provider = under_test.provider();
    Rig {
        driver: provider.connect(&connection, &house).await.expect("a driver"),
        stranger: provider.connect(&strange, &house).await.expect("a driver"),
        witness: world,
        faults,
        calls,
        recorder,
        secrets,
        clock,
        pace: SPEED,
    }
}
