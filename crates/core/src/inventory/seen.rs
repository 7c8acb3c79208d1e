//! From what a cloud said to what is kept of it: observations of records, and records of parts that have none yet.

use std::sync::Arc;

use jiff::Timestamp;
use pmks_driver::Driver;
use pmks_model::{Cluster, NodeGroup, ResourceKind, Subnet};
use pmks_store::{NewResource, Observe, Resource};
use pmks_transport::Clock;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::Result;
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
        match parts.iter().find(|part| is_of(part, group)) {
            Some(part) if is_another(part, &group.incarnation) => seen.absent.push(part.uid),
            Some(part) => seen.observations.push(times.observe(
                part.uid,
                &group.iid.system_id,
                &group.incarnation,
                group,
            )?),
            // A record of that name without an identifier is being made: its operation knows whether this is it.
            None if parts.iter().any(|part| part.name == group.iid.name_id) => {}
            None => seen.inserts.push(times.insert(record, group)?),
        }
    }
    let there = |part: &&Resource| cluster.node_groups.iter().any(|group| is_of(part, group));
    let lost = parts.iter().filter(|part| part.system_id.is_some() && !there(part));
    seen.absent.extend(lost.map(|part| part.uid));
    Ok(seen)
}

/// Reads a network, subnet, security group or key pair.
///
/// # Errors
/// What the cloud says.
pub(crate) async fn read_part(
    driver: &Arc<dyn Driver>,
    record: &Resource,
    parts: &[Resource],
    system_id: &str,
    started_at: Timestamp,
    clock: &dyn Clock,
) -> std::result::Result<Vec<Observe>, ReadFailed> {
    let times = |observed_at| Times { started_at, observed_at };
    Ok(match record.kind {
        ResourceKind::Network => {
            let network = driver.get_network(system_id).await?;
            let times = times(clock.wall());
            let mut all = vec![times.observe(record.uid, system_id, system_id, &network)?];
            for subnet in &network.subnets {
                let same = |part: &&Resource| part.system_id.as_deref() == Some(&subnet.iid.system_id);
                if let Some(part) = parts.iter().find(same) {
                    all.push(times.observe(
                        part.uid,
                        &subnet.iid.system_id,
                        &subnet.iid.system_id,
                        subnet,
                    )?);
                }
            }
            all
        }
        ResourceKind::Subnet => {
            let subnet: Subnet = driver.get_subnet(system_id).await?;
            vec![times(clock.wall()).observe(record.uid, system_id, system_id, &subnet)?]
        }
        ResourceKind::SecurityGroup => {
            let group = driver.get_security_group(system_id).await?;
            vec![times(clock.wall()).observe(record.uid, system_id, system_id, &group)?]
        }
        ResourceKind::KeyPair => {
            let pair = driver.get_key_pair(system_id).await?;
            vec![times(clock.wall()).observe(record.uid, system_id, system_id, &pair)?]
        }
        ResourceKind::Connection | ResourceKind::Cluster | ResourceKind::NodeGroup => Vec::new(),
    })
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

    fn insert(self, cluster: &Resource, group: &NodeGroup) -> Result<NewResource> {
        Ok(NewResource {
            uid: pmks_store::new_uid(self.observed_at),
            kind: ResourceKind::NodeGroup,
            connection: cluster.connection.clone(),
            account: cluster.account.clone(),
            location: cluster.location.clone(),
            parent: Some(cluster.uid),
            name: group.iid.name_id.clone(),
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

fn is_another(record: &Resource, incarnation: &str) -> bool {
    record.incarnation.as_deref().is_some_and(|known| !known.is_empty() && known != incarnation)
}
