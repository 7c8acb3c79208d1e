//! The `aws` command line, which others wrote, against the simulated AWS with real signatures: it makes what pmks
//! takes over, and sees what pmks makes; its tokens are accepted by the simulated cluster, wrong ones are not.
#![expect(clippy::unwrap_used, reason = "a test cannot go on without it")]

use std::process::Command;

use pmks_aws_tests::{AWS, REQUIREMENTS};
use pmks_suites::{Ended, Python, Stand, is_shown_whole, text};
use serde_json::{Value, json};

struct Aws {
    python: Python,
    url: String,
    key: String,
    secret: String,
    region: String,
}

impl Aws {
    fn command(&self, arguments: &[&str]) -> Ended {
        let output = Command::new(self.python.program("aws"))
            .args(["--endpoint-url", &self.url, "--output", "json", "--region", &self.region])
            .args(arguments)
            .env("AWS_ACCESS_KEY_ID", &self.key)
            .env("AWS_SECRET_ACCESS_KEY", &self.secret)
            .env("AWS_CONFIG_FILE", "/nonexistent")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
            .env("AWS_PAGER", "")
            .env("AWS_MAX_ATTEMPTS", "1")
            .output()
            .unwrap();
        Ended::of(&output)
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let ended = self.command(arguments);
        assert_eq!(ended.code, 0, "aws {}: {}", arguments.join(" "), ended.stderr);
        if ended.stdout.trim().is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&ended.stdout).unwrap()
        }
    }
}

async fn stand() -> Option<(Stand, Aws)> {
    let stand = Stand::new(AWS, REQUIREMENTS, "the aws command line").await?;
    let connection = stand.world.connection("sim");
    let aws = Aws {
        python: stand.python.clone(),
        url: stand.world.url(),
        key: connection.credential.get("accessKeyId").unwrap().to_owned(),
        secret: connection.credential.get("secretAccessKey").unwrap().to_owned(),
        region: connection.region,
    };
    Some((stand, aws))
}

