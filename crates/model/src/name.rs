//! What names a cloud allows, as data.

use regex_lite::Regex;
use serde::{Serialize, Serializer, ser::SerializeStruct};

/// A cloud's rule for one kind of name. The pattern says all, length included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameRule {
    /// An anchored regular expression, such as `^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$`.
    pub pattern: &'static str,
    /// The same in words, for people.
    pub says: &'static str,
}

impl NameRule {
    /// Why this name is not allowed, or `None` if it is.
    ///
    /// Empty names and `-` are refused everywhere: `-` stands for «all» in paths.
    pub fn refusal(&self, name: &str) -> Option<String> {
        if name.is_empty() {
            return Some("a name is required".to_owned());
        }
        if name == "-" {
            return Some("the name \"-\" is reserved".to_owned());
        }
        (!self.allows(name)).then(|| format!("must be {} ({})", self.says, self.pattern))
    }

    /// Whether the pattern alone allows this text, which may be empty.
    pub fn allows(&self, text: &str) -> bool {
        Regex::new(self.pattern).is_ok_and(|pattern| pattern.is_match(text))
    }
}

impl Serialize for NameRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("NameRule", 2)?;
        fields.serialize_field("pattern", self.pattern)?;
        fields.serialize_field("says", self.says)?;
        fields.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: NameRule = NameRule { pattern: "^[a-z][a-z0-9-]{0,9}$", says: "lower-case letters" };

    #[test]
    fn refuses_what_the_pattern_does_not_match() {
        for (name, allowed) in [
            ("a", true),
            ("abc-1", true),
            ("", false),
            ("-", false),
            ("A", false),
            ("한국", false),
            ("abcdefghijk", false),
            ("a\nb", false),
        ] {
            assert_eq!(RULE.refusal(name).is_none(), allowed, "{name:?}");
        }
    }

    #[test]
    fn names_the_pattern() {
        assert_eq!(RULE.refusal("A").unwrap(), "must be lower-case letters (^[a-z][a-z0-9-]{0,9}$)");
    }
}
