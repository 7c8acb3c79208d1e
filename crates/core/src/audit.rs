//! The audit: who asked for what, when, and how it ended.

use crate::failure::unexpected;
use crate::{AuditView, Caller, Page, PageRequest, Pmks, Result};

/// The audit.
#[derive(Clone, Copy, Debug)]
pub struct Audit<'a>(pub(crate) &'a Pmks);

impl Audit<'_> {
    /// A page of the audit, newest last. Admin only.
    ///
    /// # Errors
    /// `NotAllowed`.
    pub async fn list(self, _caller: &Caller, _page: &PageRequest) -> Result<Page<AuditView>> {
        Err(unexpected("not built yet"))
    }
}
