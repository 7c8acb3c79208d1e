//! A world that is kept by what changes in it: writing it whole for each answer would cost more the more it holds.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// One member of a world's JSON that is another one than it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The keys that lead to it, from the outermost object.
    at: Vec<String>,
    /// What it is now; nothing where it is gone.
    is: Option<Value>,
}

impl Change {
    /// Puts it into the JSON of a world that lacks it. Put in twice it is as put in once.
    pub fn put_into(self, world: &mut Value) {
        let Some((last, path)) = self.at.split_last() else { return };
        let holder =
            path.iter().fold(world, |holder, key| members(holder).entry(&**key).or_insert(Value::Null));
        match self.is {
            Some(is) => drop(members(holder).insert(last.clone(), is)),
            None => drop(members(holder).remove(last)),
        }
    }
}

fn members(holder: &mut Value) -> &mut Map<String, Value> {
    if !holder.is_object() {
        *holder = Value::Object(Map::new());
    }
    match holder {
        Value::Object(members) => members,
        _ => unreachable!("it was made an object"),
    }
}

/// What has changed in a world, as it is found.
#[derive(Debug, Default)]
pub struct Changes {
    found: Vec<Change>,
    within: Vec<String>,
    damaged: bool,
}

impl Changes {
    /// The changes of what lies under that key.
    pub fn within(&mut self, key: &str, look: impl FnOnce(&mut Self)) {
        self.within.push(key.to_owned());
        look(self);
        self.within.pop();
    }

    /// That member is this now.
    pub fn is(&mut self, key: &str, value: &impl Serialize) {
        match serde_json::to_value(value) {
            Ok(value) => self.note(key, Some(value)),
            Err(_) => self.damaged = true,
        }
    }

    /// The entries of a map that are others than they were, by `same`.
    pub fn entries<V: Serialize>(
        &mut self,
        key: &str,
        now: &BTreeMap<String, V>,
        before: &BTreeMap<String, V>,
        same: impl Fn(&V, &V) -> bool,
    ) {
        self.within(key, |changes| {
            for (name, value) in now {
                if !before.get(name).is_some_and(|known| same(known, value)) {
                    changes.is(name, value);
                }
            }
            for name in before.keys().filter(|name| !now.contains_key(*name)) {
                changes.note(name, None);
            }
        });
    }

    /// All of them; `None` where something cannot be written.
    pub fn found(self) -> Option<Vec<Change>> {
        (!self.damaged).then_some(self.found)
    }

    fn note(&mut self, key: &str, is: Option<Value>) {
        let at = self.within.iter().cloned().chain([key.to_owned()]).collect();
        self.found.push(Change { at, is });
    }
}

/// A part of a world that copies of the world share until one of them changes it.
#[derive(Clone, Debug)]
pub struct Shared<T>(Arc<T>);

impl<T> Shared<T> {
    /// That part.
    pub fn new(part: T) -> Self {
        Self(Arc::new(part))
    }

    /// Whether nobody changed the one since it was copied from the other.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

impl<T: Serialize> Serialize for Shared<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Shared<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_changed_makes_the_one_of_the_other() {
        let map = |entries: &[(&str, u8)]| -> BTreeMap<String, Shared<u8>> {
            entries.iter().map(|(key, value)| ((*key).to_owned(), Shared::new(*value))).collect()
        };
        let before = map(&[("kept", 1), ("raised", 1), ("gone", 1)]);
        let mut now = before.clone();
        now.remove("gone");
        now.insert("new".to_owned(), Shared::new(3));
        *now.get_mut("raised").unwrap().deref_mut() = 2;
        assert_eq!(*before["raised"], 1);
        let mut changes = Changes::default();
        changes.within("a", |changes| changes.entries("b", &now, &before, Shared::is_same));
        changes.is("count", &7);
        let found = changes.found().unwrap();
        assert_eq!(found.len(), 4, "{found:?}");
        let mut world = json!({"a": {"b": before}});
        for change in found.iter().chain(&found) {
            let written = serde_json::to_string(change).unwrap();
            serde_json::from_str::<Change>(&written).unwrap().put_into(&mut world);
        }
        assert_eq!(world, json!({"a": {"b": {"kept": 1, "raised": 2, "new": 3}}, "count": 7}));
    }
}
