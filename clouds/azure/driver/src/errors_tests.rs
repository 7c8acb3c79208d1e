//! Every row of the table of errors.

use std::time::Duration;

use pmks_transport::{Bytes, HeaderMap, StatusCode};

use super::*;

fn response(status: u16, body: &str) -> Response {
    Response {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        body: Bytes::copy_from_slice(body.as_bytes()),
        request_id: Some("r-1".to_owned()),
        duration: Duration::ZERO,
    }
}

fn kind(action: &'static str, effect: Effect, status: u16, code: &str, message: &str) -> String {
    let body = serde_json::json!({"error": {"code": code, "message": message}}).to_string();
    let error = of_answer(action, effect, &response(status, &body));
    let text = format!("{:?}", error.kind());
    text.split([' ', '(']).next().unwrap_or_default().to_owned()
}

const CREATE: (&str, Effect) = ("ManagedClusters.Create", Effect::Creates);
const UPDATE: (&str, Effect) = ("AgentPools.Update", Effect::Idempotent);
const READ: (&str, Effect) = ("ManagedClusters.Get", Effect::Read);

#[test]
#[expect(clippy::too_many_lines, reason = "one row a quirk")]
fn every_row_means_what_it_should() {
    let busy = "Operation is not allowed: Another agentpool operation (nodepool1 - Creating) is in progress, please wait \
                for it to finish before starting a new operation.";
    let stopped = "Operation is not allowed: managed cluster is in Provisioning State(Succeeded) and Power State(Stopped)";
    let scaled = "Cannot manually scale AgentPool 'ga' with autoscaling enabled";
    let throttled = "The PutManagedClusterHandler.PUT request limit has been exceeded for SubID='s', please retry again in 5 seconds";
    for ((action, effect), status, code, message, expected) in [
        (CREATE, 429, "Throttled", throttled, "Throttled"),
        (READ, 429, "TooManyRequests", "", "Throttled"),
        (READ, 429, "SubscriptionRequestsThrottled", "", "Throttled"),
        (UPDATE, 409, "OperationNotAllowed", throttled, "Throttled"),
        (READ, 401, "InvalidAuthenticationToken", "", "Unauthenticated"),
        (READ, 401, "InvalidAuthenticationTokenTenant", "", "Unauthenticated"),
        (READ, 401, "ExpiredAuthenticationToken", "", "Unauthenticated"),
        (READ, 401, "AuthenticationFailed", "", "Unauthenticated"),
        (READ, 401, "InvalidAuthenticationInfo", "", "Unauthenticated"),
        (CREATE, 403, "AuthorizationFailed", "", "Forbidden"),
        (CREATE, 403, "LinkedAuthorizationFailed", "", "Forbidden"),
        (CREATE, 403, "LinkedAccessCheckFailed", "", "Forbidden"),
        (CREATE, 400, "LinkedInvalidPropertyId", "", "InvalidRequest"),
        (CREATE, 403, "RequestDisallowedByPolicy", "", "Precondition"),
        (READ, 404, "SubscriptionNotFound", "", "Forbidden"),
        (READ, 400, "InvalidSubscriptionId", "", "Forbidden"),
        (READ, 403, "SubscriptionDisabled", "", "Forbidden"),
        (CREATE, 409, "ReadOnlyDisabledSubscription", "", "Forbidden"),
        (CREATE, 409, "SubscriptionNotRegistered", "", "PrerequisiteMissing"),
        (CREATE, 409, "MissingSubscriptionRegistration", "", "PrerequisiteMissing"),
        (CREATE, 409, "MissingRegistrationForType", "", "PrerequisiteMissing"),
        (CREATE, 404, "ResourceGroupNotFound", "", "PrerequisiteMissing"),
        (READ, 404, "ResourceGroupNotFound", "", "NotFound"),
        (UPDATE, 409, "ScopeLocked", "", "Precondition"),
        (UPDATE, 400, "BadRequest", scaled, "Stale"),
        (("ManagedClusters.Update", Effect::Idempotent), 400, "InvalidParameter", scaled, "Stale"),
        (
            UPDATE,
            409,
            "OperationNotAllowed",
            "it results in exceeding approved Total Regional Cores quota",
            "QuotaExceeded",
        ),
        (UPDATE, 409, "OperationNotAllowed", busy, "Conflict"),
        (UPDATE, 409, "OperationNotAllowed", stopped, "Precondition"),
        (UPDATE, 409, "OperationNotAllowed", "the cluster is stopped", "Precondition"),
        (UPDATE, 400, "OperationNotAllowed", "managed cluster is not running", "Precondition"),
        (
            UPDATE,
            409,
            "OperationNotAllowed",
            "Upgrades are disallowed while cluster is in a failed state",
            "Precondition",
        ),
        (UPDATE, 409, "OperationNotAllowed", "anything", "Conflict"),
        (READ, 409, "OperationNotAllowed", "anything", "Conflict"),
        (("Subnets.Update", Effect::Idempotent), 409, "AnotherOperationInProgress", "", "Conflict"),
        (("Subnets.Update", Effect::Idempotent), 409, "RetryableErrorDueToAnotherOperation", "", "Conflict"),
        (UPDATE, 409, "CanceledAndSupersededDueToAnotherOperation", "", "Stale"),
        (UPDATE, 409, "OperationPreempted", "", "Conflict"),
        (UPDATE, 409, "EtagMismatch", "Operation is not allowed: Another operation is in progress", "Stale"),
        (
            CREATE,
            409,
            "EtagMismatch",
            "Operation is not allowed: Another operation is in progress",
            "AlreadyExists",
        ),
        (CREATE, 409, "ReferencedResourceNotProvisioned", "", "Conflict"),
        (CREATE, 409, "ResourceGroupBeingDeleted", "", "Conflict"),
        (("Subnets.Delete", Effect::Idempotent), 400, "InUseSubnetCannotBeDeleted", "", "Conflict"),
        (
            ("NetworkSecurityGroups.Delete", Effect::Idempotent),
            400,
            "InUseNetworkSecurityGroupCannotBeDeleted",
            "",
            "Conflict",
        ),
        (("ResourceGroups.Delete", Effect::Idempotent), 409, "ResourceGroupDeletionBlocked", "", "Conflict"),
        (("RoleAssignments.Create", Effect::Idempotent), 400, "PrincipalNotFound", "", "Unavailable"),
        (("RoleAssignments.Create", Effect::Idempotent), 409, "RoleAssignmentExists", "", "AlreadyExists"),
        (
            ("RoleAssignments.Create", Effect::Idempotent),
            400,
            "RoleAssignmentLimitExceeded",
            "",
            "QuotaExceeded",
        ),
        (CREATE, 409, "ResourceExists", "", "AlreadyExists"),
        (CREATE, 400, "ManagedClusterCountExceedsQuotaLimit", "", "QuotaExceeded"),
        (CREATE, 400, "ErrCode_InsufficientVCPUQuota", "", "QuotaExceeded"),
        (CREATE, 409, "QuotaExceeded", "", "QuotaExceeded"),
        (CREATE, 400, "InsufficientSubnetSize", "", "QuotaExceeded"),
        (CREATE, 400, "SubnetIsFull", "", "QuotaExceeded"),
        (CREATE, 400, "PublicIPCountLimitReached", "", "QuotaExceeded"),
        (CREATE, 409, "SkuNotAvailable", "", "QuotaExceeded"),
        (CREATE, 409, "ZonalAllocationFailed", "", "QuotaExceeded"),
        (CREATE, 409, "OverconstrainedAllocationRequest", "", "QuotaExceeded"),
        (CREATE, 400, "AKSCapacityHeavyUsage", "", "QuotaExceeded"),
        (READ, 404, "ResourceNotFound", "", "NotFound"),
        (READ, 404, "ParentResourceNotFound", "", "NotFound"),
        (READ, 404, "NotFound", "", "NotFound"),
        (("RoleAssignments.Get", Effect::Read), 404, "RoleAssignmentNotFound", "", "NotFound"),
        (CREATE, 400, "K8sVersionNotSupported", "", "InvalidRequest"),
        (CREATE, 400, "VMSizeNotSupported", "", "InvalidRequest"),
        (UPDATE, 400, "PropertyChangeNotAllowed", "", "InvalidRequest"),
        (CREATE, 400, "InvalidParameter", "", "InvalidRequest"),
        (READ, 500, "InternalServerError", "", "Unavailable"),
        (CREATE, 500, "InternalOperationError", "", "Ambiguous"),
        (UPDATE, 503, "ServerTimeout", "", "Unavailable"),
        (READ, 504, "GatewayTimeout", "", "Unavailable"),
        (CREATE, 503, "ServiceUnavailable", "", "Ambiguous"),
        // By status alone.
        (CREATE, 412, "PreconditionFailed", "", "AlreadyExists"),
        (UPDATE, 412, "PreconditionFailed", "", "Stale"),
        (CREATE, 409, "Conflict", "", "Conflict"),
        (READ, 404, "SomethingNew", "", "NotFound"),
        (CREATE, 400, "SomethingNew", "", "InvalidRequest"),
        (CREATE, 502, "SomethingNew", "", "Ambiguous"),
    ] {
        assert_eq!(
            kind(action, effect, status, code, message),
            expected,
            "{action} {status} {code} {message}"
        );
    }
}

