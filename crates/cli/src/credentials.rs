//! The credential of a connection from arguments. Which fields are secret, the provider's capabilities say; a secret
//! one never comes as a plain argument.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::Path;

use pmks_api::CredentialValues;
use pmks_model::FailureKind;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

use crate::app::App;
use crate::arguments::CredentialArguments;
use crate::error::{Error, Result};
use crate::secret;

/// A credential form, as `/v1/providers/{provider}` describes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Form {
    name: String,
    fields: Vec<Field>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Field {
    name: String,
    secret: bool,
    required: bool,
    #[serde(default)]
    env: String,
}

/// The credential that these arguments name; `None` if they name none.
///
/// # Errors
/// For a secret as a plain argument, an unknown field without a value, a source that cannot be read. No value is ever repeated.
pub(crate) fn read(
    app: &App,
    arguments: &CredentialArguments,
    provider: &Value,
) -> Result<Option<CredentialValues>> {
    if arguments.ambient {
        return Ok(Some(CredentialValues(BTreeMap::from([("ambient".to_owned(), Value::Bool(true))]))));
    }
    let mut values = BTreeMap::new();
    if let Some(path) = &arguments.credential_file {
        let text = std::fs::read_to_string(path).map_err(|error| Error::file("read", path, &error))?;
        // The error's text could repeat a secret.
        values = serde_json::from_str::<BTreeMap<String, Value>>(&text).map_err(|_| {
            Error::usage(format!("{} is no JSON object of credential fields", path.display()))
        })?;
        refuse_handed_out(path, &values, &forms(provider)?)?;
    }
    if arguments.fields.is_empty() {
        return Ok((!values.is_empty()).then_some(CredentialValues(values)));
    }
    let forms = forms(provider)?;
    for argument in &arguments.fields {
        let (name, value) = field(app, &forms, argument)?;
        if values.insert(name.clone(), Value::String(value.expose_secret().to_owned())).is_some() {
            return Err(Error::usage(format!("credential {name} is given twice")));
        }
    }
    ask_for_rest(&forms, &mut values)?;
    Ok(Some(CredentialValues(values)))
}

/// A file that the cloud handed out may be the value of one field, whole, and not the fields of a form.
fn refuse_handed_out(path: &Path, values: &BTreeMap<String, Value>, forms: &[Form]) -> Result<()> {
    let is_known =
        |name: &String| forms.iter().flat_map(|form| &form.fields).any(|field| field.name == *name);
    let whole: Vec<String> = forms
        .iter()
        .filter_map(|form| match form.fields.as_slice() {
            [field] if field.secret => Some(format!("--credential {}=@{}", field.name, path.display())),
            _ => None,
        })
        .collect();
    let foreign: Vec<&str> = values.keys().filter(|name| !is_known(name)).map(String::as_str).collect();
    if foreign.is_empty() || whole.is_empty() {
        return Ok(());
    }
    let says = format!("{} holds what is no field of a credential: {}", path.display(), foreign.join(", "));
    Err(Error::usage(says)
        .with_fix(format!("a file that the cloud handed out: {}", whole.join("\n       or "))))
}

/// The refusal where a command needs a credential and none is named.
pub(crate) fn missing(provider: &Value) -> Error {
    let says = forms(provider).ok().map(|forms| {
        let form = |form: &Form| {
            let fields: Vec<String> =
                form.fields.iter().filter(|field| field.required).map(example).collect();
            fields.join(" ")
        };
        forms.iter().map(form).collect::<Vec<_>>().join("\n       or ")
    });
    Error::usage("no credential is named")
        .with_fix(format!("{}\n       or --credential-file FILE, or --ambient", says.unwrap_or_default()))
}

fn example(field: &Field) -> String {
    let source = match (field.secret, field.env.as_str()) {
        (true, "") => "@FILE".to_owned(),
        (true, variable) => format!("env:{variable}"),
        (false, _) => "VALUE".to_owned(),
    };
    format!("--credential {}={source}", field.name)
}

fn forms(provider: &Value) -> Result<Vec<Form>> {
    let forms = provider
        .pointer("/credentialForms")
        .or_else(|| provider.pointer("/capabilities/credentialForms"))
        .cloned()
        .unwrap_or_default();
    serde_json::from_value(forms).map_err(|error| {
        Error::new(
            FailureKind::Unexpected,
            format!("the provider's credential forms cannot be read: {error}"),
        )
    })
}

