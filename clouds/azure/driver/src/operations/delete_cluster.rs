//! The plan of a cluster's end: AKS takes pools, balancers, public addresses and volumes of its node resource group along;
//! then go the roles of the cluster's identity and, on request, volumes that lie elsewhere; then a look that nothing
//! remains.
//!
//! Source: <https://learn.microsoft.com/azure/aks/delete-cluster>

use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::cluster_objects::{gone_already, in_order, left_behind, not_found_again, unseen_before};
use pmks_driver::{
    Asked, Care, DeleteCluster, DriverError, Effect, ErrorKind, Handle, Look, Poll, Prepared, Result, Search,
    StageContext, StageSpecification,
};
use pmks_model::{Child, Children, ResourceKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Maker, Stage, aim, role_assignment};
use crate::api::Condition;
use crate::arm_id::ArmId;
use crate::wire::container_service as wire;
use crate::{AzureDriver, PROVIDER, children, convert};

/// The stages of this file.
pub(super) const STAGES: &[Maker] =
    &[Maker::of::<RemoveCluster>(), Maker::of::<RemoveDisk>(), Maker::of::<NothingRemains>()];

/// How long the end of a cluster usually takes.
const EXPECTED: Duration = Duration::from_mins(6);
/// The stage that removes the cluster.
const CLUSTER: &str = "removal of the cluster";

/// Checks, stores what exists because the cluster stands, and answers the plan.
pub(crate) async fn prepare(
    driver: &AzureDriver,
    asked: &DeleteCluster,
    search: &Search,
) -> Result<Prepared> {
    let id = driver.cluster_id(&asked.target.iid.system_id);
    let incarnation = asked.target.incarnation.as_str();
    let Some(cluster) = aim::cluster(driver, &id, incarnation).await? else {
        return of_gone_cluster(driver, asked, &id, search).await;
    };
    let model =
        convert::cluster(&cluster, crate::access::way_in(driver, &cluster).await?, &convert::Nodes::new());
    let mut found = children::children(driver, &model, Care::of(search)).await?;
    let mut unread = Vec::new();
    let roles = role_assignment::of_cluster(driver, &cluster, &asked.marks, &mut unread).await?;
    let (mut known, others) = not_found_again(&found.found, &search.known.found);
    known.extend(children::standing(driver, &others).await?);
    found.found = in_order(role_assignment::with_known(roles, known), &found.found);
    let mut prepared = Prepared::of(plan(&id, &cluster, &found, asked.delete_volumes));
    prepared.notices.extend(notices(&found, asked.delete_volumes).into_iter().chain(unread));
    prepared.children = found;
    Ok(prepared)
}

/// The plan where the cluster is gone: what is known of an earlier deletion, as far as it still stands, and the roles that
/// our record tells of.
async fn of_gone_cluster(
    driver: &AzureDriver,
    asked: &DeleteCluster,
    id: &ArmId,
    search: &Search,
) -> Result<Prepared> {
    let known: Vec<Child> =
        search.known.found.iter().filter(|child| !child.goes_with_cluster).cloned().collect();
    let known = left_behind(children::standing(driver, &known).await?);
    let roles = role_assignment::of_gone_cluster(driver, &asked.marks).await?;
    let found = in_order(role_assignment::with_known(roles, known), &[]);
    let found = Children { found, unknown: unseen_before(&search.known) };
    let mut stages = vec![removal(id, &asked.target.incarnation)];
    stages.extend(sweep(&found, asked.delete_volumes));
    let mut prepared = Prepared::of(stages).notice(gone_already(id.name(), &search.known.found));
    prepared.notices.extend(notices(&found, asked.delete_volumes));
    prepared.children = found;
    Ok(prepared)
}

/// What is removed by its stored identifier once the cluster is gone.
fn sweep(children: &Children, delete_volumes: bool) -> Vec<StageSpecification> {
    let roles = children.found.iter().filter_map(role_assignment::removal);
    let mut stages: Vec<StageSpecification> = roles.map(|stage| stage.after([CLUSTER])).collect();
    stages.extend(disks_to_remove(children, delete_volumes).iter().map(disk_removal));
    stages
}

