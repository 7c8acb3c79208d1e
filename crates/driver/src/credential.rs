//! Credential forms as data, and the values that fill one.

use std::collections::BTreeMap;

use pmks_model::Findings;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeMap};

/// One way to prove who acts: a set of fields that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Form {
    /// Its name: `accessKey`.
    pub name: &'static str,
    /// What it is, for people.
    pub help: &'static str,
    /// Its fields.
    pub fields: &'static [Field],
}

/// A field of a credential form. Flags, web form, `/spider` names, redaction and docs come from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// Its name in camelCase, as in `/v1`.
    pub name: &'static str,
    /// Whether it must never be shown.
    pub secret: bool,
    /// Whether the form needs it.
    pub required: bool,
    /// The environment variable that the cloud's own tools use for it; empty: none.
    pub env: &'static str,
    /// What it is, for people.
    pub help: &'static str,
    /// CB-Spider's name of it; empty: none.
    pub spider: &'static str,
}

/// The variables that a driver may see. It reads no environment of its own.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// From name and value pairs.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(variables.into_iter().collect())
    }

    /// The value of a variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Environment").field(&self.0.len()).finish()
    }
}

/// Who acts: values of one form, or the cloud's own chain. `Debug` shows no value.
#[derive(Clone)]
pub enum Credential {
    /// Values by field name.
    Values(BTreeMap<String, SecretString>),
    /// The cloud's own chain: profiles, single sign-on, the machine's role.
    Ambient,
}

impl Credential {
    /// From plain values.
    pub fn from_values(values: impl IntoIterator<Item = (String, String)>) -> Self {
        Self::Values(values.into_iter().map(|(name, value)| (name, SecretString::from(value))).collect())
    }

    /// From JSON: `ambient` true alone, or fields with texts.
    ///
    /// # Errors
    /// Findings that name each field whose value is no text, and never the value.
    pub fn from_json(fields: BTreeMap<String, serde_json::Value>) -> Result<Self, Findings> {
        let mut findings = Findings::default();
        match fields.get("ambient") {
            Some(serde_json::Value::Bool(true)) if fields.len() == 1 => return Ok(Self::Ambient),
            Some(_) => findings.add("credential.ambient", "is true and stands alone, or is left out"),
            None => {}
        }
        let mut values = BTreeMap::new();
        for (name, value) in fields.into_iter().filter(|(name, _)| name != "ambient") {
            match value {
                serde_json::Value::String(text) => {
                    values.insert(name, SecretString::from(text));
                }
                serde_json::Value::Object(_) | serde_json::Value::Array(_) => {
                    findings.add(shown(&name), "must be a text: JSON is given as one");
                }
                _ => findings.add(shown(&name), "must be a text"),
            }
        }
        findings.into_result().map(|()| Self::Values(values))
    }

    /// The value of a field that was given and is not blank.
    pub fn get(&self, field: &str) -> Option<&str> {
        match self {
            Self::Values(values) => {
                values.get(field).map(ExposeSecret::expose_secret).filter(|value| !value.trim().is_empty())
            }
            Self::Ambient => None,
        }
    }

    /// The names of the fields that were given.
    pub fn fields(&self) -> Vec<&str> {
        match self {
            Self::Values(values) => values.keys().map(String::as_str).collect(),
            Self::Ambient => Vec::new(),
        }
    }

    /// The form that these values fill.
    ///
    /// # Errors
    /// Findings that name unknown fields, and the fields that the nearest form still needs.
    pub fn form(&self, forms: &'static [Form]) -> Result<Option<&'static Form>, Findings> {
        let Self::Values(_) = self else { return Ok(None) };
        let mut findings = Findings::default();
        let given = self.fields();
        for name in &given {
            if !forms.iter().any(|form| form.fields.iter().any(|field| field.name == *name)) {
                findings.add(shown(name), "is no field of this provider's credentials");
            }
        }
        let fits = |form: &&Form| {
            let knows = given.iter().all(|name| form.fields.iter().any(|field| field.name == *name));
            knows && form.fields.iter().all(|field| !field.required || self.get(field.name).is_some())
        };
        if findings.is_empty() {
            if let Some(form) = forms.iter().find(fits) {
                return Ok(Some(form));
            }
            let known = |form: &&Form| {
                given.iter().filter(|name| form.fields.iter().any(|f| f.name == **name)).count()
            };
            if let Some(nearest) = forms.iter().rev().max_by_key(known) {
                for field in
                    nearest.fields.iter().filter(|field| field.required && self.get(field.name).is_none())
                {
                    findings
                        .add(format!("credential.{}", field.name), format!("is required ({})", field.help));
                }
                for name in
                    given.iter().filter(|name| nearest.fields.iter().all(|field| field.name != **name))
                {
                    findings.add(shown(name), "belongs to another form of credential");
                }
            }
        }
        Err(findings)
    }
}

/// A field that was given, for people. No field's name is long: what is may be a secret in the wrong place.
fn shown(name: &str) -> String {
    const LONGEST: usize = 24;
    match name.char_indices().nth(LONGEST) {
        None => format!("credential.{name}"),
        Some(_) => format!("credential.{}…", name.chars().take(LONGEST / 4).collect::<String>()),
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Values(values) => f.debug_tuple("Values").field(&values.keys()).finish(),
            Self::Ambient => f.write_str("Ambient"),
        }
    }
}

