//! What Azure's refusals mean: one table, a row a quirk with its source. Nothing else in this crate reads a code.

use pmks_driver::{DriverError, Effect, ErrorKind};
use pmks_model::Findings;
use pmks_transport::{Response, SignError, retry_after};
use serde_json::Value;

use crate::PROVIDER;
use crate::wire::login;

/// The meaning of a row; what it carries beside comes from the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Invalid,
    NotFound,
    AlreadyExists,
    Busy,
    Stale,
    Throttled,
    Quota,
    Unauthenticated,
    Forbidden,
    Prerequisite,
    Blocked(&'static str),
    Unavailable,
}

struct Row {
    /// The call it is for; empty: every call. A leading or trailing `*` stands for anything.
    action: &'static str,
    /// The code; a leading or trailing `*` stands for anything.
    code: &'static str,
    /// What the message holds, in lower case; empty: anything.
    says: &'static str,
    meaning: Meaning,
}

const fn row(action: &'static str, code: &'static str, says: &'static str, meaning: Meaning) -> Row {
    Row { action, code, says, meaning }
}

const START: &str = "start the cluster (az aks start), then retry";
const RECONCILE: &str = "reconcile the cluster (az aks update without options), then retry";
const UNLOCK: &str = "remove the lock from the resource or its resource group";

