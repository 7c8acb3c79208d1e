//! The audit: who asked for what, when, and how it ended.

use jiff::Timestamp;

use crate::failure::unexpected;
use crate::{AuditView, Caller, Pmks, Result};

/// The audit.
#[derive(Clone, Copy, Debug)]
pub struct Audit<'a>(pub(crate) &'a Pmks);

impl Audit<'_> {
    /// The newest lines before that time, newest first, at most `limit`. Admin only.
    ///
    /// # Errors
    /// `NotAllowed`.
    pub async fn list(
        self,
        _caller: &Caller,
        _before: Option<Timestamp>,
        _limit: u32,
    ) -> Result<Vec<AuditView>> {
        Err(unexpected("not built yet"))
    }
}
