//! Whose a name is: a piece's, or of a connection that was made otherwise and shows pieces of its own. One name means one
//! thing within its kind.

use std::sync::Arc;

use pmks_model::Failure;
use pmks_store::{Connection, PieceKind};

use super::compose::{Known, Lacking};
use super::{Holds, Piece, word};
use crate::Result;
use crate::connections::Specification;
use crate::drivers::read_specification;
use crate::failure::{conflict, of_store};
use crate::inventory::memory::Kept;
use crate::pmks::Shared;

/// What connections that were made otherwise show in the place of pieces.
pub(super) struct Shown<'a> {
    known: &'a Known,
    otherwise: Vec<Arc<Connection>>,
}

impl Shown<'_> {
    /// Whether such a connection shows exactly that: to put it changes nothing. Of a credential its names are shown alone,
    /// and what is put may be another secret.
    pub(super) fn is_so(&self, put: &Piece) -> Result<bool> {
        let kind = put.holds.kind();
        match self.shows(kind, &put.name) {
            Some(connection) if kind != PieceKind::Credential => Ok(own(kind, connection)? == *put),
            _ => Ok(false),
        }
    }

    /// Refuses to put what such a connection shows as its own: no other piece takes its place, which would change nothing of
    /// it. A driver is its provider's and may be put by its file; a row of its name changes the connection itself.
    pub(super) fn refuse_name_of_another(&self, put: &Piece) -> Result<()> {
        let kind = put.holds.kind();
        match self.shows(kind, &put.name) {
            Some(shows) if kind == PieceKind::Driver && shows.provider == put.provider => Ok(()),
            Some(_) if kind != PieceKind::Connection => Err(taken(kind, &put.name)),
            _ => Ok(()),
        }
    }

    /// Refuses a row that names what such a connection shows: no other connection is made of it.
    pub(super) fn refuse_parts_of_another(&self, holds: &Holds) -> Result<()> {
        let Holds::Connection { driver, credential, region } = holds else { return Ok(()) };
        let named =
            [(PieceKind::Driver, driver), (PieceKind::Credential, credential), (PieceKind::Region, region)];
        match named.into_iter().find(|(kind, name)| self.shows(*kind, name).is_some()) {
            None => Ok(()),
            Some((PieceKind::Credential, name)) => Err(told_for_one_place(name)),
            Some((kind, name)) => Err(taken(kind, name)),
        }
    }

    /// The provider of a piece, or of what such a connection shows in its place.
    pub(super) fn provider_of(&self, kind: PieceKind, name: &str) -> std::result::Result<String, Lacking> {
        match self.known.find(kind, name) {
            Ok(piece) => Ok(piece.provider.clone()),
            Err(lacking) => self.shows(kind, name).map(|shows| shows.provider.clone()).ok_or(lacking),
        }
    }

    /// The connection of that provider whose own credential this is; `None`: it is a piece, or there is none. In another
    /// region's place than its own it is not told again.
    ///
    /// # Errors
    /// `Conflict`.
    pub(super) fn whose(
        &self,
        credential: &str,
        provider: &str,
        region: Option<&str>,
    ) -> Result<Option<&str>> {
        let shows = self.shows(PieceKind::Credential, credential).filter(|shows| shows.provider == provider);
        if shows.is_some() && region.is_some_and(|region| region != credential) {
            return Err(told_for_one_place(credential));
        }
        Ok(shows.map(|shows| shows.name.as_str()))
    }

    /// The connection that shows something of that kind and name, where there is no piece.
    fn shows(&self, kind: PieceKind, name: &str) -> Option<&Connection> {
        let shows = self.otherwise.iter().find(|connection| own_name(kind, connection) == name);
        shows.filter(|_| !self.known.has(kind, name)).map(|connection| &**connection)
    }
}

fn taken(kind: PieceKind, name: &str) -> Box<Failure> {
    let says = format!("{} {name:?} is of a connection that was not made of such pieces", word(kind));
    with_fix(says, "take another name, or change that connection by /v1")
}

fn told_for_one_place(credential: &str) -> Box<Failure> {
    let says = format!(
        "credential {credential:?} is the own one of a connection that was made by /v1: its secret was given for that \
         place and its endpoints alone, and nobody here tells it again for another one"
    );
    with_fix(says, "put it anew, the secret with it, under another name, and name that one")
}

fn with_fix(says: String, fix: &str) -> Box<Failure> {
    Box::new((*conflict(says)).with_fix(fix))
}

impl Shared {
    /// What connections show that are not made of these pieces.
    pub(super) async fn shown_otherwise<'a>(&self, known: &'a Known) -> Result<Shown<'a>> {
        self.memory.refresh().await?;
        Ok(Shown { known, otherwise: made_otherwise(&self.memory.kept(), known).map(Arc::clone).collect() })
    }

    /// Refuses a driver that is called like another provider: every connection of that one that is made otherwise shows a
    /// driver of that name.
    pub(super) fn refuse_name_of_provider(&self, put: &Piece) -> Result<()> {
        let is_driver = put.holds.kind() == PieceKind::Driver;
        if is_driver && put.name != put.provider && self.registry.get(&put.name).is_ok() {
            let says = format!("driver {:?} is {0}'s, not {}'s", put.name, put.provider);
            return Err(with_fix(says, "take another name"));
        }
        Ok(())
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
                return Err(with_fix(says, "take another name, or delete that first"));
            }
        }
        Ok(())
    }
}

/// The connections that are not made of these pieces, ordered by uid.
pub(super) fn made_otherwise<'a>(
    kept: &'a Kept,
    known: &'a Known,
) -> impl Iterator<Item = &'a Arc<Connection>> {
    kept.connections().filter(|connection| !known.makes(&connection.name))
}

/// The name of what a connection that was made otherwise shows in the place of a piece.
pub(super) fn own_name(kind: PieceKind, connection: &Connection) -> &str {
    if kind == PieceKind::Driver { &connection.provider } else { &connection.name }
}

/// What a connection that was made otherwise shows in the place of a piece.
pub(super) fn own(kind: PieceKind, connection: &Connection) -> Result<Piece> {
    let (name, provider) = (&connection.name, &connection.provider);
    let holds = match kind {
        PieceKind::Driver => Holds::Driver { file: provider.clone() },
        PieceKind::Credential => {
            let Specification { shown, secrets, .. } = read_specification(connection)?;
            Holds::Credential { fields: shown.into_keys().chain(secrets).collect() }
        }
        PieceKind::Region => {
            let Specification { region, zone, .. } = read_specification(connection)?;
            Holds::Region { region, zone: zone.unwrap_or_default(), zones: None, more: Vec::new() }
        }
        PieceKind::Connection => {
            Holds::Connection { driver: provider.clone(), credential: name.clone(), region: name.clone() }
        }
    };
    Ok(Piece { name: own_name(kind, connection).to_owned(), provider: provider.clone(), holds })
}
