//! Azure's own SDK against the simulated Azure over HTTPS, and what went over the wire against the SDK's models.

use std::process::Command;

use pmks_azure_tests::{Python, SimulatedAzure, skip, which};

#[tokio::test(flavor = "multi_thread")]
async fn the_vendors_sdk_lives_with_a_cluster_and_every_exchange_is_in_its_contract() {
    let python = match Python::get() {
        Ok(python) => python,
        Err(why) => return skip("Azure's SDK", &why),
    };
    let world = SimulatedAzure::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    std::fs::write(file("ready.json"), world.ready_file()).unwrap();
    std::fs::write(file("ca.pem"), world.ca_certificate()).unwrap();
    let run = |script: &str, arguments: &[std::path::PathBuf]| {
        let script = format!("{}/{script}", env!("CARGO_MANIFEST_DIR"));
        let mut command = Command::new(python.program("python"));
        command
            .arg(script)
            .args(arguments)
            .env("REQUESTS_CA_BUNDLE", file("ca.pem"))
            .env("HOME", folder.path());
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        eprintln!("{said}");
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    };
    let kubectl = which("kubectl");
    let tour: Vec<_> = [file("ready.json"), file("exchanges.json")].into_iter().chain(kubectl).collect();
    // The tour waits for the world, which must go on meanwhile.
    tokio::task::block_in_place(|| run("sdk_tour.py", &tour));
    assert_eq!(world.remains(), Vec::<String>::new());
    tokio::task::block_in_place(|| run("schema_gate.py", &[file("exchanges.json")]));
}
