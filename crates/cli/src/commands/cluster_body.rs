//! The body of `pmks cluster create`: a file, flags, or a file that flags override.

use std::io::Read;
use std::path::Path;

use pmks_api::{Options, Tags};
use serde::{Deserialize, Serialize};

use super::pairs;
use crate::arguments::{ClusterCreate, NodeGroupBody};
use crate::error::{Error, Result};

/// The largest file that is read, in bytes.
const LARGEST: u64 = 4 * 1024 * 1024;

/// What a file may say. Typed, so that `version: 1.30` is the text that was written, and `network: no` too.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ClusterFile {
    name: Option<String>,
    unique_cloud_name: Option<bool>,
    version: Option<String>,
    network: Option<String>,
    #[serde(default)]
    subnets: Vec<String>,
    #[serde(default)]
    security_groups: Vec<String>,
    #[serde(default)]
    node_groups: Vec<NodeGroupBody>,
    #[serde(default)]
    tags: Tags,
    #[serde(default)]
    deletion_protection: bool,
    #[serde(default)]
    options: Options,
}

/// A cluster to be made, its fields those of `/v1`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClusterBody {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    unique_cloud_name: Option<bool>,
    #[serde(skip_serializing_if = "String::is_empty")]
    version: String,
    network: String,
    subnets: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    security_groups: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    node_groups: Vec<NodeGroupBody>,
    #[serde(skip_serializing_if = "Tags::is_empty")]
    tags: Tags,
    deletion_protection: bool,
    #[serde(skip_serializing_if = "Options::is_empty")]
    options: Options,
}

/// The cluster that these arguments ask for. What is wrong with it is the server's to say, all at once.
pub(super) fn read(create: ClusterCreate) -> Result<ClusterBody> {
    let file = create.file.as_deref().map(from_file).transpose()?.unwrap_or_default();
    let mut cluster = ClusterBody {
        name: create.name.or(file.name).unwrap_or_default(),
        unique_cloud_name: create.cloud.unique_cloud_name.or(file.unique_cloud_name),
        version: create.kubernetes_version.or(file.version).unwrap_or_default(),
        network: create.network.or(file.network).unwrap_or_default(),
        subnets: given_or(create.subnets, file.subnets),
        security_groups: given_or(create.security_groups, file.security_groups),
        node_groups: given_or(
            create.node_groups.into_iter().map(|pairs| pairs.0).collect(),
            file.node_groups,
        ),
        tags: file.tags,
        deletion_protection: create.deletion_protection || file.deletion_protection,
        options: file.options,
    };
    cluster.tags.extend(pairs::texts("tag", &create.tags)?);
    cluster.options.extend(pairs::options("option", &create.options)?);
    Ok(cluster)
}

fn given_or<T>(given: Vec<T>, otherwise: Vec<T>) -> Vec<T> {
    if given.is_empty() { otherwise } else { given }
}

/// YAML, of which JSON is a part.
fn from_file(path: &Path) -> Result<ClusterFile> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(LARGEST).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(LARGEST).read_to_string(&mut text))
    };
    read.map_err(|error| Error::file("read", path, &error))?;
    // Only `true` and `false` are booleans, in what the provider's own options hold too.
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(&text, options)
        .map_err(|error| Error::usage(format!("{} holds no cluster: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::arguments::{Cli, ClusterCommand, Command};

    fn cluster(words: &[&str]) -> Result<ClusterBody> {
        let words = ["pmks", "cluster", "create"].iter().chain(words);
        match Cli::try_parse_from(words).unwrap().command {
            Command::Cluster(ClusterCommand::Create(create)) => read(*create),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn flags_override_a_file_and_texts_stay_texts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cluster.yaml");
        std::fs::write(
            &path,
            "name: a\nnetwork: no\nsubnets: [s, t]\nversion: 1.30\ntags: {x: y}\noptions: {o: on}\n",
        )
        .unwrap();
        let path = path.to_str().unwrap();
        let read = cluster(&["-f", path]).unwrap();
        assert_eq!((read.network.as_str(), read.version.as_str()), ("no", "1.30"));
        let read = cluster(&["b", "-f", path, "--version", "1.31", "--tag", "k=v"]).unwrap();
        let wanted = serde_json::json!({
            "name": "b", "network": "no", "subnets": ["s", "t"], "version": "1.31", "deletionProtection": false,
            "tags": {"x": "y", "k": "v"}, "options": {"o": "on"},
        });
        assert_eq!(serde_json::to_value(read).unwrap(), wanted);
    }

    #[test]
    fn numbers_are_handed_on_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cluster.yaml");
        let text = "name: a\nnetwork: n\nnodeGroups:\n- name: w\n  rootDiskSizeGib: -1\n  scaling: {autoScaling: false, \
                    min: \"1\", max: many, desired: 1.5}\n";
        std::fs::write(&path, text).unwrap();
        let read = serde_json::to_value(cluster(&["-f", path.to_str().unwrap()]).unwrap()).unwrap();
        let scaling = serde_json::json!({"autoScaling": false, "min": "1", "max": "many", "desired": 1.5});
        let group = serde_json::json!({"name": "w", "rootDiskSizeGib": -1, "scaling": scaling});
        assert_eq!(read["nodeGroups"][0], group);
        let given = cluster(&["b", "--network", "n", "--node-group", "name=w,min=-1,max=x"]).unwrap();
        let read = serde_json::to_value(given).unwrap();
        let scaling = serde_json::json!({"autoScaling": false, "min": -1, "max": "x", "desired": -1});
        assert_eq!(read["nodeGroups"][0]["scaling"], scaling);
    }

    #[test]
    fn a_file_that_is_no_cluster_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["[1, 2]", "a: [", "nodegroups: []", "subnets: {}"] {
            let path = folder.path().join("f");
            std::fs::write(&path, text).unwrap();
            let error = cluster(&["-f", path.to_str().unwrap()]).unwrap_err();
            assert!(
                error.text().contains("holds no cluster") && error.exit_code() == 2,
                "{text}: {}",
                error.text()
            );
        }
        assert_eq!(cluster(&["-f", "/nowhere/at/all"]).unwrap_err().exit_code(), 2);
        let binary = folder.path().join("binary");
        std::fs::write(&binary, [0xff, 0xfe, 0x00]).unwrap();
        assert_eq!(cluster(&["-f", binary.to_str().unwrap()]).unwrap_err().exit_code(), 2);
    }
}
