//! What Auto Scaling answers.
//!
//! Source: <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_AutoScalingGroup.html>

use serde::Deserialize;

use crate::query::{List, Tag};

/// `DescribeAutoScalingGroupsResult`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Groups {
    #[serde(default, rename = "AutoScalingGroups")]
    pub(crate) groups: List<Group>,
    #[serde(default, rename = "NextToken")]
    pub(crate) next_token: Option<String>,
}

/// An Auto Scaling group.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Group {
    #[serde(default, rename = "AutoScalingGroupName")]
    pub(crate) name: String,
    #[serde(default, rename = "DesiredCapacity")]
    pub(crate) desired: u32,
    #[serde(default, rename = "Instances")]
    pub(crate) instances: List<Instance>,
    #[serde(default, rename = "Tags")]
    pub(crate) tags: List<Tag>,
}

/// A VM of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Instance {
    #[serde(default, rename = "InstanceId")]
    pub(crate) id: String,
    #[serde(default, rename = "LifecycleState")]
    pub(crate) state: String,
    #[serde(default, rename = "InstanceType")]
    pub(crate) machine_type: String,
}
