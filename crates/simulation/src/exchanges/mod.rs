//! The record of exchanges, for whoever holds them against what a vendor publishes: of all that is the same in what such a
//! judge can see, one exchange is kept.
//!
//! Nothing is kept until somebody asks for it ([`Exchanges::keep`]). What is kept is whole, with whatever secrets the
//! simulated cloud gave out; of a request's headers those are that a contract may say something of, none that lets in.

mod headers;
mod reading;
mod seen;

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::header::HOST;
use http::{Method, Request, Response};
use serde::Serialize;

use crate::{Answered, Identified};
pub use seen::Seen;
use seen::{Before, Sight};

/// Of what was read at one place, so many different forms are remembered.
const FORMS: usize = 3;

/// How far up a path what was read may be about the same thing: a node pool is shown with its cluster, and in its list.
const PARENTS: usize = 2;

/// Larger answers are lists of many things: what they show of one of them is not looked up.
const LARGEST_READ: usize = 64 * 1024;

/// Marks a response whose body somebody put in the place of the cloud's own: it says nothing about the cloud.
#[derive(Clone, Copy, Debug)]
pub struct Retold;

/// One call and what came of it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Exchange {
    /// The cloud's service.
    pub service: String,
    /// The cloud's name of the call.
    pub action: String,
    /// The HTTP method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// Those headers sent that a contract may say something of: the form of the body, conditions, and the names of the
    /// cloud's own.
    pub request_headers: BTreeMap<String, String>,
    /// The body sent, as text; empty when there was none.
    pub request_body: String,
    /// The HTTP status; absent where the cloud itself gave no answer.
    pub status: Option<u16>,
    /// The headers of its answer.
    pub response_headers: BTreeMap<String, String>,
    /// The body of its answer, as text.
    pub response_body: String,
    /// What was read before of the same thing, where this changes something: a request may bring back what it was shown.
    pub before: Vec<Exchange>,
}

/// The record of one simulated cloud.
#[derive(Debug, Default)]
pub struct Exchanges {
    keeping: Mutex<Option<Keeping>>,
}

struct Keeping {
    seen: Arc<Seen>,
    /// Who is told of each exchange in the moment in which it is kept.
    tell: Box<dyn FnMut(&Exchange) + Send>,
    count: u64,
    kept: Vec<Exchange>,
    read: BTreeMap<String, Read>,
}

impl fmt::Debug for Keeping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeping")
            .field("count", &self.count)
            .field("kept", &self.kept.len())
            .finish_non_exhaustive()
    }
}

/// What was read at one place.
#[derive(Debug, Default)]
struct Read {
    members: HashSet<u64>,
    /// The names of those members, wherever they are.
    names: HashSet<u64>,
    /// What stands for all of them.
    sum: u64,
    forms: Vec<Form>,
}

#[derive(Debug)]
struct Form {
    /// What stands for its members.
    members: u64,
    /// To the letter.
    exact: u64,
    exchange: Exchange,
}

impl Read {
    /// Whether exactly this is still remembered; it is the newest then.
    fn is_again(&mut self, exact: u64) -> bool {
        let known = self.forms.iter().position(|form| form.exact == exact);
        let newer = known.and_then(|known| self.forms.get_mut(known..));
        newer.map(|newer| newer.rotate_left(1)).is_some()
    }

    fn remember(&mut self, form: Form) {
        self.forms.retain(|known| known.members != form.members);
        if self.forms.len() == FORMS {
            self.forms.remove(0);
        }
        self.forms.push(form);
    }
}

impl Exchanges {
    /// Keeps from now on whatever shows something that nobody showed to `seen` before.
    pub fn keep(&self, seen: Arc<Seen>) {
        self.keep_and_tell(seen, |_| {});
    }

    /// The same, and says each at once: to somebody who may not live until the end.
    pub fn keep_and_tell(&self, seen: Arc<Seen>, tell: impl FnMut(&Exchange) + Send + 'static) {
        let tell = Box::new(tell);
        *self.lock() = Some(Keeping { seen, tell, count: 0, kept: Vec::new(), read: BTreeMap::new() });
    }

