//! How many nodes: limits, the wish, and what is sent to a cloud.

use serde::{Deserialize, Serialize};

use crate::{Findings, Says, ScalingField, Term};

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

    /// That many nodes, and nobody moves their number.
    pub fn fixed(nodes: u32) -> Self {
        Self { auto_scaling: false, min: nodes, max: nodes, desired: nodes }
    }

    /// Checks `min <= desired <= max`, and that `max` is at least one and of this world.
    pub fn validate(&self, field: &str, findings: &mut Findings) {
        if self.max == 0 || self.max > Self::LARGEST {
            findings.add(format!("{field}.max"), format!("must be from 1 to {}", Self::LARGEST));
        }
        if self.min > self.max {
            let says = Says::from("must not exceed ").term(Term::Field(ScalingField::Max));
            findings.add(format!("{field}.min"), says.text(format!(" ({})", self.max)));
        }
        if self.desired < self.min || self.desired > self.max {
            let says = Says::from("must lie from ")
                .term(Term::Field(ScalingField::Min))
                .text(format!(" ({}) to ", self.min));
            let says = says.term(Term::Field(ScalingField::Max)).text(format!(" ({})", self.max));
            findings.add(format!("{field}.desired"), says);
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

    /// The same at a cloud that keeps limits only while autoscaling is on. While it is off nothing holds them, so
    /// those that are not asked for give way to `desired`.
    pub fn applied_without_limits(self, now: Scaling) -> Scaling {
        if now.auto_scaling {
            return self.applied_to(now);
        }
        let (low, high) = (self.min.unwrap_or(0), self.max.unwrap_or(u32::MAX));
        let desired = self.desired.unwrap_or_else(|| now.desired.clamp(low.min(high), high));
        Scaling {
            auto_scaling: self.auto_scaling.unwrap_or(false),
            min: self.min.unwrap_or_else(|| now.min.min(desired)),
            max: self.max.unwrap_or_else(|| now.max.max(desired)),
            desired,
        }
    }

    /// Whether it asks for a size alone where autoscaling is on afterwards: nobody would set it.
    pub fn is_lost(&self, after: Scaling) -> bool {
        let alone = self.desired.is_some() && self.min.is_none() && self.max.is_none();
        alone && after.auto_scaling
    }

    /// The wish that results from this one, asked for after `kept`; `after` is what the cloud has then, as far as it says.
    ///
    /// While autoscaling is on nobody sets the size, and none becomes a wish: what is kept is where creation started. A
    /// `desired` that was not asked for moves into new limits, and is no wish any more where the cloud has another. A new
    /// `desired` beyond limits that were kept was refused before; should there be one, they give way, so that a wish is
    /// never at odds with itself.
    #[must_use]
    pub fn asked_after(self, kept: Self, after: Option<Scaling>) -> Self {
        let (min, max) = (self.min.or(kept.min), self.max.or(kept.max));
        let within = |desired: u32| desired.max(min.unwrap_or(0)).min(max.unwrap_or(u32::MAX));
        let started = kept.desired.map(within);
        let is_on = after.map(|after| after.auto_scaling).or(self.auto_scaling).or(kept.auto_scaling);
        let desired = if is_on == Some(true) {
            started
        } else {
            let was_on = kept.auto_scaling == Some(true);
            let stands = |desired: &u32| after.map_or(!was_on, |after| after.desired == *desired);
            self.desired.or(started.filter(stands))
        };
        Self {
            auto_scaling: self.auto_scaling.or(kept.auto_scaling),
            min: self.min.or(kept.min.map(|min| min.min(desired.unwrap_or(min)))),
            max: self.max.or(kept.max.map(|max| max.max(desired.unwrap_or(max)))),
            desired,
        }
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

    fn change(min: Option<u32>, max: Option<u32>, desired: Option<u32>) -> ScalingChange {
        ScalingChange { auto_scaling: None, min, max, desired }
    }

    #[test]
    fn limits_that_nothing_holds_give_way() {
        let off = scaling(false, 2, 2, 2);
        for (change, wanted) in [
            (change(None, None, Some(4)), scaling(false, 2, 4, 4)),
            (change(None, None, Some(0)), scaling(false, 0, 2, 0)),
            (change(Some(3), None, None), scaling(false, 3, 3, 3)),
            (change(None, Some(1), None), scaling(false, 1, 1, 1)),
            (change(Some(1), Some(5), None), scaling(false, 1, 5, 2)),
            // What was asked for stays to be found wrong.
            (change(Some(5), Some(1), None), scaling(false, 5, 1, 1)),
            (change(None, Some(1), Some(3)), scaling(false, 2, 1, 3)),
        ] {
            assert_eq!(change.applied_without_limits(off), wanted, "{change:?}");
        }
        let on = ScalingChange { auto_scaling: Some(true), ..change(None, Some(5), None) };
        assert_eq!(on.applied_without_limits(off), scaling(true, 2, 5, 2));
        let held = scaling(true, 1, 3, 2);
        assert_eq!(change(None, None, Some(9)).applied_without_limits(held), scaling(true, 1, 3, 9));
    }

    #[test]
    fn a_wish_keeps_its_size_within_its_limits() {
        let kept = change(Some(1), Some(3), Some(2));
        for (asked, wanted) in [
            (change(None, Some(1), None), change(Some(1), Some(1), Some(1))),
            (change(Some(3), None, None), change(Some(3), Some(3), Some(3))),
            (change(None, None, Some(5)), change(Some(1), Some(5), Some(5))),
            (change(None, None, Some(0)), change(Some(0), Some(3), Some(0))),
            (change(None, None, None), kept),
        ] {
            assert_eq!(asked.asked_after(kept, None), wanted, "{asked:?}");
        }
        let unknown = change(None, None, None);
        assert_eq!(change(None, None, Some(5)).asked_after(unknown, None), change(None, None, Some(5)));
    }

    #[test]
    fn a_size_that_nobody_sets_is_no_wish() {
        let switch =
            |auto_scaling| ScalingChange { auto_scaling: Some(auto_scaling), ..change(None, None, None) };
        let kept = |auto_scaling, desired| ScalingChange { desired, ..switch(auto_scaling) };
        let (on, off) = (Some(scaling(true, 1, 5, 2)), Some(scaling(false, 1, 5, 2)));
        for (asked, before, after, wanted) in [
            // Autoscaling is on: where creation started is kept, what is asked for is not.
            (change(Some(1), Some(5), Some(4)), kept(true, Some(3)), on, Some(3)),
            (change(Some(1), Some(5), Some(4)), kept(true, None), None, None),
            // Somebody else has switched it on.
            (change(Some(1), Some(5), Some(4)), kept(false, None), on, None),
            // It is switched off: the size is the cloud's, unless it is asked for.
            (switch(false), kept(true, Some(3)), off, None),
            (switch(false), kept(true, Some(3)), None, None),
            (switch(false), kept(true, Some(2)), off, Some(2)),
            (ScalingChange { desired: Some(4), ..switch(false) }, kept(true, Some(3)), None, Some(4)),
            // A wish that somebody else has overtaken.
            (change(None, Some(6), None), kept(false, Some(3)), off, None),
        ] {
            assert_eq!(asked.asked_after(before, after).desired, wanted, "{asked:?} after {before:?}");
        }
        let lone = change(None, None, Some(3));
        assert!(lone.is_lost(scaling(true, 1, 5, 2)) && !lone.is_lost(scaling(false, 1, 5, 2)));
        assert!(!change(Some(1), None, Some(3)).is_lost(scaling(true, 1, 5, 2)));
    }
}
