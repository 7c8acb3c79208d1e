//! Questions about oneself: who am I, may I do this, what may I do. The answers say what this back really does.

use http::StatusCode;
use serde_json::{Value, json};

use super::change::body_of;
use super::protobuf;
use crate::kubernetes::back::{Request, Response};
use crate::kubernetes::resource::{RESOURCES, REVIEWS, Review};
use crate::kubernetes::state::timestamp;
use crate::kubernetes::status::{Status, json_response};
use crate::kubernetes::{ClusterState, Identity};

pub(super) fn answer(state: &ClusterState, review: &Review, request: &Request) -> Result<Response, Status> {
    let form = match review.kind {
        "SelfSubjectReview" => protobuf::SELF_SUBJECT_REVIEW,
        "SelfSubjectAccessReview" => protobuf::SELF_SUBJECT_ACCESS_REVIEW,
        _ => protobuf::SELF_SUBJECT_RULES_REVIEW,
    };
    let question = body_of(request, form)?;
    let identity = &request.identity;
    let (spec, status) = match review.kind {
        "SelfSubjectReview" => (Value::Null, json!({"userInfo": user(identity)})),
        "SelfSubjectAccessReview" => {
            (question["spec"].clone(), access(&state.name(), identity, &question["spec"])?)
        }
        _ => (question["spec"].clone(), rules(identity)),
    };
    let metadata = if spec.is_null() {
        json!({"creationTimestamp": timestamp(state.now())})
    } else {
        json!({"creationTimestamp": null})
    };
    let mut answer = json!({
        "kind": review.kind, "apiVersion": format!("{}/v1", review.group), "metadata": metadata, "status": status,
    });
    if !spec.is_null() {
        answer["spec"] = spec;
    }
    Ok(json_response(StatusCode::CREATED, &answer))
}

fn user(identity: &Identity) -> Value {
    let mut user = json!({"username": identity.username, "groups": identity.groups});
    if !identity.uid.is_empty() {
        user["uid"] = identity.uid.as_str().into();
    }
    if !identity.extra.is_empty() {
        user["extra"] = json!(identity.extra);
    }
    user
}

/// Yes to what the identity may and this back does; the reason of a no tells which of both it is.
fn access(cluster: &str, identity: &Identity, spec: &Value) -> Result<Value, Status> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (asked, path) = (&spec["resourceAttributes"], &spec["nonResourceAttributes"]);
    if asked.is_object() == path.is_object() {
        return Err(Status::invalid(
            "SelfSubjectAccessReview.authorization.k8s.io \"\" is invalid: spec.resourceAttributes: Invalid value: \
             null: exactly one of nonResourceAttributes or resourceAttributes must be specified",
        ));
    }
    let done = if path.is_object() {
        text(&path["verb"]) == "get"
    } else {
        let subresource = text(&asked["subresource"]);
        does(&text(&asked["verb"]), &text(&asked["group"]), &text(&asked["resource"]), &subresource)
    };
    let asks_of_self = REVIEWS.iter().any(|review| review.plural == text(&asked["resource"]));
    let allowed = done && (identity.may_do_everything() || asks_of_self);
    let mut status = json!({"allowed": allowed});
    if !done {
        status["reason"] = format!("the simulated cluster \"{cluster}\" does not do this").into();
    }
    Ok(status)
}

fn does(verb: &str, group: &str, plural: &str, subresource: &str) -> bool {
    let review = |review: &Review| review.group == group && review.plural == plural && verb == "create";
    if subresource.is_empty() {
        RESOURCES.iter().any(|known| {
            known.group == group && known.plural == plural && known.verbs().any(|done| done == verb)
        }) || REVIEWS.iter().any(review)
    } else {
        (verb, group, plural, subresource) == ("create", "", "pods", "eviction")
    }
}

fn rules(identity: &Identity) -> Value {
    let mut rules: Vec<Value> = REVIEWS
        .iter()
        .map(|review| json!({"verbs": ["create"], "apiGroups": [review.group], "resources": [review.plural]}))
        .collect();
    if identity.may_do_everything() {
        rules.extend(RESOURCES.iter().map(|known| {
            let verbs: Vec<&str> = known.verbs().collect();
            json!({"verbs": verbs, "apiGroups": [known.group], "resources": [known.plural]})
        }));
        rules.push(json!({"verbs": ["create"], "apiGroups": [""], "resources": ["pods/eviction"]}));
    }
    let paths = [
        "/api",
        "/api/*",
        "/apis",
        "/apis/*",
        "/healthz",
        "/livez",
        "/openapi",
        "/openapi/*",
        "/readyz",
        "/version",
    ];
    json!({
        "resourceRules": rules, "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": paths}],
        "incomplete": false,
    })
}
