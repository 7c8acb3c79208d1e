//! The stages, one file an operation kind, and the way back from what was stored of a stage to its calls.

pub(crate) mod create_cluster;
pub(crate) mod delete_cluster;
pub(crate) mod update_cluster;
pub(crate) mod upgrade_cluster;

pub(crate) mod add_node_group;
pub(crate) mod change_node_group_scaling;
pub(crate) mod remove_node_group;
pub(crate) mod upgrade_node_group;

mod aim;
mod census;
mod delete_children;
mod node_pool;
mod quota;

pub(crate) mod create_key_pair;
pub(crate) mod create_network;
pub(crate) mod create_security_group;
pub(crate) mod create_subnet;
pub(crate) mod delete_resource;

mod insert;

mod disks;
pub(crate) mod fix_prerequisites;

use async_trait::async_trait;
use pmks_driver::{
    Asked, DriverError, ErrorKind, Handle, Look, Poll, ProgressList, Result, StageCalls, StageContext,
    StageSpecification,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::wire::container::OperationList;
use crate::{GcpDriver, PROVIDER};

/// One kind of stage: its parameters are the type itself, stored as JSON; its calls are asked with a driver.
#[async_trait]
pub(crate) trait Stage: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// What it is stored as: `gcp.cluster`.
    const KIND: &'static str;
    /// The version of its parameters and outputs.
    const VERSION: u32 = 1;

    /// Whether the effect is there. Reads only, one request where possible.
    async fn look(&self, driver: &GcpDriver, context: &StageContext) -> Result<Look>;

    /// Asks Google for it: one request that changes something.
    async fn ask(&self, driver: &GcpDriver, context: &StageContext) -> Result<Asked>;

    /// How Google's own work stands.
    async fn poll(&self, _driver: &GcpDriver, _context: &StageContext, _handle: &Handle) -> Result<Poll> {
        Ok(Poll::Lost)
    }

    /// Asks for the removal of what an earlier attempt made and what failed for good.
    async fn remove_failed(&self, _driver: &GcpDriver, _context: &StageContext) -> Result<Asked> {
        Err(DriverError::unsupported(PROVIDER, "replacement of what failed"))
    }

    /// The stage as a plan holds it, with the defaults of [`StageSpecification::new`].
    fn specification(&self, name: impl Into<String>) -> StageSpecification
    where
        Self: Sized,
    {
        // Parameters are plain structs of texts, numbers and lists: they always serialize.
        let parameters = serde_json::to_value(self).unwrap_or_default();
        StageSpecification::new(name, Self::KIND, Self::VERSION, parameters)
    }
}

/// Makes a stage from its stored parameters.
type Make = fn(&GcpDriver, &serde_json::Value) -> serde_json::Result<Box<dyn StageCalls>>;

/// How a stage of one kind is made again.
#[derive(Clone, Copy)]
pub(crate) struct Maker {
    kind: &'static str,
    version: u32,
    make: Make,
}

impl Maker {
    /// The maker of that kind.
    pub(crate) const fn of<S: Stage>() -> Self {
        Self {
            kind: S::KIND,
            version: S::VERSION,
            make: |driver, parameters| {
                Ok(Box::new(Bound { driver: driver.clone(), stage: S::deserialize(parameters)? }))
            },
        }
    }
}

struct Bound<S> {
    driver: GcpDriver,
    stage: S,
}

#[async_trait]
impl<S: Stage> StageCalls for Bound<S> {
    async fn look(&self, context: &StageContext) -> Result<Look> {
        self.stage.look(&self.driver, context).await
    }

    async fn ask(&self, context: &StageContext) -> Result<Asked> {
        self.stage.ask(&self.driver, context).await
    }

    async fn poll(&self, context: &StageContext, handle: &Handle) -> Result<Poll> {
        self.stage.poll(&self.driver, context, handle).await
    }

    /// GKE's own work is told by its name alone; what Compute Engine does is not in the list.
    fn poll_in(&self, _context: &StageContext, handle: &Handle, list: &ProgressList) -> Option<Poll> {
        aim::follow_in(handle, &list.get::<OperationList>()?.operations)
    }

    async fn remove_failed(&self, context: &StageContext) -> Result<Asked> {
        self.stage.remove_failed(&self.driver, context).await
    }
}

/// Every kind of stage, by the file that has it.
const STAGES: &[&[Maker]] = &[
    create_cluster::STAGES,
    delete_cluster::STAGES,
    update_cluster::STAGES,
    upgrade_cluster::STAGES,
    add_node_group::STAGES,
    change_node_group_scaling::STAGES,
    remove_node_group::STAGES,
    upgrade_node_group::STAGES,
    create_key_pair::STAGES,
    insert::STAGES,
    delete_resource::STAGES,
    fix_prerequisites::STAGES,
    census::STAGES,
];

/// The kinds of stages that plans are made of, so that a suite can tell that it has seen them all.
pub fn stage_kinds() -> impl Iterator<Item = &'static str> {
    STAGES.iter().copied().flatten().map(|maker| maker.kind)
}

/// Makes a stage again from what was stored of it.
pub(crate) fn stage(driver: &GcpDriver, stored: &StageSpecification) -> Result<Box<dyn StageCalls>> {
    let unknown = |why: String| {
        let message = format!("stage {:?} ({} version {}) {why}", stored.name, stored.kind, stored.version);
        DriverError::new(ErrorKind::Unexpected, PROVIDER, message)
    };
    let mut known = STAGES.iter().flat_map(|makers| makers.iter());
    let maker = known
        .find(|maker| maker.kind == stored.kind && maker.version == stored.version)
        .ok_or_else(|| unknown("is not known to this release".to_owned()))?;
    // A lane of its own: what an operation asks about does not wait behind users' reads.
    let driver = GcpDriver {
        api: driver.api.on_lane(pmks_transport::Lane::Look),
        here: std::sync::Arc::clone(&driver.here),
    };
    (maker.make)(&driver, &stored.parameters)
        .map_err(|error| unknown("cannot be read".to_owned()).caused_by(error))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;

    use pmks_driver::Outputs;

    use super::*;

    /// What a stage knows when it has just begun.
    pub(crate) fn context() -> StageContext {
        StageContext {
            outputs: Outputs::default(),
            token: "operation-stage-1".to_owned(),
            baseline: None,
            system_id: None,
            incarnation: None,
            started_at: "2026-11-23T10:00:00Z".parse().unwrap(),
            now: "2026-11-23T10:00:10Z".parse().unwrap(),
            pace: 1,
        }
    }

    #[test]
    fn every_kind_of_stage_is_known_once() {
        let all: Vec<(&str, u32)> =
            STAGES.iter().flat_map(|makers| makers.iter()).map(|maker| (maker.kind, maker.version)).collect();
        let distinct: BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len(), "{all:?}");
        assert!(all.iter().all(|(kind, _)| kind.starts_with("gcp.")), "{all:?}");
    }
}
