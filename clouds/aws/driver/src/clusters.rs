//! Reads of clusters, node groups and versions: the fewest calls that EKS allows, paged, several at once.
//!
//! EKS describes one thing a call. The nodes and the autoscaling switch of all node groups come from one list of the
//! region's Auto Scaling groups. Nothing here changes anything.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt, TryStreamExt};
use pmks_driver::{Detail, DriverError, ErrorKind, Listing, Missed, Result};
use pmks_model::{Addon, Cluster, Iid, KubernetesVersion, NodeGroup};

use crate::convert::{self, Groups};
use crate::wire::{autoscaling, eks};
use crate::{AwsDriver, PROVIDER};

/// How many clusters are read at once and, of all clusters together, how many node groups.
const AT_ONCE: usize = 8;
/// The most pages of any list: a cloud that pages for ever must not hold us.
pub(crate) const MOST_PAGES: usize = 1000;
/// What EKS puts on the Auto Scaling groups that it makes.
const CLUSTER_TAG: &str = "eks:cluster-name";

/// The clusters of the region.
pub(crate) async fn list(driver: &AwsDriver, detail: Detail) -> Result<Listing<Cluster>> {
    let mut names = cluster_names(driver).await?;
    names.sort();
    if detail == Detail::Ids {
        let bare = |name: String| Cluster { iid: Iid::unnamed(name), ..Cluster::default() };
        return Ok(Listing::complete(names.into_iter().map(bare).collect()));
    }
    let mut missed = Vec::new();
    let groups = if names.is_empty() {
        Groups::new()
    } else {
        all_groups(driver).await.unwrap_or_else(|error| {
            missed.push(miss("the Auto Scaling groups", &error));
            Groups::new()
        })
    };
    let mut heads = heads(driver, names, &mut missed).await;
    let wanted = heads
        .iter_mut()
        .flat_map(|(cluster, names)| names.drain(..).map(|name| (cluster.name.clone(), name)))
        .collect();
    let mut by_cluster: BTreeMap<String, Vec<NodeGroup>> = BTreeMap::new();
    for (cluster, group) in describe_all(driver, wanted, &mut missed).await {
        let group = convert::node_group(&cluster, &group, &groups);
        by_cluster.entry(cluster).or_default().push(group);
    }
    let whole = |(cluster, _): (eks::Cluster, Vec<String>)| {
        let node_groups = by_cluster.remove(&cluster.name).unwrap_or_default();
        convert::cluster(&cluster, node_groups, Vec::new())
    };
    let items = heads.into_iter().map(whole).collect();
    Ok(Listing { items, missed })
}

/// One cluster, with its node groups and add-ons.
pub(crate) async fn get(driver: &AwsDriver, name: &str) -> Result<Cluster> {
    let (cluster, listed, addons) = futures::try_join!(
        driver.api.describe_cluster(name),
        list_node_groups(driver, name),
        addons(driver, name),
    )?;
    if let Some(missed) = listed.missed.first() {
        let message = format!("{} could not be read: {}", missed.what, missed.failure.detail);
        return Err(DriverError::new(ErrorKind::Unavailable, PROVIDER, message));
    }
    Ok(convert::cluster(&cluster, listed.items, addons))
}

/// The node groups of a cluster, ordered by name.
pub(crate) async fn list_node_groups(driver: &AwsDriver, cluster: &str) -> Result<Listing<NodeGroup>> {
    let (described, mut missed) = described_node_groups(driver, cluster).await?;
    let names: Vec<String> =
        described.iter().flat_map(eks::Nodegroup::auto_scaling_groups).map(str::to_owned).collect();
    let groups = groups_named(driver, &names).await.unwrap_or_else(|error| {
        missed.push(miss("the Auto Scaling groups", &error));
        Groups::new()
    });
    let items = described.iter().map(|group| convert::node_group(cluster, group, &groups)).collect();
    Ok(Listing { items, missed })
}

/// One node group.
pub(crate) async fn get_node_group(driver: &AwsDriver, cluster: &str, name: &str) -> Result<NodeGroup> {
    let group = driver.api.describe_nodegroup(cluster, name).await?;
    let names: Vec<String> = group.auto_scaling_groups().map(str::to_owned).collect();
    let groups = groups_named(driver, &names).await?;
    Ok(convert::node_group(cluster, &group, &groups))
}

/// The versions on offer, oldest first.
///
/// # Errors
/// `Unsupported` where the endpoint has no such list. There is no list in here instead: one kept by hand would rot.
pub(crate) async fn versions(driver: &AwsDriver) -> Result<Vec<KubernetesVersion>> {
    let mut versions = Vec::new();
    let mut page: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let answer = driver.api.describe_cluster_versions(page.as_deref()).await?;
        versions.extend(answer.cluster_versions.iter().filter_map(convert::kubernetes_version));
        page = next_page(answer.next_token);
        if page.is_none() {
            versions.sort_by(|a, b| a.version.cmp(&b.version));
            return Ok(versions);
        }
    }
    Err(endless("the versions"))
}

/// A cluster with the names of its node groups.
type Head = (eks::Cluster, Vec<String>);

