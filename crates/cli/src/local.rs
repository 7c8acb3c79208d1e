//! The server in the command's own process, over the locked data directory.
//!
//! Reads carry nothing on, and have no socket. A mutation carries its own operation on, those that it waits for, and no
//! other; while it does, other commands are answered on a socket.

use pmks_core::{Caller, Pmks};
use pmks_model::FailureKind;
use pmks_server::{Authentication, State};
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::app::App;
use crate::client::{Client, InProcessDoor};
use crate::data_directory::Lock;
use crate::error::{Error, Result};
use crate::{house, serve};

/// The data directory, opened by this process.
pub(crate) struct Local {
    app: App,
    options: pmks_core::Options,
    caller: Caller,
    _lock: Lock,
}

/// An engine at work in this process.
pub(crate) struct Engine {
    /// A client that sees what this engine does as it happens.
    pub(crate) client: Client,
    app: App,
    stop: watch::Sender<bool>,
    work: JoinHandle<()>,
    /// What answers others.
    http: Option<JoinHandle<()>>,
}

impl Local {
    /// Opens the data directory that is held by `lock`.
    ///
    /// # Errors
    /// As [`house::open`].
    pub(crate) async fn open(app: &App, lock: Lock) -> Result<Self> {
        let options = house::open(app, true, true).await?;
        let user = app.environment.get("USER").unwrap_or("local");
        Ok(Self { app: app.clone(), options, caller: Caller::local(user), _lock: lock })
    }

    /// A client without an engine.
    pub(crate) async fn client(&self) -> Result<Client> {
        let pmks = Pmks::open(self.options.clone()).await?;
        self.client_of(pmks)
    }

    /// Carries on that operation and those that it waits for, or all of them.
    pub(crate) async fn carry_on(&self, only: Option<Uuid>) -> Result<Engine> {
        let mut options = self.options.clone();
        options.engine.only = only;
        let pmks = Pmks::open(options).await?;
        let client = self.client_of(pmks.clone())?;
        let (stop, stopped) = watch::channel(false);
        let http = match serve::beside(&self.app, pmks.clone(), stopped.clone()).await {
            Ok(http) => Some(http),
            Err(error) => {
                // The work is worth more than the answers: others wait for its end then.
                tracing::warn!(error = %error.text(), "other commands are not answered while this one works");
                None
            }
        };
        let work = tokio::spawn(async move { pmks.serve(serve::until(stopped)).await });
        Ok(Engine { client, app: self.app.clone(), stop, work, http })
    }

    fn client_of(&self, pmks: Pmks) -> Result<Client> {
        let authentication =
            Authentication::new().map_err(|error| Error::new(FailureKind::Unexpected, error.to_string()))?;
        let authentication = authentication.with_spider_for_callers();
        let clock = Arc::clone(self.options.transport.clock());
        let router = pmks_server::router(State::new(pmks, authentication, clock));
        Ok(Client::new(Arc::new(InProcessDoor::new(router, self.caller.clone()))))
    }
}

impl Engine {
    /// Stops after the answers and the steps that are under way.
    pub(crate) async fn stop(self) {
        self.app.data.forget_server();
        self.stop.send_replace(true);
        for task in self.http.into_iter().chain([self.work]) {
            if let Err(error) = task.await {
                tracing::error!(%error, "a part of the command's work ended abnormally");
            }
        }
    }
}
