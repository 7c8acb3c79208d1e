//! The simulated GKE: clusters, node pools, their operations, and the state machines behind them. Everything slow goes
//! on in work time, never in a sleep.
//!
//! Source: <https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1>.

mod clusters;
pub(crate) mod copies;
mod endpoints;
mod node_pools;
mod nodes;
mod operations;
pub(crate) mod others;
mod places;
mod pool_config;
mod progress;
mod quota;
mod replacing;
mod route;
mod rows;
pub(crate) mod shown;
mod state;
mod updates;
mod versions;
mod view;

use std::sync::LazyLock;

use bytes::Bytes;
use http::Request;
use serde_json::{Map, Value};

use crate::call::Call;
use crate::error::Result;
use crate::front::no_such_path;
use crate::messages::Messages;
use crate::route::Route;

pub(crate) use copies::place;
pub(crate) use operations::google_operates;
pub(crate) use progress::{next_due, settle};
pub(crate) use route::route;
pub(crate) use rows::resources;
pub(crate) use state::{Cluster, State};

/// What bodies may say.
static MESSAGES: LazyLock<Messages> = LazyLock::new(|| Messages::read(include_str!("messages.txt")));

/// One call: what its path names and its body says.
pub(crate) struct Asked<'a> {
    route: &'a Route,
    body: &'a [u8],
}

impl Asked<'_> {
    /// Zone, region or `-`.
    fn location(&self) -> &str {
        self.route.name(0)
    }

    /// The cluster, or the operation.
    fn second(&self) -> &str {
        self.route.name(1)
    }

    fn pool(&self) -> &str {
        self.route.name(2)
    }

    fn message(&self, message: &str) -> Result<Map<String, Value>> {
        MESSAGES.object(message, self.body)
    }
}

/// Carries out one call.
pub(crate) fn handle(call: &mut Call<'_>, route: &Route, request: &Request<Bytes>) -> Result<Value> {
    let asked = Asked { route, body: request.body() };
    let asked = &asked;
    match route.action.as_str() {
        "getServerConfig" => versions::server_config(asked.location()),
        "clusters.create" => clusters::create(call, asked),
        "clusters.get" => clusters::get(call, asked),
        "clusters.list" => clusters::list(call, asked),
        "clusters.delete" => clusters::delete(call, asked),
        "clusters.update" => updates::update(call, asked),
        "clusters.updateMaster" => updates::update_master(call, asked),
        "clusters.setResourceLabels" => updates::set_labels(call, asked),
        "clusters.setLogging" => updates::set(call, asked, "SetLoggingServiceRequest", "loggingService"),
        "clusters.setMonitoring" => {
            updates::set(call, asked, "SetMonitoringServiceRequest", "monitoringService")
        }
        "clusters.setMaintenancePolicy" => {
            updates::set(call, asked, "SetMaintenancePolicyRequest", "maintenancePolicy")
        }
        "nodePools.create" => node_pools::create(call, asked),
        "nodePools.get" => node_pools::get(call, asked),
        "nodePools.list" => node_pools::list(call, asked),
        "nodePools.delete" => node_pools::delete(call, asked),
        "nodePools.setSize" => node_pools::set_size(call, asked),
        "nodePools.setAutoscaling" => node_pools::set_auto_scaling(call, asked),
        "nodePools.setManagement" => node_pools::set_management(call, asked),
        "nodePools.update" => node_pools::update(call, asked),
        "nodePools.rollback" => node_pools::rollback(call, asked),
        "operations.get" => operations::get(call, asked),
        "operations.list" => operations::list(call, asked),
        "operations.cancel" => operations::cancel(call, asked),
        other => Err(no_such_path(other)),
    }
}
