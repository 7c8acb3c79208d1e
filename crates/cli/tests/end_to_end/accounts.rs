//! Many accounts of a cloud, each a simulator of its own, with a connection and networks in each; and a server's API as
//! a client sees it that keeps its connections.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::sandbox::{Sandbox, Server, Simulator, wait_within};
use crate::visitor::Visitor;

/// A cloud, and where its subnets lie.
#[derive(Clone, Copy)]
pub(crate) struct Cloud {
    pub(crate) name: &'static str,
    /// The zones of a network's subnets; an empty text where subnets span zones.
    pub(crate) zones: &'static [&'static str],
    /// A simulator's words for clusters and node groups.
    pub(crate) kinds: (&'static str, &'static str),
    /// How many clusters there is room for in one network.
    pub(crate) in_a_network: usize,
}

/// EKS: 100 clusters a region and account by default, five networks, which the clusters of an account share.
///
/// Source: <https://docs.aws.amazon.com/eks/latest/userguide/service-quotas.html>
pub(crate) const AWS: Cloud = Cloud {
    name: "aws",
    zones: &["ap-northeast-2a", "ap-northeast-2c"],
    kinds: ("cluster", "nodeGroup"),
    in_a_network: 100,
};

/// GKE: each cluster takes a `/14` of `10.0.0.0/8` for its pods, so that one network has room for some sixty clusters;
/// 500 processors a region and project are more than enough for a hundred.
///
/// Sources: <https://cloud.google.com/kubernetes-engine/docs/concepts/alias-ips>,
/// <https://cloud.google.com/compute/resource-usage>
pub(crate) const GOOGLE: Cloud =
    Cloud { name: "gcp", zones: &[""], kinds: ("cluster", "nodePool"), in_a_network: 50 };

/// AKS: 100 clusters a region and subscription by default; their nodes' processors are far below the region's limit.
///
/// Source: <https://learn.microsoft.com/azure/aks/quotas-skus-regions>
pub(crate) const AZURE: Cloud =
    Cloud { name: "azure", zones: &[""], kinds: ("managedCluster", "agentPool"), in_a_network: 100 };

/// How long hundreds of operations may take on a machine that has other work.
const PATIENCE: Duration = Duration::from_mins(10);

/// Simulated accounts, each with a connection `a0`, `a1`, … and networks `net0`, ….
pub(crate) struct Accounts {
    pub(crate) cloud: Cloud,
    pub(crate) simulators: Vec<Simulator>,
    /// How many clusters each account has room for.
    each: usize,
}

impl Accounts {
    /// So many accounts with everything that so many clusters in each need.
    pub(crate) fn new(
        user: &Sandbox,
        api: &Visitor,
        cloud: Cloud,
        speed: &str,
        (accounts, each): (usize, usize),
    ) -> Self {
        let simulators: Vec<Simulator> =
            (0..accounts).map(|account| user.simulate_cloud(cloud.name, speed, account)).collect();
        for (account, simulator) in simulators.iter().enumerate() {
            let mut connection = simulator.ready["connection"].clone();
            connection["name"] = json!(format!("a{account}"));
            api.post("connections", &connection);
            api.post(&format!("connections/a{account}/prerequisites/fix"), &json!({}));
        }
        all_over(api);
        for account in 0..accounts {
            for network in 0..each.div_ceil(cloud.in_a_network) {
                let subnets: Vec<Value> = cloud
                    .zones
                    .iter()
                    .enumerate()
                    .map(|(index, zone)| {
                        let name = format!("net{network}-s{index}");
                        json!({"name": name, "cidr": format!("10.0.{}.0/20", index * 16), "zone": zone})
                    })
                    .collect();
                let network =
                    json!({"name": format!("net{network}"), "cidr": "10.0.0.0/16", "subnets": subnets});
                api.post(&format!("connections/a{account}/networks"), &network);
            }
        }
        all_over(api);
        Self { cloud, simulators, each }
    }

    /// What is asked for the cluster of that number: the path of the POST, and its body.
    pub(crate) fn cluster(&self, number: usize) -> (String, Value) {
        let network = number % self.each / self.cloud.in_a_network;
        let subnets: Vec<String> =
            (0..self.cloud.zones.len()).map(|index| format!("net{network}-s{index}")).collect();
        let body = json!({
            "name": name(number), "network": format!("net{network}"), "subnets": subnets, "securityGroups": [],
            "nodeGroups": [{"name": "w", "scaling": {"autoScaling": false, "min": 1, "max": 2, "desired": 1}}],
        });
        (format!("connections/a{}/clusters", self.account(number)), body)
    }

    /// The account of the cluster of that number.
    pub(crate) fn account(&self, number: usize) -> usize {
        number / self.each
    }

    /// How many clusters stand in all accounts.
    pub(crate) fn standing(&self) -> usize {
        self.simulators.iter().map(|one| one.world.resources(self.cloud.kinds.0).len()).sum()
    }
}

/// The name of the cluster of that number.
pub(crate) fn name(number: usize) -> String {
    format!("c{number:04}")
}

/// The API of that server, by the token of its data directory.
pub(crate) fn api(user: &Sandbox, server: &Server) -> Visitor {
    let token = std::fs::read_to_string(user.path(".local/share/pmks/token")).unwrap();
    Visitor::new(&server.url, token.trim())
}

/// Everything of a list.
pub(crate) fn listed(api: &Visitor, path: &str) -> Vec<Value> {
    let (mut all, mut page) = (Vec::new(), String::new());
    let mark = if path.contains('?') { '&' } else { '?' };
    loop {
        let answer = api.get(&format!("{path}{mark}pageSize=200{page}"));
        all.extend(answer["items"].as_array().unwrap().iter().cloned());
        match answer["nextPageToken"].as_str() {
            Some(next) => page = format!("&pageToken={next}"),
            None => return all,
        }
    }
}

/// Waits until every operation is over; answers how many ended in which state.
pub(crate) fn all_over(api: &Visitor) -> BTreeMap<String, usize> {
    wait_within(PATIENCE, "the end of every operation", || {
        for state in ["queued", "running"] {
            let first = api.get(&format!("operations?state={state}&pageSize=1"));
            if !first["items"].as_array().unwrap().is_empty() {
                std::thread::sleep(Duration::from_millis(250));
                return None;
            }
        }
        let mut states = BTreeMap::new();
        for operation in listed(api, "operations") {
            *states.entry(operation["state"].as_str().unwrap().to_owned()).or_insert(0) += 1;
        }
        Some(states)
    })
}
