//! The chain against a metadata service and profile files of its own. The machine's own metadata service is never
//! asked: it is off unless a test names another one.

use std::sync::atomic::{AtomicUsize, Ordering};

use pmks_transport::{MemoryRecorder, Recorder, VirtualClock};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// An instance's metadata service that knows one role; its keys end an hour after `clock`'s time.
async fn metadata_service(clock: VirtualClock, asked: Arc<AtomicUsize>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (clock, asked) = (clock.clone(), Arc::clone(&asked));
            tokio::spawn(async move {
                let mut text = Vec::new();
                let mut buffer = [0; 4096];
                while !text.windows(4).any(|window| window == b"\r\n\r\n") {
                    match stream.read(&mut buffer).await {
                        Ok(0) | Err(_) => return,
                        Ok(read) => text.extend_from_slice(&buffer[..read]),
                    }
                }
                let text = String::from_utf8(text).unwrap();
                let (status, body) = answer(&text, &clock, &asked);
                let written = format!(
                    "HTTP/1.1 {status}\r\ncontent-length: {}\r\nx-aws-ec2-metadata-token-ttl-seconds: 21600\r\n\
                     connection: close\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(written.as_bytes()).await.unwrap();
            });
        }
    });
    format!("http://{address}")
}

fn answer(request: &str, clock: &VirtualClock, asked: &AtomicUsize) -> (&'static str, String) {
    let role = "/latest/meta-data/iam/security-credentials/";
    if request.starts_with("PUT /latest/api/token") {
        return ("200 OK", "bare-token".to_owned());
    }
    if !request.to_lowercase().contains("x-aws-ec2-metadata-token: bare-token") {
        return ("401 Unauthorized", String::new());
    }
    if request.starts_with(&format!("GET {role}ops ")) {
        let number = asked.fetch_add(1, Ordering::SeqCst) + 1;
        let end = clock.wall().checked_add(SignedDuration::from_hours(1)).unwrap();
        let body = format!(
            r#"{{"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": "ASIA{number}", "SecretAccessKey": "hunter2",
                "Token": "t", "LastUpdated": "2026-11-23T10:00:00Z", "Expiration": "{}"}}"#,
            end.strftime("%Y-%m-%dT%H:%M:%SZ")
        );
        return ("200 OK", body);
    }
    if request.starts_with(&format!("GET {role}")) {
        ("200 OK", "ops".to_owned())
    } else {
        ("404 Not Found", String::new())
    }
}

fn clock() -> VirtualClock {
    VirtualClock::new("2026-11-23T10:00:00Z".parse().unwrap())
}

fn setting(pairs: &[(&str, &str)], clock: &VirtualClock, recorder: Option<Arc<MemoryRecorder>>) -> Setting {
    setting_at(pairs, Arc::new(clock.clone()), recorder)
}

fn setting_at(
    pairs: &[(&str, &str)],
    clock: Arc<dyn Clock>,
    recorder: Option<Arc<MemoryRecorder>>,
) -> Setting {
    let own = pairs.iter().any(|(name, _)| *name == "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    let off = (!own).then_some(("AWS_EC2_METADATA_DISABLED", "true"));
    let variables = pairs.iter().copied().chain(off);
    let mut transport = Transport::builder(clock);
    if let Some(recorder) = recorder {
        transport = transport.recorder(recorder as Arc<dyn Recorder>);
    }
    Setting {
        environment: Environment::new(variables.map(|(name, value)| (name.to_owned(), value.to_owned()))),
        region: "ap-northeast-2".to_owned(),
        transport: transport.build(),
        hosts: Vec::new(),
    }
}

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("pmks-aws-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn an_instances_keys_are_fetched_when_needed_kept_and_renewed() {
    let (clock, asked) = (clock(), Arc::new(AtomicUsize::new(0)));
    let endpoint = metadata_service(clock.clone(), Arc::clone(&asked)).await;
    let recorder = Arc::new(MemoryRecorder::new());
    let pairs = [("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint.as_str())];
    let chain = Chain::new(setting(&pairs, &clock, Some(Arc::clone(&recorder))));
    assert!(recorder.exchanges().is_empty());
    for _ in 0..3 {
        assert_eq!(chain.keys(clock.wall()).await.unwrap().access_key_id(), "ASIA1");
    }
    clock.advance(Duration::from_mins(54));
    assert_eq!(chain.keys(clock.wall()).await.unwrap().access_key_id(), "ASIA1");
    clock.advance(Duration::from_mins(2));
    assert_eq!(chain.keys(clock.wall()).await.unwrap().access_key_id(), "ASIA2");
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    let shown = format!("{:?} {chain:?}", recorder.exchanges());
    assert!(!shown.contains("hunter2") && !shown.contains("bare-token"), "{shown}");
}

#[tokio::test]
async fn a_profile_is_taken_by_its_name_before_the_instance() {
    let folder = Folder::new("profile");
    let config = folder.file("config", "[default]\nregion = us-east-1\n[profile ops]\nregion = us-east-1\n");
    let keys = "[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = hunter2\n\
                [ops]\naws_access_key_id = AKIAOPS\naws_secret_access_key = hunter2\n";
    let credentials = folder.file("credentials", keys);
    let files = [("AWS_CONFIG_FILE", config.as_str()), ("AWS_SHARED_CREDENTIALS_FILE", credentials.as_str())];
    for (profile, expected) in [("", "AKIADEFAULT"), ("ops", "AKIAOPS")] {
        let pairs = [files[0], files[1], ("AWS_PROFILE", profile)];
        let clock = clock();
        let chain = Chain::new(setting(&pairs, &clock, None));
        assert_eq!(chain.keys(clock.wall()).await.unwrap().access_key_id(), expected);
    }
}

#[tokio::test]
async fn nothing_found_names_everything_that_was_tried() {
    let folder = Folder::new("nothing");
    let config = folder.file("config", "[profile other]\nregion = us-east-1\n");
    let config = ("AWS_CONFIG_FILE", config.as_str());
    for (pairs, says) in [
        (vec![], vec!["profile \"default\" (no file: HOME is not set)", "AWS_EC2_METADATA_DISABLED is true"]),
        (vec![("HOME", "/nowhere")], vec!["no file: /nowhere/.aws/config, /nowhere/.aws/credentials"]),
        (vec![config], vec!["profile \"default\" of ", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]),
        (vec![("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1")], vec!["instance metadata ("]),
    ] {
        // Waiting for somebody who does not answer takes real time.
        let clock = Arc::new(pmks_transport::SystemClock);
        let now = clock.wall();
        let error = Chain::new(setting_at(&pairs, clock, None)).keys(now).await.unwrap_err();
        assert!(!error.temporary, "{error}");
        let error = error.to_string();
        assert!(error.contains("AWS_ACCESS_KEY_ID"), "{error}");
        assert!(says.iter().all(|part| error.contains(part)), "{error}");
    }
}

#[tokio::test]
async fn a_profile_that_is_named_is_not_passed_over() {
    let folder = Folder::new("broken");
    let config =
        folder.file("config", "[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = none\n");
    let clock = clock();
    for (profile, says) in [("", "none"), ("gone", "gone")] {
        let endpoint = metadata_service(clock.clone(), Arc::default()).await;
        let pairs = [
            ("AWS_CONFIG_FILE", config.as_str()),
            ("AWS_PROFILE", profile),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint.as_str()),
        ];
        let error = Chain::new(setting(&pairs, &clock, None)).keys(clock.wall()).await.unwrap_err();
        assert!(!error.temporary, "{error}");
        let error = error.to_string();
        assert!(error.contains("gives no credential") && error.contains(says), "{error}");
    }
}
