//! Faults for tests, as a layer of the transport, so that they work against any server. Never present unless a test
//! or a demonstration asked for it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;

use crate::CallFacts;

/// What happens to one try of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: the call passes.
    Pass,
    /// Not sent; answered with 429 and, where given, `Retry-After` (whole seconds).
    Throttle {
        /// What `Retry-After` says.
        retry_after: Option<Duration>,
    },
    /// Not sent; answered with this status and body.
    Answer {
        /// The HTTP status.
        status: StatusCode,
        /// The body's content type.
        content_type: &'static str,
        /// The body.
        body: Bytes,
    },
    /// Not sent, and the client knows: the connection was refused.
    Refuse,
    /// Never applied, and the client cannot know: the connection died first.
    ResetBefore,
    /// Applied; the answer is dropped.
    DropAnswer,
    /// The connection dies at once; the call is applied this much later.
    ApplyLater(Duration),
    /// Sent after this delay; one that reaches the call's time limit is a lost answer, never applied.
    Delay(Duration),
    /// Applied; the status is right, and the body is no answer of any cloud.
    Garbage,
    /// Applied; the answer breaks off in its body.
    Truncate,
}

/// Chooses a fault for each try.
pub trait FaultLayer: Send + Sync {
    /// The fault for this try. Called once a try, after the budget and before signing.
    fn fault(&self, call: &CallFacts) -> Fault;
}

/// Which calls of an action a rule strikes, counted from when the rule was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The nth one alone, from 1.
    Nth(u64),
    /// The first so many.
    First(u64),
    /// Every one.
    Always,
}

/// One rule of [`Faults`].
#[derive(Debug, Clone)]
pub struct FaultRule {
    action: Option<String>,
    when: When,
    fault: Fault,
    seen: u64,
    struck: u64,
}

impl FaultRule {
    /// Strikes calls of `action`.
    pub fn on(action: impl Into<String>, when: When, fault: Fault) -> Self {
        Self { action: Some(action.into()), when, fault, seen: 0, struck: 0 }
    }

    /// Strikes calls of any action.
    pub fn on_any(when: When, fault: Fault) -> Self {
        Self { action: None, when, fault, seen: 0, struck: 0 }
    }

    fn strike(&mut self, call: &CallFacts) -> Option<Fault> {
        if self.action.as_deref().is_some_and(|action| action != call.action) {
            return None;
        }
        self.seen += 1;
        let strikes = match self.when {
            When::Nth(nth) => self.seen == nth,
            When::First(count) => self.seen <= count,
            When::Always => true,
        };
        strikes.then(|| {
            self.struck += 1;
            self.fault.clone()
        })
    }
}

/// A fault layer made of rules: the first that strikes decides; every rule counts every call that it matches.
#[derive(Debug, Default)]
pub struct Faults {
    rules: Mutex<VecDeque<FaultRule>>,
}

impl Faults {
    /// No rules: everything passes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a rule after those that are there.
    pub fn add(&self, rule: FaultRule) {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).push_back(rule);
    }

    /// Removes every rule.
    pub fn clear(&self) {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// How often rules have struck; a test that set a fault asserts that it happened.
    pub fn struck(&self) -> u64 {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|rule| rule.struck).sum()
    }
}

impl FaultLayer for Faults {
    fn fault(&self, call: &CallFacts) -> Fault {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let mut decided = None;
        for rule in rules.iter_mut() {
            if decided.is_none() {
                decided = rule.strike(call);
            } else if rule.action.as_deref().is_none_or(|action| action == call.action) {
                rule.seen += 1;
            }
        }
        decided.unwrap_or(Fault::Pass)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Effect, Lane};

    fn call(action: &'static str) -> CallFacts {
        CallFacts {
            provider: "aws",
            account: String::new(),
            service: "eks",
            action,
            effect: Effect::Read,
            lane: Lane::Live,
            host: String::new(),
            path: String::new(),
            attempt: 1,
            nth: 1,
        }
    }

    #[test]
    fn the_first_rule_that_strikes_decides_and_all_count() {
        let faults = Faults::new();
        faults.add(FaultRule::on("a", When::Nth(2), Fault::DropAnswer));
        faults.add(FaultRule::on_any(When::First(2), Fault::Refuse));
        assert_eq!(faults.fault(&call("a")), Fault::Refuse);
        assert_eq!(faults.fault(&call("a")), Fault::DropAnswer);
        assert_eq!(faults.fault(&call("b")), Fault::Pass);
        assert_eq!(faults.struck(), 2);
        faults.add(FaultRule::on("b", When::Always, Fault::Garbage));
        assert_eq!(faults.fault(&call("b")), Fault::Garbage);
        faults.clear();
        assert_eq!(faults.fault(&call("b")), Fault::Pass);
    }
}
