//! The client of a cluster's Kubernetes API against canned answers.

use std::sync::Mutex;

use jiff::Timestamp;
use pmks_model::AccessInfo;
use pmks_transport::SystemClock;
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// Answers one canned text after the other and keeps the heads of the requests.
async fn cluster(answers: Vec<(u16, String)>) -> (ClusterApi, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/base/", listener.local_addr().unwrap());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let keeps = Arc::clone(&heard);
    tokio::spawn(async move {
        for (status, body) in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = vec![0; 16_384];
            let read = stream.read(&mut buffer).await.unwrap();
            keeps.lock().unwrap().push(String::from_utf8_lossy(&buffer[..read]).into_owned());
            let first =
                format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            stream.write_all(format!("{first}{body}").as_bytes()).await.unwrap();
        }
    });
    (api_at(&AccessInfo { endpoint, certificate_authority: String::new() }), heard)
}

fn api_at(access: &AccessInfo) -> ClusterApi {
    let transport = Transport::builder(Arc::new(SystemClock)).build();
    let credential =
        ClusterCredential::Token { token: "s3cret".to_owned().into(), expires_at: Timestamp::MAX };
    ClusterApi::new(&transport, "aws", access, &credential, 1000).unwrap()
}

#[tokio::test]
async fn a_credential_goes_to_no_link_local_address() {
    let transport = Transport::builder(Arc::new(SystemClock)).build();
    let credential =
        ClusterCredential::Token { token: "s3cret".to_owned().into(), expires_at: Timestamp::MAX };
    for endpoint in ["https://169.254.169.254", "http://[fe80::1]:80", "no URL"] {
        let access = AccessInfo { endpoint: endpoint.to_owned(), certificate_authority: String::new() };
        let refused = ClusterApi::new(&transport, "aws", &access, &credential, 1).unwrap_err();
        assert!(matches!(refused.kind(), ErrorKind::Unexpected), "{endpoint}: {refused}");
    }
}

