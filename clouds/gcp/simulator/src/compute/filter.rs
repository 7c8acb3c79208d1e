//! The `filter` of lists: comparisons of fields, joined by `AND`, `OR` or a space, in parentheses.
//!
//! Source: <https://cloud.google.com/compute/docs/reference/rest/v1/instances/list> (`filter`).

use regex_lite::Regex;
use serde_json::Value;

/// One expression.
#[derive(Debug, PartialEq)]
pub(crate) enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Is { field: String, operator: Operator, value: String },
}

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    Unequal,
    Has,
    Matches,
    MatchesNot,
}

impl Filter {
    /// Reads an expression; an empty one fits everything.
    ///
    /// # Errors
    /// The text, where it is none.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let words = words(text);
        let mut rest = words.as_slice();
        let filter = any(&mut rest).ok_or_else(|| text.to_owned())?;
        if rest.is_empty() { Ok(filter) } else { Err(text.to_owned()) }
    }

    /// Whether an item fits.
    pub(crate) fn fits(&self, item: &Value) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.fits(item)),
            Self::Any(parts) => parts.iter().any(|part| part.fits(item)),
            Self::Is { field, operator, value } => compare(find(item, field), *operator, value),
        }
    }
}

fn find<'a>(item: &'a Value, field: &str) -> Option<&'a Value> {
    // A label's name may hold dots.
    if let Some(label) = field.strip_prefix("labels.") {
        return item.get("labels")?.get(label);
    }
    field.split('.').try_fold(item, |value, part| value.get(part))
}

fn compare(found: Option<&Value>, operator: Operator, wanted: &str) -> bool {
    let text = match found {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => {
            return operator == Operator::Has && items.iter().any(|item| item.as_str() == Some(wanted));
        }
        Some(other) => other.to_string(),
        None => return matches!(operator, Operator::Unequal | Operator::MatchesNot),
    };
    match operator {
        Operator::Equal => text == wanted,
        Operator::Unequal => text != wanted,
        Operator::Has => {
            wanted == "*" || text.to_lowercase().contains(&wanted.to_lowercase().replace('*', ""))
        }
        Operator::Matches => matches(&text, wanted),
        Operator::MatchesNot => !matches(&text, wanted),
    }
}

/// `eq` takes a regular expression for the whole value: «must match the entire field».
fn matches(text: &str, pattern: &str) -> bool {
    Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|pattern| pattern.is_match(text))
}

fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match (quote, c) {
            (Some(open), c) if c == open => {
                quote = None;
                words.push(format!("\"{}", std::mem::take(&mut word)));
            }
            (Some(_), c) => word.push(c),
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | ')' | '=' | ':' | ' ' | '!') => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                match c {
                    ' ' => {}
                    '!' if characters.peek() == Some(&'=') => {
                        characters.next();
                        words.push("!=".to_owned());
                    }
                    other => words.push(other.to_string()),
                }
            }
            (None, c) => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

fn any(rest: &mut &[String]) -> Option<Filter> {
    let mut parts = vec![all(rest)?];
    while rest.first().is_some_and(|word| word == "OR") {
        *rest = rest.get(1..)?;
        parts.push(all(rest)?);
    }
    Some(if parts.len() == 1 { parts.remove(0) } else { Filter::Any(parts) })
}

fn all(rest: &mut &[String]) -> Option<Filter> {
    let mut parts = Vec::new();
    while let Some(word) = rest.first() {
        match word.as_str() {
            ")" | "OR" => break,
            "AND" => *rest = rest.get(1..)?,
            "(" => {
                *rest = rest.get(1..)?;
                parts.push(any(rest)?);
                if rest.first().is_none_or(|word| word != ")") {
                    return None;
                }
                *rest = rest.get(1..)?;
            }
            _ => {
                let [field, operator, value, ..] = rest else { return None };
                let operator = match operator.as_str() {
                    "=" => Operator::Equal,
                    "!=" => Operator::Unequal,
                    ":" => Operator::Has,
                    "eq" => Operator::Matches,
                    "ne" => Operator::MatchesNot,
                    _ => return None,
                };
                let value = value.trim_start_matches('"').to_owned();
                parts.push(Filter::Is { field: field.trim_start_matches('"').to_owned(), operator, value });
                *rest = rest.get(3..)?;
            }
        }
    }
    Some(Filter::All(parts))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn expressions_fit_as_they_say() {
        let item = json!({"name": "gke-one", "status": "RUNNING", "labels": {"goog-k8s.x": "one"}, "scheduling": {"automaticRestart": true}, "sourceTags": ["a"]});
        for (filter, fits) in [
            ("", true),
            ("name=gke-one", true),
            ("name = \"gke-one\" AND status != TERMINATED", true),
            ("(name=other) OR (status=RUNNING)", true),
            ("labels.goog-k8s.x=one labels.other:*", false),
            ("labels.goog-k8s.x:*", true),
            ("name eq gke-.*", true),
            ("name eq gk[a-z0-9]-.*", true),
            ("name eq gk[a-z0-9]", false),
            ("name ne gke-.*", false),
            ("scheduling.automaticRestart = true", true),
            ("sourceTags:a", true),
            ("missing=1", false),
        ] {
            assert_eq!(Filter::read(filter).unwrap().fits(&item), fits, "{filter}");
        }
        assert!(Filter::read("name").is_err() && Filter::read("(name=a").is_err());
    }
}
