//! What a case came to: its end, and what it took.

use std::collections::BTreeMap;

use pmks_model::ResourceKind;
use serde::Serialize;
use serde_json::{Value, json};

/// What a case took.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Figures {
    /// How long, in seconds.
    pub(crate) seconds: u64,
    /// Requests to the cloud, every try counted.
    pub(crate) calls: usize,
    /// Resources that were asked for, by kind.
    pub(crate) made: BTreeMap<ResourceKind, usize>,
}

impl Figures {
    /// Both together.
    pub(crate) fn and(&self, other: &Self) -> Self {
        let mut made = self.made.clone();
        for (kind, count) in &other.made {
            *made.entry(*kind).or_insert(0) += count;
        }
        Self { seconds: self.seconds + other.seconds, calls: self.calls + other.calls, made }
    }

    /// What was made, for people.
    pub(crate) fn made_says(&self) -> String {
        let order = [
            (ResourceKind::Cluster, "clusters"),
            (ResourceKind::NodeGroup, "node groups"),
            (ResourceKind::Network, "networks"),
            (ResourceKind::Subnet, "subnets"),
            (ResourceKind::SecurityGroup, "security groups"),
            (ResourceKind::KeyPair, "key pairs"),
        ];
        let says: Vec<String> = order
            .iter()
            .filter_map(|(kind, words)| {
                let count = self.made.get(kind).copied().filter(|count| *count > 0)?;
                let words = if count == 1 { words.trim_end_matches('s') } else { words };
                Some(format!("{count} {words}"))
            })
            .collect();
        if says.is_empty() { "nothing".to_owned() } else { says.join(", ") }
    }

    /// As a row of a table.
    pub(crate) fn row(&self) -> Value {
        json!({"seconds": self.seconds, "calls": self.calls, "made": self.made})
    }
}

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", content = "reason", rename_all = "camelCase")]
pub(crate) enum End {
    /// All that it asserts holds.
    Passed,
    /// It could not be run here.
    Skipped(String),
    /// Something does not hold.
    Failed(String),
    /// Ctrl-C.
    Interrupted(String),
    /// It was not begun.
    NotRun(String),
}

impl End {
    /// In one word.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Skipped(_) => "skipped",
            Self::Failed(_) => "failed",
            Self::Interrupted(_) => "interrupted",
            Self::NotRun(_) => "not run",
        }
    }

    /// Why, if there is anything to say.
    pub(crate) fn reason(&self) -> &str {
        match self {
            Self::Passed => "",
            Self::Skipped(why) | Self::Failed(why) | Self::Interrupted(why) | Self::NotRun(why) => why,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_add_up_and_are_said() {
        let one = |kind, count| Figures { seconds: 60, calls: 5, made: BTreeMap::from([(kind, count)]) };
        let sum = one(ResourceKind::Cluster, 1).and(&one(ResourceKind::Network, 2));
        assert_eq!((sum.seconds, sum.calls), (120, 10));
        assert_eq!(sum.made_says(), "1 cluster, 2 networks");
        assert_eq!(Figures::default().made_says(), "nothing");
    }
}
