//! Clusters: made, shown, listed and deleted.
//!
//! Sources: <https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html>,
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_DeleteCluster.html>; the wording of refusals is that of
//! logged answers in public issues (<https://github.com/terraform-aws-modules/terraform-aws-eks/issues/2406>,
//! <https://github.com/awsdocs/amazon-eks-user-guide/pull/795>, <https://github.com/gruntwork-io/cloud-nuke/issues/148>).

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::call::Call;
use super::error::{Code, Error, Result};
use super::request::{Fields, Request, page_of, page_of_names};
use super::state::{Cluster, ClusterNetwork, ClusterStep, Pending, Status};
use super::{tags, versions, view};
use crate::catalogue;

/// The one zone of the catalogue in which EKS puts no control plane.
/// Source: <https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html>.
const WITHOUT_CONTROL_PLANES: &str = "us-east-1e";
/// How long a control plane usually takes.
const MAKING: Duration = Duration::from_mins(9);
/// How long its deletion usually takes.
const DELETING: Duration = Duration::from_mins(4);
/// Source: <https://docs.aws.amazon.com/eks/latest/userguide/service-quotas.html>.
const PER_REGION: usize = 100;

/// `CreateCluster`.
pub(crate) fn create(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    let name = request.body().required_text("name")?;
    if let Some(known) = repeated(call, request, &name)? {
        return Ok(json!({"cluster": view::cluster(known, &call.place.region)}));
    }
    let cluster = check(call, request, &name).map_err(|error| error.cluster(&name))?;
    let shown = view::cluster(&cluster, &call.place.region);
    call.eks_mut().clusters.insert(name, cluster);
    Ok(json!({"cluster": shown}))
}

/// The cluster that the same request made before.
fn repeated<'a>(call: &'a Call<'_>, request: &Request, name: &str) -> Result<Option<&'a Cluster>> {
    let Some(token) = request.token()? else { return Ok(None) };
    let known = call.eks().clusters.values().find(|cluster| cluster.token.as_deref() == Some(token.as_str()));
    match known {
        Some(cluster) if cluster.request == request.essence() => Ok(Some(cluster)),
        Some(_) => {
            let words = "The clientRequestToken was already used by a request with other parameters.";
            Err(Error::parameter(words).cluster(name))
        }
        None => Ok(None),
    }
}

fn check(call: &mut Call<'_>, request: &Request, name: &str) -> Result<Cluster> {
    let body = request.body();
    check_name(name)?;
    let tags = body.map("tags")?;
    tags::check(&tags)?;
    if call.eks().clusters.contains_key(name) {
        return Err(Error::in_use(format!("Cluster already exists with name: {name}")));
    }
    if call.effects.quota() || call.eks().clusters.len() >= PER_REGION {
        return Err(Error::limit(format!("Cluster limit exceeded: {PER_REGION} clusters in this region.")));
    }
    let version = body.text("version")?.unwrap_or_else(|| versions::DEFAULT.to_owned());
    versions::find_supported(&version).ok_or_else(|| Error::parameter("unsupported Kubernetes version"))?;
    let role_arn = body.required_text("roleArn")?;
    call.check_cluster_role(&role_arn)?;
    let network = network(call, body, name)?;
    let access = access(body)?;
    let support_type = support_type(body)?.unwrap_or_else(|| "EXTENDED".to_owned());
    let logging = enabled_logs(body)?.unwrap_or_default();
    let step = match call.effects.fail_while_creating() {
        Some(code) => ClusterStep::FailCreate(code.unwrap_or("InternalFailure").to_owned()),
        None => ClusterStep::Create,
    };
    Ok(Cluster {
        arn: call.arn(&format!("cluster/{name}")),
        uid: call.world.random.hex(32).to_ascii_uppercase(),
        name: name.to_owned(),
        created_at: call.now.wall,
        status: Status::Creating,
        version,
        role_arn,
        creator: call.principal.clone(),
        network,
        logging,
        authentication_mode: access.0,
        bootstrap_admin: access.1,
        bootstrap_addons: body.truth("bootstrapSelfManagedAddons")?.unwrap_or(true),
        support_type,
        deletion_protection: body.truth("deletionProtection")?.unwrap_or(false),
        token: request.token()?,
        request: request.essence(),
        tags,
        issues: Vec::new(),
        shown_over: Map::new(),
        pending: Some(Pending { due: call.due(name, MAKING), step }),
        node_groups: BTreeMap::new(),
        fargate_profiles: BTreeMap::new(),
        addons: BTreeMap::new(),
        access_entries: BTreeMap::new(),
        updates: Vec::new(),
        insights: Vec::new(),
        endpoint: None,
    })
}

