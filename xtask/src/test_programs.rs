//! Runs the workspace's test programs, as many at once as the machine has cores. Cargo runs one after the other, and many
//! of them wait for a server or a program more than they compute.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::Context;
use serde_json::Value;

use crate::memory_folder::MemoryFolder;

/// How many tests of one program run at once: many wait more than they compute, so that two share a core.
const THREADS: &str = "2";

/// How much of what takes hours is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// A part, spread over all.
    Sample,
    /// Everything: the matrices whole, and every seed.
    Whole,
}

/// A program of tests.
#[derive(Debug)]
pub(crate) struct TestProgram {
    /// `clouds/aws/tests kill_matrix`.
    name: String,
    path: PathBuf,
    /// Its package's folder, where cargo would run it.
    folder: PathBuf,
    /// Whether it stands in a folder of tests of its own: those take longest.
    is_integration: bool,
}

/// Builds all programs of those packages and features. What is run whole is optimized a little: it takes three times as
/// long to build, and a third of the time to run.
///
/// # Errors
/// If something does not compile.
pub(crate) fn build(root: &Path, arguments: &[&str], extent: Extent) -> anyhow::Result<Vec<TestProgram>> {
    let mut command = Command::new(env!("CARGO"));
    if extent == Extent::Whole {
        command.env("CARGO_PROFILE_DEV_OPT_LEVEL", "1");
    }
    let mut cargo = command
        .args(["test", "--no-run", "--message-format", "json-render-diagnostics"])
        .args(arguments)
        .current_dir(root)
        .stdout(Stdio::piped())
        .spawn()?;
    let messages = cargo.stdout.take().context("cargo says nothing")?;
    let messages = BufReader::new(messages).lines().collect::<Result<Vec<_>, _>>()?;
    anyhow::ensure!(cargo.wait()?.success(), "the tests do not build");
    let mut programs: Vec<_> = messages.iter().filter_map(|message| announced(root, message)).collect();
    programs.sort_by_key(|program| !program.is_integration);
    Ok(programs)
}

/// The program that a line of cargo's messages announces.
fn announced(root: &Path, message: &str) -> Option<TestProgram> {
    let message: Value = serde_json::from_str(message).ok()?;
    let is_test = message.pointer("/profile/test")?.as_bool()?;
    let path = PathBuf::from(message.get("executable")?.as_str()?);
    let folder = Path::new(message.get("manifest_path")?.as_str()?).parent()?.to_owned();
    let is_integration = message.pointer("/target/kind/0")?.as_str()? == "test";
    let package = folder.strip_prefix(root).unwrap_or(&folder).display();
    let name = format!("{package} {}", message.pointer("/target/name")?.as_str()?);
    is_test.then_some(TestProgram { name, path, folder, is_integration })
}

/// Runs them all, whatever fails. What they write lies in memory where there is enough of it. What one prints is shown whole when it has ended.
///
/// # Errors
/// If one fails or cannot be run; names each.
pub(crate) fn run(programs: &[TestProgram], extent: Extent) -> anyhow::Result<()> {
    let at_once = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let memory = MemoryFolder::new();
    let scratch = memory.as_ref().map(MemoryFolder::path);
    let waiting = Mutex::new(programs.iter());
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(program) = next(&waiting) {
                    if !program.passes(scratch, extent) {
                        failed.lock().unwrap_or_else(PoisonError::into_inner).push(program.name.as_str());
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    anyhow::ensure!(
        failed.is_empty(),
        "{} of {} programs failed: {}",
        failed.len(),
        programs.len(),
        failed.join(", ")
    );
    Ok(())
}

fn next<'a>(waiting: &Mutex<impl Iterator<Item = &'a TestProgram>>) -> Option<&'a TestProgram> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).next()
}

impl TestProgram {
    fn passes(&self, scratch: Option<&Path>, extent: Extent) -> bool {
        let begun = Instant::now();
        let ended = self.output(scratch, extent);
        let (passed, printed) = match &ended {
            Ok(output) => (output.status.success(), [output.stdout.as_slice(), &output.stderr].concat()),
            Err(error) => (false, error.to_string().into_bytes()),
        };
        let mut screen = std::io::stdout().lock();
        let verdict = if passed { "passed" } else { "FAILED" };
        // Nobody is left to tell if the screen is gone.
        let _ = writeln!(screen, "==> {} {verdict}: {} s", self.name, begun.elapsed().as_secs());
        let _ = screen.write_all(&printed);
        passed
    }

    fn output(&self, scratch: Option<&Path>, extent: Extent) -> std::io::Result<Output> {
        let mut command = Command::new(&self.path);
        if extent == Extent::Whole {
            command.env("PMKS_LONG", "1");
        }
        if std::env::var_os("RUST_TEST_THREADS").is_none() {
            command.env("RUST_TEST_THREADS", THREADS);
        }
        if let Some(scratch) = scratch {
            command.env("TMPDIR", scratch);
        }
        command
            .current_dir(&self.folder)
            .env("CARGO_MANIFEST_DIR", &self.folder)
            .stdin(Stdio::null())
            .output()
    }
}
