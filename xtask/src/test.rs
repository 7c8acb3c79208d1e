//! Everything that must pass before a change lands, in the order in which it fails fastest.

use std::process::Command;
use std::time::Instant;

use crate::test_programs::Extent;
use crate::{crate_graph, root, test_programs, tidy};

/// The feature of those crates that have suites against software that others wrote.
const OUTSIDE_WORLD: &str = "outside-world";

/// Runs all of it; what is missing on this machine is skipped by the suite itself with one visible line.
///
/// # Errors
/// At the first step that fails.
pub(crate) fn run(extent: Extent) -> anyhow::Result<()> {
    build_control_plane();
    step("formatting", &["fmt", "--all", "--check"])?;
    tidy::run(&root())?;
    let features = crate_graph::feature(&root(), OUTSIDE_WORLD)?;
    step(
        "lints",
        &["clippy", "--workspace", "--all-targets", "--features", &features, "--", "-D", "warnings"],
    )?;
    // All is built before anything runs, with one set of flags: the suites drive the program as its users do, and with
    // other flags what it is made of would be compiled twice.
    let flags = ["--workspace", "--features", &features];
    let programs = timed("building", || test_programs::build(&root(), &flags, extent))?;
    timed("tests", || test_programs::run(&programs, extent))?;
    step("examples in the documentation", &[&["test", "--doc"], flags.as_slice()].concat())
}

/// Begins at once, beside all that is compiled meanwhile, what the Kubernetes suites need: the first time it takes about
/// ten minutes of one core at the lowest priority. Whether it can be had is theirs to say.
fn build_control_plane() {
    if !pmks_control_plane::is_built() && pmks_control_plane::which("go").is_some() {
        std::thread::spawn(pmks_control_plane::program);
    }
}

fn step(name: &str, arguments: &[&str]) -> anyhow::Result<()> {
    timed(name, || {
        let status = Command::new(env!("CARGO")).args(arguments).current_dir(root()).status()?;
        anyhow::ensure!(status.success(), "cargo {} failed", arguments.join(" "));
        Ok(())
    })
}

fn timed<T>(name: &str, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    println!("==> {name}");
    let begun = Instant::now();
    let result = work()?;
    println!("==> {name}: {} s", begun.elapsed().as_secs());
    Ok(result)
}
