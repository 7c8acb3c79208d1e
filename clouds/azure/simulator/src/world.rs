//! The whole state of a simulated Azure: the directory with those who may log in, and subscriptions with what is in them.
//!
//! Plain data that can be cloned and written as JSON; what is pending is an [`Operation`], settled when somebody looks.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use jiff::Timestamp;
use pmks_simulation::kubernetes::AuthoritySnapshot;
use pmks_simulation::{Now, Random, Resource};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::arm;
use crate::container_service::{self, Cluster};
use crate::entra::{self, Directory};
use crate::json;
use crate::operations::{self, Operation};

/// Everything.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct World {
    /// Where identifiers come from.
    pub(crate) random: Random,
    /// Who may log in, and what signs their tokens.
    pub(crate) directory: Directory,
    /// The authority behind HTTPS; none where no key could be made.
    pub(crate) authority: Option<AuthoritySnapshot>,
    /// Subscriptions by id.
    pub(crate) subscriptions: BTreeMap<String, Subscription>,
}

/// One subscription.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Subscription {
    /// Its id.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// The directory that it was moved to; none: its first one.
    #[serde(default)]
    pub(crate) moved_to: Option<String>,
    /// Providers by namespace in lower case: registered, or when that will be.
    pub(crate) registrations: BTreeMap<String, Registration>,
    /// Resource groups by name in lower case.
    pub(crate) groups: BTreeMap<String, Group>,
    /// Role assignments by id in lower case.
    pub(crate) assignments: BTreeMap<String, Assignment>,
    /// Resources without a state of their own kind, by id in lower case.
    pub(crate) documents: BTreeMap<String, Document>,
    /// Clusters by id in lower case.
    pub(crate) clusters: BTreeMap<String, Cluster>,
    /// Pending and ended work, by id.
    pub(crate) operations: BTreeMap<String, Operation>,
}

/// Whether a provider is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Registration {
    /// It is.
    Registered,
    /// It will be when that much work is done.
    Registering(Duration),
    /// It is not.
    NotRegistered,
}

/// A resource group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Group {
    /// As it was written at creation.
    pub(crate) name: String,
    /// Its region.
    pub(crate) location: String,
    /// Its tags.
    pub(crate) tags: Value,
    /// The cluster whose machines are in it.
    pub(crate) managed_by: Option<String>,
    /// `Succeeded` or `Deleting`.
    pub(crate) state: String,
    /// When it was made.
    pub(crate) created: Timestamp,
}

/// A role that somebody has.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Assignment {
    /// The whole id.
    pub(crate) id: String,
    /// Where it counts.
    pub(crate) scope: String,
    /// The role definition's id.
    pub(crate) role: String,
    /// Who has it.
    pub(crate) principal: String,
    /// What the principal is.
    pub(crate) principal_type: String,
    /// When it was made.
    pub(crate) created: Timestamp,
}

/// A resource whose content is what was asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Document {
    /// The whole id.
    pub(crate) id: String,
    /// `Microsoft.Network/virtualNetworks`.
    pub(crate) kind: String,
    /// Location, tags, properties and whatever else was asked for, without id, name, type, etag and state.
    pub(crate) body: Value,
    /// The provisioning state.
    pub(crate) state: String,
    /// Its entity tag; empty where the kind has none.
    pub(crate) etag: String,
    /// When it was made.
    pub(crate) created: Timestamp,
}

impl Document {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        arm::last(&self.id)
    }

    /// As the API shows it.
    pub(crate) fn show(&self) -> Value {
        let mut shown = self.body.clone();
        json::extend(&mut shown, json!({"id": self.id, "name": self.name(), "type": self.kind}));
        if !self.etag.is_empty() {
            json::set(&mut shown, "etag", format!("W/\"{}\"", self.etag));
        }
        if !self.state.is_empty() {
            json::set_default(&mut shown, "properties", json!({}));
            if let Some(properties) = shown.get_mut("properties") {
                json::set(properties, "provisioningState", self.state.as_str());
            }
        }
        shown
    }
}

impl Subscription {
    /// Whether a provider may be used.
    pub(crate) fn is_registered(&self, namespace: &str) -> bool {
        let known = self.registrations.get(&namespace.to_ascii_lowercase());
        known.is_some_and(|known| *known == Registration::Registered)
    }
}

static NONE: LazyLock<Subscription> = LazyLock::new(Subscription::default);

