//! A server, its clients, and the way into a cluster.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::sandbox::{Sandbox, ended, http_get, https_get};

#[test]
fn a_server_is_found_and_knows_its_users() {
    let user = Sandbox::new();
    let server = user.serve(&[]);
    user.good(&["provider", "list"]);
    assert_eq!(http_get(&format!("{}/v1/providers", server.url), None).0, 401);
    assert_eq!(http_get(&format!("{}/healthz", server.url), None).0, 200);
    let second = user.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.code, Some(4), "{second:?}");

    let stranger = Sandbox::new();
    let named = ["--server", &server.url, "provider", "list"];
    assert_eq!(stranger.run(&named).code, Some(5));
    let token = user.good(&["api-token", "create", "t", "--role", "viewer"]).out;
    let mut command = stranger.command(&named);
    command.env("PMKS_TOKEN", token.trim());
    assert_eq!(ended(command).code, Some(0));
    stranger.write("token", &token);
    stranger.good(&["login", &server.url, "--token", "@token"]);
    stranger.good(&named);
    let refused = stranger.run(&["--server", &server.url, "api-token", "list"]);
    assert_eq!(refused.code, Some(5), "{refused:?}");
    let plain = stranger.run(&["login", &server.url, "--token", "hunter2"]);
    assert_eq!(plain.code, Some(2));
    assert!(!plain.err.contains("hunter2") && plain.err.contains("--token @FILE"), "{plain:?}");
    let narrow = ["api-token", "create", "n", "--role", "operator", "-c", "seoul", "-o", "json"];
    let nowhere = user.run(&narrow);
    assert_eq!(nowhere.code, Some(2), "{nowhere:?}");
    assert!(nowhere.err.contains("connections: there is no connection \"seoul\""), "{nowhere:?}");
    user.good(&["api-token", "revoke", "t"]);
    assert_eq!(stranger.run(&named).code, Some(5));

    assert_eq!(server.terminate(), Some(0));
    assert!(!user.path(".local/share/pmks/server.json").exists());
    assert_eq!(database_files(&user), ["pmks.db"], "a server that ended well leaves one file");
    user.good(&["provider", "list"]);
    user.good(&["api-token", "list"]);
    assert_eq!(database_files(&user), ["pmks.db"], "so does a command");
}

#[test]
fn an_administrator_makes_the_first_token_of_a_server_elsewhere() {
    let user = Sandbox::new();
    let administrator = [("PMKS_USERNAME", "admin"), ("PMKS_PASSWORD", "hunter2")];
    let server = user.serve_with(&[], &administrator);
    let elsewhere = Sandbox::new();
    let create = ["--server", &server.url, "api-token", "create", "ops", "--role", "admin"];
    let run = |args: &[&str], variables: &[(&str, &str)]| {
        let mut command = elsewhere.command(args);
        command.envs(variables.iter().copied());
        ended(command)
    };
    assert_eq!(run(&create, &[]).code, Some(5));
    let wrong = run(&create, &[("PMKS_USERNAME", "admin"), ("PMKS_PASSWORD", "hunter3")]);
    assert_eq!(wrong.code, Some(5), "{wrong:?}");
    let half = run(&create, &administrator[..1]);
    assert_eq!(half.code, Some(2), "{half:?}");
    let made = run(&create, &administrator);
    assert_eq!(made.code, Some(0), "{made:?}");
    let list = ["--server", &server.url, "api-token", "list", "-o", "name"];
    let listed = run(&list, &[("PMKS_TOKEN", made.out.trim())]);
    assert_eq!((listed.code, listed.out.trim()), (Some(0), "ops"), "{listed:?}");
    // A token that is given is the one that counts.
    let refused = run(&list, &[administrator[0], administrator[1], ("PMKS_TOKEN", "pmks_wrong")]);
    assert_eq!(refused.code, Some(5), "{refused:?}");
    assert_eq!(server.terminate(), Some(0));
}