/// Writes the values in the clear: only for sealing into the store.
impl Serialize for Credential {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Ambient => map.serialize_entry("ambient", &true)?,
            Self::Values(values) => {
                for (name, value) in values {
                    map.serialize_entry(name, value.expose_secret())?;
                }
            }
        }
        map.end()
    }
}

/// Reads `{"ambient": true}`, or field names with texts. The error quotes no value.
impl<'de> Deserialize<'de> for Credential {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = BTreeMap::<String, serde_json::Value>::deserialize(deserializer)?;
        Self::from_json(fields).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn field(name: &'static str, required: bool) -> Field {
        Field { name, secret: true, required, env: "", help: "a value", spider: "" }
    }

    const FORMS: &[Form] = &[
        Form {
            name: "key",
            help: "",
            fields: &[field("id", true), field("secret", true), field("token", false)],
        },
        Form { name: "web", help: "", fields: &[field("role", true), field("jwt", true)] },
    ];

    fn credential(json: serde_json::Value) -> Credential {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn finds_the_form_that_the_values_fill() {
        let form = |json| credential(json).form(FORMS).map(|form| form.map(|form| form.name));
        assert_eq!(form(serde_json::json!({"id": "a", "secret": "b"})).unwrap(), Some("key"));
        assert_eq!(form(serde_json::json!({"role": "a", "jwt": "b"})).unwrap(), Some("web"));
        assert_eq!(form(serde_json::json!({"ambient": true})).unwrap(), None);
    }

    #[test]
    fn names_what_is_missing_and_what_is_unknown() {
        let fields = |json| {
            let findings = credential(json).form(FORMS).unwrap_err();
            findings.iter().map(|finding| finding.field.clone()).collect::<Vec<_>>()
        };
        assert_eq!(fields(serde_json::json!({"id": "a"})), ["credential.secret"]);
        assert_eq!(fields(serde_json::json!({"jwt": "a"})), ["credential.role"]);
        for nothing in ["", " ", "\t\n"] {
            assert_eq!(fields(serde_json::json!({"id": "a", "secret": nothing})), ["credential.secret"]);
        }
        assert_eq!(fields(serde_json::json!({"id": "a", "secrte": "b"})), ["credential.secrte"]);
        assert_eq!(fields(serde_json::json!({"id": "a", "secret": "b", "role": "c"})), ["credential.role"]);
        assert_eq!(fields(serde_json::json!({})), ["credential.id", "credential.secret"]);
    }

    #[test]
    fn what_is_no_text_is_refused_by_the_name_of_its_field() {
        let given = serde_json::json!({"id": 7, "secret": {"hunter2": "x"}, "token": "t", "ambient": false});
        let findings = Credential::from_json(serde_json::from_value(given.clone()).unwrap()).unwrap_err();
        let fields: Vec<_> = findings.iter().map(|finding| finding.field.as_str()).collect();
        assert_eq!(fields, ["credential.ambient", "credential.id", "credential.secret"]);
        let error = serde_json::from_value::<Credential>(given).unwrap_err().to_string();
        assert!(error.contains("credential.secret: must be a text") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn what_stands_in_the_place_of_a_name_is_not_repeated_whole() {
        let secret = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY";
        let error = credential(serde_json::json!({secret: "x", "secret": "b"})).form(FORMS).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("credential.wJalrX…") && !error.contains(secret), "{error}");
    }

    #[test]
    fn debug_shows_no_value() {
        let shown = format!("{:?}", credential(serde_json::json!({"secret": "hunter2"})));
        assert!(shown.contains("secret") && !shown.contains("hunter2"), "{shown}");
    }
}
