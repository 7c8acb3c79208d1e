//! The tour of one cloud: connection, prerequisites, network, cluster; then scaling, upgrading, deleting.

use std::sync::Arc;

use http::Method;
use pmks_api::Operation;
use pmks_model::FailureKind;
use serde_json::{Value, json};

use super::Standing;
use super::kubernetes::{Kubernetes, is_of};
use super::offer::Offer;
use super::stand::Stand;
use super::story::{Story, Voice};
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
/// How many nodes the cluster begins with.
pub(super) const NODES: usize = 2;
/// How many it is scaled to.
pub(super) const MORE_NODES: usize = 3;

/// The tour of one cloud.
pub(super) struct Tour<'a> {
    stand: &'a Stand,
    voice: Voice<'a>,
    connection: String,
    offer: Offer,
    /// What the cluster begins with, and what it is raised to.
    pub(super) versions: (String, String),
}

impl<'a> Tour<'a> {
    /// Makes the connection and finds out what the cloud offers.
    pub(super) async fn begin(stand: &'a Stand, voice: Voice<'a>, cloud: &Served) -> Result<Self> {
        let connection = format!("demo-{}", cloud.name);
        let body = cloud.connection(&connection);
        stand.client.send(Request::new(Method::POST, Path::v1(["connections"])).json(body)).await?;
        let path = Path::v1(["connections", &connection]);
        let validation = stand.client.send(Request::new(Method::POST, path.join("validate"))).await?.body;
        if let Some(error) = validation.get("error").filter(|error| !error.is_null()) {
            return Err(Error::Problem(shaped(error.clone())?));
        }
        let account = validation.pointer("/account/account").map(scalar).unwrap_or_default();
        voice.fact("cloud", &format!("simulated {}, {}", cloud.name, cloud.url()))?;
        voice.fact("connection", &format!("{connection}, account {account}"))?;
        let offer = Offer::of(&stand.client, &connection).await?;
        let versions = offer.versions.clone();
        Ok(Self { stand, voice, connection, offer, versions })
    }

    /// Makes what must exist in the account first.
    pub(super) async fn prepare(&self) -> Result<()> {
        let path = self.path(&["prerequisites"]);
        let answer = self.stand.client.get(path.clone()).await?;
        let all = answer.get("prerequisites").and_then(Value::as_array).cloned().unwrap_or_default();
        let mut missing = Vec::new();
        for each in &all {
            let text = |field: &str| each.get(field).map(scalar).unwrap_or_default();
            self.voice.fact(&text("name"), &text("state"))?;
            if text("state") == "missing" {
                missing.push(text("name"));
            }
        }
        if missing.is_empty() {
            return self.voice.good("nothing is missing");
        }
        self.change(Request::new(Method::POST, path.join("fix")).json(json!({}))).await?;
        self.voice.good(&format!("made: {}", missing.join(", ")))
    }

    /// Makes network, security group and key pair.
    pub(super) async fn make_ground(&self) -> Result<()> {
        self.post(&["networks"], self.offer.network(NETWORK)).await?;
        let subnets = self.offer.subnet_names().join(" and ");
        self.voice.good(&format!("network {NETWORK} with {subnets}{}", self.offer.places()))?;
        if self.offer.security_groups {
            let rule = json!({"direction": "inbound", "protocol": "tcp", "fromPort": 22, "toPort": 22, "cidr": "10.0.0.0/16"});
            let group = json!({"name": GROUP, "network": NETWORK, "rules": [rule]});
            self.post(&["securityGroups"], group).await?;
            self.voice.good(&format!("security group {GROUP}"))?;
        }
        if self.offer.key_pairs {
            self.post(&["keyPairs"], json!({"name": KEY})).await?;
            self.voice.good(&format!("key pair {KEY}"))?;
        }
        Ok(())
    }

    /// Makes the cluster with its node group.
    pub(super) async fn make_cluster(&self) -> Result<()> {
        let (version, _) = &self.versions;
        let groups: Vec<&str> = self.offer.security_groups.then_some(GROUP).into_iter().collect();
        let key = if self.offer.key_pairs { KEY } else { "" };
        let cluster = json!({
            "name": CLUSTER, "version": version, "network": NETWORK, "subnets": self.offer.subnet_names(),
            "securityGroups": groups,
            "nodeGroups": [{"name": NODE_GROUP, "keyPair": key,
                "scaling": {"autoScaling": false, "min": 1, "max": MORE_NODES, "desired": NODES}}],
        });
        self.post(&["clusters"], cluster).await?;
        self.voice.good(&format!("cluster {CLUSTER} of Kubernetes {version} is active"))
    }

    /// Writes the kubeconfig that `kubectl` uses.
    pub(super) async fn stands(&self) -> Result<Standing> {
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
        self.voice.fact("kubeconfig", &file.display().to_string())?;
        Ok(Standing {
            connection: self.connection.clone(),
            kubeconfig: file,
            newest: self.versions.1.clone(),
        })
    }

    /// Scales the node group.
    pub(super) async fn scale(&self) -> Result<()> {
        let path = ["clusters", CLUSTER, "nodeGroups", NODE_GROUP, "scale"];
        self.post(&path, json!({"desired": MORE_NODES})).await?;
        self.check(MORE_NODES, &self.versions.0).await
    }

    /// Raises control plane and nodes.
    pub(super) async fn upgrade(&self) -> Result<()> {
        let (_, after) = &self.versions;
        self.post(&["clusters", CLUSTER, "upgrade"], json!({"version": after})).await?;
        self.check(MORE_NODES, after).await
    }

    /// Removes everything that was made.
    pub(super) async fn remove(&self) -> Result<()> {
        let made = [
            (["clusters", CLUSTER], true),
            (["keyPairs", KEY], self.offer.key_pairs),
            (["securityGroups", GROUP], self.offer.security_groups),
            (["networks", NETWORK], true),
        ];
        for (path, _) in made.iter().filter(|(_, made)| *made) {
            self.change(Request::new(Method::DELETE, self.path(path))).await?;
        }
        self.voice.good("the cluster and all it stood on are deleted")
    }

    /// Looks at nodes and version through the cluster's own API.
    pub(super) async fn check(&self, nodes: usize, version: &str) -> Result<()> {
        let folder = self.stand.file("");
        let kubernetes = Kubernetes::connect(&self.stand.client, &self.connection, CLUSTER, &folder).await?;
        let seen = kubernetes.look(&self.stand.app, nodes, version).await?;
        if !is_of(&seen.version, version) {
            let says = format!("the cluster says {}, not {version}", seen.version);
            return Err(Error::new(FailureKind::Unexpected, says));
        }
        self.voice.good(&format!("version {}", seen.version))?;
        for (name, kubelet) in &seen.ready {
            self.voice.good(&format!("node {name} is ready ({kubelet})"))?;
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
            away: crate::wait::AWAY,
            client: self.stand.client.clone(),
            clock: Arc::clone(&self.stand.app.clock),
            timeout: None,
            look: Look { no_color: self.stand.app.no_color(), brief: true },
        };
        judge(waiter.until_over(operation).await?).map(drop)
    }
}

/// Shows the clusters of all connections.
pub(super) async fn list(stand: &Stand, story: &Story) -> Result<()> {
    for cluster in stand.client.list(Path::v1(["connections", "-", "clusters"])).await? {
        let text = |at: &str| cluster.pointer(at).map(scalar).unwrap_or_default();
        let says = format!("{}, {}", text("/status"), text("/observed/version"));
        story.fact(&text("/connection"), &format!("{}: {says}", text("/name")))?;
    }
    Ok(())
}
