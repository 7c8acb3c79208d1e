//! Drafts of networks, subnets, security groups and key pairs: made, and removed where nothing of ours is in them.

use std::collections::{BTreeMap, HashSet};
use std::str::FromStr;

use pmks_driver::{Change, CreateKeyPair, CreateNetwork, CreateSecurityGroup, CreateSubnet, DeleteResource};
use pmks_model::{
    Cidr, Cluster, Direction, Failure, Findings, Iid, KeyPairRequest, Network, NodeGroup, ResourceKind,
    ResourceReference, Rule, Says, SecurityGroup, SecurityGroupRequest,
};
use pmks_store::{NewResource, Resource, Store};
use serde_json::Value;
use uuid::Uuid;

use super::{Draft, Drafting, shared};
use crate::activity::Activity;
use crate::cloud_names::{distinct, other_name};
use crate::failure::{conflict, not_found};
use crate::incarnations::{kept, told};
use crate::key_pairs::stand_in_public_key;
use crate::networks::name_within;
use crate::parts::{is_of, stand_in};
use crate::records::{
    ClusterIntent, KeyPairIntent, NetworkIntent, NodeGroupIntent, Records, SecurityGroupIntent, SubnetIntent,
    intent, observation, observed, stored,
};
use crate::reference::By;
use crate::resolve::{self, iid, is_absent};
use crate::{NewKeyPair, NewNetwork, NewSecurityGroup, NewSubnet, Reference, Result};

