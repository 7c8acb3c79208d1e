//! Refusals are said in the words of the interface that is spoken: no field of `/v1`, no flag of the command line.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};

use crate::spider::{Spider, pairs};

fn at(asked: &Value) -> Value {
    json!({"ConnectionName": "here", "ReqInfo": asked})
}

/// The names of fields at `/v1` that are no words of the language.
fn fields_of_v1() -> BTreeSet<String> {
    fn collect(value: &Value, into: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                for name in fields.get("properties").and_then(Value::as_object).into_iter().flatten() {
                    into.insert(name.0.clone());
                }
                fields.values().for_each(|value| collect(value, into));
            }
            Value::Array(all) => all.iter().for_each(|value| collect(value, into)),
            _ => {}
        }
    }
    let document = include_str!("../../../../docs/api/openapi.json");
    let mut all = BTreeSet::new();
    collect(&serde_json::from_str(document).unwrap(), &mut all);
    all.retain(|name| name.contains(char::is_uppercase));
    assert!(["autoScaling", "rootDiskSizeGib", "systemId"].iter().all(|name| all.contains(*name)));
    all
}

/// Words of `/v1` that begin a finding, and mean a field there.
const PLACES: &[&str] = &[
    "add",
    "cidr",
    "credential",
    "hours",
    "name",
    "network",
    "provider",
    "region",
    "remove",
    "rules",
    "scaling",
    "settings",
    "subnets",
    "tags",
    "version",
    "zone",
];

/// What `/v1` calls kinds of resources, for which CB-Spider has words of its own.
const KINDS: [&str; 4] = ["network", "node group", "security group", "key pair"];

/// What of a message is in other words. What names the other surface itself is a way out, and no field.
fn strange(message: &str, fields: &BTreeSet<String>) -> Vec<String> {
    let mut plain = String::new();
    for (index, part) in message.split('`').enumerate() {
        let is_way_out = index % 2 == 1 && (part.starts_with("pmks ") || part == "/v1");
        let named = message.contains(&format!("`{part}` at `/v1`"));
        plain.push_str(if is_way_out || named { " " } else { part });
    }
    let is_word = |letter: char| !letter.is_alphanumeric() && letter != '_';
    // Of sizes that are short words the node group's own names are longer.
    let is_field = |word: &&str| fields.contains(*word) || ["min", "max", "desired"].contains(word);
    let mut found: Vec<String> = plain.split(is_word).filter(is_field).map(str::to_owned).collect();
    found.extend(
        plain
            .split_whitespace()
            .filter(|word| word.trim_start_matches('(').starts_with("--"))
            .map(str::to_owned),
    );
    found.extend(KINDS.into_iter().filter(|kind| plain.contains(kind)).map(str::to_owned));
    let findings = plain.split_once(": ").map(|(_, rest)| rest).unwrap_or_default();
    let begins = findings.split("; ").filter_map(|finding| finding.split([' ', '[', '.']).next());
    found.extend(begins.filter(|word| PLACES.contains(word)).map(str::to_owned));
    found
}

#[test]
fn words_of_other_surfaces_are_found() {
    let fields = fields_of_v1();
    for (message, said) in [
        ("wrong: autoScaling is off", &["autoScaling"][..]),
        ("wrong: Name is long; cidr is none", &["cidr"]),
        ("wrong: rules[0].CIDR is none", &["rules"]),
        ("wrong: MinNodeSize must not exceed max (2)", &["max"]),
        ("wrong: switch it off (--auto-scaling false)", &["(--auto-scaling"]),
        ("protected; take it back (`deletionProtection` at `/v1`, `pmks cluster update --x`)", &[]),
        ("wrong: Name must be a name: it has no region", &[]),
        ("network \"net\" is used by Security Group \"group\"", &["network"]),
    ] {
        assert_eq!(strange(message, &fields), said, "{message}");
    }
}

