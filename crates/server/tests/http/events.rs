//! Events as they come.

use axum::body::Body;
use http::Method;
use http_body_util::BodyExt;
use serde_json::Value;

use crate::rig::{Rig, TOKEN, cluster, request};

/// The events of a stream: name, id, data.
fn read(text: &str) -> Vec<(String, String, Value)> {
    let field = |block: &str, name: &str| {
        let line = block.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.trim().to_owned()
    };
    text.split("\n\n")
        .filter(|block| block.contains("event:"))
        .map(|block| {
            let data = serde_json::from_str(&field(block, "data:")).unwrap();
            (field(block, "event:"), field(block, "id:"), data)
        })
        .collect()
}

#[tokio::test]
async fn all_operations_are_followed_from_now_or_from_what_was_seen() {
    let rig = Rig::new().await;
    rig.network().await;
    let mut all = rig.open("/v1/events").await;
    let operation = rig.post("/v1/connections/here/clusters", cluster("prod")).await.ok(202);
    let mut next = async || {
        let frame = tokio::time::timeout(std::time::Duration::from_secs(10), all.frame()).await.unwrap();
        String::from_utf8(frame.unwrap().unwrap().into_data().unwrap().to_vec()).unwrap()
    };
    let (name, first, data) = read(&next().await).remove(0);
    assert_eq!((name.as_str(), &data["id"]), ("operation", &operation["id"]), "nothing from before");
    let ((), second) = tokio::join!(rig.settle(), next());
    let (_, second, _) = read(&second).remove(0);
    assert!(second.parse::<u64>().unwrap() > first.parse::<u64>().unwrap());
    let asked = request(Method::GET, "/v1/events", TOKEN).header("last-event-id", &first);
    let mut missed = rig.stream(asked.body(Body::empty()).unwrap()).await;
    let frame = missed.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(read(std::str::from_utf8(&frame).unwrap())[0].1, second);
    // Beyond the newest it begins now: waiting for that number would leave everything out until then.
    let asked = request(Method::GET, "/v1/events", TOKEN).header("last-event-id", "999999");
    let mut beyond = rig.stream(asked.body(Body::empty()).unwrap()).await;
    let other = rig.post("/v1/connections/here/clusters", cluster("other")).await.ok(202);
    let frame = tokio::time::timeout(std::time::Duration::from_secs(10), beyond.frame()).await.unwrap();
    let frame = frame.unwrap().unwrap().into_data().unwrap();
    assert_eq!(read(std::str::from_utf8(&frame).unwrap())[0].2["id"], other["id"]);
}

#[tokio::test]
async fn readers_that_read_nothing_hold_nobody() {
    let rig = Rig::new().await;
    rig.network().await;
    for number in 0..12 {
        let operation =
            rig.post("/v1/connections/here/clusters", cluster(&format!("c{number}"))).await.ok(202);
        rig.succeeded(&operation).await;
    }
    let ask = || {
        let asked = request(Method::GET, "/v1/events", TOKEN).header("last-event-id", "0");
        asked.body(Body::empty()).unwrap()
    };
    let mut all = Vec::new();
    for _ in 0..pmks_server::Limits::default().event_readers {
        let mut body = rig.stream(ask()).await;
        // One event is taken, and no more: what follows it stays where it is.
        body.frame().await.unwrap().unwrap();
        all.push(body);
    }
    let before = std::time::Instant::now();
    rig.get("/v1/operations").await.ok(200);
    assert!(before.elapsed() < crate::sockets::SOON, "{:?}", before.elapsed());
    let refused = rig.send(ask()).await;
    refused.refused(429, "throttled");
    assert_eq!(refused.header("retry-after"), "5");
    // Another caller has streams of their own, and an end makes room.
    let viewer = rig.token("viewer", None).await;
    drop(rig.stream(request(Method::GET, "/v1/events", &viewer).body(Body::empty()).unwrap()).await);
    all.pop();
    let mut late = rig.stream(ask()).await;
    let mut seen = 0;
    let mut last = 0;
    while seen <= 64 {
        let frame = tokio::time::timeout(crate::sockets::SOON, late.frame()).await;
        let bytes = frame.expect("more than a page").unwrap().unwrap().into_data().unwrap();
        for (_, id, _) in read(std::str::from_utf8(&bytes).unwrap()) {
            let id: u64 = id.parse().unwrap();
            assert!(id > last, "{id} after {last}");
            (seen, last) = (seen + 1, id);
        }
    }
}

