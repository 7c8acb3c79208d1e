//! What the released program costs who runs it: its size, how soon its server is ready, and how much memory that holds
//! while nothing happens.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;

/// What it may have with all clouds and surfaces that there are: docs/decisions/0016.
const LARGEST_MB: f64 = 36.0;
const SLOWEST: Duration = Duration::from_millis(100);
const MOST_MIB: f64 = 40.0;

/// Prints the figures and their limits.
///
/// # Errors
/// If the program cannot be built or started, or a figure is over its limit.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let built = Command::new(cargo).args(["build", "--release", "-p", "pmks"]).current_dir(root).status()?;
    anyhow::ensure!(built.success(), "the program does not build");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let program = root.join(target).join("release/pmks");
    let size = mega(std::fs::metadata(&program)?.len());
    // A new process each time: the first has the program read from the disk.
    let mut best = served(&program)?;
    for _ in 0..4 {
        let next = served(&program)?;
        best = (best.0.min(next.0), best.1.min(next.1));
    }
    let (ready, resident) = best;
    println!("size of the program         {size:6.1} MB   limit {LARGEST_MB} MB");
    println!("server ready in             {:6} ms   limit {} ms", ready.as_millis(), SLOWEST.as_millis());
    println!("idle server resident        {resident:6.1} MiB  limit {MOST_MIB} MiB");
    anyhow::ensure!(
        size < LARGEST_MB && ready < SLOWEST && resident < MOST_MIB,
        "a figure is over its limit"
    );
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a figure to be read")]
fn mega(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// How long an empty installation's server takes until it is ready, and the MiB it holds a while later.
fn served(program: &Path) -> anyhow::Result<(Duration, f64)> {
    let folder = std::env::temp_dir().join(format!("pmks-footprint-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let begun = Instant::now();
    let child = Command::new(program)
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(folder.join("data"))
        .env("HOME", &folder)
        .env_remove("XDG_CONFIG_HOME")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let mut running = Running { child, folder };
    while !running.is_ready() {
        anyhow::ensure!(running.child.try_wait()?.is_none(), "the server has ended");
        anyhow::ensure!(begun.elapsed() < Duration::from_secs(10), "the server does not become ready");
        std::thread::sleep(Duration::from_millis(1));
    }
    let ready = begun.elapsed();
    std::thread::sleep(Duration::from_secs(3));
    Ok((ready, running.resident()?))
}

/// A server and its folder, both gone at the end.
struct Running {
    child: Child,
    folder: PathBuf,
}

impl Running {
    fn is_ready(&self) -> bool {
        let says = std::fs::read(self.folder.join("data/server.json")).ok();
        let says = says.and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
        let Some(url) = says.as_ref().and_then(|says| says.get("url")?.as_str()) else { return false };
        let host = url.trim_start_matches("http://").trim_end_matches('/');
        let mut answer = String::new();
        TcpStream::connect(host).is_ok_and(|mut stream| {
            let asked = write!(stream, "GET /readyz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            asked.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 200")
        })
    }

    /// Source: `proc_pid_status(5)`, `VmRSS`
    fn resident(&self) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib: f64 = line.and_then(|line| line.split_whitespace().next()).context("no VmRSS")?.parse()?;
        Ok(kib / 1024.0)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended by itself is gone as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
