//! What is known before anything is made: capabilities, the account, credentials, prerequisites.

use pmks_driver::{
    Capabilities, Change, ChangeNodeGroupScaling, ClusterTarget, DeleteCluster, DeleteResource, ErrorKind,
    FixPrerequisites, NodeGroupTarget, PrerequisiteState, RemoveNodeGroup, TagChanges, UpdateCluster,
    UpdateTags, UpgradeCluster, UpgradeNodeGroup,
};
use pmks_model::{
    Iid, OperationKind, ResourceKind, ScalingChange, SubnetRequest, UpgradeRequest, UpgradeTargets,
    VersionRequest,
};

use crate::executor::{carry_out, refused};
use crate::ground::{
    Ground, cidr, delete, fix_prerequisites, key_pair_request, marks, network_request,
    security_group_request, take,
};
use crate::report::check;
use crate::{Deed, Failed, Rig, Verdict};

/// Every kind of change, aimed at things that do not exist.
async fn one_of_each(rig: &Rig) -> Result<Vec<Change>, Failed> {
    let nowhere = Iid::new("pmks-nothing", "pmks-nothing");
    let cluster = ClusterTarget { iid: nowhere.clone(), incarnation: "never".to_owned() };
    let group =
        NodeGroupTarget { cluster: cluster.clone(), iid: nowhere.clone(), incarnation: "never".to_owned() };
    let ground = Ground {
        network: nowhere.clone(),
        subnets: vec![nowhere.clone()],
        security_groups: Vec::new(),
        key_pair: None,
        marks: marks(),
        machine_type: String::new(),
        step: 1,
        tags: pmks_model::Tags::new(),
    };
    let version = VersionRequest::Default;
    let upgrade = UpgradeRequest { version: version.clone(), node_groups: UpgradeTargets::All, force: false };
    let scaling = ScalingChange { desired: Some(1), ..ScalingChange::default() };
    let subnet = SubnetRequest {
        name: "pmks-nothing".to_owned(),
        cidr: cidr("10.20.9.0/24"),
        zone: String::new(),
        tags: pmks_model::Tags::new(),
    };
    Ok([
        Change::CreateCluster(ground.cluster("pmks-nothing", 1)),
        Change::DeleteCluster(DeleteCluster {
            target: cluster.clone(),
            delete_volumes: false,

            marks: marks(),
        }),
        Change::UpdateCluster(UpdateCluster {
            target: cluster.clone(),
            tags: other_tags(),
            only_new_tags: false,
            options: std::collections::BTreeMap::new(),
            marks: marks(),
        }),
        Change::UpgradeCluster(UpgradeCluster { target: cluster.clone(), request: upgrade, marks: marks() }),
        Change::AddNodeGroup(pmks_driver::AddNodeGroup {
            cluster,
            security_groups: Vec::new(),
            request: ground.node_group("ga"),
            tags: pmks_model::Tags::new(),
            marks: marks(),
        }),
        Change::ChangeNodeGroupScaling(ChangeNodeGroupScaling {
            target: group.clone(),
            change: scaling,
            marks: marks(),
        }),
        Change::UpgradeNodeGroup(UpgradeNodeGroup {
            target: group.clone(),
            version,
            force: false,
            marks: marks(),
        }),
        Change::RemoveNodeGroup(RemoveNodeGroup { target: group, marks: marks() }),
        Change::CreateNetwork(network_request(rig, "pmks-nothing").await?),
        Change::CreateSubnet(pmks_driver::CreateSubnet {
            network: nowhere.clone(),
            request: subnet,
            marks: marks(),
        }),
        Change::CreateSecurityGroup(security_group_request("pmks-nothing", &nowhere)),
        Change::UpdateSecurityGroup(pmks_driver::UpdateSecurityGroup {
            iid: nowhere.clone(),
            incarnation: String::new(),
            add: security_group_request("pmks-nothing", &nowhere).request.rules,
            remove: Vec::new(),
            marks: marks(),
        }),
        Change::CreateKeyPair(key_pair_request("pmks-nothing")),
        Change::FixPrerequisites(FixPrerequisites { cluster: None, marks: marks() }),
    ]
    .into_iter()
    .chain(of_ground(&nowhere))
    .collect())
}

/// Other tags, and the end, of everything that clusters stand on.
fn of_ground(nowhere: &Iid) -> Vec<Change> {
    let tags = |kind| {
        Change::UpdateTags(UpdateTags {
            kind,
            iid: nowhere.clone(),
            incarnation: String::new(),
            network: None,
            tags: other_tags(),
            only_new_tags: false,
            marks: marks(),
        })
    };
    let delete = |kind| {
        Change::DeleteResource(DeleteResource {
            kind,
            iid: nowhere.clone(),
            incarnation: String::new(),
            network: None,
            marks: marks(),
        })
    };
    [ResourceKind::Network, ResourceKind::Subnet, ResourceKind::SecurityGroup, ResourceKind::KeyPair]
        .into_iter()
        .flat_map(|kind| [tags(kind), delete(kind)])
        .collect()
}

