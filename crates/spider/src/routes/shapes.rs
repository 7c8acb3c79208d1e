//! The JSON of CB-Spider's objects, made of core's views. Lists are never `null`.

use pmks_core::{
    ClusterView, KeyPairView, NetworkView, NodeGroupView, SecurityGroupView, SubnetView, UnmanagedCluster,
    is_unmade,
};
use pmks_model::{Iid, KeyValueList, NodeGroup, Scaling, Status, Tags};
use serde_json::{Map, Value, json};

use crate::Refusal;
use crate::fields::Fields;

/// The time of what has none, as Go writes it.
pub(super) const NO_TIME: &str = "0001-01-01T00:00:00Z";
/// What CB-Spider's machines let in.
const VM_USER: &str = "cb-user";

pub(super) fn iid(iid: &Iid) -> Value {
    pair(&iid.name_id, &iid.system_id)
}

pub(super) fn pair(name_id: &str, system_id: &str) -> Value {
    json!({"NameId": name_id, "SystemId": system_id})
}

pub(super) fn tags(tags: &Tags) -> Vec<Value> {
    tags.iter().map(|(key, value)| key_value(key, value)).collect()
}

/// The tags that a request gives to what it makes. Of two values for one key either would be lost.
pub(super) fn asked_tags(asked: &Fields) -> Result<Tags, Refusal> {
    let mut tags = Tags::new();
    for (key, value) in asked.pairs("TagList")?.unwrap_or_default() {
        if tags.contains_key(&key) {
            return Err(Refusal::invalid(format!("TagList: the key {key:?} is given twice")));
        }
        tags.insert(key, value);
    }
    Ok(tags)
}

pub(super) fn facts(list: &KeyValueList) -> Vec<Value> {
    list.0.iter().map(|fact| key_value(&fact.key, &fact.value)).collect()
}

/// An empty value is left out.
pub(super) fn key_value(key: &str, value: &str) -> Value {
    if value.is_empty() { json!({"Key": key}) } else { json!({"Key": key, "Value": value}) }
}

/// With the subnets that have a record, as clients of CB-Spider know it.
pub(super) fn network(view: &NetworkView) -> Value {
    network_with(view, |subnet| !subnet.uid.is_empty())
}

/// With every subnet that it has at the cloud: by these clients see which of them have no record.
pub(super) fn network_at_cloud(view: &NetworkView) -> Value {
    network_with(view, |_| true)
}

fn network_with(view: &NetworkView, is_told: impl Fn(&SubnetView) -> bool) -> Value {
    // Not what was never made.
    let told = view.subnets.iter().filter(|subnet| stands(subnet.status, &subnet.iid) && is_told(subnet));
    json!({
        "IId": iid(&view.iid),
        "IPv4_CIDR": view.cidr,
        "SubnetInfoList": told.map(subnet).collect::<Vec<_>>(),
        "TagList": tags(&view.tags),
        "KeyValueList": facts(&view.key_value_list),
    })
}

pub(super) fn subnet(view: &SubnetView) -> Value {
    json!({
        "IId": iid(&view.iid),
        "Zone": view.zone,
        "IPv4_CIDR": view.cidr,
        "TagList": tags(&view.tags),
        "KeyValueList": facts(&view.key_value_list),
    })
}

/// `network`: both names of the one it belongs to.
pub(super) fn security_group(view: &SecurityGroupView, network: &Iid) -> Value {
    let port = |port: Option<i64>| port.map_or_else(|| "-1".to_owned(), |port| port.to_string());
    let rules = view.rules.iter().map(|rule| {
        json!({
            "FromPort": port(rule.from_port),
            "ToPort": port(rule.to_port.or(rule.from_port)),
            "IPProtocol": rule.protocol.to_uppercase(),
            "Direction": rule.direction.to_lowercase(),
            "CIDR": rule.cidr,
        })
    });
    json!({
        "IId": iid(&view.iid),
        "VpcIID": iid(network),
        "SecurityRules": rules.collect::<Vec<_>>(),
        "TagList": tags(&view.tags),
        "KeyValueList": facts(&view.key_value_list),
    })
}

