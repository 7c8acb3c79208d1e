//! What the end of an operation makes of our records: one or a few reads, and the requests as they stand now.

use jiff::Timestamp;
use pmks_driver::Change;
use pmks_model::{Cluster, OperationKind, ResourceKind, UpgradeTargets, VersionRequest};
use pmks_store::{Operation, Page, Resource, ResourceFilter, ResourceUpdate};
use serde::Serialize;
use uuid::Uuid;

use super::RecordHooks;
use crate::Result;
use crate::engine::{Connected, Outcome};
use crate::inventory::seen;
use crate::records::{ClusterIntent, NodeGroupIntent, intent, stored, with_tags};

/// What is known after an operation. A failed read leaves its observation out: the next refresh brings it.
pub(super) async fn of(
    hooks: &RecordHooks,
    connected: &Connected,
    operation: &Operation,
    succeeded: bool,
) -> Outcome {
    let mut outcome = Outcome::default();
    let result = match operation.resource.kind {
        ResourceKind::Connection => Ok(()),
        ResourceKind::Cluster | ResourceKind::NodeGroup => {
            cluster(hooks, connected, operation, succeeded, &mut outcome).await
        }
        _ => network_part(hooks, connected, operation, succeeded, &mut outcome).await,
    };
    if let Err(failure) = result {
        tracing::warn!(operation = %operation.id, %failure, "what an operation changed could not be read");
    }
    outcome
}

async fn cluster(
    hooks: &RecordHooks,
    connected: &Connected,
    operation: &Operation,
    succeeded: bool,
    outcome: &mut Outcome,
) -> Result<()> {
    let gone = succeeded && operation.kind == OperationKind::ClusterDelete;
    let Some(record) = hooks.cluster(operation).await.filter(|_| !gone) else { return Ok(()) };
    let parts = parts(hooks, &record).await?;
    let started_at = hooks.clock.wall();
    // An import has just read it.
    let asks = operation.kind != OperationKind::ClusterImport;
    let read = match record.system_id.as_deref().filter(|_| asks) {
        Some(system_id) => Some(connected.driver.get_cluster(system_id).await),
        None => None,
    };
    if succeeded {
        let seen = read.as_ref().and_then(|read| read.as_ref().ok());
        outcome.updates = requests(operation, &record, &parts, seen)?;
    }
    let Some(read) = read else { return Ok(()) };
    match read {
        Ok(cluster) => {
            let parts: Vec<Resource> = parts
                .into_iter()
                .filter(|part| {
                    !(succeeded && operation.kind.removes() && Some(part.uid) == operation.resource_uid)
                })
                .collect();
            let seen = seen::cluster(&record, &parts, &cluster, started_at, hooks.clock.wall())?;
            // A removal that failed after its end: what it is about, and what went before, is gone all the same.
            let whole = operation.kind == OperationKind::ClusterDelete;
            let removes = operation.kind.removes();
            let gone =
                seen.absent.iter().filter(|uid| removes && (whole || Some(**uid) == operation.resource_uid));
            outcome.updates.extend(gone.map(|uid| missing(*uid, started_at)));
            outcome.observations = seen.observations;
            outcome.inserts = seen.inserts;
        }
        Err(error) if error.is_not_found() && operation.kind.removes() => {
            outcome.updates.push(missing(record.uid, started_at));
        }
        Err(error) => tracing::info!(operation = %operation.id, %error, "the cluster could not be read"),
    }
    Ok(())
}

/// What became of the record of something that a removal, which did not come to its end, has taken away.
fn missing(uid: Uuid, since: Timestamp) -> (Uuid, ResourceUpdate) {
    (uid, ResourceUpdate { missing_since: Some(Some(since)), ..ResourceUpdate::default() })
}

async fn parts(hooks: &RecordHooks, record: &Resource) -> Result<Vec<Resource>> {
    let filter = ResourceFilter { parent: Some(record.uid), ..ResourceFilter::default() };
    hooks.store.resources(&filter, Page::all()).await.map_err(crate::failure::of_store)
}

