//! Clusters are stopped and started, and what is under way is given up.

use std::time::Duration;

use super::clusters::{begin, change, find, not_busy, not_stopped};
use super::{Step, steps};
use crate::arm::Call;
use crate::error::{Error, Result};
use crate::reply::Reply;

const STOPPED_AFTER: Duration = Duration::from_mins(2);
const STARTED_AFTER: [Duration; 2] = [Duration::from_mins(2), Duration::from_mins(3)];

pub(super) fn stop(call: &mut Call<'_>) -> Result<Reply> {
    let known = find(call)?.clone();
    not_busy(&known, None)?;
    not_stopped(&known)?;
    let phases = vec![(STOPPED_AFTER, Step::Stopped)];
    let work = begin(call, &known.id, &known.location, None, "Stopping", phases);
    Ok(work.followed(call, Reply::empty(202)))
}

pub(super) fn start(call: &mut Call<'_>) -> Result<Reply> {
    let known = find(call)?.clone();
    not_busy(&known, None)?;
    if !known.stopped {
        let says = format!(
            "managed cluster is in Provisioning State({}) and Power State(Running), starting cannot be performed",
            known.state
        );
        return Err(Error::conflict(says));
    }
    let [machines, done] = STARTED_AFTER;
    let mut phases = vec![(Duration::from_mins(1), Step::Started)];
    phases.extend(known.pools.iter().map(|pool| (machines, Step::Machines(pool.name.clone()))));
    phases.extend(known.pools.iter().map(|pool| (done, Step::FinishPool(pool.name.clone()))));
    phases.push((done, Step::Finish));
    let work = begin(call, &known.id, &known.location, None, "Starting", phases);
    Ok(work.followed(call, Reply::empty(202)))
}

/// Gives up what is under way: it stays as it is.
///
/// Source: <https://learn.microsoft.com/azure/aks/manage-abort-operations>.
pub(super) fn abort(call: &mut Call<'_>, pool: Option<&str>) -> Result<Reply> {
    let known = find(call)?.clone();
    let running = match pool {
        None => known.busy.clone(),
        Some(name) => super::pools::find(&known, name)?.busy.clone(),
    };
    let Some(running) = running else {
        let says = "There is no running operation to abort.";
        return Err(Error::bad("OperationNotAllowed", says));
    };
    if known.state == "Deleting" {
        return Err(Error::conflict("The deletion of a managed cluster cannot be aborted."));
    }
    let now = call.now.wall;
    if let Some(operation) = call.subscription_mut().operations.get_mut(&running) {
        "Canceled".clone_into(&mut operation.status);
        operation.ended = Some(now);
        operation.phases.clear();
    }
    change(call, &known.id, |cluster| steps::end(cluster, &running, "Canceled"));
    Ok(Reply::empty(204))
}
