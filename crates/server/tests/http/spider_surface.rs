//! `/spider` beside the resources themselves: tags, machines, names at the cloud, the end of everything, pages of other
//! origins, and the ways to remove what only the cloud knows.

use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::spider::Spider;

async fn get(spider: &Spider, path: &str) -> (u16, Value) {
    spider.ask(Method::GET, path, json!({"ConnectionName": "here"})).await
}

#[track_caller]
fn says((status, answer): &(u16, Value), expected: u16, part: &str) {
    assert_eq!(*status, expected, "{answer}");
    assert!(answer["message"].as_str().unwrap().contains(part), "{answer}");
}

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

#[tokio::test]
async fn a_machine_is_called_as_its_node_group_tells_it() {
    let spider = Spider::new().await;
    spider.rig.cluster().await;
    for cluster in spider.rig.cloud.world().clusters.values_mut() {
        for group in &mut cluster.node_groups {
            group.nodes = vec![pmks_model::Iid::unnamed("i-1")];
        }
    }
    spider.rig.get("/v1/connections/here/clusters/prod?maxAge=0").await.ok(200);
    let (_, cluster) = get(&spider, "/spider/cluster/prod").await;
    let told = cluster["NodeGroupList"][0]["Nodes"][0].clone();
    assert_eq!(told, json!({"NameId": "i-1", "SystemId": "i-1"}));
    let (_, machines) = get(&spider, "/spider/vm").await;
    assert_eq!(machines["vm"][0]["IId"], told);
    // By the name that Kubernetes has for it, too.
    for name in ["i-1", "host-of-i-1"] {
        let (status, machine) = get(&spider, &format!("/spider/vm/{name}")).await;
        assert_eq!((status, &machine["IId"]), (200, &told), "{name}");
    }
    assert_eq!(get(&spider, "/spider/vmstatus").await.1["vmstatus"][0]["IId"], told);
}

#[tokio::test]
async fn machines_are_the_nodes_of_clusters() {
    let spider = Spider::new().await;
    spider.rig.cluster().await;
    let (status, listed) = get(&spider, "/spider/vm").await;
    let machines = listed["vm"].as_array().unwrap();
    assert!(status == 200 && !machines.is_empty(), "{listed}");
    let machine = &machines[0];
    for key in ["StartTime", "Region", "VMSpecName", "KeyPairIId", "NICs", "PrivateIPs", "TagList"] {
        assert!(machine.get(key).is_some(), "{key} in {machine}");
    }
    let facts = machine["KeyValueList"].as_array().unwrap();
    assert!(facts.contains(&json!({"Key": "Cluster", "Value": "prod"})), "{machine}");
    for (path, id) in [("vm", "NameId"), ("cspvm", "SystemId")] {
        let id = machine["IId"][id].as_str().unwrap();
        assert_eq!(get(&spider, &format!("/spider/{path}/{id}")).await, (200, machine.clone()));
    }
    let (_, all) = get(&spider, "/spider/vmstatus").await;
    assert_eq!(all["vmstatus"].as_array().unwrap().len(), machines.len());
    assert_eq!(all["vmstatus"][0]["IId"], machine["IId"]);
    let name = machine["IId"]["NameId"].as_str().unwrap();
    let (_, state) = get(&spider, &format!("/spider/vmstatus/{name}")).await;
    assert_eq!(state, json!({"Status": all["vmstatus"][0]["VmStatus"]}));
    for path in ["/spider/countvm", "/spider/countvm/here"] {
        assert_eq!(get(&spider, path).await, (200, json!({"count": machines.len()})), "{path}");
    }
    says(&get(&spider, "/spider/vm/imagespecrecent").await, 501, "web pages");
    says(&get(&spider, "/spider/vm/none").await, 404, "VM 'none' does not exist in connection 'here'");
    says(&get(&spider, "/spider/allvm").await, 501, "not support");
}

