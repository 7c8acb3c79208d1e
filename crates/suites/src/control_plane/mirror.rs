//! What the cloud's world holds, in a real cluster: nodes that come and go with the machines, Services and Ingresses
//! with balancers, volumes, the cloud's own workloads. And the other way: a Service that a user deletes, whose balancer
//! the cloud takes away first.
//!
//! Brings only what a cloud brings. What Kubernetes' own controllers make of it (pods, replica sets, endpoints, taints,
//! accounts' keys) they make themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;
use std::time::Duration;

use http::{HeaderMap, Method};
use pmks_simulation::kubernetes::{Back, Builtin, ClusterState, Identity, Request};
use serde_json::{Value, json};

use super::api::{Api, Refused};
use super::{Refusals, machines, objects};

/// How often it is looked what happened in the real cluster.
const EVERY: Duration = Duration::from_millis(400);

/// A kind that is brought, in the order in which one needs the other.
struct Kind {
    word: &'static str,
    /// The folder of its group.
    group: &'static str,
    plural: &'static str,
    namespaced: bool,
    /// Whether its status is the cloud's word; others' is their controllers'.
    status: bool,
    /// Whether its finalizers are the cloud's: it goes when its balancer is gone.
    balanced: bool,
}

const fn kind(word: &'static str, group: &'static str, plural: &'static str) -> Kind {
    Kind { word, group, plural, namespaced: true, status: false, balanced: false }
}

const KINDS: [Kind; 9] = [
    Kind { namespaced: false, ..kind("Namespace", "api/v1", "namespaces") },
    Kind { namespaced: false, status: true, ..kind("Node", "api/v1", "nodes") },
    kind("Lease", "apis/coordination.k8s.io/v1", "leases"),
    Kind { status: true, balanced: true, ..kind("Service", "api/v1", "services") },
    Kind { status: true, balanced: true, ..kind("Ingress", "apis/networking.k8s.io/v1", "ingresses") },
    kind("DaemonSet", "apis/apps/v1", "daemonsets"),
    kind("Deployment", "apis/apps/v1", "deployments"),
    Kind { namespaced: false, ..kind("PersistentVolume", "api/v1", "persistentvolumes") },
    kind("PersistentVolumeClaim", "api/v1", "persistentvolumeclaims"),
];

pub(super) struct Mirror {
    api: Api,
    state: ClusterState,
    builtin: Builtin,
    /// What was brought, by its path.
    brought: BTreeMap<String, (&'static Kind, Value)>,
    accounts: BTreeSet<String>,
    refusals: Refusals,
}

impl Mirror {
    pub(super) fn new(api: Api, state: ClusterState, refusals: Refusals) -> Self {
        let builtin = Builtin::new(state.clone());
        let (brought, accounts) = (BTreeMap::new(), BTreeSet::new());
        Self { api, state, builtin, brought, accounts, refusals }
    }

    /// Follows until it is aborted.
    pub(super) async fn run(mut self) {
        let mut changes = self.state.changes();
        loop {
            let version = *changes.borrow_and_update();
            let mut held = objects(&self.state);
            held.retain(|object| !is_own_service(object));
            self.bring(&held).await;
            self.take_away(&held).await;
            self.hear_deletions(&held).await;
            let nodes: Vec<&Value> = held.iter().filter(|object| object["kind"] == "Node").collect();
            machines::follow(&self.api, &nodes, &self.refusals).await;
            if *changes.borrow() == version {
                let _ = tokio::time::timeout(EVERY, changes.changed()).await;
            }
        }
    }

    async fn bring(&mut self, held: &[Value]) {
        for kind in &KINDS {
            for object in held.iter().filter(|object| object["kind"] == kind.word) {
                let (path, wanted) = (path(kind, object), wanted(kind, object));
                let known = self.brought.get(&path).map(|(_, known)| known.clone());
                if known.as_ref() == Some(&wanted) {
                    continue;
                }
                self.account_of(&wanted).await;
                let brought = match known {
                    None => self.create(kind, &path, &wanted).await,
                    Some(known) => self.change(kind, &path, &known, &wanted).await,
                };
                match brought {
                    Ok(()) => drop(self.brought.insert(path, (kind, wanted))),
                    Err(refused) => self.complain(refused),
                }
            }
        }
    }

    /// What the API server makes by itself at its start is there already.
    async fn create(&self, kind: &Kind, path: &str, wanted: &Value) -> Result<(), Refused> {
        let collection = path.rsplit_once('/').map_or(path, |(collection, _)| collection);
        let mut made = wanted.clone();
        if kind.word != "Node" {
            drop(made.as_object_mut().and_then(|made| made.remove("status")));
        }
        match self.api.create(collection, &made).await {
            Err(refused) if refused.status != 409 => return Err(refused),
            _ => {}
        }
        self.change(kind, path, &Value::Null, wanted).await
    }

    async fn change(&self, kind: &Kind, path: &str, known: &Value, wanted: &Value) -> Result<(), Refused> {
        let (mut before, mut after) = (known.clone(), wanted.clone());
        for object in [&mut before, &mut after] {
            drop(object.as_object_mut().and_then(|object| object.remove("status")));
        }
        // At a creation nothing is left to say but the status.
        if before != after && !known.is_null() {
            self.api.patch(path, &difference(&before, &after)).await?;
        }
        if kind.status && known["status"] != wanted["status"] {
            let status = json!({"status": wanted["status"]});
            self.api.patch(&format!("{path}/status"), &status).await?;
        }
        Ok(())
    }

