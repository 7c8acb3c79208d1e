//! What exists at a simulated cloud, whoever made it: the witness that does not go through pmks.

use std::collections::BTreeMap;

use pmks_model::FailureKind;
use serde_json::Value;
use url::Url;

use crate::client::{Client, HttpDoor, Path, Request};
use crate::error::{Error, Result};
use crate::simulated::Served;

/// What exists, by kind and identifier.
pub(super) struct GroundTruth(BTreeMap<(String, String), String>);

impl GroundTruth {
    /// Asks the cloud's own controls.
    pub(super) async fn read(cloud: &Served) -> Result<Self> {
        let url: Url = cloud
            .url()
            .parse()
            .map_err(|error| Error::new(FailureKind::Unexpected, format!("the cloud's URL: {error}")))?;
        let client = Client::new(std::sync::Arc::new(HttpDoor::new(&url, None, None)?));
        let answer =
            client.send(Request::new(http::Method::GET, Path::at(["_sim", "resources"]))).await?.body;
        let kinds = answer.get("resources").and_then(Value::as_object).cloned().unwrap_or_default();
        let rows = kinds.values().filter_map(Value::as_array).flatten();
        Ok(Self(rows.filter(|row| !is_over(row)).filter_map(entry).collect()))
    }

    /// What exists here and not there.
    pub(super) fn beyond(&self, before: &Self) -> Vec<String> {
        self.0.iter().filter(|(key, _)| !before.0.contains_key(key)).map(|(_, says)| says.clone()).collect()
    }
}

/// A terminated machine is still listed for an hour, as the cloud lists it, and is no more.
fn is_over(row: &Value) -> bool {
    row.get("state").and_then(Value::as_str) == Some("terminated")
}

fn entry(row: &Value) -> Option<((String, String), String)> {
    let text = |field| row.get(field).and_then(Value::as_str).map(str::to_owned);
    let (kind, id) = (text("kind")?, text("id")?);
    let says = match text("name").filter(|name| *name != id) {
        Some(name) => format!("{kind} {name} ({id})"),
        None => format!("{kind} {id}"),
    };
    Some(((kind, id), says))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_new_is_named() {
        let truth =
            |rows: &[Value]| GroundTruth(rows.iter().filter(|row| !is_over(row)).filter_map(entry).collect());
        let before = truth(&[json!({"kind": "role", "id": "r", "state": "active"})]);
        let after = truth(&[
            json!({"kind": "role", "id": "r", "state": "active"}),
            json!({"kind": "vpc", "id": "vpc-1", "name": "n", "state": "available"}),
            json!({"kind": "instance", "id": "i-1", "state": "terminated"}),
        ]);
        assert_eq!(after.beyond(&before), ["vpc n (vpc-1)"]);
    }
}
