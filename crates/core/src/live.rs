//! What clouds offer, kept in memory for a stated while: asked once, however many want it.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use pmks_transport::Clock;

use crate::{Dated, Result};

/// Answers by what was asked and where. Whoever asks while another does waits for that answer.
#[derive(Default)]
pub(crate) struct Live(Mutex<HashMap<String, Arc<Slot>>>);

type Slot = tokio::sync::Mutex<Option<(Timestamp, Arc<dyn Any + Send + Sync>)>>;

/// More than this are not kept: what is asked for rarely must not grow for ever.
const MOST: usize = 1000;

impl Live {
    /// The answer under that key if it is not older than `max_age`, else what `ask` answers now.
    pub(crate) async fn get<T, F>(
        &self,
        key: String,
        clock: &dyn Clock,
        max_age: Duration,
        ask: F,
    ) -> Result<Dated<T>>
    where
        T: Clone + Send + Sync + 'static,
        F: AsyncFnOnce() -> Result<Vec<T>>,
    {
        let slot = self.slot(key);
        let asked_at = clock.wall();
        let mut kept = slot.lock().await;
        if let Some((at, items)) = kept.as_ref() {
            let age = Duration::try_from(asked_at.duration_since(*at)).unwrap_or_default();
            let fresh = *at > asked_at || (!max_age.is_zero() && age <= max_age);
            if fresh && let Some(items) = items.downcast_ref::<Vec<T>>() {
                return Ok(Dated { items: items.clone(), observed_at: *at });
            }
        }
        let items = ask().await?;
        let at = clock.wall();
        *kept = Some((at, Arc::new(items.clone())));
        Ok(Dated { items, observed_at: at })
    }

    fn slot(&self, key: String) -> Arc<Slot> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MOST {
            slots.clear();
        }
        Arc::clone(slots.entry(key).or_default())
    }
}
