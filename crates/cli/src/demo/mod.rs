//! `pmks demo`: the main job from nothing, on simulated clouds, all of it through the public API.
//!
//! One cluster on each cloud, side by side: every step is the same request at each, sent at once, and the next step
//! begins when all are done. Makes a cluster, looks at it through its own Kubernetes API, and keeps serving; `--once`
//! goes on to the end and asks the clouds what is left.

mod cluster;
mod ground_truth;
mod kubernetes;
mod next;
mod offer;
mod stand;
mod story;

use futures::future::{join_all, try_join_all};
use pmks_model::FailureKind;

use crate::app::App;
use crate::arguments::Demo;
use crate::error::{Error, Result};
use crate::output;
use crate::registry::{self, Entry};
use crate::signals;
use crate::simulated::Served;

use cluster::{MORE_NODES, NODES, Tour};
use ground_truth::GroundTruth;
use stand::Stand;
use story::{Story, Voice};

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
    let names: Vec<&'static str> = clouds.iter().map(|cloud| cloud.name).collect();
    let story = Story::new(stand, &names);
    story.title(demo)?;
    let served = try_join_all(clouds.iter().map(|entry| stand.simulate(entry, demo))).await?;
    let shown = Box::pin(tours(stand, &story, &served, demo)).await;
    let standing = match shown {
        Ok(standing) if !demo.once => standing,
        ended => {
            join_all(served.into_iter().map(Served::stop)).await;
            ended?;
            return Story::say(&format!("\nDone in {}.", story.elapsed()));
        }
    };
    for cloud in served {
        stand.keep(cloud);
    }
    for (standing, last) in standing.iter().zip((1..=standing.len()).map(|place| place == standing.len())) {
        next::print(stand, standing, last)?;
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

/// The tours of all clouds, step by step.
async fn tours(stand: &Stand, story: &Story, served: &[Served], demo: &Demo) -> Result<Vec<Standing>> {
    story.step("A server, a cloud, and a connection between them")?;
    story.fact("pmks", stand.url().as_str().trim_end_matches('/'))?;
    let begun = served.iter().map(|cloud| Box::pin(Tour::begin(stand, story.voice(cloud.name), cloud)));
    let tours = try_join_all(begun).await?;
    let first = truths(served).await?;
    story.step("Prerequisites: what the cloud wants in the account first")?;
    try_join_all(tours.iter().map(Tour::prepare)).await?;
    let prepared = truths(served).await?;
    story.step("A network to live in, firewall rules, a key for the nodes")?;
    try_join_all(tours.iter().map(Tour::make_ground)).await?;
    story.step(&format!("A cluster with {NODES} nodes, by one request"))?;
    try_join_all(tours.iter().map(Tour::make_cluster)).await?;
    story.step("The same cluster, asked through its own Kubernetes API")?;
    try_join_all(tours.iter().map(|tour| tour.check(NODES, &tour.versions.0))).await?;
    let mut standing = Vec::new();
    for tour in &tours {
        standing.push(tour.stands().await?);
    }
    if demo.once {
        story.step(&format!("Scaling: {NODES} to {MORE_NODES} nodes"))?;
        try_join_all(tours.iter().map(Tour::scale)).await?;
        story.step("Upgrading: control plane and nodes, one minor version up")?;
        try_join_all(tours.iter().map(Tour::upgrade)).await?;
        story.step("The list of clusters, of all connections")?;
        cluster::list(stand, story).await?;
        story.step("Deleting it all")?;
        try_join_all(tours.iter().map(Tour::remove)).await?;
        story.step("What remains at the cloud")?;
        for (at, left) in truths(served).await?.iter().enumerate() {
            let (Some(cloud), Some(first), Some(prepared)) =
                (served.get(at), first.get(at), prepared.get(at))
            else {
                continue;
            };
            remains(&story.voice(cloud.name), first, prepared, left)?;
        }
    }
    Ok(standing)
}

async fn truths(served: &[Served]) -> Result<Vec<GroundTruth>> {
    try_join_all(served.iter().map(GroundTruth::read)).await
}

fn remains(voice: &Voice<'_>, first: &GroundTruth, prepared: &GroundTruth, left: &GroundTruth) -> Result<()> {
    let remains = left.beyond(prepared);
    if !remains.is_empty() {
        for resource in &remains {
            voice.fact("remains", resource)?;
        }
        let says = format!("{} things remain at the cloud that the demo made", remains.len());
        return Err(Error::new(FailureKind::Unexpected, says));
    }
    let kept = prepared.beyond(first);
    if kept.is_empty() {
        return voice.good("nothing");
    }
    voice.good(&format!("nothing (but what prepared the account, for the next cluster: {})", kept.join(", ")))
}
