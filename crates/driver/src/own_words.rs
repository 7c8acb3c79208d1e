//! What a cloud itself says of a thing, for people and programs that know the cloud. Nothing in pmks reads it.

use pmks_model::ResourceKind;
use pmks_transport::Redaction;
use serde_json::Value;

/// Of which thing the cloud's own words are wanted.
#[derive(Clone, Copy, Debug)]
pub struct OwnWordsOf<'a> {
    /// Its kind.
    pub kind: ResourceKind,
    /// The cloud's identifier of what it is a part of: of a node group its cluster; else empty.
    pub parent: &'a str,
    /// The cloud's identifier.
    pub system_id: &'a str,
}

/// They, as JSON with the cloud's own members, without secrets: a value whose name or looks promise one is taken out, as
/// it is from every record of an exchange.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnWords(Value);

impl OwnWords {
    /// What was read, its secrets taken out.
    pub fn of(said: &Value) -> Self {
        let text = Redaction::default().json(&said.to_string());
        Self(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    /// As JSON.
    pub fn into_json(self) -> Value {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_taken_out_at_every_depth_and_all_else_stays() {
        let said = json!({
            "name": "prod", "kubeConfig": "apiVersion: v1",
            "masterAuth": {"clientKey": "LS0t", "password": "hunter2", "clusterCaCertificate": "Q0E="},
            "nodes": [{"userData": "IyEvYmlu", "id": 7}],
            "note": "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----",
        });
        let words = OwnWords::of(&said).into_json();
        let text = words.to_string();
        for secret in ["hunter2", "LS0t", "IyEvYmlu", "apiVersion"] {
            assert!(!text.contains(secret), "{text}");
        }
        assert_eq!((&words["name"], &words["nodes"][0]["id"]), (&json!("prod"), &json!(7)));
        assert_eq!(words["masterAuth"]["clusterCaCertificate"], "Q0E=");
    }
}
