//! The direction of dependencies: surface → core → driver → transport, no arrow back up, no cloud outside the registry.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::Context;
use serde_json::Value;

/// What each crate of the house may use of the house. Clouds are checked by their own rules below.
const ALLOWED: &[(&str, &[&str])] = &[
    ("pmks-model", &[]),
    ("pmks-transport", &[]),
    ("pmks-traces", &["pmks-transport"]),
    ("pmks-driver", &["pmks-model", "pmks-transport"]),
    ("pmks-conformance", &["pmks-model", "pmks-transport", "pmks-driver"]),
    ("pmks-store", &["pmks-model"]),
    ("pmks-core", &["pmks-model", "pmks-transport", "pmks-driver", "pmks-store"]),
    ("pmks-api", &[]),
    ("pmks-meta-database", &[]),
    ("pmks-spider", &["pmks-model", "pmks-transport", "pmks-driver", "pmks-core"]),
    (
        "pmks-server",
        &[
            "pmks-model",
            "pmks-transport",
            "pmks-driver",
            "pmks-store",
            "pmks-core",
            "pmks-api",
            "pmks-spider",
        ],
    ),
    ("pmks-simulation", &[]),
    ("pmks-control-plane", &[]),
    (
        "pmks-suites",
        &[
            "pmks-control-plane",
            "pmks-model",
            "pmks-transport",
            "pmks-driver",
            "pmks-conformance",
            "pmks-store",
            "pmks-core",
            "pmks-simulation",
        ],
    ),
    ("pmks-load", &["pmks-model", "pmks-store"]),
    ("xtask", &["pmks-control-plane"]),
];

/// What a cloud's driver may use of the house.
const DRIVER: &[&str] = &["pmks-model", "pmks-transport", "pmks-driver"];
/// What a cloud's simulator may use of the house: nothing of its driver's, or one misreading would pass on both sides.
const SIMULATOR: &[&str] = &["pmks-simulation"];

/// Every arrow that must not be there.
pub(crate) fn defects(root: &Path) -> anyhow::Result<Vec<String>> {
    Ok(arrows(root)?.iter().flat_map(|(name, (folder, uses))| wrong_arrows(name, folder, uses)).collect())
}

fn wrong_arrows(name: &str, folder: &str, uses: &BTreeSet<String>) -> Vec<String> {
    let allowed: &[&str] = match ALLOWED.iter().find(|(known, _)| *known == name) {
        Some((_, allowed)) => allowed,
        None if folder.contains("clouds/") && folder.ends_with("/driver") => DRIVER,
        None if folder.contains("clouds/") && folder.ends_with("/simulator") => SIMULATOR,
        // The binary knows everybody; a cloud's tests too.
        None if name == "pmks" || folder.ends_with("/tests") => return Vec::new(),
        None => return vec![format!("{name}: no rule says what this crate may use")],
    };
    let wrong = uses.iter().filter(|used| !allowed.contains(&used.as_str()));
    wrong.map(|used| format!("{name} must not use {used}")).collect()
}

/// Each crate of the workspace with its folder and what it uses of the workspace, development dependencies apart.
fn arrows(root: &Path) -> anyhow::Result<BTreeMap<String, (String, BTreeSet<String>)>> {
    let text =
        |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(packages(root)?
        .iter()
        .map(|package| {
            let uses = package.get("dependencies").and_then(Value::as_array).into_iter().flatten();
            let uses = uses
                .filter(|dependency| dependency.get("kind").is_none_or(Value::is_null))
                .map(|dependency| text(dependency, "name"))
                .filter(|name| name.starts_with("pmks"))
                .collect();
            let folder = text(package, "manifest_path").replace("/Cargo.toml", "");
            (text(package, "name"), (folder, uses))
        })
        .collect())
}

/// The crates of the workspace that have a feature of that name, as `--features` wants them.
pub(crate) fn feature(root: &Path, feature: &str) -> anyhow::Result<String> {
    let with = |package: &Value| {
        package.get("features")?.get(feature)?;
        Some(format!("{}/{feature}", package.get("name")?.as_str()?))
    };
    let found: Vec<String> = packages(root)?.iter().filter_map(with).collect();
    anyhow::ensure!(!found.is_empty(), "no crate has the feature {feature}");
    Ok(found.join(","))
}

/// The crates of the workspace as cargo describes them.
fn packages(root: &Path) -> anyhow::Result<Vec<Value>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root)
        .output()
        .context("cargo metadata")?;
    anyhow::ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let mut metadata: Value = serde_json::from_slice(&output.stdout)?;
    match metadata.get_mut("packages").map(Value::take) {
        Some(Value::Array(packages)) => Ok(packages),
        _ => anyhow::bail!("cargo metadata names no packages"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrow_back_up_is_found() {
        let wrong = |name: &str, folder: &str, uses: &[&str]| {
            wrong_arrows(name, folder, &uses.iter().map(|used| (*used).to_owned()).collect())
        };
        let none = Vec::<String>::new();
        assert_eq!(wrong("pmks-store", "/x/crates/store", &["pmks-model"]), none);
        assert_eq!(
            wrong("pmks-store", "/x/crates/store", &["pmks-core"]),
            ["pmks-store must not use pmks-core"]
        );
        assert_eq!(wrong("pmks-x", "/x/clouds/x/driver", &["pmks-driver"]), none);
        assert_eq!(wrong("pmks-x", "/x/clouds/x/driver", &["pmks-core"]), ["pmks-x must not use pmks-core"]);
        let shared = wrong("pmks-x-simulator", "/x/clouds/x/simulator", &["pmks-x", "pmks-simulation"]);
        assert_eq!(shared, ["pmks-x-simulator must not use pmks-x"]);
        assert_eq!(wrong("pmks-x-tests", "/x/clouds/x/tests", &["pmks-x", "pmks-core"]), none);
        assert_eq!(
            wrong("pmks-new", "/x/crates/new", &[]),
            ["pmks-new: no rule says what this crate may use"]
        );
    }

    #[test]
    fn the_suites_against_software_of_others_are_found() {
        let found = feature(&crate::root(), "outside-world").unwrap();
        assert!(found.split(',').any(|one| one == "pmks-aws-tests/outside-world"), "{found}");
        assert!(feature(&crate::root(), "no-such-feature").is_err());
    }
}
