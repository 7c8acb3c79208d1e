//! From what a cloud said to what is kept of it: observations of records, and records of parts that have none yet.

use std::sync::Arc;

use jiff::Timestamp;
use pmks_driver::{Driver, DriverError, ErrorKind, Marks};
use pmks_model::{Cluster, Iid, KeyPair, Network, NodeGroup, ResourceKind, SecurityGroup, Subnet};
use pmks_store::{NewResource, Observe, Resource};
use pmks_transport::Clock;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::Result;
use crate::cloud_names::other_name;
use crate::incarnations::{self, kept};
use crate::records::observation;

/// What was seen of a cluster and its node groups.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) observations: Vec<Observe>,
    /// Node groups that somebody else made in a cluster of ours.
    pub(crate) inserts: Vec<NewResource>,
    /// Records whose thing is not there, or is another one of the same name.
    pub(crate) absent: Vec<Uuid>,
}

/// What a whole cluster says of its record and those of its parts. Another incarnation says nothing of them.
pub(crate) fn cluster(
    record: &Resource,
    parts: &[Resource],
    cluster: &Cluster,
    started_at: Timestamp,
    observed_at: Timestamp,
) -> Result<Seen> {
    let mut seen = Seen::default();
    if is_another(record, &cluster.incarnation) {
        seen.absent.push(record.uid);
        return Ok(seen);
    }
    let times = Times { started_at, observed_at };
    let iid = &cluster.iid;
    seen.observations.push(times.observe(record.uid, &iid.system_id, &cluster.incarnation, cluster)?);
    for group in &cluster.node_groups {
        let made = made_with(record, group);
        let is_it = |part: &&Resource| {
            let is_called_so = part.name_at_cloud() == group.iid.name_id;
            is_of(part, group) || (made && part.system_id.is_none() && is_called_so)
        };
        match parts.iter().find(is_it) {
            Some(part) if !made && is_another(part, &group.incarnation) => seen.absent.push(part.uid),
            Some(part) => seen.observations.push(times.observe(
                part.uid,
                &group.iid.system_id,
                &group.incarnation,
                group,
            )?),
            // A record of that name without an identifier is being made: its operation knows whether this is it.
            None if parts.iter().any(|part| part.name_at_cloud() == group.iid.name_id) => {}
            None => seen.inserts.push(times.insert(record, parts, group)?),
        }
    }
    let there = |part: &&Resource| cluster.node_groups.iter().any(|group| is_of(part, group));
    let lost = parts.iter().filter(|part| part.system_id.is_some() && !there(part));
    seen.absent.extend(lost.map(|part| part.uid));
    Ok(seen)
}