/// What users asked for, as it stands after a change that succeeded; `seen` is the cluster as it is then.
fn requests(
    operation: &Operation,
    cluster: &Resource,
    parts: &[Resource],
    seen: Option<&Cluster>,
) -> Result<Vec<(Uuid, ResourceUpdate)>> {
    let Ok(change) = serde_json::from_value::<Change>(operation.intent.clone()) else {
        return Ok(Vec::new());
    };
    let part = || parts.iter().find(|part| Some(part.uid) == operation.resource_uid);
    Ok(match change {
        Change::UpdateCluster(asked) => {
            let mut kept: ClusterIntent = intent(cluster)?;
            kept.tags = asked.tags.onto(kept.tags);
            kept.options.extend(asked.options);
            vec![update(cluster.uid, &kept)?]
        }
        Change::UpgradeCluster(asked) => {
            let version = version_text(&asked.request.version);
            let mut kept: ClusterIntent = intent(cluster)?;
            kept.version.clone_from(&version);
            let mut all = vec![update(cluster.uid, &kept)?];
            for part in parts.iter().filter(|part| goes_along(&asked.request.node_groups, part)) {
                let mut kept: NodeGroupIntent = intent(part)?;
                // A group that follows its cluster goes on doing so; a pin moves with the upgrade.
                if !kept.version.is_empty() {
                    kept.version.clone_from(&version);
                    all.push(update(part.uid, &kept)?);
                }
            }
            all
        }
        Change::ChangeNodeGroupScaling(asked) => match part() {
            Some(part) => {
                let mut kept: NodeGroupIntent = intent(part)?;
                let groups = seen.map(|seen| seen.node_groups.as_slice()).unwrap_or_default();
                let after = groups.iter().find(|group| Some(&group.iid.system_id) == part.system_id.as_ref());
                kept.scaling = asked.change.asked_after(kept.scaling, after.and_then(|group| group.scaling));
                vec![update(part.uid, &kept)?]
            }
            None => Vec::new(),
        },
        Change::UpgradeNodeGroup(asked) => match part() {
            Some(part) => {
                let kept = NodeGroupIntent { version: version_text(&asked.version), ..intent(part)? };
                vec![update(part.uid, &kept)?]
            }
            None => Vec::new(),
        },
        _ => Vec::new(),
    })
}

fn goes_along(targets: &UpgradeTargets, part: &Resource) -> bool {
    match targets {
        UpgradeTargets::All => true,
        UpgradeTargets::None => false,
        UpgradeTargets::Named(names) => names.iter().any(|name| name == part.name_at_cloud()),
    }
}

fn version_text(version: &VersionRequest) -> String {
    match version {
        VersionRequest::Default => String::new(),
        VersionRequest::Given(version) => version.to_string(),
    }
}

fn update(uid: Uuid, request: &impl Serialize) -> Result<(Uuid, ResourceUpdate)> {
    Ok((uid, ResourceUpdate { request: Some(stored(request)?), ..ResourceUpdate::default() }))
}

/// Networks, subnets, security groups and key pairs.
async fn network_part(
    hooks: &RecordHooks,
    connected: &Connected,
    operation: &Operation,
    succeeded: bool,
    outcome: &mut Outcome,
) -> Result<()> {
    let Ok(Some(mut record)) = hooks.record(operation).await else { return Ok(()) };
    if succeeded && operation.kind.removes() {
        // Of the end of a subnet its network tells.
        let Some(network) = record.parent.filter(|_| record.kind == ResourceKind::Subnet) else {
            return Ok(());
        };
        let Ok(Some(network)) = hooks.store.resource(network).await else { return Ok(()) };
        record = network;
    }
    if let Ok(Change::UpdateTags(asked)) = serde_json::from_value(operation.intent.clone())
        && succeeded
    {
        let request = Some(with_tags(&record, &asked.tags)?);
        outcome.updates.push((record.uid, ResourceUpdate { request, ..ResourceUpdate::default() }));
    }
    if record.system_id.is_none() {
        return Ok(());
    }
    let parts = parts(hooks, &record).await?;
    let started_at = hooks.clock.wall();
    match seen::read_part(&connected.driver, &record, &parts, started_at, hooks.clock.as_ref()).await {
        Ok(observations) => outcome.observations = observations,
        Err(seen::ReadFailed::Cloud(error)) if error.is_not_found() && operation.kind.removes() => {
            outcome.updates.push(missing(record.uid, started_at));
        }
        Err(error) => tracing::info!(operation = %operation.id, %error, "it could not be read"),
    }
    Ok(())
}