impl Drafting<'_> {
    pub(super) fn create_network(&self, asked: &NewNetwork) -> Result<Draft> {
        let mut findings = Findings::default();
        let mut request = resolve::network(asked, self.capabilities().network_addresses, &mut findings);
        let (mut names, whole) = (self.cloud_names(), asked.unique_cloud_name);
        let cloud_name = names.draw(ResourceKind::Network, whole, &asked.name, "name", &mut findings)?;
        request.name = cloud_name.clone().unwrap_or(request.name);
        let uid = self.uid();
        let of_network = NetworkIntent { cidr: asked.cidr.clone(), tags: asked.tags.clone() };
        let record = self.record(uid, ResourceKind::Network, None, &asked.name, stored(&of_network)?);
        let mut resources = vec![NewResource { cloud_name, ..record }];
        let mut subnet_uids = BTreeMap::new();
        for (index, (subnet, requested)) in asked.subnets.iter().zip(&mut request.subnets).enumerate() {
            let (wish, field) = (subnet.unique_cloud_name.or(whole), format!("subnets[{index}].name"));
            let called = names.draw(ResourceKind::Subnet, wish, &subnet.name, &field, &mut findings)?;
            requested.name = called.clone().unwrap_or_else(|| subnet.name.clone());
            let part = self.uid();
            subnet_uids.insert(requested.name.clone(), part.to_string());
            resources.push(NewResource { cloud_name: called, ..self.subnet_record(part, uid, subnet)? });
        }
        if resources.iter().skip(1).any(|part| part.cloud_name.is_some()) {
            let own = asked.subnets.iter().map(|subnet| subnet.name.as_str());
            distinct(own, |index| format!("subnets[{index}].name"), &mut findings);
        }
        let change = Change::CreateNetwork(CreateNetwork { request, marks: self.marks(uid), subnet_uids });
        let mut draft = self.draft_of(self.reference(ResourceKind::Network, &asked.name), uid, change);
        draft.resources = resources;
        draft.findings = findings;
        Ok(draft)
    }

    pub(super) async fn create_subnet(&self, network: &str, asked: &NewSubnet) -> Result<Draft> {
        let network = self.records().get(ResourceKind::Network, None, network).await?;
        let alone = std::slice::from_ref(&network);
        if !unmade(self.records().store, alone, alone.iter()).await?.is_empty() {
            let never = not_found(ResourceKind::Network, &network.name);
            return Err(Box::new(
                never.with_fix("its creation did not succeed: retry that operation, or delete what is left"),
            ));
        }
        let mut findings = Findings::default();
        let mut request = resolve::subnet("", 0, asked, &mut findings);
        let cloud_name =
            self.cloud_name(ResourceKind::Subnet, asked.unique_cloud_name, &asked.name, &mut findings)?;
        request.name = cloud_name.clone().unwrap_or(request.name);
        if findings.is_empty() {
            self.fits(&network, &asked.name, request.cidr, &mut findings).await?;
        }
        let uid = self.uid();
        let marks = self.marks(uid);
        let change = Change::CreateSubnet(CreateSubnet { network: iid(&network), request, marks });
        let mut draft = self.draft_of(self.part_of(&network, &asked.name), uid, change);
        draft.shares(vec![network.uid]);
        draft.resources = vec![NewResource { cloud_name, ..self.subnet_record(uid, network.uid, asked)? }];
        draft.findings = findings;
        Ok(draft)
    }

    /// A new subnet lies within its network and apart from its siblings, as far as their addresses are known.
    async fn fits(&self, network: &Resource, name: &str, cidr: Cidr, findings: &mut Findings) -> Result<()> {
        let seen = observed::<Network>(network).map(|seen| seen.cidr).filter(|cidr| !cidr.is_empty());
        // Where the cloud keeps no addresses of a network, those hold that were asked for.
        let whole = seen.unwrap_or_else(|| asked_cidr(network));
        if let Ok(whole) = Cidr::from_str(&whole)
            && !whole.contains(cidr)
        {
            findings.add("cidr", format!("must lie within the network's {whole}"));
        }
        let siblings = self.records().all(Some(ResourceKind::Subnet), Some(network.uid)).await?;
        let unmade = unmade(self.records().store, std::slice::from_ref(network), siblings.iter()).await?;
        // One that has its name is refused for that.
        let others = siblings.iter().filter(|sibling| sibling.name != name);
        for sibling in others.filter(|sibling| !unmade.contains(&sibling.uid)) {
            let has =
                observed::<pmks_model::Subnet>(sibling).map_or_else(|| asked_cidr(sibling), |seen| seen.cidr);
            if Cidr::from_str(&has).is_ok_and(|has| has.overlaps(cidr)) {
                findings.add("cidr", format!("overlaps subnet {:?} ({has})", sibling.name));
            }
        }
        Ok(())
    }

    pub(super) async fn create_security_group(&self, asked: &NewSecurityGroup) -> Result<Draft> {
        let mut findings = Findings::default();
        let wish = asked.unique_cloud_name;
        let cloud_name = self.cloud_name(ResourceKind::SecurityGroup, wish, &asked.name, &mut findings)?;
        let mut references = self.references(&mut findings);
        let network = references.network("network", &asked.network).await?;
        let held = references.shared;
        let mut rules: Vec<Rule> = asked
            .rules
            .iter()
            .enumerate()
            .map(|(index, rule)| resolve::rule(&format!("rules[{index}]"), rule, &mut findings))
            .collect();
        let mut shown = asked.rules.clone();
        if rules.iter().all(|rule| rule.direction != Direction::Outbound) {
            rules.push(Rule::EVERYTHING_OUT);
            shown.push(resolve::rule_text(&Rule::EVERYTHING_OUT));
        }
        let request = SecurityGroupRequest {
            name: cloud_name.clone().unwrap_or_else(|| asked.name.clone()),
            network: network.map_or_else(|| Iid::new(asked.network.clone(), ""), |network| network.iid),
            rules,
            tags: asked.tags.clone(),
        };
        let uid = self.uid();
        let change = Change::CreateSecurityGroup(CreateSecurityGroup { request, marks: self.marks(uid) });
        let mut draft = self.draft_of(self.reference(ResourceKind::SecurityGroup, &asked.name), uid, change);
        draft.shares(held);
        let kept =
            SecurityGroupIntent { network: asked.network.clone(), rules: shown, tags: asked.tags.clone() };
        let record = self.record(uid, ResourceKind::SecurityGroup, None, &asked.name, stored(&kept)?);
        draft.resources = vec![NewResource { cloud_name, ..record }];
        draft.findings = findings;
        Ok(draft)
    }

    /// Where no public key is given one stands in, until [`Draft::with_public_key`].
    pub(super) fn create_key_pair(&self, asked: NewKeyPair) -> Result<Draft> {
        let public_key = match asked.public_key {
            Some(given) => given.trim().to_owned(),
            None => stand_in_public_key()?,
        };
        let mut findings = Findings::default();
        let wish = asked.unique_cloud_name;
        let cloud_name = self.cloud_name(ResourceKind::KeyPair, wish, &asked.name, &mut findings)?;
        let uid = self.uid();
        let kept = KeyPairIntent { public_key: public_key.clone(), tags: asked.tags.clone() };
        let name = cloud_name.clone().unwrap_or_else(|| asked.name.clone());
        let request = KeyPairRequest { name, public_key, tags: asked.tags };
        let change = Change::CreateKeyPair(CreateKeyPair { request, marks: self.marks(uid) });
        let mut draft = self.draft_of(self.reference(ResourceKind::KeyPair, &asked.name), uid, change);
        let record = self.record(uid, ResourceKind::KeyPair, None, &asked.name, stored(&kept)?);
        draft.resources = vec![NewResource { cloud_name, ..record }];
        draft.findings = findings;
        Ok(draft)
    }

    pub(super) async fn delete_network(&self, meant: &Reference) -> Result<Draft> {
        let record = self.records().get(ResourceKind::Network, None, meant).await?;
        self.unused(&record, None).await?;
        self.delete(&record, None).await
    }

    /// Of those that have no record, too: but what is named by our name alone has one.
    pub(super) async fn delete_subnet(&self, network: &str, meant: &Reference) -> Result<Draft> {
        let network = self.records().get(ResourceKind::Network, None, network).await?;
        let text = meant.as_str();
        let whole = match meant.by {
            By::Either => self.at.driver.subnet_id(network.system_id.as_deref().unwrap_or_default(), text),
            By::Name | By::Identifier | By::Record(_) => None,
        };
        let id = whole.as_deref().unwrap_or(text);
        let mut known = self.records().find(ResourceKind::Subnet, Some(network.uid), meant).await?;
        if known.is_none() && id != text {
            known = self
                .records()
                .find(ResourceKind::Subnet, Some(network.uid), Reference::identifier(id))
                .await?;
        }
        let (record, made) = match (known, meant.by) {
            (Some(record), _) => (record, None),
            (None, By::Name | By::Record(_)) => return Err(not_found(ResourceKind::Subnet, text)),
            (None, By::Either | By::Identifier) => {
                let made = self.unrecorded_subnet(&network, text, id).await?;
                (stand_in(&made, self.now), Some(made))
            }
        };
        self.unused(&record, Some(&network)).await?;
        let mut draft = self.delete(&record, Some(&network)).await?;
        draft.resource = self.part_of(&network, &record.name);
        draft.holds.push(shared(network.uid));
        draft.resources.extend(made);
        Ok(draft)
    }

    /// The record of a subnet at the cloud that has none, for its removal: what is being removed is known.
    /// It is called as its network calls it, where that is a name of its own and no record of ours has it.
    async fn unrecorded_subnet(
        &self,
        network: &Resource,
        told: &str,
        system_id: &str,
    ) -> Result<NewResource> {
        let missing = || not_found(ResourceKind::Subnet, told);
        let started_at = self.shared.clock.wall();
        let seen = match self.at.driver.get_subnet(system_id).await {
            Err(error) if is_absent(&error) => return Err(missing()),
            answer => answer.map_err(|error| self.at.failed(&error))?,
        };
        if !is_of(network, &seen.network) {
            return Err(missing());
        }
        let system_id = seen.iid.system_id.clone();
        let mut name = name_within(network, &seen).unwrap_or(&system_id);
        if self.records().find(ResourceKind::Subnet, Some(network.uid), name).await?.is_some() {
            name = &system_id;
        }
        let new = self.record(self.uid(), ResourceKind::Subnet, Some(network.uid), name, Value::Null);
        Ok(NewResource {
            cloud_name: other_name(&seen.iid.name_id, name),
            incarnation: Some(kept(&system_id, &seen.incarnation).to_owned()),
            system_id: Some(system_id.clone()),
            observation: Some(observation(&seen, started_at, self.shared.clock.wall())?),
            imported: true,
            ..new
        })
    }

    pub(super) async fn delete_security_group(&self, meant: &Reference) -> Result<Draft> {
        let record = self.records().get(ResourceKind::SecurityGroup, None, meant).await?;
        self.unused(&record, None).await?;
        self.delete(&record, None).await
    }

    pub(super) async fn delete_key_pair(&self, meant: &Reference) -> Result<Draft> {
        let record = self.records().get(ResourceKind::KeyPair, None, meant).await?;
        self.unused(&record, None).await?;
        self.delete(&record, None).await
    }

    async fn delete(&self, record: &Resource, network: Option<&Resource>) -> Result<Draft> {
        let asked = DeleteResource {
            kind: record.kind,
            iid: iid(record),
            incarnation: told(record).to_owned(),
            network: network.map(iid),
            marks: self.marks(record.uid),
        };
        self.removal(record, Change::DeleteResource(asked)).await
    }

    async fn unused(&self, record: &Resource, network: Option<&Resource>) -> Result<()> {
        refuse_used(&self.records(), record, network).await
    }

    fn subnet_record(&self, uid: uuid::Uuid, network: uuid::Uuid, asked: &NewSubnet) -> Result<NewResource> {
        let kept =
            SubnetIntent { cidr: asked.cidr.clone(), zone: asked.zone.clone(), tags: asked.tags.clone() };
        Ok(self.record(uid, ResourceKind::Subnet, Some(network), &asked.name, stored(&kept)?))
    }

    pub(super) fn part_of(&self, network: &Resource, name: &str) -> ResourceReference {
        ResourceReference {
            network: Some(network.name.clone()),
            ..self.reference(ResourceKind::Subnet, name)
        }
    }
}

