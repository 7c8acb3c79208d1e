//! What the demo tells, on standard output: a heading a step, below it a line a fact, with the cloud's name before it
//! where there are several.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use pmks_transport::Clock;

use super::stand::Stand;
use crate::arguments::Demo;
use crate::error::Result;
use crate::output::{self, Style, seconds, stdout_style};
use crate::progress;

/// What the demo tells.
pub(super) struct Story {
    style: Style,
    clock: Arc<dyn Clock>,
    began: Duration,
    step: AtomicU32,
    clouds: Vec<&'static str>,
}

/// The story as one cloud tells it.
pub(super) struct Voice<'a> {
    story: &'a Story,
    /// Before each line; empty where there is one cloud.
    who: String,
}

impl Story {
    pub(super) fn new(stand: &Stand, clouds: &[&'static str]) -> Self {
        let clock = Arc::clone(&stand.app.clock);
        let began = clock.monotonic();
        let style = stdout_style(stand.app.no_color());
        Self { style, clock, began, step: AtomicU32::new(0), clouds: clouds.to_vec() }
    }

    pub(super) fn title(&self, demo: &Demo) -> Result<()> {
        Self::say(&self.style.strong("pmks: one interface to every cloud's managed Kubernetes"))?;
        let clouds = match self.clouds.as_slice() {
            [one] => format!("A simulated cloud ({one})"),
            several => format!("Simulated clouds, side by side ({}),", several.join(", ")),
        };
        let speed = demo.speed;
        Self::say(&format!(
            "{clouds} at {speed} times the speed of the real one. Nothing leaves this machine."
        ))
    }

    /// A heading.
    pub(super) fn step(&self, says: &str) -> Result<()> {
        let step = self.step.fetch_add(1, Ordering::Relaxed) + 1;
        Self::say(&format!("\n{}", self.style.strong(&format!("{step}. {says}"))))
    }

    /// A fact below a heading that is no cloud's own.
    pub(super) fn fact(&self, what: &str, value: &str) -> Result<()> {
        self.of("", what, value)
    }

    fn of(&self, who: &str, what: &str, value: &str) -> Result<()> {
        Self::say(&format!("   {who}{} {}", self.style.faint(&format!("{what:<14}")), output::clean(value)))
    }

    /// The same story, told by one cloud.
    pub(super) fn voice(&self, cloud: &str) -> Voice<'_> {
        let width = self.clouds.iter().map(|name| name.len()).max().unwrap_or(0);
        let who = if self.clouds.len() > 1 { format!("{cloud:<width$}  ") } else { String::new() };
        Voice { story: self, who }
    }

    pub(super) fn elapsed(&self) -> String {
        seconds(self.clock.monotonic().saturating_sub(self.began).as_secs())
    }

    /// A line of the story.
    pub(super) fn say(line: &str) -> Result<()> {
        progress::beside(|| output::data(&format!("{line}\n")))
    }
}

impl Voice<'_> {
    /// A fact below a heading.
    pub(super) fn fact(&self, what: &str, value: &str) -> Result<()> {
        self.story.of(&self.who, what, value)
    }

    /// Something that went well.
    pub(super) fn good(&self, says: &str) -> Result<()> {
        let Self { story, who } = self;
        Story::say(&format!("   {who}{} {}", story.style.good("✓"), output::clean(says)))
    }
}
