//! Tags at `/spider`: given, set, read, taken off, and set by two at once.

use http::{HeaderValue, Method};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::rig::cluster;
use crate::spider::{Spider, USER, get, says};

#[tokio::test]
async fn tags_of_a_cluster_are_set_read_and_taken_off() {
    let spider = Spider::new().await;
    spider.rig.cluster().await;
    let about = "ConnectionName=here&ResourceType=cluster&ResourceName=prod";
    let listed = spider.ask(Method::GET, &format!("/spider/tag?{about}"), Value::Null).await;
    let team = json!({"Key": "team", "Value": "a"});
    assert_eq!(listed, (200, json!({"tag": [team], "resourceType": "Kubernetes Cluster"})));
    let tag = json!({"ConnectionName": "here", "ReqInfo": {
        "ResourceType": "CLUSTER", "ResourceName": "prod", "Tag": {"Key": "env", "Value": "test"},
    }});
    let env = json!({"Key": "env", "Value": "test"});
    assert_eq!(spider.carried(Method::POST, "/spider/tag", tag.clone()).await, (200, env.clone()));
    let again = spider.carried(Method::POST, "/spider/tag", tag).await;
    says(&again, 409, "tag key 'env' already exists for the resource 'prod'");
    let one = spider.ask(Method::GET, &format!("/spider/tag/env?{about}"), Value::Null).await;
    assert_eq!(one, (200, env));
    assert_eq!(spider.rig.get("/v1/connections/here/clusters/prod").await.ok(200)["tags"]["env"], "test");
    let about =
        json!({"ConnectionName": "here", "ReqInfo": {"ResourceType": "cluster", "ResourceName": "prod"}});
    let gone = spider.carried(Method::DELETE, "/spider/tag/env", about.clone()).await;
    assert_eq!(gone, (200, json!({"Result": "true"})));
    says(&spider.ask(Method::DELETE, "/spider/tag/env", about).await, 404, "does not exist");
    let of_network = "/spider/tag?ConnectionName=here&ResourceType=vpc&ResourceName=net";
    assert_eq!(spider.ask(Method::GET, of_network, Value::Null).await.1["resourceType"], "VPC");
    for (kind, status, part) in [
        ("nodegroup", 501, "not supported here: a node group gets those of its cluster"),
        ("disk", 501, "not support"),
        ("clusters", 400, "is none of"),
        ("", 400, "ResourceType is empty!"),
    ] {
        let path = format!("/spider/tag?ConnectionName=here&ResourceName=x&ResourceType={kind}");
        says(&spider.ask(Method::GET, &path, Value::Null).await, status, part);
    }
    let lost = "/spider/tag?ConnectionName=here&ResourceType=cluster&ResourceName=none";
    let lost = spider.ask(Method::GET, lost, Value::Null).await;
    says(&lost, 404, "Kubernetes Cluster 'none' does not exist in connection 'here'");
}

