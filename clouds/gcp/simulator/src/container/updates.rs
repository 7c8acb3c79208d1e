//! Changes of a cluster: one at a time, each of one thing.

use std::time::Duration;

use serde_json::{Map, Value};

use super::operations::{begin, may_begin};
use super::pool_config::complete;
use super::state::{Change, Cluster, Step, Target};
use super::{Asked, clusters, node_pools, places, versions, view};
use crate::call::Call;
use crate::error::{Error, Result};

/// How long the upgrade of a control plane takes.
const UPGRADING: Duration = Duration::from_secs(270);
/// How long a change of settings takes.
const SETTING: Duration = Duration::from_secs(30);
/// How long labels take.
const LABELLING: Duration = Duration::from_secs(10);

/// Carries out a `desired…` change.
pub(crate) fn update(call: &mut Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let body = asked.message("UpdateClusterRequest")?;
    let cluster = places::cluster(call, asked.location(), asked.second())?.clone();
    let empty = Map::new();
    let update = body.get("update").and_then(Value::as_object).unwrap_or(&empty);
    let text = |field: &str| update.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
    if text("etag").is_some_and(|etag| etag != view::etag(&cluster.id, cluster.revision)) {
        return Err(Error::precondition("The etag of the cluster does not match its current one."));
    }
    if let Some(version) = text("desiredMasterVersion") {
        return upgrade_master(call, &cluster, version);
    }
    if let Some(given) = update.get("desiredNodePoolAutoscaling") {
        let pool = pool_of(call, &cluster, text("desiredNodePoolId"))?;
        return node_pools::auto_scale(call, &cluster, &pool, given);
    }
    if text("desiredNodeVersion").is_some() || text("desiredImageType").is_some() {
        let pool = pool_of(call, &cluster, text("desiredNodePoolId"))?;
        let version = match text("desiredNodeVersion") {
            Some(asked) => versions::node(asked, &cluster.version)?,
            None => pool.version.clone(),
        };
        let mut config = pool.config.clone();
        if let Some(image) = text("desiredImageType") {
            config.insert("imageType".to_owned(), image.into());
        }
        let config = complete(Some(&Value::Object(config)))?;
        return node_pools::replace(call, &cluster, &pool, Target { version, config });
    }
    may_begin(call, &cluster, None, false)?;
    let change = if let Some(channel) = update.get("desiredReleaseChannel") {
        let channel = channel.get("channel").and_then(Value::as_str).unwrap_or_default();
        Change::Channel(if channel == "UNSPECIFIED" { String::new() } else { channel.to_owned() })
    } else {
        let fields = update.iter().filter_map(|(field, value)| {
            let field = field.strip_prefix("desired")?;
            let (first, rest) = field.split_at_checked(1)?;
            Some((format!("{}{rest}", first.to_lowercase()), value.clone()))
        });
        let fields: Map<String, Value> = fields.collect();
        if fields.is_empty() {
            return Err(Error::invalid("Must specify a field to update."));
        }
        Change::Cluster(fields)
    };
    let place = (cluster.location.as_str(), cluster.name.as_str(), None);
    Ok(begin(call, "UPDATE_CLUSTER", place, Step::Change(change), SETTING))
}

/// The pool that is named, or the only one.
fn pool_of(call: &Call<'_>, cluster: &Cluster, named: Option<&str>) -> Result<super::state::NodePool> {
    match (named, cluster.pools.as_slice()) {
        (Some(name), _) => places::pool(call, cluster, name).cloned(),
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(Error::invalid("desired_node_pool_id must be specified.")),
    }
}

/// The same by a call of its own.
pub(crate) fn update_master(call: &mut Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let body = asked.message("UpdateMasterRequest")?;
    let cluster = places::cluster(call, asked.location(), asked.second())?.clone();
    let version = body.get("masterVersion").and_then(Value::as_str).unwrap_or_default();
    upgrade_master(call, &cluster, version)
}

/// One minor version at a time, never back to an older one.
fn upgrade_master(call: &mut Call<'_>, cluster: &Cluster, asked: &str) -> Result<Value> {
    let version = versions::master(asked, &cluster.channel)?.to_owned();
    let (current, wanted) = (versions::minor(&cluster.version), versions::minor(&version));
    if wanted > current + 1 {
        return Err(Error::invalid(format!(
            "Master cannot be upgraded to \"{version}\": cannot upgrade the master more than a minor version at a time."
        )));
    }
    if versions::order(&version) < versions::order(&cluster.version) {
        return Err(Error::invalid(format!(
            "Master cannot be downgraded from \"{}\" to \"{version}\".",
            cluster.version
        )));
    }
    if let Some(old) = cluster.pools.iter().find(|pool| versions::minor(&pool.version) + 2 < wanted) {
        return Err(Error::invalid(format!(
            "Node version \"{}\" must be within two minor versions of master version \"{version}\".",
            old.version
        )));
    }
    may_begin(call, cluster, None, false)?;
    let place = (cluster.location.as_str(), cluster.name.as_str(), None);
    Ok(begin(call, "UPGRADE_MASTER", place, Step::Master(version), UPGRADING))
}

/// Replaces all labels; the fingerprint must be that of the present ones.
///
/// Words: <https://github.com/crossplane-contrib/provider-gcp/issues/477>.
pub(crate) fn set_labels(call: &mut Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let body = asked.message("SetLabelsRequest")?;
    let cluster = places::cluster(call, asked.location(), asked.second())?.clone();
    let given = body.get("labelFingerprint").and_then(Value::as_str).unwrap_or_default();
    let expected = view::label_fingerprint(&cluster.labels);
    if given != expected {
        return Err(Error::precondition(format!(
            "Labels could not be set due to fingerprint mismatch; try again with the proper fingerprint: incorrect \
             fingerprint supplied was \"{given}\", the expected one is \"{expected}\"."
        )));
    }
    let labels = clusters::labels(body.get("resourceLabels"))?;
    may_begin(call, &cluster, None, false)?;
    let place = (cluster.location.as_str(), cluster.name.as_str(), None);
    Ok(begin(call, "SET_LABELS", place, Step::Change(Change::Labels(labels)), LABELLING))
}

/// Sets one field by a call of its own.
pub(crate) fn set(call: &mut Call<'_>, asked: &Asked<'_>, message: &str, field: &str) -> Result<Value> {
    let body = asked.message(message)?;
    let cluster = places::cluster(call, asked.location(), asked.second())?.clone();
    may_begin(call, &cluster, None, false)?;
    let value = body.get(field).cloned().unwrap_or_default();
    let change = Change::Cluster(Map::from_iter([(field.to_owned(), value)]));
    let kind = if field == "maintenancePolicy" { "SET_MAINTENANCE_POLICY" } else { "UPDATE_CLUSTER" };
    let place = (cluster.location.as_str(), cluster.name.as_str(), None);
    Ok(begin(call, kind, place, Step::Change(change), SETTING))
}
