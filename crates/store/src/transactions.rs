//! The trait of whole transactions. What stands together in one method becomes true together or not at all.

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::watch;
use uuid::Uuid;

use crate::{
    Accept, Accepted, ApiToken, AuditEntry, AuditFilter, AuditLine, Begun, Blocked, Changes, Claim, Claimed,
    Connection, ConnectionUpdate, Credential, Event, Fence, Finish, Hold, IdempotencyKey, MasterKey,
    NewApiToken, NewConnection, NewResource, Observe, Operation, OperationFilter, Page, PieceKind, PutPiece,
    Resource, ResourceFilter, ResourceKey, ResourceUpdate, Result, StageRecord, Standing, SystemKey, Wish,
};

/// Everything that pmks remembers.
///
/// Every transaction passes the kill points `store.<method>.before`, `.within` and `.after`.
///
/// # Errors
/// Each method answers the [`crate::Error`] that it names; `Database` and `Damaged` may come from any.
pub trait Store: Connections + Pieces + Resources + Operations + Access {}

impl<T: Connections + Pieces + Resources + Operations + Access> Store for T {}

/// Connections and their credentials.
#[async_trait]
pub trait Connections: Send + Sync {
    /// This installation's mark, made once.
    fn installation(&self) -> Uuid;

    /// Makes a connection. `AlreadyExists` if the name is taken.
    async fn create_connection(&self, connection: NewConnection, audit: AuditEntry) -> Result<Connection>;

    /// The connection of that name.
    async fn connection(&self, name: &str) -> Result<Option<Connection>>;

    /// Connections ordered by uid.
    async fn connections(&self, page: Page) -> Result<Vec<Connection>>;

    /// Changes a connection. `NotFound`; `Stale` if a revision is given and it is another; `Conflict` if the proven
    /// account is another than the stored one.
    async fn update_connection(
        &self,
        name: &str,
        revision: Option<i64>,
        update: ConnectionUpdate,
        audit: AuditEntry,
    ) -> Result<Connection>;

    /// Removes a connection with its credential and, in the same transaction, these records there, of what was never
    /// made; one that is gone by then is passed over. `NotFound`; `Conflict` while other resources are known there; `Held`
    /// while operations there are not over.
    async fn delete_connection(
        &self,
        name: &str,
        unmade: Vec<(Uuid, AuditEntry)>,
        audit: AuditEntry,
    ) -> Result<()>;

    /// The credential of a connection with its revision; `None` if none is stored. `Damaged` if it cannot be opened.
    async fn credential(&self, name: &str) -> Result<Option<(i64, Credential)>>;

    /// Wraps every data key anew. After this the store opens with the new key only.
    async fn rotate(&self, new: MasterKey, audit: AuditEntry) -> Result<()>;
}

/// What connections are made of.
#[async_trait]
pub trait Pieces: Send + Sync {
    /// The secrets of the credential of that name; `None` if there are none. `Damaged` if they cannot be opened.
    async fn piece_credential(&self, name: &str) -> Result<Option<Credential>>;

    /// Puts a piece in the place of any of its kind and name, and makes and changes connections with it. `Stale` if one
    /// of these was changed since it was read; what [`Connections::create_connection`] and
    /// [`Connections::update_connection`] answer.
    async fn put_piece(&self, put: PutPiece, audit: AuditEntry) -> Result<()>;

    /// Removes a piece; one that is not there is none the less gone.
    async fn delete_piece(&self, kind: PieceKind, name: &str, audit: AuditEntry) -> Result<()>;
}

/// Records of resources and what clouds said of them.
#[async_trait]
pub trait Resources: Send + Sync {
    /// Makes records of what exists already, all or none. `AlreadyExists` if a name or a cloud's identifier is known.
    async fn insert_resources(&self, resources: Vec<NewResource>, audit: AuditEntry) -> Result<()>;

    /// The record of that uid.
    async fn resource(&self, uid: Uuid) -> Result<Option<Resource>>;

    /// The record of that name.
    async fn find_resource(&self, key: &ResourceKey) -> Result<Option<Resource>>;

    /// The record of that cloud's identifier.
    async fn find_system_id(&self, key: &SystemKey) -> Result<Option<Resource>>;

    /// Records ordered by uid.
    async fn resources(&self, filter: &ResourceFilter, page: Page) -> Result<Vec<Resource>>;

    /// Keeps observations, each unless its read began before the last operation there ended, or before the read that
    /// is stored. It also ends `missing_since`. Answers how many were kept; unknown uids are passed over.
    async fn observe(&self, observations: Vec<Observe>) -> Result<usize>;

    /// Changes what the user decides of a record. `NotFound`; `Stale` if a revision is given and it is another.
    async fn update_resource(
        &self,
        uid: Uuid,
        revision: Option<i64>,
        update: ResourceUpdate,
        audit: AuditEntry,
    ) -> Result<Resource>;

    /// Notes since when records are missing, or (`None`) that they are there.
    async fn mark_missing(&self, uids: &[Uuid], since: Option<Timestamp>) -> Result<()>;

    /// What changed after that version, in pieces, and the version that this brings its reader to. `None`, or a
    /// version that is too old: [`Changes::whole`].
    async fn changes_since(&self, version: Option<i64>) -> Result<Changes>;

    /// A number that differs after every commit that changed a connection, a piece, a record, an API token, or which
    /// operations are not over. It differs before the change is answered here; of another server's it is a hint that may
    /// come late.
    fn changes(&self) -> watch::Receiver<i64>;

