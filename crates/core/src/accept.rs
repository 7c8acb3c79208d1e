//! The one way in for every mutation: check all that needs no cloud, store it, wake the engine. Or only show the plan.

use pmks_driver::{Capabilities, validate};
use pmks_model::{Failure, FailureKind, OperationKind};
use pmks_store::{Accept, IdempotencyKey, NewOperation};
use serde_json::Value;
use uuid::Uuid;

use crate::drafts::{Draft, Drafting};
use crate::drivers::{At, Place};
use crate::failure::{already_exists, check, of_store};
use crate::hooks::resolve_change;
use crate::pmks::Shared;
use crate::records::{Records, stored};
use crate::resolve::add_unsaid;
use crate::{Accepted, Caller, Mutation, PlanView, PlannedStage, Pmks, Result};

impl Pmks {
    /// Takes a change on: checks all that needs no cloud, stores it with its operation, and answers.
    ///
    /// The cloud is asked only for references of which we keep no record, for what is imported, and, the first time,
    /// for the account that the connection acts in.
    ///
    /// # Errors
    /// `InvalidRequest` with all findings; `NotFound`, `AlreadyExists`, `Conflict` with the holders named, `Stale`,
    /// `Precondition`, `Unsupported`, `NotAllowed`.
    pub async fn accept(&self, caller: &Caller, mutation: Mutation) -> Result<Accepted> {
        let shared = &self.shared;
        let kind = mutation.kind();
        caller.require_operator(mutation.connection())?;
        if let Some(key) = idempotency_key(caller)
            && let Some(earlier) = shared.store.repeated(&key).await.map_err(of_store)?
        {
            return Ok(Accepted { operation: earlier.view(), private_key: None });
        }
        let (at, place) = shared.place_of(mutation.connection()).await?;
        let operation = pmks_store::new_uid(shared.clock.wall());
        let draft = shared.draft(&at, &place, operation, mutation).await?;
        let accepted = shared.store_draft(caller, &place, operation, draft).await?;
        metrics::counter!("pmks_operations_accepted_total", "kind" => kind.as_str()).increment(1);
        tracing::info!(operation = %accepted.operation.id, %kind, caller = %caller.name, "accepted");
        shared.engine.wake();
        Ok(accepted)
    }

    /// Shows what a change would do: asks the cloud, stores nothing, changes nothing.
    ///
    /// # Errors
    /// As [`Pmks::accept`], and whatever the cloud says.
    pub async fn plan(&self, caller: &Caller, mutation: Mutation) -> Result<PlanView> {
        let shared = &self.shared;
        let kind = mutation.kind();
        caller.require_operator(mutation.connection())?;
        let (at, place) = shared.place_of(mutation.connection()).await?;
        let draft = shared.draft(&at, &place, pmks_store::new_uid(shared.clock.wall()), mutation).await?;
        shared.name_is_free(&place, &draft).await?;
        let mut plan = PlanView {
            kind,
            stages: Vec::new(),
            resolved: std::collections::BTreeMap::new(),
            findings: Vec::new(),
            children: pmks_model::Children::default(),
        };
        let Some(change) = draft.change else { return Ok(plan) };
        let record = match draft.resource_uid {
            Some(uid) => shared.store.resource(uid).await.map_err(of_store)?,
            None => None,
        };
        let records = Records { store: shared.store.as_ref(), place: &place };
        let Some(change) = resolve_change(&records, record.as_ref(), change).await? else { return Ok(plan) };
        let prepared = at.driver.prepare(&change).await.map_err(|error| at.failed(&error))?;
        let faster = u64::from(at.specification.pace.max(1));
        plan.stages = prepared
            .plan
            .stages
            .into_iter()
            .map(|stage| PlannedStage {
                name: stage.name,
                after: stage.after,
                expected_seconds: stage.expected_seconds.div_ceil(faster),
            })
            .collect();
        plan.resolved = prepared.resolved;
        plan.findings = prepared.notices;
        plan.children = prepared.children;
        Ok(plan)
    }
}

