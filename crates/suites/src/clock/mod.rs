//! The system's clock is set back and forth under a server while it makes, upgrades and removes a cluster: everything
//! ends as it should, nothing is asked for twice, and what the server tells is told in order.
//!
//! The clock is libfaketime's, preloaded into that one process; this machine's is left alone, and so is the process's
//! monotonic one. What is asked for twice is found by another server, whose clock stands right, on the same way.

mod told;
mod wrong;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::Timestamp;
use pmks_transport::{Clock as _, SystemClock};
use serde_json::Value;

use crate::kubernetes::make_network;
use crate::simulated_cloud::SPEED;
use crate::stand::connected;
use crate::{CloudUnderTest, Ended, Pmks, Python, Served, SimulatedCloud, skip, text};
use told::Told;
use wrong::{NEAR, WrongClock};

/// What sets the clock.
const REQUIREMENTS: &str = include_str!("../../clock/requirements.txt");

/// Slow enough that the clock is set many times while a cluster is made.
const SLOWER: u32 = 150;

/// What a read begins with, in the words of any cloud; tokens are had anew whenever a clock says so.
const READS: &[&str] =
    &["describe", "get", "list", "check", "token", "assume", "lookup", "batchget", "aggregated"];

/// Runs it on one cloud.
pub async fn run(under_test: &'static dyn CloudUnderTest) {
    let provider = under_test.provider().capabilities().provider;
    let suite = format!("a clock that is set, with {provider}");
    let library = match tokio::task::block_in_place(library) {
        Ok(library) => library,
        Err(why) => return skip(&suite, &why),
    };
    let calm = SimulatedCloud::start_as(under_test, SPEED, |cloud| cloud).await;
    let set = SimulatedCloud::start_as(under_test, SLOWER, |cloud| cloud).await;
    tokio::task::block_in_place(|| {
        let pmks = connected(&calm);
        let server = Served::start(&pmks, &[]);
        make(under_test, &calm, &pmks);
        remove(&pmks);
        server.stop();
        under_a_clock_that_is_set(under_test, &set, &library);
    });
    assert_eq!(
        changes(&set),
        changes(&calm),
        "what was asked for under a clock that is set, and under one that is not"
    );
    let standing = |world: &SimulatedCloud| world.rows().len();
    assert_eq!(standing(&set), standing(&calm), "{:?}", set.rows());
}

fn under_a_clock_that_is_set(
    under_test: &'static dyn CloudUnderTest,
    world: &SimulatedCloud,
    library: &Path,
) {
    let pmks = connected(world);
    let clock = WrongClock::new(pmks.home(), library);
    let server = Served::start(&pmks, &clock.variables());
    let told = Told::by(&server);
    let stepping = clock.steps();
    make(under_test, world, &pmks);
    let steps = stepping.rest();
    assert!(steps > 12, "the clock was set {steps} times while the cluster was made");
    is_let_in(&server, &pmks);
    let stepping = clock.steps();
    remove(&pmks);
    stepping.rest();
    let operations = pmks.json(&["operation", "list"]);
    for operation in operations["items"].as_array().unwrap() {
        assert_eq!(
            (&operation["state"], &operation["attempt"]),
            (&"succeeded".into(), &1.into()),
            "{operation:#}"
        );
        clock.has_shown(operation);
    }
    assert!(clock.was_believed(), "no time of the clock that was set is seen: {operations:#}");
    server.stop();
    told.assert_in_order();
    let log = std::fs::read_to_string(Served::log(&pmks)).unwrap();
    assert!(!log.contains("panicked"), "{log}");
}

/// The library that stands between a process and its clock.
fn library() -> Result<PathBuf, String> {
    if cfg!(not(target_os = "linux")) {
        return Err("libfaketime is preloaded on Linux alone".to_owned());
    }
    let python = Python::get(REQUIREMENTS)?;
    let find = "import importlib.util as u; print(u.find_spec('libfaketime').submodule_search_locations[0])";
    let ended = Ended::of(&Command::new(python.program("python")).args(["-c", find]).output().unwrap());
    let library = PathBuf::from(ended.stdout.trim()).join("vendor/libfaketime/src/libfaketime.so.1");
    if library.exists() { Ok(library) } else { Err(format!("{} is not there", library.display())) }
}

