//! `pmks token`: a kubectl credential plugin. Starts no engine; standard output holds the credential and nothing else.
//!
//! Source: <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins>

use http::Method;
use pmks_api::AccessToken;
use serde_json::{Value, json};

use crate::app::App;
use crate::arguments::InCluster;
use crate::client::{Path, Request, shaped};
use crate::error::{Error, Result};
use crate::output;

const V1: &str = "client.authentication.k8s.io/v1";
const V1BETA1: &str = "client.authentication.k8s.io/v1beta1";

/// Prints an `ExecCredential`.
pub(crate) async fn run(app: &App, within: &InCluster) -> Result<()> {
    let version = api_version(app.environment.get("KUBERNETES_EXEC_INFO"))?;
    let path = Path::v1(["connections", app.connection()?, "clusters", &within.cluster, "token"]);
    let session = app.quiet_session().await?;
    let answer = session.client.send(Request::new(Method::POST, path).repeatable()).await?;
    output::data(&exec_credential(version, &shaped(answer.body)?).to_string())
}

/// The version that kubectl asks for; the newest where it does not say.
fn api_version(info: Option<&str>) -> Result<&'static str> {
    let Some(info) = info else { return Ok(V1) };
    let info: Value = serde_json::from_str(info)
        .map_err(|error| Error::usage(format!("KUBERNETES_EXEC_INFO is no JSON: {error}")))?;
    match info.get("apiVersion").and_then(Value::as_str) {
        None | Some(V1) => Ok(V1),
        Some(V1BETA1) => Ok(V1BETA1),
        Some(other) => {
            Err(Error::usage(format!("KUBERNETES_EXEC_INFO asks for {other}; known are {V1}, {V1BETA1}")))
        }
    }
}

fn exec_credential(version: &str, token: &AccessToken) -> Value {
    let mut status = json!({"expirationTimestamp": token.expiration_timestamp});
    let fields = [
        ("token", &token.token),
        ("clientCertificateData", &token.client_certificate_data),
        ("clientKeyData", &token.client_key_data),
    ];
    for (field, value) in fields {
        if let (Some(value), Value::Object(status)) = (value, &mut status) {
            status.insert(field.to_owned(), json!(value));
        }
    }
    json!({"apiVersion": version, "kind": "ExecCredential", "status": status})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kubectl_says_which_version_it_reads() {
        assert_eq!(api_version(None).unwrap(), V1);
        let info = |version: &str| json!({"kind": "ExecCredential", "apiVersion": version}).to_string();
        assert_eq!(api_version(Some(&info(V1BETA1))).unwrap(), V1BETA1);
        assert_eq!(api_version(Some(&info("client.authentication.k8s.io/v2"))).unwrap_err().exit_code(), 2);
        assert_eq!(api_version(Some("no json")).unwrap_err().exit_code(), 2);
    }

    #[test]
    fn a_credential_holds_what_there_is() {
        let token = AccessToken {
            token: Some("t".into()),
            client_certificate_data: None,
            client_key_data: None,
            expiration_timestamp: "2027-01-01T00:00:00Z".into(),
        };
        let wanted = json!({
            "apiVersion": V1, "kind": "ExecCredential",
            "status": {"token": "t", "expirationTimestamp": "2027-01-01T00:00:00Z"},
        });
        assert_eq!(exec_credential(V1, &token), wanted);
    }
}
