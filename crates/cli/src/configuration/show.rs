//! `pmks config show`: every setting, its effective value and where it comes from. Secrets are masked.

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches};
use serde_json::{Value, json};
use url::Url;

use super::Configuration;
use crate::app::App;
use crate::house;
use crate::serve::USUAL_ADDRESS;

/// Variables that are read and have no flag, because a flag would show them to every process of the machine.
const SECRET_VARIABLES: [&str; 3] = ["PMKS_TOKEN", "PMKS_PASSWORD", "PMKS_MASTER_KEY"];

/// The settings as rows of `name`, `value` and `source`.
pub(crate) fn show(configuration: &Configuration, matches: &ArgMatches, app: &App) -> Vec<Value> {
    let environment = &app.environment;
    let settings = super::settings(&configuration.grammar);
    let mut rows: Vec<Value> =
        settings.iter().map(|setting| row(setting, configuration, matches, app)).collect();
    if let Some(user) = environment.get("PMKS_USERNAME") {
        rows.push(json!({"name": "username", "value": user, "source": "variable PMKS_USERNAME"}));
    }
    for variable in SECRET_VARIABLES.iter().filter(|variable| environment.get(variable).is_some()) {
        let name = variable.trim_start_matches("PMKS_").to_lowercase().replace('_', "-");
        rows.push(json!({"name": name, "value": "***", "source": format!("variable {variable}")}));
    }
    rows
}

fn row(setting: &Arg, configuration: &Configuration, matches: &ArgMatches, app: &App) -> Value {
    let key = setting.get_long().unwrap_or_default();
    let id = setting.get_id().as_str();
    let flag = Some(innermost(matches))
        .filter(|matches| matches.try_contains_id(id).is_ok())
        .filter(|matches| matches.value_source(id) == Some(ValueSource::CommandLine))
        .and_then(|matches| matches.try_get_raw(id).ok().flatten())
        .map(|values| values.map(|value| value.to_string_lossy().into_owned()).collect::<Vec<_>>().join(","));
    let variable = setting.get_env().and_then(|name| name.to_str()).unwrap_or_default();
    let (value, source) = if let Some(value) = flag {
        (value, "flag".to_owned())
    } else if let Some(value) = app.environment.get(variable) {
        (value.to_owned(), format!("variable {variable}"))
    } else if let Some(values) = configuration.file.get(key) {
        let path = configuration.file.path().map(|path| path.display().to_string()).unwrap_or_default();
        (values.join(","), format!("file {path}"))
    } else {
        (default(setting, key, app), "default".to_owned())
    };
    json!({"name": key, "value": masked(&value), "source": source})
}

/// What is taken where nobody says anything; places are found out for each user.
fn default(setting: &Arg, key: &str, app: &App) -> String {
    match key {
        "data-dir" => app.data.path().display().to_string(),
        "database" => format!("sqlite:{}", app.data.file("pmks.db").display()),
        "master-key-file" => house::master_key_file(app).display().to_string(),
        "listen" => USUAL_ADDRESS.to_string(),
        _ if matches!(setting.get_action(), ArgAction::SetTrue) => "false".to_owned(),
        _ => {
            let values =
                setting.get_default_values().iter().map(|value| value.to_string_lossy().into_owned());
            values.collect::<Vec<_>>().join(",")
        }
    }
}

/// Global flags are found at the innermost command.
fn innermost(matches: &ArgMatches) -> &ArgMatches {
    let mut innermost = matches;
    while let Some((_, matches)) = innermost.subcommand() {
        innermost = matches;
    }
    innermost
}

/// A URL's password is never shown.
fn masked(value: &str) -> String {
    match Url::parse(value) {
        Ok(mut url) if url.password().is_some() => {
            if url.set_password(Some("***")).is_err() {
                return "***".to_owned();
            }
            url.to_string()
        }
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_of_urls_are_masked() {
        assert_eq!(masked("postgres://user:hunter2@host/db"), "postgres://user:***@host/db");
        assert_eq!(masked("127.0.0.1:1024"), "127.0.0.1:1024");
    }
}
