//! A cloud that does what it is asked, and answers some calls in another shape than its own.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pmks_simulation::{Answered, Identified, Retold};

use super::shapes::{Shape, reshaped};
use crate::retold::Tells;

/// Which answers are of which shape.
#[derive(Default)]
pub(crate) struct Reshaper(Mutex<Rule>);

#[derive(Default)]
struct Rule {
    /// The call, as `service.action`.
    call: String,
    shape: Option<Shape>,
    left: usize,
    struck: bool,
}

impl Reshaper {
    /// The next good answers of that call, so many, are of that shape.
    pub(super) fn set(&self, call: &str, shape: Shape, left: usize) {
        *self.lock() = Rule { call: call.to_owned(), shape: Some(shape), left, struck: false };
    }

    /// No answer is any more; says whether one was.
    pub(super) fn clear(&self) -> bool {
        std::mem::take(&mut *self.lock()).struck
    }

    fn lock(&self) -> MutexGuard<'_, Rule> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tells for Reshaper {
    fn retell(&self, call: &Identified, mut answered: Answered) -> Answered {
        let mut rule = self.lock();
        let is_it = rule.left > 0 && rule.call.split_once('.') == Some((&call.service, &call.action));
        if let Some(shape) = rule.shape.filter(|_| is_it) {
            let body = reshaped(answered.response.body(), shape);
            rule.struck |= body != *answered.response.body();
            rule.left -= 1;
            *answered.response.body_mut() = body.into();
            answered.response.extensions_mut().insert(Retold);
        }
        answered
    }
}
