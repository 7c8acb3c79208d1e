//! Access tokens: fetched when they are needed, kept until shortly before their end or until Google refuses them.
//!
//! A call that is answered 401 was not carried out: «Request not authenticated due to missing, invalid, or expired OAuth
//! token» (<https://cloud.google.com/apis/design/errors#handling_errors>). Google's own library signs in anew and sends it
//! again, whatever its method: <https://googleapis.dev/python/google-auth/latest/reference/google.auth.transport.requests.html>,
//! `refresh_status_codes`.

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, header};
use jiff::{SignedDuration, Timestamp};
use pmks_driver::{DriverError, ErrorKind, Result};
use pmks_transport::{Renewable, Renewal, SignContext, SignError, Signer};
use secrecy::{ExposeSecret, SecretString};

use super::{External, Found, Origin, Subject};
use crate::PROVIDER;
use crate::api::TokenApi;
use crate::wire::oauth::Token;

/// How long before its end a token is renewed. A machine's metadata server gives the same one until about four minutes
/// before its end, so that asking earlier would only ask again and again.
///
/// Source: <https://cloud.google.com/compute/docs/access/authenticate-workloads#applications>
const RENEWED_BEFORE: SignedDuration = SignedDuration::from_secs(225);
/// How long a token is taken to be good whose end is not said.
const UNSAID_LIFETIME_SECONDS: u64 = 600;

/// A token and its end.
#[derive(Clone)]
pub(crate) struct Kept {
    pub(crate) token: SecretString,
    pub(crate) end: Timestamp,
}

/// The tokens of one connection.
pub(crate) struct Tokens {
    origin: Origin,
    quota_project: Option<HeaderValue>,
    api: TokenApi,
    kept: Renewable<Kept>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl Tokens {
    /// Those of what was found, asked for by these calls. Asks nobody yet.
    pub(crate) fn new(found: Found, api: TokenApi) -> Self {
        let quota_project = found.quota_project.and_then(|project| HeaderValue::from_str(&project).ok());
        Self { origin: found.origin, quota_project, api, kept: Renewable::new(RENEWED_BEFORE) }
    }

    /// A token that is good at `now`, and for some time after.
    ///
    /// # Errors
    /// `Unauthenticated` where there is none to be had; `Unavailable` where nobody answered.
    pub(crate) async fn at(&self, now: Timestamp) -> Result<Kept> {
        let renew = async {
            let fetched = self.fetch(&self.origin, now).await?;
            let end = fetched.end;
            Ok((fetched, end))
        };
        self.kept.at(now, is_passing, renew).await
    }

    /// Google refused a call that carried this: whether there is, or will be, another token.
    async fn refused(&self, header: Option<&HeaderValue>, now: Timestamp) -> Renewal {
        let Some(header) = header else { return Renewal::Never };
        self.kept.refused(now, |kept| bearer(&kept.token).as_ref() == Some(header)).await
    }

    /// Google carried out a call that carried this.
    async fn accepted(&self, header: Option<&HeaderValue>) {
        self.kept.accepted(|kept| bearer(&kept.token).as_ref() == header).await;
    }

    /// Who acts, for people.
    ///
    /// # Errors
    /// Those of the machine's metadata server, where it alone knows.
    pub(crate) async fn principal(&self) -> Result<String> {
        match (self.origin.principal(), &self.origin) {
            (Some(principal), _) => Ok(principal),
            (None, Origin::Machine { host }) => self.api.machine_email(host).await,
            (None, _) => Ok(String::new()),
        }
    }

    async fn fetch(&self, origin: &Origin, now: Timestamp) -> Result<Kept> {
        match origin {
            Origin::ServiceAccount(_) => Ok(good_from(now, self.api.token_by_assertion().await?)),
            Origin::AuthorizedUser(user) => Ok(good_from(now, self.api.token_by_refresh(user).await?)),
            Origin::External(external) => {
                let subject = self.subject_token(external).await?;
                Ok(good_from(now, self.api.exchange_token(external, &subject).await?))
            }
            Origin::Machine { host } => Ok(good_from(now, self.api.machine_token(host).await?)),
            Origin::Impersonated { origin, email } => {
                let own = Box::pin(self.fetch(origin, now)).await?;
                let generated = self.api.generate_access_token(email, &own.token).await?;
                let end = generated.expire_time.parse().map_err(|error: jiff::Error| {
                    let says = "the token of the service account says no readable end";
                    DriverError::new(ErrorKind::Unexpected, PROVIDER, says).caused_by(error)
                })?;
                Ok(Kept { token: generated.access_token, end })
            }
        }
    }

    async fn subject_token(&self, external: &External) -> Result<SecretString> {
        let (from, text) = match &external.subject {
            Subject::File(path) => {
                let text = tokio::fs::read_to_string(path).await.map_err(|error| {
                    let says = format!("{path} cannot be read");
                    DriverError::new(ErrorKind::Unavailable, PROVIDER, says).caused_by(error)
                })?;
                (path.clone(), SecretString::from(text))
            }
            Subject::Url { url, headers } => {
                (format!("{}{}", url.authority(), url.path()), self.api.subject_token(url, headers).await?)
            }
        };
        external.token_in(text.expose_secret()).map(SecretString::from).ok_or_else(|| {
            let says = format!("{from} holds no token of the form that the credential says");
            DriverError::new(ErrorKind::Unauthenticated, PROVIDER, says)
        })
    }
}

fn good_from(now: Timestamp, token: Token) -> Kept {
    let seconds = token.expires_in.unwrap_or(UNSAID_LIFETIME_SECONDS);
    let seconds = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    Kept { token: token.access_token, end: now.saturating_add(seconds).unwrap_or(Timestamp::MAX) }
}

/// Whether the same may succeed later. An answer without Google's words, as a proxy's page is, says nothing of the
/// credential.
fn is_passing(error: &DriverError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Unavailable
            | ErrorKind::Throttled { .. }
            | ErrorKind::Ambiguous
            | ErrorKind::Unexpected
            | ErrorKind::Unsupported { .. }
    )
}

