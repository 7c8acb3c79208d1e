//! A test a row of the table of errors, and the bodies they come in.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use pmks_model::Findings;
use std::time::Duration;

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

/// At AWS itself.
fn of_answer(action: &'static str, effect: Effect, response: &Response) -> DriverError {
    super::of_answer(action, effect, response, false)
}

#[test]
fn every_row_can_be_reached() {
    assert_eq!(TABLE.hidden(), None);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table, a line a case")]
fn codes_mean_what_their_call_makes_of_them() {
    let busy = |text: &str| ErrorKind::Conflict { by: text.to_owned() };
    let invalid = ErrorKind::InvalidRequest(Findings::default());
    let lacking = |action: &str| ErrorKind::Unsupported { capability: action.to_owned() };
    for (action, status, code, message, expected) in [
        (
            "eks.CreateCluster",
            409,
            "ResourceInUseException",
            "Cluster already exists with name: a",
            ErrorKind::AlreadyExists,
        ),
        (
            "eks.CreateNodegroup",
            409,
            "ResourceInUseException",
            "NodeGroup already exists with name g",
            ErrorKind::AlreadyExists,
        ),
        ("eks.CreateNodegroup", 409, "ResourceInUseException", "busy", busy("busy")),
        ("eks.CreateAddon", 409, "ResourceInUseException", "Addon already exists.", ErrorKind::AlreadyExists),
        (
            "eks.CreateAccessEntry",
            409,
            "ResourceInUseException",
            "The specified access entry resource is already in use on this cluster.",
            ErrorKind::AlreadyExists,
        ),
        (
            "eks.DeleteCluster",
            409,
            "ResourceInUseException",
            "Cluster has nodegroups attached",
            busy("Cluster has nodegroups attached"),
        ),
        (
            "eks.DescribeCluster",
            404,
            "ResourceNotFoundException",
            "No cluster found for name: a.",
            ErrorKind::NotFound,
        ),
        ("eks.TagResource", 404, "NotFoundException", "no", ErrorKind::NotFound),
        ("eks.CreateCluster", 400, "ResourceLimitExceededException", "no", ErrorKind::QuotaExceeded),
        ("eks.CreateCluster", 400, "UnsupportedAvailabilityZoneException", "no", invalid.clone()),
        ("ec2.DescribeCarrierGateways", 400, "InvalidAction", "no", lacking("ec2.DescribeCarrierGateways")),
        (
            "ec2.DescribeCarrierGateways",
            400,
            "UnsupportedOperation",
            "no",
            lacking("ec2.DescribeCarrierGateways"),
        ),
        ("ec2.CreateVpc", 400, "UnsupportedOperation", "no", invalid.clone()),
        (
            "eks.CreateNodegroup",
            400,
            "InvalidRequestException",
            "Cluster is not in ACTIVE status",
            busy("Cluster is not in ACTIVE status"),
        ),
        (
            "eks.UpdateNodegroupConfig",
            400,
            "InvalidRequestException",
            "Nodegroup cannot be updated as it is currently not in Active State",
            busy("Nodegroup cannot be updated as it is currently not in Active State"),
        ),
        (
            "eks.UpdateClusterVersion",
            400,
            "ThrottlingException",
            "Rate exceeded",
            ErrorKind::Throttled { retry_after: None },
        ),
        ("ec2.DescribeVpcs", 503, "RequestLimitExceeded", "slow", ErrorKind::Throttled { retry_after: None }),
        ("ec2.DescribeVpcs", 400, "InvalidVpcID.NotFound", "no", ErrorKind::NotFound),
        (
            "ec2.DescribeLaunchTemplateVersions",
            400,
            "InvalidLaunchTemplateId.VersionNotFound",
            "no",
            ErrorKind::NotFound,
        ),
        (
            "ec2.DescribeLaunchTemplateVersions",
            400,
            "InvalidLaunchTemplateId.Malformed",
            "no",
            ErrorKind::NotFound,
        ),
        ("ec2.ImportKeyPair", 400, "InvalidKeyPair.Duplicate", "no", ErrorKind::AlreadyExists),
        ("ec2.DeleteVpc", 400, "DependencyViolation", "has dependencies", busy("has dependencies")),
        ("ec2.CreateVpc", 400, "VpcLimitExceeded", "no", ErrorKind::QuotaExceeded),
        ("ec2.CreateVpc", 400, "InvalidVpc.Range", "no", invalid.clone()),
        ("iam.GetRole", 404, "NoSuchEntity", "no", ErrorKind::NotFound),
        ("iam.CreateRole", 409, "EntityAlreadyExists", "no", ErrorKind::AlreadyExists),
        ("iam.AttachRolePolicy", 409, "ConcurrentModification", "no", ErrorKind::Stale),
        (
            "iam.AttachRolePolicy",
            404,
            "NoSuchEntity",
            "Policy arn:aws:iam::aws:policy/P does not exist or is not attachable.",
            ErrorKind::Precondition {
                what: "Policy arn:aws:iam::aws:policy/P does not exist or is not attachable.".into(),
                fix: "use an account whose IAM has AWS' own managed policies".into(),
            },
        ),
        (
            "iam.AttachRolePolicy",
            404,
            "NoSuchEntity",
            "The role with name policy cannot be found.",
            ErrorKind::NotFound,
        ),
        (
            "autoscaling.CreateOrUpdateTags",
            400,
            "ValidationError",
            "AutoScalingGroup name not found - null",
            ErrorKind::NotFound,
        ),
        ("autoscaling.CreateOrUpdateTags", 400, "ValidationError", "bad", invalid),
        (
            "elasticloadbalancing.DescribeLoadBalancers",
            400,
            "LoadBalancerNotFound",
            "no",
            ErrorKind::NotFound,
        ),
        ("sts.GetCallerIdentity", 403, "InvalidClientTokenId", "no", ErrorKind::Unauthenticated),
        ("sts.GetCallerIdentity", 403, "ExpiredToken", "no", ErrorKind::Unauthenticated),
        (
            "eks.ListClusters",
            403,
            "AccessDeniedException",
            "User: arn:aws:iam::1:user/u is not authorized to perform: eks:ListClusters on resource: *",
            ErrorKind::Forbidden { permission: Some("eks:ListClusters".into()) },
        ),
        ("ec2.CreateVpc", 500, "InternalError", "no", ErrorKind::Ambiguous),
    ] {
        let effect = if action == "ec2.CreateVpc" { Effect::Creates } else { Effect::Idempotent };
        assert_eq!(classify(action, effect, status, code, message), expected, "{action} {code} {message}");
    }
}

#[test]
fn what_blocks_an_upgrade_names_what_helps() {
    for (code, message, helps) in [
        ("InvalidStateException", "blocking insights", "with force"),
        (
            "InvalidRequestException",
            "Nodegroups a must be updated to match cluster version",
            "every node group",
        ),
    ] {
        let kind = classify("eks.UpdateClusterVersion", Effect::Idempotent, 400, code, message);
        assert!(matches!(&kind, ErrorKind::Precondition { fix, .. } if fix.contains(helps)), "{kind:?}");
    }
    let role = classify(
        "eks.CreateCluster",
        Effect::Idempotent,
        400,
        "InvalidParameterException",
        "Role with arn: x, could not be assumed because",
    );
    assert!(matches!(role, ErrorKind::PrerequisiteMissing { .. }), "{role:?}");
}

#[test]
fn reads_every_form_of_body() {
    let json = r#"{"message":"No cluster found for name: a."}"#;
    let header = [("x-amzn-errortype", "ResourceNotFoundException:http://internal.amazon.com/coral/")];
    let error = of_answer("eks.DescribeCluster", Effect::Read, &answer(404, &header, json));
    assert!(error.is_not_found());
    assert_eq!(error.code(), Some("ResourceNotFoundException"));
    let typed = r#"{"__type":"com.amazonaws.eks#ResourceInUseException","message":"m"}"#;
    assert_eq!(
        *of_answer("eks.CreateCluster", Effect::Idempotent, &answer(409, &[], typed)).kind(),
        ErrorKind::AlreadyExists
    );
    let xml = "<ErrorResponse><Error><Code>NoSuchEntity</Code><Message>m</Message></Error></ErrorResponse>";
    assert!(of_answer("iam.GetRole", Effect::Read, &answer(404, &[], xml)).is_not_found());
}

#[test]
fn a_404_that_is_not_aws_own_is_never_not_found() {
    let page = "<!doctype html><html lang=en><title>404 Not Found</title>";
    let answer = answer(404, &[], page);
    let at_aws = of_answer("eks.DescribeUpdate", Effect::Read, &answer);
    assert_eq!(*at_aws.kind(), ErrorKind::Unexpected);
    let at_an_emulator = super::of_answer("eks.DescribeUpdate", Effect::Read, &answer, true);
    assert_eq!(*at_an_emulator.kind(), ErrorKind::Unsupported { capability: "eks.DescribeUpdate".into() });
    assert!(at_an_emulator.message().contains("does not implement eks.DescribeUpdate"), "{at_an_emulator}");
}

#[test]
fn what_a_creation_came_to_is_unknown_unless_it_was_refused() {
    for (effect, expected) in [
        (Effect::Creates, ErrorKind::Ambiguous),
        (Effect::Idempotent, ErrorKind::Ambiguous),
        (Effect::Read, ErrorKind::Unavailable),
    ] {
        assert_eq!(*of_answer("ec2.CreateVpc", effect, &answer(502, &[], "<html>")).kind(), expected);
        let lost = pmks_transport::Error::new(pmks_transport::ErrorKind::Lost, "ec2.CreateVpc", "reset");
        assert_eq!(*TABLE.of_transport("ec2.CreateVpc", effect, lost).kind(), expected);
    }
}

#[test]
fn throttling_is_told_to_the_transport_in_every_form() {
    let xml = "<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>m</Message></Error></Errors></Response>";
    let header = [("x-amzn-errortype", "ThrottlingException")];
    for response in
        [answer(503, &[], xml), answer(400, &header, "{\"message\":\"Rate exceeded\"}"), answer(429, &[], "")]
    {
        assert!(matches!(verdict(&response), Verdict::Throttled { .. }));
    }
    assert_eq!(verdict(&answer(503, &[], "")), Verdict::Unavailable);
    assert_eq!(verdict(&answer(404, &[], "")), Verdict::Fine);
    assert_eq!(verdict(&answer(200, &[], "")), Verdict::Fine);
}