/// CB-Tumblebug tags a cluster before it tells that it is being made.
#[tokio::test]
async fn a_tag_of_what_is_being_made_does_not_wait_for_it() {
    let spider = Spider::new().await;
    spider.rig.cluster().await;
    let asked = cluster("other");
    let operation = spider.rig.post("/v1/connections/here/clusters", asked).await.ok(202);
    let env = json!({"Key": "env", "Value": "test"});
    let tag = json!({"ConnectionName": "here", "ReqInfo": {
        "ResourceType": "cluster", "ResourceName": "other", "Tag": env,
    }});
    // Nothing is carried out meanwhile.
    assert_eq!(spider.ask(Method::POST, "/spider/tag", tag.clone()).await, (200, env.clone()));
    let read = spider.rig.get("/v1/connections/here/clusters/other").await.ok(200);
    assert_eq!((&read["status"], &read["tags"]["env"]), (&json!("Creating"), &Value::Null));
    // Who asks about it from now on is told of what it will be, and holds on to that.
    let about = "ConnectionName=here&ResourceType=cluster&ResourceName=other";
    let one = format!("/spider/tag/env?{about}");
    assert_eq!(spider.ask(Method::GET, &one, Value::Null).await, (200, env.clone()));
    let present = "tag key 'env' already exists for the resource 'other'";
    says(&spider.ask(Method::POST, "/spider/tag", tag.clone()).await, 409, present);
    let mut other = tag;
    other["ReqInfo"]["Tag"]["Value"] = json!("other");
    says(&spider.ask(Method::POST, "/spider/tag", other.clone()).await, 409, present);
    let gone = spider.ask(Method::DELETE, &one, Value::Null).await;
    assert_eq!(gone, (200, json!({"Result": "true"})));
    says(&spider.ask(Method::GET, &one, Value::Null).await, 404, "does not exist");
    says(&spider.ask(Method::DELETE, &one, Value::Null).await, 404, "does not exist");
    let other_env = json!({"Key": "env", "Value": "other"});
    assert_eq!(spider.ask(Method::POST, "/spider/tag", other).await, (200, other_env.clone()));
    let keyed = || {
        let mut asked = Spider::request(
            USER,
            Method::POST,
            "/spider/tag",
            &json!({"ConnectionName": "here", "ReqInfo": {
                "ResourceType": "cluster", "ResourceName": "other", "Tag": {"Key": "once", "Value": "1"},
            }}),
        );
        asked.headers_mut().insert("Idempotency-Key", HeaderValue::from_static("k"));
        spider.router.clone().oneshot(asked)
    };
    for answer in [keyed().await.unwrap(), keyed().await.unwrap()] {
        assert_eq!(answer.status(), 200, "a request that is repeated by its key");
    }
    spider.rig.succeeded(&operation).await;
    spider.rig.settle().await;
    assert_eq!(spider.ask(Method::GET, &one, Value::Null).await, (200, other_env));
    assert_eq!(spider.rig.get("/v1/connections/here/clusters/other").await.ok(200)["tags"]["env"], "other");
}

#[tokio::test]
async fn tags_of_every_kind_are_given_set_read_and_taken_off() {
    let spider = Spider::new().await;
    let asked = |asked: Value| json!({"ConnectionName": "here", "ReqInfo": asked});
    let given = json!([{"Key": "team", "Value": "a"}]);
    let vpc = json!({"Name": "net", "IPv4_CIDR": "10.0.0.0/16", "TagList": given, "SubnetInfoList": [
        {"Name": "sub", "IPv4_CIDR": "10.0.1.0/24", "TagList": given}]});
    let made = spider.carried(Method::POST, "/spider/vpc", asked(vpc)).await;
    assert_eq!((&made.1["TagList"], &made.1["SubnetInfoList"][0]["TagList"]), (&given, &given), "{made:?}");
    let group = json!({"Name": "web", "VPCName": "net", "SecurityRules": [], "TagList": given});
    let made = spider.carried(Method::POST, "/spider/securitygroup", asked(group)).await;
    assert_eq!(made.1["TagList"], given, "{made:?}");
    let pair = json!({"Name": "mine", "TagList": given});
    let made = spider.carried(Method::POST, "/spider/keypair", asked(pair)).await;
    assert_eq!(made.1["TagList"], given, "{made:?}");
    for (kind, name, what) in [
        ("vpc", "net", "VPC"),
        ("subnet", "sub", "Subnet"),
        ("SG", "web", "Security Group"),
        ("keypair", "mine", "VM KeyPair"),
    ] {
        let tag = json!({"ResourceType": kind, "ResourceName": name, "Tag": {"Key": "env", "Value": "x"}});
        let env = json!({"Key": "env", "Value": "x"});
        assert_eq!(
            spider.carried(Method::POST, "/spider/tag", asked(tag.clone())).await,
            (200, env.clone()),
            "{kind}"
        );
        let again = spider.carried(Method::POST, "/spider/tag", asked(tag)).await;
        says(&again, 409, &format!("tag key 'env' already exists for the resource '{name}'"));
        let about = format!("ConnectionName=here&ResourceType={kind}&ResourceName={name}");
        let all = spider.ask(Method::GET, &format!("/spider/tag?{about}"), Value::Null).await;
        assert_eq!(all, (200, json!({"tag": [env, given[0]], "resourceType": what})), "{kind}");
        let about = asked(json!({"ResourceType": kind, "ResourceName": name}));
        let gone = spider.carried(Method::DELETE, "/spider/tag/env", about.clone()).await;
        assert_eq!(gone, (200, json!({"Result": "true"})), "{kind}");
        says(
            &spider.ask(Method::DELETE, "/spider/tag/env", about).await,
            404,
            "tag key 'env' does not exist",
        );
    }
    let tag = json!({"ResourceType": "subnet", "ResourceName": "none", "Tag": {"Key": "k", "Value": "v"}});
    let lost = spider.ask(Method::POST, "/spider/tag", asked(tag)).await;
    says(&lost, 404, "Subnet 'none' does not exist in connection 'here'");
    let can = get(&spider, "/spider/driver/capability?ConnectionName=here").await.1;
    assert_eq!(can["TagSupportResourceType"], json!(["vpc", "subnet", "sg", "keypair", "cluster"]));
}

