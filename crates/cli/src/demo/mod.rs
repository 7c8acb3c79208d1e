//! `pmks demo`: the main job from nothing, on simulated clouds, all of it through the public API.
//!
//! Makes a cluster, looks at it through its own Kubernetes API, and keeps serving; `--once` goes on to the end and
//! asks the cloud what is left.

mod cluster;
mod ground_truth;
mod kubernetes;
mod next;
mod stand;

use std::time::Duration;

use pmks_model::FailureKind;

use crate::app::App;
use crate::arguments::Demo;
use crate::error::{Error, Result};
use crate::output::{self, Style, seconds, stdout_style};
use crate::registry::{self, Entry};
use crate::signals;

use cluster::Tour;
use ground_truth::GroundTruth;
use stand::Stand;

/// Runs the demo.
pub(crate) async fn run(app: &App, demo: &Demo) -> Result<()> {
    let clouds = registry::named(&demo.clouds)?;
    let stand = Stand::build(app, demo).await?;
    let ended = tokio::select! {
        ended = Box::pin(show(&stand, demo, &clouds)) => ended,
        () = signals::end() => Err(Error::Interrupted("\nthe demo is over; everything it made is gone".to_owned())),
    };
    stand.remove().await;
    match ended {
        // Ctrl-C is how the demo that keeps serving ends.
        Err(Error::Interrupted(says)) if !demo.once => {
            output::note(&says);
            Ok(())
        }
        ended => ended,
    }
}

async fn show(stand: &Stand, demo: &Demo, clouds: &[&'static Entry]) -> Result<()> {
    let story = Story::new(stand);
    story.title(demo, clouds)?;
    let mut standing = Vec::new();
    for entry in clouds {
        let cloud = stand.simulate(entry, demo).await?;
        standing.push(Box::pin(create(stand, &story, &cloud, demo)).await?);
        stand.keep(cloud);
    }
    if demo.once {
        return say(&format!("Done in {}.", story.elapsed()));
    }
    for standing in &standing {
        next::print(stand, standing)?;
    }
    std::future::pending().await
}

/// A cluster that stands at the end of a tour.
pub(super) struct Standing {
    pub(super) connection: String,
    pub(super) kubeconfig: std::path::PathBuf,
    /// What it can be raised to.
    pub(super) newest: String,
}

/// The tour of one cloud.
async fn create(
    stand: &Stand,
    story: &Story,
    cloud: &crate::simulated::Served,
    demo: &Demo,
) -> Result<Standing> {
    let tour = Tour::begin(stand, story, cloud).await?;
    let first = GroundTruth::read(cloud).await?;
    tour.prepare().await?;
    let prepared = GroundTruth::read(cloud).await?;
    tour.make().await?;
    let kubeconfig = tour.kubeconfig().await?;
    if demo.once {
        tour.use_it().await?;
        tour.remove().await?;
        let left = GroundTruth::read(cloud).await?;
        remains(story, &first, &prepared, &left)?;
    }
    Ok(Standing { connection: tour.connection().to_owned(), kubeconfig, newest: tour.newest().to_owned() })
}

fn remains(story: &Story, first: &GroundTruth, prepared: &GroundTruth, left: &GroundTruth) -> Result<()> {
    story.step("What remains at the cloud")?;
    let remains = left.beyond(prepared);
    if !remains.is_empty() {
        for resource in &remains {
            story.fact("remains", resource)?;
        }
        let says = format!("{} things remain at the cloud that the demo made", remains.len());
        return Err(Error::new(FailureKind::Unexpected, says));
    }
    story.good("nothing")?;
    let kept = prepared.beyond(first);
    if kept.is_empty() {
        return Ok(());
    }
    say(&format!("   (The account keeps what prepared it, for the next cluster: {}.)", kept.join(", ")))
}

/// What the demo tells, on standard output.
pub(super) struct Story {
    style: Style,
    clock: std::sync::Arc<dyn pmks_transport::Clock>,
    began: Duration,
    step: std::sync::atomic::AtomicU32,
}

impl Story {
    fn new(stand: &Stand) -> Self {
        let clock = std::sync::Arc::clone(&stand.app.clock);
        let began = clock.monotonic();
        Self {
            style: stdout_style(stand.app.no_color()),
            clock,
            began,
            step: std::sync::atomic::AtomicU32::new(0),
        }
    }

    fn title(&self, demo: &Demo, clouds: &[&'static Entry]) -> Result<()> {
        let names: Vec<&str> = clouds.iter().map(|cloud| cloud.name).collect();
        say(&self.style.strong("pmks: one interface to every cloud's managed Kubernetes"))?;
        say(&format!(
            "A simulated cloud ({}) at {} times the speed of the real one. Nothing leaves this machine.",
            names.join(", "),
            demo.speed
        ))
    }

    /// A heading.
    pub(super) fn step(&self, says: &str) -> Result<()> {
        let step = self.step.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        say(&format!("\n{}", self.style.strong(&format!("{step}. {says}"))))
    }

    /// A fact below a heading.
    pub(super) fn fact(&self, what: &str, value: &str) -> Result<()> {
        say(&format!("   {} {}", self.style.faint(&format!("{what:<14}")), output::clean(value)))
    }

    /// Something that went well.
    pub(super) fn good(&self, says: &str) -> Result<()> {
        say(&format!("   {} {}", self.style.good("✓"), output::clean(says)))
    }

    fn elapsed(&self) -> String {
        seconds(self.clock.monotonic().saturating_sub(self.began).as_secs())
    }
}

/// A line of the story.
fn say(line: &str) -> Result<()> {
    output::data(&format!("{line}\n"))
}
