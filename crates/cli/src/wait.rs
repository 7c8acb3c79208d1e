//! Follows one operation to its end by events, and by asking where events do not come. Never ends the operation.

use std::sync::Arc;
use std::time::Duration;

use pmks_api::Operation;
use pmks_model::FailureKind;
use pmks_transport::Clock;

use crate::client::{Client, Path, shaped};
use crate::error::{Error, Result};
use crate::progress::{Look, Progress};

/// How long between two tries to get events, and between two questions where there are none.
const PAUSE: Duration = Duration::from_secs(1);
/// How often events are tried for before asking instead.
const TRIES: u32 = 3;
/// How long a server may be away (a restart) before waiting is given up.
pub(crate) const AWAY: Duration = Duration::from_mins(1);

/// Follows one operation.
pub(crate) struct Waiter {
    /// Who is asked.
    pub(crate) client: Client,
    /// The clock.
    pub(crate) clock: Arc<dyn Clock>,
    /// How long to wait at most.
    pub(crate) timeout: Option<Duration>,
    /// How long who is asked may be away.
    pub(crate) away: Duration,
    /// How progress looks.
    pub(crate) look: Look,
}

impl Waiter {
    /// The operation at its end; shows its progress until then.
    ///
    /// # Errors
    /// `Timeout` when the time is over, `Interrupted` on Ctrl-C; the operation goes on after both.
    pub(crate) async fn until_over(&self, operation: Operation) -> Result<Operation> {
        let id = operation.id.clone();
        let mut progress = Progress::new(Arc::clone(&self.clock), self.look);
        progress.show(&operation);
        let ended = tokio::select! {
            ended = self.follow(operation, &mut progress) => ended,
            () = self.time_is_over() => {
                let says = format!("operation {id} is not over; it goes on");
                Err(Error::new(FailureKind::Timeout, says).with_fix(format!("pmks operation watch {id}")))
            }
            () = crate::signals::interrupt() => {
                Err(Error::Interrupted(format!("\nstopped waiting; operation {id} goes on: pmks operation watch {id}")))
            }
        };
        progress.close(ended.as_ref().ok());
        ended
    }

    async fn time_is_over(&self) {
        match self.timeout {
            Some(timeout) => self.clock.sleep(timeout).await,
            None => std::future::pending().await,
        }
    }

    async fn follow(&self, mut operation: Operation, progress: &mut Progress) -> Result<Operation> {
        let mut last_event: Option<String> = None;
        let mut failures = 0;
        while !is_over(&operation) {
            if failures < TRIES {
                match self.events(&mut operation, &mut last_event, progress).await {
                    Ok(()) if is_over(&operation) => break,
                    Ok(()) => failures = 0,
                    Err(error) => {
                        tracing::debug!(error = %error.text(), "the events broke off");
                        failures += 1;
                    }
                }
            }
            operation = self.ask(&operation.id).await?;
            progress.show(&operation);
            if !is_over(&operation) {
                self.clock.sleep(PAUSE).await;
            }
        }
        Ok(operation)
    }

    /// Takes events until the stream ends, or the operation does.
    async fn events(
        &self,
        operation: &mut Operation,
        last: &mut Option<String>,
        progress: &mut Progress,
    ) -> Result<()> {
        let path = Path::v1(["operations", &operation.id, "events"]);
        let Some(mut events) = self.client.events(path, last.as_deref()).await? else { return Ok(()) };
        while let Some(event) = events.next().await? {
            last.clone_from(&event.id);
            if event.name == "operation" {
                let json = serde_json::from_str(&event.data)
                    .map_err(|error| Error::new(FailureKind::Unexpected, error.to_string()))?;
                *operation = shaped(json)?;
                progress.show(operation);
            }
            if event.name == "end" || is_over(operation) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Asks for the operation; a server that is away is waited for.
    async fn ask(&self, id: &str) -> Result<Operation> {
        let give_up = self.clock.monotonic().saturating_add(self.away);
        loop {
            match self.client.get(Path::v1(["operations", id])).await {
                Ok(answer) => return shaped(answer),
                Err(error) if is_away(&error) && self.clock.monotonic() < give_up => {
                    self.clock.sleep(PAUSE).await;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

fn is_away(error: &Error) -> bool {
    [FailureKind::Unavailable, FailureKind::Timeout, FailureKind::Throttled]
        .iter()
        .any(|kind| error.is(*kind))
}

/// Whether waiting for it is over. What is blocked needs the user.
pub(crate) fn is_over(operation: &Operation) -> bool {
    matches!(operation.state.as_str(), "succeeded" | "failed" | "cancelled" | "blocked")
}

/// The operation if it went well.
///
/// # Errors
/// The class of its own error.
pub(crate) fn judge(operation: Operation) -> Result<Operation> {
    if operation.state == "succeeded" { Ok(operation) } else { Err(Error::Operation(Box::new(operation))) }
}