/// Refuses to remove what something of ours lives in, naming all of it.
pub(crate) async fn refuse_used(
    records: &Records<'_>,
    record: &Resource,
    network: Option<&Resource>,
) -> Result<()> {
    let all = records.all(None, None).await?;
    let holders = users(records.store, &all, record, network).await?;
    if holders.is_empty() {
        return Ok(());
    }
    Err(used(record.kind, &record.name, holders))
}

/// That something cannot go, for the sake of those.
pub(crate) fn used(kind: ResourceKind, name: &str, holders: Vec<Says>) -> Box<Failure> {
    let says = Says::kind(kind).text(format!(" {name:?} is used by "));
    conflict(says.then(Says::several(holders, ", ")))
}

/// Our clusters, node groups and security groups that use this record, in words. What a creation that is over never made
/// uses nothing.
pub(crate) async fn users(
    store: &dyn Store,
    all: &[Resource],
    record: &Resource,
    network: Option<&Resource>,
) -> Result<Vec<Says>> {
    let named = naming(all, record, network)?;
    let unmade = unmade(store, all, named.iter().copied()).await?;
    let made = named.into_iter().filter(|user| !unmade.contains(&user.uid));
    Ok(made.map(|user| Says::kind(user.kind).text(format!(" {:?}", user.name))).collect())
}

