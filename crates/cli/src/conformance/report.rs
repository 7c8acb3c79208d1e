//! The report: JSON for programs, Markdown to attach to an issue. Holds no secret, and no account's number.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use pmks_conformance::Left;
use pmks_driver::AccountIdentity;
use serde::Serialize;
use serde_json::{Value, json};

use super::connection::Place;
use super::outcome::{End, Figures};
use super::rehearsal::Rehearsed;
use super::run::row;
use crate::app::App;
use crate::arguments::Conformance;
use crate::error::{Error, Result};
use crate::output::seconds;

/// A case in the report.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Row {
    /// The case.
    pub(crate) name: &'static str,
    /// How it ended.
    #[serde(flatten)]
    pub(crate) end: End,
    /// What it took.
    pub(crate) took: Figures,
    /// What it took in the rehearsal.
    rehearsed: Figures,
    /// Why the rehearsal skipped it, or what went wrong there.
    #[serde(skip_serializing_if = "String::is_empty")]
    rehearsal_says: String,
}

impl Row {
    /// A case that ended.
    pub(crate) fn of(one: &Rehearsed, end: End, took: Figures) -> Self {
        let (rehearsed, rehearsal_says) = (one.figures.clone(), one.says.clone());
        Self { name: one.case.name, end, took, rehearsed, rehearsal_says }
    }

    /// A case that was not begun.
    pub(crate) fn not_run(one: &Rehearsed, why: &str) -> Self {
        Self::of(one, End::NotRun(why.to_owned()), Figures::default())
    }
}

/// The report of a run.
pub(crate) struct Report {
    folder: PathBuf,
    heading: Value,
    provider: String,
    region: String,
    /// What must not be in it, and what stands there instead.
    hidden: Vec<(String, &'static str)>,
    rows: Vec<Row>,
    /// Prerequisites that were made and stay.
    pub(crate) kept: Vec<String>,
    /// What could not be removed.
    pub(crate) left: Vec<Left>,
    /// Whether a sweep was cut off.
    pub(crate) abandoned: bool,
}

impl Report {
    /// Makes the folder.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn begin(
        app: &App,
        place: &Place,
        identity: &AccountIdentity,
        asked: &Conformance,
    ) -> Result<Self> {
        let (provider, region) = (place.provider.clone(), place.specification.region.clone());
        let now = app.clock.wall();
        let folder = asked.report.clone().unwrap_or_else(|| {
            let date = now.strftime("%Y%m%dT%H%M%SZ");
            PathBuf::from(format!("pmks-conformance-{provider}-{region}-{date}"))
        });
        std::fs::create_dir_all(&folder).map_err(|error| Error::file("make", &folder, &error))?;
        let heading = json!({
            "provider": provider,
            "region": region,
            "zone": place.specification.zone,
            "date": now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "pmks": env!("CARGO_PKG_VERSION"),
            "endpoint": if place.specification.endpoints.is_empty() { "the cloud's own" } else { "of the connection" },
            "pace": place.specification.pace,
            "capabilities": place.capabilities(),
        });
        let mut report = Self {
            folder,
            heading,
            provider,
            region,
            hidden: hidden(place, identity),
            rows: Vec::new(),
            kept: Vec::new(),
            left: Vec::new(),
            abandoned: false,
        };
        report.hidden.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        Ok(report)
    }

    /// Adds a case.
    pub(crate) fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// How many cases ended like this one.
    pub(crate) fn count(&self, like: &End) -> usize {
        self.rows.iter().filter(|row| row.end.word() == like.word()).count()
    }

    /// The rows of the last table.
    pub(crate) fn rows(&self) -> Vec<Value> {
        self.rows.iter().map(|one| row(one, &self.scrubbed(one.end.reason()))).collect()
    }

    /// A text without what must not be in a report.
    pub(crate) fn scrubbed(&self, text: &str) -> String {
        self.hidden.iter().fold(text.to_owned(), |text, (hidden, instead)| text.replace(hidden, instead))
    }

