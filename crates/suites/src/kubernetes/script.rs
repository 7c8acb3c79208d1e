//! The questions: one script, asked of whoever answers.

use std::collections::BTreeSet;

use super::normal::Normal;
use super::{CLUSTER, NODES, Scene, balancer};

/// One command and what came of it, in the form that is compared.
pub(super) struct Answer {
    asked: String,
    said: BTreeSet<String>,
}

/// What is read, and what is refused. `NODE` is the node that was drained, on which only daemons run; `DAEMON` one of
/// those, `DNS` one of the DNS' pods.
const READS: &[&str] = &[
    "version",
    "get nodes",
    "get nodes -o wide",
    "get nodes -o name",
    "get nodes --show-labels",
    "get nodes --chunk-size=1",
    "get node NODE -o json",
    "describe node NODE --show-events=false",
    "get namespaces",
    "get namespace kube-system -o json",
    "describe namespace kube-public",
    "get pods -A",
    "get pods -n kube-system -l k8s-app=kube-dns",
    "get pods -A -o wide --field-selector spec.nodeName=NODE",
    "get pods -A --field-selector status.phase=Pending",
    "get pod -n kube-system DAEMON -o json",
    "describe pod -n kube-system DAEMON --show-events=false",
    "get pod -n kube-system DNS -o json",
    "describe pod -n kube-system DNS --show-events=false",
    "get services -A",
    "get service kubernetes -o wide",
    "get service -n kube-system kube-dns -o json",
    "describe service -n kube-system kube-dns --show-events=false",
    "get endpointslices -n kube-system -o name",
    "get daemonsets -A",
    "get deployments -A -o wide",
    "get leases -n kube-node-lease -o name",
    "get --raw /healthz",
    "get --raw /readyz",
    "auth whoami",
    "auth can-i get nodes",
    "auth can-i list pods -A",
    "auth can-i delete services",
    "auth can-i create pods --subresource=eviction",
    "auth can-i get /healthz",
    "get node nobody",
    "get pod -n kube-system nobody",
    "get service -n nowhere nothing",
    "get pods -n nowhere",
    "get wonders",
    "get pods --field-selector spec.colour=blue",
    "delete service nothing",
    "get --raw /nowhere",
];

/// Those of them that depend on the cloud: who is calling, its nodes, what it brings along.
const OF_THE_CLOUD: &[&str] = &[
    "version",
    "get nodes -o wide",
    "describe node NODE --show-events=false",
    "get pods -A",
    "describe pod -n kube-system DAEMON --show-events=false",
    "get services -A",
    "auth whoami",
    "auth can-i delete services",
    "get node nobody",
];

/// How much is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// Everything.
    Whole,
    /// What depends on the cloud; the rest is asked at another one.
    OfTheCloud,
}

impl Script {
    fn reads(self) -> &'static [&'static str] {
        match self {
            Self::Whole => READS,
            Self::OfTheCloud => OF_THE_CLOUD,
        }
    }
}

/// Asks everything. `node` is one that was drained and opened again.
pub(super) fn run(script: Script, scene: &Scene, node: &str) -> Vec<Answer> {
    let dns = pod(scene, &["-l", "k8s-app=kube-dns"]);
    let daemon = pod(scene, &["--field-selector", &format!("spec.nodeName={node}")]);
    let normal = Normal::of(scene);
    // Where a pod of the DNS runs is the scheduler's choice.
    let mut of_dns = Normal::of(scene);
    of_dns.add_all(&dns[1], "<node of DNS>");
    of_dns.add_all(&dns[2], "<address of its node>");
    let mut answers = vec![resources(scene, &normal)];
    for asked in script.reads() {
        let word = |word: &str| match word {
            "DAEMON" => daemon[0].clone(),
            "DNS" => dns[0].clone(),
            other => other.replace("NODE", node),
        };
        let arguments: Vec<String> = asked.split(' ').map(word).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let normal = if asked.contains("DNS") { &of_dns } else { &normal };
        answers.push(answer(asked, scene, &arguments, normal));
    }
    answers.push(watch(scene, node, &normal));
    answers.extend(with_balancer(scene));
    answers
}

