//! Reads: they never write, stay within their bounds, follow every page, and say what they could not read.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pmks_driver::{Detail, ErrorKind, KubeconfigFormat, NodeMetricsAsked, OwnWordsOf, ReadKind};
use pmks_model::{Cluster, MetricUnit, MetricValue, Node, NodeMetric, ResourceKind};
use pmks_transport::{Fault, FaultRule, When};

use crate::ground::{Ground, delete_cluster};
use crate::report::{check, check_equal};
use crate::{Deed, Failed, Rig, Verdict};

/// No read sends a call that changes anything.
pub(crate) async fn reads_never_write(rig: Rig) -> Result<Verdict, Failed> {
    let ground = Ground::make(&rig).await?;
    let cluster = ground.cluster_with(&rig, "pmks-read", 1).await?;
    let id = &cluster.iid.system_id;
    let driver = &rig.driver;
    let mark = rig.calls.mark();
    driver.account_identity().await?;
    for detail in [Detail::Ids, Detail::Clusters, Detail::Nodes] {
        driver.list_clusters(detail).await?;
    }
    driver.get_cluster(id).await?;
    driver.list_node_groups(id).await?;
    driver.nodes(&cluster).await?;
    driver.machine_types().await?;
    driver.images().await?;
    let first = driver.capabilities().first_region;
    let regions = driver.regions().await?;
    check(regions.iter().any(|region| region.name == first), || format!("there is no region {first:?}"))?;
    driver.list_networks().await?;
    driver.list_security_groups().await?;
    driver.list_key_pairs().await?;
    driver.get_network(&ground.network.system_id).await?;
    for (kind, system_id) in [(ResourceKind::Network, &ground.network.system_id), (ResourceKind::Cluster, id)]
    {
        match driver.own_words(&OwnWordsOf { kind, parent: "", system_id }).await {
            Ok(said) => {
                let text = said.into_json().to_string();
                let leaks = rig.secrets.iter().any(|secret| text.contains(secret.as_str()));
                check(!leaks, || format!("a secret is in what the cloud says of the {}", kind.says()))?;
            }
            Err(error) if matches!(error.kind(), ErrorKind::Unsupported { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    driver.prerequisites(None).await?;
    driver.prerequisites(Some(&cluster)).await?;
    driver.children(&cluster).await?;
    driver.generate_cluster_token(&cluster).await?;
    let node = one_node(&rig, &cluster).await?;
    let _ = told(&rig, &cluster, &node, NodeMetric::CpuUsage).await;
    // What the provider lacks is an error here, and is no write either.
    let _ = driver.versions().await;
    let _ = driver.kubeconfig(&cluster, KubeconfigFormat::Native).await;
    let changes = rig.calls.changes_since(mark);
    check(changes.is_empty(), || format!("reads sent {changes:?}"))?;
    delete_cluster(&rig, &cluster).await?;
    ground.clear(&rig).await?;
    Ok(Verdict::Passed)
}

/// Each read makes no more calls than its bound says.
pub(crate) async fn reads_stay_within_their_bounds(rig: Rig) -> Result<Verdict, Failed> {
    let ground = Ground::make(&rig).await?;
    let first = ground.cluster_with(&rig, "pmks-one", 1).await?;
    let second = ground.cluster_with(&rig, "pmks-two", 2).await?;
    let (clusters, groups) = (2, 3);
    let metrics = rig.driver.capabilities().node_metrics.contains(&NodeMetric::NetworkIn);
    let metrics = metrics.then_some(ReadKind::NodeMetrics);
    for read in [
        ReadKind::ListClusterIds,
        ReadKind::ListClusters,
        ReadKind::ListClustersWithNodes,
        ReadKind::GetCluster,
        ReadKind::Nodes,
        ReadKind::ClusterToken,
        ReadKind::ListSecurityGroups,
        ReadKind::ListKeyPairs,
    ]
    .into_iter()
    .chain(metrics)
    {
        let bound = rig.driver.capabilities().call_bound(read);
        let bound = bound.ok_or_else(|| Failed(format!("{read:?} has no bound")))?;
        let node = one_node(&rig, &second).await?;
        let mark = rig.calls.mark();
        let most = match read {
            ReadKind::ListClusterIds => {
                rig.driver.list_clusters(Detail::Ids).await?;
                bound.most(clusters, groups)
            }
            ReadKind::ListClusters => {
                rig.driver.list_clusters(Detail::Clusters).await?;
                bound.most(clusters, groups)
            }
            ReadKind::ListClustersWithNodes => {
                rig.driver.list_clusters(Detail::Nodes).await?;
                bound.most(clusters, groups)
            }
            ReadKind::GetCluster => {
                rig.driver.get_cluster(&second.iid.system_id).await?;
                bound.most(1, 2)
            }
            ReadKind::Nodes => {
                rig.driver.nodes(&second).await?;
                bound.most(1, 2)
            }
            ReadKind::ClusterToken | ReadKind::Versions => {
                rig.driver.generate_cluster_token(&second).await?;
                bound.most(1, 2)
            }
            ReadKind::NodeMetrics => {
                told(&rig, &second, &node, NodeMetric::NetworkIn).await?;
                bound.fixed
            }
            ReadKind::ListSecurityGroups => {
                rig.driver.list_security_groups().await?;
                bound.fixed
            }
            ReadKind::ListKeyPairs => {
                rig.driver.list_key_pairs().await?;
                bound.fixed
            }
        };
        let sent = rig.calls.since(mark);
        check(sent.len() <= most as usize, || {
            format!("{read:?}: {} calls, bound {most}: {sent:?}", sent.len())
        })?;
    }
    delete_cluster(&rig, &first).await?;
    delete_cluster(&rig, &second).await?;
    ground.clear(&rig).await?;
    Ok(Verdict::Passed)
}

/// What a cloud measures of a node comes in order, of the time that was asked for and in the metric's unit; what it does
/// not measure is refused without a call.
pub(crate) async fn metrics_are_told_or_refused(rig: Rig) -> Result<Verdict, Failed> {
    let ground = Ground::make(&rig).await?;
    let cluster = ground.cluster_with(&rig, "pmks-measured", 1).await?;
    let node = one_node(&rig, &cluster).await?;
    let intervals = rig.driver.capabilities().metric_intervals;
    let has_five = intervals.is_empty() || intervals.contains(&5);
    check(has_five, || format!("five minutes are no interval of {intervals:?}"))?;
    for metric in NodeMetric::ALL {
        let mark = rig.calls.mark();
        let answer = told(&rig, &cluster, &node, metric).await;
        if !rig.driver.capabilities().node_metrics.contains(&metric) {
            let refused =
                matches!(&answer, Err(error) if matches!(error.kind(), ErrorKind::Unsupported { .. }));
            check(refused, || format!("{metric:?} is not refused: {answer:?}"))?;
            check(rig.calls.since(mark).is_empty(), || format!("{metric:?} was asked for"))?;
            continue;
        }
        let values = answer?;
        let (from, until) = hour(&rig);
        let in_order = values.windows(2).all(|two| matches!(two, [one, next] if one.at < next.at));
        check(in_order, || format!("{metric:?} is not in order: {values:?}"))?;
        for MetricValue { at, value } in values {
            // An interval may have begun before the time, if it ends within.
            let of_time = at + INTERVAL > from && at < until;
            check(of_time, || format!("{metric:?}: {at} is not between {from} and {until}"))?;
            let most = if metric.unit() == MetricUnit::Percent { 100.0 } else { f64::MAX };
            check((0.0..=most).contains(&value), || format!("{metric:?}: {value} at {at}"))?;
        }
    }
    delete_cluster(&rig, &cluster).await?;
    ground.clear(&rig).await?;
    Ok(Verdict::Passed)
}

/// The interval that is asked for, which every cloud has.
const INTERVAL: Duration = Duration::from_mins(5);

/// The last whole hour in such intervals.
fn hour(rig: &Rig) -> (Timestamp, Timestamp) {
    let now = rig.clock.wall();
    let until = now - SignedDuration::from_secs(now.as_second().rem_euclid(300));
    (until - SignedDuration::from_hours(1), until)
}

async fn one_node(rig: &Rig, cluster: &Cluster) -> Result<Node, Failed> {
    let nodes = rig.driver.nodes(cluster).await?.items;
    nodes.into_iter().next().ok_or_else(|| Failed("a cluster with a node group has no node".to_owned()))
}

async fn told(
    rig: &Rig,
    cluster: &Cluster,
    node: &Node,
    metric: NodeMetric,
) -> pmks_driver::Result<Vec<MetricValue>> {
    let (from, until) = hour(rig);
    rig.driver
        .node_metrics(&NodeMetricsAsked { cluster, node, metric, interval: INTERVAL, from, until })
        .await
}

/// More clusters and node groups than a page holds are all listed, each once.
pub(crate) async fn lists_follow_every_page(rig: Rig) -> Result<Verdict, Failed> {
    const MORE: usize = 130;
    if let Err(why) = rig.witness.can(Deed::Multiply) {
        return Ok(Verdict::Skipped(why));
    }
    let ground = Ground::make(&rig).await?;
    let cluster = ground.cluster_with(&rig, "pmks-many", 1).await?;
    let id = cluster.iid.system_id.as_str();
    rig.witness.multiply(id, MORE, MORE).await.map_err(Failed)?;
    let listed = rig.driver.list_clusters(Detail::Ids).await?;
    check(listed.is_complete(), || format!("the list is partial: {:?}", listed.missed.first()))?;
    check_equal(
        &different(&listed.items, |cluster| &cluster.iid.system_id),
        &(MORE + 1),
        "different clusters",
    )?;
    check_equal(&listed.items.len(), &(MORE + 1), "clusters")?;
    let groups = rig.driver.list_node_groups(id).await?;
    check(groups.is_complete(), || format!("the list is partial: {:?}", groups.missed.first()))?;
    check_equal(
        &different(&groups.items, |group| &group.iid.system_id),
        &(MORE + 1),
        "different node groups",
    )?;
    check_equal(&groups.items.len(), &(MORE + 1), "node groups")?;
    rig.witness.divide(id).await.map_err(Failed)?;
    delete_cluster(&rig, &cluster).await?;
    ground.clear(&rig).await?;
    Ok(Verdict::Passed)
}

fn different<T>(items: &[T], id: impl Fn(&T) -> &String) -> usize {
    items.iter().map(id).collect::<std::collections::BTreeSet<_>>().len()
}

/// A list in which a call keeps failing says what it could not read, and keeps the rest: of several calls only the first,
/// on which the list rests, may fail it as a whole. That one failing is never an empty list.
pub(crate) async fn a_partial_list_says_what_is_missing(rig: Rig) -> Result<Verdict, Failed> {
    let bound = rig.driver.capabilities().call_bound(ReadKind::ListClustersWithNodes);
    if bound.is_some_and(|bound| bound.most(1, 1) < 2) {
        return Ok(Verdict::Skipped(
            "one call tells everything: no list of this provider is partial".to_owned(),
        ));
    }
    let ground = Ground::make(&rig).await?;
    let cluster = ground.cluster_with(&rig, "pmks-part", 1).await?;
    let mark = rig.calls.mark();
    let whole = rig.driver.list_clusters(Detail::Nodes).await?;
    let mut actions: Vec<&str> = Vec::new();
    for call in rig.calls.since(mark) {
        if !actions.contains(&call.action) {
            actions.push(call.action);
        }
    }
    let mut kept = actions.len() < 2;
    for (number, action) in actions.iter().enumerate() {
        rig.faults.add(FaultRule::on(*action, When::Always, Fault::Refuse));
        let listed = rig.driver.list_clusters(Detail::Nodes).await;
        let struck = rig.faults.struck();
        rig.faults.clear();
        check(struck > 0, || format!("{action} was not called"))?;
        match listed {
            Err(_) if number == 0 => {}
            Err(error) => return Err(Failed(format!("without {action} the whole list fails: {error}"))),
            Ok(listing) if listing.is_complete() => {
                check(listing.items == whole.items, || {
                    format!("without {action} the list is short and calls itself complete")
                })?;
            }
            Ok(listing) => {
                let named = listing.missed.iter().all(|missed| !missed.what.is_empty());
                check(named, || format!("without {action} nothing is said to be missing"))?;
                kept |= listing.items.iter().any(|one| one.iid.system_id == cluster.iid.system_id);
            }
        }
    }
    check(kept, || format!("whichever of {actions:?} fails, nothing is kept of the list"))?;
    delete_cluster(&rig, &cluster).await?;
    ground.clear(&rig).await?;
    Ok(Verdict::Passed)
}
