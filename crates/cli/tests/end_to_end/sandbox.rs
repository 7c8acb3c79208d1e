//! A user with an empty home, who runs the binary; and the processes that live longer than a command.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::judged::Judged;

/// How long anything may take to get ready.
const PATIENCE: Duration = Duration::from_mins(1);

/// What is tested.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_pmks");

/// A user with an empty home. Nothing of this machine's user is seen.
pub(crate) struct Sandbox {
    home: tempfile::TempDir,
    pub(crate) judged: Arc<Judged>,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap(), judged: Arc::new(Judged::new()) }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        self.command_of(Path::new(BINARY), args)
    }

    /// The same of a copy of the binary.
    pub(crate) fn command_of(&self, binary: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(binary);
        command.args(args).env_clear().env("HOME", self.home.path()).env("USER", "tester");
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.current_dir(self.home.path()).stdin(Stdio::null());
        self.judged.surround(&mut command);
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        ended(self.command(args))
    }

    /// Runs a command that must end well, and reads its JSON.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let ended = self.run(&[args, &["-o", "json"]].concat());
        assert_eq!(ended.code, Some(0), "{args:?}: {ended:?}");
        serde_json::from_str(&ended.out).unwrap()
    }

    /// Runs a command that must end well.
    pub(crate) fn good(&self, args: &[&str]) -> Ended {
        let ended = self.run(args);
        assert_eq!(ended.code, Some(0), "{args:?}: {ended:?}");
        ended
    }

    /// Simulated AWS in a process of its own.
    pub(crate) fn simulate(&self, speed: &str) -> Simulator {
        self.simulate_cloud("aws", speed, 0)
    }

    /// A simulated cloud in a process of its own: one account, told from others by its number.
    pub(crate) fn simulate_cloud(&self, cloud: &str, speed: &str, account: usize) -> Simulator {
        let ready = self.path(&format!("ready-{cloud}-{account}.json"));
        let number = (account + 1).to_string();
        let args =
            ["simulate", cloud, "--speed", speed, "--seed", &number, "--ready-file", ready.to_str().unwrap()];
        let child = Running(self.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let text = wait_for("the ready file", || std::fs::read_to_string(&ready).ok());
        let ready: Value = serde_json::from_str(&text).unwrap();
        let ready = ready["clouds"][cloud].clone();
        let control = ready["control"].as_str().unwrap().to_owned();
        Simulator { ready, world: World { control }, _child: child, _judged: Arc::clone(&self.judged) }
    }

    /// The world of the simulated AWS that a server brought along.
    pub(crate) fn world(&self) -> World {
        let connection = self.json(&["connection", "get", "aws-simulated"]);
        let endpoint = connection["endpoints"]["all"].as_str().unwrap().trim_end_matches('/').to_owned();
        World { control: format!("{endpoint}/_sim") }
    }

    /// A server on the data directory.
    pub(crate) fn serve(&self, more: &[&str]) -> Server {
        self.serve_with(more, &[])
    }

    /// The same, with these variables.
    pub(crate) fn serve_with(&self, more: &[&str], variables: &[(&str, &str)]) -> Server {
        let args = [&["serve", "--listen", "127.0.0.1:0"], more].concat();
        let mut command = self.command(&args);
        command.envs(variables.iter().copied());
        self.served(command)
    }

    /// The server that this command is, or turns into.
    pub(crate) fn served(&self, mut command: Command) -> Server {
        let log = std::fs::File::options().create(true).append(true).open(self.path("serve.log")).unwrap();
        let child = Running(command.stdout(Stdio::null()).stderr(log).spawn().unwrap());
        let pid = child.0.id();
        let file = self.path(".local/share/pmks/server.json");
        let server = wait_for("server.json", || {
            let server: Value = serde_json::from_str(&std::fs::read_to_string(&file).ok()?).ok()?;
            (server["pid"] == pid).then_some(server)
        });
        let url = server["url"].as_str().unwrap().trim_end_matches('/').to_owned();
        Server { url, child, _judged: Arc::clone(&self.judged) }
    }

    /// A connection to a simulated cloud, made as a user would.
    pub(crate) fn connect(&self, name: &str, simulator: &Simulator) -> Ended {
        self.connect_as(&[name], simulator)
    }

    /// The same, of a name that stands at the end in these words.
    pub(crate) fn connect_as(&self, name: &[&str], simulator: &Simulator) -> Ended {
        let connection = &simulator.ready["connection"];
        let text = |at: &str| connection.pointer(at).and_then(Value::as_str).unwrap().to_owned();
        self.write("secret", &text("/credential/secretAccessKey"));
        let pace = connection["pace"].as_f64().unwrap().to_string();
        let (id, endpoint) = (text("/credential/accessKeyId"), text("/endpoints/all"));
        let words = [
            "connection",
            "create",
            "--provider",
            "aws",
            "--region",
            &text("/region"),
            "--credential",
            &format!("accessKeyId={id}"),
            "--credential",
            "secretAccessKey=@secret",
            "--endpoint",
            &format!("all={endpoint}"),
            "--pace",
            &pace,
        ];
        self.run(&[&words[..], name].concat())
    }
}