/// The first row that fits decides. AKS words are compared in lower case.
///
/// Sources: <https://learn.microsoft.com/troubleshoot/azure/azure-kubernetes/> (a page a code),
/// <https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors>,
/// <https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling>,
/// <https://learn.microsoft.com/azure/aks/quotas-skus-regions> (throttling of AKS' own),
/// <https://learn.microsoft.com/azure/role-based-access-control/troubleshooting>.
const TABLE: &[Row] = &[
    // ARM's buckets, and AKS' own: «The PutManagedClusterHandler.PUT request limit has been exceeded for SubID=…»:
    // <https://learn.microsoft.com/troubleshoot/azure/azure-kubernetes/create-upgrade-delete/error-code-throttled>
    row("", "Throttled", "", Meaning::Throttled),
    row("", "TooManyRequests*", "", Meaning::Throttled),
    row("", "*RequestsThrottled*", "", Meaning::Throttled),
    row("", "OperationNotAllowed", "request limit has been exceeded", Meaning::Throttled),
    // Who acts.
    row("", "InvalidAuthenticationToken*", "", Meaning::Unauthenticated),
    row("", "ExpiredAuthenticationToken", "", Meaning::Unauthenticated),
    row("", "AuthenticationFailed*", "", Meaning::Unauthenticated),
    row("", "InvalidAuthenticationInfo", "", Meaning::Unauthenticated),
    row("", "AuthorizationFailed", "", Meaning::Forbidden),
    row("", "LinkedAuthorizationFailed", "", Meaning::Forbidden),
    row("", "LinkedAccessCheckFailed", "", Meaning::Forbidden),
    row("", "LinkedInvalidPropertyId", "", Meaning::Invalid),
    row(
        "",
        "RequestDisallowedByPolicy",
        "",
        Meaning::Blocked("ask the subscription's owner for an exemption of the policy"),
    ),
    row("", "SubscriptionNotFound", "", Meaning::Forbidden),
    row("", "InvalidSubscriptionId", "", Meaning::Forbidden),
    row("", "*SubscriptionDisabled*", "", Meaning::Forbidden),
    row("", "ReadOnlyDisabledSubscription", "", Meaning::Forbidden),
    // What must exist first.
    row("", "SubscriptionNotRegistered", "", Meaning::Prerequisite),
    row("", "MissingSubscriptionRegistration", "", Meaning::Prerequisite),
    row("", "MissingRegistrationForType", "", Meaning::Prerequisite),
    row("*.Create", "ResourceGroupNotFound", "", Meaning::Prerequisite),
    row("", "ResourceGroupNotFound", "", Meaning::NotFound),
    row("", "ScopeLocked", "", Meaning::Blocked(UNLOCK)),
    // A size that an autoscaler moved between our read and our write: 400 «Cannot manually scale …»:
    // <https://github.com/Azure/AKS/issues/1248>
    row("AgentPools.*", "", "cannot manually scale", Meaning::Stale),
    row("ManagedClusters.*", "", "cannot manually scale", Meaning::Stale),
    // `OperationNotAllowed` is «busy», «stopped», «over the quota» and «not from this state»:
    // <https://learn.microsoft.com/troubleshoot/azure/azure-kubernetes/error-codes/operationnotallowed-error>
    row("", "OperationNotAllowed", "quota", Meaning::Quota),
    row("", "OperationNotAllowed", "in progress", Meaning::Busy),
    row("", "OperationNotAllowed", "power state(stopp", Meaning::Blocked(START)),
    row("", "OperationNotAllowed", "stopped", Meaning::Blocked(START)),
    row("", "OperationNotAllowed", "not running", Meaning::Blocked(START)),
    row("", "OperationNotAllowed", "failed state", Meaning::Blocked(RECONCILE)),
    row("ManagedClusters.*", "OperationNotAllowed", "", Meaning::Busy),
    row("AgentPools.*", "OperationNotAllowed", "", Meaning::Busy),
    row("", "AnotherOperationInProgress", "", Meaning::Busy),
    row("", "*RetryableError*", "", Meaning::Busy),
    row("", "CanceledAndSupersededDueToAnotherOperation", "", Meaning::Stale),
    row("", "OperationPreempted", "", Meaning::Busy),
    // The condition that nothing stands, and the one that nothing changed:
    // <https://github.com/Azure/terraform-azurerm-aks/issues/604>
    row("*.Create", "EtagMismatch", "", Meaning::AlreadyExists),
    row("", "EtagMismatch", "", Meaning::Stale),
    row("", "ReferencedResourceNotProvisioned", "", Meaning::Busy),
    row("", "ResourceGroupBeingDeleted", "", Meaning::Busy),
    row("", "InUse*CannotBeDeleted", "", Meaning::Busy),
    row("", "*DeletionBlocked*", "", Meaning::Busy),
    // What a name that was just made may still be called: the principal of a cluster's new identity:
    // <https://learn.microsoft.com/azure/role-based-access-control/troubleshooting#symptom---assigning-a-role-to-a-new-principal-sometimes-fails>
    row("", "PrincipalNotFound", "", Meaning::Unavailable),
    row("RoleAssignments.*", "RoleAssignmentExists", "", Meaning::AlreadyExists),
    row("RoleAssignments.*", "RoleAssignmentLimitExceeded", "", Meaning::Quota),
    row("", "ResourceExists", "", Meaning::AlreadyExists),
    // Limits and capacity.
    row("", "ManagedClusterCountExceedsQuotaLimit", "", Meaning::Quota),
    row("", "*InsufficientVCPUQuota", "", Meaning::Quota),
    row("", "*QuotaExceeded*", "", Meaning::Quota),
    row("", "*InsufficientSubnetSize", "", Meaning::Quota),
    row("", "SubnetIsFull", "", Meaning::Quota),
    row("", "*CountLimitReached", "", Meaning::Quota),
    row("", "SkuNotAvailable", "", Meaning::Quota),
    row("", "*AllocationFailed", "", Meaning::Quota),
    row("", "OverconstrainedAllocationRequest", "", Meaning::Quota),
    row("", "AKSCapacity*", "", Meaning::Quota),
    // Not there.
    row("", "ResourceNotFound", "", Meaning::NotFound),
    row("", "ParentResourceNotFound", "", Meaning::NotFound),
    row("", "NotFound", "", Meaning::NotFound),
    row("", "RoleAssignmentNotFound", "", Meaning::NotFound),
    // Words of requests that Azure will never take.
    row("", "K8sVersionNotSupported", "", Meaning::Invalid),
    row("", "VMSizeNotSupported", "", Meaning::Invalid),
    row("", "PropertyChangeNotAllowed", "", Meaning::Invalid),
    row("", "InvalidParameter*", "", Meaning::Invalid),
    // Servers' own troubles.
    row("", "InternalServerError", "", Meaning::Unavailable),
    row("", "InternalOperationError", "", Meaning::Unavailable),
    row("", "ServerTimeout", "", Meaning::Unavailable),
    row("", "GatewayTimeout", "", Meaning::Unavailable),
    row("", "ServiceUnavailable", "", Meaning::Unavailable),
];

/// What an answer that is no success says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// Azure's code.
    pub(crate) code: String,
    /// Azure's message, those of its details with it.
    pub(crate) message: String,
}