#[tokio::test]
async fn a_subnet_whose_name_several_networks_have_is_named_by_its_identifier() {
    let spider = Spider::new().await;
    let asked = |asked: Value| json!({"ConnectionName": "here", "ReqInfo": asked});
    for (name, block) in [("one", 0), ("two", 1)] {
        let vpc = json!({"Name": name, "IPv4_CIDR": format!("10.{block}.0.0/16"), "SubnetInfoList": [
            {"Name": "sub", "IPv4_CIDR": format!("10.{block}.1.0/24")}]});
        assert_eq!(spider.carried(Method::POST, "/spider/vpc", asked(vpc)).await.0, 200);
    }
    let add = |name: &str| {
        asked(json!({"ResourceType": "subnet", "ResourceName": name, "Tag": {"Key": "k", "Value": "v"}}))
    };
    let which = spider.ask(Method::POST, "/spider/tag", add("sub")).await;
    says(&which, 400, "several VPCs have a Subnet 'sub': one, two; name it by its SystemId");
    let two = get(&spider, "/spider/vpc/two").await.1["SubnetInfoList"][0]["IId"]["SystemId"].clone();
    assert_eq!(spider.carried(Method::POST, "/spider/tag", add(two.as_str().unwrap())).await.0, 200);
    let tags = |name: &'static str| {
        let spider = &spider;
        async move { get(spider, &format!("/spider/vpc/{name}")).await.1["SubnetInfoList"][0]["TagList"].clone() }
    };
    assert_eq!((tags("one").await, tags("two").await), (json!([]), json!([{"Key": "k", "Value": "v"}])));
}

#[tokio::test]
async fn of_two_clients_that_set_one_tag_at_once_one_is_told_so() {
    let spider = Spider::new().await;
    spider.rig.network().await;
    let tag = |value: &str| {
        json!({"ConnectionName": "here", "ReqInfo": {
            "ResourceType": "vpc", "ResourceName": "net", "Tag": {"Key": "owner", "Value": value},
        }})
    };
    let answers = tokio::select! {
        answers = async {
            tokio::join!(
                spider.ask(Method::POST, "/spider/tag", tag("a")),
                spider.ask(Method::POST, "/spider/tag", tag("b")),
            )
        } => answers,
        () = spider.carry() => unreachable!("it goes on for ever"),
    };
    let (won, lost) = if answers.0.0 == 200 { answers } else { (answers.1, answers.0) };
    assert_eq!(won.0, 200, "{won:?} {lost:?}");
    says(&lost, 409, "tag key 'owner' already exists for the resource 'net'");
    let kept = get(&spider, "/spider/vpc/net").await.1["TagList"].clone();
    assert_eq!(kept, json!([won.1]));
}
