//! API tokens: made, listed, revoked, recognized. Only hashes are stored, and a token is shown once.
//!
//! A token holds 256 random bits, so a fast hash of it suffices: there is nothing to guess.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use pmks_model::{Failure, FailureKind, NameRule};
use pmks_store::Role;
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::failure::{check, of_store, unexpected};
use crate::{ApiTokenView, Caller, ConnectionScope, CreatedApiToken, Pmks, Result};

/// What a token begins with, so that people and scanners know one when they see it.
const PREFIX: &str = "pmks_";

const NAME: NameRule = NameRule {
    pattern: "^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$",
    says: "1 to 63 letters, digits, '.', '_' and '-', beginning and ending with a letter or digit",
};

/// An API token that is asked for.
#[derive(Clone, Debug)]
pub struct NewApiToken {
    /// Its name.
    pub name: String,
    /// What its bearer may do.
    pub role: Role,
    /// Where.
    pub connections: ConnectionScope,
    /// From when it is refused; `None`: never.
    pub expires_at: Option<Timestamp>,
}

/// API tokens.
#[derive(Clone, Copy, Debug)]
pub struct ApiTokens<'a>(pub(crate) &'a Pmks);

impl ApiTokens<'_> {
    /// Makes a token. Admin only.
    ///
    /// # Errors
    /// `InvalidRequest`, `AlreadyExists`, `NotAllowed`.
    pub async fn create(self, caller: &Caller, asked: NewApiToken) -> Result<CreatedApiToken> {
        caller.require_admin("making an API token")?;
        caller.refuse_key()?;
        let mut findings = pmks_model::Findings::default();
        findings.add_some("name", NAME.refusal(&asked.name));
        if matches!(&asked.connections, ConnectionScope::Named(names) if names.is_empty()) {
            findings.add("connections", "name at least one, or leave it out for all");
        }
        if asked.expires_at.is_some_and(|end| end <= self.0.shared.clock.wall()) {
            findings.add("expiresAt", "must lie ahead");
        }
        let shared = &self.0.shared;
        if let ConnectionScope::Named(names) = &asked.connections {
            for name in names {
                // A misspelt name would be a token for whoever makes a connection of that name one day.
                if shared.store.connection(name).await.map_err(of_store)?.is_none() {
                    findings.add("connections", format!("there is no connection {name:?}"));
                }
            }
        }
        check(findings)?;
        let token = generate()?;
        let new = pmks_store::NewApiToken {
            uid: pmks_store::new_uid(shared.clock.wall()),
            name: asked.name.clone(),
            hash: hash(&token),
            role: asked.role,
            connections: match asked.connections {
                ConnectionScope::All => Vec::new(),
                ConnectionScope::Named(names) => names.into_iter().collect(),
            },
            expires_at: asked.expires_at,
        };
        let audit = shared.audit(caller, "apiToken.create", format!("API token {}", asked.name));
        let stored = shared.store.create_api_token(new, audit).await.map_err(of_store)?;
        Ok(CreatedApiToken { view: view(stored), token: SecretString::from(token.as_str()) })
    }

    /// All tokens, revoked ones too. Admin only.
    ///
    /// # Errors
    /// `NotAllowed`.
    pub async fn list(self, caller: &Caller) -> Result<Vec<ApiTokenView>> {
        caller.require_admin("the list of API tokens")?;
        let all = self.0.shared.store.api_tokens().await.map_err(of_store)?;
        Ok(all.into_iter().map(view).collect())
    }

    /// Revokes a token, by name or uid. Admin only.
    ///
    /// # Errors
    /// `NotFound`, `NotAllowed`.
    pub async fn revoke(self, caller: &Caller, name: &str) -> Result<()> {
        caller.require_admin("revoking an API token")?;
        caller.refuse_key()?;
        let shared = &self.0.shared;
        let audit = shared.audit(caller, "apiToken.revoke", format!("API token {name}"));
        shared.store.revoke_api_token(name, audit).await.map_err(of_store)
    }

    /// Who bears this token.
    ///
    /// # Errors
    /// `NotAuthenticated`.
    pub async fn authenticate(self, token: &str) -> Result<Caller> {
        let refused = || Box::new(Failure::new(FailureKind::NotAuthenticated, "this API token is not known"));
        if !token.starts_with(PREFIX) {
            return Err(refused());
        }
        let shared = &self.0.shared;
        // In step with the store: what was revoked before this began opens nothing.
        shared.memory.refresh().await?;
        // Hashes of random tokens: how long a comparison takes tells nothing of use.
        let found = shared.memory.kept().api_token(&hash(token)).map(Arc::clone);
        let known = found.filter(|known| known.revoked_at.is_none()).ok_or_else(refused)?;
        if known.expires_at.is_some_and(|end| end <= shared.clock.wall()) {
            let says = format!("API token {:?} has expired", known.name);
            let failure = Failure::new(FailureKind::NotAuthenticated, says);
            return Err(Box::new(failure.with_fix("ask an administrator for a new one")));
        }
        Ok(Caller {
            name: known.name.clone(),
            role: known.role,
            connections: if known.connections.is_empty() {
                ConnectionScope::All
            } else {
                ConnectionScope::Named(known.connections.iter().cloned().collect())
            },
            idempotency: None,
            request_id: None,
            traceparent: None,
        })
    }
}

fn generate() -> Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    rand::fill(bytes.as_mut()).map_err(|_| unexpected("no random numbers to make a token from"))?;
    Ok(Zeroizing::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes.as_ref()))))
}

fn hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, token.as_bytes()))
}

fn view(token: pmks_store::ApiToken) -> ApiTokenView {
    ApiTokenView {
        uid: token.uid.to_string(),
        name: token.name,
        role: token.role,
        connections: (!token.connections.is_empty()).then_some(token.connections),
        created_at: token.created_at,
        expires_at: token.expires_at,
        revoked_at: token.revoked_at,
    }
}
