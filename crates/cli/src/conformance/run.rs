//! The run at the cloud: one case after the other, since their names are the same; after each, whatever ended it, what
//! it left is removed.

use std::sync::Arc;
use std::time::Duration;

use pmks_conformance::{Journal, Left, Verdict, cut_off, sweep, unswept};
use pmks_driver::{ErrorKind, PrerequisiteState};
use pmks_model::FailureKind;
use pmks_transport::{DirectoryRecorder, Recorder};
use serde_json::Value;

use super::connection::{Place, Surroundings};
use super::ledger::{Ledger, LeftBehind};
use super::outcome::{End, Figures};
use super::rehearsal::Rehearsed;
use super::report::{Report, Row};
use crate::app::App;
use crate::arguments::Conformance;
use crate::error::{Error, Result};
use crate::output::{self, Kind, seconds};
use crate::{shell, signals};

/// How long a clean-up goes on asking a cloud that does not answer, at the real cloud's pace; at any other it goes on for
/// [`LEAST_PATIENCE`] at least.
const PATIENCE: Duration = Duration::from_mins(10);
const LEAST_PATIENCE: Duration = Duration::from_secs(15);
/// The pause between two such attempts, and the least of it.
const BETWEEN: Duration = Duration::from_secs(30);
const LEAST_BETWEEN: Duration = Duration::from_secs(1);

/// What happened at the cloud with one case.
struct Ended {
    end: End,
    figures: Figures,
    left: Vec<Left>,
    /// Somebody pressed Ctrl-C twice: what is left was not removed.
    abandoned: bool,
}

/// A run.
pub(crate) struct Run<'a> {
    app: &'a App,
    place: &'a Place,
    ledger: &'a Ledger,
    asked: &'a Conformance,
}

impl<'a> Run<'a> {
    /// Nothing is begun yet.
    pub(crate) fn new(app: &'a App, place: &'a Place, ledger: &'a Ledger, asked: &'a Conformance) -> Self {
        Self { app, place, ledger, asked }
    }

    /// Runs the cases, and writes the report after each.
    ///
    /// # Errors
    /// When a case failed, when something is left, on Ctrl-C.
    pub(crate) async fn all(&self, rehearsed: Vec<Rehearsed>) -> Result<()> {
        let identity = self.place.identity(self.app).await?;
        let missing = self.missing().await?;
        let mut report = Report::begin(self.app, self.place, &identity, self.asked)?;
        let count = rehearsed.len();
        let mut stop: Option<&str> = None;
        for (index, one) in rehearsed.iter().enumerate() {
            if let Some(why) = stop {
                report.add(Row::not_run(one, why));
                continue;
            }
            let expected = seconds(one.figures.seconds / u64::from(self.place.specification.pace.max(1)));
            output::note(&format!("[{}/{count}] {}: about {expected}", index + 1, one.case.name));
            let ended = self.case(one, &identity.account).await?;
            output::note(&output::clean(&report.scrubbed(&says(&ended))));
            stop = match &ended {
                Ended { abandoned: true, .. } => Some("interrupted, and the sweep too"),
                Ended { left, .. } if !left.is_empty() => Some("an earlier case left something behind"),
                Ended { end: End::Interrupted(_), .. } => Some("interrupted"),
                _ => None,
            };
            report.left.extend(ended.left);
            report.abandoned |= ended.abandoned;
            report.add(Row::of(one, ended.end, ended.figures));
            report.write()?;
        }
        report.kept = self.kept(&missing).await;
        report.write()?;
        self.close(&report)
    }

