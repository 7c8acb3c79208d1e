//! What is done at a cloud: a connection, a cluster, every way to its credentials, and what goes wrong on the way.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::mistakes::WRONG;
use super::run::Run;
use super::tap::{Tap, credentials};
use crate::sandbox::{Server, Simulator};

/// A cloud: its name, its secret credential fields, and how its subnets are placed.
pub(super) struct UnderTest {
    pub(super) name: &'static str,
    pub(super) secret_fields: &'static [&'static str],
    pub(super) subnets: &'static [&'static str],
    pub(super) simulator: Simulator,
    pub(super) tap: Tap,
}

impl Run {
    /// A connection, a cluster, and what goes wrong on the way.
    pub(super) fn work_at(&self, cloud: &UnderTest, server: &Server) {
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

    pub(super) fn connect(&self, cloud: &UnderTest) {
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
    pub(super) fn ways_in(&self, cloud: &UnderTest, server: &Server) {
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

    pub(super) fn faults(cloud: &UnderTest, rules: &Value) {
        cloud.simulator.world.faults(rules);
    }
}
