//! Answers of another shape than the cloud's, made from those that it gave: each can be read, and says what the cloud never
//! said. Pure.

use pmks_simulation::Random;
use serde_json::{Map, Value, json};

use crate::strange_answers::mangle::mangled;

/// What an answer is made into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Its outermost part, and nothing in it.
    Empty,
    /// Its fields, and nothing in them.
    Null,
    /// Its fields, each of another type.
    OtherTypes,
    /// Its numbers, beyond all that can be counted.
    HugeNumbers,
    /// Its lists, with nothing in them.
    EmptyLists,
    /// Its states, in words that nobody knows.
    UnknownStates,
    /// Its names and identifiers, as those of something else.
    OtherNames,
    /// Itself, with one part changed that this number chooses.
    OnePart(u64),
}

/// Each way by its name; how often the answer is so; and the shape.
pub(super) const WAYS: [(&str, usize, Shape); 9] = [
    ("answered with an empty object", 1, Shape::Empty),
    ("answered with an empty object for a while", super::ways::FEW, Shape::Empty),
    ("answered with nulls", 1, Shape::Null),
    ("answered with other types", 1, Shape::OtherTypes),
    ("answered with huge numbers", 1, Shape::HugeNumbers),
    ("answered with empty lists", 1, Shape::EmptyLists),
    ("answered with unknown states", super::ways::FEW, Shape::UnknownStates),
    ("answered with other names", 1, Shape::OtherNames),
    ("answered with one part changed", 1, Shape::OnePart(0)),
];

/// The body in that shape; what is neither JSON nor XML stays as it is.
pub(super) fn reshaped(body: &[u8], shape: Shape) -> Vec<u8> {
    if let Shape::OnePart(seed) = shape {
        return mangled(body, &mut Random::new(seed));
    }
    let text = String::from_utf8_lossy(body);
    if text.trim_start().starts_with('<') {
        return xml(&text, shape).into_bytes();
    }
    let Ok(mut value) = serde_json::from_str(&text) else { return body.to_vec() };
    json_value(&mut value, shape, "");
    value.to_string().into_bytes()
}

fn json_value(value: &mut Value, shape: Shape, field: &str) {
    match value {
        Value::Object(members) => match shape {
            Shape::Empty => members.clear(),
            _ => members.iter_mut().for_each(|(name, member)| json_value(member, shape, name)),
        },
        Value::Array(items) => match shape {
            Shape::EmptyLists | Shape::Empty => items.clear(),
            Shape::Null => *value = Value::Null,
            Shape::OtherTypes => *value = Value::Object(Map::from_iter([("0".to_owned(), json!("x"))])),
            _ => items.iter_mut().for_each(|item| json_value(item, shape, field)),
        },
        leaf => *leaf = json_leaf(leaf.take(), shape, field),
    }
}

fn json_leaf(leaf: Value, shape: Shape, field: &str) -> Value {
    match (shape, leaf) {
        (Shape::Null, _) => Value::Null,
        (Shape::OtherTypes, Value::String(text)) => json!({ "value": text }),
        (Shape::OtherTypes, Value::Number(_)) => json!([]),
        (Shape::OtherTypes, _) => json!(7),
        (Shape::HugeNumbers, Value::Number(_)) => json!(u64::MAX),
        (_, Value::String(text)) => Value::String(words(text, shape, field)),
        (_, leaf) => leaf,
    }
}

