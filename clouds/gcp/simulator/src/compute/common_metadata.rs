//! The metadata that all machines of a project share: read with the project, replaced as a whole, and only by who has
//! read what stands there.
//!
//! Sources: <https://cloud.google.com/compute/docs/reference/rest/v1/projects/setCommonInstanceMetadata>,
//! <https://cloud.google.com/compute/docs/metadata/setting-custom-metadata#limitations>.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::operations::{self, End};
use super::state::{State, fingerprint};
use super::{Asked, invalid};
use crate::call::Call;
use crate::error::{Code, Error, Result};
use crate::world::Project;

/// How long a change takes.
const CHANGING: Duration = Duration::from_secs(5);
/// The largest value of one item, and the largest sum of all keys and values.
const LARGEST: (usize, usize) = (256 * 1024, 512 * 1024);

/// It as a project shows it.
pub(crate) fn view(project: &Project) -> Value {
    let state = &project.compute;
    let mut shown =
        json!({"kind": "compute#metadata", "fingerprint": fingerprint_of(state, &project.number)});
    if !state.metadata.is_empty() {
        shown["items"] =
            state.metadata.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
    }
    shown
}

fn fingerprint_of(state: &State, number: &str) -> String {
    fingerprint(number, state.metadata_revision)
}

/// Replaces all of it.
pub(crate) fn set(call: &mut Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let body = asked.message("Metadata")?;
    let number = call.held().number.clone();
    let given = body.get("fingerprint").and_then(Value::as_str);
    if given != Some(&fingerprint_of(&call.held().compute, &number)) {
        let says = "Supplied fingerprint does not match current metadata fingerprint.";
        return Err(Error::new(Code::ConditionNotMet, says));
    }
    let items = items(body.get("items"))?;
    let state = &mut call.held_mut().compute;
    state.metadata = items;
    state.metadata_revision += 1;
    let target = format!("projects/{}", call.project);
    let kind = "compute.projects.setCommonInstanceMetadata";
    let name = operations::start(call, kind, "global", (&target, &number), ("", End::Nothing), CHANGING);
    operations::answer(call, &name)
}

fn items(given: Option<&Value>) -> Result<BTreeMap<String, String>> {
    let mut items = BTreeMap::new();
    let mut sum = 0;
    for (number, item) in given.and_then(Value::as_array).into_iter().flatten().enumerate() {
        let text = |field: &str| item.get(field).and_then(Value::as_str).unwrap_or_default();
        let (key, value) = (text("key"), text("value"));
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if key.is_empty() || key.len() > 128 || !key.chars().all(plain) {
            let says = "Must be a match of regex '[a-zA-Z0-9-_]{1,128}'";
            return Err(invalid(&format!("items[{number}].key"), key, says));
        }
        sum += key.len() + value.len();
        if value.len() > LARGEST.0 || sum > LARGEST.1 {
            let says = "Metadata is too large: at most 262144 bytes a value and 524288 altogether.";
            return Err(invalid(&format!("items[{number}].value"), key, says));
        }
        if items.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(invalid("items", key, "Metadata has duplicate keys."));
        }
    }
    Ok(items)
}