    /// Writes it, as far as it is.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(&self) -> Result<()> {
        let whole = json!({
            "report": self.heading, "cases": self.rows, "prerequisitesKept": self.kept, "left": self.left,
        });
        let text = serde_json::to_string_pretty(&whole).unwrap_or_default();
        for (name, text) in [("report.json", text), ("report.md", self.page())] {
            let path = self.folder.join(name);
            std::fs::write(&path, self.scrubbed(&text))
                .map_err(|error| Error::file("write", &path, &error))?;
        }
        Ok(())
    }

    fn page(&self) -> String {
        let of = |key: &str| self.heading.get(key).map(crate::output::scalar).unwrap_or_default();
        let mut page = format!("# Conformance: {} in {}\n\n", self.provider, self.region);
        let facts =
            [("date", of("date")), ("pmks", of("pmks")), ("endpoint", of("endpoint")), ("pace", of("pace"))];
        for (what, value) in facts {
            line(&mut page, &format!("- {what}: {value}"));
        }
        let ends = ["passed", "failed", "skipped", "interrupted", "not run"];
        let counted =
            ends.iter().map(|word| (word, self.rows.iter().filter(|row| row.end.word() == *word).count()));
        let counted: Vec<String> =
            counted.filter(|(_, count)| *count > 0).map(|(word, count)| format!("{count} {word}")).collect();
        line(&mut page, &format!("- cases: {}", counted.join(", ")));
        line(&mut page, "\n## Cases\n");
        line(&mut page, "| case | verdict | took | rehearsed | calls | rehearsed | made | reason |");
        line(&mut page, "|---|---|---|---|---|---|---|---|");
        for row in &self.rows {
            let (took, rehearsed) = (&row.took, &row.rehearsed);
            let cells = [
                row.name.to_owned(),
                row.end.word().to_owned(),
                seconds(took.seconds),
                seconds(rehearsed.seconds),
                took.calls.to_string(),
                rehearsed.calls.to_string(),
                took.made_says(),
                cell(row.end.reason()),
            ];
            line(&mut page, &format!("| {} |", cells.join(" | ")));
        }
        let failed = |row: &&Row| matches!(row.end, End::Failed(_));
        list(
            &mut page,
            "Differences from the capabilities",
            "none were found",
            self.rows.iter().filter(failed).map(differs),
        );
        let skipped = |row: &&Row| matches!(row.end, End::Skipped(_));
        let skipped = self.rows.iter().filter(skipped);
        list(
            &mut page,
            "Not vouched for",
            "nothing",
            skipped.map(|row| format!("{}: {}", row.name, cell(row.end.reason()))),
        );
        list(&mut page, "Made, and stays", "nothing", self.kept.iter().cloned());
        let left = self
            .left
            .iter()
            .map(|one| format!("{} {} ({}): {}", one.says(), one.name, one.system_id, cell(&one.reason)));
        let nothing = if self.abandoned { "not known: the sweep was cut off" } else { "nothing" };
        list(&mut page, "Left behind", nothing, left);
        page
    }
}

/// Each case asserts what the capabilities say: what failed here and passed in the rehearsal is the cloud's difference.
fn differs(row: &Row) -> String {
    let also = if row.rehearsal_says.is_empty() { "" } else { " (not only here: see the rehearsal)" };
    format!("{}: {}{also}", row.name, cell(row.end.reason()))
}

fn list(page: &mut String, title: &str, nothing: &str, items: impl Iterator<Item = String>) {
    line(page, &format!("\n## {title}\n"));
    let mut any = false;
    for item in items {
        any = true;
        line(page, &format!("- {item}"));
    }
    if !any {
        line(page, nothing);
    }
}

fn line(page: &mut String, text: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(page, "{text}");
}

/// What a cloud says, in a cell of a table.
fn cell(text: &str) -> String {
    crate::output::clean(text).replace('|', "\\|").replace('<', "&lt;")
}

/// Secrets and the account's own numbers and names: a report is public.
fn hidden(place: &Place, identity: &AccountIdentity) -> Vec<(String, &'static str)> {
    let mut hidden: Vec<(String, &'static str)> = Vec::new();
    for secret in place.secrets() {
        // As JSON and debug output would write it, too.
        let escaped = serde_json::to_string(&secret).unwrap_or_default();
        hidden.push((escaped.trim_matches('"').to_owned(), "SECRET"));
        hidden.push((secret, "SECRET"));
    }
    hidden.push((identity.principal.clone(), "PRINCIPAL"));
    let parts = identity.account.split(['/', ':']).filter(|part| part.len() >= 6);
    hidden.extend(parts.map(|part| (part.to_owned(), "ACCOUNT")));
    hidden.retain(|(text, _)| text.len() >= 6);
    hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let row = |name, end| Row {
            name,
            end,
            took: Figures { seconds: 61, calls: 7, ..Figures::default() },
            rehearsed: Figures { seconds: 60, calls: 6, ..Figures::default() },
            rehearsal_says: String::new(),
        };
        Report {
            folder: PathBuf::new(),
            heading: json!({"date": "2026-11-28T12:00:00Z", "pmks": "0.1.0", "endpoint": "the cloud's own", "pace": 1}),
            provider: "aws".to_owned(),
            region: "ap-northeast-2".to_owned(),
            hidden: vec![("258572339794".to_owned(), "ACCOUNT")],
            rows: vec![
                row("networks_come_and_go", End::Passed),
                row("a_version_is_a_floor", End::Failed("arn:aws:eks::258572339794:x | <b>".to_owned())),
                row("lists_follow_every_page", End::Skipped("cannot make many".to_owned())),
            ],
            kept: vec!["clusterRole: a role".to_owned()],
            left: Vec::new(),
            abandoned: false,
        }
    }

    #[test]
    fn the_page_says_what_was_found() {
        let report = report();
        let page = report.scrubbed(&report.page());
        for says in [
            "# Conformance: aws in ap-northeast-2",
            "- cases: 1 passed, 1 failed, 1 skipped",
            "| networks_come_and_go | passed | 1m01s | 1m | 7 | 6 | nothing |  |",
            "## Differences from the capabilities\n\n- a_version_is_a_floor: arn:aws:eks::ACCOUNT:x \\| &lt;b>",
            "## Not vouched for\n\n- lists_follow_every_page: cannot make many",
            "## Made, and stays\n\n- clusterRole: a role",
            "## Left behind\n\nnothing",
        ] {
            assert!(page.contains(says), "{says}: {page}");
        }
    }
}
