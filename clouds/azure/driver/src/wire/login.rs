//! What the token endpoints and the metadata document answer.

use serde::{Deserialize, Deserializer};

/// A number, which some endpoints write as a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Number(pub(crate) i64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        let read = value.as_i64().or_else(|| value.as_str()?.parse().ok());
        read.map(Self).ok_or_else(|| serde::de::Error::custom("expected a number"))
    }
}

/// A token. No `Debug`: it is a secret.
#[derive(Deserialize)]
pub(crate) struct Token {
    #[serde(rename = "access_token")]
    pub(crate) value: String,
    /// For how many seconds it holds.
    #[serde(default)]
    pub(crate) expires_in: Number,
    /// Until when, in seconds since 1970; managed identities alone say so.
    #[serde(default)]
    pub(crate) expires_on: Option<Number>,
}

/// Why there is no token.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc6749#section-5.2>
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Refusal {
    pub(crate) error: String,
    pub(crate) error_description: String,
}

/// The metadata document: an object, or in older versions a list of clouds.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Metadata {
    /// Several; the first is the resource manager's own. Tried first: a list of one would be read as one cloud's fields.
    Several(Vec<CloudMetadata>),
    /// One cloud.
    One(CloudMetadata),
}

/// What is used of a cloud's description.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct CloudMetadata {
    authentication: Authentication,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Authentication {
    login_endpoint: String,
    audiences: Vec<String>,
}

impl Metadata {
    /// Where tokens are asked for.
    pub(crate) fn login_endpoint(&self) -> Option<&str> {
        self.authentication().map(|found| found.login_endpoint.as_str())
    }

    /// What the resource manager's tokens are for: the first that it takes.
    pub(crate) fn audience(&self) -> Option<&str> {
        self.authentication()?.audiences.first().map(String::as_str)
    }

    fn authentication(&self) -> Option<&Authentication> {
        let cloud = match self {
            Self::One(cloud) => Some(cloud),
            Self::Several(clouds) => clouds.first(),
        };
        cloud.map(|cloud| &cloud.authentication)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_as_texts_too() {
        let token: Token =
            serde_json::from_str(r#"{"access_token":"a","expires_in":"3599","expires_on":"1500000000"}"#)
                .unwrap();
        assert_eq!((token.expires_in, token.expires_on), (Number(3599), Some(Number(1_500_000_000))));
        let token: Token = serde_json::from_str(r#"{"access_token":"a","expires_in":3599}"#).unwrap();
        assert_eq!((token.expires_in, token.expires_on), (Number(3599), None));
    }

    #[test]
    fn metadata_is_read_in_both_forms() {
        for (text, audience) in [
            (r#"{"authentication":{"loginEndpoint":"https://l/"},"name":"x"}"#, None),
            (
                r#"{"authentication":{"loginEndpoint":"https://l/","audiences":["https://m/1","https://m/2"]}}"#,
                Some("https://m/1"),
            ),
            (r#"[{"authentication":{"loginEndpoint":"https://l/","audiences":[]}}]"#, None),
        ] {
            let metadata: Metadata = serde_json::from_str(text).unwrap();
            assert_eq!((metadata.login_endpoint(), metadata.audience()), (Some("https://l/"), audience));
        }
    }
}
