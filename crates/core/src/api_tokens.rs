//! API tokens: made, listed, revoked. Only hashes are stored.

use crate::failure::unexpected;
use crate::{ApiTokenView, Caller, ConnectionScope, CreatedApiToken, Pmks, Result, Role};

/// API tokens.
#[derive(Clone, Copy, Debug)]
pub struct ApiTokens<'a>(pub(crate) &'a Pmks);

/// An API token that is asked for.
#[derive(Clone, Debug)]
pub struct NewApiToken {
    /// Its name.
    pub name: String,
    /// What its bearer may do.
    pub role: Role,
    /// Where.
    pub connections: ConnectionScope,
}

impl ApiTokens<'_> {
    /// Makes a token. Admin only.
    ///
    /// # Errors
    /// `AlreadyExists`, `NotAllowed`.
    pub async fn create(self, _caller: &Caller, _asked: NewApiToken) -> Result<CreatedApiToken> {
        Err(unexpected("not built yet"))
    }

    /// All tokens. Admin only.
    ///
    /// # Errors
    /// `NotAllowed`.
    pub async fn list(self, _caller: &Caller) -> Result<Vec<ApiTokenView>> {
        Err(unexpected("not built yet"))
    }

    /// Revokes a token by name or uid. Admin only.
    ///
    /// # Errors
    /// `NotFound`, `NotAllowed`.
    pub async fn revoke(self, _caller: &Caller, _name: &str) -> Result<()> {
        Err(unexpected("not built yet"))
    }

    /// Who bears this token.
    ///
    /// # Errors
    /// `NotAuthenticated`.
    pub async fn authenticate(self, _token: &str) -> Result<Caller> {
        Err(unexpected("not built yet"))
    }
}
