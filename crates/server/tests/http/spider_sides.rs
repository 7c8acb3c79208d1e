//! What both sides know is told by one list of the cloud's.

use http::Method;
use pmks_model::Iid;
use pmks_transport::Clock as _;
use serde_json::{Value, json};

use crate::rig::cluster;
use crate::spider::{Spider, says};
use crate::stages::network;

/// As many as would be asked for one by one.
const MANY: usize = 50;

async fn get(spider: &Spider, path: &str) -> Value {
    let (status, said) =
        spider.ask(Method::GET, &format!("/spider/{path}?ConnectionName=here"), Value::Null).await;
    assert_eq!(status, 200, "{path}: {said}");
    said
}

impl Spider {
    /// Networks that both sides know, each registered.
    async fn networks(&self) {
        for number in 0..MANY {
            let (id, name) = (format!("net-{number}"), format!("n{number}"));
            let network = network(&id, &name, "10.0.0.0/16");
            self.rig.cloud.world().networks.insert(id.clone(), network);
            let asked = json!({"name": name, "systemId": id});
            self.rig.post("/v1/connections/here/networks", asked).await.ok(201);
        }
        // So old that it would be read again.
        self.rig.clock.advance(std::time::Duration::from_mins(10));
        self.rig.cloud.world().calls.clear();
    }

    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.rig.cloud.world().calls)
    }
}

#[tokio::test]
async fn networks_are_told_by_one_list() {
    let spider = Spider::new().await;
    spider.networks().await;
    let stranger = network("net-x", "x", "10.9.0.0/16");
    spider.rig.cloud.world().networks.insert("net-x".into(), stranger);
    let gone = spider.rig.cloud.world().networks.remove("net-7").unwrap();
    let sides = get(&spider, "allvpc").await["AllList"].clone();
    let number = |list: &str| sides[list].as_array().unwrap().len();
    assert_eq!(
        (number("MappedList"), number("OnlySpiderList"), number("OnlyCSPList")),
        (MANY - 1, 1, 1),
        "{sides}"
    );
    assert_eq!(sides["OnlySpiderList"], json!([{"NameId": "n7", "SystemId": "net-7"}]));
    assert_eq!(sides["OnlyCSPList"][0]["SystemId"], "net-x");
    // What the list lacks is asked for by itself: it may be late in it.
    assert_eq!(spider.calls(), ["list_networks", "get_network"]);
    // Shown as a thing that stands it would be taken for one; its record is dropped by whoever deletes it.
    let (status, said) = spider.ask(Method::GET, "/spider/vpc/n7?ConnectionName=here", Value::Null).await;
    assert_eq!(status, 404, "{said}");
    let says =
        "VPC 'n7' does not exist in connection 'here' any more: its DELETE drops what is left of it here";
    assert_eq!(said["message"], says);
    // What the list says is what is known from then on, and comes back when it is there again.
    spider.rig.cloud.world().networks.insert("net-7".into(), gone);
    spider.rig.cloud.world().networks.get_mut("net-3").unwrap().cidr = "10.3.0.0/16".into();
    let infos = get(&spider, "allvpcinfo").await["AllListInfo"].clone();
    assert_eq!(spider.calls(), ["list_networks"]);
    assert_eq!(infos["MappedInfoList"].as_array().unwrap().len(), MANY);
    assert_eq!(infos["OnlySpiderList"], json!([]));
    let read = spider.rig.get("/v1/connections/here/networks/n3").await.ok(200);
    assert_eq!(read["cidr"], "10.3.0.0/16");
    assert_eq!(spider.calls(), Vec::<String>::new(), "it was just seen");
}

/// What has come to its end was read when it did: it is not asked for once more to be answered.
#[tokio::test]
async fn a_cluster_that_is_changed_is_answered_as_it_was_read_at_the_end() {
    let spider = Spider::new().await;
    spider.rig.cluster().await;
    spider.calls();
    let (engine, clock) = (spider.rig.pmks.engine(), &spider.rig.clock);
    // The clock stands: nothing is so old that it is read by itself.
    let carry = async {
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            engine.tick(clock.wall()).await.unwrap();
            engine.settle().await;
        }
    };
    let asked = json!({"ConnectionName": "here", "ReqInfo": {"Version": "1.32"}});
    let (status, raised) = tokio::select! {
        answer = spider.ask(Method::PUT, "/spider/cluster/prod/upgrade", asked) => answer,
        () = carry => unreachable!("it goes on for ever"),
    };
    assert_eq!((status, raised["Version"].as_str()), (200, Some("1.32")), "{raised}");
    let calls = spider.calls();
    assert_eq!(calls.iter().filter(|call| *call == "get_cluster").count(), 1, "{calls:?}");
}

