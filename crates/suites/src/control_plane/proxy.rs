//! The back that hands a request on to a real API server, and its answer back as it comes, watches too. The caller was
//! proven by the cloud's authenticator; the API server is told who it is as it would be by any authenticating proxy.
//!
//! Source: <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#authenticating-proxy>

use std::collections::BTreeSet;
use std::io;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::TryStreamExt;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use pmks_simulation::kubernetes::{Back, Identity, Request, Response};
use serde_json::json;
use tokio::sync::Mutex;

use super::PATIENCE;
use super::api::Api;

/// What belongs to one connection, or is said anew.
const OWN: [http::HeaderName; 4] = [CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING];

pub(super) struct Proxy {
    api: Api,
    /// Users who may do everything by the cloud's word, and are bound to that here already.
    administrators: Mutex<BTreeSet<String>>,
}

impl Proxy {
    pub(super) fn new(api: Api) -> Self {
        Self { api, administrators: Mutex::default() }
    }

    /// What a cloud grants otherwise than by groups, its own authorizer would know; here it is a binding. Whoever asks
    /// meanwhile waits until it holds: the real authorizer learns of a binding some time after it is there.
    async fn bind_administrator(&self, user: &str) {
        let mut administrators = self.administrators.lock().await;
        if administrators.contains(user) {
            return;
        }
        let kind = "rbac.authorization.k8s.io";
        let binding = json!({
            "apiVersion": format!("{kind}/v1"), "kind": "ClusterRoleBinding",
            "metadata": {"generateName": "pmks-administrator-"},
            "roleRef": {"apiGroup": kind, "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"apiGroup": kind, "kind": "User", "name": user}],
        });
        let path = format!("/apis/{kind}/v1/clusterrolebindings");
        self.api.create(&path, &binding).await.expect("a binding");
        let begun = Instant::now();
        while !self.may_do_everything(user).await {
            assert!(begun.elapsed() < PATIENCE, "{user} is bound, and may not do everything");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        administrators.insert(user.to_owned());
    }

    async fn may_do_everything(&self, user: &str) -> bool {
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
            "spec": {"user": user, "resourceAttributes": {"group": "*", "resource": "*", "verb": "*"}},
        });
        let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
        let answer = self.api.create(path, &review).await.expect("a review");
        answer["status"]["allowed"] == true
    }
}

#[async_trait]
impl Back for Proxy {
    async fn serve(&self, request: Request) -> Response {
        let masters = request.identity.groups.iter().any(|group| group == "system:masters");
        if request.identity.administrator && !masters {
            self.bind_administrator(&request.identity.username).await;
        }
        let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
        let mut onward = self.api.request(request.method, &format!("{}{query}", request.path));
        for (name, value) in &request.headers {
            if !OWN.contains(name) && !name.as_str().starts_with("x-remote-") {
                onward = onward.header(name, value);
            }
        }
        for (name, value) in said(&request.identity) {
            onward = onward.header(name, value);
        }
        match onward.body(request.body).send().await {
            Ok(answer) => streamed(answer),
            Err(error) => failed(&error),
        }
    }
}

/// Who asks, in headers.
fn said(identity: &Identity) -> Vec<(String, String)> {
    let mut said = vec![("X-Remote-User".to_owned(), identity.username.clone())];
    if !identity.uid.is_empty() {
        said.push(("X-Remote-Uid".to_owned(), identity.uid.clone()));
    }
    said.extend(identity.groups.iter().map(|group| ("X-Remote-Group".to_owned(), group.clone())));
    for (key, values) in &identity.extra {
        let name = format!("X-Remote-Extra-{}", escaped(key));
        said.extend(values.iter().map(|value| (name.clone(), value.clone())));
    }
    said
}

/// Names of headers have no case, so what is no small letter or digit is written as its number.
fn escaped(key: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let escape = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02x}") };
    key.bytes().map(escape).collect()
}

fn streamed(answer: reqwest::Response) -> Response {
    let mut response = http::Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        if !OWN.contains(name) {
            response = response.header(name, value);
        }
    }
    let frames = answer.bytes_stream().map_ok(hyper::body::Frame::data).map_err(io::Error::other);
    response.body(UnsyncBoxBody::new(StreamBody::new(frames))).expect("an answer")
}

fn failed(error: &reqwest::Error) -> Response {
    let body = Full::new(format!("the real API server does not answer: {error}").into());
    let body = body.map_err(|never| match never {}).boxed_unsync();
    http::Response::builder().status(502).body(body).expect("an answer")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_headers_that_have_no_case() {
        assert_eq!(escaped("arn"), "arn");
        assert_eq!(escaped("accessKeyId"), "access%4bey%49d");
        assert_eq!(escaped("authentication.kubernetes.io/pod"), "authentication%2ekubernetes%2eio%2fpod");
    }
}
