//! Key pairs. Google has none: the public half is an item of the project's metadata, which by its name lets nobody in
//! anywhere, and is put into the nodes' own metadata where a node group names it. Never writes.
//!
//! Source: <https://cloud.google.com/compute/docs/connect/add-ssh-keys#metadata>

use std::collections::BTreeSet;

use pmks_driver::{DriverError, ErrorKind, Marks, Result, fingerprint};
use pmks_model::{Iid, KeyPair, KeyValueList, Tags};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{GcpDriver, PROVIDER};

/// What the items' keys begin with.
const PREFIX: &str = "pmks-key-pair-";
/// Whom a key lets in on a node, as with CB-Spider.
const USER: &str = "cb-user";

/// A key pair as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Stored {
    pub(crate) public_key: String,
    #[serde(flatten)]
    pub(crate) marks: Marks,
}

/// The key pairs of the project, ordered by name. One call.
pub(crate) async fn list(driver: &GcpDriver) -> Result<Vec<KeyPair>> {
    let project = driver.api.get_project().await?;
    let stored = names(&project).into_iter().filter_map(|name| Some(key_pair(name, &find(&project, name)?)));
    Ok(stored.collect())
}

/// One key pair. One call.
///
/// # Errors
/// `NotFound`.
pub(crate) async fn get(driver: &GcpDriver, name: &str) -> Result<KeyPair> {
    let stored = find(&driver.api.get_project().await?, name).ok_or_else(|| {
        let says = format!("there is no key pair {name:?} in the metadata of this project");
        DriverError::new(ErrorKind::NotFound, PROVIDER, says).with_action("compute.projects.get")
    })?;
    Ok(key_pair(name, &stored))
}

fn key_pair(name: &str, stored: &Stored) -> KeyPair {
    let mut facts = KeyValueList::default();
    facts.add("MetadataKey", key(name));
    facts.add("UserName", USER);
    facts.add("PublicKey", &stored.public_key);
    KeyPair {
        iid: Iid::new(name, name),
        incarnation: stored.marks.uid.clone(),
        fingerprint: fingerprint(&stored.public_key),
        tags: stored.marks.onto(&Tags::new()),
        key_value_list: facts,
    }
}

/// The names of the key pairs in what was read of the project.
fn names(project: &Value) -> BTreeSet<&str> {
    items(project).filter_map(|item| item.get("key")?.as_str()?.strip_prefix(PREFIX)).collect()
}

/// The key pair of that name in what was read of the project.
pub(crate) fn find(project: &Value, name: &str) -> Option<Stored> {
    serde_json::from_str(item(project, name)?.get("value")?.as_str()?).ok()
}

/// Whether something else than the key pair with these marks stands under that name, also what cannot be read as one.
pub(crate) fn is_taken(project: &Value, name: &str, marks: &Marks) -> bool {
    item(project, name).is_some() && find(project, name).is_none_or(|found| found.marks != *marks)
}

/// The item of the key pair of that name, as it stands in what was read of the project.
pub(crate) fn item<'a>(project: &'a Value, name: &str) -> Option<&'a Value> {
    let key = key(name);
    items(project).find(|item| item.get("key").and_then(Value::as_str) == Some(&key))
}

/// The project's metadata with that key pair, or without it: everything else as it was read, its fingerprint included,
/// by which Compute Engine refuses the change if somebody else was faster. Its `kind` is for answers alone.
///
/// Source: `Metadata` in <https://www.googleapis.com/discovery/v1/apis/compute/v1/rest>
pub(crate) fn replaced(project: &Value, name: &str, stored: Option<&Stored>) -> Value {
    let key = key(name);
    let mut metadata = project.get("commonInstanceMetadata").cloned().unwrap_or_else(|| json!({}));
    let others = items(project).filter(|item| item.get("key").and_then(Value::as_str) != Some(&key));
    let mut items: Vec<Value> = others.cloned().collect();
    if let Some(stored) = stored {
        // A struct of texts always serializes.
        let value = serde_json::to_string(stored).unwrap_or_default();
        items.push(json!({"key": key, "value": value}));
    }
    if let Value::Object(fields) = &mut metadata {
        fields.remove("kind");
        fields.insert("items".to_owned(), Value::Array(items));
    }
    metadata
}

/// What stands in the metadata of nodes that this key lets into.
pub(crate) fn ssh_keys(public_key: &str) -> String {
    format!("{USER}:{}", public_key.trim())
}

fn items(project: &Value) -> impl Iterator<Item = &Value> {
    let items = project.get("commonInstanceMetadata").and_then(|metadata| metadata.get("items"));
    items.and_then(Value::as_array).into_iter().flatten()
}

fn key(name: &str) -> String {
    format!("{PREFIX}{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINVYgDzfQUCvJxVPnSaWOJFqApohP0NFOA4tJj+PSh0n me";

    fn stored() -> Stored {
        let marks = Marks { installation: "i".into(), operation: "o".into(), uid: "u".into() };
        Stored { public_key: KEY.to_owned(), marks }
    }

    #[test]
    fn a_key_pair_comes_and_goes_and_everything_else_stays() {
        let project = json!({"name": "p", "commonInstanceMetadata": {"kind": "compute#metadata", "fingerprint": "abc=",
            "items": [{"key": "ssh-keys", "value": "a:b"}, {"key": "x", "value": "y", "future": 1}]}});
        let with = replaced(&project, "admin", Some(&stored()));
        assert_eq!(with["fingerprint"], "abc=");
        assert_eq!(with.get("kind"), None, "only Compute Engine says it");
        assert_eq!(with["items"][1], json!({"key": "x", "value": "y", "future": 1}));
        let then = json!({"commonInstanceMetadata": with});
        assert_eq!(find(&then, "admin"), Some(stored()));
        assert_eq!(find(&then, "adm"), None);
        assert_eq!(names(&then), ["admin"].into());
        assert!(names(&project).is_empty());
        assert_eq!(replaced(&then, "admin", None)["items"], project["commonInstanceMetadata"]["items"]);
        assert_eq!(replaced(&json!({}), "admin", Some(&stored()))["items"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn a_name_is_free_or_ours() {
        let marks = stored().marks;
        let ours = json!({"commonInstanceMetadata": replaced(&json!({}), "admin", Some(&stored()))});
        let strange =
            json!({"commonInstanceMetadata": {"items": [{"key": key("admin"), "value": "who:knows"}]}});
        assert!(!is_taken(&ours, "admin", &marks) && !is_taken(&ours, "other", &marks));
        assert!(is_taken(&ours, "admin", &Marks { uid: "v".into(), ..marks.clone() }));
        assert!(is_taken(&strange, "admin", &marks));
    }

    /// `ssh-keygen -lf` says the same of this key.
    #[test]
    fn a_fingerprint_is_as_openssh_writes_it() {
        assert_eq!(fingerprint(KEY), FINGERPRINT);
        assert_eq!(fingerprint("nonsense"), "");
        assert_eq!(ssh_keys(KEY), format!("cb-user:{KEY}"));
    }

    const FINGERPRINT: &str = "SHA256:hYFS99icnwPH/wxN3UDncXmRL4b9QcKigmnLJ75iSHY";
}
