//! Everything that must pass before a change lands, in the order in which it fails fastest.

use std::process::Command;
use std::time::Instant;

use crate::{crate_graph, root, tidy};

/// The feature of those crates that have suites against software that others wrote.
const OUTSIDE_WORLD: &str = "outside-world";

/// Runs all of it; what is missing on this machine is skipped by the suite itself with one visible line.
///
/// # Errors
/// At the first step that fails.
pub(crate) fn run() -> anyhow::Result<()> {
    build_control_plane();
    step("formatting", &["fmt", "--all", "--check"])?;
    tidy::run(&root())?;
    let features = crate_graph::feature(&root(), OUTSIDE_WORLD)?;
    step(
        "lints",
        &["clippy", "--workspace", "--all-targets", "--features", &features, "--", "-D", "warnings"],
    )?;
    // The suites drive the program as its users do: cargo builds it for the tests of its own package, and all is built
    // before anything runs. With other flags what it is made of would be compiled twice.
    step("building", &["test", "--no-run", "--workspace", "--features", &features])?;
    step("tests", &["test", "--workspace", "--features", &features])
}

/// Begins at once, beside all that is compiled meanwhile, what the Kubernetes suites need: the first time it takes about
/// ten minutes of one core at the lowest priority. Whether it can be had is theirs to say.
fn build_control_plane() {
    if !pmks_control_plane::is_built() && pmks_control_plane::which("go").is_some() {
        std::thread::spawn(pmks_control_plane::program);
    }
}

fn step(name: &str, arguments: &[&str]) -> anyhow::Result<()> {
    println!("==> {name}: cargo {}", arguments.join(" "));
    let begun = Instant::now();
    let status = Command::new(env!("CARGO"))
        .args(arguments)
        .env("RUST_TEST_THREADS", threads())
        .current_dir(root())
        .status()?;
    anyhow::ensure!(status.success(), "{name} failed");
    println!("==> {name}: {} s", begun.elapsed().as_secs());
    Ok(())
}

/// Many tests wait for servers and programs more than they compute: two share a core.
fn threads() -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::env::var("RUST_TEST_THREADS").unwrap_or_else(|_| (2 * cores).to_string())
}