#[tokio::test]
async fn an_operation_is_followed_to_its_end_and_not_beyond() {
    let rig = Rig::new().await;
    rig.network().await;
    let operation = rig.post("/v1/connections/here/clusters", cluster("prod")).await.ok(202);
    let path = format!("/v1/operations/{}/events", operation["id"].as_str().unwrap());
    let told = rig.stream(request(Method::GET, &path, TOKEN).body(Body::empty()).unwrap()).await;
    rig.settle().await;
    let told = told.collect().await.unwrap().to_bytes();
    let events = read(std::str::from_utf8(&told).unwrap());
    assert_eq!(events[0].2["state"], "queued", "the present state comes first");
    let (end, told) = events.split_last().unwrap();
    assert_eq!(end.0, "end");
    assert!(told.iter().all(|(name, _, data)| name == "operation" && data["id"] == operation["id"]));
    assert_eq!(told.last().unwrap().2["state"], "succeeded");

    // Something else happens meanwhile.
    rig.post("/v1/connections/here/clusters", cluster("other")).await.ok(202);
    rig.settle().await;
    let again = |last: &str| {
        let asked = request(Method::GET, &path, TOKEN).header("last-event-id", last);
        asked.body(Body::empty()).unwrap()
    };
    assert_eq!(rig.send(again(&end.1)).await.status.as_u16(), 204);
    let missed = read(&rig.send(again(&events[0].1)).await.text);
    assert_eq!(missed.last().unwrap().0, "end");
    let forgotten = read(&rig.send(again("no id of ours")).await.text);
    assert_eq!((forgotten.len(), &forgotten[0].2["state"]), (2, &Value::from("succeeded")));
    // Ids that this store has not given yet, as after it was put back from a copy.
    for beyond in ["999999", "999999.end"] {
        let unknown = read(&rig.send(again(beyond)).await.text);
        assert_eq!((unknown.len(), &unknown[0].2["state"]), (2, &Value::from("succeeded")), "{beyond}");
    }
    rig.get("/v1/operations/nothing/events").await.refused(404, "not-found");
}

#[tokio::test]
async fn who_follows_hears_the_end_though_the_store_did_not_answer_for_a_while() {
    use futures::StreamExt as _;

    let rig = Rig::new().await;
    rig.network().await;
    let operation = rig.post("/v1/connections/here/clusters", cluster("prod")).await.ok(202);
    let id = operation["id"].as_str().unwrap();
    let mut followed = rig.pmks.operations().events(Some(id), None).await.unwrap();
    assert_eq!(followed.next().await.unwrap().operation.id.to_string(), id);
    let file = sqlx::sqlite::SqliteConnectOptions::new().filename(rig.database());
    let other = sqlx::SqlitePool::connect_with(file).await.unwrap();
    let run = async |sql: &'static str| sqlx::raw_sql(sql).execute(&other).await.map(drop).unwrap();
    run("ALTER TABLE events RENAME TO elsewhere").await;
    let told = futures::poll!(followed.next());
    assert!(told.is_pending(), "{told:?}");
    let while_it_is_away = tokio::time::timeout(std::time::Duration::from_millis(500), followed.next()).await;
    assert!(while_it_is_away.is_err(), "{while_it_is_away:?}");
    run("ALTER TABLE elsewhere RENAME TO events").await;
    rig.settle().await;
    let rest: Vec<_> = followed.collect().await;
    assert!(rest.last().unwrap().operation.state.is_final(), "{rest:?}");
}
