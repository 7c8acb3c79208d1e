//! What exchanges have shown so far: at which place of which call, which members an object has, of which type a value is,
//! and in which words. What a contract can say of an exchange it says of these, one by one.
//!
//! Words are not counted without an end: of those with a digit, which are mostly names, few are taken, of the others many.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::Request;
use serde_json::{Map, Value};

use super::reading;
use crate::{Answered, Identified};

/// The longest text that may be a word.
const LONGEST_WORD: usize = 40;
/// How many words of a place are taken.
const WORDS: usize = 64;
/// How many of those with a digit.
const NUMBERED: usize = 8;

/// What was shown, by any number of clouds of one provider.
#[derive(Debug, Default)]
pub struct Seen {
    shown: Mutex<Shown>,
    is_everything: bool,
}

#[derive(Debug, Default)]
struct Shown {
    /// Whole exchanges, to the letter.
    exchanges: HashSet<u64>,
    features: HashSet<u64>,
    words: HashMap<u64, [HashSet<u64>; 2]>,
    is_new: bool,
}

/// What one exchange showed.
#[derive(Debug)]
pub(super) struct Sight {
    /// Whether nobody showed all of it before.
    pub(super) is_new: bool,
    /// Of an answer: its form, and the places of its members.
    pub(super) shown: Option<(u64, HashSet<u64>)>,
}

impl Seen {
    /// To whom nothing is new.
    pub(super) fn everything() -> Self {
        Self { is_everything: true, ..Self::default() }
    }

    pub(super) fn is_everything(&self) -> bool {
        self.is_everything
    }

    /// Whether exactly this exchange was seen before, and by what number it is known.
    pub(super) fn repeats(&self, request: &Request<Bytes>, answered: Option<&Answered>) -> (bool, u64) {
        let uri = request.uri();
        let answer = answered.map(|answered| (answered.response.status().as_u16(), answered.response.body()));
        let exact = hash(&(request.method(), uri.path(), uri.query(), request.body(), answer));
        (!self.lock().exchanges.insert(exact), exact)
    }