/// The private half is empty but in the answer to the creation.
pub(super) fn key_pair(view: &KeyPairView, private_key: &str) -> Value {
    json!({
        "IId": iid(&view.iid),
        "Fingerprint": view.fingerprint,
        "PublicKey": view.public_key,
        "PrivateKey": private_key,
        "VMUserID": VM_USER,
        "TagList": tags(&view.tags),
        "KeyValueList": facts(&view.key_value_list),
    })
}

/// What was asked for; of a cluster that was taken over, what it has.
pub(super) fn tags_of_cluster(view: &ClusterView) -> &Tags {
    view.observed.as_ref().filter(|_| view.imported).map_or(&view.tags, |seen| &seen.tags)
}

/// The security groups of a cluster. A cloud that keeps none of one (AKS has them of nodes alone) leaves it at what was
/// asked for.
pub(super) fn groups_of(view: &ClusterView) -> Vec<Iid> {
    let said = view.observed.as_ref().map(|seen| &seen.security_groups).filter(|said| !said.is_empty());
    said.unwrap_or(&view.asked_security_groups).clone()
}

pub(super) fn cluster(view: &ClusterView, kubeconfig: &str) -> Value {
    if view.status == Status::Missing {
        return gone(view);
    }
    let seen = view.observed.as_ref();
    let named = |names: &[String]| names.iter().map(|name| Iid::new(name.clone(), "")).collect::<Vec<_>>();
    let network = seen.map_or_else(|| Iid::new(view.network.clone(), ""), |seen| seen.network.clone());
    let subnets = seen.map_or_else(|| named(&view.subnets), |seen| seen.subnets.clone());
    let groups = groups_of(view);
    let version =
        seen.and_then(|seen| seen.version.as_ref()).map_or_else(|| view.version.clone(), ToString::to_string);
    // A node group that failed leaves the cluster as its cloud says that it is.
    let shown_as = match (view.status, seen.map(|seen| seen.status)) {
        (Status::Degraded, Some(Status::Active)) => Status::Active,
        (status, _) => status,
    };
    let groups_shown = view.node_groups.iter().filter(|group| stands(group.status, &group.iid));
    let mut shown = json!({
        "IId": iid(&view.iid),
        "Version": version,
        "Network": {
            "VpcIID": iid(&network),
            "SubnetIIDs": iids(&subnets),
            "SecurityGroupIIDs": iids(&groups),
        },
        "NodeGroupList": groups_shown.map(node_group).collect::<Vec<_>>(),
        "AccessInfo": filled(&[("Endpoint", &view.access.endpoint), ("Kubeconfig", kubeconfig)]),
        "Addons": {},
        "Status": status(shown_as),
        "CreatedTime": view.created_at.to_string(),
    });
    add(&mut shown, "TagList", tags(tags_of_cluster(view)));
    add(&mut shown, "KeyValueList", facts(&view.key_value_list));
    let addons = view.addons.iter().flat_map(|addon| {
        let facts = [("AddonName", &addon.name), ("AddonVersion", &addon.version), ("Status", &addon.status)];
        facts.map(|(key, value)| key_value(key, value))
    });
    if let Some(shown) = shown.get_mut("Addons") {
        add(shown, "KeyValueList", addons.collect());
    }
    shown
}

/// What a list of the cloud's says of a cluster of which nobody here keeps a record.
pub(super) fn strange_cluster(found: &UnmanagedCluster) -> Value {
    json!({
        "IId": iid(&found.iid),
        "Version": found.version.as_ref().map(ToString::to_string).unwrap_or_default(),
        "Network": {
            "VpcIID": iid(&found.network.network),
            "SubnetIIDs": iids(&found.network.subnets),
            "SecurityGroupIIDs": iids(&found.network.security_groups),
        },
        "NodeGroupList": found.node_groups.iter().map(strange_group).collect::<Vec<_>>(),
        "AccessInfo": {},
        "Addons": {},
        "Status": status(found.status),
        "CreatedTime": found.created_at.map_or_else(|| NO_TIME.to_owned(), |at| at.to_string()),
    })
}

/// Whether a part is at the cloud, or on its way there.
pub(super) fn stands(status: Status, iid: &Iid) -> bool {
    status != Status::Missing && !is_unmade(status, iid)
}

