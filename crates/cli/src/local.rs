//! The server in the command's own process, without a socket, over the locked data directory.
//!
//! Reads carry nothing on. A mutation carries its own operation on, and no other.

use pmks_core::{Caller, Pmks};
use pmks_model::FailureKind;
use pmks_server::{Authentication, State};
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::app::App;
use crate::client::{Client, InProcessDoor};
use crate::data_directory::Lock;
use crate::error::{Error, Result};
use crate::house;

/// The data directory, opened by this process.
pub(crate) struct Local {
    options: pmks_core::Options,
    caller: Caller,
    _lock: Lock,
}

/// An engine at work in this process.
pub(crate) struct Engine {
    /// A client that sees what this engine does as it happens.
    pub(crate) client: Client,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Local {
    /// Opens the data directory that is held by `lock`.
    ///
    /// # Errors
    /// As [`house::open`].
    pub(crate) async fn open(app: &App, lock: Lock) -> Result<Self> {
        let options = house::open(app, true, true).await?;
        let user = app.environment.get("USER").unwrap_or("local");
        Ok(Self { options, caller: Caller::local(user), _lock: lock })
    }

    /// A client without an engine.
    pub(crate) async fn client(&self) -> Result<Client> {
        let pmks = Pmks::open(self.options.clone()).await?;
        self.client_of(pmks)
    }

    /// Carries on that operation, or all of them.
    pub(crate) async fn carry_on(&self, only: Option<Uuid>) -> Result<Engine> {
        let mut options = self.options.clone();
        options.engine.only = only;
        let pmks = Pmks::open(options).await?;
        let client = self.client_of(pmks.clone())?;
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            // That nobody is left to stop it is a stop too.
            pmks.serve(async { drop(stopped.await) }).await;
        });
        Ok(Engine { client, stop, task })
    }

    fn client_of(&self, pmks: Pmks) -> Result<Client> {
        let authentication =
            Authentication::new().map_err(|error| Error::new(FailureKind::Unexpected, error.to_string()))?;
        let clock = Arc::clone(self.options.transport.clock());
        let router = pmks_server::router(State::new(pmks, authentication, clock));
        Ok(Client::new(Arc::new(InProcessDoor::new(router, self.caller.clone()))))
    }
}

impl Engine {
    /// Stops after the steps that are under way.
    pub(crate) async fn stop(self) {
        // An engine that has ended by itself needs no stop.
        let _ = self.stop.send(());
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the engine ended abnormally");
        }
    }
}