fn plan(
    id: &ArmId,
    cluster: &wire::ManagedCluster,
    children: &Children,
    delete_volumes: bool,
) -> Vec<StageSpecification> {
    let incarnation = convert::incarnation(cluster);
    let mut stages = vec![removal(id, &incarnation)];
    stages.extend(sweep(children, delete_volumes));
    let before: Vec<String> = stages.iter().map(|stage| stage.name.clone()).collect();
    let node_group = cluster.properties.node_resource_group.clone().unwrap_or_default();
    let disks = disks_to_remove(children, delete_volumes);
    let remains = NothingRemains { cluster: id.clone(), incarnation, node_resource_group: node_group, disks };
    stages.push(remains.specification("nothing remains").after(before).effect(Effect::Read));
    stages
}

/// Volumes elsewhere, on request.
fn disks_to_remove(children: &Children, delete_volumes: bool) -> Vec<ArmId> {
    children.found.iter().filter(|child| delete_volumes && stays(child)).filter_map(disk).collect()
}

fn disk_removal(disk: &ArmId) -> StageSpecification {
    let stage = RemoveDisk { disk: disk.clone() };
    stage.specification(format!("removal of volume {}", disk.name())).after([CLUSTER])
}

fn stays(child: &Child) -> bool {
    child.kind == Child::VOLUME && !child.goes_with_cluster
}

fn disk(child: &Child) -> Option<ArmId> {
    ArmId::parse(&child.system_id).filter(|id| id.is("disks"))
}

fn notices(children: &Children, delete_volumes: bool) -> Vec<String> {
    let mut notices: Vec<String> =
        children.unknown.iter().map(|what| format!("could not be looked at: {what}")).collect();
    let kept =
        children.found.iter().filter(|child| stays(child) && !(delete_volumes && disk(child).is_some()));
    let kept: Vec<&str> = kept.map(|child| child.system_id.as_str()).collect();
    if !kept.is_empty() {
        notices.push(format!("these volumes are kept, and cost on: {}", kept.join(", ")));
    }
    notices
}

fn removal(id: &ArmId, incarnation: &str) -> StageSpecification {
    let stage = RemoveCluster { cluster: id.clone(), incarnation: incarnation.to_owned() };
    stage.specification(CLUSTER).expected(EXPECTED).subject(ResourceKind::Cluster, id.name())
}

/// Removes a cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RemoveCluster {
    cluster: ArmId,
    incarnation: String,
}

#[async_trait]
impl Stage<AzureDriver> for RemoveCluster {
    const KIND: &'static str = "azure.cluster.removal";

    async fn look(&self, driver: &AzureDriver, context: &StageContext) -> Result<Look> {
        let found = aim::cluster(driver, &self.cluster, &self.incarnation).await?;
        Ok(found
            .map_or_else(Look::gone, |cluster| look_at(&self.cluster, &cluster, context.system_id.is_some())))
    }

    /// The condition keeps a cluster that took the name meanwhile from harm.
    async fn ask(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Asked> {
        let Some(found) = aim::cluster(driver, &self.cluster, &self.incarnation).await? else {
            return Ok(Asked::done(Value::Null));
        };
        let condition = found.e_tag.as_deref().map_or(Condition::None, Condition::Unchanged);
        match driver.api.delete_cluster(&self.cluster, condition).await {
            Err(error) if error.is_not_found() => Ok(Asked::done(Value::Null)),
            answer => answer.map(|accepted| aim::asked(accepted, &self.cluster)),
        }
    }

    async fn poll(&self, driver: &AzureDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow(driver, "ManagedClusters.Delete", handle).await
    }
}

/// What failed to go before this attempt is asked for again; what fails in it has failed.
fn look_at(id: &ArmId, cluster: &wire::ManagedCluster, asked: bool) -> Look {
    let incarnation = convert::incarnation(cluster);
    match cluster.properties.provisioning_state.as_str() {
        "Deleting" => Look::pending(id.to_string(), incarnation, "Deleting"),
        "Failed" | "Canceled" if asked => {
            let status = cluster.properties.status.as_ref();
            let error = convert::failure("ManagedClusters.Delete", "the removal of the cluster", status);
            Look::failed(id.to_string(), incarnation, error)
        }
        _ => Look::Absent,
    }
}

/// Removes a volume that lies outside the node resource group.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RemoveDisk {
    disk: ArmId,
}

#[async_trait]
impl Stage<AzureDriver> for RemoveDisk {
    const KIND: &'static str = "azure.disk.removal";

