//! A simulated cloud on a port of its own, which is also the witness of what exists there.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use pmks_conformance::{Deed, Thing, Witness};
use pmks_driver::ConnectionSpecification;
use pmks_model::ResourceKind;
use pmks_simulation::{Cloud, SystemTime, ready_file};
use serde_json::{Value, json};

use crate::world::World;
use crate::{CloudUnderTest, Settings};

/// How much faster than the real cloud the world works: what takes ten minutes is there in a fifth of a second.
pub(crate) const SPEED: u32 = 3000;

/// A member that no vendor's document knows.
const UNKNOWN: &str = "pmksUnknown";

/// A simulated cloud in this process.
pub struct SimulatedCloud {
    /// The world.
    pub cloud: Arc<dyn Cloud>,
    under_test: &'static dyn CloudUnderTest,
    world: World,
    speed: u32,
}

impl SimulatedCloud {
    /// Starts one.
    pub async fn start(under_test: &'static dyn CloudUnderTest) -> Self {
        Self::start_as(under_test, SPEED, |cloud| cloud).await
    }

    /// Starts one that works so many times faster than the real cloud, with something before the world.
    pub(crate) async fn start_as(
        under_test: &'static dyn CloudUnderTest,
        speed: u32,
        before: impl FnOnce(Arc<dyn Cloud>) -> Arc<dyn Cloud>,
    ) -> Self {
        let settings = Settings { seed: 1, speed: f64::from(speed), time: Arc::new(SystemTime::new()) };
        let world = World::start(under_test, settings, before).await;
        Self { cloud: world.cloud(), under_test, world, speed }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        self.world.url()
    }

    /// The content of the ready file.
    pub fn ready_file(&self) -> String {
        ready_file(&[(self.cloud.as_ref(), self.world.running())]).to_string()
    }

    /// The connection that it offers, under a name.
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
            settings: self.under_test.settings(),
            pace: self.speed,
        }
    }

    /// Everything that exists, but for what stays.
    pub fn rows(&self) -> Vec<pmks_simulation::Resource> {
        self.cloud.resources().into_iter().filter(|row| !self.under_test.stays(row)).collect()
    }

    /// From here on it is told to say what no document knows, and a client may bring that back: it is held against none.
    fn says_what_none_says(&self) {
        self.cloud.controls().exchanges.leave_off();
    }

    /// Lets something happen in the world.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn event(&self, event: &Value) -> Result<Value, String> {
        self.cloud.event(event).map_err(|error| error.to_string())
    }
}

#[async_trait]
impl Witness for SimulatedCloud {
    async fn things(&self) -> Vec<Thing> {
        let thing = |row: pmks_simulation::Resource| Thing {
            id: self.under_test.id(&row),
            kind: row.kind,
            name: row.name.unwrap_or_default(),
        };
        self.rows().into_iter().map(thing).collect()
    }

    fn can(&self, deed: Deed) -> Result<(), String> {
        match deed {
            Deed::TakePrerequisites if self.under_test.without_prerequisites().is_none() => {
                Err("nothing takes this cloud's prerequisites away".to_owned())
            }
            Deed::FailNext(kind) if self.under_test.fails_next(kind).is_none() => {
                Err(format!("this cloud ends no {} as failed", kind.says()))
            }
            Deed::EndTokens if !self.under_test.signs_in() => {
                Err("the credential signs every call by itself: there are no tokens".to_owned())
            }
            _ => Ok(()),
        }
    }

    async fn without_prerequisites(&self) -> Result<(), String> {
        let events = self.under_test.without_prerequisites();
        events.iter().flatten().try_for_each(|event| self.event(event).map(drop))
    }

    async fn multiply(&self, cluster: &str, clusters: usize, node_groups: usize) -> Result<(), String> {
        self.event(&json!({
            "type": "clustersAreCopied", "cluster": cluster, "clusters": clusters, "nodeGroups": node_groups,
        }))
        .map(drop)
    }

    async fn fail_next(&self, kind: ResourceKind) -> Result<(), String> {
        if let Some(rule) = self.under_test.fails_next(kind) {
            self.cloud.controls().faults.add(rule);
        }
        self.can(Deed::FailNext(kind))
    }

    async fn say_status(&self, cluster: &str, word: Option<&str>) -> Result<(), String> {
        self.says_what_none_says();
        let members = self.under_test.status_members(word);
        self.event(&json!({"type": "showsOver", "cluster": cluster, "members": members})).map(drop)
    }

    async fn add_unknown(&self, cluster: &str) -> Result<(), String> {
        self.says_what_none_says();
        let unknown = json!({UNKNOWN: {"since": "tomorrow"}});
        let event =
            json!({"type": "showsOver", "cluster": cluster, "members": unknown, "nodeGroups": unknown});
        self.event(&event).map(drop)
    }

    async fn keeps_unknown(&self, cluster: &str) -> Result<bool, String> {
        let shown = self.event(&json!({"type": "showsOver", "cluster": cluster}))?;
        let keeps = |over: &Value| over.get(UNKNOWN).is_some();
        let groups = shown.get("nodeGroups").and_then(Value::as_array).cloned().unwrap_or_default();
        Ok(shown.get("cluster").is_some_and(keeps) && !groups.is_empty() && groups.iter().all(keeps))
    }

    async fn move_credential(&self) -> Result<(), String> {
        self.event(&json!({"type": "credentialsMove"})).map(drop)
    }

    async fn end_tokens(&self) -> Result<(), String> {
        self.event(&json!({"type": "tokensExpire"})).map(drop)
    }

    async fn make_volume(&self, cluster: &str) -> Result<String, String> {
        let made = self.event(&json!({"type": "controllerMakesVolume", "cluster": cluster}))?;
        self.under_test.volume(&made).ok_or_else(|| format!("no volume: {made}"))
    }

    async fn divide(&self, cluster: &str) -> Result<(), String> {
        self.event(&json!({"type": "copiesVanish", "cluster": cluster})).map(drop)
    }
}
