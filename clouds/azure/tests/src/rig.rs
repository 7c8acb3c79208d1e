//! A driver of Azure against a simulated Azure in this process, with the simulated world as the witness.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use pmks_azure::Azure;
use pmks_azure_simulator::{AzureCloud, Settings};
use pmks_conformance::{CallLog, Rig, Thing, Witness};
use pmks_driver::{ConnectionSpecification, Credential, Driver, Environment, House, Provider};
use pmks_model::ResourceKind;
use pmks_simulation::{Cloud, Effect, Resource, Rule, RunningCloud, ready_file, serve};
use pmks_transport::{Clock, Faults, MemoryRecorder, SystemClock, Transport};
use serde_json::{Value, json};

/// How much faster than the real Azure the world works: a cluster takes a tenth of a second.
const SPEED: u32 = 3000;

/// A simulated Azure on a port of its own.
pub struct SimulatedAzure {
    /// The world.
    pub cloud: Arc<AzureCloud>,
    running: RunningCloud,
}

impl SimulatedAzure {
    /// Starts one.
    ///
    /// # Panics
    /// If no port can be had.
    #[expect(clippy::expect_used, reason = "a test cannot go on without it")]
    pub async fn start() -> Self {
        let cloud = Arc::new(AzureCloud::new(Settings { speed: f64::from(SPEED), ..Settings::default() }));
        let running = serve(Arc::clone(&cloud) as Arc<dyn Cloud>, 0).await.expect("a loopback port");
        Self { cloud, running }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        self.running.url()
    }

    /// The ready file's content.
    pub fn ready_file(&self) -> String {
        ready_file(&[(&*self.cloud, &self.running)]).to_string()
    }

    /// The certificate of the authority behind HTTPS, PEM.
    ///
    /// # Panics
    /// If there is none.
    #[expect(clippy::expect_used, reason = "a test cannot go on without it")]
    pub fn ca_certificate(&self) -> String {
        self.cloud.authority().expect("an authority").certificate_pem().to_owned()
    }

    /// Kinds of everything that exists, but for what is there from the beginning.
    pub fn remains(&self) -> Vec<String> {
        let rows = self.cloud.resources().into_iter();
        rows.map(|row| row.kind).filter(|kind| kind != "application").collect()
    }

    /// The connection that it offers, under a name.
    ///
    /// # Panics
    /// If what it offers is no connection.
    #[expect(clippy::expect_used, reason = "a test cannot go on without it")]
    pub fn connection(&self, name: &str) -> ConnectionSpecification {
        let offered = self.cloud.connection(&self.url());
        let text = |key: &str| offered.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let credential = offered.get("credential").cloned().expect("a credential");
        ConnectionSpecification {
            name: name.to_owned(),
            region: text("region"),
            zone: Some(text("zone")).filter(|zone| !zone.is_empty()),
            credential: serde_json::from_value(credential).expect("a credential"),
            endpoints: BTreeMap::from([("all".to_owned(), self.url().parse().expect("a URL"))]),
            ca_certificate: None,
            settings: BTreeMap::new(),
            pace: SPEED,
        }
    }

    fn event(&self, event: &Value) -> Result<Value, String> {
        self.cloud.event(event).map_err(|error| error.to_string())
    }
}

/// What the account must have before any cluster, and keeps: the application, and the group that clusters are made in.
fn is_prerequisite(row: &Resource) -> bool {
    let made_by_aks = row.attributes.get("managedBy").is_some_and(|owner| !owner.is_null());
    row.kind == "application" || (row.kind == "resourceGroup" && !made_by_aks)
}

#[async_trait]
impl Witness for SimulatedAzure {
    async fn things(&self) -> Vec<Thing> {
        let resources = self.cloud.resources().into_iter().filter(|resource| !is_prerequisite(resource));
        resources
            .map(|resource| Thing {
                kind: resource.kind,
                id: resource.id,
                name: resource.name.unwrap_or_default(),
            })
            .collect()
    }

    async fn multiply(&self, cluster: &str, clusters: usize, node_groups: usize) -> Result<(), String> {
        self.event(&json!({
            "type": "clustersAreCopied", "cluster": cluster, "clusters": clusters, "nodeGroups": node_groups,
        }))
        .map(drop)
    }

