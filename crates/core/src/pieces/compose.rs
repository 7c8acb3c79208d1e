//! A connection of its pieces.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use pmks_driver::{Capabilities, Credential, OptionKind};
use pmks_model::{Failure, FailureKind, Findings};
use pmks_store::PieceKind;
use serde_json::Value;

use super::{Holds, Piece, Unconnected, read, word};
use crate::connections::Specification;
use crate::failure::{of_store, unexpected};
use crate::pmks::Shared;
use crate::{NewConnection, Result};

/// Every piece, and the secrets of those that are about to be put.
#[derive(Clone, Default)]
pub(crate) struct Known {
    /// Oldest first.
    pieces: Vec<Piece>,
    /// Where each of them is there, by its name.
    places: HashMap<PieceKind, HashMap<String, usize>>,
    /// How often each of them was put, in the same order.
    revisions: Vec<i64>,
    put: Vec<(String, Option<Credential>)>,
}

/// The name of a connection that is none; nobody is told it.
const UNCONNECTED: &str = "unconnected";

/// Why pieces make no connection.
pub(super) enum Lacking {
    /// One of them is not there, or is another provider's.
    Piece(Box<Failure>),
    Failed(Box<Failure>),
}

impl Lacking {
    /// The same to whoever asks for what they would make.
    pub(super) fn into_failure(self) -> Box<Failure> {
        match self {
            Self::Piece(failure) | Self::Failed(failure) => failure,
        }
    }

    fn piece(says: String) -> Self {
        Self::Piece(Box::new(Failure::new(FailureKind::NotFound, says)))
    }
}

impl Known {
    /// These, as the store has them. One that cannot be read is as if it was not there: whoever puts it anew mends that.
    pub(crate) fn of(all: Vec<pmks_store::Piece>) -> Self {
        let mut known = Self::default();
        for piece in all {
            let revision = piece.revision;
            match read(piece) {
                Ok(piece) => known.keep(piece, revision),
                Err(failure) => tracing::warn!(%failure, "a piece is left out"),
            }
        }
        known
    }

    /// As they are in memory.
    pub(super) async fn read(shared: &Shared) -> Result<Arc<Self>> {
        shared.memory.refresh().await?;
        Ok(Arc::clone(shared.memory.kept().pieces()))
    }

    pub(super) fn put(&mut self, piece: Piece, credential: Option<Credential>) {
        let kind = piece.holds.kind();
        if kind == PieceKind::Credential {
            self.put.push((piece.name.clone(), credential));
        }
        match self.place(kind, &piece.name).and_then(|place| self.pieces.get_mut(place)) {
            Some(known) => *known = piece,
            None => self.keep(piece, 0),
        }
    }

    fn keep(&mut self, piece: Piece, revision: i64) {
        let of_kind = self.places.entry(piece.holds.kind()).or_default();
        of_kind.insert(piece.name.clone(), self.pieces.len());
        self.pieces.push(piece);
        self.revisions.push(revision);
    }

    fn place(&self, kind: PieceKind, name: &str) -> Option<usize> {
        self.places.get(&kind)?.get(name).copied()
    }

    /// The piece of that kind and name.
    pub(super) fn get(&self, kind: PieceKind, name: &str) -> Option<&Piece> {
        self.pieces.get(self.place(kind, name)?)
    }

    /// What a connection of that name is made of, and how often each of that was put: the same as long as nobody else puts
    /// or deletes any of it.
    pub(super) fn made_of(&self, name: &str) -> Vec<(PieceKind, &str, i64)> {
        let of_row = self.find(PieceKind::Connection, name).ok().map(|row| match &row.holds {
            Holds::Connection { driver, credential, region } => [
                (PieceKind::Connection, name),
                (PieceKind::Driver, driver.as_str()),
                (PieceKind::Credential, credential.as_str()),
                (PieceKind::Region, region.as_str()),
            ],
            _ => [(PieceKind::Connection, name); 4],
        });
        let put = self.pieces.iter().zip(&self.revisions);
        put.filter_map(|(piece, revision)| {
            let kind = piece.holds.kind();
            let is_of = of_row.iter().flatten().any(|(of, name)| *of == kind && *name == piece.name);
            is_of.then_some((kind, piece.name.as_str(), *revision))
        })
        .collect()
    }

    /// The provider of the driver that a connection's row names; of the row where that is not there.
    pub(super) fn provider_of(&self, name: &str) -> Option<&str> {
        let row = self.find(PieceKind::Connection, name).ok()?;
        let Holds::Connection { driver, .. } = &row.holds else { return None };
        Some(&self.find(PieceKind::Driver, driver).unwrap_or(row).provider)
    }

    pub(super) fn all(&self, kind: PieceKind) -> Vec<Piece> {
        self.pieces.iter().filter(|piece| piece.holds.kind() == kind).cloned().collect()
    }

    pub(super) fn has(&self, kind: PieceKind, name: &str) -> bool {
        self.place(kind, name).is_some()
    }

    /// Whether a connection of that name is made of pieces.
    pub(super) fn makes(&self, name: &str) -> bool {
        self.has(PieceKind::Connection, name)
    }

    /// The connections that are made of that piece, itself if it is one's row.
    pub(super) fn connections_of(&self, kind: PieceKind, name: &str) -> Vec<String> {
        let uses = |piece: &&Piece| match (&piece.holds, kind) {
            (Holds::Connection { .. }, PieceKind::Connection) => piece.name == name,
            (Holds::Connection { driver, .. }, PieceKind::Driver) => driver == name,
            (Holds::Connection { credential, .. }, PieceKind::Credential) => credential == name,
            (Holds::Connection { region, .. }, PieceKind::Region) => region == name,
            _ => false,
        };
        self.pieces.iter().filter(uses).map(|piece| piece.name.clone()).collect()
    }

