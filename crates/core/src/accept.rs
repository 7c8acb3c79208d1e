//! The one way in for every mutation: check it, store it, wake the engine. Or only show the plan.

use futures::FutureExt as _;
use pmks_driver::{Capabilities, Prepared};
use pmks_model::{Failure, FailureKind, Findings, OperationKind, Says, Term};
use pmks_store::{Accept, IdempotencyKey, NewOperation, Through};
use serde_json::Value;
use uuid::Uuid;

use crate::drafts::{Draft, Drafting};
use crate::drivers::{At, Place};
use crate::engine::removal;
use crate::failure::{being_deleted, of_store};
use crate::key_pairs::{Asked, GeneratedKeyPair, generate_in_turn};
use crate::patience::{ACTS_FOR, NAMED, Patience};
use crate::pmks::Shared;
use crate::preparation::Unprepared;
use crate::records::stored;
use crate::{Accepted, Caller, Mutation, OperationView, PlanView, PlannedStage, Pmks, PrivateKey, Result};

/// Where the intent of a cluster's removal says whether volumes go too: two that differ there are not joined.
const DELETE_VOLUMES: &str = "/asked/deleteVolumes";

/// What a plan waits for.
const PLANNED: &str = "what the change would come to there";

/// What a creation waits for whose private half is made here.
const MADE: &str = "its turn to have a key pair made did not come";

/// How often a change of any version of a record is read again, where others change it at the same time.
const MOST_READ_AGAIN: u32 = 200;

/// An operation that was not there before.
#[derive(Clone, Copy)]
struct New {
    /// Whether its turn comes when another one is over.
    waits: bool,
}

impl Pmks {
    /// Takes a change on: checks all that is known now, stores it with its operation, and answers.
    ///
    /// The cloud is asked for references of which we keep no record, for what is imported, and, where it answers in
    /// some seconds and nothing that is not over stands in the way, for all that would make the operation fail having
    /// changed nothing. All of that together takes no more than twenty seconds. A refusal stores nothing.
    ///
    /// # Errors
    /// `InvalidRequest` with all findings; `NotFound`, `AlreadyExists`, `Conflict` with the holders named, `Stale`,
    /// `Precondition`, `Unsupported`, `NotAllowed`, and what the cloud says; `Unavailable`, with the time to come again,
    /// where it does not say in time what cannot be done without.
    pub async fn accept(&self, caller: &Caller, mutation: Mutation) -> Result<Accepted> {
        self.accept_as_read(caller, mutation, Findings::default()).await
    }

    /// The same, where not all of the request could be read: the mutation holds something else in these fields, and is
    /// refused with whatever else is wrong.
    ///
    /// # Errors
    /// As [`Pmks::accept`].
    pub async fn accept_as_read(
        &self,
        caller: &Caller,
        mutation: Mutation,
        unreadable: Findings,
    ) -> Result<Accepted> {
        let patience = Patience::begins(&self.shared.clock);
        match self.take_on(caller, mutation.clone(), unreadable, &patience).await {
            // Who did not hear the answer asks for what is there by now.
            Err(refused) if refused.kind == FailureKind::AlreadyExists => {
                self.untold(caller, &mutation).await?.ok_or(refused)
            }
            Err(refused) => Err(self.with_versions(&mutation, &patience, refused).boxed().await),
            taken => taken,
        }
    }