fn field(app: &App, forms: &[Form], argument: &str) -> Result<(String, SecretString)> {
    let (name, value) = match argument.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (argument, None),
    };
    let fields = || forms.iter().flat_map(|form| &form.fields);
    let known = fields().find(|field| field.name == name);
    let value = match value {
        None if known.is_some() => secret::prompt(name)?,
        None => {
            let mut names: Vec<&str> = fields().map(|field| field.name.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            // A name without its value could be a secret on its own.
            let says = format!("what was given is no credential field; known are {}", names.join(", "));
            return Err(Error::usage(says));
        }
        Some(value) if value == "-" || value.starts_with('@') || value.starts_with("env:") => {
            secret::from_source(app, name, value)?
        }
        Some(_) if known.is_some_and(|field| field.secret) => return Err(secret::plain(name)),
        // A field that is not known is refused by the server, with whatever else is wrong.
        Some(value) => SecretString::from(value),
    };
    Ok((name.to_owned(), value))
}

/// On a terminal, the secrets that the form still needs are asked for.
fn ask_for_rest(forms: &[Form], values: &mut BTreeMap<String, Value>) -> Result<()> {
    if !std::io::stdin().is_terminal() {
        return Ok(());
    }
    let fits = |form: &&Form| values.keys().all(|name| form.fields.iter().any(|field| field.name == *name));
    let Some(form) = forms.iter().find(fits) else { return Ok(()) };
    tracing::debug!(form = %form.name, "asking for what the form still needs");
    for field in form.fields.iter().filter(|field| field.required && field.secret) {
        if !values.contains_key(&field.name) {
            let value = secret::prompt(&field.name)?;
            values.insert(field.name.clone(), Value::String(value.expose_secret().to_owned()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pmks_driver::Environment;
    use serde_json::json;

    use super::*;
    use crate::arguments::Cli;
    use clap::Parser as _;
    use proptest::prelude::*;

    fn app(variables: &[(&str, &str)]) -> App {
        let pairs = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        App::new(
            Cli::try_parse_from(["pmks", "man"]).unwrap().global,
            Environment::new(pairs),
            crate::tracing_setup::silent(),
        )
    }

    fn credential(fields: &[&str]) -> Result<Value> {
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        let arguments = CredentialArguments { fields, credential_file: None, ambient: false };
        let provider = json!({"credentialForms": [{"name": "key", "fields": [
            {"name": "id", "secret": false, "required": true},
            {"name": "key", "secret": true, "required": true},
        ]}]});
        let values = read(&app(&[("KEY", "hunter2\n")]), &arguments, &provider)?;
        Ok(json!(values))
    }

    #[test]
    fn a_secret_comes_from_where_nobody_else_sees_it() {
        assert_eq!(credential(&["id=a", "key=env:KEY"]).unwrap(), json!({"id": "a", "key": "hunter2"}));
    }

    #[test]
    fn a_file_that_the_cloud_handed_out_is_named_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.json");
        std::fs::write(&path, r#"{"client_email": "a", "token_uri": "hunter2"}"#).unwrap();
        let field = |name| json!({"name": name, "secret": true, "required": true});
        let provider = |forms: &[Value]| json!({"credentialForms": forms});
        let parts = json!({"name": "parts", "fields": [field("client_email"), field("private_key")]});
        let whole = json!({"name": "key", "fields": [field("serviceAccountKey")]});
        let arguments =
            CredentialArguments { fields: Vec::new(), credential_file: Some(path.clone()), ambient: false };
        let error = read(&app(&[]), &arguments, &provider(&[parts.clone(), whole])).unwrap_err().text();
        assert!(error.contains("--credential serviceAccountKey=@") && error.contains("token_uri"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
        // Where no form is one field, the server tells all that is wrong.
        assert!(read(&app(&[]), &arguments, &provider(&[parts])).unwrap().is_some());
    }

    #[test]
    fn refusals_repeat_no_value() {
        for fields in [&["key=hunter2"][..], &["hunter2"], &["id=a", "key=env:NOWHERE"]] {
            let error = credential(fields).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{fields:?}");
            assert!(!error.text().contains("hunter2"), "{}", error.text());
        }
    }

    proptest! {
        #![proptest_config(crate::properties::cases(300))]
        #[test]
        fn no_secret_that_stands_on_the_command_line_is_repeated(before in "\\PC{0,6}", after in "\\PC{0,6}") {
            prop_assume!(!before.starts_with('@') && !before.starts_with("env:"));
            let secret = format!("{before}hunter2{after}");
            for argument in [format!("key={secret}"), secret.replace('=', "")] {
                let error = credential(&["id=a", &argument]).unwrap_err();
                prop_assert!(!error.text().contains("hunter2"), "{}: {}", argument, error.text());
            }
        }
    }
}