/// A text where it stands.
fn words(text: String, shape: Shape, field: &str) -> String {
    match shape {
        Shape::HugeNumbers if is_number(&text) => "9".repeat(40),
        Shape::UnknownStates if is_state(field) => "SOMETHING_NEW".to_owned(),
        Shape::OtherNames if is_name(field) => another(&text),
        _ => text,
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_state(field: &str) -> bool {
    let field = field.to_ascii_lowercase();
    field.ends_with("status") || field.ends_with("state")
}

fn is_name(field: &str) -> bool {
    let field = field.to_ascii_lowercase();
    ["name", "id", "arn", "link"].iter().any(|end| field.ends_with(end))
}

/// A name like it. Of a path the last part, so that it is of the same place.
fn another(name: &str) -> String {
    match name.chars().last() {
        Some('0') => format!("{}1", &name[..name.len() - 1]),
        Some(last) if last.is_ascii_alphanumeric() => format!("{}0", &name[..name.len() - 1]),
        _ => name.to_owned(),
    }
}

/// XML is changed between its marks: what stands between a mark that opens and the next that closes is a field.
fn xml(text: &str, shape: Shape) -> String {
    if shape == Shape::Empty {
        let name = name_of(text.rsplit("</").next().unwrap_or_default());
        return format!("<{name}/>");
    }
    if shape == Shape::EmptyLists {
        return without_items(text);
    }
    let mut made = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((mark, after)) = rest.split_once('>') {
        let field = mark.rsplit('<').next().map(name_of).unwrap_or_default();
        let value = after.split('<').next().unwrap_or_default();
        made.push_str(mark);
        made.push('>');
        rest = after;
        let is_field = !field.is_empty() && after[value.len()..].starts_with(&format!("</{field}>"));
        if is_field {
            let instead = match shape {
                Shape::Null => String::new(),
                Shape::OtherTypes if is_number(value) => "many".to_owned(),
                Shape::OtherTypes => format!("<value>{value}</value>"),
                _ => words(value.to_owned(), shape, field),
            };
            made.push_str(&instead);
            rest = &after[value.len()..];
        }
    }
    made + rest
}

fn name_of(mark: &str) -> &str {
    let end = mark.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(mark.len());
    &mark[..end]
}

/// AWS calls what a list holds `item` or `member`.
fn without_items(text: &str) -> String {
    let mut made = text.to_owned();
    for name in ["item", "member"] {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        while let Some(end) = made.find(&close) {
            // The innermost first: what opens last before it closes.
            let Some(begin) = made[..end].rfind(&open) else { break };
            made.replace_range(begin..end + close.len(), "");
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"name":"a-1","status":"ACTIVE","count":3,"items":[{"id":"x9","at":"now"}]}"#;
    const XML: &str = "<?xml version=\"1.0\"?><R xmlns=\"u\"><set><item><vpcId>vpc-9</vpcId><state>available</state><n>3</n></item></set></R>";

    fn made(text: &str, shape: Shape) -> String {
        String::from_utf8(reshaped(text.as_bytes(), shape)).unwrap()
    }

    #[test]
    fn json_takes_each_shape() {
        for (shape, wanted) in [
            (Shape::Empty, "{}"),
            (Shape::EmptyLists, r#"{"name":"a-1","status":"ACTIVE","count":3,"items":[]}"#),
            (Shape::Null, r#"{"name":null,"status":null,"count":null,"items":null}"#),
            (
                Shape::HugeNumbers,
                r#"{"name":"a-1","status":"ACTIVE","count":18446744073709551615,"items":[{"id":"x9","at":"now"}]}"#,
            ),
            (
                Shape::UnknownStates,
                r#"{"name":"a-1","status":"SOMETHING_NEW","count":3,"items":[{"id":"x9","at":"now"}]}"#,
            ),
            (
                Shape::OtherNames,
                r#"{"name":"a-0","status":"ACTIVE","count":3,"items":[{"id":"x0","at":"now"}]}"#,
            ),
        ] {
            let made: Value = serde_json::from_str(&made(JSON, shape)).unwrap();
            assert_eq!(made, serde_json::from_str::<Value>(wanted).unwrap(), "{shape:?}");
        }
        let types: Value = serde_json::from_str(&made(JSON, Shape::OtherTypes)).unwrap();
        assert_eq!(types["count"], json!([]));
        assert_ne!(made(JSON, Shape::OnePart(1)), JSON);
    }

    #[test]
    fn xml_takes_each_shape() {
        let within = |inner: &str| format!("<?xml version=\"1.0\"?><R xmlns=\"u\"><set>{inner}</set></R>");
        for (shape, wanted) in [
            (Shape::Empty, "<R/>".to_owned()),
            (Shape::EmptyLists, within("")),
            (Shape::Null, within("<item><vpcId></vpcId><state></state><n></n></item>")),
            (
                Shape::OtherTypes,
                within(
                    "<item><vpcId><value>vpc-9</value></vpcId><state><value>available</value></state><n>many</n></item>",
                ),
            ),
            (
                Shape::UnknownStates,
                within("<item><vpcId>vpc-9</vpcId><state>SOMETHING_NEW</state><n>3</n></item>"),
            ),
            (Shape::OtherNames, within("<item><vpcId>vpc-0</vpcId><state>available</state><n>3</n></item>")),
        ] {
            assert_eq!(made(XML, shape), wanted, "{shape:?}");
        }
        assert!(made(XML, Shape::HugeNumbers).contains("<n>9999"));
    }

    #[test]
    fn what_is_neither_stays() {
        assert_eq!(made("plain", Shape::Null), "plain");
    }
}
