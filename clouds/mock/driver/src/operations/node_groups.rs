//! The plans of node groups.

use pmks_driver::{
    AddNodeGroup, ChangeNodeGroupScaling, DriverError, Marks, Prepared, RemoveNodeGroup, Result,
    UpgradeNodeGroup, refuse_downgrade, refuse_unfit,
};
use pmks_model::{Findings, NodeGroupRequest, ResourceKind, Scaling, Tags, Version, VersionRequest};
use serde_json::json;

use super::change::{Change, To};
use super::make::Make;
use super::remove::Remove;
use super::target::{Target, refused, taken};
use crate::api::Kind;
use crate::capabilities::CAPABILITIES;
use crate::wire::{Catalogue, Thing};
use crate::{MockDriver, PROVIDER, convert};

/// What a plan says of a size that is not sent.
const LEFT: &str =
    "autoscaling is on, so the size within the limits is left alone: switch it off to set the size";

/// One more node group.
///
/// # Errors
/// `NotFound` and `Replaced` of the cluster; `AlreadyExists`; `InvalidRequest` for what is not offered.
pub(crate) async fn add(driver: &MockDriver, asked: &AddNodeGroup) -> Result<Prepared> {
    let (cluster, _) = Target::cluster(&asked.cluster).standing(driver).await?;
    let name = asked.request.name.as_str();
    let is_strangers = |one: &Thing| one.name == name && !asked.marks.are_on(&one.labels);
    if cluster.node_groups.iter().any(is_strangers) {
        return Err(taken(Kind::NodeGroup, name));
    }
    let catalogue = driver.api.catalogue().await?;
    let mut findings = Findings::default();
    let made =
        make(&asked.request, &cluster.version, "", &catalogue, (&asked.tags, &asked.marks), &mut findings);
    findings.into_result().map_err(|findings| DriverError::invalid(PROVIDER, findings))?;
    let stage = made.of_cluster(&cluster.name).within(&cluster.id).stage(format!("node group {name}"));
    Ok(Prepared::of([stage]).resolved("version", cluster.version))
}

/// What makes a node group of a cluster at that version. `prefix` stands before the fields of findings.
pub(super) fn make(
    request: &NodeGroupRequest,
    of_cluster: &str,
    prefix: &str,
    catalogue: &Catalogue,
    (tags, marks): (&Tags, &Marks),
    findings: &mut Findings,
) -> Make {
    let known = |name: &str| catalogue.machine_types.iter().any(|one| one.name == name);
    // Where nobody says, one without accelerators.
    let default = catalogue.machine_types.iter().find(|one| one.gpus == 0).map(|one| one.name.as_str());
    let machine_type = match request.machine_type.as_str() {
        "" | "default" => default.unwrap_or_default(),
        name => name,
    };
    if !known(machine_type) {
        findings.add(format!("{prefix}machineType"), format!("there is no machine type {machine_type:?}"));
    }
    let chosen = |text: &str| if text == "default" { String::new() } else { text.to_owned() };
    let image = chosen(&request.image);
    if !image.is_empty() && !catalogue.images.iter().any(|one| one.name == image) {
        findings.add(format!("{prefix}image"), format!("there is no image {image:?}"));
    }
    let version = match &request.version {
        VersionRequest::Default => of_cluster.to_owned(),
        VersionRequest::Given(given) => {
            let picked = convert::pick(&request.version, &catalogue.versions).map(|picked| picked.version);
            // Of a patch nobody can say whether a cluster without one is at it.
            let above = |version: &Version| {
                convert::version(of_cluster).is_some_and(|cluster| {
                    !cluster.reaches(version)
                        || refuse_patch(&VersionRequest::Given(version.clone()), &cluster).is_err()
                })
            };
            match picked {
                Ok(version) if !above(&version) => version.to_string(),
                Ok(_) => {
                    findings.add(
                        format!("{prefix}version"),
                        format!("{given} is above the cluster's {of_cluster}"),
                    );
                    String::new()
                }
                Err(says) => {
                    findings.add(format!("{prefix}version"), says);
                    String::new()
                }
            }
        }
    };
    let key_pair = request.key_pair.as_ref().map(|pair| pair.system_id.as_str()).unwrap_or_default();
    let body = json!({
        "version": version, "machineType": machine_type, "image": image, "keyPair": key_pair,
        "rootDiskType": chosen(&request.root_disk_type), "rootDiskGib": request.root_disk_size_gib.unwrap_or(0),
        "scaling": request.scaling,
    });
    Make::new(Kind::NodeGroup, &request.name, body, tags, marks)
}

