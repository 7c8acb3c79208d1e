//! Tags of EKS' resources, by ARN. They stay on the resource: none reaches EC2 or Auto Scaling.

use serde_json::{Value, json};

use super::call::Call;
use super::error::{Code, Error, Result};
use super::request::Request;
use super::state::{State, Tags};

/// Source: <https://docs.aws.amazon.com/eks/latest/userguide/eks-using-tags.html>.
const PER_RESOURCE: usize = 50;

/// Checks the tags of a request.
///
/// # Errors
/// `InvalidParameterException` for too many, too long and reserved ones.
pub(crate) fn check(tags: &Tags) -> Result<()> {
    if tags.len() > PER_RESOURCE {
        return Err(Error::parameter(format!("A resource can have at most {PER_RESOURCE} tags.")));
    }
    for (key, value) in tags {
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(Error::parameter("A tag key has 1 to 128 characters, a tag value at most 256."));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(Error::parameter("aws: prefixed tag key names are not allowed for external use."));
        }
    }
    Ok(())
}

fn find<'a>(eks: &'a mut State, arn: &str) -> Option<&'a mut Tags> {
    for cluster in eks.clusters.values_mut() {
        if cluster.arn == arn {
            return Some(&mut cluster.tags);
        }
        let groups = cluster.node_groups.values_mut().map(|group| (&group.arn, &mut group.tags));
        let profiles = cluster.fargate_profiles.values_mut().map(|profile| (&profile.arn, &mut profile.tags));
        let addons = cluster.addons.values_mut().map(|addon| (&addon.arn, &mut addon.tags));
        let entries = cluster.access_entries.values_mut().map(|entry| (&entry.arn, &mut entry.tags));
        let mut all = groups.chain(profiles).chain(addons).chain(entries);
        if let Some((_, tags)) = all.find(|(known, _)| *known == arn) {
            return Some(tags);
        }
    }
    None
}

fn of<'a>(call: &'a mut Call<'_>, request: &Request) -> Result<&'a mut Tags> {
    let arn = request.name(0);
    if !arn.starts_with("arn:aws:eks:") {
        return Err(Error::new(Code::BadRequest, format!("Invalid resource ARN: {arn}")));
    }
    let missing = || Error::new(Code::NotFound, format!("Resource not found: {arn}"));
    find(call.eks_mut(), arn).ok_or_else(missing)
}

fn bad(error: Error) -> Error {
    Error::new(Code::BadRequest, error.message)
}

/// `TagResource`.
pub(crate) fn tag(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    let added = request.body().map("tags").map_err(bad)?;
    let tags = of(call, request)?;
    let mut merged = tags.clone();
    merged.extend(added);
    check(&merged).map_err(bad)?;
    *tags = merged;
    Ok(json!({}))
}

/// `UntagResource`.
pub(crate) fn untag(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    let keys = request.queries("tagKeys");
    of(call, request)?.retain(|key, _| !keys.contains(key));
    Ok(json!({}))
}

/// `ListTagsForResource`.
pub(crate) fn list(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    Ok(json!({"tags": of(call, request)?}))
}
