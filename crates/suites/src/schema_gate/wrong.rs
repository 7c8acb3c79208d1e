//! The gate at a suite's cloud, judged: one member too many in an answer, and the test that the cloud belongs to fails.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use pmks_driver::Detail;
use pmks_simulation::{Answered, Identified};
use serde_json::Value;

use super::Judge;
use crate::retold::{Tells, retold};
use crate::rig::rig_in;
use crate::simulated_cloud::SPEED;
use crate::{CloudUnderTest, SimulatedCloud};

/// What no document knows.
const STRANGER: &str = "pmksAddedByMistake";

/// A cloud that says one member too many, and does not say that it is not its own.
struct Mistaken;

impl Tells for Mistaken {
    fn retell(&self, _: &Identified, mut answered: Answered) -> Answered {
        let with = with_a_stranger(&String::from_utf8_lossy(answered.response.body()));
        *answered.response.body_mut() = with.into();
        answered
    }
}

/// The body with that member, in its outermost object or, of XML, within what wraps it.
fn with_a_stranger(body: &str) -> String {
    if let Ok(Value::Object(mut members)) = serde_json::from_str(body) {
        members.insert(STRANGER.to_owned(), "x".into());
        return Value::Object(members).to_string();
    }
    let ends = |(at, _): (usize, &str)| {
        body[at..].split('>').next().filter(|end| end.ends_with("Result")).map(|_| at)
    };
    let wrapper = body.rmatch_indices("</").find_map(ends);
    match wrapper.or_else(|| body.rfind("</")) {
        Some(at) => format!("{}<{STRANGER}>x</{STRANGER}>{}", &body[..at], &body[at..]),
        None => body.to_owned(),
    }
}

/// Ends a mistaken cloud that was asked something.
pub(super) async fn is_found(under_test: &'static dyn CloudUnderTest) {
    if Judge::of(under_test).is_none() {
        return;
    }
    let before = |cloud| retold(cloud, Arc::new(Mistaken));
    let world = SimulatedCloud::start_as(under_test, SPEED, before).await;
    let rig = rig_in(under_test, world, false).await;
    // What a driver makes of such answers is its own matter.
    let _ = (rig.driver.list_clusters(Detail::Ids).await, rig.driver.list_networks().await);
    let ended = catch_unwind(AssertUnwindSafe(|| drop(rig)));
    let says = ended.expect_err("a member that nobody knows was taken");
    let says = says.downcast_ref::<String>().expect("a text");
    assert!(says.contains(&format!("{STRANGER} is not known")) && says.contains("-> 200"), "{says}");
}
