//! Everything that must pass before a change lands, in the order in which it fails fastest.

use std::process::Command;
use std::time::Instant;

use crate::{root, tidy};

/// The features that add the suites against software that others wrote.
const OUTSIDE_WORLD: &str = "pmks-aws-tests/outside-world,pmks-azure-tests/outside-world";

/// Runs all of it; what is missing on this machine is skipped by the suite itself with one visible line.
///
/// # Errors
/// At the first step that fails.
pub(crate) fn run() -> anyhow::Result<()> {
    step("formatting", &["fmt", "--all", "--check"])?;
    tidy::run(&root())?;
    step(
        "lints",
        &["clippy", "--workspace", "--all-targets", "--features", OUTSIDE_WORLD, "--", "-D", "warnings"],
    )?;
    // The suites drive the program as its users do, so it is built first.
    step("the program", &["build", "--package", "pmks"])?;
    step("tests", &["test", "--workspace", "--features", OUTSIDE_WORLD])
}

fn step(name: &str, arguments: &[&str]) -> anyhow::Result<()> {
    println!("==> {name}: cargo {}", arguments.join(" "));
    let begun = Instant::now();
    let status = Command::new(env!("CARGO")).args(arguments).current_dir(root()).status()?;
    anyhow::ensure!(status.success(), "{name} failed");
    println!("==> {name}: {} s", begun.elapsed().as_secs());
    Ok(())
}
