//! What connections may be made of and share: a driver's name, a credential, a place; and which of them make which
//! connection.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{ConnectionUpdate, Credential, NewConnection};

/// The kinds of pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PieceKind {
    /// A name for a provider's driver.
    Driver,
    /// Who acts.
    Credential,
    /// Where.
    Region,
    /// Which of the others make a connection of that name.
    Connection,
}

/// A piece, without its secrets.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// Its kind.
    pub kind: PieceKind,
    /// Its name, one within its kind.
    pub name: String,
    /// Its provider.
    pub provider: String,
    /// What it says.
    pub content: Value,
    /// Counts how often it was put.
    pub revision: i64,
    /// When it was first put.
    pub created_at: Timestamp,
}

/// A piece that is put in the place of any of its kind and name, with the connections that become so or otherwise.
#[derive(Debug)]
pub struct PutPiece {
    /// Its kind.
    pub kind: PieceKind,
    /// Its name.
    pub name: String,
    /// Its provider.
    pub provider: String,
    /// What it says.
    pub content: Value,
    /// Its secrets.
    pub credential: Option<Credential>,
    /// The connections that it completes.
    pub made: Vec<NewConnection>,
    /// The connections that it changes: name, the revision that was read, and the change.
    pub changed: Vec<(String, i64, ConnectionUpdate)>,
}
