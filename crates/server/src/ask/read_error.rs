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
    Refused::malformed(&field, says)
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
    fn names_the_field_that_is_missing_or_unknown() {
        let missing = refusal(r#"{"name":"a","provider":"aws"}"#);
        assert!(missing.contains("missing field `credential`"), "{missing}");
        let unknown = refusal(r#"{"name":"a","colour":"hunter2"}"#);
        assert!(unknown.contains("unknown field `colour`") && !unknown.contains("hunter2"), "{unknown}");
    }
}