fn said(status: u16, reason: &str) -> (u16, String) {
    (status, format!(r#"{{"kind":"Status","message":"no","reason":"{reason}"}}"#))
}

#[tokio::test]
async fn lists_page_by_page_and_only_what_has_balancers() {
    let first = r#"{"kind":"ServiceList","metadata":{"continue":"a b"},"items":[{"metadata":{"name":"web","namespace":"default","uid":"u"},"spec":{"type":"LoadBalancer"},"status":{"loadBalancer":{"ingress":[{"hostname":"a.elb"}]}}}]}"#;
    let second = r#"{"kind":"ServiceList","metadata":{},"items":[{"metadata":{"name":"kubernetes","namespace":"default"},"spec":{"type":"ClusterIP"}}]}"#;
    let (api, heard) = cluster(vec![(200, first.into()), (200, second.into())]).await;
    let services = api.list(Kind::Service).await.unwrap();
    assert_eq!(services.len(), 1);
    assert_eq!(
        (services[0].name.as_str(), services[0].addresses.as_slice()),
        ("web", &["a.elb".to_owned()][..])
    );
    let heard = heard.lock().unwrap();
    assert!(heard[0].starts_with("GET /base/api/v1/services?limit=500 "), "{}", heard[0]);
    assert!(heard[1].starts_with("GET /base/api/v1/services?limit=500&continue=a%20b "), "{}", heard[1]);
    assert!(heard[0].to_lowercase().contains("authorization: bearer s3cret"));
    assert!(!format!("{api:?}").contains("s3cret"));
}

#[tokio::test]
async fn a_cluster_without_gateways_has_none_but_a_proxys_page_is_no_answer() {
    let (api, _) = cluster(vec![(404, "404 page not found\n".into()), (404, "<html>no".into())]).await;
    assert_eq!(api.list(Kind::Gateway).await.unwrap(), []);
    assert_eq!(*api.list(Kind::Gateway).await.unwrap_err().kind(), ErrorKind::Unexpected);
}

#[tokio::test]
async fn deletes_the_very_object_and_takes_gone_for_done() {
    let answers =
        vec![(200, "{}".into()), said(404, "NotFound"), said(409, "Conflict"), said(403, "Forbidden")];
    let (api, heard) = cluster(answers).await;
    api.delete(Kind::Ingress, "shop", "web", "u-1").await.unwrap();
    api.delete(Kind::Ingress, "shop", "web", "u-1").await.unwrap();
    let replaced = api.delete(Kind::Ingress, "shop", "web", "u-1").await.unwrap_err();
    assert_eq!(*replaced.kind(), ErrorKind::Replaced);
    let refused = api.delete(Kind::Ingress, "shop", "web", "u-1").await.unwrap_err();
    assert_eq!(*refused.kind(), ErrorKind::Forbidden { permission: None });
    let heard = heard.lock().unwrap();
    assert!(heard[0].starts_with("DELETE /base/apis/networking.k8s.io/v1/namespaces/shop/ingresses/web "));
    assert!(heard[0].contains(r#""preconditions":{"uid":"u-1"}"#));
}

#[tokio::test]
async fn a_list_says_that_it_is_one() {
    let list =
        |kind: &str, items: &str| (200, format!(r#"{{"kind":"{kind}","metadata":{{}},"items":{items}}}"#));
    let answers = vec![
        list("GatewayList", "[]"),
        list("GatewayList", "null"),
        list("", "[]"),
        list("Service", "[]"),
        (200, "{}".into()),
        (200, "[]".into()),
        (200, "null".into()),
        (200, "<html>Please sign in</html>".into()),
        (307, String::new()),
    ];
    let count = answers.len();
    let (api, _) = cluster(answers).await;
    for number in 0..count {
        match (number, api.list(Kind::Gateway).await) {
            (0 | 1, listed) => assert_eq!(listed.unwrap(), []),
            (_, listed) => assert_eq!(*listed.unwrap_err().kind(), ErrorKind::Unexpected, "{number}"),
        }
    }
}

/// Something at which the connections that come are served so; counts them.
async fn place<F>(
    serve: impl Fn(tokio::net::TcpStream) -> F + Send + 'static,
) -> (String, Arc<std::sync::atomic::AtomicUsize>)
where
    F: Future<Output = std::io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let came = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counts = Arc::clone(&came);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counts.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            tokio::spawn(serve(stream));
        }
    });
    (url, came)
}

#[tokio::test]
async fn an_endpoint_that_leads_elsewhere_is_not_followed() {
    let (elsewhere, astray) = place(|_| async { Ok(()) }).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let access = AccessInfo {
        endpoint: format!("http://{}", listener.local_addr().unwrap()),
        certificate_authority: String::new(),
    };
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = vec![0; 16_384];
            let _ = stream.read(&mut buffer).await.unwrap();
            let head = format!(
                "HTTP/1.1 307 X\r\nlocation: {elsewhere}/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await.unwrap();
        }
    });
    let api = api_at(&access);
    assert_eq!(*api.list(Kind::Service).await.unwrap_err().kind(), ErrorKind::Unexpected);
    assert_eq!(*api.persistent_volumes().await.unwrap_err().kind(), ErrorKind::Unexpected);
    let deleted = api.delete(Kind::Service, "default", "web", "u").await.unwrap_err();
    assert_eq!(*deleted.kind(), ErrorKind::Unexpected);
    assert_eq!(astray.load(std::sync::atomic::Ordering::Relaxed), 0);
}

#[tokio::test]
async fn an_endpoint_that_hangs_or_never_stops_is_left_in_time() {
    let silent = place(|mut stream| async move {
        let mut buffer = vec![0; 16_384];
        while stream.read(&mut buffer).await? > 0 {}
        Ok(())
    })
    .await;
    let endless = place(|mut stream| async move {
        let mut buffer = vec![0; 16_384];
        let _ = stream.read(&mut buffer).await?;
        stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await?;
        loop {
            stream.write_all(b"1000\r\n").await?;
            stream.write_all(&[b' '; 0x1000]).await?;
            stream.write_all(b"\r\n").await?;
        }
    })
    .await;
    for (endpoint, _) in [silent, endless] {
        let api = api_at(&AccessInfo { endpoint: endpoint.clone(), certificate_authority: String::new() });
        let listed = tokio::time::timeout(Duration::from_secs(20), api.list(Kind::Service)).await;
        let error = listed.unwrap_or_else(|_| panic!("{endpoint} is waited for")).unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Unavailable, "{error}");
    }
}

