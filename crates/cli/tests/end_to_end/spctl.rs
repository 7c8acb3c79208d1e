//! `pmks spctl`, as CB-Spider's scripts call `spctl`: its words, its output, and codes that tell how it ended.

use serde_json::{Value, json};

use crate::sandbox::{Ended, Sandbox, Server};

const USER: [(&str, &str); 2] = [("SPIDER_USERNAME", "admin"), ("SPIDER_PASSWORD", "hunter3")];

struct Spctl {
    user: Sandbox,
    server: Server,
}

impl Spctl {
    fn new() -> Self {
        let user = Sandbox::new();
        let server = user.serve_with(&[], &USER);
        Self { user, server }
    }

    fn run(&self, args: &[&str], variables: &[(&str, &str)]) -> Ended {
        let at = self.server.url.trim_start_matches("http://");
        let mut command = self.user.command(&[&["spctl", "-s", at], args].concat());
        command.envs(variables.iter().copied());
        crate::sandbox::ended(command)
    }

    fn json(&self, args: &[&str]) -> Value {
        let ended = self.run(args, &USER);
        assert_eq!(ended.code, Some(0), "{args:?}: {ended:?}");
        serde_json::from_str(&ended.out).unwrap()
    }

    /// What it prints where it is refused, with that code.
    fn refused(&self, args: &[&str], code: i32) -> Ended {
        let ended = self.run(args, &USER);
        assert_eq!(ended.code, Some(code), "{args:?}: {ended:?}");
        ended
    }
}

fn asked(body: &Value) -> String {
    json!({"ConnectionName": "conn", "ReqInfo": body}).to_string()
}

#[test]
fn scripts_of_cb_spider_go_on() {
    let spctl = Spctl::new();
    let pairs = |key: &str, value: &str| json!([{"Key": key, "Value": value}]);
    for (resource, body) in [
        ("driver", json!({"DriverName": "d", "ProviderName": "MOCK", "DriverLibFileName": "d.so"})),
        (
            "credential",
            json!({"CredentialName": "c", "ProviderName": "MOCK", "KeyValueInfoList": pairs("MockName", "m")}),
        ),
        (
            "region",
            json!({"RegionName": "r", "ProviderName": "MOCK", "KeyValueInfoList": pairs("Region", "default")}),
        ),
    ] {
        spctl.json(&[resource, "register", "-d", &body.to_string()]);
    }
    let config = json!({
        "ConfigName": "conn", "ProviderName": "MOCK", "DriverName": "d", "CredentialName": "c", "RegionName": "r",
    });
    assert_eq!(spctl.json(&["connection", "create", "--data", &config.to_string()]), config);
    assert_eq!(spctl.json(&["connection-config", "get", "--ConfigName", "conn"]), config);
    // As CB-Spider's Mock has it, before there is a connection.
    let asked_of = ["region-zone-preconfig", "get", "--DriverName", "d", "--CredentialName", "c", "--Name"];
    let region = spctl.json(&[&asked_of[..], &["default"]].concat());
    assert_eq!((&region["Name"], &region["ZoneList"][2]["Name"]), (&json!("default"), &json!("default-z3")));
    let vpc = json!({
        "Name": "net", "IPv4_CIDR": "10.0.0.0/16", "SubnetInfoList": [{"Name": "sub", "IPv4_CIDR": "10.0.0.0/20"}],
    });
    assert_eq!(spctl.json(&["vpc", "create", "-d", &asked(&vpc)])["IId"]["NameId"], "net");
    let cluster = json!({
        "Name": "a b", "VPCName": "net", "SubnetNames": ["sub"],
    });
    let refused = spctl.refused(&["cluster", "create", "-d", &asked(&cluster)], 2);
    assert!(refused.out.contains("\"message\"") && refused.err.contains("Name"), "{refused:?}");
    let cluster = json!({"Name": "one", "VPCName": "net", "SubnetNames": ["sub"]});
    // The connection by its flag goes into the body.
    let whole = json!({"ReqInfo": cluster}).to_string();
    assert_eq!(spctl.json(&["cluster", "create", "-c", "conn", "-d", &whole])["IId"]["NameId"], "one");
    let again = spctl.refused(&["cluster", "create", "-d", &asked(&cluster)], 4);
    assert!(again.out.contains("already exists") && again.err.contains("already exists"), "{again:?}");
    assert_eq!(spctl.json(&["cluster", "list", "-c", "conn"])["cluster"][0]["IId"]["NameId"], "one");
    // Where a word is left out, those that there are stand in for it.
    let help = spctl.run(&["cluster"], &USER);
    assert_eq!(help.code, Some(0), "{help:?}");
    assert!(help.out.contains("Usage: pmks spctl cluster") && help.out.contains("upgrade"), "{help:?}");
    let yaml = spctl.run(&["cluster-by-connection", "count", "-c", "conn", "-o", "yaml"], &USER);
    assert_eq!((yaml.code, yaml.out.trim()), (Some(0), "count: 1"));
    let table = spctl.run(&["system-info", "fetch", "--mode", "text"], &USER);
    assert!(table.code == Some(0) && table.out.contains("\nCATEGORY\tPROPERTY"), "{table:?}");
    assert_eq!(spctl.json(&["cluster-token", "get", "-n", "one", "-c", "conn"])["kind"], "ExecCredential");
    // As CB-Spider's own scripts write it, which its spctl refuses.
    assert_eq!(spctl.json(&["cluster", "delete", "-c", "conn", "-n", "one"]), json!({"Result": "true"}));
    let here = json!({"ConnectionName": "conn"}).to_string();
    let gone = spctl.json(&["vpc", "delete", "-n", "net", "--force", "true", "-c", "conn", "-d", &here]);
    assert_eq!(gone, json!({"Result": "true"}));
    spctl.refused(&["vpc", "get", "-c", "conn", "-n", "net"], 3);
    assert_eq!(spctl.json(&["driver", "list", "-c", "whatever", "--provider", "NHN"]), json!({"driver": []}));
}

