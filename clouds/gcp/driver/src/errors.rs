//! What Google's refusals mean: one table, a row a quirk with its source. Nothing else in this crate reads a code.

use std::time::Duration;

use pmks_driver::refusals::{Meaning, Refusal, Row, Table, row};
use pmks_driver::{DriverError, Effect, ErrorKind};
use pmks_transport::{Response, Verdict, classify_by_status, retry_after};
use serde_json::Value;

use crate::PROVIDER;

/// The first row that fits decides.
///
/// Sources: <https://cloud.google.com/apis/design/errors> (words of all services),
/// <https://cloud.google.com/compute/docs/troubleshooting/troubleshooting-general> and
/// <https://cloud.google.com/compute/docs/api/how-tos/api-requests-responses#handling_api_responses> (Compute Engine),
/// <https://cloud.google.com/kubernetes-engine/docs/troubleshooting> (GKE),
/// <https://developers.google.com/identity/protocols/oauth2/service-account#error-codes> (tokens). Rows that no document
/// names have the place where the answer was seen.
const ROWS: &[Row] = &[
    // Tokens.
    row("", "invalid_grant", "", Meaning::Unauthenticated),
    row("", "invalid_client", "", Meaning::Unauthenticated),
    row("", "unauthorized_client", "", Meaning::Unauthenticated),
    row("", "invalid_scope", "", Meaning::Unauthenticated),
    row("", "UNAUTHENTICATED", "", Meaning::Unauthenticated),
    row("", "authError", "", Meaning::Unauthenticated),
    // «… API has not been used in project … before or it is disabled»:
    // <https://cloud.google.com/service-usage/docs/enable-disable#error>
    row("", "SERVICE_DISABLED", "", Meaning::Prerequisite),
    row("", "accessNotConfigured", "", Meaning::Prerequisite),
    row("", "BILLING_DISABLED", "", Meaning::Blocked("enable billing for the project")),
    row("", "", "billing to be enabled", Meaning::Blocked("enable billing for the project")),
    // «Too many operations: cluster … hits the concurrent operations quota 5»: 429, and the cluster is busy, not we.
    // Seen: <https://github.com/hashicorp/terraform-provider-google/issues/15205>
    row("container.*", "", "concurrent operations quota", Meaning::Busy),
    // Compute Engine sends limits of rates as 403 too. Seen:
    // <https://github.com/hashicorp/terraform-provider-google/blob/main/google/transport/error_retry_predicates.go>
    row("", "RATE_LIMIT_EXCEEDED", "", Meaning::Throttled),
    row("", "rateLimitExceeded", "", Meaning::Throttled),
    row("", "userRateLimitExceeded", "", Meaning::Throttled),
    row("", "CONCURRENT_OPERATIONS_QUOTA_EXCEEDED", "", Meaning::Throttled),
    row("", "", "quota exceeded for quota metric", Meaning::Throttled),
    // «Insufficient regional quota to satisfy request: resource "CPUS": …», also as 403.
    row("container.*", "", "insufficient regional quota", Meaning::Quota),
    row("container.*", "", "insufficient project quota", Meaning::Quota),
    row("container.*", "", "gce_quota_exceeded", Meaning::Quota),
    // «The network … does not have available private IP space in 10.0.0.0/8 to reserve a /14 block for pods»: each
    // cluster takes one. Seen: <https://github.com/kubeflow/testing/issues/476>
    row("container.*", "", "available private ip space", Meaning::Quota),
    row("container.*", "", "gce_stockout", Meaning::Quota),
    row("", "ZONE_RESOURCE_POOL_EXHAUSTED", "", Meaning::Quota),
    row("", "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS", "", Meaning::Quota),
    row("", "QUOTA_EXCEEDED", "", Meaning::Quota),
    row("", "quotaExceeded", "", Meaning::Quota),
    row("", "LIMIT_EXCEEDED", "", Meaning::Quota),
    row("", "limitExceeded", "", Meaning::Quota),
    // «Cluster is running incompatible operation operation-…»:
    // <https://github.com/kubernetes-sigs/cluster-api-provider-gcp/issues/1363>
    row("container.*", "CLUSTER_ALREADY_HAS_OPERATION", "", Meaning::Busy),
    row("container.*", "FAILED_PRECONDITION", "incompatible operation", Meaning::Busy),
    // «Operation operation-… is currently upgrading cluster …. Please wait and try again once it is done.»:
    // <https://github.com/hashicorp/terraform-provider-google/issues/10366>
    row("container.*", "FAILED_PRECONDITION", "please wait and try again", Meaning::Busy),
    row("container.*", "failedPrecondition", "please wait and try again", Meaning::Busy),
    // A label or etag changed between our read and our write:
    // <https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/ClusterUpdate>, `etag`
    row("container.*", "", "fingerprint", Meaning::Stale),
    row("container.*", "ABORTED", "", Meaning::Stale),
    row("container.*", "FAILED_PRECONDITION", "etag", Meaning::Stale),
    row("compute.*", "conditionNotMet", "", Meaning::Stale),
    row("compute.*", "CONDITION_NOT_MET", "", Meaning::Stale),
    row("compute.*", "", "fingerprint", Meaning::Stale),
    // Compute Engine's own work at the same thing is not done yet.
    row("compute.*", "resourceNotReady", "", Meaning::Busy),
    row("compute.*", "RESOURCE_NOT_READY", "", Meaning::Busy),
    row("compute.*", "resourceInUseByAnotherResource", "", Meaning::Busy),
    row("compute.*", "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE", "", Meaning::Busy),
    row("compute.*", "RESOURCE_OPERATION_IN_PROGRESS", "", Meaning::Busy),
    row("", "ALREADY_EXISTS", "", Meaning::AlreadyExists),
    row("", "alreadyExists", "", Meaning::AlreadyExists),
    row("", "RESOURCE_ALREADY_EXISTS", "", Meaning::AlreadyExists),
    row("", "NOT_FOUND", "", Meaning::NotFound),
    row("", "notFound", "", Meaning::NotFound),
    row("", "RESOURCE_NOT_FOUND", "", Meaning::NotFound),
    // «Another activation or deactivation is in progress». Seen in the same file as above.
    row("serviceusage.*", "", "activation or deactivation is in progress", Meaning::Busy),
    row("", "PERMISSION_DENIED", "", Meaning::Forbidden),
    row("", "IAM_PERMISSION_DENIED", "", Meaning::Forbidden),
    row("", "forbidden", "", Meaning::Forbidden),
    row("", "insufficientPermissions", "", Meaning::Forbidden),
    row("container.*", "FAILED_PRECONDITION", "", Meaning::Blocked("")),
    row("container.*", "failedPrecondition", "", Meaning::Blocked("")),
    row("container.*", "RESOURCE_EXHAUSTED", "quota", Meaning::Quota),
    row("", "RESOURCE_EXHAUSTED", "", Meaning::Throttled),
    row("", "INVALID_ARGUMENT", "", Meaning::Invalid),
    row("", "OUT_OF_RANGE", "", Meaning::Invalid),
    row("", "UNIMPLEMENTED", "", Meaning::Unsupported),
    row("", "DEADLINE_EXCEEDED", "", Meaning::Unavailable),
    row("", "UNAVAILABLE", "", Meaning::Unavailable),
    row("", "INTERNAL", "", Meaning::Unavailable),
    row("", "backendError", "", Meaning::Unavailable),
];

