//! The objects of one cluster with their resource versions, and the recent changes for watches to replay.
//! Never knows what an object means.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use serde_json::Value;

use crate::kubernetes::resource::Resource;

/// How many changes a watch may lag behind before it must list again.
const KEPT_CHANGES: usize = 250;

/// Where an object lies. The order is that of lists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) plural: &'static str,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Key {
    /// The namespace is ignored for kinds without one.
    pub(crate) fn new(resource: &Resource, namespace: &str, name: &str) -> Self {
        let namespace = if resource.namespaced { namespace } else { "" };
        Self { plural: resource.plural, namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

/// One change of one object.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) version: u64,
    pub(crate) key: Key,
    pub(crate) before: Option<Arc<Value>>,
    /// The object as it is now; of a deleted one its last state, under the version of its deletion.
    pub(crate) object: Arc<Value>,
    pub(crate) deleted: bool,
}

/// All objects of a cluster.
#[derive(Debug)]
pub(crate) struct Store {
    version: u64,
    objects: BTreeMap<Key, Arc<Value>>,
    changes: VecDeque<Change>,
    /// Changes up to this version are forgotten.
    forgotten: u64,
}

impl Store {
    /// An empty store whose next change has the version after this one.
    pub(crate) fn at(version: u64) -> Self {
        Self { version, objects: BTreeMap::new(), changes: VecDeque::new(), forgotten: version }
    }

    /// Puts a stored object back as it was, without a change.
    pub(crate) fn restore(&mut self, key: Key, object: Value) {
        self.objects.insert(key, Arc::new(object));
    }

    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Arc<Value>> {
        self.objects.get(key)
    }

    /// The objects of a kind, of one namespace if one is named, in order.
    pub(crate) fn list<'a>(
        &'a self,
        resource: &Resource,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a Key, &'a Arc<Value>)> {
        let first = Key::new(resource, namespace.unwrap_or_default(), "");
        let plural = resource.plural;
        self.objects
            .range((Bound::Included(first), Bound::Unbounded))
            .take_while(move |(key, _)| key.plural == plural)
            .take_while(move |(key, _)| namespace.is_none_or(|namespace| key.namespace == namespace))
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Value>> {
        self.objects.values()
    }

    /// Stores an object under a new version; one that is as it was changes nothing.
    pub(crate) fn put(&mut self, key: Key, mut object: Value) {
        let before = self.objects.get(&key).cloned();
        if let Some(before) = &before {
            copy_version(before, &mut object);
            if **before == object {
                return;
            }
        }
        self.version += 1;
        set_version(&mut object, self.version);
        let object = Arc::new(object);
        self.objects.insert(key.clone(), Arc::clone(&object));
        self.remember(Change { version: self.version, key, before, object, deleted: false });
    }

    pub(crate) fn remove(&mut self, key: &Key) -> Option<Arc<Value>> {
        let before = self.objects.remove(key)?;
        self.version += 1;
        let mut last = Value::clone(&before);
        set_version(&mut last, self.version);
        let (key, object) = (key.clone(), Arc::new(last));
        self.remember(Change {
            version: self.version,
            key,
            before: Some(before),
            object: Arc::clone(&object),
            deleted: true,
        });
        Some(object)
    }

    /// The changes after a version, oldest first; `None` when some of them are forgotten.
    pub(crate) fn changes_after(&self, version: u64) -> Option<impl Iterator<Item = &Change>> {
        let start = self.changes.partition_point(|change| change.version <= version);
        (version >= self.forgotten).then(|| self.changes.range(start..))
    }

    fn remember(&mut self, change: Change) {
        self.changes.push_back(change);
        if self.changes.len() > KEPT_CHANGES
            && let Some(oldest) = self.changes.pop_front()
        {
            self.forgotten = oldest.version;
        }
    }
}

fn set_version(object: &mut Value, version: u64) {
    object["metadata"]["resourceVersion"] = version.to_string().into();
}

fn copy_version(from: &Value, to: &mut Value) {
    to["metadata"]["resourceVersion"] = from["metadata"]["resourceVersion"].clone();
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kubernetes::resource::{NODES, PODS};

    fn key(name: &str) -> Key {
        Key::new(&NODES, "ignored", name)
    }

    #[test]
    fn every_change_has_its_version_and_none_is_made_of_nothing() {
        let mut store = Store::at(7);
        store.put(key("a"), json!({"metadata": {}, "x": 1}));
        store.put(key("a"), json!({"metadata": {}, "x": 1}));
        assert_eq!(store.version(), 8);
        store.put(key("a"), json!({"metadata": {}, "x": 2}));
        store.remove(&key("a"));
        let seen: Vec<_> =
            store.changes_after(8).unwrap().map(|change| (change.version, change.deleted)).collect();
        assert_eq!(seen, [(9, false), (10, true)]);
        assert!(store.changes_after(6).is_none(), "what was before the store is not known");
        assert!(store.remove(&key("a")).is_none());
    }

    #[test]
    fn lists_keep_to_their_kind_and_namespace() {
        let mut store = Store::at(0);
        for (namespace, name) in [("a", "1"), ("ab", "1"), ("a", "2"), ("b", "1")] {
            store.put(Key::new(&PODS, namespace, name), json!({"metadata": {}}));
        }
        store.put(key("n"), json!({"metadata": {}}));
        let names = |namespace| store.list(&PODS, namespace).count();
        assert_eq!((names(None), names(Some("a")), names(Some("c"))), (4, 2, 0));
    }

    #[test]
    fn forgets_the_oldest_changes() {
        let mut store = Store::at(0);
        for number in 0..=KEPT_CHANGES {
            store.put(key("a"), json!({"metadata": {}, "number": number}));
        }
        assert!(store.changes_after(0).is_none());
        assert_eq!(store.changes_after(1).unwrap().count(), KEPT_CHANGES);
    }
}
