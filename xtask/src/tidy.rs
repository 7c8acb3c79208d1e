//! The house rules that a machine can check. Runs as a test too.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::crate_graph;

/// No file is longer than this without its tests.
const LONGEST_FILE: usize = 800;
/// Words that have no place in this project's files: it speaks of itself alone.
const FOREIGN: &[&str] = &["/work/", "/root/", "index.crates.io"];
/// The headings of every cloud's guide page, in this order: whoever knows one page finds his way in the others.
pub(crate) const GUIDE: &[&str] = &[
    "Credentials",
    "Prerequisites",
    "Permissions",
    "Options and settings",
    "What the common fields become",
    "Limits",
    "Versions and upgrades",
    "Autoscaling",
    "Deletion",
    "Access",
    "Calls of each read",
    "Calls per operation",
    "Known differences",
];

/// Prints every defect.
///
/// # Errors
/// If there is one.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let defects = defects(root)?;
    for defect in &defects {
        println!("tidy: {defect}");
    }
    anyhow::ensure!(defects.is_empty(), "{} defects", defects.len());
    println!("tidy: nothing to complain about");
    Ok(())
}

fn defects(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut defects = crate_graph::defects(root)?;
    for file in files(root)? {
        let shown = file.strip_prefix(root).unwrap_or(&file).display().to_string();
        let Ok(text) = fs::read_to_string(&file) else {
            continue;
        };
        defects.extend(foreign_words(&shown, &text));
        if file.extension().is_some_and(|extension| extension == "rs") {
            defects.extend(rust_defects(&shown, &text));
            defects.extend(unjudged_cloud(&shown, &text));
            defects.extend(unjudged_process(&shown, &text));
        }
    }
    defects.extend(missing_error_pages(root)?);
    defects.extend(guide_pages(root)?);
    defects.extend(second_cryptography(root)?);
    Ok(defects)
}

fn foreign_words(shown: &str, text: &str) -> Vec<String> {
    let found = FOREIGN.iter().filter(|word| text.contains(**word) && !shown.starts_with("xtask/"));
    found.map(|word| format!("{shown}: speaks of {word}")).collect()
}

fn rust_defects(shown: &str, text: &str) -> Vec<String> {
    let mut defects = Vec::new();
    if !text.starts_with("//!") {
        defects.push(format!("{shown}: does not begin with what it is (//!)"));
    }
    let own = text.split("#[cfg(test)]").next().unwrap_or(text);
    let lines = own.lines().count();
    if lines > LONGEST_FILE {
        defects.push(format!("{shown}: {lines} lines; split it by purpose"));
    }
    for banned in ["#[ignore", "should_panic", "#[allow(", "#![allow("] {
        if text.contains(banned) && !shown.starts_with("xtask/") {
            defects.push(format!("{shown}: uses {banned}"));
        }
    }
    defects
}

/// What is exchanged with a suite's cloud is held against what the vendor publishes, which begins where the cloud does.
fn unjudged_cloud(shown: &str, text: &str) -> Option<String> {
    let is_suite =
        shown.starts_with("crates/suites/") || (shown.starts_with("clouds/") && shown.contains("/tests/"));
    let is_driver = shown.contains("/driver/");
    let mut uses = text.split("pmks_simulation::").skip(1).filter_map(|rest| rest.split([';', '(']).next());
    let serves =
        uses.any(|names| names.split(|c: char| !c.is_alphanumeric() && c != '_').any(|name| name == "serve"));
    (is_suite && !is_driver && serves && shown != "crates/suites/src/world.rs").then(|| {
        format!("{shown}: serves a simulated cloud that no schema gate sees (crates/suites/src/world.rs)")
    })
}

