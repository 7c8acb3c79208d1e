//! The Kubernetes versions that the simulated EKS offers: EKS' release calendar as it stood in November 2026.
//! A frozen calendar: it does not follow the clock, so that a test of today is a test of next year.
//!
//! Source: <https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html>. The dates of 1.36 are
//! derived from the 14 + 12 months which that page promises.

use serde_json::{Value, json};

/// How far EKS still supports a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Support {
    /// The first 14 months.
    Standard,
    /// The 12 months after, at a higher price.
    Extended,
    /// Nothing new can be made with it.
    Unsupported,
}

impl Support {
    /// The word of the field `versionStatus`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Standard => "STANDARD_SUPPORT",
            Self::Extended => "EXTENDED_SUPPORT",
            Self::Unsupported => "UNSUPPORTED",
        }
    }

    /// The word of the older field `status`.
    pub(crate) fn old_word(self) -> &'static str {
        match self {
            Self::Standard => "standard-support",
            Self::Extended => "extended-support",
            Self::Unsupported => "unsupported",
        }
    }
}

/// One Kubernetes minor version of EKS.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Version {
    /// The minor number: 34 of 1.34.
    pub(crate) minor: u32,
    /// The patch that control planes and images run.
    pub(crate) patch: u32,
    /// EKS' build, as `kubectl version` shows it.
    pub(crate) build: &'static str,
    /// The platform version of new clusters.
    pub(crate) platform: u32,
    /// Release at EKS, end of standard support, end of extended support: seconds since 1970, midnight UTC.
    pub(crate) dates: [i64; 3],
    /// Support in November 2026.
    pub(crate) support: Support,
}

/// The version of a cluster for which none is asked.
pub(crate) const DEFAULT: &str = "1.35";

/// The day on which the node images of the calendar were built, as in `1.34.4-20261101`.
const IMAGE_DAY: &str = "20261101";

/// All versions, newest first.
pub(crate) const ALL: [Version; 7] = [
    version(36, 1, "a5d3ff1", 4, [1_780_358_400, 1_817_164_800, 1_848_787_200], Support::Standard),
    version(35, 2, "f69f56f", 11, [1_769_472_000, 1_806_105_600, 1_837_728_000], Support::Standard),
    version(34, 4, "3a10415", 23, [1_759_363_200, 1_796_169_600, 1_827_705_600], Support::Standard),
    version(33, 8, "f69f56f", 37, [1_748_476_800, 1_785_283_200, 1_816_819_200], Support::Extended),
    version(32, 12, "4d5a2b1", 44, [1_737_590_400, 1_774_224_000, 1_805_760_000], Support::Extended),
    version(31, 14, "c39b1d0", 60, [1_727_308_800, 1_764_115_200, 1_795_651_200], Support::Extended),
    version(30, 14, "113cf36", 68, [1_716_422_400, 1_753_228_800, 1_784_764_800], Support::Unsupported),
];

const fn version(
    minor: u32,
    patch: u32,
    build: &'static str,
    platform: u32,
    dates: [i64; 3],
    support: Support,
) -> Version {
    Version { minor, patch, build, platform, dates, support }
}

impl Version {
    /// `1.34`.
    pub(crate) fn name(&self) -> String {
        format!("1.{}", self.minor)
    }

    /// `1.34.4`.
    pub(crate) fn patched(&self) -> String {
        format!("1.{}.{}", self.minor, self.patch)
    }

    /// `v1.34.4-eks-3a10415`, what the cluster's own API and its kubelets say.
    pub(crate) fn git_version(&self) -> String {
        format!("v{}-eks-{}", self.patched(), self.build)
    }

    /// `1.34.4-20261101`, the release of the node image.
    pub(crate) fn image_release(&self) -> String {
        format!("{}-{IMAGE_DAY}", self.patched())
    }

    /// The version as `DescribeClusterVersions` shows it.
    pub(crate) fn view(&self) -> Value {
        let [released, end_of_standard, end_of_extended] = self.dates;
        json!({
            "clusterVersion": self.name(),
            "clusterType": "eks",
            "defaultPlatformVersion": self.platform_version(),
            "defaultVersion": self.name() == DEFAULT,
            "releaseDate": released,
            "endOfStandardSupportDate": end_of_standard,
            "endOfExtendedSupportDate": end_of_extended,
            "status": self.support.old_word(),
            "versionStatus": self.support.word(),
            "kubernetesPatchVersion": self.patched(),
        })
    }

    /// `eks.23`.
    pub(crate) fn platform_version(&self) -> String {
        format!("eks.{}", self.platform)
    }
}

/// The version of this name (`1.34`), supported or not.
pub(crate) fn find(name: &str) -> Option<&'static Version> {
    ALL.iter().find(|version| version.name() == name)
}

/// The version of this name, if clusters can still be made with it or moved to it.
pub(crate) fn find_supported(name: &str) -> Option<&'static Version> {
    find(name).filter(|version| version.support != Support::Unsupported)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_is_in_order_and_has_its_default() {
        assert_eq!(find(DEFAULT).map(|version| version.support), Some(Support::Standard));
        for pair in ALL.windows(2) {
            assert_eq!(pair[0].minor, pair[1].minor + 1);
            assert!(pair[0].dates[0] > pair[1].dates[0]);
        }
        for version in &ALL {
            assert!(version.dates.is_sorted());
            assert!(version.dates.iter().all(|date| date % 86_400 == 0), "midnight UTC");
        }
    }

    #[test]
    fn names_follow_eks() {
        let version = find("1.34").unwrap();
        assert_eq!(version.git_version(), "v1.34.4-eks-3a10415");
        assert_eq!(version.image_release(), "1.34.4-20261101");
        assert_eq!(version.platform_version(), "eks.23");
        assert!(find_supported("1.30").is_none() && find("1.30").is_some());
        assert!(find("1.3").is_none() && find("").is_none());
    }
}
