//! What Azure's refusals mean: one table, a row a quirk with its source. Nothing else in this crate reads a code.

use pmks_driver::refusals::{Meaning, Refusal, Row, Table, row};
use pmks_driver::{DriverError, Effect, ErrorKind};
use pmks_transport::{Response, SignError, retry_after};
use serde_json::Value;

use crate::PROVIDER;
use crate::wire::login;

const START: &str = "start the cluster (az aks start), then retry";
const RECONCILE: &str = "reconcile the cluster (az aks update without options), then retry";
/// What a condition that does not hold is without a word of Azure's.
const UNMET: &str = "the condition of the request does not hold";
const UNLOCK: &str = "remove the lock from the resource or its resource group";

/// The first row that fits decides. AKS words are compared in lower case.
///
/// Sources: <https://learn.microsoft.com/troubleshoot/azure/azure-kubernetes/> (a page a code),
/// <https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors>,
/// <https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling>,
/// <https://learn.microsoft.com/azure/aks/quotas-skus-regions> (throttling of AKS' own),
/// <https://learn.microsoft.com/azure/role-based-access-control/troubleshooting>.
const ROWS: &[Row] = &[
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

/// The rows, and what becomes of an answer that none of them is for.
pub(crate) const TABLE: Table = Table { provider: PROVIDER, whose: "Azure's", rows: ROWS, by_status };

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
    let refusal = Refusal { action, effect, status, codes: &[code], message };
    TABLE.kind_of(&refusal, permission(message))
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

/// An answer without Azure's own error body: a proxy's page, or an endpoint that lacks the call.
fn without_body(action: &'static str, effect: Effect, response: &Response) -> DriverError {
    let (kind, says) = match response.status.as_u16() {
        401 => (ErrorKind::Unauthenticated, "the token is not accepted"),
        412 if action.ends_with(".Create") => (ErrorKind::AlreadyExists, UNMET),
        412 => (ErrorKind::Stale, UNMET),
        _ => return TABLE.without_body(action, effect, response),
    };
    TABLE.answered(kind, says, action, response)
}

/// Why Entra, or a machine's identity service, gave no token. Entra's description begins with its own code and ends
/// in traces, on lines of their own.
pub(crate) fn of_login(action: &str, response: &Response) -> SignError {
    let refusal: login::Refusal = serde_json::from_slice(&response.body).unwrap_or_default();
    let status = response.status.as_u16();
    let why = refusal.error_description.lines().next().unwrap_or_default().trim();
    let why = why.split(" Trace ID:").next().unwrap_or_default();
    // What answers in Resource Manager's words is no login, and says what it does not know.
    let other = said(&response.body).filter(|_| refusal.error.is_empty());
    let temporary = status == 429
        || status >= 500
        || matches!(refusal.error.as_str(), "temporarily_unavailable" | "server_error")
        || (refusal.error.is_empty() && other.is_none());
    let says = match other {
        Some(other) => format!("{action}: the endpoint answered {status}: {}: {}", other.code, other.message),
        None if refusal.error.is_empty() => {
            format!("{action}: the endpoint answered {status} without saying why in the words of a login")
        }
        None => format!("{action}: {}: {why}", refusal.error),
    };
    if temporary { SignError::unavailable(says) } else { SignError::credential(says) }
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
