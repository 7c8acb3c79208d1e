//! In which form a client wants objects: whole, as a table, or their metadata alone.
//!
//! Source: <https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables>

use http::HeaderMap;
use http::header::ACCEPT;

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Whole,
    Table,
    Metadata,
}

/// The first form in `Accept` that this back knows; `None` when all of them are unknown (406).
pub(super) fn form(headers: &HeaderMap) -> Option<Form> {
    let accepted: Vec<&str> = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|range| !range.is_empty())
        .collect();
    if accepted.is_empty() {
        return Some(Form::Whole);
    }
    accepted.into_iter().find_map(form_of)
}

fn form_of(range: &str) -> Option<Form> {
    let mut parts = range.split(';').map(str::trim);
    if !matches!(parts.next(), Some("application/json" | "application/*" | "*/*")) {
        return None;
    }
    let parts: Vec<&str> = parts.collect();
    let Some(kind) = parts.iter().find_map(|part| part.strip_prefix("as=")) else { return Some(Form::Whole) };
    if !parts.contains(&"v=v1") || !parts.contains(&"g=meta.k8s.io") {
        return None;
    }
    match kind {
        "Table" => Some(Form::Table),
        "PartialObjectMetadata" | "PartialObjectMetadataList" => Some(Form::Metadata),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_first_known_form() {
        for (accept, expected) in [
            ("application/json", Some(Form::Whole)),
            ("*/*", Some(Form::Whole)),
            ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", Some(Form::Table)),
            ("application/json;as=Table;v=v1beta1;g=meta.k8s.io, application/json", Some(Form::Whole)),
            ("application/vnd.kubernetes.protobuf, application/json", Some(Form::Whole)),
            ("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", Some(Form::Metadata)),
            ("application/vnd.kubernetes.protobuf", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            assert_eq!(form(&headers), expected, "{accept}");
        }
        assert_eq!(form(&HeaderMap::new()), Some(Form::Whole));
    }
}
