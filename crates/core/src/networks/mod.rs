//! Networks: records of what exists, imported or made by operations.

mod view;

pub(crate) use view::name_within;

use std::time::Duration;

use pmks_model::{Network, ResourceKind};

use crate::failure::not_found;
use crate::parts::Part;
use crate::{Caller, ImportResource, NetworkView, Page, PageRequest, Pmks, Reference, Result};

/// Networks.
#[derive(Clone, Copy, Debug)]
pub struct Networks<'a>(pub(crate) &'a Pmks);

impl Networks<'_> {
    /// Keeps a record of one that exists at the cloud.
    ///
    /// # Errors
    /// `InvalidRequest` if it is not there, `AlreadyExists` if we know it, `NotAllowed`.
    pub async fn import(
        self,
        caller: &Caller,
        connection: &str,
        asked: ImportResource,
    ) -> Result<NetworkView> {
        let part = Part::of(ResourceKind::Network);
        let name = asked.name.clone();
        let known = self.0.shared.import_part(caller, connection, part, asked).await?;
        known.networks()?.pop().ok_or_else(|| not_found(ResourceKind::Network, &name))
    }

    /// A page of those that we keep a record of.
    ///
    /// # Errors
    /// `NotFound` for the connection; `InvalidRequest` for the page.
    pub async fn list(self, connection: &str, page: &PageRequest) -> Result<Page<NetworkView>> {
        let known = self.0.shared.list_parts(connection, Part::of(ResourceKind::Network)).await?;
        let mut views = known.networks()?;
        views.retain(|view| page.keeps(&view.name, view.status.as_str(), Some(&view.tags)));
        page.cut(&format!("networks of {connection}"), views, |view| &view.uid)
    }

    /// The networks at the cloud that we keep no record of, asked now. They have no uid, nor have their subnets.
    ///
    /// # Errors
    /// `NotFound` for the connection; what the cloud says.
    pub async fn unmanaged(self, connection: &str) -> Result<Vec<NetworkView>> {
        self.0.shared.unmanaged_parts::<Network>(connection).await?.networks()
    }

    /// One, by our name or the cloud's identifier. `max_age` zero asks the cloud.
    ///
    /// # Errors
    /// `NotFound`; with `max_age` what the cloud says.
    pub async fn get(self, connection: &str, name: &str, max_age: Option<Duration>) -> Result<NetworkView> {
        let known =
            self.0.shared.get_part(connection, Part::of(ResourceKind::Network), name, max_age).await?;
        known.networks()?.pop().ok_or_else(|| not_found(ResourceKind::Network, name))
    }

    /// Drops only our record.
    ///
    /// # Errors
    /// `Conflict` while an operation runs or something of ours lives in it, `NotFound`, `NotAllowed`.
    pub async fn forget(self, caller: &Caller, connection: &str, meant: impl Into<Reference>) -> Result<()> {
        self.0.shared.forget_part(caller, connection, Part::of(ResourceKind::Network), meant.into()).await
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
            .plan_forget_part(caller, connection, Part::of(ResourceKind::Network), meant.into())
            .await
    }
}
