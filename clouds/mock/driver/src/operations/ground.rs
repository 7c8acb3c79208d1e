//! The plans of networks, subnets, security groups and key pairs.

use pmks_driver::{
    CreateKeyPair, CreateNetwork, CreateSecurityGroup, CreateSubnet, DeleteResource, DriverError, Marks,
    Prepared, Result, StageSpecification,
};
use pmks_model::{Findings, ResourceKind, SubnetRequest};
use serde_json::json;

use super::make::Make;
use super::refuse_used;
use super::remove::Remove;
use super::target::{gone, replaced, taken};
use crate::api::Kind;
use crate::wire::Thing;
use crate::{MockDriver, PROVIDER};

/// The stage that subnets wait for.
const NETWORK: &str = "network";

/// A network, then its subnets.
///
/// # Errors
/// `AlreadyExists`; `InvalidRequest` for a zone that is none.
pub(crate) async fn create_network(driver: &MockDriver, asked: &CreateNetwork) -> Result<Prepared> {
    let request = &asked.request;
    let mut findings = Findings::default();
    let zones = zones(driver).await?;
    let mut stages = vec![
        Make::new(Kind::Network, &request.name, json!({"cidr": request.cidr}), &request.tags, &asked.marks)
            .stage(NETWORK),
    ];
    for (index, one) in request.subnets.iter().enumerate() {
        let uid = asked.subnet_uids.get(&one.name).unwrap_or(&asked.marks.uid);
        let marks = Marks { uid: uid.clone(), ..asked.marks.clone() };
        let made = subnet(driver, one, &marks, &zones, (&format!("subnets[{index}]."), &mut findings));
        stages.push(made.within_what(NETWORK).stage(format!("subnet {}", one.name)));
    }
    findings.into_result().map_err(|findings| DriverError::invalid(PROVIDER, findings))?;
    refuse_strangers(driver, Kind::Network, "", &request.name, &asked.marks).await?;
    Ok(Prepared::of(stages))
}

/// One more subnet.
///
/// # Errors
/// `NotFound` without the network; `AlreadyExists`; `InvalidRequest` for a zone that is none.
pub(crate) async fn create_subnet(driver: &MockDriver, asked: &CreateSubnet) -> Result<Prepared> {
    let (request, network) = (&asked.request, asked.network.system_id.as_str());
    let standing = driver.api.get(Kind::Network, network).await?;
    let mut findings = Findings::default();
    let made = subnet(driver, request, &asked.marks, &zones(driver).await?, ("", &mut findings));
    for other in &standing.subnets {
        let overlaps = |cidr: pmks_model::Cidr| cidr.overlaps(request.cidr);
        if other.name != request.name && other.cidr.parse().is_ok_and(overlaps) {
            findings.add("cidr", format!("overlaps subnet {} ({})", other.name, other.cidr));
        }
    }
    findings.into_result().map_err(|findings| DriverError::invalid(PROVIDER, findings))?;
    let is_strangers = |one: &&Thing| one.name == request.name && !asked.marks.are_on(&one.labels);
    if standing.subnets.iter().any(|one| is_strangers(&one)) {
        return Err(taken(Kind::Subnet, &request.name));
    }
    Ok(Prepared::of([made.within(network).stage("subnet")]))
}

/// The zones of the connection's region.
async fn zones(driver: &MockDriver) -> Result<Vec<String>> {
    let regions = driver.api.catalogue().await?.regions;
    let own = regions.into_iter().find(|region| *region.name == *driver.region);
    let zones = own.map(|region| region.zones).unwrap_or_default();
    Ok(zones.into_iter().map(|zone| zone.name).collect())
}

fn subnet(
    driver: &MockDriver,
    request: &SubnetRequest,
    marks: &Marks,
    zones: &[String],
    (prefix, findings): (&str, &mut Findings),
) -> Make {
    let default = driver.zone.as_deref().or(zones.first().map(String::as_str)).unwrap_or_default();
    let zone = if request.zone.is_empty() { default } else { &request.zone };
    if !zones.iter().any(|known| known == zone) {
        let says = format!("{zone:?} is no zone of {}; it has {}", driver.region, zones.join(", "));
        findings.add(format!("{prefix}zone"), says);
    }
    let body = json!({"cidr": request.cidr, "zone": zone});
    Make::new(Kind::Subnet, &request.name, body, &request.tags, marks)
}

/// A security group with its rules.
///
/// # Errors
/// `NotFound` without the network; `AlreadyExists`.
pub(crate) async fn create_security_group(
    driver: &MockDriver,
    asked: &CreateSecurityGroup,
) -> Result<Prepared> {
    let (request, network) = (&asked.request, asked.request.network.system_id.as_str());
    driver.api.get(Kind::Network, network).await?;
    refuse_strangers(driver, Kind::SecurityGroup, network, &request.name, &asked.marks).await?;
    let body = json!({"rules": request.rules});
    let made = Make::new(Kind::SecurityGroup, &request.name, body, &request.tags, &asked.marks);
    Ok(Prepared::of([made.within(network).stage("security group")]))
}

