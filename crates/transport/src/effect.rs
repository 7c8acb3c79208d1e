//! What a call does at the cloud, and in which lane it waits. Never derived from the HTTP method: several clouds
//! read by POST.

use serde::{Deserialize, Serialize};

/// What a call does at the cloud; decides who may send it again when its answer is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    /// Changes nothing. The transport repeats it by itself, within its time limit.
    Read,
    /// May be sent twice with the result of once (a delete, a PUT of a whole state, a create that carries the cloud's
    /// client token). A lost answer is «unavailable»: the engine asks again.
    Idempotent,
    /// Sent twice, it may make or change two things (a create without a token, «add two nodes»). A lost answer is
    /// «ambiguous»: the engine looks before it asks again.
    Creates,
}

impl Effect {
    /// The word used in logs, metrics and records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Idempotent => "idempotent",
            Self::Creates => "creates",
        }
    }
}

/// Who waits for the answer. Calls of one action share one bucket; within it no lane starves another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Lane {
    /// Changes that a user asked for.
    Ask,
    /// Looks and polls of running operations.
    Look,
    /// Reads that a user waits for.
    Live,
    /// What is asked before a change is taken on, and again when it begins: an answer that came a moment ago will do.
    Check,
    /// Background refreshes of the inventory.
    Refresh,
}

impl Lane {
    /// Every lane, in the order of its weight.
    pub const ALL: [Self; 5] = [Self::Ask, Self::Look, Self::Live, Self::Check, Self::Refresh];

    /// The share of a contended bucket, relative to the other lanes that wait.
    pub(crate) fn weight(self) -> u32 {
        match self {
            Self::Ask => 8,
            Self::Look | Self::Live | Self::Check => 4,
            Self::Refresh => 1,
        }
    }

    pub(crate) fn index(self) -> usize {
        match self {
            Self::Ask => 0,
            Self::Look => 1,
            Self::Live => 2,
            Self::Check => 3,
            Self::Refresh => 4,
        }
    }

    /// The word used in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Look => "look",
            Self::Live => "live",
            Self::Check => "check",
            Self::Refresh => "refresh",
        }
    }
}
