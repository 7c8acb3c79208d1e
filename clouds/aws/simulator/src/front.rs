//! Routes one request as AWS does: the credential scope names service and region, `Action` or the path the call.
//!
//! Verifies the signature and throttles; what a call does is its service's.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use pmks_simulation::{Answered, BucketLimits, Effects, Identified, Now, Refusal};

use crate::cloud::Core;
use crate::context::{Caller, Context};
use crate::error::Error;
use crate::query::Query;
use crate::reply::{self, Protocol};
use crate::signature::{self, Limits, Unproven};
use crate::world::{Place, World, is_region};
use crate::{auto_scaling, cloudwatch, ec2, eks, elb, iam, sts};

/// Where a call without any signature is taken to come from: STS answers some of those.
const UNSIGNED_REGION: &str = "us-east-1";

/// What a request is about; nothing is proven yet.
pub(crate) fn identify(request: &Request<Bytes>) -> Identified {
    let scope = signature::claimed_scope(request);
    let caller = scope.as_ref().map(|scope| scope.access_key.clone());
    let service = match scope {
        Some(scope) => scope.service,
        None => unsigned_service(request).to_owned(),
    };
    if service == "eks" {
        let (action, resource) = eks::identify(request);
        return Identified { service, action, resource, caller };
    }
    let query = parameters(request);
    let action = query.get("Action").unwrap_or("unknown").to_owned();
    Identified { service, action, resource: named_resource(&query), caller }
}

/// The parameters by which requests name the one thing that they are about.
const NAMING: [&str; 24] = [
    "VpcId",
    "SubnetId",
    "GroupId",
    "InternetGatewayId",
    "RouteTableId",
    "NetworkInterfaceId",
    "VolumeId",
    "LaunchTemplateId",
    "KeyName",
    "RoleName",
    "PolicyArn",
    "RoleArn",
    "AutoScalingGroupName",
    "LoadBalancerName",
    "LoadBalancerArn",
    "TargetGroupArn",
    "ResourceId.1",
    "GroupName",
    "LaunchTemplateName",
    "VpcId.1",
    "SubnetId.1",
    "GroupId.1",
    "KeyName.1",
    "KeyPairId.1",
];

fn named_resource(query: &Query) -> Option<String> {
    NAMING.iter().find_map(|name| query.get(name)).map(str::to_owned)
}

/// Without a signature, the shape of the request tells the service.
fn unsigned_service(request: &Request<Bytes>) -> &'static str {
    if request.uri().path() != "/" {
        return "eks";
    }
    match parameters(request).get("Version") {
        Some("2016-11-15") => "ec2",
        Some("2010-05-08") => "iam",
        Some("2011-01-01") => "autoscaling",
        Some("2010-08-01") => "monitoring",
        Some("2012-06-01" | "2015-12-01") => "elasticloadbalancing",
        _ => "sts",
    }
}

fn parameters(request: &Request<Bytes>) -> Query {
    if request.method() == Method::GET {
        Query::read(request.uri().query().unwrap_or_default().as_bytes())
    } else {
        Query::read(request.body())
    }
}

fn protocol(service: &str, query: &Query) -> Protocol {
    match service {
        "eks" => Protocol::RestJson,
        "ec2" => Protocol::Ec2,
        "iam" => Protocol::Query("https://iam.amazonaws.com/doc/2010-05-08/"),
        "monitoring" => Protocol::Query("http://monitoring.amazonaws.com/doc/2010-08-01/"),
        "autoscaling" => Protocol::Query("http://autoscaling.amazonaws.com/doc/2011-01-01/"),
        "elasticloadbalancing" if elb::is_classic(query) => {
            Protocol::Query("http://elasticloadbalancing.amazonaws.com/doc/2012-06-01/")
        }
        "elasticloadbalancing" => {
            Protocol::Query("http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/")
        }
        _ => Protocol::Query("https://sts.amazonaws.com/doc/2011-06-15/"),
    }
}

