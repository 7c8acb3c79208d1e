//! Which fields of an answer are read-only: those that the request for the same thing has not.

use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{Components, RefOr};

/// An answer, and the request that makes what it shows. What is left of an answer without its read-only fields is such
/// a request.
const PAIRS: &[(&str, Option<&str>)] = &[
    ("ApiToken", Some("NewApiToken")),
    ("Cluster", Some("NewCluster")),
    ("Connection", Some("NewConnection")),
    ("KeyPair", Some("NewKeyPair")),
    ("Network", Some("NewNetwork")),
    ("NodeGroup", Some("NewNodeGroup")),
    ("SecurityGroup", Some("NewSecurityGroup")),
    ("Subnet", Some("NewSubnet")),
    // What answers have in common, and no request has.
    ("Record", None),
];

/// Marks them.
pub(super) fn mark(components: &mut Components) {
    for (answer, request) in PAIRS {
        let asked: Vec<String> =
            request.and_then(|request| components.schemas.get(request)).map(fields).unwrap_or_default();
        if let Some(schema) = components.schemas.get_mut(*answer) {
            mark_but(schema, &asked);
        }
    }
}

fn fields(schema: &RefOr<Schema>) -> Vec<String> {
    match schema {
        RefOr::T(Schema::Object(object)) => object.properties.keys().cloned().collect(),
        RefOr::T(Schema::AllOf(all)) => all.items.iter().flat_map(fields).collect(),
        _ => Vec::new(),
    }
}

fn mark_but(schema: &mut RefOr<Schema>, asked: &[String]) {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            for (name, field) in &mut object.properties {
                if !asked.contains(name) {
                    mark_field(field);
                }
            }
        }
        RefOr::T(Schema::AllOf(all)) => {
            for item in &mut all.items {
                mark_but(item, asked);
            }
        }
        _ => {}
    }
}

fn mark_field(field: &mut RefOr<Schema>) {
    let extensions = match field {
        RefOr::Ref(reference) => {
            reference.read_only = Some(true);
            return;
        }
        RefOr::T(Schema::Object(object)) => {
            object.read_only = Some(true);
            return;
        }
        RefOr::T(Schema::Array(array)) => &mut array.extensions,
        RefOr::T(Schema::OneOf(one)) => &mut one.extensions,
        RefOr::T(Schema::AllOf(all)) => &mut all.extensions,
        RefOr::T(Schema::AnyOf(any)) => &mut any.extensions,
        RefOr::T(_) => return,
    };
    let marked: Extensions = [("readOnly", true)].into_iter().collect();
    extensions.get_or_insert_default().merge(marked);
}
