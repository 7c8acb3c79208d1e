//! Connections as they are stored: never with their credential, which is sealed in a place of its own.

use jiff::Timestamp;
use uuid::Uuid;
use zeroize::Zeroizing;

/// A connection's record.
#[derive(Clone, Debug, PartialEq)]
pub struct Connection {
    /// Our identifier.
    pub uid: Uuid,
    /// Its name, unique and immutable.
    pub name: String,
    /// The provider.
    pub provider: String,
    /// Everything but the credential: region, zone, endpoints, settings, pace, …; the core's versioned JSON.
    pub specification: serde_json::Value,
    /// The account that the credential was proven to act in; `None`: not proven yet.
    pub account: Option<String>,
    /// Who acts in it, for people.
    pub principal: Option<String>,
    /// Rises with every change of the credential, from 1; 0: none is stored.
    pub credential_revision: i64,
    /// Rises with every change of the record.
    pub revision: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A connection to be made.
#[derive(Clone, Debug)]
pub struct NewConnection {
    /// Our identifier.
    pub uid: Uuid,
    /// Its name.
    pub name: String,
    /// The provider.
    pub provider: String,
    /// Everything but the credential.
    pub specification: serde_json::Value,
    /// The account, if it was proven: `(account, principal)`.
    pub account: Option<(String, String)>,
    /// The credential, serialized; `None` where the cloud's own chain acts.
    pub credential: Option<Credential>,
}

/// What changes of a connection; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct ConnectionUpdate {
    /// Everything but the credential.
    pub specification: Option<serde_json::Value>,
    /// The account that was proven: `(account, principal)`. Another account than the stored one is refused.
    pub account: Option<(String, String)>,
    /// The new credential.
    pub credential: Option<Credential>,
    /// It leads elsewhere from now on: refused while anything is known or going on at the connection.
    pub moves: bool,
}

/// A credential in the clear, on its way in or out. `Debug` shows nothing of it, and its memory is wiped.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential(pub Zeroizing<Vec<u8>>);

impl Credential {
    /// From bytes in the clear.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes in the clear.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential(..)")
    }
}
