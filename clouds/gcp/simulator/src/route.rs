//! Which call of which service a request is. All services stand behind one origin and are told apart by path.

use bytes::Bytes;
use http::{Method, Request};
use percent_encoding::percent_decode_str;

use crate::error::Style;
use crate::{compute, container};

/// One of Google's services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Container,
    Compute,
    ServiceUsage,
    Monitoring,
    ResourceManager,
    IamCredentials,
    Sts,
    OAuth,
    Metadata,
}

impl Service {
    /// Its name in discovery documents, records and faults.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Compute => "compute",
            Self::ServiceUsage => "serviceusage",
            Self::Monitoring => "monitoring",
            Self::ResourceManager => "cloudresourcemanager",
            Self::IamCredentials => "iamcredentials",
            Self::Sts => "sts",
            Self::OAuth => "oauth2",
            Self::Metadata => "metadata",
        }
    }

    /// The service of this name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        [
            Self::Container,
            Self::Compute,
            Self::ServiceUsage,
            Self::Monitoring,
            Self::ResourceManager,
            Self::IamCredentials,
            Self::Sts,
            Self::OAuth,
            Self::Metadata,
        ]
        .into_iter()
        .find(|service| service.name() == name)
    }

    /// The name under which projects enable it.
    pub(crate) fn host(self) -> String {
        format!("{}.googleapis.com", self.name())
    }

    /// How it writes errors.
    pub(crate) fn style(self) -> Style {
        match self {
            Self::Container => Style::Container,
            Self::Compute => Style::Compute,
            Self::Sts | Self::OAuth => Style::OAuth,
            _ => Style::Plain,
        }
    }
}

/// What a request is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) service: Service,
    /// The call's name, such as `clusters.create`.
    pub(crate) action: String,
    /// The project's id or number, where the path names one.
    pub(crate) project: Option<String>,
    /// What else the path names, from the outside to the inside: location, cluster, node pool.
    pub(crate) names: Vec<String>,
}

impl Route {
    /// A call of a service.
    pub(crate) fn new(
        service: Service,
        action: impl Into<String>,
        project: Option<&str>,
        names: &[&str],
    ) -> Self {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Self { service, action: action.into(), project: project.map(str::to_owned), names }
    }

    /// The name at this place of the path.
    pub(crate) fn name(&self, index: usize) -> &str {
        self.names.get(index).map_or("", String::as_str)
    }

    /// Whether the call only reads.
    pub(crate) fn reads(&self) -> bool {
        let verb = self.action.rsplit('.').next().unwrap_or_default();
        ["get", "list", "aggregatedList", "wait", "search", "testIam", "batchGet"]
            .iter()
            .any(|read| verb.starts_with(read))
    }
}

/// Which call a request is; `None` where nobody answers.
pub(crate) fn route(request: &Request<Bytes>) -> Option<Route> {
    let decoded: Vec<String> = request
        .uri()
        .path()
        .trim_start_matches('/')
        .split('/')
        .map(|part| percent_decode_str(part).decode_utf8().map(String::from))
        .collect::<Result<_, _>>()
        .ok()?;
    let parts: Vec<&str> = decoded.iter().map(String::as_str).collect();
    let method = request.method();
    match parts.as_slice() {
        ["token"] | ["oauth2", "v4", "token"] => post(method, Service::OAuth, "token"),
        ["tokeninfo"] | ["oauth2", "v1" | "v2" | "v3", "tokeninfo"] => {
            Some(Route::new(Service::OAuth, "tokeninfo", None, &[]))
        }
        ["v1", "token"] => post(method, Service::Sts, "token"),
        ["computeMetadata", "v1", rest @ ..] => Some(Route::new(Service::Metadata, "get", None, rest)),
        ["compute", "v1", rest @ ..] => compute::route(method, rest),
        ["v1", "operations", name] if method == Method::GET => {
            Some(Route::new(Service::ServiceUsage, "operations.get", None, &[name]))
        }
        ["v3", "projects", project, "timeSeries"] if method == Method::GET => {
            Some(Route::new(Service::Monitoring, "timeSeries.list", Some(project), &[]))
        }
        ["v3" | "v1", "projects", project] => resource_manager(method, project),
        ["v1", "projects", project, "services", rest @ ..] => services(method, project, rest),
        ["v1", "projects", project, services] if services.starts_with("services") => {
            services_of(method, project, services)
        }
        ["v1", "projects", "-", "serviceAccounts", account] => {
            let email = account.strip_suffix(":generateAccessToken")?;
            let action = "serviceAccounts.generateAccessToken";
            (method == Method::POST).then(|| Route::new(Service::IamCredentials, action, None, &[email]))
        }
        ["v1", "projects", project, kind @ ("locations" | "zones"), location, rest @ ..] => {
            container::route(method, project, *kind == "zones", location, rest)
        }
        _ => None,
    }
}

