//! The simulated AKS: managed clusters, agent pools, their credentials and the state machines behind them. Everything
//! slow goes on in work time, never in a sleep.
//!
//! Sources: <https://learn.microsoft.com/rest/api/aks/managed-clusters>,
//! <https://learn.microsoft.com/rest/api/aks/agent-pools>.

mod cluster_request;
mod clusters;
mod copies;
mod credentials;
mod endpoints;
mod events;
mod infrastructure;
mod machines;
pub(crate) mod nodes;
pub(crate) mod others;
pub(crate) mod pool_request;
mod pools;
mod power;
mod rows;
mod shown;
mod state;
mod steps;
mod updates;
mod versions;

use serde_json::Value;

use crate::arm::Call;
use crate::error::{Error, Result};
use crate::operations;
use crate::reply::Reply;

pub(crate) use copies::{is_copy, make as copy, remove as remove_copies};
pub(crate) use events::{autoscale, make_load_balancer, make_volume};
pub(crate) use rows::resources;
pub(crate) use shown::over as show_over;
pub(crate) use state::{Cluster, Machine, Pool};
pub(crate) use steps::{Step, fail, take};

/// Carries out one call.
///
/// # Errors
/// The service's refusal.
pub(crate) fn handle(call: &mut Call<'_>, action: &str) -> Result<Reply> {
    match action {
        "Operations_Get" => operations::get(call),
        "OperationResults_Get" => operations::result(call, call.name(2)),
        "ManagedClusters_ListKubernetesVersions" => versions::list(call),
        "ManagedClusters_List" => clusters::list(call, false),
        "ManagedClusters_ListByResourceGroup" => clusters::list(call, true),
        "ManagedClusters_Get" => clusters::get(call),
        "ManagedClusters_CreateOrUpdate" => clusters::put(call),
        "ManagedClusters_UpdateTags" => clusters::patch(call),
        "ManagedClusters_Delete" => clusters::delete(call),
        "ManagedClusters_ListClusterUserCredentials" => credentials::user(call),
        "ManagedClusters_ListClusterAdminCredentials" => credentials::administrator(call),
        "ManagedClusters_Stop" => power::stop(call),
        "ManagedClusters_Start" => power::start(call),
        "ManagedClusters_AbortLatestOperation" => power::abort(call, None),
        "ManagedClusters_GetUpgradeProfile" => versions::of_cluster(call),
        "AgentPools_List" => pools::list(call),
        "AgentPools_Get" => pools::get(call),
        "AgentPools_CreateOrUpdate" => pools::put(call),
        "AgentPools_Delete" => pools::delete(call),
        "AgentPools_AbortLatestOperation" => {
            let pool = call.name(3).to_owned();
            power::abort(call, Some(&pool))
        }
        "AgentPools_GetUpgradeProfile" => versions::of_pool(call),
        "AgentPools_GetAvailableAgentPoolVersions" => versions::for_pools(call),
        other => Err(Error::bad("InvalidResourceType", format!("The simulated Azure does not do {other}."))),
    }
}

/// A cluster as it is shown, by its id in lower case.
pub(crate) fn show_by_key(call: &Call<'_>, key: &str) -> Option<Value> {
    call.subscription().clusters.get(key).map(Cluster::show)
}
