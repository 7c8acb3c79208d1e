//! The program against the simulated Azure, where it is about what Azure alone does.

#![expect(clippy::unwrap_used, reason = "a test cannot go on without it")]

use std::io::{Read, Write};

use pmks_azure_tests::AZURE;
use pmks_simulation::{Effect, Rule};
use pmks_suites::{Ended, Pmks, SimulatedCloud, text};
use serde_json::{Value, json};

const NODES: [&str; 2] = ["--node-group", "name=ga,desired=1,max=3"];

/// The program with the simulated cloud's credential.
async fn stand() -> (SimulatedCloud, Pmks) {
    let world = SimulatedCloud::start(AZURE).await;
    let pmks = installation(&world);
    (world, pmks)
}

/// One more of the program, with records of its own.
fn installation(world: &SimulatedCloud) -> Pmks {
    let pmks = Pmks::new().unwrap();
    let ready: Value = serde_json::from_str(&world.ready_file()).unwrap();
    let credential = ready.pointer("/clouds/azure/connection/credential").unwrap();
    std::fs::write(pmks.home().join("credential.json"), credential.to_string()).unwrap();
    pmks
}

fn connect(world: &SimulatedCloud, pmks: &Pmks, name: &str, region: &str, zone: &str) -> Ended {
    let credential = pmks.home().join("credential.json").display().to_string();
    let (pace, all) = (world.connection(name).pace.to_string(), format!("all={}", world.url()));
    let create = ["connection", "create", name, "--provider", "azure", "--region", region, "--zone", zone];
    let rest = ["--pace", &pace, "--credential-file", &credential, "--endpoint", &all];
    pmks.run(&[create.as_slice(), rest.as_slice()].concat())
}

/// The connection `sim` with its prerequisites.
fn connected(world: &SimulatedCloud, pmks: &Pmks) {
    let made = connect(world, pmks, "sim", "koreacentral", "1");
    assert_eq!(made.code, 0, "{made:?}");
    pmks.succeed(&["connection", "prerequisites", "sim", "--fix", "--yes"]);
}

fn network(pmks: &Pmks) {
    let subnet = "name=net-a,cidr=10.20.0.0/24";
    pmks.succeed(&["network", "create", "net", "-c", "sim", "--cidr", "10.20.0.0/16", "--subnet", subnet]);
}

fn create<'a>(name: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let create = ["cluster", "create", name, "-c", "sim", "--network", "net", "--subnet", "net-a"];
    [create.as_slice(), more].concat()
}

fn kinds(world: &SimulatedCloud) -> Vec<String> {
    world.rows().into_iter().map(|row| row.kind).collect()
}

fn has(world: &SimulatedCloud, kind: &str) -> bool {
    kinds(world).iter().any(|known| known == kind)
}

