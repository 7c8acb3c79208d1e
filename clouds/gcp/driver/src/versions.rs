//! The Kubernetes versions that GKE offers, by release channel, and the choice among them. Never writes.
//!
//! Sources: <https://cloud.google.com/kubernetes-engine/docs/concepts/release-channels>,
//! <https://cloud.google.com/kubernetes-engine/versioning>

use std::collections::BTreeMap;

use pmks_driver::Result;
use pmks_model::{KubernetesVersion, Says, Support, Version, VersionRequest};

use crate::GcpDriver;
use crate::capabilities::RELEASE_CHANNEL;
use crate::wire::container::ServerConfig;

/// No channel at all.
pub(crate) const NO_CHANNEL: &str = "UNSPECIFIED";
/// The channels in the order in which they are looked through for a version: GKE's own default first, then the others,
/// the most mature first.
const CHANNELS: [&str; 4] = ["REGULAR", "STABLE", "RAPID", "EXTENDED"];

/// The versions on offer, oldest first. One call.
pub(crate) async fn list(driver: &GcpDriver) -> Result<Vec<KubernetesVersion>> {
    Ok(offered(&driver.api.server_config(driver.location()).await?))
}

/// A version and the channel that brings the next ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) version: Version,
    /// `None`: left to GKE.
    pub(crate) channel: Option<String>,
    pub(crate) says: String,
}

/// All versions, oldest first: what the rapid channel alone has is a preview, what the extended one alone has is cared
/// for at a higher price.
fn offered(config: &ServerConfig) -> Vec<KubernetesVersion> {
    let mut found: BTreeMap<Version, Support> = BTreeMap::new();
    let mut add = |text: &str, support: Support| {
        if let Ok(version) = text.parse::<Version>() {
            let entry = found.entry(version).or_insert(support);
            if rank(support) < rank(*entry) {
                *entry = support;
            }
        }
    };
    for channel in &config.channels {
        let support = match channel.channel.as_str() {
            "RAPID" => Support::Preview,
            "EXTENDED" => Support::Extended,
            _ => Support::Standard,
        };
        channel.valid_versions.iter().for_each(|version| add(version, support));
    }
    // Without channels, everything valid is cared for.
    let rest = if config.channels.is_empty() { Support::Standard } else { Support::Extended };
    config.valid_master_versions.iter().for_each(|version| add(version, rest));
    // The one that a creation without a version takes, which is its channel's and not that of no channel.
    let default = choose(config, &VersionRequest::Default, None).ok().map(|chosen| chosen.version);
    let describe = |(version, support): (Version, Support)| KubernetesVersion {
        default: default.as_ref() == Some(&version),
        version,
        support,
        end_of_standard_support: None,
        end_of_extended_support: None,
    };
    found.into_iter().map(describe).collect()
}

fn rank(support: Support) -> u8 {
    match support {
        Support::Standard => 0,
        Support::Preview => 1,
        Support::Extended => 2,
        Support::Unsupported => 3,
    }
}

/// Chooses the version of a new cluster, and its channel where none is named: that of the first that has it.
///
/// # Errors
/// A sentence that names what was asked for and what is offered.
pub(crate) fn choose(
    config: &ServerConfig,
    asked: &VersionRequest,
    channel: Option<&str>,
) -> std::result::Result<Chosen, Says> {
    let (default, all) = (config.default_cluster_version.as_str(), &config.valid_master_versions);
    let picked = |channel: Option<&str>, default: &str, valid: &[String]| {
        let picked = asked.pick(&candidates(default, valid))?;
        let of = channel.map_or_else(String::new, |channel| format!("; release channel {channel}"));
        Ok(Chosen {
            says: format!("{}{of}", picked.says),
            version: picked.version,
            channel: channel.map(str::to_owned),
        })
    };
    let find = |name: &str| config.channels.iter().find(|channel| channel.channel == name);
    match channel {
        Some(NO_CHANNEL) => picked(Some(NO_CHANNEL), default, all),
        Some(name) => {
            let unknown = || Says::from(format!("release channel {name} is not offered here"));
            let channel = find(name).ok_or_else(unknown)?;
            picked(Some(name), &channel.default_version, &channel.valid_versions)
        }
        None => {
            let mut found = CHANNELS.iter().filter_map(|name| find(name)).filter_map(|channel| {
                let name = channel.channel.as_str();
                picked(Some(name), &channel.default_version, &channel.valid_versions).ok()
            });
            found.next().map_or_else(|| picked(None, default, all), Ok)
        }
    }
}

