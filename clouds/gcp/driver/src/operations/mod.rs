//! The stages, one file an operation kind, and the way back from what was stored of a stage to its calls.

pub(crate) mod create_cluster;
pub(crate) mod delete_cluster;
pub(crate) mod update_cluster;
pub(crate) mod upgrade_cluster;

pub(crate) mod add_node_group;
pub(crate) mod change_node_group_scaling;
pub(crate) mod remove_node_group;
pub(crate) mod upgrade_node_group;

mod addresses;
mod aim;
mod census;
mod delete_children;
mod node_pool;
mod quota;

pub(crate) mod create_key_pair;
pub(crate) mod create_network;
pub(crate) mod create_security_group;
pub(crate) mod create_subnet;
mod delete_network;
pub(crate) mod delete_resource;
pub(crate) mod rules;

mod insert;

mod disks;
pub(crate) mod fix_prerequisites;

pub(crate) use pmks_driver::Stage;
use pmks_driver::{Handle, Poll, ProgressList, Stages};

use crate::GcpDriver;
use crate::wire::container::OperationList;

/// How a stage of this driver is made again.
pub(crate) type Maker = pmks_driver::Maker<GcpDriver>;

/// Every kind of stage, by the file that has it.
pub(crate) const STAGES: Stages<GcpDriver> = Stages(&[
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
    rules::STAGES,
    fix_prerequisites::STAGES,
    census::STAGES,
]);

/// The kinds of stages that plans are made of, so that a suite can tell that it has seen them all.
pub fn stage_kinds() -> impl Iterator<Item = &'static str> {
    STAGES.kinds()
}

/// How GKE's own work stands by the list of what is under way.
pub(crate) fn follow_in(handle: &Handle, list: &ProgressList) -> Option<Poll> {
    aim::follow_in(handle, &list.get::<OperationList>()?.operations)
}

#[cfg(test)]
pub(crate) mod tests {
    use pmks_driver::{Outputs, StageContext};

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
        assert_eq!(STAGES.defect(), None);
    }
}
