//! Pieces and connections that are put, asked with and deleted at once.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::spider::{credential, region};
use crate::spider_records::{config, connected, get, put};

#[tokio::test]
async fn a_config_that_is_put_beside_its_deletion_is_whole_or_gone() {
    let spider = connected().await;
    for round in 0..20 {
        let all = (0..3).map(|_| put(&spider, "connectionconfig", config("conf", "reg")));
        let deletes = (0..3).map(|_| async {
            let (status, _) = spider.ask(Method::DELETE, "/spider/connectionconfig/conf", Value::Null).await;
            (status, String::new())
        });
        let (every, gone) =
            futures::join!(futures::future::join_all(all), futures::future::join_all(deletes));
        for (status, message) in every.into_iter().chain(gone) {
            assert_eq!((status, message.as_str()), (200, ""), "round {round}");
        }
        let row = get(&spider, "connectionconfig/conf").await.0;
        let connection = spider.rig.get("/v1/connections/conf").await.status.as_u16();
        assert_eq!(row, connection, "round {round}: the row and its connection");
        let vpcs = get(&spider, "vpc?ConnectionName=conf").await.0;
        assert_eq!(vpcs, row, "round {round}");
    }
}

#[tokio::test]
async fn no_piece_goes_from_under_a_config_that_is_put_beside() {
    let spider = connected().await;
    for round in 0..20 {
        for (path, body) in [("credential", credential("AK1")), ("region", region("r1"))] {
            assert_eq!(put(&spider, path, body).await.0, 200, "{path}");
        }
        spider.ask(Method::DELETE, "/spider/connectionconfig/conf", Value::Null).await;
        let delete = |path: &'static str| spider.ask(Method::DELETE, path, Value::Null);
        let (_, credential, region) = futures::join!(
            put(&spider, "connectionconfig", config("conf", "reg")),
            delete("/spider/credential/cred"),
            delete("/spider/region/reg"),
        );
        for (status, said) in [&credential, &region] {
            assert!([200, 409].contains(status), "round {round}: {said}");
        }
        let stands = spider.rig.get("/v1/connections/conf").await.status == 200;
        assert_eq!(
            stands,
            credential.0 == 409 && region.0 == 409,
            "round {round}: {credential:?} {region:?}"
        );
    }
}

#[tokio::test]
async fn what_is_asked_of_a_connection_beside_its_deletion_is_done_or_told_that_there_is_none() {
    let spider = connected().await;
    let vpc = |round: usize| {
        let name = format!("net-{round}");
        json!({"ConnectionName": "conf", "ReqInfo": {"Name": name, "IPv4_CIDR": "10.0.0.0/16"}})
    };
    let mut missed = 0;
    for round in 0..30 {
        assert_eq!(put(&spider, "connectionconfig", config("conf", "reg")).await.0, 200);
        // Now the one is later and now the other, by another time in each round.
        let is_first = round % 2 == 0;
        let making = async {
            if !is_first {
                tokio::time::sleep(Duration::from_micros(250) * u32::try_from(round).unwrap()).await;
            }
            spider.ask(Method::POST, "/spider/vpc", vpc(round)).await
        };
        let deleting = async {
            for _ in 0..if is_first { round } else { 0 } {
                tokio::task::yield_now().await;
            }
            spider.ask(Method::DELETE, "/spider/connectionconfig/conf", Value::Null).await
        };
        let (made, gone) = tokio::select! {
            both = async { futures::join!(making, deleting) } => both,
            () = spider.carry() => unreachable!("it goes on for ever"),
        };
        match made {
            (200, _) => {
                assert_eq!(gone.0, 409, "{gone:?}");
                let path = format!("/spider/vpc/net-{round}");
                let ended = spider.carried(Method::DELETE, &path, json!({"ConnectionName": "conf"})).await;
                assert_eq!(ended.0, 200, "{ended:?}");
            }
            // It was there when this was begun, and is another one when it is to be kept.
            (409, said)
                if said["message"].as_str().unwrap().contains("was changed while this was asked for") => {}
            (404, said) => {
                missed += 1;
                assert_eq!(said, json!({"message": "conf: does not exist!"}), "round {round}");
            }
            other => panic!("round {round}: {other:?}, {gone:?}"),
        }
    }
    assert!(missed > 0, "the deletion was never the first");
}