/// `^[0-9A-Za-z][A-Za-z0-9\-_]*`, at most 100 characters.
fn check_name(name: &str) -> Result<()> {
    let fine = name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.chars().all(|one| one.is_ascii_alphanumeric() || one == '-' || one == '_');
    if !fine || name.len() > 100 {
        return Err(Error::parameter(
            "The cluster name must begin with a letter or digit and can only contain letters, digits, hyphens and \
             underscores, at most 100 of them.",
        ));
    }
    Ok(())
}

fn network(call: &Call<'_>, body: Fields<'_>, name: &str) -> Result<ClusterNetwork> {
    let config = body
        .object("resourcesVpcConfig")?
        .ok_or_else(|| Error::parameter("resourcesVpcConfig is required."))?;
    let subnets = config.texts("subnetIds")?;
    let found = call.check_subnets(&subnets, None)?;
    let mut zones: Vec<&str> = found.iter().map(|subnet| subnet.zone.as_str()).collect();
    zones.sort_unstable();
    zones.dedup();
    if zones.contains(&WITHOUT_CONTROL_PLANES) {
        return Err(unsupported_zone(name));
    }
    if zones.len() < 2 {
        return Err(Error::parameter("Subnets specified must be in at least two different AZs"));
    }
    let vpc = found.first().map(|subnet| subnet.vpc.clone()).unwrap_or_default();
    let security_groups = config.texts("securityGroupIds")?;
    call.check_security_groups(&security_groups, &vpc)?;
    let endpoint_public = config.truth("endpointPublicAccess")?.unwrap_or(true);
    let endpoint_private = config.truth("endpointPrivateAccess")?.unwrap_or(false);
    if !endpoint_public && !endpoint_private {
        return Err(Error::parameter("Private and public endpoint access cannot be false"));
    }
    let mut public_cidrs = config.texts("publicAccessCidrs")?;
    if public_cidrs.is_empty() && endpoint_public {
        public_cidrs = vec!["0.0.0.0/0".to_owned()];
    }
    Ok(ClusterNetwork {
        service_cidr: service_cidr(call, body, &vpc)?,
        subnets,
        security_groups,
        vpc,
        cluster_security_group: None,
        interfaces: Vec::new(),
        endpoint_public,
        endpoint_private,
        public_cidrs,
    })
}

/// Source: <https://github.com/awsdocs/amazon-eks-user-guide/issues/8>.
fn unsupported_zone(name: &str) -> Error {
    let zones = catalogue::region("us-east-1").into_iter().flat_map(catalogue::CatalogueRegion::zones);
    let valid: Vec<String> =
        zones.map(|(zone, _)| zone).filter(|zone| zone != WITHOUT_CONTROL_PLANES).collect();
    let words = format!(
        "Cannot create cluster '{name}' because {WITHOUT_CONTROL_PLANES}, the targeted availability zone, does not \
         currently have sufficient capacity to support the cluster. Retry and choose from these availability zones: {}",
        valid.join(", ")
    );
    Error::new(Code::UnsupportedAvailabilityZone, words).valid_zones(&valid)
}

/// EKS takes whichever of 10.100.0.0/16 and 172.20.0.0/16 does not meet the network's own addresses.
fn service_cidr(call: &Call<'_>, body: Fields<'_>, vpc: &str) -> Result<String> {
    let asked = body.object("kubernetesNetworkConfig")?;
    if let Some(asked) = asked {
        if asked.text("ipFamily")?.is_some_and(|family| family != "ipv4") {
            return Err(Error::parameter("The simulated EKS makes clusters of ipFamily ipv4 only."));
        }
        if let Some(cidr) = asked.text("serviceIpv4Cidr")? {
            return Ok(cidr);
        }
    }
    let inside_ten = call.vpc_cidr(vpc).is_some_and(|cidr| cidr.starts_with("10."));
    Ok(if inside_ten { "172.20.0.0/16" } else { "10.100.0.0/16" }.to_owned())
}

/// Authentication mode and whether the creator becomes an administrator. The API's default mode is not the console's.
fn access(body: Fields<'_>) -> Result<(String, bool)> {
    let Some(config) = body.object("accessConfig")? else { return Ok(("CONFIG_MAP".to_owned(), true)) };
    let mode = config.text("authenticationMode")?.unwrap_or_else(|| "CONFIG_MAP".to_owned());
    check_mode(&mode)?;
    Ok((mode, config.truth("bootstrapClusterCreatorAdminPermissions")?.unwrap_or(true)))
}

