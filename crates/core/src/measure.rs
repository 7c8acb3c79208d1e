//! Metrics that are read when somebody asks for them, where the others are counted as things happen: how many
//! operations are not over and how old they are, and how the request budget stands.

use std::time::Duration;

use pmks_model::{OperationKind, OperationState};
use pmks_store::Standing;

use crate::Pmks;

/// The states that an operation is not over in.
const NOT_OVER: [OperationState; 3] =
    [OperationState::Queued, OperationState::Running, OperationState::Blocked];

impl Pmks {
    /// Brings these metrics up to date. While the store does not answer, its part of them stays as it was.
    pub async fn measure(&self) {
        if let Ok(standing) = self.shared.store.standing().await {
            self.operations_stand(&standing);
        }
        for budget in self.shared.drivers.transport().budgets() {
            let labels =
                [("provider", budget.provider), ("service", budget.service), ("action", budget.action)];
            metrics::gauge!("pmks_cloud_budget_tokens", &labels).set(budget.tokens);
            metrics::gauge!("pmks_cloud_budget_waiting_calls", &labels).set(number(budget.waiting));
            metrics::gauge!("pmks_cloud_budget_rate_ratio", &labels).set(budget.share);
        }
    }

    /// Every kind in every state, so that what is none shows as none.
    fn operations_stand(&self, standing: &[Standing]) {
        let now = self.shared.clock.wall();
        for (kind, state) in
            OperationKind::ALL.into_iter().flat_map(|kind| NOT_OVER.map(|state| (kind, state)))
        {
            let found = standing.iter().find(|found| found.kind == kind && found.state == state);
            let age = |found: &Standing| Duration::try_from(now.duration_since(found.oldest)).ok();
            let labels = [("kind", kind.as_str()), ("state", state.as_str())];
            let (count, age) = found.map_or((0, None), |found| (found.number, age(found)));
            metrics::gauge!("pmks_operations", &labels).set(count);
            metrics::gauge!("pmks_operation_oldest_age_seconds", &labels)
                .set(age.unwrap_or_default().as_secs_f64());
        }
    }
}

fn number(count: usize) -> f64 {
    u32::try_from(count).unwrap_or(u32::MAX).into()
}
