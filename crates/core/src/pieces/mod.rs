//! Pieces: what connections may be made of and share – a driver's name, a credential, a place – and which of them make
//! which connection. A piece is put in the place of the one before; connections follow in the same transaction.
//!
//! A connection that was made otherwise shows pieces of its own, named like it, and its driver like its provider.

mod compose;
mod names;
mod plan_import;
mod put;
mod unconnected;

use std::collections::BTreeSet;

use pmks_driver::Capabilities;
use pmks_model::{Failure, FailureKind};
use pmks_store::{OperationFilter, Page, PieceKind, Resource, ResourceFilter};
use serde::{Deserialize, Serialize};

use crate::drafts::unmade;
use crate::failure::{conflict, of_store, unexpected, unknown};
use crate::pmks::Shared;
use crate::{Caller, ConnectionScope, Pmks, Result};

pub(crate) use compose::Known;
use compose::Lacking;
use names::{made_otherwise, own, own_name};
pub use plan_import::{Import, ImportPlan};
pub use unconnected::Unconnected;

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
    /// All of a kind, oldest first, and those of connections that were made otherwise.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn list(self, kind: PieceKind) -> Result<Vec<Piece>> {
        let shared = &self.0.shared;
        shared.memory.refresh().await?;
        let kept = shared.memory.kept();
        let known = kept.pieces();
        let mut all = known.all(kind);
        let mut shown = BTreeSet::new();
        for connection in made_otherwise(&kept, known) {
            let name = own_name(kind, connection);
            if !known.has(kind, name) && shown.insert(name) {
                all.push(own(kind, connection)?);
            }
        }
        Ok(all)
    }

    /// One of them.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn get(self, kind: PieceKind, name: &str) -> Result<Piece> {
        let shared = &self.0.shared;
        shared.memory.refresh().await?;
        let kept = shared.memory.kept();
        let known = kept.pieces();
        if let Some(piece) = known.get(kind, name) {
            return Ok(piece.clone());
        }
        let shows = match kind {
            PieceKind::Driver => made_otherwise(&kept, known).find(|of| own_name(kind, of) == name),
            _ => kept.connection(name).filter(|_| !known.makes(name)),
        };
        own(kind, shows.ok_or_else(|| unknown(word(kind), name))?)
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
            // Who deletes its row is shown none of what was never made there.
            let unmade = shared.unmade_at(name).await?;
            match shared.delete_connection(caller, name, &unmade).await {
                Err(failure) if failure.kind == FailureKind::NotFound => {}
                ended => ended?,
            }
        } else {
            let known = Known::read(shared).await?;
            let mut used = known.connections_of(kind, name);
            if used.is_empty() && (kind == PieceKind::Driver || !known.has(kind, name)) {
                let kept = shared.memory.kept();
                let owners = made_otherwise(&kept, &known).filter(|of| own_name(kind, of) == name);
                used.extend(owners.map(|connection| connection.name.clone()));
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

impl Shared {
    /// The records at a connection of what was never made, and left nothing.
    async fn unmade_at(&self, connection: &str) -> Result<Vec<Resource>> {
        let here = ResourceFilter { connection: Some(connection.to_owned()), ..ResourceFilter::default() };
        let mut all = self.store.resources(&here, Page::all()).await.map_err(of_store)?;
        let unmade = unmade(self.store.as_ref(), &all, all.iter()).await?;
        all.retain(|record| unmade.contains(&record.uid) && record.parent.is_none());
        let mut found = Vec::new();
        for record in all {
            let about = OperationFilter { resource_uid: Some(record.uid), ..OperationFilter::default() };
            let about = self.store.operations(&about, Page::all()).await.map_err(of_store)?;
            // What it left at the cloud is in its record alone.
            if about.iter().all(|operation| operation.remains.is_empty()) {
                found.push(record);
            }
        }
        Ok(found)
    }
}

/// Pieces belong to no one connection.
fn everywhere(caller: &Caller) -> Result<()> {
    // Whoever is bound to some of them is helped by no role below that.
    if caller.connections != ConnectionScope::All {
        return caller.require_admin("what connections share");
    }
    caller.require_operator("")
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
