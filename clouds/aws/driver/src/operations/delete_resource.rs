//! The plan of the end of a network, subnet, security group or key pair.
//!
//! What holds a resource is named, never removed: only subnets and the gateway that pmks made for a network go with
//! it. Every stage deletes one thing by its identifier; what is gone already is success.

use async_trait::async_trait;
use futures::FutureExt;
use pmks_driver::{
    Asked, DeleteResource, DriverError, ErrorKind, Look, Marks, Prepared, Result, StageContext,
    StageSpecification,
};
use pmks_model::{Iid, ResourceKind};
use serde::{Deserialize, Serialize};

use super::{Maker, Stage};
use crate::api::ec2::filter;
use crate::query::{List, Tag};
use crate::wire::ec2 as wire;
use crate::{AwsDriver, PROVIDER, networks};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<Delete>()];

/// What an internet gateway is called among what remains.
pub(super) const GATEWAY: &str = "gateway";

/// Looks who holds the resource, and answers the plan. One call for a key pair, two for a security group, one for a
/// subnet, seven for a network.
///
/// # Errors
/// `Precondition` naming what holds it; `Replaced` for a key pair of that name that is another installation's.
pub(crate) async fn prepare(driver: &AwsDriver, asked: &DeleteResource) -> Result<Prepared> {
    let id = asked.iid.system_id.as_str();
    match asked.kind {
        ResourceKind::Network => network(driver, &asked.iid, &asked.marks).await,
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

/// The key pair of that name, if it is there.
///
/// # Errors
/// `Replaced` for one that is another installation's, or another one than was known under that name.
pub(super) async fn meant_key_pair(
    driver: &AwsDriver,
    name: &str,
    incarnation: &str,
    marks: &Marks,
) -> Result<Option<wire::KeyPair>> {
    let Some(found) = networks::find_key_pair(&driver.api, name).await? else { return Ok(None) };
    let [installation, ..] = Marks::KEYS;
    if found.tag_set.to_tags().get(installation).is_some_and(|mark| *mark != marks.installation) {
        let message = format!("the key pair {name:?} is another installation's");
        return Err(DriverError::new(ErrorKind::Replaced, PROVIDER, message));
    }
    // An older record knows the name alone.
    let is_known = !incarnation.is_empty() && incarnation != name;
    if is_known && incarnation != found.key_pair_id {
        let message = format!("the key pair {name:?} is {} now, and was {incarnation}", found.key_pair_id);
        return Err(DriverError::new(ErrorKind::Replaced, PROVIDER, message));
    }
    Ok(Some(found))
}

async fn network(driver: &AwsDriver, iid: &Iid, marks: &Marks) -> Result<Prepared> {
    let id = iid.system_id.as_str();
    let content = Content::of(driver, id, marks).await?;
    let doomed = Delete::of(What::Network, id);
    refuse_if_held(&doomed, &content.strangers(marks))?;
    Ok(Prepared::of(content.plan(iid, marks)))
}

/// What is in a network.
#[derive(Debug, Default)]
struct Content {
    subnets: Vec<wire::Subnet>,
    gateways: Vec<wire::InternetGateway>,
    /// Gateways that were made for it and are attached to nothing, as an attempt that broke off leaves them.
    loose: Vec<wire::InternetGateway>,
    tables: Vec<wire::RouteTable>,
    groups: Vec<wire::SecurityGroup>,
    interfaces: Vec<wire::NetworkInterface>,
}

impl Content {
    async fn of(driver: &AwsDriver, network: &str, marks: &Marks) -> Result<Self> {
        let within = [filter("vpc-id", network)];
        let attached = [filter("attachment.vpc-id", network)];
        let [installation, _, uid] = Marks::KEYS.map(|key| format!("tag:{key}"));
        let ours = [filter(&installation, &marks.installation), filter(&uid, &marks.uid)];
        // Boxed: together they are larger than a future should be.
        let (subnets, gateways, mut loose, tables, groups, interfaces) = futures::try_join!(
            driver.api.describe_subnets(&within).boxed(),
            driver.api.describe_internet_gateways(&attached).boxed(),
            driver.api.describe_internet_gateways(&ours).boxed(),
            driver.api.describe_route_tables(&within).boxed(),
            driver.api.describe_security_groups(&within).boxed(),
            driver.api.describe_network_interfaces(&within).boxed(),
        )?;
        loose.retain(|gateway| gateway.attachment_set.entries.is_empty());
        Ok(Self { subnets, gateways, loose, tables, groups, interfaces })
    }

    /// What holds the network and was not made with it. What every VPC is born with goes with it.
    fn strangers(&self, marks: &Marks) -> Vec<String> {
        let mut held: Vec<String> = self.interfaces.iter().map(interface_says).collect();
        let subnets = self.subnets.iter().filter(|subnet| !made_here(&subnet.tag_set, marks));
        held.extend(subnets.map(|subnet| format!("subnet {}", says(&subnet.subnet_id, &subnet.tag_set))));
        let gateways = self.gateways.iter().filter(|gateway| !made_here(&gateway.tag_set, marks));
        held.extend(gateways.map(|found| format!("internet gateway {}", found.internet_gateway_id)));
        let groups = self.groups.iter().filter(|group| group.group_name != "default");
        held.extend(groups.map(|group| format!("security group {} ({})", group.group_id, group.group_name)));
        let main = |table: &&wire::RouteTable| table.association_set.entries.iter().any(|one| one.main);
        let tables = self.tables.iter().filter(|table| !main(table));
        held.extend(tables.map(|table| format!("route table {}", table.route_table_id)));
        held
    }

    /// Subnets and the gateway at once, the network last.
    fn plan(&self, iid: &Iid, marks: &Marks) -> Vec<StageSpecification> {
        let network = iid.system_id.as_str();
        let mut stages = Vec::new();
        for subnet in self.subnets.iter().filter(|subnet| made_here(&subnet.tag_set, marks)) {
            let name = format!("subnet {}", says(&subnet.subnet_id, &subnet.tag_set));
            let own = name_of(&subnet.tag_set);
            stages.push(
                Delete::of(What::Subnet, &subnet.subnet_id).stage(&name, own.as_deref().unwrap_or_default()),
            );
        }
        let mut before: Vec<String> = stages.iter().map(|stage| stage.name.clone()).collect();
        for gateway in self.gateways.iter().filter(|gateway| made_here(&gateway.tag_set, marks)) {
            let id = gateway.internet_gateway_id.as_str();
            let detached = format!("detachment of {id}");
            let gone = removal_of_gateway(id);
            let attachment =
                Delete { what: What::GatewayAttachment, id: id.to_owned(), of: Some(network.to_owned()) };
            // Public addresses of what is in the subnets hold the attachment.
            stages.push(attachment.specification(&detached).after(before.clone()));
            before.extend([detached.clone(), gone.name.clone()]);
            stages.push(gone.after([detached]));
        }
        for gateway in &self.loose {
            let stage = removal_of_gateway(&gateway.internet_gateway_id);
            before.push(stage.name.clone());
            stages.push(stage);
        }
        stages.push(Delete::of(What::Network, network).stage("network", &iid.name_id).after(before));
        stages
    }
}

/// The stage that removes a gateway which is attached to nothing.
pub(super) fn removal_of_gateway(id: &str) -> StageSpecification {
    Delete::of(What::Gateway, id).stage(&format!("internet gateway {id}"), "")
}

/// Whether this installation made it.
fn made_here(tags: &List<Tag>, marks: &Marks) -> bool {
    let [installation, ..] = Marks::KEYS;
    tags.to_tags().get(installation) == Some(&marks.installation)
}

fn says(id: &str, tags: &List<Tag>) -> String {
    name_of(tags).map_or_else(|| id.to_owned(), |name| format!("{name} ({id})"))
}

fn name_of(tags: &List<Tag>) -> Option<String> {
    tags.to_tags().remove(networks::NAME_TAG).filter(|name| !name.is_empty())
}

fn interface_says(interface: &wire::NetworkInterface) -> String {
    let user = match &interface.attachment {
        Some(attachment) if !attachment.instance_id.is_empty() => format!("of {}", attachment.instance_id),
        _ if !interface.description.is_empty() => interface.description.clone(),
        _ => interface.status.clone(),
    };
    format!("network interface {} ({user})", interface.network_interface_id)
}

fn refuse_if_held(doomed: &Delete, holders: &[String]) -> Result<()> {
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
    id: String,
    /// The network of an attachment; the name of a key pair.
    of: Option<String>,
}

impl Delete {
    fn of(what: What, id: &str) -> Self {
        Self { what, id: id.to_owned(), of: None }
    }

    /// The stage, which tells what it removes.
    fn stage(&self, stage: &str, name: &str) -> StageSpecification {
        let kind = match self.what {
            What::Network => ResourceKind::Network.as_str(),
            What::Subnet => ResourceKind::Subnet.as_str(),
            What::SecurityGroup => ResourceKind::SecurityGroup.as_str(),
            What::KeyPair => ResourceKind::KeyPair.as_str(),
            What::Gateway | What::GatewayAttachment => GATEWAY,
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
            What::Gateway | What::KeyPair => return Ok(Vec::new()),
        };
        let found = api.describe_network_interfaces(&interfaces).await?;
        let mut holders: Vec<String> = found.iter().map(interface_says).collect();
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

#[cfg(test)]
mod tests {
    use pmks_driver::Plan;

    use super::*;

    fn marks() -> Marks {
        Marks { installation: "ours".into(), operation: "o".into(), uid: "u".into() }
    }

    fn tags(installation: &str) -> List<Tag> {
        let [key, ..] = Marks::KEYS;
        List { entries: vec![Tag { key: key.to_owned(), value: installation.to_owned() }] }
    }

    fn content(installation: &str) -> Content {
        let subnet =
            wire::Subnet { subnet_id: "subnet-1".into(), tag_set: tags(installation), ..Default::default() };
        let gateway = wire::InternetGateway {
            internet_gateway_id: "igw-1".into(),
            tag_set: tags(installation),
            ..Default::default()
        };
        let main = wire::RouteTable {
            route_table_id: "rtb-1".into(),
            association_set: List {
                entries: vec![wire::RouteTableAssociation { main: true, ..Default::default() }],
            },
            ..Default::default()
        };
        let group = wire::SecurityGroup {
            group_id: "sg-1".into(),
            group_name: "default".into(),
            ..Default::default()
        };
        Content {
            subnets: vec![subnet],
            gateways: vec![gateway],
            loose: vec![],
            tables: vec![main],
            groups: vec![group],
            interfaces: vec![],
        }
    }

    #[test]
    fn a_network_goes_last_and_only_with_what_was_made_for_it() {
        let plan = Plan::of(content("ours").plan(&Iid::new("net", "vpc-1"), &marks()));
        assert_eq!(plan.defect(), None);
        let names: Vec<&str> = plan.stages.iter().map(|stage| stage.name.as_str()).collect();
        assert_eq!(names, ["subnet subnet-1", "detachment of igw-1", "internet gateway igw-1", "network"]);
        assert_eq!(plan.stages[3].after.len(), 3);
        let doomed: Vec<String> = plan
            .stages
            .iter()
            .filter_map(|stage| stage.doomed.as_ref())
            .map(|one| format!("{} {} {}", one.kind, one.system_id, one.name))
            .collect();
        assert_eq!(doomed, ["subnet subnet-1 ", "gateway igw-1 ", "network vpc-1 net"]);
        assert!(content("ours").strangers(&marks()).is_empty());
    }

    #[test]
    fn a_gateway_that_an_earlier_attempt_detached_goes_too() {
        let mut content = content("ours");
        content.loose = std::mem::take(&mut content.gateways);
        let plan = Plan::of(content.plan(&Iid::new("net", "vpc-1"), &marks()));
        let names: Vec<&str> = plan.stages.iter().map(|stage| stage.name.as_str()).collect();
        assert_eq!(names, ["subnet subnet-1", "internet gateway igw-1", "network"]);
        assert_eq!(plan.stages[2].after.len(), 2);
    }

    #[test]
    fn strangers_are_named() {
        let mut foreign = content("theirs");
        foreign.interfaces.push(wire::NetworkInterface {
            network_interface_id: "eni-1".into(),
            description: "ELB web".into(),
            ..Default::default()
        });
        foreign.groups.push(wire::SecurityGroup {
            group_id: "sg-2".into(),
            group_name: "x".into(),
            ..Default::default()
        });
        foreign.tables.push(wire::RouteTable { route_table_id: "rtb-2".into(), ..Default::default() });
        let holders = foreign.strangers(&marks());
        let error = refuse_if_held(&Delete::of(What::Network, "vpc-1"), &holders).unwrap_err();
        assert_eq!(
            error.message(),
            "vpc-1 is held by network interface eni-1 (ELB web), subnet subnet-1, internet gateway igw-1, security group sg-2 (x), route table rtb-2"
        );
        assert!(matches!(error.kind(), ErrorKind::Precondition { .. }));
    }
}