    /// One case, and the sweep after it.
    async fn case(&self, rehearsed: &Rehearsed, account: &str) -> Result<Ended> {
        self.ledger.begin(account)?;
        let journal = Journal::new(Arc::new(self.ledger.clone()));
        let around = surroundings(self.app)?;
        let began = self.app.clock.monotonic();
        let (end, calls) = match self.place.rig(&around, &journal).await {
            Err(error) => (End::Failed(error.to_failure().to_string()), 0),
            Ok(rigged) => {
                let (rig, case) = (rigged.rig.clone(), rehearsed.case);
                // A task of its own: what panics or is cut off in it ends nothing else.
                let mut task = tokio::spawn(async move { pmks_conformance::run(case, &rig).await });
                let end = tokio::select! {
                    ended = &mut task => match ended {
                        Ok(Ok(Verdict::Passed)) => End::Passed,
                        Ok(Ok(Verdict::Skipped(why))) => End::Skipped(why),
                        Ok(Err(failed)) => End::Failed(failed.to_string()),
                        Err(error) => End::Failed(format!("the case ended abnormally: {error}")),
                    },
                    () = signals::end() => {
                        task.abort();
                        // It ends as cut off, which is what was asked for.
                        let _ = task.await;
                        End::Interrupted("Ctrl-C".to_owned())
                    }
                };
                (end, rigged.calls())
            }
        };
        let passed = self.app.clock.monotonic().saturating_sub(began);
        let figures = Figures { seconds: whole_seconds(passed), calls, made: journal.made() };
        let mut left = Vec::new();
        if matches!(end, End::Failed(_) | End::Interrupted(_)) {
            let swept = swept(self.app, self.place, &around, &journal).await;
            if swept.abandoned {
                return Ok(Ended { end, figures, left: swept.left, abandoned: true });
            }
            left = swept.left;
        }
        if left.is_empty() {
            self.ledger.clear()?;
        }
        Ok(Ended { end, figures, left, abandoned: false })
    }

    /// The names of prerequisites that are missing.
    async fn missing(&self) -> Result<Vec<String>> {
        let all = self.place.prerequisites(self.app).await?;
        let missing = all.into_iter().filter(|one| matches!(one.state, PrerequisiteState::Missing { .. }));
        Ok(missing.map(|one| one.name).collect())
    }

    /// What was missing before and is there now, with what it is.
    async fn kept(&self, missing: &[String]) -> Vec<String> {
        let Ok(all) = self.place.prerequisites(self.app).await else {
            return vec!["the prerequisites could not be read at the end".to_owned()];
        };
        all.into_iter()
            .filter(|one| missing.contains(&one.name))
            .filter_map(|one| match one.state {
                PrerequisiteState::Satisfied { by } => Some(format!("{}: {by}", one.name)),
                _ => None,
            })
            .collect()
    }

    fn close(&self, report: &Report) -> Result<()> {
        output::items(self.app.form(), Kind::ConformanceCase, &report.rows())?;
        for kept in &report.kept {
            output::note(&format!("made, and stays: {}", output::clean(kept)));
        }
        output::note(&format!("the report is in {}", report.folder().display()));
        if report.abandoned || !report.left.is_empty() {
            return Err(left_error(self.place, &report.left));
        }
        if report.count(&End::Interrupted(String::new())) > 0 {
            return Err(Error::Interrupted("interrupted; what was made is removed".to_owned()));
        }
        match report.count(&End::Failed(String::new())) {
            0 => Ok(()),
            failed => Err(Error::Ended(format!("{failed} of {} cases failed", report.rows().len()))),
        }
    }
}

/// Removes what an earlier run left behind.
///
/// # Errors
/// `Conflict` for another account; when something cannot be removed.
pub(crate) async fn clean_up(app: &App, place: &Place, ledger: &Ledger, left: LeftBehind) -> Result<()> {
    if left.is_empty() {
        output::note("nothing was left behind");
        return Ok(());
    }
    let journal = Journal::of(left.lines, Arc::new(ledger.clone()));
    let account = match Patience::of(app, place).prove().await {
        Ok(account) => account,
        Err(error) => return Err(left_error(place, &unswept(&journal.begun(), &error))),
    };
    if account != left.account {
        let says = format!("it was made in account {}, and this credential acts for {account}", left.account);
        return Err(Error::new(FailureKind::Conflict, says));
    }
    output::note("removing what an earlier run left; a request that was cut off is waited for");
    let swept = swept(app, place, &surroundings(app)?, &journal).await;
    if swept.abandoned || !swept.left.is_empty() {
        return Err(left_error(place, &swept.left));
    }
    ledger.clear()?;
    output::note("nothing is left");
    Ok(())
}

