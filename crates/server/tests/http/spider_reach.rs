//! Where the kubeconfigs of a server that listens at every address lead.

use axum::body::Body;
use http::{Method, Request};
use pmks_server::{Authentication, ServeOptions, serve};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::rig::{Rig, TOKEN};
use crate::sockets::read_all;

/// The answer to a GET by one who calls the server so.
async fn get(port: u16, host: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let line = if host.is_empty() { "HTTP/1.0".to_owned() } else { format!("HTTP/1.1\r\nHost: {host}") };
    let ask = format!("GET {path} {line}\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n");
    stream.write_all(ask.as_bytes()).await.unwrap();
    let answer = read_all(&mut stream).await;
    assert!(answer.contains(" 200 "), "{answer}");
    answer
}

#[tokio::test]
async fn kubeconfigs_lead_to_where_the_client_reached_the_server() {
    let rig = Rig::new().await;
    rig.cluster().await;
    let authentication = Authentication::new().unwrap().with_local_token(&TOKEN.into());
    let state = pmks_server::State::new(
        rig.pmks.clone(),
        authentication.with_spider_for_callers(),
        std::sync::Arc::new(rig.clock.clone()),
    );
    let options = ServeOptions::on("0.0.0.0:0".parse().unwrap());
    let serving = serve(options, state, std::future::pending()).await.unwrap();
    let port = serving.address.port();
    tokio::spawn(serving.finished());
    let paths = [
        "/spider/cluster?ConnectionName=here",
        "/spider/cluster/prod?ConnectionName=here",
        "/spider/cluster/prod?ConnectionName=here&KubeconfigType=native",
        "/spider/allclusterinfo?ConnectionName=here",
        "/v1/connections/here/clusters/prod/kubeconfig",
        "/spider/endpointinfo",
    ];
    for path in paths {
        // One after the other: what is kept for one must not be shown to the next.
        for (host, leads) in [
            (format!("10.9.8.7:{port}"), format!("http://10.9.8.7:{port}")),
            ("pmks.example".to_owned(), "http://pmks.example".to_owned()),
            (format!("[::1]:{port}"), format!("http://[::1]:{port}")),
            (format!("0.0.0.0:{port}"), format!("http://localhost:{port}")),
            ("a'b.example".to_owned(), format!("http://localhost:{port}")),
            (String::new(), format!("http://localhost:{port}")),
        ] {
            let answer = get(port, &host, path).await;
            let native = path.contains("native");
            assert!(native || answer.contains(&leads), "{path} by {host}: {answer}");
            assert!(!answer.contains("0.0.0.0:"), "{path} by {host}: {answer}");
        }
    }
}

#[tokio::test]
async fn nobody_reaches_a_process_that_listens_nowhere() {
    let spider = crate::spider::Spider::new().await;
    spider.rig.cluster().await;
    let mut asked: Request<Body> = crate::spider::Spider::request(
        crate::spider::USER,
        Method::GET,
        "/spider/cluster/prod",
        &Value::Null,
    );
    *asked.uri_mut() = "/spider/cluster/prod?ConnectionName=here".parse().unwrap();
    let (status, cluster) = spider.send(asked).await;
    let kubeconfig = cluster["AccessInfo"]["Kubeconfig"].as_str().unwrap();
    assert!(status == 200 && kubeconfig.contains("'/spider/cluster/prod/token"), "{kubeconfig}");
}

#[tokio::test]
async fn who_asks_by_another_connection_of_the_account_gets_in_by_that_one() {
    let spider = crate::spider::Spider::new().await;
    spider.rig.cluster().await;
    spider.rig.post("/v1/connections", crate::rig::connection("con-02.b_x")).await.ok(201);
    // Whose account it is, and so what is known at it, the cloud says.
    spider.rig.post("/v1/connections/con-02.b_x/validate", serde_json::json!({})).await.ok(200);
    let kubeconfigs = |answer: &Value| -> Vec<String> {
        let all = answer["cluster"].as_array().or(answer["AllListInfo"]["MappedInfoList"].as_array());
        let all = all.cloned().unwrap_or_else(|| vec![answer.clone()]);
        all.iter().map(|one| one["AccessInfo"]["Kubeconfig"].as_str().unwrap().to_owned()).collect()
    };
    // One after the other: what is kept for one must not be shown to the next.
    for connection in ["here", "con-02.b_x", "here"] {
        for path in ["cluster/prod", "cluster", "cluster/prod?KubeconfigType=native", "allclusterinfo"] {
            let asked = serde_json::json!({"ConnectionName": connection});
            let (status, answer) = spider.ask(Method::GET, &format!("/spider/{path}"), asked).await;
            assert_eq!(status, 200, "{path}: {answer}");
            let [kubeconfig] = kubeconfigs(&answer).try_into().unwrap();
            let native = path.contains("native");
            let token = format!("/spider/cluster/prod/token?ConnectionName={connection}'");
            assert!(native || kubeconfig.contains(&token), "{path} by {connection}: {kubeconfig}");
            assert!(kubeconfig.contains(&format!("name: prod@{connection}\n")), "{path}: {kubeconfig}");
        }
        let path = format!("/spider/cluster/prod/token?ConnectionName={connection}");
        assert_eq!(spider.ask(Method::GET, &path, Value::Null).await.0, 200, "{connection}");
    }
}
