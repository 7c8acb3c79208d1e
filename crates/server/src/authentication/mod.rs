//! Who comes in: bearer tokens, one administrator by HTTP Basic, callers of the same process. Knows no role's rights:
//! those are `access`'s and the facade's.

mod administrator;
mod header;
mod spider;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use http::HeaderMap;
use pmks_core::{Caller, Pmks};
use pmks_model::{Failure, FailureKind};
use secrecy::{ExposeSecret, SecretString};

use administrator::Administrator;
use header::Presented;

use crate::refused::Refused;

/// A caller of the same process, put into a request's extensions: nothing on a socket can put it there.
#[derive(Clone, Debug)]
pub struct InProcess(pub Caller);

/// Those who may come in beside the API tokens in the store. Keeps no token and no password, only keyed hashes.
pub struct Authentication {
    key: hmac::Key,
    local: Vec<hmac::Tag>,
    administrator: Option<Administrator>,
    /// Whether `/spider` is served.
    serves_spider: bool,
    /// Who comes in there alone.
    spider: Option<Administrator>,
}

/// The system gave no randomness.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the system gives no random bytes")]
pub struct NoRandomness;

impl Authentication {
    /// API tokens alone.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn new() -> Result<Self, NoRandomness> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).map_err(|_| NoRandomness)?;
        Ok(Self { key, local: Vec::new(), administrator: None, serves_spider: false, spider: None })
    }

    /// Accepts this bearer token too, with every right: the one in the data directory.
    #[must_use]
    pub fn with_local_token(mut self, token: &SecretString) -> Self {
        self.local.push(hmac::sign(&self.key, token.expose_secret().as_bytes()));
        self
    }

    /// Accepts this name and password too, by HTTP Basic, with every right. Costs one slow hash.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn with_administrator(mut self, name: &str, password: &SecretString) -> Result<Self, NoRandomness> {
        self.administrator = Some(Administrator::new(name, password).ok_or(NoRandomness)?);
        Ok(self)
    }

    /// The challenge of a 401.
    pub(crate) fn challenge(&self) -> &'static str {
        if self.administrator.is_some() {
            "Bearer realm=\"pmks\", Basic realm=\"pmks\", charset=\"UTF-8\""
        } else {
            "Bearer realm=\"pmks\""
        }
    }

    /// Who sent these headers.
    pub(crate) async fn caller(&self, pmks: &Pmks, headers: &HeaderMap) -> Result<Caller, Refused> {
        match header::presented(headers)? {
            // Most requests bear an API token: it is looked for first, and costs no more than that.
            Presented::Bearer(token) => match pmks.api_tokens().authenticate(token).await {
                Err(_) if self.is_local(token) => Ok(Caller::local("local")),
                found => Ok(found?),
            },
            Presented::Basic { name, password } => match &self.administrator {
                Some(administrator) if Box::pin(administrator.accepts(&self.key, &name, password)).await => {
                    Ok(Caller::local(name))
                }
                _ => Err(unknown("the name or the password is wrong")),
            },
        }
    }

    fn is_local(&self, token: &str) -> bool {
        self.local.iter().any(|tag| hmac::verify(&self.key, token.as_bytes(), tag.as_ref()).is_ok())
    }
}

/// A caller whom nobody knows.
fn unknown(detail: &str) -> Refused {
    let failure = Failure::new(FailureKind::NotAuthenticated, detail);
    failure.with_fix("send a token: Authorization: Bearer …; `pmks api-token create` makes one").into()
}

impl std::fmt::Debug for Authentication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authentication")
            .field("local", &self.local.len())
            .field("administrator", &self.administrator.is_some())
            .finish_non_exhaustive()
    }
}