    async fn take_on(
        &self,
        caller: &Caller,
        mutation: Mutation,
        unreadable: Findings,
        patience: &Patience,
    ) -> Result<Accepted> {
        let shared = &self.shared;
        let (kind, asks_for_key) = (mutation.kind(), Asked::of(caller, &mutation));
        caller.require_operator(mutation.connection())?;
        let again = |operation: OperationView| {
            let private_key = asks_for_key.is_some().then(|| PrivateKey::again(self, &operation));
            Accepted { operation, waits: false, private_key }
        };
        if let Some(key) = idempotency_key(caller)
            && let Some(earlier) = shared.store.repeated(&key).await.map_err(of_store)?
        {
            return Ok(again(earlier.view()));
        }
        let connection = mutation.connection().to_owned();
        let (at, place) =
            patience.needed(&connection, ACTS_FOR, shared.place_of(&connection).boxed()).await?;
        let operation = pmks_store::new_uid(shared.clock.wall());
        let checking = at.checking();
        // Whoever takes any version is not told of a change that came between our own read and the store, and what is
        // made of something that went meanwhile is refused as if that had never been there.
        let anew = mutation.takes_any_version() || kind.creates();
        let mut more = if anew { MOST_READ_AGAIN } else { 0 };
        let mut pair = None;
        let (operation, new) = loop {
            let drafted = shared.draft(&at, &place, operation, mutation.clone()).boxed();
            let draft = patience.needed(&connection, NAMED, drafted).await?;
            let draft = Draft { unreadable: unreadable.clone(), ..draft };
            // What waits for another operation finds the cloud as that one leaves it.
            if shared.check(&checking, &place, &draft, patience).await?.is_empty()
                && shared.ask_first(&checking, &place, &draft, patience).await.is_err()
            {
                // What was said a moment ago lets pass, and refuses nothing.
                shared.ask_first(&at, &place, &draft, patience).await?;
            }
            // It costs a processor's time: nothing refuses it any more but what others do at the same moment.
            let draft =
                if asks_for_key.is_some() { with_key_pair(draft, &mut pair, patience).await? } else { draft };
            match shared.store_draft(caller, &at, &place, operation, draft).await {
                Err(failure) if failure.kind == FailureKind::Stale && more > 0 => {
                    more -= 1;
                    shared.memory.refresh().await?;
                }
                accepted => break accepted?,
            }
        };
        metrics::counter!("pmks_operations_accepted_total", "kind" => kind.as_str()).increment(1);
        tracing::info!(operation = %operation.id, %kind, caller = %caller.name, "accepted");
        let waits = new.is_some_and(|new| new.waits);
        Ok(match (pair, &asks_for_key) {
            (Some(pair), Some(asked)) if new.is_some() => {
                let private_key = PrivateKey::new(self, &operation, asked.clone(), pair.private_key);
                Accepted { operation, waits, private_key: Some(private_key) }
            }
            _ => Accepted { waits, ..again(operation) },
        })
    }

    /// Shows what a change would do: asks the cloud, stores nothing, changes nothing.
    ///
    /// # Errors
    /// As [`Pmks::accept`], and whatever the cloud says; `Unavailable` if it does not say in twenty seconds.
    pub async fn plan(&self, caller: &Caller, mutation: Mutation) -> Result<PlanView> {
        self.plan_as_read(caller, mutation, Findings::default()).await
    }

    /// The same, where not all of the request could be read, as [`Pmks::accept_as_read`] has it.
    ///
    /// # Errors
    /// As [`Pmks::plan`].
    pub async fn plan_as_read(
        &self,
        caller: &Caller,
        mutation: Mutation,
        unreadable: Findings,
    ) -> Result<PlanView> {
        let patience = Patience::begins(&self.shared.clock);
        match self.planned(caller, mutation.clone(), unreadable, &patience).boxed().await {
            Err(refused) => Err(self.with_versions(&mutation, &patience, refused).boxed().await),
            planned => planned,
        }
    }

