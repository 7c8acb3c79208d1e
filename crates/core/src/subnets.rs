//! Subnets of a network: records of what exists, imported or made by operations.

use std::time::Duration;

use pmks_model::{FailureKind, ResourceKind};

use crate::failure::not_found;
use crate::parts::Part;
use crate::{Caller, ImportResource, Page, PageRequest, Pmks, Reference, Result, SubnetView};

/// Subnets.
#[derive(Clone, Copy, Debug)]
pub struct Subnets<'a>(pub(crate) &'a Pmks);

impl Subnets<'_> {
    /// Keeps a record of one that exists at the cloud.
    ///
    /// # Errors
    /// `InvalidRequest` if it is not there, `AlreadyExists` if we know it, `NotAllowed`.
    pub async fn import(
        self,
        caller: &Caller,
        connection: &str,
        network: &str,
        asked: ImportResource,
    ) -> Result<SubnetView> {
        let name = asked.name.clone();
        let known = self.0.shared.import_part(caller, connection, Part::subnet(network), asked).await?;
        known.subnets()?.pop().ok_or_else(|| not_found(ResourceKind::Subnet, &name))
    }

    /// A page of those that we keep a record of, and of those that the cloud says its network has: these have no uid,
    /// and for a name the cloud's identifier, or, where that begins with the network's, their own within it.
    ///
    /// # Errors
    /// `NotFound` for the connection or the network; `InvalidRequest` for the page.
    pub async fn list(self, connection: &str, network: &str, page: &PageRequest) -> Result<Page<SubnetView>> {
        let known = self.0.shared.list_parts(connection, Part::subnet(network)).await?;
        let mut views = known.subnets()?;
        views.extend(
            known
                .named(ResourceKind::Network, network)
                .map(|network| known.strangers(network))
                .unwrap_or_default(),
        );
        views.retain(|view| page.keeps(&view.name, view.status.as_str(), Some(&view.tags)));
        let list = format!("subnets of {connection}/{network}");
        page.cut(&list, views, |view| if view.uid.is_empty() { &view.iid.system_id } else { &view.uid })
    }

    /// One, by our name or the cloud's identifier. `max_age` zero asks the cloud.
    ///
    /// # Errors
    /// `NotFound`; with `max_age` what the cloud says.
    pub async fn get(
        self,
        connection: &str,
        network: &str,
        name: &str,
        max_age: Option<Duration>,
    ) -> Result<SubnetView> {
        let shared = &self.0.shared;
        let missing = match shared.get_part(connection, Part::subnet(network), name, max_age).await {
            Err(failure) if failure.kind == FailureKind::NotFound => failure,
            known => return known?.subnets()?.pop().ok_or_else(|| not_found(ResourceKind::Subnet, name)),
        };
        // One of which we keep no record is a part of what is known of its network.
        let known = shared.get_part(connection, Part::of(ResourceKind::Network), network, max_age).await?;
        let strangers = known.records.first().map(|network| known.strangers(network)).unwrap_or_default();
        // The cloud that named it may know no case in names.
        let told = |view: &&SubnetView| view.iid.system_id == name || view.name == name;
        let nearly = |view: &&SubnetView| view.name.eq_ignore_ascii_case(name);
        let found = strangers.iter().find(told).or_else(|| strangers.iter().find(nearly));
        found.cloned().ok_or(missing)
    }

    /// Drops only our record.
    ///
    /// # Errors
    /// `Conflict` while an operation runs or something of ours lives in it, `NotFound`, `NotAllowed`.
    pub async fn forget(
        self,
        caller: &Caller,
        connection: &str,
        network: &str,
        meant: impl Into<Reference>,
    ) -> Result<()> {
        self.0.shared.forget_part(caller, connection, Part::subnet(network), meant.into()).await
    }

    /// Refuses what [`Self::forget`] would, and drops nothing.
    ///
    /// # Errors
    /// Those of [`Self::forget`].
    pub async fn plan_forget(
        self,
        caller: &Caller,
        connection: &str,
        network: &str,
        meant: impl Into<Reference>,
    ) -> Result<()> {
        self.0.shared.plan_forget_part(caller, connection, Part::subnet(network), meant.into()).await
    }
}