/// The files of the database, by name.
fn database_files(user: &Sandbox) -> Vec<String> {
    let entries = std::fs::read_dir(user.path(".local/share/pmks")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<String> = names.filter(|name| name.starts_with("pmks.db")).collect();
    files.sort();
    files
}

#[test]
fn a_cluster_is_reached_as_kubectl_reaches_it() {
    let user = Sandbox::new();
    let server = user.serve(&["--simulated", "aws", "--speed", "2000"]);
    let on = |args: &[&'static str]| user.good(&[&["-c", "aws-simulated"], args].concat());
    on(&["connection", "prerequisites", "aws-simulated", "--fix"]);
    on(&[
        "network",
        "create",
        "n",
        "--cidr",
        "10.0.0.0/16",
        "--subnet",
        "name=s,cidr=10.0.0.0/20,zone=ap-northeast-2a",
        "--subnet",
        "name=t,cidr=10.0.16.0/20,zone=ap-northeast-2c",
    ]);
    on(&[
        "security-group",
        "create",
        "g",
        "--network",
        "n",
        "--rule",
        "direction=inbound,protocol=tcp,from-port=22,to-port=22,cidr=10.0.0.0/16",
    ]);
    let key = on(&["key-pair", "create", "k", "--save", "key.pem"]);
    assert!(!key.out.contains("PRIVATE KEY"), "{key:?}");
    assert!(std::fs::read_to_string(user.path("key.pem")).unwrap().contains("PRIVATE KEY"));
    let plan = on(&[
        "cluster",
        "create",
        "c",
        "--network",
        "n",
        "--subnet",
        "s",
        "--subnet",
        "t",
        "--security-group",
        "g",
        "--node-group",
        "name=w,key-pair=k,desired=2",
        "--plan",
    ]);
    assert!(plan.err.contains("nothing was changed"), "{plan:?}");
    assert_eq!(user.run(&["-c", "aws-simulated", "cluster", "get", "c"]).code, Some(3));
    let made = on(&[
        "cluster",
        "create",
        "c",
        "--network",
        "n",
        "--subnet",
        "s",
        "--subnet",
        "t",
        "--security-group",
        "g",
        "--node-group",
        "name=w,key-pair=k,desired=2",
    ]);
    assert!(made.out.contains("succeeded"), "{made:?}");

    on(&["cluster", "kubeconfig", "c"]);
    let text = std::fs::read_to_string(user.path(".kube/config")).unwrap();
    let config: Value = serde_saphyr::from_str(&text).unwrap();
    let exec = &config["users"][0]["user"]["exec"];
    assert_eq!(exec["command"], env!("CARGO_BIN_EXE_pmks"));
    let args: Vec<&str> = exec["args"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let mut plugin = user.command(&args);
    plugin.env("KUBERNETES_EXEC_INFO", r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{"interactive":false}}"#);
    let credential: Value = serde_json::from_str(&ended(plugin).out).unwrap();
    assert_eq!(credential["kind"], "ExecCredential");
    let token = credential["status"]["token"].as_str().unwrap();
    let cluster = &config["clusters"][0]["cluster"];
    let authority = STANDARD.decode(cluster["certificate-authority-data"].as_str().unwrap()).unwrap();
    let nodes = format!("{}/api/v1/nodes", cluster["server"].as_str().unwrap());
    let (status, body) = https_get(&nodes, &authority, Some(token));
    assert_eq!(status, 200, "{body}");
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["items"].as_array().unwrap().len(), 2);
    assert_eq!(https_get(&nodes, &authority, Some("k8s-aws-v1.wrong")).0, 401);

    assert_eq!(on(&["cluster", "list", "-o", "name"]).out.trim(), "c");
    on(&["cluster", "delete", "c", "--yes"]);
    assert!(user.json(&["cluster", "list"])["items"].as_array().unwrap().is_empty());
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn a_simulated_world_outlives_its_server() {
    let user = Sandbox::new();
    let server = user.serve(&["--simulated", "aws", "--speed", "2000"]);
    user.good(&["-c", "aws-simulated", "network", "create", "n", "--cidr", "10.0.0.0/16"]);
    server.kill();
    let server = user.serve(&["--simulated", "aws", "--speed", "2000"]);
    user.good(&["-c", "aws-simulated", "network", "delete", "n", "--yes"]);
    assert_eq!(server.terminate(), Some(0));
}
