//! How things go at `/spider` beside the plain removal: all of them, those that only the cloud knows, by force; and what
//! remains.

use http::Method;
use serde_json::{Value, json};

use crate::spider::{Spider, get, says};

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
async fn a_node_group_that_its_cloud_keeps_is_known_on_however_it_is_forced() {
    let spider = Spider::new().await;
    spider.rig.cluster().await;
    let at = || json!({"ConnectionName": "here"});
    let path = "/spider/cluster/prod/nodegroup/workers";
    let refused = spider.carried(Method::DELETE, path, at()).await;
    says(&refused, 422, "keeps at least one Kubernetes NodeGroup");
    for word in ["1", "t", "TRUE", "True", "yes"] {
        let refused = spider.carried(Method::DELETE, &format!("{path}?force={word}"), at()).await;
        says(&refused, 400, &format!("force is true or false, not {word:?}"));
    }
    for word in ["false", ""] {
        let refused = spider.carried(Method::DELETE, &format!("{path}?force={word}"), at()).await;
        says(&refused, 422, "keeps at least one Kubernetes NodeGroup");
    }
    let forced = spider.carried(Method::DELETE, &format!("{path}?force=true"), at()).await;
    assert_eq!(forced, (200, json!({"Result": "false"})));
    // What core refuses is no word of the cloud's.
    let viewer = spider.rig.token("viewer", None).await;
    let forced = format!("{path}?force=true");
    let (status, said) = spider.by(("anybody", &viewer), Method::DELETE, &forced, &at()).await;
    assert_eq!(status, 403, "{said}");
    // It stands, is shown, and goes on holding what it needs.
    let (_, shown) = spider.ask(Method::GET, "/spider/cluster/prod?ConnectionName=here", Value::Null).await;
    assert_eq!(shown["NodeGroupList"][0]["IId"]["NameId"], "workers", "{shown}");
    let lost = spider.carried(Method::DELETE, "/spider/cluster/prod/nodegroup/none?force=true", at()).await;
    says(&lost, 404, "Kubernetes NodeGroup 'none' does not exist in connection 'here'");
    let failure = spider.carried(Method::DELETE, "/spider/cluster/none/nodegroup/workers", at()).await;
    says(&failure, 404, "Kubernetes Cluster 'none' does not exist in connection 'here'");
}
