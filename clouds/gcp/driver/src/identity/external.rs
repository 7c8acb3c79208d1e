//! Another identity provider's token, which Google's Security Token Service exchanges for one of its own (workload
//! identity federation). The subject token is in a file, or behind a URL, of the machine that this runs on.
//!
//! Source: <https://google.aip.dev/auth/4117>

use std::fmt;

use pmks_transport::Url;
use serde_json::Value;

use super::files::{needed, word};

/// Where a subject token is exchanged.
const TOKEN_URLS: [&str; 1] = ["https://sts.googleapis.com/v1/token"];

/// An identity of another provider.
#[derive(Clone)]
pub(crate) struct External {
    /// The pool and provider that trust it.
    pub(crate) audience: String,
    /// What kind of token it is.
    pub(crate) subject_token_type: String,
    /// Where it is.
    pub(crate) subject: Subject,
    /// The field that holds it, where it stands in JSON.
    field: Option<String>,
}

/// Where a subject token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// In a file that the machine keeps fresh.
    File(String),
    /// Behind a URL that only the machine reaches.
    Url {
        /// The URL.
        url: Url,
        /// What it is asked with.
        headers: Vec<(String, String)>,
    },
}

impl fmt::Debug for External {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("External").field("audience", &self.audience).finish_non_exhaustive()
    }
}

impl External {
    /// As its file describes it.
    pub(super) fn of(file: &Value) -> Result<Self, String> {
        if !TOKEN_URLS.contains(&needed(file, "token_url")?.as_str()) {
            return Err("names a token_url that is not Google's own".to_owned());
        }
        let source = file.get("credential_source").ok_or("has no credential_source")?;
        let field = field_of(source)?;
        Ok(Self {
            audience: needed(file, "audience")?,
            subject_token_type: needed(file, "subject_token_type")?,
            subject: subject(source)?,
            field,
        })
    }

    /// Who it is, for people: Google alone knows which principal of the pool a token names.
    pub(super) fn principal(&self) -> String {
        self.audience.clone()
    }

    /// The token in what was read: all of it, or a field of its JSON.
    pub(crate) fn token_in(&self, text: &str) -> Option<String> {
        let token = match &self.field {
            None => text.trim().to_owned(),
            Some(field) => word(&serde_json::from_str(text).ok()?, field)?,
        };
        (!token.is_empty()).then_some(token)
    }
}

fn subject(source: &Value) -> Result<Subject, String> {
    if let Some(file) = word(source, "file") {
        return Ok(Subject::File(file));
    }
    // AWS' environment has a `url` too, and means something else by it.
    if let (Some(text), None) = (word(source, "url"), word(source, "environment_id")) {
        let url = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let headers = source.get("headers").and_then(Value::as_object).into_iter().flatten();
        let headers = headers.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        return Ok(Subject::Url {
            url: url.ok_or("has a credential_source whose url is none")?,
            headers: headers.collect(),
        });
    }
    Err("has a credential_source that is neither a file nor a URL; programs and AWS' environment are not asked"
        .to_owned())
}

fn field_of(source: &Value) -> Result<Option<String>, String> {
    let Some(format) = source.get("format") else { return Ok(None) };
    match word(format, "type").as_deref() {
        None | Some("text") => Ok(None),
        Some("json") => needed(format, "subject_token_field_name").map(Some),
        Some(kind) => Err(format!("has a credential_source of format {kind:?}; known are text and json")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(source: &Value) -> Result<External, String> {
        External::of(&json!({"audience": "a", "subject_token_type": "jwt",
            "token_url": "https://sts.googleapis.com/v1/token", "credential_source": source}))
    }

    #[test]
    fn a_subject_token_is_a_file_or_behind_a_url() {
        let file = of(&json!({"file": "/token"})).unwrap();
        assert_eq!(file.subject, Subject::File("/token".to_owned()));
        assert_eq!(file.token_in(" abc\n").as_deref(), Some("abc"));
        let url = of(&json!({"url": "http://127.0.0.1:1/t", "headers": {"Metadata": "true"},
            "format": {"type": "json", "subject_token_field_name": "access_token"}}))
        .unwrap();
        let headers = vec![("Metadata".to_owned(), "true".to_owned())];
        assert_eq!(url.subject, Subject::Url { url: "http://127.0.0.1:1/t".parse().unwrap(), headers });
        assert_eq!(url.token_in(r#"{"access_token": "abc"}"#).as_deref(), Some("abc"));
        assert_eq!(url.token_in("abc"), None);
    }

    #[test]
    fn what_is_not_asked_is_refused() {
        for source in [
            json!({"executable": {"command": "/bin/token"}}),
            json!({"environment_id": "aws1", "url": "http://169.254.169.254/"}),
            json!({"url": "ftp://x/"}),
            json!({"file": "/t", "format": {"type": "xml"}}),
        ] {
            assert!(of(&source).is_err(), "{source}");
        }
        let elsewhere = json!({"audience": "a", "subject_token_type": "jwt", "token_url": "https://evil.example/token",
            "credential_source": {"file": "/t"}});
        assert!(External::of(&elsewhere).unwrap_err().contains("token_url"));
    }
}