#[test]
fn every_row_can_be_reached() {
    assert_eq!(TABLE.hidden(), None);
}

#[test]
fn both_forms_of_the_body_are_read_with_their_details() {
    let bare = br#"{"code":"OperationNotAllowed","details":null,"message":"busy","subcode":""}"#;
    assert_eq!(said(bare).unwrap(), Said { code: "OperationNotAllowed".into(), message: "busy".into() });
    let nested = br#"{"error":{"code":"C","message":"m","details":[{"code":"D","message":"more"}]}}"#;
    assert_eq!(said(nested).unwrap().message, "m (D: more)");
    for other in ["", "<html>", "[]", "{}", r#"{"error":"invalid_client"}"#] {
        assert_eq!(said(other.as_bytes()), None, "{other}");
    }
}

#[test]
fn an_answer_without_azures_body_is_no_absence() {
    for (status, effect, expected) in [
        (404, Effect::Read, "Unexpected"),
        (404, Effect::Creates, "Ambiguous"),
        (405, Effect::Idempotent, "Unsupported"),
        (401, Effect::Read, "Unauthenticated"),
        (412, Effect::Creates, "AlreadyExists"),
        (429, Effect::Read, "Throttled"),
        (502, Effect::Creates, "Ambiguous"),
        (502, Effect::Idempotent, "Ambiguous"),
        (400, Effect::Creates, "Ambiguous"),
        (400, Effect::Read, "Unexpected"),
    ] {
        let error = of_answer("ManagedClusters.Create", effect, &response(status, "<html>"));
        assert!(format!("{:?}", error.kind()).starts_with(expected), "{status}: {:?}", error.kind());
    }
    let error = of_answer("ManagedClusters.Update", Effect::Idempotent, &response(412, ""));
    assert_eq!(*error.kind(), ErrorKind::Stale);
}

