//! An HTTP client as CB-Spider's clients are: HTTP Basic, a JSON body on every method.

use std::collections::BTreeSet;
use std::sync::Arc;

use reqwest::Method;
use serde_json::Value;

use super::described::Description;

pub(super) struct Client {
    http: reqwest::Client,
    base: String,
    user: Option<(String, String)>,
    description: Option<Arc<Description>>,
}

impl Client {
    #[expect(clippy::disallowed_methods, reason = "who asks stands outside the program")]
    pub(super) fn new(url: &str, user: (&str, &str)) -> Self {
        let user = Some((user.0.to_owned(), user.1.to_owned()));
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self { http, base: format!("{url}/spider"), user, description: None }
    }

    /// Holds every answer against what the server says of itself, from now on.
    pub(super) async fn learn(&mut self) {
        let nobody = self.user(None);
        let answer = nobody.ok("GET", "/api/doc.json", None).await;
        self.description = Some(Arc::new(Description::new(answer)));
    }

    /// What the server promises and did not keep since it was learned.
    pub(super) fn unproven(&self) -> BTreeSet<String> {
        self.description.as_ref().expect("it was learned").unproven()
    }

    /// The same as somebody else, or as nobody.
    pub(super) fn user(&self, user: Option<(&str, &str)>) -> Self {
        let user = user.map(|(name, password)| (name.to_owned(), password.to_owned()));
        Self { http: self.http.clone(), base: self.base.clone(), user, description: self.description.clone() }
    }

    fn request(&self, method: &str, path: &str, body: Option<Value>) -> reqwest::RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some((name, password)) = &self.user {
            request = request.basic_auth(name, Some(password));
        }
        match body {
            Some(body) => request.header("content-type", "application/json").body(body.to_string()),
            None => request,
        }
    }

    /// Status and text.
    pub(super) async fn raw(&self, method: &str, path: &str, body: Option<Value>) -> reqwest::Response {
        let answer = self.request(method, path, body).send().await.expect("an answer");
        if let (200, Some(description)) = (answer.status().as_u16(), &self.description) {
            description.succeeds(method, path);
        }
        answer
    }

    /// Status and JSON.
    pub(super) async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let answer = self.raw(method, path, body).await;
        let status = answer.status().as_u16();
        assert_eq!(answer.headers()["content-type"], "application/json", "{method} {path}");
        let text = answer.text().await.expect("a text");
        assert!(text.ends_with('\n'), "{method} {path}: Go's encoder ends a line");
        let json =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{method} {path}: {error}: {text}"));
        if let Some(description) = &self.description {
            description.hold(method, path, status, &json);
        }
        (status, json)
    }

    /// The operation of a change that is not waited for, and where the same client can read it.
    pub(super) async fn at_once(&self, method: &str, path: &str, body: Value) -> (String, Value) {
        let asked = self.request(method, path, Some(body)).header("prefer", "respond-async");
        let answer = asked.send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 202, "{method} {path}");
        if let Some(description) = &self.description {
            description.succeeds(method, path);
        }
        let place = answer.headers()["location"].to_str().expect("a place").to_owned();
        let place = place.strip_prefix("/spider").expect("below /spider").to_owned();
        let text = answer.text().await.expect("a text");
        (place, serde_json::from_str(&text).expect("an operation"))
    }

    /// What must succeed.
    pub(super) async fn ok(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let (status, json) = self.ask(method, path, body).await;
        assert_eq!(status, 200, "{method} {path}: {json}");
        json
    }
}
