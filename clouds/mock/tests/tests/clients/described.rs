//! The interface's own description in the hands of others: a validator reads it, and property-based requests made of it
//! find no failure of the server and no answer that it does not describe.

use std::process::Command;

use pmks_suites::{Python, skip};
use serde_json::Value;

use crate::stand::{Stand, USER, printed};

const REQUIREMENTS: &str = "openapi-spec-validator==0.9.0\nschemathesis==4.32.5\n";

/// How many requests a run of each extent makes at least, and how many of each operation at most.
const SHORT: (usize, &str) = (200, "3");
const LONG: (usize, &str) = (2000, "30");

#[test]
fn the_description_is_valid_and_true() {
    let python = match Python::get(REQUIREMENTS) {
        Ok(python) => python,
        Err(why) => return skip("requests made of the description", &why),
    };
    let stand = Stand::new();
    let (description, report) =
        (stand.pmks.home().join("swagger.json"), stand.pmks.home().join("report.json"));
    let document = format!("{}/api/doc.json", stand.url());
    let fetch =
        "import sys, urllib.request; sys.stdout.write(urllib.request.urlopen(sys.argv[1]).read().decode())";
    let text = printed(Command::new(python.program("python")).args(["-c", fetch, &document]));
    std::fs::write(&description, text).unwrap();
    printed(
        Command::new(python.program("openapi-spec-validator")).args(["--schema", "2.0"]).arg(&description),
    );
    let (least, each) = if std::env::var_os("PMKS_LONG").is_some() { LONG } else { SHORT };
    let mut asked = Command::new(python.program("st"));
    asked.args(["run", &document, "--auth", &format!("{}:{}", USER.0, USER.1), "--no-color"]);
    asked.args(["--phases", "fuzzing", "--max-examples", each, "--seed", "1", "--request-timeout", "60"]);
    asked.args([
        "--checks",
        "answered,content_type_conformance,status_code_conformance,response_schema_conformance",
    ]);
    asked.args(["--report-json-path"]).arg(&report);
    asked.env("SCHEMATHESIS_HOOKS", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/hooks.py"));
    asked.env("PMKS_URL", stand.url()).env("PMKS_USER", format!("{}:{}", USER.0, USER.1));
    asked.env("PMKS_CALLS", stand.pmks.home().join("calls")).current_dir(stand.pmks.home());
    let said = printed(&mut asked);
    println!("{said}");
    let calls = std::fs::read_to_string(stand.pmks.home().join("calls")).unwrap();
    let statuses: Vec<u16> = calls.lines().map(|line| line.parse().unwrap()).collect();
    assert!(statuses.len() >= least, "{} requests\n{said}", statuses.len());
    let done = statuses.iter().filter(|status| **status == 200).count();
    assert!(done * 5 > statuses.len(), "{done} of {} requests were carried out", statuses.len());
    let _: Value = serde_json::from_str(&std::fs::read_to_string(&report).unwrap()).unwrap();
    stand.served.stop();
}
