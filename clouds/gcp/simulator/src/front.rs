//! Google's front door: tells the call by its path, proves the caller, asks whether the API is on, throttles, and
//! hands the call to its service.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use pmks_simulation::{Answered, BucketLimits, Effects, Identified, Now, Refusal};
use serde_json::Value;

use crate::auth::{self, Access};
use crate::call::Call;
use crate::cloud::Core;
use crate::error::{Code, Error, Result};
use crate::route::{Route, Service, route};
use crate::world::World;
use crate::{answer, compute, container, monitoring, resource_manager, service_usage};

/// What a request is about; nothing is proven yet.
pub(crate) fn identify(world: &World, now: Now, request: &Request<Bytes>) -> Identified {
    let Some(route) = route(request) else {
        return Identified { action: "unknown".to_owned(), ..Identified::default() };
    };
    let caller =
        auth::verify(request, &world.auth, &route, now.wall).ok().map(|access| access.principal.email);
    let (service, resource) = (route.service.name().to_owned(), named(&route, request));
    Identified { service, action: route.action, resource, caller }
}

/// The one thing that a request names: the last of its path, or what a creation's body says.
fn named(route: &Route, request: &Request<Bytes>) -> Option<String> {
    let body = || serde_json::from_slice::<Value>(request.body()).ok();
    let text = |pointer: &str| body()?.pointer(pointer)?.as_str().map(str::to_owned);
    match route.action.rsplit('.').next().unwrap_or_default() {
        "create" if route.action.starts_with("clusters") => text("/cluster/name"),
        "create" => text("/nodePool/name"),
        "insert" => text("/name"),
        "list" | "aggregatedList" | "getServerConfig" | "token" => None,
        _ => route.names.last().cloned().or_else(|| route.project.clone()),
    }
}

/// Proves, throttles and carries out one request.
pub(crate) fn answer(
    core: &Core,
    world: &mut World,
    now: Now,
    request: &Request<Bytes>,
    call: &Identified,
    effects: &Effects,
) -> Answered {
    let request_id = world.random.hex(16);
    let Some(route) = route(request) else { return answer::no_such_path(&request_id) };
    let style = route.service.style();
    let result = match route.service {
        Service::Metadata => return auth::metadata(world, now, &route, request, &request_id),
        Service::OAuth if route.action == "tokeninfo" => auth::token_info(world, now, request),
        Service::OAuth => auth::token(world, now, request),
        Service::Sts => auth::exchange(world, now, request),
        _ => enter(core, world, now, request, &route, call, effects),
    };
    match result {
        Err(error) if error.code == "noSuchPath" => answer::no_such_path(&request_id),
        result => answer::json(result, style, &request_id),
    }
}

fn enter(
    core: &Core,
    world: &mut World,
    now: Now,
    request: &Request<Bytes>,
    route: &Route,
    call: &Identified,
    effects: &Effects,
) -> Result<Value> {
    let access = auth::verify(request, &world.auth, route, now.wall)?;
    let project = project(world, route, &access)?;
    service_is_on(world, &project, route)?;
    if throttled(core, &project, route, now) {
        return Err(throttle(world, &project, route.service));
    }
    let principal = access.principal;
    if route.service == Service::IamCredentials {
        return auth::generate_access_token(world, now, &principal, route.name(0), request.body());
    }
    let mut call_of = Call { world, project: &project, principal, now, effects };
    match route.service {
        Service::Container => container::handle(&mut call_of, route, request),
        Service::Compute => compute::handle(&mut call_of, route, request),
        Service::ServiceUsage => service_usage::handle(&mut call_of, route, request),
        Service::Monitoring => monitoring::handle(&call_of, route, request),
        Service::ResourceManager => resource_manager::handle(&call_of, route, request),
        _ => Err(no_such_path(&call.action)),
    }
}

/// For calls that Google has and the simulation has not.
pub(crate) fn no_such_path(action: &str) -> Error {
    Error::written(404, "noSuchPath", "noSuchPath", format!("{action} is not simulated"))
}

/// The id of the project that a call is about, which its caller may use.
fn project(world: &World, route: &Route, access: &Access) -> Result<String> {
    let Some(named) = &route.project else {
        return Ok(access.principal.project.clone().unwrap_or_else(|| world.first.clone()));
    };
    let id = world.project_id(named).map(str::to_owned);
    let allowed = id.filter(|id| access.principal.project.as_ref().is_none_or(|own| own == id));
    allowed.ok_or_else(|| match route.service {
        Service::Compute => compute::no_resource(&format!("projects/{named}")),
        Service::ResourceManager => Error::new(
            Code::PermissionDenied,
            format!("The caller does not have permission to access project {named}, or it may not exist."),
        ),
        service => {
            let consumer = format!("projects/{named}");
            let metadata = [("consumer", consumer.as_str()), ("service", &*service.host())];
            Error::new(Code::PermissionDenied, format!("Permission denied on resource project {named}."))
                .info("CONSUMER_INVALID", "googleapis.com", &metadata)
                .at_the_door()
        }
    })
}