#[tokio::test]
async fn names_at_the_cloud_are_told_and_its_own_words_of_resources() {
    let spider = Spider::new().await;
    spider.rig.cluster().await;
    let name = "/spider/cspresourcename/net?ResourceType=vpc";
    assert_eq!(get(&spider, name).await, (200, json!({"Name": "net"})));
    says(&get(&spider, "/spider/cspresourcename/net").await, 400, "ResourceType is empty!");
    for path in ["orgregion", "orgzone", "vmorgspec", "vmorgspec/x", "preconfig/orgregion"] {
        says(&get(&spider, &format!("/spider/{path}")).await, 501, "not supported here");
    }
    let words = "/spider/cspresourceinfo/net?ResourceType=vpc";
    let (status, said) = get(&spider, words).await;
    assert_eq!((status, &said["adminPassword"]), (200, &json!("[redacted]")), "{said}");
    let id = spider.rig.get("/v1/connections/here/networks/net").await.ok(200)["iid"]["systemId"].clone();
    assert_eq!(said["id"], id);
    says(&get(&spider, "/spider/cspresourceinfo/prod?ResourceType=cluster").await, 501, "not support");
}

#[tokio::test]
async fn a_client_says_whether_names_at_the_cloud_are_unique() {
    let spider = Spider::new().await;
    let asked = |name: &str, mode: &str| {
        let subnets = json!([{"Name": "sub", "IPv4_CIDR": "10.0.1.0/24"}]);
        json!({"ConnectionName": "here", "IDTransformMode": mode, "ReqInfo": {
            "Name": name, "IPv4_CIDR": "10.0.0.0/16", "SubnetInfoList": subnets,
        }})
    };
    for (name, mode, suffix) in [("on", "on", 21), ("other", "OFF", 0), ("usual", " ", 0)] {
        let (status, made) = spider.carried(Method::POST, "/spider/vpc", asked(name, mode)).await;
        assert_eq!((status, &made["IId"]["NameId"]), (200, &json!(name)), "{made}");
        assert_eq!(made["SubnetInfoList"][0]["IId"]["NameId"], "sub");
        let (_, told) = get(&spider, &format!("/spider/cspresourcename/{name}?ResourceType=vpc")).await;
        let told = told["Name"].as_str().unwrap();
        assert!(told.starts_with(name) && told.len() == name.len() + suffix, "{told}");
        let shown = spider.rig.get(&format!("/v1/connections/here/networks/{name}")).await.ok(200);
        assert_eq!(shown["cloudName"], told);
        let subnet = shown["subnets"][0]["cloudName"].as_str().unwrap();
        assert_eq!(subnet.len(), "sub".len() + suffix, "{subnet}");
    }
    let refused = spider.ask(Method::POST, "/spider/vpc", asked("n", "yes")).await;
    says(&refused, 400, "IDTransformMode is ON or OFF, not \"yes\"");
}

#[tokio::test]
async fn the_end_of_all_takes_what_stands_in_its_order() {
    let spider = Spider::new().await;
    spider.rig.cluster().await;
    assert_eq!(spider.rig.key_pair("key").await.status.as_u16(), 201);
    let at = json!({"ConnectionName": "here"});
    let (status, answer) = spider.carried(Method::DELETE, "/spider/destroy", at.clone()).await;
    assert_eq!((status, &answer["IsAllDestroyed"]), (200, &json!(true)), "{answer}");
    let kinds = answer["DeletedAllListByResourceType"].as_array().unwrap();
    let told: Vec<(&Value, usize)> = kinds
        .iter()
        .map(|kind| (&kind["ResourceType"], kind["DeletedIIDList"].as_array().unwrap().len()))
        .collect();
    let expected = [("cluster", 1), ("keypair", 1), ("sg", 0), ("vpc", 1)];
    assert_eq!(told, expected.map(|(kind, count)| (kind.into(), count)).each_ref().map(|(k, c)| (k, *c)));
    assert!(spider.rig.cloud.world().networks.is_empty());
    let lost = spider.ask(Method::DELETE, "/spider/destroy", json!({"ConnectionName": "none"})).await;
    says(&lost, 404, "none: does not exist!");
}

