//! Kubernetes versions: parsing, order, choice among what a cloud offers, hops and skew.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{KubernetesVersion, Says, Support, Term};

/// A Kubernetes version as a cloud writes it: `1.31`, `1.31.4`, `v1.31.4-gke.1000`.
///
/// A leading `v` is accepted and dropped. The patch may be unknown; the suffix is the cloud's own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    major: u32,
    minor: u32,
    patch: Option<u32>,
    suffix: String,
}

/// A text that is not a Kubernetes version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a Kubernetes version (expected 1.31, 1.31.4 or a cloud's own form such as 1.31.4-gke.100)"
)]
pub struct VersionError {
    text: String,
}

impl Version {
    /// `1.31`: a version of which only the minor is known.
    pub fn of_minor(major: u32, minor: u32) -> Self {
        Self { major, minor, patch: None, suffix: String::new() }
    }

    /// The major and minor numbers.
    pub fn minor(&self) -> (u32, u32) {
        (self.major, self.minor)
    }

    /// The same version without patch and suffix.
    #[must_use]
    pub fn truncated(&self) -> Self {
        Self::of_minor(self.major, self.minor)
    }

    /// Whether `offered` is what was asked for: each part that was given must be equal.
    pub fn covers(&self, offered: &Version) -> bool {
        self.minor() == offered.minor()
            && (self.patch.is_none() || self.patch == offered.patch)
            && (self.suffix.is_empty() || self.suffix == offered.suffix)
    }

    /// Whether this version satisfies `floor`: at it or above. Parts that one side lacks are not compared.
    pub fn reaches(&self, floor: &Version) -> bool {
        match self.minor().cmp(&floor.minor()) {
            Ordering::Greater => true,
            Ordering::Less => false,
            Ordering::Equal => match (self.patch, floor.patch) {
                (Some(_), Some(_)) => floor.suffix.is_empty() && self.patch >= floor.patch || self >= floor,
                _ => true,
            },
        }
    }

    /// Whether this version is lower than `present`, as far as both say: to ask for it is to ask for a downgrade.
    pub fn is_below(&self, present: &Version) -> bool {
        match (self.minor().cmp(&present.minor()), self.patch, present.patch) {
            (Ordering::Equal, Some(asked), Some(has)) if asked == has => {
                !self.suffix.is_empty() && !present.suffix.is_empty() && self < present
            }
            (Ordering::Equal, Some(asked), Some(has)) => asked < has,
            (Ordering::Equal, ..) => false,
            (order, ..) => order == Ordering::Less,
        }
    }

    /// How many minors `older` lies behind; 0 if it does not, `None` across majors.
    pub fn minors_ahead_of(&self, older: &Version) -> Option<u32> {
        (self.major == older.major).then(|| self.minor.saturating_sub(older.minor))
    }

    /// The versions to pass through from `self` to `target`, one minor at a time, `target` last.
    ///
    /// Empty if `self` already reaches `target`.
    pub fn hops_to(&self, target: &Version) -> Vec<Version> {
        if self.reaches(target) {
            return Vec::new();
        }
        let between =
            (self.minor.saturating_add(1)..target.minor).map(|minor| Self::of_minor(target.major, minor));
        between.chain([target.clone()]).collect()
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let refused = || VersionError { text: text.chars().take(64).collect() };
        let bare = text.strip_prefix('v').unwrap_or(text);
        let cut = bare.find(['-', '+']).unwrap_or(bare.len());
        let (numbers, suffix) = bare.split_at(cut);
        if suffix.len() == 1 || !suffix.chars().all(|c| c.is_ascii_alphanumeric() || "-+._".contains(c)) {
            return Err(refused());
        }
        let mut parts = numbers.split('.').map(number);
        let (Some(Some(major)), Some(Some(minor))) = (parts.next(), parts.next()) else {
            return Err(refused());
        };
        let patch = match parts.next() {
            None => None,
            Some(Some(patch)) => Some(patch),
            Some(None) => return Err(refused()),
        };
        if parts.next().is_some() || major == 0 {
            return Err(refused());
        }
        Ok(Self { major, minor, patch, suffix: suffix.to_owned() })
    }
}

/// A number without sign, of at most six digits.
fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.len() <= 6 && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        if let Some(patch) = self.patch {
            write!(f, ".{patch}")?;
        }
        f.write_str(&self.suffix)
    }
}