/// Source of the wording: <https://cloud.google.com/service-usage/docs/enabled-service>.
fn service_is_on(world: &World, project: &str, route: &Route) -> Result<()> {
    let host = route.service.host();
    let held = world.project(project);
    if service_usage::is_on(&held.services, &host) {
        return Ok(());
    }
    let (title, number) = (service_usage::title(&host), &held.number);
    let url = format!("https://console.developers.google.com/apis/api/{host}/overview?project={project}");
    let says = format!(
        "{title} has not been used in project {project} before or it is disabled. Enable it by visiting {url} then \
         retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and \
         retry."
    );
    let consumer = format!("projects/{number}");
    let metadata = [
        ("service", host.as_str()),
        ("serviceTitle", title),
        ("consumer", consumer.as_str()),
        ("containerInfo", project),
        ("activationUrl", url.as_str()),
    ];
    Err(Error::new(Code::PermissionDenied, says)
        .reason("accessNotConfigured")
        .info("SERVICE_DISABLED", "googleapis.com", &metadata)
        .at_the_door())
}

/// A fault's refusal in the service's words.
pub(crate) fn refuse(world: &mut World, call: &Identified, refusal: &Refusal) -> Answered {
    let request_id = world.random.hex(16);
    let service = Service::of(&call.service).unwrap_or(Service::Container);
    let project = world.first.clone();
    let error = match refusal {
        Refusal::Throttle => throttle(world, &project, service),
        Refusal::Deny => denied(&project, service, call),
        Refusal::Status { status, code, message } => {
            let message = message.as_deref().unwrap_or("A fault of the simulation.");
            Error::written(*status, code, code, message)
        }
    };
    answer::refusal(&error, service.style(), &request_id)
}

fn denied(project: &str, service: Service, call: &Identified) -> Error {
    let permission = permission(service, &call.action);
    let resource = format!("projects/{project}");
    let error = match service {
        Service::OAuth | Service::Sts => return Error::oauth("unauthorized_client", "Unauthorized"),
        Service::Compute => {
            return Error::new(
                Code::PermissionDenied,
                format!("Required '{permission}' permission for '{resource}'"),
            );
        }
        Service::Container => {
            format!("Required \"{permission}\" permission(s) for \"{resource}\".")
        }
        _ => format!("Permission '{permission}' denied on resource '{resource}' (or it may not exist)."),
    };
    let metadata = [("permission", permission.as_str()), ("resource", resource.as_str())];
    Error::new(Code::PermissionDenied, error).info("IAM_PERMISSION_DENIED", &service.host(), &metadata)
}

/// The permission that a call needs. Source: <https://cloud.google.com/iam/docs/permissions-reference>.
fn permission(service: Service, action: &str) -> String {
    let (kind, verb) = action.rsplit_once('.').unwrap_or(("clusters", action));
    let verb = match verb {
        "insert" | "create" => "create",
        "delete" => "delete",
        "get" | "wait" => "get",
        "list" | "aggregatedList" | "getServerConfig" | "listManagedInstances" => "list",
        "enable" => "enable",
        "testIamPermissions" => "get",
        _ => "update",
    };
    match (service, kind) {
        // Node pools have no permissions of their own.
        (Service::Container, "nodePools") if verb == "get" || verb == "list" => {
            "container.clusters.get".to_owned()
        }
        (Service::Container, "nodePools") => "container.clusters.update".to_owned(),
        _ => format!("{}.{kind}.{verb}", service.name()),
    }
}

/// Sources: <https://cloud.google.com/kubernetes-engine/quotas>, <https://cloud.google.com/compute/api-quota>.
fn throttle(world: &World, project: &str, service: Service) -> Error {
    let (host, number) = (service.host(), &world.project(project).number);
    let says = format!(
        "Quota exceeded for quota metric 'Requests' and limit 'Requests per minute' of service '{host}' for consumer \
         'project_number:{number}'."
    );
    let error = match service {
        Service::Compute => Error::new(Code::PermissionDenied, says).reason("rateLimitExceeded"),
        Service::OAuth | Service::Sts => return Error::written(429, "rate_limit_exceeded", "", says),
        _ => Error::new(Code::ResourceExhausted, says),
    };
    let consumer = format!("projects/{number}");
    error
        .info(
            "RATE_LIMIT_EXCEEDED",
            "googleapis.com",
            &[("consumer", &consumer), ("service", &host), ("quota_limit", "RequestsPerMinutePerProject")],
        )
        .at_the_door()
}

fn throttled(core: &Core, project: &str, route: &Route, now: Now) -> bool {
    let (capacity, per_second) = match route.service {
        Service::Container => (3000.0, 50.0),
        _ => (1500.0, 25.0),
    };
    let kind = if route.reads() { "reads" } else { "changes" };
    let key = format!("{project}/{}/{kind}", route.service.name());
    // Buckets fill with the clock that goes faster, so that a client paced to a sped-up world is not throttled for it.
    let time: Duration = core.controls.clock.monotonic().max(now.work);
    core.buckets.take(&key, BucketLimits { capacity, per_second }, time).is_err()
}
