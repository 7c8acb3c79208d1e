//! GKE's words, a table each.

use pmks_driver::Marks;
use serde_json::json;

use super::*;

#[test]
fn what_is_no_number_tells_nothing() {
    for (text, told) in [("5696393913761091091", "5696393913761091091"), ("", ""), ("xxxx", ""), ("-1", "")] {
        assert_eq!(number(text), told);
    }
}
use crate::live::tests::{live, pool};

fn condition(code: &str, message: &str) -> container::StatusCondition {
    container::StatusCondition { code: code.to_owned(), message: message.to_owned(), ..Default::default() }
}

#[test]
fn states_are_ours() {
    for (word, cluster, pool) in [
        ("PROVISIONING", Status::Creating, Status::Creating),
        ("RUNNING", Status::Active, Status::Active),
        ("RUNNING_WITH_ERROR", Status::Unknown, Status::Degraded),
        ("RECONCILING", Status::Updating, Status::Updating),
        ("STOPPING", Status::Deleting, Status::Deleting),
        ("DEGRADED", Status::Degraded, Status::Unknown),
        ("ERROR", Status::Failed, Status::Failed),
        ("STATUS_UNSPECIFIED", Status::Unknown, Status::Unknown),
        ("HIBERNATING", Status::Unknown, Status::Unknown),
    ] {
        assert_eq!((cluster_status(word), node_pool_status(word)), (cluster, pool), "{word}");
    }
}

#[test]
fn a_cluster_is_read_with_its_live_figures() {
    let tags = Marks { installation: "i".into(), operation: "o".into(), uid: "u".into() }
        .onto(&std::collections::BTreeMap::default());
    let url =
        "https://www.googleapis.com/compute/v1/projects/p/zones/r1-a/instanceGroupManagers/gke-c-ga-1a2b-grp";
    let found: container::Cluster = serde_json::from_value(json!({
        "name": "c", "id": "abc123", "location": "r1-a", "locations": ["r1-a"], "status": "RUNNING",
        "initialClusterVersion": "1.31.1-gke.1", "currentMasterVersion": "1.33.5-gke.1080000", "endpoint": "34.1.2.3",
        "masterAuth": {"clusterCaCertificate": STANDARD.encode("-----BEGIN CERTIFICATE-----\n")},
        "network": "net", "subnetwork": "sub",
        "networkConfig": {"network": "projects/host/global/networks/net", "subnetwork": "projects/p/regions/r1/subnetworks/sub"},
        "resourceLabels": tags, "releaseChannel": {"channel": "REGULAR"}, "createTime": "2026-11-23T10:00:00+00:00",
        "addonsConfig": {"httpLoadBalancing": {}, "horizontalPodAutoscaling": {"disabled": false},
            "gcePersistentDiskCsiDriverConfig": {"enabled": true}, "kubernetesDashboard": {"disabled": true}},
        "nodePools": [{"name": "ga", "status": "RUNNING", "version": "1.32.9-gke.7", "initialNodeCount": 9,
            "locations": ["r1-a"], "instanceGroupUrls": [url],
            "config": {"machineType": "e2-medium", "diskType": "pd-balanced", "diskSizeGb": 100, "imageType": "COS_CONTAINERD",
                "tags": ["web"], "metadata": {"disable-legacy-endpoints": "true", "pmks-key-pair": "admin"}}}],
        "unknownField": {"x": 1},
    }))
    .unwrap();
    let cluster = cluster(&found, "p", &live());
    assert_eq!(cluster.iid, Iid::new("c", "projects/p/locations/r1-a/clusters/c"));
    assert_eq!(cluster.incarnation, "abc123");
    assert_eq!(cluster.version.unwrap().to_string(), "1.33.5-gke.1080000");
    assert_eq!(cluster.access.endpoint, "https://34.1.2.3");
    assert_eq!(cluster.access.certificate_authority, "-----BEGIN CERTIFICATE-----\n");
    assert_eq!(cluster.network.network.system_id, "projects/host/global/networks/net");
    assert_eq!(cluster.network.subnets, [Iid::unnamed("sub")]);
    assert_eq!(cluster.network.security_groups, [Iid::unnamed("web")]);
    let addons: Vec<&str> = cluster.addons.iter().map(|addon| addon.name.as_str()).collect();
    assert_eq!(addons, ["gcePersistentDiskCsiDriverConfig", "horizontalPodAutoscaling"]);
    let group = &cluster.node_groups[0];
    assert_eq!(group.scaling, Some(Scaling { auto_scaling: false, min: 2, max: 2, desired: 2 }));
    assert_eq!(group.version.as_ref().unwrap().to_string(), "1.32.9-gke.7");
    assert_eq!((group.nodes.len(), group.key_pair.name_id.as_str()), (2, "admin"));
    assert_eq!(group.incarnation, cluster.incarnation);
}

#[test]
fn the_groups_of_a_cluster_whose_pools_are_gone_are_in_its_labels() {
    let labels =
        json!({"cb-spider-pmks-securitygroup-0": "web", "cb-spider-pmks-securitygroup-1": "db", "team": "x"});
    let of = |pools: Value| {
        let found = json!({"name": "c", "location": "r1-a", "resourceLabels": labels, "nodePools": pools});
        let found: container::Cluster = serde_json::from_value(found).unwrap();
        cluster(&found, "p", &live()).network.security_groups
    };
    assert_eq!(of(json!([])), [Iid::unnamed("web"), Iid::unnamed("db")]);
    assert_eq!(of(json!([{"name": "ga", "config": {"tags": ["other"]}}])), [Iid::unnamed("other")]);
}