/// Verifies, throttles and carries out one request.
pub(crate) fn answer(
    core: &Core,
    world: &mut World,
    now: Now,
    request: &Request<Bytes>,
    call: &Identified,
    effects: &Effects,
) -> Answered {
    let request_id = world.random.uuid();
    let query = if call.service == "eks" { Query::default() } else { parameters(request) };
    let protocol = protocol(&call.service, &query);
    let refuse = |error: &Error| reply::failure(protocol, error, &request_id);
    if call.service == "sts" && sts::is_unsigned(&call.action) {
        let result = sts::without_signature(world, now, &call.action, &query);
        return finish(protocol, &call.action, result, &request_id);
    }
    let caller = match signature::verify(request, world, now.wall, Limits::of(&call.service)) {
        Ok(caller) => caller,
        Err(unproven) => return refuse(&unproven_error(&call.service, &unproven)),
    };
    let region =
        signature::claimed_scope(request).map_or_else(|| UNSIGNED_REGION.to_owned(), |scope| scope.region);
    if !is_region(&region) {
        let text = format!("Credential should be scoped to a valid region, not '{region}'. ");
        return refuse(&unproven_error(&call.service, &Unproven::Incomplete(text)));
    }
    let place = Place { account: caller.account.clone(), region };
    if throttled(core, &place, call, now) {
        return refuse(&throttle_error(&call.service));
    }
    let mut context = Context { world, place, caller, now, effects, request_id };
    carry_out(&mut context, protocol, request, &call.action, &query)
}

fn carry_out(
    context: &mut Context<'_>,
    protocol: Protocol,
    request: &Request<Bytes>,
    action: &str,
    query: &Query,
) -> Answered {
    let service = signature::claimed_scope(request).map(|scope| scope.service).unwrap_or_default();
    let result = match service.as_str() {
        "eks" => {
            let response = eks::handle(context, request);
            let code = response.headers().get("x-amzn-errortype").and_then(|code| code.to_str().ok());
            let code = code.map(str::to_owned);
            return Answered { response, code, request_id: context.request_id.clone() };
        }
        "ec2" => ec2::handle(context, action, query),
        "iam" => iam::handle(context, action, query),
        "sts" => sts::handle(context, action, query),
        "monitoring" => cloudwatch::handle(context, action, query),
        "autoscaling" => auto_scaling::handle(context, action, query),
        "elasticloadbalancing" => elb::handle(context, action, query),
        other => Err(Error::bad("InvalidService", format!("The simulated AWS has no service {other}."))),
    };
    finish(protocol, action, result, &context.request_id)
}

fn finish(
    protocol: Protocol,
    action: &str,
    result: Result<crate::xml::Xml, Error>,
    request_id: &str,
) -> Answered {
    match result {
        Ok(content) => reply::success(protocol, action, &content, request_id),
        Err(error) => reply::failure(protocol, &error, request_id),
    }
}