fn other_tags() -> TagChanges {
    [("a".to_owned(), Some("b".to_owned()))].into_iter().collect()
}

/// Whether the capabilities say that a provider has a change: its kind, and of other tags what is to have them.
fn has(capabilities: &Capabilities, change: &Change) -> bool {
    let of_tags = |asked: &UpdateTags| capabilities.takes_tags(asked.kind);
    capabilities.has(change.kind()) && !matches!(change, Change::UpdateTags(asked) if !of_tags(asked))
}

/// Preparing a change is `Unsupported` exactly where the capabilities do not list its kind.
pub(crate) async fn operations_are_as_the_capabilities_say(rig: Rig) -> Result<Verdict, Failed> {
    let capabilities = *rig.driver.capabilities();
    let changes = one_of_each(&rig).await?;
    for kind in OperationKind::ALL {
        // An import only reads: it is the engine's, not the driver's.
        let asked = changes.iter().any(|change| change.kind() == kind);
        check(asked || kind == OperationKind::ClusterImport, || format!("no case asks for {kind}"))?;
    }
    for change in &changes {
        let unsupported = match rig.driver.prepare(change).await {
            Err(error) => matches!(error.kind(), ErrorKind::Unsupported { .. }),
            Ok(_) => false,
        };
        let listed = has(&capabilities, change);
        check(listed != unsupported, || {
            format!("{}: listed {listed}, unsupported {unsupported}", change.kind())
        })?;
    }
    Ok(Verdict::Passed)
}

/// An operation that the capabilities do not list is refused without a request.
pub(crate) async fn an_absent_operation_sends_nothing(rig: Rig) -> Result<Verdict, Failed> {
    let capabilities = *rig.driver.capabilities();
    let absent: Vec<Change> =
        one_of_each(&rig).await?.into_iter().filter(|change| !has(&capabilities, change)).collect();
    for change in &absent {
        let mark = rig.calls.mark();
        check(rig.driver.prepare(change).await.is_err(), || format!("{} was prepared", change.kind()))?;
        let sent = rig.calls.since(mark);
        check(sent.is_empty(), || format!("{} sent {sent:?}", change.kind()))?;
    }
    if absent.is_empty() {
        return Ok(Verdict::Skipped("this provider has every operation".to_owned()));
    }
    Ok(Verdict::Passed)
}

/// The account's identity is one text that stays the same, found by one request.
pub(crate) async fn the_account_is_known(rig: Rig) -> Result<Verdict, Failed> {
    let mark = rig.calls.mark();
    let first = rig.driver.account_identity().await?;
    let sent = rig.calls.changes_since(mark);
    check(sent.is_empty(), || format!("asking who we are changed something: {sent:?}"))?;
    let second = rig.driver.account_identity().await?;
    check(first == second, || format!("{first:?} became {second:?}"))?;
    check(!first.account.is_empty() && !first.principal.is_empty(), || format!("{first:?} says too little"))?;
    Ok(Verdict::Passed)
}

/// A credential that the cloud does not accept is `Unauthenticated`, whatever is asked for.
pub(crate) async fn a_wrong_credential_is_named_as_such(rig: Rig) -> Result<Verdict, Failed> {
    if let Some(why) = rig.witness.without_stranger() {
        return Ok(Verdict::Skipped(why));
    }
    let stranger = &rig.stranger;
    let errors = [
        ("account_identity", stranger.account_identity().await.err()),
        ("list_clusters", stranger.list_clusters(pmks_driver::Detail::Ids).await.err()),
        ("get_cluster", stranger.get_cluster("pmks-nothing").await.err()),
        ("list_networks", stranger.list_networks().await.err()),
        ("list_security_groups", stranger.list_security_groups().await.err()),
        ("list_key_pairs", stranger.list_key_pairs().await.err()),
        ("regions", stranger.regions().await.err()),
    ];
    for (read, error) in errors {
        let error = error.ok_or_else(|| Failed(format!("{read} works with a wrong credential")))?;
        check(*error.kind() == ErrorKind::Unauthenticated, || {
            format!("{read}: {:?}: {error}", error.kind())
        })?;
    }
    Ok(Verdict::Passed)
}

