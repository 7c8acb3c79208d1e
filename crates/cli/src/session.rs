//! Where a command's requests go: the named server, else the one of the data directory, else this process.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::app::App;
use crate::client::{Client, HttpDoor, Path};
use crate::data_directory::{Holder, ServerFile};
use crate::error::Result;
use crate::local::Local;
use crate::{background, login, output};

/// How long a command waits for another one that works on the data directory.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where a command's requests go.
pub(crate) struct Session {
    /// The client.
    pub(crate) client: Client,
    /// The data directory, if this process works on it.
    pub(crate) local: Option<Local>,
}

impl App {
    /// Where this command's requests go. Names what waits to be carried on in the data directory.
    ///
    /// # Errors
    /// When the data directory cannot be used.
    pub(crate) async fn session(&self) -> Result<Session> {
        let session = self.quiet_session().await?;
        if session.local.is_some() {
            name_unfinished(&session.client).await;
        }
        Ok(session)
    }

    /// Where this command's requests go.
    ///
    /// # Errors
    /// When the data directory cannot be used.
    pub(crate) async fn quiet_session(&self) -> Result<Session> {
        if let Some(url) = &self.global.server {
            return self.named_server(url);
        }
        match self.data.hold(&*self.clock, PATIENCE).await? {
            Holder::Server(server) => self.local_server(&server),
            Holder::Us(lock) => {
                let local = Local::open(self, lock).await?;
                let client = local.client().await?;
                Ok(Session { client, local: Some(local) })
            }
        }
    }

    /// Where a request goes whose operation outlives this command: a server, started if there is none.
    pub(crate) async fn session_that_stays(&self) -> Result<Session> {
        if let Some(url) = &self.global.server {
            return self.named_server(url);
        }
        if let Holder::Server(server) = self.data.hold(&*self.clock, PATIENCE).await? {
            return self.local_server(&server);
        }
        let server = background::start(self).await?;
        self.local_server(&server)
    }

    fn named_server(&self, url: &Url) -> Result<Session> {
        let own = self.data.running_server().ok().flatten().filter(|own| own.url.origin() == url.origin());
        let credential = login::credential(self, url, own.is_some())?;
        if credential.is_some() && url.scheme() == "http" && !crate::client::is_loopback(url) {
            output::note("warning: the token travels in the clear; use https");
        }
        let door = HttpDoor::new(url, credential.as_ref(), self.global.server_ca.as_deref())?;
        Ok(Session { client: Client::new(Arc::new(door)), local: None })
    }

    fn local_server(&self, server: &ServerFile) -> Result<Session> {
        let credential = login::credential(self, &server.url, true)?;
        let door = HttpDoor::new(&server.url, credential.as_ref(), self.global.server_ca.as_deref())?;
        Ok(Session { client: Client::new(Arc::new(door)), local: None })
    }
}

/// Says, in one line, that something waits to be carried on.
async fn name_unfinished(client: &Client) {
    let mut names = Vec::new();
    for state in ["running", "queued"] {
        match client.list(Path::v1(["operations"]).query("state", state)).await {
            Ok(operations) => names.extend(operations.iter().filter_map(|operation| {
                let text = |at| operation.pointer(at).and_then(serde_json::Value::as_str);
                Some(format!("{} {}", text("/kind")?, text("/resource/name")?))
            })),
            Err(error) => tracing::debug!(error = %error.text(), "unfinished operations could not be named"),
        }
    }
    if !names.is_empty() {
        output::note(&format!("unfinished: {}; carry on with: pmks operation resume", names.join(", ")));
    }
}
