//! Load on a served pmks over HTTP, beside the same load on an empty axum handler, in turns within one run. Prints
//! figures and targets; asserts only that it measured what it says.
//!
//! `cargo xtask bench` runs it. `pmks-load PROGRAM [reads|creates|calls|spider]`
#![expect(clippy::print_stdout, reason = "a bench prints figures")]

mod caller;
mod calls;
mod creates;
mod empty;
mod figures;
mod load;
mod processes;
mod reads;
mod spider;
mod stand;

use std::path::Path;

use anyhow::Context;
use pmks_store::MasterKey;

use load::Server;
use processes::Pmks;

/// How often each measurement is made; the median counts.
const ROUNDS: usize = 5;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        // As pmks has it: a worker for each processor.
        ["empty"] => tokio::runtime::Runtime::new()?.block_on(empty::serve()),
        [program] => measured(program, None),
        [program, part] => measured(program, Some(part)),
        [] => anyhow::bail!("usage: pmks-load PROGRAM [reads|creates|calls|spider]"),
        _ => anyhow::bail!("too many arguments"),
    }
}

/// The load has one thread: what it takes of the processors is little and the same for both.
fn measured(program: &str, part: Option<&str>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run(program, part))
}

async fn run(program: &str, part: Option<&str>) -> anyhow::Result<()> {
    let home = tempfile::tempdir()?;
    let master_key = MasterKey::generate()?.to_text().to_string();
    let program = Path::new(program).canonicalize().with_context(|| program.to_owned())?;
    let pmks = Pmks { program, home: home.path().to_owned(), master_key };
    let (process, target) = processes::empty()?;
    let empty = Server { target: &target, process: &process };
    let wanted = |name: &str| part.is_none_or(|part| part == name);
    if wanted("reads") {
        reads::run(&pmks, empty).await?;
    }
    if wanted("creates") {
        creates::run(&pmks, empty).await?;
    }
    if wanted("calls") {
        calls::run(&pmks).await?;
    }
    if wanted("spider") {
        spider::run(&pmks).await?;
    }
    Ok(())
}
