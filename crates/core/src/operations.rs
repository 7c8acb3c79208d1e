//! Operations and their events, as callers see them. The engine carries them out.

use std::collections::VecDeque;

use futures::stream::{self, BoxStream, StreamExt as _};
use pmks_model::{OperationKind, OperationState};
use pmks_store::{AuditEntry, Operation, Page as StorePage, Store, Wish};
use std::sync::Arc;
use uuid::Uuid;

use crate::accept::idempotency_key;
use crate::failure::{not_found, of_store};
use crate::pmks::Shared;
use crate::{Caller, OperationView, Page, PageRequest, Pmks, Result};

/// How many events are read at once.
const BATCH: u32 = 256;

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
    pub operation: OperationView,
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
        let (size, after) = (filter.page.size()?, filter.page.after()?);
        let after = match after {
            Some(text) => {
                Some(text.parse().map_err(|_| crate::failure::invalid("pageToken", "is not of this list"))?)
            }
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
        let page = PageRequest { page_token: None, ..filter.page.clone() }.cut(views, |(id, _)| id)?;
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
            return Ok(follow(Arc::clone(self.store()), None, after.unwrap_or(newest), VecDeque::new()));
        };
        let operation = self.read(id).await?;
        let missed = match after {
            Some(after) => self.store().events_after(after, Some(operation.id), 1).await.map_err(of_store)?,
            None => Vec::new(),
        };
        // The newest event was read before the operation: what changed in between comes again, and loses nothing.
        let (begin, first) = match (after, missed.is_empty()) {
            (Some(after), false) => (after, None),
            // Whoever saw the last state has nothing to wait for.
            (Some(after), true) if after == newest && operation.state.is_final() => {
                return Ok(stream::empty().boxed());
            }
            _ => {
                (newest, Some(Event { id: u64::try_from(newest).unwrap_or(0), operation: operation.view() }))
            }
        };
        Ok(follow(Arc::clone(self.store()), Some(operation.id), begin, first.into_iter().collect()))
    }

    fn store(&self) -> &Arc<dyn Store> {
        &self.0.shared.store
    }

    async fn read(self, id: &str) -> Result<Operation> {
        let missing = || not_found("operation", id);
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
    store: Arc<dyn Store>,
    operation: Option<Uuid>,
    after: i64,
    ready: VecDeque<Event>,
    newest: tokio::sync::watch::Receiver<i64>,
    ended: bool,
}

fn follow(store: Arc<dyn Store>, operation: Option<Uuid>, after: i64, ready: VecDeque<Event>) -> EventStream {
    let newest = store.events();
    let state = Following { store, operation, after, ready, newest, ended: false };
    stream::unfold(state, |mut state| async move {
        let event = state.next().await?;
        Some((event, state))
    })
    .boxed()
}

impl Following {
    async fn next(&mut self) -> Option<Event> {
        while !self.ended {
            if let Some(event) = self.ready.pop_front() {
                self.ended = self.operation.is_some() && event.operation.state.is_final();
                return Some(event);
            }
            self.newest.borrow_and_update();
            match self.store.events_after(self.after, self.operation, BATCH).await {
                Ok(events) => {
                    for event in events {
                        self.after = self.after.max(event.sequence);
                        self.ready.extend(shown(&event));
                    }
                }
                Err(error) => {
                    // The reader connects again with the last id that it saw.
                    of_store(error);
                    return None;
                }
            }
            if self.ready.is_empty() && self.newest.changed().await.is_err() {
                return None;
            }
        }
        None
    }
}

/// An event written by a newer release cannot be shown; the next one holds the whole operation again.
fn shown(event: &pmks_store::Event) -> Option<Event> {
    let operation = serde_json::from_value(event.snapshot.clone()).ok()?;
    Some(Event { id: u64::try_from(event.sequence).ok()?, operation })
}
