//! The run: what is made, what fails, what is asked for.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{Read as _, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::search::{Evidence, Found};
use super::tap::{Tap, credentials};
use crate::sandbox::{Ended, Sandbox, Server, Simulator, ended};
use crate::stand_in::StandIn;

/// What is secret: what it is, and the text.
pub(super) type Secrets = BTreeSet<(&'static str, String)>;

/// A cloud: its name, its secret credential fields, and how its subnets are placed.
struct UnderTest {
    name: &'static str,
    secret_fields: &'static [&'static str],
    subnets: &'static [&'static str],
    simulator: Simulator,
    tap: Tap,
}

const PASSWORD: &str = "correct-horse-battery-staple-9f3c";
/// Secrets that are no good, each of them some user's mistake.
const WRONG: [&str; 6] = [
    "wrong/SecretAccessKey+1aB2cD3eF4gH5",
    "WrongClientSecret~1aB2cD3eF4gH5iJ6",
    "WrongBearerToken-1aB2cD3eF4gH5iJ6k",
    "WrongPassword-1aB2cD3eF4gH5iJ6kL7m",
    "SecretInAWrongField-1aB2cD3eF4gH5i",
    "SecretInTheQuery-1aB2cD3eF4gH5iJ6k",
];

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
    user: Sandbox,
    clouds: Vec<UnderTest>,
    collector: StandIn,
    evidence: Mutex<Evidence>,
    secrets: Mutex<BTreeSet<(&'static str, String)>>,
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
    fn back_up(&self, name: &str) {
        for file in ["pmks.db", "pmks.db-wal"] {
            let bytes = std::fs::read(self.user.path(".local/share/pmks").join(file)).unwrap_or_default();
            self.evidence().add(&format!("{name}: {file}"), bytes);
        }
    }

    fn serve(&self, more: &[&str], variables: &[(&str, &str)]) -> Server {
        let collector = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", self.collector.url.as_str()),
            ("OTEL_BSP_SCHEDULE_DELAY", "200"),
        ];
        let records = ["--record", "records"];
        self.user.serve_with(&[more, &records].concat(), &[variables, &collector].concat())
    }

    /// A connection, a cluster, and what goes wrong on the way.
    fn work_at(&self, cloud: &UnderTest, server: &Server) {
        self.connect(cloud);
        let on = |words: &str| self.run(&format!("-c {} {words}", cloud.name), &[]);
        let good = |words: &str| {
            let ended = on(words);
            assert_eq!(ended.code, Some(0), "{words}: {ended:?}");
            ended
        };
        good(&format!("connection prerequisites {} --fix", cloud.name));
        let subnets =
            cloud.subnets.iter().map(|subnet| format!(" --subnet {subnet}")).collect::<Vec<_>>().concat();
        good(&format!("network create net --cidr 10.0.0.0/16{subnets}"));
        let rule = "direction=inbound,protocol=tcp,from-port=22,to-port=22,cidr=10.0.0.0/16";
        on(&format!("security-group create grp --network net --rule {rule}"));
        let printed = on("key-pair create printed").out;
        let saved = format!("saved-{}", cloud.name);
        on(&format!("key-pair create saved --save {saved}"));
        on(&format!("key-pair create mistaken --public-key {saved}"));
        let made = self.raw(
            server,
            "a key pair",
            "POST",
            &format!("/v1/connections/{}/keyPairs", cloud.name),
            "",
            r#"{"name": "answered"}"#,
        );
        for text in [printed, self.file(&saved), made] {
            self.secret_key("a private key of a key pair", &text);
        }
        let subnets = cloud.subnets.iter().filter_map(|subnet| subnet.split([',', '=']).nth(1));
        let subnets = subnets.map(|name| format!(" --subnet {name}")).collect::<Vec<_>>().concat();
        let create = format!("cluster create clu --network net{subnets} --node-group name=w");
        Self::faults(cloud, &json!([{"effect": {"type": "deny"}, "times": 40}]));
        on(&create.replace(" clu ", " denied "));
        on("cluster delete denied --yes");
        Self::faults(cloud, &json!([]));
        good(&create);
        self.ways_in(cloud, server);
        for effect in ["deny", "throttle", "garbageBody", "truncatedBody", "resetBefore", "quota"] {
            Self::faults(cloud, &json!([{"effect": {"type": effect}, "times": 3}]));
            on("cluster get clu --refresh");
            on(&format!("connection validate {}", cloud.name));
        }
        Self::faults(cloud, &json!([]));
        self.ask_all_nouns(cloud);
        good("cluster delete clu --yes");
    }

    fn connect(&self, cloud: &UnderTest) {
        let connection = &cloud.simulator.ready["connection"];
        let text =
            |at: &str| connection[at].as_str().map_or_else(|| connection[at].to_string(), str::to_owned);
        let common = format!(
            "--provider {} --region {} --endpoint all={} --pace {}",
            cloud.name,
            text("region"),
            cloud.tap.url,
            connection["pace"].as_f64().unwrap()
        );
        let fields = connection["credential"].as_object().unwrap();
        let mut credential = String::new();
        let mut mistaken = String::new();
        for (name, value) in fields {
            let value = value.as_str().unwrap();
            if !cloud.secret_fields.contains(&name.as_str()) {
                write!(credential, " --credential {name}={value}").unwrap();
                continue;
            }
            let wrong = if cloud.name == "gcp" {
                value.replace("\\nMII", "\\nMIM")
            } else {
                WRONG[usize::from(cloud.name == "azure")].to_owned()
            };
            self.user.write(&format!("given/{}-{name}", cloud.name), value);
            self.user.write(&format!("given/{}-{name}-wrong", cloud.name), &wrong);
            if cloud.name == "gcp" {
                let key: Value = serde_json::from_str(value).unwrap();
                self.secret_key("a credential of a cloud", key["private_key"].as_str().unwrap());
            } else {
                self.secret("a credential of a cloud", value);
            }
            mistaken = format!("{credential} --credential {name}=@given/{}-{name}-wrong", cloud.name);
            write!(credential, " --credential {name}=@given/{}-{name}", cloud.name).unwrap();
        }
        let made = self.run(&format!("connection create {} {common}{credential}", cloud.name), &[]);
        assert_eq!(made.code, Some(0), "{made:?}");
        self.run(&format!("connection create mistaken {common}{mistaken}"), &[]);
        self.run(
            &format!("connection create unchecked-{} {common}{mistaken} --no-validate", cloud.name),
            &[],
        );
        self.run(&format!("connection validate unchecked-{}", cloud.name), &[]);
    }

    /// Every way to get a credential for the cluster.
    fn ways_in(&self, cloud: &UnderTest, server: &Server) {
        let cluster = format!("/v1/connections/{}/clusters/clu", cloud.name);
        let mut texts = vec![
            self.run(&format!("-c {} token --cluster clu", cloud.name), &[]).out,
            self.raw(server, "a token", "POST", &format!("{cluster}/token"), "", ""),
        ];
        for format in ["exec", "native", "static"] {
            let words = format!("-c {} cluster kubeconfig clu --format {format}", cloud.name);
            texts.push(self.run(&format!("{words} --print -o json"), &[]).out);
            let file = format!("kubeconfig-{format}-{}", cloud.name);
            self.run(&format!("{words} --file {file}"), &[]);
            // Each time the cloud may hand out another one.
            texts.push(self.file(&file));
            texts.push(self.raw(
                server,
                "a kubeconfig",
                "GET",
                &format!("{cluster}/kubeconfig?format={format}"),
                "",
                "",
            ));
        }
        for text in texts {
            self.secrets().extend(credentials(&text).into_iter().filter(|(_, secret)| secret.len() >= 24));
            let json = text.split("\r\n\r\n").last().unwrap_or(&text);
            let Ok(answer) = serde_json::from_str::<Value>(json) else { continue };
            let answer = answer.get("status").cloned().unwrap_or(answer);
            for field in ["token", "clientKeyData"] {
                if let Some(secret) = answer[field].as_str() {
                    self.secret("a credential of a cluster", secret);
                }
            }
        }
    }

    /// What a user who is mistaken writes into the program, and what others send to it.
    fn err_in_the_program(&self, server: &Server) {
        let wrong = WRONG[4];
        self.user.write("given/wrong-field", wrong);
        for words in [
            "connection create m --provider aws --region r --credential accessKeyId=A --credential sessionToken=@given/wrong-field",
            "connection create m --provider aws --region r --credential foo=@given/wrong-field",
            "connection create m --provider gcp --region r --credential serviceAccountKey=@given/wrong-field",
            "connection create m --provider azure --region r --credential-file given/wrong-field",
            "connection update aws --credential accessKeyId=A --credential secretAccessKey=@given/wrong-field",
            "--config given/wrong-field provider list",
            "--master-key-file given/wrong-field provider list",
            "login http://127.0.0.1:9 --token @given/wrong-field",
        ] {
            let ended = self.run(words, &[]);
            assert!(ended.code == Some(0) || ended.code.is_some_and(|code| code > 0), "{ended:?}");
        }
        self.run(&format!("login {} --token @given/wrong-field", server.url), &[]);
        let made = self.run("api-token create t --role admin", &[]).out;
        let token = made.trim().lines().last().unwrap().to_owned();
        self.secret("an API token", &token);
        std::fs::write(self.user.path("given/api-token"), &token).unwrap();
        self.run(&format!("login {} --token @given/api-token", server.url), &[]);
        self.run(&format!("--server {} provider list", server.url), &[]);
        let inside = server.url.replace("http://", &format!("http://me:{}@", WRONG[5]));
        self.run(&format!("--server {inside} provider list"), &[]);
        let bearer = format!("Bearer {token}");
        for (method, path, body) in [
            ("POST", "/v1/connections".to_owned(), json!({"name": "m", "provider": "aws", "region": "r", "secretAccessKey": wrong}).to_string()),
            ("POST", "/v1/connections".to_owned(), json!({"name": "m", "provider": "aws", "region": "r", "credential": wrong}).to_string()),
            ("POST", "/v1/connections".to_owned(), json!({"name": "m", "provider": "aws", "region": "r", "credential": {"secretAccessKey": [wrong]}}).to_string()),
            ("POST", "/v1/connections".to_owned(), json!({"name": "m", "provider": "aws", "credential": {"secretAccessKey": wrong}, "pace": wrong}).to_string()),
            ("POST", "/v1/connections".to_owned(), format!("{{\"credential\": {{\"secretAccessKey\": \"{wrong}\"")),
            ("PATCH", "/v1/connections/aws".to_owned(), json!({"credential": {"accessKeyId": "A", "secretAccessKey": wrong, wrong: "x"}}).to_string().replace(&format!("\"{wrong}\":"), "\"more\":")),
            ("GET", format!("/v1/connections?token={}", WRONG[5]), String::new()),
            ("GET", format!("/v1/nothing?access_token={}", WRONG[5]), String::new()),
            ("POST", "/v1/apiTokens".to_owned(), json!({"name": "u", "role": "viewer"}).to_string()),
        ] {
            let answer = self.raw(server, "what a client sends", method, &path, &bearer, &body);
            if path == "/v1/apiTokens" {
                let body: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
                self.secret("an API token", body["token"].as_str().unwrap());
            }
        }
    }

    /// Lists and shows of one cloud, in every form.
    fn ask_all_nouns(&self, cloud: &UnderTest) {
        for words in [
            "connection get CLOUD",
            "connection validate CLOUD",
            "connection prerequisites CLOUD",
            "network list",
            "network get net",
            "subnet list --network net",
            "security-group list",
            "key-pair list",
            "key-pair get saved",
            "kubernetes-version list",
            "machine-type list",
            "image list",
            "region list",
            "cluster list --refresh",
            "cluster get clu",
            "cluster unmanaged",
            "node-group list --cluster clu",
            "node list --cluster clu",
            "cluster update clu --tag a=b --plan",
        ] {
            for form in ["wide", "json"] {
                self.run(
                    &format!("-c {0} {1} -o {form}", cloud.name, words.replace("CLOUD", cloud.name)),
                    &[],
                );
            }
        }
    }

    /// All that is of no cloud, by command and by HTTP.
    fn ask_everything(&self, server: &Server, variables: &[(&str, &str)]) {
        for words in [
            "provider list",
            "provider describe aws",
            "connection list",
            "operation list",
            "audit list",
            "api-token list",
            "log-level get",
            "config show",
            "cluster list",
            "--log trace connection list",
        ] {
            let forms = if variables.is_empty() { &["wide", "json", "yaml"][..] } else { &["table", "name"] };
            for form in forms {
                self.run(&format!("{words} -o {form}"), variables);
            }
        }
        for words in ["explain", "man", "completion bash", "--help"] {
            self.run(words, variables);
        }
        let authorization = match variables {
            [(_, name), (_, password)] => format!("Basic {}", STANDARD.encode(format!("{name}:{password}"))),
            _ => String::new(),
        };
        let get = |path: &str| self.raw(server, "a read", "GET", path, &authorization, "");
        let document = get("/v1/openapi.json");
        let document: Value = serde_json::from_str(document.split("\r\n\r\n").nth(1).unwrap()).unwrap();
        let operations = get("/v1/operations?pageSize=200");
        let operations: Value = serde_json::from_str(operations.split("\r\n\r\n").nth(1).unwrap()).unwrap();
        let ids: Vec<&str> =
            operations["items"].as_array().unwrap().iter().filter_map(|one| one["id"].as_str()).collect();
        for (path, methods) in document["paths"].as_object().unwrap() {
            if methods.get("get").is_none() || path.contains("vents") {
                continue;
            }
            let names = path
                .replace("{provider}", "aws")
                .replace("{kind}", "conflict")
                .replace("{network}", "net")
                .replace("{keyPair}", "saved");
            let names = names
                .replace("{subnet}", "s0")
                .replace("{cluster}", "clu")
                .replace("{nodeGroup}", "w")
                .replace("{securityGroup}", "grp")
                .replace("{node}", "x");
            if names.contains("{connection}") {
                for cloud in &self.clouds {
                    drop(get(&names.replace("{connection}", cloud.name)));
                }
            } else if names.contains("{operation}") {
                for id in &ids {
                    drop(get(&names.replace("{operation}", id)));
                }
            } else {
                get(&names);
            }
        }
    }

    /// What those hear who follow.
    fn follow(&self, server: &Server) {
        let token = self.file(".local/share/pmks/token");
        for path in ["/v1/events?after=0", "/v1/events"] {
            let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
            stream.set_read_timeout(Some(Duration::from_millis(700))).unwrap();
            let host = server.url.trim_start_matches("http://");
            let ask = format!(
                "GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\nLast-Event-ID: 0\r\n\r\n",
                token.trim()
            );
            stream.write_all(ask.as_bytes()).unwrap();
            let mut heard = Vec::new();
            let mut buffer = [0; 1 << 14];
            while let Ok(read @ 1..) = stream.read(&mut buffer) {
                heard.extend_from_slice(&buffer[..read]);
            }
            self.evidence().add(&format!("events {path}"), heard);
        }
    }

    /// One request by HTTP, with the local token where no other is named; the whole answer is evidence.
    fn raw(
        &self,
        server: &Server,
        what: &str,
        method: &str,
        path: &str,
        authorization: &str,
        body: &str,
    ) -> String {
        let host = server.url.trim_start_matches("http://");
        let local = std::fs::read_to_string(self.user.path(".local/share/pmks/token")).unwrap_or_default();
        let authorization = if authorization.is_empty() {
            format!("Bearer {}", local.trim())
        } else {
            authorization.to_owned()
        };
        let mut stream = TcpStream::connect(host).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let ask = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {authorization}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(ask.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap_or_else(|error| panic!("{what}: {error}"));
        let template = self.clouds.iter().fold(path.to_owned(), |path, cloud| {
            path.replace(&format!("/connections/{}", cloud.name), "/connections/{connection}")
        });
        self.evidence().add(
            &format!("http {method} {} {path}", template.replace("/clusters/clu", "/clusters/{cluster}")),
            &answer,
        );
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Runs a command; what it says is evidence.
    fn run(&self, words: &str, variables: &[(&str, &str)]) -> Ended {
        let args: Vec<&str> = words.split(' ').collect();
        let mut command = self.user.command(&args);
        command.envs(variables.iter().copied());
        let ended = ended(command);
        let place = words
            .strip_prefix("-c ")
            .and_then(|words| words.split_once(' '))
            .map_or(words, |(_, words)| words);
        self.evidence().add(&format!("stdout {place} ({words})"), &ended.out);
        self.evidence().add(&format!("stderr {place} ({words})"), &ended.err);
        ended
    }

    /// The command lines of every process of this machine, as anybody can read them.
    fn watch_command_lines(&self, over: &AtomicBool) {
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

    fn faults(cloud: &UnderTest, rules: &Value) {
        cloud.simulator.world.faults(rules);
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.user.path(name)).unwrap_or_default()
    }

    fn secret(&self, kind: &'static str, secret: &str) {
        let secret = secret.trim();
        assert!(secret.len() >= 20, "{kind} is too short to be told from chance");
        self.secrets().insert((kind, secret.to_owned()));
    }

    /// A private key: its later lines, since the first ones may be of the public half.
    fn secret_key(&self, kind: &'static str, text: &str) {
        let Some((_, body)) = text.split_once("PRIVATE KEY-----") else { return };
        let body = body.split("-----END").next().unwrap_or_default().replace("\\n", "\n");
        let lines: Vec<&str> = body.lines().map(str::trim).filter(|line| line.len() >= 40).collect();
        for line in &lines[lines.len() / 2..] {
            self.secret(kind, line);
        }
    }

    fn evidence(&self) -> MutexGuard<'_, Evidence> {
        self.evidence.lock().unwrap()
    }

    fn secrets(&self) -> MutexGuard<'_, BTreeSet<(&'static str, String)>> {
        self.secrets.lock().unwrap()
    }
}
