//! What AWS' refusals mean: one table, a row a quirk with its source. Nothing else in this crate reads a code.

use pmks_driver::refusals::{Meaning, Refusal, Row, Table, row};
use pmks_driver::{DriverError, Effect, ErrorKind};
use pmks_transport::{Response, Verdict, classify_by_status, retry_after};
use serde_json::Value;

use crate::PROVIDER;
use crate::query::read_error;

/// The first row that fits decides.
///
/// Sources: the «Errors» section of each action, and <https://docs.aws.amazon.com/eks/latest/APIReference/CommonErrors.html>,
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>,
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html>,
/// <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/CommonErrors.html>. The throttling words are those that
/// AWS' own clients know: <https://github.com/boto/botocore/blob/develop/botocore/retries/standard.py>.
const ROWS: &[Row] = &[
    row("", "Throttling*", "", Meaning::Throttled),
    row("", "ThrottledException", "", Meaning::Throttled),
    row("", "RequestThrottled*", "", Meaning::Throttled),
    row("", "TooManyRequestsException", "", Meaning::Throttled),
    row("", "RequestLimitExceeded", "", Meaning::Throttled),
    row("", "BandwidthLimitExceeded", "", Meaning::Throttled),
    row("", "EC2ThrottledException", "", Meaning::Throttled),
    row("", "PriorRequestNotComplete", "", Meaning::Throttled),
    row("", "SlowDown", "", Meaning::Throttled),
    row("", "UnrecognizedClientException", "", Meaning::Unauthenticated),
    row("", "InvalidClientTokenId", "", Meaning::Unauthenticated),
    row("", "InvalidSignatureException", "", Meaning::Unauthenticated),
    row("", "SignatureDoesNotMatch", "", Meaning::Unauthenticated),
    // «Credential should be scoped to a valid region, not '…'.»
    row(
        "",
        "IncompleteSignature*",
        "valid region",
        Meaning::Blocked("name a region that AWS has, spelled as AWS spells it"),
    ),
    row("", "IncompleteSignature*", "", Meaning::Unauthenticated),
    row("", "ExpiredToken*", "", Meaning::Unauthenticated),
    row("", "RequestExpired", "", Meaning::Unauthenticated),
    row("", "AuthFailure", "", Meaning::Unauthenticated),
    row("", "MissingAuthenticationToken*", "", Meaning::Unauthenticated),
    row("", "InvalidIdentityToken", "", Meaning::Unauthenticated),
    row("", "IDPRejectedClaim", "", Meaning::Unauthenticated),
    row("", "NotAuthorized", "", Meaning::Forbidden),
    row("", "UnauthorizedOperation", "", Meaning::Forbidden),
    row("", "AccessDenied*", "", Meaning::Forbidden),
    row("", "OptInRequired", "", Meaning::Forbidden),
    // An endpoint, or a region, that does not have the call.
    row("", "InvalidAction", "", Meaning::Unsupported),
    row("ec2.Describe*", "Unsupported*", "", Meaning::Unsupported),
    // EKS. `ResourceInUseException` means «exists», «busy» or «has node groups», depending on the call.
    row("eks.CreateCluster", "ResourceInUseException", "", Meaning::AlreadyExists),
    row("eks.CreateAccessEntry", "ResourceInUseException", "", Meaning::AlreadyExists),
    row("eks.Create*", "ResourceInUseException", "already exists", Meaning::AlreadyExists),
    row("eks.*", "ResourceInUseException", "", Meaning::Busy),
    row("eks.*", "ResourceLimitExceededException", "", Meaning::Quota),
    row("eks.*", "ResourceNotFoundException", "", Meaning::NotFound),
    row("eks.*", "NotFoundException", "", Meaning::NotFound),
    // Seen as 400: «Cluster is not in ACTIVE status», «Nodegroup cannot be updated as it is currently not in Active
    // State», «Cannot … while cluster … is being updated».
    row("eks.*", "Invalid*", "not in active", Meaning::Busy),
    row("eks.*", "InvalidRequestException", "in progress", Meaning::Busy),
    row("eks.*", "InvalidRequestException", "currently updating", Meaning::Busy),
    // «Nodegroups … must be updated to match cluster version … before updating cluster version»:
    // <https://docs.aws.amazon.com/eks/latest/userguide/update-cluster.html>
    row(
        "eks.UpdateClusterVersion",
        "Invalid*",
        "must be updated",
        Meaning::Blocked("upgrade every node group to the cluster's version first"),
    ),
    // Blocking upgrade insights: <https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateClusterVersion.html>
    row(
        "eks.UpdateClusterVersion",
        "InvalidStateException",
        "",
        Meaning::Blocked("settle the cluster's upgrade insights, or upgrade with force"),
    ),
    row(
        "eks.DeleteCluster",
        "InvalidRequestException",
        "deletion protection",
        Meaning::Blocked("turn the cluster's deletion protection off"),
    ),
    // «Role with arn: …, could not be assumed because it does not exist or the trusted entity is not correct»
    row("eks.Create*", "InvalidParameterException", "could not be assumed", Meaning::Prerequisite),
    row("eks.Create*", "InvalidParameterException", "role with name", Meaning::Prerequisite),
    row("eks.Create*", "InvalidRequestException", "could not be assumed", Meaning::Prerequisite),
    // EC2.
    row("ec2.*", "*.NotFound", "", Meaning::NotFound),
    row("ec2.*", "InvalidLaunchTemplateId.VersionNotFound", "", Meaning::NotFound),
    // No template has an identifier that EC2 cannot read.
    row("ec2.*", "InvalidLaunchTemplateId.Malformed", "", Meaning::NotFound),
    row("ec2.*", "InvalidVpcID.Malformed", "", Meaning::Invalid),
    row("ec2.*", "*.Duplicate", "", Meaning::AlreadyExists),
    row("ec2.*", "*AlreadyExists*", "", Meaning::AlreadyExists),
    row("ec2.*", "Resource.AlreadyAssociated", "", Meaning::AlreadyExists),
    row("ec2.*", "DependencyViolation", "", Meaning::Busy),
    row("ec2.*", "IncorrectState", "", Meaning::Busy),
    row("ec2.*", "InvalidGroup.InUse", "", Meaning::Busy),
    row("ec2.*", "VolumeInUse", "", Meaning::Busy),
    row("ec2.*", "InvalidNetworkInterface.InUse", "", Meaning::Busy),
    // «Network interface 'eni-…' is currently in use.»
    row("ec2.DeleteNetworkInterface", "InvalidParameterValue", "in use", Meaning::Busy),
    // What is not attached needs no detachment.
    row("ec2.DetachInternetGateway", "Gateway.NotAttached", "", Meaning::NotFound),
    row("ec2.*", "*LimitExceeded*", "", Meaning::Quota),
    row("ec2.*", "InsufficientInstanceCapacity", "", Meaning::Quota),
    // IAM.
    // «Policy arn:aws:iam::aws:policy/… does not exist or is not attachable.»: the role is there, and it will never be.
    row(
        "iam.AttachRolePolicy",
        "NoSuchEntity*",
        "does not exist",
        Meaning::Blocked("use an account whose IAM has AWS' own managed policies"),
    ),
    row("iam.*", "NoSuchEntity*", "", Meaning::NotFound),
    row("iam.*", "EntityAlreadyExists*", "", Meaning::AlreadyExists),
    row("iam.*", "LimitExceeded*", "", Meaning::Quota),
    row("iam.*", "ConcurrentModification*", "", Meaning::Stale),
    row("iam.*", "EntityTemporarilyUnmodifiable*", "", Meaning::Busy),
    row("iam.*", "DeleteConflict*", "", Meaning::Busy),
    // Auto Scaling.
    row("autoscaling.*", "ValidationError", "not found", Meaning::NotFound),
    row("autoscaling.*", "ResourceContention*", "", Meaning::Busy),
    row("autoscaling.*", "ScalingActivityInProgress*", "", Meaning::Busy),
    row("autoscaling.*", "ResourceInUse*", "", Meaning::Busy),
    row("autoscaling.*", "LimitExceeded*", "", Meaning::Quota),
    // Elastic Load Balancing.
    row("elasticloadbalancing.*", "*NotFound*", "", Meaning::NotFound),
    row("elasticloadbalancing.*", "ResourceInUse*", "", Meaning::Busy),
    row(
        "elasticloadbalancing.*",
        "OperationNotPermitted*",
        "",
        Meaning::Blocked("turn the balancer's deletion protection off"),
    ),
    // Servers' own troubles that some services send as 400.
    row("", "InternalFailure", "", Meaning::Unavailable),
    row("", "InternalError", "", Meaning::Unavailable),
    row("", "ServiceUnavailable*", "", Meaning::Unavailable),
    row("", "Unavailable", "", Meaning::Unavailable),
];

