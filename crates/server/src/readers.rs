//! Who follows events: so many streams a caller at once, and no more.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use pmks_model::FailureKind;

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
    /// Counts one more, if the caller has not too many already.
    pub(crate) fn admit(&self, caller: &str, most: usize) -> Result<Reader, Refused> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(caller.to_owned()).or_default();
        if *count >= most {
            let detail = format!("{caller} follows events in {most} streams already: no caller has more");
            return Err(Refused::new(FailureKind::Throttled, detail).retry_after(RETRY_AFTER_SECONDS));
        }
        *count += 1;
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
