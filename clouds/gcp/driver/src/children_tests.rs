//! Which things of a project are a cluster's.

use pmks_driver::kubernetes::{BalancedObject, Kind as Object, PersistentVolume};
use pmks_model::{ClusterNetwork, Iid, KeyValueList, Tags};
use serde_json::json;

use super::*;

fn cluster() -> Cluster {
    let mut facts = KeyValueList::default();
    facts.add("Location", "r1-a");
    let network = ClusterNetwork { network: Iid::unnamed("net"), ..ClusterNetwork::default() };
    Cluster { iid: Iid::new("prod", "path"), network, key_value_list: facts, ..Cluster::default() }
}

fn objects() -> ClusterObjects {
    let web = BalancedObject {
        kind: Object::Service,
        namespace: "default".into(),
        name: "web".into(),
        uid: String::new(),
        addresses: vec!["34.1.1.1".into()],
        deleting: false,
    };
    ClusterObjects { balanced: vec![web], ..ClusterObjects::default() }
}

#[test]
fn rules_are_known_by_address_and_by_whom_they_are_for() {
    let (cluster, objects) = (cluster(), objects());
    let of = Owner::new(&cluster, &objects, None);
    let made_by = |address: &str, description: &str| {
        let rule = wire::ForwardingRule {
            name: "a1".into(),
            ip_address: address.into(),
            description: description.into(),
            ..wire::ForwardingRule::default()
        };
        of.forwarding_rule("regions/r1", &rule).map(|child| child.made_by)
    };
    let web = Some("Service default/web".to_owned());
    assert_eq!(made_by("34.1.1.1", r#"{"kubernetes.io/service-name":"default/web"}"#), web);
    assert_eq!(
        made_by(
            "34.1.1.1",
            r#"{"networking.gke.io/service-name":"default/web","networking.gke.io/service-ip":"34.1.1.1"}"#
        ),
        web
    );
    assert_eq!(made_by("34.1.1.1", ""), web);
    assert_eq!(made_by("34.1.1.1", r#"{"kubernetes.io/service-name":"other/web"}"#), None);
    assert_eq!(made_by("34.1.1.2", r#"{"kubernetes.io/service-name":"default/web"}"#), None);
    let firewall = |network: &str, ip: &str| {
        let description =
            json!({"kubernetes.io/service-name": "default/web", "kubernetes.io/service-ip": ip}).to_string();
        let firewall = wire::Firewall {
            name: "k8s-fw-a1".into(),
            description,
            network: network.into(),
            ..Default::default()
        };
        of.firewall(&firewall, "p").map(|child| child.system_id)
    };
    assert_eq!(
        firewall("projects/p/global/networks/net", "34.1.1.1").as_deref(),
        Some("global/firewalls/k8s-fw-a1")
    );
    assert_eq!(firewall("projects/p/global/networks/other", "34.1.1.1"), None);
    assert_eq!(firewall("projects/p/global/networks/net", "34.9.9.9"), None);
}

#[test]
fn endpoint_groups_are_known_by_the_clusters_own_identifier() {
    let (cluster, objects) = (cluster(), objects());
    let group = |uid: &str| wire::NetworkEndpointGroup {
        name: "k8s1-x".into(),
        description: json!({"cluster-uid": uid, "namespace": "shop", "service-name": "api", "port": "80"})
            .to_string(),
    };
    let of = Owner::new(&cluster, &objects, Some("u1".into()));
    let child = of.endpoint_group("zones/r1-a", &group("u1")).unwrap();
    assert_eq!(
        (child.system_id.as_str(), child.made_by.as_str()),
        ("zones/r1-a/networkEndpointGroups/k8s1-x", "Service shop/api")
    );
    assert!(of.endpoint_group("zones/r1-a", &group("u2")).is_none());
    assert!(Owner::new(&cluster, &objects, None).endpoint_group("zones/r1-a", &group("")).is_none());
}

#[test]
fn disks_are_the_volumes_not_the_nodes_own() {
    let (cluster, mut objects) = (cluster(), objects());
    let labels = |more: &[(&str, &str)]| -> Tags {
        let own = [("goog-k8s-cluster-name", "prod"), ("goog-k8s-cluster-location", "r1-a")];
        own.iter().chain(more).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let of = Owner::new(&cluster, &objects, None);
    let disk = |labels: Tags| wire::Disk { name: "pvc-1".into(), labels, ..wire::Disk::default() };
    assert!(of.disk("zones/r1-a", &disk(labels(&[("goog-gke-volume", "")]))).is_some());
    assert!(
        of.disk("zones/r1-a", &disk(labels(&[("goog-gke-volume", ""), ("goog-gke-node", "")]))).is_none()
    );
    assert!(of.disk("zones/r1-a", &disk(labels(&[]))).is_none());
    let elsewhere = labels(&[("goog-gke-volume", ""), ("goog-k8s-cluster-location", "r1-b")]);
    assert!(of.disk("zones/r1-a", &disk(elsewhere)).is_none());
    let volume = |driver: &str, id: &str| PersistentVolume {
        name: "pv".into(),
        cloud_id: id.into(),
        driver: driver.into(),
        claim: "shop/data".into(),
        reclaimed: true,
    };
    objects.volumes = vec![
        volume("pd.csi.storage.gke.io", "projects/p/zones/r1-a/disks/pvc-2"),
        volume("filestore.csi.storage.gke.io", "modeInstance/r1-a/x/y"),
        volume("kubernetes.io/gce-pd", "pvc-1"),
    ];
    let labelled = vec![child(VOLUME, "zones/r1-a/disks/pvc-1".into(), "pvc-1", String::new())];
    let all = with_claimed(labelled, &objects);
    let ids: Vec<&str> = all.iter().map(|child| child.system_id.as_str()).collect();
    assert_eq!(ids, ["zones/r1-a/disks/pvc-1", "zones/r1-a/disks/pvc-2"]);
    assert!(all.iter().all(|child| child.made_by == "PersistentVolumeClaim shop/data"));
}

#[test]
fn a_child_is_found_again_by_its_identifier() {
    let rule = child(FORWARDING_RULE, "regions/r1/forwardingRules/a1".into(), "a1", String::new());
    assert_eq!(at_google(&rule), Some((Kind::ForwardingRule, Scope::region("r1"), "a1")));
    let global = child(FORWARDING_RULE, "global/forwardingRules/a1".into(), "a1", String::new());
    assert_eq!(at_google(&global), Some((Kind::ForwardingRule, Scope::global(), "a1")));
    let map = child("urlMap", "global/urlMaps/k8s2-um-x".into(), "k8s2-um-x", String::new());
    assert_eq!(at_google(&map), Some((Kind::UrlMap, Scope::global(), "k8s2-um-x")));
    assert_eq!(at_google(&child("service", "default/web".into(), "web", String::new())), None);
}
