//! A client of a server's API that keeps its connections, and asks many things at once.

use futures::StreamExt as _;
use serde_json::Value;

use crate::sandbox::client;

/// Whoever has that token.
pub(crate) struct Visitor {
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
    url: String,
    token: String,
}

/// What came of a request.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    pub(crate) text: String,
}

impl Visitor {
    pub(crate) fn new(url: &str, token: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = client().no_proxy().build().unwrap();
        Self { runtime, client, url: format!("{url}/v1"), token: token.to_owned() }
    }

    /// What is read there.
    pub(crate) fn get(&self, path: &str) -> Value {
        self.asked(&reqwest::Method::GET, path, None)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        self.asked(&reqwest::Method::POST, path, Some(body))
    }

    pub(crate) fn delete(&self, path: &str) -> Value {
        self.asked(&reqwest::Method::DELETE, path, None)
    }

    /// All of these, so many at the same time.
    pub(crate) fn post_all(&self, asked: Vec<(String, Value)>, at_once: usize) -> Vec<Value> {
        let all = futures::stream::iter(asked)
            .map(|(path, body)| async move { self.send(&reqwest::Method::POST, &path, Some(&body)).await });
        self.runtime.block_on(all.buffered(at_once).collect())
    }

    /// All of these, so many at the same time, whatever is answered.
    pub(crate) fn post_whatever(&self, asked: Vec<(String, Value)>, at_once: usize) -> Vec<Answer> {
        let all = futures::stream::iter(asked).map(|(path, body)| async move {
            let request = self.client.post(format!("{}/{path}", self.url)).json(&body);
            let response = request.bearer_auth(&self.token).send().await.unwrap();
            let after = response.headers().get("retry-after").and_then(|after| after.to_str().ok());
            let (status, retry_after) = (response.status().as_u16(), after.map(str::to_owned));
            Answer { status, retry_after, text: response.text().await.unwrap() }
        });
        self.runtime.block_on(all.buffered(at_once).collect())
    }

    fn asked(&self, method: &reqwest::Method, path: &str, body: Option<&Value>) -> Value {
        self.runtime.block_on(self.send(method, path, body))
    }

    async fn send(&self, method: &reqwest::Method, path: &str, body: Option<&Value>) -> Value {
        let request = self.client.request(method.clone(), format!("{}/{path}", self.url));
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let response = request.bearer_auth(&self.token).send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }
}
