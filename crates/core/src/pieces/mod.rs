//! Pieces: what connections may be made of and share – a driver's name, a credential, a place – and which of them make
//! which connection. A piece is put in the place of the one before; connections follow in the same transaction.
//!
//! A connection that was made otherwise shows pieces of its own, named like it, and its driver like its provider.

mod compose;
mod unconnected;

use pmks_driver::{Capabilities, Credential};
use pmks_model::{Failure, FailureKind};
use pmks_store::{Connection, OperationFilter, Page, PieceKind, PutPiece, ResourceFilter};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::connections::{sealed, update_of_pieces};
use crate::drafts::unmade;
use crate::failure::{conflict, of_store, stale, unexpected, unknown};
use crate::pmks::Shared;
use crate::records::stored;
use crate::{Caller, ConnectionScope, ConnectionView, Pmks, Result, Role};

use compose::{Known, Lacking};
pub use unconnected::Unconnected;

/// How often a piece is put once more that met another one.
const MOST_PUT_AGAIN: u32 = 20;

/// Pieces.
#[derive(Clone, Copy, Debug)]
pub struct Pieces<'a>(pub(crate) &'a Pmks);

/// A piece, without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its name, one within its kind.
    pub name: String,
    /// Its provider; one that is not known here is kept, and makes no connection.
    pub provider: String,
    /// What it says.
    pub holds: Holds,
}

/// What a piece says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "camelCase")]
pub enum Holds {
    /// A name for a provider's driver.
    Driver {
        /// A file that whoever put it calls it by.
        file: String,
    },
    /// Who acts: the names of the credential's fields, as they were given.
    Credential {
        /// Those names.
        fields: Vec<String>,
    },
    /// Where.
    Region {
        /// The region.
        region: String,
        /// The zone; empty: none.
        zone: String,
        /// The zones to choose from; `None`: nobody said.
        zones: Option<Vec<String>>,
        /// Whatever else is said of it, in its order: settings of the provider by their names, `endpoints.SERVICE`,
        /// `caCertificate`, `pace`. What is none of these is kept and means nothing.
        more: Vec<(String, String)>,
    },
    /// What makes a connection of that name.
    Connection {
        /// Its driver.
        driver: String,
        /// Its credential.
        credential: String,
        /// Its region.
        region: String,
    },
}

impl Holds {
    /// The kind of a piece that says so.
    pub fn kind(&self) -> PieceKind {
        match self {
            Self::Driver { .. } => PieceKind::Driver,
            Self::Credential { .. } => PieceKind::Credential,
            Self::Region { .. } => PieceKind::Region,
            Self::Connection { .. } => PieceKind::Connection,
        }
    }
}