/// The rows, and what becomes of an answer that none of them is for.
pub(crate) const TABLE: Table = Table { provider: PROVIDER, whose: "AWS'", rows: ROWS, by_status };

/// What an AWS answer that is no success says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Said {
    code: String,
    message: String,
    request_id: Option<String>,
}

/// The error that an answer stands for, of an endpoint that may lack calls.
pub(crate) fn of_answer(
    action: &'static str,
    effect: Effect,
    response: &Response,
    may_lack: bool,
) -> DriverError {
    let status = response.status.as_u16();
    let Some(said) = said(response) else {
        return match status {
            404 if may_lack => TABLE.lacking(action, response),
            _ => TABLE.without_body(action, effect, response),
        };
    };
    let after = retry_after(&response.headers);
    let mut kind = classify(action, effect, status, &said.code, &said.message);
    if let ErrorKind::Throttled { retry_after } = &mut kind {
        *retry_after = after;
    }
    let request_id = response.request_id.clone().or(said.request_id);
    DriverError::new(kind, PROVIDER, said.message).with_action(action).with_answer(
        status,
        Some(said.code),
        request_id,
    )
}

/// The meaning of a refusal.
fn classify(action: &str, effect: Effect, status: u16, code: &str, message: &str) -> ErrorKind {
    let refusal = Refusal { action, effect, status, codes: &[code], message };
    TABLE.kind_of(&refusal, permission(message))
}

