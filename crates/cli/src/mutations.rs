//! How every mutation is carried out by a command: shown as a plan, or sent and waited for, or left to a server.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, StatusCode};
use pmks_api::{Child, Operation, Plan};
use pmks_model::FailureKind;
use serde_json::Value;
use uuid::Uuid;

use crate::app::App;
use crate::arguments::{Mutation, Output};
use crate::background;
use crate::client::{Client, Path, Request, shaped};
use crate::error::{Error, Result};
use crate::output::{self, Kind};
use crate::progress::Look;
use crate::session::Session;
use crate::wait::{AWAY, Waiter, judge};

/// How long a server may take that carries on what a stopped command left.
const HEIR_STARTS_WITHIN: Duration = Duration::from_millis(500);

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What became of a request.
pub(crate) enum Begun {
    /// It was a plan, and it is printed.
    Planned,
    /// An operation carries it out.
    Accepted {
        /// The operation.
        operation: Box<Operation>,
        /// The whole answer.
        answer: Value,
    },
    /// It is done.
    Done(Value),
}

/// Sends a mutation and sees it through, as the user asked.
pub(crate) async fn carry_out(app: &App, how: &Mutation, request: Request) -> Result<()> {
    let session = session(app, how).await?;
    match begin(app, how, &session, request).await? {
        Begun::Planned => Ok(()),
        Begun::Accepted { operation, .. } => finish(app, how, session, *operation).await,
        Begun::Done(_) => {
            output::note("done: there was nothing to do at the cloud");
            Ok(())
        }
    }
}

/// Where a mutation goes: what nobody waits for must outlive this process.
pub(crate) async fn session(app: &App, how: &Mutation) -> Result<Session> {
    match (how.plan, how.no_wait) {
        (true, _) => app.session().await,
        (false, true) => app.session_that_stays().await,
        (false, false) => app.session_that_works(true).await,
    }
}

/// Sends a mutation.
pub(crate) async fn begin(
    app: &App,
    how: &Mutation,
    session: &Session,
    mut request: Request,
) -> Result<Begun> {
    if how.plan {
        let answer = session.client.send(request.query("dryRun", "plan")).await?;
        print_plan(app, answer.body)?;
        return Ok(Begun::Planned);
    }
    if let Some(key) = &how.idempotency_key {
        request = request.header(IDEMPOTENCY_KEY, key)?;
    }
    let answer = session.client.send(request).await?;
    let operation = match answer.status {
        StatusCode::ACCEPTED => Some(answer.body.clone()),
        _ => answer.body.get("operation").cloned(),
    };
    match operation {
        Some(operation) => {
            Ok(Begun::Accepted { operation: Box::new(shaped(operation)?), answer: answer.body })
        }
        None => Ok(Begun::Done(answer.body)),
    }
}

/// Waits for an operation, carried on here if no server does, and prints it.
pub(crate) async fn finish(app: &App, how: &Mutation, session: Session, operation: Operation) -> Result<()> {
    if how.no_wait {
        return print_operation(app, &operation);
    }
    let ended = see_through(app, how, session, operation).await?;
    print_operation(app, &ended)?;
    judge(ended).map(drop)
}

/// Waits for an operation, carried on here if no server does.
pub(crate) async fn see_through(
    app: &App,
    how: &Mutation,
    session: Session,
    operation: Operation,
) -> Result<Operation> {
    // A command that ends does not come back.
    let away = if session.passing.is_some() { Duration::ZERO } else { AWAY };
    let waiter = |client: Client| Waiter {
        client,
        clock: Arc::clone(&app.clock),
        timeout: how.wait_timeout,
        away,
        look: Look { no_color: app.no_color(), brief: false },
    };
    let Some(local) = session.local else { return waiter(session.client).until_over(operation).await };
    let id: Uuid = operation.id.parse().map_err(|_| Error::usage("the operation's id is none"))?;
    let engine = local.carry_on(Some(id)).await?;
    let ended = waiter(engine.client.clone()).until_over(operation).await;
    engine.stop().await;
    drop(session.client);
    drop(local);
    match &ended {
        // Who stops waiting does not stop the operation: somebody else has to carry it on.
        Err(Error::Interrupted(_)) => drop(background::start(app).await?),
        Err(error) if error.is(FailureKind::Timeout) => drop(background::start(app).await?),
        Ok(_) | Err(_) => {}
    }
    ended
}

