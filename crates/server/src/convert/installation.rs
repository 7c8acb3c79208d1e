//! API tokens and the audit.

use std::collections::BTreeSet;

use pmks_api as api;
use pmks_core::{ApiTokenView, AuditView, ConnectionScope, CreatedApiToken, NewApiToken, Role};
use secrecy::ExposeSecret;

use super::{some_time, time, word};
use crate::refused::Refused;

/// A token that is asked for.
pub(crate) fn new_api_token(asked: api::NewApiToken) -> Result<NewApiToken, Refused> {
    let role = match asked.role.as_str() {
        "viewer" => Role::Viewer,
        "operator" => Role::Operator,
        "admin" => Role::Admin,
        _ => return Err(Refused::invalid("role", "must be viewer, operator or admin")),
    };
    let connections = match asked.connections {
        None => ConnectionScope::All,
        Some(names) if names.is_empty() => {
            return Err(Refused::invalid("connections", "names at least one connection, or is left out"));
        }
        Some(names) => ConnectionScope::Named(BTreeSet::from_iter(names)),
    };
    let expires_at = asked.expires_at.as_deref().map(str::parse).transpose();
    let expires_at = expires_at
        .map_err(|_| Refused::invalid("expiresAt", "must be a time such as 2030-01-31T12:00:00Z"))?;
    Ok(NewApiToken { name: asked.name, role, connections, expires_at })
}

/// A token, without the token.
pub(crate) fn api_token(view: ApiTokenView) -> api::ApiToken {
    api::ApiToken {
        uid: view.uid,
        name: view.name,
        role: word(&view.role),
        connections: view.connections,
        created_at: time(view.created_at),
        expires_at: some_time(view.expires_at),
        revoked_at: some_time(view.revoked_at),
    }
}

/// A token that was just made.
pub(crate) fn created_api_token(created: CreatedApiToken) -> api::CreatedApiToken {
    let token = created.token.expose_secret().to_owned();
    api::CreatedApiToken { api_token: api_token(created.view), token }
}

/// A line of the audit.
pub(crate) fn audit_entry(view: AuditView) -> api::AuditEntry {
    api::AuditEntry {
        at: time(view.at),
        who: view.who,
        action: view.action,
        target: view.target,
        request_id: Some(view.request_id).filter(|id| !id.is_empty()),
    }
}
