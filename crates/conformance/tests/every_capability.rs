//! Every field of the capabilities is read by a case, or by somebody else, who is named here with the reason.
//!
//! Read in the sources: a field that a case asks the capabilities for is one that it reads. No list is silent: an entry
//! whose field a case reads by now, or which its reader does not name, fails.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of a test: what fails here fails it")]

use std::fs;
use std::path::{Path, PathBuf};

/// A field that no case reads: its reader, and why no case can.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("title", "crates/driver/src/validate.rs", "it is for people: findings are worded with it"),
    (
        "services",
        "crates/core/src/connections/specification.rs",
        "endpoints are checked before there is a driver",
    ),
    (
        "credential_forms",
        "crates/core/src/connections/specification.rs",
        "likewise: a case begins with a credential",
    ),
    ("settings", "crates/driver/src/validate.rs", "likewise: a case begins with a connection"),
    (
        "cluster_options",
        "crates/driver/src/validate.rs",
        "an unknown option is refused in a case; which are known, and of what type, is data that `validate` alone reads",
    ),
    (
        "cluster_name",
        "crates/driver/src/validate.rs",
        "cases hold hostile names against `validate`, which reads it",
    ),
    ("node_group_name", "crates/driver/src/validate.rs", "likewise"),
    ("network_name", "crates/driver/src/validate.rs", "likewise"),
    ("subnet_name", "crates/driver/src/validate.rs", "likewise"),
    ("security_group_name", "crates/driver/src/validate.rs", "likewise"),
    ("key_pair_name", "crates/driver/src/validate.rs", "likewise"),
    (
        "unique_names",
        "crates/driver/src/unique_names.rs",
        "a driver hears a name like any other; every form is held against its rule by the registry's own test",
    ),
    (
        "token_reach",
        "crates/core/src/clusters/ways_in.rs",
        "what a token opens beside its cluster no cloud says; who is handed it is held by core's own tests",
    ),
    (
        "progress_list",
        "crates/core/src/engine",
        "one list for many waiting stages is the engine's to ask for",
    ),
    (
        "buckets",
        "crates/server/src/convert/provider.rs",
        "each driver fills its request budget with them; outside of it they are only shown",
    ),
    (
        "visible_after",
        "crates/core/src/inventory/mod.rs",
        "how long «not found» may be untrue of a cloud's list: cases take the stages' own",
    ),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The text of a file, or of every Rust file of a folder.
fn text(path: &Path) -> String {
    if path.is_file() {
        let is_rust = path.extension().is_some_and(|extension| extension == "rs");
        return if is_rust { fs::read_to_string(path).unwrap() } else { String::new() };
    }
    let entries = fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    entries.map(|entry| text(&entry.unwrap().path())).collect()
}

/// The fields of `struct Capabilities`, in its order.
fn fields() -> Vec<String> {
    let source = text(&root().join("crates/driver/src/capabilities.rs"));
    let (_, body) = source.split_once("pub struct Capabilities {").unwrap();
    let (body, _) = body.split_once("\n}").unwrap();
    let field =
        |line: &str| line.trim().strip_prefix("pub ")?.split_once(':').map(|(name, _)| name.to_owned());
    body.lines().filter_map(field).collect()
}

/// Whether a source asks something for that field: not as a part of a longer word, nor as a call.
fn reads(source: &str, of: &str, field: &str) -> bool {
    let asked = format!("{of}.{field}");
    let ends = |rest: &str| !rest.starts_with(|next: char| next.is_alphanumeric() || "_(".contains(next));
    source.match_indices(&asked).any(|(at, _)| source.get(at + asked.len()..).is_some_and(ends))
}

#[test]
fn every_field_is_read_by_a_case_or_by_somebody_who_is_named() {
    // However the lines are broken.
    let cases: String = text(&root().join("crates/conformance/src")).split_whitespace().collect();
    let fields = fields();
    assert!(fields.len() > 30, "the fields are not found: {fields:?}");
    let mut wrong = Vec::new();
    for field in &fields {
        // The bounds are asked for by a function of theirs, and so are tags and the operations.
        let by_case = reads(&cases, "capabilities", field)
            || reads(&cases, "capabilities()", field)
            || (field == "call_bounds" && cases.contains("capabilities().call_bound("))
            || (field == "tagged" && cases.contains("capabilities.takes_tags("))
            || (field == "operations" && cases.contains("capabilities.has("));
        match ELSEWHERE.iter().find(|(name, ..)| name == field) {
            None if by_case => {}
            None => wrong.push(format!("{field}: no case reads it")),
            Some(_) if by_case => wrong.push(format!("{field}: a case reads it, and it is listed here")),
            Some((_, reader, why)) => {
                if why.is_empty() || !reads(&text(&root().join(reader)), "", field) {
                    wrong.push(format!("{field}: {reader} does not read it"));
                }
            }
        }
    }
    for (name, ..) in ELSEWHERE {
        if !fields.iter().any(|field| field == name) {
            wrong.push(format!("{name}: there is no such field"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
