//! Names and words that others chose to harm: in files, headers, the log, YAML and on the terminal.

use pmks_suites::{kubectl, skip_where};
use serde_json::{Value, json};

use crate::sandbox::{Ended, Sandbox, Simulator, http_get};

/// What a cloud or a stranger may say anywhere.
const HOSTILE: &str = "a\r\n2026-01-01T00:00:00Z ERROR forged\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}2J\u{202e}\u{2028}\0 ../../x %2e%2e%2f {{x}} - a: &b [*b] 한글\u{1f680}";

/// Names that are allowed, each of them something else to somebody on the way.
const ALLOWED: [&str; 14] = [
    "yes",
    "null",
    "~",
    "1e3",
    "x: - a",
    "{{ .Values.x }}",
    "&a [*a]",
    "a: b # c",
    "../../escaped",
    "%2e%2e%2fescaped",
    "$(touch escaped)",
    "클러스터\u{1f680}",
    "\u{202e}gpj.exe",
    "'\"\\",
];

/// Names that connections may have.
const CONNECTIONS: [&str; 10] = [
    "서울 (운영) \u{1f680}",
    "aws-(ohio)us-east-2-and-a-name-that-is-longer-than-sixty-three-letters",
    "x: - a # b",
    "{{ .Values.x }}",
    "a@b%40c",
    "..%2fescaped",
    "$(touch escaped)",
    "'\"\\",
    "--help",
    "-",
];

/// Names that are refused.
const REFUSED: [&str; 6] = ["a\nb", "a\rb", "a\u{1b}]0;owned\u{7}", "\u{9b}2J", "..", " a"];

