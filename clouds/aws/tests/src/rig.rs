//! A driver of AWS against a simulated AWS in this process, with the simulated world as the witness.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use pmks_aws::Aws;
use pmks_aws_simulator::{AwsCloud, Settings};
use pmks_conformance::{CallLog, Rig, Thing, Witness};
use pmks_driver::{ConnectionSpecification, Credential, Driver, Environment, House, Provider};
use pmks_model::ResourceKind;
use pmks_simulation::{Cloud, Effect, Rule, RunningCloud, serve};
use pmks_transport::{Clock, Faults, MemoryRecorder, SystemClock, Transport};
use serde_json::{Value, json};

/// How much faster than the real AWS the world works: a control plane takes a fifth of a second.
const SPEED: u32 = 3000;

/// What the account must have before any cluster, and keeps.
const PREREQUISITES: &[&str] = &["role", "instanceProfile", "policy", "user", "accessKey"];

/// A simulated AWS on a port of its own.
pub struct SimulatedAws {
    /// The world.
    pub cloud: Arc<AwsCloud>,
    running: RunningCloud,
}

impl SimulatedAws {
    /// Starts one.
    ///
    /// # Panics
    /// If no port can be had.
    #[expect(clippy::expect_used, reason = "a test cannot go on without it")]
    pub async fn start() -> Self {
        let cloud = Arc::new(AwsCloud::new(Settings { speed: f64::from(SPEED), ..Settings::default() }));
        let running = serve(Arc::clone(&cloud) as Arc<dyn Cloud>, 0).await.expect("a loopback port");
        Self { cloud, running }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        self.running.url()
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
}

impl SimulatedAws {
    fn event(&self, event: &Value) -> Result<Value, String> {
        self.cloud.event(event).map_err(|error| error.to_string())
    }
}

#[async_trait]
impl Witness for SimulatedAws {
    async fn things(&self) -> Vec<Thing> {
        let resources = self.cloud.resources().into_iter();
        let resources = resources.filter(|resource| !PREREQUISITES.contains(&resource.kind.as_str()));
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
        let members = json!({"status": word});
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
        made.get("volumeId")
            .and_then(Value::as_str)
            .map(str::to_owned)
            .ok_or_else(|| format!("no volume: {made}"))
    }

    async fn fail_next(&self, kind: ResourceKind) -> Result<(), String> {
        let action = match kind {
            ResourceKind::Cluster => "CreateCluster",
            ResourceKind::NodeGroup => "CreateNodegroup",
            other => return Err(format!("AWS ends no {} as failed", other.says())),
        };
        let fails = Effect::FailWhileCreating { code: None };
        self.cloud.controls().faults.add(Rule::new("eks", action, fails).times(1));
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
    let world = Arc::new(SimulatedAws::start().await);
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
    let secret = connection.credential.get("secretAccessKey").expect("a secret").to_owned();
    let wrong = "wrong/secret/that/nobody/has/given/out00";
    let key = connection.credential.get("accessKeyId").unwrap_or_default().to_owned();
    strange.credential = Credential::from_values([
        ("accessKeyId".to_owned(), key),
        ("secretAccessKey".to_owned(), wrong.to_owned()),
    ]);
    Rig {
        driver: connect(&connection, &house).await,
        stranger: connect(&strange, &house).await,
        witness: world,
        faults,
        calls,
        recorder,
        secrets: vec![secret, wrong.to_owned()],
        clock,
        pace: SPEED,
    }
}

#[expect(clippy::expect_used, reason = "a test cannot go on without it")]
async fn connect(connection: &ConnectionSpecification, house: &House) -> Arc<dyn Driver> {
    Aws.connect(connection, house).await.expect("a driver")
}
