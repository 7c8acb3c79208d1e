//! What each route is asked and what it answers, as a table beside that of the routes; the document, the page and the
//! command line are made of it. A row is one line: method, path, operation, what is sent, what is answered, what it does.
//! Shapes are written once, in `shapes.rs`, in the few words of `grammar.rs`.

mod clusters;
mod document;
mod grammar;
mod machines;
mod networks;
mod page;
#[cfg(test)]
mod published;
mod records;
mod shapes;

use std::sync::LazyLock;

use serde_json::Value;

pub(crate) use document::text as document;
pub(crate) use page::page;

/// One operation of the interface.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// The method.
    pub method: &'static str,
    /// The path below `/spider`, names in braces.
    pub path: &'static str,
    /// Verb and resource, as `spctl` has them: `create-vpc`. Empty: the command line has no such command.
    pub id: &'static str,
    /// What it does, in a sentence.
    pub says: &'static str,
    /// What a client sends.
    pub sends: Sends,
    /// The shape of the answer, `text/…`, or nothing where it is always refused.
    pub(crate) answers: &'static str,
}

/// What a client sends beside the names in the path.
#[derive(Clone, Copy, Debug)]
pub struct Sends {
    /// The body.
    pub body: Body,
    /// Names of the query beside `ConnectionName`.
    pub query: &'static [&'static str],
}

/// A body, as CB-Spider's clients send it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// None.
    Nothing,
    /// `ConnectionName` alone, which readers put into the query.
    Connection,
    /// `ConnectionName`, and what is asked for as `ReqInfo`.
    Asked(&'static str),
    /// The same, and how what is made is called at the cloud as `IDTransformMode`.
    Made(&'static str),
    /// An object of that shape.
    Whole(&'static str),
}

const NOTHING: Sends = Sends { body: Body::Nothing, query: &[] };
const AT: Sends = Sends { body: Body::Connection, query: &[] };
/// A deletion that may pass over what stands in its way.
const AT_BY_FORCE: Sends = Sends { body: Body::Connection, query: &["force"] };
const AT_FOR_A_WAY_IN: Sends = Sends { body: Body::Connection, query: &["KubeconfigType"] };
/// A table for people instead of JSON.
const AS_TEXT_TOO: Sends = Sends { body: Body::Nothing, query: &["mode"] };
const OF_A_PROVIDER: Sends = Sends { body: Body::Nothing, query: &["provider"] };

const fn asks(shape: &'static str) -> Sends {
    Sends { body: Body::Asked(shape), query: &[] }
}

const fn makes(shape: &'static str) -> Sends {
    Sends { body: Body::Made(shape), query: &[] }
}

const fn whole(shape: &'static str) -> Sends {
    Sends { body: Body::Whole(shape), query: &[] }
}

macro_rules! described {
    ($($method:ident $path:literal $id:literal $sends:expr => $answers:literal, $says:literal;)*) => {
        &[$(super::Operation {
            method: stringify!($method), path: $path, id: $id, sends: $sends, answers: $answers, says: $says,
        }),*]
    };
}
use described;

/// All of them, each under the name of its part.
fn parts() -> [(&'static str, &'static [Operation]); 4] {
    [
        ("Service and records", records::ALL),
        ("Networks, security groups and key pairs", networks::ALL),
        ("Clusters and node groups", clusters::ALL),
        ("Machines, tags and what is left", machines::ALL),
    ]
}

/// All of them.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    parts().into_iter().flat_map(|(_, rows)| rows)
}

impl Operation {
    /// The names in its path, in their order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }

    /// Whether a connection has to be named.
    pub fn needs_connection(&self) -> bool {
        matches!(self.sends.body, Body::Connection | Body::Asked(_) | Body::Made(_))
    }

    /// Whether everything that it answers is the server's own and the same for all.
    fn is_public(&self) -> bool {
        crate::routes::PUBLIC.contains(&self.path)
    }

    /// A body that it takes: with all that can be said, or with what must be.
    pub fn example(&self, all: bool) -> Option<Value> {
        let schema = document::body_schema(self)?;
        Some(grammar::example(&schema, all, &DEFINITIONS))
    }
}

/// Every shape by its name, as a schema.
static DEFINITIONS: LazyLock<Value> = LazyLock::new(|| {
    Value::Object(
        shapes::ALL.iter().map(|(name, shape)| ((*name).to_owned(), grammar::schema(shape))).collect(),
    )
});

/// A path whose names are nobody's.
fn nameless(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect::<Vec<_>>().join("/")
}

/// The shape of what is asked for at a route; empty: it has none.
pub(crate) fn shape_of(method: &str, path: &str) -> &'static str {
    let path = nameless(path);
    let row = operations().find(|row| row.method == method && nameless(row.path) == path);
    match row.map(|row| row.sends.body) {
        Some(Body::Asked(shape) | Body::Made(shape) | Body::Whole(shape)) => shape,
        Some(Body::Nothing | Body::Connection) | None => "",
    }
}

