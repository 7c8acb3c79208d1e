//! A test a row of the table of errors, and the bodies they come in.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use pmks_model::Findings;
use serde_json::json;

use super::*;

fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Response {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, value.parse().unwrap());
    }
    Response {
        status: StatusCode::from_u16(status).unwrap(),
        headers: map,
        body: Bytes::copy_from_slice(body.as_bytes()),
        request_id: None,
        duration: Duration::ZERO,
    }
}

fn google(status: u16, word: &str, message: &str) -> Response {
    answer(status, &[], &json!({"error": {"code": status, "message": message, "status": word}}).to_string())
}

fn compute(status: u16, reason: &str, message: &str) -> Response {
    let first = json!({"message": message, "domain": "global", "reason": reason});
    let body = json!({"error": {"code": status, "message": message, "errors": [first]}});
    answer(status, &[], &body.to_string())
}

fn kind(action: &'static str, response: &Response) -> ErrorKind {
    of_answer(action, Effect::Idempotent, response).kind().clone()
}

#[test]
fn every_row_can_be_reached() {
    assert_eq!(TABLE.hidden(), None);
}

#[test]
fn a_network_without_room_for_pods_is_a_limit() {
    let full = "The network \"net\" does not have available private IP space in 10.0.0.0/8 to reserve a /14 block for \
                pods for cluster {Zone: r1-a, ProjectName: p, ClusterName: c}.";
    let refused = google(400, "INVALID_ARGUMENT", full);
    assert_eq!(kind("container.clusters.create", &refused), ErrorKind::QuotaExceeded);
    let failed = of_operation("container.operations.get", "FAILED_PRECONDITION", full);
    assert_eq!(*failed.kind(), ErrorKind::QuotaExceeded);
}

#[test]
fn gke_says_busy_in_three_ways_and_none_is_throttling() {
    let running = "Cluster is running incompatible operation operation-1731137433803-29e34938.";
    let upgrading =
        "Operation operation-1 is currently upgrading cluster c. Please wait and try again once it is done.";
    let quota =
        "Too many operations: cluster \"c\" hits the concurrent operations quota 5, please try again later.";
    for response in [
        google(400, "FAILED_PRECONDITION", running),
        google(400, "FAILED_PRECONDITION", upgrading),
        compute(400, "failedPrecondition", upgrading),
        google(429, "RESOURCE_EXHAUSTED", quota),
    ] {
        let found = kind("container.nodePools.create", &response);
        assert!(matches!(found, ErrorKind::Conflict { .. }), "{found:?}");
        assert_eq!(verdict(&response), Verdict::Fine);
    }
    let info = json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "CLUSTER_ALREADY_HAS_OPERATION"});
    let body =
        json!({"error": {"code": 400, "message": "no", "status": "FAILED_PRECONDITION", "details": [info]}});
    let error =
        of_answer("container.clusters.update", Effect::Idempotent, &answer(400, &[], &body.to_string()));
    assert!(matches!(error.kind(), ErrorKind::Conflict { .. }));
    assert_eq!(error.code(), Some("CLUSTER_ALREADY_HAS_OPERATION"));
}