    /// Drops our record and those of its parts; touches no cloud. `NotFound`; `Held` while an operation there is not
    /// over, unless `abandon`, which ends those operations as cancelled.
    async fn forget(&self, uid: Uuid, abandon: bool, audit: AuditEntry) -> Result<()>;
}

/// Operations, from acceptance to end.
#[async_trait]
pub trait Operations: Send + Sync {
    /// Stores an intent with its operation, records, holds, idempotency key and audit line. A new record takes the
    /// place of one whose creation made nothing ([`made_nothing`](crate::made_nothing)).
    ///
    /// `AlreadyExists`; `Held` where a hold refuses to wait; `Conflict` where the connection leads elsewhere by now;
    /// `KeyReused`.
    async fn accept(&self, accept: Accept) -> Result<Accepted>;

    /// The operations, oldest first, that are not over and that one with these holds would have to wait for.
    async fn holders(&self, holds: &[Hold]) -> Result<Vec<Uuid>>;

    /// The operation that the same request made before; `None` if there was none. `KeyReused`.
    ///
    /// A request is looked up before it is checked: what it asked for may be done, and would be refused now.
    async fn repeated(&self, key: &IdempotencyKey) -> Result<Option<Operation>>;

    /// Operations that are due and whose turn it is, fenced against everybody else.
    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>>;

    /// When the next operation whose turn it is is due, or its claim ends; in the past if one is due now.
    async fn next_due(&self, only: Option<Uuid>) -> Result<Option<Timestamp>>;

    /// The first write of an attempt: it runs, and its preflight has begun. `Fenced`.
    async fn start(&self, fence: Fence, preflight: StageRecord, now: Timestamp) -> Result<Operation>;

    /// Stores the plan with the end of the preflight, in the place of that of an attempt before. `Fenced`; `Conflict` if
    /// the preflight of this attempt has ended already.
    async fn begin(
        &self,
        fence: Fence,
        begun: Begun,
        preflight: StageRecord,
        now: Timestamp,
    ) -> Result<Operation>;

    /// Writes a stage, and the cloud's identifier into the record it belongs to; keeps the claim until `lease`.
    /// `Fenced`.
    async fn record(
        &self,
        fence: Fence,
        stage: &str,
        record: StageRecord,
        subject: Option<Uuid>,
        lease: Timestamp,
        now: Timestamp,
    ) -> Result<()>;

    /// Gives the claim back; the operation is due again at `next_run_at`, or at once if somebody woke it meanwhile.
    /// `Fenced`.
    async fn release(&self, fence: Fence, next_run_at: Timestamp, now: Timestamp) -> Result<()>;

    /// The operation cannot go on without the user. Gives the claim back. `Fenced`.
    async fn block(&self, fence: Fence, blocked: Blocked, now: Timestamp) -> Result<Operation>;

    /// Ends an operation: state, records and holds in one; what waited behind a creation that did not succeed is
    /// cancelled. `Fenced`.
    async fn finish(&self, fence: Fence, finish: Finish) -> Result<Operation>;

    /// Cancels what is queued; asks what runs or is blocked to stop. `NotFound`; `Conflict` if it is over.
    /// `KeyReused`.
    async fn cancel(&self, wish: Wish) -> Result<Operation>;

    /// Resumes what is blocked; queues what failed for its next attempt, its failed stages reset. `NotFound`;
    /// `Conflict` if it is neither, or not the newest operation of its record; `Held` as at [`Self::accept`];
    /// `KeyReused`.
    ///
    /// A `choice` is one of the candidates that a blocked operation names: the stage that waits takes it, and passes
    /// over the others from then on. `Conflict` if there is no such candidate.
    async fn retry(&self, wish: Wish, choice: Option<&str>) -> Result<Operation>;

    /// One operation.
    async fn operation(&self, id: Uuid) -> Result<Option<Operation>>;

    /// Operations ordered by id.
    async fn operations(&self, filter: &OperationFilter, page: Page) -> Result<Vec<Operation>>;

    /// How many operations are not over, by kind and state.
    async fn standing(&self) -> Result<Vec<Standing>>;
}

/// Events, audit, tokens, and what is dropped by age.
#[async_trait]
pub trait Access: Send + Sync {
    /// Events after that sequence number, oldest first; of one operation or of all.
    async fn events_after(&self, sequence: i64, operation: Option<Uuid>, limit: u32) -> Result<Vec<Event>>;

    /// The newest event's sequence number, and every later one as it is stored. A hint: read
    /// [`Self::events_after`] for the truth.
    fn events(&self) -> watch::Receiver<i64>;

    /// Writes a line that belongs to no other transaction.
    async fn audit(&self, entry: AuditEntry) -> Result<()>;

    /// The audit log, newest first.
    async fn audit_log(&self, filter: &AuditFilter, limit: u32) -> Result<Vec<AuditLine>>;

    /// Makes an API token's record. `AlreadyExists` if the name is taken.
    async fn create_api_token(&self, token: NewApiToken, audit: AuditEntry) -> Result<ApiToken>;

    /// All tokens, revoked ones too, ordered by uid.
    async fn api_tokens(&self) -> Result<Vec<ApiToken>>;

    /// Revokes a token, by name or uid. `NotFound`.
    async fn revoke_api_token(&self, name: &str, audit: AuditEntry) -> Result<()>;

    /// Drops events older than `events_before` and idempotency keys older than `keys_before`.
    async fn prune(&self, events_before: Timestamp, keys_before: Timestamp) -> Result<()>;

    /// Whether something can be kept now: writes as much as an operation takes, to the disk.
    async fn probe(&self) -> Result<()>;

    /// Whether the store answers.
    async fn ping(&self) -> Result<()>;
}
