//! Reads of the same thing that wait for their turn are sent once: the answer of the first is everybody's. Who asks
//! after it was sent asks anew, so that an answer is never older than its question.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

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
        }
    }
}

/// What comes of the first: its answer, or, once it is dropped without one, nothing.
pub(crate) type Awaited = watch::Receiver<Option<Response>>;

/// The reads that wait for their turn.
#[derive(Default)]
pub(crate) struct SharedReads(Mutex<HashMap<Question, Awaited>>);

/// Who asks.
pub(crate) enum Joined<'a> {
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
}

impl SharedReads {
    /// Waits with whoever has the same question.
    pub(crate) fn join(&self, question: Question) -> Joined<'_> {
        let mut waiting = self.lock();
        if let Some(awaited) = waiting.get(&question) {
            return Joined::After(awaited.clone());
        }
        let (answer, awaited) = watch::channel(None);
        waiting.insert(question.clone(), awaited);
        Joined::First(First { reads: self, question: Some(Box::new(question)), answer })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Question, Awaited>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl First<'_> {
    /// Its turn has come: from now on nobody joins.
    pub(crate) fn goes(&mut self) {
        if let Some(question) = self.question.take() {
            self.reads.lock().remove(&*question);
        }
    }

    /// Everybody who joined has this answer.
    pub(crate) fn answered(self, response: &Response) {
        self.answer.send_replace(Some(response.clone()));
    }
}

impl Drop for First<'_> {
    fn drop(&mut self) {
        self.goes();
    }
}
