//! Whether a region has room for more machines: refused at once, in GKE's words.

use super::pool_config::{disk_gib, machine_cpus};
use super::state::NodePool;
use crate::call::Call;
use crate::compute;
use crate::error::{Code, Error, Result};

/// Refuses machines for which the quota does not suffice.
///
/// Words: `Insufficient regional quota to satisfy request: resource "CPUS": …`, reason `INSUFFICIENT_QUOTA_REGIONAL`,
/// <https://cloud.google.com/kubernetes-engine/docs/troubleshooting/create-cluster>.
pub(crate) fn check(call: &Call<'_>, region: &str, pool: &NodePool, more: u32) -> Result<()> {
    let nodes = f64::from(more);
    let disks = f64::from(disk_gib(pool)) * nodes;
    let disk_metric = if pool.text("diskType") == "pd-standard" { "DISKS_TOTAL_GB" } else { "SSD_TOTAL_GB" };
    let wanted = [
        ("CPUS", f64::from(machine_cpus(pool)) * nodes),
        ("IN_USE_ADDRESSES", nodes),
        (disk_metric, disks),
        ("INSTANCES", nodes),
    ];
    let short = if call.effects.quota() {
        Some(("CPUS", f64::from(machine_cpus(pool)) * nodes, 0.0, 0.0))
    } else {
        compute::shortage(&call.held().compute, region, &wanted)
    };
    let Some((metric, asked, limit, available)) = short else { return Ok(()) };
    let says = format!(
        "Insufficient regional quota to satisfy request: resource \"{metric}\": request requires '{asked:.1}' and is \
         short '{:.1}'. project has a quota of '{limit:.1}' with '{available:.1}' available. View and manage quotas at \
         https://console.cloud.google.com/iam-admin/quotas?usage=USED&project={}.",
        asked - available,
        call.project
    );
    Err(Error::new(Code::PermissionDenied, says).info(
        "INSUFFICIENT_QUOTA_REGIONAL",
        "container.googleapis.com",
        &[],
    ))
}
