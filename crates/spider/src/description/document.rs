//! The table as Swagger 2.0, the form in which CB-Spider publishes its own: what reads that reads this.
//!
//! Source: <https://swagger.io/specification/v2/>

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::{Body, DEFINITIONS, Operation, grammar, parts};

const SAYS: &str = "What pmks serves of CB-Spider's REST interface. ConnectionName may stand in the body or in the \
    query of every request; keys of bodies are read without regard to case, unknown ones are passed over, numbers and \
    booleans are taken as such and as texts. A change with `Prefer: respond-async` is answered 202 with its operation.";

/// The document, made once.
pub(crate) fn text() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| format!("{}\n", document()));
    &TEXT
}

fn document() -> Value {
    let (mut paths, mut tags) = (Map::new(), Vec::new());
    for (part, rows) in parts() {
        tags.push(json!({"name": part}));
        for row in rows {
            let path = paths.entry(row.path).or_insert_with(|| json!({}));
            if let Some(path) = path.as_object_mut() {
                path.insert(row.method.to_lowercase(), operation(row, part));
            }
        }
    }
    json!({
        "swagger": "2.0",
        "info": {"title": "pmks, as CB-Spider's managed Kubernetes", "version": env!("CARGO_PKG_VERSION"), "description": SAYS},
        "basePath": "/spider",
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "securityDefinitions": {"BasicAuth": {"type": "basic"}},
        "security": [{"BasicAuth": []}],
        "tags": tags,
        "paths": paths,
        "definitions": *DEFINITIONS,
    })
}

fn operation(row: &Operation, part: &str) -> Value {
    let mut operation = json!({
        "summary": row.says,
        "tags": [part],
        "parameters": parameters(row),
        "responses": responses(row),
    });
    if let Some(fields) = operation.as_object_mut() {
        if !row.id.is_empty() {
            fields.insert("operationId".to_owned(), row.id.into());
        }
        if row.is_public() {
            fields.insert("security".to_owned(), json!([]));
        }
        if row.answers.starts_with("text/") {
            fields.insert("produces".to_owned(), json!([row.answers]));
        }
        if row.sends.query.contains(&"mode") {
            fields.insert("produces".to_owned(), json!(["application/json", "text/plain"]));
        }
    }
    operation
}

fn parameters(row: &Operation) -> Vec<Value> {
    let named = |name: &str, place: &str, required: bool| json!({"name": name, "in": place, "required": required, "type": "string"});
    let mut all: Vec<Value> = row.names().map(|name| named(name, "path", true)).collect();
    match body_schema(row) {
        Some(schema) => all.push(json!({"name": "body", "in": "body", "required": true, "schema": schema})),
        None if row.needs_connection() => all.push(named("ConnectionName", "query", true)),
        None => {}
    }
    all.extend(row.sends.query.iter().map(|name| match *name {
        "force" => json!({
            "name": name, "in": "query", "required": false, "type": "string", "enum": ["true", "false"],
        }),
        "mode" => json!({"name": name, "in": "query", "required": false, "type": "string", "enum": ["text"]}),
        name => named(name, "query", false),
    }));
    all
}

/// The schema of the body; readers that name a connection alone have none.
pub(super) fn body_schema(row: &Operation) -> Option<Value> {
    match row.sends.body {
        Body::Connection if row.method != "GET" => Some(grammar::schema("ConnectionRequest")),
        Body::Nothing | Body::Connection => None,
        Body::Asked(shape) => Some(grammar::schema(&format!("{{ConnectionName: string, ReqInfo: {shape}}}"))),
        Body::Made(shape) => {
            let of = format!("{{ConnectionName: string, IDTransformMode?: string, ReqInfo: {shape}}}");
            Some(grammar::schema(&of))
        }
        Body::Whole(shape) => Some(grammar::schema(shape)),
    }
}

fn responses(row: &Operation) -> Value {
    let refused = json!({"description": "Why not.", "schema": {"$ref": "#/definitions/Message"}});
    let mut all = Map::from_iter([("default".to_owned(), refused)]);
    if row.answers.starts_with("text/") {
        all.insert("200".to_owned(), json!({"description": "A text.", "schema": {"type": "string"}}));
    } else if !row.answers.is_empty() {
        let schema = grammar::schema(row.answers);
        all.insert("200".to_owned(), json!({"description": "Done.", "schema": schema}));
    }
    if row.method != "GET" && row.needs_connection() {
        let operation = json!({"description": "The operation, which goes on.", "schema": {"type": "object"}});
        all.insert("202".to_owned(), operation);
    }
    Value::Object(all)
}
