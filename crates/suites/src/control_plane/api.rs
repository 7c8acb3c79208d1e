//! The way to a real API server: as the front, which says for whom it asks.

use http::Method;
use pmks_simulation::kubernetes::Issued;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;

/// Who the cloud itself is in the cluster: it brings nodes, balancers and disks.
const CLOUD: (&str, &str) = ("pmks:cloud", "system:masters");

#[derive(Clone)]
pub(super) struct Api {
    client: Client,
    url: String,
}

/// An answer that is no success.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) says: String,
}

impl Api {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test's way to a server that others wrote, not to a cloud"
    )]
    pub(super) fn new(url: &str, authority_pem: &str, front: &Issued) -> Self {
        // Reqwest asks for a provider, as the program does at its start.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let authority = reqwest::Certificate::from_pem_bundle(authority_pem.as_bytes());
        let identity = format!("{}{}", front.certificate_pem, front.private_key_pem);
        let client = Client::builder()
            .no_proxy()
            .no_gzip()
            .redirect(reqwest::redirect::Policy::none())
            .tls_certs_only(authority.expect("a certificate"))
            .identity(reqwest::Identity::from_pem(identity.as_bytes()).expect("a certificate"))
            .build();
        Self { client: client.expect("a client"), url: url.to_owned() }
    }

    /// A request for nobody yet.
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub(super) async fn is_ready(&self) -> bool {
        self.call(Method::GET, "/readyz", None).await.is_ok()
    }

    /// Everything in a collection, as far as the API server's memory is up to date.
    pub(super) async fn list(&self, path: &str) -> Result<Vec<Value>, Refused> {
        let mut found = self.call(Method::GET, path, None).await?;
        match found["items"].take() {
            Value::Array(items) => Ok(items),
            _ => Ok(Vec::new()),
        }
    }

    pub(super) async fn create(&self, path: &str, object: &Value) -> Result<Value, Refused> {
        self.call(Method::POST, path, Some(("application/json", object))).await
    }

    pub(super) async fn patch(&self, path: &str, change: &Value) -> Result<Value, Refused> {
        self.call(Method::PATCH, path, Some(("application/merge-patch+json", change))).await
    }

    /// Deletes at once, whatever a kubelet would still have to confirm. What is gone is gone.
    pub(super) async fn delete(&self, path: &str) -> Result<(), Refused> {
        let options =
            serde_json::json!({"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0});
        match self.call(Method::DELETE, path, Some(("application/json", &options))).await {
            Err(refused) if refused.status != 404 => Err(refused),
            _ => Ok(()),
        }
    }

    async fn call(&self, method: Method, path: &str, body: Option<(&str, &Value)>) -> Result<Value, Refused> {
        let (user, group) = CLOUD;
        let mut request = self.request(method.clone(), path);
        request = request.header("X-Remote-User", user).header("X-Remote-Group", group);
        if let Some((kind, body)) = body {
            request = request.header("Content-Type", kind).body(body.to_string());
        }
        let refused =
            |status: u16, says: String| Refused { status, says: format!("{method} {path}: {says}") };
        let answer = request.send().await.map_err(|error| refused(0, error.to_string()))?;
        let status = answer.status();
        let text = answer.text().await.map_err(|error| refused(0, error.to_string()))?;
        if !status.is_success() {
            return Err(refused(status.as_u16(), text));
        }
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }
}