/// The same of simulated clouds that are processes of their own: they write what is exchanged where the sandbox judges it.
fn unjudged_process(shown: &str, text: &str) -> Option<String> {
    let is_end_to_end = shown.starts_with("crates/cli/tests/");
    let is_test = is_end_to_end || shown.starts_with("crates/suites/") || shown.contains("/tests/");
    let is_judge =
        ["sandbox.rs", "judged.rs"].iter().any(|name| shown.ends_with(&format!("end_to_end/{name}")));
    if !is_test || is_judge || shown.contains("/driver/") {
        return None;
    }
    let starts = if is_end_to_end {
        ["Command::new(BINARY", "Command::new(env!(\"CARGO_BIN_EXE", "PMKS_SIMULATED_EXCHANGES"].as_slice()
    } else {
        ["\"simulate\"", "\"--simulated\"", "[\"demo\""].as_slice()
    };
    starts.iter().find(|start| text.contains(**start)).map(|start| {
        format!("{shown}: {start}: a simulated cloud that no schema gate sees (crates/cli/tests/end_to_end/sandbox.rs)")
    })
}

/// Every class of error has a page, and every page a class.
fn missing_error_pages(root: &Path) -> anyhow::Result<Vec<String>> {
    let source = fs::read_to_string(root.join("crates/model/src/failure.rs"))?;
    let kinds: BTreeSet<String> = source
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Self::")?.split_once(" => \"")?.1.strip_suffix("\","))
        .map(str::to_owned)
        .collect();
    anyhow::ensure!(kinds.len() > 10, "no kinds of failure found in the model");
    let pages: BTreeSet<String> = fs::read_dir(root.join("docs/errors"))
        .context("docs/errors")?
        .filter_map(|entry| entry.ok()?.path().file_stem()?.to_str().map(str::to_owned))
        .collect();
    Ok(unpaired_pages(&kinds, &pages))
}

fn unpaired_pages(kinds: &BTreeSet<String>, pages: &BTreeSet<String>) -> Vec<String> {
    let missing = kinds.difference(pages).map(|kind| format!("docs/errors/{kind}.md is missing"));
    let stray =
        pages.difference(kinds).map(|page| format!("docs/errors/{page}.md is about no kind of error"));
    missing.chain(stray).collect()
}

fn guide_pages(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut defects = Vec::new();
    for cloud in fs::read_dir(root.join("clouds")).context("clouds")? {
        let page = cloud?.path().join("README.md");
        let text = fs::read_to_string(&page).with_context(|| page.display().to_string())?;
        if !is_guide(&text) {
            defects.push(format!("{}: its headings are not {GUIDE:?}", page.display()));
        }
    }
    Ok(defects)
}

fn is_guide(text: &str) -> bool {
    text.lines().filter_map(|line| line.strip_prefix("## ")).eq(GUIDE.iter().copied())
}

/// TLS is rustls over aws-lc: a second provider of cryptography in the tree is a panic at run time, or OpenSSL to be
/// installed.
fn second_cryptography(root: &Path) -> anyhow::Result<Vec<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--workspace", "--target", "all", "--prefix", "none", "--format", "{p}"])
        .current_dir(root)
        .output()
        .context("cargo tree")?;
    anyhow::ensure!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8_lossy(&output.stdout);
    anyhow::ensure!(tree.contains("aws-lc-rs v"), "cargo tree does not list what the program is made of");
    Ok(banned_cryptography(&tree))
}

fn banned_cryptography(tree: &str) -> Vec<String> {
    let banned = ["ring", "openssl", "openssl-sys", "native-tls"];
    let found =
        banned.into_iter().filter(|name| tree.lines().any(|line| line.starts_with(&format!("{name} v"))));
    found.map(|name| format!("{name} has no place beside aws-lc-rs: cargo tree -i {name}")).collect()
}

