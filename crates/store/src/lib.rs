//! What pmks remembers: intents, operations, observations, credentials. SQLite now; PostgreSQL by the same seam.
//!
//! [`Store`] is a trait of whole transactions: what must become true together is one method, and no handle of a
//! transaction leaves it. Times are passed in; nothing here reads a clock. Nothing here knows what an intent, a plan
//! or an observation says: they are JSON of the layer above.

mod access;
mod connection;
mod error;
mod operation;
mod piece;
mod resource;
mod transactions;
mod view;

mod kill_points;

mod master_key;
mod seal;

mod telemetry;

mod sqlite;

pub use access::{ApiToken, AuditEntry, AuditFilter, AuditLine, Event, NewApiToken, Role};
pub use connection::{Connection, ConnectionUpdate, Credential, NewConnection};
pub use error::{DatabaseError, Error, Fault, Result};
pub use kill_points::{KillPoints, NoKillPoints};
pub use master_key::{MasterKey, MasterKeyError};
pub use operation::{
    Accept, Accepted, Begun, Blocked, Claim, Claimed, Decided, End, Fence, Finish, Hold, HoldMode,
    IdempotencyKey, NewOperation, NewStage, Operation, OperationFilter, Stage, StageRecord, Standing,
    WhenHeld, Wish, made_nothing,
};
pub use piece::{Piece, PieceKind, PutPiece};
pub use resource::{
    BrokenOff, Changes, NewResource, NotRemoved, Observation, Observe, Page, Resource, ResourceFilter,
    ResourceKey, ResourceUpdate, SystemKey, Unfinished,
};
pub use sqlite::{Grouping, SqliteStore};
pub use transactions::{Access, Connections, Operations, Pieces, Resources, Store};
pub use view::{OperationView, Progress, StageView};

use jiff::Timestamp;
use uuid::Uuid;

/// The name of the stage that every operation begins with: checks, choices and the plan, reading only.
pub const PREFLIGHT: &str = "preflight";

/// A new identifier, ordered by that time.
pub fn new_uid(now: Timestamp) -> Uuid {
    let seconds = u64::try_from(now.as_second()).unwrap_or(0);
    let nanoseconds = u32::try_from(now.subsec_nanosecond()).unwrap_or(0);
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanoseconds))
}