impl Pieces<'_> {
    /// Puts a piece, in the place of any of its kind and name. Connections of which all pieces are there by now are
    /// made; those that stand follow.
    ///
    /// # Errors
    /// `NotAllowed`; of a connection that would be made or changed what [`crate::Connections::create`] and
    /// [`crate::Connections::update`] answer: nothing is put then.
    pub async fn put(self, caller: &Caller, piece: Piece, credential: Option<Credential>) -> Result<()> {
        let mut more = MOST_PUT_AGAIN;
        loop {
            match self.put_once(caller, piece.clone(), credential.clone()).await {
                // Somebody else made or changed one of the connections meanwhile: what is put last holds.
                Err(failure)
                    if more > 0
                        && matches!(failure.kind, FailureKind::AlreadyExists | FailureKind::Stale) =>
                {
                    more -= 1;
                }
                ended => return ended,
            }
        }
    }

    async fn put_once(self, caller: &Caller, piece: Piece, credential: Option<Credential>) -> Result<()> {
        let shared = &self.0.shared;
        everywhere(caller)?;
        // What repeats it changes nothing: no key is needed, and none is refused.
        let caller = &Caller { idempotency: None, ..caller.clone() };
        let mut known = Known::read(shared).await?;
        if shared.has_its_own(&known, &piece).await? {
            return Ok(());
        }
        known.put(piece.clone(), credential.clone());
        let (mut made, mut changed, mut read) = (Vec::new(), Vec::new(), Vec::new());
        for name in known.connections_of(piece.holds.kind(), &piece.name) {
            let stands = shared.store.connection(&name).await.map_err(of_store)?;
            read.push((name.clone(), stands.as_ref().map(|stands| (stands.uid, stands.revision))));
            match (known.connection(shared, &name).await, stands) {
                (Ok(asked), None) => {
                    let specification = shared.asked_for(caller, &asked).await?;
                    made.push(pmks_store::NewConnection {
                        uid: pmks_store::new_uid(shared.clock.wall()),
                        name: asked.name.clone(),
                        provider: asked.provider.clone(),
                        specification: stored(&specification)?,
                        account: None,
                        credential: sealed(&asked.credential)?,
                    });
                }
                (Ok(asked), Some(stands)) => {
                    let update = update_of_pieces(shared, caller, &stands, asked).await;
                    let update = shared.unless_gone(&stands, update).await?;
                    changed.extend(update.map(|update| (name, stands.revision, update)));
                }
                (Err(Lacking::Piece(_)), None) => {}
                (Err(Lacking::Piece(failure)), Some(_)) => {
                    return Err(conflict(format!("connection {name:?} stands, and {}", failure.detail)));
                }
                (Err(Lacking::Failed(failure)), _) => return Err(failure),
            }
        }
        let (kind, kept) = (word(piece.holds.kind()), piece.clone());
        let audit = shared.audit(caller, &format!("{kind}.put"), format!("{kind} {}", piece.name));
        let put = PutPiece {
            kind: piece.holds.kind(),
            content: stored(&piece.holds)?,
            name: piece.name,
            provider: piece.provider,
            credential: credential.as_ref().map(sealed).transpose()?.flatten(),
            made,
            changed,
        };
        let _alone = shared.pieces.lock().await;
        shared.as_read(&known, kept, &read).await?;
        shared.store.put_piece(put, audit).await.map_err(of_store)
    }

    /// All of a kind, oldest first, and those of connections that were made otherwise.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn list(self, kind: PieceKind) -> Result<Vec<Piece>> {
        let shared = &self.0.shared;
        let known = Known::read(shared).await?;
        let mut all = known.all(kind);
        for view in shared.connection_views().await? {
            if known.makes(&view.name) {
                continue;
            }
            let own = own(kind, &view);
            if all.iter().all(|piece| piece.name != own.name) {
                all.push(own);
            }
        }
        Ok(all)
    }

    /// One of them.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn get(self, kind: PieceKind, name: &str) -> Result<Piece> {
        let is_it = |piece: &Piece| piece.name == name;
        if let Some(piece) = Known::read(&self.0.shared).await?.all(kind).into_iter().find(is_it) {
            return Ok(piece);
        }
        self.list(kind).await?.into_iter().find(is_it).ok_or_else(|| unknown(word(kind), name))
    }

    /// Removes one. The row of a connection goes with the connection. One that is not there is none the less gone.
    ///
    /// # Errors
    /// `Conflict` while a connection is made of it, or is needed; `NotAllowed`.
    pub async fn delete(self, caller: &Caller, kind: PieceKind, name: &str) -> Result<()> {
        let shared = &self.0.shared;
        everywhere(caller)?;
        let caller = &Caller { idempotency: None, ..caller.clone() };
        // Who puts one meanwhile finds it as it was before, or as it is after.
        let _alone = shared.pieces.lock().await;
        if kind == PieceKind::Connection {
            shared.forget_unmade(caller, name).await?;
            match shared.delete_connection(caller, name).await {
                Err(failure) if failure.kind == FailureKind::NotFound => {}
                ended => ended?,
            }
        } else {
            let known = Known::read(shared).await?;
            let mut used = known.connections_of(kind, name);
            if used.is_empty() && (kind == PieceKind::Driver || !known.has(kind, name)) {
                let views = shared.connection_views().await?;
                let owners =
                    views.iter().filter(|view| !known.makes(&view.name) && own(kind, view).name == name);
                used.extend(owners.map(|view| view.name.clone()));
            }
            if !used.is_empty() {
                let failure =
                    conflict(format!("{} {name:?} is used by connection {}", word(kind), used.join(", ")));
                return Err(Box::new(failure.with_fix("delete that first")));
            }
        }
        let audit = shared.audit(caller, &format!("{}.delete", word(kind)), format!("{} {name}", word(kind)));
        shared.store.delete_piece(kind, name, audit).await.map_err(of_store)
    }

    /// What the driver of a connection can do, also where its row is there and no connection is made of it; `None`: it is a
    /// provider's that is not known here.
    ///
    /// # Errors
    /// `NotFound`: there is neither.
    pub async fn capabilities(self, connection: &str) -> Result<Option<&'static Capabilities>> {
        let provider = match self.0.connections().get(connection).await {
            Ok(view) => view.provider,
            Err(failure) if failure.kind == FailureKind::NotFound => {
                let known = Known::read(&self.0.shared).await?;
                known.provider_of(connection).ok_or(failure)?.to_owned()
            }
            Err(failure) => return Err(failure),
        };
        Ok(self.0.provider(&provider).ok())
    }

    /// Why there is no connection of that name although its row is there: `NotFound` of a piece, `Unsupported` of the
    /// provider; `None`: there is no row, or there is one.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn lacking(self, name: &str) -> Result<Option<Failure>> {
        let known = Known::read(&self.0.shared).await?;
        if !known.makes(name) {
            return Ok(None);
        }
        match known.connection(&self.0.shared, name).await {
            Err(Lacking::Piece(failure)) => Ok(Some(*failure)),
            Err(Lacking::Failed(failure)) => Err(failure),
            Ok(_) => Ok(None),
        }
    }
}

