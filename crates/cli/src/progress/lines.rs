//! Progress where there is no terminal: a line for each change, nothing that moves.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use pmks_api::Operation;
use pmks_transport::Clock;

use super::{Look, says, title};
use crate::output::{note, seconds};

/// Lines on standard error.
pub(crate) struct Lines {
    clock: Arc<dyn Clock>,
    began: Duration,
    shown: HashMap<String, (String, String)>,
    introduced: bool,
    look: Look,
}

impl Lines {
    pub(super) fn new(clock: Arc<dyn Clock>, look: Look) -> Self {
        let began = clock.monotonic();
        Self { clock, began, shown: HashMap::new(), introduced: false, look }
    }

    pub(super) fn show(&mut self, operation: &Operation) {
        if self.look.brief {
            return;
        }
        if !self.introduced {
            note(&format!("{} ({})", title(operation), operation.id));
            self.introduced = true;
        }
        for stage in operation.stages.iter().filter(|stage| stage.state != "waiting") {
            let state = match stage.state.as_str() {
                "asking" | "following" => "at work",
                state => state,
            };
            let now = (state.to_owned(), stage.detail.clone());
            if self.shown.get(&stage.name) == Some(&now) {
                continue;
            }
            let detail =
                if stage.detail.is_empty() { String::new() } else { format!(", {}", says(&stage.detail)) };
            note(&format!("  {:>6}  {}: {state}{detail}", self.elapsed(), stage.name));
            self.shown.insert(stage.name.clone(), now);
        }
    }

    pub(super) fn close(self, operation: Option<&Operation>) {
        if let Some(operation) = operation {
            note(&format!("{} {} in {}", title(operation), operation.state, self.elapsed()));
        }
    }

    fn elapsed(&self) -> String {
        seconds(self.clock.monotonic().saturating_sub(self.began).as_secs())
    }
}
