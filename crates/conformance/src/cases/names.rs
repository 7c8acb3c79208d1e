//! Names that no cloud should see, and the longest that it takes.

use pmks_driver::{Change, DriverError, ErrorKind, KeyPairUse, Presence, validate};
use pmks_model::{Iid, ResourceKind};

use crate::executor::carry_out;
use crate::ground::{
    Ground, delete, delete_cluster, key_pair_request, least_node_groups, marks, network_request,
    security_group_request, take,
};
use crate::report::{check, check_equal};
use crate::{Failed, Rig, Verdict};

const HOSTILE: &[&str] = &[
    "",
    "-",
    "../../etc",
    "a/b",
    "a b",
    "a\nb",
    "a\u{0}b",
    "a%2fb",
    "한국",
    "é",
    "\u{202e}txet",
    "<script>",
    "';drop table--",
    "${jndi:x}",
    "🙂",
];

/// Hostile names are findings on `name`, known without asking the cloud.
pub(crate) async fn hostile_names_are_refused_before_anything_is_sent(rig: Rig) -> Result<Verdict, Failed> {
    let nowhere = pmks_model::Iid::new("n", "n");
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
    let network = network_request(&rig, "n").await?;
    let mark = rig.calls.mark();
    let long = "a".repeat(10_000);
    for name in HOSTILE.iter().copied().chain([long.as_str()]) {
        let mut network = network.clone();
        name.clone_into(&mut network.request.name);
        for change in [
            Change::CreateCluster(ground.cluster(name, 0)),
            Change::CreateNetwork(network),
            Change::CreateSecurityGroup(security_group_request(name, &nowhere)),
            Change::CreateKeyPair(key_pair_request(name)),
        ] {
            let allowed_here = matches!(
                change,
                Change::CreateKeyPair(_) | Change::CreateSecurityGroup(_) | Change::CreateNetwork(_)
            ) && !name.chars().any(char::is_control)
                && !name.is_empty()
                && name != "-"
                && name.len() < 10_000;
            let findings = validate(&change, rig.driver.capabilities());
            let refused = findings.iter().any(|finding| finding.field == "name");
            check(refused || allowed_here, || format!("{}: {name:?} is allowed", change.kind()))?;
        }
    }
    let sent = rig.calls.since(mark);
    check(sent.is_empty(), || format!("checking names sent {sent:?}"))?;
    Ok(Verdict::Passed)
}

/// More than any cloud's longest name.
const TOO_LONG: usize = 600;

/// What is called by the longest name of its kind is made, found and removed as everything else is: what stands at the
/// cloud under it, and with what a cloud adds to a name, is still known by its identifier.
pub(crate) async fn the_longest_names_come_and_go(rig: Rig) -> Result<Verdict, Failed> {
    let ground = Ground::make(&rig).await?;
    let capabilities = *rig.driver.capabilities();
    let mut network = network_request(&rig, &longest(&rig, ResourceKind::Network)?).await?;
    let subnet = longest(&rig, ResourceKind::Subnet)?;
    network.request.subnets.truncate(1);
    for asked in &mut network.request.subnets {
        asked.name.clone_from(&subnet);
    }
    network.subnet_uids = [(subnet.clone(), marks().uid)].into();
    let made = network.marks.clone();
    let mut ids = carry_out(&rig, &Change::CreateNetwork(network.clone())).await?.ids;
    let iid = take(&mut ids, &network.request.name)?;
    let stands = rig.driver.get_network(&iid.system_id).await?;
    check_equal(&stands.subnets.len(), &1, "the number of subnets")?;
    if capabilities.security_groups != Presence::Forbidden {
        let name = longest(&rig, ResourceKind::SecurityGroup)?;
        let asked = security_group_request(&name, &iid);
        let made = asked.marks.clone();
        let group = take(&mut carry_out(&rig, &Change::CreateSecurityGroup(asked)).await?.ids, &name)?;
        rig.driver.get_security_group(&group.system_id).await?;
        delete(&rig, ResourceKind::SecurityGroup, &group, &made).await?;
        is_gone(rig.driver.get_security_group(&group.system_id).await.err(), &group)?;
    }
    delete(&rig, ResourceKind::Network, &iid, &made).await?;
    is_gone(rig.driver.get_network(&iid.system_id).await.err(), &iid)?;
    if capabilities.key_pair != KeyPairUse::Unused {
        let name = longest(&rig, ResourceKind::KeyPair)?;
        let asked = key_pair_request(&name);
        let made = asked.marks.clone();
        let pair = take(&mut carry_out(&rig, &Change::CreateKeyPair(asked)).await?.ids, &name)?;
        rig.driver.get_key_pair(&pair.system_id).await?;
        delete(&rig, ResourceKind::KeyPair, &pair, &made).await?;
        is_gone(rig.driver.get_key_pair(&pair.system_id).await.err(), &pair)?;
    }
    let mut name = longest(&rig, ResourceKind::Cluster)?;
    // Some name is too long only beside what else is asked.
    while let Err(error) =
        rig.driver.prepare(&Change::CreateCluster(ground.cluster(&name, least_node_groups(&rig)))).await
    {
        let is_named = matches!(error.kind(), ErrorKind::InvalidRequest(findings) if findings.iter().any(|finding| finding.field == "name"));
        check(is_named && name.pop().is_some(), || format!("{name} is refused: {error}"))?;
    }
    let cluster = ground.standing_cluster(&rig, &name).await?;
    let name = longest(&rig, ResourceKind::NodeGroup)?;
    let group =
        take(&mut carry_out(&rig, &Change::AddNodeGroup(ground.add(&cluster, &name))).await?.ids, &name)?;
    let stands = rig.driver.get_node_group(&cluster.iid.system_id, &group.system_id).await?;
    check_equal(&stands.nodes.len(), &ground.nodes(2), "the nodes of the group")?;
    delete_cluster(&rig, &cluster).await?;
    is_gone(rig.driver.get_cluster(&cluster.iid.system_id).await.err(), &cluster.iid)?;
    ground.clear(&rig).await?;
    Ok(Verdict::Passed)
}

/// The longest name of plain letters that the rule of a kind allows, another one for each kind.
fn longest(rig: &Rig, kind: ResourceKind) -> Result<String, Failed> {
    let of_kind = rig.driver.capabilities().names(kind);
    let (rule, _) = of_kind.ok_or_else(|| Failed(format!("{kind:?} has no names")))?;
    let letter: String = kind.as_str().chars().take(1).collect();
    let allowed = (1..TOO_LONG).rev().map(|length| letter.repeat(length)).find(|name| rule.allows(name));
    allowed.ok_or_else(|| Failed(format!("no name of {kind:?} is allowed")))
}

fn is_gone(error: Option<DriverError>, iid: &Iid) -> Result<(), Failed> {
    check(error.is_some_and(|error| error.is_not_found()), || format!("{} is still found", iid.system_id))
}
