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
use pmks_transport::{Renewal, SignContext, SignError, Signer};

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

    /// AWS refused a call that was signed with the access key of that identifier: whether there are, or will be, other
    /// keys. By default there are none.
    async fn refused(&self, _access_key_id: &str, _now: Timestamp) -> Renewal {
        Renewal::Never
    }

    /// AWS carried out a call that was signed with the access key of that identifier. By default nobody remembers.
    async fn accepted(&self, _access_key_id: &str) {}
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

    async fn refused(&self, request: &Request<Bytes>, context: SignContext<'_>) -> Renewal {
        let Some(access_key_id) = access_key_of(request) else { return Renewal::Never };
        self.0.refused(access_key_id, context.now).await
    }

    async fn accepted(&self, request: &Request<Bytes>) {
        if let Some(access_key_id) = access_key_of(request) {
            self.0.accepted(access_key_id).await;
        }
    }
}

/// The identifier of the access key that signed a request.
fn access_key_of(request: &Request<Bytes>) -> Option<&str> {
    let signature = request.headers().get(http::header::AUTHORIZATION)?.to_str().ok()?;
    signature.split_once("Credential=")?.1.split('/').next()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// `get-vanilla` of AWS' own test suite for Signature Version 4.
    ///
    /// Source: <https://github.com/awslabs/aws-c-auth/tree/main/tests/aws-signing-test-suite/v4/get-vanilla>
    #[test]
    fn headers_are_signed_as_in_the_published_suite() {
        let keys = Keys::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None, None, "test");
        let mut request =
            Request::builder().uri("https://example.amazonaws.com/").body(Bytes::new()).unwrap();
        sign_headers(&mut request, &keys, "service", "us-east-1", at("2015-08-30T12:36:00Z")).unwrap();
        assert_eq!(request.headers()["x-amz-date"], "20150830T123600Z");
        assert_eq!(
            request.headers()["authorization"],
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, \
             Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        );
        assert_eq!(access_key_of(&request), Some("AKIDEXAMPLE"));
    }

    /// What botocore 1.43 makes of the same keys, date and cluster, as `aws eks get-token` does.
    #[test]
    fn a_presigned_url_is_what_aws_own_client_makes() {
        for (session, signature) in [
            (None, "5b0ba804d208caf3eb8a63f1862e4fe0948811ca647f0e5597261f2010fb7247"),
            (Some("FQoG+/=token"), "79e816013b42104f3ce2cdd54172cec36f133c18f95889c80fcc152b9c0ad7cf"),
        ] {
            let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
            let keys = Keys::new("AKIAIOSFODNN7EXAMPLE", secret, session.map(str::to_owned), None, "test");
            let url = "https://sts.ap-northeast-2.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15";
            let headers = [("x-k8s-aws-id", "prod")];
            let now = at("2026-11-23T10:00:00Z");
            let signed =
                presign(url, &headers, &keys, "ap-northeast-2", now, Duration::from_mins(1)).unwrap();
            let query: std::collections::BTreeMap<String, String> =
                pmks_transport::Url::parse(&signed).unwrap().query_pairs().into_owned().collect();
            assert_eq!(query["X-Amz-Signature"], signature);
            assert_eq!(query["X-Amz-SignedHeaders"], "host;x-k8s-aws-id");
            assert_eq!(query["X-Amz-Expires"], "60");
            assert_eq!(query.get("X-Amz-Security-Token").map(String::as_str), session);
            assert!(!signed.contains(secret));
        }
    }

    #[test]
    fn a_form_is_told_by_its_fields() {
        let secrets: Vec<&str> = FORMS
            .iter()
            .flat_map(|form| form.fields)
            .filter(|field| field.secret)
            .map(|field| field.name)
            .collect();
        assert_eq!(secrets, ["secretAccessKey", "sessionToken", "externalId", "webIdentityToken"]);
    }
}
