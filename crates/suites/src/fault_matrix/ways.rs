//! The ways in which one call of an operation goes wrong.

use std::collections::BTreeSet;
use std::time::Duration;

use pmks_simulation::{Effect, Rule};
use pmks_transport::Fault;

use crate::CloudUnderTest;
use crate::kill_matrix::House;

/// Longer than every time limit of a call.
const SLOWER_THAN_ANY_LIMIT: Duration = Duration::from_hours(1);

/// How late a request may be applied: within its time limit and the time until it is visible.
const LATE: Duration = Duration::from_secs(45);

/// How old the world is that a stale read shows, in seconds.
const STALE_SECONDS: u64 = 60;

/// What is done to one call.
#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    /// On the way to the cloud and back, so often.
    OnTheWay(Fault, usize),
    /// In the cloud, so often; `None`: as long as it lasts.
    InTheCloud(Effect, Option<u64>),
}

/// One call that goes wrong in one way.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// The call, as the driver or as the cloud names it.
    pub(crate) action: String,
    /// The way.
    pub(crate) way: &'static str,
    trouble: Trouble,
}

impl Case {
    /// From now on.
    pub(crate) fn begin(&self, house: &House) {
        match self.trouble.clone() {
            Trouble::OnTheWay(fault, times) => house.breaker.set(&self.action, fault, times),
            Trouble::InTheCloud(effect, times) => {
                let (service, action) = self.action.split_once('.').unwrap();
                let rule = Rule { times, ..Rule::new(service, action, effect) };
                house.cloud.controls().faults.put(vec![rule]);
            }
        }
    }

    /// The fault is gone; answers whether it struck at all.
    pub(crate) fn end(house: &House) -> bool {
        let struck = house.cloud.controls().faults.rules().iter().any(|rule| rule.struck > 0);
        house.cloud.controls().faults.clear();
        house.breaker.clear() || struck
    }
}

/// The calls of an undisturbed run.
pub(crate) struct Calls {
    /// As the driver names them.
    pub(crate) sent: BTreeSet<&'static str>,
    /// As the cloud names them, with their service.
    pub(crate) received: BTreeSet<(String, String)>,
}

/// Every call in every way, those of one call beside each other.
pub(crate) fn cases(under_test: &dyn CloudUnderTest, calls: &Calls) -> Vec<Case> {
    let sent = calls.sent.iter().flat_map(|action| {
        let case = |(way, fault, times): (_, Fault, _)| Case {
            action: (*action).to_owned(),
            way,
            trouble: Trouble::OnTheWay(fault, times),
        };
        on_the_way().into_iter().map(case)
    });
    let received = calls.received.iter().flat_map(|(service, action)| {
        let case = move |(way, effect, times)| Case {
            action: format!("{service}.{action}"),
            way,
            trouble: Trouble::InTheCloud(effect, times),
        };
        in_the_cloud(under_test, service, action).into_iter().map(case)
    });
    sent.chain(received).collect()
}

/// More often than a call is tried at a time.
const MANY: usize = 12;

/// As often as an answer that is read is unreadable before it is worth going on without it.
const FEW: usize = 4;

fn on_the_way() -> Vec<(&'static str, Fault, usize)> {
    let retry_after = Some(Duration::from_secs(2));
    vec![
        ("throttled", Fault::Throttle { retry_after }, MANY),
        ("reset before it was applied", Fault::ResetBefore, 1),
        ("reset after it was applied", Fault::DropAnswer, 1),
        ("reset, and applied later", Fault::ApplyLater(LATE), 1),
        ("slower than the time limit", Fault::Delay(SLOWER_THAN_ANY_LIMIT), 1),
        ("answered with garbage", Fault::Garbage, 1),
        ("answered with garbage for a while", Fault::Garbage, FEW),
        ("answered with half an answer", Fault::Truncate, 1),
        ("unreachable for a while", Fault::Refuse, MANY),
    ]
}

fn in_the_cloud(
    under_test: &dyn CloudUnderTest,
    service: &str,
    action: &str,
) -> Vec<(&'static str, Effect, Option<u64>)> {
    let status = |status, code: &str| Effect::Status { status, code: code.to_owned(), message: None };
    let mut ways = vec![
        ("answered 500", status(500, "InternalError"), Some(3)),
        ("answered 500 for ever", status(500, "InternalError"), None),
        ("answered 503 once", status(503, "ServiceUnavailable"), Some(1)),
        ("not permitted", Effect::Deny, None),
    ];
    match verb_of(action) {
        Verb::Reads => ways.push(("a stale read", Effect::StaleReads { seconds: STALE_SECONDS }, Some(2))),
        Verb::Makes => ways.push(("beyond the quota", Effect::Quota, None)),
        Verb::Changes => {}
    }
    if verb_of(action) != Verb::Reads {
        ways.extend(under_test.busy(service).map(|busy| ("busy for ever", busy, None)));
    }
    ways
}

/// What a call does, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Reads,
    Makes,
    Changes,
}

fn verb_of(action: &str) -> Verb {
    let last = action.rsplit(['.', '_']).next().unwrap_or(action).to_ascii_lowercase();
    let begins = |words: &[&str]| words.iter().any(|word| last.starts_with(word));
    if begins(&["get", "list", "describe", "aggregated"]) {
        Verb::Reads
    } else if begins(&["create", "insert", "import"]) {
        Verb::Makes
    } else {
        Verb::Changes
    }
}
