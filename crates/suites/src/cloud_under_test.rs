//! What the suites must know of one cloud: its provider, its simulated world, the world's words. Decides nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use pmks_driver::{Credential, Provider};
use pmks_model::{OperationKind, ResourceKind};
use pmks_simulation::{Cloud, Effect, Resource, Rule, TimeSource};
use serde_json::{Map, Value, json};

use crate::schema_gate::Contract;

/// How a simulated world begins.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Decides every identifier.
    pub seed: u64,
    /// How many times faster than the real cloud work goes.
    pub speed: f64,
    /// The raw clocks: the process's, or a test's.
    pub time: Arc<dyn TimeSource>,
}

/// A provider with its simulated cloud.
pub trait CloudUnderTest: Send + Sync {
    /// The provider.
    fn provider(&self) -> Arc<dyn Provider>;

    /// A fresh world.
    fn cloud(&self, settings: Settings) -> Arc<dyn Cloud>;

    /// What its vendor publishes of its API, which all that is exchanged with a simulated world is held against: in a build
    /// with the suites that run software of others. `None`: nothing, or no such build.
    fn contract(&self) -> Option<Contract> {
        None
    }

    /// The kinds of the driver's stages (`pmks_NAME::stage_kinds`).
    fn stage_kinds(&self) -> Vec<&'static str>;

    // What the ground truth calls things

    /// The world's word for what pmks keeps records of; `None` where no row of the world is one.
    fn word(&self, kind: ResourceKind) -> Option<&'static str>;

    /// The world's word for a node.
    fn node_word(&self) -> &'static str;

    /// Whether a row is there from the beginning, or stays once the account's prerequisites are made.
    fn stays(&self, row: &Resource) -> bool;

    /// How the driver calls what a row is.
    fn id(&self, row: &Resource) -> String {
        row.id.clone()
    }

    /// The kinds of records whose rows carry no mark as a tag.
    fn unmarked(&self) -> &'static [ResourceKind] {
        &[]
    }

    /// The kinds of rows whose names the cloud makes up by itself, another one each time.
    fn random_names(&self) -> &'static [&'static str] {
        &[]
    }

    // Connections

    /// The settings that a connection to the simulated cloud needs.
    fn settings(&self) -> BTreeMap<String, Value> {
        BTreeMap::new()
    }

    /// A credential of the same form that the cloud does not accept. By default its secrets are other ones, of the
    /// same length and letters.
    fn wrong_credential(&self, right: &Credential) -> Credential {
        let secret = secret_fields(self.provider().as_ref(), right);
        let value = |name: &str| {
            let value = right.get(name).unwrap_or_default();
            if secret.iter().any(|field| field == name) { other_letters(value) } else { value.to_owned() }
        };
        Credential::from_values(right.fields().into_iter().map(|name| (name.to_owned(), value(name))))
    }

    /// The texts in a credential that must never be seen. By default the values of its secret fields.
    fn secrets(&self, credential: &Credential) -> Vec<String> {
        let fields = secret_fields(self.provider().as_ref(), credential);
        fields.iter().filter_map(|field| credential.get(field).map(str::to_owned)).collect()
    }

    /// Whether the offered credential is exchanged for tokens; otherwise it signs every call by itself.
    fn signs_in(&self) -> bool {
        true
    }

    // What the simulated cloud is told

    /// The rule that lets the next cluster or node group that is asked for end as failed. `None`: the cloud ends none
    /// as failed.
    fn fails_next(&self, kind: ResourceKind) -> Option<Rule>;

    /// The rule that lets the next change of that kind, of something that exists, end as failed. `None`: the cloud ends
    /// none as failed.
    fn fails_next_change(&self, _kind: OperationKind) -> Option<Rule> {
        None
    }

    /// How a service refuses a change of what is busy with another. `None`: nothing of it is ever busy.
    fn busy(&self, _service: &str) -> Option<Effect> {
        None
    }

    /// Whether a client can tell, of what such a record is about, that a stranger's of the same name and without our marks
    /// stands in its place: by an identifier of its own and, where somebody puts it there just before a call that changes
    /// something (its service and name), by what that call carries. Where not, the cloud's guide page says so.
    fn tells_strangers(&self, _kind: ResourceKind, _just_before_change: Option<&str>) -> bool {
        true
    }

    /// The events that take the account's prerequisites away. `None`: they lack at the beginning, or there are none.
    fn without_prerequisites(&self) -> Option<Vec<Value>> {
        None
    }

    /// Whether a deletion asks the cluster itself what its workloads brought about. Elsewhere the cloud tells all of it.
    fn asks_clusters(&self) -> bool {
        true
    }

    /// Whether the kill and fault matrices try that kind of operation also in a run that is not long.
    fn is_tried_shortly(&self, _kind: OperationKind) -> bool {
        true
    }

    /// The kinds of load balancers that the event `controllerMakesLoadBalancer` knows; empty: it takes none.
    fn load_balancers(&self) -> &'static [&'static str] {
        &[]
    }

    /// What the event `showsOver` shows over a cluster so that its status is another word; without one, what takes that
    /// away again.
    fn status_members(&self, word: Option<&str>) -> Value {
        json!({"status": word})
    }

    /// How the driver calls the volume that the event `controllerMakesVolume` answers.
    fn volume(&self, made: &Value) -> Option<String> {
        made.get("volumeId").and_then(Value::as_str).map(str::to_owned)
    }

    // What the scenes of the kill matrix ask for, beside what the capabilities say

    /// Members of the request of a cluster that lead through stages which no plain cluster has, as `options`.
    fn cluster_members(&self) -> Map<String, Value> {
        Map::new()
    }

    /// The same of a node group that is added.
    fn node_group_members(&self) -> Map<String, Value> {
        Map::new()
    }

    /// Members of the patch of a cluster beside its tags.
    fn patch_members(&self) -> Map<String, Value> {
        Map::new()
    }

    /// By kind of row, how many more there are after the scene of an operation, complete. `None`: only what pmks keeps
    /// records of and nodes are counted, and the rest is as an undisturbed run left it. What an operation removes needs
    /// no table: all is then as it was before it was made.
    fn change(&self, _kind: OperationKind) -> Option<&'static [(&'static str, i64)]> {
        None
    }

    /// The calls that change something, by action, which the scene of an operation takes: as few as the API allows, or
    /// with the reason beside it.
    fn least_changes(&self, kind: OperationKind) -> &'static [(&'static str, usize)];
}

fn secret_fields(provider: &dyn Provider, credential: &Credential) -> Vec<String> {
    let form = credential.form(provider.capabilities().credential_forms).expect("a form of the provider");
    let fields = form.into_iter().flat_map(|form| form.fields);
    fields.filter(|field| field.secret).map(|field| field.name.to_owned()).collect()
}

/// Every letter and digit is the next one.
fn other_letters(text: &str) -> String {
    let next = |letter: char| match letter {
        'z' => 'a',
        'Z' => 'A',
        '9' => '0',
        'a'..='y' | 'A'..='Y' | '0'..='8' => char::from_u32(u32::from(letter) + 1).unwrap_or(letter),
        other => other,
    };
    text.chars().map(next).collect()
}
