//! What exchanges have shown so far: at which place of which call, which members an object has, of which type a value is,
//! in which words, which signs a text is made of, and how large, long or many anything was at most and at least. What a
//! contract can say of an exchange it says of these, one by one.
//!
//! Words are not counted without an end: of those that differ in their numbers alone, which are mostly names, few are
//! taken, of the others many. What is larger than all before, or smaller, is new each time: a limit has nothing between.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::Request;
use serde_json::{Map, Value};

use super::{headers, reading};
use crate::{Answered, Identified};

/// The longest text that may be a word.
const LONGEST_WORD: usize = 40;
/// How many words of a place are taken, numbers left out.
const WORDS: usize = 128;
/// How many that differ in their numbers alone.
const NUMBERED: usize = 8;
/// So many digits and letters from a to f are a number written by sixteens.
const BY_SIXTEENS: usize = 6;
/// Of longer texts the signs count, and not their order.
const LONGEST_SIGNED: usize = 128;
/// Limits above this, which are those of a number's own size, are powers of two.
const COUNTED: i128 = 1 << 20;

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
    /// By place, and there by what is left of a word without its numbers.
    words: HashMap<u64, HashMap<u64, HashSet<u64>>>,
    /// The least and the most of a place.
    extremes: HashMap<u64, (i128, i128)>,
    is_new: bool,
}

/// What was read before a request.
#[derive(Debug, Default)]
pub(super) struct Before<'a> {
    /// The places of all members that were read at its address.
    pub(super) members: Option<&'a HashSet<u64>>,
    /// The names of all that were read right above it.
    pub(super) names_above: Vec<&'a HashSet<u64>>,
}

/// The members of a body.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// What stands for all of them together.
    pub(super) form: u64,
    /// Each with its parents.
    pub(super) places: HashSet<u64>,
    /// Each by its name alone.
    pub(super) names: HashSet<u64>,
}

/// What one exchange showed.
#[derive(Debug)]
pub(super) struct Sight {
    /// Whether nobody showed all of it before.
    pub(super) is_new: bool,
    /// The members of an answer.
    pub(super) shown: Option<Members>,
}

impl Seen {
    /// To whom nothing is new.
    pub(super) fn everything() -> Self {
        Self { is_everything: true, ..Self::default() }
    }

    pub(super) fn is_everything(&self) -> bool {
        self.is_everything
    }

    /// Whether exactly this exchange was seen before, after reading the same, and by what number it is known.
    pub(super) fn repeats(
        &self,
        request: &Request<Bytes>,
        answered: Option<&Answered>,
        known: u64,
    ) -> (bool, u64) {
        let uri = request.uri();
        let answer = answered.map(|answered| {
            let response = &answered.response;
            (response.status().as_u16(), response.body(), headers::of_answer(response.headers()))
        });
        let asked = (request.body(), headers::of_request(request.headers()));
        let exact = hash(&(request.method(), uri.path(), uri.query(), asked, answer, known));
        (!self.lock().exchanges.insert(exact), exact)
    }

