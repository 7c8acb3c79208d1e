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

/// The most characters of a name of ours.
const MOST_CHARACTERS: usize = 255;

/// Why a name cannot be one of ours, whatever a cloud allows, or `None` if it can.
///
/// It stands in paths, in files and in the line of a table: `-` means «all» there, and `.` and `..` are folded away by
/// whoever reads a URL. What is imported has a name at the cloud already; this is all that holds for ours of it.
/// Source: <https://url.spec.whatwg.org/#double-dot-path-segment>
pub fn refusal_of_ours(name: &str) -> Option<String> {
    let says = match name {
        "" => "a name is required",
        "-" | "." | ".." => return Some(format!("the name {name:?} is reserved")),
        _ if name.chars().count() > MOST_CHARACTERS => "must be at most 255 characters",
        _ if name.contains(char::is_control) => "must hold no control characters",
        _ if name.trim() != name => "must not begin or end with a space",
        _ => return None,
    };
    Some(says.to_owned())
}

/// Why a text can name nothing of ours or of a cloud's, or `None` if it can.
pub fn refusal_of_reference(text: &str) -> Option<&'static str> {
    match text {
        "" => Some("a name is required"),
        "-" => Some("a name is required: \"-\" is reserved, and names nothing"),
        _ => None,
    }
}

impl NameRule {
    /// Why this name is not allowed, or `None` if it is: our own rules first, then the cloud's.
    pub fn refusal(&self, name: &str) -> Option<String> {
        refusal_of_ours(name)
            .or_else(|| (!self.allows(name)).then(|| format!("must be {} ({})", self.says, self.pattern)))
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
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

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
    fn a_name_of_ours_stands_in_a_path_and_in_a_line() {
        let longest = "x".repeat(255);
        for name in ["Old Network", "운영망", "a/b", "...", "%2e", &longest] {
            assert_eq!(refusal_of_ours(name), None, "{name:?}");
        }
        let too_long = "x".repeat(256);
        for name in ["", "-", ".", "..", " a", "a ", "\u{a0}a", "a\nb", "\u{7f}", &too_long] {
            assert!(refusal_of_ours(name).is_some(), "{name:?}");
        }
    }

    #[test]
    fn names_the_pattern() {
        assert_eq!(RULE.refusal("A").unwrap(), "must be lower-case letters (^[a-z][a-z0-9-]{0,9}$)");
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 2000, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default()
        })]
        #[test]
        fn what_may_be_a_name_can_stand_on_a_line_and_in_a_path(name in "(\\PC{0,8}|[\\s\\S]{0,8}|[./-]{0,4}|x{250,260})") {
            if refusal_of_ours(&name).is_none() {
                prop_assert!(!name.is_empty() && name.chars().count() <= MOST_CHARACTERS);
                prop_assert!(!name.chars().any(char::is_control), "{:?}", name);
                prop_assert!(!["-", ".", ".."].contains(&&*name));
            }
            prop_assert!(RULE.allows(&name) || RULE.refusal(&name).is_some());
        }
    }
}