#[tokio::test]
async fn what_a_request_names_and_nobody_knows_is_not_there() {
    let spider = Spider::new().await;
    spider.rig.cluster().await;
    let group = |key: &str| json!({"Name": "more", "KeyPairName": key});
    let cluster = |subnet: &str, groups: &Value, key: &str| {
        json!({"Name": "k", "VPCName": "net", "SubnetNames": [subnet], "SecurityGroupNames": groups,
            "NodeGroupList": [group(key)]})
    };
    for (path, asked, all) in [
        ("cluster", cluster("x", &json!([]), ""), &["Subnet 'x'"][..]),
        ("cluster", cluster("sub", &json!(["y"]), ""), &["Security Group 'y'"]),
        ("cluster", cluster("sub", &json!([]), "z"), &["VM KeyPair 'z'"]),
        (
            "cluster",
            cluster("x", &json!(["y"]), "z"),
            &["Subnet 'x'", "Security Group 'y'", "VM KeyPair 'z'"],
        ),
        ("cluster/prod/nodegroup", group("z"), &["VM KeyPair 'z'"]),
        ("cluster/none/nodegroup", group(""), &["Kubernetes Cluster 'none'"]),
        ("regvpc", json!({"Name": "a", "CSPId": "vpc-9"}), &["VPC 'vpc-9'"]),
        ("regsubnet", json!({"Name": "a", "VPCName": "net", "CSPId": "subnet-9"}), &["Subnet 'subnet-9'"]),
        ("regsecuritygroup", json!({"Name": "a", "CSPId": "sg-9"}), &["Security Group 'sg-9'"]),
        ("regkeypair", json!({"Name": "a", "CSPId": "key-9"}), &["VM KeyPair 'key-9'"]),
        ("regcluster", json!({"Name": "a", "VPCName": "net", "CSPId": "c-9"}), &["Kubernetes Cluster 'c-9'"]),
        ("regcluster", json!({"Name": "a", "VPCName": "no", "CSPId": "prod"}), &["VPC 'no'"]),
    ] {
        let (status, answer) = spider.carried(Method::POST, &format!("/spider/{path}"), at(&asked)).await;
        let said = answer["message"].as_str().unwrap_or_default();
        assert_eq!(status, 404, "{path} {asked}: {answer}");
        for one in all {
            assert!(said.contains(&format!("{one} does not exist in connection 'here'")), "{path}: {said}");
        }
    }
    // What else is wrong is said as well, and what is wrong alone is no 404.
    let mut wrong = cluster("x", &json!([]), "");
    wrong["NodeGroupList"][0]["DesiredNodeSize"] = json!(9);
    wrong["NodeGroupList"][0]["MaxNodeSize"] = json!(2);
    let (status, answer) = spider.ask(Method::POST, "/spider/cluster", at(&wrong)).await;
    let said = answer["message"].as_str().unwrap();
    assert!(
        status == 404 && said.contains("Subnet 'x' does not exist") && said.contains("NodeSize"),
        "{said}"
    );
    wrong["SubnetNames"] = json!(["sub"]);
    assert_eq!(spider.ask(Method::POST, "/spider/cluster", at(&wrong)).await.0, 400);
}

#[tokio::test]
async fn refusals_are_in_the_words_of_those_who_asked() {
    let spider = Spider::new().await;
    spider.rig.cluster().await;
    let fields = fields_of_v1();
    let made = at(&json!({"Name": "group", "VPCName": "net", "SecurityRules": []}));
    assert_eq!(spider.carried(Method::POST, "/spider/securitygroup", made).await.0, 200);
    let rule = json!({"Direction": "up", "IPProtocol": "tcp", "FromPort": "80", "ToPort": "7", "CIDR": "x"});
    let group = json!({"Name": "UP", "RootDiskSize": "0", "OnAutoScaling": "true", "DesiredNodeSize": "9",
        "MinNodeSize": "5", "MaxNodeSize": "2"});
    let tags = pairs(&[("", "x"), ("aws:x", "y")]);
    let subnets = json!([{"Name": "s", "IPv4_CIDR": "10.0.0.0/24", "Zone": "nowhere"}, {"Name": "s", "IPv4_CIDR": "10.0.0.0/25"},
        {"Name": "t", "IPv4_CIDR": "1.2.3.0/24"}]);
    let group_at = "cluster/prod/nodegroup/workers";
    let mut quiet = Vec::new();
    for (method, path, body, says) in [
        (
            "POST",
            "vpc".to_owned(),
            at(&json!({"Name": "UP", "IPv4_CIDR": "x", "SubnetInfoList": subnets, "TagList": tags})),
            "IPv4_CIDR",
        ),
        (
            "POST",
            "vpc/net/subnet".into(),
            at(&json!({"Name": "UP", "IPv4_CIDR": "10.0.1.0/24"})),
            "IPv4_CIDR",
        ),
        (
            "POST",
            "securitygroup".into(),
            at(&json!({"Name": "UP", "VPCName": "net", "SecurityRules": [rule], "TagList": tags})),
            "SecurityRules[0].ToPort",
        ),
        ("POST", "securitygroup/group/rules".into(), at(&json!({"RuleInfoList": [rule]})), "RuleInfoList[0]"),
        ("POST", "keypair".into(), at(&json!({"Name": "U P", "TagList": tags})), "TagList"),
        (
            "POST",
            "cluster".into(),
            at(
                &json!({"Name": "UP", "Version": "x", "VPCName": "", "SubnetNames": ["?"], "SecurityGroupNames": [""],
            "NodeGroupList": [group, group], "TagList": tags}),
            ),
            "NodeGroupList[0]",
        ),
        ("POST", "cluster/prod/nodegroup".into(), at(&group), "NodeSize"),
        ("PUT", format!("{group_at}/autoscalesize"), at(&json!({})), "DesiredNodeSize"),
        ("PUT", format!("{group_at}/autoscalesize"), at(&json!({"DesiredNodeSize": "9"})), "NodeSize"),
        ("PUT", format!("{group_at}/autoscalesize"), at(&json!({"DesiredNodeSize": "0"})), "NodeSize"),
        (
            "PUT",
            format!("{group_at}/autoscalesize"),
            at(&json!({"MinNodeSize": "9", "MaxNodeSize": "1"})),
            "NodeSize",
        ),
        (
            "PUT",
            format!("{group_at}/onautoscaling"),
            at(&json!({"OnAutoScaling": "perhaps"})),
            "OnAutoScaling",
        ),
        ("PUT", "cluster/prod/upgrade".into(), at(&json!({"Version": "0.1"})), "Version"),
        ("POST", "regvpc".into(), at(&json!({"Name": "", "CSPId": "?"})), "Name"),
        ("POST", "regvpc".into(), at(&json!({"Name": "a/b", "CSPId": "?"})), ""),
        ("POST", "regcluster".into(), at(&json!({"Name": "a/b", "VPCName": "net", "CSPId": "c"})), ""),
    ] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let (status, answer) = spider.carried(method, &format!("/spider/{path}"), body).await;
        let said = answer["message"].as_str().unwrap_or_default();
        if status < 400 || said.is_empty() {
            quiet.push(path.clone());
        }
        assert_eq!(strange(said, &fields), Vec::<String>::new(), "{path}: {said}");
        assert!(said.contains(says), "{path}: {said}");
    }
    assert!(quiet.is_empty(), "nothing was refused: {quiet:?}");
}

