//! The demo to its end.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::sandbox::{Sandbox, ended, wait_for};

/// How long the whole demo may take by the clock on the wall: what takes clouds a quarter of an hour is a second at that
/// speed, and the rest is room for a machine that does much beside it. A wait that is not divided by the speed shows.
const LONGEST: Duration = Duration::from_mins(1);

#[test]
fn the_demo_leaves_nothing() {
    let user = Sandbox::new();
    let began = Instant::now();
    let ended = user.run(&["demo", "--once", "--speed", "1000"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for says in ["is ready", "Scaling: 2 to 3 nodes", "Upgrading", "What remains at the cloud"] {
        assert!(ended.out.contains(says), "{says}: {}", ended.out);
    }
    let end = ended.out.split("What remains at the cloud").nth(1).unwrap();
    let clouds = clouds_of(&ended.out);
    assert_eq!(end.matches("✓ nothing").count(), clouds.len(), "{end}");
    let took = began.elapsed();
    assert!(took < LONGEST, "{took:?}");
    assert!(
        !user.path(".local").exists() && !user.path(".config").exists(),
        "the user's own files are left alone"
    );
}

/// The clouds that the demo says it shows.
fn clouds_of(story: &str) -> Vec<String> {
    let title = story.lines().nth(1).unwrap();
    let names = title.split('(').nth(1).unwrap().split(')').next().unwrap();
    names.split(", ").map(str::to_owned).collect()
}

#[test]
fn the_lines_to_try_next_work_as_they_are() {
    let user = Sandbox::new();
    let told = user.path("told");
    let out = std::fs::File::create(&told).unwrap();
    let mut child =
        user.command(&["demo", "--speed", "2000"]).stdout(out).stderr(Stdio::null()).spawn().unwrap();
    let story = wait_for("the lines to try next", || {
        std::fs::read_to_string(&told).ok().filter(|story| story.contains("Ctrl-C ends it"))
    });
    let lines: Vec<&str> = story
        .lines()
        .skip_while(|line| !line.starts_with("Try next"))
        .filter_map(|line| line.strip_prefix("  "))
        .collect();
    assert_eq!(lines.len(), 5 * clouds_of(&story).len(), "{story}");
    for line in &lines {
        let program = line.split(' ').next().unwrap();
        #[expect(clippy::print_stdout, reason = "a skip is always seen")]
        if Command::new(program).arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
            println!("skipped, {program} is not installed: {line}");
            continue;
        }
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).env_clear().env("HOME", user.path("elsewhere"));
        shell.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let tried = ended(shell);
        assert_eq!(tried.code, Some(0), "{line}: {tried:?}");
        assert!(!tried.out.is_empty() && !tried.out.contains("\"code\""), "{line}: {tried:?}");
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let folder = lines[0].split_whitespace().nth(2).unwrap();
    assert!(!std::path::Path::new(folder).exists(), "{folder} is gone");
}
