//! The tour of one cloud: connection, prerequisites, network, cluster; then scaling, upgrading, deleting.

use std::path::PathBuf;
use std::sync::Arc;

use http::Method;
use pmks_api::Operation;
use pmks_model::FailureKind;
use serde_json::{Value, json};

use super::Story;
use super::kubernetes::{Kubernetes, is_of};
use super::stand::Stand;
use crate::arguments::{ClusterKubeconfig, KubeconfigFormat};
use crate::client::{Path, Request, shaped};
use crate::error::{Error, Result};
use crate::kubeconfig;
use crate::output::scalar;
use crate::progress::Look;
use crate::simulated::Served;
use crate::wait::{Waiter, judge};

const NETWORK: &str = "demo-network";
const GROUP: &str = "demo-group";
const KEY: &str = "demo-key";
pub(super) const CLUSTER: &str = "demo";
pub(super) const NODE_GROUP: &str = "workers";
const NODES: usize = 2;
const MORE_NODES: usize = 3;

/// The tour of one cloud.
pub(super) struct Tour<'a> {
    stand: &'a Stand,
    story: &'a Story,
    connection: String,
    zones: Vec<String>,
    /// What the cluster begins with, and what it is raised to.
    versions: (String, String),
}

impl<'a> Tour<'a> {
    /// Makes the connection and finds out what the cloud offers.
    pub(super) async fn begin(stand: &'a Stand, story: &'a Story, cloud: &Served) -> Result<Self> {
        story.step("A server, a cloud, and a connection between them")?;
        story.fact("pmks", stand.url().as_str().trim_end_matches('/'))?;
        story.fact(&format!("simulated {}", cloud.name), &cloud.url())?;
        let connection = format!("demo-{}", cloud.name);
        let body = cloud.connection(&connection);
        stand.client.send(Request::new(Method::POST, Path::v1(["connections"])).json(body)).await?;
        let path = Path::v1(["connections", &connection]);
        let validation =
            stand.client.send(Request::new(Method::POST, path.clone().join("validate"))).await?.body;
        if let Some(error) = validation.get("error").filter(|error| !error.is_null()) {
            return Err(Error::Problem(shaped(error.clone())?));
        }
        let account = validation.pointer("/account/account").map(scalar).unwrap_or_default();
        story.fact("connection", &format!("{connection}, account {account}"))?;
        let described = stand.client.get(path.clone()).await?;
        let region = described.get("region").map(scalar).unwrap_or_default();
        let regions = stand.client.list(path.clone().join("regions")).await?;
        let versions = stand.client.list(path.join("versions")).await?;
        Ok(Self {
            stand,
            story,
            connection,
            zones: two_zones(&regions, &region)?,
            versions: neighbours(&versions)?,
        })
    }

    /// The connection's name.
    pub(super) fn connection(&self) -> &str {
        &self.connection
    }

    /// What the cluster can be raised to.
    pub(super) fn newest(&self) -> &str {
        &self.versions.1
    }

    /// Makes what must exist in the account first.
    pub(super) async fn prepare(&self) -> Result<()> {
        self.story.step("Prerequisites: what the cloud wants in the account first")?;
        let path = self.path(&["prerequisites"]);
        let answer = self.stand.client.get(path.clone()).await?;
        for each in answer.get("prerequisites").and_then(Value::as_array).cloned().unwrap_or_default() {
            let text = |field: &str| each.get(field).map(scalar).unwrap_or_default();
            self.story.fact(&text("name"), &text("state"))?;
        }
        self.change(Request::new(Method::POST, path.join("fix")).json(json!({}))).await?;
        self.story.good("made")
    }

    /// Makes network, security group, key pair and cluster, and looks at it.
    pub(super) async fn make(&self) -> Result<()> {
        self.story.step("A network with two subnets, a security group, a key pair")?;
        let [first, second] = [0, 1].map(|place| self.zones.get(place).cloned().unwrap_or_default());
        let network = json!({"name": NETWORK, "cidr": "10.0.0.0/16", "subnets": [
            {"name": "demo-a", "cidr": "10.0.0.0/20", "zone": first},
            {"name": "demo-b", "cidr": "10.0.16.0/20", "zone": second},
        ]});
        self.post(&["networks"], network).await?;
        let rule = json!({"direction": "inbound", "protocol": "tcp", "fromPort": 22, "toPort": 22, "cidr": "10.0.0.0/16"});
        self.post(&["securityGroups"], json!({"name": GROUP, "network": NETWORK, "rules": [rule]})).await?;
        self.post(&["keyPairs"], json!({"name": KEY})).await?;
        self.story.good(&format!("{NETWORK} in {first} and {second}, {GROUP}, {KEY}"))?;

        let (version, _) = &self.versions;
        self.story.step(&format!("A cluster of Kubernetes {version} with {NODES} nodes"))?;
        let cluster = json!({
            "name": CLUSTER, "version": version, "network": NETWORK, "subnets": ["demo-a", "demo-b"],
            "securityGroups": [GROUP],
            "nodeGroups": [{"name": NODE_GROUP, "keyPair": KEY,
                "scaling": {"autoScaling": false, "min": 1, "max": MORE_NODES, "desired": NODES}}],
        });
        self.post(&["clusters"], cluster).await?;
        self.story.good("active")?;
        self.story.step("The same cluster, asked through its own Kubernetes API")?;
        self.check(NODES, version).await
    }

