//! What is answered to requests that cannot be carried out: the status that is true, and a reason.

use std::time::Duration;

use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::spider::{Spider, credential, get, region};

fn at(asked: Value) -> Value {
    let mut body = json!({"ConnectionName": "here"});
    body["ReqInfo"] = asked;
    body
}

fn message(answer: &Value) -> &str {
    answer["message"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_vpc_that_nobody_knows_is_not_there_whatever_names_it() {
    let spider = Spider::new().await;
    let rules = json!([]);
    for (path, asked, id) in [
        ("cluster", json!({"Name": "k", "VPCName": "none", "SubnetNames": []}), None),
        ("securitygroup", json!({"Name": "g", "VPCName": "none", "SecurityRules": rules}), None),
        ("regsecuritygroup", json!({"Name": "g", "VPCName": "none", "CSPId": "sg-1"}), Some("sg-1")),
        ("regsubnet", json!({"Name": "s", "VPCName": "none", "CSPId": "subnet-1"}), Some("subnet-1")),
        ("vpc/none/subnet", json!({"Name": "s", "IPv4_CIDR": "10.0.1.0/24"}), None),
    ] {
        let (status, answer) = spider.ask(Method::POST, &format!("/spider/{path}"), at(asked)).await;
        assert_eq!(status, 404, "{path}: {answer}");
        let says = ["VPC 'none' does not exist in connection 'here'"].into_iter().chain(id);
        assert!(says.into_iter().any(|says| message(&answer).contains(says)), "{path}: {answer}");
    }
    // What else is wrong is said as well.
    let group = json!({"Name": "UPPER", "VPCName": "none", "SecurityRules": rules});
    let (status, answer) = spider.ask(Method::POST, "/spider/securitygroup", at(group)).await;
    assert_eq!(status, 404);
    assert!(
        message(&answer).contains("VPC 'none' does not exist") && message(&answer).contains("Name"),
        "{answer}"
    );
}

#[tokio::test]
async fn what_is_not_served_is_told_with_its_reason_to_those_who_may_ask() {
    let spider = Spider::new().await;
    for (method, path, status, says) in [
        (Method::GET, "", 404, "Not Found"),
        (Method::GET, "/", 404, "Not Found"),
        (Method::GET, "/nowhere", 404, "Not Found"),
        (Method::GET, "//vpc", 404, "Not Found"),
        (Method::POST, "/nowhere/at/all/", 404, "Not Found"),
        (Method::POST, "/driver/upload", 501, "drivers are built in"),
        (Method::GET, "/adminweb", 501, "web pages"),
        (Method::GET, "/adminweb/", 501, "web pages"),
        (Method::GET, "/adminweb/cluster", 501, "web pages"),
        (Method::GET, "/adminweb1", 501, "web pages"),
        (Method::PATCH, "/vpc", 405, "Method Not Allowed"),
        (Method::PATCH, "/vm", 405, "Method Not Allowed"),
        (Method::PUT, "/vmstatus", 405, "Method Not Allowed"),
        (Method::TRACE, "/countvm/", 405, "Method Not Allowed"),
        (Method::POST, "/preconfig/orgregion", 405, "Method Not Allowed"),
        (Method::PUT, "/cspvm/i-1", 405, "Method Not Allowed"),
        (Method::POST, "/vm", 501, "vm is not supported here"),
        (Method::DELETE, "/vm/one", 501, "vm is not supported here"),
        (Method::DELETE, "/cspvm/i-1/x", 501, "cspvm is not supported here"),
    ] {
        let path = format!("/spider{path}");
        let (got, answer) = spider.ask(method.clone(), &path, Value::Null).await;
        assert_eq!((got, message(&answer).contains(says)), (status, true), "{method} {path}: {answer}");
        let nobody = Request::builder().method(method).uri(&path).header("host", "pmks.example");
        let (got, answer) = spider.send(nobody.body(Body::empty()).unwrap()).await;
        assert_eq!((got, answer), (401, json!({"message": "Unauthorized"})), "{path}");
    }
}

#[tokio::test]
async fn a_tag_that_is_given_twice_is_refused() {
    let spider = Spider::new().await;
    let twice = json!([{"Key": "team", "Value": "a"}, {"Key": "team", "Value": "b"}]);
    let asked = json!({"Name": "net", "IPv4_CIDR": "10.0.0.0/16", "TagList": twice});
    let (status, answer) = spider.carried(Method::POST, "/spider/vpc", at(asked)).await;
    assert_eq!((status, message(&answer)), (400, "TagList: the key \"team\" is given twice"));
}

#[tokio::test]
async fn only_rules_that_are_there_are_removed() {
    let spider = Spider::new().await;
    let rule = |protocol: &str, from: &str, to: &str, cidr: &str| json!({"Direction": "inbound", "IPProtocol": protocol, "FromPort": from, "ToPort": to, "CIDR": cidr});
    let tcp = |from: &str, to: &str| rule("tcp", from, to, "10.0.0.0/8");
    let vpc = json!({"Name": "net", "IPv4_CIDR": "10.0.0.0/16"});
    assert_eq!(spider.carried(Method::POST, "/spider/vpc", at(vpc)).await.0, 200);
    let group = json!({"Name": "group", "VPCName": "net", "SecurityRules": [tcp("100", "150"), tcp("151", "200"), tcp("300", "310")]});
    assert_eq!(spider.carried(Method::POST, "/spider/securitygroup", at(group)).await.0, 200);
    let remove = async |rules: Value| {
        let asked = at(json!({"RuleInfoList": rules}));
        spider.carried(Method::DELETE, "/spider/securitygroup/group/rules", asked).await
    };
    let everything = rule("all", "-1", "-1", "0.0.0.0/0");
    let within = "tcp inbound from 10.0.0.0/8, ports 300 to 310 lets it through";
    for (not_there, says) in [
        (tcp("301", "305"), within),
        (rule("tcp", "300", "310", "10.1.0.0/16"), within),
        (tcp("305", "315"), "by itself: it has tcp inbound from 10.0.0.0/8, ports 300 to 310"),
        (tcp("100", "250"), "ports 100 to 150; tcp inbound from 10.0.0.0/8, ports 151 to 200"),
        (everything.clone(), "by itself: it has tcp inbound"),
        (tcp("400", "400"), "has no rule tcp inbound from 10.0.0.0/8, port 400"),
        (rule("udp", "300", "310", "10.0.0.0/8"), "has no rule udp"),
    ] {
        // Nor does what is there go beside it.
        let (status, answer) = remove(json!([tcp("300", "310"), not_there])).await;
        assert_eq!((status, message(&answer).contains(says)), (404, true), "{answer}");
    }
    let read = async || {
        let read = spider.ask(Method::GET, "/spider/securitygroup/group?ConnectionName=here", Value::Null);
        let rules = read.await.1["SecurityRules"].clone();
        rules.as_array().unwrap().iter().filter(|rule| rule["Direction"] == "inbound").count()
    };
    assert_eq!(read().await, 3, "what is refused changes nothing");
    let done = (200, json!({"Result": "true"}));
    assert_eq!(remove(json!([tcp("100", "200")])).await, done, "two rules that are exactly this one");
    assert_eq!(read().await, 1);
    assert_eq!(remove(json!([tcp("300", "310")])).await, done);
    assert_eq!(remove(json!([tcp("300", "310")])).await.0, 404, "it is gone");
    assert_eq!(read().await, 0);
}

#[tokio::test]
async fn a_secret_that_the_cloud_does_not_take_is_no_bad_gateway() {
    let spider = Spider::new().await;
    let (driver, config) = (
        json!({"DriverName": "drv", "ProviderName": "FAKE", "DriverLibFileName": "f.so"}),
        json!({"ConfigName": "conf", "ProviderName": "FAKE", "DriverName": "drv", "CredentialName": "cred",
            "RegionName": "reg"}),
    );
    // Nobody is asked until something is read by it.
    for (path, body) in [
        ("driver", driver),
        ("credential", credential("stranger")),
        ("region", region("r1")),
        ("connectionconfig", config),
    ] {
        assert_eq!(spider.ask(Method::POST, &format!("/spider/{path}"), body).await.0, 200, "{path}");
    }
    for path in ["allkeypair", "allvpc", "allsecuritygroupinfo", "allcluster"] {
        let asked = json!({"ConnectionName": "conf"});
        let (status, answer) = spider.ask(Method::GET, &format!("/spider/{path}"), asked).await;
        assert!(status == 422 && message(&answer).contains("who are you?"), "{path}: {status} {answer}");
    }
    // What is known at it asks nobody.
    let known = spider.ask(Method::GET, "/spider/vpc?ConnectionName=conf", Value::Null).await;
    assert_eq!(known, (200, json!({"vpc": []})));
    let made = json!({"ConnectionName": "conf", "ReqInfo": {"Name": "net", "IPv4_CIDR": "10.0.0.0/16"}});
    let (status, answer) = spider.carried(Method::POST, "/spider/vpc", made).await;
    assert!(status == 422 && message(&answer).contains("who are you?"), "{status} {answer}");
    let network = json!({"name": "net", "cidr": "10.0.0.0/16"});
    spider.rig.post("/v1/connections/conf/networks", network).await.refused(502, "unauthenticated");
}

#[tokio::test]
async fn a_private_key_is_told_again_to_the_same_request() {
    let spider = Spider::new().await;
    let send = async |key: &str| {
        let mut asked =
            Spider::request(crate::spider::USER, Method::POST, "/spider/keypair", &at(json!({"Name": "k"})));
        asked.headers_mut().insert("idempotency-key", key.parse().unwrap());
        tokio::select! {
            answer = spider.send(asked) => answer,
            () = spider.carry() => unreachable!("it goes on for ever"),
        }
    };
    let first = send("k1").await;
    assert_eq!(first.0, 200, "{first:?}");
    assert!(first.1["PrivateKey"].as_str().unwrap().starts_with("-----BEGIN"), "{first:?}");
    assert_eq!(send("k1").await, first, "the same request again");
    let (status, other) = send("k2").await;
    assert!(status == 409 && message(&other).contains("already exists"), "{status} {other}");
    assert_eq!(spider.rig.cloud.world().key_pairs.len(), 1);
}

#[tokio::test]
async fn a_private_key_that_nobody_was_handed_is_told_to_the_same_request() {
    let spider = Spider::new().await;
    let asked =
        || Spider::request(crate::spider::USER, Method::POST, "/spider/keypair", &at(json!({"Name": "k"})));
    let unheard = tokio::select! {
        answer = spider.router.clone().oneshot(asked()) => answer.unwrap(),
        () = spider.carry() => unreachable!("it goes on for ever"),
    };
    assert_eq!(unheard.status(), 200);
    drop(unheard);
    let again = spider.send(asked()).await;
    assert_eq!(again.0, 200, "{again:?}");
    assert!(again.1["PrivateKey"].as_str().unwrap().starts_with("-----BEGIN"), "{again:?}");
    let (status, refused) = spider.send(asked()).await;
    assert!(
        status == 409 && message(&refused).contains("VM KeyPair 'k' already exists"),
        "{status} {refused}"
    );
}

#[tokio::test]
async fn a_private_key_is_waited_for_longer_than_a_request_has() {
    let spider = Spider::new().await;
    // Nothing carries it on for longer than who asks at `/v1` would be kept.
    let later = async {
        tokio::time::sleep(pmks_core::PrivateKey::PATIENCE + Duration::from_secs(1)).await;
        spider.carry().await;
    };
    let asked = spider.ask(Method::POST, "/spider/keypair", at(json!({"Name": "slow"})));
    let (status, answer) = tokio::select! {
        answered = asked => answered,
        () = later => unreachable!("it goes on for ever"),
    };
    assert_eq!(status, 200, "{answer}");
    assert!(answer["PrivateKey"].as_str().unwrap().starts_with("-----BEGIN"), "{answer}");
}

#[tokio::test]
async fn at_a_connection_that_there_is_not_nothing_is_counted() {
    let spider = Spider::new().await;
    spider.rig.cluster().await;
    let paths = ["countvpc", "countsubnet", "countcluster", "countvm", "countconnectionconfig"];
    for path in paths.map(|path| format!("/spider/{path}/nope?ConnectionName=here")) {
        let answer = spider.ask(Method::GET, &path, Value::Null).await;
        assert_eq!(answer, (200, json!({"count": 0})), "{path}");
    }
}

/// Pages count at every connection that there is, of which some are never used and others cannot be reached.
#[tokio::test]
async fn at_a_connection_that_was_never_used_nothing_is_counted_and_nobody_asked() {
    let spider = Spider::new().await;
    for path in ["countvpc", "countsubnet", "countcluster", "countkeypair", "countsecuritygroup", "countvm"] {
        let answer = get(&spider, &format!("/spider/{path}/here")).await;
        assert_eq!(answer, (200, json!({"count": 0})), "{path}");
    }
    assert_eq!(spider.rig.cloud.world().calls, Vec::<String>::new());
}

#[tokio::test]
async fn regions_are_not_asked_for_by_pieces_of_two_providers() {
    let spider = Spider::new().await;
    let of = |kind: &str, name: &str, provider: &str| {
        json!({format!("{kind}Name"): name, "ProviderName": provider,
        "DriverLibFileName": "f.so", "KeyValueInfoList": [{"Key": "Region", "Value": "r1"}]})
    };
    for (kind, name, provider) in [
        ("Driver", "drv", "FAKE"),
        ("Driver", "strange", "ELSE"),
        ("Credential", "other", "ELSE"),
        ("Region", "away", "ELSE"),
    ] {
        let path = format!("/spider/{}", kind.to_lowercase());
        assert_eq!(spider.ask(Method::POST, &path, of(kind, name, provider)).await.0, 200, "{name}");
    }
    assert_eq!(spider.ask(Method::POST, "/spider/credential", credential("AK1")).await.0, 200);
    for (driver, named, says) in [
        (
            "drv",
            "CredentialName=other",
            "CredentialName \"other\" is of ELSE, and the driver \"drv\" of FAKE",
        ),
        ("drv", "CredentialName=cred&RegionName=away", "RegionName \"away\" is of ELSE, and the driver"),
        ("drv", "CredentialName=none&RegionName=away", "RegionName \"away\" is of ELSE, and the driver"),
        // What a connection shows that was made otherwise.
        (
            "strange",
            "CredentialName=here",
            "CredentialName \"here\" is of FAKE, and the driver \"strange\" of ELSE",
        ),
        (
            "fake",
            "CredentialName=other",
            "CredentialName \"other\" is of ELSE, and the driver \"fake\" of FAKE",
        ),
    ] {
        for path in ["preconfig/regionzone", "preconfig/regionzone/r1"] {
            let asked = format!("/spider/{path}?DriverName={driver}&{named}");
            let (status, answer) = spider.ask(Method::GET, &asked, Value::Null).await;
            assert!(status == 400 && message(&answer).contains(says), "{asked}: {status} {answer}");
        }
    }
    let asked = "/spider/preconfig/regionzone?DriverName=drv&CredentialName=none";
    assert_eq!(spider.ask(Method::GET, asked, Value::Null).await.0, 404);
}

#[tokio::test]
async fn a_subnet_of_another_vpc_is_said_to_lie_there() {
    let spider = Spider::new().await;
    for name in ["one", "two", "three"] {
        let subnets = json!([{"Name": format!("of-{name}"), "IPv4_CIDR": "10.0.1.0/24"}, {"Name": "each", "IPv4_CIDR": "10.0.2.0/24"}]);
        let subnets = if name == "one" { json!([]) } else { subnets };
        let vpc = json!({"Name": name, "IPv4_CIDR": "10.0.0.0/16", "SubnetInfoList": subnets});
        assert_eq!(spider.carried(Method::POST, "/spider/vpc", at(vpc)).await.0, 200);
    }
    for (subnet, lies) in [("of-two", "\"two\""), ("each", "\"two\" and one in \"three\"")] {
        let cluster = json!({"Name": "k", "VPCName": "one", "SubnetNames": [subnet]});
        let (status, answer) = spider.ask(Method::POST, "/spider/cluster", at(cluster)).await;
        let says = format!("SubnetNames[0] {subnet:?} is no part of VPC \"one\": it lies in {lies}");
        assert!(status == 400 && message(&answer).contains(&says), "{status} {answer}");
    }
    let group = json!({"Name": "g", "VPCName": "two", "SecurityRules": []});
    assert_eq!(spider.carried(Method::POST, "/spider/securitygroup", at(group)).await.0, 200);
    let cluster =
        json!({"Name": "k", "VPCName": "three", "SubnetNames": ["each"], "SecurityGroupNames": ["g"]});
    let (status, answer) = spider.ask(Method::POST, "/spider/cluster", at(cluster)).await;
    let says = "\"g\" is no part of VPC \"three\": it lies in \"two\"";
    assert!(status == 400 && message(&answer).contains(says), "{status} {answer}");
}

#[tokio::test]
async fn an_identifier_that_the_cloud_does_not_even_read_is_not_there() {
    let spider = Spider::new().await;
    spider.rig.network().await;
    let refused = pmks_driver::ErrorKind::InvalidRequest(pmks_model::Findings::default());
    for call in ["get_network", "get_subnet", "get_security_group", "get_key_pair", "get_cluster"] {
        spider.rig.cloud.world().failures.insert(call.to_owned(), refused.clone());
    }
    for (path, what) in [
        ("regvpc", "VPC"),
        ("regsubnet", "Subnet"),
        ("regsecuritygroup", "Security Group"),
        ("regkeypair", "VM KeyPair"),
        ("regcluster", "Kubernetes Cluster"),
        ("getclusterowner", "Kubernetes Cluster"),
        ("getsecuritygroupowner", "Security Group"),
    ] {
        let asked = json!({"Name": "a", "VPCName": "net", "CSPId": "?!"});
        let (status, answer) = spider.ask(Method::POST, &format!("/spider/{path}"), at(asked)).await;
        let says = format!("{what} '?!' does not exist in connection 'here'");
        assert!(status == 404 && message(&answer).contains(&says), "{path}: {status} {answer}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_node_group_is_said_with_which_it_is() {
    let spider = Spider::new().await;
    spider.rig.network().await;
    for (group, says) in [
        (json!({"Name": " "}), "NodeGroupList[1].Name is empty!"),
        (
            json!({"Name": "late", "RootDiskType": "TYPE9"}),
            "NodeGroupList[1].RootDiskType: \"TYPE9\" is none of ssd, default",
        ),
        (json!({"Name": "late", "RootDiskType": "TYPE9"}), "(node group \"late\")"),
        (
            json!({"Name": "late", "DesiredNodeSize": "9", "MaxNodeSize": "2"}),
            "NodeGroupList[1] (late).DesiredNodeSize",
        ),
        (
            json!({"Name": "a.b", "DesiredNodeSize": "9", "MaxNodeSize": "2"}),
            "NodeGroupList[1].DesiredNodeSize",
        ),
    ] {
        let groups = json!([{"Name": "early"}, group]);
        let cluster = json!({"Name": "k", "VPCName": "net", "SubnetNames": ["sub"], "NodeGroupList": groups});
        let (status, answer) = spider.ask(Method::POST, "/spider/cluster", at(cluster)).await;
        assert!(status == 400 && message(&answer).contains(says), "{says}: {status} {answer}");
    }
    let (status, answer) =
        spider.ask(Method::POST, "/spider/vpc", at(json!({"Name": "v", "SubnetInfoList": [{}]}))).await;
    assert_eq!((status, message(&answer)), (400, "SubnetInfoList[0].Name is empty!"));
    let (_, answer) = spider.ask(Method::POST, "/spider/vpc", at(json!({}))).await;
    assert_eq!(message(&answer), "Name is empty!");
}
