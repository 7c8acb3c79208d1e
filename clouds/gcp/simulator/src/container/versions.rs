//! The Kubernetes versions that the simulated GKE offers: a calendar as it stood in November 2026. It is frozen and
//! does not follow the clock, so that a test of today is a test of next year.
//!
//! Source: <https://cloud.google.com/kubernetes-engine/docs/release-schedule>, and for the words that stand for a
//! version <https://cloud.google.com/kubernetes-engine/versioning#specifying_cluster_version>.

use serde_json::{Value, json};

use super::places;
use crate::error::{Error, Result};

/// One version, and the channels that offer it.
struct Version {
    name: &'static str,
    /// Rapid, regular, stable, extended; and whether it can be had outside of channels.
    channels: [bool; 5],
}

const fn version(name: &'static str, rapid: u8, regular: u8, stable: u8, extended: u8, other: u8) -> Version {
    Version { name, channels: [rapid == 1, regular == 1, stable == 1, extended == 1, other == 1] }
}

/// All of them, newest first.
const ALL: [Version; 14] = [
    version("1.36.2-gke.1187000", 1, 0, 0, 0, 0),
    version("1.36.1-gke.1403000", 1, 0, 0, 0, 0),
    version("1.35.5-gke.1097000", 1, 1, 0, 1, 1),
    version("1.35.4-gke.1231000", 1, 1, 0, 1, 1),
    version("1.34.8-gke.1054000", 1, 1, 1, 1, 1),
    version("1.34.7-gke.1126000", 0, 1, 1, 1, 1),
    version("1.33.11-gke.1077000", 1, 1, 1, 1, 1),
    version("1.33.10-gke.1196000", 0, 1, 1, 1, 1),
    version("1.32.13-gke.1058000", 0, 0, 1, 1, 1),
    version("1.32.12-gke.1210000", 0, 0, 1, 1, 0),
    version("1.31.14-gke.1362000", 0, 0, 0, 1, 0),
    version("1.31.13-gke.1508000", 0, 0, 0, 1, 0),
    version("1.30.14-gke.2021000", 0, 0, 0, 0, 0),
    version("1.30.12-gke.1372000", 0, 0, 0, 0, 0),
];

/// The channels with the default of each; the last one is none.
const CHANNELS: [(&str, &str); 5] = [
    ("RAPID", "1.36.1-gke.1403000"),
    ("REGULAR", "1.35.4-gke.1231000"),
    ("STABLE", "1.34.7-gke.1126000"),
    ("EXTENDED", "1.35.4-gke.1231000"),
    ("", "1.34.7-gke.1126000"),
];

/// Kinds of node image; the first is the default.
pub(crate) const IMAGE_TYPES: [&str; 5] =
    ["COS_CONTAINERD", "UBUNTU_CONTAINERD", "WINDOWS_LTSC_CONTAINERD", "WINDOWS_SAC_CONTAINERD", "UBUNTU"];

fn index(channel: &str) -> usize {
    CHANNELS.iter().position(|(name, _)| *name == channel).unwrap_or(CHANNELS.len() - 1)
}

/// The versions that a channel offers (or that can be had without one), newest first.
pub(crate) fn valid(channel: &str) -> Vec<&'static str> {
    let index = index(channel);
    ALL.iter().filter(|one| one.channels.get(index) == Some(&true)).map(|one| one.name).collect()
}

/// A channel's default version.
pub(crate) fn default_of(channel: &str) -> &'static str {
    CHANNELS.get(index(channel)).map_or("", |(_, default)| default)
}

/// The channel of a cluster for which a version but no channel is asked: the most mature that offers the version.
pub(crate) fn channel_of(asked: &str) -> &'static str {
    ["STABLE", "REGULAR", "RAPID"]
        .into_iter()
        .find(|channel| valid(channel).iter().any(|known| fits(known, asked)))
        .unwrap_or("REGULAR")
}

/// The minor number: 34 of `1.34.7-gke.1126000`.
pub(crate) fn minor(version: &str) -> u32 {
    version.split('.').nth(1).and_then(|minor| minor.parse().ok()).unwrap_or(0)
}

/// The numbers by which versions are ordered.
pub(crate) fn order(version: &str) -> Vec<u32> {
    version.split(['.', '-']).filter_map(|part| part.parse().ok()).collect()
}

/// Whether a version is the one asked for, or begins with it.
fn fits(known: &str, asked: &str) -> bool {
    known == asked || known.starts_with(&format!("{asked}.")) || known.starts_with(&format!("{asked}-"))
}

