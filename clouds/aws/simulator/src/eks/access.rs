//! Access entries and their policies: which IAM principals a cluster lets in, and as whom.
//!
//! Sources: <https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html>,
//! <https://docs.aws.amazon.com/eks/latest/userguide/access-policies.html>.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::call::Call;
use super::error::{Error, Result};
use super::request::{Request, page, page_of, page_of_names};
use super::state::{AccessEntry, AccessPolicy, Cluster, Tags};
use super::view;

/// The access policies of EKS that the simulator knows, the strongest first.
const POLICIES: [&str; 5] = [
    "AmazonEKSClusterAdminPolicy",
    "AmazonEKSAdminPolicy",
    "AmazonEKSAdminViewPolicy",
    "AmazonEKSEditPolicy",
    "AmazonEKSViewPolicy",
];

const KINDS: [&str; 7] =
    ["STANDARD", "FARGATE_LINUX", "EC2_LINUX", "EC2_WINDOWS", "EC2", "HYBRID_LINUX", "HYPERPOD_LINUX"];

/// The policy that lets a principal do everything in the cluster.
pub(crate) const CLUSTER_ADMIN: &str = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy";

fn policy_arn(name: &str) -> String {
    format!("arn:aws:eks::aws:cluster-access-policy/{name}")
}

/// Access entries work unless the cluster only reads its `ConfigMap`.
fn check_mode(cluster: &Cluster) -> Result<()> {
    if cluster.authentication_mode == "CONFIG_MAP" {
        let words = "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to \
                     perform this operation.";
        return Err(Error::request(words).cluster(&cluster.name));
    }
    Ok(())
}

fn find<'a>(cluster: &'a mut Cluster, principal: &str) -> Result<&'a mut AccessEntry> {
    let missing = Error::not_found(format!(
        "The specified principalArn could not be found. You can view your available access entries with \
         'list-access-entries'. ({principal})"
    ))
    .cluster(&cluster.name);
    cluster.access_entries.get_mut(principal).ok_or(missing)
}

/// `CreateAccessEntry`.
pub(crate) fn create(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    let body = request.body();
    let principal = body.required_text("principalArn")?;
    let kind = body.text("type")?.unwrap_or_else(|| "STANDARD".to_owned());
    let groups = body.texts("kubernetesGroups")?;
    let username = body.text("username")?;
    let tags = body.map("tags")?;
    let cluster = call.eks().cluster(request.name(0))?;
    check_mode(cluster)?;
    let name = cluster.name.clone();
    let wrong = |words: String| Error::parameter(words).cluster(&name);
    if !KINDS.contains(&kind.as_str()) {
        return Err(wrong(format!("The specified type {kind} is not valid.")));
    }
    if !call.principal_exists(&principal) {
        return Err(wrong("The specified principalArn is invalid: invalid principal.".to_owned()));
    }
    if let Some(group) = groups.iter().find(|group| group.starts_with("system:")) {
        let words = format!("The kubernetes group name {group} is invalid, it cannot start with system:");
        return Err(wrong(words));
    }
    if kind != "STANDARD" && (!groups.is_empty() || username.is_some()) {
        return Err(wrong(format!("The specified username and groups cannot be set for type {kind}.")));
    }
    let cluster = call.eks().cluster(&name)?;
    if cluster.access_entries.contains_key(&principal) {
        let words = "The specified access entry resource is already in use on this cluster.";
        return Err(Error::in_use(words).cluster(&name));
    }
    let mut entry = entry(call, &name, &principal, &kind);
    entry.tags = tags;
    entry.groups.extend(groups);
    entry.username = username.unwrap_or(entry.username);
    let shown = view::access_entry(&entry, &name);
    call.eks_mut().cluster_mut(&name)?.access_entries.insert(principal, entry);
    Ok(json!({"accessEntry": shown}))
}

/// An entry with what EKS fills in by itself.
pub(crate) fn entry(call: &mut Call<'_>, cluster: &str, principal: &str, kind: &str) -> AccessEntry {
    let now = call.now.wall;
    let mut parts = principal.splitn(6, ':');
    let account = parts.nth(4).unwrap_or_default().to_owned();
    let resource = parts.next().unwrap_or_default().to_owned();
    let (what, path) = resource.split_once('/').unwrap_or((resource.as_str(), ""));
    let short = path.rsplit('/').next().unwrap_or_default();
    let username = match (kind, what) {
        ("EC2_LINUX" | "EC2_WINDOWS" | "EC2", _) => "system:node:{{EC2PrivateDNSName}}".to_owned(),
        ("FARGATE_LINUX", _) => "system:node:{{SessionName}}".to_owned(),
        (_, "role") => format!("arn:aws:sts::{account}:assumed-role/{short}/{{{{SessionName}}}}"),
        _ => principal.to_owned(),
    };
    let groups = if kind == "STANDARD" { Vec::new() } else { vec!["system:nodes".to_owned()] };
    let id = call.world.random.uuid();
    AccessEntry {
        principal: principal.to_owned(),
        arn: call.arn(&format!("access-entry/{cluster}/{what}/{account}/{short}/{id}")),
        groups,
        username,
        kind: kind.to_owned(),
        created_at: now,
        modified_at: now,
        tags: Tags::new(),
        policies: BTreeMap::new(),
    }
}

