//! The schema gate: every exchange of every conformance case against the vendor's machine-readable contract.

use std::path::{Path, PathBuf};
use std::process::Command;

use futures::StreamExt;

use crate::{CloudUnderTest, Pmks, Python, rig, skip};

/// Who reads the vendor's contract.
#[derive(Clone, Copy, Debug)]
pub enum Reader {
    /// A reader beside `crates/conformance/schema_gate/gate.py`, by its module.
    Shared(&'static str),
    /// A script of the cloud's own, by its path, which takes the file of exchanges.
    Own(&'static str),
}

/// Runs the cases and judges what went over the wire; says why if the contract cannot be read on this machine.
pub async fn run(under_test: &'static dyn CloudUnderTest, requirements: &str, reader: Reader) {
    let python = match Python::get(requirements) {
        Ok(python) => python,
        Err(why) => return skip("the schema gate", &why),
    };
    // In the others the simulated cloud says what it was told to say beside its vendor's documents.
    let cases = pmks_conformance::CASES.iter().filter(|case| case.is_within_contract());
    let cases = futures::stream::iter(cases).map(|case| async move {
        let rig = rig(under_test).await;
        // Whether the case passes is the conformance suite's to say; here its exchanges are what counts.
        let _ = pmks_conformance::run(case, &rig).await;
        rig.recorder.take()
    });
    let exchanges: Vec<_> = cases.buffer_unordered(4).concat().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("exchanges.json");
    std::fs::write(&file, serde_json::to_vec(&exchanges).unwrap()).unwrap();
    judge(&python, reader, &file);
}

/// Holds everything that the product exchanged with a simulated cloud against the contract.
pub fn judge_all(python: &Python, reader: Reader, pmks: &Pmks) {
    judge(python, reader, &exchanges_of(pmks));
}

/// Holds everything that the product asked of a server that others wrote against the contract; its answers are its own.
pub fn judge_requests(python: &Python, reader: Reader, pmks: &Pmks) {
    judge_with(python, reader, &exchanges_of(pmks), &["requests"]);
}

/// Holds a file of exchanges against the contract.
pub fn judge(python: &Python, reader: Reader, exchanges: &Path) {
    judge_with(python, reader, exchanges, &[]);
}

fn exchanges_of(pmks: &Pmks) -> PathBuf {
    let mut exchanges = Vec::new();
    for entry in std::fs::read_dir(pmks.exchanges()).unwrap() {
        let text = std::fs::read(entry.unwrap().path()).unwrap();
        exchanges.push(serde_json::from_slice::<serde_json::Value>(&text).unwrap());
    }
    let file = pmks.home().join("exchanges.json");
    std::fs::write(&file, serde_json::to_vec(&exchanges).unwrap()).unwrap();
    file
}

fn judge_with(python: &Python, reader: Reader, exchanges: &Path, more: &[&str]) {
    let (script, module) = match reader {
        Reader::Shared(module) => (shared(), Some(module)),
        Reader::Own(script) => (PathBuf::from(script), None),
    };
    let mut command = Command::new(python.program("python"));
    let output = command.arg(script).args(module).arg(exchanges).args(more).output().unwrap();
    let says = String::from_utf8_lossy(&output.stdout);
    eprintln!("{says}");
    assert!(output.status.success(), "{says}{}", String::from_utf8_lossy(&output.stderr));
}

fn shared() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/schema_gate/gate.py")
}
