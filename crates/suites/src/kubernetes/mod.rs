//! `kubectl`, which others wrote, at a simulated cluster, with the kubeconfig that pmks makes. Behind the cluster's
//! endpoint the built-in one and a real control plane answer in turn: the same questions, the same answers.
//!
//! What differs by nature and is put into one form before it is compared, see [`normal`]: dates and ages, uids and
//! resource versions, names that are made up, the version of Kubernetes itself, the order of rows.

mod drain;
mod kubectl;
mod normal;
mod script;

use std::sync::Arc;

use pmks_driver::Presence;
use serde_json::{Value, json};

use self::kubectl::Kubectl;
pub use self::script::Script;
use crate::stand::connected;
use crate::{CloudUnderTest, ControlPlane, Pmks, SimulatedCloud, Switchboard, skip_where, which};

/// The cluster's name, and that of its node group.
const CLUSTER: &str = "prod";
const GROUP: &str = "workers";
/// How many nodes it has.
const NODES: usize = 3;

/// What the suite goes on.
struct Scene {
    world: SimulatedCloud,
    pmks: Pmks,
    kubectl: Kubectl,
    switchboard: Arc<Switchboard>,
}

/// Runs it on one cloud.
pub async fn run(under_test: &'static dyn CloudUnderTest, script: Script) {
    let suite = format!("kubectl at a cluster of {}", under_test.provider().capabilities().provider);
    let program = match tokio::task::block_in_place(pmks_control_plane::program) {
        Ok(program) => program,
        Err(why) => return without_real(under_test, script, &suite, &why).await,
    };
    let scene = Scene::new(under_test, Kubectl::of(program.with_file_name("kubectl"))).await;
    let switch = scene.switchboard.switch(CLUSTER);
    let nodes = switch.state.node_names();
    let drained = nodes.last().expect("a node").as_str();
    // So that on neither side the scheduler has a choice which pods run on this node.
    tokio::task::block_in_place(|| scene.succeed(&["drain", drained, "--ignore-daemonsets"]));
    let plane = ControlPlane::start(&program, switch.state.clone()).await;
    plane.settle(&nodes, Scene::pods(&switch.state)).await;
    tokio::task::block_in_place(|| scene.succeed(&["uncordon", drained]));
    plane.opened().await;
    let builtin = tokio::task::block_in_place(|| script::run(script, &scene, drained));
    switch.to(plane.back());
    let real = tokio::task::block_in_place(|| script::run(script, &scene, drained));
    script::compare(&builtin, &real);
    // How much is asked is a matter of time; one cloud shows how a drained node and a smaller group go together.
    if script == Script::Whole {
        drain::run(&scene, &plane, &switch.state).await;
    }
    assert_eq!(
        plane.refusals(),
        Vec::<String>::new(),
        "what the real API server refuses of the built-in content"
    );
}

/// Without a real one the built-in one is asked alone, by the `kubectl` that is found.
async fn without_real(under_test: &'static dyn CloudUnderTest, script: Script, suite: &str, why: &str) {
    skip_where(&format!("{suite}: the real control plane"), why, &["python3", "go"]);
    let Some(found) = which("kubectl") else {
        return skip_where(suite, "kubectl is not found", &["kubectl"]);
    };
    let scene = Scene::new(under_test, Kubectl::of(found)).await;
    let nodes = scene.switchboard.switch(CLUSTER).state.node_names();
    tokio::task::block_in_place(|| {
        let drained = nodes.last().expect("a node").as_str();
        scene.succeed(&["drain", drained, "--ignore-daemonsets"]);
        scene.succeed(&["uncordon", drained]);
        script::run(script, &scene, drained);
    });
}

