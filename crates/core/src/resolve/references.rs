//! References of a request: our name, or the cloud's identifier where we have none. What does not exist is a finding
//! on its field.
//!
//! The cloud is asked only for what we keep no record of. What is still being made has no identifier yet: the
//! operation waits behind the one that makes it, and is resolved again when it begins.

use pmks_driver::{DriverError, ErrorKind};
use pmks_model::{Findings, Iid, ResourceKind, Says, SecurityGroup, Subnet, refusal_of_reference};
use pmks_store::Resource;
use uuid::Uuid;

use crate::Result;
use crate::drivers::At;
use crate::failure::{being_deleted, of_store};
use crate::inventory::memory::Memory;
use crate::records::{Records, SecurityGroupIntent, intent, observed};

/// Looks references up.
pub(crate) struct References<'a> {
    pub(crate) records: Records<'a>,
    /// Where those are read that it may name.
    pub(crate) memory: &'a Memory,
    pub(crate) at: &'a At,
    pub(crate) findings: &'a mut Findings,
    /// The records that were found: the operation shares them while it is not over.
    pub(crate) shared: Vec<Uuid>,
}

/// The network of a request, as far as it is known.
#[derive(Clone, Debug)]
pub(crate) struct FoundNetwork {
    pub(crate) iid: Iid,
    pub(crate) uid: Option<Uuid>,
    /// Its text, as the request has it.
    text: String,
}

