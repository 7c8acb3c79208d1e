//! The body of `pmks cluster create`: a file, flags, or a file that flags override.

use std::io::Read;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::{body, pairs};
use crate::arguments::ClusterCreate;
use crate::error::{Error, Result};

/// The largest file that is read, in bytes.
const LARGEST: u64 = 4 * 1024 * 1024;

/// The body that these arguments ask for. What is wrong with it is the server's to say, all at once.
pub(super) fn read(create: ClusterCreate) -> Result<Value> {
    let mut cluster = match &create.file {
        Some(path) => from_file(path)?,
        None => Map::new(),
    };
    let mut set = |field: &str, value: Value| cluster.insert(field.to_owned(), value);
    if let Some(name) = create.name {
        set("name", json!(name));
    }
    if let Some(network) = create.network {
        set("network", json!(network));
    }
    if let Some(version) = create.kubernetes_version {
        set("version", json!(version));
    }
    if !create.subnets.is_empty() || create.file.is_none() {
        set("subnets", json!(create.subnets));
    }
    if !create.security_groups.is_empty() {
        set("securityGroups", json!(create.security_groups));
    }
    if !create.node_groups.is_empty() {
        let groups: Vec<_> = create.node_groups.into_iter().map(|pairs| pairs.0).collect();
        set("nodeGroups", body(&groups)?);
    }
    if create.deletion_protection {
        set("deletionProtection", json!(true));
    }
    let (tags, options) = (pairs::texts("tag", &create.tags)?, pairs::options("option", &create.options)?);
    merge(&mut cluster, "tags", body(&tags)?);
    merge(&mut cluster, "options", body(&options)?);
    Ok(Value::Object(cluster))
}

/// Adds to the file's map, key by key.
fn merge(cluster: &mut Map<String, Value>, field: &str, more: Value) {
    let Value::Object(more) = more else { return };
    if more.is_empty() {
        return;
    }
    match cluster.get_mut(field) {
        Some(Value::Object(known)) => known.extend(more),
        _ => {
            cluster.insert(field.to_owned(), Value::Object(more));
        }
    }
}

/// YAML, of which JSON is a part.
fn from_file(path: &Path) -> Result<Map<String, Value>> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(LARGEST).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(LARGEST).read_to_string(&mut text))
    };
    read.map_err(|error| Error::file("read", path, &error))?;
    match serde_saphyr::from_str::<Value>(&text) {
        Ok(Value::Object(cluster)) => Ok(cluster),
        Ok(_) => Err(Error::usage(format!("{} holds no cluster: it is no map", path.display()))),
        Err(error) => Err(Error::usage(format!("{} is neither YAML nor JSON: {error}", path.display()))),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::arguments::{Cli, ClusterCommand, Command};

    fn body_of(words: &[&str]) -> Result<Value> {
        let words = ["pmks", "cluster", "create"].iter().chain(words);
        match Cli::try_parse_from(words).unwrap().command {
            Command::Cluster(ClusterCommand::Create(create)) => read(*create),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn flags_override_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cluster.yaml");
        std::fs::write(&path, "name: a\nnetwork: n\nsubnets: [s, t]\nversion: \"1.30\"\ntags: {x: y}\n")
            .unwrap();
        let path = path.to_str().unwrap();
        let body = body_of(&["b", "-f", path, "--version", "1.31", "--tag", "k=v"]).unwrap();
        let wanted = json!({
            "name": "b", "network": "n", "subnets": ["s", "t"], "version": "1.31",
            "tags": {"x": "y", "k": "v"},
        });
        assert_eq!(body, wanted);
    }

    #[test]
    fn a_file_that_is_no_cluster_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for (text, says) in
            [("[1, 2]", "it is no map"), ("a: [", "neither YAML nor JSON"), ("", "it is no map")]
        {
            let path = folder.path().join("f");
            std::fs::write(&path, text).unwrap();
            let error = body_of(&["-f", path.to_str().unwrap()]).unwrap_err().text();
            assert!(error.contains(says), "{text}: {error}");
        }
        assert_eq!(body_of(&["-f", "/nowhere/at/all"]).unwrap_err().exit_code(), 2);
    }
}
