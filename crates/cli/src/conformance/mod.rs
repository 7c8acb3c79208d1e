//! `pmks conformance`: the suite that every driver must pass, in the user's own account.
//!
//! Says first what it would make, for how long and by how many calls, as rehearsed on a simulated cloud of the same
//! provider; asks; runs one case after the other; removes what a case left, whatever ended it; writes a report.

mod connection;
mod ledger;
mod outcome;
mod rehearsal;
mod report;
mod run;
#[cfg(test)]
mod skip_tests;
#[cfg(test)]
mod sweep_tests;

use pmks_conformance::{CASES, Case};
use pmks_driver::{PrerequisiteState, chain};
use serde_json::json;

use crate::app::App;
use crate::arguments::{Conformance, Output};
use crate::client::Path;
use crate::error::{Error, Result};
use crate::mutations::confirm;
use crate::output::{self, Kind, seconds};

use connection::Place;
use ledger::Ledger;
pub(crate) use ledger::nothing_is_left_at;
use outcome::Figures;
use rehearsal::Rehearsed;
use run::Run;

/// Runs the command.
pub(crate) async fn run(app: &App, asked: &Conformance) -> Result<()> {
    let cases = chosen(&asked.cases)?;
    if asked.plan {
        return plan(app, &cases).await;
    }
    let place = Place::open(app).await?;
    let ledger = Ledger::open(app, &place)?;
    let left_behind = ledger.left_behind()?;
    if asked.clean_up {
        return run::clean_up(app, &place, &ledger, left_behind).await;
    }
    let rehearsed = rehearsal::rehearse(&place.provider, place.specification.zone.is_some(), &cases).await?;
    output::note(&said(&place.provider, &rehearsed));
    let account = place.prove(app).await?;
    say_prerequisites(app, &place).await?;
    if !left_behind.is_empty() {
        output::note("an earlier run was cut off; what it left is removed first");
    }
    let what = format!("make and remove all this in {account}, {}", place.specification.region);
    confirm(asked.yes, &what)?;
    if !left_behind.is_empty() {
        run::clean_up(app, &place, &ledger, left_behind).await?;
    }
    Box::pin(Run::new(app, &place, &ledger, asked).all(rehearsed)).await
}

/// The cases of these names, in the order of the suite.
fn chosen(names: &[String]) -> Result<Vec<&'static Case>> {
    let unknown: Vec<&str> =
        names.iter().map(String::as_str).filter(|name| CASES.iter().all(|case| case.name != *name)).collect();
    if !unknown.is_empty() {
        let says = format!("there is no case {}", unknown.join(", "));
        return Err(Error::usage(says).with_fix("`pmks conformance --plan` lists the cases"));
    }
    Ok(CASES.iter().filter(|case| names.is_empty() || names.iter().any(|name| name == case.name)).collect())
}

/// Shows what would be made. Needs of the connection what is no secret, so that a server may run meanwhile.
async fn plan(app: &App, cases: &[&'static Case]) -> Result<()> {
    let path = Path::v1(["connections", app.connection()?]);
    let described = app.quiet_session().await?.client.get(path).await?;
    let provider = described.get("provider").map(output::scalar).unwrap_or_default();
    let names_zone = described.get("zone").map(output::scalar).is_some_and(|zone| !zone.is_empty());
    let rehearsed = rehearsal::rehearse(&provider, names_zone, cases).await?;
    let rows: Vec<_> = rehearsed.iter().map(Rehearsed::row).collect();
    let total = total(&rehearsed);
    match app.global.output {
        Output::Json | Output::Yaml => {
            let whole = json!({"provider": provider, "cases": rows, "total": total.row()});
            output::structured(app.global.output, &whole)?;
        }
        _ => output::items(app.form(), Kind::RehearsedCase, &rows)?,
    }
    output::note(&summary(&provider, &total));
    output::note("nothing was changed");
    Ok(())
}

fn total(rehearsed: &[Rehearsed]) -> Figures {
    rehearsed.iter().fold(Figures::default(), |sum, one| sum.and(&one.figures))
}

fn said(provider: &str, rehearsed: &[Rehearsed]) -> String {
    let rows: Vec<_> = rehearsed.iter().map(Rehearsed::row).collect();
    format!("{}\n{}", output::text(Kind::RehearsedCase, &rows), summary(provider, &total(rehearsed)))
}

fn summary(provider: &str, total: &Figures) -> String {
    format!(
        "in all about {}, {} calls; makes {}: as rehearsed on a simulated {provider}, one case after the other",
        seconds(total.seconds),
        total.calls,
        total.made_says()
    )
}

/// What must exist first is made by the suite, and stays.
async fn say_prerequisites(app: &App, place: &Place) -> Result<()> {
    for one in place.prerequisites(app).await? {
        let line = match one.state {
            PrerequisiteState::Missing { what } => {
                format!("prerequisite {}: {}; the suite makes it, and it stays", one.name, what.join(", "))
            }
            PrerequisiteState::Unknown { why } => format!("prerequisite {}: not known: {why}", one.name),
            PrerequisiteState::Satisfied { .. } => continue,
        };
        output::note(&output::clean(&line));
    }
    Ok(())
}

/// What a driver answered, as a command's error.
fn of_cloud(error: &pmks_driver::DriverError) -> Error {
    let mut failure = error.to_failure();
    failure.detail = chain(error);
    Error::from(Box::new(failure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_chosen_by_name() {
        assert_eq!(chosen(&[]).unwrap().len(), CASES.len());
        let two = ["networks_come_and_go".to_owned(), "the_account_is_known".to_owned()];
        let names: Vec<&str> = chosen(&two).unwrap().iter().map(|case| case.name).collect();
        assert_eq!(names, ["the_account_is_known", "networks_come_and_go"]);
        let error = chosen(&["networks".to_owned()]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
    }
}
