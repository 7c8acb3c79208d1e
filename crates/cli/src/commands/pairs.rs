//! `KEY=VALUE` arguments: tags, options, settings, endpoints.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::{Error, Result};

/// Keys and values, each key once.
pub(super) fn texts(flag: &str, pairs: &[String]) -> Result<BTreeMap<String, String>> {
    let mut map = BTreeMap::new();
    for pair in pairs {
        let (key, value) = split(flag, pair)?;
        if map.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(Error::usage(format!("--{flag} {key} is given twice")));
        }
    }
    Ok(map)
}

/// Keys and values; a value that is JSON is taken as such (`true`, `3`, `["a"]`), any other as text.
pub(super) fn options(flag: &str, pairs: &[String]) -> Result<BTreeMap<String, Value>> {
    let texts = texts(flag, pairs)?;
    Ok(texts.into_iter().map(|(key, value)| (key, option(value))).collect())
}

/// The same, where `KEY=` takes a value away.
pub(super) fn option_changes(flag: &str, pairs: &[String]) -> Result<BTreeMap<String, Value>> {
    let texts = texts(flag, pairs)?;
    let change = |value: String| if value.is_empty() { Value::Null } else { option(value) };
    Ok(texts.into_iter().map(|(key, value)| (key, change(value))).collect())
}

/// `KEY=VALUE` sets a tag, `KEY-` removes it.
pub(super) fn tag_changes(pairs: &[String]) -> Result<BTreeMap<String, Option<String>>> {
    let mut map = BTreeMap::new();
    for pair in pairs {
        let (key, value) = match pair.strip_suffix('-').filter(|key| !key.contains('=')) {
            Some(key) => (key, None),
            None => split("tag", pair).map(|(key, value)| (key, Some(value.to_owned())))?,
        };
        if map.insert(key.to_owned(), value).is_some() {
            return Err(Error::usage(format!("--tag {key} is given twice")));
        }
    }
    Ok(map)
}

fn option(text: String) -> Value {
    // A version (1.31) is a text for every provider, and a number for JSON.
    match serde_json::from_str(&text) {
        Ok(Value::Number(number)) if number.is_f64() => Value::String(text),
        Ok(value) => value,
        Err(_) => Value::String(text),
    }
}

fn split<'a>(flag: &str, pair: &'a str) -> Result<(&'a str, &'a str)> {
    match pair.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key, value)),
        _ => Err(Error::usage(format!("--{flag} {pair:?} is not KEY=VALUE"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn owned(pairs: &[&str]) -> Vec<String> {
        pairs.iter().map(|pair| (*pair).to_owned()).collect()
    }

    #[test]
    fn options_are_json_or_text() {
        let read =
            options("option", &owned(&["a=true", "b=3", "c=[\"x\"]", "d=text", "e=1.31", "f="])).unwrap();
        assert_eq!(json!(read), json!({"a": true, "b": 3, "c": ["x"], "d": "text", "e": "1.31", "f": ""}));
    }

    #[test]
    fn a_tag_is_set_or_removed() {
        let read = tag_changes(&owned(&["a=b-", "c-", "d="])).unwrap();
        assert_eq!(json!(read), json!({"a": "b-", "c": null, "d": ""}));
    }

    #[test]
    fn refuses_what_is_no_pair_and_what_comes_twice() {
        for pairs in [&["a"][..], &["=b"], &["a=1", "a=2"]] {
            assert!(texts("tag", &owned(pairs)).is_err(), "{pairs:?}");
        }
    }
}