/// Those of these records of which the cloud has nothing, and nothing is going on that may make it.
pub(crate) async fn unmade<'a>(
    store: &dyn Store,
    all: &[Resource],
    among: impl Iterator<Item = &'a Resource>,
) -> Result<HashSet<Uuid>> {
    let nowhere: Vec<&Resource> = among.filter(|record| record.system_id.is_none()).collect();
    if nowhere.is_empty() {
        return Ok(HashSet::new());
    }
    let whole = |part: &Resource| all.iter().find(|other| Some(other.uid) == part.parent);
    let wholes: Vec<&Resource> = nowhere.iter().filter_map(|part| whole(part)).collect();
    let activity = Activity::about(store, nowhere.iter().copied().chain(wholes)).await?;
    let idle =
        nowhere.into_iter().filter(|record| !activity.busy(std::iter::once(*record).chain(whole(record))));
    Ok(idle.map(|record| record.uid).collect())
}

/// Our clusters, node groups and security groups whose requests or observations name this record.
fn naming<'a>(
    all: &'a [Resource],
    record: &Resource,
    network: Option<&Resource>,
) -> Result<Vec<&'a Resource>> {
    let mut holders = Vec::new();
    for other in all.iter().filter(|other| other.missing_since.is_none()) {
        let uses = match (record.kind, other.kind) {
            (
                ResourceKind::Network | ResourceKind::Subnet | ResourceKind::SecurityGroup,
                ResourceKind::Cluster,
            ) => cluster_uses(other, record, network)?,
            (ResourceKind::Network, ResourceKind::SecurityGroup) => {
                let asked = intent::<SecurityGroupIntent>(other)?.network;
                names(record, &asked)
                    || observed::<SecurityGroup>(other).is_some_and(|seen| is(record, &seen.network))
            }
            (ResourceKind::KeyPair, ResourceKind::NodeGroup) => {
                let asked = intent::<NodeGroupIntent>(other)?.key_pair;
                names(record, &asked)
                    || observed::<NodeGroup>(other).is_some_and(|seen| is(record, &seen.key_pair.system_id))
            }
            _ => false,
        };
        if uses {
            holders.push(other);
        }
    }
    Ok(holders)
}

fn cluster_uses(cluster: &Resource, record: &Resource, network: Option<&Resource>) -> Result<bool> {
    let asked: ClusterIntent = intent(cluster)?;
    let seen = observed::<Cluster>(cluster).map(|cluster| cluster.network).unwrap_or_default();
    let among = |iids: &[Iid]| iids.iter().any(|iid| is(record, &iid.system_id));
    Ok(match record.kind {
        ResourceKind::Network => names(record, &asked.network) || is(record, &seen.network.system_id),
        ResourceKind::Subnet => {
            // Names of subnets repeat between networks.
            let inside = network.is_none_or(|network| names(network, &asked.network));
            inside && asked.subnets.iter().any(|text| names(record, text)) || among(&seen.subnets)
        }
        _ => asked.security_groups.iter().any(|text| names(record, text)) || among(&seen.security_groups),
    })
}

/// Whether a reference in a request means this record.
fn names(record: &Resource, text: &str) -> bool {
    record.name == text || is(record, text)
}

/// Whether an identifier at the cloud is this record's.
fn is(record: &Resource, system_id: &str) -> bool {
    !system_id.is_empty() && record.system_id.as_deref() == Some(system_id)
}

fn asked_cidr(record: &Resource) -> String {
    intent::<SubnetIntent>(record).map(|asked| asked.cidr).unwrap_or_default()
}