/// The version of a control plane that a word or prefix stands for.
///
/// # Errors
/// 400 for one that there is not.
pub(crate) fn master(asked: &str, channel: &str) -> Result<&'static str> {
    let valid = valid(channel);
    match asked {
        "" | "-" => return Ok(default_of(channel)),
        "latest" => return Ok(valid.first().copied().unwrap_or_default()),
        _ => {}
    }
    if let Some(found) = valid.iter().find(|known| fits(known, asked)) {
        return Ok(found);
    }
    if !asked.contains("-gke.") {
        return Err(Error::invalid(format!("No valid versions with the prefix \"{asked}\" found.")));
    }
    if ALL.iter().any(|known| known.name == asked) && !channel.is_empty() {
        return Err(Error::invalid(format!(
            "Master version must be one of \"{channel}\" channel supported versions [{}].",
            valid.join(", ")
        )));
    }
    Err(Error::invalid(format!("Master version \"{asked}\" is unsupported.")))
}

/// The version of nodes that a word or prefix stands for, under a control plane of that version.
///
/// # Errors
/// 400 for one that there is not, that is newer than the control plane, or too old for it.
pub(crate) fn node(asked: &str, master: &str) -> Result<String> {
    let found = match asked {
        "" | "-" => master.to_owned(),
        "latest" => ALL
            .iter()
            .map(|one| one.name)
            .find(|known| order(known) <= order(master))
            .unwrap_or(master)
            .to_owned(),
        _ if fits(master, asked) => master.to_owned(),
        _ => ALL
            .iter()
            .map(|one| one.name)
            .find(|known| fits(known, asked))
            .ok_or_else(|| Error::invalid(format!("Node version \"{asked}\" is unsupported.")))?
            .to_owned(),
    };
    if minor(&found) > minor(master) {
        return Err(Error::invalid(format!(
            "Node version \"{found}\" must not have a greater minor version than master version \"{master}\"."
        )));
    }
    if order(&found) > order(master) {
        return Err(Error::invalid(format!(
            "Node version \"{found}\" must not be greater than master version \"{master}\"."
        )));
    }
    if minor(&found) + 2 < minor(master) {
        return Err(Error::invalid(format!(
            "Node version \"{found}\" must be within two minor versions of master version \"{master}\"."
        )));
    }
    Ok(found)
}

/// What a location offers.
///
/// # Errors
/// 400 for a location that does not exist.
pub(crate) fn server_config(location: &str) -> Result<Value> {
    places::zones(location)?;
    let channels: Vec<Value> = CHANNELS
        .iter()
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, default)| {
            json!({
                "channel": name, "defaultVersion": default, "validVersions": valid(name),
                "upgradeTargetVersion": default,
            })
        })
        .collect();
    let nodes: Vec<&str> = ALL.iter().skip(2).map(|one| one.name).collect();
    Ok(json!({
        "defaultClusterVersion": default_of(""), "validMasterVersions": valid(""), "validNodeVersions": nodes,
        "defaultImageType": IMAGE_TYPES[0], "validImageTypes": IMAGE_TYPES, "channels": channels,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_is_in_order_and_each_channel_has_its_default() {
        assert!(ALL.windows(2).all(|pair| order(pair[0].name) > order(pair[1].name)));
        for (channel, default) in CHANNELS {
            assert!(valid(channel).contains(&default), "{channel}");
        }
    }

    #[test]
    fn words_and_prefixes_stand_for_versions() {
        assert_eq!(master("", "REGULAR").unwrap(), "1.35.4-gke.1231000");
        assert_eq!(master("latest", "STABLE").unwrap(), "1.34.8-gke.1054000");
        assert_eq!(master("1.33", "STABLE").unwrap(), "1.33.11-gke.1077000");
        assert_eq!(master("1.33.10", "").unwrap(), "1.33.10-gke.1196000");
        let says = |asked: &str, channel: &str| master(asked, channel).unwrap_err().message;
        assert_eq!(says("1.99", ""), "No valid versions with the prefix \"1.99\" found.");
        assert_eq!(says("1.3", ""), "No valid versions with the prefix \"1.3\" found.");
        assert_eq!(says("1.33.1-gke.1", ""), "Master version \"1.33.1-gke.1\" is unsupported.");
        assert!(
            says("1.36.1-gke.1403000", "STABLE").contains("\"STABLE\" channel supported versions [1.34.8")
        );
        assert_eq!(channel_of("1.34"), "STABLE");
        assert_eq!(channel_of("1.36"), "RAPID");
    }

    #[test]
    fn nodes_are_neither_newer_nor_much_older_than_their_control_plane() {
        let master = "1.34.7-gke.1126000";
        assert_eq!(node("", master).unwrap(), master);
        assert_eq!(node("1.34", master).unwrap(), master);
        assert_eq!(node("1.33", master).unwrap(), "1.33.11-gke.1077000");
        for asked in ["1.35", "1.34.8", "1.31", "1.99"] {
            assert!(node(asked, master).is_err(), "{asked}");
        }
    }
}
