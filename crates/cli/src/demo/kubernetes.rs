//! Looks at a cluster through its own Kubernetes API: TLS with the cluster's CA, a token or certificate as `pmks token` gets
//! it.

use std::time::Duration;

use http::Method;
use pmks_api::AccessToken;
use pmks_model::FailureKind;
use serde_json::Value;
use url::Url;

use crate::app::App;
use crate::client::{Authorization, Client, HttpDoor, Path, Request, shaped};
use crate::error::{Error, Result};

/// How long nodes may take to be ready once the cloud says that they are there.
const READY_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What the cluster's own API says.
pub(super) struct Seen {
    /// The control plane's version.
    pub(super) version: String,
    /// Name and kubelet version of each node that is ready.
    pub(super) ready: Vec<(String, String)>,
}

/// A cluster's own API.
pub(super) struct Kubernetes {
    client: Client,
}

impl Kubernetes {
    /// Connects to a cluster, as `/v1` describes it.
    pub(super) async fn connect(
        pmks: &Client,
        connection: &str,
        cluster: &str,
        folder: &std::path::Path,
    ) -> Result<Self> {
        let path = Path::v1(["connections", connection, "clusters", cluster]);
        let described = pmks.get(path.clone()).await?;
        let text = |field| described.get(field).and_then(Value::as_str).unwrap_or_default();
        let endpoint: Url = text("endpoint").parse().map_err(|_| odd("the cluster has no endpoint"))?;
        let authority = folder.join(format!("cluster-ca-{connection}.pem"));
        crate::private_file::replace(&authority, text("certificateAuthority"))?;
        let answer = pmks.send(Request::new(Method::POST, path.join("token"))).await?;
        let credential: AccessToken = shaped(answer.body)?;
        let who = match credential {
            AccessToken { token: Some(token), .. } => Authorization::Token(token.into()),
            AccessToken {
                client_certificate_data: Some(certificate), client_key_data: Some(key), ..
            } => Authorization::Certificate(format!("{certificate}\n{key}").into()),
            _ => return Err(odd("the cloud gives neither token nor certificate")),
        };
        Ok(Self {
            client: Client::new(std::sync::Arc::new(HttpDoor::new(&endpoint, Some(&who), Some(&authority))?)),
        })
    }

    /// What it says once that many nodes, and no other, are ready.
    ///
    /// # Errors
    /// `Timeout` if they do not become ready.
    pub(super) async fn look(&self, app: &App, nodes: usize, kubelet: &str) -> Result<Seen> {
        let deadline = app.clock.monotonic().saturating_add(READY_WITHIN);
        loop {
            let seen = self.see().await?;
            let settled = seen.ready.iter().all(|(_, version)| is_of(version, kubelet));
            if seen.ready.len() == nodes && settled {
                return Ok(seen);
            }
            if app.clock.monotonic() >= deadline {
                let says =
                    format!("{nodes} nodes of {kubelet} were expected to be ready; {:?} are", seen.ready);
                return Err(Error::new(FailureKind::Timeout, says));
            }
            app.clock.sleep(LOOK_EVERY).await;
        }
    }

    async fn see(&self) -> Result<Seen> {
        let version = self.client.get(Path::at(["version"])).await?;
        let nodes = self.client.get(Path::at(["api", "v1", "nodes"])).await?;
        let nodes = nodes.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        let text = |value: &Value, at: &str| {
            value.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let ready = nodes.iter().filter(|node| is_ready(node));
        Ok(Seen {
            version: text(&version, "/gitVersion"),
            ready: ready
                .map(|node| (text(node, "/metadata/name"), text(node, "/status/nodeInfo/kubeletVersion")))
                .collect(),
        })
    }
}

/// Whether `v1.31.4-eks-1234` is of `1.31`.
pub(super) fn is_of(git_version: &str, minor: &str) -> bool {
    git_version
        .strip_prefix('v')
        .and_then(|rest| rest.strip_prefix(minor))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '+']))
}

fn is_ready(node: &Value) -> bool {
    let conditions =
        node.pointer("/status/conditions").and_then(Value::as_array).cloned().unwrap_or_default();
    conditions.iter().any(|condition| {
        let is = |field: &str, wanted: &str| condition.get(field).and_then(Value::as_str) == Some(wanted);
        is("type", "Ready") && is("status", "True")
    })
}

fn odd(says: &str) -> Error {
    Error::new(FailureKind::Unexpected, says)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_git_version_is_of_its_minor_alone() {
        assert!(is_of("v1.31.4-eks-abc", "1.31"));
        assert!(is_of("v1.31", "1.31"));
        assert!(!is_of("v1.310.1", "1.31"));
        assert!(!is_of("1.31.4", "1.31"));
    }
}
