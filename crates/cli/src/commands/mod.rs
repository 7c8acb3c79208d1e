//! What each command does: a file a noun. Each asks `/v1` and prints; none decides what a cloud is asked.

mod cluster;
mod cluster_body;
mod connection;
mod discovery;
mod installation;
mod key_pair;
mod network;
mod node;
mod node_group;
mod operation;
mod pages;
mod pairs;
mod provider;
mod security_group;
mod subnet;

pub(crate) use pages::{completion, explain, manual};

use http::{Method, StatusCode, header};
use pmks_api::TagsPatch;
use pmks_model::FailureKind;
use serde_json::{Value, json};

use crate::app::App;
use crate::arguments::{Command, Import, Mutation, OwnPlan};
use crate::client::{Client, Path, Request};
use crate::error::{Error, Result};
use crate::mutations::{carry_out, confirm, print_own_plan, print_plan};
use crate::output::{self, Kind};

/// Runs a command that asks `/v1`. The others are run by `main`.
pub(crate) async fn run(app: &App, command: Command) -> Result<()> {
    match command {
        Command::Provider(command) => provider::run(app, command).await,
        Command::Connection(command) => Box::pin(connection::run(app, command)).await,
        Command::Network(command) => network::run(app, command).await,
        Command::Subnet(command) => subnet::run(app, command).await,
        Command::SecurityGroup(command) => security_group::run(app, command).await,
        Command::KeyPair(command) => key_pair::run(app, command).await,
        Command::KubernetesVersion(command) => discovery::run(app, &command, "versions", Kind::Version).await,
        Command::MachineType(command) => {
            discovery::run(app, &command, "machineTypes", Kind::MachineType).await
        }
        Command::Image(command) => discovery::run(app, &command, "images", Kind::Image).await,
        Command::Region(command) => discovery::run(app, &command, "regions", Kind::Region).await,
        Command::Cluster(command) => Box::pin(cluster::run(app, command)).await,
        Command::NodeGroup(command) => node_group::run(app, command).await,
        Command::Node(command) => node::run(app, command).await,
        Command::Operation(command) => Box::pin(operation::run(app, command)).await,
        Command::ApiToken(command) => installation::api_token(app, command).await,
        Command::Audit(command) => installation::audit(app, &command).await,
        Command::LogLevel(command) => installation::log_level(app, command).await,
        Command::MasterKey(command) => installation::master_key(app, &command).await,
        // `main` runs these itself: they need no session, or live longer than one.
        Command::Explain(_)
        | Command::Demo(_)
        | Command::Serve(_)
        | Command::Simulate(_)
        | Command::Conformance(_)
        | Command::Token(_)
        | Command::ImportSpider(_)
        | Command::Login(_)
        | Command::Spctl(_)
        | Command::Config(_)
        | Command::Completion(_)
        | Command::Man => Ok(()),
    }
}

/// The path of something that belongs to the command's connection.
fn within(app: &App, segments: &[&str]) -> Result<Path> {
    let connection = app.connection()?;
    Ok(Path::v1(["connections", connection].into_iter().chain(segments.iter().copied())))
}

/// Prints every page of a list.
async fn print_list(app: &App, path: Path, kind: Kind) -> Result<()> {
    let items = app.session().await?.client.list(path).await?;
    output::items(app.form(), kind, &items)
}

/// Prints one thing.
async fn print_one(app: &App, path: Path, kind: Kind) -> Result<()> {
    let item = app.session().await?.client.get(path).await?;
    output::item(app.form(), kind, &item)
}

/// Removes something, once confirmed.
async fn delete(app: &App, how: &Mutation, path: Path, what: &str) -> Result<()> {
    if !how.plan {
        confirm(how.yes, &format!("delete {what}"))?;
    }
    carry_out(app, how, Request::new(Method::DELETE, path)).await
}

/// Drops a record, or shows that it would be dropped.
async fn forget(app: &App, own: OwnPlan, path: Path, what: &str) -> Result<()> {
    drop_record(app, own, Request::new(Method::POST, path.join("forget")), what).await
}

async fn drop_record(app: &App, own: OwnPlan, request: Request, what: &str) -> Result<()> {
    if own.plan {
        return plan_record(app, request).await;
    }
    app.session().await?.client.send(request).await?;
    output::note(&format!("{what} is forgotten; the cloud was left alone"));
    Ok(())
}

/// Shows what a request that changes a record alone would do.
async fn plan_record(app: &App, request: Request) -> Result<()> {
    let plan = app.session().await?.client.send(request.query("dryRun", "plan")).await?.body;
    print_plan(app, plan)
}

/// Whether something is there already that is to be made.
async fn require_none(client: &Client, path: Path, what: &str) -> Result<()> {
    match client.get(path).await {
        Ok(_) => Err(Error::new(FailureKind::AlreadyExists, format!("{what} is there already"))),
        Err(error) if error.is(FailureKind::NotFound) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Keeps a record of something that exists.
async fn import(app: &App, path: Path, import: &Import, kind: Kind) -> Result<()> {
    let Import { name, system_id, own } = import;
    let session = app.session().await?;
    if own.plan {
        require_none(&session.client, path.join(name), name).await?;
        let does = format!("a record of {} as {name}", output::clean(system_id));
        return print_own_plan(
            app,
            "import",
            &[does],
            &["the cloud is not asked yet", "nothing changes there"],
        );
    }
    let body = json!({"name": name, "systemId": system_id});
    let answer = session.client.send(Request::new(Method::POST, path).json(body)).await?;
    match answer.status {
        StatusCode::ACCEPTED => output::item(app.form(), Kind::Operation, &answer.body),
        _ => output::item(app.form(), kind, &answer.body),
    }
}

/// A merge patch, whatever was changed in between: the command line says what is wanted, not what it was.
fn patch(path: Path, body: Value) -> Result<Request> {
    Request::new(Method::PATCH, path).json(body).header(header::IF_MATCH, "*")
}

/// Other tags for what stands at that path: those that are not named stay.
async fn retag(app: &App, mutation: &Mutation, path: Path, tags: &[String]) -> Result<()> {
    let change = TagsPatch { tags: Some(pairs::tag_changes(tags)?) };
    carry_out(app, mutation, patch(path, body(&change)?)?).await
}

/// The JSON of a body of the API.
fn body(value: &impl serde::Serialize) -> Result<Value> {
    serde_json::to_value(value).map_err(|error| Error::new(FailureKind::Unexpected, error.to_string()))
}