    /// Looks at one exchange. `of_before`: the places of all members that were read at this address.
    pub(super) fn look(
        &self,
        call: &Identified,
        request: &Request<Bytes>,
        answered: Option<&Answered>,
        of_before: Option<&HashSet<u64>>,
    ) -> Sight {
        let uri = request.uri();
        let answer = answered.map(|answered| (answered.response.status().as_u16(), answered.response.body()));
        let query = reading::form(uri.query().unwrap_or_default().as_bytes());
        let (asked, told) = (reading::tree(request.body()), answer.and_then(|(_, body)| reading::tree(body)));
        let version = [&query].into_iter().chain(&asked).find_map(version);
        let route = hash(&(request.method().as_str(), &call.service, &call.action, version));
        let mut shown = self.lock();
        shown.is_new = false;
        for (number, part) in uri.path().split('/').enumerate() {
            shown.word(hash(&(route, "path", number)), part);
        }
        shown.walk(hash(&(route, "query")), &query);
        shown.request(route, asked.as_ref(), of_before);
        if let (Some(answered), Some((status, body))) = (answered, answer) {
            let place = hash(&(route, "answer", status));
            shown.word(place, answered.code.as_deref().unwrap_or_default());
            shown.feature(&(place, body.is_empty()));
            if let Some(told) = &told {
                shown.walk(place, told);
            }
        }
        Sight { is_new: shown.is_new, shown: told.as_ref().map(members) }
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shown {
    fn request(&mut self, route: u64, asked: Option<&Value>, of_before: Option<&HashSet<u64>>) {
        self.feature(&(route, "request", asked.is_some()));
        let Some(asked) = asked else { return };
        self.walk(hash(&(route, "request")), asked);
        let (_, members) = members(asked);
        for member in members {
            let was_read = of_before.is_some_and(|before| before.contains(&member));
            self.feature(&(route, member, was_read));
        }
    }

    fn feature(&mut self, feature: &impl Hash) {
        self.is_new |= self.features.insert(hash(feature));
    }

    /// Whether the word is one of those of its place that are taken.
    fn word(&mut self, place: u64, word: &str) -> bool {
        let is_numbered = word.bytes().any(|byte| byte.is_ascii_digit());
        let (kind, most) = if is_numbered { (1, NUMBERED) } else { (0, WORDS) };
        let Some(taken) = self.words.entry(place).or_default().get_mut(kind) else { return false };
        let word = hash(word);
        if taken.contains(&word) {
            return true;
        }
        let is_taken = taken.len() < most;
        if is_taken {
            taken.insert(word);
            self.is_new = true;
        }
        is_taken
    }

    fn walk(&mut self, place: u64, value: &Value) {
        match value {
            Value::Null => self.feature(&(place, "null")),
            Value::Bool(_) => self.feature(&(place, "boolean")),
            Value::Number(number) if number.is_f64() => self.feature(&(place, "fraction")),
            Value::Number(number) => self.feature(&(place, "number", number.is_i64())),
            Value::String(text) => {
                self.feature(&(place, form_of(text)));
                if text.len() <= LONGEST_WORD {
                    self.word(place, text);
                }
            }
            Value::Array(items) => self.items(place, items.iter()),
            Value::Object(members) if is_list(members) => self.items(place, members.values()),
            Value::Object(members) => {
                let mut names = Vec::with_capacity(members.len());
                for (name, inner) in members {
                    // Where users choose the names, most of them are one and the same to a contract.
                    let name = if self.word(hash(&(place, "name")), name) { name.as_str() } else { "" };
                    names.push(name);
                    self.walk(hash(&(place, name)), inner);
                }
                names.sort_unstable();
                names.dedup();
                self.word(hash(&(place, "names")), &names.join(" "));
            }
        }
    }

    fn items<'a>(&mut self, place: u64, items: impl ExactSizeIterator<Item = &'a Value>) {
        self.feature(&(place, "list", items.len() == 0));
        let place = hash(&(place, "[]"));
        items.for_each(|item| self.walk(place, item));
    }
}

/// A form counts the items of its lists.
fn is_list(members: &Map<String, Value>) -> bool {
    !members.is_empty() && members.keys().all(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Which of the forms that contracts know a text has.
fn form_of(text: &str) -> &'static str {
    let digits = text.strip_prefix('-').unwrap_or(text);
    match text.as_bytes() {
        [] => "nothing",
        [.., b'T', _, _, b':', _, _, b':', _, _, _] | [_, _, _, _, b'-', _, _, b'-', _, _, b'T', ..] => {
            "time"
        }
        _ if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => "whole number",
        _ if text == "true" || text == "false" => "boolean",
        _ => "text",
    }
}

/// Which version of its interface a request speaks, where it says so.
fn version(parameters: &Value) -> Option<String> {
    let parameters = parameters.as_object()?;
    let said = parameters
        .iter()
        .find(|(name, _)| ["version", "api-version"].contains(&name.to_ascii_lowercase().as_str()));
    said.and_then(|(_, version)| version.as_str()).map(str::to_owned)
}

/// The places of all members, and what stands for all of them together.
fn members(value: &Value) -> (u64, HashSet<u64>) {
    let mut found = HashSet::new();
    places(0, value, &mut found);
    let form = found.iter().fold(0_u64, |form, member| form.wrapping_add(*member));
    (form, found)
}

fn places(place: u64, value: &Value, found: &mut HashSet<u64>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| places(hash(&(place, "[]")), item, found)),
        Value::Object(members) if is_list(members) => {
            members.values().for_each(|item| places(hash(&(place, "[]")), item, found));
        }
        Value::Object(members) => {
            for (name, inner) in members {
                let place = hash(&(place, name));
                found.insert(place);
                places(place, inner, found);
            }
        }
        _ => {}
    }
}

fn hash(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
