//! The plan of the end of a network, subnet, security group or key pair.
//!
//! What holds a resource is named, never removed. What a network consists of goes with it: that is `delete_network.rs`.
//! Every stage deletes one thing by its identifier; what is gone already is success.

use async_trait::async_trait;
use pmks_driver::{
    Asked, DeleteResource, DriverError, ErrorKind, Look, Marks, Prepared, Result, StageContext,
    StageSpecification,
};
use pmks_model::ResourceKind;
use serde::{Deserialize, Serialize};

use super::{Maker, Stage, delete_network};
use crate::api::ec2::filter;
use crate::wire::ec2 as wire;
use crate::{AwsDriver, PROVIDER, networks};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<Delete>()];

/// What an internet gateway is called among what remains.
pub(super) const GATEWAY: &str = "gateway";

/// What a route table is called among what remains.
const ROUTE_TABLE: &str = "routeTable";

/// Looks who holds the resource, and answers the plan. One call for a key pair, two for a security group, one for a
/// subnet; those for a network are `delete_network.rs`'s.
///
/// # Errors
/// `Precondition` naming what holds it; `Replaced` for another key pair of that name than is meant.
pub(crate) async fn prepare(driver: &AwsDriver, asked: &DeleteResource) -> Result<Prepared> {
    let id = asked.iid.system_id.as_str();
    match asked.kind {
        ResourceKind::Network => delete_network::prepare(driver, &asked.iid, &asked.marks).await,
        ResourceKind::Subnet => {
            let doomed = Delete::of(What::Subnet, id);
            refuse_if_held(&doomed, &doomed.holders(driver).await?)?;
            Ok(Prepared::of([doomed.stage("subnet", &asked.iid.name_id)]))
        }
        ResourceKind::SecurityGroup => {
            let doomed = Delete::of(What::SecurityGroup, id);
            refuse_if_held(&doomed, &doomed.holders(driver).await?)?;
            Ok(Prepared::of([doomed.stage("security group", &asked.iid.name_id)]))
        }
        ResourceKind::KeyPair => key_pair(driver, asked).await,
        ResourceKind::Connection | ResourceKind::Cluster | ResourceKind::NodeGroup => {
            Err(DriverError::unsupported(PROVIDER, "deletion of such a resource by this operation"))
        }
    }
}

/// A key pair is called by its name: one under that name that somebody made since is not the one that is meant.
async fn key_pair(driver: &AwsDriver, asked: &DeleteResource) -> Result<Prepared> {
    let DeleteResource { iid, incarnation, marks, .. } = asked;
    let name = iid.system_id.as_str();
    let Some(found) = meant_key_pair(driver, name, incarnation, marks).await? else {
        let gone = Delete { what: What::KeyPair, id: String::new(), of: Some(name.to_owned()) };
        return Ok(Prepared::of([gone.specification("key pair")]));
    };
    let doomed = Delete { what: What::KeyPair, id: found.key_pair_id, of: Some(found.key_name) };
    let stage = doomed.specification("key pair");
    Ok(Prepared::of([stage.removes(ResourceKind::KeyPair.as_str(), name, &iid.name_id)]))
}

/// The key pair of that name, if it is there. Its own identifier tells it, where that is known; else the marks do.
///
/// # Errors
/// `Replaced` for another one than was known under that name, or one that is another installation's.
pub(super) async fn meant_key_pair(
    driver: &AwsDriver,
    name: &str,
    incarnation: &str,
    marks: &Marks,
) -> Result<Option<wire::KeyPair>> {
    let Some(found) = networks::find_key_pair(&driver.api, name).await? else { return Ok(None) };
    // An older record knows the name alone.
    if !incarnation.is_empty() && incarnation != name {
        if incarnation == found.key_pair_id {
            return Ok(Some(found));
        }
        let message = format!("the key pair {name:?} is {} now, and was {incarnation}", found.key_pair_id);
        return Err(DriverError::new(ErrorKind::Replaced, PROVIDER, message));
    }
    let [installation, ..] = Marks::KEYS;
    if found.tag_set.to_tags().get(installation).is_some_and(|mark| *mark != marks.installation) {
        let message = format!("the key pair {name:?} is another installation's");
        return Err(DriverError::new(ErrorKind::Replaced, PROVIDER, message));
    }
    Ok(Some(found))
}