fn network(stand: &Stand, region: &str) -> (String, String, String) {
    stand.pmks.succeed(&[
        "network",
        "create",
        "net",
        "-c",
        "sim",
        "--cidr",
        "10.0.0.0/16",
        "--subnet",
        &format!("name=net-a,cidr=10.0.1.0/24,zone={region}a"),
        "--subnet",
        &format!("name=net-b,cidr=10.0.2.0/24,zone={region}b"),
    ]);
    let network = stand.pmks.json(&["network", "get", "net", "-c", "sim"]);
    let subnet = |index: usize| text(&network, &format!("/subnets/{index}/iid/systemId")).to_owned();
    (text(&network, "/iid/systemId").to_owned(), subnet(0), subnet(1))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_aws_command_line_makes_pmks_takes_over_and_manages() {
    let Some((stand, aws)) = stand().await else { return };
    let (vpc, first, second) = network(&stand, &aws.region);
    let pmks = &stand.pmks;
    pmks.succeed(&["key-pair", "create", "admin", "-c", "sim"]);
    let group = [
        "ec2",
        "create-security-group",
        "--group-name",
        "theirs",
        "--description",
        "theirs",
        "--vpc-id",
        &vpc,
    ];
    let group = aws.json(&group);
    let roles = aws.json(&["iam", "list-roles"]);
    let role = |part: &str| {
        let roles = roles["Roles"].as_array().unwrap().iter().map(|role| text(role, "/Arn"));
        roles.into_iter().find(|arn| arn.ends_with(part)).unwrap().to_owned()
    };
    let subnets = format!("subnetIds={first},{second},securityGroupIds={}", text(&group, "/GroupId"));
    aws.json(&[
        "eks",
        "create-cluster",
        "--name",
        "theirs",
        "--role-arn",
        &role("eks-cluster-role"),
        "--resources-vpc-config",
        &subnets,
    ]);
    aws.json(&["eks", "wait", "cluster-active", "--name", "theirs"]);
    aws.json(&[
        "eks",
        "create-nodegroup",
        "--cluster-name",
        "theirs",
        "--nodegroup-name",
        "workers",
        "--node-role",
        &role("eks-nodegroup-role"),
        "--subnets",
        &first,
        &second,
        "--scaling-config",
        "minSize=1,maxSize=3,desiredSize=2",
        "--remote-access",
        "ec2SshKey=admin",
    ]);
    aws.json(&["eks", "wait", "nodegroup-active", "--cluster-name", "theirs", "--nodegroup-name", "workers"]);

    let unmanaged = pmks.json(&["cluster", "unmanaged", "-c", "sim"]);
    assert_eq!(unmanaged.pointer("/items/0/iid/nameId"), Some(&json!("theirs")), "{unmanaged}");
    pmks.succeed(&["cluster", "import", "theirs", "-c", "sim", "--system-id", "theirs"]);
    let cluster = pmks.json(&["cluster", "get", "theirs", "-c", "sim"]);
    assert_eq!(cluster["imported"], true);
    // EKS knows a disk's size alone.
    is_shown_whole(&cluster, &["/nodeGroups/0/rootDiskType"]);
    assert_eq!(cluster.pointer("/nodeGroups/0/nodes").unwrap().as_array().unwrap().len(), 2);
    // EKS itself tags the group for the Cluster Autoscaler, so the switch is on and the size is the autoscaler's.
    let scale = ["node-group", "scale", "workers", "-c", "sim", "--cluster", "theirs", "--desired", "3"];
    let ended = pmks.run(&scale);
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(ended.stderr.contains("--auto-scaling false"), "{}", ended.stderr);
    pmks.succeed(&[scale.as_slice(), &["--auto-scaling", "false"]].concat());
    let scaling =
        aws.json(&["eks", "describe-nodegroup", "--cluster-name", "theirs", "--nodegroup-name", "workers"]);
    assert_eq!(scaling.pointer("/nodegroup/scalingConfig/desiredSize"), Some(&json!(3)));
    pmks.succeed(&["cluster", "delete", "theirs", "-c", "sim", "--yes"]);
    assert_eq!(aws.json(&["eks", "list-clusters"]), json!({"clusters": []}));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_pmks_makes_the_aws_command_line_sees_and_gets_into() {
    let Some((stand, aws)) = stand().await else { return };
    network(&stand, &aws.region);
    let pmks = &stand.pmks;
    pmks.succeed(&[
        "cluster",
        "create",
        "ours",
        "-c",
        "sim",
        "--network",
        "net",
        "--subnet",
        "net-a",
        "--subnet",
        "net-b",
        "--node-group",
        "name=workers,desired=2,max=3",
    ]);
    let cluster = pmks.json(&["cluster", "get", "ours", "-c", "sim"]);
    let seen = aws.json(&["eks", "describe-cluster", "--name", "ours"]);
    assert_eq!(cluster["endpoint"], seen["cluster"]["endpoint"]);
    assert_eq!(cluster.pointer("/observed/version"), seen.pointer("/cluster/version"));

    let token = |cluster: &str| {
        let answer = aws.json(&["eks", "get-token", "--cluster-name", cluster]);
        text(&answer, "/status/token").to_owned()
    };
    let certificate = pmks.home().join("ca.pem");
    std::fs::write(&certificate, text(&cluster, "/certificateAuthority")).unwrap();
    let status = |token: &str| {
        let url = format!("{}/api/v1/nodes", text(&cluster, "/endpoint"));
        let header = format!("Authorization: Bearer {token}");
        let output = Command::new("curl")
            .args(["--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--cacert"])
            .arg(&certificate)
            .args(["--header", &header, &url])
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let own = token("ours");
    assert_eq!(status(&own), "200");
    assert_eq!(status(&token("another")), "401");
    assert_eq!(status(&own.replace("k8s-aws-v1.", "k8s-aws-v1.x")), "401");
    assert_eq!(status("nonsense"), "401");
    let stranger = Aws {
        secret: "wrong".to_owned(),
        python: aws.python.clone(),
        url: aws.url.clone(),
        key: aws.key.clone(),
        region: aws.region.clone(),
    };
    let forged = stranger.json(&["eks", "get-token", "--cluster-name", "ours"]);
    assert_eq!(status(text(&forged, "/status/token")), "401");
    let refused = stranger.command(&["eks", "list-clusters"]);
    assert_ne!(refused.code, 0);
    assert!(refused.stderr.contains("InvalidSignatureException"), "{}", refused.stderr);

    pmks.succeed(&["cluster", "delete", "ours", "-c", "sim", "--yes"]);
}
