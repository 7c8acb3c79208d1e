//! What is measured on: a data directory with a connection to a simulated cloud, made by the API as a user makes it, and
//! copies of its cluster in the store, as if the cloud had as many.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use pmks_model::ResourceKind;
use pmks_store::{
    AuditEntry, MasterKey, NewResource, NoKillPoints, Observation, Page, Resource, ResourceFilter,
    Resources as _, SqliteStore, new_uid,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::caller::{Ask, Caller, Target};
use crate::load::Server;
use crate::processes::{Pmks, Process, Served};

/// The connection's path.
pub(crate) const HERE: &str = "/v1/connections/here";
/// The cluster that is copied; its name stands in nothing else.
const ORIGINAL: &str = "the-cluster-that-is-copied";
/// How long an operation may take.
const PATIENCE: Duration = Duration::from_mins(2);
/// How many clusters are stored in one transaction.
const AT_ONCE: usize = 500;

/// A served data directory and its cloud.
pub(crate) struct Stand {
    pub(crate) served: Served,
    pub(crate) data: PathBuf,
    _cloud: Process,
    /// Where requests go, as the bearer of an API token with the role operator.
    pub(crate) target: Target,
    subnets: Vec<Value>,
}

impl Stand {
    /// A fresh one, its connection `here` to that simulated cloud.
    pub(crate) async fn new(pmks: &Pmks, name: &str, cloud: &str, speed: &str) -> anyhow::Result<Self> {
        let data = pmks.home.join(name);
        let (process, mut connection) = pmks.simulate(cloud, speed)?;
        let served = pmks.serve(&data)?;
        let mut caller = Caller::open(&served.target).await?;
        connection.as_object_mut().context("no connection")?.insert("name".to_owned(), json!("here"));
        caller.json(&Ask::post("/v1/connections", &connection)).await?;
        let token = token(&mut caller, "load").await?;
        // Of AWS a cluster has subnets in two zones; the others' span them.
        let region = connection.get("region").and_then(Value::as_str).unwrap_or_default();
        let subnets = match cloud {
            "aws" => vec![
                json!({"name": "s0", "cidr": "10.0.0.0/20", "zone": format!("{region}a")}),
                json!({"name": "s1", "cidr": "10.0.16.0/20", "zone": format!("{region}c")}),
            ],
            _ => vec![json!({"name": "s0", "cidr": "10.0.0.0/20"})],
        };
        let target = Target { token, ..served.target.clone() };
        Ok(Self { served, data, _cloud: process, target, subnets })
    }

    /// The server, as it is loaded.
    pub(crate) fn server(&self) -> Server<'_> {
        Server { target: &self.target, process: &self.served.process }
    }

    /// A new connection: one that is silent for ten seconds is closed.
    async fn caller(&self) -> anyhow::Result<Caller> {
        Caller::open(&self.served.target).await
    }

    /// Another API token.
    pub(crate) async fn token(&self, name: &str) -> anyhow::Result<String> {
        token(&mut self.caller().await?, name).await
    }

    /// Asks for the network `net` with its subnets; answers the operation's path.
    pub(crate) async fn network(&self) -> anyhow::Result<String> {
        let body = json!({"name": "net", "cidr": "10.0.0.0/16", "subnets": self.subnets});
        self.ask(&Ask::post(format!("{HERE}/networks"), &body)).await
    }

    /// A cluster on that network.
    pub(crate) fn cluster(&self, name: &str, node_groups: &[&str]) -> Ask {
        let subnets: Vec<&Value> = self.subnets.iter().filter_map(|subnet| subnet.get("name")).collect();
        let scaling = json!({"autoScaling": false, "min": 1, "max": 3, "desired": 1});
        let group = |name: &&str| json!({"name": name, "scaling": scaling});
        let groups: Vec<Value> = node_groups.iter().map(group).collect();
        let body = json!({"name": name, "network": "net", "subnets": subnets, "securityGroups": [], "nodeGroups": groups});
        Ask::post(format!("{HERE}/clusters"), &body)
    }

    /// Has it carried out, to its good end.
    pub(crate) async fn carry_out(&self, ask: &Ask) -> anyhow::Result<()> {
        let operation = self.ask(ask).await?;
        self.end_of(&operation).await
    }

    /// The path of the operation that was asked for.
    async fn ask(&self, ask: &Ask) -> anyhow::Result<String> {
        let taken_on = self.caller().await?.json(ask).await?;
        let id = taken_on.get("id").and_then(Value::as_str).context("no operation")?;
        Ok(format!("/v1/operations/{id}"))
    }

    /// Waits for its good end.
    pub(crate) async fn end_of(&self, operation: &str) -> anyhow::Result<()> {
        let (began, mut caller) = (Instant::now(), self.caller().await?);
        loop {
            let now = caller.json(&Ask::get(operation)).await?;
            match now.get("state").and_then(Value::as_str) {
                Some("succeeded") => return Ok(()),
                Some("queued" | "running") if began.elapsed() < PATIENCE => {}
                _ => anyhow::bail!("it does not succeed: {now}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What the account needs, and a network.
    pub(crate) async fn prepared(&self) -> anyhow::Result<()> {
        self.carry_out(&Ask::post(format!("{HERE}/prerequisites/fix"), &json!({}))).await?;
        let network = self.network().await?;
        self.end_of(&network).await
    }

    /// The metrics of that name, all labels together.
    pub(crate) async fn sum(&self, metric: &str) -> anyhow::Result<f64> {
        let text = self.caller().await?.text(&Ask::get("/metrics")).await?;
        let of = |line: &str| {
            line.strip_prefix(metric)?.starts_with('{').then(|| line.rsplit(' ').next())?.map(str::to_owned)
        };
        Ok(text.lines().filter_map(of).filter_map(|value| value.parse::<f64>().ok()).sum())
    }
}

async fn token(caller: &mut Caller, name: &str) -> anyhow::Result<String> {
    let made = caller.json(&Ask::post("/v1/apiTokens", &json!({"name": name, "role": "operator"}))).await?;
    Ok(made.get("token").and_then(Value::as_str).context("no token")?.to_owned())
}

/// Data directories with one cluster of two node groups, and its copies: as many clusters as each is asked for.
///
/// The cloud knows of one alone. It is not asked before the oldest observation is five minutes old: by then the reads
/// must be over.
pub(crate) async fn filled(pmks: &Pmks, sizes: &[usize]) -> anyhow::Result<(Vec<(usize, PathBuf)>, String)> {
    let stand = Stand::new(pmks, "original", "aws", "3000").await?;
    stand.prepared().await?;
    let cluster = stand.cluster(ORIGINAL, &["workers", "batch"]);
    stand.carry_out(&cluster).await?;
    let token = stand.target.token.clone();
    stand.served.process.stop()?;
    let mut all = Vec::new();
    for size in sizes {
        let data = pmks.home.join(format!("clusters-{size}"));
        copy(&stand.data, &data)?;
        fill(&data, &pmks.master_key, *size).await?;
        all.push((*size, data));
    }
    Ok((all, token))
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

async fn fill(data: &Path, key: &str, size: usize) -> anyhow::Result<()> {
    let store =
        SqliteStore::open(&data.join("pmks.db"), MasterKey::from_text(key)?, Arc::new(NoKillPoints)).await?;
    let of = async |filter: ResourceFilter| store.resources(&filter, Page::all()).await;
    let clusters =
        of(ResourceFilter { kind: Some(ResourceKind::Cluster), ..ResourceFilter::default() }).await?;
    let cluster = clusters.first().context("no cluster")?;
    let parts = of(ResourceFilter { parent: Some(cluster.uid), ..ResourceFilter::default() }).await?;
    anyhow::ensure!(cluster.observation.is_some() && parts.len() == 2, "the cluster was not seen whole");
    let numbers: Vec<usize> = (1..size).collect();
    for some in numbers.chunks(AT_ONCE) {
        let records = some.iter().flat_map(|number| copies(cluster, &parts, *number)).collect();
        let [who, action, target, request_id] = ["load", "insert", "", ""].map(str::to_owned);
        let audit = AuditEntry { at: cluster.created_at, who, action, target, request_id };
        store.insert_resources(records, audit).await?;
    }
    store.close().await;
    Ok(())
}

/// A copy of a cluster and its node groups.
fn copies(cluster: &Resource, parts: &[Resource], number: usize) -> Vec<NewResource> {
    let uid = new_uid(cluster.created_at);
    let mut all = vec![copied(cluster, uid, None, number)];
    all.extend(parts.iter().map(|part| copied(part, new_uid(part.created_at), Some(uid), number)));
    all
}

fn copied(record: &Resource, uid: Uuid, parent: Option<Uuid>, number: usize) -> NewResource {
    let renamed = |text: &str| text.replace(ORIGINAL, &name(number));
    let value = |value: &Value| serde_json::from_str(&renamed(&value.to_string())).unwrap_or_default();
    NewResource {
        uid,
        kind: record.kind,
        connection: record.connection.clone(),
        account: record.account.clone(),
        location: record.location.clone(),
        parent,
        name: renamed(&record.name),
        cloud_name: record.cloud_name.as_deref().map(renamed),
        system_id: record.system_id.as_deref().map(renamed),
        incarnation: record.incarnation.clone(),
        request: record.request.clone(),
        observation: record
            .observation
            .as_ref()
            .map(|seen| Observation { value: value(&seen.value), ..seen.clone() }),
        protected: record.protected,
        imported: record.imported,
    }
}

/// The name of a cluster by its number; 0 is the one that the cloud knows.
pub(crate) fn name(number: usize) -> String {
    if number == 0 { ORIGINAL.to_owned() } else { format!("cluster-{number}") }
}
