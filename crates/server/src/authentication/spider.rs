//! Who comes in at `/spider`: one user by HTTP Basic, as CB-Spider has it, who is an administrator there and nobody at
//! `/v1`; and whoever comes in at `/v1`. Clients that can send nothing but Basic give a token as the password.

use http::HeaderMap;
use pmks_core::{Caller, Pmks};
use pmks_model::FailureKind;
use secrecy::{ExposeSecret, SecretString};

use super::administrator::Administrator;
use super::header::{self, Presented};
use super::{Authentication, NoRandomness};
use crate::refused::Refused;

impl Authentication {
    /// Serves `/spider`, to this name and password and to whoever else may come in. Costs one slow hash.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn with_spider(mut self, name: &str, password: &SecretString) -> Result<Self, NoRandomness> {
        self.spider = Some(Administrator::new(name, password).ok_or(NoRandomness)?);
        Ok(self.with_spider_for_callers())
    }

    /// Serves `/spider` to nobody but whoever else may come in.
    #[must_use]
    pub fn with_spider_for_callers(mut self) -> Self {
        self.serves_spider = true;
        self
    }

    pub(crate) fn serves_spider(&self) -> bool {
        self.serves_spider
    }

    /// Who sent these headers.
    pub(crate) async fn spider_caller(&self, pmks: &Pmks, headers: &HeaderMap) -> Result<Caller, Refused> {
        if let Presented::Basic { name, password } = header::presented(headers)? {
            match pmks.api_tokens().authenticate(password.expose_secret()).await {
                Err(failure) if failure.kind == FailureKind::NotAuthenticated => {}
                known => return Ok(known?),
            }
            if let Some(user) = &self.spider
                && user.accepts(&self.key, &name, password).await
            {
                return Ok(Caller::local(name));
            }
        }
        self.caller(pmks, headers).await
    }
}
