//! `/spider` beside the resources themselves: machines, names at the cloud, pages of other origins, when a creation is
//! answered, single things.

use axum::body::Body;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::spider::{Spider, USER, get, says};

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
    // Identifiers hold slashes at some clouds, and pages write them as they are.
    for id in ["zones/z/instances/none", "zones%2Fz%2Finstances%2Fnone", "zones/z/instances/none/"] {
        let missing = "VM 'zones/z/instances/none' does not exist in connection 'here'";
        says(&get(&spider, &format!("/spider/cspvm/{id}")).await, 404, missing);
    }
    for (path, what) in [
        ("cspvpc", "VPC"),
        ("cspsecuritygroup", "Security Group"),
        ("cspkeypair", "VM KeyPair"),
        ("cspcluster", "Kubernetes Cluster"),
        ("vpc/net/cspsubnet", "Subnet"),
    ] {
        let gone = spider
            .ask(
                Method::DELETE,
                &format!("/spider/{path}/projects/p/x/none"),
                json!({"ConnectionName": "here"}),
            )
            .await;
        says(&gone, 404, &format!("{what} 'projects/p/x/none' does not exist in connection 'here'"));
    }
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

#[tokio::test]
async fn the_machine_and_what_is_used_of_it_are_told() {
    let spider = Spider::new().await;
    let (status, system) = spider.ask(Method::GET, "/spider/sysstats/system", Value::Null).await;
    assert_eq!(status, 200, "{system}");
    let (status, usage) = spider.ask(Method::GET, "/spider/sysstats/usage", Value::Null).await;
    assert_eq!(status, 200, "{usage}");
    if cfg!(target_os = "linux") {
        assert!(system["LogicalCores"].as_u64().is_some_and(|cores| cores > 0), "{system}");
        for key in ["SystemCPUPercent", "ProcessCPUPercent", "SystemMemoryPercent", "ProcessMemoryPercent"] {
            assert!(usage[key].as_str().is_some_and(|told| told.ends_with(" %")), "{key}: {usage}");
        }
        assert!(usage["SystemCPUCorePercent"]["Core00"].is_string(), "{usage}");
    }
    assert_eq!(spider.ask(Method::GET, "/spider/sysstats/else", Value::Null).await.0, 404);
    for (of, says) in [("system", "\nCATEGORY"), ("usage", "\nRESOURCE")] {
        let path = format!("/spider/sysstats/{of}?mode=text");
        let asked = Spider::request(USER, Method::GET, &path, &Value::Null);
        let answer = spider.router.clone().oneshot(asked).await.unwrap();
        assert_eq!(answer.headers()["content-type"], "text/plain; charset=UTF-8");
        let told = answer.into_body().collect().await.unwrap().to_bytes();
        let told = String::from_utf8(told.to_vec()).unwrap();
        assert!(told.contains(says) && told.contains("\n  CPU"), "{told}");
        let (status, json) =
            spider.ask(Method::GET, &format!("/spider/sysstats/{of}?mode=json"), Value::Null).await;
        assert!(status == 200 && json.is_object(), "{json}");
    }
}