/// The stage that removes a gateway which is attached to nothing.
pub(super) fn removal_of_gateway(id: &str) -> StageSpecification {
    Delete::of(What::Gateway, id).stage(&format!("internet gateway {id}"), "")
}

pub(super) fn interface_says(interface: &wire::NetworkInterface) -> String {
    let user = match &interface.attachment {
        Some(attachment) if !attachment.instance_id.is_empty() => format!("of {}", attachment.instance_id),
        _ if !interface.description.is_empty() => interface.description.clone(),
        _ => interface.status.clone(),
    };
    format!("network interface {} ({user})", interface.network_interface_id)
}

/// # Errors
/// `Precondition`, naming the holders.
pub(super) fn refuse_if_held(doomed: &Delete, holders: &[String]) -> Result<()> {
    if holders.is_empty() { Ok(()) } else { Err(held(doomed, holders)) }
}

fn held(doomed: &Delete, holders: &[String]) -> DriverError {
    let what = format!("{} is held by {}", doomed.id, holders.join(", "));
    let fix = "delete what holds it first".to_owned();
    DriverError::new(ErrorKind::Precondition { what: what.clone(), fix }, PROVIDER, what)
}

/// What a stage deletes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum What {
    /// A VPC.
    Network,
    /// A subnet.
    Subnet,
    /// The attachment of a gateway to its VPC.
    GatewayAttachment,
    /// An internet gateway.
    Gateway,
    /// A route table.
    RouteTable,
    /// A security group.
    SecurityGroup,
    /// A key pair.
    KeyPair,
}

/// The end of one thing.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Delete {
    what: What,
    pub(super) id: String,
    /// The network of an attachment; the name of a key pair.
    of: Option<String>,
}

impl Delete {
    pub(super) fn of(what: What, id: &str) -> Self {
        Self { what, id: id.to_owned(), of: None }
    }

    /// The end of a gateway's attachment to a network.
    pub(super) fn attachment(gateway: &str, network: &str) -> Self {
        Self { of: Some(network.to_owned()), ..Self::of(What::GatewayAttachment, gateway) }
    }

    /// The stage, which tells what it removes.
    pub(super) fn stage(&self, stage: &str, name: &str) -> StageSpecification {
        let kind = match self.what {
            What::Network => ResourceKind::Network.as_str(),
            What::Subnet => ResourceKind::Subnet.as_str(),
            What::SecurityGroup => ResourceKind::SecurityGroup.as_str(),
            What::KeyPair => ResourceKind::KeyPair.as_str(),
            What::Gateway | What::GatewayAttachment => GATEWAY,
            What::RouteTable => ROUTE_TABLE,
        };
        self.specification(stage).removes(kind, &self.id, name)
    }

    async fn stands(&self, driver: &AwsDriver) -> Result<bool> {
        let (api, id) = (&driver.api, self.id.as_str());
        let nothing = match self.what {
            What::Network => api.describe_vpcs(&[filter("vpc-id", id)]).await?.is_empty(),
            What::Subnet => api.describe_subnets(&[filter("subnet-id", id)]).await?.is_empty(),
            What::Gateway => {
                api.describe_internet_gateways(&[filter("internet-gateway-id", id)]).await?.is_empty()
            }
            What::RouteTable => api.describe_route_tables(&[filter("route-table-id", id)]).await?.is_empty(),
            What::GatewayAttachment => {
                let network = self.of.clone().unwrap_or_default();
                let of = [filter("internet-gateway-id", id), filter("attachment.vpc-id", network)];
                api.describe_internet_gateways(&of).await?.is_empty()
            }
            What::SecurityGroup => api.describe_security_groups(&[filter("group-id", id)]).await?.is_empty(),
            What::KeyPair => {
                let named = api
                    .describe_key_pairs(&[filter("key-name", self.of.clone().unwrap_or_default())])
                    .await?;
                !named.iter().any(|found| found.key_pair_id == id)
            }
        };
        Ok(!nothing)
    }

