//! Pages of stored events, read once for all who follow them.
//!
//! A reader holds nothing of the store while it takes what it was given, and all of them together never more than one
//! of its connections: whoever follows slowly, or from the beginning, waits for nobody else and nobody waits for them.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use pmks_store::Store;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::operations::Event;

/// The most events of a page.
const PAGE: u32 = 64;
/// How many pages are kept, the one used last longest.
const KEPT: usize = 16;

/// Reads pages, one at a time.
pub(crate) struct Replay {
    store: Arc<dyn Store>,
    kept: Mutex<VecDeque<Kept>>,
}

/// A page with what it was read for.
struct Kept {
    operation: Option<Uuid>,
    after: i64,
    /// The newest event when it was read: a page that is not full holds for as long as there is no newer one.
    newest: i64,
    page: Page,
}

/// Some events in a row.
#[derive(Clone)]
pub(crate) struct Page {
    pub(crate) events: Arc<[Event]>,
    /// The number of the last one, shown or not.
    pub(crate) reaches: i64,
    /// Whether more may follow at once.
    pub(crate) full: bool,
}

impl Replay {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, kept: Mutex::default() }
    }

    /// The events after that one; of one operation or of all.
    pub(crate) async fn page(&self, operation: Option<Uuid>, after: i64) -> pmks_store::Result<Page> {
        let mut kept = self.kept.lock().await;
        let newest = *self.store.events().borrow();
        let is_it = |one: &Kept| one.operation == operation && one.after == after;
        let holds = |one: &Kept| is_it(one) && (one.page.full || one.newest == newest);
        if let Some(found) = kept.iter().position(holds).and_then(|at| kept.remove(at)) {
            let page = found.page.clone();
            kept.push_back(found);
            return Ok(page);
        }
        let stored = self.store.events_after(after, operation, PAGE).await?;
        let page = Page {
            events: stored.iter().filter_map(shown).collect(),
            reaches: stored.last().map_or(after, |event| event.sequence.max(after)),
            full: u32::try_from(stored.len()).is_ok_and(|count| count >= PAGE),
        };
        kept.retain(|one| !is_it(one));
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back(Kept { operation, after, newest, page: page.clone() });
        Ok(page)
    }
}

/// An event written by a newer release cannot be shown; the next one holds the whole operation again.
fn shown(event: &pmks_store::Event) -> Option<Event> {
    let operation = serde_json::from_value(event.snapshot.clone()).ok()?;
    let id = u64::try_from(event.sequence).ok()?;
    Some(Event { id, operation: Arc::new(operation), text: Arc::new(OnceLock::new()) })
}
