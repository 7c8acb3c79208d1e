//! Operations and plans.

use pmks_api as api;
use pmks_core::{Blocked, OperationView, PlanView, StageView};
use pmks_model::{Remains, ResourceReference};

use super::{children, problem, some_time, time, word};

/// An operation.
pub(crate) fn operation(view: OperationView) -> api::Operation {
    api::Operation {
        id: view.id.to_string(),
        kind: view.kind.as_str().to_owned(),
        connection: view.connection,
        resource: resource(view.resource),
        state: view.state.as_str().to_owned(),
        blocked: view.blocked.map(blocked),
        cancel_requested: view.cancel_requested,
        attempt: view.attempt,
        stages: view.stages.into_iter().map(stage).collect(),
        progress: api::Progress {
            done: u32::try_from(view.progress.done).unwrap_or(u32::MAX),
            total: u32::try_from(view.progress.total).unwrap_or(u32::MAX),
            expected_seconds: view.progress.expected_seconds,
        },
        resolved: view.resolved,
        notices: view.notices,
        error: view.error.as_ref().map(problem),
        remains: view.remains.into_iter().map(remains).collect(),
        requested_by: view.requested_by,
        created_at: time(view.created_at),
        updated_at: time(view.updated_at),
    }
}

fn blocked(blocked: Blocked) -> api::Blocked {
    api::Blocked { reason: blocked.reason, needs: blocked.needs, candidates: blocked.candidates }
}

fn resource(resource: ResourceReference) -> api::ResourceReference {
    api::ResourceReference {
        kind: resource.kind.as_str().to_owned(),
        connection: resource.connection,
        cluster: resource.cluster,
        network: resource.network,
        name: resource.name,
    }
}

fn stage(view: StageView) -> api::Stage {
    api::Stage {
        name: view.name,
        state: word(&view.state),
        started_at: some_time(view.started_at),
        finished_at: some_time(view.finished_at),
        attempts: view.attempts,
        detail: view.detail,
    }
}

fn remains(remains: Remains) -> api::Remains {
    api::Remains {
        kind: remains.kind,
        system_id: remains.system_id,
        name: remains.name,
        reason: remains.reason,
    }
}

/// What would be done.
pub(crate) fn plan(view: PlanView) -> api::Plan {
    let mut children = children(view.children);
    for child in &mut children.found {
        child.removed_by = view.removals.get(&child.system_id).cloned();
    }
    let stage = |stage: pmks_core::PlannedStage| api::PlannedStage {
        name: stage.name,
        after: stage.after,
        expected_seconds: stage.expected_seconds,
    };
    api::Plan {
        kind: view.kind.as_str().to_owned(),
        stages: view.stages.into_iter().map(stage).collect(),
        resolved: view.resolved,
        findings: view.findings,
        children,
    }
}
