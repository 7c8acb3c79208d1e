//! From records and observations to what is shown of networks, subnets, security groups and key pairs. Pure.

use pmks_driver::Marks;
use pmks_model::{KeyPair, Network, ResourceKind, SecurityGroup, Status, Subnet, Tags};
use pmks_store::Resource;

use crate::cloud_names::{is_unique, other_name};
use crate::clusters::view::Names;
use crate::drafts::version_tag;
use crate::parts::Known;
use crate::records::{
    KeyPairIntent, NetworkIntent, SecurityGroupIntent, SubnetIntent, intent, observed, observed_at,
};
use crate::resolve::{iid, rule_text};
use crate::{KeyPairView, NetworkView, Result, SecurityGroupView, SubnetView};

impl Known {
    pub(crate) fn networks(&self) -> Result<Vec<NetworkView>> {
        self.records.iter().map(|record| self.network(record)).collect()
    }

    pub(crate) fn subnets(&self) -> Result<Vec<SubnetView>> {
        let network = |record: &Resource| self.all.iter().find(|other| Some(other.uid) == record.parent);
        self.records
            .iter()
            .filter_map(|record| Some((network(record)?, record)))
            .map(|(network, record)| self.subnet(network, record))
            .collect()
    }

    pub(crate) fn security_groups(&self) -> Result<Vec<SecurityGroupView>> {
        self.records.iter().map(|record| self.security_group(record)).collect()
    }

    pub(crate) fn key_pairs(&self) -> Result<Vec<KeyPairView>> {
        self.records.iter().map(|record| self.key_pair(record)).collect()
    }

    /// The record of that name, else of that identifier at the cloud.
    pub(crate) fn named(&self, kind: ResourceKind, text: &str) -> Option<&Resource> {
        let mut of_kind = self.all.iter().filter(|record| record.kind == kind);
        of_kind
            .clone()
            .find(|record| record.name == text)
            .or_else(|| of_kind.find(|record| record.system_id.as_deref() == Some(text)))
    }

    /// The subnets that the cloud says a network has, and that we keep no record of.
    pub(crate) fn strangers(&self, network: &Resource) -> Vec<SubnetView> {
        let parts: Vec<&Resource> = self.all.iter().filter(|part| part.parent == Some(network.uid)).collect();
        let made = |part: &Resource| self.activity.busy([network, part]);
        let known = |subnet: &&Subnet| {
            parts.iter().any(|part| match part.system_id.as_deref() {
                Some(system_id) => system_id == subnet.iid.system_id,
                None => part.name_at_cloud() == subnet.iid.name_id && made(part),
            })
        };
        let name = |subnet: &Subnet| {
            let own = name_within(network, subnet).filter(|own| parts.iter().all(|part| part.name != *own));
            own.unwrap_or(&subnet.iid.system_id).to_owned()
        };
        let seen: Option<Network> = observed(network);
        let subnets = seen.iter().flat_map(|seen| &seen.subnets).filter(|subnet| !known(subnet));
        subnets.map(|subnet| unrecorded(network, subnet, name(subnet))).collect()
    }

    fn network(&self, record: &Resource) -> Result<NetworkView> {
        let asked: NetworkIntent = intent(record)?;
        let seen: Option<Network> = observed(record);
        let parts: Vec<&Resource> = self
            .all
            .iter()
            .filter(|part| part.kind == ResourceKind::Subnet && part.parent == Some(record.uid))
            .collect();
        let (status, status_reason) = self.status(record, seen.is_some(), &parts);
        let mut subnets = parts.iter().map(|part| self.subnet(record, part)).collect::<Result<Vec<_>>>()?;
        subnets.extend(self.strangers(record));
        Ok(NetworkView {
            uid: uid_text(record),
            connection: record.connection.clone(),
            name: record.name.clone(),
            iid: iid(record),
            cloud_name: record.name_at_cloud().to_owned(),
            unique_cloud_name: is_unique(record),
            cidr: asked_or(asked.cidr, seen.as_ref().map(|seen| &seen.cidr)),
            subnets,
            tags: shown_tags(record, asked.tags, seen.as_ref().map(|seen| &seen.tags)),
            version_tag: version_tag(record),
            created_by_pmks: !record.imported,
            status,
            status_reason,
            created_at: record.created_at,
            observed_at: observed_at(record),
            key_value_list: seen.map(|seen| seen.key_value_list).unwrap_or_default(),
        })
    }

    fn subnet(&self, network: &Resource, record: &Resource) -> Result<SubnetView> {
        let asked: SubnetIntent = intent(record)?;
        let seen: Option<Subnet> = observed(record);
        let said = seen.is_some().then(|| (Status::Active, String::new()));
        // A network is as it is as soon as it is seen.
        let whole_seen = network.observation.as_ref().map(|_| Status::Active);
        let (status, status_reason) = self.activity.status_of_part(record, said, network, whole_seen);
        Ok(SubnetView {
            uid: uid_text(record),
            connection: record.connection.clone(),
            network: network.name.clone(),
            name: record.name.clone(),
            iid: iid(record),
            cloud_name: record.name_at_cloud().to_owned(),
            unique_cloud_name: is_unique(record),
            cidr: asked_or(asked.cidr, seen.as_ref().map(|seen| &seen.cidr)),
            zone: asked_or(asked.zone, seen.as_ref().map(|seen| &seen.zone)),
            tags: shown_tags(record, asked.tags, seen.as_ref().map(|seen| &seen.tags)),
            version_tag: version_tag(record),
            created_by_pmks: !record.imported,
            status,
            status_reason,
            created_at: record.created_at,
            observed_at: observed_at(record),
            key_value_list: seen.map(|seen| seen.key_value_list).unwrap_or_default(),
        })
    }

