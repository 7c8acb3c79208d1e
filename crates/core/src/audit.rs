//! The audit log: who asked for what, and when. Reading it needs the role admin.

use jiff::Timestamp;

use crate::failure::of_store;
use crate::{AuditView, Caller, Pmks, Result};

/// The audit log.
#[derive(Clone, Copy, Debug)]
pub struct Audit<'a>(pub(crate) &'a Pmks);

impl Audit<'_> {
    /// Writes down that somebody did what no other transaction tells of.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn note(self, caller: &Caller, action: &str, target: String) -> Result<()> {
        let shared = &self.0.shared;
        shared.store.audit(shared.audit(caller, action, target)).await.map_err(of_store)
    }

    /// The newest lines before that time, newest first, at most `limit`. Admin only.
    ///
    /// # Errors
    /// `NotAllowed`.
    pub async fn list(
        self,
        caller: &Caller,
        before: Option<Timestamp>,
        limit: u32,
    ) -> Result<Vec<AuditView>> {
        caller.require_admin("the audit log")?;
        let lines = self.0.shared.store.audit_log(before, limit).await.map_err(of_store)?;
        let view = |line: pmks_store::AuditEntry| AuditView {
            at: line.at,
            who: line.who,
            action: line.action,
            target: line.target,
            request_id: line.request_id,
        };
        Ok(lines.into_iter().map(view).collect())
    }
}