/// A connection as it was read: its name, and its uid and revision where it stood.
type AsRead = (String, Option<(Uuid, i64)>);

impl Shared {
    /// Refuses what was made ready for pieces and connections that are others by now.
    async fn as_read(&self, known: &Known, put: Piece, read: &[AsRead]) -> Result<()> {
        let mut now = Known::read(self).await?;
        let (kind, name) = (put.holds.kind(), put.name.clone());
        now.put(put, None);
        let mut same = now.connections_of(kind, &name).len() == read.len();
        for (connection, stood) in read {
            let stands = self.store.connection(connection).await.map_err(of_store)?;
            same &= *stood == stands.map(|stands| (stands.uid, stands.revision));
            same &= now.made_of(connection) == known.made_of(connection);
        }
        if same { Ok(()) } else { Err(stale(word(kind), &name)) }
    }

    /// Drops the records of what was never made at a connection: who deletes its row is shown none of them.
    async fn forget_unmade(&self, caller: &Caller, connection: &str) -> Result<()> {
        let here = ResourceFilter { connection: Some(connection.to_owned()), ..ResourceFilter::default() };
        let all = self.store.resources(&here, Page::all()).await.map_err(of_store)?;
        let unmade = unmade(self.store.as_ref(), &all, all.iter()).await?;
        for record in all.iter().filter(|record| unmade.contains(&record.uid) && record.parent.is_none()) {
            let about = OperationFilter { resource_uid: Some(record.uid), ..OperationFilter::default() };
            let about = self.store.operations(&about, Page::all()).await.map_err(of_store)?;
            // What it left at the cloud is in its record alone.
            if about.iter().any(|operation| !operation.remains.is_empty()) {
                continue;
            }
            let target = format!("{} {}", record.kind.says(), record.name);
            let audit = self.audit(caller, &format!("{}.forget", record.kind.as_str()), target);
            match self.store.forget(record.uid, false, audit).await {
                Err(pmks_store::Error::NotFound { .. }) | Ok(()) => {}
                Err(error) => return Err(of_store(error)),
            }
        }
        Ok(())
    }

    /// What went wrong while a connection was read that is gone by now means nothing.
    async fn unless_gone<T>(&self, connection: &Connection, read: Result<T>) -> Result<T> {
        let Err(failure) = read else { return read };
        let now = self.store.connection(&connection.name).await.map_err(of_store)?;
        let stands = now.is_some_and(|now| now.uid == connection.uid);
        Err(if stands { failure } else { stale("connection", &connection.name) })
    }

