//! Locations, clusters and node pools found by what a call names, and GKE's words where there are none.

use super::state::{Cluster, NodePool};
use crate::call::Call;
use crate::catalogue;
use crate::error::{Error, Result};

/// The zones of a location; for a region the first three.
///
/// # Errors
/// 400 for a location that does not exist.
pub(crate) fn zones(location: &str) -> Result<Vec<String>> {
    if catalogue::region_of(location).is_some() {
        return Ok(vec![location.to_owned()]);
    }
    let region = catalogue::region(location);
    let region = region.ok_or_else(|| Error::invalid(format!("Location \"{location}\" does not exist.")))?;
    Ok(region.zones().take(3).collect())
}

/// `projects/…/zones/…`, as GKE names a place: `locations` only where it is a region.
pub(crate) fn path(project: &str, location: &str) -> String {
    let kind = if catalogue::region_of(location).is_some() { "zones" } else { "locations" };
    format!("projects/{project}/{kind}/{location}")
}

/// The cluster that a call names.
///
/// # Errors
/// 404.
pub(crate) fn cluster<'a>(call: &'a Call<'_>, location: &str, name: &str) -> Result<&'a Cluster> {
    let found = call.held().container.clusters.get(&format!("{location}/{name}"));
    found.ok_or_else(|| {
        Error::not_found(format!("Not found: {}/clusters/{name}.", path(call.project, location)))
    })
}

/// A node pool of a cluster.
///
/// # Errors
/// 404.
pub(crate) fn pool<'a>(call: &Call<'_>, cluster: &'a Cluster, name: &str) -> Result<&'a NodePool> {
    cluster.pool(name).ok_or_else(|| {
        let place = path(call.project, &cluster.location);
        Error::not_found(format!("Not found: {place}/clusters/{}/nodePools/{name}.", cluster.name))
    })
}

/// Checks the name of a new cluster or node pool.
///
/// # Errors
/// 400 for a name that cannot be.
pub(crate) fn new_name(field: &str, name: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let fits = (1..=40).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.ends_with(plain)
        && name.chars().all(|c| plain(c) || c == '-');
    if fits {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "Invalid value for field \"{field}\": \"{name}\". It must be 1-40 characters of lowercase letters, numbers and \
         hyphens, start with a letter and end with a letter or number."
    )))
}
