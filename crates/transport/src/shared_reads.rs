//! Reads of the same thing that wait for their turn are sent once: the answer of the first is everybody's. Who asks
//! after it was sent asks anew, so that an answer is never older than its question.
//!
//! But for those to whom an answer that came a moment ago will do: what is asked before a change is taken on, and what
//! nobody's change alters. They share what is under way as well, and what came within their time.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use tokio::sync::watch;

use crate::{Call, Lane, Response};

/// Everything by which two reads are the same: what is asked, who asks, and in which lane.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    /// Where the client's options lie, while it waits: its credential and account.
    client: usize,
    account: String,
    lane: Lane,
    action: &'static str,
    method: Method,
    url: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Bytes,
    signed_for: (Option<String>, Option<String>),
    /// How many changes there had been, where that matters: after one more it is another question.
    changes: Option<u64>,
}

impl Question {
    /// Of a client whose options lie there.
    pub(crate) fn of(call: &Call, client: usize, account: &str) -> Self {
        let headers = call.headers.iter();
        Self {
            client,
            account: account.to_owned(),
            lane: call.lane,
            action: call.action,
            method: call.method.clone(),
            url: call.url.to_string(),
            headers: headers.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect(),
            body: call.body.clone(),
            signed_for: (call.sign_as.clone(), call.region.clone()),
            changes: None,
        }
    }
}

/// What comes of the first: its answer, or, once it is dropped without one, nothing.
pub(crate) type Awaited = watch::Receiver<Option<Response>>;

/// How long an answer will do before a change is taken on. The change is looked at again when it begins.
const CHECKED: Duration = Duration::from_secs(1);

/// How old an answer may be.
#[derive(Clone, Copy)]
pub(crate) enum Age {
    /// No older than its question.
    Fresh,
    /// A moment, if nothing was changed by the same service of the account since it was asked for.
    Moment,
    /// So old, whatever was changed.
    UpTo(Duration),
}

impl Age {
    /// How old that call's answer may be.
    pub(crate) fn of(call: &Call) -> Self {
        match call.unchanging {
            Some(age) => Self::UpTo(age),
            None if call.lane == Lane::Check => Self::Moment,
            None => Self::Fresh,
        }
    }

    fn limit(self) -> Duration {
        match self {
            Self::Fresh => Duration::ZERO,
            Self::Moment => CHECKED,
            Self::UpTo(limit) => limit,
        }
    }
}

/// How many bytes the answers that will do for a while have together; what comes beyond that is asked for anew.
const MOST_KEPT: usize = 32 * 1024 * 1024;

/// The reads that wait for their turn, and answers that will do for a while.
#[derive(Default)]
pub(crate) struct SharedReads(Mutex<Shared>);

#[derive(Default)]
struct Shared {
    waiting: HashMap<Question, Awaited>,
    kept: HashMap<Question, Kept>,
    /// How many changes were begun and have ended, by provider, account and service.
    changes: HashMap<Whose, u64>,
}

/// Provider, account and service.
type Whose = (&'static str, String, &'static str);

/// A call that changes something, under way.
pub(crate) struct Change<'a> {
    reads: &'a SharedReads,
    whose: Whose,
}

/// An answer that came.
struct Kept {
    response: Response,
    came: Duration,
    limit: Duration,
}

/// Whose question it is, and what it may be answered with.
#[derive(Clone, Copy)]
pub(crate) struct Wish {
    pub(crate) provider: &'static str,
    pub(crate) service: &'static str,
    pub(crate) age: Age,
    /// The time on the clock that does not go back.
    pub(crate) now: Duration,
}

/// Who asks.
pub(crate) enum Joined<'a> {
    /// Somebody was answered a moment ago.
    Known(Response),
    /// Nobody waits with this question yet.
    First(First<'a>),
    /// Somebody does.
    After(Awaited),
}

/// The one that is sent. Dropped without an answer, it leaves the others to ask for themselves.
pub(crate) struct First<'a> {
    reads: &'a SharedReads,
    question: Option<Box<Question>>,
    answer: watch::Sender<Option<Response>>,
    age: Age,
}

impl SharedReads {
    /// Has the answer that will do, or waits with whoever has the same question.
    pub(crate) fn join(&self, mut question: Question, wish: Wish) -> Joined<'_> {
        let mut shared = self.lock();
        if matches!(wish.age, Age::Moment) {
            let whose = (wish.provider, question.account.clone(), wish.service);
            question.changes = Some(shared.changes.get(&whose).copied().unwrap_or_default());
        }
        if !matches!(wish.age, Age::Fresh) {
            shared.drop_old(wish.now);
            if let Some(kept) = shared.kept.get(&question) {
                return Joined::Known(kept.response.clone());
            }
        }
        if let Some(awaited) = shared.waiting.get(&question) {
            return Joined::After(awaited.clone());
        }
        let (answer, awaited) = watch::channel(None);
        shared.waiting.insert(question.clone(), awaited);
        Joined::First(First { reads: self, question: Some(Box::new(question)), answer, age: wish.age })
    }

    /// A change begins, and ends with the value: what was asked before either tells nobody how it is now.
    pub(crate) fn change(&self, provider: &'static str, account: &str, service: &'static str) -> Change<'_> {
        let change = Change { reads: self, whose: (provider, account.to_owned(), service) };
        change.tell();
        change
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn drop_old(&mut self, now: Duration) {
        self.kept.retain(|_, kept| now.saturating_sub(kept.came) <= kept.limit);
    }
}

impl First<'_> {
    /// Its turn has come: from now on nobody joins who wants an answer that is no older than the question.
    pub(crate) fn goes(&mut self) {
        if matches!(self.age, Age::Fresh) {
            self.leave();
        }
    }

    /// Everybody who joined has this answer, and whoever comes while it will do, if it is a good one.
    pub(crate) fn answered(mut self, response: &Response, now: Duration) {
        self.answer.send_replace(Some(response.clone()));
        let Some(question) = self.leave() else { return };
        let mut shared = self.reads.lock();
        shared.drop_old(now);
        let kept: usize = shared.kept.values().map(|kept| kept.response.body.len()).sum();
        if response.status.is_success() && kept + response.body.len() <= MOST_KEPT {
            // A copy of its own: the room for large answers is for those who read them.
            let body = Bytes::copy_from_slice(&response.body);
            let response = Response { body, ..response.clone() };
            shared.kept.insert(*question, Kept { response, came: now, limit: self.age.limit() });
        }
    }

    fn leave(&mut self) -> Option<Box<Question>> {
        let question = self.question.take()?;
        self.reads.lock().waiting.remove(&*question);
        Some(question)
    }
}

impl Drop for First<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Change<'_> {
    fn tell(&self) {
        *self.reads.lock().changes.entry(self.whose.clone()).or_default() += 1;
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        self.tell();
    }
}
