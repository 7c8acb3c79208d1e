//! Security groups: records of what exists, imported or made by operations.

use std::time::Duration;

use pmks_model::{Iid, ResourceKind, SecurityGroup};

use crate::failure::{already_exists, not_found};
use crate::parts::Part;
use crate::records::Records;
use crate::resolve::is_absent;
use crate::{Caller, ImportResource, Page, PageRequest, Pmks, Reference, Result, SecurityGroupView};

/// Security groups.
#[derive(Clone, Copy, Debug)]
pub struct SecurityGroups<'a>(pub(crate) &'a Pmks);

impl SecurityGroups<'_> {
    /// Keeps a record of one that exists at the cloud, wherever it lies.
    ///
    /// # Errors
    /// `InvalidRequest` if it is not there, `AlreadyExists` if we know it, `NotAllowed`.
    pub async fn import(
        self,
        caller: &Caller,
        connection: &str,
        asked: ImportResource,
    ) -> Result<SecurityGroupView> {
        self.import_in(caller, connection, None, asked).await
    }

    /// The same of one that has to lie in that network, by our name or the cloud's identifier. Where the cloud's groups
    /// belong to no network, the record keeps that it is for this one.
    ///
    /// # Errors
    /// As [`Self::import`]; `NotFound` of the network, `InvalidRequest` if it lies in another one.
    pub async fn import_in(
        self,
        caller: &Caller,
        connection: &str,
        network: Option<&str>,
        asked: ImportResource,
    ) -> Result<SecurityGroupView> {
        let part = Part { kind: ResourceKind::SecurityGroup, network };
        let name = asked.name.clone();
        let known = self.0.shared.import_part(caller, connection, part, asked).await?;
        known.security_groups()?.pop().ok_or_else(|| not_found(ResourceKind::SecurityGroup, &name))
    }

    /// A page of those that we keep a record of.
    ///
    /// # Errors
    /// `NotFound` for the connection; `InvalidRequest` for the page.
    pub async fn list(self, connection: &str, page: &PageRequest) -> Result<Page<SecurityGroupView>> {
        let known = self.0.shared.list_parts(connection, Part::of(ResourceKind::SecurityGroup)).await?;
        let mut views = known.security_groups()?;
        views.retain(|view| page.keeps(&view.name, view.status.as_str(), Some(&view.tags)));
        page.cut(&format!("security groups of {connection}"), views, |view| &view.uid)
    }

    /// The security groups at the cloud that we keep no record of, asked now. They have no uid.
    ///
    /// # Errors
    /// `NotFound` for the connection; what the cloud says.
    pub async fn unmanaged(self, connection: &str) -> Result<Vec<SecurityGroupView>> {
        self.0.shared.unmanaged_parts::<SecurityGroup>(connection).await?.security_groups()
    }

    /// The network of one at the cloud that we keep no record of, asked now: by our name where we have one, else without
    /// a name; without either where the cloud's groups belong to no network.
    ///
    /// # Errors
    /// `AlreadyExists` if we keep one; what the cloud says.
    pub async fn network_of_unmanaged(self, connection: &str, system_id: &str) -> Result<Iid> {
        let shared = &self.0.shared;
        let (at, place) = shared.drivers.proven(connection).await?;
        let records = Records { store: shared.store.as_ref(), place: &place };
        let meant = Reference::identifier(system_id);
        if records.find(ResourceKind::SecurityGroup, None, meant).await?.is_some() {
            return Err(already_exists(ResourceKind::SecurityGroup, system_id));
        }
        let found = match at.driver.get_security_group(system_id).await {
            Err(error) if is_absent(&error) => return Err(not_found(ResourceKind::SecurityGroup, system_id)),
            answer => answer.map_err(|error| at.failed(&error))?,
        };
        let network = Reference::identifier(&found.network);
        let known = records.find(ResourceKind::Network, None, network).await?;
        Ok(Iid::new(known.map(|record| record.name).unwrap_or_default(), found.network))
    }

    /// One, by our name or the cloud's identifier. `max_age` zero asks the cloud.
    ///
    /// # Errors
    /// `NotFound`; with `max_age` what the cloud says.
    pub async fn get(
        self,
        connection: &str,
        name: &str,
        max_age: Option<Duration>,
    ) -> Result<SecurityGroupView> {
        let known =
            self.0.shared.get_part(connection, Part::of(ResourceKind::SecurityGroup), name, max_age).await?;
        known.security_groups()?.pop().ok_or_else(|| not_found(ResourceKind::SecurityGroup, name))
    }

    /// Drops only our record.
    ///
    /// # Errors
    /// `Conflict` while an operation runs or something of ours lives in it, `NotFound`, `NotAllowed`.
    pub async fn forget(self, caller: &Caller, connection: &str, meant: impl Into<Reference>) -> Result<()> {
        self.0
            .shared
            .forget_part(caller, connection, Part::of(ResourceKind::SecurityGroup), meant.into())
            .await
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
            .plan_forget_part(caller, connection, Part::of(ResourceKind::SecurityGroup), meant.into())
            .await
    }
}
