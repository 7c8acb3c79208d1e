//! Bodies as one kind of tree, whichever of the clouds' three forms they have: JSON, XML, parameters of a form.

use serde_json::{Map, Value};

/// The tree of a body; nothing of one in no known form.
pub(super) fn tree(body: &[u8]) -> Option<Value> {
    match body.iter().find(|byte| !byte.is_ascii_whitespace())? {
        b'{' | b'[' => serde_json::from_slice(body).ok(),
        b'<' => xml(std::str::from_utf8(body).ok()?),
        _ => Some(form(body)),
    }
}

/// Parameters, as `a.b.1.c=x`. One that is given twice is a list.
pub(super) fn form(text: &[u8]) -> Value {
    let mut whole = Map::new();
    for (name, text) in url::form_urlencoded::parse(text) {
        let mut place = &mut whole;
        let mut parts = name.split('.').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                give(place, part, Value::String(text.into_owned()));
                break;
            }
            let inner = place.entry(part).or_insert_with(|| Value::Object(Map::new()));
            // `a=x&a.b=y` is of no form that a cloud has.
            let Value::Object(inner) = inner else { break };
            place = inner;
        }
    }
    Value::Object(whole)
}

fn give(place: &mut Map<String, Value>, name: &str, value: Value) {
    match place.get_mut(name) {
        Some(Value::Array(items)) => items.push(value),
        Some(first) => *first = Value::Array(vec![first.take(), value]),
        None => {
            place.insert(name.to_owned(), value);
        }
    }
}

/// An element is an object of lists by name, or a text. Attributes are left out.
fn xml(text: &str) -> Option<Value> {
    let mut open = vec![(String::new(), Map::new(), String::new())];
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        open.last_mut()?.2.push_str(before);
        let (mark, after) = after.split_once('>')?;
        rest = after;
        let name = |mark: &str| {
            mark.split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or_default().to_owned()
        };
        if mark.starts_with(['?', '!']) {
            continue;
        }
        if mark.starts_with('/') {
            let (name, members, text) = open.pop()?;
            let value = if members.is_empty() { Value::String(text) } else { Value::Object(members) };
            add(&mut open.last_mut()?.1, name, value);
        } else if mark.ends_with('/') {
            add(&mut open.last_mut()?.1, name(mark), Value::String(String::new()));
        } else {
            open.push((name(mark), Map::new(), String::new()));
        }
    }
    open.into_iter().next().map(|(_, members, _)| Value::Object(members))
}

fn add(members: &mut Map<String, Value>, name: String, value: Value) {
    match members.entry(name).or_insert_with(|| Value::Array(Vec::new())) {
        Value::Array(items) => items.push(value),
        other => *other = value,
    }
}
