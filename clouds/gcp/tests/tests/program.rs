//! The program against the simulated Google Cloud, where it is about what Google alone does.

#![expect(clippy::unwrap_used, reason = "a test cannot go on without it")]

use pmks_gcp_tests::GCP;
use pmks_simulation::{Effect, Resource, Rule};
use pmks_suites::{Ended, Pmks, SimulatedCloud};
use serde_json::{Value, json};

/// The program with the simulated cloud's credential.
async fn stand() -> (SimulatedCloud, Pmks) {
    let (world, pmks) = (SimulatedCloud::start(GCP).await, Pmks::new().unwrap());
    let ready: Value = serde_json::from_str(&world.ready_file()).unwrap();
    let credential = ready.pointer("/clouds/gcp/connection/credential").unwrap();
    std::fs::write(pmks.home().join("credential.json"), credential.to_string()).unwrap();
    (world, pmks)
}

fn connect(world: &SimulatedCloud, pmks: &Pmks, name: &str, region: &str, zone: &str) -> Ended {
    let offered = world.connection(name);
    let credential = pmks.home().join("credential.json").display().to_string();
    let (pace, all) = (offered.pace.to_string(), format!("all={}", world.url()));
    let create = ["connection", "create", name, "--provider", "gcp", "--region", region];
    let rest = ["--pace", &pace, "--credential-file", &credential, "--endpoint", &all];
    let within = if zone.is_empty() { [].as_slice() } else { &["--zone", zone] };
    pmks.run(&[create.as_slice(), within, &rest].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_google_does_not_have_makes_no_connection() {
    let (world, pmks) = stand().await;
    let offered = world.connection("sim");
    let elsewhere = connect(&world, &pmks, "mars", "mars-1", "mars-1-a");
    assert!(elsewhere.code == 2 && elsewhere.stderr.contains("region"), "{elsewhere:?}");
    let zone = format!("{}-z", offered.region);
    let nowhere = connect(&world, &pmks, "zoned", &offered.region, &zone);
    assert!(nowhere.code == 2 && nowhere.stderr.contains("zone"), "{nowhere:?}");
    let right = connect(&world, &pmks, "sim", &offered.region, offered.zone.as_deref().unwrap());
    assert_eq!(right.code, 0, "{right:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_group_without_a_size_has_a_node_in_each_zone() {
    let (world, pmks) = stand().await;
    let made = connect(&world, &pmks, "sim", &world.connection("sim").region, "");
    assert_eq!(made.code, 0, "{made:?}");
    pmks.succeed(&["connection", "prerequisites", "sim", "--fix", "--yes"]);
    let subnet = "name=net-a,cidr=10.0.1.0/24";
    pmks.succeed(&["network", "create", "net", "-c", "sim", "--cidr", "10.0.0.0/16", "--subnet", subnet]);
    let create = ["cluster", "create", "ours", "-c", "sim", "--network", "net", "--subnet", "net-a"];
    pmks.succeed(&[create.as_slice(), &["--node-group", "name=ga"]].concat());
    pmks.succeed(&["node-group", "add", "gb", "-c", "sim", "--cluster", "ours"]);
    let cluster = pmks.json(&["cluster", "get", "ours", "-c", "sim"]);
    for group in cluster["nodeGroups"].as_array().unwrap() {
        assert_eq!((&group["scaling"]["desired"], group["nodes"].as_array().unwrap().len()), (&json!(3), 3));
    }
    let uneven = pmks.run(&["node-group", "add", "gc", "-c", "sim", "--cluster", "ours", "--desired", "1"]);
    assert!(uneven.code == 2 && uneven.stderr.contains("multiple of 3"), "{uneven:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_controller_never_takes_away_goes_with_its_cluster() {
    let (world, pmks) = stand().await;
    let offered = world.connection("sim");
    let made = connect(&world, &pmks, "sim", &offered.region, offered.zone.as_deref().unwrap());
    assert_eq!(made.code, 0, "{made:?}");
    pmks.succeed(&["connection", "prerequisites", "sim", "--fix", "--yes"]);
    let subnet = "name=net-a,cidr=10.0.1.0/24";
    pmks.succeed(&["network", "create", "net", "-c", "sim", "--cidr", "10.0.0.0/16", "--subnet", subnet]);
    let create = ["cluster", "create", "ours", "-c", "sim", "--network", "net", "--subnet", "net-a"];
    pmks.succeed(&[create.as_slice(), &["--node-group", "name=ga,desired=1,max=3"]].concat());
    for (service, kind, stuck) in [("web", "external", true), ("shop", "ingress", true)] {
        let event = json!({"type": "controllerMakesLoadBalancer", "cluster": "ours", "service": service,
            "kind": kind, "stuck": stuck});
        world.cloud.event(&event).unwrap();
    }
    let plan = pmks.succeed(&["cluster", "delete", "ours", "-c", "sim", "--plan", "-o", "json"]);
    for stage in [
        "removal of forwardingRule regions/",
        "removal of forwardingRule global/",
        "removal of firewallRule global/firewalls/k8s-fw-",
        "removal of networkEndpointGroup zones/",
        "removal of targetPool regions/",
        "removal of targetHttpProxy global/",
        "removal of urlMap global/",
        "removal of backendService global/",
        "removal of healthCheck global/",
        "removal of httpHealthCheck global/",
    ] {
        assert!(plan.contains(stage), "{stage:?} is not in {plan}");
    }
    // What cannot go keeps back only what it holds.
    let volume = world.cloud.event(&json!({"type": "controllerMakesVolume", "cluster": "ours"})).unwrap();
    let volume = volume["disk"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let denied = Rule::new("compute", "networkEndpointGroups.delete", Effect::Deny);
    world.cloud.controls().faults.put(vec![denied]);
    let delete = ["cluster", "delete", "ours", "-c", "sim", "--delete-volumes", "--yes"];
    let failed = pmks.run(&delete);
    assert!(failed.code == 5 && failed.stderr.contains("networkEndpointGroup"), "{failed:?}");
    let left = balancers_and(&world, &volume);
    assert!(left.iter().all(|kind| kind == "networkEndpointGroup") && left.len() == 1, "{left:?}");

    world.cloud.controls().faults.clear();
    pmks.succeed(&delete);
    let left = balancers_and(&world, &volume);
    assert!(left.is_empty(), "{left:?}");
}

/// The kinds of what stands of a cluster, its balancers and a disk.
fn balancers_and(world: &SimulatedCloud, disk: &str) -> Vec<String> {
    let parts = [
        "cluster",
        "forwardingRule",
        "networkEndpointGroup",
        "targetPool",
        "targetHttpProxy",
        "urlMap",
        "backendService",
        "healthCheck",
        "httpHealthCheck",
    ];
    let of_controllers = |row: &Resource| row.name.as_deref().is_some_and(|name| name.starts_with("k8s-"));
    let rows = world.rows().into_iter().filter(|row| {
        parts.contains(&row.kind.as_str())
            || (row.kind == "firewall" && of_controllers(row))
            || row.name.as_deref() == Some(disk)
    });
    rows.map(|row| row.kind).collect()
}
