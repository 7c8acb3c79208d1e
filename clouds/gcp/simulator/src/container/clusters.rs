//! Clusters: made, read, listed, deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::operations::{begin, may_begin};
use super::pool_config::{new_pool, whole};
use super::state::{Cluster, Status, Step};
use super::{Asked, places, quota, versions, view};
use crate::call::Call;
use crate::catalogue;
use crate::compute::{add_secondary_range, free_block, key, last, link};
use crate::error::{Code, Error, Result};

/// How long a control plane takes: of a zone, and of a region.
const CONTROL_PLANE: (Duration, Duration) = (Duration::from_secs(240), Duration::from_secs(330));
/// How long a deletion takes.
const DELETING: Duration = Duration::from_secs(190);
/// What has a field of its own, or what GKE alone says.
const OWN: [&str; 30] = [
    "name",
    "initialNodeCount",
    "nodeConfig",
    "nodePools",
    "initialClusterVersion",
    "releaseChannel",
    "network",
    "subnetwork",
    "resourceLabels",
    "locations",
    "ipAllocationPolicy",
    "clusterIpv4Cidr",
    "id",
    "etag",
    "status",
    "statusMessage",
    "conditions",
    "endpoint",
    "createTime",
    "expireTime",
    "currentMasterVersion",
    "currentNodeVersion",
    "currentNodeCount",
    "servicesIpv4Cidr",
    "instanceGroupUrls",
    "selfLink",
    "zone",
    "location",
    "nodeIpv4CidrSize",
    "labelFingerprint",
];

/// Begins a cluster with its node pools.
pub(crate) fn create(call: &mut Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let body = asked.message("CreateClusterRequest")?;
    let given = body.get("cluster").and_then(Value::as_object);
    let given = given.ok_or_else(|| Error::invalid("Cluster must be specified."))?;
    let name = given.get("name").and_then(Value::as_str).unwrap_or_default();
    places::new_name("cluster.name", name)?;
    let mut cluster = described(call, asked.location(), name, given)?;
    let pools = pools(given)?;
    for pool in &pools {
        let made = new_pool(call, &cluster, pool)?;
        if cluster.pool(&made.name).is_some() {
            return Err(Error::invalid(format!("Node pool name \"{}\" is used twice.", made.name)));
        }
        let nodes = made.size.saturating_mul(u32::try_from(made.groups.len()).unwrap_or(1));
        quota::check(call, cluster.region(), &made, nodes)?;
        cluster.pools.push(made);
    }
    cluster.initial_node_count = cluster.pools.first().map_or(0, |pool| i64::from(pool.initial_node_count));
    take_ranges(call, &mut cluster, given)?;
    let regional = catalogue::region(asked.location()).is_some();
    let usual = if regional { CONTROL_PLANE.1 } else { CONTROL_PLANE.0 };
    let step = match call.effects.fail_while_creating() {
        Some(code) => Step::FailCreation(code.unwrap_or("INTERNAL").to_owned()),
        None => Step::ControlPlane { stockout: call.effects.insufficient_capacity() },
    };
    let place = (cluster.location.clone(), cluster.name.clone());
    call.held_mut().container.clusters.insert(cluster.key(), cluster);
    Ok(begin(call, "CREATE_CLUSTER", (&place.0, &place.1, None), step, usual))
}

/// The pools that are asked for: some, or the `default-pool` of the older fields.
fn pools(given: &Map<String, Value>) -> Result<Vec<Map<String, Value>>> {
    let count = given.get("initialNodeCount").and_then(whole).unwrap_or(0);
    let listed = given.get("nodePools").and_then(Value::as_array).filter(|pools| !pools.is_empty());
    let Some(listed) = listed else {
        if count <= 0 {
            return Err(Error::invalid("Cluster.initial_node_count must be greater than zero."));
        }
        let mut pool = Map::from_iter([
            ("name".to_owned(), "default-pool".into()),
            ("initialNodeCount".to_owned(), count.into()),
        ]);
        if let Some(config) = given.get("nodeConfig") {
            pool.insert("config".to_owned(), config.clone());
        }
        return Ok(vec![pool]);
    };
    if count != 0 || given.contains_key("nodeConfig") {
        return Err(Error::invalid(
            "Cluster.node_pools cannot be specified together with Cluster.initial_node_count or Cluster.node_config.",
        ));
    }
    Ok(listed.iter().filter_map(|pool| pool.as_object().cloned()).collect())
}