/// `PUT /_sim/faults`, as a user of the simulated cloud sends it.
fn tell(world: &SimulatedCloud, events: &Value) -> Value {
    let authority = world.url().trim_start_matches("http://").to_owned();
    let body = json!({"events": events}).to_string();
    let mut stream = std::net::TcpStream::connect(&authority).unwrap();
    let head = format!(
        "PUT /_sim/faults HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
    serde_json::from_str(body).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_azure_does_not_have_makes_no_connection() {
    let (world, pmks) = stand().await;
    let elsewhere = connect(&world, &pmks, "mars", "marscentral", "1");
    assert!(elsewhere.code == 2 && elsewhere.stderr.contains("region"), "{elsewhere:?}");
    let zoned = connect(&world, &pmks, "zoned", "koreasouth", "1");
    assert!(zoned.code == 2 && zoned.stderr.contains("zone"), "{zoned:?}");
    connected(&world, &pmks);
}

/// As at an Azure Stack Hub: the resource manager alone is named, and its metadata document names AD FS.
#[tokio::test(flavor = "multi_thread")]
async fn the_metadata_document_of_a_resource_manager_names_the_login() {
    let (world, pmks) = stand().await;
    let credential = pmks.home().join("credential.json").display().to_string();
    let manager = format!("resourceManager={}", world.url());
    let create = ["connection", "create", "hub", "--provider", "azure", "--region", "koreacentral"];
    pmks.succeed(
        &[create.as_slice(), &["--credential-file", &credential, "--endpoint", &manager, "--pace", "3000"]]
            .concat(),
    );
    let valid = pmks.json(&["connection", "validate", "hub"]);
    assert_eq!(valid["valid"], true, "{valid}");
    let calls = world.cloud.controls().calls.records();
    let logins = calls.iter().filter(|call| call.service == "login");
    assert!(logins.clone().count() > 0 && logins.clone().all(|call| call.status == Some(200)), "{calls:?}");
}

/// Each network has subnets of its own, so that a bare name tells one within its network.
#[tokio::test(flavor = "multi_thread")]
async fn subnets_of_an_imported_network_are_named_by_their_bare_names() {
    let (world, pmks) = stand().await;
    let other = installation(&world);
    connected(&world, &other);
    let subnets = ["--subnet", "name=net-a,cidr=10.20.0.0/24", "--subnet", "name=net-b,cidr=10.20.1.0/24"];
    let create = ["network", "create", "net", "-c", "sim", "--cidr", "10.20.0.0/16"];
    other.succeed(&[create.as_slice(), &subnets].concat());
    connected(&world, &pmks);
    pmks.succeed(&["network", "import", "theirs", "-c", "sim", "--system-id", "net"]);
    let names = |pmks: &Pmks| {
        let list = pmks.json(&["subnet", "list", "-c", "sim", "--network", "theirs"]);
        let items = list["items"].as_array().unwrap().iter();
        let mut names: Vec<String> = items.map(|one| one["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&pmks), ["net-a", "net-b"]);
    let one = pmks.json(&["subnet", "get", "net-a", "-c", "sim", "--network", "theirs"]);
    assert!(one["iid"]["systemId"].as_str().unwrap().ends_with("/net/subnets/net-a"), "{one}");
    assert_eq!(one["iid"]["nameId"], "net-a");
    let loud = pmks.json(&["subnet", "get", "NET-A", "-c", "sim", "--network", "theirs"]);
    assert_eq!(loud["name"], "net-a");
    let nothing = pmks.run(&["subnet", "delete", "nope", "-c", "sim", "--network", "theirs", "--yes"]);
    assert!(nothing.code == 3 && !nothing.stderr.contains("/subscriptions/"), "{nothing:?}");
    let create = ["cluster", "create", "c", "-c", "sim", "--network", "theirs", "--plan", "--subnet"];
    pmks.succeed(&[create.as_slice(), &["net-a"], &NODES].concat());
    let wrong = pmks.run(&[create.as_slice(), &["net-c"], &NODES].concat());
    assert!(wrong.code == 2 && wrong.stderr.contains("subnet \"net-c\" does not exist"), "{wrong:?}");
    let unseen = ["cluster", "create", "c", "-c", "sim", "--network", "net", "--subnet", "net-b", "--plan"];
    pmks.succeed(&[unseen.as_slice(), &NODES].concat());
    pmks.succeed(&["subnet", "import", "mine", "-c", "sim", "--network", "theirs", "--system-id", "net-a"]);
    assert_eq!(names(&pmks), ["mine", "net-b"]);
    for name in ["mine", "net-a"] {
        pmks.succeed(&[create.as_slice(), &[name], &NODES].concat());
    }
    pmks.succeed(&["subnet", "delete", "net-b", "-c", "sim", "--network", "theirs", "--yes"]);
    assert_eq!(names(&pmks), ["mine"]);
    let operations = pmks.json(&["operation", "list", "-c", "sim"]);
    let resources = operations["items"].as_array().unwrap().iter().map(|one| &one["resource"]);
    let deleted: Vec<_> = resources.filter(|one| one["kind"] == "subnet").map(|one| &one["name"]).collect();
    assert_eq!(deleted, ["net-b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_wrong_with_a_cluster_is_found_in_one_round() {
    let (world, pmks) = stand().await;
    connected(&world, &pmks);
    network(&pmks);
    let (before, name) = (kinds(&world), "a".repeat(63));
    let wrong = ["--version", "9.99", "--option", "localAccounts=false", "--tag", "dup=1", "--tag", "DUP=2"];
    let nodes = ["--node-group", "name=ga,machine-type=Standard_None,image=Haiku,root-disk-type=Ephemeral"];
    let ended = pmks.run(&create(&name, &[wrong.as_slice(), &nodes].concat()));
    assert_eq!(ended.code, 2, "{ended:?}");
    for field in [
        "name: is too long by 12",
        "version",
        "options.localAccounts",
        "tags[\"dup\"]",
        "nodeGroups[0].machineType",
        "nodeGroups[0].image",
    ] {
        assert!(ended.stderr.contains(field), "{field} is not in {}", ended.stderr);
    }
    assert_eq!(kinds(&world), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_names_leave_no_record_behind() {
    let (world, pmks) = stand().await;
    let other = installation(&world);
    connected(&world, &other);
    network(&other);
    other.succeed(&["security-group", "create", "nodes", "-c", "sim", "--network", "net"]);
    other.succeed(&["key-pair", "create", "admin", "-c", "sim"]);
    connected(&world, &pmks);
    let before = kinds(&world);
    let subnet = "name=own-a,cidr=10.30.0.0/24";
    pmks.succeed(&["network", "create", "own", "-c", "sim", "--cidr", "10.30.0.0/16", "--subnet", subnet]);
    for (kind, arguments) in [
        ("network", vec!["create", "net", "-c", "sim", "--cidr", "10.30.0.0/16", "--subnet", subnet]),
        ("security-group", vec!["create", "nodes", "-c", "sim", "--network", "own"]),
        ("key-pair", vec!["create", "admin", "-c", "sim"]),
    ] {
        let ended = pmks.run(&[&[kind], arguments.as_slice()].concat());
        assert!(ended.code != 0 && ended.stderr.contains("already"), "{ended:?}");
        let known = pmks.json(&[kind, "list", "-c", "sim"]);
        let known = known["items"].as_array().unwrap();
        assert!(known.iter().all(|one| one["iid"]["nameId"] == "own"), "{known:?}");
    }
    assert_eq!(kinds(&world).len(), before.len() + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_regions_cluster_and_network_are_not_taken_over() {
    let (world, pmks) = stand().await;
    connected(&world, &pmks);
    network(&pmks);
    pmks.succeed(&create("web", &NODES));
    let made = connect(&world, &pmks, "japan", "japaneast", "1");
    assert_eq!(made.code, 0, "{made:?}");
    for (kind, name) in [("cluster", "web"), ("network", "net")] {
        let known = pmks.json(&[kind, "get", name, "-c", "sim"]);
        let id = text(&known, "/iid/systemId");
        let ended = pmks.run(&[kind, "import", "theirs", "-c", "japan", "--system-id", id]);
        let says = "lies in koreacentral; this connection's region is japaneast";
        assert!(ended.code != 0 && ended.stderr.contains(says), "{ended:?}");
        assert_eq!(pmks.json(&[kind, "list", "-c", "japan"])["items"], json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn volumes_that_cannot_be_seen_hold_their_deletion_back() {
    let (world, pmks) = stand().await;
    connected(&world, &pmks);
    network(&pmks);
    // Entra, and neither a group nor a role of Azure's that lets the connection in.
    pmks.succeed(&create("web", &[NODES.as_slice(), &["--option", "entra=true"]].concat()));
    let told = tell(
        &world,
        &json!([{"type": "controllerMakesVolume", "cluster": "web", "resourceGroup": "koreacentral"}]),
    );
    let id = text(&told, "/events/0/id");
    let delete = ["cluster", "delete", "web", "-c", "sim", "--yes"];
    let refused = pmks.run(&[delete.as_slice(), &["--delete-volumes"]].concat());
    assert!(refused.code != 0 && refused.stderr.contains("outside the node resource group"), "{refused:?}");
    assert!(has(&world, "managedCluster"));
    pmks.succeed(&delete);
    assert!(!has(&world, "managedCluster") && world.rows().iter().any(|row| row.id == id), "{id}");
}

#[tokio::test(flavor = "multi_thread")]
async fn volumes_are_seen_by_the_certificate_of_a_cluster_without_entra() {
    let (world, pmks) = stand().await;
    connected(&world, &pmks);
    network(&pmks);
    pmks.succeed(&create("web", &NODES));
    let event = json!({"type": "controllerMakesVolume", "cluster": "web", "resourceGroup": "koreacentral"});
    let told = tell(&world, &json!([event]));
    let id = text(&told, "/events/0/id");
    let plan = pmks.succeed(&["cluster", "delete", "web", "-c", "sim", "--plan", "-o", "json"]);
    assert!(plan.contains("kept, and cost on") && plan.contains(id), "{plan}");
    pmks.succeed(&["cluster", "delete", "web", "-c", "sim", "--yes", "--delete-volumes"]);
    assert!(!has(&world, "managedCluster") && !has(&world, "disk"), "{:?}", kinds(&world));
}

#[tokio::test(flavor = "multi_thread")]
async fn node_groups_span_the_zones_that_the_option_names() {
    let (world, pmks) = stand().await;
    connected(&world, &pmks);
    network(&pmks);
    let in_zones = |zones: &'static str| [NODES.as_slice(), &["--option", zones]].concat();
    let wrong = pmks.run(&create("web", &in_zones(r#"nodeZones=["1","4"]"#)));
    let says = "options.nodeZones: \"4\" is no zone of koreacentral";
    assert!(wrong.code == 2 && wrong.stderr.contains(says), "{wrong:?}");
    pmks.succeed(&create("web", &in_zones(r#"nodeZones=["2","3"]"#)));
    pmks.succeed(&["node-group", "add", "gb", "-c", "sim", "--cluster", "web", "--desired", "2"]);
    let nodes = pmks.json(&["node", "list", "-c", "sim", "--cluster", "web"]);
    let nodes = nodes["items"].as_array().unwrap();
    let mut zones: Vec<&str> = nodes.iter().map(|node| text(node, "/zone")).collect();
    zones.sort_unstable();
    assert!(nodes.len() == 3 && zones.first() == Some(&"2") && zones.last() == Some(&"3"), "{nodes:?}");
    // Without the option the connection's own zone counts.
    pmks.succeed(&create("one", &NODES));
    let alone = pmks.json(&["cluster", "get", "one", "-c", "sim"]);
    assert!(alone.to_string().contains(r#"{"key":"AvailabilityZones","value":"1"}"#), "{alone}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_says_why_and_by_which_request() {
    let (world, pmks) = stand().await;
    connected(&world, &pmks);
    network(&pmks);
    let effect = Effect::FailWhileCreating { code: Some("VMExtensionProvisioningError".to_owned()) };
    let rule = Rule::new("containerservice", "ManagedClusters_CreateOrUpdate", effect).times(1);
    world.cloud.controls().faults.add(rule);
    let ended = pmks.run(&create("web", &NODES));
    assert!(ended.code != 0 && ended.stderr.contains("VMExtensionProvisioningError"), "{ended:?}");
    let cluster = pmks.json(&["cluster", "get", "web", "-c", "sim", "--refresh"]);
    assert!(cluster.to_string().contains("VMExtensionProvisioningError: "), "{cluster}");
    let operations = pmks.json(&["operation", "list", "--resource", "web"]);
    let failed = operations["items"].as_array().unwrap().iter().find(|one| !one["error"].is_null()).unwrap();
    assert!(!text(failed, "/error/providerRequestId").is_empty(), "{failed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_creation_leaves_the_subnet_as_it_was() {
    let (world, pmks) = stand().await;
    connected(&world, &pmks);
    network(&pmks);
    pmks.succeed(&["security-group", "create", "nodes", "-c", "sim", "--network", "net"]);
    let rule = Rule::new("containerservice", "ManagedClusters_CreateOrUpdate", Effect::Quota).times(1);
    world.cloud.controls().faults.add(rule);
    let ended = pmks.run(&create("web", &[NODES.as_slice(), &["--security-group", "nodes"]].concat()));
    assert!(ended.code != 0 && ended.stderr.contains("quota"), "{ended:?}");
    let guarded = || world.cloud.snapshot().unwrap().to_string().contains(r#""networkSecurityGroup":{"id""#);
    assert!(!guarded());
    pmks.succeed(&["cluster", "delete", "web", "-c", "sim", "--yes"]);
    pmks.succeed(&create("web", &[NODES.as_slice(), &["--security-group", "nodes"]].concat()));
    assert!(guarded());
}

#[tokio::test(flavor = "multi_thread")]
async fn users_tell_the_simulated_azure_what_happens_in_it() {
    let (world, pmks) = stand().await;
    connected(&world, &pmks);
    network(&pmks);
    let nodes = ["--node-group", "name=ga,desired=1,min=1,max=3,auto-scaling=true"];
    pmks.succeed(&create("web", &nodes));
    let told = tell(
        &world,
        &json!([
            {"type": "controllerMakesLoadBalancer", "cluster": "web", "service": "shop"},
            {"type": "autoscalerScales", "cluster": "web", "pool": "ga", "count": 3},
            {"type": "registerFederatedCredential", "issuer": "https://issuer", "subject": "s"},
        ]),
    );
    assert!(told.pointer("/events/0/address").is_some(), "{told}");
    assert_eq!(told.pointer("/events/1/count"), Some(&json!(3)));
    let cluster = pmks.json(&["cluster", "get", "web", "-c", "sim", "--refresh"]);
    assert_eq!(cluster.pointer("/nodeGroups/0/nodes").unwrap().as_array().unwrap().len(), 3, "{cluster}");
}
