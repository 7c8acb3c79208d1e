//! Bodies of requests that hold numbers, as flags, pairs and files say them. Their fields are those of `/v1`.

use serde::{Deserialize, Serialize};

use super::number::Number;

/// A node group to be made.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NodeGroupBody {
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unique_cloud_name: Option<bool>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) version: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) machine_type: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) image: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) root_disk_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) root_disk_size_gib: Option<Number>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) key_pair: String,
    /// `None`: the least that the cloud takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) scaling: Option<ScalingBody>,
}

/// Limits and size of a node group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ScalingBody {
    pub(crate) auto_scaling: bool,
    pub(crate) min: Number,
    pub(crate) max: Number,
    pub(crate) desired: Number,
}

/// A change of scaling.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScaleBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) auto_scaling: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) min: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) desired: Option<Number>,
}

/// A rule of a security group.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RuleBody {
    pub(crate) direction: String,
    pub(crate) protocol: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from_port: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) to_port: Option<Number>,
    pub(crate) cidr: String,
}

/// Limits and size where some of the numbers are left out: who gives one number means that many nodes, and who says
/// nothing at all leaves it to the cloud.
pub(crate) fn scaling(
    auto_scaling: bool,
    min: Option<Number>,
    max: Option<Number>,
    desired: Option<Number>,
) -> Option<ScalingBody> {
    if !auto_scaling && [&min, &max, &desired].into_iter().all(Option::is_none) {
        return None;
    }
    let one = || Number::from(1);
    let desired = desired.or_else(|| min.clone()).or_else(|| max.clone()).unwrap_or_else(one);
    let min = min.unwrap_or_else(|| desired.clone());
    let max = max.unwrap_or_else(|| desired.clone().at_least(&min).at_least(&one()));
    Some(ScalingBody { auto_scaling, min, max, desired })
}
