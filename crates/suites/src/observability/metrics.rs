//! The metrics: those that are documented, no others, each with its type and labels; and no user's name in any.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{PAGE, Scene};
use crate::{Ended, Served, text};

/// What the user has called things.
const NAMES: [&str; 5] = ["sim", "prod", "workers", "net", "net-0"];

/// More time series of one server than this, after one tour of one cloud, would be a burden to whoever stores them.
const SERIES: u64 = 8_000;

/// Kind and labels.
type Form = (String, BTreeSet<String>);

pub(super) fn run(scene: &Scene) {
    // Nobody listens there: spans are counted as dropped.
    let nobody = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")];
    let server = Served::start(&scene.pmks, &nobody);
    scene.tour();
    // What is read is itself counted: the first reading has a count of itself in the second.
    read(scene, &server);
    let families = read(scene, &server);
    let found: BTreeMap<String, Form> = families.iter().map(form).collect();
    assert_eq!(found, documented(), "docs/observability.md and /metrics");
    let mut series = 0;
    for family in &families {
        let name = text(family, "/name");
        assert!(!text(family, "/help").is_empty(), "{name} does not say what it is");
        series += family["samples"].as_u64().unwrap();
        for values in family["labels"].as_object().unwrap().values() {
            let values: Vec<&str> = values.as_array().unwrap().iter().filter_map(Value::as_str).collect();
            assert!(!values.iter().any(|value| NAMES.contains(value)), "{name} tells names: {values:?}");
            assert!(!values.iter().any(|value| is_identifier(value)), "{name} tells identifiers: {values:?}");
        }
    }
    assert!(series < SERIES, "{series} time series");
    println!("{} metrics, {series} time series", families.len());
    for moved in ["pmks_cloud_throttled_total", "pmks_operations_ended_total", "pmks_stage_duration_seconds"]
    {
        let family = families.iter().find(|family| family["name"] == moved).unwrap();
        assert!(family["sum"].as_f64().unwrap() > 0.0, "{family}");
    }
}

/// Twelve digits and UUIDs: accounts and identifiers.
fn is_identifier(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_hexdigit).count();
    (value.len() >= 12 && value.bytes().all(|byte| byte.is_ascii_digit()))
        || (value.len() == 36 && digits == 32 && value.matches('-').count() == 4)
}

fn read(scene: &Scene, server: &Served) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("observability/metrics.py");
    let mut command = Command::new(scene.python.program("python"));
    command.arg(script).arg(format!("{}/metrics", server.url)).env("TOKEN", &server.token);
    let ended = Ended::of(&command.output().unwrap());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    serde_json::from_str(&ended.stdout).unwrap()
}

fn form(family: &Value) -> (String, Form) {
    let labels = family["labels"].as_object().unwrap().keys().cloned().collect();
    (text(family, "/name").to_owned(), (text(family, "/type").to_owned(), labels))
}

/// The rows of the page's table.
fn documented() -> BTreeMap<String, Form> {
    let bare = |text: &str| text.trim().trim_matches('`').to_owned();
    let rows = PAGE.lines().filter(|line| line.starts_with("| `pmks_"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').collect();
        let labels = cells[3].split(',').map(bare).filter(|label| !label.is_empty()).collect();
        (bare(cells[1]), (bare(cells[2]), labels))
    })
    .collect()
}