/// Whether a character is an order to a terminal, or turns what is read round.
fn steers(c: char) -> bool {
    let turns =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (c.is_control() && c != '\n') || turns || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Nothing in a text steers a terminal.
#[track_caller]
fn plain(ended: &Ended) {
    for text in [&ended.out, &ended.err] {
        let found: Vec<char> = text.chars().filter(|c| steers(*c)).collect();
        assert!(found.is_empty(), "{found:?} in {text:?}");
        let forged = text.lines().filter(|line| line.starts_with("2026-01-01T00:00:00Z ERROR")).count();
        assert_eq!(forged, 0, "{text}");
    }
}

/// A simulated cloud with the cluster `c`, of some other installation.
fn cloud_with_a_cluster(maker: &Sandbox) -> Simulator {
    let simulator = maker.simulate("4000");
    assert_eq!(maker.connect("a", &simulator).code, Some(0));
    let good = |words: &str| maker.good(&words.split(' ').collect::<Vec<_>>());
    good("connection prerequisites a --fix");
    good(
        "-c a network create n --cidr 10.0.0.0/16 --subnet name=s,cidr=10.0.0.0/20,zone=ap-northeast-2a \
         --subnet name=t,cidr=10.0.16.0/20,zone=ap-northeast-2c",
    );
    good("-c a cluster create c --network n --subnet s --subnet t --node-group name=w");
    simulator
}

#[test]
fn hostile_names_are_names_and_nothing_else() {
    let maker = Sandbox::new();
    let simulator = cloud_with_a_cluster(&maker);
    let user = Sandbox::new();
    assert_eq!(user.connect("a", &simulator).code, Some(0));
    let server = user.serve(&["--log", "debug"]);
    let on = |args: &[&str]| {
        let ended = user.run(&[&["-c", "a"], args].concat());
        plain(&ended);
        ended
    };
    let token = std::fs::read_to_string(user.path(".local/share/pmks/token")).unwrap();
    for name in ALLOWED {
        let imported = on(&["cluster", "import", name, "--system-id", "c", "--take-over"]);
        assert_eq!(imported.code, Some(0), "{name}: {imported:?}");
        let got: Value = serde_json::from_str(&on(&["cluster", "get", name, "-o", "json"]).out).unwrap();
        assert_eq!(got["name"], name);
        let got: Value = serde_saphyr::from_str(&on(&["cluster", "get", name, "-o", "yaml"]).out).unwrap();
        assert_eq!(got["name"], name);
        let listed = on(&["cluster", "list"]).out;
        assert_eq!(listed.lines().count(), 2, "a row is a line: {listed:?}");
        let written = on(&["cluster", "kubeconfig", name, "--file", "config"]);
        assert_eq!(written.code, Some(0), "{name}: {written:?}");
        let config = std::fs::read_to_string(user.path("config")).unwrap();
        let read: Value = serde_saphyr::from_str(&config).unwrap();
        assert_eq!(read["current-context"], format!("{name}@a"), "{config}");
        let users = read["users"].as_array().unwrap();
        let args =
            users.iter().find(|user| user["name"] == format!("{name}@a")).unwrap()["user"]["exec"]["args"]
                .clone();
        assert!(args.as_array().unwrap().contains(&json!(name)), "{args}");
        read_by_kubectl(&user, &format!("{name}@a"));
        assert_eq!(on(&["token", "--cluster", name]).code, Some(0));
        assert_eq!(on(&["cluster", "forget", name, "--yes"]).code, Some(0), "{name}");
    }
    for name in REFUSED {
        let refused = on(&["cluster", "import", name, "--system-id", "c", "--take-over"]);
        assert_eq!(refused.code, Some(2), "{name:?}: {refused:?}");
    }
    let (_, events) = http_get(&format!("{}/v1/operations?pageSize=200", server.url), Some(token.trim()));
    assert!(events.contains("escaped"), "the names are in the records");
    let escaped: Vec<_> = walk(&user).into_iter().filter(|path| path.contains("escaped")).collect();
    assert!(escaped.is_empty(), "{escaped:?}");
    assert_eq!(server.terminate(), Some(0));
    one_line_an_event(&user);
}

#[test]
fn connections_are_called_as_people_call_them() {
    let maker = Sandbox::new();
    let simulator = cloud_with_a_cluster(&maker);
    let user = Sandbox::new();
    let server = user.serve(&["--log", "debug"]);
    // The last one means «all» where a connection is named.
    let (nothing, names) = CONNECTIONS.split_last().unwrap();
    for name in names {
        // Where a name could be read as a flag it stands behind `--`, or in one word with its flag.
        let at = format!("--connection={name}");
        let on = |args: &[&str]| {
            let ended = user.run(&[&[at.as_str()], args].concat());
            plain(&ended);
            assert_eq!(ended.code, Some(0), "{name}: {args:?}: {ended:?}");
            ended
        };
        connect(&user, name, &simulator);
        let shown = user.run(&["connection", "get", "-o", "json", "--", name]);
        assert_eq!(serde_json::from_str::<Value>(&shown.out).unwrap()["name"], *name);
        let yaml = user.run(&["connection", "list", "-o", "yaml"]);
        assert_eq!(serde_saphyr::from_str::<Value>(&yaml.out).unwrap()["items"][0]["name"], *name);
        assert_eq!(on(&["connection", "list"]).out.lines().count(), 2, "a row is a line");
        on(&["cluster", "import", "c", "--system-id", "c", "--take-over"]);
        assert_eq!(on(&["cluster", "list"]).out.lines().count(), 2, "a row is a line");
        on(&["cluster", "kubeconfig", "c", "--file", "config"]);
        let config = std::fs::read_to_string(user.path("config")).unwrap();
        let read: Value = serde_saphyr::from_str(&config).unwrap();
        let context = read["current-context"].as_str().unwrap();
        assert_eq!(context, format!("c@{}", name.replace('%', "%25").replace('@', "%40")));
        read_by_kubectl(&user, context);
        // What kubectl would run lets it in.
        let of_it = read["users"].as_array().unwrap().iter().find(|one| one["name"] == context).unwrap();
        let args = of_it["user"]["exec"]["args"].as_array().unwrap();
        let args: Vec<&str> = args.iter().map(|arg| arg.as_str().unwrap()).collect();
        let token = user.good(&args);
        assert!(token.out.contains("ExecCredential"), "{token:?}");
        on(&["operation", "list"]);
        on(&["cluster", "forget", "c", "--yes"]);
        user.good(&["connection", "delete", "--yes", "--", name]);
    }
    let refused = user.run(&["connection", "create", "--provider", "aws", "--region", "r", "--", nothing]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    let escaped: Vec<_> = walk(&user).into_iter().filter(|path| path.contains("escaped")).collect();
    assert!(escaped.is_empty(), "{escaped:?}");
    assert_eq!(server.terminate(), Some(0));
    one_line_an_event(&user);
}

/// A connection of that name, whatever it looks like.
fn connect(user: &Sandbox, name: &str, simulator: &Simulator) {
    let made = user.connect_as(&["--", name], simulator);
    assert_eq!(made.code, Some(0), "{name}: {made:?}");
    plain(&made);
}

/// `kubectl` reads what was written.
fn read_by_kubectl(user: &Sandbox, context: &str) {
    let kubectl = match kubectl() {
        Ok(kubectl) => kubectl,
        Err(why) => return skip_where("a kubeconfig read by kubectl", &why, &["go"]),
    };
    let mut command = std::process::Command::new(kubectl);
    command.args(["--kubeconfig", "config", "config", "view", "-o", "json"]).current_dir(user.path(""));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let read: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(read["current-context"], context);
}

#[test]
fn hostile_words_of_a_cloud_are_text() {
    let user = Sandbox::new();
    let simulator = cloud_with_a_cluster(&user);
    let server = user.serve(&["--log", "debug"]);
    let on = |words: &str| {
        let ended = user.run(&[&["-c", "a"], &*words.split(' ').collect::<Vec<_>>()].concat());
        plain(&ended);
        ended
    };
    let tags = json!({HOSTILE: HOSTILE, "pmks-installation": HOSTILE});
    for members in [
        json!({"status": HOSTILE, "tags": tags, "version": HOSTILE, "roleArn": HOSTILE}),
        json!({"endpoint": format!("https://{HOSTILE}"), "arn": HOSTILE, "platformVersion": HOSTILE}),
        json!({"name": HOSTILE, "health": {"issues": [{"code": HOSTILE, "message": HOSTILE, "resourceIds": [HOSTILE]}]}}),
    ] {
        simulator
            .world
            .event(&json!({"type": "showsOver", "cluster": "c", "members": members, "nodeGroups": members}));
        for words in [
            "cluster list --refresh",
            "cluster get c --refresh",
            "cluster get c -o wide",
            "cluster get c -o json",
            "cluster get c -o yaml",
            "cluster get c -o name",
            "node-group list --cluster c",
            "node list --cluster c",
            "node-group get w --cluster c -o yaml",
            "cluster unmanaged",
            "cluster kubeconfig c --print",
            "cluster update c --tag x=y --plan",
            "connection prerequisites a --cluster c",
        ] {
            on(words);
        }
    }
    let mut seen = 0;
    for (action, words) in [
        ("CreateVpc", "network create m --cidr 10.1.0.0/16"),
        ("DescribeVpcs", "network import z --system-id vpc-0123456789abcdef0"),
        ("CreateKeyPair", "key-pair create k"),
        ("ImportKeyPair", "key-pair create k"),
        ("DescribeCluster", "cluster get c --refresh"),
        ("GetCallerIdentity", "connection validate a"),
        ("DeleteNodegroup", "cluster delete c --yes"),
    ] {
        for (status, code) in [(400, "VpcLimitExceeded"), (403, "AccessDenied"), (400, HOSTILE)] {
            let effect = json!({"type": "status", "status": status, "code": code, "message": HOSTILE});
            simulator.world.faults(&json!([{"match": {"action": action}, "effect": effect, "times": 2}]));
            let ended = on(words);
            seen += usize::from(ended.err.contains("forged"));
        }
    }
    simulator.world.faults(&json!([]));
    assert!(seen >= 3, "the cloud's words are shown: {seen}");
    for form in ["table", "wide", "json", "yaml", "name"] {
        on(&format!("operation list -o {form}"));
    }
    let operations = user.json(&["operation", "list"]);
    for operation in operations["items"].as_array().unwrap() {
        for form in ["table", "json", "yaml"] {
            on(&format!("operation get {} -o {form}", operation["id"].as_str().unwrap()));
        }
    }
    assert!(operations.to_string().contains("forged"), "the cloud's words are kept");
    assert_eq!(server.terminate(), Some(0));
    one_line_an_event(&user);
}

/// Each line of the log begins as a line of the log does, or is what the program tells its operator.
fn one_line_an_event(user: &Sandbox) {
    let log = std::fs::read_to_string(user.path("serve.log")).unwrap();
    assert!(log.lines().count() > 20, "{log}");
    for line in log.lines() {
        assert!(!line.starts_with("2026-01-01T00:00:00Z ERROR forged"), "{line}");
        assert_eq!(line.chars().filter(|c| steers(*c)).count(), 0, "{line:?}");
    }
}

/// Every path below the user's home.
fn walk(user: &Sandbox) -> Vec<String> {
    let (mut all, mut folders) = (Vec::new(), vec![user.path("")]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            all.push(entry.path().display().to_string());
            if entry.path().is_dir() {
                folders.push(entry.path());
            }
        }
    }
    all
}