/// A token that the cloud takes no longer, long before its end, is replaced by another one, asked for once by all who
/// were refused with it; what was refused is sent again. If that one is refused soon as well, a credential that was good
/// is no wrong one: when to come again is said, and an operation under way does.
pub(crate) async fn a_refused_token_is_replaced_once(rig: Rig) -> Result<Verdict, Failed> {
    if let Err(why) = rig.witness.can(Deed::EndTokens) {
        return Ok(Verdict::Skipped(why));
    }
    let reads = || async {
        let (networks, regions, versions) =
            futures::join!(rig.driver.list_networks(), rig.driver.regions(), rig.driver.versions());
        networks.map(drop).and(regions.map(drop)).and(versions.map(drop))
    };
    reads().await?;
    let mark = rig.calls.mark();
    reads().await?;
    let usual: Vec<&str> = rig.calls.since(mark).iter().map(|call| call.action).collect();
    rig.witness.end_tokens().await.map_err(Failed)?;
    let mark = rig.calls.mark();
    futures::future::try_join_all((0..4).map(|_| reads())).await?;
    let sent = rig.calls.since(mark);
    let sign_ins: Vec<&str> =
        sent.iter().map(|call| call.action).filter(|action| !usual.contains(action)).collect();
    check(sign_ins.len() == 1, || format!("beside the reads themselves, these were sent: {sign_ins:?}"))?;
    let most = 2 * 4 * usual.len() + 1;
    check(sent.len() <= most, || format!("{} calls where {most} are the most", sent.len()))?;
    fix_prerequisites(&rig).await?;
    let asked = network_request(&rig, "pmks-again").await?;
    rig.witness.end_tokens().await.map_err(Failed)?;
    let error = rig.driver.list_networks().await.err();
    let error = error.ok_or_else(|| Failed("a token that was ended is accepted".to_owned()))?;
    let says_when = *error.kind() == ErrorKind::Unavailable && error.retry_after().is_some();
    check(says_when, || format!("{:?}, again after {:?}: {error}", error.kind(), error.retry_after()))?;
    let own = asked.marks.clone();
    let mut made = carry_out(&rig, &Change::CreateNetwork(asked)).await?.ids;
    delete(&rig, ResourceKind::Network, &take(&mut made, "pmks-again")?, &own).await?;
    Ok(Verdict::Passed)
}

/// A prerequisite that is missing stops a creation before anything is sent, and is made only on request.
pub(crate) async fn a_missing_prerequisite_is_named_and_fixed_on_request(
    rig: Rig,
) -> Result<Verdict, Failed> {
    let missing = |rig: Rig| async move {
        let all = rig.driver.prerequisites(None).await?;
        let missing = all.into_iter().filter(|one| matches!(one.state, PrerequisiteState::Missing { .. }));
        Ok::<_, Failed>(missing.collect::<Vec<_>>())
    };
    if missing(rig.clone()).await?.is_empty() {
        if let Err(why) = rig.witness.can(Deed::TakePrerequisites) {
            return Ok(Verdict::Skipped(why));
        }
        rig.witness.without_prerequisites().await.map_err(Failed)?;
    }
    let found = missing(rig.clone()).await?;
    if found.is_empty() {
        return Ok(Verdict::Skipped("this provider needs nothing to exist first".to_owned()));
    }
    let ground = ground_without_prerequisites(&rig).await?;
    check(found.iter().all(|one| one.fix.is_some()), || format!("no fix is offered for {found:?}"))?;
    let mark = rig.calls.mark();
    let early = match &ground {
        Some(ground) => Change::CreateCluster(ground.cluster("pmks-early", 0)),
        None => Change::CreateNetwork(network_request(&rig, "pmks-early").await?),
    };
    let error = refused(&rig, &early).await?;
    check(matches!(error.kind(), ErrorKind::PrerequisiteMissing { .. }), || format!("{:?}", error.kind()))?;
    let changes = rig.calls.changes_since(mark);
    check(changes.is_empty(), || format!("refusing a creation sent {changes:?}"))?;
    for _ in 0..2 {
        carry_out(&rig, &Change::FixPrerequisites(FixPrerequisites { cluster: None, marks: marks() }))
            .await?;
    }
    let still = missing(rig.clone()).await?;
    check(still.is_empty(), || format!("still missing after the fix: {still:?}"))?;
    if let Some(ground) = ground {
        ground.clear(&rig).await?;
    }
    Ok(Verdict::Passed)
}

/// The ground of a cluster; `None` where networks need the prerequisites too, as where everything lies in a group.
async fn ground_without_prerequisites(rig: &Rig) -> Result<Option<Ground>, Failed> {
    let probe = Change::CreateNetwork(network_request(rig, "pmks-early").await?);
    match rig.driver.prepare(&probe).await {
        Err(error) if matches!(error.kind(), ErrorKind::PrerequisiteMissing { .. }) => Ok(None),
        _ => Ground::make_alone(rig).await.map(Some),
    }
}
