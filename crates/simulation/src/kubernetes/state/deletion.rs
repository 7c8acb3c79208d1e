//! Deletion of Services and Ingresses: marked, told to the cloud, and gone when the cloud says that the balancer is.
//! Never removes an object whose finalizer the cloud still holds.

use std::sync::{Arc, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::store::Key;
use super::{ClusterState, World, timestamp};
use crate::kubernetes::resource::{INGRESSES, Resource, SERVICES};

/// Something with a balancer that a user of the cluster deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deletion {
    /// `Service` or `Ingress`.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid: another object of the same name is not meant.
    pub uid: String,
    /// The hostname or IP address of its balancer, as the cloud gave it.
    pub address: String,
}

/// What the cloud answers when it hears of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// The balancer is gone; the object goes too.
    Done,
    /// The balancer takes its time; the object stays, marked, until [`ClusterState::finish_removal`].
    Pending,
}

pub(super) type Hook = Arc<dyn Fn(&Deletion) -> Removal + Send + Sync>;

impl ClusterState {
    /// Sets what hears that a Service or Ingress with a balancer was deleted. It is called once per deletion, outside
    /// the state's lock, and here at once for those that were pending before (after a restart). Without it, objects
    /// go at once.
    pub fn on_delete(&self, hook: impl Fn(&Deletion) -> Removal + Send + Sync + 'static) {
        let hook: Hook = Arc::new(hook);
        *self.shared.hook.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&hook));
        for deletion in self.read(World::pending_deletions) {
            self.tell(&hook, &deletion);
        }
    }

    /// Says that the balancer of a deleted object is gone: the object goes too. Nothing happens if it is gone already
    /// or is another one.
    pub fn finish_removal(&self, deletion: &Deletion) {
        self.change(|world, _| world.finish_removal(deletion));
    }

    /// Deletes an object as its user asks, if `allowed` finds nothing against it, and tells the cloud. `None`: there is
    /// no such object.
    pub(crate) fn delete<Refused>(
        &self,
        key: &Key,
        allowed: impl FnOnce(&Value) -> Result<(), Refused>,
    ) -> Result<Option<Arc<Value>>, Refused> {
        let begun = self.change(|world, now| match world.store.get(key) {
            Some(known) => allowed(known).map(|()| world.begin_removal(key, now)),
            None => Ok(None),
        })?;
        let Some((object, deletion)) = begun else { return Ok(None) };
        if let Some(deletion) = deletion {
            let hook = self.shared.hook.lock().unwrap_or_else(PoisonError::into_inner).clone();
            match hook {
                Some(hook) => self.tell(&hook, &deletion),
                None => self.finish_removal(&deletion),
            }
        }
        Ok(Some(object))
    }

    fn tell(&self, hook: &Hook, deletion: &Deletion) {
        if hook(deletion) == Removal::Done {
            self.finish_removal(deletion);
        }
    }
}

impl World {
    /// Marks or removes; answers the object, and what the cloud has to be told.
    fn begin_removal(&mut self, key: &Key, now: Timestamp) -> Option<(Arc<Value>, Option<Deletion>)> {
        let known = Arc::clone(self.store.get(key)?);
        if !has_finalizer(&known) {
            return self.store.remove(key).map(|object| (object, None));
        }
        if known["metadata"]["deletionTimestamp"].is_string() {
            return Some((known, None));
        }
        let mut marked = Value::clone(&known);
        marked["metadata"]["deletionTimestamp"] = timestamp(now).into();
        marked["metadata"]["deletionGracePeriodSeconds"] = 0.into();
        self.store.put(key.clone(), marked);
        let deletion = deletion_of(&known);
        self.store.get(key).map(|object| (Arc::clone(object), Some(deletion)))
    }

    fn pending_deletions(&self) -> Vec<Deletion> {
        let all = self.store.list(&SERVICES, None).chain(self.store.list(&INGRESSES, None));
        all.filter(|(_, object)| object["metadata"]["deletionTimestamp"].is_string())
            .map(|(_, object)| deletion_of(object))
            .collect()
    }

    fn finish_removal(&mut self, deletion: &Deletion) {
        let resource: &Resource = if deletion.kind == INGRESSES.kind { &INGRESSES } else { &SERVICES };
        let key = Key::new(resource, &deletion.namespace, &deletion.name);
        let same = |object: &Value| object["metadata"]["uid"] == deletion.uid.as_str();
        if self.store.get(&key).is_some_and(|object| same(object)) {
            self.store.remove(&key);
        }
    }
}

fn has_finalizer(object: &Value) -> bool {
    object["metadata"]["finalizers"].as_array().is_some_and(|all| !all.is_empty())
}

fn deletion_of(object: &Value) -> Deletion {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (metadata, entrance) = (&object["metadata"], &object["status"]["loadBalancer"]["ingress"][0]);
    Deletion {
        kind: text(&object["kind"]),
        namespace: text(&metadata["namespace"]),
        name: text(&metadata["name"]),
        uid: text(&metadata["uid"]),
        address: entrance["hostname"].as_str().or(entrance["ip"].as_str()).unwrap_or_default().to_owned(),
    }
}