#[test]
fn a_refusal_names_the_permission() {
    let message = "The client 'c' with object id 'o' does not have authorization to perform action \
                   'Microsoft.ContainerService/managedClusters/write' over scope '/subscriptions/s' or the scope is invalid.";
    let body = serde_json::json!({"error": {"code": "AuthorizationFailed", "message": message}}).to_string();
    let error = of_answer("ManagedClusters.Create", Effect::Creates, &response(403, &body));
    let permission = Some("Microsoft.ContainerService/managedClusters/write".to_owned());
    assert_eq!(*error.kind(), ErrorKind::Forbidden { permission });
    assert_eq!(error.to_failure().provider_request_id.as_deref(), Some("r-1"));
}

#[test]
fn a_throttled_answer_says_when_to_come_back() {
    let mut answer = response(429, r#"{"code":"Throttled","message":"later"}"#);
    answer.headers.insert("retry-after", "17".parse().unwrap());
    let error = of_answer("ManagedClusters.Get", Effect::Read, &answer);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(17)));
}

#[test]
fn work_that_failed_is_over() {
    let failed = |code: &str, message: &str| {
        let said = Said { code: code.to_owned(), message: message.to_owned() };
        format!("{:?}", of_operation("ManagedClusters.Create", said).kind())
    };
    assert!(failed("InternalServerError", "x").starts_with("Precondition"));
    assert!(failed("SkuNotAvailable", "x").starts_with("QuotaExceeded"));
    assert!(failed("", "").starts_with("InvalidRequest"));
}

#[test]
fn a_missing_token_is_the_credentials_fault_or_nobodys() {
    let refused = |status, body: &str| of_login("login.Token", &response(status, body));
    let secret = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided. Trace ID: 1\r\nCorrelation ID: 2"}"#;
    let error = refused(401, secret);
    assert!(!error.temporary);
    assert_eq!(
        error.to_string(),
        "login.Token: invalid_client: AADSTS7000215: Invalid client secret provided."
    );
    let elsewhere =
        refused(400, r#"{"error":{"code":"InvalidResourceType","message":"There is no POST /x"}}"#);
    assert!(!elsewhere.temporary);
    let says = "login.Token: the endpoint answered 400: InvalidResourceType: There is no POST /x";
    assert_eq!(elsewhere.to_string(), says);
    assert!(refused(503, "").temporary);
    assert!(refused(429, r#"{"error":"x"}"#).temporary);
    assert!(refused(400, "<html>").temporary);
    assert!(refused(400, r#"{"error":"temporarily_unavailable"}"#).temporary);
    assert!(
        !refused(400, r#"{"error":"invalid_request","error_description":"Identity not found"}"#).temporary
    );
}