#[tokio::test]
async fn what_stands_in_the_way_is_called_as_those_who_asked_call_it() {
    let spider = Spider::new().await;
    spider.rig.cluster().await;
    let fields = fields_of_v1();
    for (path, asked) in [
        ("securitygroup", json!({"Name": "group", "VPCName": "net", "SecurityRules": []})),
        ("keypair", json!({"Name": "key"})),
        ("cluster/prod/nodegroup", json!({"Name": "keyed", "KeyPairName": "key"})),
        ("vpc", json!({"Name": "other", "IPv4_CIDR": "10.1.0.0/16"})),
    ] {
        let made = spider.carried(Method::POST, &format!("/spider/{path}"), at(&asked)).await;
        assert_eq!(made.0, 200, "{path}: {}", made.1);
    }
    let rule = json!({"Direction": "inbound", "IPProtocol": "tcp", "FromPort": "1", "ToPort": "1", "CIDR": "10.0.0.0/8"});
    for (method, path, asked, says) in [
        ("DELETE", "vpc/net", json!({}), "VPC \"net\" is used by "),
        ("DELETE", "vpc/net", json!({}), "Security Group \"group\""),
        ("DELETE", "vpc/net", json!({}), "Kubernetes Cluster \"prod\""),
        ("DELETE", "regvpc/net", json!({}), "VPC \"net\" is used by "),
        ("DELETE", "vpc/net/subnet/sub", json!({}), "Subnet \"sub\" is used by Kubernetes Cluster \"prod\""),
        ("DELETE", "keypair/key", json!({}), "VM KeyPair \"key\" is used by Kubernetes NodeGroup \"keyed\""),
        (
            "DELETE",
            "regkeypair/key",
            json!({}),
            "VM KeyPair \"key\" is used by Kubernetes NodeGroup \"keyed\"",
        ),
        (
            "DELETE",
            "securitygroup/group/rules",
            json!({"RuleInfoList": [rule]}),
            "Security Group \"group\" has no rule",
        ),
        ("POST", "keypair", json!({"Name": "key"}), "VM KeyPair 'key' already exists"),
        ("POST", "vpc", json!({"Name": "net", "IPv4_CIDR": "10.0.0.0/16"}), "VPC 'net' already exists"),
    ] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let (status, answer) = spider.carried(method, &format!("/spider/{path}"), at(&asked)).await;
        let said = answer["message"].as_str().unwrap_or_default();
        assert!([404, 409].contains(&status) && said.contains(says), "{path}: {status} {said}");
        assert_eq!(strange(said, &fields), Vec::<String>::new(), "{path}: {said}");
    }
    // What goes on is told so too.
    let late = at(&json!({"Name": "late", "IPv4_CIDR": "10.2.0.0/16"}));
    let mut asked = Spider::request(crate::spider::USER, Method::POST, "/spider/vpc", &late);
    asked.headers_mut().insert("prefer", "respond-async".parse().unwrap());
    assert_eq!(spider.send(asked).await.0, 202);
    let (status, answer) = spider.ask(Method::DELETE, "/spider/connectionconfig/here", Value::Null).await;
    let said = answer["message"].as_str().unwrap();
    assert!(status == 409 && said.contains("VPC \"net\""), "{status} {said}");
    assert_eq!(strange(said, &fields), Vec::<String>::new(), "{said}");
}