impl Ord for Version {
    /// By number; then by the cloud's suffix, its digits compared as numbers (`gke.9` before `gke.10`).
    fn cmp(&self, other: &Self) -> Ordering {
        (self.major, self.minor, self.patch)
            .cmp(&(other.major, other.minor, other.patch))
            .then_with(|| natural(&self.suffix).cmp(&natural(&other.suffix)))
            .then_with(|| self.suffix.cmp(&other.suffix))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A text cut into runs of digits, as numbers, and of everything else.
fn natural(text: &str) -> Vec<(u64, &str)> {
    let mut runs = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let digits = first.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        runs.push(if digits { (run.parse().unwrap_or(u64::MAX), "") } else { (0, run) });
        rest = after;
    }
    runs
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What a user may write for a version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum VersionRequest {
    /// `""` or `default`: the cloud's default, else its newest stable one.
    #[default]
    Default,
    /// `1.31`, `1.31.4` or the cloud's own form: the best match.
    Given(Version),
}

/// What was chosen, and why in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picked {
    /// The version as the cloud offers it.
    pub version: Version,
    /// One sentence for people.
    pub says: String,
}

impl VersionRequest {
    /// Chooses among what the cloud offers; what is no longer supported is never chosen.
    ///
    /// # Errors
    /// A sentence that names what was asked for and what is offered.
    pub fn pick(&self, offered: &[KubernetesVersion]) -> Result<Picked, Says> {
        let chosen = || offered.iter().filter(|candidate| candidate.support != Support::Unsupported);
        match self {
            Self::Default => {
                if let Some(default) = chosen().find(|candidate| candidate.default) {
                    return Ok(picked(&default.version, "the cloud's default"));
                }
                let stable = chosen().filter(|candidate| candidate.support != Support::Preview);
                stable
                    .max_by(|a, b| a.version.cmp(&b.version))
                    .map(|newest| picked(&newest.version, "the newest the cloud offers"))
                    .ok_or_else(|| "the cloud offers no version".into())
            }
            Self::Given(asked) => chosen()
                .map(|candidate| &candidate.version)
                .filter(|version| asked.covers(version))
                .max()
                .map(|version| picked(version, &format!("the newest that matches {asked}")))
                .ok_or_else(|| {
                    let mut all: Vec<&Version> = chosen().map(|candidate| &candidate.version).collect();
                    all.sort();
                    let all = all.iter().map(ToString::to_string).collect();
                    Says::from(format!("{asked} is not offered; ")).term(Term::Versions(all))
                }),
        }
    }
}

fn picked(version: &Version, why: &str) -> Picked {
    Picked { version: version.clone(), says: format!("{version}, {why}") }
}

impl FromStr for VersionRequest {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        match text {
            "" | "default" => Ok(Self::Default),
            given => given.parse().map(Self::Given),
        }
    }
}

impl fmt::Display for VersionRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Given(version) => version.fmt(f),
        }
    }
}

