//! `pmks import-spider`: takes over what CB-Spider knows, by its meta database. Nothing changes there, and nothing at a
//! cloud but pmks' marks on the clusters.

mod source;
mod steps;
mod surface;
#[cfg(test)]
mod tests;

use pmks_api::Finding;
use pmks_model::FailureKind;
use serde_json::Value;

use crate::app::App;
use crate::arguments::ImportSpider;
use crate::error::{Error, Result};
use crate::mutations::confirm;
use crate::output::{self, Kind};
use steps::{Standing, Step, Steps};
use surface::Surface;

/// What is wrong with a row, and not with who asks or with the server.
const REFUSED: [FailureKind; 6] = [
    FailureKind::InvalidRequest,
    FailureKind::Malformed,
    FailureKind::Conflict,
    FailureKind::AlreadyExists,
    FailureKind::Precondition,
    FailureKind::Unsupported,
];

/// Takes over what is not here yet; says of each thing what became of it.
///
/// # Errors
/// The meta database cannot be read; the server does not serve `/spider`; something could not be taken over.
pub(crate) async fn run(app: &App, asked: &ImportSpider) -> Result<()> {
    let source = source::of(app, asked.meta_database.as_deref())?;
    let meta = pmks_meta_database::read(&source).await;
    let meta = meta.map_err(|error| Error::usage(error.to_string()))?;
    let mut steps = Steps::of(&meta);
    let session = app.session_that_works(false).await?;
    let surface = Surface::of(session.client.clone()).await?;
    look(&surface, &mut steps).await?;
    let wanted = steps.count(Standing::Wanted) + steps.count(Standing::Comes);
    if asked.own.plan || wanted == 0 {
        print(app, &steps)?;
        let says = if wanted == 0 { "nothing is left to be taken over" } else { "nothing was done" };
        output::note(&format!("{says}; from {source}"));
        return Ok(());
    }
    drop(session);
    confirm(asked.yes, &format!("take over {wanted} things from {source}; --plan shows them"))?;
    take_over(app, asked, &mut steps).await?;
    print(app, &steps)?;
    match steps.count(Standing::Failed) {
        0 => Ok(()),
        failed => Err(Error::Ended(format!(
            "{failed} of {wanted} could not be taken over; the same command goes on from here"
        ))),
    }
}

/// What is here already, and what can be no part of this installation.
async fn look(surface: &Surface, steps: &mut Steps) -> Result<()> {
    for place in 0..steps.all().len() {
        let Some(step) = steps.all().get(place) else { break };
        let (standing, why) = match surface.standing(step, steps).await {
            // What the server refuses to look for, or to put, costs its own row, no other.
            Err(error) if REFUSED.iter().any(|kind| error.is(*kind)) => {
                (Standing::LeftOut, step.of_row(&in_one_line(&error.text())))
            }
            looked => looked?,
        };
        steps.end(place, standing, why);
    }
    steps.settle();
    Ok(())
}

/// One thing after another. A cluster needs a session of its own: its import may outlive the process that began it.
async fn take_over(app: &App, asked: &ImportSpider, steps: &mut Steps) -> Result<()> {
    let mut held = None;
    while let Some(place) = steps.next(Standing::Wanted) {
        let Some(step) = steps.all().get(place) else { break };
        let session = match held.take() {
            Some(session) => session,
            None => app.session_that_works(false).await?,
        };
        let ended = if let Some((known, groups)) = step.cluster() {
            surface::import(app, session, known, groups, asked.take_over).await
        } else {
            let ended = surface::take_over(&session.client, step, steps).await;
            held = Some(session);
            ended
        };
        match ended {
            Ok(()) => steps.end(place, Standing::TakenOver, String::new()),
            Err(error @ (Error::Interrupted(_) | Error::BrokenPipe)) => return Err(error),
            Err(error) if error.is(FailureKind::Unavailable) => return Err(error),
            Err(error) if error.is(FailureKind::AlreadyExists) => {
                let session = match held.take() {
                    Some(session) => session,
                    None => app.session_that_works(false).await?,
                };
                look_again(&Surface::of(session.client.clone()).await?, steps, place, &error).await?;
                held = Some(session);
            }
            Err(error) => {
                let Some(step) = steps.at(place) else { break };
                let without = step.leave_groups(&refused_groups(&error));
                if without.is_empty() {
                    step.end(Standing::Failed, in_one_line(&error.text()));
                }
                // The cluster is still wanted, and asked for again without them.
                for (group, why) in without {
                    steps.leave_out(&group, &why);
                }
            }
        }
        steps.settle();
    }
    Ok(())
}

/// What is there by now, though it was not when it was looked for: another connection of the same account has brought it,
/// and both see one record. Node groups that were to come with it are looked for in it.
async fn look_again(surface: &Surface, steps: &mut Steps, place: usize, refused: &Error) -> Result<()> {
    for place in [vec![place], steps.coming_with(place)].concat() {
        let Some(step) = steps.all().get(place) else { break };
        let (standing, why) = match surface.standing(step, steps).await? {
            (Standing::Wanted, _) => (Standing::Failed, in_one_line(&refused.text())),
            looked => looked,
        };
        steps.end(place, standing, why);
    }
    Ok(())
}

/// The node groups for which alone an import of a cluster was refused, by their places, and why. CB-Spider keeps rows of
/// node groups that are gone.
fn refused_groups(error: &Error) -> Vec<(usize, String)> {
    let Error::Problem(problem) = error else { return Vec::new() };
    let place = |finding: &Finding| {
        let (place, _) = finding.field.strip_prefix("nodeGroups[")?.split_once(']')?;
        Some((place.parse().ok()?, finding.says.clone()))
    };
    problem.findings.iter().map(place).collect::<Option<Vec<_>>>().unwrap_or_default()
}

fn in_one_line(text: &str) -> String {
    let lines: Vec<&str> = text.trim_start_matches("error: ").lines().map(str::trim).collect();
    lines.join("; ")
}

fn print(app: &App, steps: &Steps) -> Result<()> {
    let rows: Vec<Value> = steps.all().iter().map(Step::row).collect();
    output::items(app.form(), Kind::TakenOver, &rows)
}
