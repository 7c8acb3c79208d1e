//! The hook by which a driver signs its calls. Never caches: it is called for each try, so refreshed credentials and
//! dates are right. What a signer itself keeps, it is told to throw away when the cloud refuses it.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;

/// What a signature is made for.
#[derive(Debug, Clone, Copy)]
pub struct SignContext<'a> {
    /// The service as the cloud's signature names it (`eks`, `elasticloadbalancing`).
    pub service: &'a str,
    /// The region as the cloud's signature names it, where there is one.
    pub region: Option<&'a str>,
    /// The time to sign with: this machine's, corrected by the cloud's own where they differ.
    pub now: Timestamp,
}

/// What a signer can do about a request that the cloud refused as unauthenticated. Nothing of it was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// There is, or will be, something else to sign with: the request may be signed and sent once more, whatever its
    /// effect.
    Now,
    /// The credential is good, and what it was given a moment ago is refused: not before that long is there another.
    After(Duration),
    /// The credential itself is refused.
    Never,
}

/// Adds what authenticates a request: headers or query parameters.
#[async_trait]
pub trait Signer: Send + Sync + std::fmt::Debug {
    /// Signs one try of a request. The body and headers are final: what is signed is what is sent.
    ///
    /// # Errors
    /// [`SignError`] when there is no usable credential. Nothing was sent then.
    async fn sign(
        &self,
        request: &mut http::Request<Bytes>,
        context: SignContext<'_>,
    ) -> Result<(), SignError>;

    /// The cloud refused, as [`crate::Verdict::Unauthenticated`], a request that was signed here. Throws away what it
    /// was signed with, where that can be had anew, and answers whether another signature may fare better. By default
    /// none may.
    async fn refused(&self, _request: &http::Request<Bytes>, _context: SignContext<'_>) -> Renewal {
        Renewal::Never
    }

    /// The cloud carried out a request that was signed here: the credential is good. By default nobody remembers.
    async fn accepted(&self, _request: &http::Request<Bytes>) {}
}

/// Leaves requests as they are, for calls that carry their own authentication or none.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSigner;

#[async_trait]
impl Signer for NoSigner {
    async fn sign(&self, _: &mut http::Request<Bytes>, _: SignContext<'_>) -> Result<(), SignError> {
        Ok(())
    }
}

/// Why a request could not be signed. Carries no credential.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct SignError {
    /// Whether trying again later may help (the source of the credential did not answer), or the credential itself is
    /// missing, malformed or refused.
    pub temporary: bool,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl SignError {
    /// The credential is missing, malformed, expired or refused.
    pub fn credential(message: impl Into<String>) -> Self {
        Self { temporary: false, message: message.into(), source: None }
    }

    /// The source of the credential (an instance's metadata, a token service) did not answer.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self { temporary: true, message: message.into(), source: None }
    }

    /// Adds the underlying error.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}