#[test]
fn what_is_wrong_is_told_by_a_code() {
    let spctl = Spctl::new();
    for (args, says) in [
        (&["cluster", "create"][..], "--data '{\"ConnectionName\""),
        (&["cluster", "get", "-c", "conn"], "--Name"),
        (&["cluster", "list"], "-c CONNECTION"),
        (&["cluster", "create", "-d", "[1]"], "--data is no JSON object"),
        (&["cluster", "make"], "make"),
        (
            &["cluster", "delete", "-n", "one", "-c", "conn", "-d", r#"{"connectionName": "other"}"#],
            "-c names the connection conn, and --data \"other\"",
        ),
    ] {
        let refused = spctl.refused(args, 2);
        assert!(refused.out.is_empty() && refused.err.contains(says), "{args:?}: {refused:?}");
    }
    // What has no route here is told apart from what is misspelt, whatever is said with it.
    for args in [
        &["disk", "list", "-c", "conn"][..],
        &["vm", "start", "-d", "{}"],
        &["nlb", "create", "--help"],
        &["s3-bucket", "delete", "--BucketName", "b"],
    ] {
        let refused = spctl.refused(args, 6);
        assert!(
            refused.err.contains("is not supported here") && refused.out.is_empty(),
            "{args:?}: {refused:?}"
        );
    }
    let stranger = spctl.run(&["cloudos", "list"], &[]);
    assert_eq!((stranger.code, stranger.out.contains("Unauthorized")), (Some(5), true), "{stranger:?}");
    let wrong = spctl.run(&["cloudos", "list", "-u", "admin", "-p", "wrong"], &USER);
    assert_eq!(wrong.code, Some(5), "a flag goes before its variable: {wrong:?}");
    assert_eq!(spctl.run(&["check-readyz", "health"], &[]).code, Some(0));
    let help = spctl.run(&["cluster", "--help"], &[]);
    assert!(help.code == Some(0) && help.out.contains("upgrade") && help.err.is_empty(), "{help:?}");
    let nobody = spctl.user.run(&["spctl", "-s", "127.0.0.1:1", "cloudos", "list"]);
    assert_eq!(nobody.code, Some(7), "{nobody:?}");
}
