//! Secrets in forms and queries: by name, by numbered pairs (`Tag.1.Key=…&Tag.1.Value=…`), in values.

use std::borrow::Cow;
use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;

use super::{REDACTED, Redaction, is_key_of_pair, is_value_of_pair};

pub(super) fn redact(redaction: &Redaction, text: &str) -> String {
    let pairs: Vec<(&str, Option<&str>)> = text
        .split('&')
        .map(|pair| pair.split_once('=').map_or((pair, None), |(name, value)| (name, Some(value))))
        .collect();
    let secret_pairs: BTreeSet<String> = pairs
        .iter()
        .filter_map(|(name, value)| {
            let (owner, last) = owner(&decoded(name))?;
            (is_key_of_pair(&last) && redaction.is_secret_name(&decoded((*value)?))).then_some(owner)
        })
        .collect();
    let signed = is_signed(text);
    let written: Vec<String> = pairs
        .into_iter()
        .map(|(name, value)| match value {
            None => redaction.text(name),
            Some(_) if signed && SIGNED.contains(&name) => format!("{name}={REDACTED}"),
            Some(value) => format!("{name}={}", shown(redaction, &secret_pairs, name, value)),
        })
        .collect();
    written.join("&")
}

/// The parameters by which Azure Resource Manager signs the URL of an operation: timestamp, certificate, signature, hash.
/// Each letter alone may be anything; all of them together are that.
const SIGNED: [&str; 4] = ["t", "c", "s", "h"];

/// Whether a query is so signed.
pub(super) fn is_signed(query: &str) -> bool {
    let has = |signed: &&str| query.split('&').any(|pair| pair.split('=').next() == Some(signed));
    SIGNED.iter().all(has)
}

fn shown(redaction: &Redaction, secret_pairs: &BTreeSet<String>, name: &str, value: &str) -> String {
    let name = decoded(name);
    let half_of_pair =
        owner(&name).is_some_and(|(owner, last)| is_value_of_pair(&last) && secret_pairs.contains(&owner));
    if (redaction.is_secret_name(&name) || half_of_pair) && !value.is_empty() {
        return REDACTED.to_owned();
    }
    let plain = decoded(value);
    let clean = redaction.value(&plain);
    if clean == plain { value.to_owned() } else { clean.replace('&', "%26") }
}

/// `Tag.1.Value` is `Value` of `Tag.1`; numbers at the end (`Filter.1.Value.1`) do not count.
fn owner(name: &str) -> Option<(String, String)> {
    let name = name.trim_end_matches(|character: char| character == '.' || character.is_ascii_digit());
    name.rsplit_once('.').map(|(owner, last)| (owner.to_owned(), last.to_owned()))
}

fn decoded(text: &str) -> String {
    let spaced: Cow<'_, str> = if text.contains('+') { text.replace('+', " ").into() } else { text.into() };
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}