    /// Keeps nothing any more: from here on the cloud is told to say what none says. What was kept can still be taken.
    pub fn leave_off(&self) {
        if let Some(keeping) = self.lock().as_mut() {
            keeping.seen = Arc::new(Seen::everything());
        }
    }

    /// What was kept, oldest first, and how many exchanges there were; begins anew.
    pub fn take(&self) -> (Vec<Exchange>, u64) {
        let mut keeping = self.lock();
        let Some(keeping) = keeping.as_mut() else { return (Vec::new(), 0) };
        (std::mem::take(&mut keeping.kept), std::mem::take(&mut keeping.count))
    }

    /// Looks at one call. No answer: the cloud itself gave none.
    pub(crate) fn record(&self, call: &Identified, request: &Request<Bytes>, answered: Option<&Answered>) {
        if let Some(keeping) = self.lock().as_mut() {
            keeping.record(call, request, answered);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Keeping>> {
        self.keeping.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keeping {
    fn record(&mut self, call: &Identified, request: &Request<Bytes>, answered: Option<&Answered>) {
        if self.seen.is_everything() {
            return;
        }
        self.count += 1;
        let answered = answered.filter(|answered| answered.response.extensions().get::<Retold>().is_none());
        let answer = answered.map(|answered| &answered.response);
        let path = request.uri().path();
        let reads = request.method() == Method::GET;
        // What may be excused in a change is another thing where something else was read before.
        let known = above(path).filter_map(|path| self.read.get(path)).map(|read| read.sum);
        let known = if reads { 0 } else { known.fold(0, u64::wrapping_add) };
        let (repeats, exact) = self.seen.repeats(request, answered, known);
        // Another world may have seen it, and this one not.
        if repeats && (!reads || self.read.get_mut(path).is_some_and(|read| read.is_again(exact))) {
            return;
        }
        let before = Before {
            members: self.read.get(path).map(|read| &read.members),
            names_above: above(path)
                .skip(1)
                .filter_map(|path| self.read.get(path))
                .map(|read| &read.names)
                .collect(),
        };
        let Sight { is_new, shown } = self.seen.look(call, request, answered, &before);
        let is_remembered = reads
            && answer
                .is_some_and(|answer| answer.status().is_success() && answer.body().len() <= LARGEST_READ);
        if let Some(shown) = shown.filter(|_| is_remembered) {
            let read = self.read.entry(path.to_owned()).or_default();
            for place in shown.places {
                if read.members.insert(place) {
                    read.sum = read.sum.wrapping_add(place);
                }
            }
            read.names.extend(shown.names);
            read.remember(Form { members: shown.form, exact, exchange: exchange(call, request, answer) });
        }
        if is_new {
            let mut kept = exchange(call, request, answer);
            if !reads && !request.body().is_empty() {
                kept.before = self.before(path);
            }
            (self.tell)(&kept);
            self.kept.push(kept);
        }
    }

    /// What was read at a path and right above it.
    fn before(&self, path: &str) -> Vec<Exchange> {
        let reads = above(path).filter_map(|path| self.read.get(path));
        reads.flat_map(|read| read.forms.iter().map(|form| form.exchange.clone())).collect()
    }
}

/// A path and those right above it.
fn above(path: &str) -> impl Iterator<Item = &str> {
    let parents = std::iter::successors(Some(path), |path| path.rsplit_once('/').map(|(parent, _)| parent));
    parents.take(1 + PARENTS)
}

fn exchange(call: &Identified, request: &Request<Bytes>, answer: Option<&Response<Bytes>>) -> Exchange {
    let text = |body: &Bytes| String::from_utf8_lossy(body).into_owned();
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    Exchange {
        service: call.service.clone(),
        action: call.action.clone(),
        method: request.method().to_string(),
        url: format!("http://{host}{path}"),
        request_headers: headers::asked(request.headers()),
        request_body: text(request.body()),
        status: answer.map(|answer| answer.status().as_u16()),
        response_headers: answer.map(|answer| headers::told(answer.headers())).unwrap_or_default(),
        response_body: answer.map(|answer| text(answer.body())).unwrap_or_default(),
        before: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
