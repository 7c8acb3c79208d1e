//! What is written down of calls: records, metrics; and that no secret is.

use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusBuilder;
use pmks_transport::{DirectoryRecorder, Effect, Exchange};

use crate::rig::{Rig, SECRET_ANSWER};
use crate::server::{Act, answer};

#[tokio::test]
async fn answers_and_lost_answers_are_recorded_without_secrets() {
    let directory = tempfile::tempdir().unwrap();
    let files = Arc::new(DirectoryRecorder::new(directory.path().join("record")).unwrap());
    let rig = Rig::with(
        [Act::Reset, answer(200, &[("Set-Cookie", "s=hunter2"), ("x-amzn-requestid", "r1")], SECRET_ANSWER)],
        |options| options,
        |builder| builder.recorder(files.clone()),
    )
    .await;
    let call = rig.secret_call();
    rig.send_call(call).await.0.unwrap();

    let exchanges = rig.recorder.take();
    let [lost, answered] = exchanges.as_slice() else { panic!("{exchanges:?}") };
    assert_eq!((lost.outcome.as_str(), lost.status, lost.attempt), ("lost", None, 1));
    assert!(lost.error.is_some() && !lost.injected);
    assert_eq!((answered.outcome.as_str(), answered.status, answered.attempt), ("answered", Some(200), 2));
    assert!(answered.url.ends_with("/p?X-Amz-Signature=[redacted]&maxResults=100"), "{}", answered.url);
    assert_eq!(answered.request_body, "Action=CreateAccessKey&UserData=[redacted]");
    assert_eq!(answered.request_headers["authorization"], "[redacted]");
    assert!(answered.response_body.contains("AKIA"));
    assert_eq!(answered.response_headers["x-amzn-requestid"], "r1");

    let mut read: Vec<(String, Exchange)> = std::fs::read_dir(files.directory())
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(!text.contains("hunter2"), "{text}");
            (path.file_name().unwrap().to_string_lossy().into_owned(), serde_json::from_str(&text).unwrap())
        })
        .collect();
    read.sort_by(|left, right| left.0.cmp(&right.0));
    let names: Vec<_> = read.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["000001-iam.CreateAccessKey.json", "000002-iam.CreateAccessKey.json"]);
    assert_eq!(read.into_iter().map(|(_, exchange)| exchange).collect::<Vec<_>>(), exchanges);
}

#[tokio::test]
async fn metrics_count_every_try() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let rig = Rig::new([Act::Reset, answer(429, &[], ""), answer(200, &[], "")]).await;
    rig.send(Effect::Read).await.0.unwrap();
    let text = handle.render();
    for outcome in ["lost", "4xx", "2xx"] {
        let line = format!(
            "pmks_cloud_calls_total{{provider=\"aws\",service=\"eks\",action=\"eks.DoIt\",outcome=\"{outcome}\"}} 1"
        );
        assert!(text.contains(&line), "{line} in {text}");
    }
    assert!(
        text.contains("pmks_cloud_throttled_total{provider=\"aws\",service=\"eks\",action=\"eks.DoIt\"} 1")
    );
    assert!(
        text.contains("pmks_cloud_call_duration_seconds") && text.contains("pmks_cloud_budget_wait_seconds")
    );
}
