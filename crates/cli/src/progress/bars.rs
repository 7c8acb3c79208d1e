//! Progress on a terminal: a bar for the whole, a line for each stage at work, a tick for each that is done.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use pmks_api::{Operation, Stage};

use super::{Look, says, title};
use crate::output::{Style, seconds, stderr_style};

/// The one screen of the process: what is shown at the same time shares it.
static SCREEN: LazyLock<MultiProgress> =
    LazyLock::new(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));

/// Writes while no bar stands in the way.
pub(crate) fn beside<T>(write: impl FnOnce() -> T) -> T {
    SCREEN.suspend(write)
}

const TICK: Duration = Duration::from_millis(100);

/// Bars on standard error.
pub(crate) struct Bars {
    all: &'static MultiProgress,
    whole: ProgressBar,
    stages: HashMap<String, ProgressBar>,
    done: HashSet<String>,
    style: Style,
    brief: bool,
}

impl Bars {
    pub(super) fn new(look: Look) -> Self {
        let all = &*SCREEN;
        let whole = all.add(ProgressBar::new(0));
        whole.set_style(template("{spinner} {msg}  {bar:24} {pos}/{len}  {elapsed}{prefix}"));
        Self {
            all,
            whole,
            stages: HashMap::new(),
            done: HashSet::new(),
            style: stderr_style(look.no_color),
            brief: look.brief,
        }
    }

    pub(super) fn show(&mut self, operation: &Operation) {
        let title = if self.brief {
            format!("{}: {}", operation.resource.connection, title(operation))
        } else {
            title(operation)
        };
        self.whole.set_message(self.style.strong(&title));
        // Until the plan is made there is nothing to be full of.
        self.whole.set_length(u64::from(operation.progress.total.max(1)));
        self.whole.enable_steady_tick(TICK);
        self.whole.set_position(u64::from(operation.progress.done));
        if operation.progress.expected_seconds > 0 {
            self.whole.set_prefix(format!(" of about {}", seconds(operation.progress.expected_seconds)));
        }
        for stage in &operation.stages {
            match stage.state.as_str() {
                "waiting" => {}
                "done" => self.tick_off(stage, &self.style.good("✓")),
                "failed" => self.tick_off(stage, &self.style.bad("✗")),
                _ => self.at_work(stage),
            }
        }
    }

    pub(super) fn close(self, operation: Option<&Operation>) {
        let elapsed = seconds(self.whole.elapsed().as_secs());
        for bar in self.stages.values() {
            bar.finish_and_clear();
        }
        self.whole.finish_and_clear();
        if let Some(operation) = operation.filter(|_| !self.brief) {
            let mark = match operation.state.as_str() {
                "succeeded" => self.style.good("✓"),
                _ => self.style.bad("✗"),
            };
            let state = crate::output::clean(&operation.state);
            crate::output::note_styled(&format!("{mark} {} {state} in {elapsed}", title(operation)));
        }
    }

    fn at_work(&mut self, stage: &Stage) {
        let bar = self.stages.entry(stage.name.clone()).or_insert_with(|| {
            let bar = self.all.add(ProgressBar::new_spinner());
            bar.set_style(template("  {spinner} {prefix}  {elapsed}  {msg}"));
            bar.enable_steady_tick(TICK);
            bar
        });
        bar.set_prefix(crate::output::clean(&stage.name));
        bar.set_message(self.style.faint(&says(&stage.detail)));
    }

    fn tick_off(&mut self, stage: &Stage, mark: &str) {
        if !self.done.insert(stage.name.clone()) {
            return;
        }
        let took = self.stages.remove(&stage.name).map(|bar| {
            bar.finish_and_clear();
            seconds(bar.elapsed().as_secs())
        });
        let took = took.map(|took| self.style.faint(&format!("  {took}"))).unwrap_or_default();
        if self.brief {
            return;
        }
        // A terminal that is gone shows nothing.
        let _ = self.all.println(format!("  {mark} {}{took}", crate::output::clean(&stage.name)));
    }
}

fn template(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("━╸─").tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ")
}
