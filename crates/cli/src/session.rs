//! Where a command's requests go: the named server, else the one of the data directory, else this process.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::app::App;
use crate::client::{Client, HttpDoor, Path};
use crate::data_directory::{Holder, ServerFile, Wanted};
use crate::error::Result;
use crate::local::Local;
use crate::passing::PassingDoor;
use crate::{background, house, login, output};

/// How long a command waits for another one that works on the data directory.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Where a command's requests go.
pub(crate) struct Session {
    /// The client.
    pub(crate) client: Client,
    /// The data directory, if this process works on it.
    pub(crate) local: Option<Local>,
    /// The process that answers only until its command ends, if it is one.
    pub(crate) passing: Option<u32>,
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
        let mut session = self.session_that_follows().await?;
        if session.passing.is_some() {
            session.client = Client::new(Arc::new(PassingDoor::new(self)));
        }
        Ok(session)
    }

    /// The same for what watches an operation: the end of who answers is told, and nobody takes its place.
    ///
    /// # Errors
    /// When the data directory cannot be used.
    pub(crate) async fn session_that_follows(&self) -> Result<Session> {
        self.find(Wanted::Answer).await
    }

    /// Where requests go whose operation this process carries on if no server does: a command that works on the data
    /// directory is waited for. `aloud`: names what waits to be carried on.
    ///
    /// # Errors
    /// `Conflict` while another command works on the data directory.
    pub(crate) async fn session_that_works(&self, aloud: bool) -> Result<Session> {
        let session = self.find(Wanted::Work).await?;
        if aloud && session.local.is_some() {
            name_unfinished(&session.client).await;
        }
        Ok(session)
    }

    async fn find(&self, wanted: Wanted) -> Result<Session> {
        if let Some(url) = &self.global.server {
            return self.named_server(url);
        }
        if self.plans && !house::is_begun(self)? && self.data.running_server()?.is_none() {
            // Seldom, and large: within, every command would be larger by it.
            let nowhere = Box::new(self.nowhere()?);
            return Box::pin(nowhere.hold(wanted)).await;
        }
        self.hold(wanted).await
    }

    async fn hold(&self, wanted: Wanted) -> Result<Session> {
        match self.data.hold(&*self.clock, PATIENCE, wanted).await? {
            Holder::Server(server) => self.local_server(&server),
            Holder::Us(lock) => {
                let local = Local::open(self, lock).await?;
                let client = local.client().await?;
                Ok(Session { client, local: Some(local), passing: None })
            }
        }
    }

    /// Where a request goes whose operation outlives this command: a server, started if there is none.
    pub(crate) async fn session_that_stays(&self) -> Result<Session> {
        if let Some(url) = &self.global.server {
            return self.named_server(url);
        }
        if let Holder::Server(server) = self.data.hold(&*self.clock, PATIENCE, Wanted::Work).await? {
            return self.local_server(&server);
        }
        let server = background::start(self).await?;
        self.local_server(&server)
    }

    fn named_server(&self, url: &Url) -> Result<Session> {
        let own = self.data.running_server().ok().flatten().filter(|own| own.url.origin() == url.origin());
        let credential = login::credential(self, url, own.is_some())?;
        if credential.is_some() && url.scheme() == "http" && !crate::client::is_loopback(url) {
            output::note("warning: the token or password travels in the clear; use https");
        }
        let door = HttpDoor::new(url, credential.as_ref(), self.global.server_ca.as_deref())?;
        Ok(Session { client: Client::new(Arc::new(door)), local: None, passing: None })
    }

    fn local_server(&self, server: &ServerFile) -> Result<Session> {
        let client = Client::new(Arc::new(self.door(server)?));
        Ok(Session { client, local: None, passing: server.passing.then_some(server.pid) })
    }

    /// The way to the server of the data directory.
    ///
    /// # Errors
    /// When its token cannot be read.
    pub(crate) fn door(&self, server: &ServerFile) -> Result<HttpDoor> {
        let credential = if server.passing {
            // Without a server nobody has to log in: a token for another server is not asked for.
            login::of_data_directory(self)?
        } else {
            login::credential(self, &server.url, true)?
        };
        HttpDoor::new(&server.url, credential.as_ref(), self.global.server_ca.as_deref())
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
