//! What is going on with our records: operations that are not over, and why those without one were never made.

use std::collections::HashMap;

use pmks_model::{OperationKind, ResourceKind, Status};
use pmks_store::{BrokenOff, NotRemoved, OperationFilter, Page, Resource, Store, Unfinished};
use uuid::Uuid;

use crate::Result;
use crate::failure::of_store;

/// Operations that are not over, by the record that they are about, oldest first.
#[derive(Default)]
pub(crate) struct Activity(HashMap<Uuid, Vec<Unfinished>>);

/// For more records than this, one question about all operations is cheaper than one a record.
const FEW: usize = 32;

impl Activity {
    /// What is going on with these records.
    pub(crate) async fn about(
        store: &dyn Store,
        records: impl IntoIterator<Item = &Resource> + Send,
    ) -> Result<Self> {
        let uids: Vec<Uuid> = records.into_iter().map(|record| record.uid).collect();
        let mut activity = Self::default();
        let unfinished = OperationFilter { unfinished: true, ..OperationFilter::default() };
        if uids.len() > FEW {
            for operation in store.operations(&unfinished, Page::all()).await.map_err(of_store)? {
                activity.goes_on(operation.unfinished());
            }
            return Ok(activity);
        }
        for uid in uids {
            let filter = OperationFilter { resource_uid: Some(uid), ..unfinished.clone() };
            for operation in store.operations(&filter, Page::all()).await.map_err(of_store)? {
                activity.goes_on(operation.unfinished());
            }
        }
        Ok(activity)
    }

    /// An operation is not over.
    pub(crate) fn goes_on(&mut self, operation: Unfinished) {
        let Some(uid) = operation.resource else { return };
        let about = self.0.entry(uid).or_default();
        if let Err(place) = about.binary_search_by_key(&operation.id, |known| known.id) {
            about.insert(place, operation);
        }
    }

    /// An operation is over. Answers what it was about.
    pub(crate) fn over(&mut self, operation: Uuid) -> Vec<Uuid> {
        let mut of = Vec::new();
        self.0.retain(|record, about| {
            let before = about.len();
            about.retain(|known| known.id != operation);
            if about.len() < before {
                of.push(*record);
            }
            !about.is_empty()
        });
        of
    }

    /// Whether nothing is going on at all.
    pub(crate) fn is_idle(&self) -> bool {
        self.0.is_empty()
    }

    /// What is going on with that record itself, oldest first.
    pub(crate) fn with(&self, uid: Uuid) -> &[Unfinished] {
        self.0.get(&uid).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether anything is going on with that record itself.
    pub(crate) fn is_about(&self, uid: Uuid) -> bool {
        self.0.contains_key(&uid)
    }

    /// All records that something is going on with.
    pub(crate) fn all(&self) -> impl Iterator<Item = Uuid> {
        self.0.keys().copied()
    }

    /// Whether anything is going on with one of these records.
    pub(crate) fn busy<'a>(&self, records: impl IntoIterator<Item = &'a Resource>) -> bool {
        records.into_iter().any(|record| self.0.contains_key(&record.uid))
    }

    /// How a record is, given what the cloud said last, and its parts.
    ///
    /// A creation that was asked for but has not begun at the cloud shows here and nowhere else; so does a removal, and
    /// so does a creation that ended before all was made, of which the cloud knows nothing.
    pub(crate) fn status<'r>(
        &self,
        record: &Resource,
        seen: Option<(Status, String)>,
        parts: impl IntoIterator<Item = &'r Resource>,
    ) -> (Status, String) {
        let operations = self.with(record.uid);
        let doing =
            |wanted: fn(OperationKind) -> bool| operations.iter().find(|operation| wanted(operation.kind));
        if let Some(removal) = doing(OperationKind::removes) {
            return (Status::Deleting, format!("operation {}", removal.id));
        }
        let not_removed = record.not_removed.as_ref();
        if let Some(since) = record.missing_since {
            let missing = (Status::Missing, format!("the cloud has not shown it since {since}"));
            return stands_still(missing, not_removed, record.kind);
        }
        let seen = made_as_asked(record, seen, doing(OperationKind::creates), parts);
        stands_still(seen, not_removed, record.kind)
    }

    /// The same for a part, which a creation of its whole makes too. `whole_seen` is how the cloud said that the whole
    /// is: what was not looked at since it was made tells nothing of its parts.
    pub(crate) fn status_of_part(
        &self,
        part: &Resource,
        seen: Option<(Status, String)>,
        whole: &Resource,
        whole_seen: Option<Status>,
    ) -> (Status, String) {
        let of_whole = self.with(whole.uid);
        if seen.is_none() && part.system_id.is_none() && !self.0.contains_key(&part.uid) {
            if let Some(creation) = of_whole.iter().find(|operation| operation.kind.creates()) {
                return (Status::Creating, format!("operation {}", creation.id));
            }
            if whole.system_id.is_some() && matches!(whole_seen, None | Some(Status::Creating)) {
                return (Status::Unknown, "the cloud was not asked yet".to_owned());
            }
        }
        if let Some(removal) = of_whole.iter().find(|operation| operation.kind.removes()) {
            return (Status::Deleting, format!("operation {}", removal.id));
        }
        if let Some(since) = whole.missing_since.filter(|_| part.system_id.is_some()) {
            let says = format!("the cloud has not shown its {} since {since}", whole.kind.says());
            return (Status::Missing, says);
        }
        let is_unseen = seen.is_none();
        let (status, reason) = self.status(part, seen, []);
        // Its whole's creation was to make it too, unless one of its own was.
        match &whole.broken_off {
            Some(broken_off) if is_unseen && status == Status::Failed && part.broken_off.is_none() => {
                (status, never_made(Some(broken_off), whole.kind))
            }
            _ => (status, reason),
        }
    }
}

