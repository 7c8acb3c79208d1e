//! The run from its beginning to its end: who does what in which order, and what of it is kept.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::mistakes::WRONG;
use super::search::{Evidence, Found};
use super::tap::Tap;
use super::work::UnderTest;
use crate::sandbox::{Sandbox, Server};
use crate::stand_in::StandIn;

/// What is secret: what it is, and the text.
pub(super) type Secrets = BTreeSet<(&'static str, String)>;

const PASSWORD: &str = "correct-horse-battery-staple-9f3c";

/// Whether its owner alone may read a file.
#[cfg(unix)]
fn private(path: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode().is_multiple_of(0o100)
}

/// Elsewhere nobody says so in these words.
#[cfg(not(unix))]
fn private(path: &std::path::Path) -> bool {
    path.exists()
}

/// Says that something is over, however it ends.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A run and what came out of it.
pub(super) struct Run {
    pub(super) user: Sandbox,
    pub(super) clouds: Vec<UnderTest>,
    pub(super) collector: StandIn,
    pub(super) evidence: Mutex<Evidence>,
    pub(super) secrets: Mutex<BTreeSet<(&'static str, String)>>,
}

impl Run {
    pub(super) fn new() -> Self {
        let user = Sandbox::new();
        let cloud = |name, secret_fields, subnets| {
            let simulator = user.simulate_cloud(name, "4000", 0);
            let url = simulator.ready["connection"]["endpoints"]["all"].as_str().unwrap();
            UnderTest { name, secret_fields, subnets, tap: Tap::before(url), simulator }
        };
        let zoned = &[
            "name=s0,cidr=10.0.0.0/20,zone=ap-northeast-2a",
            "name=s1,cidr=10.0.16.0/20,zone=ap-northeast-2c",
        ];
        let clouds = vec![
            cloud("aws", &["secretAccessKey"], zoned),
            cloud("azure", &["clientSecret"], &["name=s0,cidr=10.0.0.0/20"]),
            cloud("gcp", &["serviceAccountKey"], &["name=s0,cidr=10.0.0.0/20"]),
        ];
        let collector = StandIn::new(|_| (200, String::new()));
        Self { user, clouds, collector, evidence: Mutex::default(), secrets: Mutex::default() }
    }

    /// Everything, one after the other; answers what came out, and what was secret.
    pub(super) fn to_the_end(&self) -> (MutexGuard<'_, Evidence>, MutexGuard<'_, Secrets>) {
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| self.watch_command_lines(&over));
            let _ends = Ends(&over);
            let server = self.serve(&["--log", "trace", "--log-json"], &[]);
            self.secret("the local token", &self.file(".local/share/pmks/token"));
            std::thread::scope(|scope| {
                for cloud in &self.clouds {
                    scope.spawn(|| self.work_at(cloud, &server));
                }
            });
            self.ask_everything(&server, &[]);
            self.err_in_the_program(&server);
            self.follow(&server);
            // While it runs, the newest is in the write-ahead log alone.
            self.back_up("backup while it ran");
            let token = self.user.path(".local/share/pmks/token");
            assert!(private(&token), "others may read the token");
            self.evidence().add("file .local/share/pmks/token", std::fs::read(token).unwrap());
            assert_eq!(server.terminate(), Some(0));
            self.run("master-key rotate", &[]);

            let administrator = [("PMKS_USERNAME", "boss"), ("PMKS_PASSWORD", PASSWORD)];
            self.secret("the administrator's password", PASSWORD);
            let server = self.serve(&["--log", "debug"], &administrator);
            self.ask_everything(&server, &administrator);
            for (what, authorization) in [
                ("a wrong password", format!("Basic {}", STANDARD.encode(format!("boss:{}", WRONG[3])))),
                ("a wrong token", format!("Bearer {}", WRONG[2])),
                ("no scheme", WRONG[2].to_owned()),
            ] {
                self.raw(&server, what, "GET", "/v1/connections", &authorization, "");
            }
            assert_eq!(server.terminate(), Some(0));
            self.live_on_the_environment();
        });
        for line in self.file(".config/pmks/master-key").lines() {
            self.secret("a master key", line);
        }
        for wrong in WRONG {
            self.secret("a secret that is wrong", wrong);
        }
        for cloud in &self.clouds {
            self.secrets().extend(cloud.tap.secrets());
        }
        self.back_up("backup when it was over");
        let mut evidence = self.evidence();
        evidence.add("collector", self.collector.asked().concat());
        for folder in [".local", ".config", "given", "records"] {
            evidence.add_files(&format!("file {folder}"), &self.user.path(folder));
        }
        for file in std::fs::read_dir(self.user.path("")).unwrap().map(Result::unwrap) {
            // The simulated clouds' own secrets, which the test gave on.
            if file.path().is_file() && !file.file_name().to_string_lossy().starts_with("ready-") {
                evidence.add(
                    &format!("file {}", file.file_name().display()),
                    std::fs::read(file.path()).unwrap(),
                );
            }
        }
        (evidence, self.secrets())
    }

    /// Who may read the files that hold secrets: their owner alone.
    pub(super) fn holders_are_private(&self, found: &BTreeSet<Found>) {
        let paths = found.iter().filter_map(|found| found.place.strip_prefix("file "));
        for path in paths.filter(|path| !path.starts_with("given/")) {
            // The local token is gone once there is an administrator.
            let path = self.user.path(path);
            assert!(!path.exists() || private(&path), "{} can be read by others", path.display());
        }
    }

    /// Keeps a copy of the database, as it lies on the disk.
    pub(super) fn back_up(&self, name: &str) {
        for file in ["pmks.db", "pmks.db-wal"] {
            let bytes = std::fs::read(self.user.path(".local/share/pmks").join(file)).unwrap_or_default();
            self.evidence().add(&format!("{name}: {file}"), bytes);
        }
    }

    pub(super) fn serve(&self, more: &[&str], variables: &[(&str, &str)]) -> Server {
        let collector = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", self.collector.url.as_str()),
            ("OTEL_BSP_SCHEDULE_DELAY", "200"),
        ];
        let records = ["--record", "records"];
        self.user.serve_with(&[more, &records].concat(), &[variables, &collector].concat())
    }

    /// The command lines of every process of this machine, as anybody can read them.
    pub(super) fn watch_command_lines(&self, over: &AtomicBool) {
        while !over.load(Ordering::Relaxed) {
            let lines: BTreeSet<Vec<u8>> = std::fs::read_dir("/proc")
                .into_iter()
                .flatten()
                .filter_map(|process| std::fs::read(process.ok()?.path().join("cmdline")).ok())
                .collect();
            let lines: Vec<u8> = lines
                .into_iter()
                .filter(|line| line.windows(4).any(|part| part == b"pmks"))
                .flatten()
                .collect();
            if !lines.is_empty() || !cfg!(target_os = "linux") {
                self.evidence().add("command lines", lines);
            }
            std::thread::sleep(Duration::from_millis(25));
        }
    }

    pub(super) fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.user.path(name)).unwrap_or_default()
    }

    pub(super) fn secret(&self, kind: &'static str, secret: &str) {
        let secret = secret.trim();
        assert!(secret.len() >= 20, "{kind} is too short to be told from chance");
        self.secrets().insert((kind, secret.to_owned()));
    }

    /// A private key: its later lines, since the first ones may be of the public half.
    pub(super) fn secret_key(&self, kind: &'static str, text: &str) {
        let Some((_, body)) = text.split_once("PRIVATE KEY-----") else { return };
        let body = body.split("-----END").next().unwrap_or_default().replace("\\n", "\n");
        let lines: Vec<&str> = body.lines().map(str::trim).filter(|line| line.len() >= 40).collect();
        for line in &lines[lines.len() / 2..] {
            self.secret(kind, line);
        }
    }

    pub(super) fn evidence(&self) -> MutexGuard<'_, Evidence> {
        self.evidence.lock().unwrap()
    }

    pub(super) fn secrets(&self) -> MutexGuard<'_, BTreeSet<(&'static str, String)>> {
        self.secrets.lock().unwrap()
    }
}