impl Shared {
    /// A connection with its driver and place. Its account is asked for only if nobody knows it yet: the engine
    /// proves it before it asks for anything.
    pub(crate) async fn place_of(&self, connection: &str) -> Result<(At, Place)> {
        let at = self.drivers.at(connection).await?;
        match at.place() {
            Some(place) => Ok((at, place)),
            None => self.drivers.proven(connection).await,
        }
    }

    async fn draft(&self, at: &At, place: &Place, operation: Uuid, mutation: Mutation) -> Result<Draft> {
        let drafting = Drafting { shared: self, at, place, operation, now: self.clock.wall() };
        let kind = mutation.kind();
        let mut draft = drafting.draft(mutation).await?;
        if draft.asks_the_cloud() {
            supported(at.driver.capabilities(), kind)?;
        }
        if let Some(change) = &draft.change {
            let mut findings = std::mem::take(&mut draft.findings);
            add_unsaid(&mut findings, &validate(change, at.driver.capabilities()));
            check(findings)?;
        }
        Ok(draft)
    }

    async fn store_draft(
        &self,
        caller: &Caller,
        place: &Place,
        operation: Uuid,
        draft: Draft,
    ) -> Result<Accepted> {
        let target = format!("{} {}", draft.resource.kind.says(), draft.resource.name);
        let audit = self.audit(caller, draft.kind.as_str(), target);
        let intent = match &draft.change {
            Some(change) => stored(change)?,
            None => Value::Null,
        };
        let accept = Accept {
            operation: NewOperation {
                id: operation,
                kind: draft.kind,
                resource: draft.resource,
                resource_uid: draft.resource_uid,
                account: place.account.clone(),
                intent,
                requested_by: caller.name.clone(),
                now: self.clock.wall(),
            },
            resources: draft.resources,
            decided: draft.decided,
            holds: draft.holds,
            joins: draft.kind.removes(),
            supersedes: draft.kind.removes(),
            idempotency: idempotency_key(caller),
            audit,
        };
        match self.store.accept(accept).await {
            Ok(pmks_store::Accepted::New(operation)) => {
                Ok(Accepted { operation: operation.view(), private_key: draft.private_key })
            }
            Ok(other) => Ok(Accepted { operation: other.operation().view(), private_key: None }),
            Err(pmks_store::Error::Held { holders }) => Err(self.held(&holders).await),
            Err(error) => Err(of_store(error)),
        }
    }

    /// A refusal that says in words who holds it.
    pub(crate) async fn held(&self, holders: &[Uuid]) -> Box<Failure> {
        let mut words = Vec::new();
        for id in holders {
            words.push(match self.store.operation(*id).await {
                Ok(Some(operation)) => {
                    format!("{} of {:?} (operation {id})", operation.kind, operation.resource.name)
                }
                _ => format!("operation {id}"),
            });
        }
        let failure = Failure::new(FailureKind::Conflict, format!("it is held by {}", words.join(", ")));
        Box::new(failure.with_fix("wait until that is over, or cancel it"))
    }

    /// What acceptance would refuse by itself.
    async fn name_is_free(&self, place: &Place, draft: &Draft) -> Result<()> {
        let records = Records { store: self.store.as_ref(), place };
        for new in &draft.resources {
            if records.find(new.kind, new.parent, &new.name).await?.is_some() {
                return Err(already_exists(new.kind.says(), &new.name));
            }
        }
        Ok(())
    }
}

fn supported(capabilities: &Capabilities, kind: OperationKind) -> Result<()> {
    if capabilities.has(kind) {
        return Ok(());
    }
    let says = format!("{} has no {kind}", capabilities.title);
    Err(Box::new(Failure::new(FailureKind::Unsupported, says)))
}

pub(crate) fn idempotency_key(caller: &Caller) -> Option<IdempotencyKey> {
    caller.idempotency.as_ref().map(|given| IdempotencyKey {
        scope: format!("{} {} {}", caller.name, given.method, given.path),
        key: given.key.clone(),
        body_hash: given.body_hash.clone(),
    })
}