/// The words of each service for a request that proves nobody.
///
/// Sources: <https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html>,
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>.
fn unproven_error(service: &str, unproven: &Unproven) -> Error {
    const INVALID_TOKEN: &str = "The security token included in the request is invalid.";
    const EXPIRED_TOKEN: &str = "The security token included in the request is expired";
    const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check \
         your AWS Secret Access Key and signing method. Consult the service documentation for details.";
    const VALIDATE: &str = "AWS was not able to validate the provided access credentials";
    match (service, unproven) {
        ("ec2", Unproven::UnknownKey | Unproven::Mismatch) => Error::new(401, "AuthFailure", VALIDATE),
        ("ec2", Unproven::OutOfTime(_) | Unproven::ExpiredSession) => {
            Error::new(400, "RequestExpired", "Request has expired.")
        }
        ("eks", Unproven::Missing) => {
            Error::new(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
        }
        ("eks", Unproven::Incomplete(what)) => Error::new(403, "IncompleteSignatureException", what),
        ("eks", Unproven::UnknownKey) => Error::new(403, "UnrecognizedClientException", INVALID_TOKEN),
        ("eks", Unproven::ExpiredSession) => Error::new(403, "ExpiredTokenException", EXPIRED_TOKEN),
        ("eks", Unproven::Mismatch) => Error::new(403, "InvalidSignatureException", MISMATCH),
        ("eks", Unproven::OutOfTime(what)) => Error::new(403, "InvalidSignatureException", what),
        (_, Unproven::Missing) => {
            Error::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
        }
        (_, Unproven::Incomplete(what)) => Error::new(400, "IncompleteSignature", what),
        (_, Unproven::UnknownKey) => Error::new(403, "InvalidClientTokenId", INVALID_TOKEN),
        (_, Unproven::ExpiredSession) => Error::new(403, "ExpiredToken", EXPIRED_TOKEN),
        (_, Unproven::Mismatch) => Error::new(403, "SignatureDoesNotMatch", MISMATCH),
        (_, Unproven::OutOfTime(what)) => Error::new(403, "SignatureDoesNotMatch", what),
    }
}

/// A fault's refusal in the service's words.
pub(crate) fn refuse(world: &mut World, call: &Identified, refusal: &Refusal) -> Answered {
    let request_id = world.random.uuid();
    let protocol = protocol(&call.service, &Query::default());
    let error = match refusal {
        Refusal::Throttle => throttle_error(&call.service),
        Refusal::Deny => {
            let caller = call.caller.as_deref().and_then(|key| world.access_key(key)).map(|key| key.caller);
            denied(&call.service, &call.action, caller.as_ref())
        }
        Refusal::Status { status, code, message } => {
            Error::new(*status, code, message.as_deref().unwrap_or("A fault of the simulation."))
        }
    };
    reply::failure(protocol, &error, &request_id)
}

fn denied(service: &str, action: &str, caller: Option<&Caller>) -> Error {
    let who = caller.map_or("arn:aws:iam::000000000000:user/unknown", |caller| caller.arn.as_str());
    let sentence = format!(
        "User: {who} is not authorized to perform: {service}:{action} on resource: * because no identity-based \
         policy allows the {service}:{action} action"
    );
    match service {
        "ec2" => {
            let message = format!("You are not authorized to perform this operation. {sentence}");
            Error::new(403, "UnauthorizedOperation", message)
        }
        "eks" => Error::new(403, "AccessDeniedException", sentence),
        _ => Error::new(403, "AccessDenied", sentence),
    }
}

fn throttle_error(service: &str) -> Error {
    match service {
        "ec2" => Error::new(503, "RequestLimitExceeded", "Request limit exceeded."),
        "eks" => Error::new(429, "ThrottlingException", "Rate exceeded"),
        _ => Error::new(400, "Throttling", "Rate exceeded"),
    }
}

/// EC2's buckets are its published ones per action, region and account; those of the others are not published
/// and generous here. Source: <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>.
fn limits(call: &Identified) -> BucketLimits {
    let reads = ["Describe", "Get", "List"].iter().any(|verb| call.action.starts_with(verb));
    let (capacity, per_second) = match (call.service.as_str(), reads) {
        ("ec2", true) => (100.0, 20.0),
        ("ec2", false) => (50.0, 5.0),
        _ => (200.0, 50.0),
    };
    BucketLimits { capacity, per_second }
}

/// Buckets fill with the clock that goes faster: the date's, or the world's work, so that a client paced to a
/// sped-up world is not throttled for it.
fn throttled(core: &Core, place: &Place, call: &Identified, now: Now) -> bool {
    let time: Duration = core.controls.clock.monotonic().max(now.work);
    let key = format!("{}/{}/{}/{}", place.account, place.region, call.service, call.action);
    core.buckets.take(&key, limits(call), time).is_err()
}