fn by_status(_action: &str, status: u16) -> Meaning {
    match status {
        401 => Meaning::Unauthenticated,
        403 => Meaning::Forbidden,
        429 => Meaning::Throttled,
        400..=499 => Meaning::Invalid,
        _ => Meaning::Unavailable,
    }
}

/// How the cloud took a call, for the transport: EC2 throttles with 503, EKS and IAM with 400; what is refused for its
/// keys comes as 400, 401 or 403.
pub(crate) fn verdict(response: &Response) -> Verdict {
    let throttled = || Verdict::Throttled { retry_after: retry_after(&response.headers) };
    if response.status.is_success() {
        return Verdict::Fine;
    }
    match said(response) {
        Some(said) if is_throttling(&said.code) => throttled(),
        Some(said) if means(&said.code, &said.message) == ErrorKind::Unauthenticated => {
            Verdict::Unauthenticated
        }
        _ => classify_by_status(response),
    }
}

fn is_throttling(code: &str) -> bool {
    matches!(means(code, ""), ErrorKind::Throttled { .. })
}

/// What a code means in whatever call.
fn means(code: &str, message: &str) -> ErrorKind {
    let refusal = Refusal { action: "", effect: Effect::Read, status: 200, codes: &[code], message };
    TABLE.kind_of(&refusal, None)
}

/// Reads AWS' error body, whichever of its forms it has. `None`: it is not AWS that speaks.
fn said(response: &Response) -> Option<Said> {
    let text = std::str::from_utf8(&response.body).ok()?;
    let header =
        response.headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok()).map(bare_code);
    if let Ok(Value::Object(body)) = serde_json::from_str::<Value>(text) {
        let field =
            |names: &[&str]| names.iter().find_map(|name| body.get(*name)?.as_str().map(str::to_owned));
        let code = header.or_else(|| field(&["__type", "code", "Code"]).map(|code| bare_code(&code)));
        return Some(Said {
            code: code.filter(|code| !code.is_empty())?,
            message: field(&["message", "Message", "errorMessage"]).unwrap_or_default(),
            request_id: None,
        });
    }
    if let Some(error) = read_error(text) {
        return Some(Said { code: error.code, message: error.message, request_id: error.request_id });
    }
    header.filter(|code| !code.is_empty()).map(|code| Said { code, ..Said::default() })
}

/// `ResourceNotFoundException` of `com.amazonaws.eks#ResourceNotFoundException:http://…`.
fn bare_code(code: &str) -> String {
    let code = code.split(':').next().unwrap_or_default();
    code.rsplit('#').next().unwrap_or_default().trim().to_owned()
}

/// The permission in «… is not authorized to perform: eks:CreateCluster on resource: …».
fn permission(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("perform: ")?;
    let word = rest.split_whitespace().next()?.trim_end_matches(['.', ',', ';']);
    word.contains(':').then(|| word.to_owned())
}

#[cfg(test)]
#[path = "errors_tests.rs"]
mod tests;