/// Every text file of the project, build output and hidden folders apart.
fn files(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name == "target" || name == ".git" || name == "Cargo.lock" || name == "LICENSE" {
                continue;
            }
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_is_tidy() {
        assert_eq!(defects(&crate::root()).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn clouds_of_suites_begin_in_one_place() {
        let text = "use pmks_simulation::{Cloud, serve};";
        assert!(unjudged_cloud("crates/suites/src/a/b.rs", text).is_some());
        assert!(unjudged_cloud("clouds/x/tests/tests/a.rs", "pmks_simulation::serve(cloud, 0)").is_some());
        for fine in ["crates/suites/src/world.rs", "crates/cli/src/a.rs", "clouds/x/driver/tests/a.rs"] {
            assert_eq!(unjudged_cloud(fine, text), None);
        }
        assert_eq!(unjudged_cloud("crates/suites/src/a.rs", "use pmks_simulation::{Cloud, served};"), None);
    }

    #[test]
    fn processes_with_simulated_clouds_begin_in_one_place() {
        for (shown, text) in [
            ("crates/cli/tests/end_to_end/a.rs", "Command::new(BINARY).arg(\"x\")"),
            ("crates/cli/tests/end_to_end/a.rs", "Command::new(env!(\"CARGO_BIN_EXE_pmks\"))"),
            ("crates/cli/tests/end_to_end/a.rs", "command.env_remove(\"PMKS_SIMULATED_EXCHANGES\")"),
            ("crates/suites/src/a.rs", "command(&[\"simulate\", \"x\"])"),
            ("clouds/x/tests/tests/a.rs", "pmks.command(&[\"serve\", \"--simulated\"])"),
            ("clouds/x/tests/tests/a.rs", "pmks.command(&[\"demo\", \"--once\"])"),
        ] {
            assert!(unjudged_process(shown, text).is_some(), "{shown}: {text}");
        }
        for shown in ["crates/cli/tests/end_to_end/sandbox.rs", "crates/cli/src/a.rs", "crates/load/src/a.rs"]
        {
            assert_eq!(unjudged_process(shown, "Command::new(BINARY).arg(\"simulate\")"), None);
        }
    }

    #[test]
    fn complains_of_what_it_should() {
        assert_eq!(rust_defects("a.rs", "//! Fine.\nfn a() {}\n"), Vec::<String>::new());
        assert_eq!(rust_defects("a.rs", "fn a() {}\n").len(), 1);
        for banned in ["#[ignore]", "#[should_panic]", "#[allow(x)]", "#![allow(x)]"] {
            assert_eq!(rust_defects("a.rs", &format!("//! x\n{banned}\nfn a() {{}}\n")).len(), 1, "{banned}");
        }
        assert_eq!(rust_defects("a.rs", &format!("//! x\n{}", "\n".repeat(900))).len(), 1);
        let tests = format!("//! x\n#[cfg(test)]\n{}", "\n".repeat(900));
        assert_eq!(rust_defects("a.rs", &tests), Vec::<String>::new());
    }

    #[test]
    fn complains_of_what_is_not_the_projects() {
        for word in ["/work/x", "/root/x", "https://index.crates.io"] {
            assert_eq!(foreign_words("docs/a.md", &format!("see {word}")).len(), 1, "{word}");
        }
        assert_eq!(foreign_words("docs/a.md", "see docs/b.md"), Vec::<String>::new());
        for name in ["ring", "openssl", "openssl-sys", "native-tls"] {
            let tree = format!("aws-lc-rs v1.0.0\n{name} v0.1.0\n");
            assert_eq!(banned_cryptography(&tree).len(), 1, "{name}");
        }
        assert_eq!(banned_cryptography("aws-lc-rs v1.0.0\nspring v1.0.0\n"), Vec::<String>::new());
    }

    #[test]
    fn complains_of_pages_that_are_missing_stray_or_in_disorder() {
        let of = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>();
        assert_eq!(unpaired_pages(&of(&["a"]), &of(&["a"])), Vec::<String>::new());
        assert_eq!(unpaired_pages(&of(&["a", "b"]), &of(&["a"])), ["docs/errors/b.md is missing"]);
        let stray = unpaired_pages(&of(&["a"]), &of(&["a", "b"]));
        assert_eq!(stray, ["docs/errors/b.md is about no kind of error"]);
        let page = |headings: &[&str]| {
            headings.iter().fold(String::new(), |page, heading| page + "## " + heading + "\ntext\n")
        };
        assert!(is_guide(&page(GUIDE)));
        assert!(!is_guide(&page(&GUIDE[1..])));
        let mut turned = GUIDE.to_vec();
        turned.swap(0, 1);
        assert!(!is_guide(&page(&turned)));
    }
}
