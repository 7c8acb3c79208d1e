//! A body read as far as it can be: whatever cannot be read of it is found together, each by its field and in words of
//! JSON. Something harmless stands in for it, so that the rest can be held against every other rule.
//!
//! No text of a request is quoted, since it may be a credential's.

use pmks_model::{Failure, FailureKind, Findings};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;

use super::objects::Objects;
use super::place::Place;
use super::trouble::Trouble;
use crate::refused::Refused;

/// More than anybody writes by mistake.
const MOST: usize = 200;

/// What is wrong with two values.
const MORE: &str = "something follows the JSON value";

/// What was read.
pub(super) struct Read<T> {
    pub(super) value: T,
    /// The numbers that are none, or out of every range; others stand in for them.
    pub(super) unreadable: Findings,
}

/// Reads a body; one that is left out as `{}`.
///
/// # Errors
/// `Malformed` for what is no JSON, or not of the shape that is wanted, with everything that is wrong with it.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<Read<T>, Refused> {
    let mut reader = serde_json::Deserializer::from_slice(if bytes.is_empty() { b"{}" } else { bytes });
    let first = match serde_path_to_error::deserialize(Objects(&mut reader)) {
        Ok(value) => {
            reader.end().map_err(|_| Refused::malformed("", MORE))?;
            return Ok(Read { value, unreadable: Findings::default() });
        }
        Err(error) => error,
    };
    if bytes.is_empty() {
        return Err(Refused::malformed("", "the body is empty: it must be a JSON object"));
    }
    let whole: Value =
        serde_json::from_slice(bytes).map_err(|error| Refused::malformed("", no_json(&error, bytes)))?;
    let mut found = Found::default();
    // Once it is a value, nothing in it is there twice.
    if let Trouble::Twice(field) = Trouble::of(&first.inner().to_string()) {
        found.of_shape(&Place::of(first.path()).to(&field), "is given twice");
    }
    found.read(whole)
}

/// What makes bytes no JSON, and where, if there is such a place.
fn no_json(error: &serde_json::Error, bytes: &[u8]) -> String {
    let says = error.to_string();
    let says = says.split(" at line ").next().unwrap_or_default();
    match error.classify() {
        Category::Eof => "the body ends before its JSON is whole".to_owned(),
        _ if says == "recursion limit exceeded" => "the body is nested too deeply".to_owned(),
        _ if says == "trailing characters" => MORE.to_owned(),
        _ => format!("the body is no JSON: {says}{}", place(error, bytes).unwrap_or_default()),
    }
}

fn place(error: &serde_json::Error, bytes: &[u8]) -> Option<String> {
    let (number, column) = (error.line(), error.column());
    let line = bytes.split(|byte| *byte == b'\n').nth(number.checked_sub(1)?)?;
    (1..=line.len()).contains(&column).then(|| format!(", at line {number}, byte {column}"))
}

/// What was found so far.
#[derive(Default)]
struct Found {
    findings: Findings,
    /// Whether anything is wrong beside numbers.
    is_malformed: bool,
    /// Where something of ours stands: what is wrong there was said.
    stand_ins: Vec<Place>,
}

impl Found {
    fn read<T: DeserializeOwned>(mut self, mut value: Value) -> Result<Read<T>, Refused> {
        for _ in 0..MOST {
            let error = match serde_path_to_error::deserialize(Objects(&value)) {
                Ok(value) if !self.is_malformed => {
                    return Ok(Read { value, unreadable: self.findings });
                }
                Ok::<T, _>(_) => break,
                Err(error) => error,
            };
            let says = error.inner().to_string();
            if self.mend(&mut value, Place::of(error.path()), Trouble::of(&says)).is_none() {
                break;
            }
        }
        let mut failure = Failure::new(FailureKind::Malformed, "the request cannot be read");
        failure.findings = self.findings;
        Err(failure.into())
    }

    fn of_shape(&mut self, place: &Place, says: &str) {
        self.is_malformed = true;
        self.findings.add(place.to_string(), says);
    }

    /// Notes what is wrong and puts something in its place; `None`: that cannot be done.
    fn mend(&mut self, whole: &mut Value, at: Place, trouble: Trouble) -> Option<()> {
        let is_ours = self.stand_ins.iter().any(|known| at.is_within(known));
        match trouble {
            Trouble::Missing(field) => {
                let place = at.to(&field);
                if !is_ours {
                    self.of_shape(&place, "is required");
                }
                at.find(whole)?.as_object_mut()?.insert(field, Value::Null);
                self.stand_ins.push(place);
            }
            Trouble::Unknown(says) => {
                self.of_shape(&at, &says);
                let (parent, field) = at.parent()?;
                parent.find(whole)?.as_object_mut()?.remove(&field)?;
            }
            Trouble::NoNumber(says) => {
                if !is_ours {
                    self.findings.add(at.to_string(), says);
                }
                *at.find(whole)? = Value::from(1);
                self.stand_ins.push(at);
            }
            Trouble::Kind { says, stand_in } => {
                if !is_ours {
                    self.of_shape(&at, &says);
                }
                *at.find(whole)? = stand_in;
                self.stand_ins.push(at);
            }
            Trouble::Twice(_) | Trouble::Word(_) | Trouble::Other => {
                self.of_shape(&at, "cannot be read: its type is wrong");
                return None;
            }
        }
        Some(())
    }
}

#[cfg(test)]
#[path = "reading_tests.rs"]
mod tests;
