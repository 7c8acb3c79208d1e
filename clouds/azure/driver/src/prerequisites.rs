//! What must exist in the subscription first: a credential that Azure accepts, three registered resource providers,
//! the resource group; at a cluster, the role of its identity on the user's subnet. Found and checked here; made by
//! `operations`, on request only.

use futures::future::join_all;
use pmks_driver::{DriverError, ErrorKind, Prerequisite, PrerequisiteState, Result, chain};
use pmks_model::Cluster;

use crate::arm_id::{ArmId, COMPUTE, CONTAINER_SERVICE, NETWORK};
use crate::operations::role_assignment;
use crate::{AzureDriver, PROVIDER, convert};

/// The resource providers that everything together needs.
pub(crate) const PROVIDERS: [&str; 3] = [CONTAINER_SERVICE, NETWORK, COMPUTE];

/// How `pmks` makes what is missing.
const FIX: &str = "`pmks connection prerequisites NAME --fix` makes it";

/// How one thing that must exist stands.
#[derive(Debug)]
pub(crate) enum Standing {
    /// It is there.
    There,
    /// It is not; in words.
    Missing(String),
    /// It could not be looked at.
    Unknown(DriverError),
}

/// What must exist in the subscription first. Five calls.
pub(crate) async fn of_account(driver: &AzureDriver) -> Result<Vec<Prerequisite>> {
    let (credential, providers, group) = futures::join!(
        credential(driver),
        join_all(PROVIDERS.map(|name| provider(driver, name))),
        group(driver)
    );
    let mut all = vec![credential];
    for (name, standing) in PROVIDERS.into_iter().zip(providers) {
        let fix = format!("register the resource provider {name}");
        all.push(prerequisite(name, format!("the resource provider {name}, registered"), standing, fix));
    }
    let name = driver.group();
    let fix = format!("make the resource group {name} in {}", driver.region());
    all.push(prerequisite("resourceGroup", format!("the resource group {name}"), group, fix));
    Ok(all)
}

fn prerequisite(name: &str, says: String, standing: Standing, fix: String) -> Prerequisite {
    let (state, fix) = match standing {
        Standing::There => (PrerequisiteState::Satisfied { by: says.clone() }, None),
        Standing::Missing(what) => (PrerequisiteState::Missing { what: vec![what] }, Some(fix)),
        Standing::Unknown(error) => (PrerequisiteState::Unknown { why: chain(&error) }, None),
    };
    Prerequisite { name: name.to_owned(), says, state, fix }
}

async fn credential(driver: &AzureDriver) -> Prerequisite {
    let state = match driver.api.own_subscription().await {
        Ok(found) => PrerequisiteState::Satisfied { by: format!("{} ({})", found.display_name, found.state) },
        Err(error) => match error.kind() {
            ErrorKind::Forbidden { .. } | ErrorKind::Unauthenticated | ErrorKind::NotFound => {
                PrerequisiteState::Missing { what: vec![error.to_string()] }
            }
            _ => PrerequisiteState::Unknown { why: chain(&error) },
        },
    };
    Prerequisite {
        name: "credential".to_owned(),
        says: "a credential that Azure accepts, and that sees the subscription".to_owned(),
        state,
        fix: None,
    }
}

/// How a resource provider stands.
pub(crate) async fn provider(driver: &AzureDriver, name: &str) -> Standing {
    match driver.api.provider(name).await {
        Ok(found) if found.registration_state == "Registered" => Standing::There,
        Ok(found) => {
            Standing::Missing(format!("the resource provider {name} is {}", found.registration_state))
        }
        Err(error) if error.is_not_found() => {
            Standing::Missing(format!("there is no resource provider {name}"))
        }
        Err(error) => Standing::Unknown(error),
    }
}

/// How the resource group stands.
pub(crate) async fn group(driver: &AzureDriver) -> Standing {
    let name = driver.group();
    match driver.api.resource_group(name).await {
        Ok(_) => Standing::There,
        Err(error) if error.is_not_found() => Standing::Missing(format!("there is no resource group {name}")),
        Err(error) => Standing::Unknown(error),
    }
}

/// Refuses to begin where something is surely missing: the resource group, or one of these resource providers. What
/// may not be looked at is left to Azure's own answer.
///
/// # Errors
/// `PrerequisiteMissing` naming all that is missing; `Unauthenticated`, and whatever keeps Azure from answering.
pub(crate) async fn require(driver: &AzureDriver, providers: &[&str]) -> Result<()> {
    let (group, found) =
        futures::join!(group(driver), join_all(providers.iter().map(|name| provider(driver, name))));
    let mut missing = Vec::new();
    for standing in found.into_iter().chain([group]) {
        match standing {
            Standing::There => {}
            Standing::Missing(what) => missing.push(what),
            Standing::Unknown(error) if matches!(error.kind(), ErrorKind::Forbidden { .. }) => {}
            Standing::Unknown(error) => return Err(error),
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let what = missing.join("; ");
    let kind = ErrorKind::PrerequisiteMissing { what: what.clone(), fix: FIX.to_owned() };
    Err(DriverError::new(kind, PROVIDER, what))
}

/// What must exist at a cluster: the role of its identity on each subnet of the user's. One call a subnet.
pub(crate) async fn of_cluster(driver: &AzureDriver, cluster: &Cluster) -> Result<Vec<Prerequisite>> {
    let mut all = Vec::new();
    let Some(principal) = cluster.key_value_list.get(convert::PRINCIPAL) else { return Ok(all) };
    for id in subnets_of_users(cluster) {
        let standing = match role_assignment::stands(driver, &id, principal).await {
            Ok(true) => Standing::There,
            Ok(false) => Standing::Missing(format!("{principal} is no Network Contributor of {id}")),
            Err(error) => Standing::Unknown(error),
        };
        let says = format!("the role Network Contributor of the cluster's identity on subnet {}", id.name());
        let fix = format!("assign the role on {id}");
        all.push(prerequisite("subnetRole", says, standing, fix));
    }
    Ok(all)
}

/// The subnets that are no part of the network that AKS made for a cluster: in that its identity has its roles already.
fn subnets_of_users(cluster: &Cluster) -> impl Iterator<Item = ArmId> {
    let own = cluster.key_value_list.get(convert::NODE_RESOURCE_GROUP).unwrap_or_default();
    let subnets = cluster.network.subnets.iter().filter_map(|subnet| ArmId::parse(&subnet.system_id));
    subnets.filter(move |id| !id.group().eq_ignore_ascii_case(own))
}

#[cfg(test)]
mod tests {
    use pmks_model::Iid;

    use super::*;

    #[test]
    fn no_role_is_asked_for_in_the_network_that_aks_made() {
        let subnet = |group: &str| {
            format!(
                "/subscriptions/0/resourceGroups/{group}/providers/Microsoft.Network/virtualNetworks/n/subnets/s"
            )
        };
        let mut cluster = Cluster::default();
        cluster.network.subnets = [subnet("MC_g"), subnet("g")].map(|id| Iid::new("s", id)).into();
        cluster.key_value_list.add(convert::NODE_RESOURCE_GROUP, "mc_g");
        let ids: Vec<String> = subnets_of_users(&cluster).map(|id| id.to_string()).collect();
        assert_eq!(ids, [subnet("g")]);
    }
}
