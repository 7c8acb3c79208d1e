//! Starts a server that outlives the command: `--no-wait` without a server, or Ctrl-C while one waits.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use pmks_model::FailureKind;

use crate::app::App;
use crate::data_directory::ServerFile;
use crate::error::{Error, Result};
use crate::output;

/// How long a server may take until it answers.
const STARTS_WITHIN: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Starts `pmks serve` on the data directory and waits until it answers. The lock must be free.
///
/// # Errors
/// `Unavailable` with the end of its log.
pub(crate) async fn start(app: &App) -> Result<ServerFile> {
    let log = app.data.file("server.log");
    let mut child = spawn(app, &log)?;
    let deadline = app.clock.monotonic().saturating_add(STARTS_WITHIN);
    loop {
        if let Some(server) = app.data.running_server()?.filter(|server| server.pid == child.id()) {
            output::note(&format!(
                "a server was started in the background: pid {}, {}, log {}",
                server.pid,
                server.url,
                log.display()
            ));
            return Ok(server);
        }
        let ended = child.try_wait().ok().flatten();
        if ended.is_some() || app.clock.monotonic() >= deadline {
            let says = last_error(&log).unwrap_or_else(|| "it says nothing".to_owned());
            return Err(Error::new(FailureKind::Unavailable, format!("the server did not start: {says}"))
                .with_fix(format!("see {}, or run `pmks serve`", log.display())));
        }
        app.clock.sleep(LOOK_EVERY).await;
    }
}

fn spawn(app: &App, log: &Path) -> Result<Child> {
    let failed = |error: std::io::Error| {
        Error::new(FailureKind::Unexpected, format!("no server can be started: {error}"))
    };
    let mut options = std::fs::File::options();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let log = options.open(log).map_err(failed)?;
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    command.arg("serve").args(["--listen", "127.0.0.1:0"]).arg("--data-dir").arg(app.data.path());
    // The environment is inherited; what stood on this command line is not.
    let paths = [("--config", &app.global.config), ("--master-key-file", &app.global.master_key_file)];
    for (flag, path) in paths {
        if let Some(path) = path {
            command.arg(flag).arg(path);
        }
    }
    if let Some(database) = &app.global.database {
        // Not as an argument: it may hold a password.
        command.env("PMKS_DATABASE", database);
    }
    if let Some(folder) = &app.global.record {
        command.arg("--record").arg(folder);
    }
    command.stdin(Stdio::null()).stdout(log.try_clone().map_err(failed)?).stderr(log);
    // Ctrl-C on this terminal is not for it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn().map_err(failed)
}

fn last_error(log: &Path) -> Option<String> {
    let text = std::fs::read_to_string(log).ok()?;
    text.lines().rev().find_map(|line| line.strip_prefix("error: ")).map(str::to_owned)
}
