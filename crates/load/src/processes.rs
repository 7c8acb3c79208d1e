//! The processes that are measured: pmks' server, its simulated clouds, the empty handler. Each ends with its value.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::Value;

use crate::caller::{Scheme, Target};

/// How long a process may take to be ready.
const PATIENCE: Duration = Duration::from_mins(1);

/// A process.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    /// Resident memory in MiB. Source: `proc_pid_status(5)`
    pub(crate) fn resident(&self) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib: f64 = line.and_then(|line| line.split_whitespace().next()).context("no VmRSS")?.parse()?;
        Ok(kib / 1024.0)
    }

    /// The processor's time that it has used. Source: `proc_pid_stat(5)`, `utime` and `stime`, in hundredths of a second
    pub(crate) fn used(&self) -> anyhow::Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        let after_name = stat.rsplit_once(')').context("no stat")?.1;
        let ticks =
            after_name.split_whitespace().skip(11).take(2).filter_map(|text| text.parse::<u64>().ok());
        Ok(Duration::from_millis(ticks.sum::<u64>() * 10))
    }

    /// Ends it as an operator does.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        let ended = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status()?;
        anyhow::ensure!(ended.success() && self.0.wait()?.success(), "it does not end well");
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended by itself is gone as well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// pmks as it is measured: the program, a home, and the key of every data directory in it.
#[derive(Clone, Debug)]
pub(crate) struct Pmks {
    pub(crate) program: PathBuf,
    pub(crate) home: PathBuf,
    pub(crate) master_key: String,
}

/// A server of pmks.
pub(crate) struct Served {
    /// Where it is, with the token of its data directory.
    pub(crate) target: Target,
    pub(crate) process: Process,
    /// How long it took until it was ready.
    pub(crate) ready: Duration,
}

impl Pmks {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.env_clear().env("HOME", &self.home).env("PMKS_MASTER_KEY", &self.master_key);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// A server on that data directory, ready.
    pub(crate) fn serve(&self, data: &Path) -> anyhow::Result<Served> {
        let began = Instant::now();
        let mut command = self.command();
        let log = std::fs::File::create(self.home.join("serve.log"))?;
        // `/spider` is served to whom these name; tokens are taken there too.
        command.env("SPIDER_USERNAME", "load").env("SPIDER_PASSWORD", &self.master_key);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data).stderr(log);
        let mut process = Process(command.spawn()?);
        let pid = process.0.id();
        let server = wait(&mut process, || {
            let server: Value =
                serde_json::from_slice(&std::fs::read(data.join("server.json")).ok()?).ok()?;
            (server.get("pid")? == pid).then_some(server)
        })?;
        let url = server.get("url").and_then(Value::as_str).context("no url")?;
        let address = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let token = std::fs::read_to_string(data.join("token"))?.trim().to_owned();
        Ok(Served {
            target: Target { address, token, scheme: Scheme::Bearer },
            process,
            ready: began.elapsed(),
        })
    }

    /// A simulated cloud at that speed, and a connection to it.
    pub(crate) fn simulate(&self, cloud: &str, speed: &str) -> anyhow::Result<(Process, Value)> {
        let ready = self.home.join(format!("ready-{cloud}-{speed}.json"));
        let _ = std::fs::remove_file(&ready);
        let mut command = self.command();
        command.args(["simulate", cloud, "--speed", speed, "--ready-file"]).arg(&ready);
        let mut process = Process(command.spawn()?);
        let mut says: Value =
            wait(&mut process, || serde_json::from_slice(&std::fs::read(&ready).ok()?).ok())?;
        let connection = says.pointer_mut(&format!("/clouds/{cloud}/connection")).map(Value::take);
        Ok((process, connection.context("no connection")?))
    }
}

/// The empty handler: this program itself.
pub(crate) fn empty() -> anyhow::Result<(Process, Target)> {
    let mut command = Command::new(std::env::current_exe()?);
    let mut child = command.arg("empty").stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let out = child.stdout.take().context("no output")?;
    let process = Process(child);
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line)?;
    // Nobody checks it: what is sent has the same size.
    let target = Target { address: line.trim().to_owned(), token: "x".repeat(48), scheme: Scheme::Bearer };
    anyhow::ensure!(!target.address.is_empty(), "the empty handler does not listen");
    Ok((process, target))
}

fn wait<T>(process: &mut Process, mut ready: impl FnMut() -> Option<T>) -> anyhow::Result<T> {
    let began = Instant::now();
    loop {
        if let Some(found) = ready() {
            return Ok(found);
        }
        anyhow::ensure!(process.0.try_wait()?.is_none(), "it has ended");
        anyhow::ensure!(began.elapsed() < PATIENCE, "it does not become ready");
        std::thread::sleep(Duration::from_millis(1));
    }
}