/// The error that an answer stands for.
pub(crate) fn of_answer(action: &'static str, effect: Effect, response: &Response) -> DriverError {
    let status = response.status.as_u16();
    let Some(said) = said(&response.body) else {
        return without_body(action, effect, response);
    };
    let mut kind = classify(action, effect, status, &said.code, &said.message);
    if let ErrorKind::Throttled { retry_after: after } = &mut kind {
        *after = retry_after(&response.headers);
    }
    let request_id = response.request_id.clone();
    DriverError::new(kind, PROVIDER, said.message).with_action(action).with_answer(
        status,
        Some(said.code),
        request_id,
    )
}

/// The error of work of Azure's that failed.
pub(crate) fn of_operation(action: &'static str, said: Said) -> DriverError {
    // It is over: nothing is unknown about it, so that no outcome of it is ambiguous.
    let mut kind = classify(action, Effect::Idempotent, 400, &said.code, &said.message);
    if kind == ErrorKind::Unavailable {
        kind = ErrorKind::Precondition { what: said.message.clone(), fix: "retry the operation".to_owned() };
    }
    let message = if said.message.is_empty() { "Azure does not say why".to_owned() } else { said.message };
    let text = if said.code.is_empty() { message } else { format!("{}: {message}", said.code) };
    DriverError::new(kind, PROVIDER, text)
}

/// The meaning of a refusal.
fn classify(action: &str, effect: Effect, status: u16, code: &str, message: &str) -> ErrorKind {
    let lower = message.to_lowercase();
    let fits = |row: &&Row| {
        matches(row.action, action)
            && matches(row.code, code)
            && (row.says.is_empty() || lower.contains(row.says))
    };
    let meaning = TABLE.iter().find(fits).map_or_else(|| by_status(action, status), |row| row.meaning);
    match meaning {
        Meaning::Invalid => ErrorKind::InvalidRequest(Findings::default()),
        Meaning::NotFound => ErrorKind::NotFound,
        Meaning::AlreadyExists => ErrorKind::AlreadyExists,
        Meaning::Busy => ErrorKind::Conflict { by: message.to_owned() },
        Meaning::Stale => ErrorKind::Stale,
        Meaning::Throttled => ErrorKind::Throttled { retry_after: None },
        Meaning::Quota => ErrorKind::QuotaExceeded,
        Meaning::Unauthenticated => ErrorKind::Unauthenticated,
        Meaning::Forbidden => ErrorKind::Forbidden { permission: permission(message) },
        Meaning::Prerequisite => ErrorKind::PrerequisiteMissing {
            what: message.to_owned(),
            fix: "run the prerequisites check of the connection, with fix".to_owned(),
        },
        Meaning::Blocked(fix) => ErrorKind::Precondition { what: message.to_owned(), fix: fix.to_owned() },
        Meaning::Unavailable => not_now(effect),
    }
}

/// The meaning of a status whose code no row knows. A precondition that fails means «it exists» where nothing was to
/// exist (`If-None-Match: *`), and «it changed» where a version was named (`If-Match`).
fn by_status(action: &str, status: u16) -> Meaning {
    match status {
        401 => Meaning::Unauthenticated,
        403 => Meaning::Forbidden,
        404 => Meaning::NotFound,
        409 => Meaning::Busy,
        412 if action.ends_with(".Create") => Meaning::AlreadyExists,
        412 => Meaning::Stale,
        429 => Meaning::Throttled,
        400..=499 => Meaning::Invalid,
        _ => Meaning::Unavailable,
    }
}

/// What the cloud's own «not now» has come to: it comes no later than its answer.
fn not_now(effect: Effect) -> ErrorKind {
    match effect {
        Effect::Read | Effect::Idempotent => ErrorKind::Unavailable,
        Effect::Creates => ErrorKind::Ambiguous,
    }
}

/// An answer without Azure's own error body: a proxy's page, or an endpoint that lacks the call.
fn without_body(action: &'static str, effect: Effect, response: &Response) -> DriverError {
    let status = response.status.as_u16();
    let (kind, message) = match status {
        404 | 405 | 501 => (
            ErrorKind::Unsupported { capability: action.to_owned() },
            format!(
                "this endpoint does not implement {action}: it answered {status} without Azure's error body"
            ),
        ),
        401 => (ErrorKind::Unauthenticated, "the token is not accepted".to_owned()),
        412 => (
            if action.ends_with(".Create") { ErrorKind::AlreadyExists } else { ErrorKind::Stale },
            "the condition of the request does not hold".to_owned(),
        ),
        429 => {
            let kind = ErrorKind::Throttled { retry_after: retry_after(&response.headers) };
            (kind, "too many requests".to_owned())
        }
        500.. => (ErrorKind::of_lost(effect), format!("the endpoint answered {status}")),
        _ => {
            let kind = if effect == Effect::Creates { ErrorKind::Ambiguous } else { ErrorKind::Unexpected };
            (kind, format!("the endpoint answered {status} without Azure's error body"))
        }
    };
    let request_id = response.request_id.clone();
    DriverError::new(kind, PROVIDER, message).with_action(action).with_answer(status, None, request_id)
}