#[test]
fn words_mean_what_their_service_makes_of_them() {
    let blocked = |what: &str| ErrorKind::Precondition { what: what.to_owned(), fix: String::new() };
    let invalid = ErrorKind::InvalidRequest(Findings::default());
    let busy = |by: &str| ErrorKind::Conflict { by: by.to_owned() };
    let throttled = ErrorKind::Throttled { retry_after: None };
    let cluster = "container.clusters.create";
    let network = "compute.networks.insert";
    let (cpus, rates) = (
        "Insufficient regional quota to satisfy request: resource \"CPUS\": request requires '24.0' and is short '8.0'.",
        "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute' of service 'compute.googleapis.com'",
    );
    for (action, response, expected) in [
        (
            cluster,
            google(409, "ALREADY_EXISTS", "Already exists: projects/p/zones/z/clusters/c."),
            ErrorKind::AlreadyExists,
        ),
        (cluster, google(404, "NOT_FOUND", "Not found: projects/p/zones/z/clusters/c."), ErrorKind::NotFound),
        (
            cluster,
            google(400, "FAILED_PRECONDITION", "the cluster is in ERROR"),
            blocked("the cluster is in ERROR"),
        ),
        (cluster, compute(400, "failedPrecondition", "no"), blocked("no")),
        (cluster, google(403, "PERMISSION_DENIED", cpus), ErrorKind::QuotaExceeded),
        (
            cluster,
            google(429, "RESOURCE_EXHAUSTED", "Insufficient project quota to satisfy request"),
            ErrorKind::QuotaExceeded,
        ),
        (cluster, google(429, "RESOURCE_EXHAUSTED", "Quota 'clusters' reached"), ErrorKind::QuotaExceeded),
        (cluster, google(429, "RESOURCE_EXHAUSTED", "slow down"), throttled.clone()),
        (cluster, google(429, "RESOURCE_EXHAUSTED", rates), throttled.clone()),
        (cluster, google(409, "ABORTED", "The etag does not match"), ErrorKind::Stale),
        (cluster, google(400, "FAILED_PRECONDITION", "The etag of the cluster differs"), ErrorKind::Stale),
        (
            cluster,
            google(400, "FAILED_PRECONDITION", "Labels could not be set due to fingerprint mismatch."),
            ErrorKind::Stale,
        ),
        (cluster, google(400, "INVALID_ARGUMENT", "Invalid value"), invalid.clone()),
        (cluster, google(500, "INTERNAL", "oops"), ErrorKind::Unavailable),
        (cluster, google(504, "DEADLINE_EXCEEDED", "oops"), ErrorKind::Unavailable),
        (
            cluster,
            google(501, "UNIMPLEMENTED", "no"),
            ErrorKind::Unsupported { capability: cluster.to_owned() },
        ),
        (cluster, google(401, "UNAUTHENTICATED", "no"), ErrorKind::Unauthenticated),
        (network, compute(401, "authError", "Invalid Credentials"), ErrorKind::Unauthenticated),
        (network, compute(409, "alreadyExists", "exists"), ErrorKind::AlreadyExists),
        (
            network,
            compute(404, "notFound", "The resource 'projects/p/global/networks/n' was not found"),
            ErrorKind::NotFound,
        ),
        (
            network,
            compute(400, "resourceNotReady", "The resource is not ready"),
            busy("The resource is not ready"),
        ),
        (network, compute(400, "resourceInUseByAnotherResource", "used by x"), busy("used by x")),
        (
            network,
            compute(403, "quotaExceeded", "Quota 'NETWORKS' exceeded. Limit: 5.0 globally."),
            ErrorKind::QuotaExceeded,
        ),
        (network, compute(403, "quotaExceeded", rates), throttled.clone()),
        (network, compute(403, "rateLimitExceeded", "Rate Limit Exceeded"), throttled.clone()),
        (network, google(403, "CONCURRENT_OPERATIONS_QUOTA_EXCEEDED", "many"), throttled),
        (network, compute(412, "conditionNotMet", "Supplied fingerprint does not match"), ErrorKind::Stale),
        (network, compute(400, "invalid", "Invalid value for field"), invalid.clone()),
        (network, compute(503, "backendError", "try again"), ErrorKind::Unavailable),
        (
            "serviceusage.services.enable",
            google(400, "FAILED_PRECONDITION", "Another activation or deactivation is in progress"),
            busy("Another activation or deactivation is in progress"),
        ),
        (
            network,
            google(403, "PERMISSION_DENIED", "This API method requires billing to be enabled."),
            ErrorKind::Precondition {
                what: "This API method requires billing to be enabled.".to_owned(),
                fix: "enable billing for the project".to_owned(),
            },
        ),
        (cluster, google(400, "", "odd"), invalid),
    ] {
        assert_eq!(kind(action, &response), expected, "{action} {:?}", response.body);
    }
}

#[test]
fn a_creation_is_refused_by_rows_alone() {
    let of = |response: &Response| {
        of_answer("container.clusters.create", Effect::Creates, response).kind().clone()
    };
    for response in [google(500, "INTERNAL", ""), google(503, "UNAVAILABLE", ""), answer(502, &[], "<html>")]
    {
        assert_eq!(of(&response), ErrorKind::Ambiguous);
    }
    assert_eq!(of(&answer(418, &[], "?")), ErrorKind::Ambiguous);
    assert_eq!(of(&google(409, "ALREADY_EXISTS", "")), ErrorKind::AlreadyExists);
}

