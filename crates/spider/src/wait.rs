//! Synchronous on durable: an answer waits for the events of an operation.

use std::time::Duration;

use futures::StreamExt as _;
use http::StatusCode;
use pmks_core::{Accepted, Beforehand, Mutation, OperationView};
use pmks_model::{Failure, FailureKind, OperationState, ResourceKind, StageState, Term};

use crate::Refusal;
use crate::call::Call;
use crate::reply::Reply;

/// How long answers wait for what is over in seconds or a few minutes: networks, security groups, key pairs, sizes.
pub(crate) const CHANGE: Duration = Duration::from_mins(10);
/// How long a deletion is waited for, as CB-Spider's clients expect.
pub(crate) const DELETION: Duration = Duration::from_mins(10);
/// How long clients wait until a cloud has taken on a cluster or node group.
pub(crate) const TAKEN_ON: Duration = Duration::from_mins(15);

/// How much longer what the cloud has taken on is waited for: where work takes no time, as at CB-Spider's Mock, clients
/// expect it done, and where it takes minutes nobody minds these.
const DONE_AT_ONCE: Duration = Duration::from_secs(10);

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// It is over.
    Over,
    /// The cloud works on it.
    TakenOn,
    /// The cloud has a name for what is made.
    Known,
}

impl Call {
    /// Has a change carried out, and waits, unless the client does not want to.
    pub(crate) async fn change(
        &self,
        mutation: Mutation,
        until: Until,
        limit: Duration,
    ) -> Result<OperationView, Refusal> {
        let accepted = self.accept(mutation).await?;
        if self.respond_async {
            Ok(accepted.operation)
        } else {
            self.follow(accepted.operation, until, limit).await
        }
    }

    /// Takes a change on. What CB-Spider's drivers make on the way is made first, and what a creation left of which
    /// CB-Spider would keep nothing makes room.
    pub(crate) async fn accept(&self, mutation: Mutation) -> Result<Accepted, Refusal> {
        let may = Beforehand { prerequisites: true, room: true };
        Ok(self.pmks().accept_after(&self.caller, mutation, may).await?)
    }

    /// The answer to whoever does not want to wait: the operation, and where it can be read by whoever asked.
    pub(crate) fn at_once(&self, operation: &OperationView) -> Option<Reply> {
        self.respond_async.then(|| Reply::Accepted {
            operation: serde_json::to_value(operation).unwrap_or_default(),
            location: format!("/spider/operation/{}", operation.id),
        })
    }

    /// Waits for an operation.
    pub(crate) async fn follow(
        &self,
        operation: OperationView,
        until: Until,
        limit: Duration,
    ) -> Result<OperationView, Refusal> {
        let id = operation.id.to_string();
        let mut events = self.pmks().operations().events(Some(&id), None).await?;
        let reached = async {
            while let Some(event) = events.next().await {
                if is_reached(&event.operation, until) || self.is_known(&event.operation, until).await {
                    return Some(event.operation);
                }
            }
            None
        };
        let reached = tokio::select! {
            reached = reached => reached,
            () = self.settings.clock.deadline(limit) => None,
        };
        let Some(mut reached) = reached else { return Err(too_long(&operation, limit)) };
        let over = async {
            while !is_reached(&reached, Until::Over) {
                let Some(event) = events.next().await else { break };
                reached = event.operation;
            }
        };
        tokio::select! {
            () = over => {}
            () = self.settings.clock.deadline(DONE_AT_ONCE) => {}
        }
        ended(&reached).map(|()| OperationView::clone(&reached))
    }

    /// Waits until an operation is over; for one whose turn comes after another's no longer than for what is done at once:
    /// it is taken on, and nobody knows when.
    pub(crate) async fn follow_in_turn(&self, accepted: &Accepted, limit: Duration) -> Result<(), Refusal> {
        let limit = if accepted.waits { DONE_AT_ONCE } else { limit };
        match self.follow(accepted.operation.clone(), Until::Over, limit).await {
            Err(refusal) if accepted.waits && refusal.is_of_patience() => Ok(()),
            ended => ended.map(drop),
        }
    }

