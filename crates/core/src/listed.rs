//! What a cloud lists by kinds, each with one call of its own and all alike to us: networks, security groups, key pairs.

use futures::future::BoxFuture;
use pmks_driver::{Driver, DriverError};
use pmks_model::{Iid, KeyPair, Network, ResourceKind, SecurityGroup};
use serde::Serialize;

use crate::inventory::seen::Said;

/// One of a list.
pub(crate) trait Listed: Serialize + Send + Sync + Sized {
    const KIND: ResourceKind;

    /// All there are, asked now.
    fn list(driver: &dyn Driver) -> BoxFuture<'_, Result<Vec<Self>, DriverError>>;

    fn iid(&self) -> &Iid;

    fn said(&self) -> Said<'_>;
}

impl Listed for Network {
    const KIND: ResourceKind = ResourceKind::Network;

    fn list(driver: &dyn Driver) -> BoxFuture<'_, Result<Vec<Self>, DriverError>> {
        driver.list_networks()
    }

    fn iid(&self) -> &Iid {
        &self.iid
    }

    fn said(&self) -> Said<'_> {
        Said::Network(self)
    }
}

impl Listed for SecurityGroup {
    const KIND: ResourceKind = ResourceKind::SecurityGroup;

    fn list(driver: &dyn Driver) -> BoxFuture<'_, Result<Vec<Self>, DriverError>> {
        driver.list_security_groups()
    }

    fn iid(&self) -> &Iid {
        &self.iid
    }

    fn said(&self) -> Said<'_> {
        Said::SecurityGroup(self)
    }
}

impl Listed for KeyPair {
    const KIND: ResourceKind = ResourceKind::KeyPair;

    fn list(driver: &dyn Driver) -> BoxFuture<'_, Result<Vec<Self>, DriverError>> {
        driver.list_key_pairs()
    }

    fn iid(&self) -> &Iid {
        &self.iid
    }

    fn said(&self) -> Said<'_> {
        Said::KeyPair(self)
    }
}
