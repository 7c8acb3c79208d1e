//! Azure's own SDK against the simulated Azure over HTTPS, and what went over the wire against the SDK's models.

use std::path::PathBuf;
use std::process::Command;

use pmks_azure_tests::{AZURE, CONTRACT, REQUIREMENTS};
use pmks_suites::schema_gate::judge;
use pmks_suites::{Python, SimulatedCloud, kubectl, skip, which};

#[tokio::test(flavor = "multi_thread")]
async fn the_vendors_sdk_lives_with_a_cluster_and_every_exchange_is_in_its_contract() {
    let python = match Python::get(REQUIREMENTS) {
        Ok(python) => python,
        Err(why) => return skip("Azure's SDK", &why),
    };
    let world = SimulatedCloud::start(AZURE).await;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    std::fs::write(file("ready.json"), world.ready_file()).unwrap();
    std::fs::write(file("ca.pem"), world.cloud.authority().unwrap().certificate_pem()).unwrap();
    let kubectl = which("kubectl").or_else(|| tokio::task::block_in_place(kubectl).ok());
    let arguments: Vec<PathBuf> =
        [file("ready.json"), file("exchanges.json")].into_iter().chain(kubectl).collect();
    let tour = || {
        let output = Command::new(python.program("python"))
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/sdk_tour.py"))
            .args(arguments)
            .env("REQUESTS_CA_BUNDLE", file("ca.pem"))
            .env("HOME", folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        eprintln!("{said}");
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    };
    // The tour waits for the world, which must go on meanwhile.
    tokio::task::block_in_place(tour);
    let remains: Vec<String> = world.rows().into_iter().map(|row| row.kind).collect();
    assert_eq!(remains, Vec::<String>::new());
    tokio::task::block_in_place(|| judge(&python, CONTRACT, &file("exchanges.json")));
}