    async fn say_status(&self, cluster: &str, word: Option<&str>) -> Result<(), String> {
        let members = json!({"provisioningState": word});
        self.event(&json!({"type": "showsOver", "cluster": cluster, "members": members})).map(drop)
    }

    async fn add_unknown(&self, cluster: &str) -> Result<(), String> {
        let unknown = json!({"pmksUnknown": {"since": "tomorrow"}});
        let event =
            json!({"type": "showsOver", "cluster": cluster, "members": unknown, "nodeGroups": unknown});
        self.event(&event).map(drop)
    }

    async fn keeps_unknown(&self, cluster: &str) -> Result<bool, String> {
        let shown = self.event(&json!({"type": "showsOver", "cluster": cluster}))?;
        let keeps = |over: &Value| over.get("pmksUnknown").is_some();
        let groups = shown.get("nodeGroups").and_then(Value::as_array).cloned().unwrap_or_default();
        Ok(shown.get("cluster").is_some_and(keeps) && !groups.is_empty() && groups.iter().all(keeps))
    }

    async fn move_credential(&self) -> Result<(), String> {
        self.event(&json!({"type": "credentialsMove"})).map(drop)
    }

    async fn make_volume(&self, cluster: &str) -> Result<String, String> {
        let made = self.event(&json!({"type": "controllerMakesVolume", "cluster": cluster}))?;
        made.get("id").and_then(Value::as_str).map(str::to_owned).ok_or_else(|| format!("no volume: {made}"))
    }

    async fn fail_next(&self, kind: ResourceKind) -> Result<(), String> {
        let action = match kind {
            ResourceKind::Cluster => "ManagedClusters_CreateOrUpdate",
            ResourceKind::NodeGroup => "AgentPools_CreateOrUpdate",
            other => return Err(format!("Azure ends no {} as failed", other.says())),
        };
        let fails = Effect::FailWhileCreating { code: None };
        self.cloud.controls().faults.add(Rule::new("containerservice", action, fails).times(1));
        Ok(())
    }

    async fn divide(&self, cluster: &str) -> Result<(), String> {
        self.event(&json!({"type": "copiesVanish", "cluster": cluster})).map(drop)
    }
}

/// A fresh world with a driver.
///
/// # Panics
/// If it cannot be made.
#[expect(clippy::expect_used, reason = "a test cannot go on without it")]
pub async fn rig() -> Rig {
    let world = Arc::new(SimulatedAzure::start().await);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (calls, faults) = (CallLog::default(), Arc::new(Faults::new()));
    let recorder = Arc::new(MemoryRecorder::new());
    let transport = Transport::builder(Arc::clone(&clock))
        .observer(Arc::new(calls.clone()))
        .faults(Arc::clone(&faults) as _)
        .recorder(Arc::clone(&recorder) as _)
        .build();
    let house =
        House { transport, environment: Environment::default(), installation: "pmks-conformance".to_owned() };
    let connection = world.connection("conformance");
    let mut strange = world.connection("stranger");
    let given = |name: &str| connection.credential.get(name).unwrap_or_default().to_owned();
    let wrong = "wrong~secret.that.nobody.has.given.out00";
    strange.credential = Credential::from_values([
        ("tenantId".to_owned(), given("tenantId")),
        ("clientId".to_owned(), given("clientId")),
        ("clientSecret".to_owned(), wrong.to_owned()),
        ("subscriptionId".to_owned(), given("subscriptionId")),
    ]);
    Rig {
        driver: connect(&connection, &house).await,
        stranger: connect(&strange, &house).await,
        secrets: vec![given("clientSecret"), wrong.to_owned()],
        witness: world,
        faults,
        calls,
        recorder,
        clock,
        pace: SPEED,
    }
}

#[expect(clippy::expect_used, reason = "a test cannot go on without it")]
async fn connect(connection: &ConnectionSpecification, house: &House) -> Arc<dyn Driver> {
    Azure.connect(connection, house).await.expect("a driver")
}
