//! A sentence about a request, in which what surfaces call differently stands apart from the rest.

use serde::{Deserialize, Serialize};

use crate::{OperationKind, ResourceKind};

/// What is wrong and what would be right: a text, and the terms in it for which a surface may have words of its own.
///
/// It is kept as its plain text, with the places of its terms beside it where it has some.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Says {
    #[serde(rename = "says")]
    plain: String,
    #[serde(default, skip_serializing_if = "Terms::is_empty")]
    terms: Terms,
}

/// The terms of a text, by their places in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Terms(Vec<Placed>);

/// A term, and which bytes of the plain text tell it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Placed {
    from: usize,
    to: usize,
    term: Term,
}

/// What surfaces call differently. A surface with words of its own matches on it without `_`, so that no term is missed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Term {
    /// A field of a node group's scaling, by its name.
    Field(ScalingField),
    /// The same, by how a new value is asked for.
    Given(ScalingField),
    /// How autoscaling is switched off.
    AutoScalingOff,
    /// The versions that there are to choose from.
    Versions(Vec<String>),
    /// A kind of resource.
    Kind(ResourceKind),
    /// What an operation does.
    Operation(OperationKind),
    /// How a cluster is taken over although another installation has marked it.
    TakeOver,
    /// A provider, by its name.
    Provider(String),
}

/// A field of a node group's [`crate::Scaling`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ScalingField {
    /// Whether somebody moves the size.
    AutoScaling,
    /// The least number of nodes.
    Min,
    /// The largest number of nodes.
    Max,
    /// The wanted number of nodes.
    Desired,
}

impl ScalingField {
    /// Every one, for tables and tests.
    pub const ALL: [ScalingField; 4] = [Self::AutoScaling, Self::Min, Self::Max, Self::Desired];

    /// As a request has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AutoScaling => "autoScaling",
            Self::Min => "min",
            Self::Max => "max",
            Self::Desired => "desired",
        }
    }

    fn flag(self) -> &'static str {
        match self {
            Self::AutoScaling => "--auto-scaling",
            Self::Min => "--min",
            Self::Max => "--max",
            Self::Desired => "--desired",
        }
    }
}

impl Term {
    /// In the words of the command line and of `/v1`.
    fn plain(&self) -> String {
        match self {
            Self::Field(field) => field.as_str().to_owned(),
            Self::Given(field) => format!("{} ({})", field.as_str(), field.flag()),
            Self::AutoScalingOff => format!("{} false", ScalingField::AutoScaling.flag()),
            Self::Versions(all) => format!("offered are {}", all.join(", ")),
            Self::Kind(kind) => kind.says().to_owned(),
            Self::Operation(kind) => kind.as_str().to_owned(),
            Self::TakeOver => "takeOver (--take-over)".to_owned(),
            Self::Provider(name) => name.clone(),
        }
    }
}

impl Terms {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text that they are of, with them in the words of somebody else.
    pub fn in_words(&self, plain: &str, word: impl Fn(&Term) -> String) -> String {
        let mut said = String::new();
        let mut end = 0;
        for Placed { from, to, term } in &self.0 {
            // Where the text has something else there, it is right by itself all the same.
            let (Some(before), true) =
                (plain.get(end..*from), plain.get(*from..*to) == Some(term.plain().as_str()))
            else {
                return plain.to_owned();
            };
            said.push_str(before);
            said.push_str(&word(term));
            end = *to;
        }
        said.push_str(plain.get(end..).unwrap_or_default());
        said
    }
}

impl Says {
    /// A kind of resource.
    pub fn kind(kind: ResourceKind) -> Self {
        Self::default().term(Term::Kind(kind))
    }

    /// Several, with the same text between them.
    pub fn several(all: impl IntoIterator<Item = Self>, between: &str) -> Self {
        let mut all = all.into_iter();
        let first = all.next().unwrap_or_default();
        all.fold(first, |said, one| said.text(between).then(one))
    }

