//! What EKS takes and answers: only the fields we use; unknown ones are ignored when reading.
//!
//! Source: <https://docs.aws.amazon.com/eks/latest/APIReference/Welcome.html>

#![expect(clippy::struct_field_names, reason = "the fields are called as EKS calls them")]

mod clusters;
mod node_groups;
mod parts;
mod upgrades;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

pub(crate) use clusters::*;
pub(crate) use node_groups::*;
pub(crate) use parts::*;
pub(crate) use upgrades::*;

/// A moment as REST-JSON writes it (seconds with a fraction, perhaps with an exponent), or as an ISO text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment(pub(crate) Timestamp);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Seconds(f64),
            Text(String),
        }
        let moment = match Written::deserialize(deserializer)? {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "milliseconds since 1970 fit; others saturate and are refused"
            )]
            Written::Seconds(seconds) => Timestamp::from_millisecond((seconds * 1000.0).round() as i64),
            Written::Text(text) => text.parse(),
        };
        moment.map(Self).map_err(serde::de::Error::custom)
    }
}

/// A page of names; the list's own name differs by call.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Names {
    #[serde(
        default,
        alias = "clusters",
        alias = "nodegroups",
        alias = "fargateProfileNames",
        alias = "addons"
    )]
    pub(crate) names: Vec<String>,
    pub(crate) next_token: Option<String>,
}

/// What is wrong with a cluster or node group.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Health {
    #[serde(default)]
    pub(crate) issues: Vec<Issue>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Issue {
    #[serde(default)]
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) resource_ids: Vec<String>,
}

/// An empty value for `null`, which some endpoints send where they mean nothing.
fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_come_in_three_forms() {
        for text in ["1516741388.853", "1.516741388853E9", "\"2018-01-23T21:03:08.853Z\""] {
            let moment: Moment = serde_json::from_str(text).unwrap();
            assert_eq!(moment.0.to_string(), "2018-01-23T21:03:08.853Z", "{text}");
        }
        for text in ["1e300", "\"yesterday\"", "[]"] {
            assert!(serde_json::from_str::<Moment>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn nulls_are_nothing() {
        let group: Nodegroup =
            serde_json::from_str(r#"{"nodegroupName":"g","instanceTypes":null,"tags":null,"unknown":1}"#)
                .unwrap();
        assert!(group.instance_types.is_empty() && group.tags.is_empty());
    }
}
