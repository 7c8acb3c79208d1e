//! The record of every API call that a simulated cloud received, answered or not.
//!
//! Holds no body, no header and no secret; the oldest records are dropped beyond a bound, the counts never.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::Serialize;

/// How many records are kept; counts go on beyond it.
const KEPT: usize = 100_000;

/// One call.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallRecord {
    /// When it came, by the wall clock.
    pub time: Timestamp,
    /// Seconds of work done in the world by then.
    pub work_seconds: f64,
    /// The cloud's service.
    pub service: String,
    /// The cloud's name of the call.
    pub action: String,
    /// What it was about, where the request names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Who called, as the request claims: an access key id, a principal; never a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// HTTP status of the answer; absent where the connection was cut instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The cloud's error code, where it refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The cloud's request id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Whether the world was really asked (not so where a fault answered instead).
    pub applied: bool,
}

/// All calls of one simulated cloud.
#[derive(Debug, Default)]
pub struct Calls {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    records: VecDeque<CallRecord>,
    counts: BTreeMap<String, u64>,
}

impl Calls {
    /// Adds one call.
    pub fn record(&self, call: CallRecord) {
        let mut inner = self.lock();
        *inner.counts.entry(format!("{}.{}", call.service, call.action)).or_default() += 1;
        if inner.records.len() >= KEPT {
            inner.records.pop_front();
        }
        inner.records.push_back(call);
    }

    /// The calls so far, oldest first.
    pub fn records(&self) -> Vec<CallRecord> {
        self.lock().records.iter().cloned().collect()
    }

    /// How often each `service.action` was called.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.lock().counts.clone()
    }

    /// Forgets all.
    pub fn clear(&self) {
        *self.lock() = Inner::default();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