impl World {
    /// A world with one subscription, whose owner is the application that the directory makes.
    pub(crate) fn new(seed: u64, keys: entra::Keys, authority: Option<AuthoritySnapshot>) -> Self {
        let mut random = Random::new(seed);
        let directory = Directory::new(&mut random, keys);
        let id = random.uuid();
        let registrations = ["microsoft.authorization", "microsoft.resources"];
        let registrations = registrations.map(|name| (name.to_owned(), Registration::Registered));
        let subscription = Subscription {
            id: id.clone(),
            name: "Simulated subscription".to_owned(),
            registrations: registrations.into(),
            ..Subscription::default()
        };
        Self { random, directory, authority, subscriptions: BTreeMap::from([(id, subscription)]) }
    }

    /// The subscription of this id; an empty one where there is none.
    pub(crate) fn subscription(&self, id: &str) -> &Subscription {
        self.subscriptions.get(&id.to_ascii_lowercase()).unwrap_or(&NONE)
    }

    /// The same, to change.
    pub(crate) fn subscription_mut(&mut self, id: &str) -> &mut Subscription {
        self.subscriptions.entry(id.to_ascii_lowercase()).or_default()
    }

    /// The event `{"type":"credentialsMove"}`: subscriptions belong to another directory from now on, in which the
    /// applications are known too, or to their first one again.
    ///
    /// Source: <https://learn.microsoft.com/azure/role-based-access-control/transfer-subscription>.
    pub(crate) fn move_subscriptions(&mut self) -> Value {
        let other = self.random.uuid();
        for subscription in self.subscriptions.values_mut() {
            subscription.moved_to = if subscription.moved_to.is_some() { None } else { Some(other.clone()) };
        }
        json!({"tenant": self.subscriptions.values().find_map(|subscription| subscription.moved_to.clone())})
    }

    /// Ground truth.
    pub(crate) fn resources(&self) -> Vec<Resource> {
        let mut rows = self.directory.resources();
        for subscription in self.subscriptions.values() {
            rows.extend(subscription_rows(subscription));
            rows.extend(subscription.clusters.values().flat_map(container_service::resources));
        }
        rows
    }
}

impl pmks_simulation::World for World {
    const SNAPSHOT_VERSION: u32 = 1;

    fn settle_at(&mut self, now: Now) {
        let ids: Vec<String> = self.subscriptions.keys().cloned().collect();
        for id in ids {
            for registration in self.subscription_mut(&id).registrations.values_mut() {
                if matches!(registration, Registration::Registering(due) if *due <= now.work) {
                    *registration = Registration::Registered;
                }
            }
            operations::settle(self, &id, now);
        }
    }

    fn next_due(&self) -> Option<Duration> {
        let of_subscription = |subscription: &Subscription| {
            let registering = subscription.registrations.values().filter_map(|known| match known {
                Registration::Registering(due) => Some(*due),
                _ => None,
            });
            registering.chain(operations::next_due(subscription)).min()
        };
        self.subscriptions.values().filter_map(of_subscription).min()
    }
}

fn subscription_rows(subscription: &Subscription) -> Vec<Resource> {
    let groups = subscription.groups.values().map(|group| {
        let id = format!("/subscriptions/{}/resourceGroups/{}", subscription.id, group.name);
        let row = Resource::new("resourceGroup", &id, &group.state, group.created).named(&group.name);
        row.tagged(&tags(&group.tags)).with("managedBy", group.managed_by.clone())
    });
    let documents = subscription.documents.values().map(|document| {
        let state = if document.state.is_empty() { "Succeeded" } else { &document.state };
        let row = Resource::new(&word(&document.kind), &document.id, state, document.created);
        row.named(document.name()).tagged(&tags(json::at(&document.body, "tags")))
    });
    let assignments = subscription.assignments.values().map(|assignment| {
        let row = Resource::new("roleAssignment", &assignment.id, "Succeeded", assignment.created);
        row.with("scope", &*assignment.scope)
            .with("principal", &*assignment.principal)
            .with("role", &*assignment.role)
    });
    groups
        .chain(documents)
        .chain(assignments)
        .map(|row| row.with("subscription", &*subscription.id))
        .collect()
}

/// `Microsoft.Network/virtualNetworks` is a `virtualNetwork`.
fn word(kind: &str) -> String {
    let last = arm::last(kind);
    match last {
        "publicIPAddresses" => "publicIPAddress".to_owned(),
        "userAssignedIdentities" => "userAssignedIdentity".to_owned(),
        last => last.trim_end_matches('s').to_owned(),
    }
}

/// Tags as ground truth has them.
pub(crate) fn tags(tags: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().map(str::to_owned).unwrap_or_default();
    json::members(tags).iter().map(|(name, value)| (name.clone(), text(value))).collect()
}