impl Scene {
    /// A cluster with three nodes, and a kubeconfig of it.
    async fn new(under_test: &'static dyn CloudUnderTest, kubectl: Kubectl) -> Self {
        let world = SimulatedCloud::start(under_test).await;
        let switchboard = Arc::new(Switchboard::default());
        world.cloud.controls().backs.set(Arc::clone(&switchboard) as _);
        let pmks = tokio::task::block_in_place(|| {
            let pmks = connected(&world);
            make_cluster(under_test, &world, &pmks);
            pmks.succeed(&["cluster", "kubeconfig", CLUSTER, "-c", "sim"]);
            // A cluster's content is brought up to date when somebody looks.
            assert_eq!(kubectl.run(&pmks, &["get", "nodes"]).code, 0);
            pmks
        });
        Self { world, pmks, kubectl, switchboard }
    }

    fn ask(&self, arguments: &[&str]) -> crate::Ended {
        self.kubectl.run(&self.pmks, arguments)
    }

    fn succeed(&self, arguments: &[&str]) -> String {
        let ended = self.ask(arguments);
        assert_eq!(ended.code, 0, "kubectl {}: {}{}", arguments.join(" "), ended.stdout, ended.stderr);
        ended.stdout
    }

    /// How many pods the built-in content has.
    fn pods(state: &pmks_simulation::kubernetes::ClusterState) -> usize {
        let snapshot = serde_json::to_value(state.snapshot()).expect("JSON");
        let objects = snapshot["objects"].as_array().expect("objects").iter();
        objects.filter(|object| object["kind"] == "Pod").count()
    }
}

/// A network with as many subnets as a cluster needs; answers their names.
pub(crate) fn make_network(
    under_test: &'static dyn CloudUnderTest,
    world: &SimulatedCloud,
    pmks: &Pmks,
) -> Vec<String> {
    let capabilities = under_test.provider().capabilities();
    let region = world.connection("sim").region;
    let regions = pmks.json(&["region", "list", "-c", "sim"]);
    let regions = regions["items"].as_array().expect("regions").iter();
    let own = regions.filter(|row| row["name"] == region.as_str()).find_map(|row| row["zones"].as_array());
    let zones: Vec<&str> = own.into_iter().flatten().filter_map(Value::as_str).collect();
    let least = if capabilities.zonal_subnets { capabilities.minimum_zones } else { 1 };
    let number = capabilities.minimum_subnets.max(least).max(1);
    let subnets: Vec<String> = (0..number)
        .map(|index| {
            let subnet = format!("name=net-{index},cidr=10.20.{}.0/20", 16 * index);
            if capabilities.zonal_subnets { format!("{subnet},zone={}", zones[index]) } else { subnet }
        })
        .collect();
    let mut network = vec!["network", "create", "net", "-c", "sim", "--cidr", "10.20.0.0/16"];
    network.extend(subnets.iter().flat_map(|subnet| ["--subnet", subnet]));
    pmks.succeed(&network);
    (0..number).map(|index| format!("net-{index}")).collect()
}

/// By the product, from its capabilities, as for any cloud.
pub(crate) fn make_cluster(under_test: &'static dyn CloudUnderTest, world: &SimulatedCloud, pmks: &Pmks) {
    let names = make_network(under_test, world, pmks);
    let capabilities = under_test.provider().capabilities();
    let group = format!("name={GROUP},min=1,max={NODES},desired={NODES}");
    let mut cluster = vec!["cluster", "create", CLUSTER, "-c", "sim", "--network", "net"];
    cluster.extend(names.iter().flat_map(|name| ["--subnet", name]));
    let at_once = capabilities.node_groups_at_creation.presence != Presence::Forbidden;
    if at_once {
        cluster.extend(["--node-group", &group]);
    }
    pmks.succeed(&cluster);
    if !at_once {
        let scaling = ["--min", "1", "--max", "3", "--desired", "3"];
        let add = ["node-group", "add", GROUP, "-c", "sim", "--cluster", CLUSTER];
        pmks.succeed(&[add.as_slice(), &scaling].concat());
    }
}

/// The event by which a controller in the cluster makes a balancer for a Service.
fn balancer(service: &str) -> Value {
    json!({"type": "controllerMakesLoadBalancer", "cluster": CLUSTER, "service": service})
}
