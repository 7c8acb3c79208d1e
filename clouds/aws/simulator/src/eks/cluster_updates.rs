//! What changes a cluster that stands: its configuration and its version. One update at a time.
//!
//! Sources: <https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateClusterConfig.html>,
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateClusterVersion.html>,
//! <https://docs.aws.amazon.com/eks/latest/userguide/update-cluster.html>; wording:
//! <https://github.com/aws/aws-cdk/issues/33452> (busy), <https://github.com/rancher/rancher/issues/26908> (hops),
//! <https://github.com/hashicorp/terraform-provider-aws/issues/19478> (node groups),
//! <https://github.com/hashicorp/terraform-provider-aws/issues/42031> (insights).

use std::time::Duration;

use serde_json::{Value, json};

use super::call::Call;
use super::error::{Code, Error, Result};
use super::request::Request;
use super::state::{Cluster, ClusterStep, Pending, Status};
use super::{clusters, insights, updates, versions, view};

/// How long the move to the next version usually takes.
const UPGRADE: Duration = Duration::from_mins(10);
/// How long a change of addresses, logs or access usually takes.
const CONFIGURE: Duration = Duration::from_secs(50);
/// How long a change that concerns EKS' own record alone takes.
const RECORD: Duration = Duration::from_secs(5);

