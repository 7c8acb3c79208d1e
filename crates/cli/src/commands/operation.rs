//! `pmks operation`.

use http::Method;
use pmks_api::{Operation, RetryOperation};
use serde_json::Value;

use super::{body, print_list};
use crate::app::App;
use crate::arguments::{Mutation, OperationCommand, Output};
use crate::client::{Path, Request, shaped};
use crate::data_directory::{Holder, Wanted};
use crate::error::{Error, Result};
use crate::local::Local;
use crate::mutations::{finish, print_own_plan, watch};
use crate::output::{self, Kind};
use crate::progress::Look;
use crate::wait::{Waiter, judge};

pub(super) async fn run(app: &App, command: OperationCommand) -> Result<()> {
    match command {
        OperationCommand::List { resource, kind, state } => {
            let mut path = Path::v1(["operations"]);
            let connection = app.global.connection.clone().filter(|name| name != "-");
            let filters =
                [("connection", connection), ("resource", resource), ("kind", kind), ("state", state)];
            for (name, value) in filters {
                if let Some(value) = value {
                    path = path.query(name, &value);
                }
            }
            print_list(app, path, Kind::Operation).await
        }
        OperationCommand::Get { id } => show(app, &id).await,
        OperationCommand::Watch { id } => watch(app, &id).await,
        OperationCommand::Cancel { id, own } if own.plan => plan_cancel(app, &id).await,
        OperationCommand::Cancel { id, own: _ } => {
            let request = Request::new(Method::POST, path(&id).join("cancel"));
            let operation = app.session().await?.client.send(request).await?.body;
            output::item(app.form(), Kind::Operation, &operation)
        }
        OperationCommand::Retry { id, own, .. } if own.plan => plan_retry(app, &id).await,
        OperationCommand::Retry { id, choice, no_wait, wait_timeout, own: _ } => {
            let how = Mutation { no_wait, wait_timeout, ..Mutation::default() };
            let session =
                if no_wait { app.session_that_stays().await? } else { app.session_that_works(false).await? };
            let body = body(&RetryOperation { choice })?;
            let request = Request::new(Method::POST, path(&id).join("retry")).json(body);
            let operation = shaped(session.client.send(request).await?.body)?;
            finish(app, &how, session, operation).await
        }
        OperationCommand::Resume { id } => resume(app, id.as_deref()).await,
    }
}

fn path(id: &str) -> Path {
    Path::v1(["operations", id])
}

async fn plan_cancel(app: &App, id: &str) -> Result<()> {
    let operation: Operation = shaped(app.session().await?.client.get(path(id)).await?)?;
    if crate::wait::is_over(&operation) && operation.state != "blocked" {
        return print_own_plan(
            app,
            "operation.cancel",
            &[],
            &[&format!("it has {} already", operation.state)],
        );
    }
    let does = format!("end of {} {} at its next safe stage", operation.kind, operation.resource.name);
    print_own_plan(app, "operation.cancel", &[does], &["what it made stays; nothing is deleted"])
}

async fn plan_retry(app: &App, id: &str) -> Result<()> {
    let operation: Operation = shaped(app.session().await?.client.get(path(id)).await?)?;
    if !matches!(operation.state.as_str(), "failed" | "blocked") {
        let says = format!("it is neither failed nor blocked, but {}", operation.state);
        return print_own_plan(app, "operation.retry", &[], &[&says]);
    }
    let left = operation.stages.iter().filter(|stage| stage.state != "succeeded");
    let does: Vec<String> = left.map(|stage| stage.name.clone()).collect();
    print_own_plan(app, "operation.retry", &does, &["these stages of the operation would be run"])
}

/// One operation; its stages below it where tables are printed.
async fn show(app: &App, id: &str) -> Result<()> {
    let operation = app.session().await?.client.get(path(id)).await?;
    let form = app.form();
    output::item(form, Kind::Operation, &operation)?;
    if matches!(form.output, Output::Table | Output::Wide) {
        let stages = operation.get("stages").and_then(Value::as_array).cloned().unwrap_or_default();
        output::data("")?;
        output::items(form, Kind::Stage, &stages)?;
        let remains = operation.get("remains").and_then(Value::as_array).cloned().unwrap_or_default();
        if !remains.is_empty() {
            output::data("")?;
            output::items(form, Kind::Remains, &remains)?;
        }
    }
    Ok(())
}

/// Carries on what an ended process left, in this process.
async fn resume(app: &App, id: Option<&str>) -> Result<()> {
    if app.global.server.is_some() {
        return Err(Error::usage("a server carries its operations on by itself; leave --server out"));
    }
    let lock = match app.data.hold(&*app.clock, std::time::Duration::ZERO, Wanted::Work).await? {
        Holder::Us(lock) => lock,
        Holder::Server(server) => {
            output::note(&format!("the server at {} carries them on", server.url));
            return Ok(());
        }
    };
    let local = Local::open(app, lock).await?;
    let only = id
        .map(|id| id.parse().map_err(|_| Error::usage(format!("{id:?} is no operation's id"))))
        .transpose()?;
    let engine = local.carry_on(only).await?;
    let mut unfinished = Vec::new();
    match id {
        Some(id) => unfinished.push(engine.client.get(path(id)).await?),
        None => {
            for state in ["running", "queued"] {
                unfinished.extend(engine.client.list(Path::v1(["operations"]).query("state", state)).await?);
            }
        }
    }
    if unfinished.is_empty() {
        output::note("nothing is unfinished");
    }
    let ended = see_all_through(app, &engine.client, unfinished).await;
    engine.stop().await;
    ended
}

/// The first failure is the command's, once all have ended.
async fn see_all_through(app: &App, client: &crate::client::Client, operations: Vec<Value>) -> Result<()> {
    let waiter = Waiter {
        client: client.clone(),
        clock: std::sync::Arc::clone(&app.clock),
        timeout: None,
        away: crate::wait::AWAY,
        look: Look { no_color: app.no_color(), brief: false },
    };
    let mut result = Ok(());
    for operation in operations {
        let operation: Operation = shaped(operation)?;
        let ended = waiter.until_over(operation).await?;
        crate::mutations::print_operation(app, &ended)?;
        result = result.and(judge(ended).map(drop));
    }
    result
}
