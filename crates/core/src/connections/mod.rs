//! Connections: one account in one place.

use serde_json::Value;

use crate::failure::unexpected;
use crate::{
    Caller, ConnectionView, NewConnection, Page, PageRequest, Pmks, PrerequisiteView, Result, ValidationView,
};

/// Connections.
#[derive(Clone, Copy, Debug)]
pub struct Connections<'a>(pub(crate) &'a Pmks);

impl Connections<'_> {
    /// Makes a connection. Asks no cloud.
    ///
    /// # Errors
    /// `InvalidRequest`, `AlreadyExists`, `NotAllowed`.
    pub async fn create(self, _caller: &Caller, _asked: NewConnection) -> Result<ConnectionView> {
        Err(unexpected("not built yet"))
    }

    /// A page of all connections.
    ///
    /// # Errors
    /// `InvalidRequest` for the page.
    pub async fn list(self, _page: &PageRequest) -> Result<Page<ConnectionView>> {
        Err(unexpected("not built yet"))
    }

    /// One connection.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn get(self, _name: &str) -> Result<ConnectionView> {
        Err(unexpected("not built yet"))
    }

    /// Applies a JSON merge patch. A changed credential must prove the same account.
    ///
    /// # Errors
    /// `Stale`, `Conflict`, `InvalidRequest`, `NotAllowed`.
    pub async fn update(
        self,
        _caller: &Caller,
        _name: &str,
        _patch: Value,
        _if_match: &str,
    ) -> Result<ConnectionView> {
        Err(unexpected("not built yet"))
    }

    /// Removes a connection at which nothing is known.
    ///
    /// # Errors
    /// `Conflict` with what is known there.
    pub async fn delete(self, _caller: &Caller, _name: &str) -> Result<()> {
        Err(unexpected("not built yet"))
    }

    /// Asks the cloud whether the credential is accepted, and stores whom it acts for.
    ///
    /// # Errors
    /// `NotFound`, `NotAllowed`; what the cloud says is in the answer.
    pub async fn validate(self, _caller: &Caller, _name: &str) -> Result<ValidationView> {
        Err(unexpected("not built yet"))
    }

    /// What must exist in the account, or at a cluster of it.
    ///
    /// # Errors
    /// What the cloud says.
    pub async fn prerequisites(self, _name: &str, _cluster: Option<&str>) -> Result<PrerequisiteView> {
        Err(unexpected("not built yet"))
    }
}