fn described(call: &mut Call<'_>, location: &str, name: &str, given: &Map<String, Value>) -> Result<Cluster> {
    let text = |field: &str| given.get(field).and_then(Value::as_str).unwrap_or_default();
    let mut zones = places::zones(location)?;
    if let Some(wanted) = given.get("locations").and_then(Value::as_array).filter(|wanted| !wanted.is_empty())
    {
        zones = wanted.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let region = catalogue::region_of(location).map_or(location, |region| region.name);
        let fits = |zone: &String| catalogue::region_of(zone).is_some_and(|known| known.name == region);
        if !zones.iter().all(fits) {
            return Err(Error::invalid(format!("Cluster.locations must lie in region \"{region}\".")));
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = zones.iter().find(|zone| !seen.insert(zone.as_str())) {
            return Err(Error::invalid(format!("Cluster.locations has the zone \"{twice}\" twice.")));
        }
    }
    if call.held().container.clusters.contains_key(&format!("{location}/{name}")) {
        let place = places::path(call.project, location);
        return Err(Error::new(Code::AlreadyExists, format!("Already exists: {place}/clusters/{name}.")));
    }
    let channel =
        given.get("releaseChannel").and_then(|channel| channel.get("channel")).and_then(Value::as_str);
    let asked_version = text("initialClusterVersion");
    let channel = match channel {
        Some("UNSPECIFIED") => "",
        Some(channel) => channel,
        None if asked_version.is_empty() || asked_version == "-" => "REGULAR",
        None => versions::channel_of(asked_version),
    };
    let version = versions::master(asked_version, channel)?;
    let labels = labels(given.get("resourceLabels"))?;
    let (network, subnetwork) = network(call, location, text("network"), text("subnetwork"))?;
    let mut asked = given.clone();
    asked.retain(|field, value| !OWN.contains(&field.as_str()) && !value.is_null());
    let random = &mut call.world.random;
    Ok(Cluster {
        name: name.to_owned(),
        location: location.to_owned(),
        id: random.hex(64),
        created: call.now.wall,
        status: Status::Provisioning,
        conditions: Vec::new(),
        shown_over: Map::new(),
        asked,
        version: version.to_owned(),
        initial_version: version.to_owned(),
        channel: channel.to_owned(),
        network,
        subnetwork,
        labels,
        zones,
        pods: Default::default(),
        services: "34.118.224.0/20".to_owned(),
        pools: Vec::new(),
        initial_node_count: 0,
        hash: random.hex(8),
        revision: 0,
        endpoint: None,
    })
}

/// Labels as a map; Google's rules hold for keys and values.
///
/// # Errors
/// 400 for a label that cannot be.
///
/// Source: <https://cloud.google.com/resource-manager/docs/labels-overview#requirements>.
pub(crate) fn labels(given: Option<&Value>) -> Result<BTreeMap<String, String>> {
    let members = given.and_then(Value::as_object).into_iter().flatten();
    let fits = |text: &str| {
        text.len() <= 63
            && text
                .chars()
                .all(|c| c == '-' || c == '_' || c.is_numeric() || (c.is_alphabetic() && !c.is_uppercase()))
    };
    let mut labels = BTreeMap::new();
    for (key, value) in members {
        let value = value.as_str().unwrap_or_default();
        if !fits(key) || !fits(value) || !key.starts_with(|c: char| c.is_alphabetic()) {
            return Err(Error::invalid(format!(
                "Invalid resource label \"{key}\": \"{value}\". Keys and values must be at most 63 characters of \
                 lowercase letters, numbers, underscores and dashes."
            )));
        }
        labels.insert(key.clone(), value.to_owned());
    }
    if labels.len() > 64 {
        return Err(Error::invalid("A cluster may have at most 64 resource labels."));
    }
    Ok(labels)
}

/// Network and subnetwork by name, which must be there, in the cluster's region.
fn network(call: &Call<'_>, location: &str, network: &str, subnetwork: &str) -> Result<(String, String)> {
    let resources = &call.held().compute.resources;
    let network = if network.is_empty() { "default" } else { last(network) };
    let found = resources.get(&key("networks", "global", network));
    let found = found.ok_or_else(|| {
        Error::invalid(format!("Project \"{}\" has no network named \"{network}\".", call.project))
    })?;
    let auto = found.body.get("autoCreateSubnetworks") == Some(&Value::Bool(true));
    let region = catalogue::region_of(location).map_or(location, |region| region.name);
    let name = match (subnetwork, auto) {
        ("", true) => network,
        ("", false) => {
            return Err(Error::invalid(format!(
                "Network \"{network}\" is a custom mode network, so a subnetwork must be specified."
            )));
        }
        (subnetwork, _) => last(subnetwork),
    };
    let subnet = resources.get(&key("subnetworks", &format!("regions/{region}"), name));
    let own = link(&found.path(call.project));
    if subnet.is_none_or(|subnet| subnet.text("network") != own) {
        let path = format!("projects/{}/regions/{region}/subnetworks/{name}", call.project);
        return Err(Error::invalid(format!("Subnetwork \"{path}\" not found in network \"{network}\".")));
    }
    if let Some(busy) = subnet.filter(|subnet| subnet.busy.is_some()) {
        return Err(Error::invalid(format!("The resource '{}' is not ready", busy.path(call.project))));
    }
    Ok((network.to_owned(), name.to_owned()))
}

/// The range of pods: the one that is named, or one that GKE makes in the user's subnetwork.
fn take_ranges(call: &mut Call<'_>, cluster: &mut Cluster, given: &Map<String, Value>) -> Result<()> {
    let policy = given.get("ipAllocationPolicy").and_then(Value::as_object).cloned().unwrap_or_default();
    let text = |field: &str| policy.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let held = key("subnetworks", &format!("regions/{}", cluster.region()), &cluster.subnetwork);
    if !text("servicesIpv4CidrBlock").is_empty() {
        cluster.services = text("servicesIpv4CidrBlock");
    }
    let named = text("clusterSecondaryRangeName");
    if !named.is_empty() {
        let subnet = call.held().compute.resources.get(&held);
        let ranges = subnet.and_then(|subnet| subnet.body.get("secondaryIpRanges")?.as_array().cloned());
        let found = ranges.into_iter().flatten().find(|range| range["rangeName"] == named.as_str());
        let found = found.ok_or_else(|| {
            Error::invalid(format!(
                "Pod secondary range \"{named}\" does not exist in subnetwork \"{}\".",
                cluster.subnetwork
            ))
        })?;
        cluster.pods = (found["ipCidrRange"].as_str().unwrap_or_default().to_owned(), named, false);
        return Ok(());
    }
    let asked = Some(text("clusterIpv4CidrBlock"))
        .filter(|block| !block.is_empty())
        .or_else(|| given.get("clusterIpv4Cidr").and_then(Value::as_str).map(str::to_owned))
        .unwrap_or_default();
    let block = match asked.strip_prefix('/').map(str::parse::<u8>) {
        None if !asked.is_empty() => Some(asked.clone()),
        bits => {
            let bits = bits.and_then(std::result::Result::ok).unwrap_or(14);
            let network = link(&format!("projects/{}/global/networks/{}", call.project, cluster.network));
            free_block(&call.held().compute, &network, bits).map(|block| block.to_string())
        }
    };
    let block = block.ok_or_else(|| {
        Error::invalid(format!(
            "The network \"{}\" does not have available private IP space in 10.0.0.0/8 to reserve a /14 block for pods \
             for cluster {{Zone: {}, ProjectName: {}, ClusterName: {}}}.",
            cluster.network, cluster.location, call.project, cluster.name
        ))
    })?;
    let name = format!("gke-{}-pods-{}", cluster.name, cluster.hash);
    add_secondary_range(&mut call.held_mut().compute, &held, &name, &block);
    cluster.pods = (block, name, true);
    Ok(())
}

/// Reads one.
pub(crate) fn get(call: &Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let cluster = places::cluster(call, asked.location(), asked.second())?;
    Ok(view::cluster(call, cluster))
}

/// All of a location, or of all of them.
pub(crate) fn list(call: &Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let wanted = asked.location();
    if wanted != "-" {
        places::zones(wanted)?;
    }
    let clusters = call.held().container.clusters.values();
    let clusters: Vec<Value> = clusters
        .filter(|cluster| wanted == "-" || cluster.location == wanted)
        .map(|cluster| view::cluster(call, cluster))
        .collect();
    Ok(if clusters.is_empty() { json!({}) } else { json!({"clusters": clusters}) })
}

/// Begins the end of one. Its nodes begin to go at once.
pub(crate) fn delete(call: &mut Call<'_>, asked: &Asked<'_>) -> Result<Value> {
    let cluster = places::cluster(call, asked.location(), asked.second())?.clone();
    may_begin(call, &cluster, None, true)?;
    if !call.effects.never_finish() {
        for group in cluster.pools.iter().flat_map(|pool| pool.group_keys()) {
            crate::compute::delete_group(call.world, call.project, &group, call.now);
        }
    }
    if let Some(cluster) = call.held_mut().container.clusters.get_mut(&cluster.key()) {
        cluster.status = Status::Stopping;
        for pool in &mut cluster.pools {
            pool.status = Status::Stopping;
        }
    }
    let place = (cluster.location.as_str(), cluster.name.as_str(), None);
    Ok(begin(call, "DELETE_CLUSTER", place, Step::DeleteCluster, DELETING))
}
