//! Virtual machines: those that are nodes of the clusters that are known here. Others are nobody's here.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;

use pmks_core::{ClusterView, NodeView};
use pmks_model::{FailureKind, Iid, Status};
use serde_json::{Value, json};

use super::all::{Kind as _, Outcome};
use super::clusters::Cluster;
use super::shapes;
use crate::Refusal;
use crate::call::{Answer, Call};
use crate::reply::Reply;

/// A node with its cluster.
type Node = (Arc<ClusterView>, NodeView);

/// States of machines in the words of clouds, in small letters, and in CB-Spider's. Any other word stays as it is.
const STATES: &[(&str, &str)] = &[
    ("creating", "Creating"),
    ("pending", "Creating"),
    ("provisioning", "Creating"),
    ("staging", "Creating"),
    ("running", "Running"),
    ("stopping", "Suspending"),
    ("suspending", "Suspending"),
    ("deallocating", "Suspending"),
    ("stopped", "Suspended"),
    ("suspended", "Suspended"),
    ("deallocated", "Suspended"),
    ("starting", "Resuming"),
    ("shutting-down", "Terminating"),
    ("deleting", "Terminating"),
    ("terminated", "Terminated"),
    ("failed", "Failed"),
];

/// The nodes of every cluster at a connection.
async fn nodes(call: &Call, connection: &str, max_age: Option<Duration>) -> Outcome<Vec<Node>> {
    let mut all = Vec::new();
    for cluster in Cluster::known(call, connection).await? {
        all.extend(nodes_of(call, connection, cluster, max_age).await?);
    }
    Ok(all)
}

/// The nodes of a cluster. One that is not there yet, or no more, has none.
async fn nodes_of(
    call: &Call,
    connection: &str,
    cluster: ClusterView,
    max_age: Option<Duration>,
) -> Outcome<Vec<Node>> {
    if cluster.status == Status::Missing {
        return Ok(Vec::new());
    }
    match call.pmks().clusters().nodes(connection, &cluster.name, max_age).await {
        Ok(found) => {
            let cluster = Arc::new(cluster);
            Ok(found.into_iter().map(|node| (Arc::clone(&cluster), node)).collect())
        }
        Err(failure) if matches!(failure.kind, FailureKind::Precondition | FailureKind::NotFound) => {
            Ok(Vec::new())
        }
        Err(failure) => Err(failure.into()),
    }
}

/// One, by its name as a node or the cloud's identifier. Clusters are asked until one has it.
async fn node(call: &Call) -> Outcome<(String, Node)> {
    let (connection, name) = (call.connection()?, call.named(0));
    let is_it = |(cluster, view): &Node| {
        let own = &view.node.iid;
        [&own.name_id, &own.system_id, &names(cluster, &view.node).name_id]
            .into_iter()
            .any(|known| known == name)
    };
    for cluster in Cluster::known(call, &connection).await? {
        let found = nodes_of(call, &connection, cluster, None).await?;
        if let Some(node) = found.into_iter().find(is_it) {
            return Ok((connection, node));
        }
    }
    Err(Refusal::absent(format!("VM '{name}' does not exist in connection '{connection}'")))
}

pub(super) async fn list(call: Call) -> Answer {
    let connection = call.connection()?;
    let region = region(&call, &connection).await?;
    let all = nodes(&call, &connection, None).await?;
    Ok(Reply::list("vm", all.iter().map(|node| machine(node, &region)).collect()))
}

/// What CB-Spider's web pages keep under names of machines.
const PAGES_OWN: [&str; 2] = ["imagespecfavorite", "imagespecrecent"];

pub(super) async fn get(call: Call) -> Answer {
    if PAGES_OWN.contains(&call.named(0)) {
        return Err(Refusal::unsupported("what CB-Spider's web pages remember is not supported here"));
    }
    let (connection, node) = node(&call).await?;
    Ok(Reply::Json(machine(&node, &region(&call, &connection).await?)))
}

pub(super) async fn states(call: Call) -> Answer {
    let connection = call.connection()?;
    let all = nodes(&call, &connection, Some(Duration::ZERO)).await?;
    let shown = all.iter().map(
        |(of, view)| json!({"IId": shapes::iid(names(of, &view.node)), "VmStatus": state(&view.node.state)}),
    );
    Ok(Reply::list("vmstatus", shown.collect()))
}

pub(super) async fn state_of(call: Call) -> Answer {
    let (_, (_, view)) = node(&call).await?;
    Ok(Reply::Json(json!({"Status": state(&view.node.state)})))
}

/// At one connection, or at all: two of one account see the same ones.
pub(super) async fn count(call: Call) -> Answer {
    let mut seen = std::collections::BTreeSet::new();
    for connection in call.of_path_or_all().await? {
        let all = nodes(&call, &connection, None).await?;
        seen.extend(all.into_iter().map(|(cluster, view)| (cluster.uid.clone(), view.node.iid)));
    }
    Ok(Reply::count(seen.len()))
}

