//! `pmks serve`: the server, its engine, and simulated clouds beside it if asked for.

mod spider;

use std::sync::Arc;

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use pmks_core::{Caller, Pmks};
use pmks_model::FailureKind;
use pmks_server::{Authentication, ServeOptions, State, Tls};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;

use crate::app::App;
use crate::arguments::Serve;
use crate::client::{Client, InProcessDoor, Path, Request};
use crate::data_directory::{Holder, Lock, ServerFile, Wanted};
use crate::error::{Error, Result};
use crate::registry::{self, Simulated};
use crate::simulated::Served;
use crate::{house, output, private_file, signals, simulated, sudden_death};
pub(crate) use spider::USUAL_ADDRESS;

/// Serves until told to end.
pub(crate) async fn run(app: &App, serve: &Serve) -> Result<()> {
    let server = start(app, serve).await?;
    output::note(&format!("pmks serves at {}", server.url));
    spider::tell(app);
    if server.on_loopback && app.data.token_file().exists() {
        output::note(&format!(
            "commands on this machine find it; others use the token in {}",
            app.data.token_file().display()
        ));
    }
    for cloud in &server.clouds {
        output::note(&format!(
            "simulated {}: {}, connection {}",
            cloud.name,
            cloud.url(),
            connection_name(cloud)
        ));
    }
    signals::end().await;
    output::note("ending; what is unfinished goes on at the next start");
    server.stop(app).await;
    Ok(())
}

/// A server that answers, with its engine at work.
pub(crate) struct Server {
    /// Where it answers.
    pub(crate) url: url::Url,
    /// The simulated clouds that it has.
    pub(crate) clouds: Vec<Served>,
    /// Whether nobody else can reach it.
    on_loopback: bool,
    stop: watch::Sender<bool>,
    http: tokio::task::JoinHandle<()>,
    engine: tokio::task::JoinHandle<()>,
    _lock: Lock,
}

/// Starts a server on the data directory.
///
/// # Errors
/// `Conflict` while another one serves it; whatever keeps it from listening.
pub(crate) async fn start(app: &App, serve: &Serve) -> Result<Server> {
    let lock = hold(app).await?;
    let listen_at = spider::listen(app, serve.listen)?;
    let loopback = listen_at.ip().is_loopback();
    let tls = tls(serve)?;
    let unique_cloud_names = spider::unique_cloud_names(app, serve.unique_cloud_names)?;
    let house = house::open(app, loopback || serve.allow_ambient, loopback || serve.allow_endpoints).await?;
    let options = pmks_core::Options { unique_cloud_names, ..house };
    let pmks = Pmks::open_with_kill_points(options, sudden_death::kill_points(&app.environment)).await?;
    let authentication = spider::serve(app, authentication(app, loopback)?)?;
    let named = ["PMKS_USERNAME", "SPIDER_USERNAME"].iter().any(|name| app.environment.get(name).is_some());
    if !loopback && !named {
        require_a_token(app, &pmks, listen_at).await?;
    }
    let state = State::new(pmks.clone(), authentication, Arc::clone(&app.clock))
        .with_log(Arc::clone(&app.log) as Arc<dyn pmks_server::LogFilter>);
    let state = match app.sampling {
        Some(sampling) => state.with_traces(sampling),
        None => state,
    };
    signals::survive_file_limits();
    let clouds = simulated_clouds(app, serve, &state).await?;
    let (stop, stopped) = watch::channel(false);
    let options =
        ServeOptions { tls, external_url: serve.external_url.clone(), ..ServeOptions::on(listen_at) };
    let serving = listen(options, state.clone(), stopped.clone()).await?;
    let engine = tokio::spawn(async move { pmks.serve(until(stopped)).await });
    state.engine_runs(true);
    let url = serving.url.clone();
    let http = answer(app, serving, false)?;
    Ok(Server { url, clouds, on_loopback: loopback, stop, http, engine, _lock: lock })
}