pub(crate) fn ended(mut command: Command) -> Ended {
    let output = command.output().unwrap();
    Ended {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Waits until something is there.
pub(crate) fn wait_for<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    wait_within(PATIENCE, what, look)
}

/// The same, for what may take that long.
pub(crate) fn wait_within<T>(patience: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < patience, "{what} did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Simulated AWS.
pub(crate) struct Simulator {
    /// Its part of the ready file.
    pub(crate) ready: Value,
    /// What exists in it.
    pub(crate) world: World,
    // In this order: what is judged ends with the process that writes it.
    _child: Running,
    _judged: Arc<Judged>,
}

/// The controls of a simulated world.
pub(crate) struct World {
    control: String,
}

impl World {
    /// Everything of a kind that exists.
    pub(crate) fn resources(&self, kind: &str) -> Vec<Value> {
        let answer = http_get(&format!("{}/resources", self.control), None);
        let all: Value = serde_json::from_str(&answer.1).unwrap();
        all["resources"][kind].as_array().cloned().unwrap_or_default()
    }

    /// Everything that exists, by kind and identifier. A terminated machine is still listed for an hour.
    pub(crate) fn everything(&self) -> std::collections::BTreeSet<(String, String)> {
        let answer = http_get(&format!("{}/resources", self.control), None);
        let all: Value = serde_json::from_str(&answer.1).unwrap();
        let rows = all["resources"].as_object().unwrap().values().filter_map(Value::as_array).flatten();
        let rows = rows.filter(|row| row["state"] != "terminated");
        let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
        rows.map(|row| (text(row, "kind"), text(row, "id"))).collect()
    }

    /// How often it was asked for that call.
    pub(crate) fn calls(&self, action: &str) -> usize {
        self.call_records().iter().filter(|call| call["action"] == action).count()
    }

    /// How often it was asked for anything.
    pub(crate) fn all_calls(&self) -> usize {
        self.call_records().len()
    }

    /// Everything that it was asked for, oldest first.
    pub(crate) fn call_records(&self) -> Vec<Value> {
        let answer = http_get(&format!("{}/calls", self.control), None);
        let all: Value = serde_json::from_str(&answer.1).unwrap();
        all["calls"].as_array().unwrap().clone()
    }

    /// Forgets what it was asked for.
    pub(crate) fn forget_calls(&self) {
        assert_eq!(http_delete(&format!("{}/calls", self.control), "").0, 200);
    }

    /// Replaces all faults.
    pub(crate) fn faults(&self, rules: &Value) {
        self.put(&serde_json::json!({"rules": rules}));
    }

    /// Something happens in the world; answers what the cloud says of it.
    pub(crate) fn event(&self, event: &Value) -> Value {
        self.put(&serde_json::json!({"events": [event]}))["events"][0].clone()
    }

    fn put(&self, body: &Value) -> Value {
        let (status, text) = send(client().no_proxy(), |client| {
            client.put(format!("{}/faults", self.control)).body(body.to_string())
        });
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).unwrap()
    }
}

/// A server.
pub(crate) struct Server {
    /// Where it answers.
    pub(crate) url: String,
    child: Running,
    _judged: Arc<Judged>,
}

impl Server {
    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.0.id()
    }

    /// Ends it as an operator does.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        let pid = self.child.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.0.wait().unwrap().code()
    }

    /// Ends it as a power cut does, at some time from now, while others talk to it.
    pub(crate) fn kill_after(&self, wait: Duration) {
        let pid = self.child.0.id().to_string();
        std::thread::spawn(move || {
            std::thread::sleep(wait);
            // The one who waits for the child ends it anyhow: its number is not another process's yet.
            let _ = Command::new("kill").args(["-KILL", &pid]).stderr(Stdio::null()).status();
        });
    }

    /// Ends it now as a power cut does, which whoever talks to it has to notice.
    pub(crate) fn strike(&mut self) {
        self.child.0.kill().unwrap();
    }

    /// Ends it as a power cut does.
    pub(crate) fn kill(mut self) {
        self.strike();
        self.child.0.wait().unwrap();
    }
}

