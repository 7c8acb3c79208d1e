//! Who acts: the credential forms, the keys that they lead to, and the signature that every request carries.
//! Shows no secret, and keeps short-lived keys in memory only.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_credential_types::Credentials as Keys;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use jiff::Timestamp;
use pmks_driver::{Field, Form};
use pmks_transport::{SignContext, SignError, Signer};

const fn field(
    name: &'static str,
    secret: bool,
    required: bool,
    env: &'static str,
    spider: &'static str,
    help: &'static str,
) -> Field {
    Field { name, secret, required, env, help, spider }
}

/// The ways to prove who acts.
pub(crate) const FORMS: &[Form] = &[
    Form {
        name: "accessKey",
        help: "an access key, and perhaps a role to take on with it",
        fields: &[
            field("accessKeyId", false, true, "AWS_ACCESS_KEY_ID", "ClientId", "the access key's identifier"),
            field(
                "secretAccessKey",
                true,
                true,
                "AWS_SECRET_ACCESS_KEY",
                "ClientSecret",
                "the access key's secret",
            ),
            field(
                "sessionToken",
                true,
                false,
                "AWS_SESSION_TOKEN",
                "",
                "the session token of a short-lived key",
            ),
            field("roleArn", false, false, "", "", "a role to take on with this key"),
            field("externalId", true, false, "", "", "the external id that the role's trust asks for"),
        ],
    },
    Form {
        name: "webIdentity",
        help: "a role that a token of an identity provider lets take on",
        fields: &[
            field("roleArn", false, true, "AWS_ROLE_ARN", "", "the role to take on"),
            field("webIdentityToken", true, true, "", "", "the identity provider's token"),
        ],
    },
];

/// Gives the keys to sign with.
#[async_trait]
pub(crate) trait KeySource: Send + Sync + std::fmt::Debug {
    /// Keys that are valid at `now`, and for some time after.
    ///
    /// # Errors
    /// [`SignError`] where there are none.
    async fn keys(&self, now: Timestamp) -> Result<Keys, SignError>;
}

/// Keys that stay as they are.
#[derive(Clone, Debug)]
pub(crate) struct StaticKeys(pub(crate) Keys);

#[async_trait]
impl KeySource for StaticKeys {
    async fn keys(&self, _now: Timestamp) -> Result<Keys, SignError> {
        Ok(self.0.clone())
    }
}

/// Signs requests by Signature Version 4.
///
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>
#[derive(Clone, Debug)]
pub(crate) struct SigV4(pub(crate) std::sync::Arc<dyn KeySource>);

#[async_trait]
impl Signer for SigV4 {
    async fn sign(&self, request: &mut Request<Bytes>, context: SignContext<'_>) -> Result<(), SignError> {
        let keys = self.0.keys(context.now).await?;
        let region = context.region.unwrap_or_default();
        sign_headers(request, &keys, context.service, region, context.now)
    }
}

/// Adds the headers of a signature.
fn sign_headers(
    request: &mut Request<Bytes>,
    keys: &Keys,
    service: &str,
    region: &str,
    now: Timestamp,
) -> Result<(), SignError> {
    let headers = {
        let uri = request.uri().to_string();
        let headers: Vec<(&str, &str)> = request
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
            .collect();
        let signable = SignableRequest::new(
            request.method().as_str(),
            uri,
            headers.into_iter(),
            SignableBody::Bytes(request.body()),
        )
        .map_err(unsigned)?;
        let identity = keys.clone().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(service)
            .time(system_time(now))
            .settings(SigningSettings::default())
            .build()
            .map_err(unsigned)?
            .into();
        sign(signable, &params).map_err(unsigned)?.into_parts().0.into_parts().0
    };
    for header in headers {
        let mut value = HeaderValue::from_str(header.value()).map_err(unsigned)?;
        value.set_sensitive(header.sensitive());
        request.headers_mut().insert(HeaderName::from_static(header.name()), value);
    }
    Ok(())
}

/// A URL that proves for `expires` who acts, without anything secret in it but the signature: `GET` with these
/// headers. Answers the whole URL.
///
/// # Errors
/// [`SignError`] where the URL or the keys cannot be signed with.
pub(crate) fn presign(
    url: &str,
    headers: &[(&str, &str)],
    keys: &Keys,
    region: &str,
    now: Timestamp,
    expires: Duration,
) -> Result<String, SignError> {
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(expires);
    let identity = keys.clone().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("sts")
        .time(system_time(now))
        .settings(settings)
        .build()
        .map_err(unsigned)?
        .into();
    let signable = SignableRequest::new("GET", url, headers.iter().copied(), SignableBody::Bytes(&[]))
        .map_err(unsigned)?;
    let (_, parameters) = sign(signable, &params).map_err(unsigned)?.into_parts().0.into_parts();
    let mut signed = pmks_transport::Url::parse(url).map_err(unsigned)?;
    signed.query_pairs_mut().extend_pairs(parameters.iter().map(|(name, value)| (*name, value.as_ref())));
    Ok(signed.to_string())
}

fn system_time(now: Timestamp) -> SystemTime {
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn unsigned(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> SignError {
    SignError::credential("the request cannot be signed with this credential").caused_by(error)
}
