//! Key pairs: records of what exists, imported or made by operations.

use std::time::Duration;

mod generate;

use crate::failure::unexpected;
use crate::{Caller, ImportResource, KeyPairView, Page, PageRequest, Pmks, Result};

/// Key pairs.
#[derive(Clone, Copy, Debug)]
pub struct KeyPairs<'a>(pub(crate) &'a Pmks);

impl KeyPairs<'_> {
    /// Keeps a record of one that exists at the cloud.
    ///
    /// # Errors
    /// `NotFound` at the cloud, `AlreadyExists` here.
    pub async fn import(
        self,
        _caller: &Caller,
        _connection: &str,
        _asked: ImportResource,
    ) -> Result<KeyPairView> {
        Err(unexpected("not built yet"))
    }

    /// A page of those that we keep a record of.
    ///
    /// # Errors
    /// `NotFound` for the connection.
    pub async fn list(self, _connection: &str, _page: &PageRequest) -> Result<Page<KeyPairView>> {
        Err(unexpected("not built yet"))
    }

    /// One, by our name or the cloud's identifier. `max_age` zero asks the cloud.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn get(
        self,
        _connection: &str,
        _name: &str,
        _max_age: Option<Duration>,
    ) -> Result<KeyPairView> {
        Err(unexpected("not built yet"))
    }

    /// Drops only our record.
    ///
    /// # Errors
    /// `Conflict` while an operation runs or something of ours lives in it.
    pub async fn forget(self, _caller: &Caller, _connection: &str, _name: &str) -> Result<()> {
        Err(unexpected("not built yet"))
    }
}