/// Adds the token, and whose quota it uses, to each try of a call.
#[derive(Debug)]
pub(crate) struct Bearer(pub(crate) std::sync::Arc<Tokens>);

#[async_trait]
impl Signer for Bearer {
    async fn sign(
        &self,
        request: &mut Request<Bytes>,
        context: SignContext<'_>,
    ) -> std::result::Result<(), SignError> {
        let kept = self.0.at(context.now).await.map_err(|error| {
            let says = format!("there is no access token: {error}");
            let refused =
                if is_passing(&error) { SignError::unavailable(says) } else { SignError::credential(says) };
            refused.caused_by(error)
        })?;
        let value = bearer(&kept.token)
            .ok_or_else(|| SignError::credential("the access token cannot stand in a header"))?;
        request.headers_mut().insert(header::AUTHORIZATION, value);
        if let Some(project) = &self.0.quota_project {
            request.headers_mut().insert(HeaderName::from_static("x-goog-user-project"), project.clone());
        }
        Ok(())
    }

    async fn refused(&self, request: &Request<Bytes>, context: SignContext<'_>) -> Renewal {
        self.0.refused(request.headers().get(header::AUTHORIZATION), context.now).await
    }

    async fn accepted(&self, request: &Request<Bytes>) {
        self.0.accepted(request.headers().get(header::AUTHORIZATION)).await;
    }
}

/// The header's value, never shown; `None` for a token that cannot stand in one.
pub(crate) fn bearer(token: &SecretString) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret())).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_counted_from_when_it_was_asked_for() {
        let now = "2026-11-23T10:00:00Z".parse().unwrap();
        let end = |expires_in| {
            let token = Token { access_token: SecretString::from("t"), expires_in };
            good_from(now, token).end.to_string()
        };
        assert_eq!(end(Some(3599)), "2026-11-23T10:59:59Z");
        assert_eq!(end(None), "2026-11-23T10:10:00Z");
        assert_eq!(end(Some(u64::MAX)), Timestamp::MAX.to_string());
    }

    #[test]
    fn a_header_hides_its_token() {
        let value = bearer(&SecretString::from("hunter2")).unwrap();
        assert!(value.is_sensitive());
        assert!(bearer(&SecretString::from("a\nb")).is_none());
    }
}
