//! What `/spider` shares with CB-Spider, beside what CB-Spider itself did.
//!
//! CB-Spider was measured on two shared cores with its Mock driver, on SQLite, by as many connections (commit
//! 6459f464 of github.com/cloud-barista/cb-spider, 2026-11-23). It is another run on another day: the targets are so
//! far from its figures that this does not matter.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use http::StatusCode;
use serde_json::json;

use crate::ROUNDS;
use crate::caller::{Ask, Caller, Target};
use crate::figures::{median, milliseconds};
use crate::load::{Asks, Round, Server, Until, closed};
use crate::processes::Pmks;
use crate::stand::{self, filled};

const ROUND: Duration = Duration::from_millis(500);
const SIZES: [usize; 3] = [1, 100, 1_000];
const CALLERS: [usize; 3] = [1, 16, 64];
/// How many times CB-Spider's figure is wanted.
const TIMES: f64 = 10.0;
/// How many clusters are asked for at once.
const AT_ONCE: usize = 200;

/// What CB-Spider answered a second, by clusters, with one connection, 16 and 64. Of 1,000 listed for 64 it answered none.
const GET: [[f64; 3]; 3] = [[1_892.0, 2_006.0, 1_737.0], [1_301.0, 1_255.0, 1_168.0], [350.0, 358.0, 304.0]];
const LIST: [[f64; 3]; 3] = [[1_916.0, 2_016.0, 1_857.0], [43.0, 35.0, 31.0], [3.8, 1.6, 0.0]];
const CONNECTION_CONFIG: [f64; 3] = [8_674.0, 14_144.0, 12_689.0];
/// Clusters of an instant cloud: one after another, and how long 200 took that were asked for at once.
const CREATIONS: f64 = 162.0;
const TWO_HUNDRED: f64 = 0.72;

/// Prints the figures.
pub(crate) async fn run(pmks: &Pmks) -> anyhow::Result<()> {
    println!("\n| /spider | connections | a second | median ms | p99 ms | CB-Spider a second | times that |");
    println!("|---|---|---|---|---|---|---|");
    let (folders, token) = filled(pmks, &SIZES).await?;
    for (place, (size, data)) in folders.iter().enumerate() {
        let size = *size;
        let served = pmks.serve(data)?;
        let target = Target { token: token.clone(), ..served.target.clone() }.as_spider();
        let loaded = Server { target: &target, process: &served.process };
        let one: Asks = Arc::new(move |number| {
            Ask::get(format!("/spider/cluster/{}?ConnectionName=here", stand::name(number * 17 % size)))
        });
        let all: Asks = Arc::new(|_| Ask::get("/spider/cluster?ConnectionName=here"));
        let config: Asks = Arc::new(|_| Ask::get("/spider/connectionconfig/here"));
        read(loaded, &format!("GET a cluster of {size}"), &one, GET.get(place)).await?;
        read(loaded, &format!("list {size} clusters"), &all, LIST.get(place)).await?;
        if size == 1 {
            read(loaded, "GET a connection config", &config, Some(&CONNECTION_CONFIG)).await?;
        }
    }
    creations(pmks).await
}

/// A row for each number of connections.
async fn read(server: Server<'_>, what: &str, asks: &Asks, theirs: Option<&[f64; 3]>) -> anyhow::Result<()> {
    let theirs = theirs.context("no figure of CB-Spider")?;
    for (callers, theirs) in CALLERS.into_iter().zip(theirs) {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            rounds.push(closed(server, callers, Until::passed(ROUND), asks, StatusCode::OK).await?);
        }
        print(what, callers, &rounds, *theirs);
    }
    Ok(())
}

/// Clusters of the Mock cloud: one after another, and two hundred at once, each answered when the cloud has it.
async fn creations(pmks: &Pmks) -> anyhow::Result<()> {
    let served = pmks.serve(&pmks.home.join("mock"))?;
    // The user that the server is started for: who registers a connection must be an administrator.
    let target = Target { token: pmks.master_key.clone(), ..served.target.as_spider() };
    let mut caller = Caller::open(&target).await?;
    let (ours, pair) = (json!("MOCK"), |key: &str, value: &str| json!([{"Key": key, "Value": value}]));
    for (path, body) in [
        (
            "driver",
            json!({"DriverName": "m", "ProviderName": ours, "DriverLibFileName": "mock-driver-v1.0.so"}),
        ),
        (
            "credential",
            json!({"CredentialName": "m", "ProviderName": ours, "KeyValueInfoList": pair("MockName", "load")}),
        ),
        (
            "region",
            json!({"RegionName": "m", "ProviderName": ours, "KeyValueInfoList": pair("Region", "default")}),
        ),
        (
            "connectionconfig",
            json!({"ConfigName": "m", "ProviderName": ours, "DriverName": "m", "CredentialName": "m", "RegionName": "m"}),
        ),
        (
            "vpc",
            asked(&json!({
                "Name": "vpc",
                "IPv4_CIDR": "10.0.0.0/16",
                "SubnetInfoList": [{"Name": "subnet", "IPv4_CIDR": "10.0.0.0/20"}],
            })),
        ),
        ("securitygroup", asked(&json!({"Name": "sg", "VPCName": "vpc", "SecurityRules": []}))),
        ("keypair", asked(&json!({"Name": "key"}))),
    ] {
        caller.json(&Ask::post(format!("/spider/{path}"), &body)).await?;
    }
    let loaded = Server { target: &target, process: &served.process };
    let clusters = |prefix: &'static str| -> Asks {
        Arc::new(move |number| Ask::post("/spider/cluster", &asked(&cluster(&format!("{prefix}-{number}")))))
    };
    let one = closed(loaded, 1, Until::sent(50), &clusters("one"), StatusCode::OK).await?;
    print("POST a cluster", 1, &[one], CREATIONS);
    let began = Instant::now();
    let many = closed(loaded, AT_ONCE, Until::sent(AT_ONCE), &clusters("many"), StatusCode::OK).await?;
    let took = began.elapsed().as_secs_f64();
    print("POST a cluster, 200 in all", AT_ONCE, &[many], 200.0 / TWO_HUNDRED);
    println!("200 clusters asked for at once are all answered after {took:.2} s; CB-Spider: {TWO_HUNDRED} s");
    Ok(())
}

fn asked(asked: &serde_json::Value) -> serde_json::Value {
    json!({"ConnectionName": "m", "ReqInfo": asked})
}

fn cluster(name: &str) -> serde_json::Value {
    json!({
        "Name": name,
        "VPCName": "vpc",
        "SubnetNames": ["subnet"],
        "SecurityGroupNames": ["sg"],
        "NodeGroupList": [{
            "Name": "ng",
            "ImageName": "mock-vmimage-01",
            "VMSpecName": "mock-vmspec-01",
            "KeyPairName": "key",
            "OnAutoScaling": "true",
            "DesiredNodeSize": "1",
            "MinNodeSize": "1",
            "MaxNodeSize": "3",
        }],
    })
}

fn print(what: &str, callers: usize, rounds: &[Round], theirs: f64) {
    let rate = median(rounds.iter().map(Round::rate).collect());
    let at = |hundredth| median(rounds.iter().map(|round| milliseconds(round.at(hundredth))).collect());
    let times = if theirs > 0.0 { format!("{:.1}", rate / theirs) } else { "–".to_owned() };
    let met = if theirs == 0.0 || rate / theirs >= TIMES { "" } else { " (missed)" };
    println!("| {what} | {callers} | {rate:.0} | {:.2} | {:.1} | {theirs} | {times}{met} |", at(50), at(99));
}
