//! `pmks api-token`, `pmks audit` and `pmks master-key`.

use http::Method;
use pmks_api::NewApiToken;
use serde_json::Value;

use super::{body, print_list};
use crate::app::App;
use crate::arguments::{ApiTokenCommand, AuditCommand, MasterKeyCommand, Output};
use crate::client::{Path, Request};
use crate::data_directory::Holder;
use crate::error::{Error, Result};
use crate::house;
use crate::output::{self, Kind};

pub(super) async fn api_token(app: &App, command: ApiTokenCommand) -> Result<()> {
    match command {
        ApiTokenCommand::Create { name, role, connections } => {
            let connections = Some(connections).filter(|names| !names.is_empty());
            let token = NewApiToken { name, role, connections };
            let request = Request::new(Method::POST, Path::v1(["apiTokens"])).json(body(&token)?);
            let made = app.session().await?.client.send(request).await?.body;
            print_token(app, &made)
        }
        ApiTokenCommand::List => print_list(app, Path::v1(["apiTokens"]), Kind::ApiToken).await,
        ApiTokenCommand::Revoke { name } => {
            let request = Request::new(Method::DELETE, Path::v1(["apiTokens", &name]));
            app.session().await?.client.send(request).await?;
            output::note(&format!("token {name} is no longer accepted"));
            Ok(())
        }
    }
}

/// The token alone on standard output, so that a script can keep it.
fn print_token(app: &App, made: &Value) -> Result<()> {
    if matches!(app.global.output, Output::Json | Output::Yaml) {
        return output::structured(app.global.output, made);
    }
    output::note("this token is shown once; pmks keeps only a hash of it");
    output::data(made.get("token").and_then(Value::as_str).unwrap_or_default())
}

pub(super) async fn audit(app: &App, command: &AuditCommand) -> Result<()> {
    let AuditCommand::List = command;
    print_list(app, Path::v1(["audit"]), Kind::Audit).await
}

/// Makes a new master key and wraps every data key with it.
pub(super) async fn master_key(app: &App, command: &MasterKeyCommand) -> Result<()> {
    let MasterKeyCommand::Rotate = command;
    let lock = match app.data.hold(&*app.clock, std::time::Duration::ZERO).await? {
        Holder::Us(lock) => lock,
        Holder::Server(server) => {
            let says = format!("a server works on this data directory: {}", server.url);
            return Err(Error::new(pmks_model::FailureKind::Conflict, says).with_fix("stop it first"));
        }
    };
    let rotated = house::rotate(app).await;
    drop(lock);
    rotated
}
