//! A simulated cloud that keeps what it answered, and then answers that again: as it was, or not quite.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{Request, Response};
use pmks_simulation::{Answered, Cloud, Effects, Identified, Random, Resource, Retold};
use serde_json::Value;

use super::mangle::mangled;
use crate::retold::Tells;

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
    pub(super) how: Mutex<How>,
    /// By call, and by call and address, the longest answer.
    kept: Mutex<BTreeMap<String, Response<Bytes>>>,
    /// The world when most was in it.
    pub(super) fullest: Mutex<Vec<Resource>>,
    asked: AtomicUsize,
}

impl Replayed {
    pub(super) fn new() -> Self {
        Self {
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

    fn keep(&self, keys: &[String; 2], response: &Response<Bytes>, now: Vec<Resource>) {
        let mut kept = self.kept.lock().unwrap();
        for key in keys.iter().filter(|_| response.status().is_success()) {
            let longer = kept.get(key).is_none_or(|before| before.body().len() < response.body().len());
            if longer {
                kept.insert(key.clone(), response.clone());
            }
        }
        let mut fullest = self.fullest.lock().unwrap();
        if now.len() >= fullest.len() {
            *fullest = now;
        }
    }
}

/// A JSON list with a further page, in the words of every cloud; an XML one, too.
fn with_another_page(body: &Bytes, request: &Request<Bytes>) -> Bytes {
    let text = String::from_utf8_lossy(body);
    if let Ok(Value::Object(mut members)) = serde_json::from_str(&text) {
        for word in ["nextToken", "nextPageToken"] {
            members.insert(word.to_owned(), "more".into());
        }
        let host = request.headers().get(http::header::HOST).and_then(|host| host.to_str().ok());
        if let Some(host) = host {
            members.insert("nextLink".to_owned(), format!("http://{host}{}", request.uri()).into());
        }
        return Value::Object(members).to_string().into();
    }
    let Some((before, root)) = text.rsplit_once("</") else { return body.clone() };
    let more = "<nextToken>more</nextToken>";
    format!("{before}{more}</{root}").into()
}

impl Tells for Replayed {
    fn tell(
        &self,
        cloud: &dyn Cloud,
        request: &Request<Bytes>,
        call: &Identified,
        effects: &Effects,
    ) -> Answered {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let action = format!("{} {}", call.service, call.action);
        let keys = [format!("{action} {}", request.uri()), action];
        let mut how = self.how.lock().unwrap();
        if matches!(*how, How::Live) {
            let answered = cloud.answer(request, call, effects);
            self.keep(&keys, &answered.response, cloud.resources());
            return answered;
        }
        let kept = self.kept.lock().unwrap();
        let Some(mut response) = keys.iter().find_map(|key| kept.get(key)).cloned() else {
            return cloud.answer(request, call, effects);
        };
        match &mut *how {
            How::Mangled(random) => {
                // Half of them stay as they are.
                let body = response.body().clone();
                let body = if random.fraction() < 0.5 { mangled(&body, random).into() } else { body };
                *response.body_mut() = body;
            }
            How::Endless => *response.body_mut() = with_another_page(response.body(), request),
            _ => {}
        }
        response.extensions_mut().insert(Retold);
        Answered { response, code: None, request_id: "replayed".to_owned() }
    }
}
