//! What no cloud ever said, for tests of what a client makes of it: members that are shown over a cluster's own.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::StateError;

/// The event `{"type":"showsOver","cluster":NAME,"members"?:{…},"nodeGroups"?:{…}}`, the same at every simulated cloud.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShowsOver {
    #[serde(rename = "type")]
    _kind: String,
    /// Its name, or whatever else that cloud calls it by.
    pub cluster: String,
    /// Over the cluster's; a `null` takes it away again. Absent: nothing changes.
    #[serde(default)]
    pub members: Map<String, Value>,
    /// Over those of each of its node groups.
    #[serde(default)]
    pub node_groups: Map<String, Value>,
}

impl ShowsOver {
    /// Reads the event.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(event: &Value) -> Result<Self, StateError> {
        serde_json::from_value(event.clone())
            .map_err(|error| StateError(format!("the event cannot be read: {error}")))
    }
}

/// Whether a cloud that this happens in is told to say what no document knows: it is held against none from then on.
pub(crate) fn says_what_none_says(event: &Value) -> bool {
    let tells = |members: &str| {
        event.get(members).and_then(Value::as_object).is_some_and(|members| !members.is_empty())
    };
    event.get("type").is_some_and(|kind| kind == "showsOver") && (tells("members") || tells("nodeGroups"))
}

/// Puts members among those that are shown over others; a `null` takes one away again.
pub fn show_over(shown: &mut Map<String, Value>, members: &Map<String, Value>) {
    shown.extend(members.clone());
    shown.retain(|_, value| !value.is_null());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn who_is_told_what_to_say_is_told_from_who_is_asked() {
        let event = |members: Value| json!({"type": "showsOver", "cluster": "c", "members": members});
        assert!(says_what_none_says(&event(json!({"status": "ODD"}))));
        assert!(says_what_none_says(&json!({"type": "showsOver", "cluster": "c", "nodeGroups": {"a": 1}})));
        assert!(!says_what_none_says(&event(json!({}))));
        assert!(!says_what_none_says(&json!({"type": "showsOver", "cluster": "c"})));
        assert!(!says_what_none_says(&json!({"type": "other", "members": {"a": 1}})));
    }
}
