//! What a server tells of its operations while they go on: in the order in which it happened, whatever its clock says.

use std::collections::BTreeMap;

use futures::StreamExt as _;
use serde_json::Value;

use super::client;
use crate::{Served, text};

/// A reader of everything that a server tells.
pub(super) struct Told {
    reader: std::thread::JoinHandle<String>,
}

impl Told {
    /// Reads from now until the server ends.
    pub(super) fn by(server: &Served) -> Self {
        let (url, token) = (format!("{}/v1/events", server.url), server.token.clone());
        let (begun, begins) = std::sync::mpsc::channel();
        let reader = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let answer = client().build().unwrap().get(url).bearer_auth(token).send().await.unwrap();
                begun.send(answer.status()).unwrap();
                let mut heard = Vec::new();
                let mut pieces = answer.bytes_stream();
                while let Some(Ok(piece)) = pieces.next().await {
                    heard.extend_from_slice(&piece);
                }
                String::from_utf8_lossy(&heard).into_owned()
            })
        });
        assert!(begins.recv().unwrap().is_success());
        Self { reader }
    }

    /// Numbers rise, and no operation goes back.
    pub(super) fn assert_in_order(self) {
        let heard = self.reader.join().unwrap();
        let (mut last, mut done) = (0, BTreeMap::<String, (bool, u64)>::new());
        for line in heard.lines() {
            if let Some(number) = line.strip_prefix("id:") {
                let number: u64 = number.trim().parse().unwrap();
                assert!(number > last, "{number} after {last}");
                last = number;
            }
            let Some(data) = line.strip_prefix("data:") else { continue };
            let operation: Value = serde_json::from_str(data).unwrap();
            let over = !["queued", "running"].contains(&text(&operation, "/state"));
            let now = (over, operation["progress"]["done"].as_u64().unwrap());
            let before = done.insert(text(&operation, "/id").to_owned(), now).unwrap_or_default();
            assert!(before <= now, "{before:?} before {operation:#}");
        }
        assert!(done.len() >= 4 && done.values().all(|(over, _)| *over), "{done:?}");
    }
}