/// The clusters of these names, each with the names of its node groups.
async fn heads(driver: &AwsDriver, names: Vec<String>, missed: &mut Vec<Missed>) -> Vec<Head> {
    let read: Vec<(String, Result<Head>)> = stream::iter(names)
        .map(|name| async move {
            let read =
                futures::try_join!(driver.api.describe_cluster(&name), sorted_group_names(driver, &name));
            (name, read)
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let found = |(name, read)| keep(read, || format!("cluster {name}"), missed);
    read.into_iter().filter_map(found).collect()
}

/// These node groups, given by cluster and name, in that order: one bounded stream over all clusters, for more calls
/// at once than the request budget lets through would only wait past their time limit.
async fn describe_all(
    driver: &AwsDriver,
    wanted: Vec<(String, String)>,
    missed: &mut Vec<Missed>,
) -> Vec<(String, eks::Nodegroup)> {
    let read: Vec<((String, String), Result<eks::Nodegroup>)> = stream::iter(wanted)
        .map(|(cluster, name)| async move {
            let read = driver.api.describe_nodegroup(&cluster, &name).await;
            ((cluster, name), read)
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let found = |((cluster, name), read)| {
        let read = keep(read, || format!("node group {name} of cluster {cluster}"), missed);
        read.map(|group| (cluster, group))
    };
    read.into_iter().filter_map(found).collect()
}

/// What was read. What is not found was deleted since its name was listed; what else failed is missed.
fn keep<T>(read: Result<T>, what: impl FnOnce() -> String, missed: &mut Vec<Missed>) -> Option<T> {
    match read {
        Ok(read) => return Some(read),
        Err(error) if error.is_not_found() => {}
        Err(error) => missed.push(miss(&what(), &error)),
    }
    None
}

async fn cluster_names(driver: &AwsDriver) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let mut page: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let answer = driver.api.list_clusters(page.as_deref()).await?;
        names.extend(answer.names);
        page = next_page(answer.next_token);
        if page.is_none() {
            return Ok(names);
        }
    }
    Err(endless("the clusters"))
}

/// The names of a cluster's node groups.
pub(crate) async fn node_group_names(driver: &AwsDriver, cluster: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let mut page: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let answer = driver.api.list_nodegroups(cluster, page.as_deref()).await?;
        names.extend(answer.names);
        page = next_page(answer.next_token);
        if page.is_none() {
            return Ok(names);
        }
    }
    Err(endless("the node groups"))
}

/// The names of a cluster's Fargate profiles; none where the endpoint has no such thing.
pub(crate) async fn fargate_profile_names(driver: &AwsDriver, cluster: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let mut page: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let answer = match driver.api.list_fargate_profiles(cluster, page.as_deref()).await {
            Err(error) if is_unsupported(&error) => return Ok(names),
            answer => answer?,
        };
        names.extend(answer.names);
        page = next_page(answer.next_token);
        if page.is_none() {
            return Ok(names);
        }
    }
    Err(endless("the Fargate profiles"))
}

/// The node groups as EKS describes them, ordered by name, and those that could not be read.
pub(crate) async fn described_node_groups(
    driver: &AwsDriver,
    cluster: &str,
) -> Result<(Vec<eks::Nodegroup>, Vec<Missed>)> {
    let names = sorted_group_names(driver, cluster).await?;
    let wanted = names.into_iter().map(|name| (cluster.to_owned(), name)).collect();
    let mut missed = Vec::new();
    let found = describe_all(driver, wanted, &mut missed).await;
    Ok((found.into_iter().map(|(_, group)| group).collect(), missed))
}

async fn sorted_group_names(driver: &AwsDriver, cluster: &str) -> Result<Vec<String>> {
    let mut names = node_group_names(driver, cluster).await?;
    names.sort();
    Ok(names)
}

/// The Auto Scaling groups that EKS made in this region.
async fn all_groups(driver: &AwsDriver) -> Result<Groups> {
    let mut groups = Groups::new();
    let mut page: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let answer = driver.api.describe_tagged_groups(CLUSTER_TAG, page.as_deref()).await?;
        groups.extend(by_name(answer.groups.entries));
        page = next_page(answer.next_token);
        if page.is_none() {
            return Ok(groups);
        }
    }
    Err(endless("the Auto Scaling groups"))
}

/// These Auto Scaling groups; asks nothing where there is no name.
pub(crate) async fn groups_named(driver: &AwsDriver, names: &[String]) -> Result<Groups> {
    stream::iter(names.chunks(100).map(Ok))
        .try_fold(Groups::new(), |mut groups, some| async move {
            groups.extend(by_name(driver.api.describe_groups(some).await?.groups.entries));
            Ok(groups)
        })
        .await
}

fn by_name(groups: Vec<autoscaling::Group>) -> BTreeMap<String, autoscaling::Group> {
    groups.into_iter().map(|group| (group.name.clone(), group)).collect()
}

/// The names of a cluster's add-ons; none where the endpoint has no such thing.
async fn addons(driver: &AwsDriver, cluster: &str) -> Result<Vec<Addon>> {
    match driver.api.list_addons(cluster, None).await {
        Ok(answer) => Ok(answer.names.into_iter().map(|name| Addon { name, ..Addon::default() }).collect()),
        Err(error) if is_unsupported(&error) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Whether an endpoint lacks the call.
pub(crate) fn is_unsupported(error: &DriverError) -> bool {
    matches!(error.kind(), ErrorKind::Unsupported { .. })
}

/// The next page, if there is one: some endpoints send an empty token at the end.
pub(crate) fn next_page(token: Option<String>) -> Option<String> {
    token.filter(|token| !token.is_empty())
}

/// The error of a list that has no end.
pub(crate) fn endless(of: &str) -> DriverError {
    DriverError::new(ErrorKind::Unexpected, PROVIDER, format!("AWS pages through {of} without an end"))
}

fn miss(what: &str, error: &DriverError) -> Missed {
    Missed { what: what.to_owned(), failure: error.to_failure() }
}