/// The entry of whoever made the cluster, as an administrator.
pub(crate) fn creator_entry(call: &mut Call<'_>, cluster: &str, principal: &str) -> AccessEntry {
    let mut made = entry(call, cluster, principal, "STANDARD");
    let now = call.now.wall;
    let scope = json!({"type": "cluster", "namespaces": []});
    made.policies
        .insert(CLUSTER_ADMIN.to_owned(), AccessPolicy { scope, associated_at: now, modified_at: now });
    made
}

/// `DescribeAccessEntry`.
pub(crate) fn describe(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    let cluster = call.eks_mut().cluster_mut(request.name(0))?;
    check_mode(cluster)?;
    let name = cluster.name.clone();
    Ok(json!({"accessEntry": view::access_entry(find(cluster, request.name(1))?, &name)}))
}

/// `ListAccessEntries`.
pub(crate) fn list(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    let cluster = call.eks().cluster(request.name(0))?;
    check_mode(cluster)?;
    let policy = request.query("associatedPolicyArn");
    let wanted = cluster
        .access_entries
        .values()
        .filter(|entry| policy.is_none_or(|policy| entry.policies.contains_key(policy)));
    page_of_names(request, "accessEntries", wanted.map(|entry| &entry.principal))
}

/// `UpdateAccessEntry`.
pub(crate) fn update(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    let body = request.body();
    let groups =
        body.get("kubernetesGroups").is_some().then(|| body.texts("kubernetesGroups")).transpose()?;
    let username = body.text("username")?;
    let now = call.now.wall;
    let cluster = call.eks_mut().cluster_mut(request.name(0))?;
    check_mode(cluster)?;
    let name = cluster.name.clone();
    let entry = find(cluster, request.name(1))?;
    entry.groups = groups.unwrap_or_else(|| std::mem::take(&mut entry.groups));
    entry.username = username.unwrap_or_else(|| std::mem::take(&mut entry.username));
    entry.modified_at = now;
    Ok(json!({"accessEntry": view::access_entry(entry, &name)}))
}

/// `DeleteAccessEntry`.
pub(crate) fn delete(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    let cluster = call.eks_mut().cluster_mut(request.name(0))?;
    check_mode(cluster)?;
    find(cluster, request.name(1))?;
    cluster.access_entries.remove(request.name(1));
    Ok(json!({}))
}

/// `AssociateAccessPolicy`.
pub(crate) fn associate(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    let body = request.body();
    let policy = body.required_text("policyArn")?;
    let scope =
        body.object("accessScope")?.ok_or_else(|| Error::parameter("The accessScope cannot be empty."))?;
    let (kind, namespaces) = (scope.text("type")?.unwrap_or_default(), scope.texts("namespaces")?);
    let now = call.now.wall;
    let cluster = call.eks_mut().cluster_mut(request.name(0))?;
    check_mode(cluster)?;
    let name = cluster.name.clone();
    let wrong = |words: &str| Error::parameter(words).cluster(&name);
    if !POLICIES.iter().any(|known| policy_arn(known) == policy) {
        return Err(wrong("The policyArn parameter format is not valid"));
    }
    match (kind.as_str(), namespaces.is_empty()) {
        ("cluster", true) | ("namespace", false) => {}
        ("cluster", false) => {
            return Err(wrong("You cannot specify namespaces for the access scope type cluster."));
        }
        ("namespace", true) => {
            return Err(wrong("You must specify namespaces for the access scope type namespace."));
        }
        _ => return Err(wrong("The accessScope type must be one of [cluster, namespace].")),
    }
    let principal = request.name(1);
    let entry = find(cluster, principal)?;
    if entry.kind != "STANDARD" {
        let words = "You cannot associate access policies with an access entry of this type.";
        return Err(Error::request(words).cluster(&name));
    }
    let associated_at = entry.policies.get(&policy).map_or(now, |known| known.associated_at);
    let scope = json!({"type": kind, "namespaces": namespaces});
    let associated = AccessPolicy { scope, associated_at, modified_at: now };
    let shown = view::access_policy(&policy, &associated);
    entry.policies.insert(policy, associated);
    Ok(json!({"clusterName": name, "principalArn": principal, "associatedAccessPolicy": shown}))
}

/// `ListAssociatedAccessPolicies`.
pub(crate) fn list_associated(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    let cluster = call.eks_mut().cluster_mut(request.name(0))?;
    check_mode(cluster)?;
    let name = cluster.name.clone();
    let entry = find(cluster, request.name(1))?;
    let all =
        entry.policies.iter().map(|(arn, policy)| (arn.clone(), view::access_policy(arn, policy))).collect();
    let (shown, next) = page(all, request.query("maxResults"), request.query("nextToken"))?;
    Ok(json!({
        "clusterName": name, "principalArn": request.name(1), "nextToken": next, "associatedAccessPolicies": shown
    }))
}

/// `DisassociateAccessPolicy`.
pub(crate) fn disassociate(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    let cluster = call.eks_mut().cluster_mut(request.name(0))?;
    check_mode(cluster)?;
    let name = cluster.name.clone();
    let missing =
        Error::not_found("The specified policyArn is not associated with the access entry.").cluster(&name);
    find(cluster, request.name(1))?.policies.remove(request.name(2)).ok_or(missing)?;
    Ok(json!({}))
}

/// `ListAccessPolicies`.
pub(crate) fn list_policies(request: &Request) -> Result<Value> {
    let one = |name: &&str| ((*name).to_owned(), json!({"name": name, "arn": policy_arn(name)}));
    page_of(request, "accessPolicies", POLICIES.iter().map(one).collect())
}