#[tokio::test]
async fn what_is_protected_remains_and_is_said() {
    let spider = Spider::new().await;
    spider.rig.cluster().await;
    let path = "/v1/connections/here/clusters/prod";
    let protect = json!({"deletionProtection": true});
    let mut protecting = crate::rig::json_request(Method::PATCH, path, crate::rig::TOKEN, &protect);
    protecting.headers_mut().insert("if-match", "*".parse().unwrap());
    let changed = spider.rig.send(protecting).await.ok(202);
    spider.rig.succeeded(&changed).await;
    let at = json!({"ConnectionName": "here"});
    let (status, answer) = spider.carried(Method::DELETE, "/spider/destroy", at).await;
    assert_eq!((status, &answer["IsAllDestroyed"]), (200, &json!(false)), "{answer}");
    let cluster = &answer["DeletedAllListByResourceType"][0];
    assert_eq!((&cluster["IsAllDeleted"], &cluster["DeletedIIDList"]), (&json!(false), &json!([])));
    assert_eq!(cluster["RemainedErrorInfoList"][0]["Name"], "prod");
    let why = cluster["RemainedErrorInfoList"][0]["ErrorMsg"].as_str().unwrap();
    assert!(why.contains("protected"), "{answer}");
    assert_eq!(spider.rig.cloud.world().networks.len(), 1);
}

