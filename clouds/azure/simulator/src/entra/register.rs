//! Events by which an application gets certificates and federated credentials, as an administrator would add them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pmks_simulation::StateError;
use rustls::pki_types::CertificateDer;
use rustls::server::ParsedCertificate;
use serde_json::{Value, json};

use super::{Application, Certificate, Directory, Federated, keys};
use crate::json::{at, text};

/// The audience of federated tokens where none is said.
const EXCHANGE: &str = "api://AzureADTokenExchange";

/// The event `{"type":"registerClientCertificate","certificate":PEM}`: the offered application signs in with its key.
///
/// # Errors
/// When the text is no certificate.
pub(crate) fn certificate(directory: &mut Directory, event: &Value) -> Result<Value, StateError> {
    let pem = text(event, "certificate").unwrap_or_default();
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
    let der = STANDARD.decode(body).map_err(|error| StateError(format!("no PEM certificate: {error}")))?;
    let parsed = CertificateDer::from(der.clone());
    let parsed = ParsedCertificate::try_from(&parsed)
        .map_err(|error| StateError(format!("the certificate cannot be read: {error}")))?;
    let (sha1, sha256) = keys::thumbprint(&der);
    let public_key = keys::encoded(parsed.subject_public_key_info().as_ref());
    application(directory)?.certificates.push(Certificate { sha1: sha1.clone(), sha256, public_key });
    Ok(json!({"x5t": sha1}))
}

/// The event `{"type":"registerFederatedCredential","issuer":URL,"subject":TEXT,"audience"?,"keys"?:JWKS}`: tokens of
/// that issuer about that subject stand for the offered application. Without keys signatures are not checked.
///
/// # Errors
/// When issuer or subject is missing.
pub(crate) fn federated(directory: &mut Directory, event: &Value) -> Result<Value, StateError> {
    let needed = |key: &str| {
        text(event, key).map(str::to_owned).ok_or_else(|| StateError(format!("the event needs `{key}`")))
    };
    let federated = Federated {
        issuer: needed("issuer")?,
        subject: needed("subject")?,
        audience: text(event, "audience").unwrap_or(EXCHANGE).to_owned(),
        keys: Some(at(event, "keys").clone()).filter(|keys| !keys.is_null()),
    };
    application(directory)?.federated.push(federated);
    Ok(Value::Null)
}

fn application(directory: &mut Directory) -> Result<&mut Application, StateError> {
    directory.applications.values_mut().next().ok_or_else(|| StateError("there is no application".to_owned()))
}