/// Whether the word is an authentication mode.
pub(crate) fn check_mode(mode: &str) -> Result<()> {
    if ["API", "API_AND_CONFIG_MAP", "CONFIG_MAP"].contains(&mode) {
        return Ok(());
    }
    Err(Error::parameter(format!("The authenticationMode {mode} is not valid.")))
}

/// The support type of `upgradePolicy`, if it is given.
pub(crate) fn support_type(body: Fields<'_>) -> Result<Option<String>> {
    let Some(policy) = body.object("upgradePolicy")? else { return Ok(None) };
    let kind = policy.text("supportType")?;
    match kind.as_deref() {
        None | Some("STANDARD" | "EXTENDED") => Ok(kind),
        Some(other) => Err(Error::parameter(format!("The supportType {other} is not valid."))),
    }
}

/// The kinds of log that `logging` turns on, if it is given.
pub(crate) fn enabled_logs(body: Fields<'_>) -> Result<Option<Vec<String>>> {
    let Some(logging) = body.object("logging")? else { return Ok(None) };
    let mut enabled = Vec::new();
    for set in logging.list("clusterLogging")? {
        let set = Fields::of("clusterLogging", set)?;
        let types = set.texts("types")?;
        if let Some(unknown) = types.iter().find(|kind| !view::LOG_TYPES.contains(&kind.as_str())) {
            return Err(Error::parameter(format!("The log type {unknown} is not valid.")));
        }
        if set.truth("enabled")?.unwrap_or(false) {
            enabled.extend(types);
        }
    }
    Ok(Some(enabled))
}

/// `DescribeCluster`.
pub(crate) fn describe(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    Ok(json!({"cluster": view::cluster(call.eks().cluster(request.name(0))?, &call.place.region)}))
}

/// `ListClusters`.
pub(crate) fn list(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    page_of_names(request, "clusters", call.eks().clusters.keys())
}

/// `DeleteCluster`.
pub(crate) fn delete(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    let cluster = call.eks().cluster(request.name(0))?;
    let name = cluster.name.clone();
    let busy = |words: &str| Err(Error::in_use(words).cluster(&name));
    if cluster.deletion_protection {
        let words =
            "Deletion protection is enabled on the cluster. Disable it before you delete the cluster.";
        return Err(Error::request(words).cluster(&name));
    }
    if !cluster.node_groups.is_empty() {
        return busy("Cluster has nodegroups attached");
    }
    if !cluster.fargate_profiles.is_empty() {
        return busy("Cluster has Fargate profiles attached");
    }
    match cluster.status {
        Status::Creating => return busy(&format!("Cannot delete because cluster {name} is being created")),
        Status::Updating => {
            let update = cluster.updates.iter().find(|update| update.in_progress());
            let id = update.map(|update| update.id.clone()).unwrap_or_default();
            return busy(&format!(
                "Cannot delete because cluster {name} currently has update {id} in progress"
            ));
        }
        Status::Deleting => {}
        _ => {
            let due = call.due(&name, DELETING);
            let cluster = call.eks_mut().cluster_mut(&name)?;
            cluster.status = Status::Deleting;
            cluster.pending = Some(Pending { due, step: ClusterStep::Delete });
        }
    }
    Ok(json!({"cluster": view::cluster(call.eks().cluster(&name)?, &call.place.region)}))
}

/// `DescribeClusterVersions`.
pub(crate) fn describe_versions(request: &Request) -> Result<Value> {
    let default_only = request.query("defaultOnly") == Some("true");
    let all = request.query("includeAll") == Some("true");
    let (names, status) = (request.queries("clusterVersions"), request.query("versionStatus"));
    let old_status = request.query("status");
    if let Some(unknown) = names.iter().find(|name| versions::find(name).is_none()) {
        return Err(Error::parameter(format!("The specified cluster version {unknown} is not valid.")));
    }
    let shown = versions::ALL
        .iter()
        .filter(|version| !default_only || version.name() == versions::DEFAULT)
        .filter(|version| names.is_empty() || names.contains(&version.name()))
        .filter(|version| status.is_none_or(|status| status == version.support.word()))
        .filter(|version| old_status.is_none_or(|status| status == version.support.old_word()))
        .filter(|version| {
            let asked_for = !names.is_empty() || status.is_some() || old_status.is_some();
            all || asked_for || version.support != versions::Support::Unsupported
        })
        .enumerate()
        .map(|(number, version)| (format!("{number:03}"), version.view()));
    page_of(request, "clusterVersions", shown.collect())
}