/// The error of an answer that says success and cannot be read.
pub(crate) fn unreadable(
    action: &'static str,
    effect: Effect,
    response: &Response,
    cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> DriverError {
    let kind = if effect == Effect::Creates { ErrorKind::Ambiguous } else { ErrorKind::Unexpected };
    DriverError::new(kind, PROVIDER, "the answer cannot be read")
        .with_action(action)
        .with_answer(response.status.as_u16(), None, response.request_id.clone())
        .caused_by(cause)
}

/// The error of a call that has no answer.
pub(crate) fn of_transport(
    action: &'static str,
    effect: Effect,
    error: pmks_transport::Error,
) -> DriverError {
    use pmks_transport::ErrorKind as Sent;
    let kind = match error.kind() {
        Sent::Lost | Sent::TooLarge => ErrorKind::of_lost(effect),
        Sent::NotSent | Sent::Signing { temporary: true } => ErrorKind::Unavailable,
        Sent::Signing { temporary: false } => ErrorKind::Unauthenticated,
        Sent::Budget { retry_after } => ErrorKind::Throttled { retry_after: Some(retry_after) },
        Sent::Invalid | Sent::ForeignHost => ErrorKind::InvalidRequest(Findings::default()),
    };
    // Why there is no token is in the cause: without it nobody knows which credential is wrong.
    let message = match (error.kind(), std::error::Error::source(&error)) {
        (Sent::Signing { .. }, Some(why)) => why.to_string(),
        _ => error.message().to_owned(),
    };
    DriverError::new(kind, PROVIDER, message).with_action(action).caused_by(error)
}

/// Why Entra, or a machine's identity service, gave no token. Entra's description begins with its own code and ends
/// in traces, on lines of their own.
pub(crate) fn of_login(action: &str, response: &Response) -> SignError {
    let said: login::Refusal = serde_json::from_slice(&response.body).unwrap_or_default();
    let status = response.status.as_u16();
    let why = said.error_description.lines().next().unwrap_or_default().trim();
    let why = why.split(" Trace ID:").next().unwrap_or_default();
    let temporary = status == 429
        || status >= 500
        || matches!(said.error.as_str(), "" | "temporarily_unavailable" | "server_error");
    let says = if said.error.is_empty() {
        format!("{action}: the endpoint answered {status}")
    } else {
        format!("{action}: {}: {why}", said.error)
    };
    if temporary { SignError::unavailable(says) } else { SignError::credential(says) }
}

fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern.is_empty() || pattern == text,
        Some(("", rest)) if rest.ends_with('*') => text.contains(rest.trim_end_matches('*')),
        Some((start, end)) => {
            text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end)
        }
    }
}

/// Reads Azure's error body: `{"error": {…}}` as ARM writes it, or bare as AKS does. `None`: it is not Azure that
/// speaks.
///
/// Source: <https://github.com/microsoft/api-guidelines/blob/vNext/azure/Guidelines.md#handling-errors>
pub(crate) fn said(body: &[u8]) -> Option<Said> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let inner = body.get("error").filter(|error| error.is_object()).unwrap_or(&body);
    said_by(inner)
}

/// Reads one error object, the messages of its details with it.
pub(crate) fn said_by(error: &Value) -> Option<Said> {
    let text =
        |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let code = text(error, "code");
    let mut message = text(error, "message");
    if code.is_empty() {
        return None;
    }
    for detail in error.get("details").and_then(Value::as_array).into_iter().flatten() {
        let more = text(detail, "message");
        if !more.is_empty() && !message.contains(&more) {
            message = format!("{message} ({}: {more})", text(detail, "code"));
        }
    }
    Some(Said { code, message })
}

/// The permission in «… does not have authorization to perform action 'Microsoft.ContainerService/managedClusters/write'
/// over scope …».
fn permission(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("perform action")?;
    let word = rest.split('\'').nth(1)?;
    word.contains('/').then(|| word.to_owned())
}

#[cfg(test)]
#[path = "errors_tests.rs"]
mod tests;
