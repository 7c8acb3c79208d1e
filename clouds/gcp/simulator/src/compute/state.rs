//! What the simulated Compute Engine holds for one project. Data, and small questions about it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use pmks_simulation::Random;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::collections::collection;
use super::machines::{Group, Instance};
use super::operations::Operation;

/// Where every link begins.
const ORIGIN: &str = "https://www.googleapis.com/compute/v1/";

/// All of Compute Engine in one project.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    /// Everything but machines and their groups, by [`key`].
    pub(crate) resources: BTreeMap<String, Stored>,
    /// Managed instance groups, by zone and name.
    pub(crate) groups: BTreeMap<String, Group>,
    /// Machines, by zone and name.
    pub(crate) instances: BTreeMap<String, Instance>,
    /// Operations by name.
    pub(crate) operations: BTreeMap<String, Operation>,
    /// What was asked with a request id: the call and the operation that it began.
    pub(crate) requests: BTreeMap<String, (String, String)>,
    /// What all machines share, by key, and how often it was changed.
    #[serde(default)]
    pub(crate) metadata: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) metadata_revision: u64,
    /// Limits that differ from the defaults, by region (or `global`) and metric.
    pub(crate) limits: BTreeMap<String, f64>,
}

/// One resource.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Stored {
    /// Its collection as paths name it (`networks`).
    pub(crate) collection: String,
    /// `global`, `regions/…` or `zones/…`.
    pub(crate) scope: String,
    pub(crate) name: String,
    /// Its number.
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    /// What it says beside that.
    pub(crate) body: Map<String, Value>,
    /// Counts its changes; fingerprints are made of it.
    pub(crate) revision: u64,
    /// The operation that makes or removes it.
    pub(crate) busy: Option<String>,
}

impl Stored {
    /// A new one.
    pub(crate) fn new(
        collection: &str,
        scope: &str,
        name: &str,
        body: Value,
        random: &mut Random,
        created: Timestamp,
    ) -> Self {
        let body = match body {
            Value::Object(body) => body,
            _ => Map::new(),
        };
        let (collection, scope, name) = (collection.to_owned(), scope.to_owned(), name.to_owned());
        Self { collection, scope, name, id: number(random), created, body, revision: 0, busy: None }
    }

    /// `projects/…/global/networks/…`.
    pub(crate) fn path(&self, project: &str) -> String {
        path(project, &self.scope, &self.collection, &self.name)
    }

    /// The key under which it is held.
    pub(crate) fn key(&self) -> String {
        key(&self.collection, &self.scope, &self.name)
    }

    /// A text of its body.
    pub(crate) fn text(&self, field: &str) -> &str {
        self.body.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    /// What identifies its present state.
    pub(crate) fn fingerprint(&self) -> String {
        fingerprint(&self.id, self.revision)
    }

    /// It as the API shows it.
    pub(crate) fn view(&self, project: &str) -> Value {
        let known = collection(&self.collection);
        let mut shown = self.body.clone();
        shown.remove(super::balancers::OWNER);
        let mut put = |key: &str, value: Value| shown.insert(key.to_owned(), value);
        put("kind", known.map_or("", |known| known.kind).into());
        put("id", self.id.as_str().into());
        put("name", self.name.as_str().into());
        put("creationTimestamp", time(self.created).into());
        put("selfLink", link(&self.path(project)).into());
        match self.scope.split_once('/') {
            Some(("regions", region)) => {
                put("region", link(&format!("projects/{project}/regions/{region}")).into())
            }
            Some(("zones", zone)) => put("zone", link(&format!("projects/{project}/zones/{zone}")).into()),
            _ => None,
        };
        if let Some(field) = known.and_then(|known| known.fingerprint) {
            put(field, self.fingerprint().into());
        }
        json!(shown)
    }
}

/// The key of a resource.
pub(crate) fn key(collection: &str, scope: &str, name: &str) -> String {
    format!("{collection}|{scope}|{name}")
}

/// `projects/…/SCOPE/COLLECTION/NAME`.
pub(crate) fn path(project: &str, scope: &str, collection: &str, name: &str) -> String {
    format!("projects/{project}/{scope}/{collection}/{name}")
}

/// The link of a path.
pub(crate) fn link(path: &str) -> String {
    format!("{ORIGIN}{path}")
}

/// A number as Compute Engine gives to everything.
pub(crate) fn number(random: &mut Random) -> String {
    format!("{}{}", 1 + random.below(8), random.digits(18))
}

/// A fingerprint of a revision: eight bytes in base64.
pub(crate) fn fingerprint(id: &str, revision: u64) -> String {
    let mut random =
        Random::new(id.bytes().map(u64::from).fold(revision, |sum, byte| sum.wrapping_mul(31) + byte));
    STANDARD.encode(random.next_u64().to_be_bytes())
}

/// Compute Engine writes California's time.
pub(crate) fn time(at: Timestamp) -> String {
    let there = at.checked_sub(SignedDuration::from_hours(8)).unwrap_or(at);
    there.strftime("%Y-%m-%dT%H:%M:%S.%3f-08:00").to_string()
}