/// Follows an operation to its end. Where the command ends that carries it on, whoever works on the data directory next
/// is asked; if nobody does, it is carried on here.
pub(crate) async fn watch(app: &App, id: &str) -> Result<()> {
    loop {
        let session = app.session_that_follows().await?;
        let passing = session.passing;
        let watched = async {
            let operation = shaped(session.client.get(Path::v1(["operations", id])).await?)?;
            finish(app, &Mutation::default(), session, operation).await
        };
        match watched.await {
            Err(error) if error.is(FailureKind::Unavailable) && has_ended(app, passing)? => {
                // One that was stopped starts a server, which comes before us.
                app.clock.sleep(HEIR_STARTS_WITHIN).await;
            }
            ended => return ended,
        }
    }
}

/// Whether that process answered only until its command ended, and did end.
fn has_ended(app: &App, passing: Option<u32>) -> Result<bool> {
    let Some(pid) = passing else { return Ok(false) };
    Ok(app.data.running_server()?.is_none_or(|server| server.pid != pid))
}

/// Asks before something is removed.
///
/// # Errors
/// Without a terminal, or when the answer is no.
pub(crate) fn confirm(yes: bool, what: &str) -> Result<()> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(Error::usage(format!("nobody is there to confirm: {what}")).with_fix("add --yes"));
    }
    let mut err = std::io::stderr().lock();
    let _ = write!(err, "{}? [y/N] ", output::clean(what)).and_then(|()| err.flush());
    drop(err);
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    if read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(Error::usage("not confirmed; nothing was done"))
}

/// Prints an operation; its stages too where there is room.
pub(crate) fn print_operation(app: &App, operation: &Operation) -> Result<()> {
    let value = serde_json::to_value(operation)
        .map_err(|error| Error::new(FailureKind::Unexpected, error.to_string()))?;
    for notice in &operation.notices {
        output::note(&format!("note: {}", output::clean(notice)));
    }
    output::item(app.form(), Kind::Operation, &value)
}

/// Shows what a command would do that asks no cloud for anything: there is no operation that the server could plan.
///
/// # Errors
/// When nobody reads it.
pub(crate) fn print_own_plan(app: &App, kind: &str, does: &[String], findings: &[&str]) -> Result<()> {
    let stage = |name: &String| serde_json::json!({"name": name, "after": [], "expectedSeconds": 0});
    let stages: Vec<Value> = does.iter().map(stage).collect();
    let children = serde_json::json!({"found": [], "unknown": []});
    let plan = serde_json::json!({
        "kind": kind, "stages": stages, "resolved": {}, "findings": findings, "children": children,
    });
    print_plan(app, plan)
}

/// Prints a plan as it was answered.
pub(crate) fn print_plan(app: &App, plan: Value) -> Result<()> {
    let form = app.form();
    if matches!(form.output, Output::Json | Output::Yaml) {
        return output::structured(form.output, &plan);
    }
    let stages = plan.get("stages").and_then(Value::as_array).cloned().unwrap_or_default();
    let shaped: Plan = shaped(plan)?;
    output::items(form, Kind::PlannedStage, &stages)?;
    for (what, chosen) in &shaped.resolved {
        output::note(&output::clean(&format!("{what}: {chosen}")));
    }
    for finding in &shaped.findings {
        output::note(&format!("note: {}", output::clean(finding)));
    }
    for child in &shaped.children.found {
        let line = format!("{} {} ({}): {}", child.kind, child.name, child.system_id, fate(child));
        output::note(&output::clean(&line));
    }
    for unknown in &shaped.children.unknown {
        output::note(&format!("could not be looked at: {}", output::clean(unknown)));
    }
    output::note("nothing was changed");
    Ok(())
}

/// What the plan does to a child: a stage of its own removes what does not go by itself.
fn fate(child: &Child) -> &'static str {
    if child.removed_by.is_some() {
        "is removed"
    } else if child.goes_with_cluster {
        "goes with the cluster"
    } else {
        "stays"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_does_not_keep_what_its_stages_remove() {
        let fate_of = |goes: bool, stage: Option<&str>| {
            let child = serde_json::json!({"kind": "volume", "systemId": "/a/disks/d", "name": "d", "madeBy": "",
                "goesWithCluster": goes, "removedBy": stage});
            fate(&serde_json::from_value(child).unwrap())
        };
        assert_eq!(fate_of(false, Some("removal of volume d")), "is removed");
        assert_eq!((fate_of(true, None), fate_of(false, None)), ("goes with the cluster", "stays"));
    }
}
