//! What an import would come to, also at a connection that its pieces are yet to make. Reads alone; keeps nothing.

use futures::FutureExt as _;
use pmks_driver::Credential;
use pmks_model::{FailureKind, Iid, ResourceKind};
use pmks_store::{NewResource, Resource};

use super::compose::{Known, Lacking};
use super::{Piece, Pieces, everywhere};
use crate::drivers::{At, Place};
use crate::failure::unexpected;
use crate::parts::{stand_in, unread};
use crate::patience::{ACTS_FOR, NAMED, Patience};
use crate::pmks::Shared;
use crate::records::Records;
use crate::{Caller, ImportCluster, ImportResource, Mutation, Reference, Result};

/// What is to be imported.
#[derive(Clone, Debug)]
pub enum Import {
    /// What is no cluster.
    Part {
        /// A network, subnet, security group or key pair.
        kind: ResourceKind,
        /// The network of a subnet, by the cloud's identifier, also where no record is kept of it; else empty.
        network: String,
        /// Which one, and our name for it.
        asked: ImportResource,
    },
    /// A cluster.
    Cluster(ImportCluster),
}

/// What an import would come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportPlan {
    /// The account and place whose names and identifiers it shares: alike for all connections that see the same.
    pub place: String,
    /// The cloud's identifier, as the cloud writes it.
    pub system_id: String,
    /// What is known here by that identifier, else by that name, which keeps it from being imported.
    pub known: Option<Iid>,
}

impl Pieces<'_> {
    /// What an import would come to at the connection of that row, once those others are put. Where the connection
    /// stands, it is the one that is asked.
    ///
    /// # Errors
    /// What the import would be refused with, but `AlreadyExists`; of a connection that does not stand what
    /// [`Pieces::put`] answers; `NotAllowed`.
    pub async fn plan_import(
        self,
        caller: &Caller,
        others: Vec<(Piece, Option<Credential>)>,
        row: Piece,
        asked: Import,
    ) -> Result<ImportPlan> {
        let shared = &self.0.shared;
        caller.require_operator(&row.name)?;
        match shared.drivers.at(&row.name).await {
            Err(failure) if failure.kind == FailureKind::NotFound => {
                let at = shared.yet_to_be_made(caller, others, row).await?;
                let planned = shared.planned_import(&at, asked).await;
                shared.drivers.forget(at.connection.uid);
                planned
            }
            at => shared.planned_import(&at?, asked).await,
        }
    }
}

impl Shared {
    /// The connection that a row and those others would make.
    async fn yet_to_be_made(
        &self,
        caller: &Caller,
        others: Vec<(Piece, Option<Credential>)>,
        row: Piece,
    ) -> Result<At> {
        everywhere(caller)?;
        let name = row.name.clone();
        let mut known = Known::clone(&*Known::read(self).await?);
        for (piece, credential) in others.into_iter().chain([(row, None)]) {
            known.put(piece, credential);
        }
        let asked = known.connection(self, &name).await.map_err(Lacking::into_failure)?;
        let specification = self.asked_for(caller, &asked).await?;
        self.drivers.unstored(asked, specification).await
    }

    async fn planned_import(&self, at: &At, asked: Import) -> Result<ImportPlan> {
        let patience = Patience::begins(&self.clock);
        let connection = &at.connection.name;
        let place = patience.needed(connection, ACTS_FOR, self.drivers.place_unkept(at).boxed()).await?;
        let drafted = self.record_of_import(at, &place, asked).boxed();
        let record = patience.needed(connection, NAMED, drafted).await?;
        Ok(ImportPlan {
            known: self.in_the_way(&place, &record).await?,
            place: format!("{}/{}", record.account, record.location),
            system_id: record.system_id.unwrap_or_default(),
        })
    }

    async fn record_of_import(&self, at: &At, place: &Place, asked: Import) -> Result<NewResource> {
        match asked {
            Import::Part { kind, network, asked } => {
                let network = self.network_or_stranger(at, place, network).await?;
                self.drafted_import(at, place, kind, network.as_ref(), asked).await
            }
            Import::Cluster(import) => {
                let import = Mutation::ImportCluster { connection: at.connection.name.clone(), import };
                let operation = pmks_store::new_uid(self.clock.wall());
                let draft = self.draft(at, place, operation, import).await?;
                draft.resources.into_iter().next().ok_or_else(|| unexpected("an import of nothing"))
            }
        }
    }

    /// The record of a network, or what stands for one that is to be imported before.
    async fn network_or_stranger(&self, at: &At, place: &Place, id: String) -> Result<Option<Resource>> {
        if id.is_empty() {
            return Ok(None);
        }
        let records = Records { store: self.store.as_ref(), place };
        if let Some(known) = records.find(ResourceKind::Network, None, Reference::identifier(&id)).await? {
            return Ok(Some(known));
        }
        let now = self.clock.wall();
        let asked = ImportResource { name: id.clone(), system_id: id };
        let uid = pmks_store::new_uid(now);
        Ok(Some(stand_in(&unread(&at.connection.name, place, ResourceKind::Network, uid, asked), now)))
    }

    /// What is known by the identifier of something that is to be imported, else by its name.
    async fn in_the_way(&self, place: &Place, new: &NewResource) -> Result<Option<Iid>> {
        let records = Records { store: self.store.as_ref(), place };
        let id = new.system_id.as_deref().unwrap_or_default();
        let same = if new.kind == ResourceKind::Cluster {
            // Its name may mean another one elsewhere; it is the same cluster.
            let all = records.of_region(new.kind).await?;
            all.into_iter().find(|record| record.system_id.as_deref() == Some(id))
        } else {
            records.find(new.kind, new.parent, Reference::identifier(id)).await?
        };
        let known = match same {
            Some(same) => Some(same),
            None => records.find(new.kind, new.parent, Reference::name(&new.name)).await?,
        };
        Ok(known.map(|known| Iid::new(known.name, known.system_id.unwrap_or_default())))
    }
}