/// What is to be changed: the kind of update, its parameters, how long it takes.
struct Change {
    kind: &'static str,
    params: Vec<(&'static str, String)>,
    usual: Duration,
}

/// `UpdateClusterConfig`.
pub(crate) fn configure(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    let cluster = call.eks().cluster(request.name(0))?.clone();
    let name = cluster.name.clone();
    let change = change(call, &cluster, request).map_err(|error| error.cluster(&name))?;
    begin(call, &cluster, request, change)
}

/// `UpdateClusterVersion`.
pub(crate) fn upgrade(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    let cluster = call.eks().cluster(request.name(0))?.clone();
    let version = request.body().required_text("version")?;
    let force = request.body().truth("force")?.unwrap_or(false);
    let repeated =
        updates::repeated(&cluster.updates, request.token()?.as_deref(), "VersionUpdate").is_some();
    if !repeated && !busy(&cluster) {
        check_hop(&cluster, &version, force).map_err(|error| error.cluster(&cluster.name))?;
    }
    let platform = versions::find(&version).map(versions::Version::platform_version).unwrap_or_default();
    let params = vec![("Version", version), ("PlatformVersion", platform)];
    begin(call, &cluster, request, Change { kind: "VersionUpdate", params, usual: UPGRADE })
}

fn busy(cluster: &Cluster) -> bool {
    cluster.status != Status::Active
}

/// Begins an update, or answers the one that the same request began before.
fn begin(call: &mut Call<'_>, cluster: &Cluster, request: &Request, change: Change) -> Result<Value> {
    let token = request.token()?;
    if let Some(known) = updates::repeated(&cluster.updates, token.as_deref(), change.kind) {
        return Ok(json!({"update": view::update(known)}));
    }
    refuse_busy(cluster, change.kind)?;
    let failing = call.effects.fail_while_creating().map(|code| code.unwrap_or("Unknown").to_owned());
    let update = updates::new(call, change.kind, change.params, token);
    let shown = view::update(&update);
    let step = match failing {
        Some(code) => ClusterStep::FailUpdate(update.id.clone(), code),
        None => ClusterStep::Update(update.id.clone()),
    };
    let due = call.due(&cluster.name, change.usual);
    let cluster = call.eks_mut().cluster_mut(&cluster.name)?;
    cluster.status = Status::Updating;
    cluster.pending = Some(Pending { due, step });
    cluster.updates.push(update);
    Ok(json!({"update": shown}))
}

fn refuse_busy(cluster: &Cluster, kind: &str) -> Result<()> {
    if !busy(cluster) {
        return Ok(());
    }
    let name = &cluster.name;
    let words = match cluster.updates.iter().find(|update| update.in_progress()) {
        Some(update) => {
            format!("Cannot {kind} because cluster {name} currently has update {} in progress", update.id)
        }
        None => {
            format!("Cannot {kind} because cluster {name} is currently in status {}", cluster.status.word())
        }
    };
    Err(Error::in_use(words).cluster(name))
}

/// The next minor version only, every managed node group at the present one, and no insight that blocks.
fn check_hop(cluster: &Cluster, version: &str, force: bool) -> Result<()> {
    let target = versions::find_supported(version)
        .ok_or_else(|| Error::parameter("unsupported Kubernetes version"))?;
    let present = versions::find(&cluster.version).map(|version| version.minor).unwrap_or_default();
    if target.minor != present + 1 {
        let from = &cluster.version;
        return Err(Error::parameter(format!(
            "Unsupported Kubernetes minor version update from {from} to {version}"
        )));
    }
    let behind: Vec<&str> = cluster
        .node_groups
        .values()
        .filter(|group| group.version.as_ref().is_some_and(|version| *version != cluster.version))
        .map(|group| group.name.as_str())
        .collect();
    if !behind.is_empty() {
        return Err(Error::request(format!(
            "Nodegroups {} must be updated to match cluster version {} before updating cluster version",
            behind.join(", "),
            cluster.version
        )));
    }
    if !force && insights::blocks(cluster, version) {
        return Err(Error::new(
            Code::InvalidState,
            "Upgrade readiness issues detected. Call the EKS ListInsights API to view upgrade blocking issues \
             detected by EKS. Pass the force flag to override upgrade readiness errors and proceed with upgrade.",
        ));
    }
    Ok(())
}

/// What the request changes; exactly one kind of change.
fn change(call: &Call<'_>, cluster: &Cluster, request: &Request) -> Result<Change> {
    let body = request.body();
    let known = ["resourcesVpcConfig", "logging", "accessConfig", "upgradePolicy", "deletionProtection"];
    let unknown = [
        "zonalShiftConfig",
        "computeConfig",
        "kubernetesNetworkConfig",
        "storageConfig",
        "remoteNetworkConfig",
        "controlPlaneScalingConfig",
    ];
    if let Some(unknown) = unknown.iter().find(|name| body.get(name).is_some()) {
        return Err(Error::parameter(format!("The simulated EKS cannot change {unknown}.")));
    }
    let given: Vec<&str> = known.into_iter().filter(|name| body.get(name).is_some()).collect();
    match given.as_slice() {
        [] => Err(Error::parameter("No update is specified.")),
        ["resourcesVpcConfig"] => vpc_change(call, cluster, request),
        ["logging"] => logging_change(cluster, request),
        ["accessConfig"] => access_change(cluster, request),
        ["upgradePolicy"] => policy_change(cluster, request),
        ["deletionProtection"] => {
            let wanted = body.truth("deletionProtection")?.unwrap_or(false);
            let params = vec![("DeletionProtection", wanted.to_string())];
            Ok(Change { kind: "DeletionProtectionUpdate", params, usual: RECORD })
        }
        _ => Err(Error::parameter("Only one type of update can be allowed.")),
    }
}

fn vpc_change(call: &Call<'_>, cluster: &Cluster, request: &Request) -> Result<Change> {
    let config = request.body().object("resourcesVpcConfig")?;
    let config = config.ok_or_else(|| Error::parameter("resourcesVpcConfig is required."))?;
    let (subnets, groups) = (config.texts("subnetIds")?, config.texts("securityGroupIds")?);
    if !subnets.is_empty() || !groups.is_empty() {
        call.check_subnets(&subnets, Some(&cluster.network.vpc))?;
        call.check_security_groups(&groups, &cluster.network.vpc)?;
        let params = [("Subnets", subnets), ("SecurityGroups", groups)];
        let given = params.into_iter().filter(|(_, ids)| !ids.is_empty());
        let params = given.map(|(name, ids)| (name, json!(ids).to_string())).collect();
        return Ok(Change { kind: "VpcConfigUpdate", params, usual: CONFIGURE });
    }
    let network = &cluster.network;
    let public = config.truth("endpointPublicAccess")?.unwrap_or(network.endpoint_public);
    let private = config.truth("endpointPrivateAccess")?.unwrap_or(network.endpoint_private);
    let mut cidrs = config.texts("publicAccessCidrs")?;
    if cidrs.is_empty() {
        cidrs.clone_from(&network.public_cidrs);
    }
    if !public && !private {
        return Err(Error::parameter("Private and public endpoint access cannot be false"));
    }
    if (public, private, &cidrs) == (network.endpoint_public, network.endpoint_private, &network.public_cidrs)
    {
        return Err(Error::parameter(format!(
            "Cluster is already at the desired configuration with endpointPrivateAccess: {private} , \
             endpointPublicAccess: {public}, and Public Endpoint Restrictions: [{}]",
            cidrs.join(", ")
        )));
    }
    let params = vec![
        ("EndpointPublicAccess", public.to_string()),
        ("EndpointPrivateAccess", private.to_string()),
        ("PublicAccessCidrs", json!(cidrs).to_string()),
    ];
    Ok(Change { kind: "EndpointAccessUpdate", params, usual: CONFIGURE })
}

fn logging_change(cluster: &Cluster, request: &Request) -> Result<Change> {
    let body = request.body();
    let named: Vec<String> = match body.object("logging")? {
        Some(logging) => {
            let sets = logging.list("clusterLogging")?.iter();
            sets.filter_map(|set| set.get("types")?.as_array())
                .flatten()
                .filter_map(|kind| kind.as_str().map(str::to_owned))
                .collect()
        }
        None => Vec::new(),
    };
    let on = clusters::enabled_logs(body)?.unwrap_or_default();
    // Kinds that the request does not name stay as they are.
    let kept = cluster.logging.iter().filter(|kind| !named.contains(kind)).cloned();
    let mut wanted: Vec<String> = kept.chain(on).collect();
    wanted.sort();
    wanted.dedup();
    let mut present = cluster.logging.clone();
    present.sort();
    if wanted == present {
        return Err(Error::parameter("No changes needed for the logging config provided"));
    }
    let params = vec![("ClusterLogging", view::logging(&wanted).to_string())];
    Ok(Change { kind: "LoggingUpdate", params, usual: CONFIGURE })
}

/// Modes only go from the `ConfigMap` to the API, one step at a time.
fn access_change(cluster: &Cluster, request: &Request) -> Result<Change> {
    let config = request.body().object("accessConfig")?;
    let wanted = config.map(|config| config.text("authenticationMode")).transpose()?.flatten();
    let wanted = wanted.ok_or_else(|| Error::parameter("authenticationMode is required."))?;
    clusters::check_mode(&wanted)?;
    let present = cluster.authentication_mode.as_str();
    match (present, wanted.as_str()) {
        ("CONFIG_MAP", "API_AND_CONFIG_MAP") | ("API_AND_CONFIG_MAP", "API") => {}
        (present, wanted) => {
            return Err(Error::parameter(format!(
                "Unsupported authentication mode update from {present} to {wanted}"
            )));
        }
    }
    Ok(Change { kind: "AccessConfigUpdate", params: vec![("AuthenticationMode", wanted)], usual: CONFIGURE })
}

/// Source: <https://docs.aws.amazon.com/eks/latest/userguide/disable-extended-support.html>.
fn policy_change(cluster: &Cluster, request: &Request) -> Result<Change> {
    let wanted = clusters::support_type(request.body())?;
    let wanted = wanted.ok_or_else(|| Error::parameter("supportType is required."))?;
    if wanted == cluster.support_type {
        return Err(Error::parameter(format!("Cluster is already at the desired support type {wanted}")));
    }
    let extended = versions::find(&cluster.version)
        .is_some_and(|version| version.support == versions::Support::Extended);
    if wanted == "STANDARD" && extended {
        return Err(Error::parameter(
            "Extended support cannot be disabled for a cluster that runs a version in extended support.",
        ));
    }
    let params = vec![("UpgradePolicy", json!({"supportType": wanted}).to_string())];
    Ok(Change { kind: "UpgradePolicyUpdate", params, usual: RECORD })
}

/// What an update that ends well has changed. The parameters of the update say it.
pub(crate) fn apply(cluster: &mut Cluster, params: &[(String, String)]) {
    let texts = |value: &str| serde_json::from_str::<Vec<String>>(value).unwrap_or_default();
    for (name, value) in params {
        match name.as_str() {
            "Version" => cluster.version.clone_from(value),
            "EndpointPublicAccess" => cluster.network.endpoint_public = value == "true",
            "EndpointPrivateAccess" => cluster.network.endpoint_private = value == "true",
            "PublicAccessCidrs" => cluster.network.public_cidrs = texts(value),
            "Subnets" => cluster.network.subnets = texts(value),
            "SecurityGroups" => cluster.network.security_groups = texts(value),
            "AuthenticationMode" => cluster.authentication_mode.clone_from(value),
            "DeletionProtection" => cluster.deletion_protection = value == "true",
            "ClusterLogging" => {
                let logging = serde_json::from_str::<Value>(value).unwrap_or_default();
                let sets = logging.get("clusterLogging").and_then(Value::as_array);
                let on = sets.into_iter().flatten();
                let on = on.filter(|set| set["enabled"] == true).filter_map(|set| set["types"].as_array());
                cluster.logging = on.flatten().filter_map(|kind| kind.as_str().map(str::to_owned)).collect();
            }
            "UpgradePolicy" => {
                let policy = serde_json::from_str::<Value>(value).unwrap_or_default();
                if let Some(kind) = policy.get("supportType").and_then(Value::as_str) {
                    kind.clone_into(&mut cluster.support_type);
                }
            }
            _ => {}
        }
    }
    // An insight is about the move to one version; once there it has nothing more to say.
    let version = cluster.version.clone();
    cluster.insights.retain(|insight| insight.kubernetes_version != version);
}