/// Which other machines an account has, nobody here asks.
pub(super) fn beside(_: Call) -> Ready<Answer> {
    ready(Err(Refusal::unsupported(
        "machines that are no nodes are not supported here, so nothing is said of what the account has beside them: \
         /vm lists the nodes",
    )))
}

/// Both names of a machine, as its node group tells it: where its cloud tells a group's machines by their identifiers
/// alone, a client that has one from there finds the same here. A group that does not tell it leaves the node's own.
fn names<'a>(cluster: &'a ClusterView, node: &'a pmks_model::Node) -> &'a Iid {
    let mut told = cluster.node_groups.iter().flat_map(|group| &group.nodes);
    told.find(|told| told.system_id == node.iid.system_id).unwrap_or(&node.iid)
}

async fn region(call: &Call, connection: &str) -> Outcome<String> {
    Ok(call.pmks().connections().get(connection).await?.region)
}

/// CB-Spider's word for a machine's system; empty where nobody says it.
fn platform(operating_system: &str) -> &'static str {
    match operating_system {
        "linux" => "LINUX/UNIX",
        "windows" => "WINDOWS",
        _ => "",
    }
}

fn state(word: &str) -> &str {
    let word = word.strip_prefix("PowerState/").unwrap_or(word);
    STATES.iter().find(|(cloud, _)| cloud.eq_ignore_ascii_case(word)).map_or(word, |(_, theirs)| theirs)
}

/// What is known of it; what is not is empty.
///
/// Source: <https://github.com/cloud-barista/cb-spider/blob/master/cloud-control-manager/cloud-driver/interfaces/resources/VMHandler.go>
fn machine((cluster, view): &Node, region: &str) -> Value {
    let node = &view.node;
    let group = cluster.node_groups.iter().find(|group| group.name == node.node_group);
    let of_group = |field: fn(&pmks_core::NodeGroupView) -> String| group.map(field).unwrap_or_default();
    let image = of_group(|group| group.image.clone());
    let key_pair = group.map(|group| group.key_pair_iid.clone()).unwrap_or_default();
    let network = cluster.observed.as_ref().map_or_else(Iid::default, |seen| seen.network.clone());
    // Where the cloud does not tell it with the machine, it is what the cluster has; of several subnets none is told.
    let subnets = cluster.observed.as_ref().map(|seen| seen.subnets.as_slice()).unwrap_or_default();
    let subnet = match (node.subnet.system_id.as_str(), subnets) {
        ("", [only]) => only.clone(),
        _ => node.subnet.clone(),
    };
    let own = (!node.security_groups.is_empty()).then(|| node.security_groups.clone());
    let groups = own.unwrap_or_else(|| shapes::groups_of(cluster));
    let addresses = |one: &str| if one.is_empty() { Vec::new() } else { vec![one.to_owned()] };
    let mut facts = vec![
        shapes::key_value("Cluster", &view.cluster),
        shapes::key_value("NodeGroup", &node.node_group),
        shapes::key_value("State", &node.state),
    ];
    facts.extend(shapes::facts(&node.key_value_list));
    json!({
        "IId": shapes::iid(names(cluster, node)),
        "StartTime": node.launched_at.map_or_else(|| shapes::NO_TIME.to_owned(), |at| at.to_string()),
        "Region": {"Region": region, "Zone": node.zone},
        "ImageType": "PublicImage",
        "ImageIId": shapes::pair(&image, &image),
        "VMSpecName": node.machine_type,
        "VpcIID": shapes::iid(&network),
        "SubnetIID": shapes::iid(&subnet),
        "SecurityGroupIIds": shapes::iids(&groups),
        "KeyPairIId": shapes::iid(&key_pair),
        "RootDiskType": of_group(|group| group.root_disk_type.clone()),
        "RootDiskSize": of_group(|group| group.root_disk_size_gib.map(|size| size.to_string()).unwrap_or_default()),
        "RootDeviceName": "",
        "DataDiskIIDs": [],
        "VMBootDisk": "",
        "VMBlockDisk": "",
        "VMUserId": "",
        "VMUserPasswd": "",
        "NICs": [],
        "NetworkInterface": "",
        "PublicIP": node.public_ip,
        "PublicIPs": addresses(&node.public_ip),
        "PublicDNS": "",
        "PrivateIP": node.private_ip,
        "PrivateIPs": addresses(&node.private_ip),
        "PrivateDNS": "",
        "Platform": platform(&node.operating_system),
        "SSHAccessPoint": "",
        "AccessPoint": "",
        "TagList": [],
        "KeyValueList": facts,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_cb_spiders_words() {
        for (system, theirs) in [("linux", "LINUX/UNIX"), ("windows", "WINDOWS"), ("", "")] {
            assert_eq!(platform(system), theirs);
        }
    }

    #[test]
    fn states_are_cb_spiders_words_and_what_is_none_stays() {
        for (cloud, theirs) in [
            ("RUNNING", "Running"),
            ("running", "Running"),
            ("PowerState/deallocated", "Suspended"),
            ("shutting-down", "Terminating"),
            ("REPAIRING", "REPAIRING"),
        ] {
            assert_eq!(state(cloud), theirs);
        }
    }
}