/// What a sweep came to.
struct Swept {
    /// What it could not remove, or what may be left.
    left: Vec<Left>,
    /// Ctrl-C ended it.
    abandoned: bool,
}

async fn swept(app: &App, place: &Place, around: &Surroundings, journal: &Journal) -> Swept {
    tokio::select! {
        left = Box::pin(Patience::of(app, place).sweep(around, journal)) => Swept { left, abandoned: false },
        () = signals::end() => Swept { left: cut_off(&journal.begun()), abandoned: true },
    }
}

/// A clean-up that goes on for a while where the cloud does not answer.
struct Patience<'a> {
    app: &'a App,
    place: &'a Place,
    until: Duration,
    has_said: bool,
}

impl<'a> Patience<'a> {
    fn of(app: &'a App, place: &'a Place) -> Self {
        let patience = (PATIENCE / place.specification.pace.max(1)).max(LEAST_PATIENCE);
        Self { app, place, until: app.clock.monotonic() + patience, has_said: false }
    }

    /// What could not be removed, or, where nothing could even be looked at, what may be left.
    async fn sweep(mut self, around: &Surroundings, journal: &Journal) -> Vec<Left> {
        loop {
            let left = match self.place.rig(around, journal).await {
                Ok(rigged) => sweep(&rigged.rig, &journal.begun()).await,
                Err(error) => unswept(&journal.begun(), &error),
            };
            if !left.iter().any(|one| one.unanswered) || !self.goes_on().await {
                return left;
            }
        }
    }

    /// Whom the credential acts for.
    async fn prove(mut self) -> pmks_driver::Result<String> {
        loop {
            match self.place.account(self.app).await {
                Err(error) if *error.kind() == ErrorKind::Unavailable && self.goes_on().await => {}
                proven => return proven,
            }
        }
    }

    /// Pauses; whether there is time for another attempt.
    async fn goes_on(&mut self) -> bool {
        let now = self.app.clock.monotonic();
        if now >= self.until {
            return false;
        }
        if !self.has_said {
            self.has_said = true;
            let left = seconds(whole_seconds(self.until.saturating_sub(now)));
            output::note(&format!("the cloud does not answer; cleaning up goes on trying for {left}"));
        }
        let pause = (BETWEEN / self.place.specification.pace.max(1)).max(LEAST_BETWEEN);
        self.app.clock.sleep(pause).await;
        true
    }
}

fn surroundings(app: &App) -> Result<Surroundings> {
    let mut recorders: Vec<Arc<dyn Recorder>> = Vec::new();
    if let Some(folder) = &app.global.record {
        let recorder =
            DirectoryRecorder::new(folder).map_err(|error| Error::file("record into", folder, &error))?;
        recorders.push(Arc::new(recorder));
    }
    Ok(Surroundings { clock: Arc::clone(&app.clock), observers: Vec::new(), recorders })
}

fn left_error(place: &Place, left: &[Left]) -> Error {
    let mut lines = vec!["what was made could not all be removed".to_owned()];
    for one in left {
        let id = if one.system_id.is_empty() { String::new() } else { format!(" ({})", one.system_id) };
        lines.push(format!("  left: {} {}{id}: {}", one.says(), one.name, one.reason));
    }
    lines.push(format!(
        "  again: pmks conformance {} --clean-up",
        shell::connection(&place.specification.name)
    ));
    Error::Ended(lines.join("\n"))
}

fn says(ended: &Ended) -> String {
    let figures = &ended.figures;
    let reason = ended.end.reason();
    let why = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    format!("    {} ({}, {} calls){why}", ended.end.word(), seconds(figures.seconds), figures.calls)
}

/// Rounded up: nothing takes no time.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

/// A row of the last table.
pub(crate) fn row(row: &Row, reason: &str) -> Value {
    serde_json::json!({
        "name": row.name, "verdict": row.end.word(), "seconds": row.took.seconds, "calls": row.took.calls,
        "madeSays": row.took.made_says(), "reason": reason,
    })
}