impl References<'_> {
    pub(crate) async fn network(&mut self, field: &str, text: &str) -> Result<Option<FoundNetwork>> {
        if let Some(record) = self.record(ResourceKind::Network, None, field, text)? {
            return Ok(Some(FoundNetwork {
                iid: iid(&record),
                uid: Some(record.uid),
                text: text.to_owned(),
            }));
        }
        if !is_name(text) {
            return Ok(None);
        }
        let answer = self.at.driver.get_network(text).await;
        let found = self.at_cloud(ResourceKind::Network, field, text, answer)?;
        let Some(network) = found else { return Ok(None) };
        if let Some(says) = self.at.elsewhere(&network.region) {
            self.findings.add(field, says);
            return Ok(None);
        }
        let iid = Iid::unnamed(network.iid.system_id);
        Ok(Some(FoundNetwork { iid, uid: None, text: text.to_owned() }))
    }

    pub(crate) async fn subnet(
        &mut self,
        field: &str,
        text: &str,
        network: &FoundNetwork,
    ) -> Result<Option<Iid>> {
        let id = self.at.driver.subnet_id(&network.iid.system_id, text);
        let id = id.unwrap_or_else(|| text.to_owned());
        // Names of subnets are unique within their network: without a record of the network there are none.
        if let Some(parent) = network.uid {
            let texts = if id == text { vec![text] } else { vec![text, &id] };
            for text in texts {
                if let Some(record) = self.record(ResourceKind::Subnet, Some(parent), field, text)? {
                    return Ok(Some(iid(&record)));
                }
            }
        }
        if !self.names_something(field, text) {
            return Ok(None);
        }
        let answer = self.at.driver.get_subnet(&id).await;
        if let Err(error) = &answer
            && is_absent(error)
            && let Some(says) = self.of_another(text, network).await?
        {
            self.findings.add(field, says);
            return Ok(None);
        }
        let found: Option<Subnet> = self.at_cloud(ResourceKind::Subnet, field, text, answer)?;
        Ok(found.and_then(|subnet| self.of_network(field, &subnet.network, network, subnet.iid.system_id)))
    }

    /// That other networks have a subnet of that name: it is there, and not where it is looked for.
    async fn of_another(&self, text: &str, network: &FoundNetwork) -> Result<Option<Says>> {
        let known = self.records.all(Some(ResourceKind::Subnet), None).await?;
        let mut owners = Vec::new();
        let is_there = |subnet: &&Resource| subnet.name == text && subnet.system_id.is_some();
        for subnet in known.iter().filter(is_there) {
            let Some(owner) = subnet.parent.filter(|owner| Some(*owner) != network.uid) else { continue };
            let owner = self.records.store.resource(owner).await.map_err(of_store)?;
            owners.extend(owner.map(|owner| format!("{:?}", owner.name)));
        }
        let says = || not_of(text, network, &owners.join(" and one in "));
        Ok((!owners.is_empty()).then(says))
    }

    /// Where the network is not known: that there is a subnet of that name at all.
    pub(crate) async fn subnet_anywhere(&mut self, field: &str, text: &str) -> Result<()> {
        if !self.names_something(field, text) {
            return Ok(());
        }
        let known = self.records.all(Some(ResourceKind::Subnet), None).await?;
        if known.iter().any(|record| record.name == text || record.system_id.as_deref() == Some(text)) {
            return Ok(());
        }
        if self.at.driver.subnet_id("", text).is_none() {
            // It is a name within a network, and which network nobody knows.
            return Ok(());
        }
        let answer = self.at.driver.get_subnet(text).await;
        self.at_cloud(ResourceKind::Subnet, field, text, answer)?;
        Ok(())
    }

    pub(crate) async fn security_group(
        &mut self,
        field: &str,
        text: &str,
        network: Option<&FoundNetwork>,
    ) -> Result<Option<Iid>> {
        if let Some(record) = self.record(ResourceKind::SecurityGroup, None, field, text)? {
            if let Some(network) = network {
                self.same_network(field, &record, network)?;
            }
            return Ok(Some(iid(&record)));
        }
        if !is_name(text) {
            return Ok(None);
        }
        let answer = self.at.driver.get_security_group(text).await;
        let found: Option<SecurityGroup> = self.at_cloud(ResourceKind::SecurityGroup, field, text, answer)?;
        Ok(found.and_then(|group| match network {
            Some(network) => self.of_network(field, &group.network, network, group.iid.system_id),
            None => Some(Iid::unnamed(group.iid.system_id)),
        }))
    }

    /// An empty text is no key pair.
    pub(crate) async fn key_pair(&mut self, field: &str, text: &str) -> Result<Option<Iid>> {
        if text.is_empty() {
            return Ok(None);
        }
        if let Some(record) = self.record(ResourceKind::KeyPair, None, field, text)? {
            return Ok(Some(iid(&record)));
        }
        if !is_name(text) {
            return Ok(None);
        }
        let answer = self.at.driver.get_key_pair(text).await;
        let found = self.at_cloud(ResourceKind::KeyPair, field, text, answer)?;
        Ok(found.map(|pair| Iid::unnamed(pair.iid.system_id)))
    }

    /// Our record, which the operation will share. One that is on its way out is refused.
    fn record(
        &mut self,
        kind: ResourceKind,
        parent: Option<Uuid>,
        field: &str,
        text: &str,
    ) -> Result<Option<Resource>> {
        if !is_name(text) {
            if kind != ResourceKind::Subnet {
                self.names_something(field, text);
            }
            return Ok(None);
        }
        let kept = self.memory.kept();
        let Some(record) = kept.find(self.records.place, kind, parent, text) else { return Ok(None) };
        let record = record.resource.clone();
        let mut unfinished = kept.activity().with(record.uid).to_vec();
        // A subnet may be made, and goes, with its network.
        if let Some(whole) = record.parent {
            let of_whole = kept.activity().with(whole).iter();
            unfinished.extend(of_whole.filter(|one| one.kind.creates() || one.kind.removes()));
        }
        drop(kept);
        if let Some(removal) = unfinished.iter().find(|operation| operation.kind.removes()) {
            return Err(being_deleted(kind, text, removal.id));
        }
        if record.system_id.is_none() && unfinished.is_empty() {
            self.findings.add_missing(field, kind, text, ": its creation did not succeed");
        }
        if !self.shared.contains(&record.uid) {
            self.shared.push(record.uid);
        }
        Ok(Some(record))
    }

    /// Whether a text can be a reference; a finding where it cannot.
    fn names_something(&mut self, field: &str, text: &str) -> bool {
        let refusal = refusal_of_reference(text);
        self.findings.add_some(field, refusal.map(str::to_owned));
        refusal.is_none()
    }

    /// What the cloud said of something that we keep no record of.
    fn at_cloud<T>(
        &mut self,
        kind: ResourceKind,
        field: &str,
        text: &str,
        answer: pmks_driver::Result<T>,
    ) -> Result<Option<T>> {
        match answer {
            Ok(found) => Ok(Some(found)),
            Err(error) if is_absent(&error) => {
                self.findings.add_missing(field, kind, text, ", neither here nor at the cloud");
                Ok(None)
            }
            Err(error) => Err(self.at.failed(&error)),
        }
    }

    /// Something at the cloud, if it is a part of that network.
    fn of_network(
        &mut self,
        field: &str,
        has: &str,
        network: &FoundNetwork,
        system_id: String,
    ) -> Option<Iid> {
        // Some clouds' security groups belong to no network.
        if has.is_empty() || has == network.iid.system_id {
            return Some(Iid::unnamed(system_id));
        }
        let owner = self.owner(has);
        self.findings.add(field, not_of(&system_id, network, &owner));
        None
    }

    /// A network by our name, where we have one, else by the cloud's identifier.
    fn owner(&self, system_id: &str) -> String {
        let kept = self.memory.kept();
        let known = kept.find(self.records.place, ResourceKind::Network, None, system_id);
        format!("{:?}", known.map_or(system_id, |record| record.resource.name.as_str()))
    }

    /// A record of ours may say which network it belongs to, by its observation or by what was asked.
    fn same_network(&mut self, field: &str, record: &Resource, network: &FoundNetwork) -> Result<()> {
        // Where the cloud's groups belong to no network, it is the one that was asked for.
        let seen = observed::<SecurityGroup>(record).map(|group| group.network);
        let (has, belongs) = if let Some(seen) = seen.filter(|seen| !seen.is_empty()) {
            let belongs = seen == network.iid.system_id;
            (seen, belongs)
        } else {
            let asked = intent::<SecurityGroupIntent>(record)?.network;
            let own = ["", &network.iid.name_id, &network.iid.system_id];
            let belongs = own.contains(&asked.as_str());
            (asked, belongs)
        };
        if !belongs {
            let owner = self.owner(&has);
            self.findings.add(field, not_of(&record.name, network, &owner));
        }
        Ok(())
    }
}

/// That something is no part of the network that was named with it, and where it lies.
fn not_of(what: &str, network: &FoundNetwork, owner: &str) -> Says {
    let says = Says::from(format!("{what:?} is no part of ")).then(Says::kind(ResourceKind::Network));
    says.text(format!(" {:?}: it lies in {owner}", network.text))
}

/// Both names of a record; the cloud's is empty while it is being made.
pub(crate) fn iid(record: &Resource) -> Iid {
    Iid::new(record.name.clone(), record.system_id.clone().unwrap_or_default())
}

fn is_name(text: &str) -> bool {
    refusal_of_reference(text).is_none()
}

/// Clouds refuse a text that has not the form of their identifiers as a wrong request.
pub(crate) fn is_absent(error: &DriverError) -> bool {
    error.is_not_found() || matches!(error.kind(), ErrorKind::InvalidRequest(_))
}
