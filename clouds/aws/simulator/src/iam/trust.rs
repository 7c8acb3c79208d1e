//! Trust policies, read far enough to say who may assume a role and with which external id.
//!
//! `Allow` and `Deny`, principals, actions and `StringEquals`/`StringLike` are honoured; a condition with any other
//! operator is taken as not met, never as met.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Who asks, and what is known of the request.
pub(crate) struct Asking<'a> {
    /// `Service`, `AWS` or `Federated`.
    pub(crate) kind: &'a str,
    /// The names by which the asking principal may be meant.
    pub(crate) principals: &'a [String],
    /// `sts:AssumeRole` or `sts:AssumeRoleWithWebIdentity`.
    pub(crate) action: &'a str,
    /// Condition keys with their values (`sts:ExternalId`).
    pub(crate) keys: &'a BTreeMap<String, String>,
}

/// Whether a document can be a trust policy.
///
/// # Errors
/// What is wrong, in IAM's words where these are public.
pub(crate) fn check(document: &str) -> Result<(), String> {
    let policy: Value =
        serde_json::from_str(document).map_err(|_| "This policy contains invalid Json".to_owned())?;
    let statements = statements(&policy);
    if statements.is_empty() {
        return Err("Missing required field Statement".to_owned());
    }
    for statement in statements {
        if !matches!(text(statement, "Effect"), Some("Allow" | "Deny")) {
            return Err("Missing required field Effect".to_owned());
        }
        if !statement.contains_key("Principal") && !statement.contains_key("NotPrincipal") {
            return Err("Missing required field Principal".to_owned());
        }
        if !statement.contains_key("Action") && !statement.contains_key("NotAction") {
            return Err("Missing required field Action".to_owned());
        }
        if statement.contains_key("Resource") {
            return Err("Has prohibited field Resource".to_owned());
        }
    }
    Ok(())
}

/// Whether the policy lets this principal in.
pub(crate) fn allows(document: &str, asking: &Asking<'_>) -> bool {
    let Ok(policy) = serde_json::from_str::<Value>(document) else { return false };
    let statements = statements(&policy);
    let meant = |effect: &str| {
        statements
            .iter()
            .any(|statement| text(statement, "Effect") == Some(effect) && matches(statement, asking))
    };
    meant("Allow") && !meant("Deny")
}

fn matches(statement: &Map<String, Value>, asking: &Asking<'_>) -> bool {
    let action = texts(statement.get("Action"))
        .iter()
        .any(|action| like(&action.to_lowercase(), &asking.action.to_lowercase()));
    let principal = match statement.get("Principal") {
        Some(Value::String(all)) => all == "*",
        Some(Value::Object(kinds)) => texts(kinds.get(asking.kind))
            .iter()
            .any(|named| named == "*" || asking.principals.iter().any(|principal| principal == named)),
        _ => false,
    };
    action && principal && statement.get("Condition").is_none_or(|condition| met(condition, asking.keys))
}

fn met(condition: &Value, keys: &BTreeMap<String, String>) -> bool {
    let Value::Object(operators) = condition else { return false };
    operators.iter().all(|(operator, tests)| {
        let Value::Object(tests) = tests else { return false };
        tests.iter().all(|(key, wanted)| {
            let found = keys.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value);
            texts(Some(wanted)).iter().any(|wanted| match operator.as_str() {
                "StringEquals" => found == Some(wanted),
                "StringLike" => found.is_some_and(|found| like(wanted, found)),
                _ => false,
            })
        })
    })
}

/// `*` matches any run of characters.
fn like(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices()
                .map(|(at, _)| at)
                .chain([rest.len()])
                .any(|at| like(after, rest.get(at..).unwrap_or("")))
        }),
    }
}

fn statements(policy: &Value) -> Vec<&Map<String, Value>> {
    match policy.get("Statement") {
        Some(Value::Array(statements)) => statements.iter().filter_map(Value::as_object).collect(),
        Some(Value::Object(statement)) => vec![statement],
        _ => Vec::new(),
    }
}

fn text<'a>(statement: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    statement.get(key).and_then(Value::as_str)
}

fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(document: &str, name: &str) -> bool {
        let keys = BTreeMap::new();
        let principals = [name.to_owned()];
        allows(
            document,
            &Asking { kind: "Service", principals: &principals, action: "sts:AssumeRole", keys: &keys },
        )
    }

    #[test]
    fn only_the_named_service_may_assume() {
        let trust = r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":["eks.amazonaws.com"]},
            "Action":["sts:AssumeRole","sts:TagSession"]}]}"#;
        assert!(check(trust).is_ok());
        assert!(service(trust, "eks.amazonaws.com"));
        assert!(!service(trust, "ec2.amazonaws.com"));
    }

    #[test]
    fn an_external_id_must_be_the_same() {
        let trust = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},
            "Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"secret"}}}}"#;
        let ask = |id: Option<&str>| {
            let keys = id.map(|id| ("sts:ExternalId".to_owned(), id.to_owned())).into_iter().collect();
            let principals = ["arn:aws:iam::111122223333:root".to_owned()];
            allows(
                trust,
                &Asking { kind: "AWS", principals: &principals, action: "sts:AssumeRole", keys: &keys },
            )
        };
        assert!(ask(Some("secret")));
        assert!(!ask(Some("other")));
        assert!(!ask(None));
    }

    #[test]
    fn unknown_conditions_are_never_met_and_deny_wins() {
        let unknown = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:*",
            "Condition":{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}}]}"#;
        assert!(!service(unknown, "eks.amazonaws.com"));
        let denied = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:*"},
            {"Effect":"Deny","Principal":{"Service":"eks.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
        assert!(service(denied, "ec2.amazonaws.com"));
        assert!(!service(denied, "eks.amazonaws.com"));
    }

    #[test]
    fn what_cannot_be_a_trust_policy_is_refused() {
        for document in ["", "{}", "[]", r#"{"Statement":[{}]}"#, r#"{"Statement":[{"Effect":"Allow"}]}"#] {
            assert!(check(document).is_err(), "{document}");
        }
    }
}
