//! The service itself: its version, whether it is ready, what it is.

use std::future::{Ready, ready};

use http::StatusCode;
use serde_json::json;

use crate::Refusal;
use crate::call::{Answer, Call};
use crate::description;
use crate::reply::Reply;

pub(super) fn endpoint_info(call: Call) -> Ready<Answer> {
    let url = call.server;
    ready(Ok(Reply::Text(format!("\n  pmks, as CB-Spider's managed Kubernetes\n  REST: {url}/spider\n"))))
}

/// Where CB-Spider has its Swagger UI.
pub(super) fn page(_: Call) -> Ready<Answer> {
    ready(Ok(Reply::Typed("text/html; charset=UTF-8", description::page())))
}

pub(super) fn document(_: Call) -> Ready<Answer> {
    ready(Ok(Reply::Typed("application/json", description::document().to_owned())))
}

pub(super) fn version(_: Call) -> Ready<Answer> {
    ready(Ok(Reply::Json(json!({"Version": concat!("CB-Spider (pmks ", env!("CARGO_PKG_VERSION"), ")")}))))
}

pub(super) async fn health(call: Call) -> Answer {
    match call.pmks().ping().await {
        Ok(()) => Ok(Reply::Json(json!({"message": "CB-Spider is ready"}))),
        Err(failure) => Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, failure.detail.clone())),
    }
}

/// What becomes of a change that its client does not wait for.
pub(super) async fn operation(call: Call) -> Answer {
    let operation = call.pmks().operations().get(call.named(0)).await?;
    Ok(Reply::Json(serde_json::to_value(operation).unwrap_or_default()))
}

/// Nothing here waits behind a lock: operations hold what they work on, and reads hold nothing.
pub(super) fn locks(_: Call) -> Ready<Answer> {
    let none = ["<VPC SPLock> ", "<SG SPLock> ", "<Key SPLock> ", "<VM SPLock> "];
    ready(Ok(Reply::list("splockinfo", none.into_iter().map(Into::into).collect())))
}
