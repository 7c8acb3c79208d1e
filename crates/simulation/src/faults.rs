//! Faults on demand: rules that say which call fails and how. The cloud says in its own words what a fault means.
//!
//! `PUT /_sim/faults` takes `{"rules": [Rule…]}` and replaces all rules; `"events": […]` are things that happen in the
//! world at once, described by each cloud, and leave the rules alone when `rules` is absent. For example:
//! `{"rules":[{"match":{"service":"eks","action":"CreateCluster","nth":1},"effect":{"type":"resetAfter"}}]}`.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::{Deed, Random};

/// Which calls a rule is about; what is absent matches everything.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Matcher {
    /// The cloud's service (`eks`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The cloud's name of the call (`CreateCluster`); a `*` at the end matches any rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Only the nth of the calls that match otherwise, counted from 1 since the rule was put.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// How likely it strikes, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// The resource that the request names, whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
}

/// What happens to a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Effect {
    /// Refused as too many calls, in the cloud's words.
    Throttle {
        /// Seconds for a `Retry-After` header.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_seconds: Option<u64>,
    },
    /// Refused with this HTTP status and error code, in the protocol's shape; nothing is applied.
    Status {
        /// HTTP status.
        status: u16,
        /// The cloud's error code.
        code: String,
        /// The cloud's message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    /// Refused for want of permission, in the cloud's words.
    Deny,
    /// The connection is reset and nothing is applied.
    ResetBefore,
    /// The call is applied, then the connection is reset without an answer.
    ResetAfter,
    /// The connection is reset at once; the call is applied after that much work time.
    ApplyLate {
        /// Seconds of work time.
        seconds: u64,
    },
    /// The answer comes that much later, in real time.
    Delay {
        /// Seconds of real time.
        seconds: f64,
    },
    /// What the call starts never ends.
    NeverFinish,
    /// What the call makes ends in the cloud's failed state.
    FailWhileCreating {
        /// The cloud's code of the failure, where it has several.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    },
    /// The answer to this read shows the world as it was that much work time ago.
    StaleReads {
        /// Seconds of work time.
        seconds: u64,
    },
    /// The cloud has no machines of that kind at the moment.
    InsufficientCapacity,
    /// The account's quota is used up.
    Quota,
    /// 200 with a body that no client can read.
    GarbageBody,
    /// Applied, but the body ends in the middle and the connection with it.
    TruncatedBody,
    /// Just before the call, somebody else does this to the resource that it names. The rule strikes when there is such
    /// a resource, and the cloud lets it happen.
    Meanwhile {
        /// What is done.
        deed: Deed,
        /// The kinds of rows of the ground truth that may be meant; none: any.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        kinds: Vec<String>,
        /// Name or identifier of another resource than the one that the call names.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resource: Option<String>,
    },
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// Which calls.
    #[serde(default, rename = "match")]
    pub matcher: Matcher,
    /// What happens.
    pub effect: Effect,
    /// How often it strikes before it is spent; absent: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// How many calls matched so far, whether it struck or not.
    #[serde(default)]
    pub matched: u64,
    /// How often it struck.
    #[serde(default)]
    pub struck: u64,
}

impl Rule {
    /// A rule that strikes each matching call.
    pub fn new(service: &str, action: &str, effect: Effect) -> Self {
        let matcher = Matcher {
            service: Some(service.to_owned()),
            action: Some(action.to_owned()),
            ..Matcher::default()
        };
        Self { matcher, effect, times: None, matched: 0, struck: 0 }
    }

    /// Only the nth matching call.
    #[must_use]
    pub fn nth(mut self, nth: u64) -> Self {
        self.matcher.nth = Some(nth);
        self
    }

    /// Only so often.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    fn strikes(&mut self, service: &str, action: &str, resource: Option<&str>, random: &mut Random) -> bool {
        let wanted = &self.matcher;
        let right = wanted.service.as_deref().is_none_or(|wanted| wanted == service)
            && wanted.action.as_deref().is_none_or(|wanted| action_matches(wanted, action))
            && wanted.resource.as_deref().is_none_or(|wanted| resource == Some(wanted));
        if !right || self.times.is_some_and(|times| self.struck >= times) {
            return false;
        }
        self.matched += 1;
        let strikes = wanted.nth.is_none_or(|nth| nth == self.matched)
            && wanted.probability.is_none_or(|probability| random.fraction() < probability);
        self.struck += u64::from(strikes);
        strikes
    }
}

fn action_matches(wanted: &str, action: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(beginning) => action.starts_with(beginning),
        None => wanted == action,
    }
}

/// What strikes one call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effects(Vec<Effect>);

impl Effects {
    /// These effects.
    pub fn of(effects: Vec<Effect>) -> Self {
        Self(effects)
    }

    /// All of them, in the order of the rules.
    pub fn iter(&self) -> impl Iterator<Item = &Effect> {
        self.0.iter()
    }

    /// Whether what the call starts never ends.
    pub fn never_finish(&self) -> bool {
        self.0.contains(&Effect::NeverFinish)
    }

