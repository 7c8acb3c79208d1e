//! What every provider says alike of node groups to which nothing can be done.

use pmks_model::{NodeGroup, Status};

use crate::{DriverError, ErrorKind, Result};

/// Refuses node groups that have failed or are going, all of them together: no change of them would come to its end, and
/// what is done to their cluster before cannot be taken back.
///
/// # Errors
/// `Precondition`.
pub fn refuse_unfit<'g>(
    provider: &'static str,
    groups: impl IntoIterator<Item = &'g NodeGroup>,
) -> Result<()> {
    let says = |group: &NodeGroup| {
        let what = match group.status {
            Status::Failed => "has failed",
            Status::Deleting => "is being deleted",
            _ => return None,
        };
        let why = Some(group.status_reason.as_str()).filter(|why| !why.is_empty());
        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
        Some(format!("node group {} {what}{why}", group.iid.name_id))
    };
    let unfit: Vec<String> = groups.into_iter().filter_map(says).collect();
    if unfit.is_empty() {
        return Ok(());
    }
    let what = unfit.join("; ");
    let fix = "retry the operation that failed there (`pmks operation retry`), or remove the node group, then ask again";
    let kind = ErrorKind::Precondition { what: what.clone(), fix: fix.to_owned() };
    Err(DriverError::new(kind, provider, what))
}

#[cfg(test)]
mod tests {
    use pmks_model::Iid;

    use super::*;

    #[test]
    fn all_that_stand_in_the_way_are_named() {
        let group = |name: &str, status, why: &str| NodeGroup {
            iid: Iid::unnamed(name),
            status,
            status_reason: why.to_owned(),
            ..NodeGroup::default()
        };
        let fit = [Status::Active, Status::Degraded, Status::Updating, Status::Creating, Status::Unknown];
        let fit: Vec<NodeGroup> = fit.into_iter().map(|status| group("fit", status, "")).collect();
        assert!(refuse_unfit("p", &fit).is_ok());
        let unfit = [group("a", Status::Failed, "no capacity"), group("b", Status::Deleting, "")];
        let error = refuse_unfit("p", fit.iter().chain(&unfit)).unwrap_err();
        assert_eq!(error.message(), "node group a has failed: no capacity; node group b is being deleted");
    }
}
