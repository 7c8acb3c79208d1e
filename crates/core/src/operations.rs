//! Operations and their events, as callers see them. The engine carries them out.

use futures::stream::{self, BoxStream, StreamExt as _};
use pmks_model::{OperationKind, OperationState};
use pmks_store::{AuditEntry, Operation, Page as StorePage, Store, Wish};
use pmks_transport::Clock;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use uuid::Uuid;

use crate::accept::idempotency_key;
use crate::failure::{of_store, unknown};
use crate::pmks::Shared;
use crate::replay::Replay;
use crate::{Caller, OperationView, Page, PageRequest, Pmks, Result};

/// What page tokens of the list of operations are of.
const LIST: &str = "operations";

/// How often in a row the store may fail to answer before a stream of events ends.
const FAILURES: u32 = 10;
/// How long it is left alone after it failed to.
const BETWEEN_FAILURES: Duration = Duration::from_secs(1);

/// Which operations are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperationFilter {
    /// The page.
    pub page: PageRequest,
    /// Only of this connection.
    pub connection: Option<String>,
    /// Only about a resource of this name.
    pub resource: Option<String>,
    /// Only of this kind.
    pub kind: Option<OperationKind>,
    /// Only in this state.
    pub state: Option<OperationState>,
}

/// A change of an operation, with the whole of it, so that a missed one loses nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its id, for `Last-Event-ID`; grows. The present state, which comes first, has the id of the newest event.
    pub id: u64,
    /// The operation as it was then.
    pub operation: Arc<OperationView>,
    /// How a surface writes it: once for all who read it.
    pub text: Arc<OnceLock<String>>,
}

/// Events as they come.
pub type EventStream = BoxStream<'static, Event>;

/// Operations.
#[derive(Clone, Copy, Debug)]
pub struct Operations<'a>(pub(crate) &'a Pmks);

impl Operations<'_> {
    /// A page of operations, oldest first.
    ///
    /// # Errors
    /// `InvalidRequest` for the page.
    pub async fn list(self, filter: &OperationFilter) -> Result<Page<OperationView>> {
        let (size, after) = (filter.page.size()?, filter.page.after(LIST)?);
        let after = match after {
            Some(text) => Some(text.parse().map_err(|_| crate::page::not_of_this_list())?),
            None => None,
        };
        let wanted = pmks_store::OperationFilter {
            connection: filter.connection.clone(),
            resource_name: filter.resource.clone(),
            kind: filter.kind,
            state: filter.state,
            ..pmks_store::OperationFilter::default()
        };
        let limit = u32::try_from(size).unwrap_or(u32::MAX).saturating_add(1);
        let found = self.store().operations(&wanted, StorePage { after, limit }).await.map_err(of_store)?;
        let views: Vec<(String, OperationView)> =
            found.iter().map(|operation| (operation.id.to_string(), operation.view())).collect();
        let page = PageRequest { page_token: None, ..filter.page.clone() }.cut(LIST, views, |(id, _)| id)?;
        Ok(Page {
            items: page.items.into_iter().map(|(_, view)| view).collect(),
            next_page_token: page.next_page_token,
        })
    }

    /// One operation.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn get(self, id: &str) -> Result<OperationView> {
        Ok(self.read(id).await?.view())
    }

    /// Asks an operation to stop. Deletes nothing.
    ///
    /// # Errors
    /// `NotFound`, `NotAllowed`; `Conflict` if it is over.
    pub async fn cancel(self, caller: &Caller, id: &str) -> Result<OperationView> {
        let operation = self.read(id).await?;
        caller.require_operator(&operation.resource.connection)?;
        let shared = &self.0.shared;
        let audit = shared.audit(caller, "operation.cancel", format!("operation {id}"));
        let wish = shared.wish(caller, operation.id, audit);
        let cancelled = shared.store.cancel(wish).await.map_err(of_store)?;
        shared.engine.wake();
        Ok(cancelled.view())
    }

    /// The next attempt of an operation that failed, or the resumption of one that is blocked. Where it is blocked
    /// between several candidates, `choice` says which one is its own.
    ///
    /// # Errors
    /// `NotFound`, `NotAllowed`; `Conflict` if it is neither, or not the newest of its resource, or there is no such
    /// candidate.
    pub async fn retry(self, caller: &Caller, id: &str, choice: Option<&str>) -> Result<OperationView> {
        let operation = self.read(id).await?;
        caller.require_operator(&operation.resource.connection)?;
        let shared = &self.0.shared;
        let audit = shared.audit(caller, "operation.retry", format!("operation {id}"));
        let wish = shared.wish(caller, operation.id, audit);
        let retried = match shared.store.retry(wish, choice).await {
            Err(pmks_store::Error::Held { holders }) => return Err(shared.held(&holders).await),
            answer => answer.map_err(of_store)?,
        };
        shared.engine.wake();
        Ok(retried.view())
    }

    /// Events of one operation, or of all.
    ///
    /// Of one operation the present state comes first, unless events after `after` are still kept; the stream ends
    /// after its last state. Of all operations it begins after `after`, or now, and never ends. An `after` beyond the
    /// newest event is of another store, or of this one before it was put back: it is no id.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn events(self, operation: Option<&str>, after: Option<u64>) -> Result<EventStream> {
        let newest = *self.store().events().borrow();
        let after = after.and_then(|after| i64::try_from(after).ok()).filter(|after| *after <= newest);
        let Some(id) = operation else {
            return Ok(self.following(None, after.unwrap_or(newest), None).stream());
        };
        let operation = self.read(id).await?;
        let missed = match after {
            Some(after) => {
                let page = self.0.shared.replay.page(Some(operation.id), after).await.map_err(of_store)?;
                page.reaches > after
            }
            None => false,
        };
        // The newest event was read before the operation: what changed in between comes again, and loses nothing.
        let (begin, first) = match (after, missed) {
            (Some(after), true) => (after, None),
            // Whoever saw the last state has nothing to wait for.
            (Some(after), false) if after == newest && operation.state.is_final() => {
                return Ok(stream::empty().boxed());
            }
            _ => {
                let (id, view) = (u64::try_from(newest).unwrap_or(0), Arc::new(operation.view()));
                (newest, Some(Event { id, operation: view, text: Arc::default() }))
            }
        };
        Ok(self.following(Some(operation.id), begin, first).stream())
    }

    /// Waits until an operation is over, or waits for a decision; `None`: it does neither within that time.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) async fn settled(self, id: &str, limit: Duration) -> Result<Option<Arc<OperationView>>> {
        let mut events = self.events(Some(id), None).await?;
        let settled = async {
            while let Some(event) = events.next().await {
                let state = event.operation.state;
                if state.is_final() || state == OperationState::Blocked {
                    return Some(event.operation);
                }
            }
            None
        };
        Ok(tokio::select! {
            settled = settled => settled,
            () = self.0.shared.clock.deadline(limit) => None,
        })
    }

    fn following(self, operation: Option<Uuid>, after: i64, first: Option<Event>) -> Following {
        let newest = self.store().events();
        let reached_now = after >= *newest.borrow();
        Following {
            replay: Arc::clone(&self.0.shared.replay),
            operation,
            after,
            first,
            told: (Arc::default(), 0),
            reached_now,
            waits: false,
            newest,
            clock: Arc::clone(&self.0.shared.clock),
            failures: 0,
            ended: false,
        }
    }

    fn store(&self) -> &Arc<dyn Store> {
        &self.0.shared.store
    }

    async fn read(self, id: &str) -> Result<Operation> {
        let missing = || unknown("operation", id);
        let uid: Uuid = id.parse().map_err(|_| missing())?;
        self.store().operation(uid).await.map_err(of_store)?.ok_or_else(missing)
    }
}