/// The rows, and what becomes of an answer that none of them is for.
pub(crate) const TABLE: Table = Table { provider: PROVIDER, whose: "Google's", rows: ROWS, by_status };

/// What an answer of Google that is no success says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Said {
    /// The reason of the `ErrorInfo`, the status, the first error's reason: those that are there.
    words: Vec<String>,
    message: String,
    /// The API that is off, or the permission that is missing.
    service: Option<String>,
    permission: Option<String>,
    request_id: Option<String>,
    retry_after: Option<Duration>,
}

/// The error that an answer stands for.
pub(crate) fn of_answer(action: &'static str, effect: Effect, response: &Response) -> DriverError {
    let status = response.status.as_u16();
    let Some(said) = said(response) else {
        return TABLE.without_body(action, effect, response);
    };
    let after = retry_after(&response.headers).or(said.retry_after);
    let mut kind = classify(action, effect, status, &said);
    if let ErrorKind::Throttled { retry_after } = &mut kind {
        *retry_after = after;
    }
    let request_id = response.request_id.clone().or(said.request_id);
    let code = said.words.into_iter().next();
    DriverError::new(kind, PROVIDER, said.message).with_action(action).with_answer(status, code, request_id)
}

/// The error of the cloud's own work: a word, or a number of `google.rpc.Code`, and a message. Nothing was refused here:
/// the work has begun and failed, so that «busy» is something that stands in the way.
pub(crate) fn of_operation(action: &'static str, code: &str, message: &str) -> DriverError {
    let said = Said { words: vec![code.to_owned()], message: message.to_owned(), ..Said::default() };
    let kind = match classify(action, Effect::Read, 400, &said) {
        ErrorKind::Conflict { by } => ErrorKind::Precondition {
            what: by,
            fix: "wait until nothing else is being done to it, or remove what holds it".to_owned(),
        },
        // Work that has begun is not throttled: what it lacks is the account's.
        ErrorKind::Throttled { .. } => ErrorKind::QuotaExceeded,
        // Google was there and answered: what is over is the work.
        ErrorKind::Unavailable => ErrorKind::Precondition {
            what: message.to_owned(),
            fix: "retry: what was left half made is made anew".to_owned(),
        },
        kind => kind,
    };
    let message = if message.is_empty() { "Google does not say why it failed" } else { message };
    let code = (!code.is_empty()).then(|| code.to_owned());
    DriverError::new(kind, PROVIDER, message).with_action(action).with_code(code)
}