#[expect(clippy::disallowed_methods, reason = "these tests stand outside the program")]
pub(crate) fn client() -> reqwest::ClientBuilder {
    // Reqwest asks for a provider, as the program does at its start.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder()
}

/// One GET over plain HTTP: status and body.
pub(crate) fn http_get(url: &str, token: Option<&str>) -> (u16, String) {
    request(client().no_proxy(), url, token)
}

/// One POST of JSON: status and body.
pub(crate) fn http_post(url: &str, token: &str, body: &Value) -> (u16, String) {
    send(client().no_proxy(), |client| client.post(url).bearer_auth(token).json(body))
}

/// One DELETE: status and body.
pub(crate) fn http_delete(url: &str, token: &str) -> (u16, String) {
    send(client().no_proxy(), |client| client.delete(url).bearer_auth(token))
}

/// One GET over TLS, trusting that CA alone.
pub(crate) fn https_get(url: &str, authority_pem: &[u8], token: Option<&str>) -> (u16, String) {
    let certificates = reqwest::Certificate::from_pem_bundle(authority_pem).unwrap();
    request(client().no_proxy().tls_certs_only(certificates), url, token)
}

fn request(client: reqwest::ClientBuilder, url: &str, token: Option<&str>) -> (u16, String) {
    send(client, |client| {
        let request = client.get(url);
        match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    })
}

/// One request, under an idempotency key where there is one; nothing if the server died over it.
pub(crate) fn http_try(
    method: &reqwest::Method,
    url: &str,
    (token, key): (&str, Option<&str>),
    body: Option<&Value>,
) -> Option<(u16, String)> {
    let answered = try_send(client().no_proxy(), |client| {
        let request = client.request(method.clone(), url).bearer_auth(token);
        let request = match key {
            Some(key) => request.header("Idempotency-Key", key),
            None => request,
        };
        match body {
            Some(body) => request.json(body),
            None => request,
        }
    });
    answered.ok()
}

fn send(
    client: reqwest::ClientBuilder,
    request: impl Fn(&reqwest::Client) -> reqwest::RequestBuilder,
) -> (u16, String) {
    try_send(client, request).unwrap()
}

fn try_send(
    client: reqwest::ClientBuilder,
    request: impl Fn(&reqwest::Client) -> reqwest::RequestBuilder,
) -> reqwest::Result<(u16, String)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let response = request(&client.build().unwrap()).send().await?;
        Ok((response.status().as_u16(), response.text().await?))
    })
}

/// Everything in a folder, as text.
pub(crate) fn all_text(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text.push_str(&all_text(&path));
        } else {
            text.push_str(&String::from_utf8_lossy(&std::fs::read(&path).unwrap_or_default()));
        }
    }
    text
}
