//! The folder of a new cloud: the rooms that every driver has, empty and compiling.

use std::fs;
use std::path::Path;

use crate::tidy;

const ROOMS: &[(&str, &str)] = &[
    ("capabilities.rs", "What it can do: one literal, a source link at each limit."),
    ("connection.rs", "One connection: what a driver is opened with, checked."),
    ("credential.rs", "Credential fields, and the signing or token source."),
    ("driver.rs", "The contract: each call goes to the room that answers it."),
    ("endpoints.rs", "The services, where each is found, and what replaces it."),
    (
        "errors.rs",
        "The rows of the table (`pmks_driver::refusals`) that classifies errors, each with source and test.",
    ),
    ("api.rs", "One function a cloud call: builds one request, sends it once, reads one answer."),
    ("clusters.rs", "Reads of clusters and node groups over the calls."),
    ("networks.rs", "Networks, subnets, security groups and key pairs."),
    ("machines.rs", "Images, machine types and nodes."),
    ("convert.rs", "The cloud's words in ours: pure functions with table tests."),
    ("access.rs", "Endpoint, kubeconfig and token."),
    ("kubernetes.rs", "The way to a cluster's own API."),
    ("children.rs", "What came into being because a cluster stood."),
    ("prerequisites.rs", "What must be in the account first; made good on request by a plan of its own."),
];

/// Makes `clouds/NAME` with a guide page, a driver crate, a simulator crate and a crate of tests, and prints the lines
/// that the manifests need.
///
/// # Errors
/// If the name is not made of lower-case letters, or the folder exists.
pub(crate) fn run(root: &Path, name: &str) -> anyhow::Result<()> {
    let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase());
    anyhow::ensure!(plain, "a cloud's name is made of lower-case letters");
    let folder = root.join("clouds").join(name);
    anyhow::ensure!(!folder.exists(), "{} exists", folder.display());

    write(&folder.join("README.md"), &format!("# {name}\n\n## {}\n", tidy::GUIDE.join("\n\n## ")))?;
    let driver = folder.join("driver");
    let uses = [
        "pmks-model",
        "pmks-transport",
        "pmks-driver",
        "async-trait",
        "http",
        "secrecy",
        "serde",
        "serde_json",
    ];
    write(
        &driver.join("Cargo.toml"),
        &manifest(&format!("pmks-{name}"), &format!("The driver of {name}."), &uses),
    )?;
    let modules = ROOMS
        .iter()
        .map(|(file, _)| format!("mod {};\n", file.trim_end_matches(".rs")))
        .collect::<Vec<_>>()
        .concat();
    write(
        &driver.join("src/lib.rs"),
        &format!("//! The driver of {name}.\n\n{modules}mod operations;\nmod wire;\n"),
    )?;
    for (file, says) in ROOMS {
        write(&driver.join("src").join(file), &format!("//! {says}\n"))?;
    }
    write(
        &driver.join("src/operations/mod.rs"),
        "//! The stages, one file an operation kind, and the list of them (`pmks_driver::Stages`).\n",
    )?;
    write(
        &driver.join("src/wire/mod.rs"),
        "//! The cloud's own requests and answers, one file a service.\n",
    )?;

    let simulator = folder.join("simulator");
    let uses = ["pmks-simulation", "serde", "serde_json"];
    let says = format!("The simulated {name}.");
    write(&simulator.join("Cargo.toml"), &manifest(&format!("pmks-{name}-simulator"), &says, &uses))?;
    write(&simulator.join("src/lib.rs"), &format!("//! {says}\n"))?;

    make_tests(&folder, name)?;
    println!("made clouds/{name}. Add to [workspace.dependencies] in Cargo.toml:");
    println!("  pmks-{name} = {{ path = \"clouds/{name}/driver\" }}");
    println!("  pmks-{name}-simulator = {{ path = \"clouds/{name}/simulator\" }}");
    println!("What comes next is in CONTRIBUTING.md, «How to add a cloud».");
    Ok(())
}

/// The crate in which driver and simulator meet. Its driver and simulator are found by path until the workspace names
/// them, so that it compiles at once.
fn make_tests(folder: &Path, name: &str) -> anyhow::Result<()> {
    let tests = folder.join("tests");
    let uses = ["pmks-model", "pmks-driver", "pmks-suites", "pmks-simulation"];
    let says = format!("{name} to the suites, and against software that others wrote.");
    let own = format!(
        "pmks-{name} = {{ path = \"../driver\" }}\npmks-{name}-simulator = {{ path = \"../simulator\" }}\n"
    );
    write(&tests.join("Cargo.toml"), &(manifest(&format!("pmks-{name}-tests"), &says, &uses) + &own))?;
    write(
        &tests.join("src/lib.rs"),
        "//! The cloud to the suites: one implementation of `pmks_suites::CloudUnderTest`, whose page says what is a line.\n",
    )
}

fn manifest(name: &str, says: &str, uses: &[&str]) -> String {
    let inherit = |key: &&str| format!("{key}.workspace = true\n");
    let inherited: Vec<String> =
        ["version", "edition", "rust-version", "license", "publish"].iter().map(inherit).collect();
    let uses: Vec<String> = uses.iter().map(inherit).collect();
    let (inherited, uses) = (inherited.concat(), uses.concat());
    format!(
        "[package]\nname = \"{name}\"\ndescription = \"{says}\"\n{inherited}\n[lints]\nworkspace = true\n\n\
         [dependencies]\n{uses}"
    )
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    Ok(fs::write(path, text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_every_room_once() {
        let root = std::env::temp_dir().join(format!("pmks-new-cloud-{}", std::process::id()));
        run(&root, "cumulus").unwrap();
        for (file, _) in ROOMS {
            assert!(root.join("clouds/cumulus/driver/src").join(file).exists(), "{file}");
        }
        let tests = fs::read_to_string(root.join("clouds/cumulus/tests/Cargo.toml")).unwrap();
        assert!(tests.contains("pmks-cumulus-simulator = { path = \"../simulator\" }"), "{tests}");
        assert!(run(&root, "cumulus").unwrap_err().to_string().contains("exists"));
        assert!(run(&root, "../x").is_err());
        fs::remove_dir_all(&root).unwrap();
    }
}
