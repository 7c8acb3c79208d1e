//! Fargate profiles: enough of them for a cluster that has one to refuse its deletion. No pod ever runs on them.
//!
//! Source: <https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateFargateProfile.html>.

use std::time::Duration;

use serde_json::{Value, json};

use super::call::Call;
use super::error::{Error, Result};
use super::request::{Request, page_of_names};
use super::state::{Cluster, FargateProfile, Status};
use super::view;

const MAKING: Duration = Duration::from_mins(2);
const DELETING: Duration = Duration::from_secs(90);
/// Source: <https://docs.aws.amazon.com/eks/latest/userguide/service-quotas.html>.
const PER_CLUSTER: usize = 10;

fn find<'a>(cluster: &'a mut Cluster, name: &str) -> Result<&'a mut FargateProfile> {
    let words = format!("No Fargate Profile found with name: {name}.");
    let missing = Error::not_found(words).cluster(&cluster.name).fargate_profile(name);
    cluster.fargate_profiles.get_mut(name).ok_or(missing)
}

/// `CreateFargateProfile`.
pub(crate) fn create(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    let body = request.body();
    let name = body.required_text("fargateProfileName")?;
    let role_arn = body.required_text("podExecutionRoleArn")?;
    let selectors = body.list("selectors")?.to_vec();
    let subnets = body.texts("subnets")?;
    let tags = body.map("tags")?;
    let token = request.token()?;
    let cluster = call.eks().cluster(request.name(0))?.clone();
    let about = |error: Error| error.cluster(&cluster.name).fargate_profile(&name);
    if let Some(known) = cluster.fargate_profiles.get(&name) {
        if token.is_some() && known.token == token {
            return Ok(json!({"fargateProfile": view::fargate_profile(known, &cluster.name)}));
        }
        let words = format!("A Fargate Profile already exists with this name in this cluster: {name}");
        return Err(about(Error::parameter(words)));
    }
    if cluster.status != Status::Active {
        let words =
            format!("Cannot create Fargate Profile {name} because cluster {} is not ACTIVE", cluster.name);
        return Err(about(Error::request(words)));
    }
    if let Some(busy) = cluster.fargate_profiles.values().find(|profile| profile.due.is_some()) {
        // Only one profile of a cluster is made or deleted at a time.
        let words = format!(
            "Cannot create Fargate Profile {name} because cluster {} currently has Fargate profile {} in status {}",
            cluster.name,
            busy.name,
            busy.status.word()
        );
        return Err(about(Error::request(words)));
    }
    if cluster.fargate_profiles.len() >= PER_CLUSTER {
        return Err(Error::limit(format!("Fargate Profile limit exceeded for cluster {}", cluster.name))
            .cluster(&cluster.name));
    }
    call.check_role(&role_arn, Some("eks-fargate-pods.amazonaws.com")).map_err(about)?;
    let subnets = if subnets.is_empty() { cluster.network.subnets.clone() } else { subnets };
    call.check_subnets(&subnets, Some(&cluster.network.vpc)).map_err(about)?;
    let id = call.world.random.uuid();
    let profile = FargateProfile {
        arn: call.arn(&format!("fargateprofile/{}/{name}/{id}", cluster.name)),
        name: name.clone(),
        created_at: call.now.wall,
        role_arn,
        subnets,
        selectors,
        status: Status::Creating,
        tags,
        token,
        fails: call.effects.fail_while_creating().is_some(),
        due: call.due(&name, MAKING),
    };
    let shown = view::fargate_profile(&profile, &cluster.name);
    call.eks_mut().cluster_mut(&cluster.name)?.fargate_profiles.insert(name, profile);
    Ok(json!({"fargateProfile": shown}))
}

/// `DescribeFargateProfile`.
pub(crate) fn describe(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    let cluster = call.eks_mut().cluster_mut(request.name(0))?;
    let name = cluster.name.clone();
    Ok(json!({"fargateProfile": view::fargate_profile(find(cluster, request.name(1))?, &name)}))
}

/// `ListFargateProfiles`.
pub(crate) fn list(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    page_of_names(
        request,
        "fargateProfileNames",
        call.eks().cluster(request.name(0))?.fargate_profiles.keys(),
    )
}

/// `DeleteFargateProfile`.
pub(crate) fn delete(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    let due = call.due(request.name(1), DELETING);
    let cluster = call.eks_mut().cluster_mut(request.name(0))?;
    let name = cluster.name.clone();
    let profile = find(cluster, request.name(1))?;
    if profile.status != Status::Deleting {
        profile.status = Status::Deleting;
        profile.due = due;
    }
    Ok(json!({"fargateProfile": view::fargate_profile(profile, &name)}))
}
