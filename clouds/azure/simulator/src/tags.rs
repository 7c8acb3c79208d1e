//! Tags as Azure takes them: it knows no case in their keys, and keeps one of those that differ in case alone.
//!
//! Source: <https://github.com/MicrosoftDocs/azure-docs/issues/57888>, which does not say which value is kept; here it is
//! the last one.

use serde_json::{Map, Value};

/// A request's body with each tag once: those of the resource, and those of pools within it.
pub(crate) fn merged(mut body: Value) -> Value {
    merge(&mut body);
    if let Some(properties) = body.get_mut("properties") {
        merge(properties);
        let pools = properties.get_mut("agentPoolProfiles").and_then(Value::as_array_mut);
        pools.into_iter().flatten().for_each(merge);
    }
    body
}

fn merge(holder: &mut Value) {
    let Some(tags) = holder.get_mut("tags").and_then(Value::as_object_mut) else { return };
    let mut kept: Map<String, Value> = Map::new();
    for (key, value) in std::mem::take(tags) {
        let same: Vec<String> =
            kept.keys().filter(|other| other.to_lowercase() == key.to_lowercase()).cloned().collect();
        for other in same {
            kept.remove(&other);
        }
        kept.insert(key, value);
    }
    *tags = kept;
}
