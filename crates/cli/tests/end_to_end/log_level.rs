//! What a server logs, changed while it runs.

use serde_json::Value;

use crate::sandbox::{Sandbox, ended};

#[test]
fn the_log_is_changed_while_the_server_runs() {
    let user = Sandbox::new();
    let server = user.serve(&["--log-json"]);
    let log = || std::fs::read_to_string(user.path("serve.log")).unwrap();
    assert_eq!(user.json(&["log-level", "get"])["filter"], "warn");
    user.good(&["provider", "list"]);
    assert_eq!(log().matches("\"answered\"").count(), 0, "{}", log());
    let planned = user.good(&["log-level", "set", "debug", "--plan"]);
    assert!(planned.out.contains("the server logs by"), "{planned:?}");
    assert_eq!(user.json(&["log-level", "get"])["filter"], "warn");
    let set = user.good(&["log-level", "set", "pmks_server=debug"]);
    assert!(set.out.contains("pmks_server=debug"), "{set:?}");
    user.good(&["provider", "list"]);
    let lines: Vec<Value> = log()
        .lines()
        .filter(|line| line.contains("\"answered\""))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let routes: Vec<&Value> = lines.iter().map(|line| &line["span"]["route"]).collect();
    assert!(routes.iter().any(|route| *route == "/v1/providers"), "{}", log());
    user.good(&["log-level", "set", "warn"]);
    let before = log().matches("\"answered\"").count();
    user.good(&["provider", "list"]);
    assert_eq!(log().matches("\"answered\"").count(), before);

    let wrong = user.run(&["log-level", "set", "====="]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    let audit = user.json(&["audit", "list"]);
    let lines = audit["items"].as_array().unwrap().iter();
    assert_eq!(lines.filter(|line| line["action"] == "logLevel.set").count(), 2);
    let token = user.good(&["api-token", "create", "t", "--role", "operator"]).out;
    let mut command = user.command(&["--server", &server.url, "log-level", "set", "trace"]);
    command.env("PMKS_TOKEN", token.trim());
    assert_eq!(ended(command).code, Some(5));
    assert_eq!(server.terminate(), Some(0));
    let alone = user.run(&["log-level", "get"]);
    assert_eq!(alone.code, Some(6), "{alone:?}");
}