    /// Looks at one exchange, after what was read before.
    pub(super) fn look(
        &self,
        call: &Identified,
        request: &Request<Bytes>,
        answered: Option<&Answered>,
        before: &Before<'_>,
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
        shown.feature(&(route, "headers", headers::of_request(request.headers())));
        shown.request(route, asked.as_ref(), before);
        if let (Some(answered), Some((status, body))) = (answered, answer) {
            let place = hash(&(route, "answer", status));
            shown.word(place, answered.code.as_deref().unwrap_or_default());
            shown.feature(&(place, body.is_empty()));
            shown.feature(&(place, "headers", headers::of_answer(answered.response.headers())));
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
    fn request(&mut self, route: u64, asked: Option<&Value>, before: &Before<'_>) {
        self.feature(&(route, "request", asked.is_some()));
        let Some(asked) = asked else { return };
        self.walk(hash(&(route, "request")), asked);
        let mut found = Vec::new();
        places(0, asked, &mut found);
        for (member, name) in found {
            let was_read = before.members.is_some_and(|before| before.contains(&member));
            // What its parent excuses in one request nothing may excuse in another.
            let was_read_above = before.names_above.iter().any(|names| names.contains(&name));
            self.feature(&(route, member, was_read, was_read_above));
        }
    }

    fn feature(&mut self, feature: &impl Hash) {
        self.is_new |= self.features.insert(hash(feature));
    }

    /// Whether the word is one of those of its place that are taken.
    fn word(&mut self, place: u64, word: &str) -> bool {
        let kind = hash(without_numbers(word).as_str());
        let of_place = self.words.entry(place).or_default();
        if of_place.len() >= WORDS && !of_place.contains_key(&kind) {
            return false;
        }
        let taken = of_place.entry(kind).or_default();
        let word = hash(word);
        if taken.contains(&word) {
            return true;
        }
        let is_taken = taken.len() < NUMBERED;
        if is_taken {
            taken.insert(word);
            self.is_new = true;
        }
        is_taken
    }

    /// Whether there was as little here before, and as much.
    fn extreme(&mut self, place: u64, number: i128) {
        let number = counted(number);
        let (least, most) = self.extremes.entry(place).or_insert_with(|| {
            self.is_new = true;
            (number, number)
        });
        self.is_new |= number < *least || number > *most;
        (*least, *most) = (number.min(*least), number.max(*most));
    }

    fn walk(&mut self, place: u64, value: &Value) {
        match value {
            Value::Null => self.feature(&(place, "null")),
            Value::Bool(_) => self.feature(&(place, "boolean")),
            Value::Number(number) if number.is_f64() => self.feature(&(place, "fraction")),
            Value::Number(number) => {
                self.feature(&(place, "number", number.is_i64()));
                self.extreme(place, number.as_i128().unwrap_or_default());
            }
            Value::String(text) => {
                self.feature(&(place, form_of(text), signs(text)));
                match text.parse() {
                    Ok(number) => self.extreme(place, number),
                    Err(_) => self.extreme(hash(&(place, "long")), count(text.chars().count())),
                }
                if text.len() <= LONGEST_WORD {
                    self.word(place, text);
                }
            }
            Value::Array(items) => self.items(place, items.iter()),
            Value::Object(members) if is_list(members) => self.items(place, members.values()),
            Value::Object(members) => {
                self.extreme(hash(&(place, "members")), count(members.len()));
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
        self.extreme(hash(&(place, "list")), count(items.len()));
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

/// The members of an answer.
fn members(value: &Value) -> Members {
    let mut found = Vec::new();
    places(0, value, &mut found);
    let places: HashSet<u64> = found.iter().map(|(place, _)| *place).collect();
    let form = places.iter().fold(0_u64, |form, member| form.wrapping_add(*member));
    Members { form, places, names: found.into_iter().map(|(_, name)| name).collect() }
}

/// Every member at every depth: its place, and its name alone.
fn places(place: u64, value: &Value, found: &mut Vec<(u64, u64)>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| places(hash(&(place, "[]")), item, found)),
        Value::Object(members) if is_list(members) => {
            members.values().for_each(|item| places(hash(&(place, "[]")), item, found));
        }
        Value::Object(members) => {
            for (name, inner) in members {
                let place = hash(&(place, name));
                found.push((place, hash(name.as_str())));
                places(place, inner, found);
            }
        }
        _ => {}
    }
}

/// A number as far as limits tell it from others: beyond [`COUNTED`] by its powers of two.
fn counted(number: i128) -> i128 {
    if number.abs() < COUNTED {
        return number;
    }
    let powers = i128::from(number.unsigned_abs().ilog2());
    number.signum() * (COUNTED + powers)
}

fn count(of: usize) -> i128 {
    i128::try_from(of).unwrap_or(i128::MAX)
}

/// What is left of a word when its numbers are all the same.
fn without_numbers(word: &str) -> String {
    let mut left = String::with_capacity(word.len());
    let by_sixteens = |part: &str| {
        part.len() >= BY_SIXTEENS
            && part.bytes().any(|byte| byte.is_ascii_digit())
            && part.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    for part in word.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        if by_sixteens(part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric())) {
            left.push('0');
            left.extend(part.chars().next_back().filter(|last| !last.is_ascii_alphanumeric()));
            continue;
        }
        for c in part.chars() {
            match c {
                '0'..='9' if left.ends_with('0') => {}
                '0'..='9' => left.push('0'),
                _ => left.push(c),
            }
        }
    }
    left
}

/// What patterns tell texts apart by: the signs between words, which kinds of letters there are, and how it begins and
/// ends.
fn signs(text: &str) -> String {
    let class = |c: char| match c {
        'a'..='z' => 'a',
        'A'..='Z' => 'A',
        '0'..='9' => '0',
        _ => c,
    };
    let mut signs: Vec<char> = Vec::new();
    let mut kinds: Vec<char> = Vec::new();
    for c in text.chars().map(class) {
        if !c.is_ascii_alphanumeric() {
            signs.push(c);
        } else if !kinds.contains(&c) {
            kinds.push(c);
        }
        if c.is_ascii_alphanumeric() && signs.last() != Some(&'_') {
            signs.push('_');
        }
    }
    if text.len() > LONGEST_SIGNED {
        signs.sort_unstable();
        signs.dedup();
    }
    kinds.sort_unstable();
    let ends = text.chars().next().into_iter().chain(text.chars().next_back()).map(class);
    signs.into_iter().chain([' ']).chain(kinds).chain([' ']).chain(ends).collect()
}

fn hash(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