/// The word of a number of `google.rpc.Code`.
///
/// Source: <https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto>
pub(crate) fn word_of(code: i64) -> &'static str {
    match code {
        1 => "CANCELLED",
        3 => "INVALID_ARGUMENT",
        4 => "DEADLINE_EXCEEDED",
        5 => "NOT_FOUND",
        6 => "ALREADY_EXISTS",
        7 => "PERMISSION_DENIED",
        8 => "RESOURCE_EXHAUSTED",
        9 => "FAILED_PRECONDITION",
        10 => "ABORTED",
        11 => "OUT_OF_RANGE",
        12 => "UNIMPLEMENTED",
        13 => "INTERNAL",
        14 => "UNAVAILABLE",
        15 => "DATA_LOSS",
        16 => "UNAUTHENTICATED",
        _ => "UNKNOWN",
    }
}

/// The meaning of a refusal. A prerequisite that is missing is an API that is off.
fn classify(action: &str, effect: Effect, status: u16, said: &Said) -> ErrorKind {
    let codes: Vec<&str> = said.words.iter().map(String::as_str).collect();
    let refusal = Refusal { action, effect, status, codes: &codes, message: &said.message };
    match TABLE.kind_of(&refusal, permission(said)) {
        ErrorKind::PrerequisiteMissing { .. } => {
            api_disabled(said.service.as_deref().unwrap_or("one of Google's APIs"))
        }
        kind => kind,
    }
}

/// What is missing where an API of Google is off in the project.
pub(crate) fn api_disabled(service: &str) -> ErrorKind {
    ErrorKind::PrerequisiteMissing {
        what: format!("{service} is not enabled in the project"),
        fix: format!(
            "`pmks connection prerequisites NAME --fix` enables it, or `gcloud services enable {service}`"
        ),
    }
}

fn by_status(_action: &str, status: u16) -> Meaning {
    match status {
        401 => Meaning::Unauthenticated,
        403 => Meaning::Forbidden,
        404 => Meaning::NotFound,
        409 => Meaning::AlreadyExists,
        412 => Meaning::Stale,
        429 => Meaning::Throttled,
        501 => Meaning::Unsupported,
        400..=499 => Meaning::Invalid,
        _ => Meaning::Unavailable,
    }
}

/// The role that lets one account act for another, on which it is granted.
///
/// Source: <https://cloud.google.com/iam/docs/service-account-permissions#token-creator-role>
pub(crate) const TOKEN_CREATOR: &str = "roles/iam.serviceAccountTokenCreator";

/// The error of a token that was asked for in somebody's name, where that is denied.
pub(crate) fn of_impersonation(email: &str, error: DriverError) -> DriverError {
    if !matches!(error.kind(), ErrorKind::Forbidden { .. }) {
        return error;
    }
    let permission =
        format!("iam.serviceAccounts.getAccessToken on the service account {email} ({TOKEN_CREATOR})");
    error.as_kind(ErrorKind::Forbidden { permission: Some(permission) })
}

