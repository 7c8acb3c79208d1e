//! What the span of a call says, and that no secret is in it. A process of its own: what one thread decides of a call's
//! span (`tracing` remembers it for each place in the code) holds for all, so a test beside it could silence this one.

#![expect(dead_code, reason = "the other tests of the transport use more of their helpers")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests: what fails here fails the test"
)]

#[path = "../transport/rig.rs"]
mod rig;
#[path = "../transport/server.rs"]
mod server;

use std::io::Write;
use std::sync::{Arc, Mutex};

use crate::rig::{Rig, SECRET_ANSWER};
use crate::server::{Act, answer};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_span_says_what_happened_and_no_secret() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let rig = Rig::new([Act::Reset, answer(404, &[("x-amzn-requestid", "r-7")], SECRET_ANSWER)]).await;
    let call = rig.secret_call();
    rig.send_call(call).await.0.unwrap();
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let ours = text.lines().rfind(|line| line.contains("request_id=")).unwrap();
    for part in [
        "provider=\"aws\"",
        "service=\"iam\"",
        "action=\"iam.CreateAccessKey\"",
        "status=404",
        "request_id=\"r-7\"",
        "tries=2",
        "outcome=\"4xx\"",
        "duration_ms=",
        "lane=\"live\"",
    ] {
        assert!(ours.contains(part), "{part} in {ours}");
    }
    assert!(!text.contains("hunter2"), "{text}");
}