#[test]
fn an_api_that_is_off_is_a_prerequisite() {
    let info = json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED",
        "domain": "googleapis.com", "metadata": {"service": "container.googleapis.com", "consumer": "projects/1"}});
    let request = json!({"@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": "0xabc"});
    let body = json!({"error": {"code": 403, "message": "it is disabled", "status": "PERMISSION_DENIED",
        "details": [request, info]}});
    let error = of_answer("container.getServerConfig", Effect::Read, &answer(403, &[], &body.to_string()));
    assert_eq!(*error.kind(), api_disabled("container.googleapis.com"));
    let failure = error.to_failure();
    assert_eq!(failure.provider_request_id.as_deref(), Some("0xabc"));
    assert!(failure.fix.unwrap().contains("gcloud services enable container.googleapis.com"));
    let old = compute(403, "accessNotConfigured", "Access Not Configured.");
    assert!(matches!(kind("compute.networks.list", &old), ErrorKind::PrerequisiteMissing { .. }));
}

#[test]
fn the_missing_permission_is_named() {
    let named = |message: &str| kind("compute.networks.insert", &compute(403, "forbidden", message));
    let of = |word: &str| ErrorKind::Forbidden { permission: Some(word.to_owned()) };
    assert_eq!(
        named("Required 'compute.networks.create' permission for 'projects/p'"),
        of("compute.networks.create")
    );
    assert_eq!(
        named("Required \"container.clusters.create\" permission(s) for \"projects/p\"."),
        of("container.clusters.create")
    );
    assert_eq!(named("The caller does not have permission"), ErrorKind::Forbidden { permission: None });
    let info = json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "IAM_PERMISSION_DENIED",
        "metadata": {"permission": "serviceusage.services.get"}});
    let body =
        json!({"error": {"code": 403, "message": "no", "status": "PERMISSION_DENIED", "details": [info]}});
    let response = answer(403, &[], &body.to_string());
    assert_eq!(kind("serviceusage.services.get", &response), of("serviceusage.services.get"));
}

#[test]
fn the_token_endpoint_speaks_its_own_way() {
    let body = r#"{"error": "invalid_grant", "error_description": "Invalid JWT Signature."}"#;
    let error = of_answer("oauth2.token", Effect::Read, &answer(400, &[], body));
    assert_eq!((error.kind(), error.message()), (&ErrorKind::Unauthenticated, "Invalid JWT Signature."));
    assert_eq!(
        kind("sts.token", &answer(400, &[], r#"{"error": "invalid_client"}"#)),
        ErrorKind::Unauthenticated
    );
}

#[test]
fn rates_say_when_to_come_back() {
    let info = json!({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3.5s"});
    let body =
        json!({"error": {"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED", "details": [info]}});
    let response = answer(429, &[], &body.to_string());
    let after = Some(Duration::from_millis(3500));
    assert_eq!(kind("compute.networks.list", &response), ErrorKind::Throttled { retry_after: after });
    let limited = compute(403, "rateLimitExceeded", "slow");
    assert_eq!(verdict(&limited), Verdict::Throttled { retry_after: None });
    assert_eq!(
        verdict(&answer(429, &[("retry-after", "7")], "slow down")),
        Verdict::Throttled { retry_after: Some(Duration::from_secs(7)) }
    );
    assert_eq!(verdict(&google(503, "UNAVAILABLE", "")), Verdict::Unavailable);
    assert_eq!(verdict(&google(404, "NOT_FOUND", "")), Verdict::Fine);
}

#[test]
fn a_page_of_somebody_else_is_no_absence() {
    for body in ["<html>404</html>", "", "{}"] {
        let found = kind("container.clusters.get", &answer(404, &[], body));
        assert_eq!(found, ErrorKind::Unexpected, "{body}");
    }
    let lacking = kind("container.clusters.get", &answer(405, &[], "[]"));
    assert!(matches!(lacking, ErrorKind::Unsupported { .. }), "{lacking:?}");
    assert_eq!(kind("container.clusters.get", &answer(403, &[], "<html>")), ErrorKind::Unexpected);
}

#[test]
fn failed_work_is_in_the_clouds_words() {
    let stockout =
        of_operation("container.operations.get", word_of(8), "GCE_STOCKOUT: Instance 'x' creation failed");
    assert_eq!(*stockout.kind(), ErrorKind::QuotaExceeded);
    let held = of_operation(
        "compute.globalOperations.get",
        "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE",
        "used by firewalls/f",
    );
    assert!(matches!(held.kind(), ErrorKind::Precondition { what, .. } if what == "used by firewalls/f"));
    let broken = of_operation("container.operations.get", word_of(13), "INTERNAL: the cluster was not made");
    assert!(matches!(broken.kind(), ErrorKind::Precondition { .. }), "{broken}");
    let silent = of_operation("container.operations.get", word_of(2), "");
    assert_eq!(silent.message(), "Google does not say why it failed");
    assert_eq!(*of_operation("container.operations.get", word_of(5), "x").kind(), ErrorKind::NotFound);
}
