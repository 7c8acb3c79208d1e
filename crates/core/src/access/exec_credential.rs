//! What a kubectl credential plugin prints.
//!
//! Source: <https://kubernetes.io/docs/reference/config-api/client-authentication.v1/>

use pmks_driver::ClusterCredential;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::kubeconfig::CLIENT_AUTHENTICATION;

/// An `ExecCredential` with its expiry, as JSON. It holds the secret: print it and forget it.
pub fn exec_credential(credential: &ClusterCredential) -> SecretString {
    let expires_at = credential.expires_at().to_string();
    let status = match credential {
        ClusterCredential::Token { token, .. } => {
            json!({"token": token.expose_secret(), "expirationTimestamp": expires_at})
        }
        ClusterCredential::Certificate { certificate, key, .. } => json!({
            "clientCertificateData": certificate,
            "clientKeyData": key.expose_secret(),
            "expirationTimestamp": expires_at,
        }),
    };
    let whole = json!({"apiVersion": CLIENT_AUTHENTICATION, "kind": "ExecCredential", "status": status});
    SecretString::from(whole.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_with_its_expiry() {
        let credential = ClusterCredential::Token {
            token: "t".into(),
            expires_at: "2027-01-01T00:00:00Z".parse().unwrap(),
        };
        let printed: serde_json::Value =
            serde_json::from_str(exec_credential(&credential).expose_secret()).unwrap();
        assert_eq!(
            printed,
            json!({
                "apiVersion": "client.authentication.k8s.io/v1",
                "kind": "ExecCredential",
                "status": {"token": "t", "expirationTimestamp": "2027-01-01T00:00:00Z"},
            })
        );
    }
}