    /// Writes the kubeconfig that `kubectl` uses.
    pub(super) async fn kubeconfig(&self) -> Result<PathBuf> {
        let file = self.stand.file(&format!("kubeconfig-{}", self.connection));
        let wanted = ClusterKubeconfig {
            name: CLUSTER.to_owned(),
            format: KubeconfigFormat::Exec,
            file: Some(file.clone()),
            print: false,
        };
        let mut app = self.stand.app.clone();
        app.global.connection = Some(self.connection.clone());
        kubeconfig::write(&app, &wanted).await?;
        self.story.fact("kubeconfig", &file.display().to_string())?;
        Ok(file)
    }

    /// Scales and upgrades.
    pub(super) async fn use_it(&self) -> Result<()> {
        self.story.step(&format!("Scaling: {NODES} to {MORE_NODES} nodes"))?;
        let path = ["clusters", CLUSTER, "nodeGroups", NODE_GROUP, "scale"];
        self.post(&path, json!({"desired": MORE_NODES})).await?;
        let (before, after) = &self.versions;
        self.check(MORE_NODES, before).await?;
        self.story.step(&format!("Upgrading: {before} to {after}, control plane and nodes"))?;
        self.post(&["clusters", CLUSTER, "upgrade"], json!({"version": after})).await?;
        self.check(MORE_NODES, after).await?;
        self.story.step("The list of clusters")?;
        for cluster in self.stand.client.list(Path::v1(["connections", "-", "clusters"])).await? {
            let text = |at: &str| cluster.pointer(at).map(scalar).unwrap_or_default();
            let says = format!("{}, {}, {}", text("/connection"), text("/status"), text("/observed/version"));
            self.story.fact(&text("/name"), &says)?;
        }
        Ok(())
    }

    /// Removes everything that was made.
    pub(super) async fn remove(&self) -> Result<()> {
        self.story.step("Deleting it all")?;
        for path in
            [["clusters", CLUSTER], ["keyPairs", KEY], ["securityGroups", GROUP], ["networks", NETWORK]]
        {
            self.change(Request::new(Method::DELETE, self.path(&path))).await?;
        }
        self.story.good("cluster, key pair, security group and network are deleted")
    }

    /// Looks at nodes and version through the cluster's own API.
    async fn check(&self, nodes: usize, version: &str) -> Result<()> {
        let folder = self.stand.file("");
        let kubernetes = Kubernetes::connect(&self.stand.client, &self.connection, CLUSTER, &folder).await?;
        let seen = kubernetes.look(&self.stand.app, nodes, version).await?;
        if !is_of(&seen.version, version) {
            let says = format!("the cluster says {}, not {version}", seen.version);
            return Err(Error::new(FailureKind::Unexpected, says));
        }
        self.story.good(&format!("version {}", seen.version))?;
        for (name, kubelet) in &seen.ready {
            self.story.good(&format!("node {name} is ready ({kubelet})"))?;
        }
        Ok(())
    }

    fn path(&self, segments: &[&str]) -> Path {
        Path::v1(["connections", &self.connection].into_iter().chain(segments.iter().copied()))
    }

    async fn post(&self, segments: &[&str], body: Value) -> Result<()> {
        self.change(Request::new(Method::POST, self.path(segments)).json(body)).await
    }

    /// Sends a change and follows its operation to the end.
    async fn change(&self, request: Request) -> Result<()> {
        let answer = self.stand.client.send(request).await?.body;
        let operation = answer.get("operation").cloned().unwrap_or(answer);
        let operation: Operation = shaped(operation)?;
        let waiter = Waiter {
            client: self.stand.client.clone(),
            clock: Arc::clone(&self.stand.app.clock),
            timeout: None,
            look: Look { no_color: self.stand.app.no_color(), brief: true },
        };
        judge(waiter.until_over(operation).await?).map(drop)
    }
}

fn two_zones(regions: &[Value], region: &str) -> Result<Vec<String>> {
    let own = regions.iter().find(|each| each.get("name").and_then(Value::as_str) == Some(region));
    let zones =
        own.and_then(|region| region.get("zones")).and_then(Value::as_array).cloned().unwrap_or_default();
    let zones: Vec<String> = zones.iter().map(scalar).take(2).collect();
    if zones.len() < 2 {
        return Err(Error::new(FailureKind::Unexpected, format!("{region} has fewer than two zones")));
    }
    Ok(zones)
}

/// The newest version on offer, and the one that is a minor below it.
fn neighbours(offered: &[Value]) -> Result<(String, String)> {
    let minor = |version: &str| version.split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok());
    let mut versions: Vec<(u32, String)> = offered
        .iter()
        .filter(|each| matches!(each.get("support").and_then(Value::as_str), Some("standard" | "extended")))
        .filter_map(|each| each.get("version").and_then(Value::as_str))
        .filter_map(|version| Some((minor(version)?, version.to_owned())))
        .collect();
    versions.sort();
    let newest = versions.pop();
    let before =
        newest.as_ref().and_then(|(newest, _)| versions.iter().rfind(|(minor, _)| minor + 1 == *newest));
    match (before, &newest) {
        (Some((_, before)), Some((_, newest))) => Ok((before.clone(), newest.clone())),
        _ => Err(Error::new(FailureKind::Unexpected, "the cloud offers no two neighbouring versions")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upgrade_is_one_minor_to_the_newest() {
        let offered =
            ["1.9", "1.33", "1.31", "1.32"].map(|version| json!({"version": version, "support": "standard"}));
        assert_eq!(neighbours(&offered).unwrap(), ("1.32".to_owned(), "1.33".to_owned()));
        assert!(neighbours(&offered[..2]).is_err());
    }
}
