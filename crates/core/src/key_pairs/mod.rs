//! Key pairs: records of what exists, imported or made by operations. The private half is never kept.

mod generate;
mod kept;
mod withheld;

use std::time::Duration;

use pmks_model::{KeyPair, ResourceKind};

use crate::failure::not_found;
use crate::parts::Part;
use crate::{Caller, ImportResource, KeyPairView, Page, PageRequest, Pmks, Reference, Result};

pub use generate::{GeneratedKeyPair, generate_key_pair};
pub(crate) use generate::{generate_in_turn, stand_in_public_key};
pub use kept::Handover;
pub(crate) use kept::{Asked, KeptKeys};
pub use withheld::PrivateKey;

/// Key pairs.
#[derive(Clone, Copy, Debug)]
pub struct KeyPairs<'a>(pub(crate) &'a Pmks);

impl KeyPairs<'_> {
    /// Keeps a record of one that exists at the cloud.
    ///
    /// # Errors
    /// `InvalidRequest` if it is not there, `AlreadyExists` if we know it, `NotAllowed`.
    pub async fn import(
        self,
        caller: &Caller,
        connection: &str,
        asked: ImportResource,
    ) -> Result<KeyPairView> {
        let part = Part::of(ResourceKind::KeyPair);
        let name = asked.name.clone();
        let known = self.0.shared.import_part(caller, connection, part, asked).await?;
        known.key_pairs()?.pop().ok_or_else(|| not_found(ResourceKind::KeyPair, &name))
    }

    /// A page of those that we keep a record of.
    ///
    /// # Errors
    /// `NotFound` for the connection; `InvalidRequest` for the page.
    pub async fn list(self, connection: &str, page: &PageRequest) -> Result<Page<KeyPairView>> {
        let known = self.0.shared.list_parts(connection, Part::of(ResourceKind::KeyPair)).await?;
        let mut views = known.key_pairs()?;
        views.retain(|view| page.keeps(&view.name, view.status.as_str(), Some(&view.tags)));
        page.cut(&format!("key pairs of {connection}"), views, |view| &view.uid)
    }

    /// The key pairs at the cloud that we keep no record of, asked now. They have no uid.
    ///
    /// # Errors
    /// `NotFound` for the connection; what the cloud says.
    pub async fn unmanaged(self, connection: &str) -> Result<Vec<KeyPairView>> {
        self.0.shared.unmanaged_parts::<KeyPair>(connection).await?.key_pairs()
    }

    /// One, by our name or the cloud's identifier. `max_age` zero asks the cloud.
    ///
    /// # Errors
    /// `NotFound`; with `max_age` what the cloud says.
    pub async fn get(self, connection: &str, name: &str, max_age: Option<Duration>) -> Result<KeyPairView> {
        let known =
            self.0.shared.get_part(connection, Part::of(ResourceKind::KeyPair), name, max_age).await?;
        known.key_pairs()?.pop().ok_or_else(|| not_found(ResourceKind::KeyPair, name))
    }

    /// Drops only our record.
    ///
    /// # Errors
    /// `Conflict` while an operation runs or something of ours lives in it, `NotFound`, `NotAllowed`.
    pub async fn forget(self, caller: &Caller, connection: &str, meant: impl Into<Reference>) -> Result<()> {
        self.0.shared.forget_part(caller, connection, Part::of(ResourceKind::KeyPair), meant.into()).await
    }

    /// Refuses what [`Self::forget`] would, and drops nothing.
    ///
    /// # Errors
    /// Those of [`Self::forget`].
    pub async fn plan_forget(
        self,
        caller: &Caller,
        connection: &str,
        meant: impl Into<Reference>,
    ) -> Result<()> {
        self.0
            .shared
            .plan_forget_part(caller, connection, Part::of(ResourceKind::KeyPair), meant.into())
            .await
    }
}