/// Name, node and address of the node of the first pod of the system that is selected so.
fn pod(scene: &Scene, selector: &[&str]) -> [String; 3] {
    let of = "{.items[0]";
    let form = format!("jsonpath={of}.metadata.name}} {of}.spec.nodeName}} {of}.status.hostIP}}");
    let said = scene.succeed(&[&["get", "pods", "-n", "kube-system"], selector, &["-o", &form]].concat());
    let mut words = said.split_whitespace().map(str::to_owned);
    [(); 3].map(|()| words.next().expect("a pod that runs"))
}

fn answer(asked: &str, scene: &Scene, arguments: &[&str], normal: &Normal) -> Answer {
    let ended = scene.ask(arguments);
    let said = format!("exit {}\n{}\n{}", ended.code, ended.stdout, ended.stderr);
    Answer { asked: asked.to_owned(), said: normal.lines(&said) }
}

/// The kinds; a real one has many more, so that here it is only said which of the built-in ones' there are.
fn resources(scene: &Scene, normal: &Normal) -> Answer {
    let all = scene.succeed(&["api-resources", "--no-headers"]);
    Answer { asked: RESOURCES.to_owned(), said: normal.lines(&all) }
}

const RESOURCES: &str = "api-resources";

/// A watch hears that a node was closed by `kubectl cordon`, and `uncordon` opens it again.
fn watch(scene: &Scene, node: &str, normal: &Normal) -> Answer {
    let arguments = ["get", "nodes", "--watch", "--output-watch-events", "--no-headers"];
    let watch = scene.kubectl.watch(&scene.pmks, &arguments);
    let mut said = Vec::new();
    for _ in 0..NODES {
        said.extend(watch.until(|line| line.contains("ADDED")));
    }
    said.push(scene.succeed(&["cordon", node]));
    said.extend(watch.until(|line| line.contains("SchedulingDisabled")));
    said.push(scene.succeed(&["cordon", node]));
    said.push(scene.succeed(&["uncordon", node]));
    Answer { asked: "get nodes --watch, cordon, uncordon".to_owned(), said: normal.lines(&said.join("\n")) }
}

/// A Service whose balancer the cloud made: seen, deleted, gone with its balancer.
fn with_balancer(scene: &Scene) -> Vec<Answer> {
    let before = scene.world.rows().len();
    scene.world.event(&balancer("web")).expect("a balancer");
    let field = |field: &str| {
        let form = format!("jsonpath={field}");
        scene.ask(&["get", "service", "web", "--ignore-not-found", "-o", &form]).stdout
    };
    let entrance = "{.status.loadBalancer.ingress[0].hostname}{.status.loadBalancer.ingress[0].ip}";
    let begun = std::time::Instant::now();
    while field(entrance).is_empty() {
        assert!(begun.elapsed().as_secs() < 60, "the Service of {CLUSTER} does not come");
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    let mut normal = Normal::of(scene);
    normal.add_all(&field(entrance), "<address of the balancer>");
    normal.add_all(&field("{.spec.clusterIP}"), "<address of the Service>");
    normal.add_all(&field("{.spec.ports[0].nodePort}"), "<its port on nodes>");
    let asks = [
        "get service web -o wide",
        "get service web -o json",
        "describe service web --show-events=false",
        "delete service web",
        "get service web",
    ];
    let ask = |asked: &&str| answer(asked, scene, &asked.split(' ').collect::<Vec<_>>(), &normal);
    let mut answers: Vec<Answer> = asks.iter().map(ask).collect();
    let left = scene.world.rows().len();
    let says = format!("{} rows more than before", left.abs_diff(before));
    answers.push(Answer { asked: "the balancer in the cloud".to_owned(), said: BTreeSet::from([says]) });
    answers
}

/// Fails with every difference.
pub(super) fn compare(builtin: &[Answer], real: &[Answer]) {
    let mut differences = Vec::new();
    for (one, other) in builtin.iter().zip(real) {
        let mut missing: Vec<String> =
            one.said.difference(&other.said).map(|line| format!("  built-in: {line}")).collect();
        if one.asked != RESOURCES {
            missing.extend(other.said.difference(&one.said).map(|line| format!("  real:     {line}")));
        }
        if !missing.is_empty() {
            differences.push(format!("kubectl {}\n{}", one.asked, missing.join("\n")));
        }
    }
    assert_eq!(builtin.len(), real.len());
    assert!(
        differences.is_empty(),
        "{} of {} answers differ:\n{}",
        differences.len(),
        real.len(),
        differences.join("\n")
    );
}