/// Something that is no cluster, as a cloud says it.
#[derive(Clone, Copy)]
pub(crate) enum Said<'a> {
    Network(&'a Network),
    Subnet(&'a Subnet),
    SecurityGroup(&'a SecurityGroup),
    KeyPair(&'a KeyPair),
}

impl Said<'_> {
    /// What tells it from others of its identifier; empty where nothing does.
    fn incarnation(&self) -> &str {
        match self {
            Self::Network(said) => &said.incarnation,
            Self::Subnet(said) => &said.incarnation,
            Self::SecurityGroup(said) => &said.incarnation,
            Self::KeyPair(said) => &said.incarnation,
        }
    }
}

/// What a network, subnet, security group or key pair says of its record and those of its parts; `None`: it is another
/// one of that identifier.
pub(crate) fn part(
    record: &Resource,
    parts: &[Resource],
    said: Said<'_>,
    started_at: Timestamp,
    observed_at: Timestamp,
) -> Result<Option<Vec<Observe>>> {
    let times = Times { started_at, observed_at };
    if incarnations::is_another(record, said.incarnation()) {
        return Ok(None);
    }
    Ok(Some(match said {
        Said::Network(network) => {
            let mut all = vec![times.observe_part(record, &network.incarnation, network)?];
            for subnet in &network.subnets {
                let id = Some(subnet.iid.system_id.as_str());
                let same = |part: &&Resource| {
                    part.system_id.as_deref() == id && !incarnations::is_another(part, &subnet.incarnation)
                };
                if let Some(part) = parts.iter().find(same) {
                    all.push(times.observe_part(part, &subnet.incarnation, subnet)?);
                }
            }
            all
        }
        Said::Subnet(subnet) => vec![times.observe_part(record, &subnet.incarnation, subnet)?],
        Said::SecurityGroup(group) => vec![times.observe_part(record, &group.incarnation, group)?],
        Said::KeyPair(pair) => vec![times.observe_part(record, &pair.incarnation, pair)?],
    }))
}

/// Reads a network, subnet, security group or key pair.
///
/// # Errors
/// What the cloud says; `NotFound` where it is another one of that identifier.
pub(crate) async fn read_part(
    driver: &Arc<dyn Driver>,
    record: &Resource,
    parts: &[Resource],
    started_at: Timestamp,
    clock: &dyn Clock,
) -> std::result::Result<Vec<Observe>, ReadFailed> {
    let system_id = record.system_id.as_deref().unwrap_or_default();
    let seen = |said: Said<'_>| part(record, parts, said, started_at, clock.wall());
    let seen = match record.kind {
        ResourceKind::Network => seen(Said::Network(&driver.get_network(system_id).await?))?,
        ResourceKind::Subnet => seen(Said::Subnet(&driver.get_subnet(system_id).await?))?,
        ResourceKind::SecurityGroup => {
            seen(Said::SecurityGroup(&driver.get_security_group(system_id).await?))?
        }
        ResourceKind::KeyPair => seen(Said::KeyPair(&driver.get_key_pair(system_id).await?))?,
        ResourceKind::Connection | ResourceKind::Cluster | ResourceKind::NodeGroup => return Ok(Vec::new()),
    };
    seen.ok_or_else(|| is_another_one_now(driver, record))
}

/// Reads a node group of a cluster of ours.
///
/// # Errors
/// What the cloud says; `NotFound` where it is another one of that identifier.
pub(crate) async fn read_group(
    driver: &Arc<dyn Driver>,
    cluster: &Resource,
    record: &Resource,
    started_at: Timestamp,
    clock: &dyn Clock,
) -> std::result::Result<Vec<Observe>, ReadFailed> {
    let of = |resource: &Resource| resource.system_id.clone().unwrap_or_default();
    let group = driver.get_node_group(&of(cluster), &of(record)).await?;
    if !made_with(cluster, &group) && is_another(record, &group.incarnation) {
        return Err(is_another_one_now(driver, record));
    }
    let times = Times { started_at, observed_at: clock.wall() };
    let observe = times.observe(record.uid, &group.iid.system_id, &group.incarnation, &group)?;
    Ok(vec![observe])
}

/// What has its identifier now is not what our record is of, which is gone.
fn is_another_one_now(driver: &Arc<dyn Driver>, record: &Resource) -> ReadFailed {
    let system_id = record.system_id.as_deref().unwrap_or_default();
    let says = format!("the {} {system_id:?} is another one now", record.kind.says());
    DriverError::new(ErrorKind::NotFound, driver.capabilities().provider, says).into()
}

/// Why a read gave nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadFailed {
    #[error(transparent)]
    Cloud(#[from] pmks_driver::DriverError),
    #[error(transparent)]
    Record(#[from] Box<pmks_model::Failure>),
}

/// When a read began and ended.
#[derive(Clone, Copy)]
struct Times {
    started_at: Timestamp,
    observed_at: Timestamp,
}

impl Times {
    fn observe(
        self,
        uid: Uuid,
        system_id: &str,
        incarnation: &str,
        value: &impl Serialize,
    ) -> Result<Observe> {
        Ok(Observe {
            uid,
            system_id: Some(system_id.to_owned()),
            incarnation: Some(incarnation.to_owned()),
            observation: observation(value, self.started_at, self.observed_at)?,
        })
    }

    /// The same of what is no cluster. What the cloud does not tell this time stays as it was told.
    fn observe_part(self, record: &Resource, incarnation: &str, value: &impl Serialize) -> Result<Observe> {
        let system_id = record.system_id.as_deref().unwrap_or_default();
        let known = incarnations::told(record);
        let incarnation = if incarnation.is_empty() { known } else { incarnation };
        self.observe(record.uid, system_id, kept(system_id, incarnation), value)
    }

    /// It is called as the cloud calls it, where no record of ours has that name for another one.
    fn insert(self, cluster: &Resource, parts: &[Resource], group: &NodeGroup) -> Result<NewResource> {
        let Iid { name_id, system_id } = &group.iid;
        let is_taken = parts.iter().any(|part| part.name == *name_id);
        let name = if is_taken { system_id } else { name_id };
        Ok(NewResource {
            uid: pmks_store::new_uid(self.observed_at),
            kind: ResourceKind::NodeGroup,
            connection: cluster.connection.clone(),
            account: cluster.account.clone(),
            location: cluster.location.clone(),
            parent: Some(cluster.uid),
            name: name.clone(),
            cloud_name: other_name(name_id, name),
            system_id: Some(group.iid.system_id.clone()),
            incarnation: Some(group.incarnation.clone()),
            request: Value::Null,
            observation: Some(observation(group, self.started_at, self.observed_at)?),
            protected: false,
            imported: true,
        })
    }
}

fn is_of(part: &Resource, group: &NodeGroup) -> bool {
    part.system_id.as_deref() == Some(&group.iid.system_id)
}

/// Whether a node group was made by the request that made its cluster: it carries the mark of the cluster's record, has no
/// stage of its own that would say its identifier, and another attempt of that creation is another incarnation of both.
fn made_with(cluster: &Resource, group: &NodeGroup) -> bool {
    let [.., uid] = Marks::KEYS;
    let mark = group.tags.get(uid).and_then(|mark| Uuid::parse_str(mark).ok());
    mark == Some(cluster.uid)
}

/// Whether a cluster or node group is another one than that of a record.
pub(crate) fn is_another(record: &Resource, incarnation: &str) -> bool {
    record.incarnation.as_deref().is_some_and(|known| !known.is_empty() && known != incarnation)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::parts::sample;

    fn record(name: &str, uid: u128, known: Option<(&str, &str)>) -> Resource {
        sample(ResourceKind::NodeGroup, uid, name, known)
    }

    /// A cluster of incarnation 2 with the group `ga`, which carries that mark.
    fn whole(mark: u128) -> Cluster {
        let tags = BTreeMap::from([("pmks-uid".to_owned(), Uuid::from_u128(mark).simple().to_string())]);
        let group = NodeGroup {
            iid: Iid::new("ga", "id-of-ga"),
            incarnation: "2".to_owned(),
            tags,
            ..NodeGroup::default()
        };
        Cluster {
            iid: Iid::new("k", "k"),
            incarnation: "2".to_owned(),
            node_groups: vec![group],
            ..Cluster::default()
        }
    }

    #[test]
    fn what_was_made_with_its_cluster_is_known_by_the_clusters_mark() {
        let of_cluster = record("k", 1, Some(("k", "2")));
        let judged = |part: Resource, mark: u128| {
            let at = Timestamp::UNIX_EPOCH;
            let seen = cluster(&of_cluster, &[part], &whole(mark), at, at).unwrap();
            let ids: Vec<_> = seen.observations.into_iter().skip(1).map(|one| one.uid.as_u128()).collect();
            (ids, seen.inserts.len(), seen.absent.len())
        };
        let (asked, earlier) = (record("ga", 2, None), record("ga", 2, Some(("id-of-ga", "1"))));
        assert_eq!(judged(asked.clone(), 1), (vec![2], 0, 0), "its cluster's mark");
        assert_eq!(judged(asked, 3), (vec![], 0, 0), "its own operation knows, or it is a stranger's");
        assert_eq!(judged(earlier.clone(), 1), (vec![2], 0, 0), "made again by the next attempt");
        assert_eq!(judged(earlier, 3), (vec![], 0, 1), "another one of that name");
        assert_eq!(judged(record("gb", 2, None), 1), (vec![], 1, 0), "one that nobody asked for");
        let called = |name: &str| Resource { cloud_name: Some("ga".to_owned()), ..record(name, 2, None) };
        assert_eq!(judged(called("own"), 1), (vec![2], 0, 0), "by its name at the cloud");
        assert_eq!(judged(called("own"), 3), (vec![], 0, 0), "its own operation knows");
    }

    fn network(incarnation: &str, subnet: &str) -> Network {
        let subnet = Subnet {
            iid: Iid::new("s", "n/s"),
            incarnation: subnet.to_owned(),
            network: "n".to_owned(),
            cidr: "10.0.0.0/24".to_owned(),
            zone: String::new(),
            tags: BTreeMap::new(),
            key_value_list: pmks_model::KeyValueList::default(),
        };
        Network {
            iid: Iid::new("n", "n"),
            incarnation: incarnation.to_owned(),
            region: String::new(),
            cidr: "10.0.0.0/16".to_owned(),
            subnets: vec![subnet],
            state: String::new(),
            tags: BTreeMap::new(),
            key_value_list: pmks_model::KeyValueList::default(),
        }
    }

    #[test]
    fn another_network_of_the_name_says_nothing_of_ours() {
        let at = Timestamp::UNIX_EPOCH;
        let judged = |known: (&str, &str), found: (&str, &str)| {
            let whole = sample(ResourceKind::Network, 1, "n", Some(("n", known.0)));
            let inner = sample(ResourceKind::Subnet, 2, "s", Some(("n/s", known.1)));
            let said = network(found.0, found.1);
            let seen = part(&whole, &[inner], Said::Network(&said), at, at).unwrap();
            seen.map(|all| all.into_iter().map(|one| one.incarnation.unwrap()).collect::<Vec<_>>())
        };
        let kept = |all: &[&str]| Some(all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>());
        assert_eq!(judged(("7", "8"), ("7", "8")), kept(&["7", "8"]));
        assert_eq!(judged(("7", "8"), ("9", "8")), None, "another one");
        assert_eq!(judged(("7", "8"), ("7", "9")), kept(&["7"]), "another subnet in it");
        assert_eq!(judged(("n", ""), ("7", "8")), kept(&["7", "8"]), "older records learn what is told");
        assert_eq!(judged(("n", "n/s"), ("", "")), kept(&["n", "n/s"]), "a cloud that tells nothing");
        assert_eq!(judged(("7", "8"), ("", "")), kept(&["7", "8"]), "what is not told is not compared");
    }

    #[test]
    fn a_strangers_group_gets_no_name_that_is_another_ones_here() {
        let named = Resource { cloud_name: Some("ga-0".to_owned()), ..record("ga", 2, Some(("0", "2"))) };
        let at = Timestamp::UNIX_EPOCH;
        let seen = cluster(&record("k", 1, Some(("k", "2"))), &[named], &whole(3), at, at).unwrap();
        let [found] = seen.inserts.as_slice() else { panic!("{seen:?}") };
        assert_eq!((found.name.as_str(), found.cloud_name.as_deref()), ("id-of-ga", Some("ga")));
    }
}