    /// The same with more text.
    #[must_use]
    pub fn text(mut self, text: impl AsRef<str>) -> Self {
        self.plain.push_str(text.as_ref());
        self
    }

    /// The same with a term.
    #[must_use]
    pub fn term(mut self, term: Term) -> Self {
        let from = self.plain.len();
        self.plain.push_str(&term.plain());
        self.terms.0.push(Placed { from, to: self.plain.len(), term });
        self
    }

    /// The same with what another one says.
    #[must_use]
    pub fn then(mut self, more: Self) -> Self {
        let before = self.plain.len();
        self.plain.push_str(&more.plain);
        let moved = |placed: Placed| Placed { from: placed.from + before, to: placed.to + before, ..placed };
        self.terms.0.extend(more.terms.0.into_iter().map(moved));
        self
    }

    /// Whether it tells the versions that there are to choose from.
    pub fn has_versions(&self) -> bool {
        self.terms.0.iter().any(|placed| matches!(placed.term, Term::Versions(_)))
    }

    /// Its plain text, and its terms.
    pub fn into_parts(self) -> (String, Terms) {
        (self.plain, self.terms)
    }

    /// In the words of the command line and of `/v1`.
    pub fn plain(&self) -> &str {
        &self.plain
    }

    /// With its terms in the words of somebody else.
    pub fn in_words(&self, word: impl Fn(&Term) -> String) -> String {
        self.terms.in_words(&self.plain, word)
    }
}

impl From<&str> for Says {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl From<String> for Says {
    fn from(plain: String) -> Self {
        Self { plain, terms: Terms::default() }
    }
}

impl std::fmt::Display for Says {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.plain)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Finding, Findings};

    fn every_term() -> Says {
        let versions = vec!["1.31".to_owned(), "1.32".to_owned()];
        Says::from("é ")
            .term(Term::Field(ScalingField::Min))
            .term(Term::Given(ScalingField::Max))
            .text(", (")
            .term(Term::AutoScalingOff)
            .text("); ")
            .term(Term::Versions(versions))
            .text(" by ")
            .term(Term::Provider("fake".to_owned()))
            .text("; ")
            .then(
                Says::kind(ResourceKind::NodeGroup)
                    .text(" ")
                    .term(Term::Operation(OperationKind::NetworkCreate)),
            )
    }

    #[test]
    fn terms_are_told_in_the_words_of_who_tells_them() {
        let says = every_term();
        assert_eq!(
            says.plain(),
            "é minmax (--max), (--auto-scaling false); offered are 1.31, 1.32 by fake; node group network.create"
        );
        assert_eq!(says.in_words(Term::plain), says.plain());
        assert_eq!(says.in_words(|_| "_".to_owned()), "é __, (_); _ by _; _ _");
        assert_eq!(Says::from("min, max").in_words(|_| "_".to_owned()), "min, max");
    }

    #[test]
    fn what_is_kept_is_the_plain_text_and_beside_it_its_terms() {
        let mut findings = Findings::default();
        findings.add("a", "is wrong");
        findings.add("b", every_term());
        let kept = serde_json::to_value(&findings).unwrap();
        assert_eq!(kept[0], json!({"field": "a", "says": "is wrong"}));
        assert_eq!(kept[1]["says"], every_term().plain());
        assert_eq!(serde_json::from_value::<Findings>(kept).unwrap(), findings);
        let before_terms: Finding = serde_json::from_value(json!({"field": "a", "says": "max"})).unwrap();
        assert_eq!(before_terms.says, Says::from("max"));
    }

    #[test]
    fn places_that_do_not_fit_their_text_leave_it_as_it_is() {
        for (from, to) in [(1, 2), (3, 9), (7, 7), (2, 1)] {
            let kept = json!({"says": "é x", "terms": [{"from": from, "to": to, "term": "autoScalingOff"}]});
            let says: Says = serde_json::from_value(kept).unwrap();
            let told = says.in_words(|_| "_".to_owned());
            assert_eq!(told, "é x", "{from} {to}");
        }
    }
}
