//! EKS' resources as the API shows them. Pure functions from state to JSON; a member without a value is left out.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::state::{
    AccessEntry, AccessPolicy, Addon, Cluster, FargateProfile, Insight, Issue, NodeGroup, Scaling, Status,
    Update,
};
use super::versions;

/// Every kind of control plane log.
pub(crate) const LOG_TYPES: [&str; 5] = ["api", "audit", "authenticator", "controllerManager", "scheduler"];

/// Seconds since 1970 with milliseconds, as the REST-JSON protocol writes dates.
pub(crate) fn seconds(time: Timestamp) -> Value {
    let milliseconds = time.as_millisecond();
    let whole = milliseconds.div_euclid(1000);
    let rest = milliseconds.rem_euclid(1000);
    // A decimal text is exact where a division of floats is not.
    serde_json::from_str(&format!("{whole}.{rest:03}")).unwrap_or_else(|_| json!(whole))
}

/// An object without the members that have no value.
fn object(members: Vec<(&str, Value)>) -> Value {
    let kept = members.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(kept.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}

/// What is shown with what a test wants to be shown over it.
fn with_over(mut own: Value, over: &Map<String, Value>) -> Value {
    if let Some(members) = own.as_object_mut() {
        members.extend(over.clone());
    }
    own
}

fn issues(issues: &[Issue]) -> Value {
    issues
        .iter()
        .map(|issue| json!({"code": issue.code, "message": issue.message, "resourceIds": issue.resource_ids}))
        .collect()
}

/// A cluster.
pub(crate) fn cluster(cluster: &Cluster, region: &str) -> Value {
    // A control plane is only said to stand when its endpoint answers.
    let ready = cluster.endpoint.is_some();
    let status = if cluster.status == Status::Active && !ready { Status::Creating } else { cluster.status };
    let issuer = format!("https://oidc.eks.{region}.amazonaws.com/id/{}", cluster.uid);
    let endpoint = cluster.endpoint.as_ref();
    let authority = endpoint.map_or(json!({}), |endpoint| json!({"data": endpoint.certificate_authority}));
    let platform = versions::find(&cluster.version).map(versions::Version::platform_version);
    let own = object(vec![
        ("name", json!(cluster.name)),
        ("arn", json!(cluster.arn)),
        ("createdAt", seconds(cluster.created_at)),
        ("version", json!(cluster.version)),
        ("endpoint", json!(endpoint.map(|endpoint| &endpoint.url))),
        ("roleArn", json!(cluster.role_arn)),
        ("resourcesVpcConfig", network(cluster)),
        (
            "kubernetesNetworkConfig",
            json!({"serviceIpv4Cidr": cluster.network.service_cidr, "ipFamily": "ipv4",
                   "elasticLoadBalancing": {"enabled": false}}),
        ),
        ("logging", logging(&cluster.logging)),
        ("identity", if ready { json!({"oidc": {"issuer": issuer}}) } else { Value::Null }),
        ("status", json!(status.word())),
        ("certificateAuthority", authority),
        ("clientRequestToken", json!(cluster.token)),
        ("platformVersion", json!(platform)),
        ("tags", json!(cluster.tags)),
        ("health", json!({"issues": issues(&cluster.issues)})),
        (
            "accessConfig",
            json!({"bootstrapClusterCreatorAdminPermissions": cluster.bootstrap_admin,
                   "authenticationMode": cluster.authentication_mode}),
        ),
        ("upgradePolicy", json!({"supportType": cluster.support_type})),
        ("deletionProtection", json!(cluster.deletion_protection)),
    ]);
    with_over(own, &cluster.shown_over)
}

fn network(cluster: &Cluster) -> Value {
    let network = &cluster.network;
    object(vec![
        ("subnetIds", json!(network.subnets)),
        ("securityGroupIds", json!(network.security_groups)),
        ("clusterSecurityGroupId", json!(network.cluster_security_group)),
        ("vpcId", json!(network.vpc)),
        ("endpointPublicAccess", json!(network.endpoint_public)),
        ("endpointPrivateAccess", json!(network.endpoint_private)),
        ("publicAccessCidrs", json!(network.public_cidrs)),
    ])
}

/// Which logs are on and which are off, as two sets of which an empty one is left out.
pub(crate) fn logging(enabled: &[String]) -> Value {
    let (on, off): (Vec<&str>, Vec<&str>) =
        LOG_TYPES.iter().partition(|kind| enabled.iter().any(|known| known == **kind));
    let mut sets = Vec::new();
    if !on.is_empty() {
        sets.push(json!({"types": on, "enabled": true}));
    }
    if !off.is_empty() {
        sets.push(json!({"types": off, "enabled": false}));
    }
    json!({"clusterLogging": sets})
}

/// A node group whose limits are what its Auto Scaling group says at the moment.
pub(crate) fn node_group(group: &NodeGroup, cluster: &str, live: Scaling) -> Value {
    let remote = group.remote_access.as_ref().map(|remote| {
        let sources = (!remote.source_groups.is_empty()).then_some(&remote.source_groups);
        object(vec![("ec2SshKey", json!(remote.key)), ("sourceSecurityGroups", json!(sources))])
    });
    let template = group
        .launch_template
        .as_ref()
        .map(|template| json!({"id": template.id, "name": template.name, "version": template.version}));
    let resources = group.auto_scaling_group.as_ref().map(|name| {
        object(vec![
            ("autoScalingGroups", json!([{"name": name}])),
            ("remoteAccessSecurityGroup", json!(group.remote_access_group)),
        ])
    });
    let types = (!group.instance_types.is_empty()).then_some(&group.instance_types);
    let taints = (!group.taints.is_empty()).then_some(&group.taints);
    let own = object(vec![
        ("nodegroupName", json!(group.name)),
        ("nodegroupArn", json!(group.arn)),
        ("clusterName", json!(cluster)),
        ("version", json!(group.version)),
        ("releaseVersion", json!(group.release_version)),
        ("createdAt", seconds(group.created_at)),
        ("modifiedAt", seconds(group.modified_at)),
        ("status", json!(group.status.word())),
        ("capacityType", json!(group.capacity_type)),
        ("scalingConfig", json!({"minSize": live.min, "maxSize": live.max, "desiredSize": live.desired})),
        ("instanceTypes", json!(types)),
        ("subnets", json!(group.subnets)),
        ("remoteAccess", json!(remote)),
        ("amiType", json!(group.ami_type)),
        ("nodeRole", json!(group.node_role)),
        ("labels", json!(group.labels)),
        ("taints", json!(taints)),
        ("resources", json!(resources)),
        ("diskSize", json!(group.disk_gib)),
        ("health", json!({"issues": issues(&group.issues)})),
        ("updateConfig", group.update_config.clone()),
        ("nodeRepairConfig", json!(group.node_repair)),
        ("launchTemplate", json!(template)),
        ("tags", json!(group.tags)),
    ]);
    with_over(own, &group.shown_over)
}

/// A Fargate profile.
pub(crate) fn fargate_profile(profile: &FargateProfile, cluster: &str) -> Value {
    json!({
        "fargateProfileName": profile.name,
        "fargateProfileArn": profile.arn,
        "clusterName": cluster,
        "createdAt": seconds(profile.created_at),
        "podExecutionRoleArn": profile.role_arn,
        "subnets": profile.subnets,
        "selectors": profile.selectors,
        "status": profile.status.word(),
        "tags": profile.tags,
        "health": {"issues": []},
    })
}

/// A managed add-on.
pub(crate) fn addon(addon: &Addon, cluster: &str) -> Value {
    let health = match (addon.status, &addon.failure) {
        (Status::Degraded, _) => {
            json!([{"code": "InsufficientNumberOfReplicas",
                "message": "The add-on is unhealthy because it doesn't have the desired number of replicas."}])
        }
        (Status::CreateFailed, Some(code)) => {
            json!([{"code": code, "message": "Conflicts found when trying to apply. Will not continue due to resolve \
                conflicts mode."}])
        }
        _ => json!([]),
    };
    object(vec![
        ("addonName", json!(addon.name)),
        ("clusterName", json!(cluster)),
        ("status", json!(addon.status.word())),
        ("addonVersion", json!(addon.version)),
        ("health", json!({"issues": health})),
        ("addonArn", json!(addon.arn)),
        ("createdAt", seconds(addon.created_at)),
        ("modifiedAt", seconds(addon.modified_at)),
        ("serviceAccountRoleArn", json!(addon.role_arn)),
        ("tags", json!(addon.tags)),
        ("configurationValues", json!(addon.configuration)),
    ])
}

/// An access entry.
pub(crate) fn access_entry(entry: &AccessEntry, cluster: &str) -> Value {
    json!({
        "clusterName": cluster,
        "principalArn": entry.principal,
        "kubernetesGroups": entry.groups,
        "accessEntryArn": entry.arn,
        "createdAt": seconds(entry.created_at),
        "modifiedAt": seconds(entry.modified_at),
        "tags": entry.tags,
        "username": entry.username,
        "type": entry.kind,
    })
}

/// An access policy of an entry.
pub(crate) fn access_policy(arn: &str, policy: &AccessPolicy) -> Value {
    json!({
        "policyArn": arn,
        "accessScope": policy.scope,
        "associatedAt": seconds(policy.associated_at),
        "modifiedAt": seconds(policy.modified_at),
    })
}

/// An update.
pub(crate) fn update(update: &Update) -> Value {
    let params: Value =
        update.params.iter().map(|(kind, value)| json!({"type": kind, "value": value})).collect();
    let errors: Value = update
        .errors
        .iter()
        .map(|error| {
            json!({"errorCode": error.code, "errorMessage": error.message, "resourceIds": error.resource_ids})
        })
        .collect();
    json!({
        "id": update.id,
        "status": update.status,
        "type": update.kind,
        "params": params,
        "createdAt": seconds(update.created_at),
        "errors": errors,
    })
}

/// An upgrade insight as a list shows it.
pub(crate) fn insight_summary(insight: &Insight) -> Value {
    json!({
        "id": insight.id,
        "name": insight.name,
        "category": "UPGRADE_READINESS",
        "kubernetesVersion": insight.kubernetes_version,
        "lastRefreshTime": seconds(insight.found_at),
        "lastTransitionTime": seconds(insight.found_at),
        "description": insight.description,
        "insightStatus": {"status": insight.status, "reason": insight.reason},
    })
}

/// An upgrade insight in full.
pub(crate) fn insight(insight: &Insight) -> Value {
    let mut view = insight_summary(insight);
    if let Some(members) = view.as_object_mut() {
        members.insert("recommendation".to_owned(), json!(insight.recommendation));
        members.insert("additionalInfo".to_owned(), json!({}));
        members.insert("resources".to_owned(), json!([]));
        members.insert("categorySpecificSummary".to_owned(), json!({"deprecationDetails": []}));
    }
    view
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_numbers_of_seconds() {
        let time: Timestamp = "2026-11-23T10:00:00.25Z".parse().unwrap();
        assert_eq!(seconds(time).to_string(), "1795428000.25");
        assert!(seconds(Timestamp::UNIX_EPOCH).is_number());
    }

    #[test]
    fn logs_are_told_apart() {
        let some = logging(&["api".to_owned()]);
        assert_eq!(some["clusterLogging"][0], json!({"types": ["api"], "enabled": true}));
        assert_eq!(some["clusterLogging"][1]["enabled"], false);
        assert_eq!(logging(&[])["clusterLogging"].as_array().map(Vec::len), Some(1));
    }
}
