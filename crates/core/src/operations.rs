//! Operations and their events, as callers see them. The engine carries them out.

use futures::stream::BoxStream;
use pmks_model::{OperationKind, OperationState};

use crate::failure::unexpected;
use crate::{Caller, OperationView, Page, PageRequest, Pmks, Result};

/// Operations.
#[derive(Clone, Copy, Debug)]
pub struct Operations<'a>(pub(crate) &'a Pmks);

/// Which operations are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperationFilter {
    /// The page.
    pub page: PageRequest,
    /// Only of this connection.
    pub connection: Option<String>,
    /// Only about a resource of this name.
    pub resource: Option<String>,
    /// Only of this kind.
    pub kind: Option<OperationKind>,
    /// Only in this state.
    pub state: Option<OperationState>,
}

/// A change of an operation, with the whole of it, so that a missed one loses nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its id, for `Last-Event-ID`; grows.
    pub id: u64,
    /// The operation as it was then.
    pub operation: OperationView,
}

/// Events as they come.
pub type EventStream = BoxStream<'static, Event>;

impl Operations<'_> {
    /// A page of operations, newest last.
    ///
    /// # Errors
    /// `InvalidRequest` for the page.
    pub async fn list(self, _filter: &OperationFilter) -> Result<Page<OperationView>> {
        Err(unexpected("not built yet"))
    }

    /// One operation.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn get(self, _id: &str) -> Result<OperationView> {
        Err(unexpected("not built yet"))
    }

    /// Asks an operation to stop. Deletes nothing.
    ///
    /// # Errors
    /// `Conflict` if it is over.
    pub async fn cancel(self, _caller: &Caller, _id: &str) -> Result<OperationView> {
        Err(unexpected("not built yet"))
    }

    /// The next attempt of an operation that failed or is blocked.
    ///
    /// # Errors
    /// `Conflict` if it is neither, or not the newest of its resource.
    pub async fn retry(self, _caller: &Caller, _id: &str) -> Result<OperationView> {
        Err(unexpected("not built yet"))
    }

    /// Events after that id, of one operation or of all; the present state comes first; ends after an operation's last state.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn events(self, _operation: Option<&str>, _after: Option<u64>) -> Result<EventStream> {
        Err(unexpected("not built yet"))
    }
}