/// What is left to be said of a cluster that the cloud has no more.
fn gone(view: &ClusterView) -> Value {
    json!({
        "IId": iid(&view.iid),
        "Version": "",
        "Network": {"VpcIID": pair("", ""), "SubnetIIDs": [], "SecurityGroupIIDs": []},
        "NodeGroupList": [],
        "AccessInfo": {},
        "Addons": {},
        "Status": "",
        "CreatedTime": NO_TIME,
    })
}

/// What is shown of a node group, whoever keeps a record of it.
struct Group<'a> {
    iid: &'a Iid,
    image: &'a str,
    machine_type: &'a str,
    key_pair: &'a Iid,
    scaling: Option<Scaling>,
    status: Status,
    root_disk_type: &'a str,
    root_disk_size: String,
    nodes: &'a [Iid],
    facts: &'a KeyValueList,
}

pub(super) fn node_group(view: &NodeGroupView) -> Value {
    shown_group(&Group {
        iid: &view.iid,
        image: &view.image,
        machine_type: &view.machine_type,
        key_pair: &view.key_pair_iid,
        scaling: view.scaling,
        status: view.status,
        root_disk_type: &view.root_disk_type,
        root_disk_size: view.root_disk_size_gib.map(|size| size.to_string()).unwrap_or_default(),
        // Its machines went with it.
        nodes: if view.status == Status::Missing { &[] } else { &view.nodes },
        facts: &view.key_value_list,
    })
}

/// A node group of a cluster that only the cloud knows.
fn strange_group(group: &NodeGroup) -> Value {
    let size = group.root_disk_size_gib;
    shown_group(&Group {
        iid: &group.iid,
        image: &group.image,
        machine_type: &group.machine_type,
        key_pair: &group.key_pair,
        scaling: group.scaling,
        status: group.status,
        root_disk_type: &group.root_disk_type,
        root_disk_size: if size == 0 { String::new() } else { size.to_string() },
        nodes: &group.nodes,
        facts: &group.key_value_list,
    })
}

fn shown_group(group: &Group<'_>) -> Value {
    let scaling = group.scaling;
    let mut shown = json!({
        "IId": iid(group.iid),
        "ImageIID": pair(group.image, group.image),
        "VMSpecName": group.machine_type,
        "KeyPairIID": iid(group.key_pair),
        "OnAutoScaling": scaling.is_some_and(|scaling| scaling.auto_scaling),
        "DesiredNodeSize": scaling.map_or(0, |scaling| scaling.desired),
        "MinNodeSize": scaling.map_or(0, |scaling| scaling.min),
        "MaxNodeSize": scaling.map_or(0, |scaling| scaling.max),
        "Status": status(group.status),
    });
    if let Some(fields) = shown.as_object_mut() {
        fields.extend(filled(&[
            ("RootDiskType", group.root_disk_type),
            ("RootDiskSize", &group.root_disk_size),
        ]));
    }
    add(&mut shown, "Nodes", iids(group.nodes));
    add(&mut shown, "KeyValueList", facts(group.facts));
    shown
}

/// CB-Spider's five words; what is gone at the cloud has none.
pub(super) fn status(status: Status) -> &'static str {
    match status {
        Status::Creating => "Creating",
        Status::Active => "Active",
        Status::Updating => "Updating",
        Status::Deleting => "Deleting",
        Status::Missing => "",
        Status::Inactive | Status::Degraded | Status::Failed | Status::Stopped | Status::Unknown => {
            "Inactive"
        }
    }
}

pub(super) fn iids(all: &[Iid]) -> Vec<Value> {
    all.iter().map(iid).collect()
}

/// What is not empty.
fn filled(pairs: &[(&str, &str)]) -> Map<String, Value> {
    let said = pairs.iter().filter(|(_, value)| !value.is_empty());
    said.map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect()
}

/// A list that is left out where it is empty.
fn add(shown: &mut Value, key: &str, list: Vec<Value>) {
    if let Some(fields) = shown.as_object_mut()
        && !list.is_empty()
    {
        fields.insert(key.to_owned(), Value::Array(list));
    }
}