#[tokio::test]
async fn pages_of_any_origin_may_ask_and_nobody_elsewhere() {
    let spider = Spider::new().await;
    let asks = |path: &str| {
        Request::builder()
            .method(Method::OPTIONS)
            .uri(path)
            .header("host", "pmks.example")
            .header("origin", "https://page.example")
            .header("access-control-request-method", "DELETE")
            .header("access-control-request-headers", "authorization,content-type")
            .body(Body::empty())
            .unwrap()
    };
    let router = spider.router.clone();
    let allowed = router.clone().oneshot(asks("/spider/cluster/x")).await.unwrap();
    assert_eq!(allowed.status().as_u16(), 204);
    assert_eq!(allowed.headers()["access-control-allow-origin"], "*");
    assert_eq!(allowed.headers()["access-control-allow-headers"], "authorization,content-type");
    assert!(allowed.headers()["access-control-allow-methods"].to_str().unwrap().contains("DELETE"));
    assert!(!allowed.headers().contains_key("access-control-allow-credentials"));
    // Who may ask need not be let in.
    let mut stranger = asks("/spider/cluster");
    *stranger.method_mut() = Method::GET;
    let refused = router.clone().oneshot(stranger).await.unwrap();
    assert_eq!(refused.status().as_u16(), 401);
    assert_eq!(refused.headers()["access-control-allow-origin"], "*");
    let elsewhere = router.oneshot(asks("/v1/connections")).await.unwrap();
    assert!(!elsewhere.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn what_only_the_cloud_knows_is_removed_by_its_identifier() {
    let spider = Spider::new().await;
    spider.rig.cluster().await;
    let id =
        async |path: &str| spider.rig.get(path).await.ok(200)["iid"]["systemId"].as_str().unwrap().to_owned();
    let cluster = id("/v1/connections/here/clusters/prod").await;
    let network = id("/v1/connections/here/networks/net").await;
    let at = || json!({"ConnectionName": "here"});
    let truly = (200, json!({"Result": "true"}));
    assert_eq!(spider.carried(Method::DELETE, "/spider/regcluster/prod", at()).await, truly);
    assert_eq!(spider.carried(Method::DELETE, &format!("/spider/cspcluster/{cluster}"), at()).await, truly);
    assert_eq!(spider.carried(Method::DELETE, "/spider/regvpc/net", at()).await, truly);
    // What the cloud does not let go is not known here for having been asked to go.
    let refusal = pmks_driver::ErrorKind::QuotaExceeded;
    spider.rig.cloud.world().failures.insert("ask removal".into(), refusal);
    let refused = spider.carried(Method::DELETE, &format!("/spider/cspvpc/{network}"), at()).await;
    assert!(refused.0 >= 400, "{refused:?}");
    assert_eq!(get(&spider, "/spider/countvpc").await, (200, json!({"count": 0})));
    spider.rig.cloud.world().failures.clear();
    assert_eq!(spider.carried(Method::DELETE, &format!("/spider/cspvpc/{network}"), at()).await, truly);
    assert!(spider.rig.cloud.world().networks.is_empty());
    assert_eq!(get(&spider, "/spider/countvpc").await, (200, json!({"count": 0})));
}

#[tokio::test]
async fn a_creation_is_answered_once_it_is_taken_on_and_done_where_that_takes_no_time() {
    let spider = Spider::new().await;
    spider.rig.network().await;
    let body = |name: &str| {
        json!({"ConnectionName": "here", "ReqInfo": {
            "Name": name, "VPCName": "net", "SubnetNames": ["sub"], "NodeGroupList": [{"Name": "workers"}],
        }})
    };
    let of = |cluster: &Value| (cluster["Status"].clone(), cluster["NodeGroupList"][0]["Status"].clone());
    let made = spider.carried(Method::POST, "/spider/cluster", body("prod")).await.1;
    assert_eq!(of(&made), (json!("Active"), json!("Active")), "{made}");
    let more = json!({"ConnectionName": "here", "ReqInfo": {"Name": "more"}});
    let (_, added) = spider.carried(Method::POST, "/spider/cluster/prod/nodegroup", more).await;
    assert_eq!(of(&added), (json!("Active"), json!("Active")), "{added}");
    assert_eq!(of(&get(&spider, "/spider/cluster/prod").await.1), of(&added));
    // What is waited for to its end, and has none, is refused.
    spider.rig.cloud.world().stuck.insert("cluster".to_owned());
    let (status, made) = spider.carried(Method::POST, "/spider/cluster", body("slow")).await;
    assert!(status == 200 && !made["IId"]["SystemId"].as_str().unwrap().is_empty(), "{made}");
}

#[tokio::test]
async fn one_key_is_one_network() {
    let spider = Spider::new().await;
    let body = json!({"ConnectionName": "here", "ReqInfo": {"Name": "net", "IPv4_CIDR": "10.0.0.0/16"}});
    let send = async || {
        let mut asked = Spider::request(crate::spider::USER, Method::POST, "/spider/vpc", &body);
        asked.headers_mut().insert("idempotency-key", "k1".parse().unwrap());
        tokio::select! {
            answer = spider.send(asked) => answer,
            () = spider.carry() => unreachable!(),
        }
    };
    let first = send().await;
    assert_eq!(first.0, 200, "{first:?}");
    assert_eq!(send().await, first, "the same request again");
    assert_eq!(spider.rig.cloud.world().networks.len(), 1);
}

/// The cloud refuses no more once the fix was asked for.
fn made_at_last(spider: &Spider) {
    let mut world = spider.rig.cloud.world();
    if world.asked.contains_key("prerequisite.fix") {
        world.failures.clear();
    }
}

#[tokio::test]
async fn what_an_account_lacks_is_made_on_the_way() {
    let spider = Spider::new().await;
    spider.rig.network().await;
    let lacking =
        pmks_driver::ErrorKind::PrerequisiteMissing { what: "role".to_owned(), fix: "make it".to_owned() };
    spider.rig.cloud.world().failures.insert("prepare".into(), lacking);
    let carried = async {
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            made_at_last(&spider);
            spider.rig.settle().await;
        }
    };
    let body = json!({"ConnectionName": "here", "ReqInfo": {
        "Name": "prod", "VPCName": "net", "SubnetNames": ["sub"], "NodeGroupList": [],
    }});
    let (status, answer) = tokio::select! {
        answer = spider.ask(Method::POST, "/spider/cluster", body) => answer,
        () = carried => unreachable!(),
    };
    assert_eq!((status, &answer["IId"]["NameId"]), (200, &json!("prod")), "{answer}");
    assert!(spider.rig.cloud.world().asked.contains_key("prerequisite.fix"));
    assert_eq!(spider.rig.cloud.world().clusters.len(), 1);
}

#[tokio::test]
async fn what_is_forced_is_forgotten_where_the_cloud_keeps_it() {
    let spider = Spider::new().await;
    spider.rig.cluster().await;
    let at = || json!({"ConnectionName": "here"});
    let path = "/spider/cluster/prod/nodegroup/workers";
    let refused = spider.carried(Method::DELETE, path, at()).await;
    says(&refused, 422, "keeps at least one node group");
    let forced = spider.carried(Method::DELETE, &format!("{path}?force=true"), at()).await;
    assert_eq!(forced, (200, json!({"Result": "false"})));
    let lost = spider.carried(Method::DELETE, "/spider/cluster/prod/nodegroup/none?force=1", at()).await;
    says(&lost, 404, "Kubernetes NodeGroup 'none' does not exist in connection 'here'");
    let failure = spider.carried(Method::DELETE, "/spider/cluster/none/nodegroup/workers", at()).await;
    says(&failure, 404, "Kubernetes Cluster 'none' does not exist in connection 'here'");
}

#[tokio::test]
async fn single_things_are_read_and_a_cluster_is_raised() {
    let spider = Spider::new().await;
    spider.rig.cluster().await;
    let (status, machine) = get(&spider, "/spider/vmspec/small").await;
    assert_eq!((status, &machine["Name"], &machine["Region"]), (200, &json!("small"), &json!("r1")));
    for (path, what) in
        [("vmspec/none", "VM Spec"), ("vmimage/none", "VM Image"), ("regionzone/none", "Region")]
    {
        let absent = get(&spider, &format!("/spider/{path}")).await;
        says(&absent, 404, &format!("{what} 'none' does not exist"));
    }
    let upgrade = json!({"ConnectionName": "here", "ReqInfo": {"Version": "1.32"}});
    let (status, raised) = spider.carried(Method::PUT, "/spider/cluster/prod/upgrade", upgrade).await;
    assert_eq!((status, &raised["IId"]["NameId"]), (200, &json!("prod")), "{raised}");
    spider.rig.settle().await;
    assert_eq!(get(&spider, "/spider/cluster/prod").await.1["Version"], "1.32");
    let group = json!({"ConnectionName": "here", "ReqInfo": {
        "Name": "sg", "VPCName": "net", "SecurityRules": [
            {"Direction": "inbound", "IPProtocol": "TCP", "FromPort": "22", "ToPort": "22", "CIDR": ""},
        ],
    }});
    let (status, made) = spider.carried(Method::POST, "/spider/securitygroup", group).await;
    assert_eq!(status, 200, "{made}");
    let at = json!({"ConnectionName": "here", "ReqInfo": {"CSPId": made["IId"]["SystemId"]}});
    let known = spider.ask(Method::POST, "/spider/getsecuritygroupowner", at.clone()).await;
    says(&known, 409, "already exists");
    let here = json!({"ConnectionName": "here"});
    assert_eq!(spider.ask(Method::DELETE, "/spider/regsecuritygroup/sg", here).await.0, 200);
    let owner = spider.ask(Method::POST, "/spider/getsecuritygroupowner", at).await;
    assert_eq!((owner.0, &owner.1["NameId"]), (200, &json!("net")), "{owner:?}");
}
