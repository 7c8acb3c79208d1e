//! Answers that no cloud should give, made from those that it gave: parts are missing, of another type, nested, endless,
//! or no answer at all. The same seed makes the same answers.

use pmks_simulation::Random;
use serde_json::{Value, json};

/// Texts that somebody does not expect in the place of a name, a number, a time or a URL.
const TEXTS: [&str; 14] = [
    "",
    "-",
    "..",
    "-1",
    "1e400",
    "99999999999999999999",
    "0000-00-00T00:00:00Z",
    "9999-12-31T23:59:59.999999999Z",
    "http://[",
    "\u{1b}]0;title\u{7}\u{1b}[2J",
    "\u{202e}evil\r\nSet-Cookie: a=b",
    "../../../etc/passwd%2e%2e%2f",
    "{{ template }}",
    "클러스터🚀",
];

/// A body that stands where that one stood.
pub(crate) fn mangled(body: &[u8], random: &mut Random) -> Vec<u8> {
    let text = String::from_utf8_lossy(body);
    match random.below(12) {
        0 => page_of_somebody_else(random).into_bytes(),
        1 => body.iter().copied().take(at(random, body.len())).collect(),
        2 => {
            let mut body = body.to_vec();
            let place = at(random, body.len());
            if let Some(byte) = body.get_mut(place) {
                *byte = u8::try_from(random.below(256)).unwrap();
            }
            body
        }
        _ if text.trim_start().starts_with('<') => xml(&text, random).into_bytes(),
        _ => match serde_json::from_str(&text) {
            Ok(mut value) => {
                json_value(&mut value, random);
                value.to_string().into_bytes()
            }
            Err(_) => page_of_somebody_else(random).into_bytes(),
        },
    }
}

fn page_of_somebody_else(random: &mut Random) -> String {
    let deep = "[".repeat(100_000);
    let deep_xml = "<a>".repeat(20_000);
    let pages =
        ["", "null", "[]", "\"text\"", "<html><body>Sign in</body></html>", &deep, &deep_xml, "\u{feff}{}"];
    pages[at(random, pages.len())].to_owned()
}

/// Changes one part of a JSON value.
fn json_value(whole: &mut Value, random: &mut Random) {
    let mut places = Vec::new();
    collect(whole, "", &mut places);
    let place = places[at(random, places.len())].clone();
    let Some(part) = whole.pointer_mut(&place) else { return };
    match (random.below(9), &mut *part) {
        (0, Value::Object(members)) => {
            let names: Vec<String> = members.keys().cloned().collect();
            if !names.is_empty() {
                members.remove(&names[at(random, names.len())]);
            }
        }
        (1, Value::Array(items)) => items.extend(items.clone()),
        (2, Value::Array(items)) => items.clear(),
        (3, part) => *part = json!([part.take()]),
        (4, part) => *part = json!({"nested": part.take()}),
        (5, part) => *part = Value::Null,
        (6, part) => {
            let numbers =
                [json!(-1), json!(0), json!(u64::MAX), json!(i64::MIN), json!(1.5e300), json!(true)];
            *part = numbers[at(random, numbers.len())].clone();
        }
        (7, part) => *part = json!("x".repeat(100_000)),
        (_, part) => *part = json!(TEXTS[at(random, TEXTS.len())]),
    }
}

fn collect(value: &Value, here: &str, places: &mut Vec<String>) {
    places.push(here.to_owned());
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                collect(member, &format!("{here}/{}", name.replace('~', "~0").replace('/', "~1")), places);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, &format!("{here}/{index}"), places);
            }
        }
        _ => {}
    }
}

/// Changes one element of an XML text.
fn xml(text: &str, random: &mut Random) -> String {
    let opens: Vec<usize> = text.match_indices('<').map(|(at, _)| at).collect();
    let open = opens[at(random, opens.len())];
    let rest = &text[open..];
    let name: String = rest.chars().skip(1).take_while(|letter| letter.is_alphanumeric()).collect();
    let close = format!("</{name}>");
    let Some(end) = rest.find(&close).filter(|_| !name.is_empty()) else {
        return format!("{}{}", &text[..open], &rest[1..]);
    };
    let (before, element, after) = (&text[..open], &rest[..end + close.len()], &rest[end + close.len()..]);
    let instead = match random.below(6) {
        0 => String::new(),
        1 => format!("{element}{element}"),
        2 => format!("<{name}/>"),
        3 => format!("<{name}>{element}</{name}>"),
        4 => format!("<{name}>{}</{name}>", "x".repeat(100_000)),
        _ => {
            let text = TEXTS[at(random, TEXTS.len())].replace('&', "&amp;").replace('<', "&lt;");
            format!("<{name}>{text}</{name}>")
        }
    };
    [before, &instead, after].concat()
}

fn at(random: &mut Random, length: usize) -> usize {
    usize::try_from(random.below(length as u64)).unwrap()
}
