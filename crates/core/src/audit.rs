//! The audit log: who asked for what, and when. Reading it needs the role admin.

use jiff::Timestamp;
use pmks_store::{AuditFilter, AuditLine};

use crate::failure::{invalid, of_store};
use crate::page::{not_of_this_list, token};
use crate::{AuditView, Caller, Page, PageRequest, Pmks, Result};

/// Which list a page token of it is of.
const LIST: &str = "audit";

/// From when to when lines of the audit log are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditTimes {
    /// None from before this time.
    pub since: Option<Timestamp>,
    /// None from this time on.
    pub until: Option<Timestamp>,
}

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

    /// A page of the lines of those times, the newest first. Of a page only its size and token count. Lines that come
    /// meanwhile move nothing: the next page begins where this one ended. Admin only.
    ///
    /// # Errors
    /// `NotAllowed`; `InvalidRequest` for times that hold nothing, and for the page; `Malformed` for its token.
    pub async fn list(
        self,
        caller: &Caller,
        times: AuditTimes,
        page: &PageRequest,
    ) -> Result<Page<AuditView>> {
        caller.require_admin("the audit log")?;
        if let (Some(since), Some(until)) = (times.since, times.until)
            && since >= until
        {
            return Err(invalid("since", format!("must lie before until, which is {until}")));
        }
        let size = page.size()?;
        let before =
            page.after(LIST)?.map(|place| place.parse().map_err(|_| not_of_this_list())).transpose()?;
        let filter = AuditFilter { since: times.since, until: times.until, before };
        // One more than is wanted tells whether there is another page.
        let most = u32::try_from(size + 1).unwrap_or(u32::MAX);
        let mut lines = self.0.shared.store.audit_log(&filter, most).await.map_err(of_store)?;
        let more = lines.len() > size;
        lines.truncate(size);
        let next_page_token =
            lines.last().filter(|_| more).map(|last| token(LIST, &last.sequence.to_string()));
        Ok(Page { items: lines.into_iter().map(view).collect(), next_page_token })
    }
}

fn view(line: AuditLine) -> AuditView {
    let entry = line.entry;
    AuditView {
        at: entry.at,
        who: entry.who,
        action: entry.action,
        target: entry.target,
        request_id: entry.request_id,
    }
}
