//! `pmks login`, and who a client says it is: `PMKS_TOKEN`, else the login file, else the data directory, else the
//! administrator of `PMKS_USERNAME` and `PMKS_PASSWORD`.
//!
//! The token of the data directory goes to the server of the data directory alone.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pmks_model::FailureKind;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::app::App;
use crate::arguments::Login;
use crate::client::{Authorization, Client, HttpDoor, Path};
use crate::error::{Error, Result};
use crate::{output, paths, private_file, secret};

/// The login file: tokens by the origin of their server.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Logins {
    servers: BTreeMap<String, String>,
}

/// Keeps the token of a server, once the server has accepted it.
pub(crate) async fn run(app: &App, login: &Login) -> Result<()> {
    let token = match &login.token {
        Some(source) => secret::from_source(app, "token", source),
        None => secret::prompt("token"),
    }
    .map_err(|error| {
        error.with_fix("give --token @FILE, --token env:VARIABLE or --token - (standard input)")
    })?;
    let who = Authorization::Token(token.clone());
    let door = HttpDoor::new(&login.url, Some(&who), app.global.server_ca.as_deref())?;
    Client::new(std::sync::Arc::new(door)).get(Path::v1(["providers"])).await?;
    let mut logins = read(app)?;
    logins.servers.insert(origin(&login.url), secrecy::ExposeSecret::expose_secret(&token).to_owned());
    let path = file(app);
    if let Some(folder) = path.parent() {
        private_file::folder(folder)?;
    }
    let text = serde_json::to_string_pretty(&logins)
        .map_err(|error| Error::new(FailureKind::Unexpected, error.to_string()))?;
    private_file::replace(&path, &text)?;
    output::note(&format!("logged in: commands with --server {} use this token", login.url));
    Ok(())
}

/// Who a client says it is to that server; `own`: it is the server of our data directory.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn credential(app: &App, url: &Url, own: bool) -> Result<Option<Authorization>> {
    let token = |text: &str| Some(Authorization::Token(SecretString::from(text.trim())));
    if let Some(text) = app.environment.get("PMKS_TOKEN") {
        return Ok(token(text));
    }
    if let Some(text) = read(app)?.servers.get(&origin(url)) {
        return Ok(token(text));
    }
    if own && let Some(token) = of_data_directory(app)? {
        return Ok(Some(token));
    }
    match (app.environment.get("PMKS_USERNAME"), app.environment.get("PMKS_PASSWORD")) {
        (Some(username), Some(password)) => Ok(Some(Authorization::Basic {
            username: username.to_owned(),
            password: SecretString::from(password),
        })),
        (None, None) => Ok(None),
        (Some(_), None) | (None, Some(_)) => {
            Err(Error::usage("PMKS_USERNAME and PMKS_PASSWORD belong together: one of them is missing"))
        }
    }
}

/// The token of the data directory, which goes to its own server alone.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn of_data_directory(app: &App) -> Result<Option<Authorization>> {
    let text = private_file::read_if_any(&app.data.token_file())?;
    Ok(text.map(|text| Authorization::Token(SecretString::from(text.trim()))))
}

fn read(app: &App) -> Result<Logins> {
    let path = file(app);
    let Some(text) = private_file::read_if_any(&path)? else { return Ok(Logins::default()) };
    // The error's text could repeat a token.
    serde_json::from_str(&text).map_err(|_| {
        Error::new(FailureKind::Unexpected, format!("{} cannot be read", path.display()))
            .with_fix("remove it and run `pmks login URL` again")
    })
}

fn file(app: &App) -> PathBuf {
    paths::configuration_folder(&app.environment).join("logins.json")
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}
