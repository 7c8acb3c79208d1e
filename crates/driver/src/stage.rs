//! The three calls of a stage, each one request to the cloud.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{DriverError, ProgressList, Result};

/// The cloud's name of its own work: an operation, an update, a work request. The driver's versioned JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Handle(pub serde_json::Value);

/// What finished stages left behind, by stage name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Outputs(BTreeMap<String, serde_json::Value>);

impl Outputs {
    /// Keeps what a stage left behind.
    pub fn insert(&mut self, stage: &str, outputs: serde_json::Value) {
        self.0.insert(stage.to_owned(), outputs);
    }

    /// A text that a stage left under that key.
    pub fn text(&self, stage: &str, key: &str) -> Option<&str> {
        self.0.get(stage)?.get(key)?.as_str()
    }

    /// All that a stage left behind.
    pub fn get(&self, stage: &str) -> Option<&serde_json::Value> {
        self.0.get(stage)
    }
}

/// What a stage knows when it is called.
#[derive(Clone, Debug)]
pub struct StageContext {
    /// What finished stages left behind.
    pub outputs: Outputs,
    /// `<operation>-<stage>-<attempt>` in at most 64 characters of `[A-Za-z0-9-]`: the cloud's client token.
    pub token: String,
    /// The ids that matched before the ask, for [`crate::Identity::Baseline`]. `None`: nothing was asked for yet, so
    /// that whatever matches is a stranger's.
    pub baseline: Option<Vec<String>>,
    /// What the ask answered, if it did.
    pub system_id: Option<String>,
    /// What tells the thing that was asked for or found from a later one of its name, if the cloud said so.
    pub incarnation: Option<String>,
    /// When this stage began.
    pub started_at: Timestamp,
    /// The time now.
    pub now: Timestamp,
    /// How many times faster than the real cloud this one works.
    pub pace: u32,
}

/// Whether a stage's effect is there.
#[derive(Debug)]
pub enum Look {
    /// It is surely not there: the stage may ask. Of a removal: what is to go still stands, and nobody removes it.
    Absent,
    /// It is there, or on its way. Of a removal: it is gone, or going.
    Present(Found),
    /// More than one thing could be what was asked for; with their ids. The user must say which.
    Several(Vec<String>),
    /// Cannot be said now; with the reason. Look again.
    Unsure(String),
}

/// An effect that is there.
#[derive(Debug)]
pub struct Found {
    /// The cloud's identifier; empty where nothing has one.
    pub system_id: String,
    /// What tells it from another of the same name made later; empty where nothing has one.
    pub incarnation: String,
    /// How far it is.
    pub state: FoundState,
}

/// How far an effect is.
#[derive(Debug)]
pub enum FoundState {
    /// All there; with the stage's outputs.
    Ready(serde_json::Value),
    /// On its way.
    Pending {
        /// What the cloud says.
        says: String,
    },
    /// It will never come.
    Failed(DriverError),
}

/// The answer to an ask.
#[derive(Debug, Default)]
pub struct Asked {
    /// The cloud's identifier, if it gave one.
    pub system_id: Option<String>,
    /// What tells it from another of the same name made later, if the cloud said so.
    pub incarnation: Option<String>,
    /// What to follow. `None`: the engine looks until the effect is ready.
    pub handle: Option<Handle>,
    /// The stage's outputs, if the cloud's answer says that all is done: nothing is followed then.
    pub done: Option<serde_json::Value>,
    /// When the cloud wants to be asked about it first; `None`: the engine chooses by what is known of the duration.
    pub after: Option<Duration>,
}

impl Asked {
    /// Accepted; the engine looks until the effect is ready.
    pub fn accepted() -> Self {
        Self::default()
    }

    /// Accepted; the cloud named its own work.
    pub fn following(handle: serde_json::Value) -> Self {
        Self { handle: Some(Handle(handle)), ..Self::default() }
    }

    /// Done with the answer.
    pub fn done(outputs: serde_json::Value) -> Self {
        Self { done: Some(outputs), ..Self::default() }
    }

    /// Adds the cloud's identifier.
    #[must_use]
    pub fn with_system_id(mut self, system_id: impl Into<String>) -> Self {
        self.system_id = Some(system_id.into());
        self
    }

    /// Adds the incarnation.
    #[must_use]
    pub fn with_incarnation(mut self, incarnation: impl Into<String>) -> Self {
        self.incarnation = Some(incarnation.into());
        self
    }

