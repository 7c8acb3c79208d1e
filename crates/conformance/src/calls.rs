//! What was sent to the cloud, as the transport saw it.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use pmks_transport::{CallFacts, CallObserver, Effect, Outcome};

/// One request that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenCall {
    /// The cloud's name of it.
    pub action: &'static str,
    /// What it does there.
    pub effect: Effect,
    /// Which try it was, from 1.
    pub attempt: u32,
}

/// All requests since the beginning. Give it to the transport as an observer; clones share what they saw.
#[derive(Clone, Debug, Default)]
pub struct CallLog(Arc<Mutex<Vec<SeenCall>>>);

impl CallLog {
    /// How many were seen so far: a mark for [`CallLog::since`].
    pub fn mark(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Those seen since a mark.
    pub fn since(&self, mark: usize) -> Vec<SeenCall> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().skip(mark).cloned().collect()
    }

    /// Those seen since a mark that change something.
    pub fn changes_since(&self, mark: usize) -> Vec<SeenCall> {
        self.since(mark).into_iter().filter(|call| call.effect != Effect::Read).collect()
    }
}

#[async_trait]
impl CallObserver for CallLog {
    async fn before(&self, call: &CallFacts) {
        let seen = SeenCall { action: call.action, effect: call.effect, attempt: call.attempt };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
    }

    async fn after(&self, _call: &CallFacts, _outcome: Outcome) {}
}
