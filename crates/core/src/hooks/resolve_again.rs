//! A stored change with what is known by now: identifiers of what was still being made when it was accepted.
//! Reads our records alone, never a cloud.

use pmks_driver::{Change, ClusterTarget, NodeGroupTarget, TagChanges};
use pmks_model::{Failure, FailureKind, Findings, Iid, ResourceKind, Says};
use pmks_store::Resource;
use uuid::Uuid;

use crate::Result;
use crate::drafts::beyond_limits;
use crate::failure::{check, not_found, of_store, precondition};
use crate::incarnations::told;
use crate::records::{NodeGroupIntent, Records, intent, user_tags};
use crate::tags::require_new;

/// The change to carry out; `None` if there is nothing left to do. `record` is what the operation is about.
///
/// # Errors
/// `Precondition` and `NotFound` for what was never made or is gone.
pub(crate) async fn resolve_change(
    records: &Records<'_>,
    record: Option<&Resource>,
    change: Change,
) -> Result<Option<Change>> {
    let again = Again { records, record };
    match change {
        Change::CreateCluster(mut asked) => {
            let request = &mut asked.request;
            let network = again.fill(ResourceKind::Network, None, &mut request.network).await?;
            for subnet in &mut request.subnets {
                again.fill(ResourceKind::Subnet, network, subnet).await?;
            }
            for group in &mut request.security_groups {
                again.fill(ResourceKind::SecurityGroup, None, group).await?;
            }
            for key_pair in request.node_groups.iter_mut().filter_map(|group| group.key_pair.as_mut()) {
                again.fill(ResourceKind::KeyPair, None, key_pair).await?;
            }
            Ok(Some(Change::CreateCluster(asked)))
        }
        Change::AddNodeGroup(mut asked) => {
            again.cluster(&mut asked.cluster).await?;
            for group in &mut asked.security_groups {
                again.fill(ResourceKind::SecurityGroup, None, group).await?;
            }
            if let Some(key_pair) = &mut asked.request.key_pair {
                again.fill(ResourceKind::KeyPair, None, key_pair).await?;
            }
            Ok(Some(Change::AddNodeGroup(asked)))
        }
        Change::CreateSubnet(mut asked) => {
            again.fill(ResourceKind::Network, None, &mut asked.network).await?;
            Ok(Some(Change::CreateSubnet(asked)))
        }
        Change::CreateSecurityGroup(mut asked) => {
            again.fill(ResourceKind::Network, None, &mut asked.request.network).await?;
            Ok(Some(Change::CreateSecurityGroup(asked)))
        }
        Change::CreateNetwork(_) | Change::CreateKeyPair(_) => Ok(Some(change)),
        other => again.existing(other).await,
    }
}

struct Again<'a> {
    records: &'a Records<'a>,
    record: Option<&'a Resource>,
}

