//! `pmks api-token`, `pmks audit`, `pmks log-level` and `pmks master-key`.

use std::collections::BTreeSet;

use http::Method;
use pmks_api::{LogLevel, NewApiToken};
use pmks_model::FailureKind;
use serde_json::Value;

use super::{body, print_list, print_one};
use crate::app::App;
use crate::arguments::{ApiTokenCommand, AuditCommand, LogLevelCommand, MasterKeyCommand, Output};
use crate::client::{Path, Request};
use crate::data_directory::{Holder, Wanted};
use crate::error::{Error, Result};
use crate::house;
use crate::mutations::print_own_plan;
use crate::output::{self, Kind};

pub(super) async fn api_token(app: &App, command: ApiTokenCommand) -> Result<()> {
    match command {
        ApiTokenCommand::Create { name, role, connections, expires_in, own } => {
            let expires_at = expires_in.map(|time| end(app, time)).transpose()?;
            let connections = scope(app.global.connection.as_deref(), connections);
            let says =
                connections.as_ref().map_or_else(|| "all connections".to_owned(), |names| names.join(", "));
            if own.plan {
                let does = format!("token {name} of role {role}, for {}", output::clean(&says));
                return print_own_plan(app, "apiToken.create", &[does], &[]);
            }
            let token = NewApiToken { name, role, connections, expires_at };
            let request = Request::new(Method::POST, Path::v1(["apiTokens"])).json(body(&token)?);
            let made = app.session().await?.client.send(request).await?.body;
            output::note(&output::clean(&format!("it may act on: {says}")));
            print_token(app, &made)
        }
        ApiTokenCommand::List => print_list(app, Path::v1(["apiTokens"]), Kind::ApiToken).await,
        ApiTokenCommand::Revoke { name, own } if own.plan => plan_revoke(app, &name).await,
        ApiTokenCommand::Revoke { name, own: _ } => {
            let request = Request::new(Method::DELETE, Path::v1(["apiTokens", &name]));
            app.session().await?.client.send(request).await?;
            output::note(&format!("token {name} is no longer accepted"));
            Ok(())
        }
    }
}

async fn plan_revoke(app: &App, name: &str) -> Result<()> {
    let tokens = app.session().await?.client.list(Path::v1(["apiTokens"])).await?;
    let is_it = |token: &Value| ["name", "id"].iter().any(|key| token.get(key).is_some_and(|is| is == name));
    if !tokens.iter().any(is_it) {
        return Err(Error::new(FailureKind::NotFound, format!("there is no token {name:?}")));
    }
    print_own_plan(app, "apiToken.revoke", &[format!("token {name} is accepted no longer")], &[])
}

/// When that time from now is over.
fn end(app: &App, time: std::time::Duration) -> Result<String> {
    let end = app.clock.wall().checked_add(time);
    Ok(end.map_err(|_| Error::usage("--expires-in is too far away"))?.to_string())
}

/// What a token may act on; `None`: all. `-c NAME` narrows it as every other command, and is never passed over: a token
/// that may do more than was asked for would not be noticed. `-` is all of them.
fn scope(connection: Option<&str>, further: Vec<String>) -> Option<Vec<String>> {
    let narrows = connection.filter(|name| !name.is_empty() && *name != "-");
    let names: BTreeSet<String> = narrows.map(str::to_owned).into_iter().chain(further).collect();
    Some(names.into_iter().collect::<Vec<_>>()).filter(|names| !names.is_empty())
}

/// The token alone on standard output, so that a script can keep it.
fn print_token(app: &App, made: &Value) -> Result<()> {
    if matches!(app.global.output, Output::Json | Output::Yaml) {
        return output::structured(app.global.output, made);
    }
    output::note("this token is shown once; pmks keeps only a hash of it");
    output::data(made.get("token").and_then(Value::as_str).unwrap_or_default())
}

/// How many lines of the audit are shown where nobody says how many.
const USUAL_LINES: u32 = 100;
/// The most that one page of them holds.
const LARGEST_PAGE: usize = 1000;

pub(super) async fn audit(app: &App, command: &AuditCommand) -> Result<()> {
    let AuditCommand::List { since, until, limit } = *command;
    let most = limit.or(if since.is_none() { Some(USUAL_LINES) } else { None }).map(|most| most as usize);
    let mut path = Path::v1(["audit"]);
    for (name, moment) in [("since", since), ("until", until)] {
        if let Some(moment) = moment {
            path = path.query(name, &moment.seen_at(app.clock.wall()).to_string());
        }
    }
    let page = most.unwrap_or(LARGEST_PAGE).min(LARGEST_PAGE);
    let path = path.query("pageSize", &page.to_string());
    let lines = app.session().await?.client.list_at_most(path, most).await?;
    output::items(app.form(), Kind::Audit, &lines)
}

pub(super) async fn log_level(app: &App, command: LogLevelCommand) -> Result<()> {
    let path = Path::v1(["logLevel"]);
    match command {
        LogLevelCommand::Get => print_one(app, path, Kind::LogLevel).await,
        LogLevelCommand::Set { filter, own } if own.plan => {
            let does = format!("the server logs by {filter:?}");
            print_own_plan(app, "logLevel.set", &[does], &["until it is changed again or the server ends"])
        }
        LogLevelCommand::Set { filter, own: _ } => {
            let request = Request::new(Method::PUT, path).json(body(&LogLevel { filter })?);
            let answer = app.session().await?.client.send(request).await?;
            output::item(app.form(), Kind::LogLevel, &answer.body)
        }
    }
}

/// Makes a new master key and wraps every data key with it.
pub(super) async fn master_key(app: &App, command: &MasterKeyCommand) -> Result<()> {
    let MasterKeyCommand::Rotate(own) = command;
    if app.global.server.is_some() {
        let says = "a master key is rotated on its own machine, and --server names another place";
        return Err(Error::usage(says).with_fix("run it where the data directory is, without --server"));
    }
    if own.plan {
        let file = house::master_key_file(app);
        let does =
            format!("a new master key in {}, and every credential's key wrapped by it", file.display());
        return print_own_plan(app, "masterKey.rotate", &[does], &["it is refused while a server runs"]);
    }
    let lock = match app.data.hold(&*app.clock, std::time::Duration::ZERO, Wanted::Work).await? {
        Holder::Us(lock) => lock,
        Holder::Server(server) => {
            let says = format!("a server works on this data directory: {}", server.url);
            return Err(Error::new(FailureKind::Conflict, says).with_fix("stop it first"));
        }
    };
    let rotated = house::rotate(app).await;
    drop(lock);
    rotated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_connection_narrows_a_token() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(scope(Some("a"), vec![]), Some(names(&["a"])));
        assert_eq!(scope(Some("a"), names(&["b"])), Some(names(&["a", "b"])));
        assert_eq!(scope(None, names(&["b"])), Some(names(&["b"])));
        assert_eq!(scope(Some("-"), vec![]), None);
        assert_eq!(scope(None, vec![]), None);
    }
}
