//! Many clusters that are made at once, in several accounts of one cloud, on one virtual clock: all end well, no account
//! is asked for more than its budget, and afterwards nobody is asked for anything. How long all of them take, beside the
//! slowest of a few that are alone, is told.
//!
//! Requests over loopback, the store's file and the product's facade are real. The default run makes few; `PMKS_LONG=1`
//! makes three hundred, and a thousand in ten accounts.

mod budget;
mod town;

use std::time::Duration;

use pmks_core::Mutation;
use serde_json::json;

use crate::CloudUnderTest;
use crate::kill_matrix::is_long;
use town::Town;

/// How many are made for themselves, to hold the many against: fewer than make a crowd.
const ALONE: usize = 5;

/// How long nothing is asked of a cloud where nobody needs to know anything.
const IDLE: Duration = Duration::from_hours(2);

/// How many clusters an account and a network have room for, by the cloud's default quotas.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// In an account and region.
    pub account: usize,
    /// In a network.
    pub network: usize,
}

/// Runs it on one cloud.
pub async fn run(under_test: &'static dyn CloudUnderTest, room: Room) {
    if is_long() {
        crowd(under_test, room, 300, 300_usize.div_ceil(room.account)).await;
        crowd(under_test, room, 1_000, 10).await;
    } else {
        crowd(under_test, room, 12, 2).await;
    }
}

async fn crowd(under_test: &'static dyn CloudUnderTest, room: Room, clusters: usize, accounts: usize) {
    let began = std::time::Instant::now();
    // One account more, where few are made.
    let town = Town::new(under_test, accounts + 1, clusters.div_ceil(accounts).div_ceil(room.network)).await;
    let alone = (0..ALONE).map(|number| create(&town, accounts, 0, number)).collect();
    let slowest = town.carry_out(alone).await;
    town.traffic.forget();

    let each = clusters.div_ceil(accounts);
    let many: Vec<Mutation> = (0..clusters)
        .map(|number| create(&town, number / each, number % each / room.network, number % each))
        .collect();
    let whole = town.carry_out(many).await;
    let provider = under_test.provider().capabilities().provider;
    println!(
        "{provider}: {clusters} in {accounts} accounts: {} s of simulated time, {:.2} times the slowest of {ALONE} \
         alone; {} calls; {:.0} s",
        whole.as_secs(),
        whole.as_secs_f64() / slowest.as_secs_f64(),
        town.traffic.sent(),
        began.elapsed().as_secs_f64()
    );
    let spent = town.traffic.spent(under_test.provider().capabilities());
    for line in spent.lines() {
        println!("{line}");
    }
    assert!(spent.is_within(), "{}", spent.lines().join("\n"));
    assert_eq!(town.throttled(), 0, "who stays within the budget is not told that it was too much");
    town.has(clusters + ALONE, clusters + ALONE);
    town.traffic.forget();
    town.idle(IDLE).await;
    assert_eq!(town.traffic.sent(), 0, "an idle server asks nobody for anything");
}

/// A cluster in that account and network of it.
fn create(town: &Town, account: usize, network: usize, number: usize) -> Mutation {
    let scaling = json!({"autoScaling": false, "min": 1, "max": 2, "desired": 1});
    let cluster = json!({
        "name": format!("c{number}"), "network": format!("net{network}"),
        "subnets": town.subnets(network),
        "nodeGroups": [{"name": "w", "scaling": scaling}],
    });
    Mutation::CreateCluster {
        connection: format!("a{account}"),
        cluster: serde_json::from_value(cluster).unwrap(),
    }
}