impl Serialize for VersionRequest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for VersionRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;

    fn v(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn reads_what_clouds_write() {
        for (text, shown) in [
            ("1.31", "1.31"),
            ("v1.31.4", "1.31.4"),
            ("1.31.4-gke.1000", "1.31.4-gke.1000"),
            ("1.33.1-aliyun.1", "1.33.1-aliyun.1"),
            ("v1.30.2+IKS", "1.30.2+IKS"),
        ] {
            assert_eq!(v(text).to_string(), shown);
        }
    }

    #[test]
    fn refuses_what_is_no_version() {
        for text in [
            "",
            "1",
            "1.",
            "1.x",
            "0.0.banana",
            "1.31.4.5",
            "1.-2",
            "1.31-",
            "1.31 ",
            "1.31.4-ü",
            "+1.31",
            "1.9999999",
            "0.1",
        ] {
            assert!(text.parse::<Version>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn orders_by_number_then_by_natural_suffix() {
        let sorted = ["1.9", "1.31", "1.31.1", "1.31.4-gke.9", "1.31.4-gke.10", "1.31.10", "2.0"];
        let mut shuffled: Vec<Version> = sorted.iter().rev().map(|t| v(t)).collect();
        shuffled.sort();
        assert_eq!(shuffled.iter().map(ToString::to_string).collect::<Vec<_>>(), sorted);
    }

    #[test]
    fn is_a_floor() {
        for (have, floor, reached) in [
            ("1.31", "1.31", true),
            ("1.32", "1.31", true),
            ("1.30", "1.31", false),
            ("1.31", "1.31.4", true),
            ("1.31.3", "1.31.4", false),
            ("1.31.4-gke.10", "1.31.4", true),
            ("1.31.4-gke.9", "1.31.4-gke.10", false),
            ("1.31.5", "1.31.4-gke.10", true),
        ] {
            assert_eq!(v(have).reaches(&v(floor)), reached, "{have} reaches {floor}");
        }
    }

    #[test]
    fn is_lower_as_far_as_both_say() {
        for (asked, present, below) in [
            ("1.30", "1.31.4", true),
            ("1.31", "1.31.4", false),
            ("1.31.4", "1.31", false),
            ("1.31.3", "1.31.4", true),
            ("1.31.4", "1.31.4-gke.10", false),
            ("1.31.4-gke.10", "1.31.4", false),
            ("1.31.4-gke.9", "1.31.4-gke.10", true),
            ("1.31.5-gke.1", "1.31.4-gke.10", false),
            ("1.32", "1.31", false),
        ] {
            assert_eq!(v(asked).is_below(&v(present)), below, "{asked} below {present}");
        }
    }

    #[test]
    fn hops_one_minor_at_a_time() {
        let hops = |from: &str, to: &str| {
            v(from).hops_to(&v(to)).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(hops("1.31", "1.33"), ["1.32", "1.33"]);
        assert_eq!(hops("1.31.2", "1.32.4-gke.1"), ["1.32.4-gke.1"]);
        assert!(hops("1.33", "1.31").is_empty());
    }

    #[test]
    fn picks_the_default_else_the_best_match() {
        let offered = [
            ("1.29", false, Support::Unsupported),
            ("1.31.2", false, Support::Extended),
            ("1.32.1", true, Support::Standard),
            ("1.31.10", false, Support::Extended),
            ("1.33.0", false, Support::Preview),
        ]
        .map(|(version, default, support)| KubernetesVersion {
            version: v(version),
            default,
            support,
            end_of_standard_support: None,
            end_of_extended_support: None,
        });
        let pick = |text: &str| text.parse::<VersionRequest>().unwrap().pick(&offered);
        assert_eq!(pick("").unwrap().version, v("1.32.1"));
        assert_eq!(pick("default").unwrap().says, "1.32.1, the cloud's default");
        assert_eq!(pick("1.31").unwrap().version, v("1.31.10"));
        assert_eq!(pick("1.31.2").unwrap().version, v("1.31.2"));
        assert_eq!(
            pick("1.40").unwrap_err().plain(),
            "1.40 is not offered; offered are 1.31.2, 1.31.10, 1.32.1, 1.33.0"
        );
        assert_eq!(VersionRequest::Default.pick(&[]).unwrap_err().plain(), "the cloud offers no version");
    }

    fn almost_a_version() -> impl Strategy<Value = String> {
        prop_oneof![
            "v?[0-9]{1,7}(\\.[0-9]{0,7}){0,3}([-+][a-z0-9.+_-]{0,12})?",
            "1\\.3[0-9](\\.[0-9]{1,2}(-(gke|eks)\\.[0-9]{1,25})?)?",
            "\\PC{0,24}",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 2000, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default()
        })]
        #[test]
        fn what_is_read_is_written_as_it_was(text in almost_a_version()) {
            match text.parse::<Version>() {
                Ok(version) => {
                    prop_assert_eq!(version.to_string().parse::<Version>(), Ok(version.clone()));
                    prop_assert!(version.covers(&version) && version.reaches(&version));
                    prop_assert!(!version.is_below(&version) && version.hops_to(&version).is_empty());
                }
                Err(refused) => prop_assert!(refused.to_string().chars().count() < 1000),
            }
        }

        #[test]
        fn versions_are_in_one_order(texts in prop::collection::vec(almost_a_version(), 3)) {
            let read: Vec<Version> = texts.iter().filter_map(|text| text.parse().ok()).collect();
            let [a, b, c] = read.as_slice() else { return Ok(()) };
            prop_assert_eq!(a.cmp(b), b.cmp(a).reverse());
            prop_assert_eq!(a == b, a.cmp(b) == Ordering::Equal);
            prop_assert!(!(a <= b && b <= c) || a <= c);
            prop_assert!(!(a.is_below(b) && b.is_below(a)));
        }
    }
}
