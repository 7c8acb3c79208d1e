//! Who calls a cluster: the token's signature verified as STS verifies it, and the principal looked up among the
//! cluster's access entries.
//!
//! Sources: <https://github.com/kubernetes-sigs/aws-iam-authenticator/blob/master/pkg/token/token.go>,
//! <https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html>,
//! <https://docs.aws.amazon.com/eks/latest/userguide/access-policies.html>.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request;
use jiff::SignedDuration;
use pmks_simulation::Now;
use pmks_simulation::kubernetes::{Identity, Refusal};
use url::Url;

use super::access::CLUSTER_ADMIN;
use super::call;
use super::state::{AccessEntry, Cluster};
use super::token::{self, CLUSTER_HEADER};
use crate::context::Caller;
use crate::signature::{self, Limits};
use crate::world::{Place, World};

/// Tells who showed this token to the cluster of this name.
pub(crate) fn authenticate(
    world: &World,
    place: &Place,
    cluster: &str,
    token: &str,
    now: Now,
) -> Result<Identity, Refusal> {
    let presigned = token::read(token, now.wall).map_err(Refusal::new)?;
    let request = request(&presigned.url, cluster)?;
    check_scope(&request, &presigned.url)?;
    let minutes = SignedDuration::from_mins;
    let limits = Limits { past: minutes(15), future: minutes(5), presigned: Some(minutes(15)) };
    let caller = signature::verify(&request, world, now.wall, limits).map_err(|unproven| {
        Refusal::new(format!(
            "the token of {} proves nobody to this cluster: {unproven:?}",
            presigned.access_key
        ))
    })?;
    let found = world.region(place).eks.clusters.get(cluster);
    let found = found.ok_or_else(|| Refusal::new("the cluster does not exist"))?;
    identify(world, found, &caller).ok_or_else(|| {
        Refusal::new(format!("{} has no access entry in cluster {cluster}", caller.principal_arn()))
    })
}

/// The request that STS would get: with the header that names this very cluster, whichever the token was made for.
fn request(url: &Url, cluster: &str) -> Result<Request<Bytes>, Refusal> {
    let host = match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (host, _) => host.unwrap_or_default().to_owned(),
    };
    let target = format!("/?{}", url.query().unwrap_or_default());
    Request::get(target)
        .header("host", host)
        .header(CLUSTER_HEADER, cluster)
        .body(Bytes::new())
        .map_err(|_| Refusal::new("the pre-signed URL cannot be sent"))
}

/// A signature for STS, and for the region of the host that is asked; the global host is in us-east-1.
fn check_scope(request: &Request<Bytes>, url: &Url) -> Result<(), Refusal> {
    let scope = signature::claimed_scope(request);
    let scope = scope.ok_or_else(|| Refusal::new("the pre-signed URL has no credential scope"))?;
    if scope.service != "sts" {
        return Err(Refusal::new("the pre-signed URL is not for STS"));
    }
    let host = url.host_str().unwrap_or_default();
    let region = match host {
        "sts.amazonaws.com" => Some("us-east-1"),
        host => host.strip_prefix("sts.").and_then(|rest| rest.strip_suffix(".amazonaws.com")),
    };
    if region.is_some_and(|region| region != scope.region) {
        return Err(Refusal::new("the pre-signed URL is scoped to another region than its host's"));
    }
    Ok(())
}

/// Who the caller is to this cluster.
fn identify(world: &World, cluster: &Cluster, caller: &Caller) -> Option<Identity> {
    let principal = call::principal(world, caller);
    let (username, groups, administrator) = if cluster.authentication_mode == "CONFIG_MAP" {
        // The rule for the creator stands in no ConfigMap; other rules the simulation does not know.
        let creator = cluster.bootstrap_admin && cluster.creator == principal;
        creator.then(|| ("kubernetes-admin".to_owned(), vec!["system:masters".to_owned()], true))?
    } else {
        let entry = cluster.access_entries.get(&principal)?;
        (username(entry, caller), entry.groups.clone(), is_administrator(entry))
    };
    let session = session(caller);
    let texts = [
        ("accessKeyId", caller.access_key.as_str()),
        ("arn", caller.arn.as_str()),
        ("canonicalArn", principal.as_str()),
        ("principalId", caller.user_id.split(':').next().unwrap_or_default()),
        ("sessionName", session),
    ];
    let extra: BTreeMap<String, Vec<String>> =
        texts.into_iter().map(|(name, value)| (name.to_owned(), vec![value.to_owned()])).collect();
    let user_id = caller.user_id.split(':').next().unwrap_or_default();
    let uid = format!("aws-iam-authenticator:{}:{user_id}", caller.account);
    Some(Identity { username, uid, groups, extra, administrator })
}

fn session(caller: &Caller) -> &str {
    if caller.arn.contains(":assumed-role/") { caller.arn.rsplit('/').next().unwrap_or_default() } else { "" }
}

fn username(entry: &AccessEntry, caller: &Caller) -> String {
    // Kubernetes' own names must not be forged by a session's.
    let session = session(caller).replace('@', "-");
    entry.username.replace("{{SessionName}}", &session).replace("{{AccountID}}", &caller.account)
}

fn is_administrator(entry: &AccessEntry) -> bool {
    entry
        .policies
        .get(CLUSTER_ADMIN)
        .is_some_and(|policy| policy.scope.get("type").is_some_and(|kind| kind == "cluster"))
}
