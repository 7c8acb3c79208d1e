//! Developer commands: `cargo xtask test [--long] | bench | tidy | new-cloud NAME`.
//!
//! Never part of the product, and never the only way to build it.
#![expect(clippy::print_stdout, reason = "a developer command speaks on standard output")]

mod crate_graph;
mod footprint;
mod load;
mod memory_folder;
mod new_cloud;
mod test;
mod test_programs;
mod tidy;

use std::path::{Path, PathBuf};

use test_programs::Extent;

const USAGE: &str = "\
cargo xtask test [--long]     formatting, lints, tidy, every test, and the suites against software that others wrote;
                              of what takes hours a sample, with --long all of it
cargo xtask bench             figures of the store, of reads, of the engine, of the program itself and of load on its server, in a
                              release build
cargo xtask tidy              the house rules that a machine can check
cargo xtask new-cloud NAME    the folder of a new cloud: empty rooms that compile";

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["test"] => test::run(Extent::Sample),
        ["test", "--long"] => test::run(Extent::Whole),
        ["bench"] => bench(),
        ["tidy"] => tidy::run(&root()),
        ["new-cloud", name] => new_cloud::run(&root(), name),
        _ => anyhow::bail!("usage:\n{USAGE}"),
    }
}

/// Prints figures; they are no part of the tests, which must not depend on a machine's speed.
fn bench() -> anyhow::Result<()> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let benches = ["bench", "-p", "pmks-store", "-p", "pmks-core", "--benches"];
    let ended = std::process::Command::new(cargo).args(benches).current_dir(root()).status()?;
    anyhow::ensure!(ended.success(), "a bench failed");
    footprint::run(&root())?;
    load::run(&root())
}

/// The workspace's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned()
}
