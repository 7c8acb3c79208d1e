//! Which call of GKE a path is: of locations, and of zones as the oldest clients write it.

use http::Method;

use crate::route::{Route, Service};

/// Which call the rest of a path below a location is.
pub(crate) fn route(
    method: &Method,
    project: &str,
    legacy: bool,
    location: &str,
    rest: &[&str],
) -> Option<Route> {
    let found =
        |action: String, names: &[&str]| Some(Route::new(Service::Container, action, Some(project), names));
    let (get, post, put, delete) = (Method::GET, Method::POST, Method::PUT, Method::DELETE);
    match rest {
        ["serverConfig" | "serverconfig"] if *method == get => {
            found("getServerConfig".to_owned(), &[location])
        }
        [kind @ ("clusters" | "operations")] => {
            let verb = match (*kind, method) {
                (_, method) if *method == get => "list",
                ("clusters", method) if *method == post => "create",
                _ => return None,
            };
            found(format!("{kind}.{verb}"), &[location])
        }
        [kind @ ("clusters" | "operations"), name] => {
            let (name, custom) =
                name.split_once(':').map_or((*name, None), |(name, verb)| (name, Some(verb)));
            let verb = match (custom, method) {
                (Some(verb), method) if *method == post => verb,
                (None, method) if *method == get => "get",
                (None, method) if *method == put && *kind == "clusters" => "update",
                (None, method) if *method == delete && *kind == "clusters" => "delete",
                _ => return None,
            };
            found(format!("{kind}.{verb}"), &[location, name])
        }
        ["clusters", cluster, "nodePools"] => {
            let verb = if *method == get { "list" } else { "create" };
            (*method == get || *method == post)
                .then(|| found(format!("nodePools.{verb}"), &[location, cluster]))
                .flatten()
        }
        ["clusters", cluster, "nodePools", pool] => {
            let (pool, custom) =
                pool.split_once(':').map_or((*pool, None), |(name, verb)| (name, Some(verb)));
            let verb = match (custom, method) {
                (Some(verb), method) if *method == post => verb,
                (None, method) if *method == get => "get",
                (None, method) if *method == put => "update",
                (None, method) if *method == delete => "delete",
                _ => return None,
            };
            found(format!("nodePools.{verb}"), &[location, cluster, pool])
        }
        ["clusters", cluster, old] if legacy && *method == post => {
            let verb = match *old {
                "master" => "updateMaster",
                "resourceLabels" => "setResourceLabels",
                "logging" => "setLogging",
                "monitoring" => "setMonitoring",
                other => other,
            };
            found(format!("clusters.{verb}"), &[location, cluster])
        }
        ["clusters", cluster, "nodePools", pool, old] if legacy && *method == post => {
            let verb = if *old == "autoscaling" { "setAutoscaling" } else { old };
            found(format!("nodePools.{verb}"), &[location, cluster, pool])
        }
        _ => None,
    }
}