/// Answers others while a command works on the data directory: on loopback, to whoever has the directory's token. The
/// caller holds the lock, and calls `forget_server` before it stops.
///
/// # Errors
/// Whatever keeps it from listening.
pub(crate) async fn beside(
    app: &App,
    pmks: Pmks,
    stopped: watch::Receiver<bool>,
) -> Result<tokio::task::JoinHandle<()>> {
    let authentication = Authentication::new()
        .map_err(|error| Error::new(FailureKind::Unexpected, error.to_string()))?
        .with_local_token(&local_token(app)?);
    // Never said to be ready: it carries on one operation alone.
    let state = State::new(pmks, authentication, Arc::clone(&app.clock));
    let listen_at = std::net::SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, 0));
    answer(app, listen(ServeOptions::on(listen_at), state, stopped).await?, true)
}

async fn listen(
    options: ServeOptions,
    state: State,
    stopped: watch::Receiver<bool>,
) -> Result<pmks_server::Serving> {
    pmks_server::serve(options, state, until(stopped)).await.map_err(|error| not_served(&error))
}

/// Answers, and says where; `passing`: only while a command works.
fn answer(app: &App, serving: pmks_server::Serving, passing: bool) -> Result<tokio::task::JoinHandle<()>> {
    let url = local_url(&serving);
    let http = tokio::spawn(serving.finished());
    app.data.write_server(&ServerFile { pid: std::process::id(), url, passing })?;
    Ok(http)
}

impl Server {
    /// Ends it in good order: requests first, then the engine, the database, the clouds.
    pub(crate) async fn stop(self, app: &App) {
        app.data.forget_server();
        self.stop.send_replace(true);
        for task in [self.http, self.engine] {
            if let Err(error) = task.await {
                tracing::error!(%error, "a part of the server ended abnormally");
            }
        }
        // Before the lock goes: the next process finds one whole file.
        app.opened.close(&*app.clock).await;
        for cloud in self.clouds {
            cloud.stop().await;
        }
    }
}

pub(crate) async fn until(mut stopped: watch::Receiver<bool>) {
    // A sender that is gone is a stop too.
    drop(stopped.wait_for(|stopped| *stopped).await);
}

/// Where commands on this machine reach it: where it listens, whatever stands between it and others. Only a certificate
/// may know it by its external URL alone.
fn local_url(serving: &pmks_server::Serving) -> url::Url {
    let listens = serving.address.ip();
    let ip = if listens.is_unspecified() { std::net::Ipv4Addr::LOCALHOST.into() } else { listens };
    if serving.scheme == "https" && !ip.is_loopback() {
        return serving.url.clone();
    }
    let own = format!("{}://{}", serving.scheme, std::net::SocketAddr::new(ip, serving.address.port()));
    own.parse().unwrap_or_else(|_| serving.url.clone())
}

async fn hold(app: &App) -> Result<Lock> {
    match app.data.hold(&*app.clock, std::time::Duration::from_secs(2), Wanted::Work).await? {
        Holder::Us(lock) => Ok(lock),
        Holder::Server(server) => {
            let says = format!(
                "a server (pid {}) serves {} already: {}",
                server.pid,
                app.data.path().display(),
                server.url
            );
            Err(Error::new(FailureKind::Conflict, says).with_fix("stop it, or name another --data-dir"))
        }
    }
}

/// One administrator by name and password if there is one; else, on loopback, a token in the data directory.
fn authentication(app: &App, loopback: bool) -> Result<Authentication> {
    let no_randomness =
        |error: pmks_server::NoRandomness| Error::new(FailureKind::Unexpected, error.to_string());
    let authentication = Authentication::new().map_err(no_randomness)?;
    let token_file = app.data.token_file();
    match (app.environment.get("PMKS_USERNAME"), app.environment.get("PMKS_PASSWORD")) {
        (Some(name), Some(password)) => {
            // A token of an earlier start would be a way in that nobody thinks of.
            let _ = std::fs::remove_file(&token_file);
            authentication.with_administrator(name, &SecretString::from(password)).map_err(no_randomness)
        }
        (Some(_), None) | (None, Some(_)) => {
            Err(Error::usage("PMKS_USERNAME and PMKS_PASSWORD belong together: one of them is missing"))
        }
        (None, None) if loopback => {
            let token = local_token(app)?;
            Ok(authentication.with_local_token(&token))
        }
        (None, None) => {
            let _ = std::fs::remove_file(&token_file);
            Ok(authentication)
        }
    }
}

