//! Who may assume a role: reads a trust policy as far as one AWS service is concerned. Pure.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html>

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::Value;

/// What a trust policy says of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// It may assume the role.
    Given,
    /// It may, under conditions that are not judged here; by the names of their keys.
    Conditional(Vec<String>),
    /// It may not; with the reason.
    Refused(String),
}

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "Statement")]
    statement: OneOrMany<Statement>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    effect: String,
    #[serde(default)]
    principal: Value,
    #[serde(default)]
    action: Option<OneOrMany<String>>,
    #[serde(default)]
    condition: Option<serde_json::Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn all(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// Whether `services` (one service under its names in all partitions) may assume a role with this trust policy, given
/// as IAM answers it: URL-encoded JSON.
pub(crate) fn of(document: &str, services: &[&str]) -> Trust {
    let is_plain = document.trim_start().starts_with('{');
    let decoded = if is_plain { document.into() } else { percent_decode_str(document).decode_utf8_lossy() };
    let document: Document = match serde_json::from_str(&decoded) {
        Ok(document) => document,
        Err(error) => return Trust::Refused(format!("its trust policy cannot be read: {error}")),
    };
    let about_it = |statement: &&Statement| names(&statement.principal, services) && statement.assumes();
    let about: Vec<&Statement> = document.statement.all().iter().filter(about_it).collect();
    // A refusal under conditions may or may not apply; it is noted like a permission under conditions.
    if about.iter().any(|statement| statement.effect == "Deny" && statement.conditions().is_empty()) {
        return Trust::Refused(format!("its trust policy denies {}", services.first().unwrap_or(&"")));
    }
    let allowing = || about.iter().filter(|statement| statement.effect == "Allow");
    let mut conditions: Vec<String> = about.iter().flat_map(|statement| statement.conditions()).collect();
    conditions.sort();
    conditions.dedup();
    if allowing().next().is_none() {
        return Trust::Refused(format!(
            "its trust policy does not allow {}",
            services.first().unwrap_or(&"")
        ));
    }
    let denied_sometimes = about.iter().any(|statement| statement.effect == "Deny");
    if !denied_sometimes && allowing().any(|statement| statement.conditions().is_empty()) {
        return Trust::Given;
    }
    Trust::Conditional(conditions)
}

impl Statement {
    fn assumes(&self) -> bool {
        let actions = self.action.as_ref().map(OneOrMany::all).unwrap_or_default();
        actions.iter().any(|action| matches(&action.to_ascii_lowercase(), "sts:assumerole"))
    }

    /// The keys of its conditions, such as `aws:SourceArn`.
    fn conditions(&self) -> Vec<String> {
        let operators = self.condition.iter().flat_map(serde_json::Map::values);
        operators.filter_map(Value::as_object).flat_map(|keys| keys.keys().cloned()).collect()
    }
}

/// Whether a principal names one of these services. `"*"` and `"AWS"` are about accounts, not services.
fn names(principal: &Value, services: &[&str]) -> bool {
    let named = match principal.get("Service") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    named.iter().any(|name| services.iter().any(|service| name.eq_ignore_ascii_case(service)))
}

/// Whether a pattern with `*` and `?` matches, as in a policy's actions.
fn matches(pattern: &str, text: &str) -> bool {
    match (pattern.chars().next(), text.chars().next()) {
        (None, None) => true,
        (Some('*'), _) => {
            let rest = pattern.get(1..).unwrap_or_default();
            (0..=text.len()).any(|skipped| text.get(skipped..).is_some_and(|text| matches(rest, text)))
        }
        (Some('?'), Some(two)) => {
            matches(pattern.get(1..).unwrap_or_default(), text.get(two.len_utf8()..).unwrap_or_default())
        }
        (Some(one), Some(two)) if one == two => matches(
            pattern.get(one.len_utf8()..).unwrap_or_default(),
            text.get(two.len_utf8()..).unwrap_or_default(),
        ),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(statements: &str) -> Trust {
        let document = format!(r#"{{"Version":"2012-10-17","Statement":{statements}}}"#);
        let encoded = percent_encoding::utf8_percent_encode(&document, percent_encoding::NON_ALPHANUMERIC);
        let trust = of(&encoded.to_string(), &["eks.amazonaws.com"]);
        assert_eq!(trust, of(&document, &["eks.amazonaws.com"]), "encoded or not");
        trust
    }

    #[test]
    fn every_way_to_write_it_is_read() {
        for statements in [
            r#"[{"Effect":"Allow","Principal":{"Service":"eks.amazonaws.com"},"Action":"sts:AssumeRole"}]"#,
            r#"{"Effect":"Allow","Principal":{"Service":["ec2.amazonaws.com","eks.amazonaws.com"]},"Action":["sts:AssumeRole","sts:TagSession"]}"#,
            r#"[{"Effect":"Allow","Principal":{"Service":"eks.amazonaws.com","AWS":"arn:aws:iam::1:root"},"Action":"sts:*"}]"#,
            r#"[{"Effect":"Allow","Principal":{"Service":"eks.amazonaws.com"},"Action":"STS:assume*","Condition":{}}]"#,
        ] {
            assert_eq!(read(statements), Trust::Given, "{statements}");
        }
    }

    #[test]
    fn what_does_not_let_the_service_in_is_refused() {
        for statements in [
            "[]",
            r#"[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]"#,
            r#"[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]"#,
            r#"[{"Effect":"Allow","Principal":{"Service":"eks.amazonaws.com"},"Action":"sts:TagSession"}]"#,
            r#"[{"Effect":"Allow","Principal":{"Service":"eks.amazonaws.com"},"Action":"sts:AssumeRole"},{"Effect":"Deny","Principal":{"Service":"eks.amazonaws.com"},"Action":"*"}]"#,
        ] {
            assert!(matches!(read(statements), Trust::Refused(_)), "{statements}");
        }
        for broken in ["", "{", "%7B", "{\"Statement\":7}"] {
            assert!(matches!(of(broken, &["eks.amazonaws.com"]), Trust::Refused(_)), "{broken}");
        }
    }

    #[test]
    fn conditions_are_noted_unless_another_statement_has_none() {
        let conditional = r#"{"Effect":"Allow","Principal":{"Service":"eks.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"1"},"ArnLike":{"aws:SourceArn":"x"}}}"#;
        let keys = vec!["aws:SourceAccount".to_owned(), "aws:SourceArn".to_owned()];
        assert_eq!(read(conditional), Trust::Conditional(keys));
        let plain =
            r#"{"Effect":"Allow","Principal":{"Service":"eks.amazonaws.com"},"Action":"sts:AssumeRole"}"#;
        assert_eq!(read(&format!("[{conditional},{plain}]")), Trust::Given);
    }
}