    async fn planned(
        &self,
        caller: &Caller,
        mutation: Mutation,
        unreadable: Findings,
        patience: &Patience,
    ) -> Result<PlanView> {
        let shared = &self.shared;
        let kind = mutation.kind();
        caller.require_operator(mutation.connection())?;
        let connection = mutation.connection().to_owned();
        let at = shared.drivers.at(&connection).await?;
        let place = patience.needed(&connection, ACTS_FOR, shared.drivers.place_unkept(&at).boxed()).await?;
        let operation = pmks_store::new_uid(shared.clock.wall());
        let drafted = shared.draft(&at, &place, operation, mutation).boxed();
        let draft = patience.needed(&connection, NAMED, drafted).await?;
        let draft = Draft { unreadable, ..draft };
        let waits_for = shared.check(&at, &place, &draft, patience).await?;
        let mut plan = PlanView {
            kind,
            stages: Vec::new(),
            resolved: std::collections::BTreeMap::new(),
            findings: Vec::new(),
            children: pmks_model::Children::default(),
            removals: std::collections::BTreeMap::new(),
        };
        plan.findings.extend(draft.notices.iter().cloned());
        if !waits_for.is_empty() {
            let holders = shared.in_words(&waits_for).await;
            plan.findings
                .push(format!("it waits for {holders}, and is checked and planned when its turn comes"));
        }
        let search = shared.search(&draft).await?;
        // A plan is nothing without it.
        let prepared = async { Ok(shared.prepare(&at, &place, &draft, &search).await) };
        let prepared = patience.needed(&connection, PLANNED, prepared.boxed()).await;
        match prepared.unwrap_or_else(|failure| Err(Unprepared::NotNow(failure))) {
            Ok(Some(prepared)) => show(&mut plan, prepared, at.specification.pace),
            Ok(None) => {}
            Err(Unprepared::Refused(failure) | Unprepared::NotNow(failure)) if waits_for.is_empty() => {
                return Err(failure);
            }
            Err(Unprepared::Refused(failure) | Unprepared::NotNow(failure)) => {
                plan.findings.push(format!("as it stands now: {failure}"));
            }
        }
        Ok(plan)
    }
}

/// A draft of a key pair with its public half; both halves are made once.
async fn with_key_pair(
    draft: Draft,
    pair: &mut Option<GeneratedKeyPair>,
    patience: &Patience,
) -> Result<Draft> {
    let made = match pair.take() {
        Some(made) => made,
        None => patience.turn(MADE, generate_in_turn(draft.resource.name.clone()).boxed()).await?,
    };
    draft.with_public_key(&pair.insert(made).public_key)
}