    /// The account in whose name a workload's pods run.
    async fn account_of(&mut self, workload: &Value) {
        let name = workload["spec"]["template"]["spec"]["serviceAccountName"].as_str();
        let (Some(name), Some(namespace)) = (name, workload["metadata"]["namespace"].as_str()) else {
            return;
        };
        let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts");
        if !self.accounts.insert(format!("{path}/{name}")) {
            return;
        }
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}});
        if let Err(refused) = self.api.create(&path, &account).await
            && refused.status != 409
        {
            self.complain(refused);
        }
    }

    async fn take_away(&mut self, held: &[Value]) {
        let stands = |kind: &Kind, wanted: &str| {
            held.iter().any(|object| object["kind"] == kind.word && path(kind, object) == wanted)
        };
        let gone: Vec<(String, &Kind)> = self
            .brought
            .iter()
            .filter(|(path, (kind, _))| !stands(kind, path))
            .map(|(path, (kind, _))| (path.clone(), *kind))
            .collect();
        for (path, kind) in gone {
            let mut done = Ok(());
            if kind.balanced {
                done = self.api.patch(&path, &json!({"metadata": {"finalizers": null}})).await.map(drop);
            }
            if done.is_ok() || done.as_ref().is_err_and(|refused| refused.status == 404) {
                done = self.api.delete(&path).await;
            }
            match done {
                Ok(()) => drop(self.brought.remove(&path)),
                Err(refused) => self.complain(refused),
            }
        }
    }

    /// A user deleted what has a balancer: the same is asked of the content, which tells the cloud.
    async fn hear_deletions(&self, held: &[Value]) {
        for kind in KINDS.iter().filter(|kind| kind.balanced) {
            let Ok(all) = self.api.list(&format!("/{}/{}", kind.group, kind.plural)).await else { continue };
            let deleted = all.iter().filter(|object| object["metadata"]["deletionTimestamp"].is_string());
            for path in deleted.map(|object| path(kind, object)) {
                let marked = |object: &&Value| object["metadata"]["deletionTimestamp"].is_string();
                let same = held.iter().filter(|object| object["kind"] == kind.word);
                let waits =
                    same.filter(|object| !marked(object)).any(|object| self::path(kind, object) == path);
                if waits {
                    self.builtin.serve(deletion(path)).await;
                }
            }
        }
    }

    fn complain(&self, refused: Refused) {
        // What another one changed at the same moment is said again in the next round.
        if refused.status == 409 {
            return;
        }
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        if !refusals.contains(&refused.says) {
            refusals.push(refused.says);
        }
    }
}

/// The API server's own service is the API server's.
fn is_own_service(object: &Value) -> bool {
    let metadata = &object["metadata"];
    object["kind"] == "Service" && metadata["namespace"] == "default" && metadata["name"] == "kubernetes"
}

fn path(kind: &Kind, object: &Value) -> String {
    let text = |key: &str| object["metadata"][key].as_str().unwrap_or_default();
    let namespace =
        if kind.namespaced { format!("namespaces/{}/", text("namespace")) } else { String::new() };
    format!("/{}/{namespace}{}/{}", kind.group, kind.plural, text("name"))
}

/// The object without what the API server and its controllers say themselves.
fn wanted(kind: &Kind, object: &Value) -> Value {
    let mut wanted = object.clone();
    if let Some(metadata) = wanted["metadata"].as_object_mut() {
        let own = ["name", "namespace", "labels", "annotations", "finalizers"];
        metadata.retain(|name, _| own.contains(&name.as_str()));
    }
    if let Some(spec) = wanted["spec"].as_object_mut() {
        // Taints follow from the node's conditions; a claim is bound by its name.
        spec.remove("taints");
        if let Some(claim) = spec.get_mut("claimRef").and_then(Value::as_object_mut) {
            claim.remove("uid");
        }
    }
    if let Some(object) = wanted.as_object_mut()
        && !kind.status
    {
        object.remove("status");
    }
    wanted
}

/// The merge patch that leads from one to the other.
fn difference(before: &Value, after: &Value) -> Value {
    let (Value::Object(old), Value::Object(new)) = (before, after) else { return after.clone() };
    let gone = old.keys().filter(|key| !new.contains_key(*key)).map(|key| (key.clone(), Value::Null));
    let changed = new.iter().filter(|(key, value)| old.get(*key) != Some(value)).map(|(key, value)| {
        (key.clone(), old.get(key).map_or_else(|| value.clone(), |old| difference(old, value)))
    });
    gone.chain(changed).collect::<serde_json::Map<_, _>>().into()
}

fn deletion(path: String) -> Request {
    let identity = Identity { username: "pmks:mirror".into(), administrator: true, ..Identity::default() };
    Request {
        method: Method::DELETE,
        path,
        query: String::new(),
        headers: HeaderMap::new(),
        body: bytes::Bytes::new(),
        identity,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_says_what_changed_and_what_is_gone() {
        let before = json!({"spec": {"a": 1, "b": {"c": 1}, "d": 2}});
        let after = json!({"spec": {"a": 1, "b": {"c": 2}}});
        assert_eq!(difference(&before, &after), json!({"spec": {"b": {"c": 2}, "d": null}}));
    }
}
