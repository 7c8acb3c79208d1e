//! Many clusters that are made at once, in several accounts of one cloud, on one virtual clock: all end well, the last of
//! them within 1.2 times what the slowest of them takes when it has the cloud for itself, no account is asked for more
//! than its budget, and afterwards nobody is asked for anything.
//!
//! Requests over loopback, the store's file and the product's facade are real. The default run makes few; `PMKS_LONG=1`
//! makes three hundred, and a thousand in ten accounts.

mod budget;
mod stillness;
mod town;
mod watched;

use std::time::Duration;

use pmks_core::Mutation;
use serde_json::json;

use crate::CloudUnderTest;
use crate::kill_matrix::is_long;
use town::{Done, Town};

/// How many of the many are made once more, each alone: those that the cloud itself took longest for. Fewer can only
/// make the promise harder to keep.
const ALONE: (usize, usize) = (1, 3);

/// How much longer than the slowest alone all of them may take.
const MOST: f64 = 1.2;

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
    let each = clusters.div_ceil(accounts);
    let town = Town::new(under_test, (0..accounts).map(seed), each.div_ceil(room.network)).await;
    town.traffic.forget();
    let many: Vec<Mutation> = (0..clusters)
        .map(|number| create(&town, number / each, number % each / room.network, number % each))
        .collect();
    let mut done = town.carry_out(many).await;
    let whole = done.iter().map(|done| done.took).max().unwrap();
    let calls = town.traffic.sent();
    let spent = town.traffic.spent(under_test.provider().capabilities());
    town.has(clusters, clusters);
    town.traffic.forget();
    town.idle(IDLE).await;
    assert_eq!(town.traffic.sent(), 0, "an idle server asks nobody for anything");
    assert_eq!(town.throttled(), 0, "who stays within the budget is not told that it was too much");
    town.end().await;

    done.sort_by_key(|done| std::cmp::Reverse(done.at_the_cloud));
    let mut slowest = Duration::ZERO;
    for done in done.iter().take(if is_long() { ALONE.1 } else { ALONE.0 }) {
        slowest = slowest.max(alone(under_test, done).await);
    }
    let ratio = whole.as_secs_f64() / slowest.as_secs_f64();
    let provider = under_test.provider().capabilities().provider;
    println!(
        "{provider}: {clusters} in {accounts} accounts: {} s of simulated time, {ratio:.2} times the slowest of them \
         alone, {} s; {calls} calls; {:.0} s",
        whole.as_secs(),
        slowest.as_secs(),
        began.elapsed().as_secs_f64()
    );
    for line in spent.lines() {
        println!("{line}");
    }
    assert!(spent.is_within(), "{}", spent.lines().join("\n"));
    assert!(ratio <= MOST, "{ratio:.2} times the slowest alone");
}

/// The seed of an account's world.
fn seed(account: usize) -> u64 {
    u64::try_from(account).unwrap() + 1
}

/// How long that creation takes where there is nothing else: in a world of the same seed.
async fn alone(under_test: &'static dyn CloudUnderTest, done: &Done) -> Duration {
    let account = done.connection.strip_prefix('a').unwrap().parse().unwrap();
    let number = done.name.strip_prefix('c').unwrap().parse().unwrap();
    let town = Town::new(under_test, [seed(account)], 1).await;
    let done = town.carry_out(vec![create(&town, 0, 0, number)]).await;
    town.end().await;
    done[0].took
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