    /// The connection of that name, of its pieces.
    pub(super) async fn connection(
        &self,
        shared: &Shared,
        name: &str,
    ) -> std::result::Result<NewConnection, Lacking> {
        let row = self.find(PieceKind::Connection, name)?;
        let Holds::Connection { driver, credential, region } = &row.holds else {
            return Err(Lacking::Failed(unexpected("a row of a connection that is none")));
        };
        // What its row says the provider is decides nothing: the driver does.
        let provider = &self.find(PieceKind::Driver, driver)?.provider;
        self.one_provider(provider, PieceKind::Credential, credential)?;
        self.one_provider(provider, PieceKind::Region, region)?;
        let (mut asked, capabilities) = self.begun(shared, name, provider, credential).await?;
        place(&mut asked, &self.find(PieceKind::Region, region)?.holds, capabilities);
        Ok(asked)
    }

    /// What a driver, a credential and perhaps a region, all of that provider, make of which no connection is made: it
    /// begins in the region that every account of the provider has.
    pub(super) async fn unconnected(
        &self,
        shared: &Shared,
        asked: &Unconnected,
        provider: &str,
    ) -> std::result::Result<NewConnection, Lacking> {
        self.find(PieceKind::Credential, &asked.credential)?;
        let (mut made, capabilities) = self.begun(shared, UNCONNECTED, provider, &asked.credential).await?;
        capabilities.first_region.clone_into(&mut made.region);
        if let Some(region) = &asked.region {
            place(&mut made, &self.find(PieceKind::Region, region)?.holds, capabilities);
        }
        Ok(made)
    }

    /// That a piece is there, and of the provider of the driver that it is put together with.
    fn one_provider(&self, provider: &str, kind: PieceKind, name: &str) -> std::result::Result<(), Lacking> {
        let piece = self.find(kind, name)?;
        if piece.provider == provider {
            return Ok(());
        }
        let kind = word(kind);
        Err(Lacking::piece(format!("{kind} {name:?} is of {}, and the driver of {provider}", piece.provider)))
    }

    /// A connection that is nowhere yet, and what its provider can do.
    async fn begun(
        &self,
        shared: &Shared,
        name: &str,
        provider: &str,
        credential: &str,
    ) -> std::result::Result<(NewConnection, &'static Capabilities), Lacking> {
        let Ok(known) = shared.registry.get(provider) else {
            let says = format!("there is no driver of provider {provider:?} here");
            return Err(Lacking::Piece(Box::new(Failure::new(FailureKind::Unsupported, says))));
        };
        let begun = NewConnection {
            name: name.to_owned(),
            provider: provider.to_owned(),
            region: String::new(),
            zone: None,
            pace: None,
            credential: self.secrets(shared, credential).await.map_err(Lacking::Failed)?,
            unreadable: Findings::default(),
            endpoints: BTreeMap::new(),
            ca_certificate: None,
            settings: BTreeMap::new(),
        };
        Ok((begun, known.capabilities()))
    }

    pub(super) fn find(&self, kind: PieceKind, name: &str) -> std::result::Result<&Piece, Lacking> {
        self.get(kind, name).ok_or_else(|| Lacking::piece(format!("{} {name:?} does not exist", word(kind))))
    }

    async fn secrets(&self, shared: &Shared, name: &str) -> Result<Credential> {
        let none = || Credential::from_values([]);
        if let Some((_, credential)) = self.put.iter().rev().find(|(put, _)| put == name) {
            return Ok(credential.clone().unwrap_or_else(none));
        }
        let Some(kept) = shared.store.piece_credential(name).await.map_err(of_store)? else {
            return Ok(none());
        };
        serde_json::from_slice(kept.expose())
            .map_err(|_| unexpected(format!("credential {name:?} cannot be read")))
    }
}

/// Where the connection is, and what else its region says.
fn place(asked: &mut NewConnection, holds: &Holds, capabilities: &Capabilities) {
    let Holds::Region { region, zone, more, .. } = holds else { return };
    asked.region.clone_from(region);
    asked.zone = Some(zone.clone()).filter(|zone| !zone.is_empty());
    for (name, value) in more {
        if let Some(service) = name.strip_prefix("endpoints.") {
            asked.endpoints.insert(service.to_owned(), value.clone());
        } else if name == "caCertificate" {
            asked.ca_certificate = Some(value.clone());
        } else if name == "pace" {
            match value.parse() {
                Ok(pace) => asked.pace = Some(pace),
                Err(_) => asked.unreadable.add("pace", Specification::PACE),
            }
        } else if let Some(field) =
            capabilities.settings.iter().find(|field| field.name.eq_ignore_ascii_case(name))
        {
            asked.settings.insert(field.name.to_owned(), setting(field.kind, value));
        }
    }
}

/// A text as a value of that kind; one that is none is found wrong as it stands.
fn setting(kind: OptionKind, text: &str) -> Value {
    match kind {
        OptionKind::Boolean => text.parse::<bool>().map_or_else(|_| Value::from(text), Value::from),
        OptionKind::Texts => text.split(',').map(|one| Value::from(one.trim())).collect(),
        OptionKind::Text | OptionKind::Choice(_) => Value::from(text),
    }
}
