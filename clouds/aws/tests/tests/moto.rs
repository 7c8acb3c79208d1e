//! The tour of the README against moto, a server that others wrote; boto3 sees there what pmks says.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test cannot go on without it")]

use std::process::Command;

use pmks_aws_tests::REQUIREMENTS;
use pmks_suites::{Pmks, Python, Stranger, skip};
use serde_json::{Value, json};

struct Moto(Stranger);

impl Moto {
    fn start(python: &Python) -> Self {
        Self(Stranger::start(|port| {
            let mut command = Command::new(python.program("moto_server"));
            command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
            command.env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true");
            command
        }))
    }

    fn url(&self) -> String {
        self.0.url()
    }

    /// What boto3 sees: the JSON that a Python expression over `client(service)` gives.
    fn sees(&self, python: &Python, expression: &str) -> Value {
        let script = format!(
            "import boto3, json\n\
             def client(service):\n    return boto3.client(service, region_name='us-east-1', endpoint_url='{}',\
             aws_access_key_id='AKIAIOSFODNN7EXAMPLE', aws_secret_access_key='moto-takes-any-secret')\n\
             print(json.dumps({expression}, default=str))\n",
            self.url()
        );
        let output = Command::new(python.program("python")).args(["-c", &script]).output().unwrap();
        assert!(output.status.success(), "{expression}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

fn connect(pmks: &Pmks, moto: &Moto) {
    let secret = pmks.home().join("secret");
    std::fs::write(&secret, "moto-takes-any-secret").unwrap();
    let secret = format!("secretAccessKey=@{}", secret.display());
    let endpoint = format!("all={}", moto.url());
    let create = ["connection", "create", "moto", "--provider", "aws", "--region", "us-east-1"];
    let credential = ["--credential", "accessKeyId=AKIAIOSFODNN7EXAMPLE", "--credential", &secret];
    pmks.succeed(&[create.as_slice(), &credential, &["--endpoint", &endpoint, "--pace", "10"]].concat());
}

#[test]
fn the_tour_against_moto_is_what_boto3_sees() {
    let python = match Python::get(REQUIREMENTS) {
        Ok(python) => python,
        Err(why) => return skip("moto", &why),
    };
    let moto = Moto::start(&python);
    let pmks = Pmks::new().unwrap();
    connect(&pmks, &moto);
    let vpc = ground(&python, &moto, &pmks);
    cluster(&python, &moto, &pmks);
    what_moto_lacks(&pmks);
    end(&python, &moto, &pmks, &vpc);
}

/// Prerequisites, network, security group, key pair; answers the network's identifier.
fn ground(python: &Python, moto: &Moto, pmks: &Pmks) -> String {
    pmks.succeed(&["connection", "prerequisites", "moto", "--fix", "--yes"]);
    let roles = moto.sees(python, "sorted(r['RoleName'] for r in client('iam').list_roles()['Roles'])");
    assert_eq!(roles.as_array().unwrap().len(), 2, "{roles}");

    pmks.succeed(&[
        "network",
        "create",
        "net",
        "-c",
        "moto",
        "--cidr",
        "10.0.0.0/16",
        "--subnet",
        "name=net-a,cidr=10.0.1.0/24,zone=us-east-1a",
        "--subnet",
        "name=net-b,cidr=10.0.2.0/24,zone=us-east-1b",
    ]);
    let network = pmks.json(&["network", "get", "net", "-c", "moto"]);
    let vpc = network.pointer("/iid/systemId").and_then(Value::as_str).unwrap();
    let seen = moto.sees(python, &format!("client('ec2').describe_vpcs(VpcIds=['{vpc}'])['Vpcs'][0]"));
    assert_eq!(seen["CidrBlock"], network["cidr"]);
    let subnets = moto.sees(
        python,
        &format!("sorted(s['SubnetId'] for s in client('ec2').describe_subnets(Filters=[{{'Name':'vpc-id','Values':['{vpc}']}}])['Subnets'])"),
    );
    let mut said: Vec<&Value> =
        network["subnets"].as_array().unwrap().iter().map(|s| &s["iid"]["systemId"]).collect();
    said.sort_by_key(ToString::to_string);
    assert_eq!(json!(said), subnets);

    pmks.succeed(&[
        "security-group",
        "create",
        "web",
        "-c",
        "moto",
        "--network",
        "net",
        "--rule",
        "direction=inbound,protocol=tcp,from-port=22,to-port=22,cidr=10.0.0.0/16",
    ]);
    let key = pmks.home().join("key");
    pmks.succeed(&["key-pair", "create", "admin", "-c", "moto", "--save", key.to_str().unwrap()]);
    assert!(std::fs::read_to_string(&key).unwrap().contains("PRIVATE KEY"));
    let keys = moto.sees(python, "[k['KeyName'] for k in client('ec2').describe_key_pairs()['KeyPairs']]");
    assert_eq!(keys, json!(["admin"]));
    vpc.to_owned()
}

/// A cluster with a node group, scaled and listed.
fn cluster(python: &Python, moto: &Moto, pmks: &Pmks) {
    pmks.succeed(&[
        "cluster",
        "create",
        "shop",
        "-c",
        "moto",
        "--network",
        "net",
        "--subnet",
        "net-a",
        "--subnet",
        "net-b",
        "--security-group",
        "web",
        "--version",
        "1.31",
        "--node-group",
        "name=workers,machine-type=t3.medium,key-pair=admin,min=1,max=3,desired=2",
        "--tag",
        "team=blue",
    ]);
    let cluster = pmks.json(&["cluster", "get", "shop", "-c", "moto", "--refresh"]);
    let seen = moto.sees(python, "client('eks').describe_cluster(name='shop')['cluster']");
    assert_eq!(cluster["status"], "Active");
    assert_eq!(seen["status"], "ACTIVE");
    assert_eq!(cluster.pointer("/observed/version").unwrap(), &seen["version"]);
    assert_eq!(cluster["endpoint"], seen["endpoint"]);
    assert_eq!(seen["tags"]["team"], "blue");
    let group = moto.sees(
        python,
        "client('eks').describe_nodegroup(clusterName='shop', nodegroupName='workers')['nodegroup']['scalingConfig']",
    );
    assert_eq!(group, json!({"minSize": 1, "maxSize": 3, "desiredSize": 2}));

    pmks.succeed(&["node-group", "scale", "workers", "-c", "moto", "--cluster", "shop", "--desired", "3"]);
    let group = moto.sees(
        python,
        "client('eks').describe_nodegroup(clusterName='shop', nodegroupName='workers')['nodegroup']['scalingConfig']['desiredSize']",
    );
    assert_eq!(group, json!(3));

    let listed = pmks.json(&["cluster", "list", "-c", "moto"]);
    assert_eq!(listed.pointer("/items/0/name"), Some(&json!("shop")));
}

/// moto has no upgrades and no versions: clear errors, nothing changed.
fn what_moto_lacks(pmks: &Pmks) {
    let upgrade = pmks.run(&["cluster", "upgrade", "shop", "-c", "moto", "--version", "1.32"]);
    assert_ne!(upgrade.code, 0, "{}", upgrade.stdout);
    assert!(!upgrade.stderr.contains("panicked"), "{}", upgrade.stderr);
    assert!(upgrade.stderr.contains("eks."), "the error names the call: {}", upgrade.stderr);
    let versions = pmks.run(&["kubernetes-version", "list", "-c", "moto"]);
    assert_ne!(versions.code, 0);
    assert!(versions.stderr.contains("DescribeClusterVersions"), "{}", versions.stderr);
}

/// Everything is removed, and moto has nothing left of it.
fn end(python: &Python, moto: &Moto, pmks: &Pmks, vpc: &str) {
    pmks.succeed(&["cluster", "delete", "shop", "-c", "moto", "--yes"]);
    pmks.succeed(&["key-pair", "delete", "admin", "-c", "moto", "--yes"]);
    pmks.succeed(&["security-group", "delete", "web", "-c", "moto", "--yes"]);
    held(python, moto, pmks, vpc);
    pmks.succeed(&["network", "delete", "net", "-c", "moto", "--yes"]);
    let left = moto.sees(
        python,
        &format!(
            "[client('eks').list_clusters()['clusters'], client('ec2').describe_key_pairs()['KeyPairs'], \
             [v for v in client('ec2').describe_vpcs()['Vpcs'] if v['VpcId'] == '{vpc}'], \
             [g for g in client('ec2').describe_internet_gateways()['InternetGateways'] if g['Attachments']]]"
        ),
    );
    assert_eq!(left, json!([[], [], [], []]));
}

/// What boto3 puts into the network holds it, by name.
fn held(python: &Python, moto: &Moto, pmks: &Pmks, vpc: &str) {
    for (what, kind, id) in [
        ("network_acl", "NetworkAcl", "NetworkAclId"),
        ("egress_only_internet_gateway", "EgressOnlyInternetGateway", "EgressOnlyInternetGatewayId"),
        ("carrier_gateway", "CarrierGateway", "CarrierGatewayId"),
    ] {
        let made = format!("client('ec2').create_{what}(VpcId='{vpc}')['{kind}']['{id}']");
        let made = moto.sees(python, &made);
        let refused = pmks.run(&["network", "delete", "net", "-c", "moto", "--yes"]);
        let named = made.as_str().is_some_and(|made| refused.stderr.contains(made));
        assert!(refused.code != 0 && named, "{made}: {}", refused.stderr);
        moto.sees(python, &format!("client('ec2').delete_{what}({id}={made})"));
    }
}

#[test]
fn a_wrong_network_is_one_clear_error_and_nothing_is_made() {
    let python = match Python::get(REQUIREMENTS) {
        Ok(python) => python,
        Err(why) => return skip("moto", &why),
    };
    let moto = Moto::start(&python);
    let pmks = Pmks::new().unwrap();
    connect(&pmks, &moto);
    let ended = pmks.run(&[
        "cluster",
        "create",
        "Sh op",
        "-c",
        "moto",
        "--network",
        "nowhere",
        "--subnet",
        "s",
        "--node-group",
        "name=w,min=5,max=2,desired=9",
    ]);
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    for field in ["name", "network", "subnets", "nodeGroups[0].scaling.min", "nodeGroups[0].scaling.desired"]
    {
        assert!(ended.stderr.contains(field), "{field} is not named: {}", ended.stderr);
    }
    assert_eq!(moto.sees(&python, "client('eks').list_clusters()['clusters']"), json!([]));
}