    /// Whether what the call makes fails, and with which of the cloud's codes.
    pub fn fail_while_creating(&self) -> Option<Option<&str>> {
        self.0.iter().find_map(|effect| match effect {
            Effect::FailWhileCreating { code } => Some(code.as_deref()),
            _ => None,
        })
    }

    /// How old the world is that a read shows, in seconds of work time.
    pub fn stale_seconds(&self) -> Option<u64> {
        self.0.iter().find_map(|effect| match effect {
            Effect::StaleReads { seconds } => Some(*seconds),
            _ => None,
        })
    }

    /// Whether machines have run out.
    pub fn insufficient_capacity(&self) -> bool {
        self.0.contains(&Effect::InsufficientCapacity)
    }

    /// Whether the quota is used up.
    pub fn quota(&self) -> bool {
        self.0.contains(&Effect::Quota)
    }
}

/// The rules of one simulated cloud.
#[derive(Debug)]
pub struct Faults {
    inner: Mutex<(Vec<Rule>, Random)>,
}

impl Faults {
    /// No rules; `seed` decides what probabilities give.
    pub fn new(seed: u64) -> Self {
        Self { inner: Mutex::new((Vec::new(), Random::new(seed))) }
    }

    /// Replaces all rules.
    pub fn put(&self, rules: Vec<Rule>) {
        self.lock().0 = rules;
    }

    /// Adds one rule.
    pub fn add(&self, rule: Rule) {
        self.lock().0.push(rule);
    }

    /// The rules with how often each matched and struck.
    pub fn rules(&self) -> Vec<Rule> {
        self.lock().0.clone()
    }

    /// Removes all rules.
    pub fn clear(&self) {
        self.lock().0.clear();
    }

    /// Whether some rule shows old worlds, so that these must be kept.
    pub fn wants_history(&self) -> bool {
        self.lock().0.iter().any(|rule| matches!(rule.effect, Effect::StaleReads { .. }))
    }

    /// An effect that could not happen has not struck: the next call that matches is struck instead.
    pub(crate) fn spare(&self, effect: &Effect) {
        if let Some(rule) = self.lock().0.iter_mut().find(|rule| rule.effect == *effect && rule.struck > 0) {
            rule.struck -= 1;
        }
    }

    /// What strikes this call; counts it in every rule that matches.
    pub fn strike(&self, service: &str, action: &str, resource: Option<&str>) -> Effects {
        let mut inner = self.lock();
        let (rules, random) = &mut *inner;
        let struck = rules
            .iter_mut()
            .filter_map(|rule| rule.strikes(service, action, resource, random).then(|| rule.effect.clone()));
        Effects(struck.collect())
    }

    fn lock(&self) -> MutexGuard<'_, (Vec<Rule>, Random)> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nth_call_of_an_action_is_struck_and_no_other() {
        let faults = Faults::new(1);
        faults.add(Rule::new("eks", "CreateCluster", Effect::ResetAfter).nth(2));
        let strike = |action| faults.strike("eks", action, None).iter().count();
        assert_eq!(
            [
                strike("CreateCluster"),
                strike("ListClusters"),
                strike("CreateCluster"),
                strike("CreateCluster")
            ],
            [0, 0, 1, 0]
        );
    }

    #[test]
    fn a_rule_is_spent_after_its_times() {
        let faults = Faults::new(1);
        faults.add(Rule::new("ec2", "Describe*", Effect::Deny).times(2));
        let struck =
            (0..5).filter(|_| faults.strike("ec2", "DescribeVpcs", None).iter().count() == 1).count();
        assert_eq!(struck, 2);
        assert!(faults.strike("ec2", "CreateVpc", None).iter().next().is_none());
    }

    #[test]
    fn the_documented_shape_is_read() {
        let text = r#"{"match":{"service":"eks","action":"CreateCluster","nth":1,"resource":"demo"},
            "effect":{"type":"status","status":503,"code":"ServiceUnavailableException"}}"#;
        let mut rule: Rule = serde_json::from_str(text).unwrap();
        assert!(!rule.strikes("eks", "CreateCluster", Some("other"), &mut Random::new(1)));
        assert!(rule.strikes("eks", "CreateCluster", Some("demo"), &mut Random::new(1)));
        assert!(serde_json::from_str::<Rule>(r#"{"effect":{"type":"explode"}}"#).is_err());
        assert!(serde_json::from_str::<Rule>(r#"{"matches":{},"effect":{"type":"deny"}}"#).is_err());
    }

    #[test]
    fn probability_strikes_about_as_often_as_it_says() {
        let faults = Faults::new(3);
        let mut rule = Rule::new("ec2", "*", Effect::Deny);
        rule.matcher.probability = Some(0.25);
        faults.add(rule);
        let struck = (0..1000).filter(|_| faults.strike("ec2", "X", None).iter().count() == 1).count();
        assert!((180..320).contains(&struck), "{struck}");
    }
}
