//! `pmks import-spider`: takes over what CB-Spider knows, by its meta database. Nothing changes there, nor at a cloud.

mod foresight;
#[cfg(test)]
mod foresight_tests;
mod records;
mod source;
mod step;
mod steps;
mod surface;
#[cfg(test)]
mod surface_tests;
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
use foresight::foresee;
use step::{Ending, Standing, Step};
use steps::Steps;
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

/// What is wrong with a connection: whatever else is asked of it would wait as long, and be told the same.
const OF_THE_CONNECTION: [FailureKind; 3] =
    [FailureKind::Unauthenticated, FailureKind::Unavailable, FailureKind::Timeout];

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
    let mut foreseen = steps.clone();
    foresee(&surface, &mut foreseen, asked.take_over).await?;
    // What would fail now is tried all the same.
    let wanted =
        [Standing::Wanted, Standing::Comes, Standing::Failed].map(|standing| foreseen.count(standing));
    let wanted: usize = wanted.iter().sum();
    if asked.own.plan || wanted == 0 {
        print(app, &foreseen)?;
        let says = if wanted == 0 { "nothing is left to be taken over" } else { "nothing was done" };
        output::note(&format!("{says}; from {source}"));
        return Ok(());
    }
    drop(session);
    confirm(asked.yes, &format!("take over {wanted} things from {source}; --plan shows them"))?;
    steps.learn(&foreseen);
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
        look_at(surface, steps, place).await?;
    }
    steps.settle();
    Ok(())
}

async fn look_at(surface: &Surface, steps: &mut Steps, place: usize) -> Result<()> {
    let Some(step) = steps.all().get(place) else { return Ok(()) };
    match surface.standing(step, steps).await {
        // What the server refuses to look for, or to put, costs its own row, no other.
        Err(error) if REFUSED.iter().any(|kind| error.is(*kind)) => {
            let why = step.of_row(&in_one_line(&error.text()));
            steps.end(place, Standing::LeftOut, why);
        }
        looked => {
            let looked = looked?;
            steps.end(place, looked.standing, looked.why);
            if let (Some(step), Some(here)) = (steps.at(place), looked.here) {
                step.is_here(here);
            }
        }
    }
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
            Err(error) if nobody_answers(&error) => return Err(error),
            Err(error) if error.is(FailureKind::AlreadyExists) => {
                let session = match held.take() {
                    Some(session) => session,
                    None => app.session_that_works(false).await?,
                };
                look_again(&Surface::of(session.client.clone()).await?, steps, place, &error).await?;
                held = Some(session);
            }
            Err(error) => refuse(steps, place, &error),
        }
        steps.settle();
    }
    Ok(())
}

/// What is there by now, though it was not when it was looked for: another connection of the same account has brought it,
/// and both see one record. Node groups that were to come with it are looked for in it.
async fn look_again(surface: &Surface, steps: &mut Steps, place: usize, refused: &Error) -> Result<()> {
    let with_it = steps.coming_with(place);
    look_at(surface, steps, place).await?;
    if steps.all().get(place).is_some_and(|step| step.standing() == Standing::Wanted) {
        steps.end(place, Standing::Failed, in_one_line(&refused.text()));
    }
    for place in with_it {
        look_at(surface, steps, place).await?;
    }
    Ok(())
}

/// Whether nobody answers here: where a server says it, it is one cloud that does not.
fn nobody_answers(error: &Error) -> bool {
    matches!(error, Error::Problem(problem) if problem.status == 0) && error.is(FailureKind::Unavailable)
}

/// What is refused has an end; but a cluster, for its node groups alone, is still wanted, and asked for again without them.
fn refuse(steps: &mut Steps, place: usize, error: &Error) {
    if steps.leave_groups(place, &refused_groups(error)) {
        return;
    }
    let (standing, why) = ended_by(error);
    steps.end(place, standing, why);
    if OF_THE_CONNECTION.iter().any(|kind| error.is(*kind)) {
        steps.end_connection_of(place);
    }
}

/// What becomes of something whose import is refused: what the cloud has no more has not failed.
fn ended_by(error: &Error) -> Ending {
    if let Error::Problem(problem) = error
        && let [finding] = &*problem.findings
        && finding.field == "systemId"
        && finding.missing.is_some()
    {
        return (Standing::Gone, finding.says.clone());
    }
    (Standing::Failed, in_one_line(&error.text()))
}

/// The node groups for which alone an import of a cluster was refused, by their places, and what becomes of them.
/// CB-Spider keeps rows of node groups that are gone.
fn refused_groups(error: &Error) -> Vec<(usize, Ending)> {
    let Error::Problem(problem) = error else { return Vec::new() };
    let place = |finding: &Finding| {
        let (place, _) = finding.field.strip_prefix("nodeGroups[")?.split_once(']')?;
        let standing = if finding.missing.is_some() { Standing::Gone } else { Standing::LeftOut };
        Some((place.parse().ok()?, (standing, finding.says.clone())))
    };
    problem.findings.iter().map(place).collect::<Option<Vec<_>>>().unwrap_or_default()
}

fn in_one_line(text: &str) -> String {
    let lines: Vec<&str> = text.trim_start_matches("error: ").lines().map(str::trim).collect();
    lines.join("; ")
}

fn print(app: &App, steps: &Steps) -> Result<()> {
    let rows: Vec<Value> = steps.all().iter().map(Step::row).collect();
    output::items(app.form(), Kind::TakenOver, &rows)?;
    match steps.count(Standing::Gone) {
        0 => {}
        gone => output::note(&format!("gone at the cloud: {gone}; nothing is left of them to be taken over")),
    }
    Ok(())
}
