//! `pmks connection`.

use std::path::Path as FilePath;

use http::Method;
use pmks_api::{ConnectionPatch, NewConnection, Prerequisite, PrerequisiteState, Validation};
use serde_json::{Value, json};

use super::{body, pairs, patch, plan_record, print_list, print_one};
use crate::app::App;
use crate::arguments::{ConnectionCommand, ConnectionCreate, ConnectionUpdate, Mutation, Output};
use crate::client::{Client, Path, Request, shaped};
use crate::error::{Error, Result};
use crate::mutations::{carry_out, confirm, print_plan};
use crate::output::{self, Kind};
use crate::{conformance, credentials, shell};

pub(super) async fn run(app: &App, command: ConnectionCommand) -> Result<()> {
    match command {
        ConnectionCommand::Create(create) => Box::pin(make(app, *create)).await,
        ConnectionCommand::List => print_list(app, Path::v1(["connections"]), Kind::Connection).await,
        ConnectionCommand::Get { name } => print_one(app, path(&name), Kind::Connection).await,
        ConnectionCommand::Update(update) => change(app, *update).await,
        ConnectionCommand::Delete { name, yes, own } => {
            conformance::nothing_is_left_at(app, &name)?;
            let what = format!("connection {name}");
            let request = Request::new(Method::DELETE, path(&name));
            if own.plan {
                return plan_record(app, request).await;
            }
            confirm(yes, &format!("delete {what}"))?;
            app.session().await?.client.send(request).await?;
            output::note(&format!("{what} is deleted"));
            Ok(())
        }
        ConnectionCommand::Validate { name } => {
            let session = app.session().await?;
            let answer = validation(&session.client, &name).await?;
            print_validation(app, &name, &answer)
        }
        ConnectionCommand::Prerequisites { name, fix, cluster, mutation } => {
            prerequisites(app, &name, fix, cluster.as_deref(), &mutation).await
        }
    }
}

fn path(name: &str) -> Path {
    Path::v1(["connections", name])
}

async fn make(app: &App, create: ConnectionCreate) -> Result<()> {
    let session = app.session().await?;
    let client = &session.client;
    let provider = client.get(Path::v1(["providers", &create.provider])).await?;
    let credential = credentials::read(app, &create.credential, &provider)?
        .ok_or_else(|| credentials::missing(&provider))?;
    let connection = NewConnection {
        name: create.name,
        provider: create.provider,
        region: create.region,
        zone: create.zone,
        pace: create.pace,
        credential,
        endpoints: pairs::texts("endpoint", &create.endpoints)?,
        ca_certificate: create.ca_file.as_deref().map(certificates).transpose()?,
        settings: pairs::options("setting", &create.settings)?,
    };
    if create.own.plan {
        return plan_make(app, client, &connection, create.no_validate).await;
    }
    let request = Request::new(Method::POST, Path::v1(["connections"])).json(body(&connection)?);
    let mut made = client.send(request).await?.body;
    if !create.no_validate {
        check(client, &connection.name).await?;
        made = client.get(path(&connection.name)).await?;
    }
    output::item(app.form(), Kind::Connection, &made)
}

async fn plan_make(app: &App, client: &Client, connection: &NewConnection, unasked: bool) -> Result<()> {
    let path = Path::v1(["connections"]).query("dryRun", "plan");
    let mut plan = client.send(Request::new(Method::POST, path).json(body(connection)?)).await?.body;
    if let Some(stages) = plan.pointer_mut("/stages").and_then(Value::as_array_mut)
        && !unasked
    {
        let name = "a question to the cloud whether the credential works";
        stages.push(json!({"name": name, "after": [], "expectedSeconds": 0}));
    }
    print_plan(app, plan)
}

/// Asks the cloud whether the credential works; a connection that does not is taken back.
async fn check(client: &Client, name: &str) -> Result<()> {
    let refused = match validation(client, name).await {
        Ok(answer) => {
            let validation: Validation = shaped(answer)?;
            match validation.error {
                Some(problem) if !validation.valid => Error::Problem(Box::new(problem)),
                _ => {
                    note_missing(name, &validation.prerequisites);
                    return Ok(());
                }
            }
        }
        Err(error) => error,
    };
    client.send(Request::new(Method::DELETE, path(name))).await?;
    output::note("the connection was not kept; --no-validate keeps it without asking the cloud");
    Err(refused)
}

