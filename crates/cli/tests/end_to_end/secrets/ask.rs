//! Everything that there is to ask, in every form, by command and by HTTP; what is answered is evidence.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::run::Run;
use super::work::UnderTest;
use crate::sandbox::{Ended, Sandbox, Server, ended};

impl Run {
    /// Lists and shows of one cloud, in every form.
    pub(super) fn ask_all_nouns(&self, cloud: &UnderTest) {
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
            "network unmanaged",
            "security-group unmanaged",
            "key-pair unmanaged",
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
    pub(super) fn ask_everything(&self, server: &Server, variables: &[(&str, &str)]) {
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
    pub(super) fn follow(&self, server: &Server) {
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
    pub(super) fn raw(
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
    pub(super) fn run(&self, words: &str, variables: &[(&str, &str)]) -> Ended {
        self.run_of(&self.user, words, variables)
    }

    /// The same, of that user.
    pub(super) fn run_of(&self, user: &Sandbox, words: &str, variables: &[(&str, &str)]) -> Ended {
        let args: Vec<&str> = words.split(' ').collect();
        let mut command = user.command(&args);
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
}
