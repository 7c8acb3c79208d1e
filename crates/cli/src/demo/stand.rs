//! What the demo stands on: a temporary folder, a server on loopback, a client of its public API.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use pmks_driver::Environment;
use pmks_model::FailureKind;

use crate::app::App;
use crate::arguments::{Demo, Serve};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::registry::{Entry, Simulated};
use crate::serve::{self, Server};
use crate::simulated::{self, Served};

/// Variables that mean the user's own installation, and nothing here.
const KEPT: [&str; 6] = ["HOME", "USERPROFILE", "USER", "PATH", "NO_COLOR", "TERM"];

/// What the demo stands on.
pub(super) struct Stand {
    /// An installation of its own.
    pub(super) app: App,
    /// Its client.
    pub(super) client: Client,
    server: Server,
    clouds: Mutex<Vec<Served>>,
    folder: tempfile::TempDir,
}

impl Stand {
    /// Builds it: nothing of the user's own installation is touched.
    pub(super) async fn build(app: &App, demo: &Demo) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("pmks-demo-")
            .tempdir()
            .map_err(|error| Error::new(FailureKind::Unexpected, format!("no temporary folder: {error}")))?;
        let app = installation(app, folder.path());
        let server = serve::start(&app, &serve_on(demo)).await?;
        let client = app.session().await?.client;
        Ok(Self { app, client, server, clouds: Mutex::default(), folder })
    }

    /// Starts a simulated cloud.
    pub(super) async fn simulate(&self, entry: &Entry, demo: &Demo) -> Result<Served> {
        simulated::fresh(entry, Simulated::new(demo.speed, 1), 0).await
    }

    /// Keeps a cloud going until the end.
    pub(super) fn keep(&self, cloud: Served) {
        self.clouds.lock().unwrap_or_else(PoisonError::into_inner).push(cloud);
    }

    /// A file of the demo.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where the server answers.
    pub(super) fn url(&self) -> &url::Url {
        &self.server.url
    }

    /// Ends everything and removes the folder.
    pub(super) async fn remove(self) {
        self.server.stop(&self.app).await;
        let clouds = self.clouds.into_inner().unwrap_or_else(PoisonError::into_inner);
        for cloud in clouds {
            cloud.stop().await;
        }
        if let Err(error) = self.folder.close() {
            tracing::warn!(%error, "the demo's folder could not be removed");
        }
    }
}

/// The same program, installed in that folder.
fn installation(app: &App, folder: &Path) -> App {
    let environment = Environment::new(
        KEPT.iter().filter_map(|name| Some(((*name).to_owned(), app.environment.get(name)?.to_owned()))),
    );
    let mut global = app.global.clone();
    global.data_dir = Some(folder.join("data"));
    global.master_key_file = Some(folder.join("master-key"));
    (global.server, global.server_ca, global.connection, global.database) = (None, None, None, None);
    App { clock: Arc::clone(&app.clock), ..App::new(global, environment, Arc::clone(&app.log)) }
}

fn serve_on(demo: &Demo) -> Serve {
    Serve {
        listen: Some((Ipv4Addr::LOCALHOST, 0).into()),
        external_url: None,
        tls_cert: None,
        tls_key: None,
        simulated: Vec::new(),
        speed: demo.speed,
        allow_ambient: false,
        allow_endpoints: false,
        unique_cloud_names: None,
    }
}