    /// Adds when the cloud wants to be asked about it first (`Retry-After` of an accepted request).
    #[must_use]
    pub fn first_after(mut self, wait: Option<Duration>) -> Self {
        self.after = wait;
        self
    }
}

/// How the cloud's own work stands.
#[derive(Debug)]
pub enum Poll {
    /// Not yet.
    Pending {
        /// What the cloud says.
        says: String,
        /// When to ask again; `None`: the engine chooses by what is known of the duration.
        after: Option<Duration>,
    },
    /// All there; with the stage's outputs.
    Done(serde_json::Value),
    /// This part is done and there is more of the same to ask for.
    Again {
        /// What was done.
        says: String,
        /// When to look and ask again; `None`: soon.
        after: Option<Duration>,
    },
    /// It will never come. Where the error is `Stale` – it changed under the cloud's own work – the engine asks again,
    /// a few times, as where an ask is refused so.
    Failed(DriverError),
    /// The cloud no longer knows this work: look for the effect.
    Lost,
}

/// The three calls of a stage. None of them waits, repeats or decides about errors.
#[async_trait]
pub trait StageCalls: Send + Sync {
    /// Whether the effect is there. Reads only.
    async fn look(&self, context: &StageContext) -> Result<Look>;

    /// Asks the cloud for it: one request that changes something.
    async fn ask(&self, context: &StageContext) -> Result<Asked>;

    /// How the cloud's own work stands. Only called where an ask gave a handle.
    async fn poll(&self, _context: &StageContext, _handle: &Handle) -> Result<Poll> {
        Ok(Poll::Lost)
    }

    /// What [`Self::look`] would answer, read in one list of everything under way; `None`: the list does not say.
    /// The engine believes a list that something is there, never that it is absent or gone.
    fn look_in(&self, _context: &StageContext, _list: &ProgressList) -> Option<Look> {
        None
    }

    /// What [`Self::poll`] would answer, read in the same list; `None`: the list does not say.
    fn poll_in(&self, _context: &StageContext, _handle: &Handle, _list: &ProgressList) -> Option<Poll> {
        None
    }

    /// Asks for the removal of what an earlier attempt made and what failed for good: one request. It reads once more
    /// what it removes, and must refuse (`AlreadyExists`, `Replaced`) what does not carry this operation's marks or
    /// identifier, or is another incarnation than the look found; what failed no longer is `Stale`. The engine calls
    /// it only at a retry, after a look that found [`FoundState::Failed`] for another reason than `AlreadyExists`, and
    /// only where the capabilities say [`crate::FailedCreate::Replace`]; then it looks until nothing is there, and
    /// asks anew with another token.
    ///
    /// # Errors
    /// `Unsupported` where the cloud goes on with it, or nothing is left behind by a failure.
    async fn remove_failed(&self, _context: &StageContext) -> Result<Asked> {
        Err(DriverError::unsupported("", "replacement of what failed"))
    }

    /// The ids that already match, for [`crate::Identity::Baseline`].
    async fn baseline(&self, _context: &StageContext) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
}

impl Found {
    /// Whether it is [`Look::gone`]: the effect of a removal.
    pub fn is_gone(&self) -> bool {
        self.system_id.is_empty() && matches!(self.state, FoundState::Ready(_))
    }
}

impl Look {
    /// All there.
    pub fn ready(
        system_id: impl Into<String>,
        incarnation: impl Into<String>,
        outputs: serde_json::Value,
    ) -> Self {
        Self::Present(Found {
            system_id: system_id.into(),
            incarnation: incarnation.into(),
            state: FoundState::Ready(outputs),
        })
    }

    /// On its way.
    pub fn pending(
        system_id: impl Into<String>,
        incarnation: impl Into<String>,
        says: impl Into<String>,
    ) -> Self {
        let state = FoundState::Pending { says: says.into() };
        Self::Present(Found { system_id: system_id.into(), incarnation: incarnation.into(), state })
    }

    /// It will never come.
    pub fn failed(system_id: impl Into<String>, incarnation: impl Into<String>, error: DriverError) -> Self {
        let state = FoundState::Failed(error);
        Self::Present(Found { system_id: system_id.into(), incarnation: incarnation.into(), state })
    }

    /// The effect of a removal: it is gone.
    pub fn gone() -> Self {
        Self::ready("", "", serde_json::Value::Null)
    }
}
