//! A database that cannot be written, read or opened, through the program as its user meets it: nothing that was
//! accepted is lost, nothing is done that cannot be kept, and what to do is said.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pmks_store::{Access as _, AuditEntry, MasterKey, NoKillPoints, SqliteStore};
use serde_json::{Value, json};

#[cfg(target_os = "linux")]
use crate::disks::{break_disk, fragile_disk, on_a_disk};
use crate::sandbox::{
    BINARY, Ended, Sandbox, Server, Simulator, ended, http_delete, http_get, http_post, wait_for,
};
use crate::survival::{CLUSTER, prepared};

/// Longer than a tick of the engine, and than what was under way when the disk failed.
const A_WHILE: Duration = Duration::from_secs(3);

fn token(user: &Sandbox) -> String {
    fs::read_to_string(user.path(".local/share/pmks/token")).unwrap().trim().to_owned()
}

/// A problem with that status, which says what to do.
#[track_caller]
fn refused((status, text): &(u16, String), says: &str) -> Value {
    assert_eq!(*status, 503, "{text}");
    let problem: Value = serde_json::from_str(text).unwrap();
    assert_eq!(problem["code"], "unavailable", "{problem:#}");
    assert!(problem["detail"].as_str().unwrap().contains(says), "{problem:#}");
    assert!(problem["fix"].is_string(), "{problem:#}");
    problem
}

/// The check of the store as `/readyz` says it.
fn store_check(server: &Server) -> Value {
    let (_, text) = http_get(&format!("{}/readyz", server.url), None);
    serde_json::from_str::<Value>(&text).unwrap()["checks"][2].clone()
}

fn said(user: &Sandbox) -> String {
    fs::read_to_string(user.path("serve.log")).unwrap_or_default()
}

fn lives(user: &Sandbox, server: &Server) {
    assert_eq!(http_get(&format!("{}/healthz", server.url), None).0, 200);
    assert!(!said(user).contains("panicked"), "{}", said(user));
}

/// Bounds what the process may write into any file, its log too. Whether that can be done here.
#[cfg(target_os = "linux")]
fn limit_files(server: &Server, bytes: &str) -> bool {
    let (pid, limit) = (server.pid().to_string(), format!("--fsize={bytes}:"));
    Command::new("prlimit").args(["--pid", &pid, &limit]).status().is_ok_and(|status| status.success())
}

#[cfg(target_os = "linux")]
/// On a disk that does not work what is asked for is refused, and a cluster that is being made is not gone on with.
/// Answers what was asked for: where, and what.
fn asks_for_nothing(server: &Server, token: &str, simulator: &Simulator) -> (String, Value) {
    let networks = format!("{}/v1/connections/a/networks", server.url);
    let network = json!({"name": "late", "cidr": "10.9.0.0/16"});
    refused(&http_post(&networks, token, &network), "the disk of the database does not read or write");
    std::thread::sleep(A_WHILE);
    let asked = simulator.world.all_calls();
    // By now the cluster is there, and its nodes could be asked for.
    std::thread::sleep(A_WHILE);
    assert_eq!(simulator.world.all_calls(), asked, "who can keep nothing asks for nothing");
    assert!(simulator.world.resources("nodeGroup").is_empty());
    (networks, network)
}

