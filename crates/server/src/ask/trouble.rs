//! What serde's messages mean. They speak of the types that read; who asks knows JSON alone.

use serde_json::{Value, json};

/// The largest of 64 bits.
const LARGEST: f64 = 9_223_372_036_854_775_807.0;

/// What is wrong at a place.
#[derive(Debug, PartialEq)]
pub(super) enum Trouble {
    /// This field is not there.
    Missing(String),
    /// The field is none of those that may be there.
    Unknown(String),
    /// This field is there twice.
    Twice(String),
    /// There should be a number, and is none that fits.
    NoNumber(String),
    /// There should be another word.
    Word(String),
    /// There should be something of another kind.
    Kind {
        /// In words.
        says: String,
        /// Something of the kind that there should be.
        stand_in: Value,
    },
    /// Anything else.
    Other,
}

impl Trouble {
    /// From the words of serde.
    pub(super) fn of(says: &str) -> Self {
        let says = says.split(" at line ").next().unwrap_or_default();
        if let Some(field) = quoted(says, "missing field `") {
            return Self::Missing(field);
        }
        if let Some(field) = quoted(says, "duplicate field `") {
            return Self::Twice(field);
        }
        if says.starts_with("unknown field `") {
            return Self::Unknown(match known(says).as_slice() {
                [] => "is not known here; nothing is".to_owned(),
                known => format!("is not known here; known are {}", known.join(", ")),
            });
        }
        if says.starts_with("unknown variant `") {
            return Self::Word(format!("must be {}", known(says).join(" or ")));
        }
        // Of texts that are read as numbers, in a query.
        match says {
            "invalid digit found in string" | "cannot parse integer from empty string" => {
                return Self::Word("must be a whole number of at least 0".to_owned());
            }
            "number too large to fit in target type" => {
                return Self::NoNumber("is too large a number".to_owned());
            }
            _ => {}
        }
        let wrong = says.strip_prefix("invalid type: ").or_else(|| says.strip_prefix("invalid value: "));
        match wrong.and_then(|wrong| wrong.rsplit_once(", expected ")) {
            Some((found, expected)) => Self::kind(found, expected),
            None => Self::Other,
        }
    }

    fn kind(found: &str, expected: &str) -> Self {
        let (wanted, stand_in) = match expected {
            "u16" | "u32" | "u64" | "usize" => return Self::NoNumber(no_number(found, " of at least 0")),
            "i64" => return Self::NoNumber(no_number(found, "")),
            "a string" => ("a text", json!("")),
            "a boolean" => ("true or false", json!(false)),
            "a sequence" => ("an array", json!([])),
            "a map" => ("an object", json!({})),
            named if named.starts_with("struct ") => ("an object", json!({})),
            _ => return Self::Other,
        };
        Self::Kind { says: format!("must be {wanted}, not {}", kind(found)), stand_in }
    }
}

/// What may be there. Every second part stands between the marks; the first of them is what was given.
fn known(says: &str) -> Vec<&str> {
    says.split('`').skip(1).step_by(2).skip(1).collect()
}

fn quoted(says: &str, before: &str) -> Option<String> {
    says.strip_prefix(before)?.split('`').next().map(str::to_owned)
}

fn no_number(found: &str, least: &str) -> String {
    if let Some(number) = quoted(found, "integer `") {
        return if number.starts_with('-') {
            format!("must be a whole number{least}, not {number}")
        } else {
            format!("{number} is too large a number")
        };
    }
    if let Some(number) = quoted(found, "floating point `") {
        // What no integer of JSON's readers holds is read as this, and was written as a whole number.
        if number.parse::<f64>().is_ok_and(|number| number.fract() == 0.0 && number.abs() > LARGEST) {
            return "is too large a number".to_owned();
        }
        return "must be a whole number, without a point or an exponent".to_owned();
    }
    format!("must be a number, not {}", kind(found))
}

/// The kind of what was found, never what it says.
fn kind(found: &str) -> &'static str {
    match found.split(' ').next().unwrap_or_default() {
        "string" => "a text",
        "integer" | "floating" => "a number",
        "boolean" => "true or false",
        "map" => "an object",
        "sequence" => "an array",
        "null" | "unit" => "null",
        _ => "something else",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_serde_become_words_of_json() {
        let text = |says: &str| match Trouble::of(says) {
            Trouble::NoNumber(says)
            | Trouble::Kind { says, .. }
            | Trouble::Unknown(says)
            | Trouble::Word(says) => says,
            other => format!("{other:?}"),
        };
        for (says, wanted) in [
            (
                "invalid type: sequence, expected struct NewScaling at line 1 column 9",
                "must be an object, not an array",
            ),
            ("invalid type: map, expected a sequence", "must be an array, not an object"),
            (
                "invalid type: string \", expected u16\", expected a boolean",
                "must be true or false, not a text",
            ),
            ("invalid value: integer `-1`, expected u32", "must be a whole number of at least 0, not -1"),
            (
                "invalid value: integer `18446744073709551615`, expected i64",
                "18446744073709551615 is too large a number",
            ),
            ("invalid type: floating point `1.8446744073709552e19`, expected u32", "is too large a number"),
            (
                "invalid type: floating point `1.5`, expected u32",
                "must be a whole number, without a point or an exponent",
            ),
            ("unknown field `x`, expected `y` or `z`", "is not known here; known are y, z"),
            ("unknown field `x`, there are no fields", "is not known here; nothing is"),
            ("unknown variant `zz`, expected one of `a`, `b`, `c`", "must be a or b or c"),
            ("invalid digit found in string", "must be a whole number of at least 0"),
            ("number too large to fit in target type", "is too large a number"),
            ("missing field `x`", "Missing(\"x\")"),
            ("duplicate field `x` at line 1 column 7", "Twice(\"x\")"),
            ("the moon is full", "Other"),
        ] {
            assert_eq!(text(says), wanted);
        }
    }
}
