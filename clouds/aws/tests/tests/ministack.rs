//! ministack, a server that others wrote, with authentication on: it verifies every signature of every service, and the
//! tokens for clusters as EKS' authenticator has STS verify them.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test cannot go on without it")]

use std::process::Command;

use pmks_aws_tests::{CONTRACT, REQUIREMENTS};
use pmks_suites::schema_gate::judge_requests;
use pmks_suites::{Ended, Pmks, Python, Stranger, skip, text};
use serde_json::Value;

/// The server, and boto3 beside it.
const MINISTACK: &str = include_str!("../ministack.txt");
/// Of the right form, and nobody's.
const WRONG: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

struct Ministack {
    python: Python,
    server: Stranger,
    key: (String, String),
}

impl Ministack {
    fn start(python: Python) -> Self {
        let server = Stranger::start(|port| {
            let mut command = Command::new(python.program("ministack"));
            command.env("AUTH", "true").env("BIND_HOST", "127.0.0.1").env("GATEWAY_PORT", port.to_string());
            command
        });
        let mut started = Self { python, server, key: ("test".to_owned(), "test".to_owned()) };
        let user = started.boto(&["user"]);
        started.key = (text(&user, "/id").to_owned(), text(&user, "/secret").to_owned());
        started
    }

    fn url(&self) -> String {
        self.server.url()
    }

    /// What boto3 does or sees.
    fn boto(&self, arguments: &[&str]) -> Value {
        let output = Command::new(self.python.program("python"))
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/ministack.py"))
            .arg(self.url())
            .args(arguments)
            .env("AWS_ACCESS_KEY_ID", &self.key.0)
            .env("AWS_SECRET_ACCESS_KEY", &self.key.1)
            .output()
            .unwrap();
        let ended = Ended::of(&output);
        assert_eq!(ended.code, 0, "{arguments:?}: {}", ended.stderr);
        serde_json::from_str(&ended.stdout).unwrap()
    }

    /// A connection with the user's key and this secret.
    fn connect(&self, pmks: &Pmks, secret: &str) -> Ended {
        std::fs::write(pmks.home().join("secret"), secret).unwrap();
        let id = format!("accessKeyId={}", self.key.0);
        let secret = format!("secretAccessKey=@{}", pmks.home().join("secret").display());
        let endpoint = format!("all={}", self.url());
        let create = ["connection", "create", "sim", "--provider", "aws", "--region", "us-east-1"];
        let rest = ["--credential", &id, "--credential", &secret, "--endpoint", &endpoint, "--pace", "10"];
        pmks.run(&[create.as_slice(), &rest].concat())
    }
}

fn ministack() -> Option<(Ministack, Python)> {
    match Python::get(MINISTACK).and_then(|server| Ok((server, Python::get(REQUIREMENTS)?))) {
        Ok((server, botocore)) => Some((Ministack::start(server), botocore)),
        Err(why) => {
            skip("ministack", &why);
            None
        }
    }
}

#[test]
fn every_signature_is_verified_and_so_are_tokens() {
    let Some((ministack, botocore)) = ministack() else { return };
    let pmks = Pmks::new().unwrap();
    let before = ministack.boto(&["left"]);
    let refused = ministack.connect(&pmks, WRONG);
    assert_ne!(refused.code, 0, "{}", refused.stdout);
    assert!(refused.stderr.contains("SignatureDoesNotMatch"), "{}", refused.stderr);
    assert!(!refused.stderr.contains(WRONG), "the secret is in the error");

    let made = ministack.connect(&pmks, &ministack.key.1);
    assert_eq!(made.code, 0, "{}", made.stderr);
    let subnets = ground(&pmks);
    let [first, second] = subnets.each_ref();
    ministack.boto(&["cluster", "theirs", first, second]);
    pmks.succeed(&["cluster", "import", "theirs", "-c", "sim", "--system-id", "theirs"]);
    // What IAM and EKS put into paths and bodies is signed too: blanks, signs, other letters.
    let tag = "owner of it=김 & co. (blue/green)+1";
    pmks.succeed(&["cluster", "update", "theirs", "-c", "sim", "--tag", tag]);
    assert_eq!(ministack.boto(&["tags", "theirs"])["owner of it"], "김 & co. (blue/green)+1");
    tokens(&ministack, &pmks);
    what_ministack_lacks(&pmks);
    pmks.succeed(&["network", "delete", "net", "-c", "sim", "--yes"]);
    assert_eq!(ministack.boto(&["left"]), before);
    judge_requests(&botocore, CONTRACT, &pmks);
}

/// Prerequisites and network; answers the subnets' identifiers. Neither key pairs nor security groups: ministack keeps no
/// tags of the ones, so that pmks would take its own for a stranger's, and does not know the filter by which pmks finds
/// whose rules hold the others.
fn ground(pmks: &Pmks) -> [String; 2] {
    pmks.succeed(&["connection", "prerequisites", "sim", "--fix", "--yes"]);
    let subnet = |name: &str, third: u8| {
        format!("name={name},cidr=10.0.{third}.0/24,zone=us-east-1{}", name.trim_start_matches("net-"))
    };
    let network = ["network", "create", "net", "-c", "sim", "--cidr", "10.0.0.0/16"];
    let (first, second) = (subnet("net-a", 1), subnet("net-b", 2));
    pmks.succeed(&[network.as_slice(), &["--subnet", &first, "--subnet", &second]].concat());
    let network = pmks.json(&["network", "get", "net", "-c", "sim"]);
    [0, 1].map(|index| text(&network, &format!("/subnets/{index}/iid/systemId")).to_owned())
}

/// A token is accepted for its cluster, for no other one, and not with another signature.
fn tokens(ministack: &Ministack, pmks: &Pmks) {
    let credential: Value =
        serde_json::from_str(&pmks.succeed(&["token", "-c", "sim", "--cluster", "theirs"])).unwrap();
    let token = text(&credential, "/status/token");
    let accepted = ministack.boto(&["shown", token, "theirs"]);
    assert_eq!(accepted["status"], 200, "{accepted}");
    assert!(text(&accepted, "/says").contains(":user/pmks"), "{accepted}");
    assert_eq!(ministack.boto(&["shown", token, "others"])["status"], 403);
    assert_eq!(ministack.boto(&["shown", token, "theirs", "spoilt"])["status"], 403);
}

/// ministack lists no versions and no Fargate profiles: clear errors that name the call, and nothing is changed.
fn what_ministack_lacks(pmks: &Pmks) {
    let versions = pmks.run(&["kubernetes-version", "list", "-c", "sim"]);
    assert_ne!(versions.code, 0);
    assert!(versions.stderr.contains("eks.DescribeClusterVersions"), "{}", versions.stderr);
    let deleted = pmks.run(&["cluster", "delete", "theirs", "-c", "sim", "--yes"]);
    assert_ne!(deleted.code, 0);
    assert!(deleted.stderr.contains("eks.ListFargateProfiles"), "{}", deleted.stderr);
    let cluster = pmks.json(&["cluster", "get", "theirs", "-c", "sim", "--refresh"]);
    assert_eq!(cluster["status"], "Active", "{cluster}");
    pmks.succeed(&["cluster", "forget", "theirs", "-c", "sim", "--yes"]);
}
