//! Every exchange of every conformance case against botocore's models of AWS' services.

use std::process::Command;

use futures::StreamExt;
use pmks_aws_tests::{Python, rig, skip};

/// The cases in which the simulated cloud says nothing that it was told to say beside its vendor's documents.
fn within_contract() -> impl Iterator<Item = &'static pmks_conformance::Case> {
    pmks_conformance::CASES.iter().filter(|case| case.is_within_contract())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_exchange_is_in_the_vendors_contract() {
    let python = match Python::get() {
        Ok(python) => python,
        Err(why) => return skip("the schema gate", &why),
    };
    let cases = futures::stream::iter(within_contract()).map(|case| async move {
        let rig = rig().await;
        // Whether the case passes is the conformance suite's to say; here its exchanges are what counts.
        let _ = pmks_conformance::run(case, &rig).await;
        rig.recorder.take()
    });
    let exchanges: Vec<_> = cases.buffer_unordered(4).concat().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("exchanges.json");
    std::fs::write(&file, serde_json::to_vec(&exchanges).unwrap()).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../crates/conformance/schema_gate/gate.py");
    let output =
        Command::new(python.program("python")).args([script, "botocore_models"]).arg(&file).output().unwrap();
    let says = String::from_utf8_lossy(&output.stdout);
    eprintln!("{says}");
    assert!(output.status.success(), "{says}{}", String::from_utf8_lossy(&output.stderr));
}