/// Whom a network can reach somebody must be able to log in to, or nobody could use it and nobody would notice.
async fn require_a_token(app: &App, pmks: &Pmks, listen_at: std::net::SocketAddr) -> Result<()> {
    let now = app.clock.wall();
    let tokens = pmks.api_tokens().list(&Caller::local("pmks serve")).await?;
    let is_accepted = |token: &pmks_core::ApiTokenView| {
        token.revoked_at.is_none() && token.expires_at.is_none_or(|end| end > now)
    };
    if tokens.iter().any(is_accepted) {
        return Ok(());
    }
    let says = format!("{listen_at} can be reached by others, and no login is configured");
    Err(Error::usage(says).with_fix(
        "set PMKS_USERNAME and PMKS_PASSWORD, make a token first (`pmks api-token create NAME --role admin`), or \
         listen on 127.0.0.1",
    ))
}

fn not_served(error: &pmks_server::ServeError) -> Error {
    let says = pmks_driver::chain(error);
    match error {
        pmks_server::ServeError::Listen { .. } => {
            Error::new(FailureKind::Unavailable, says).with_fix("name another address: --listen")
        }
        pmks_server::ServeError::Certificate(_) => {
            Error::usage(says).with_fix("name a PEM certificate and its own PEM key: --tls-cert, --tls-key")
        }
    }
}

/// The token in the data directory; made if there is none.
fn local_token(app: &App) -> Result<SecretString> {
    let path = app.data.token_file();
    if let Some(text) = private_file::read_if_any(&path)?.filter(|text| text.trim().len() >= 32) {
        return Ok(SecretString::from(text.trim()));
    }
    let mut bytes = [0_u8; 32];
    rand::fill(&mut bytes)
        .map_err(|_| Error::new(FailureKind::Unexpected, "the system gives no random bytes"))?;
    let token = SecretString::from(URL_SAFE_NO_PAD.encode(bytes));
    private_file::replace(&path, token.expose_secret())?;
    Ok(token)
}

fn tls(serve: &Serve) -> Result<Option<Tls>> {
    let (Some(certificate), Some(key)) = (&serve.tls_cert, &serve.tls_key) else { return Ok(None) };
    let read = |path: &std::path::Path| {
        std::fs::read_to_string(path).map_err(|error| Error::file("read", path, &error))
    };
    Ok(Some(Tls { certificate: read(certificate)?, key: SecretString::from(read(key)?) }))
}

/// Serves the asked simulated clouds from the worlds in the data directory, with a connection to each.
async fn simulated_clouds(app: &App, serve: &Serve, state: &State) -> Result<Vec<Served>> {
    if serve.simulated.is_empty() {
        return Ok(Vec::new());
    }
    let door = InProcessDoor::new(pmks_server::router(state.clone()), Caller::local("pmks serve"));
    let client = Client::new(Arc::new(door));
    let mut clouds = Vec::new();
    for entry in registry::named(&serve.simulated)? {
        let how = Simulated::new(serve.speed, 1);
        let cloud = simulated::kept(entry, how, &app.data.file("worlds")).await?;
        connect(&client, &cloud).await?;
        clouds.push(cloud);
    }
    Ok(clouds)
}

async fn connect(client: &Client, cloud: &Served) -> Result<()> {
    let name = connection_name(cloud);
    match client.get(Path::v1(["connections", &name])).await {
        Ok(_) => Ok(()),
        Err(error) if error.is(FailureKind::NotFound) => {
            let body = cloud.connection(&name);
            client.send(Request::new(Method::POST, Path::v1(["connections"])).json(body)).await.map(drop)
        }
        Err(error) => Err(error),
    }
}

fn connection_name(cloud: &Served) -> String {
    format!("{}-simulated", cloud.name)
}