fn post(method: &Method, service: Service, action: &str) -> Option<Route> {
    (method == Method::POST).then(|| Route::new(service, action, None, &[]))
}

fn resource_manager(method: &Method, project: &str) -> Option<Route> {
    match (method, project.split_once(':')) {
        (&Method::GET, None) => {
            Some(Route::new(Service::ResourceManager, "projects.get", Some(project), &[]))
        }
        (&Method::POST, Some((project, verb @ "testIamPermissions"))) => {
            let action = format!("projects.{verb}");
            Some(Route::new(Service::ResourceManager, action, Some(project), &[]))
        }
        _ => None,
    }
}

fn services_of(method: &Method, project: &str, services: &str) -> Option<Route> {
    let action = match (method, services) {
        (&Method::GET, "services") => "services.list",
        (&Method::GET, "services:batchGet") => "services.batchGet",
        (&Method::POST, "services:batchEnable") => "services.batchEnable",
        _ => return None,
    };
    Some(Route::new(Service::ServiceUsage, action, Some(project), &[]))
}

fn services(method: &Method, project: &str, rest: &[&str]) -> Option<Route> {
    let [name] = rest else { return None };
    let (name, verb) = name.split_once(':').map_or((*name, None), |(name, verb)| (name, Some(verb)));
    let action = match (method, verb) {
        (&Method::GET, None) => "services.get",
        (&Method::POST, Some("enable")) => "services.enable",
        (&Method::POST, Some("disable")) => "services.disable",
        _ => return None,
    };
    Some(Route::new(Service::ServiceUsage, action, Some(project), &[name]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routed(method: &str, path: &str) -> String {
        let request = Request::builder().method(method).uri(path).body(Bytes::new()).unwrap();
        route(&request).map_or("none".to_owned(), |route| {
            let project = route.project.unwrap_or_default();
            format!("{}.{} {project} {}", route.service.name(), route.action, route.names.join(","))
        })
    }

    #[test]
    fn each_path_is_one_call_of_one_service() {
        for (method, path, is) in [
            ("POST", "/token", "oauth2.token  "),
            ("POST", "/v1/token", "sts.token  "),
            ("GET", "/v1/projects/p", "cloudresourcemanager.projects.get p "),
            ("GET", "/v3/projects/p", "cloudresourcemanager.projects.get p "),
            (
                "GET",
                "/v1/projects/1/services/container.googleapis.com",
                "serviceusage.services.get 1 container.googleapis.com",
            ),
            ("POST", "/v1/projects/p/services/x.y:enable", "serviceusage.services.enable p x.y"),
            ("POST", "/v1/projects/p/services:batchEnable", "serviceusage.services.batchEnable p "),
            ("GET", "/v3/projects/p/timeSeries", "monitoring.timeSeries.list p "),
            ("GET", "/v1/operations/acat.1", "serviceusage.operations.get  acat.1"),
            (
                "POST",
                "/v1/projects/-/serviceAccounts/a@b:generateAccessToken",
                "iamcredentials.serviceAccounts.generateAccessToken  a@b",
            ),
            ("GET", "/v1/projects/p/locations/-/clusters", "container.clusters.list p -"),
            ("POST", "/v1/projects/p/locations/l/clusters", "container.clusters.create p l"),
            (
                "POST",
                "/v1/projects/p/locations/l/clusters/c:setResourceLabels",
                "container.clusters.setResourceLabels p l,c",
            ),
            (
                "POST",
                "/v1/projects/p/locations/l/clusters/c/nodePools/n:setSize",
                "container.nodePools.setSize p l,c,n",
            ),
            (
                "POST",
                "/v1/projects/p/zones/z/clusters/c/nodePools/n/setSize",
                "container.nodePools.setSize p z,c,n",
            ),
            ("GET", "/v1/projects/p/zones/z/serverconfig", "container.getServerConfig p z"),
            ("GET", "/v1/projects/p/locations/l/operations/o", "container.operations.get p l,o"),
            ("GET", "/compute/v1/projects/p/global/networks", "compute.networks.list p global"),
            ("GET", "/compute/v1/projects/p/aggregated/instances", "compute.instances.aggregatedList p "),
            (
                "POST",
                "/compute/v1/projects/p/zones/z/instanceGroupManagers/g/listManagedInstances",
                "compute.instanceGroupManagers.listManagedInstances p z,g",
            ),
            (
                "POST",
                "/compute/v1/projects/p/regions/r/operations/o/wait",
                "compute.regionOperations.wait p r,o",
            ),
            (
                "GET",
                "/compute/v1/projects/p/global/forwardingRules",
                "compute.globalForwardingRules.list p global",
            ),
            ("GET", "/compute/v1/projects/p/zones/z", "compute.zones.get p z"),
            ("GET", "/v1/nothing", "none"),
            ("PATCH", "/v1/projects/p/locations/l/clusters", "none"),
        ] {
            assert_eq!(routed(method, path), is, "{method} {path}");
        }
    }
}
