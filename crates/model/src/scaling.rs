//! How many nodes: limits, the wish, and what is sent to a cloud.

use serde::{Deserialize, Serialize};

use crate::Findings;

/// The size of a node group. With autoscaling on, `desired` is where creation starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scaling {
    /// Whether the cloud, or an autoscaler in the cluster, moves the size between the limits.
    pub auto_scaling: bool,
    /// The least number of nodes.
    pub min: u32,
    /// The largest number of nodes.
    pub max: u32,
    /// The wanted number of nodes.
    pub desired: u32,
}

impl Scaling {
    /// More nodes than any managed Kubernetes takes in one group.
    pub const LARGEST: u32 = 10_000;

    /// Checks `min <= desired <= max`, and that `max` is at least one and of this world.
    pub fn validate(&self, field: &str, findings: &mut Findings) {
        if self.max == 0 || self.max > Self::LARGEST {
            findings.add(format!("{field}.max"), format!("must be from 1 to {}", Self::LARGEST));
        }
        if self.min > self.max {
            findings.add(format!("{field}.min"), format!("must not exceed max ({})", self.max));
        }
        if self.desired < self.min || self.desired > self.max {
            findings.add(
                format!("{field}.desired"),
                format!("must lie from min ({}) to max ({})", self.min, self.max),
            );
        }
    }

    /// The number of nodes to send to the cloud, given the number it has now; `None`: leave it alone.
    ///
    /// With autoscaling on the size belongs to the autoscaler: it is sent only to bring it back within new limits.
    pub fn to_send(&self, observed: Option<u32>) -> Option<u32> {
        match (self.auto_scaling, observed) {
            (false, _) | (true, None) => Some(self.desired),
            (true, Some(now)) => {
                let clamped = now.clamp(self.min, self.max.max(self.min));
                (clamped != now).then_some(clamped)
            }
        }
    }
}

/// A change of scaling: what is absent stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScalingChange {
    /// Autoscaling on or off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_scaling: Option<bool>,
    /// The least number of nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
    /// The largest number of nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// The wanted number of nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desired: Option<u32>,
}

impl ScalingChange {
    /// The whole scaling that results. A `desired` that was not given is moved into new limits.
    pub fn applied_to(&self, now: Scaling) -> Scaling {
        let min = self.min.unwrap_or(now.min);
        let max = self.max.unwrap_or(now.max);
        let desired = self.desired.unwrap_or_else(|| now.desired.clamp(min.min(max), max));
        Scaling { auto_scaling: self.auto_scaling.unwrap_or(now.auto_scaling), min, max, desired }
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scaling(auto_scaling: bool, min: u32, max: u32, desired: u32) -> Scaling {
        Scaling { auto_scaling, min, max, desired }
    }

    #[test]
    fn reports_every_finding() {
        for (given, fields) in [
            (scaling(true, 1, 3, 2), vec![]),
            (scaling(false, 0, 1, 0), vec![]),
            (scaling(true, 4, 3, 2), vec!["s.min", "s.desired"]),
            (scaling(true, 0, 0, 0), vec!["s.max"]),
            (scaling(true, 0, u32::MAX, 1), vec!["s.max"]),
            (scaling(true, 1, 3, 9), vec!["s.desired"]),
        ] {
            let mut findings = Findings::default();
            given.validate("s", &mut findings);
            assert_eq!(
                findings.iter().map(|finding| finding.field.as_str()).collect::<Vec<_>>(),
                fields,
                "{given:?}"
            );
        }
    }

    #[test]
    fn sends_desired_only_where_it_belongs_to_the_user() {
        assert_eq!(scaling(false, 1, 5, 3).to_send(Some(4)), Some(3));
        assert_eq!(scaling(true, 1, 5, 3).to_send(Some(4)), None);
        assert_eq!(scaling(true, 1, 5, 3).to_send(Some(9)), Some(5));
        assert_eq!(scaling(true, 2, 5, 3).to_send(Some(1)), Some(2));
        assert_eq!(scaling(true, 2, 5, 3).to_send(None), Some(3));
    }

    #[test]
    fn keeps_what_was_not_asked_for() {
        let now = scaling(false, 1, 3, 3);
        let change = ScalingChange { max: Some(2), ..ScalingChange::default() };
        assert_eq!(change.applied_to(now), scaling(false, 1, 2, 2));
        assert!(ScalingChange::default().is_empty());
    }
}