#[test]
fn a_key_pair_is_told_by_either_of_two_words() {
    let of = |config: Value| {
        let pool = json!({"name": "ga", "config": config});
        let found = json!({"name": "c", "location": "r1-a", "nodePools": [pool]});
        let found: container::Cluster = serde_json::from_value(found).unwrap();
        cluster(&found, "p", &live()).node_groups.remove(0).key_pair
    };
    assert_eq!(of(json!({"labels": {"keypair": "theirs", "other": "x"}})), Iid::new("theirs", "theirs"));
    let both = json!({"labels": {"keypair": "theirs"}, "metadata": {"pmks-key-pair": "ours"}});
    assert_eq!(of(both), Iid::new("ours", "ours"));
    for none in [json!({}), json!({"labels": {"keypair": ""}}), json!({"labels": {"sshkey": "x"}})] {
        assert_eq!(of(none.clone()), Iid::default(), "{none}");
    }
}

#[test]
fn limits_are_of_the_whole_pool() {
    let of = |zones: &[&str], autoscaling: Value| {
        let mut pool = pool("g", &[]);
        pool.locations = zones.iter().map(|zone| (*zone).to_owned()).collect();
        pool.autoscaling = serde_json::from_value(autoscaling).unwrap();
        limits(&pool)
    };
    assert_eq!(of(&["a"], json!({})), None);
    assert_eq!(of(&["a"], json!({"enabled": false, "minNodeCount": 1, "maxNodeCount": 3})), None);
    assert_eq!(of(&["a"], json!({"enabled": true, "maxNodeCount": 3})), Some((0, 3)));
    assert_eq!(of(&["a", "b"], json!({"enabled": true, "minNodeCount": 1, "maxNodeCount": 3})), Some((2, 6)));
    assert_eq!(
        of(&["a", "b"], json!({"enabled": true, "totalMinNodeCount": 1, "totalMaxNodeCount": 3})),
        Some((1, 3))
    );
}

#[test]
fn work_is_followed_to_its_own_error() {
    let word =
        |operation: Value| format!("{:?}", poll(&serde_json::from_value(operation).unwrap(), Value::Null));
    for (operation, expected) in [
        (json!({"status": "PENDING", "operationType": "CREATE_CLUSTER"}), "Pending"),
        (
            json!({"status": "RUNNING", "operationType": "UPGRADE_MASTER", "detail": "2 of 3"}),
            "UPGRADE_MASTER RUNNING: 2 of 3",
        ),
        (json!({"status": "ABORTING"}), "Pending"),
        (json!({"status": "DONE"}), "Done"),
        (json!({"status": "DONE", "error": {"code": 8, "message": "GCE_STOCKOUT"}}), "QuotaExceeded"),
        (json!({"status": "DONE", "error": {"code": 9, "message": "no"}}), "Precondition"),
        (json!({"status": "DONE", "error": {}}), "Done"),
    ] {
        let said = word(operation.clone());
        assert!(said.contains(expected), "{operation}: {said}");
    }
    let compute = |operation: Value| {
        format!("{:?}", compute_poll(&serde_json::from_value(operation).unwrap(), Value::Null))
    };
    for (operation, expected) in [
        (json!({"status": "RUNNING", "operationType": "insert"}), "insert RUNNING"),
        (json!({"status": "DONE"}), "Done"),
        (
            json!({"status": "DONE", "error": {"errors": [{"code": "QUOTA_EXCEEDED", "message": "no"}]}}),
            "QuotaExceeded",
        ),
        (json!({"status": "DONE", "httpErrorStatusCode": 500}), "Failed"),
    ] {
        let said = compute(operation.clone());
        assert!(said.contains(expected), "{operation}: {said}");
    }
}

#[test]
fn what_is_under_way_is_told_by_its_target() {
    let cluster = ClusterName { project: "p".into(), location: "r1-a".into(), name: "c".into() };
    let operation = |status: &str, target: &str| container::Operation {
        name: "operation-1".into(),
        operation_type: "UPGRADE_NODES".into(),
        status: status.into(),
        target_link: format!("https://container.googleapis.com/v1/projects/123/{target}"),
        ..Default::default()
    };
    for (status, target, found) in [
        ("RUNNING", "zones/r1-a/clusters/c", true),
        ("PENDING", "locations/r1-a/clusters/c/nodePools/g", true),
        ("DONE", "zones/r1-a/clusters/c", false),
        ("RUNNING", "zones/r1-a/clusters/cc", false),
        ("RUNNING", "zones/r1-b/clusters/c", false),
        ("RUNNING", "", false),
    ] {
        let says = under_way(&[operation(status, target)], &cluster);
        assert_eq!(says.is_some(), found, "{status} {target}: {says:?}");
    }
}

#[test]
fn failed_creations_are_told_apart() {
    let of = |conditions: &[container::StatusCondition]| {
        let error = failed_creation("cluster", "c", conditions, "");
        (error.kind().clone(), error.message().to_owned())
    };
    let (kind, message) = of(&[condition("GCE_STOCKOUT", "no machines left")]);
    assert_eq!(
        (kind, message.as_str()),
        (ErrorKind::QuotaExceeded, "GKE could not make cluster \"c\": GCE_STOCKOUT: no machines left")
    );
    assert!(matches!(
        of(&[condition("GKE_SERVICE_ACCOUNT_DELETED", "x")]).0,
        ErrorKind::PrerequisiteMissing { .. }
    ));
    assert!(matches!(of(&[condition("SET_BY_OPERATOR", "x")]).0, ErrorKind::Precondition { .. }));
    assert!(of(&[]).1.contains("does not say why"));
    let canonical =
        container::StatusCondition { canonical_code: "PERMISSION_DENIED".into(), ..Default::default() };
    assert!(matches!(of(&[canonical]).0, ErrorKind::Forbidden { .. }));
}