    async fn look(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Look> {
        Ok(if driver.api.has_disk(&self.disk).await? { Look::Absent } else { Look::gone() })
    }

    async fn ask(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Asked> {
        match driver.api.delete_disk(&self.disk).await {
            Err(error) if error.is_not_found() => Ok(Asked::done(Value::Null)),
            answer => answer.map(|accepted| aim::asked(accepted, &self.disk)),
        }
    }

    async fn poll(&self, driver: &AzureDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow(driver, "Disks.Delete", handle).await
    }
}

/// Looks that nothing of all this stands any more.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NothingRemains {
    cluster: ArmId,
    incarnation: String,
    /// Empty: the cluster had none yet.
    node_resource_group: String,
    disks: Vec<ArmId>,
}

#[async_trait]
impl Stage<AzureDriver> for NothingRemains {
    const KIND: &'static str = "azure.cluster.nothingRemains";

    async fn look(&self, driver: &AzureDriver, _context: &StageContext) -> Result<Look> {
        let mut remains = Vec::new();
        match aim::cluster(driver, &self.cluster, &self.incarnation).await {
            Ok(Some(_)) => remains.push(format!("cluster {}", self.cluster.name())),
            Ok(None) => {}
            // Somebody has made another one of that name.
            Err(error) if *error.kind() == ErrorKind::Replaced => {}
            Err(error) => return Err(error),
        }
        if !self.node_resource_group.is_empty() {
            match driver.api.resource_group(&self.node_resource_group).await {
                Ok(group) if group.properties.provisioning_state == "Deleting" => {
                    return Ok(Look::pending("", "", "the node resource group is being deleted"));
                }
                Ok(_) => remains.push(format!("resource group {}", self.node_resource_group)),
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        for disk in &self.disks {
            if driver.api.has_disk(disk).await? {
                remains.push(format!("volume {disk}"));
            }
        }
        if remains.is_empty() {
            return Ok(Look::gone());
        }
        let what = format!("these still stand: {}", remains.join(", "));
        let fix = "retry the deletion, or remove them at Azure".to_owned();
        let kind = ErrorKind::Precondition { what: what.clone(), fix };
        Ok(Look::failed("", "", DriverError::new(kind, PROVIDER, what)))
    }

    async fn ask(&self, _driver: &AzureDriver, _context: &StageContext) -> Result<Asked> {
        Ok(Asked::accepted())
    }
}

#[cfg(test)]
mod tests {
    use pmks_driver::{FoundState, Plan};
    use serde_json::json;

    use super::*;

    const DISK: &str = "/subscriptions/0/resourceGroups/own/providers/Microsoft.Compute/disks/data";

    fn child(id: &str, goes_with_cluster: bool) -> Child {
        Child {
            kind: Child::VOLUME.to_owned(),
            system_id: id.to_owned(),
            name: String::new(),
            made_by: String::new(),
            goes_with_cluster,
        }
    }

    fn id() -> ArmId {
        ArmId::new("0", "g", "Microsoft.ContainerService", "managedClusters", "c")
    }

    fn cluster(state: &str) -> wire::ManagedCluster {
        let properties = json!({"provisioningState": state, "nodeResourceGroup": "MC", "resourceUID": "u"});
        serde_json::from_value(json!({"id": id().to_string(), "name": "c", "properties": properties}))
            .unwrap()
    }

    #[test]
    fn volumes_elsewhere_go_on_request_alone() {
        let children =
            Children { found: vec![child(DISK, false), child("in-the-group", true)], ..Children::default() };
        let names = |delete_volumes: bool| -> Vec<String> {
            let plan = Plan::of(plan(&id(), &cluster("Succeeded"), &children, delete_volumes));
            assert_eq!(plan.defect(), None);
            plan.stages.into_iter().map(|stage| stage.name).collect()
        };
        assert_eq!(names(false), [CLUSTER, "nothing remains"]);
        assert_eq!(names(true), [CLUSTER, "removal of volume data", "nothing remains"]);
        assert!(notices(&children, false).iter().any(|notice| notice.contains(DISK)));
        assert!(notices(&children, true).is_empty());
    }

    #[test]
    fn a_removal_that_failed_before_is_asked_for_again() {
        let seen = |state: &str, asked: bool| match look_at(&id(), &cluster(state), asked) {
            Look::Absent => "absent",
            Look::Present(found) => match found.state {
                FoundState::Pending { .. } => "pending",
                FoundState::Failed(_) => "failed",
                FoundState::Ready(_) => "ready",
            },
            _ => "?",
        };
        for (state, asked, expected) in [
            ("Succeeded", false, "absent"),
            ("Deleting", false, "pending"),
            ("Failed", false, "absent"),
            ("Failed", true, "failed"),
        ] {
            assert_eq!(seen(state, asked), expected, "{state} {asked}");
        }
    }
}