    fn security_group(&self, record: &Resource) -> Result<SecurityGroupView> {
        let asked: SecurityGroupIntent = intent(record)?;
        let seen: Option<SecurityGroup> = observed(record);
        let (status, status_reason) = self.status(record, seen.is_some(), &[]);
        let of_seen =
            || seen.as_ref().map(|seen| Names::of(&self.all).text(ResourceKind::Network, &seen.network));
        let network = if asked.network.is_empty() { of_seen().unwrap_or_default() } else { asked.network };
        Ok(SecurityGroupView {
            uid: uid_text(record),
            connection: record.connection.clone(),
            network,
            name: record.name.clone(),
            iid: iid(record),
            cloud_name: record.name_at_cloud().to_owned(),
            unique_cloud_name: is_unique(record),
            tags: shown_tags(record, asked.tags, seen.as_ref().map(|seen| &seen.tags)),
            version_tag: version_tag(record),
            rules: seen.as_ref().map_or(asked.rules, |seen| seen.rules.iter().map(rule_text).collect()),
            created_by_pmks: !record.imported,
            status,
            status_reason,
            created_at: record.created_at,
            observed_at: observed_at(record),
            key_value_list: seen.map(|seen| seen.key_value_list).unwrap_or_default(),
        })
    }

    fn key_pair(&self, record: &Resource) -> Result<KeyPairView> {
        let asked: KeyPairIntent = intent(record)?;
        let seen: Option<KeyPair> = observed(record);
        let (status, status_reason) = self.status(record, seen.is_some(), &[]);
        Ok(KeyPairView {
            uid: uid_text(record),
            connection: record.connection.clone(),
            name: record.name.clone(),
            iid: iid(record),
            cloud_name: record.name_at_cloud().to_owned(),
            unique_cloud_name: is_unique(record),
            public_key: asked.public_key,
            tags: shown_tags(record, asked.tags, seen.as_ref().map(|seen| &seen.tags)),
            version_tag: version_tag(record),
            fingerprint: seen.as_ref().map(|seen| seen.fingerprint.clone()).unwrap_or_default(),
            created_by_pmks: !record.imported,
            status,
            status_reason,
            created_at: record.created_at,
            observed_at: observed_at(record),
            key_value_list: seen.map(|seen| seen.key_value_list).unwrap_or_default(),
        })
    }

    fn status(&self, record: &Resource, seen: bool, parts: &[&Resource]) -> (Status, String) {
        let seen = seen.then(|| (Status::Active, String::new()));
        self.activity.status(record, seen, parts.iter().copied())
    }
}

/// The name by which a subnet is told within its network, where its identifier is the network's with that name.
pub(crate) fn name_within<'a>(network: &Resource, subnet: &'a Subnet) -> Option<&'a str> {
    let rest = subnet.iid.system_id.strip_prefix(network.system_id.as_deref()?)?;
    let name = rest.strip_prefix('/')?.rsplit('/').next()?;
    (name == subnet.iid.name_id).then_some(name)
}

/// Empty where we keep no record.
fn uid_text(record: &Resource) -> String {
    if record.uid.is_nil() { String::new() } else { record.uid.to_string() }
}

/// A subnet of which we keep no record.
fn unrecorded(network: &Resource, subnet: &Subnet, name: String) -> SubnetView {
    SubnetView {
        uid: String::new(),
        connection: network.connection.clone(),
        network: network.name.clone(),
        iid: pmks_model::Iid::new(name.clone(), subnet.iid.system_id.clone()),
        cloud_name: other_name(&subnet.iid.name_id, &name).unwrap_or_else(|| name.clone()),
        unique_cloud_name: false,
        name,
        cidr: subnet.cidr.clone(),
        zone: subnet.zone.clone(),
        tags: Marks::off(&subnet.tags),
        version_tag: String::new(),
        created_by_pmks: false,
        status: Status::Active,
        status_reason: String::new(),
        created_at: network.created_at,
        observed_at: observed_at(network),
        key_value_list: subnet.key_value_list.clone(),
    }
}

/// As it was asked for, else as it is: some clouds keep no addresses of a network.
fn asked_or(asked: String, seen: Option<&String>) -> String {
    if asked.is_empty() { seen.cloned().unwrap_or_default() } else { asked }
}

/// The tags that a user gave; of what was imported those that it has, but our marks.
fn shown_tags(record: &Resource, asked: Tags, seen: Option<&Tags>) -> Tags {
    if record.imported { seen.map(Marks::off).unwrap_or_default() } else { asked }
}
