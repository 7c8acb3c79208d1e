//! Whose account a connection is, told by answers that do not say it.

use std::collections::BTreeSet;
use std::sync::Arc;

use pmks_store::{Connections as _, NoKillPoints};

use super::shapes::Shape;
use super::ways::FEW;
use crate::CloudUnderTest;
use crate::kill_matrix::{HERE, House};

/// What says nothing, and cannot be taken for the account of somebody.
const SAYING_NOTHING: [Shape; 5] =
    [Shape::Empty, Shape::Null, Shape::OtherTypes, Shape::HugeNumbers, Shape::EmptyLists];

/// A read by a connection whose account nobody knows yet keeps the right one, or none: whatever is known would lie in an
/// account that does not exist.
pub(super) async fn never_guessed(under_test: &'static dyn CloudUnderTest) {
    let house = House::new(under_test).await;
    let told = learned(&house, "quiet").await;
    assert!(told.is_some(), "the account is not learned where nothing goes wrong");
    let calls = house.cloud.controls().calls.records();
    let calls: BTreeSet<_> =
        calls.into_iter().map(|call| format!("{}.{}", call.service, call.action)).collect();
    let mut untold = 0;
    for (number, call) in calls.iter().enumerate() {
        for shape in SAYING_NOTHING {
            house.reshaper.set(call, shape, FEW);
            let learned = learned(&house, &format!("{number}-{shape:?}")).await;
            house.reshaper.clear();
            assert!(learned.is_none() || learned == told, "{call} {shape:?}: {learned:?}, and not {told:?}");
            untold += usize::from(learned.is_none());
        }
    }
    assert!(untold > 0, "no answer of {calls:?} was needed");
}

/// What a new process keeps as the account of its connection, once somebody has read by it.
async fn learned(house: &House, name: &str) -> Option<String> {
    let process = house.process(&house.path(name), Arc::new(NoKillPoints)).await;
    house.connect(&process).await;
    // It may fail of the same answer.
    let _ = house.run(process.pmks.networks().unmanaged(HERE)).await;
    let connection = process.store.connection(HERE).await.unwrap().unwrap();
    drop(process.pmks);
    process.store.close().await;
    connection.account
}