#[tokio::test]
async fn clusters_are_told_by_one_list() {
    let spider = Spider::new().await;
    spider.rig.cluster().await;
    let operation = spider.rig.post("/v1/connections/here/clusters", cluster("other")).await.ok(202);
    spider.rig.succeeded(&operation).await;
    let mut stranger = spider.rig.cloud.world().clusters["prod"].clone();
    stranger.iid = Iid::new("x", "x");
    spider.rig.cloud.world().clusters.insert("x".into(), stranger);
    spider.rig.clock.advance(std::time::Duration::from_mins(10));
    spider.calls();
    let sides = get(&spider, "allcluster").await["AllList"].clone();
    let names = |list: &str| -> Vec<&str> {
        sides[list].as_array().unwrap().iter().map(|iid| iid["NameId"].as_str().unwrap()).collect()
    };
    assert_eq!((names("MappedList"), names("OnlySpiderList")), (vec!["prod", "other"], vec![]), "{sides}");
    assert_eq!(names("OnlyCSPList"), ["x"]);
    assert_eq!(spider.calls(), ["list_clusters"]);
    spider.rig.cloud.world().clusters.remove("prod");
    let infos = get(&spider, "allclusterinfo").await["AllListInfo"].clone();
    assert_eq!(infos["OnlySpiderList"], json!([{"NameId": "prod", "SystemId": "prod"}]), "{infos}");
    assert_eq!(infos["MappedInfoList"].as_array().unwrap().len(), 1);
    for form in ["", "&KubeconfigType=native"] {
        let path = format!("/spider/cluster/prod?ConnectionName=here{form}");
        let (status, said) = spider.ask(Method::GET, &path, Value::Null).await;
        assert_eq!(status, 404, "{said}");
        let says = said["message"].as_str().unwrap();
        assert!(
            says.starts_with("Kubernetes Cluster 'prod' does not exist in connection 'here' any"),
            "{says}"
        );
    }
    // Lists keep its name.
    let listed = get(&spider, "cluster").await["cluster"].clone();
    assert_eq!((listed[0]["IId"]["NameId"].as_str(), listed[0]["Status"].as_str()), (Some("prod"), Some("")));
    let stranger = &infos["OnlyCSPInfoList"][0];
    assert_eq!(stranger["NodeGroupList"][0]["IId"]["SystemId"], "workers", "{stranger}");
    assert_eq!(stranger["Network"]["VpcIID"]["SystemId"], "net-0001", "{stranger}");
    assert_eq!(spider.calls(), ["list_clusters", "get_cluster"]);
}

#[tokio::test]
async fn groups_and_key_pairs_are_told_by_one_list_each() {
    let spider = Spider::new().await;
    spider.rig.network().await;
    for name in ["a", "b", "c"] {
        let asked = json!({"name": name, "network": "net", "rules": []});
        let operation = spider.rig.post("/v1/connections/here/securityGroups", asked).await.ok(202);
        spider.rig.succeeded(&operation).await;
        spider.rig.key_pair(name).await.ok(201);
    }
    spider.rig.clock.advance(std::time::Duration::from_mins(10));
    spider.calls();
    for (path, call) in [("allsecuritygroup", "list_security_groups"), ("allkeypair", "list_key_pairs")] {
        let sides = get(&spider, path).await["AllList"].clone();
        assert_eq!(sides["MappedList"].as_array().unwrap().len(), 3, "{sides}");
        assert_eq!(spider.calls(), [call]);
    }
}

#[tokio::test]
async fn parts_that_the_cloud_has_no_more_are_not_listed() {
    let spider = Spider::new().await;
    spider.rig.cluster().await;
    let groups = async || {
        let infos = get(&spider, "allclusterinfo").await["AllListInfo"]["MappedInfoList"].clone();
        infos[0]["NodeGroupList"].as_array().unwrap().len()
    };
    let subnets = async || {
        let infos = get(&spider, "allvpcinfo").await["AllListInfo"]["MappedInfoList"].clone();
        infos[0]["SubnetInfoList"].as_array().unwrap().len()
    };
    let (group, subnet) = {
        let mut world = spider.rig.cloud.world();
        let group = world.clusters.get_mut("prod").unwrap().node_groups.pop().unwrap();
        (group, world.subnets.pop_first().unwrap())
    };
    spider.rig.clock.advance(std::time::Duration::from_mins(10));
    spider.calls();
    assert_eq!(groups().await, 0);
    // Each is asked for by itself: what its whole's list lacks may be late in it.
    assert_eq!(spider.calls(), ["list_clusters", "get_cluster"]);
    assert_eq!(subnets().await, 0);
    assert_eq!(spider.calls(), ["list_networks", "get_subnet"]);
    let mut another = group.clone();
    another.incarnation = "later".to_owned();
    spider.rig.cloud.world().clusters.get_mut("prod").unwrap().node_groups.push(another);
    spider.rig.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(groups().await, 0, "another one of its identifier");
    spider.rig.cloud.world().clusters.get_mut("prod").unwrap().node_groups = vec![group];
    spider.rig.cloud.world().subnets.extend([subnet]);
    spider.rig.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!((groups().await, subnets().await), (1, 1), "it is there again");
    let alone = "/spider/vpc/net/subnet/sub?ConnectionName=here";
    assert_eq!(spider.ask(Method::GET, alone, Value::Null).await.0, 200);
    spider.rig.cloud.world().subnets.clear();
    spider.rig.clock.advance(std::time::Duration::from_secs(11));
    says(&spider.ask(Method::GET, alone, Value::Null).await, 404, "Subnet not found");
}
