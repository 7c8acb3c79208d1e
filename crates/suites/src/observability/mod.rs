//! What a server tells those who watch it, read by software that others wrote: its metrics by Prometheus' own parser,
//! after a tour through what it does; its traces by the published messages of OTLP.

mod metrics;
mod traces;

use serde_json::json;

use crate::kubernetes::make_cluster;
use crate::stand::connected;
use crate::{CloudUnderTest, Pmks, Python, SimulatedCloud, skip};

/// What reads it.
const REQUIREMENTS: &str = include_str!("../../observability/requirements.txt");

/// The page that promises it.
const PAGE: &str = include_str!("../../../../docs/observability.md");

/// A cloud, and pmks with a connection to it.
struct Scene {
    python: Python,
    world: SimulatedCloud,
    pmks: Pmks,
    under_test: &'static dyn CloudUnderTest,
}

/// Runs it on one cloud.
pub async fn run(under_test: &'static dyn CloudUnderTest) {
    let provider = under_test.provider().capabilities().provider;
    let python = match tokio::task::block_in_place(|| Python::get(REQUIREMENTS)) {
        Ok(python) => python,
        Err(why) => return skip(&format!("observability with {provider}"), &why),
    };
    let world = SimulatedCloud::start(under_test).await;
    tokio::task::block_in_place(|| {
        let pmks = connected(&world);
        let scene = Scene { python, world, pmks, under_test };
        metrics::run(&scene);
        traces::run(&scene);
    });
}

impl Scene {
    /// Makes, changes, reads and removes a cluster; one answer of the cloud says that it was too much.
    fn tour(&self) {
        let (pmks, cluster) = (&self.pmks, "prod");
        make_cluster(self.under_test, &self.world, pmks);
        let throttle = json!({"match": {}, "effect": {"type": "throttle"}, "times": 1});
        self.world.cloud.controls().faults.add(serde_json::from_value(throttle).expect("a rule"));
        pmks.succeed(&["cluster", "list", "-c", "sim", "--refresh"]);
        let group = ["node-group", "scale", "workers", "-c", "sim", "--cluster", cluster];
        pmks.succeed(&[group.as_slice(), &["--desired", "2"]].concat());
        pmks.succeed(&["cluster", "get", cluster, "-c", "sim", "--refresh"]);
        pmks.succeed(&["cluster", "delete", cluster, "-c", "sim", "--yes"]);
        pmks.succeed(&["network", "delete", "net", "-c", "sim", "--yes"]);
    }
}
