//! Where more than five operations wait in one account and location, one list answers them all, if the cloud has one.
//!
//! A list spares calls and decides nothing: what it does not show to be there is asked for by a call of its own, and a
//! list that began before something was asked for says nothing of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use pmks_driver::ProgressList;
use pmks_model::StageState;
use uuid::Uuid;

use super::stage::Turn;
use super::timing::LONGEST_WAIT;

/// Up to so many ask for themselves.
const FEW: usize = 5;

/// Those who wait, by account and location.
#[derive(Default)]
pub(super) struct Crowds(Mutex<HashMap<(String, String), Crowd>>);

/// Those who wait at one place.
#[derive(Default)]
struct Crowd {
    /// When each operation was last seen waiting, on the monotonic clock.
    seen: HashMap<Uuid, Duration>,
    /// The list that was read last. Held while it is read: the others wait for it.
    list: Arc<tokio::sync::Mutex<Option<Read>>>,
}

/// A list, or that it could not be read.
struct Read {
    began_wall: Timestamp,
    began: Duration,
    list: Option<ProgressList>,
}

impl Crowds {
    /// Notes that an operation waits there; the place's list, if more than a few do.
    fn join(
        &self,
        place: (String, String),
        operation: Uuid,
        now: Duration,
    ) -> Option<Arc<tokio::sync::Mutex<Option<Read>>>> {
        let mut crowds = self.lock();
        let crowd = crowds.entry(place).or_default();
        crowd.seen.insert(operation, now);
        crowd.seen.retain(|_, seen| now.saturating_sub(*seen) <= LONGEST_WAIT);
        (crowd.seen.len() > FEW).then(|| Arc::clone(&crowd.list))
    }

    /// An operation is over.
    pub(super) fn leave(&self, operation: Uuid) {
        self.lock().retain(|_, crowd| {
            crowd.seen.remove(&operation);
            !crowd.seen.is_empty()
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(String, String), Crowd>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// One list that may answer what this stage waits for; `None`: it asks by itself.
    pub(super) async fn listed(&mut self) -> Option<ProgressList> {
        if !self.capabilities().progress_list || self.record.state != StageState::Following {
            return None;
        }
        let (house, connected) = (self.run.house, &self.run.connected);
        let place = (self.run.operation.account.clone(), connected.location.clone());
        let kept = house.crowds.join(place, self.run.operation.id, house.clock.monotonic())?;
        self.in_crowd = true;
        let mut read = kept.lock().await;
        if !read.as_ref().is_some_and(|read| self.is_new_enough(read)) {
            let (began_wall, began) = (self.now(), house.clock.monotonic());
            let answer = self.call("list", connected.driver.list_progress()).await;
            let list = answer.inspect_err(|error| tracing::debug!(%error, "everybody asks for himself")).ok();
            *read = Some(Read { began_wall, began, list });
        }
        read.as_ref()?.list.clone()
    }

    /// A list may be half as old as the time between two looks, and is of no use to what was asked for since.
    fn is_new_enough(&self, read: &Read) -> bool {
        let age = self.run.house.clock.monotonic().saturating_sub(read.began);
        let asked_before = self.record.asked_at.is_none_or(|asked_at| asked_at <= read.began_wall);
        asked_before && age <= self.poll_wait() / 2
    }
}