fn note_missing(name: &str, prerequisites: &[Prerequisite]) {
    let missing: Vec<&str> = prerequisites
        .iter()
        .filter(|prerequisite| prerequisite.state == PrerequisiteState::Missing)
        .map(|prerequisite| prerequisite.name.as_str())
        .collect();
    if !missing.is_empty() {
        output::note(&format!(
            "missing in the account: {}; see `pmks connection prerequisites {}`, --fix makes them",
            missing.join(", "),
            shell::operand(name)
        ));
    }
}

async fn change(app: &App, update: ConnectionUpdate) -> Result<()> {
    let session = app.session().await?;
    let client = &session.client;
    let connection = client.get(path(&update.name)).await?;
    let provider = connection.get("provider").and_then(Value::as_str).unwrap_or_default();
    let provider = client.get(Path::v1(["providers", provider])).await?;
    let change = ConnectionPatch {
        region: None,
        zone: update.zone,
        pace: update.pace,
        credential: credentials::read(app, &update.credential, &provider)?,
        endpoints: Some(pairs::texts("endpoint", &update.endpoints)?).filter(|all| !all.is_empty()),
        ca_certificate: update.ca_file.as_deref().map(certificates).transpose()?,
        settings: Some(pairs::option_changes("setting", &update.settings)?).filter(|all| !all.is_empty()),
    };
    let body = body(&change)?;
    if body.as_object().is_some_and(serde_json::Map::is_empty) {
        return Err(Error::usage("nothing to change"));
    }
    if update.own.plan {
        let path = path(&update.name).query("dryRun", "plan");
        return print_plan(app, client.send(patch(path, body)?).await?.body);
    }
    let changed = client.send(patch(path(&update.name), body)?).await?.body;
    output::item(app.form(), Kind::Connection, &changed)
}

fn certificates(path: &FilePath) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| Error::file("read", path, &error))
}

async fn validation(client: &Client, name: &str) -> Result<Value> {
    Ok(client.send(Request::new(Method::POST, path(name).join("validate"))).await?.body)
}

fn print_validation(app: &App, name: &str, answer: &Value) -> Result<()> {
    let form = app.form();
    let rows = answer.get("prerequisites").and_then(Value::as_array).cloned().unwrap_or_default();
    let validation: Validation = shaped(answer.clone())?;
    if validation.valid {
        output::note("the cloud accepts the credential");
        note_missing(name, &validation.prerequisites);
    }
    if matches!(form.output, Output::Json | Output::Yaml) {
        output::structured(form.output, answer)?;
    } else {
        if let Some(account) = &validation.account {
            output::note(&format!("account {}, acting as {}", account.account, account.principal));
        }
        output::items(form, Kind::Prerequisite, &rows)?;
    }
    for missed in &validation.missed {
        output::note(&format!("could not be looked at: {}", output::clean(&missed.detail)));
    }
    match validation.error {
        Some(problem) if !validation.valid => Err(Error::Problem(Box::new(problem))),
        _ => Ok(()),
    }
}

async fn prerequisites(
    app: &App,
    name: &str,
    fix: bool,
    cluster: Option<&str>,
    how: &Mutation,
) -> Result<()> {
    let path = path(name).join("prerequisites");
    if fix || how.plan {
        let body = cluster.map_or_else(|| json!({}), |cluster| json!({"cluster": cluster}));
        return carry_out(app, how, Request::new(Method::POST, path.join("fix")).json(body)).await;
    }
    let path = match cluster {
        Some(cluster) => path.query("cluster", cluster),
        None => path,
    };
    let answer = app.session().await?.client.get(path).await?;
    let form = app.form();
    if matches!(form.output, Output::Json | Output::Yaml) {
        return output::structured(form.output, &answer);
    }
    let rows = answer.get("prerequisites").and_then(Value::as_array).cloned().unwrap_or_default();
    output::items(form, Kind::Prerequisite, &rows)
}
