//! Who asks, what they may, and under which idempotency key. Knows no token and no password.

use std::collections::BTreeSet;

use pmks_model::{Failure, FailureKind};
use pmks_store::Role;

use crate::Result;
use crate::failure::invalid;

/// Which connections a caller may mutate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionScope {
    /// Every connection.
    All,
    /// These alone.
    Named(BTreeSet<String>),
}

/// An idempotency key with all that it is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// The caller's key.
    pub key: String,
    /// The HTTP method, or what stands for it at another surface.
    pub method: String,
    /// The path.
    pub path: String,
    /// A hash of the body; the body itself is never stored.
    pub body_hash: String,
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Caller {
    /// A name for the audit and for `requestedBy`.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Where they may do it.
    pub connections: ConnectionScope,
    /// The idempotency key of this request, if it came with one.
    pub idempotency: Option<Idempotency>,
    /// The request's id, for the audit.
    pub request_id: Option<String>,
    /// The request's place in a trace, as `traceparent`: what it asks for goes on in it.
    pub traceparent: Option<String>,
}

impl Caller {
    /// The user of the machine itself: everything is allowed.
    pub fn local(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            role: Role::Admin,
            connections: ConnectionScope::All,
            idempotency: None,
            request_id: None,
            traceparent: None,
        }
    }

    /// Refuses an idempotency key where no operation is accepted that it could stand for.
    ///
    /// # Errors
    /// `InvalidRequest`.
    pub(crate) fn refuse_key(&self) -> Result<()> {
        match &self.idempotency {
            None => Ok(()),
            Some(_) => Err(invalid(
                "Idempotency-Key",
                "is kept for what an operation carries out; this is done at once: leave the key out, a repetition is \
                 refused or changes nothing",
            )),
        }
    }

    /// Refuses whoever is not an administrator.
    ///
    /// # Errors
    /// `NotAllowed`.
    pub fn require_admin(&self, what: &str) -> Result<()> {
        if self.role == Role::Admin {
            return Ok(());
        }
        Err(refusal(format!("{what} needs the role admin; {} has {}", self.name, word(self.role))))
    }

    /// Refuses whoever may not mutate things of this connection, nor fetch its clusters' credentials.
    ///
    /// # Errors
    /// `NotAllowed`.
    pub fn require_operator(&self, connection: &str) -> Result<()> {
        let inside = match &self.connections {
            ConnectionScope::All => true,
            ConnectionScope::Named(names) => names.contains(connection),
        };
        match self.role {
            Role::Admin => Ok(()),
            Role::Operator if inside => Ok(()),
            Role::Operator => Err(refusal(format!("{} may not act on connection {connection:?}", self.name))),
            Role::Viewer => Err(refusal(format!("this needs the role operator; {} has viewer", self.name))),
        }
    }
}

fn refusal(detail: String) -> Box<Failure> {
    Box::new(Failure::new(FailureKind::NotAllowed, detail))
}

/// The role's word as in JSON.
pub(crate) fn word(role: Role) -> &'static str {
    match role {
        Role::Viewer => "viewer",
        Role::Operator => "operator",
        Role::Admin => "admin",
    }
}