/// Whether what was not made is missing still. Parts that were removed from our records, or made since, are not.
fn is_lacking<'r>(broken_off: &BrokenOff, parts: impl IntoIterator<Item = &'r Resource>) -> bool {
    let is_missing = |part: &Resource| part.system_id.is_none() && broken_off.parts.contains(&part.name);
    broken_off.parts.is_empty() || parts.into_iter().any(is_missing)
}

/// With the removal that did not come to its end.
fn stands_still(
    seen: (Status, String),
    not_removed: Option<&NotRemoved>,
    what: ResourceKind,
) -> (Status, String) {
    let Some(not_removed) = not_removed else { return seen };
    let how = match not_removed.why.as_str() {
        "" => "was cancelled".to_owned(),
        why => format!("failed ({why})"),
    };
    let says = what.says();
    let told = format!(
        "the deletion of the {says} {how}: operation {} lists what remains, delete the {says} again",
        not_removed.operation
    );
    match seen {
        (Status::Active, reason) if !not_removed.in_part => (Status::Active, joined(&reason, &told)),
        seen => not_whole(seen, &told),
    }
}

/// A cluster with the node groups that the cloud calls failed, by name and why: it stands, and is not as it was asked for.
pub(crate) fn with_failed_parts<'r>(
    seen: (Status, String),
    failed: impl IntoIterator<Item = (&'r str, &'r str)>,
) -> (Status, String) {
    let told: Vec<String> = failed
        .into_iter()
        .map(|(name, why)| match why {
            "" => format!("node group {name} has failed"),
            why => format!("node group {name} has failed: {why}"),
        })
        .collect();
    if told.is_empty() { seen } else { not_whole(seen, &told.join("; ")) }
}

/// The same, but for removals and what is gone.
fn made_as_asked<'r>(
    record: &Resource,
    seen: Option<(Status, String)>,
    creation: Option<&Unfinished>,
    parts: impl IntoIterator<Item = &'r Resource>,
) -> (Status, String) {
    match (seen, creation) {
        (Some((Status::Active | Status::Unknown, _)) | None, Some(creation)) => {
            (Status::Creating, format!("operation {}", creation.id))
        }
        (None, None) if record.system_id.is_none() => {
            (Status::Failed, never_made(record.broken_off.as_ref(), record.kind))
        }
        (seen, _) => {
            let seen = seen.unwrap_or_else(|| (Status::Unknown, "the cloud was not asked yet".to_owned()));
            match record.broken_off.as_ref().filter(|broken_off| is_lacking(broken_off, parts)) {
                Some(broken_off) => not_whole(seen, &told(broken_off, record.kind)),
                None => seen,
            }
        }
    }
}

fn joined(reason: &str, told: &str) -> String {
    if reason.is_empty() { told.to_owned() } else { format!("{reason}; {told}") }
}

/// What the cloud says, with a creation that did not end well. Whatever it works on comes first.
fn not_whole((status, reason): (Status, String), told: &str) -> (Status, String) {
    match status {
        Status::Active => (Status::Degraded, joined(&reason, told)),
        Status::Creating | Status::Updating | Status::Deleting | Status::Stopped => (status, reason),
        status => (status, joined(&reason, told)),
    }
}