/// Chooses what a standing cluster is raised to: of its channel, or a patch of another one of a minor that its channel
/// has; of all that GKE takes where it is in none. GKE refuses everything else, a hop in between too.
///
/// Source: <https://cloud.google.com/kubernetes-engine/docs/concepts/release-channels>
///
/// # Errors
/// A sentence that names what was asked for and what is offered.
pub(crate) fn choose_upgrade(
    config: &ServerConfig,
    asked: &VersionRequest,
    channel: &str,
) -> std::result::Result<Chosen, Says> {
    let is_free = channel.is_empty() || channel == NO_CHANNEL || config.channels.is_empty();
    let within = if is_free { NO_CHANNEL } else { channel };
    let chosen = match choose(config, asked, Some(within)) {
        Err(says) if !is_free => {
            let picked = asked.pick(&patches_of_others(config, channel)).map_err(|_| {
                says.text(format!(
                    ": the cluster is in release channel {channel}, and its option {RELEASE_CHANNEL} can name another"
                ))
            })?;
            let says = format!("{}; of another release channel than {channel}", picked.says);
            Ok(Chosen { version: picked.version, channel: None, says })
        }
        chosen => chosen,
    };
    chosen.map(|chosen| Chosen { channel: None, ..chosen })
}

/// What GKE takes of those minors that a channel has.
fn patches_of_others(config: &ServerConfig, channel: &str) -> Vec<KubernetesVersion> {
    let own = config.channels.iter().filter(|known| known.channel == channel);
    let own: Vec<Version> =
        own.flat_map(|own| &own.valid_versions).filter_map(|text| text.parse().ok()).collect();
    let mut all = candidates("", &config.valid_master_versions);
    all.retain(|one| own.iter().any(|own| own.minor() == one.version.minor()));
    all
}

