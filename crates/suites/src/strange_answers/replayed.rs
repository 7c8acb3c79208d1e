//! A simulated cloud that keeps what it answered, and then answers that again: as it was, or not quite.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use pmks_simulation::kubernetes::AuthoritySnapshot;
use pmks_simulation::{
    Answered, Cloud, Controls, Effects, Identified, Random, Refusal, Resource, StateError,
};
use serde_json::Value;

use super::mangle::mangled;

/// How it answers.
pub(super) enum How {
    /// As the world is.
    Live,
    /// As the world was when it had most to say.
    Again,
    /// So, but half of the answers are mangled.
    Mangled(Random),
    /// So, but lists never end.
    Endless,
}

pub(super) struct Replayed {
    cloud: Arc<dyn Cloud>,
    pub(super) how: Mutex<How>,
    /// By call, and by call and address, the longest answer.
    kept: Mutex<BTreeMap<String, Response<Bytes>>>,
    /// The world when most was in it.
    pub(super) fullest: Mutex<Vec<Resource>>,
    asked: AtomicUsize,
}

impl Replayed {
    pub(super) fn new(cloud: Arc<dyn Cloud>) -> Self {
        Self {
            cloud,
            how: Mutex::new(How::Live),
            kept: Mutex::default(),
            fullest: Mutex::default(),
            asked: AtomicUsize::new(0),
        }
    }

    /// How often it was asked since it was asked so.
    pub(super) fn asked(&self) -> usize {
        self.asked.swap(0, Ordering::Relaxed)
    }

    fn keep(&self, keys: &[String; 2], response: &Response<Bytes>) {
        let mut kept = self.kept.lock().unwrap();
        for key in keys.iter().filter(|_| response.status().is_success()) {
            let longer = kept.get(key).is_none_or(|before| before.body().len() < response.body().len());
            if longer {
                kept.insert(key.clone(), response.clone());
            }
        }
        let now = self.cloud.resources();
        let mut fullest = self.fullest.lock().unwrap();
        if now.len() >= fullest.len() {
            *fullest = now;
        }
    }
}

/// A JSON list with a further page, in the words of every cloud; an XML one, too.
fn with_another_page(body: &Bytes) -> Bytes {
    let text = String::from_utf8_lossy(body);
    if let Ok(Value::Object(mut members)) = serde_json::from_str(&text) {
        for word in ["nextToken", "nextPageToken"] {
            members.insert(word.to_owned(), "more".into());
        }
        return Value::Object(members).to_string().into();
    }
    let Some((before, root)) = text.rsplit_once("</") else { return body.clone() };
    let more = "<nextToken>more</nextToken>";
    format!("{before}{more}</{root}").into()
}

impl Cloud for Replayed {
    fn name(&self) -> &'static str {
        self.cloud.name()
    }

    fn controls(&self) -> &Controls {
        self.cloud.controls()
    }

    fn identify(&self, request: &Request<Bytes>) -> Identified {
        self.cloud.identify(request)
    }

    fn answer(&self, request: &Request<Bytes>, call: &Identified, effects: &Effects) -> Answered {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let action = format!("{} {}", call.service, call.action);
        let keys = [format!("{action} {}", request.uri()), action];
        let mut how = self.how.lock().unwrap();
        if matches!(*how, How::Live) {
            let answered = self.cloud.answer(request, call, effects);
            self.keep(&keys, &answered.response);
            return answered;
        }
        let kept = self.kept.lock().unwrap();
        let Some(mut response) = keys.iter().find_map(|key| kept.get(key)).cloned() else {
            return self.cloud.answer(request, call, effects);
        };
        match &mut *how {
            How::Mangled(random) => {
                // Half of them stay as they are.
                let body = response.body().clone();
                let body = if random.fraction() < 0.5 { mangled(&body, random).into() } else { body };
                *response.body_mut() = body;
            }
            How::Endless => *response.body_mut() = with_another_page(response.body()),
            _ => {}
        }
        Answered { response, code: None, request_id: "replayed".to_owned() }
    }

    fn refuse(&self, call: &Identified, refusal: &Refusal) -> Answered {
        self.cloud.refuse(call, refusal)
    }

    fn settle(&self) {
        self.cloud.settle();
    }

    fn next_due(&self) -> Option<Duration> {
        self.cloud.next_due()
    }

    fn resources(&self) -> Vec<Resource> {
        self.cloud.resources()
    }

    fn reset(&self) {
        self.cloud.reset();
    }

    fn event(&self, event: &Value) -> Result<Value, StateError> {
        self.cloud.event(event)
    }

    fn connection(&self, endpoint: &str) -> Value {
        self.cloud.connection(endpoint)
    }

    fn access_token(&self) -> Option<String> {
        self.cloud.access_token()
    }

    fn authority(&self) -> Option<AuthoritySnapshot> {
        self.cloud.authority()
    }

    fn snapshot(&self) -> Result<Value, StateError> {
        self.cloud.snapshot()
    }

    fn restore(&self, snapshot: Value) -> Result<(), StateError> {
        self.cloud.restore(snapshot)
    }
}
