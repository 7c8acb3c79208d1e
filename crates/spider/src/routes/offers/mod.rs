//! What a cloud offers: regions with their zones, images, machine types.

pub(super) mod images;
pub(super) mod machine_types;
pub(super) mod zones;

use serde_json::Value;

use crate::Refusal;
use crate::call::{Answer, Call};
use crate::reply::Reply;

fn one(found: Option<Value>, what: &str, call: &Call) -> Answer {
    let absent = || Refusal::absent(format!("{what} '{}' does not exist", call.named(0)));
    found.map(Reply::Json).ok_or_else(absent)
}

/// The first of the two that says something.
fn first_of<'a>(one: &'a str, other: &'a str) -> &'a str {
    if one.is_empty() { other } else { one }
}

/// What a text says where the cloud tells nothing.
const UNTOLD: &str = "NA";

/// A number as a text, as all of them are; `-1` where the cloud tells none.
fn number(told: Option<impl ToString>) -> String {
    told.map_or_else(|| "-1".to_owned(), |number| number.to_string())
}
