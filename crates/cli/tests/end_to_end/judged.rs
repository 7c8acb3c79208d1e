//! What is exchanged with the simulated clouds of the processes that a user starts, held against what the vendors publish
//! when the last of them is gone: also of those that were killed.

use std::process::Command;

use pmks_suites::CloudUnderTest;
use pmks_suites::schema_gate::judge_kept;
use serde_json::{Value, json};

use crate::sandbox::Sandbox;

/// The clouds whose vendors publish a contract. Nothing is judged without the software that reads it (`outside-world`).
const CLOUDS: [&dyn CloudUnderTest; 3] = [pmks_aws_tests::AWS, pmks_azure_tests::AZURE, pmks_gcp_tests::GCP];

/// Where a user's processes write it. Who has one of these has a process that may still write.
pub(crate) struct Judged {
    folder: tempfile::TempDir,
}

impl Judged {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// Lets a process write it.
    pub(crate) fn surround(&self, command: &mut Command) {
        command.env("PMKS_SIMULATED_EXCHANGES", self.folder.path());
    }

    /// What was exchanged with one provider's clouds.
    fn exchanges(&self, cloud: &dyn CloudUnderTest) -> Vec<Value> {
        let begins = format!("{}-", cloud.provider().capabilities().provider);
        let mut exchanges = Vec::new();
        for entry in std::fs::read_dir(self.folder.path()).unwrap() {
            let entry = entry.unwrap();
            if entry.file_name().to_string_lossy().starts_with(&begins) {
                exchanges.extend(lines(&std::fs::read_to_string(entry.path()).unwrap()));
            }
        }
        exchanges
    }

    fn defects(&self) -> Vec<String> {
        let kept = CLOUDS.iter().map(|cloud| (*cloud, self.exchanges(*cloud)));
        let kept = kept.filter(|(_, exchanges)| !exchanges.is_empty());
        kept.filter_map(|(cloud, exchanges)| judge_kept(cloud, &exchanges)).flatten().collect()
    }
}

impl Drop for Judged {
    fn drop(&mut self) {
        let defects = self.defects();
        if defects.is_empty() {
            return;
        }
        let says = format!("not in the vendor's contract:\n{}", defects.join("\n"));
        // A second panic would end the whole program.
        if std::thread::panicking() {
            println!("{says}");
        } else {
            panic!("{says}");
        }
    }
}

/// The last one may have been written in part when the process died.
fn lines(text: &str) -> impl Iterator<Item = Value> {
    let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    whole.map(|line| serde_json::from_str(line).unwrap())
}

#[test]
fn what_a_killed_process_answered_is_kept() {
    let user = Sandbox::new();
    let simulator = user.simulate("1000");
    assert_eq!(user.connect("a", &simulator).code, Some(0));
    drop(simulator);
    let kept = user.judged.exchanges(pmks_aws_tests::AWS);
    let actions: Vec<&str> = kept.iter().filter_map(|exchange| exchange["action"].as_str()).collect();
    assert!(actions.contains(&"GetCallerIdentity"), "{actions:?}");
}

#[test]
fn what_no_document_knows_fails_the_test_that_it_belongs_to() {
    let judged = Judged::new();
    let strange = json!({"service": "eks", "action": "ListClusters", "method": "GET", "url": "http://localhost/clusters?odd=1",
        "requestHeaders": {}, "requestBody": "", "status": null, "responseHeaders": {}, "responseBody": "", "before": []});
    std::fs::write(judged.folder.path().join("aws-1.jsonl"), format!("{strange}\n{{\"cut")).unwrap();
    // Where there is nobody who judges, nothing fails.
    let is_judged = judge_kept(pmks_aws_tests::AWS, &[]).is_some();
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(judged)));
    assert_eq!(ended.is_err(), is_judged);
    if let Err(says) = ended {
        let says = says.downcast_ref::<String>().unwrap();
        assert!(says.contains("query parameter odd is not known"), "{says}");
    }
}
