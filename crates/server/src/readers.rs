//! Who follows events: so many streams a caller at once, and so many of all together. A stream has its connection for
//! itself, and whoever asks for something needs one too.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use pmks_model::FailureKind;

use crate::Limits;
use crate::refused::Refused;

/// How long a reader too many should wait.
const RETRY_AFTER_SECONDS: u32 = 5;

/// The streams that are open, by caller.
#[derive(Clone, Default)]
pub(crate) struct Readers(Arc<Mutex<HashMap<String, usize>>>);

/// An open stream; dropped with it.
pub(crate) struct Reader {
    readers: Readers,
    caller: String,
}

impl Readers {
    /// Counts one more, if neither the caller has too many already nor all together.
    pub(crate) fn admit(&self, caller: &str, limits: &Limits) -> Result<Reader, Refused> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = open.get(caller).copied().unwrap_or_default();
        let (most, most_of_all) = (limits.event_readers, limits.all_event_readers);
        let detail = if own >= most {
            format!("{caller} follows events in {most} streams already: no caller has more")
        } else if open.values().sum::<usize>() >= most_of_all {
            format!("events are followed in {most_of_all} streams already: there are no more")
        } else {
            String::new()
        };
        if !detail.is_empty() {
            return Err(Refused::new(FailureKind::Throttled, detail).retry_after(RETRY_AFTER_SECONDS));
        }
        *open.entry(caller.to_owned()).or_default() += 1;
        Ok(Reader { readers: self.clone(), caller: caller.to_owned() })
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut open = self.readers.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.caller) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.remove(&self.caller);
            }
        }
    }
}
