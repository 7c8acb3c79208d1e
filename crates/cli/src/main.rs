//! The binary `pmks`: server, client, kubectl credential plugin, demo.
//!
//! Parses, runs one command, and answers with an exit code that tells what kind of end it was.

mod app;
mod arguments;
mod at_home;
mod background;
mod client;
mod commands;
mod configuration;
mod conformance;
mod credentials;
mod data_directory;
mod demo;
mod error;
mod exchanged;
mod house;
mod import_spider;
mod key_ring;
mod kubeconfig;
mod local;
mod log_writer;
mod login;
mod mutations;
mod output;
mod passing;
mod paths;
mod private_file;
mod progress;
#[cfg(test)]
mod properties;
mod registry;
mod secret;
mod serve;
mod session;
mod shell;
mod signals;
mod simulate;
mod simulated;
mod spctl;
mod spider_variables;
mod sudden_death;
mod token;
mod tracing_setup;
mod wait;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{ArgMatches, FromArgMatches};
use pmks_driver::Environment;
use pmks_model::FailureKind;
use pmks_traces::Traces;
use pmks_transport::SystemClock;

use app::App;
use arguments::{Cli, Command, ConfigCommand};
use configuration::Configuration;
use error::{Error, Result};

fn main() -> ExitCode {
    let environment = environment();
    let arguments = spctl::untouched(std::env::args_os().collect());
    match begin(arguments, environment) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Ending::Parsed(error)) => {
            // Help goes to standard output, a refusal to standard error; nobody may be reading either.
            let _ = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        }
        Err(Ending::Failed(error)) => {
            let text = error.text();
            if !text.is_empty() {
                output::note(&text);
            }
            ExitCode::from(error.exit_code())
        }
    }
}

/// Whether a command is told to show what it would do, and to do nothing.
fn only_shows(matches: &ArgMatches) -> bool {
    let told = matches.try_get_one::<bool>("plan").ok().flatten().is_some_and(|told| *told);
    told || matches.subcommand().is_some_and(|(_, of_command)| only_shows(of_command))
}

/// How long the end of a server may wait for the collector.
const LAST_TRACES: Duration = Duration::from_secs(2);

/// The way to a collector, where a server is to run and one is named.
fn traces(
    command: &Command,
    environment: &Environment,
) -> Option<std::result::Result<Traces, pmks_traces::Unusable>> {
    let Command::Serve(_) = command else { return None };
    let read = pmks_traces::Settings::read(&|name| environment.get(name).map(str::to_owned));
    let settings = read.transpose()?;
    Some(settings.and_then(|settings| Traces::new(settings, Arc::new(SystemClock))))
}

/// How a run ends that does not end well.
enum Ending {
    /// By the parser: help, version, or a refusal.
    Parsed(clap::Error),
    /// By a command.
    Failed(Error),
}

impl From<Error> for Ending {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// The variables of the process. Those that are no text are none of ours.
fn environment() -> Environment {
    Environment::new(
        std::env::vars_os().filter_map(|(name, value)| name.into_string().ok().zip(value.into_string().ok())),
    )
}

fn begin(arguments: Vec<OsString>, environment: Environment) -> std::result::Result<(), Ending> {
    let configuration = configuration::read(&arguments, &environment)?;
    let matches = configuration.grammar.clone().try_get_matches_from(arguments).map_err(Ending::Parsed)?;
    let cli = Cli::from_arg_matches(&matches).map_err(Ending::Parsed)?;
    // Fails only when a provider is installed already: then there is one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut traces = traces(&cli.command, &environment);
    // Dropped last, when all has been said.
    let (log, _last_lines) = tracing_setup::install(
        &cli.global.log,
        cli.global.log_json,
        traces.as_ref().and_then(|traces| traces.as_ref().ok()),
    )?;
    if let Some(Err(unusable)) = &traces {
        tracing::warn!("no traces are sent: {unusable}");
    }
    let mut app = App::new(cli.global, environment, log);
    app.plans = only_shows(&matches);
    app.sampling = traces.as_ref().and_then(|traces| Some(traces.as_ref().ok()?.sampling()));
    if let Some(done) = at_once(&app, &cli.command, &configuration, &matches) {
        return Ok(done?);
    }
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Error::new(FailureKind::Unexpected, format!("no runtime: {error}")))?;
    let result = runtime.block_on(Box::pin(async {
        if let Some(Ok(traces)) = &mut traces {
            traces.begin();
        }
        let result = run(&app, cli.command).await;
        app.opened.close(&*app.clock).await;
        if let Some(Ok(traces)) = traces {
            traces.end(LAST_TRACES).await;
        }
        result
    }));
    // Nobody waits for a prompt that nobody answers.
    runtime.shutdown_background();
    Ok(result?)
}

/// Commands that ask nobody.
fn at_once(
    app: &App,
    command: &Command,
    configuration: &Configuration,
    matches: &ArgMatches,
) -> Option<Result<()>> {
    match command {
        Command::Config(ConfigCommand::Show) => {
            let rows = configuration::show(configuration, matches, app);
            Some(output::items(app.form(), output::Kind::Setting, &rows))
        }
        Command::Explain(explain) => Some(commands::explain(explain.kind.as_deref())),
        Command::Completion(completion) => {
            Some(commands::completion(configuration.grammar.clone(), completion.shell))
        }
        Command::Man => Some(commands::manual(configuration.grammar.clone())),
        _ => None,
    }
}

async fn run(app: &App, command: Command) -> Result<()> {
    match command {
        Command::Demo(demo) => demo::run(app, &demo).await,
        Command::Serve(serve) => serve::run(app, &serve).await,
        Command::Simulate(simulate) => simulate::run(&simulate).await,
        Command::Conformance(asked) => Box::pin(conformance::run(app, &asked)).await,
        Command::Token(within) => token::run(app, &within).await,
        Command::ImportSpider(asked) => Box::pin(import_spider::run(app, &asked)).await,
        Command::Login(login) => login::run(app, &login).await,
        Command::Spctl(spctl) => spctl::run(app, &spctl.arguments).await,
        other => Box::pin(commands::run(app, other)).await,
    }
}