fn told(broken_off: &BrokenOff, what: ResourceKind) -> String {
    let how = match broken_off.why.as_str() {
        "" => "was cancelled".to_owned(),
        why => format!("failed ({why})"),
    };
    let says = what.says();
    // Only the newest operation of a resource is retried.
    let way_out = match broken_off.parts.as_slice() {
        _ if !broken_off.overtaken => format!("retry operation {}", broken_off.operation),
        [] => format!("what operation {} lists is not made any more", broken_off.operation),
        parts => format!("remove {} and add it anew", parts.join(", ")),
    };
    format!("the creation of the {says} {how}: {way_out}, or delete the {says}")
}

fn never_made(broken_off: Option<&BrokenOff>, what: ResourceKind) -> String {
    match broken_off {
        Some(broken_off) => format!("it was never made; {}", told(broken_off, what)),
        None => "it was never made".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parts::sample;

    #[test]
    fn a_part_was_never_made_only_if_its_whole_was_looked_at_since() {
        let part = sample(ResourceKind::NodeGroup, 1, "part", None);
        let status = |whole: Option<&str>, seen| {
            let whole = sample(ResourceKind::Cluster, 2, "whole", whole.map(|id| (id, "1")));
            Activity::default().status_of_part(&part, None, &whole, seen).0
        };
        assert_eq!(status(Some("k"), None), Status::Unknown);
        assert_eq!(status(Some("k"), Some(Status::Creating)), Status::Unknown);
        assert_eq!(status(Some("k"), Some(Status::Active)), Status::Failed);
        assert_eq!(status(None, None), Status::Failed, "nor was its whole");
    }

    #[test]
    fn a_deletion_that_took_something_away_leaves_it_degraded() {
        for (in_part, seen, wanted) in [
            (false, Status::Active, Status::Active),
            (true, Status::Active, Status::Degraded),
            (true, Status::Failed, Status::Failed),
            (true, Status::Deleting, Status::Deleting),
        ] {
            let not_removed = NotRemoved { operation: Uuid::from_u128(7), why: String::new(), in_part };
            let whole = sample(ResourceKind::Cluster, 1, "k", Some(("k", "1")));
            let whole = Resource { not_removed: Some(not_removed), ..whole };
            let (status, reason) = Activity::default().status(&whole, Some((seen, String::new())), []);
            assert_eq!(status, wanted);
            // What the cloud is removing by now needs no word.
            assert_eq!(reason.contains("was cancelled"), seen != Status::Deleting, "{reason}");
        }
    }

    #[test]
    fn what_a_creation_left_undone_is_said_until_it_is_there() {
        let broken_off = |parts: &[&str]| BrokenOff {
            operation: Uuid::from_u128(7),
            why: "quota-exceeded: no".to_owned(),
            parts: parts.iter().map(|part| (*part).to_owned()).collect(),
            overtaken: false,
        };
        let whole = |parts: &[&str]| {
            let whole = sample(ResourceKind::Network, 1, "net", Some(("n", "1")));
            Resource { broken_off: Some(broken_off(parts)), ..whole }
        };
        let part = |known| sample(ResourceKind::Subnet, 2, "a", known);
        let status = |whole: &Resource, says, parts: &[Resource]| {
            Activity::default().status(whole, Some((says, "r".to_owned())), parts)
        };
        let (itself, of_parts) = (whole(&[]), whole(&["a"]));
        for (whole, says, parts, wanted) in [
            (&itself, Status::Active, vec![], Status::Degraded),
            (&itself, Status::Active, vec![part(Some(("s", "1")))], Status::Degraded),
            (&itself, Status::Failed, vec![], Status::Failed),
            (&of_parts, Status::Active, vec![part(None)], Status::Degraded),
        ] {
            let (status, reason) = status(whole, says, &parts);
            assert_eq!(status, wanted, "{says} {parts:?}");
            let operation = Uuid::from_u128(7).to_string();
            assert!(reason.starts_with("r; ") && reason.contains(&operation), "{reason}");
        }
        for (whole, says, parts) in [
            (&itself, Status::Updating, vec![]),
            (&of_parts, Status::Active, vec![part(Some(("s", "1")))]),
            (&of_parts, Status::Active, vec![]),
        ] {
            assert_eq!(status(whole, says, &parts), (says, "r".to_owned()), "{parts:?}");
        }
        let (never, reason) =
            Activity::default().status_of_part(&part(None), None, &of_parts, Some(Status::Active));
        assert_eq!(never, Status::Failed);
        assert!(reason.contains("never made; the creation of the network failed"), "{reason}");
    }
}
