//! The plan of other labels or another release channel of a cluster. What is not named stays as it is: labels are
//! replaced as a whole, so what was read is sent, with the changes, under the fingerprint of what was read.

use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::{Asked, Handle, Look, Poll, Prepared, Result, StageContext, TagChanges, UpdateCluster};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Maker, Stage, aim};
use crate::capabilities::RELEASE_CHANNEL;
use crate::wire::container as wire;
use crate::{GcpDriver, convert};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<SetLabels>(), Maker::of::<SetChannel>()];

/// How long GKE usually takes to label everything that belongs to a cluster.
const EXPECTED: Duration = Duration::from_mins(1);

/// Checks and answers the plan.
pub(crate) async fn prepare(driver: &GcpDriver, asked: &UpdateCluster) -> Result<Prepared> {
    let (name, cluster) = aim::standing_cluster(driver, &asked.target).await?;
    let (id, incarnation) = (name.path(), convert::incarnation(&cluster));
    let mut stages = Vec::new();
    if !asked.tags.is_empty() {
        let stage =
            SetLabels { cluster: id.clone(), incarnation: incarnation.clone(), labels: asked.tags.clone() };
        stages.push(stage.specification("labels").expected(EXPECTED));
    }
    if let Some(channel) = asked.options.get(RELEASE_CHANNEL).and_then(Value::as_str) {
        let stage = SetChannel { cluster: id, incarnation, channel: channel.to_owned() };
        stages.push(
            stage.specification("release channel").expected(EXPECTED).after(
                stages
                    .iter()
                    .map(|stage: &pmks_driver::StageSpecification| stage.name.clone())
                    .collect::<Vec<_>>(),
            ),
        );
    }
    Ok(Prepared::of(stages))
}

/// Sets and removes labels.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SetLabels {
    cluster: String,
    incarnation: String,
    /// What to set, and (with `None`) what to remove.
    labels: TagChanges,
}

#[async_trait]
impl Stage<GcpDriver> for SetLabels {
    const KIND: &'static str = "gcp.cluster.labels";

    async fn look(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Look> {
        let (name, cluster) = aim::standing(driver, &self.cluster, &self.incarnation).await?;
        let right = self.labels.are_made(&cluster.resource_labels);
        Ok(if right { Look::ready(name.path(), &self.incarnation, Value::Null) } else { Look::Absent })
    }

    async fn ask(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Asked> {
        let (name, cluster) = aim::standing(driver, &self.cluster, &self.incarnation).await?;
        let body = wire::SetLabels {
            resource_labels: self.labels.onto(cluster.resource_labels),
            label_fingerprint: cluster.label_fingerprint,
        };
        Ok(aim::following(&name, &driver.api.set_labels(&name, &body).await?))
    }

    async fn poll(&self, driver: &GcpDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow(driver, handle).await
    }
}

/// Chooses who brings new versions.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SetChannel {
    cluster: String,
    incarnation: String,
    channel: String,
}

#[async_trait]
impl Stage<GcpDriver> for SetChannel {
    const KIND: &'static str = "gcp.cluster.channel";

    async fn look(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Look> {
        let (name, cluster) = aim::standing(driver, &self.cluster, &self.incarnation).await?;
        let right = is_in(&cluster.release_channel.channel, &self.channel);
        Ok(if right { Look::ready(name.path(), &self.incarnation, Value::Null) } else { Look::Absent })
    }

    async fn ask(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Asked> {
        let (name, cluster) = aim::standing(driver, &self.cluster, &self.incarnation).await?;
        let update = wire::ClusterUpdate {
            desired_release_channel: Some(wire::ReleaseChannel { channel: self.channel.clone() }),
            etag: cluster.etag,
            ..wire::ClusterUpdate::default()
        };
        Ok(aim::following(&name, &driver.api.update_cluster(&name, update).await?))
    }

    async fn poll(&self, driver: &GcpDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow(driver, handle).await
    }
}

/// Whether a cluster is in the channel: no channel has two spellings.
fn is_in(now: &str, wanted: &str) -> bool {
    let plain = |channel: &str| if channel == crate::versions::NO_CHANNEL { "" } else { channel }.to_owned();
    plain(now) == plain(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_channel_has_two_spellings() {
        assert!(is_in("", "UNSPECIFIED") && is_in("UNSPECIFIED", "UNSPECIFIED") && is_in("RAPID", "RAPID"));
        assert!(!is_in("REGULAR", "UNSPECIFIED") && !is_in("", "STABLE"));
    }
}