impl Again<'_> {
    /// Changes of what exists. What was never made cannot be changed, and need not be removed.
    async fn existing(&self, change: Change) -> Result<Option<Change>> {
        Ok(Some(match change {
            Change::DeleteCluster(mut asked) => {
                if self.record.is_some_and(|record| record.protected) {
                    let says = format!("the deletion of cluster {:?} is protected", asked.target.iid.name_id);
                    return Err(precondition(
                        says,
                        "take its protection back first, if it is to go (`deletionProtection` at `/v1`, `pmks cluster update`)",
                    ));
                }
                if self.never_made(&asked.target.iid) {
                    return Ok(None);
                }
                self.cluster(&mut asked.target).await?;
                Change::DeleteCluster(asked)
            }
            Change::UpdateCluster(asked) if asked.tags.is_empty() && asked.options.is_empty() => {
                return Ok(None);
            }
            Change::UpdateCluster(mut asked) => {
                self.cluster(&mut asked.target).await?;
                self.refuse_standing_tags(asked.only_new_tags, &asked.tags)?;
                Change::UpdateCluster(asked)
            }
            Change::UpgradeCluster(mut asked) => {
                self.cluster(&mut asked.target).await?;
                Change::UpgradeCluster(asked)
            }
            Change::ChangeNodeGroupScaling(mut asked) => {
                self.node_group(&mut asked.target).await?;
                // An operation that this one waited for may have moved the limits.
                if let Some(record) = self.record {
                    let kept = intent::<NodeGroupIntent>(record)?.scaling;
                    let mut findings = Findings::default();
                    beyond_limits(asked.change, kept.min, kept.max, &mut findings);
                    check(findings)?;
                }
                Change::ChangeNodeGroupScaling(asked)
            }
            Change::UpgradeNodeGroup(mut asked) => {
                self.node_group(&mut asked.target).await?;
                Change::UpgradeNodeGroup(asked)
            }
            Change::RemoveNodeGroup(mut asked) => {
                if self.never_made(&asked.target.iid) {
                    return Ok(None);
                }
                self.node_group(&mut asked.target).await?;
                Change::RemoveNodeGroup(asked)
            }
            Change::UpdateSecurityGroup(mut asked) => {
                aim(&mut asked.iid, self.record);
                if asked.iid.system_id.is_empty() {
                    return Err(unmade(ResourceKind::SecurityGroup, &asked.iid.name_id));
                }
                aim_part(&mut asked.incarnation, &asked.iid, self.record);
                Change::UpdateSecurityGroup(asked)
            }
            Change::UpdateTags(asked) if asked.tags.is_empty() => return Ok(None),
            Change::UpdateTags(mut asked) => {
                aim(&mut asked.iid, self.record);
                aim_part(&mut asked.incarnation, &asked.iid, self.record);
                if asked.iid.system_id.is_empty() {
                    return Err(unmade(asked.kind, &asked.iid.name_id));
                }
                if let Some(network) = &mut asked.network {
                    self.fill(ResourceKind::Network, None, network).await?;
                }
                self.refuse_standing_tags(asked.only_new_tags, &asked.tags)?;
                Change::UpdateTags(asked)
            }
            Change::DeleteResource(mut asked) => {
                if self.never_made(&asked.iid) {
                    return Ok(None);
                }
                aim(&mut asked.iid, self.record);
                aim_part(&mut asked.incarnation, &asked.iid, self.record);
                if let Some(network) = &mut asked.network {
                    self.fill(ResourceKind::Network, None, network).await?;
                }
                Change::DeleteResource(asked)
            }
            Change::FixPrerequisites(mut asked) => {
                if let Some(target) = &mut asked.cluster {
                    self.cluster(target).await?;
                }
                Change::FixPrerequisites(asked)
            }
            creation => creation,
        }))
    }

    /// Gives a reference its identifier at the cloud; answers the record's uid where we keep one.
    async fn fill(&self, kind: ResourceKind, parent: Option<Uuid>, iid: &mut Iid) -> Result<Option<Uuid>> {
        match self.records.find(kind, parent, &iid.name_id).await? {
            Some(record) => {
                iid.system_id = record.system_id.ok_or_else(|| unmade(kind, &iid.name_id))?;
                Ok(Some(record.uid))
            }
            None if !iid.system_id.is_empty() => Ok(None),
            None => Err(not_found(kind, &iid.name_id)),
        }
    }

    /// Where only new ones are to be set: what it waited for may have set one of them otherwise than was foreseen.
    fn refuse_standing_tags(&self, only_new: bool, tags: &TagChanges) -> Result<()> {
        match self.record.filter(|_| only_new) {
            Some(record) => require_new(record, &user_tags(record)?, tags),
            None => Ok(()),
        }
    }

    async fn cluster(&self, target: &mut ClusterTarget) -> Result<()> {
        let record = match self.record {
            Some(record) if record.kind == ResourceKind::Cluster => Some(record.clone()),
            Some(Resource { parent: Some(parent), .. }) => {
                self.records.store.resource(*parent).await.map_err(of_store)?
            }
            // A node group that is only being planned has no record yet: its cluster is found by name.
            _ => self.records.find(ResourceKind::Cluster, None, &target.iid.name_id).await?,
        };
        let record = record.as_ref();
        aim(&mut target.iid, record);
        aim_incarnation(&mut target.incarnation, record);
        if target.iid.system_id.is_empty() {
            return Err(unmade(ResourceKind::Cluster, &target.iid.name_id));
        }
        Ok(())
    }

    async fn node_group(&self, target: &mut NodeGroupTarget) -> Result<()> {
        self.cluster(&mut target.cluster).await?;
        aim(&mut target.iid, self.record);
        aim_incarnation(&mut target.incarnation, self.record);
        if target.iid.system_id.is_empty() {
            return Err(unmade(ResourceKind::NodeGroup, &target.iid.name_id));
        }
        Ok(())
    }

    fn never_made(&self, iid: &Iid) -> bool {
        iid.system_id.is_empty() && self.record.is_none_or(|record| record.system_id.is_none())
    }
}

/// What was aimed at when it was accepted stays the aim: only what was not known yet is filled in.
fn aim(iid: &mut Iid, record: Option<&Resource>) {
    if iid.system_id.is_empty()
        && let Some(system_id) = record.and_then(|record| record.system_id.clone())
    {
        iid.system_id = system_id;
    }
}

fn aim_incarnation(incarnation: &mut String, record: Option<&Resource>) {
    if incarnation.is_empty()
        && let Some(known) = record.and_then(|record| record.incarnation.clone())
    {
        *incarnation = known;
    }
}

/// The same of what is no cluster: an identifier that stands for an incarnation, as older ones were accepted, tells nothing.
fn aim_part(incarnation: &mut String, iid: &Iid, record: Option<&Resource>) {
    if *incarnation == iid.system_id {
        incarnation.clear();
    }
    if incarnation.is_empty() {
        record.map(told).unwrap_or_default().clone_into(incarnation);
    }
}

fn unmade(kind: ResourceKind, name: &str) -> Box<Failure> {
    let says = Says::kind(kind).text(format!(" {name:?} is not made yet"));
    let failure = Failure::new(FailureKind::Precondition, says);
    Box::new(failure.with_fix("wait until its creation has succeeded"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parts::sample;

    #[test]
    fn an_identifier_in_the_place_of_an_incarnation_tells_nothing() {
        let iid = Iid::new("net", "n");
        let aimed = |accepted: &str, known: Option<&str>| {
            let record = known.map(|known| sample(ResourceKind::Network, 1, "net", Some(("n", known))));
            let mut incarnation = accepted.to_owned();
            aim_part(&mut incarnation, &iid, record.as_ref());
            incarnation
        };
        for (accepted, known, expected) in [
            ("n", Some("n"), ""),
            ("", Some("n"), ""),
            ("", None, ""),
            ("n", Some("7"), "7"),
            ("", Some("7"), "7"),
            ("7", Some("8"), "7"),
        ] {
            assert_eq!(aimed(accepted, known), expected, "{accepted:?} {known:?}");
        }
    }
}
