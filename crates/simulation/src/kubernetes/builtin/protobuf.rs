//! The few request bodies that clients send in Kubernetes' binary form (`kubectl auth` does since 1.33), read into the
//! same JSON as their text form. Answers are always JSON, which those clients accept too.
//!
//! Source: <https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding>; field numbers from the
//! `generated.proto` files of <https://github.com/kubernetes/api> and <https://github.com/kubernetes/apimachinery>

use serde_json::{Map, Value};

/// The content type of this form.
pub(super) const CONTENT_TYPE: &str = "application/vnd.kubernetes.protobuf";
/// What each body begins with.
const MAGIC: &[u8] = b"k8s\0";
/// The field of the envelope that holds the object.
const RAW: u64 = 2;

/// The fields of a message that matter here.
type Message = &'static [(u64, &'static str, Shape)];

/// What a field holds.
#[derive(Clone, Copy)]
enum Shape {
    Text,
    Texts,
    Message(Message),
}

/// A body that may come in binary form.
#[derive(Clone, Copy)]
pub(super) struct Body(Message);

/// `SelfSubjectReview`: it asks without saying anything.
pub(super) const SELF_SUBJECT_REVIEW: Body = Body(&[]);
/// `SelfSubjectAccessReview` of `authorization.k8s.io/v1`.
pub(super) const SELF_SUBJECT_ACCESS_REVIEW: Body = Body(&[(
    2,
    "spec",
    Shape::Message(&[
        (
            1,
            "resourceAttributes",
            Shape::Message(&[
                (1, "namespace", Shape::Text),
                (2, "verb", Shape::Text),
                (3, "group", Shape::Text),
                (4, "version", Shape::Text),
                (5, "resource", Shape::Text),
                (6, "subresource", Shape::Text),
                (7, "name", Shape::Text),
            ]),
        ),
        (2, "nonResourceAttributes", Shape::Message(&[(1, "path", Shape::Text), (2, "verb", Shape::Text)])),
    ]),
)]);
/// `SelfSubjectRulesReview` of `authorization.k8s.io/v1`.
pub(super) const SELF_SUBJECT_RULES_REVIEW: Body =
    Body(&[(2, "spec", Shape::Message(&[(1, "namespace", Shape::Text)]))]);
/// `DeleteOptions` of `meta.k8s.io/v1`.
pub(super) const DELETE_OPTIONS: Body = Body(DELETE_OPTIONS_FIELDS);
/// `Eviction` of `policy/v1`.
pub(super) const EVICTION: Body = Body(&[(2, "deleteOptions", Shape::Message(DELETE_OPTIONS_FIELDS))]);

const DELETE_OPTIONS_FIELDS: Message = &[
    (2, "preconditions", Shape::Message(&[(1, "uid", Shape::Text), (2, "resourceVersion", Shape::Text)])),
    (5, "dryRun", Shape::Texts),
];

impl Body {
    /// The object as JSON; `None` when the bytes are not of this form.
    pub(super) fn read(self, bytes: &[u8]) -> Option<Value> {
        let envelope = fields(bytes.strip_prefix(MAGIC)?)?;
        let raw = envelope.into_iter().find(|(number, _)| *number == RAW).map_or(&[][..], |(_, raw)| raw);
        object(self.0, raw)
    }
}

fn object(message: Message, bytes: &[u8]) -> Option<Value> {
    let mut read = Map::new();
    for (number, content) in fields(bytes)? {
        let Some((_, name, shape)) = message.iter().find(|(known, ..)| *known == number) else { continue };
        match shape {
            Shape::Text => drop(read.insert((*name).to_owned(), text(content)?)),
            Shape::Message(inner) => drop(read.insert((*name).to_owned(), object(inner, content)?)),
            Shape::Texts => {
                let list = read.entry(*name).or_insert_with(|| Value::Array(Vec::new()));
                list.as_array_mut()?.push(text(content)?);
            }
        }
    }
    Some(Value::Object(read))
}

fn text(bytes: &[u8]) -> Option<Value> {
    String::from_utf8(bytes.to_vec()).ok().map(Value::String)
}

/// The fields that hold bytes; numbers are passed over.
fn fields(mut bytes: &[u8]) -> Option<Vec<(u64, &[u8])>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (tag, rest) = number(bytes)?;
        bytes = match tag & 7 {
            0 => number(rest)?.1,
            1 => rest.get(8..)?,
            2 => {
                let (length, rest) = number(rest)?;
                let length = usize::try_from(length).ok()?;
                found.push((tag >> 3, rest.get(..length)?));
                rest.get(length..)?
            }
            5 => rest.get(4..)?,
            _ => return None,
        };
    }
    Some(found)
}

/// A number in groups of seven bits, the lowest first.
fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f).checked_shl(u32::try_from(7 * index).ok()?)?;
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(index + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_a_question_and_survives_damage() {
        let attributes = b"\x12\x04list\x2a\x05nodes";
        let spec = [&[0x0a, u8::try_from(attributes.len()).unwrap()][..], attributes].concat();
        let object = [&[0x0a, 0, 0x12, u8::try_from(spec.len()).unwrap()][..], &spec].concat();
        let whole =
            [b"k8s\0\x12".as_slice(), &[u8::try_from(object.len()).unwrap()], &object, &[0x1a, 0]].concat();
        let read = SELF_SUBJECT_ACCESS_REVIEW.read(&whole);
        assert_eq!(
            read,
            Some(json!({"spec": {"resourceAttributes": {"verb": "list", "resource": "nodes"}}}))
        );
        for cut in 5..whole.len() - 2 {
            assert_eq!(SELF_SUBJECT_ACCESS_REVIEW.read(&whole[..cut]), None, "cut at {cut}");
        }
        assert_eq!(EVICTION.read(b"{}"), None);
        assert_eq!(EVICTION.read(&[b"k8s\0".as_slice(), &[0xff; 12]].concat()), None);
    }
}
