//! What pmks remembers: intents, operations, observations, credentials. SQLite now; PostgreSQL by the same seam.
//!
//! [`Store`] is a trait of whole transactions: what must become true together is one method, and no handle of a
//! transaction leaves it. Times are passed in; nothing here reads a clock. Nothing here knows what an intent, a plan
//! or an observation says: they are JSON of the layer above.

mod access;
mod connection;
mod error;
mod file;
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
    Through, WhenHeld, Wish, made_nothing,
};
pub use piece::{Piece, PieceKind, PutPiece};
pub use resource::{
    BrokenOff, Changes, NewResource, NotRemoved, Observation, Observe, Page, Resource, ResourceFilter,
    ResourceKey, ResourceUpdate, SystemKey, Unfinished,
};
pub use sqlite::{Grouping, SqliteStore};
pub use transactions::{Access, Connections, Operations, Pieces, Resources, Store};
pub use view::{OperationView, Progress, StageView};

use std::sync::Mutex;

use jiff::Timestamp;
use uuid::{ContextV7, Uuid};

/// The name of the stage that every operation begins with: checks, choices and the plan, reading only.
pub const PREFLIGHT: &str = "preflight";

/// Counts identifiers of one millisecond. What a clock that was set back says is not taken for earlier.
static COUNTED: Mutex<ContextV7> = Mutex::new(ContextV7::new());

/// A new identifier, ordered by that time and, within this process, after every earlier one: lists are in the order in
/// which things were asked for, also of what is made at once.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc9562#section-6.2>, «Monotonicity and Counters»
pub fn new_uid(now: Timestamp) -> Uuid {
    let seconds = u64::try_from(now.as_second()).unwrap_or(0);
    let nanoseconds = u32::try_from(now.subsec_nanosecond()).unwrap_or(0);
    Uuid::new_v7(uuid::Timestamp::from_unix(&COUNTED, seconds, nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_in_the_order_in_which_they_are_made() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let back = now - std::time::Duration::from_mins(1);
        let times = std::iter::repeat_n(now, 1000).chain(std::iter::repeat_n(back, 1000));
        let made: Vec<Uuid> = times.map(new_uid).collect();
        assert!(made.is_sorted_by(|one, next| one < next));
        assert!(made.iter().all(|uid| uid.get_version_num() == 7));
    }
}