    /// Whether the cloud has named what an operation makes: a cluster, or a node group of one.
    async fn is_known(&self, operation: &OperationView, until: Until) -> bool {
        // Before that the cloud has named nothing.
        if until != Until::Known || !is_taken_on(operation) {
            return false;
        }
        let made = &operation.resource;
        let cluster = made.cluster.as_deref().unwrap_or(&made.name);
        let node_group = (made.kind != ResourceKind::Cluster).then_some(made.name.as_str());
        let known = self.pmks().clusters().is_identified(&made.connection, cluster, node_group).await;
        known.unwrap_or(false)
    }
}

fn is_reached(operation: &OperationView, until: Until) -> bool {
    if operation.state.is_final() || operation.state == OperationState::Blocked {
        return true;
    }
    until == Until::TakenOn && is_taken_on(operation)
}

/// Its first stage is the preparation, which changes nothing.
fn is_taken_on(operation: &OperationView) -> bool {
    let begun = |state: StageState| matches!(state, StageState::Following | StageState::Done);
    operation.stages.iter().skip(1).any(|stage| begun(stage.state))
}

fn ended(operation: &OperationView) -> Result<(), Refusal> {
    let id = operation.id;
    match (operation.state, &operation.error) {
        (OperationState::Failed, Some(failure)) => {
            let mut refusal = Refusal::from(Failure { about: None, ..failure.clone() });
            // The request was right, and what the cloud said to it was not: not the client's to mend by another request.
            // What went from here before its turn came is simply not there.
            if failure.kind == FailureKind::NotFound && failure.provider.is_some() {
                refusal.status = StatusCode::BAD_GATEWAY;
            }
            refusal.message = format!("{} (operation {id})", refusal.message);
            Err(refusal)
        }
        (OperationState::Failed, None) => {
            Err(Refusal::new(StatusCode::BAD_GATEWAY, format!("operation {id} failed")))
        }
        (OperationState::Cancelled, _) => {
            Err(Refusal::new(StatusCode::CONFLICT, format!("operation {id} was cancelled")))
        }
        (OperationState::Blocked, _) => {
            let says = format!("operation {id} waits for a decision: see pmks operation get {id}");
            Err(Refusal::new(StatusCode::CONFLICT, says))
        }
        _ => Ok(()),
    }
}

fn too_long(operation: &OperationView, limit: Duration) -> Refusal {
    let (id, kind, name) = (operation.id, operation.kind, &operation.resource.name);
    let says = format!(
        "[{}] {} of {name} is not over. (Timeout={}) Operation {id} goes on",
        operation.connection,
        crate::names::term(&Term::Operation(kind)),
        limit.as_secs()
    );
    Refusal::new(StatusCode::GATEWAY_TIMEOUT, says)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_there_any_more_is_told_from_what_the_cloud_misses() {
        let refused = |provider: Option<&str>| {
            let mut failure = Failure::new(FailureKind::NotFound, "the record of cluster \"k\" is gone");
            failure.provider = provider.map(str::to_owned);
            let operation: OperationView = serde_json::from_value(json!({
                "id": "01890a5d-ac96-774b-bcce-b302099a8057", "kind": "cluster.update", "connection": "c",
                "resource": {"kind": "cluster", "name": "k", "connection": "c"}, "state": "failed",
                "cancelRequested": false, "attempt": 1, "stages": [], "remains": [], "requestedBy": "me",
                "progress": {"done": 0, "total": 0, "expectedSeconds": 0},
                "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z", "error": failure,
            }))
            .unwrap();
            ended(&operation).unwrap_err()
        };
        let (ours, cloud) = (refused(None), refused(Some("aws")));
        assert_eq!((ours.status, cloud.status), (StatusCode::NOT_FOUND, StatusCode::BAD_GATEWAY));
        assert!(ours.message.contains("does not exist") && ours.message.contains("(operation "), "{ours:?}");
    }
}
