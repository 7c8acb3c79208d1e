//! The way to a command that answers others while it works. It may end at any moment: whoever works on the data
//! directory next is asked then, and where nobody does, this process.

use async_trait::async_trait;
use std::time::Duration;
use tokio::sync::OnceCell;

use crate::app::App;
use crate::client::{Client, Door, Received, Sent};
use crate::data_directory::{Holder, Wanted};
use crate::error::Result;
use crate::local::Local;
use crate::session::PATIENCE;

/// How long between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// The way to whoever works on the data directory at the time of a request.
pub(crate) struct PassingDoor {
    app: App,
    heir: OnceCell<Heir>,
}

/// This process, once nobody else works there.
struct Heir {
    client: Client,
    /// Holds the lock.
    _local: Local,
}

impl PassingDoor {
    /// The way to who works on the data directory.
    pub(crate) fn new(app: &App) -> Self {
        Self { app: app.clone(), heir: OnceCell::new() }
    }
}

#[async_trait]
impl Door for PassingDoor {
    async fn send(&self, request: Sent) -> Result<Received> {
        let give_up = self.app.clock.monotonic().saturating_add(PATIENCE);
        loop {
            if let Some(heir) = self.heir.get() {
                return heir.client.pass(request).await;
            }
            match self.app.data.hold(&*self.app.clock, PATIENCE, Wanted::Answer).await? {
                Holder::Us(lock) => {
                    let local = Local::open(&self.app, lock).await?;
                    let heir = Heir { client: local.client().await?, _local: local };
                    // Only one of several requests at once gets the lock.
                    let _ = self.heir.set(heir);
                }
                Holder::Server(server) => match self.app.door(&server)?.attempt(request.clone()).await {
                    Ok(received) => return Ok(received),
                    Err(unanswered) => {
                        let harmless = request.repeatable || !unanswered.arrived;
                        if !harmless || self.app.clock.monotonic() >= give_up {
                            return Err(unanswered.error);
                        }
                        self.app.clock.sleep(PAUSE).await;
                    }
                },
            }
        }
    }
}