    /// By its identifier, which no other key pair ever has. Servers that are compatible with EC2 but for that answer well
    /// and delete nothing: there it goes by its name, under which this very identifier has just been seen.
    async fn delete_key_pair(&self, driver: &AwsDriver) -> Result<()> {
        driver.api.delete_key_pair("KeyPairId", &self.id).await?;
        if self.stands(driver).await? {
            return driver.api.delete_key_pair("KeyName", self.of.as_deref().unwrap_or_default()).await;
        }
        Ok(())
    }

    /// What EC2 would name as dependencies, if it named them.
    async fn holders(&self, driver: &AwsDriver) -> Result<Vec<String>> {
        let (api, id) = (&driver.api, self.id.as_str());
        let interfaces = match self.what {
            What::Network => [filter("vpc-id", id)],
            What::GatewayAttachment => [filter("vpc-id", self.of.clone().unwrap_or_default())],
            What::Subnet => [filter("subnet-id", id)],
            What::SecurityGroup => [filter("group-id", id)],
            What::Gateway | What::RouteTable | What::KeyPair => return Ok(Vec::new()),
        };
        let found = api.describe_network_interfaces(&interfaces).await?;
        let mut holders: Vec<String> = found.iter().map(interface_says).collect();
        if self.what == What::Network {
            holders.extend(delete_network::neighbours(driver, id).await?);
        }
        if self.what == What::SecurityGroup {
            let named = api.describe_security_groups(&[filter("ip-permission.group-id", id)]).await?;
            let others = named.iter().filter(|group| group.group_id != id);
            holders
                .extend(others.map(|group| format!("a rule of {} ({})", group.group_id, group.group_name)));
        }
        Ok(holders)
    }
}

#[async_trait]
impl Stage<AwsDriver> for Delete {
    const KIND: &'static str = "aws.delete";

    async fn look(&self, driver: &AwsDriver, _: &StageContext) -> Result<Look> {
        Ok(if self.stands(driver).await? { Look::Absent } else { Look::gone() })
    }

    /// EC2 says `DependencyViolation` and not by what: the holders are looked for then. Where there are none it is
    /// EC2's eventual consistency, and asked again later.
    async fn ask(&self, driver: &AwsDriver, _: &StageContext) -> Result<Asked> {
        let (api, id) = (&driver.api, self.id.as_str());
        let asked = match self.what {
            What::Network => api.delete_vpc(id).await,
            What::Subnet => api.delete_subnet(id).await,
            What::Gateway => api.delete_internet_gateway(id).await,
            What::RouteTable => api.delete_route_table(id).await,
            What::GatewayAttachment => {
                api.detach_internet_gateway(id, self.of.as_deref().unwrap_or_default()).await
            }
            What::SecurityGroup => api.delete_security_group(id).await,
            What::KeyPair => self.delete_key_pair(driver).await,
        };
        match asked {
            Ok(()) => Ok(Asked::done(serde_json::Value::Null)),
            Err(error) if error.is_not_found() => Ok(Asked::done(serde_json::Value::Null)),
            Err(error) if matches!(error.kind(), ErrorKind::Conflict { .. }) => {
                let holders = self.holders(driver).await?;
                Err(if holders.is_empty() { error } else { held(self, &holders).caused_by(error) })
            }
            Err(error) => Err(error),
        }
    }
}