fn candidates(default: &str, valid: &[String]) -> Vec<KubernetesVersion> {
    let default = default.parse::<Version>().ok();
    let parsed = valid.iter().filter_map(|text| text.parse::<Version>().ok());
    parsed
        .map(|version| KubernetesVersion {
            default: default.as_ref() == Some(&version),
            version,
            support: Support::Standard,
            end_of_standard_support: None,
            end_of_extended_support: None,
        })
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::json;

    pub(crate) fn config() -> ServerConfig {
        serde_json::from_value(json!({
            "defaultClusterVersion": "1.33.5-gke.100", "defaultImageType": "COS_CONTAINERD",
            "validImageTypes": ["COS_CONTAINERD", "UBUNTU_CONTAINERD", "WINDOWS_LTSC_CONTAINERD"],
            "validMasterVersions": ["1.35.0-gke.1", "1.34.1-gke.10", "1.34.1-gke.9", "1.33.5-gke.100", "1.32.9-gke.7", "1.31.13-gke.2"],
            "validNodeVersions": ["1.35.0-gke.1", "1.34.1-gke.10", "1.33.5-gke.100", "1.32.9-gke.7"],
            "channels": [
                {"channel": "RAPID", "defaultVersion": "1.34.1-gke.10", "validVersions": ["1.35.0-gke.1", "1.34.1-gke.10"]},
                {"channel": "REGULAR", "defaultVersion": "1.33.5-gke.100", "validVersions": ["1.34.1-gke.9", "1.33.5-gke.100"]},
                {"channel": "STABLE", "defaultVersion": "1.32.9-gke.7", "validVersions": ["1.33.5-gke.100", "1.32.9-gke.7"]},
                {"channel": "EXTENDED", "defaultVersion": "1.33.5-gke.100", "validVersions": ["1.33.5-gke.100", "1.30.14-gke.5"]},
            ],
        }))
        .unwrap()
    }

    #[test]
    fn versions_are_cared_for_by_their_best_channel() {
        let all = offered(&config());
        let of = |text: &str| {
            all.iter().find(|found| found.version.to_string() == text).map(|found| found.support)
        };
        assert_eq!(of("1.35.0-gke.1"), Some(Support::Preview));
        assert_eq!(of("1.34.1-gke.9"), Some(Support::Standard));
        assert_eq!(of("1.33.5-gke.100"), Some(Support::Standard));
        assert_eq!(of("1.30.14-gke.5"), Some(Support::Extended));
        assert_eq!(of("1.31.13-gke.2"), Some(Support::Extended));
        let default: Vec<String> =
            all.iter().filter(|found| found.default).map(|found| found.version.to_string()).collect();
        assert_eq!(default, ["1.33.5-gke.100"]);
        assert!(all.windows(2).all(|pair| pair[0].version < pair[1].version));
        // GKE's own default is that of no channel, and a creation takes the regular one's.
        let apart = ServerConfig { default_cluster_version: "1.32.9-gke.7".into(), ..config() };
        let marked = |config: &ServerConfig| {
            offered(config).into_iter().find(|found| found.default).map(|found| found.version)
        };
        assert_eq!(
            marked(&apart),
            choose(&apart, &VersionRequest::Default, None).ok().map(|chosen| chosen.version)
        );
        assert_eq!(marked(&apart).unwrap().to_string(), "1.33.5-gke.100");
    }

    #[test]
    fn a_channel_is_chosen_with_the_version() {
        let of = |asked: &str, channel: Option<&str>| {
            choose(&config(), &asked.parse().unwrap(), channel)
                .map(|chosen| (chosen.version.to_string(), chosen.channel.unwrap_or_default()))
        };
        let is = |version: &str, channel: &str| Ok((version.to_owned(), channel.to_owned()));
        assert_eq!(of("", None), is("1.33.5-gke.100", "REGULAR"));
        assert_eq!(of("1.34", None), is("1.34.1-gke.9", "REGULAR"));
        assert_eq!(of("1.32", None), is("1.32.9-gke.7", "STABLE"));
        assert_eq!(of("1.35", None), is("1.35.0-gke.1", "RAPID"));
        assert_eq!(of("1.30", None), is("1.30.14-gke.5", "EXTENDED"));
        assert_eq!(of("1.31", None), is("1.31.13-gke.2", ""));
        assert_eq!(of("1.34", Some("RAPID")), is("1.34.1-gke.10", "RAPID"));
        assert_eq!(of("", Some("STABLE")), is("1.32.9-gke.7", "STABLE"));
        assert_eq!(of("1.34", Some(NO_CHANNEL)), is("1.34.1-gke.10", NO_CHANNEL));
        assert!(of("1.32", Some("REGULAR")).unwrap_err().plain().contains("offered are"));
        assert!(of("1.999", None).unwrap_err().plain().contains("1.999 is not offered"));
        let bare = ServerConfig { channels: Vec::new(), ..config() };
        assert_eq!(choose(&bare, &VersionRequest::Default, None).unwrap().channel, None);
    }

    #[test]
    fn a_cluster_rises_within_its_channel() {
        let of = |asked: &str, channel: &str| {
            choose_upgrade(&config(), &asked.parse().unwrap(), channel)
                .map(|chosen| chosen.version.to_string())
        };
        assert_eq!(of("1.34", "REGULAR").unwrap(), "1.34.1-gke.9");
        assert_eq!(of("1.34.1-gke.10", "REGULAR").unwrap(), "1.34.1-gke.10");
        let refused = of("1.35", "REGULAR").unwrap_err().to_string();
        assert!(refused.contains("in release channel REGULAR") && !refused.contains("1.35.0"), "{refused}");
        assert_eq!(of("1.35", "").unwrap(), "1.35.0-gke.1");
        assert_eq!(of("1.35", NO_CHANNEL).unwrap(), "1.35.0-gke.1");
        assert!(of("1.999", "REGULAR").is_err());
    }
}
