//! The schema gate: every exchange of every conformance case, and of every operation kind as the kill matrix carries it
//! out, against the vendor's machine-readable contract, and the gate itself against exchanges that were changed in one place.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use futures::StreamExt;
use serde_json::Value;

use crate::{CloudUnderTest, Pmks, Python, kill_matrix, rig, skip};
pub(crate) use judge::Judge;

mod judge;
mod wrong;

/// What judges.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../conformance/schema_gate/gate.py");

/// A vendor's machine-readable contract, and what is known of how much it says.
#[derive(Clone, Copy, Debug)]
pub struct Contract {
    /// The packages that carry it, as pip reads them.
    pub requirements: &'static str,
    /// Who reads it: a module beside `crates/conformance/schema_gate/gate.py`.
    pub reader: &'static str,
    /// What is exchanged that it does not describe, by service or call, and that is all: the reader
    /// says the reason of each.
    pub not_judged: &'static [&'static str],
    /// A file of changes of single members, each of which the gate must find (`crates/conformance/schema_gate/mutations.py`).
    pub mutations: &'static str,
}

/// Runs the cases and judges what went over the wire; says why if the contract cannot be read on this machine.
pub async fn run(under_test: &'static dyn CloudUnderTest, contract: Contract) {
    let python = match Python::get(contract.requirements) {
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
    let mut exchanges: Vec<_> = cases.buffer_unordered(4).concat().await;
    exchanges.extend(kill_matrix::exchanges(under_test).await);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("exchanges.json");
    std::fs::write(&file, serde_json::to_vec(&exchanges).unwrap()).unwrap();
    let (is_held, says) = gate(&python, contract, &file, &["--mutations", contract.mutations]);
    // Who mends a defect wants to ask the gate again without the cases.
    assert!(is_held, "{says}the exchanges: {}", folder.keep().display());
    let not_judged = says.lines().filter_map(|line| line.strip_prefix("not judged: ")?.split_once(": "));
    let not_judged: BTreeSet<&str> = not_judged.map(|(place, _)| place).collect();
    let named: BTreeSet<&str> = contract.not_judged.iter().copied().collect();
    assert_eq!(not_judged, named, "what no contract judges");
}

/// A suite's cloud that says what no document knows is found out when it ends.
pub async fn finds_a_mistake(under_test: &'static dyn CloudUnderTest) {
    wrong::is_found(under_test).await;
}

/// What is wrong with exchanges that another process wrote of its simulated cloud, as `pmks_simulation::Exchange` is written;
/// a line each. `None` where no contract is published, or it cannot be read on this machine, which is said.
pub fn judge_kept(under_test: &dyn CloudUnderTest, exchanges: &[Value]) -> Option<Vec<String>> {
    let count = u64::try_from(exchanges.len()).unwrap_or(u64::MAX);
    Some(Judge::of(under_test)?.judge_written(&Value::from(exchanges), count))
}

/// Holds everything that the product asked of a server that others wrote against the contract; its answers are its own.
pub fn judge_requests(python: &Python, contract: Contract, pmks: &Pmks) {
    judge_with(python, contract, &exchanges_of(pmks), &["--requests"]);
}

/// Holds a file of exchanges against the contract.
pub fn judge(python: &Python, contract: Contract, exchanges: &Path) {
    judge_with(python, contract, exchanges, &[]);
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

fn judge_with(python: &Python, contract: Contract, exchanges: &Path, more: &[&str]) {
    let (is_held, says) = gate(python, contract, exchanges, more);
    assert!(is_held, "{says}");
}

/// Whether the contract is held, and what the gate said.
fn gate(python: &Python, contract: Contract, exchanges: &Path, more: &[&str]) -> (bool, String) {
    let mut command = Command::new(python.program("python"));
    // Python's compiled modules have no place among the sources.
    command.arg("-B").arg(SCRIPT).arg(contract.reader).arg(exchanges).args(more);
    let output = command.output().unwrap();
    let says = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    eprintln!("{says}");
    (output.status.success(), says)
}
