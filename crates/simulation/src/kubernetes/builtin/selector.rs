//! Label and field selectors. One that cannot be read, or names a field that Kubernetes cannot select by, is refused.
//!
//! Source: <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors>

use serde_json::Value;

use super::options::Options;
use super::route::Place;
use crate::kubernetes::status::Status;

/// Which objects of a kind are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Selector {
    labels: Vec<Requirement>,
    fields: Vec<Requirement>,
}

/// One condition. `values` empty: about being there at all.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    values: Vec<String>,
    wanted: bool,
}

impl Selector {
    pub(super) fn parse(place: &Place, options: &Options) -> Result<Self, Status> {
        let labels = split(&options.label_selector)
            .into_iter()
            .map(|term| label_requirement(term).ok_or_else(|| unreadable(&options.label_selector, term)))
            .collect::<Result<_, _>>()?;
        let fields = split(&options.field_selector)
            .into_iter()
            .map(|term| field_requirement(place, &options.field_selector, term))
            .collect::<Result<_, _>>()?;
        Ok(Self { labels, fields })
    }

    pub(super) fn is_everything(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub(super) fn matches(&self, object: &Value) -> bool {
        let labels = &object["metadata"]["labels"];
        self.labels
            .iter()
            .all(|requirement| requirement.holds(labels.get(&requirement.key).and_then(Value::as_str)))
            && self.fields.iter().all(|requirement| {
                let value = field(object, &requirement.key);
                requirement.holds(Some(&value))
            })
    }
}

impl Requirement {
    fn holds(&self, value: Option<&str>) -> bool {
        let met = match value {
            None => false,
            Some(value) => self.values.is_empty() || self.values.iter().any(|known| known == value),
        };
        met == self.wanted
    }
}

/// Terms are parted by commas, but not by those within parentheses.
fn split(selector: &str) -> Vec<&str> {
    let mut depth = 0_u32;
    selector
        .split(move |letter| {
            match letter {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            letter == ',' && depth == 0
        })
        .map(str::trim)
        .filter(|term| !term.is_empty())
        .collect()
}

fn label_requirement(term: &str) -> Option<Requirement> {
    if let Some(listed) = term.strip_suffix(')') {
        let (head, values) = listed.split_once('(')?;
        let (key, word) = head.trim().rsplit_once(char::is_whitespace)?;
        let wanted = match word {
            "in" => true,
            "notin" => false,
            _ => return None,
        };
        let values = values.split(',').map(|value| value.trim().to_owned()).collect();
        return named(key, values, wanted);
    }
    if let Some((key, value, wanted)) = equality(term) {
        return named(key, vec![value.to_owned()], wanted);
    }
    match term.strip_prefix('!') {
        Some(key) => named(key, Vec::new(), false),
        None => named(term, Vec::new(), true),
    }
}

fn named(key: &str, values: Vec<String>, wanted: bool) -> Option<Requirement> {
    let key = key.trim();
    let readable = |letter: char| letter.is_ascii_alphanumeric() || "-_./".contains(letter);
    (!key.is_empty() && key.chars().all(readable)).then(|| Requirement {
        key: key.to_owned(),
        values,
        wanted,
    })
}

fn equality(term: &str) -> Option<(&str, &str, bool)> {
    let (key, value, wanted) = if let Some((key, value)) = term.split_once("!=") {
        (key, value, false)
    } else if let Some((key, value)) = term.split_once("==") {
        (key, value, true)
    } else {
        let (key, value) = term.split_once('=')?;
        (key, value, true)
    };
    Some((key.trim(), value.trim(), wanted))
}

fn field_requirement(place: &Place, selector: &str, term: &str) -> Result<Requirement, Status> {
    let (key, value, wanted) = equality(term).ok_or_else(|| {
        Status::bad_request(format!("invalid selector: '{selector}'; can't understand '{term}'"))
    })?;
    let selectable = match place.resource.plural {
        "pods" => [
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ]
        .as_slice(),
        "nodes" => &["spec.unschedulable"],
        "namespaces" => &["status.phase"],
        "services" => &["spec.clusterIP", "spec.type"],
        "replicasets" => &["status.replicas"],
        "events" => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        _ => &[],
    };
    if !["metadata.name", "metadata.namespace"].contains(&key) && !selectable.contains(&key) {
        return Err(Status::bad_request(format!("field label not supported: {key}")));
    }
    Ok(Requirement { key: key.to_owned(), values: vec![value.to_owned()], wanted })
}

/// A field's value as text; one that is not there is empty (a flag that is not there is false).
fn field(object: &Value, path: &str) -> String {
    let value = path.split('.').try_fold(object, |value, part| value.get(part));
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None if path == "spec.unschedulable" => "false".to_owned(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

fn unreadable(selector: &str, term: &str) -> Status {
    Status::bad_request(format!(
        "unable to parse requirement: \"{term}\" in the label selector \"{selector}\""
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kubernetes::resource::PODS;

    fn matches(labels: &str, fields: &str) -> Option<bool> {
        let options = Options {
            label_selector: labels.to_owned(),
            field_selector: fields.to_owned(),
            ..Options::default()
        };
        let place = Place { resource: &PODS, namespace: None };
        let object = json!({
            "metadata": {"name": "a", "labels": {"app": "x", "tier": "db"}},
            "spec": {"nodeName": "n"}, "status": {"phase": "Running"},
        });
        Selector::parse(&place, &options).ok().map(|selector| selector.matches(&object))
    }

    #[test]
    fn labels() {
        for (selector, expected) in [
            ("", Some(true)),
            ("app=x", Some(true)),
            ("app==y", Some(false)),
            ("app!=y,tier=db", Some(true)),
            ("missing!=y", Some(true)),
            ("app in (x, y),tier", Some(true)),
            ("app notin (x,y)", Some(false)),
            ("!app", Some(false)),
            ("!missing", Some(true)),
            ("missing", Some(false)),
            ("app near (x)", None),
            ("a b c", None),
            ("=x", None),
            (")", None),
        ] {
            assert_eq!(matches(selector, ""), expected, "{selector}");
        }
    }

    #[test]
    fn fields() {
        for (selector, expected) in [
            ("spec.nodeName=n,status.phase!=Failed,status.phase!=Succeeded", Some(true)),
            ("metadata.name=b", Some(false)),
            ("spec.color=red", None),
            ("metadata.name", None),
        ] {
            assert_eq!(matches("", selector), expected, "{selector}");
        }
    }
}
