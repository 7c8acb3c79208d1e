//! What could not be read, and where. Serde's messages quote what they found: for credentials they are left out.

use crate::refused::Refused;

/// A refusal that names the field.
pub(super) fn malformed<E: std::fmt::Display>(error: serde_path_to_error::Error<E>) -> Refused {
    let path = error.path().to_string();
    let field = if path == "." { String::new() } else { path };
    let says = error.into_inner().to_string();
    // The name of a field is no value: which one is missing or unknown can be said.
    let names_a_field = says.starts_with("missing field `") || says.starts_with("unknown field `");
    if field.starts_with("credential") || says.contains("credential") && !names_a_field {
        return Refused::malformed(&field, "cannot be read: its type is wrong");
    }
    Refused::malformed(&field, in_words_of_the_api(&says))
}

/// Serde speaks of the types that read; who asks knows JSON alone.
fn in_words_of_the_api(says: &str) -> String {
    let wrong = says.strip_prefix("invalid type: ").or_else(|| says.strip_prefix("invalid value: "));
    let Some((found, expected)) = wrong.and_then(|wrong| wrong.rsplit_once(", expected ")) else {
        return says.to_owned();
    };
    let (expected, place) = match expected.find(" at line ") {
        Some(at) => expected.split_at(at),
        None => (expected, ""),
    };
    let found = match found {
        "sequence" => "an array",
        "map" => "an object",
        other => other,
    };
    let expected = match expected {
        "a sequence" => "an array",
        "a map" => "an object",
        "a boolean" => "true or false",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number of at least 0",
        "i64" => "a whole number",
        "f64" => "a number",
        named if named.starts_with("struct ") => "an object",
        other => other,
    };
    format!("must be {expected}, not {found}{place}")
}

#[cfg(test)]
mod tests {
    use pmks_api::NewConnection;

    use super::*;

    fn refusal(json: &str) -> String {
        let mut reader = serde_json::Deserializer::from_str(json);
        let error = serde_path_to_error::deserialize::<_, NewConnection>(&mut reader).unwrap_err();
        format!("{:?}", malformed(error))
    }

    #[test]
    fn never_quotes_a_credential() {
        for json in [
            r#"{"name":"a","provider":"aws","credential":"hunter2"}"#,
            r#"{"name":"a","provider":"aws","credential":["hunter2"]}"#,
        ] {
            let refusal = refusal(json);
            assert!(refusal.contains("credential") && !refusal.contains("hunter2"), "{refusal}");
        }
        assert!(refusal(r#"{"name":1}"#).contains("name"));
    }

    #[test]
    fn speaks_of_json() {
        for (says, wanted) in [
            (
                "invalid type: sequence, expected struct NewScaling at line 1 column 9",
                "must be an object, not an array at line 1 column 9",
            ),
            ("invalid type: map, expected a sequence", "must be an array, not an object"),
            (
                "invalid type: string \", expected u16\", expected a boolean",
                "must be true or false, not string \", expected u16\"",
            ),
            (
                "invalid value: integer `-1`, expected u32",
                "must be a whole number from 0 to 4294967295, not integer `-1`",
            ),
            ("unknown field `x`, expected `y`", "unknown field `x`, expected `y`"),
        ] {
            assert_eq!(in_words_of_the_api(says), wanted);
        }
    }

    #[test]
    fn names_the_field_that_is_missing_or_unknown() {
        let missing = refusal(r#"{"name":"a","provider":"aws"}"#);
        assert!(missing.contains("missing field `credential`"), "{missing}");
        let unknown = refusal(r#"{"name":"a","colour":"hunter2"}"#);
        assert!(unknown.contains("unknown field `colour`") && !unknown.contains("hunter2"), "{unknown}");
    }
}