#[tokio::test]
async fn a_cluster_that_is_not_there_is_unavailable() {
    let (api, _) = cluster(Vec::new()).await;
    assert_eq!(*api.persistent_volumes().await.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[test]
fn disks_at_the_cloud_are_found_in_both_forms() {
    let read = |text: &str| serde_json::from_str::<Object>(text).unwrap().persistent_volume();
    let csi = read(r#"{"metadata":{"name":"pv"},"spec":{"csi":{"driver":"ebs.csi.aws.com","volumeHandle":"vol-1"},"claimRef":{"namespace":"n","name":"c"},"persistentVolumeReclaimPolicy":"Delete"}}"#).unwrap();
    assert_eq!((csi.cloud_id.as_str(), csi.claim.as_str(), csi.reclaimed), ("vol-1", "n/c", true));
    let in_tree =
        read(r#"{"metadata":{"name":"pv"},"spec":{"awsElasticBlockStore":{"volumeID":"aws://z/vol-2"}}}"#)
            .unwrap();
    assert_eq!((in_tree.cloud_id.as_str(), in_tree.reclaimed), ("vol-2", false));
    let pd = read(r#"{"metadata":{"name":"pv"},"spec":{"gcePersistentDisk":{"pdName":"disk-3"}}}"#).unwrap();
    assert_eq!((pd.driver.as_str(), pd.cloud_id.as_str()), ("kubernetes.io/gce-pd", "disk-3"));
    let path = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/disks/d";
    let spec = format!(r#"{{"metadata":{{"name":"pv"}},"spec":{{"azureDisk":{{"diskURI":"{path}"}}}}}}"#);
    assert_eq!(read(&spec).unwrap().cloud_id, path);
    assert_eq!(read(r#"{"metadata":{"name":"pv"},"spec":{"hostPath":{"path":"/x"}}}"#), None);
}

#[tokio::test]
async fn a_namespace_has_an_identifier_of_its_own() {
    let there = r#"{"metadata":{"name":"kube-system","uid":"u-1"}}"#;
    let (api, heard) = cluster(vec![(200, there.into()), said(404, "NotFound")]).await;
    assert_eq!(api.namespace_uid("kube-system").await.unwrap().as_deref(), Some("u-1"));
    assert_eq!(api.namespace_uid("nothing").await.unwrap(), None);
    assert!(heard.lock().unwrap()[0].starts_with("GET /base/api/v1/namespaces/kube-system "));
}

#[test]
fn whatever_a_cluster_answers_a_list_ends_as_a_list_or_an_error() {
    const PARTS: [&str; 7] = [
        "\"ServiceList\"",
        "{}",
        "\"web\"",
        "\"u\"",
        "\"LoadBalancer\"",
        "[{\"hostname\":\"a.elb\"}]",
        "{\"type\":\"LoadBalancer\"}",
    ];
    let page = r#"{"kind":"ServiceList","metadata":{},"items":[{"metadata":{"name":"web","namespace":"default","uid":"u"},"spec":{"type":"LoadBalancer"},"status":{"loadBalancer":{"ingress":[{"hostname":"a.elb"}]}}}]}"#;
    let deep = "[".repeat(100_000);
    let instead = prop_oneof![
        Just("null".to_owned()),
        Just("-1".to_owned()),
        Just("[]".to_owned()),
        Just("{\"a\":{}}".to_owned()),
        Just("\"\\u001b]0;x\\u0007\"".to_owned()),
        Just(deep),
        "\\PC{0,8}".prop_map(String::from),
    ];
    let answer = prop_oneof![
        5 => (0..PARTS.len(), instead).prop_map(move |(part, with)| page.replacen(PARTS[part], &with, 1)),
        1 => (0..page.len()).prop_map(move |end| page[..end].to_owned()),
        1 => Just("<html><body>Sign in</body></html>".to_owned()),
    ];
    let config = ProptestConfig {
        cases: 80,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(5),
        ..ProptestConfig::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (read, refused) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let checked = TestRunner::new(config).run(&answer, |answer| {
        let listed = runtime.block_on(async {
            let (api, _) = cluster(vec![(200, answer)]).await;
            api.list(Kind::Service).await
        });
        match listed {
            Ok(_) => read.set(read.get() + 1),
            Err(error) => {
                prop_assert!(error.to_string().len() < 1000, "{error}");
                refused.set(refused.get() + 1);
            }
        }
        Ok(())
    });
    checked.unwrap_or_else(|error| panic!("{error}"));
    assert!(read.get() > 5 && refused.get() > 5, "{read:?} {refused:?}");
}
