//! Named points before and after each call, at which crash tests stop the world. Decides nothing.

use async_trait::async_trait;
use serde::Serialize;

use crate::{Effect, Lane};

/// Which try of which call this is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallFacts {
    /// The provider of the client.
    pub provider: &'static str,
    /// The account whose budget it uses.
    pub account: String,
    /// The service, as in [`crate::Call::new`].
    pub service: &'static str,
    /// The action, as in [`crate::Call::new`].
    pub action: &'static str,
    /// What the call does at the cloud.
    pub effect: Effect,
    /// The lane it waited in.
    pub lane: Lane,
    /// Where it goes, `host` or `host:port`.
    pub host: String,
    /// The path, without the query.
    pub path: String,
    /// Which try of this call, from 1.
    pub attempt: u32,
    /// Which request of this action by this client, from 1 since the counts were last reset.
    pub nth: u64,
}

/// How one try ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// An answer came, with this status.
    Answered(u16),
    /// Surely not sent.
    NotSent,
    /// Sent, outcome unknown.
    Lost,
    /// Answered, but too large to read.
    TooLarge,
    /// Nobody waited any longer: it may have been sent, and whether it was answered is not known.
    Abandoned,
}

impl Outcome {
    /// The word used in metrics: the status class, or why there is none.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered(100..=199) => "1xx",
            Self::Answered(200..=299) => "2xx",
            Self::Answered(300..=399) => "3xx",
            Self::Answered(400..=499) => "4xx",
            Self::Answered(_) => "5xx",
            Self::NotSent => "notSent",
            Self::Lost => "lost",
            Self::TooLarge => "tooLarge",
            Self::Abandoned => "abandoned",
        }
    }
}

/// Told of every try. A future that never ends stops the call there, as a kill would: before it is sent, or after it
/// was applied and before anybody knows.
#[async_trait]
pub trait CallObserver: Send + Sync {
    /// The try is about to be sent; nothing has left yet.
    async fn before(&self, call: &CallFacts);

    /// The try has ended; its caller does not know yet.
    async fn after(&self, call: &CallFacts, outcome: Outcome);

    /// Nobody waits for the try any more, and it will have no `after`.
    fn abandoned(&self, _call: &CallFacts) {}
}