    /// Whether a connection that was made otherwise shows exactly that. What it shows is its own: no other piece takes its
    /// place, which would change nothing of it, and no other connection is made of it.
    async fn has_its_own(&self, known: &Known, put: &Piece) -> Result<bool> {
        let views = self.connection_views().await?;
        let of = |kind, name: &str| {
            let otherwise = views.iter().filter(|view| !known.makes(&view.name) && !known.has(kind, name));
            otherwise.map(|view| own(kind, view)).find(|own| own.name == name)
        };
        let taken = |kind, name: &str| {
            let says = format!("{} {name:?} is of a connection that was not made of such pieces", word(kind));
            Err(Box::new((*conflict(says)).with_fix("take another name, or change that connection by /v1")))
        };
        let own_alone = |name: &str| {
            let says = format!(
                "credential {name:?} is the own one of a connection that was made by /v1: its secret was given for that place \
                 and its endpoints alone, and nobody here tells it again for another one"
            );
            let fix = "put it anew, the secret with it, under another name, and name that one";
            Err(Box::new((*conflict(says)).with_fix(fix)))
        };
        let kind = put.holds.kind();
        // Every connection of a provider that is made otherwise shows a driver of that name.
        if kind == PieceKind::Driver && put.name != put.provider && self.registry.get(&put.name).is_ok() {
            let says = format!("driver {:?} is {0}'s, not {}'s", put.name, put.provider);
            return Err(Box::new((*conflict(says)).with_fix("take another name")));
        }
        match of(kind, &put.name) {
            Some(own) if own == *put && kind != PieceKind::Credential => return Ok(true),
            Some(own) if kind == PieceKind::Driver && own.provider == put.provider => {}
            Some(_) if kind != PieceKind::Connection => return taken(kind, &put.name),
            _ => {}
        }
        if let Holds::Connection { driver, credential, region } = &put.holds {
            let named = [
                (PieceKind::Driver, driver),
                (PieceKind::Credential, credential),
                (PieceKind::Region, region),
            ];
            for (kind, name) in named {
                if of(kind, name).is_some() {
                    return if kind == PieceKind::Credential { own_alone(name) } else { taken(kind, name) };
                }
            }
        }
        Ok(false)
    }

    /// Refuses a connection that is not made of pieces, and would show a credential and a region of names that pieces
    /// have: one name would mean two things. One that stands is for the store to refuse.
    pub(crate) async fn refuse_names_of_pieces(&self, connection: &str) -> Result<()> {
        if self.store.connection(connection).await.map_err(of_store)?.is_some() {
            return Ok(());
        }
        let known = Known::read(self).await?;
        for kind in [PieceKind::Connection, PieceKind::Credential, PieceKind::Region] {
            if known.has(kind, connection) {
                let says = format!("{} {connection:?} stands, by another interface", word(kind));
                return Err(Box::new((*conflict(says)).with_fix("take another name, or delete that first")));
            }
        }
        Ok(())
    }

    async fn connection_views(&self) -> Result<Vec<ConnectionView>> {
        self.memory.refresh().await?;
        let kept = self.memory.kept();
        kept.connections().map(|connection| crate::connections::view((**connection).clone())).collect()
    }
}

/// Pieces belong to no one connection.
fn everywhere(caller: &Caller) -> Result<()> {
    if caller.role == Role::Operator && caller.connections != ConnectionScope::All {
        return caller.require_admin("what connections share");
    }
    caller.require_operator("")
}

/// What a connection that was made otherwise shows in the place of a piece.
fn own(kind: PieceKind, view: &ConnectionView) -> Piece {
    let holds = match kind {
        PieceKind::Driver => Holds::Driver { file: view.provider.clone() },
        PieceKind::Credential => {
            let shown = view.credential.keys().filter(|name| *name != "ambient");
            Holds::Credential { fields: shown.chain(&view.secrets).cloned().collect() }
        }
        PieceKind::Region => Holds::Region {
            region: view.region.clone(),
            zone: view.zone.clone().unwrap_or_default(),
            zones: None,
            more: Vec::new(),
        },
        PieceKind::Connection => Holds::Connection {
            driver: view.provider.clone(),
            credential: view.name.clone(),
            region: view.name.clone(),
        },
    };
    let name = if kind == PieceKind::Driver { &view.provider } else { &view.name };
    Piece { name: name.clone(), provider: view.provider.clone(), holds }
}

fn read(piece: pmks_store::Piece) -> Result<Piece> {
    let holds = serde_json::from_value(piece.content).map_err(|error| {
        unexpected(format!("{} {:?} cannot be read: {error}", word(piece.kind), piece.name))
    })?;
    Ok(Piece { name: piece.name, provider: piece.provider, holds })
}

fn word(kind: PieceKind) -> &'static str {
    match kind {
        PieceKind::Driver => "driver",
        PieceKind::Credential => "credential",
        PieceKind::Region => "region",
        PieceKind::Connection => "connection",
    }
}
