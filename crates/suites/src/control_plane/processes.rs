//! The four processes of a control plane, in a folder of their own, on loopback. Killed when dropped; they also end by
//! themselves when whoever started them is gone.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pmks_simulation::kubernetes::{Authority, Issued};
use serde_json::{Value, json};

use super::PATIENCE;
use super::api::Api;

/// Whom the API server believes when it says for whom it asks.
const FRONT: &str = "pmks-front";
/// A certificate outlives every test.
const A_DAY: Duration = Duration::from_hours(24);

pub(super) struct Processes {
    folder: tempfile::TempDir,
    program: PathBuf,
    children: Vec<Child>,
    api: Api,
}

impl Processes {
    /// Starts all of them and waits until the API server answers. `services` are the first two numbers of their
    /// addresses.
    pub(super) async fn start(program: &Path, services: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let authority = Authority::new(jiff_now()).expect("an authority");
        let port = free_port();
        let url = format!("https://127.0.0.1:{port}");
        let front = client(&authority, FRONT, None);
        let api = Api::new(&url, authority.certificate_pem(), &front);
        let mut started = Self { folder, program: program.to_owned(), children: Vec::new(), api };
        started.write_certificates(&authority, &url);
        let etcd = started.start_etcd();
        started.start_api_server(port, &etcd, services);
        started.wait_for("the API server").await;
        started.start_clients();
        started
    }

    pub(super) fn api(&self) -> Api {
        self.api.clone()
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).expect("a file in the folder");
    }

    fn write_certificates(&self, authority: &Authority, url: &str) {
        self.write("ca.pem", authority.certificate_pem());
        for (name, issued) in
            [("server", authority.issue_server(jiff_now())), ("accounts", authority.issue_server(jiff_now()))]
        {
            let issued = issued.expect("a certificate");
            self.write(&format!("{name}.pem"), &issued.certificate_pem);
            self.write(&format!("{name}.key"), &issued.private_key_pem);
        }
        // All controllers act as one; with an account for each, as an installer gives them, they would only begin later.
        for (name, group) in [("kube-controller-manager", Some("system:masters")), ("kube-scheduler", None)] {
            let issued = client(authority, &format!("system:{name}"), group);
            self.write(&format!("{name}.pem"), &issued.certificate_pem);
            self.write(&format!("{name}.key"), &issued.private_key_pem);
            self.write(&format!("{name}.kubeconfig"), &self.kubeconfig(url, name).to_string());
        }
    }

    fn kubeconfig(&self, url: &str, name: &str) -> Value {
        let cluster = json!({"server": url, "certificate-authority": self.path("ca.pem")});
        let user = json!({
            "client-certificate": self.path(&format!("{name}.pem")),
            "client-key": self.path(&format!("{name}.key")),
        });
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "it",
            "clusters": [{"name": "it", "cluster": cluster}],
            "users": [{"name": "it", "user": user}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        })
    }

    fn start_etcd(&mut self) -> String {
        let (clients, peers) =
            (format!("http://127.0.0.1:{}", free_port()), format!("http://127.0.0.1:{}", free_port()));
        let arguments = [
            format!("--data-dir={}", self.path("etcd")),
            format!("--listen-client-urls={clients}"),
            format!("--advertise-client-urls={clients}"),
            format!("--listen-peer-urls={peers}"),
            format!("--initial-advertise-peer-urls={peers}"),
            format!("--initial-cluster=default={peers}"),
            "--unsafe-no-fsync=true".to_owned(),
            "--log-level=warn".to_owned(),
        ];
        self.start_one("etcd", &arguments);
        clients
    }

    fn start_api_server(&mut self, port: u16, etcd: &str, services: &str) {
        let arguments = [
            format!("--etcd-servers={etcd}"),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--secure-port={port}"),
            // Never a loopback address, or it would not be published; nobody here goes there.
            format!("--advertise-address={services}.255.1"),
            format!("--service-cluster-ip-range={services}.0.0/16"),
            format!("--tls-cert-file={}", self.path("server.pem")),
            format!("--tls-private-key-file={}", self.path("server.key")),
            format!("--client-ca-file={}", self.path("ca.pem")),
            format!("--requestheader-client-ca-file={}", self.path("ca.pem")),
            format!("--requestheader-allowed-names={FRONT}"),
            "--requestheader-username-headers=X-Remote-User".to_owned(),
            "--requestheader-uid-headers=X-Remote-Uid".to_owned(),
            "--requestheader-group-headers=X-Remote-Group".to_owned(),
            "--requestheader-extra-headers-prefix=X-Remote-Extra-".to_owned(),
            "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
            format!("--service-account-key-file={}", self.path("accounts.pem")),
            format!("--service-account-signing-key-file={}", self.path("accounts.key")),
            "--authorization-mode=RBAC".to_owned(),
            "--allow-privileged=true".to_owned(),
            "--profiling=false".to_owned(),
        ];
        self.start_one("kube-apiserver", &arguments);
    }

    /// The controllers, with their real words about nodes and pods; only heartbeats, which no machine sends here, are
    /// waited for longer than a test takes.
    fn start_clients(&mut self) {
        for (name, more) in [
            (
                "kube-controller-manager",
                vec![
                    format!("--service-account-private-key-file={}", self.path("accounts.key")),
                    format!("--root-ca-file={}", self.path("ca.pem")),
                    "--node-monitor-grace-period=24h".to_owned(),
                    "--profiling=false".to_owned(),
                ],
            ),
            ("kube-scheduler", Vec::new()),
        ] {
            let kubeconfig = self.path(&format!("{name}.kubeconfig"));
            let mut arguments = vec![
                format!("--kubeconfig={kubeconfig}"),
                format!("--authentication-kubeconfig={kubeconfig}"),
                format!("--authorization-kubeconfig={kubeconfig}"),
                "--bind-address=127.0.0.1".to_owned(),
                format!("--secure-port={}", free_port()),
                "--leader-elect=false".to_owned(),
            ];
            arguments.extend(more);
            self.start_one(name, &arguments);
        }
    }

    fn start_one(&mut self, name: &str, arguments: &[String]) {
        let log = File::create(self.path(&format!("{name}.log"))).expect("a log");
        let child = Command::new(&self.program)
            .arg(name)
            .args(arguments)
            .env("HOME", self.folder.path())
            // It ends when this pipe does.
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.children.push(child.expect("a process of the control plane"));
    }

    async fn wait_for(&mut self, what: &str) {
        let begun = Instant::now();
        while !self.api.is_ready().await {
            let ended = self.children.iter_mut().any(|child| child.try_wait().is_ok_and(|it| it.is_some()));
            assert!(!ended && begun.elapsed() < PATIENCE, "{what} does not get ready: {}", self.last_words());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The end of each process's log.
    pub(super) fn last_words(&self) -> String {
        let end = |name: &str| {
            let text = fs::read_to_string(self.path(&format!("{name}.log"))).unwrap_or_default();
            let lines: Vec<&str> = text.lines().rev().take(8).collect();
            format!("\n{name}:\n{}", lines.into_iter().rev().collect::<Vec<_>>().join("\n"))
        };
        ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"].map(end).concat()
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for child in self.children.iter_mut().rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn client(authority: &Authority, name: &str, group: Option<&str>) -> Issued {
    authority.issue_client(name, group, jiff_now(), A_DAY).expect("a certificate")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    listener.local_addr().expect("its address").port()
}

/// The processes of others read the machine's own clock.
#[expect(clippy::disallowed_methods, reason = "certificates for processes that read the machine's clock")]
fn jiff_now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