/// Size, limits and autoscaling, in one change.
///
/// # Errors
/// `NotFound`, `Replaced`; `InvalidRequest` for a scaling that cannot be.
pub(crate) async fn scale(driver: &MockDriver, asked: &ChangeNodeGroupScaling) -> Result<Prepared> {
    let target = Target::node_group(&asked.target);
    let (_, found) = target.standing(driver).await?;
    refuse_unfit(PROVIDER, [&convert::node_group(&found)])?;
    let now = found.scaling.unwrap_or_else(|| Scaling::fixed(0));
    let wanted = CAPABILITIES.auto_scaling.apply(asked.change, now);
    let mut findings = Findings::default();
    wanted.validate("scaling", &mut findings);
    CAPABILITIES.auto_scaling.find_lost_size(asked.change, wanted, &mut findings);
    findings.into_result().map_err(|findings| DriverError::invalid(PROVIDER, findings))?;
    let desired = wanted.to_send(Some(now.desired)).unwrap_or(now.desired);
    let to = To { scaling: Some(Scaling { desired, ..wanted }), ..To::default() };
    let says = format!("{} to {} nodes, {desired} at once", wanted.min, wanted.max);
    let prepared = Prepared::of([Change { target, to }.stage("scaling")]).resolved("scaling", says);
    let is_left = wanted.auto_scaling && asked.change.desired.is_some_and(|asked| asked != desired);
    Ok(if is_left { prepared.notice(LEFT) } else { prepared })
}

/// A higher version of a node group.
///
/// # Errors
/// `NotFound`, `Replaced`; `InvalidRequest` for a version that is lower, above the cluster's, or not offered.
pub(crate) async fn upgrade(driver: &MockDriver, asked: &UpgradeNodeGroup) -> Result<Prepared> {
    let target = Target::node_group(&asked.target);
    let (cluster, found) = target.standing(driver).await?;
    let (of_cluster, now) = (version(&cluster)?, version(&found)?);
    refuse_downgrade(PROVIDER, &asked.version, &now, &format!("node group {:?}", found.name))?;
    refuse_patch(&asked.version, &now)?;
    let to = match &asked.version {
        VersionRequest::Given(given) if now.reaches(given) => now.clone(),
        VersionRequest::Given(given) if !of_cluster.reaches(given) => {
            let says = format!("nodes never run ahead of their cluster, which is at {of_cluster}");
            return Err(refused("version", says));
        }
        VersionRequest::Given(given) if !given.covers(&of_cluster) => {
            let offered = driver.api.catalogue().await?.versions;
            convert::pick(&asked.version, &offered).map_err(|says| refused("version", says))?.version
        }
        _ => of_cluster,
    };
    if now.reaches(&to) {
        return Ok(Prepared::default().notice(format!("node group {} is at {now} already", found.name)));
    }
    refuse_unfit(PROVIDER, [&convert::node_group(&found)])?;
    Ok(Prepared::of([raise(target, &to)]).resolved("version", to.to_string()))
}

/// The stage that raises a node group.
pub(super) fn raise(target: Target, to: &Version) -> pmks_driver::StageSpecification {
    let name = format!("node group {} to {to}", target.name());
    let change = Change { target, to: To { version: Some(to.clone()), ..To::default() } };
    // Half of the nodes old and half of them new would be worse than either.
    change.stage(name).finish_when_cancelled()
}

/// Refuses a patch of a version that stands without one: whether it is reached nobody can say.
pub(super) fn refuse_patch(asked: &VersionRequest, now: &Version) -> Result<()> {
    match asked {
        VersionRequest::Given(given)
            if given.minor() == now.minor() && now.reaches(given) && !given.covers(now) =>
        {
            Err(refused("version", format!("{given} is not offered: {now} has no patch here")))
        }
        _ => Ok(()),
    }
}

/// The version of a cluster or node group, which must be one.
pub(super) fn version(of: &Thing) -> Result<Version> {
    convert::version(&of.version).ok_or_else(|| {
        let says = format!("the Mock cloud does not say which version {:?} has", of.name);
        DriverError::new(pmks_driver::ErrorKind::Unexpected, PROVIDER, says)
    })
}

/// The end of a node group.
///
/// # Errors
/// `Replaced`.
pub(crate) async fn remove(driver: &MockDriver, asked: &RemoveNodeGroup) -> Result<Prepared> {
    let target = Target::node_group(&asked.target);
    target.find(driver).await?;
    let name = target.name().to_owned();
    let stage = Remove::Named(target).stage(format!("removal of node group {name}"));
    Ok(Prepared::of([stage.subject(ResourceKind::NodeGroup, name)]))
}
