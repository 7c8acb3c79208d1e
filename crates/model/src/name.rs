//! What names a cloud allows, as data.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

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

/// The most characters of a name of ours. No cloud's rule allows as many: they are for what has another name there.
/// Two of them at a connection, each of the letters that take most room, are a path that a server still reads.
const MOST_CHARACTERS: usize = 512;

/// Why a name cannot be one of ours, whatever a cloud allows, or `None` if it can.
///
/// It stands in paths, in files and in the line of a table: `-` means «all» there, and `.` and `..` are folded away by
/// whoever reads a URL. What is imported has a name at the cloud already; this is all that holds for ours of it.
/// Source: <https://url.spec.whatwg.org/#double-dot-path-segment>
pub fn refusal_of_ours(name: &str) -> Option<String> {
    let says = match name {
        "" => "is required",
        "-" | "." | ".." => return Some(format!("the name {name:?} is reserved")),
        _ if name.chars().count() > MOST_CHARACTERS => "must be at most 512 characters",
        _ if name.contains(char::is_control) => "must hold no control characters",
        _ if name.trim() != name => "must not begin or end with a space",
        _ => return None,
    };
    Some(says.to_owned())
}

/// The most characters of a connection's name.
const MOST_CHARACTERS_OF_CONNECTION: usize = 255;

/// Why a connection cannot be called so, or `None` if it can.
///
/// It stands where other names of ours do, and beside them: in `CONNECTION/NAME`, so that it holds no slash; in what
/// others read and act by, a kubeconfig or a line of a log, so that it holds nothing that nobody sees.
pub fn refusal_of_connection(name: &str) -> Option<String> {
    refusal_of_ours(name).or_else(|| {
        let says = match name {
            _ if name.chars().count() > MOST_CHARACTERS_OF_CONNECTION => "must be at most 255 characters",
            _ if name.contains('/') => "must hold no slash",
            _ if name.contains(is_unseen) => {
                "must hold no characters that nobody sees, such as marks of direction"
            }
            _ => return None,
        };
        Some(says.to_owned())
    })
}

/// Whether a character steers the text around it and shows nothing itself: those of the general categories `Cf`, `Zl`
/// and `Zp`.
///
/// Source: <https://www.unicode.org/Public/16.0.0/ucd/extracted/DerivedGeneralCategory.txt>
fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}'
        | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}'
        | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0001}'
        | '\u{e0020}'..='\u{e007f}')
}

/// Why a text can name nothing of ours or of a cloud's, or `None` if it can.
pub fn refusal_of_reference(text: &str) -> Option<&'static str> {
    match text {
        "" => Some("is required"),
        "-" => Some("is required: \"-\" is reserved, and names nothing"),
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
        compiled(self.pattern).is_some_and(|pattern| pattern.is_match(text))
    }
}

/// The patterns that were asked for: no more than the program has.
static COMPILED: Mutex<BTreeMap<&'static str, Arc<Regex>>> = Mutex::new(BTreeMap::new());

/// A pattern, compiled once: that costs more than most of a request's other checks. `None`: it is none.
fn compiled(pattern: &'static str) -> Option<Arc<Regex>> {
    let mut known = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = known.get(pattern) {
        return Some(Arc::clone(known));
    }
    let new = Arc::new(Regex::new(pattern).ok()?);
    known.insert(pattern, Arc::clone(&new));
    Some(new)
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
    fn a_pattern_is_compiled_once() {
        let (one, other) = (compiled(RULE.pattern).unwrap(), compiled(RULE.pattern).unwrap());
        assert!(Arc::ptr_eq(&one, &other) && one.as_str() == RULE.pattern);
        assert!(compiled("(").is_none() && !NameRule { pattern: "(", says: "" }.allows("("));
    }

    #[test]
    fn a_name_of_ours_stands_in_a_path_and_in_a_line() {
        let longest = "x".repeat(512);
        for name in ["Old Network", "운영망", "a/b", "...", "%2e", &longest] {
            assert_eq!(refusal_of_ours(name), None, "{name:?}");
        }
        let too_long = "x".repeat(513);
        for name in ["", "-", ".", "..", " a", "a ", "\u{a0}a", "a\nb", "\u{7f}", &too_long] {
            assert!(refusal_of_ours(name).is_some(), "{name:?}");
        }
    }

    #[test]
    fn a_connection_is_called_as_people_call_it() {
        let longest = "가".repeat(255);
        for name in
            ["aws-(ohio)us-east-2", "서울 운영망", "a@b", "-x", "--help", "x'\"$`\\", "null", "🚀", &longest]
        {
            assert_eq!(refusal_of_connection(name), None, "{name:?}");
        }
        let too_long = "x".repeat(256);
        for name in
            ["", "-", ".", "..", "a/b", "/", " a", "a\u{3000}", "a\tb", "a\u{200b}b", "\u{202e}a", &too_long]
        {
            assert!(refusal_of_connection(name).is_some(), "{name:?}");
        }
    }

    #[test]
    fn no_more_is_unseen_than_unicode_has() {
        // 170 of `Cf`, and `Zl` and `Zp` are one each.
        assert_eq!((char::MIN..=char::MAX).filter(|one| is_unseen(*one)).count(), 172);
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
        fn what_may_be_a_name_can_stand_on_a_line_and_in_a_path(name in "(\\PC{0,8}|[\\s\\S]{0,8}|[./-]{0,4}|x{507,517})") {
            if refusal_of_ours(&name).is_none() {
                prop_assert!(!name.is_empty() && name.chars().count() <= MOST_CHARACTERS);
                prop_assert!(!name.chars().any(char::is_control), "{:?}", name);
                prop_assert!(!["-", ".", ".."].contains(&&*name));
                prop_assert_eq!(name.trim(), &name);
            }
            prop_assert!(RULE.allows(&name) || RULE.refusal(&name).is_some());
        }

        #[test]
        fn nothing_unseen_is_in_a_connections_name(unseen in "[\\p{Cf}\\p{Zl}\\p{Zp}\\p{Cc}]", around in "[a-z]") {
            prop_assert!(refusal_of_connection(&format!("{around}{unseen}{around}")).is_some(), "{:?}", unseen);
        }

        #[test]
        fn whatever_is_seen_is_in_a_connections_name(seen in "[\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}--/]") {
            prop_assert_eq!(refusal_of_connection(&format!("a{seen}a")), None);
        }
    }
}