/// A cluster at the version before the default one, which is then upgraded to it.
fn make(under_test: &'static dyn CloudUnderTest, world: &SimulatedCloud, pmks: &Pmks) {
    let subnets = make_network(under_test, world, pmks);
    let offered = pmks.json(&["kubernetes-version", "list", "-c", "sim"]);
    let offered = offered["items"].as_array().unwrap();
    let minor = |row: &Value| -> (u32, u32) {
        let mut parts = text(row, "/version").split('.').map(|part| part.parse().unwrap());
        (parts.next().unwrap(), parts.next().unwrap())
    };
    let new = offered.iter().find(|row| row["default"] == true).map(minor).expect("a default version");
    let old = offered.iter().map(minor).filter(|one| *one < new).max().expect("a version before it");
    let (old, new) = (format!("{}.{}", old.0, old.1), format!("{}.{}", new.0, new.1));
    let group = "name=w,min=1,max=2,desired=1";
    let mut cluster = vec!["cluster", "create", "prod", "-c", "sim", "--network", "net", "--version", &old];
    cluster.extend(subnets.iter().flat_map(|name| ["--subnet", name]));
    cluster.extend(["--node-group", group]);
    pmks.succeed(&cluster);
    pmks.succeed(&["cluster", "upgrade", "prod", "-c", "sim", "--version", &new]);
}

fn remove(pmks: &Pmks) {
    pmks.succeed(&["cluster", "delete", "prod", "-c", "sim", "--yes"]);
    pmks.succeed(&["network", "delete", "net", "-c", "sim", "--yes"]);
}

/// How often each call that changes something was accepted.
fn changes(world: &SimulatedCloud) -> BTreeMap<String, usize> {
    let mut changes = BTreeMap::new();
    for call in world.cloud.controls().calls.records() {
        let verb = call.action.rsplit(['.', '_']).next().unwrap_or_default().to_lowercase();
        let reads = READS.iter().any(|read| verb.starts_with(read));
        if !reads && call.service != "kubernetes" && call.status.is_some_and(|status| status < 300) {
            *changes.entry(format!("{}.{}", call.service, call.action)).or_default() += 1;
        }
    }
    changes
}

/// The server gives a credential by which the cluster lets in.
fn is_let_in(server: &Served, pmks: &Pmks) {
    let cluster = pmks.json(&["cluster", "get", "prod", "-c", "sim"]);
    let path = format!("{}/v1/connections/sim/clusters/prod/token", server.url);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let status = runtime.block_on(async {
        let given = client().build().unwrap().post(path).bearer_auth(&server.token).send().await.unwrap();
        let date = given.headers()["date"].to_str().unwrap();
        let date = jiff::fmt::rfc2822::parse(date).unwrap().timestamp();
        assert!(date.duration_since(now()).abs() < NEAR, "the server says it is {date}");
        let given: Value = given.json().await.unwrap();
        let authority = text(&cluster, "/certificateAuthority");
        let authority = reqwest::Certificate::from_pem(authority.as_bytes()).unwrap();
        let mut there = client().tls_certs_only([authority]);
        if let (Some(certificate), Some(key)) =
            (given["clientCertificateData"].as_str(), given["clientKeyData"].as_str())
        {
            there = there
                .identity(reqwest::Identity::from_pem(format!("{certificate}\n{key}").as_bytes()).unwrap());
        }
        let nodes = there.build().unwrap().get(format!("{}/api/v1/nodes", text(&cluster, "/endpoint")));
        let nodes = match given["token"].as_str() {
            Some(token) => nodes.bearer_auth(token),
            None => nodes,
        };
        nodes.send().await.unwrap().status()
    });
    assert!(status.is_success(), "{status}");
}

#[expect(clippy::disallowed_methods, reason = "these tests stand outside the program")]
fn client() -> reqwest::ClientBuilder {
    // Reqwest asks for a provider, as the program does at its start.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder().no_proxy()
}

/// This machine's time, which nobody sets.
fn now() -> Timestamp {
    SystemClock.wall()
}