/// The fields of a shape.
#[cfg(test)]
pub(crate) fn fields_of(shape: &str) -> impl Iterator<Item = &'static str> {
    let fields = DEFINITIONS.get(shape).and_then(|shape| shape.get("properties")?.as_object());
    fields.into_iter().flat_map(|fields| fields.keys().map(String::as_str))
}

/// The shape of what a field of a shape holds, or its list; empty: it holds none.
pub(crate) fn shape_within(shape: &str, field: &str) -> &'static str {
    let field = DEFINITIONS.get(shape).and_then(|shape| shape.get("properties")?.get(field));
    let held = field.map(|field| field.get("items").unwrap_or(field));
    let named = held.and_then(|held| held.get("$ref")?.as_str());
    named.map(|name| name.trim_start_matches("#/definitions/")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_route_is_described_and_every_description_has_a_route() {
        let routes: BTreeSet<String> = crate::routes::all()
            .iter()
            .map(|(method, path, _)| format!("{method} {}", nameless(path)))
            .collect();
        let described: BTreeSet<String> =
            operations().map(|row| format!("{} {}", row.method, nameless(row.path))).collect();
        let missing: Vec<_> = routes.difference(&described).collect();
        assert!(missing.is_empty(), "no description in crates/spider/src/description: {missing:#?}");
        let stray: Vec<_> = described.difference(&routes).collect();
        assert!(stray.is_empty(), "described, and no route: {stray:#?}");
        assert_eq!(described.len(), operations().count(), "one is described twice");
    }

    #[test]
    fn operations_have_names_of_their_own_and_say_what_they_do() {
        let named: Vec<_> = operations().map(|row| row.id).filter(|id| !id.is_empty()).collect();
        assert_eq!(named.iter().collect::<BTreeSet<_>>().len(), named.len());
        for row in operations() {
            assert!(row.id.is_empty() || row.id.contains('-'), "{}", row.id);
            assert!(row.says.ends_with('.'), "{} {}", row.method, row.path);
        }
    }

    #[test]
    fn operations_are_called_as_cb_spider_calls_them_or_not_served_with_a_reason() {
        for [method, path, id] in published::PUBLISHED.iter().flat_map(|(_, rows)| *rows) {
            let is_it = |row: &&Operation| row.method == *method && nameless(row.path) == nameless(path);
            match operations().find(is_it) {
                Some(row) => assert_eq!((row.id, row.path), (*id, *path), "{method}"),
                // Whoever has a script of it is told that it is not served, and not that there is no such thing.
                None => assert!(crate::routes::outside(path).is_some(), "{method} {path}"),
            }
        }
    }

    #[test]
    fn every_shape_that_is_named_is_written_and_every_one_that_is_written_is_named() {
        let document: Value = serde_json::from_str(document()).unwrap();
        let text = document.to_string();
        let named: BTreeSet<&str> =
            text.split("\"#/definitions/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let written: BTreeSet<&str> =
            document["definitions"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(named, written);
    }

    #[test]
    fn examples_hold_what_must_be_said_or_all_that_can_be() {
        let scale = operations().find(|row| row.id == "set-nodegroup-autoscaling").unwrap();
        let least = serde_json::json!({"ConnectionName": "string", "ReqInfo": {"OnAutoScaling": "true"}});
        assert_eq!(scale.example(false), Some(least));
        let create = operations().find(|row| row.id == "create-cluster").unwrap();
        let (all, least) = (create.example(true).unwrap(), create.example(false).unwrap());
        assert_eq!(all["ReqInfo"]["NodeGroupList"][0]["MaxNodeSize"], "1");
        assert!(least["ReqInfo"].get("NodeGroupList").is_none() && least["ReqInfo"]["Name"].is_string());
    }
}