/// Whether acting for an account is denied.
pub(crate) fn is_denied_impersonation(error: &DriverError) -> bool {
    let ErrorKind::Forbidden { permission: Some(permission) } = error.kind() else { return false };
    permission.contains(TOKEN_CREATOR)
}

/// The error of a call that has no answer. One that could not be signed since acting for an account is denied says that:
/// the credential itself is accepted.
pub(crate) fn of_transport(
    action: &'static str,
    effect: Effect,
    error: pmks_transport::Error,
) -> DriverError {
    let unsigned = std::error::Error::source(&error).and_then(std::error::Error::source);
    let denied = unsigned
        .and_then(|why| why.downcast_ref::<DriverError>())
        .filter(|why| is_denied_impersonation(why))
        .map(|why| why.kind().clone());
    let error = TABLE.of_transport(action, effect, error);
    match denied {
        Some(kind) => error.as_kind(kind),
        None => error,
    }
}

/// How busy the cloud is, for the transport: rates come as 429, and of Compute Engine as 403. GKE's «concurrent
/// operations quota» is no rate.
pub(crate) fn verdict(response: &Response) -> Verdict {
    if response.status.is_success() {
        return Verdict::Fine;
    }
    let Some(said) = said(response) else { return classify_by_status(response) };
    // The row for a busy cluster stands above those for rates, as in every classification.
    match classify("container.", Effect::Read, response.status.as_u16(), &said) {
        ErrorKind::Throttled { .. } => {
            Verdict::Throttled { retry_after: retry_after(&response.headers).or(said.retry_after) }
        }
        ErrorKind::Unauthenticated => Verdict::Unauthenticated,
        ErrorKind::Conflict { .. } | ErrorKind::QuotaExceeded => Verdict::Fine,
        _ => classify_by_status(response),
    }
}

/// Reads Google's error body, whichever of its forms it has. `None`: it is not Google that speaks.
fn said(response: &Response) -> Option<Said> {
    let Value::Object(body) = serde_json::from_slice(&response.body).ok()? else { return None };
    match body.get("error")? {
        // Of the token endpoint: RFC 6749.
        Value::String(word) => {
            let message = text(body.get("error_description")).unwrap_or_else(|| word.clone());
            Some(Said { words: vec![word.clone()], message, ..Said::default() })
        }
        error @ Value::Object(_) => Some(of_error(error)),
        _ => None,
    }
}

fn of_error(error: &Value) -> Said {
    let details: Vec<&Value> = error.get("details").and_then(Value::as_array).into_iter().flatten().collect();
    let detail = |kind: &str| {
        let of = |value: &&&Value| text(value.get("@type")).is_some_and(|name| name.ends_with(kind));
        details.iter().find(of).copied()
    };
    let info = detail("google.rpc.ErrorInfo");
    let metadata = |name: &str| info.and_then(|info| text(info.get("metadata")?.get(name)));
    let first = error.get("errors").and_then(|errors| errors.get(0));
    let words = [
        info.and_then(|info| text(info.get("reason"))),
        text(error.get("status")),
        first.and_then(|first| text(first.get("reason"))),
    ];
    Said {
        words: words.into_iter().flatten().collect(),
        message: text(error.get("message")).unwrap_or_default(),
        service: metadata("service"),
        permission: metadata("permission"),
        request_id: detail("google.rpc.RequestInfo").and_then(|detail| text(detail.get("requestId"))),
        retry_after: detail("google.rpc.RetryInfo")
            .and_then(|detail| delay(&text(detail.get("retryDelay"))?)),
    }
}

fn text(value: Option<&Value>) -> Option<String> {
    value?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// `3.5s`.
fn delay(text: &str) -> Option<Duration> {
    let seconds: f64 = text.strip_suffix('s')?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// The permission, from the answer's facts, or from «Required "container.clusters.create" permission(s) for …».
fn permission(said: &Said) -> Option<String> {
    if said.permission.is_some() {
        return said.permission.clone();
    }
    let (_, rest) = said.message.split_once("equired ")?;
    let quote = rest.chars().next().filter(|first| matches!(first, '"' | '\''))?;
    let word = rest.get(1..)?.split(quote).next()?;
    word.contains('.').then(|| word.to_owned())
}

#[cfg(test)]
#[path = "errors_tests.rs"]
mod tests;