impl Shared {
    fn wish(&self, caller: &Caller, operation: Uuid, audit: AuditEntry) -> Wish {
        Wish { operation, now: self.clock.wall(), idempotency: idempotency_key(caller), audit }
    }
}

/// What a stream of events knows between two of them.
struct Following {
    replay: Arc<Replay>,
    operation: Option<Uuid>,
    after: i64,
    /// Comes before all others.
    first: Option<Event>,
    /// What is being told, and how far.
    told: (Arc<[Event]>, usize),
    /// Whether all of the past is told: from then on everybody reads the same pages, whatever they listen to. Hundreds
    /// who each follow an operation of their own would else read hundreds of pages for each commit.
    reached_now: bool,
    /// Whether there is nothing to read before something new is stored.
    waits: bool,
    newest: tokio::sync::watch::Receiver<i64>,
    clock: Arc<dyn Clock>,
    /// How often in a row the store did not answer.
    failures: u32,
    ended: bool,
}

impl Following {
    fn stream(self) -> EventStream {
        stream::unfold(self, |mut state| async move {
            let event = state.next().await?;
            Some((event, state))
        })
        .boxed()
    }

    async fn next(&mut self) -> Option<Event> {
        while !self.ended {
            if let Some(event) = self.ready() {
                self.ended = self.operation.is_some() && event.operation.state.is_final();
                return Some(event);
            }
            if std::mem::take(&mut self.waits) && self.newest.changed().await.is_err() {
                return None;
            }
            let newest = *self.newest.borrow_and_update();
            let of = self.operation.filter(|_| !self.reached_now);
            let page = match self.replay.page(of, self.after).await {
                Ok(page) => page,
                Err(error) => {
                    let is_over = matches!(error, pmks_store::Error::Closed) || self.failures >= FAILURES;
                    of_store(error);
                    if is_over {
                        // A client connects again with the last id that it saw.
                        return None;
                    }
                    self.failures += 1;
                    self.clock.deadline(BETWEEN_FAILURES).await;
                    continue;
                }
            };
            self.failures = 0;
            self.waits = !page.full;
            self.after = page.reaches;
            self.told = (page.events, 0);
            if !page.full {
                self.reached_now = true;
                self.after = self.after.max(newest);
            }
        }
        None
    }

    fn ready(&mut self) -> Option<Event> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        let (events, next) = &mut self.told;
        let is_wanted = |event: &&Event| self.operation.is_none_or(|wanted| event.operation.id == wanted);
        let found = events.iter().enumerate().skip(*next).find(|(_, event)| is_wanted(event));
        *next = found.map_or(events.len(), |(place, _)| place + 1);
        found.map(|(_, event)| event.clone())
    }
}