fn show(plan: &mut PlanView, prepared: Prepared, pace: u32) {
    let faster = u64::from(pace.max(1));
    for child in &prepared.children.found {
        if let Some(stage) = removal(&prepared.plan.stages, child) {
            plan.removals.insert(child.system_id.clone(), stage.name.clone());
        }
    }
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
    plan.findings.extend(prepared.notices);
    plan.children = prepared.children;
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

    pub(crate) async fn draft(
        &self,
        at: &At,
        place: &Place,
        operation: Uuid,
        mutation: Mutation,
    ) -> Result<Draft> {
        let drafting = Drafting { shared: self, at, place, operation, now: self.clock.wall() };
        let kind = mutation.kind();
        let draft = drafting.draft(mutation).await?;
        if draft.asks_the_cloud() {
            supported(at.driver.capabilities(), kind)?;
        }
        Ok(draft)
    }

    /// The operation, and what is to be known of a new one.
    async fn store_draft(
        &self,
        caller: &Caller,
        at: &At,
        place: &Place,
        operation: Uuid,
        draft: Draft,
    ) -> Result<(OperationView, Option<New>)> {
        let target = format!("{} {}", draft.resource.kind.says(), draft.resource.name);
        let audit = self.audit(caller, draft.kind.as_str(), target);
        let intent = match &draft.change {
            Some(change) => stored(change)?,
            None => Value::Null,
        };
        let supersedes = draft.kind.removes();
        let accept = Accept {
            operation: NewOperation {
                id: operation,
                kind: draft.kind,
                resource: draft.resource,
                resource_uid: draft.resource_uid,
                account: place.account.clone(),
                intent,
                requested_by: caller.name.clone(),
                traceparent: caller.traceparent.clone(),
                now: self.clock.wall(),
            },
            through: Through {
                connection: at.connection.uid,
                specification: at.connection.specification.clone(),
                account: Some(place.account.clone()),
            },
            resources: draft.resources,
            decided: draft.decided,
            holds: draft.holds,
            names: draft.names,
            joins: draft.kind.removes(),
            alike: if draft.kind == OperationKind::ClusterDelete { vec![DELETE_VOLUMES] } else { Vec::new() },
            supersedes,
            idempotency: idempotency_key(caller),
            audit,
        };
        let accepted = self.store.accept(accept).await;
        // What waits begins when that ends which it waits for; nobody has to look before.
        let waits = |new: &pmks_store::Operation| new.waits_for.is_some() && !supersedes;
        match &accepted {
            Ok(pmks_store::Accepted::New(new)) if waits(new) => {}
            Ok(_) => self.engine.wake(),
            Err(_) => {}
        }
        match accepted {
            Ok(pmks_store::Accepted::New(operation)) => {
                let new = New { waits: operation.waits_for.is_some() };
                Ok((operation.view(), Some(new)))
            }
            Ok(other) => Ok((other.operation().view(), None)),
            Err(pmks_store::Error::Held { holders }) if supersedes => Err(self.held(&holders).await),
            Err(pmks_store::Error::Held { holders }) => Err(self.going(&holders).await),
            Err(pmks_store::Error::Unlike { operation }) => Err(self.unlike(operation).await),
            Err(error) => Err(of_store(error)),
        }
    }

    /// A refusal of a removal that differs from the one under way: one of the two wishes would be lost.
    async fn unlike(&self, operation: Uuid) -> Box<Failure> {
        let volumes = match self.store.operation(operation).await {
            Ok(Some(known)) => known.intent.pointer(DELETE_VOLUMES).and_then(Value::as_bool),
            _ => None,
        };
        let how = match volumes {
            Some(true) => ", and deletes its volumes too",
            Some(false) => ", and keeps its volumes",
            None => "",
        };
        let says = self.in_words(&[operation]).await.text(format!(" is under way{how}"));
        let fix = "ask for the same, or cancel that one (`pmks operation cancel`) and ask again";
        Box::new(Failure::new(FailureKind::Conflict, says).with_fix(fix))
    }

    /// A refusal to make something of what these operations remove.
    async fn going(&self, removals: &[Uuid]) -> Box<Failure> {
        let Some(first) = removals.first() else { return self.held(removals).await };
        match self.store.operation(*first).await {
            Ok(Some(removal)) => being_deleted(removal.resource.kind, &removal.resource.name, removal.id),
            _ => self.held(removals).await,
        }
    }

    /// A refusal that says in words who holds it.
    pub(crate) async fn held(&self, holders: &[Uuid]) -> Box<Failure> {
        let says = Says::from("it is held by ").then(self.in_words(holders).await);
        Box::new(Failure::new(FailureKind::Conflict, says).with_fix("wait until that is over, or cancel it"))
    }

    /// Operations, as people call them.
    pub(crate) async fn in_words(&self, operations: &[Uuid]) -> Says {
        let mut words = Vec::new();
        for id in operations {
            words.push(match self.store.operation(*id).await {
                Ok(Some(operation)) => {
                    let of = format!(" of {:?} (operation {id})", operation.resource.name);
                    Says::default().term(Term::Operation(operation.kind)).text(of)
                }
                _ => Says::from(format!("operation {id}")),
            });
        }
        Says::several(words, ", ")
    }
}

fn supported(capabilities: &Capabilities, kind: OperationKind) -> Result<()> {
    if capabilities.has(kind) {
        return Ok(());
    }
    let says = Says::from(format!("{} has no ", capabilities.title)).term(Term::Operation(kind));
    Err(Box::new(Failure::new(FailureKind::Unsupported, says)))
}

pub(crate) fn idempotency_key(caller: &Caller) -> Option<IdempotencyKey> {
    caller.idempotency.as_ref().map(|given| IdempotencyKey {
        scope: format!("{} {} {}", caller.name, given.method, given.path),
        key: given.key.clone(),
        body_hash: given.body_hash.clone(),
    })
}