#[test]
fn a_disk_that_takes_nothing_stops_the_work_until_it_does() {
    let user = Sandbox::new();
    let simulator = prepared(&user, "200");
    let server = user.serve(&[]);
    let token = token(&user);
    let accepted = user.json(&[CLUSTER, &["--no-wait"]].concat());
    let path = format!("{}/v1/operations/{}", server.url, accepted["id"].as_str().unwrap());
    wait_for("the cluster at the cloud", || (!simulator.world.resources("cluster").is_empty()).then_some(()));
    if !limit_files(&server, "0") {
        eprintln!("SKIPPED a disk that takes nothing: prlimit is not found");
        return;
    }
    let (networks, network) = asks_for_nothing(&server, &token, &simulator);
    let (status, text) = http_get(&path, Some(&token));
    assert_eq!(status, 200, "what is stored is read: {text}");
    let check = store_check(&server);
    assert!(check["status"] == "failed" && check["since"].is_string() && check["fix"].is_string(), "{check}");
    assert_eq!(http_get(&format!("{}/readyz", server.url), None).0, 503);
    lives(&user, &server);

    assert!(limit_files(&server, "unlimited"));
    wait_for("the cluster", || {
        let operation: Value = serde_json::from_str(&http_get(&path, Some(&token)).1).unwrap();
        assert!(["running", "succeeded"].contains(&operation["state"].as_str().unwrap()), "{operation:#}");
        (operation["state"] == "succeeded").then_some(())
    });
    assert_eq!(simulator.world.calls("CreateCluster"), 1);
    assert_eq!(simulator.world.resources("cluster").len(), 1);
    assert_eq!(simulator.world.resources("nodeGroup").len(), 1);
    wait_for("readiness", || (http_get(&format!("{}/readyz", server.url), None).0 == 200).then_some(()));
    assert_eq!(http_post(&networks, &token, &network).0, 202);
    let (_, text) = http_get(&format!("{}/metrics", server.url), Some(&token));
    let failures = text.lines().find(|line| line.starts_with("pmks_store_failures_total{fault=\"disk\"}"));
    assert!(failures.is_some_and(|line| !line.ends_with(" 0")), "{failures:?}");
    assert_eq!(server.terminate(), Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_refuses_what_it_cannot_keep_and_loses_nothing_that_was_accepted() {
    let user = Sandbox::new();
    let simulator = user.simulate("2000");
    let small = |disk: &Path| format!("mount -t tmpfs -o size=6m,mode=700 tmpfs {}", disk.display());
    let Some((server, disk)) = on_a_disk(&user, small) else {
        eprintln!("SKIPPED a full disk: no small disk can be made here");
        return;
    };
    assert_eq!(user.connect("a", &simulator).code, Some(0));
    let token = token(&user);
    let connection = format!("{}/v1/connections/a", server.url);
    let ask = |number: usize| {
        let body = json!({"name": format!("n{number}"), "cidr": "10.0.0.0/16"});
        http_post(&format!("{connection}/networks"), &token, &body)
    };
    assert_eq!(ask(0).0, 202);
    let filler = disk.join("filler");
    let mut file = File::create(&filler).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    while file.write_all(&[0; 1]).is_ok() {}
    drop(file);
    let mut accepted = vec![0];
    let mut refusals = 0;
    for number in 1..2_000 {
        let answer = ask(number);
        if answer.0 == 202 {
            accepted.push(number);
            continue;
        }
        refused(&answer, "the disk of the database is full");
        refusals += 1;
        if refusals == 5 {
            break;
        }
    }
    assert_eq!(refusals, 5, "the disk is full: {} accepted", accepted.len());
    assert_eq!(store_check(&server)["status"], "failed");
    std::thread::sleep(A_WHILE);
    let asked = simulator.world.all_calls();
    std::thread::sleep(A_WHILE);
    assert_eq!(simulator.world.all_calls(), asked, "who can keep nothing asks for nothing");
    lives(&user, &server);

    fs::remove_file(&filler).unwrap();
    wait_for("the end of what was accepted", || {
        let operations = user.json(&["operation", "list"]);
        let items = operations["items"].as_array().unwrap().clone();
        assert_eq!(items.len(), accepted.len(), "accepted, and nothing else");
        items.iter().all(|operation| operation["state"] == "succeeded").then_some(())
    });
    assert_eq!(simulator.world.resources("vpc").len(), accepted.len());
    assert_eq!(http_delete(&format!("{connection}/networks/n0"), &token).0, 202);
    assert_eq!(server.terminate(), Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_turns_read_only_stops_the_work_until_the_server_has_another() {
    let user = Sandbox::new();
    let skipped = || eprintln!("SKIPPED a disk that turns read-only: no disk can be made here that does");
    let Some(disk) = fragile_disk(&user) else { return skipped() };
    let Some((server, _)) = on_a_disk(&user, &disk) else { return skipped() };
    let simulator = prepared(&user, "200");
    let token = token(&user);
    let accepted = user.json(&[CLUSTER, &["--no-wait"]].concat());
    let path = format!("v1/operations/{}", accepted["id"].as_str().unwrap());
    wait_for("the cluster at the cloud", || (!simulator.world.resources("cluster").is_empty()).then_some(()));
    break_disk(&user, &server);
    asks_for_nothing(&server, &token, &simulator);
    let (status, text) = http_get(&format!("{}/{path}", server.url), Some(&token));
    assert_eq!(status, 200, "what is stored is read: {text}");
    assert_eq!(store_check(&server)["status"], "failed");
    lives(&user, &server);
    server.terminate();

    let (server, _) = on_a_disk(&user, &disk).unwrap();
    wait_for("the cluster", || {
        let answer = http_get(&format!("{}/{path}", server.url), Some(&token)).1;
        let operation: Value = serde_json::from_str(&answer).unwrap();
        assert!(["running", "succeeded"].contains(&operation["state"].as_str().unwrap()), "{operation:#}");
        (operation["state"] == "succeeded").then_some(())
    });
    assert_eq!(simulator.world.calls("CreateCluster"), 1);
    assert_eq!(simulator.world.calls("CreateNodegroup"), 1);
    assert_eq!(simulator.world.resources("vpc").len(), 1, "what was refused was not made");
    assert_eq!(server.terminate(), Some(0));
}

/// Runs a command as somebody who may not pass over the rights of files, in whose home the binary lies: where it was
/// built may be closed to others.
fn plainly(user: &Sandbox, arguments: &[&str]) -> Ended {
    let mut command = user.command_of(&user.path("pmks"), arguments);
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    ended(command)
}

/// The user that owns nothing, by number.
const NOBODY: u32 = 65_534;

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout == b"0\n"
}

#[test]
fn a_database_that_may_not_be_written_is_refused_by_its_name() {
    let user = Sandbox::new();
    fs::copy(BINARY, user.path("pmks")).unwrap();
    if is_root() {
        let given = Command::new("chown").arg(format!("{NOBODY}:{NOBODY}")).arg(user.path("")).status();
        assert!(given.unwrap().success());
    }
    let made = plainly(&user, &["connection", "list"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let database = user.path(".local/share/pmks/pmks.db");
    let permit = |mode| fs::set_permissions(&database, fs::Permissions::from_mode(mode)).unwrap();
    permit(0o400);
    for arguments in [&["serve", "--listen", "127.0.0.1:0"][..], &["connection", "list"]] {
        let refused = plainly(&user, arguments);
        assert_eq!(refused.code, Some(6), "{refused:?}");
        for part in [database.to_str().unwrap(), "cannot be written to", "give the user that runs pmks"] {
            assert!(refused.err.contains(part), "{part} in {refused:?}");
        }
    }
    permit(0o600);
    assert_eq!(plainly(&user, &["connection", "list"]).code, Some(0));
}

/// A database of some megabytes, most of them lines of the audit.
fn filled(user: &Sandbox) -> std::path::PathBuf {
    user.good(&["connection", "list"]);
    let database = user.path(".local/share/pmks/pmks.db");
    let key =
        MasterKey::from_text(&fs::read_to_string(user.path(".config/pmks/master-key")).unwrap()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = Arc::new(SqliteStore::open(&database, key, Arc::new(NoKillPoints)).await.unwrap());
        let mut lines = tokio::task::JoinSet::new();
        for number in 0..1_500 {
            let store = Arc::clone(&store);
            let line = AuditEntry {
                at: Timestamp::UNIX_EPOCH,
                who: "me".to_owned(),
                action: "test".to_owned(),
                target: format!("{number} {}", "x".repeat(4_000)),
                request_id: String::new(),
            };
            lines.spawn(async move { store.audit(line).await.unwrap() });
        }
        while let Some(line) = lines.join_next().await {
            line.unwrap();
        }
        store.close().await;
    });
    assert!(fs::metadata(&database).unwrap().len() > 6_000_000);
    database
}

/// Writes nonsense over most of its pages, from the third quarter of a megabyte on.
fn spoil(database: &Path) {
    let mut file = File::options().read(true).write(true).open(database).unwrap();
    let length = usize::try_from(file.metadata().unwrap().len()).unwrap();
    let from = 3 << 18;
    let mut whole = vec![0; length - from];
    file.seek(SeekFrom::Start(from as u64)).unwrap();
    file.read_exact(&mut whole).unwrap();
    whole.fill(0xa5);
    file.seek(SeekFrom::Start(from as u64)).unwrap();
    file.write_all(&whole).unwrap();
    file.sync_all().unwrap();
}

#[track_caller]
fn is_refused_as_damaged(user: &Sandbox, database: &Path) {
    for arguments in [&["serve", "--listen", "127.0.0.1:0"][..], &["connection", "list"]] {
        let refused = user.run(arguments);
        assert_eq!(refused.code, Some(6), "{refused:?}");
        for part in [database.to_str().unwrap(), "the database is damaged", "backup", "docs/store.md"] {
            assert!(refused.err.contains(part), "{part} in {refused:?}");
        }
    }
}

#[test]
fn a_damaged_database_is_refused_by_its_name_and_a_backup_is_the_way_out() {
    let user = Sandbox::new();
    let database = filled(&user);
    let backup = user.path("backup.db");
    fs::copy(&database, &backup).unwrap();
    spoil(&database);
    is_refused_as_damaged(&user, &database);
    fs::write(&database, "this was never a database".repeat(1_000)).unwrap();
    is_refused_as_damaged(&user, &database);
    fs::copy(&backup, &database).unwrap();
    let server = user.serve(&[]);
    assert_eq!(user.json(&["audit", "list"])["items"].as_array().unwrap().len(), 100);
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn a_database_that_is_damaged_while_it_is_served_is_not_worked_with_any_more() {
    let user = Sandbox::new();
    let simulator = user.simulate("2000");
    let database = filled(&user);
    assert_eq!(user.connect("a", &simulator).code, Some(0));
    let server = user.serve(&[]);
    let token = token(&user);
    let url = |path: &str| format!("{}{path}", server.url);
    assert_eq!(http_get(&url("/readyz"), None).0, 200);
    let asked = simulator.world.all_calls();
    spoil(&database);
    let read = http_get(&url("/v1/audit?pageSize=1000"), Some(&token));
    refused(&read, "the database is damaged");
    // From now on nothing is read or changed by half of what it knew.
    refused(&http_get(&url("/v1/operations"), Some(&token)), "the database is damaged");
    let network = json!({"name": "late", "cidr": "10.9.0.0/16"});
    let post = http_post(&url("/v1/connections/a/networks"), &token, &network);
    refused(&post, "the database is damaged");
    wait_for("readiness to be gone", || (http_get(&url("/readyz"), None).0 == 503).then_some(()));
    let check = store_check(&server);
    assert!(check["says"].as_str().unwrap().contains("damaged"), "{check}");
    assert!(check["fix"].as_str().unwrap().contains("docs/store.md"), "{check}");
    assert_eq!(simulator.world.all_calls(), asked, "no cloud was asked");
    lives(&user, &server);
    server.terminate();
    is_refused_as_damaged(&user, &database);
}

#[test]
fn a_row_that_cannot_be_read_is_a_damaged_database() {
    let user = Sandbox::new();
    let simulator = user.simulate("2000");
    let database = filled(&user);
    assert_eq!(user.connect("a", &simulator).code, Some(0));
    let mut content = std::fs::read(&database).unwrap();
    let (said, instead) = (b"\"region\":", b"\"region;:");
    let places: Vec<usize> =
        (0..content.len() - said.len()).filter(|at| content[*at..].starts_with(said)).collect();
    assert!(!places.is_empty());
    for at in places {
        content[at..at + said.len()].copy_from_slice(instead);
    }
    std::fs::write(&database, content).unwrap();
    // The file is as SQLite wants it.
    let server = user.serve(&[]);
    let url = |path: &str| format!("{}{path}", server.url);
    refused(&http_get(&url("/v1/connections/a/networks"), Some(&token(&user))), "the database is damaged");
    wait_for("readiness to be gone", || (http_get(&url("/readyz"), None).0 == 503).then_some(()));
    let check = store_check(&server);
    assert!(check["says"].as_str().unwrap().contains("specification cannot be read"), "{check}");
    assert!(check["fix"].as_str().unwrap().contains("docs/store.md"), "{check}");
}

#[test]
fn a_database_that_is_taken_away_while_it_is_served_is_not_written_any_more() {
    let user = Sandbox::new();
    let simulator = user.simulate("2000");
    let database = filled(&user);
    assert_eq!(user.connect("a", &simulator).code, Some(0));
    let server = user.serve(&[]);
    let token = token(&user);
    let url = |path: &str| format!("{}{path}", server.url);
    assert_eq!(http_get(&url("/readyz"), None).0, 200);
    std::fs::rename(&database, database.with_extension("away")).unwrap();
    let network = json!({"name": "late", "cidr": "10.9.0.0/16"});
    let post = || http_post(&url("/v1/connections/a/networks"), &token, &network);
    refused(&post(), "the database was taken away");
    std::fs::write(&database, b"").unwrap();
    refused(&post(), "the database was taken away");
    wait_for("readiness to be gone", || (http_get(&url("/readyz"), None).0 == 503).then_some(()));
    let check = store_check(&server);
    assert!(check["fix"].as_str().unwrap().contains("docs/store.md"), "{check}");
    server.terminate();
    std::fs::rename(database.with_extension("away"), &database).unwrap();
    let server = user.serve(&[]);
    assert_eq!(http_get(&format!("{}/readyz", server.url), None).0, 200);
}

#[test]
fn a_second_server_is_refused_and_told_of_the_first() {
    let user = Sandbox::new();
    let server = user.serve(&[]);
    let second = user.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.code, Some(4), "{second:?}");
    let folder = user.path(".local/share/pmks").display().to_string();
    for part in [&server.url, &format!("pid {}", server.pid()), &folder, "--data-dir"] {
        assert!(second.err.contains(part), "{part} in {second:?}");
    }
    user.good(&["connection", "list"]);
    // The first one goes on, and what a dead one left behind names nobody.
    server.kill();
    let third = user.serve(&[]);
    assert_eq!(third.terminate(), Some(0));
}

#[test]
fn of_many_that_start_at_once_one_serves() {
    let user = Sandbox::new();
    user.good(&["connection", "list"]);
    let start =
        || user.command(&["serve", "--listen", "127.0.0.1:0"]).stderr(std::process::Stdio::piped()).spawn();
    let mut started: Vec<_> = (0..4).map(|_| start().unwrap()).collect();
    wait_for("three refusals", || {
        let ended = started.iter_mut().filter_map(|child| child.try_wait().unwrap());
        let codes: Vec<_> = ended.map(|status| status.code()).collect();
        assert!(codes.iter().all(|code| *code == Some(4)), "{codes:?}");
        (codes.len() == 3).then_some(())
    });
    for mut child in started {
        let _ = child.kill();
        child.wait().unwrap();
    }
}
