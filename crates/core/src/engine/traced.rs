//! The place of an operation and its stages in the trace that asked for it. Identifiers follow from the operation's own:
//! whoever carries it on after a restart goes on in the same trace, below the same spans.
//!
//! What lasts longer than a step (an operation, a stage) is sent once it is over, by [`ended`](Traced::ended); until then
//! calls stand in a span that only carries its identifier.

use jiff::Timestamp;
use pmks_store::{Operation, StageRecord};
use pmks_transport::TraceContext;
use tracing::Span;

/// An operation's place.
#[derive(Clone, Copy)]
pub(super) struct Traced {
    operation: TraceContext,
    /// The request's span; 0: it had none.
    request: u64,
    id: u128,
    attempt: u32,
}

impl Traced {
    pub(super) fn of(operation: &Operation) -> Self {
        let asked = operation.traceparent.as_deref().and_then(TraceContext::parse);
        let (id, attempt) = (operation.id.as_u128(), operation.attempt);
        let (trace, sampled) = asked.map_or((id, true), |asked| (asked.trace, asked.sampled));
        let own = TraceContext { trace, span: identifier(id, attempt, ""), sampled };
        Self { operation: own, request: asked.map_or(0, |asked| asked.span), id, attempt }
    }

    /// What is done for the operation stands in it.
    pub(super) fn step(&self, operation: &Operation) -> Span {
        let kind = operation.kind.as_str();
        tracing::info_span!("step", operation = %operation.id, kind, trace = %self.operation, carries = true)
    }

    /// What is done for a stage stands in it.
    pub(super) fn turn(&self, stage: &str) -> Span {
        tracing::info_span!("turn", stage, trace = %self.stage(stage), carries = true)
    }

    /// The operation is over.
    pub(super) fn ended(&self, ended: &Operation) {
        let (kind, outcome) = (ended.kind.as_str(), ended.state.as_str());
        let failure = ended.error.as_ref().map(|error| error.kind.as_str());
        drop(tracing::info_span!(
            "operation",
            operation = %ended.id,
            kind,
            outcome,
            failure,
            attempt = ended.attempt,
            trace = %self.operation,
            parent = %hexadecimal(self.request),
            started_ms = ended.started_at.unwrap_or(ended.created_at).as_millisecond(),
        ));
    }

    /// A stage is over, if that is what its record says.
    pub(super) fn stage_over(&self, name: &str, kind: &str, record: &StageRecord) {
        let Some(outcome) = super::telemetry::over(record) else { return };
        let began: Option<Timestamp> = record.started_at;
        let failure = record.error.as_ref().map(|error| error.kind.as_str());
        drop(tracing::info_span!(
            "stage",
            stage = kind,
            name,
            outcome,
            failure,
            attempts = record.attempts,
            trace = %self.stage(name),
            parent = %hexadecimal(self.operation.span),
            started_ms = began.map(Timestamp::as_millisecond),
        ));
    }

    fn stage(&self, name: &str) -> TraceContext {
        TraceContext { span: identifier(self.id, self.attempt, name), ..self.operation }
    }
}

fn hexadecimal(span: u64) -> String {
    format!("{span:016x}")
}

/// The same for the same attempt of the same stage, in every process; never 0. FNV-1a over what names it.
///
/// Source: <https://datatracker.ietf.org/doc/html/draft-eastlake-fnv>
fn identifier(operation: u128, attempt: u32, stage: &str) -> u64 {
    let operation = operation.to_be_bytes();
    let attempt = attempt.to_be_bytes();
    let bytes = operation.iter().chain(&attempt).chain(stage.as_bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    hash.max(1)
}

#[cfg(test)]
mod tests {
    use super::identifier;

    #[test]
    fn every_attempt_of_every_stage_has_its_own_and_always_the_same() {
        let all = [(1, 1, ""), (1, 1, "a"), (1, 1, "b"), (1, 2, "a"), (2, 1, "a")];
        let mut found: Vec<u64> =
            all.iter().map(|(id, attempt, stage)| identifier(*id, *attempt, stage)).collect();
        assert_eq!(found[1], identifier(1, 1, "a"));
        found.sort_unstable();
        found.dedup();
        assert_eq!(found.len(), all.len());
    }
}