/// The public half of a key pair.
///
/// # Errors
/// `AlreadyExists`.
pub(crate) async fn create_key_pair(driver: &MockDriver, asked: &CreateKeyPair) -> Result<Prepared> {
    let request = &asked.request;
    refuse_strangers(driver, Kind::KeyPair, "", &request.name, &asked.marks).await?;
    let body = json!({"publicKey": request.public_key.trim()});
    let made = Make::new(Kind::KeyPair, &request.name, body, &request.tags, &asked.marks);
    Ok(Prepared::of([made.stage("key pair")]))
}

/// A thing of that name that this operation did not make is a stranger's.
pub(super) async fn refuse_strangers(
    driver: &MockDriver,
    kind: Kind,
    parent: &str,
    name: &str,
    marks: &Marks,
) -> Result<()> {
    match driver.api.find(kind, parent, name).await? {
        Some(found) if !marks.are_on(&found.labels) => Err(taken(kind, name)),
        _ => Ok(()),
    }
}

/// The end of a network with its subnets, of a subnet, a security group or a key pair. A subnet that another installation
/// of pmks made holds its network, unless that one made the network, too: then it was taken over as a whole.
///
/// # Errors
/// `Precondition` naming who uses it; `Replaced`.
pub(crate) async fn delete(driver: &MockDriver, asked: &DeleteResource) -> Result<Prepared> {
    let kind = kind_of(asked.kind);
    let id = asked.iid.system_id.as_str();
    let found = match kind {
        Kind::KeyPair => match driver.api.find(kind, "", id).await? {
            // Who uses it is told where it is asked for by itself.
            Some(pair) => known(driver.api.get(kind, &pair.id).await)?,
            None => None,
        },
        _ => known(driver.api.get(kind, id).await)?,
    };
    let found = found.unwrap_or_default();
    if !asked.incarnation.is_empty() && !found.id.is_empty() && asked.incarnation != found.id {
        return Err(replaced(kind, id));
    }
    let mut users = found.used_by.clone();
    let [installation, ..] = Marks::KEYS;
    let made_by = found.labels.get(installation);
    let goes = |one: &&Thing| {
        let mark = one.labels.get(installation);
        mark.is_none_or(|mark| *mark == asked.marks.installation || Some(mark) == made_by)
    };
    let (parts, strange): (Vec<&Thing>, Vec<&Thing>) = found.subnets.iter().partition(goes);
    users.extend(strange.iter().map(|subnet| format!("subnet {}", subnet.name)));
    refuse_used(kind, id, &users)?;
    let mut stages: Vec<StageSpecification> = Vec::new();
    for subnet in parts {
        let stage = Remove::Known(Kind::Subnet, subnet.id.clone()).stage(format!("subnet {}", subnet.name));
        stages.push(stage.removes(ResourceKind::Subnet.as_str(), &subnet.id, &subnet.name));
    }
    let before: Vec<String> = stages.iter().map(|stage| stage.name.clone()).collect();
    let last = Remove::Known(kind, found.id).stage(kind.names().word).after(before);
    stages.push(last.removes(asked.kind.as_str(), id, &asked.iid.name_id));
    Ok(Prepared::of(stages))
}

/// The cloud's word for what clusters stand on.
pub(super) fn kind_of(kind: ResourceKind) -> Kind {
    match kind {
        ResourceKind::Subnet => Kind::Subnet,
        ResourceKind::SecurityGroup => Kind::SecurityGroup,
        ResourceKind::KeyPair => Kind::KeyPair,
        _ => Kind::Network,
    }
}

/// A thing, or that there is none.
fn known(read: Result<Thing>) -> Result<Option<Thing>> {
    match read {
        Err(error) if error.is_not_found() => Ok(None),
        read => read.map(Some),
    }
}

/// The network and the subnets that a cluster is to stand on.
pub(super) async fn check(
    driver: &MockDriver,
    network: &str,
    subnets: &[pmks_model::Iid],
    findings: &mut Findings,
) -> Result<()> {
    let standing =
        if network.is_empty() { None } else { known(driver.api.get(Kind::Network, network).await)? };
    let Some(standing) = standing else {
        findings.add("network", gone(Kind::Network, network).message());
        return Ok(());
    };
    for (index, subnet) in subnets.iter().enumerate() {
        if !standing.subnets.iter().any(|one| one.id == subnet.system_id) {
            let says = format!("{:?} is no subnet of network {}", subnet.name_id, standing.name);
            findings.add(format!("subnets[{index}]"), says);
        }
    }
    Ok(())
}
