//! The end of children by their stored identifiers: which still stand, and the request that removes one.

use pmks_driver::{DriverError, ErrorKind, Result};
use pmks_model::Child;

use super::lists::stands;
use super::{BALANCER, CLASSIC_BALANCER, INTERFACE, SECURITY_GROUP, TARGET_GROUP, VOLUME};
use crate::{AwsDriver, PROVIDER};

/// Which of these still exist at AWS. One call a kind of child; Kubernetes objects are left out.
pub(crate) async fn standing(driver: &AwsDriver, children: &[Child]) -> Result<Vec<Child>> {
    let api = &driver.api;
    let mut left = Vec::new();
    for kind in [CLASSIC_BALANCER, BALANCER, TARGET_GROUP, SECURITY_GROUP, INTERFACE, VOLUME] {
        let of_kind: Vec<&Child> = children.iter().filter(|child| child.kind == kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        let ids: Vec<String> = of_kind.iter().map(|child| child.system_id.clone()).collect();
        // A balancer that is asked for by name and gone is an error of the whole list: all are listed.
        let found: Vec<String> = match kind {
            CLASSIC_BALANCER => {
                api.classic_balancers(None).await?.into_iter().map(|one| one.load_balancer_name).collect()
            }
            BALANCER => api.balancers(None).await?.into_iter().map(|one| one.load_balancer_arn).collect(),
            TARGET_GROUP => {
                api.target_groups(None).await?.into_iter().map(|one| one.target_group_arn).collect()
            }
            SECURITY_GROUP => {
                let groups = api.describe_security_groups(&[("group-id", ids)]).await?;
                groups.into_iter().map(|one| one.group_id).collect()
            }
            INTERFACE => {
                let interfaces = api.describe_network_interfaces(&[("network-interface-id", ids)]).await?;
                interfaces.into_iter().map(|one| one.network_interface_id).collect()
            }
            _ => {
                let volumes = api.describe_volumes(&[("volume-id", ids)]).await?;
                volumes.into_iter().filter(stands).map(|one| one.volume_id).collect()
            }
        };
        left.extend(of_kind.into_iter().filter(|child| found.contains(&child.system_id)).cloned());
    }
    Ok(left)
}

/// Asks AWS to remove one child, by its stored identifier; gone is success.
///
/// # Errors
/// `Conflict` while something holds it; `Precondition` for a balancer that is protected.
pub(crate) async fn remove(driver: &AwsDriver, child: &Child) -> Result<()> {
    let (api, id) = (&driver.api, child.system_id.as_str());
    let asked = match child.kind.as_str() {
        CLASSIC_BALANCER => api.delete_classic_balancer(id).await,
        BALANCER => api.delete_balancer(id).await,
        TARGET_GROUP => api.delete_target_group(id).await,
        SECURITY_GROUP => api.delete_security_group(id).await,
        INTERFACE => api.delete_network_interface(id).await,
        VOLUME => api.delete_volume(id).await,
        other => {
            let message = format!("a child of kind {other:?} cannot be removed at AWS");
            Err(DriverError::new(ErrorKind::Unexpected, PROVIDER, message))
        }
    };
    match asked {
        Err(error) if error.is_not_found() => Ok(()),
        asked => asked,
    }
}
