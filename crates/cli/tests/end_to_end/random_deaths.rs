//! A server that is killed again and again, at times that a seed decides, while a client makes, changes and removes what
//! a cluster is made of: the client repeats what was not answered, every operation ends well, and in the end the cloud
//! is what it was before. One seed a cloud; `PMKS_LONG=1` takes so many that they are more than fifty.

use std::time::Duration;

use jiff::Timestamp;
use pmks_simulation::Random;
use pmks_transport::{Clock as _, SystemClock};
use reqwest::Method;
use serde_json::{Value, json};

use crate::sandbox::{Sandbox, Server, Simulator, http_post, http_try, wait_for};

/// How many seeds each cloud has in a long run.
const SEEDS: u64 = 17;

/// How many changes see the server die before they are done, at least: towards the end of a run whose seed let it live,
/// each one has to.
const LEAST: usize = 3;

/// How often at most.
const DEATHS: usize = 8;

/// How many changes a run consists of.
const CHANGES: usize = 8;

/// Within how many milliseconds after a request the server may die: longer than most operations take at this speed.
const SOON: u64 = 1_500;

#[test]
fn on_aws() {
    for seed in seeds() {
        Life::new("aws", seed).live(&["ap-northeast-2a", "ap-northeast-2c"], "cluster");
    }
}

#[test]
fn on_azure() {
    for seed in seeds() {
        Life::new("azure", seed).live(&[""], "managedCluster");
    }
}

#[test]
fn on_google() {
    for seed in seeds() {
        Life::new("gcp", seed).live(&[""], "cluster");
    }
}

fn seeds() -> std::ops::RangeInclusive<u64> {
    let is_long = std::env::var("PMKS_LONG").is_ok_and(|value| value == "1");
    1..=if is_long { SEEDS } else { 1 }
}

/// A user's server, and the cloud that outlives it.
struct Life {
    user: Sandbox,
    simulator: Simulator,
    server: Option<Server>,
    token: String,
    random: Random,
    seed: u64,
    deaths: usize,
    /// When the last of them was noticed: the server had written nothing any more by then.
    last_death: Timestamp,
    /// How many changes were not done yet when the server died.
    struck: usize,
    /// How many changes are still to come.
    to_come: usize,
}

impl Life {
    fn new(cloud: &str, seed: u64) -> Self {
        let user = Sandbox::new();
        let simulator = user.simulate_cloud(cloud, "600", 0);
        let server = Some(user.serve(&[]));
        let token = std::fs::read_to_string(user.path(".local/share/pmks/token")).unwrap().trim().to_owned();
        let last_death = Timestamp::MIN;
        let random = Random::new(seed);
        Self {
            user,
            simulator,
            server,
            token,
            random,
            seed,
            deaths: 0,
            last_death,
            struck: 0,
            to_come: CHANGES,
        }
    }

    fn live(mut self, zones: &[&str], clusters: &str) {
        let mut connection = self.simulator.ready["connection"].clone();
        connection["name"] = json!("a");
        let connections = format!("{}/v1/connections", self.server.as_ref().unwrap().url);
        let (status, text) = http_post(&connections, &self.token, &connection);
        assert_eq!(status, 201, "{text}");
        self.change(&Method::POST, "connections/a/prerequisites/fix", Some(&json!({})));
        let before = self.simulator.world.everything();
        let subnets: Vec<Value> = (0..)
            .zip(zones)
            .map(|(index, zone)| {
                json!({"name": format!("s{index}"), "cidr": format!("10.0.{}.0/20", index * 16), "zone": zone})
            })
            .collect();
        let names: Vec<&Value> = subnets.iter().map(|subnet| &subnet["name"]).collect();
        let network = json!({"name": "net", "cidr": "10.0.0.0/16", "subnets": subnets});
        let scaling = json!({"autoScaling": false, "min": 1, "max": 3, "desired": 1});
        let cluster = json!({"name": "c", "network": "net", "subnets": names, "securityGroups": [],
            "nodeGroups": [{"name": "w", "scaling": scaling}]});
        self.change(&Method::POST, "connections/a/networks", Some(&network));
        self.change(&Method::POST, "connections/a/clusters", Some(&cluster));
        assert_eq!(self.simulator.world.resources(clusters).len(), 1, "{}", self.said());
        let groups = "connections/a/clusters/c/nodeGroups";
        self.change(&Method::POST, groups, Some(&json!({"name": "x", "scaling": scaling})));
        self.change(&Method::POST, &format!("{groups}/w/scale"), Some(&json!({"desired": 2})));
        self.change(&Method::DELETE, &format!("{groups}/x"), None);
        self.change(&Method::DELETE, "connections/a/clusters/c", None);
        self.change(&Method::DELETE, "connections/a/networks/net", None);
        wait_for("the world as it was", || (self.simulator.world.everything() == before).then_some(()));
        assert_eq!(self.to_come, 0, "so many changes");
        println!("{clusters} {}", self.said());
        assert!(self.struck >= LEAST, "{}", self.said());
    }

    /// Asks for a change, and waits until it is done; where the run needs it, the server dies as soon as it is taken on.
    fn change(&mut self, method: &Method, path: &str, body: Option<&Value>) {
        let began = SystemClock.wall();
        let must_die = self.struck + self.to_come <= LEAST;
        self.to_come -= 1;
        if !must_die && self.deaths < DEATHS && self.random.below(4) > 0 {
            let wait = Duration::from_millis(self.random.below(SOON));
            self.server.as_ref().unwrap().kill_after(wait);
        }
        let url = |server: &Server| format!("{}/v1/{path}", server.url);
        let key = format!("{}-{method}-{path}", self.seed);
        let accepted = self.ask(method, url, Some(&key), body);
        let Some(id) = accepted["id"].as_str().filter(|_| accepted["state"].is_string()) else { return };
        if must_die {
            self.server.as_mut().unwrap().strike();
        }
        loop {
            let operation =
                self.ask(&Method::GET, |server| format!("{}/v1/operations/{id}", server.url), None, None);
            match operation["state"].as_str() {
                Some("queued" | "running") => std::thread::sleep(Duration::from_millis(20)),
                state => {
                    assert_eq!(state, Some("succeeded"), "{path}: {operation:#} {}", self.said());
                    let ended: Timestamp = operation["updatedAt"].as_str().unwrap().parse().unwrap();
                    self.struck += usize::from(began < self.last_death && self.last_death < ended);
                    return;
                }
            }
        }
    }

    /// One request, repeated until a server answers it.
    fn ask(
        &mut self,
        method: &Method,
        url: impl Fn(&Server) -> String,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Value {
        loop {
            let server = self.server.as_ref().unwrap();
            if let Some((status, text)) = http_try(method, &url(server), (&self.token, key), body) {
                assert!((200..300).contains(&status), "{method} {key:?}: {status} {text} {}", self.said());
                return serde_json::from_str(&text).unwrap_or_default();
            }
            self.deaths += 1;
            self.last_death = SystemClock.wall();
            self.server.take().unwrap().kill();
            self.server = Some(self.user.serve(&[]));
        }
    }

    fn said(&self) -> String {
        format!("(seed {}, {} deaths, {} changes struck)", self.seed, self.deaths, self.struck)
    }
}
