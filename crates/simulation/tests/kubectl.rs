//! The endpoint of a simulated cluster against unmodified `kubectl`, which knows nothing of this project.
//! Where `kubectl` is not installed, one line says so and every test ends.

#![expect(clippy::unwrap_used, reason = "a step of the test itself that fails is a failed test")]

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use pmks_simulation::TimeSource;
use pmks_simulation::kubernetes::{
    Authenticator, Authority, AuthoritySnapshot, Builtin, ClusterSettings, ClusterSnapshot, ClusterState,
    Credential, Deletion, Endpoint, EndpointSettings, Identity, Node, PersistentVolume, Refusal, Removal,
    WallClock, Workload,
};
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// Takes two tokens, and certificates of the cluster's CA as Kubernetes reads them.
struct Tokens;

#[async_trait]
impl Authenticator for Tokens {
    async fn authenticate(&self, cluster: &str, credential: Credential<'_>) -> Result<Identity, Refusal> {
        assert_eq!(cluster, "seoul");
        let (username, groups) = match credential {
            Credential::BearerToken("admin-token") => ("kim", vec!["system:masters".to_owned()]),
            Credential::BearerToken("viewer-token") => ("lee", Vec::new()),
            Credential::BearerToken(_) => return Err(Refusal::new("an unknown token")),
            Credential::ClientCertificate(certificate) => {
                (certificate.common_name.as_str(), certificate.organizations.clone())
            }
        };
        let extra = [("arn".to_owned(), vec![format!("arn:aws:iam::111122223333:user/{username}")])].into();
        Ok(Identity {
            username: username.to_owned(),
            uid: "uid-1".to_owned(),
            groups,
            extra,
            administrator: false,
        })
    }
}

fn wall_clock() -> WallClock {
    let time = pmks_simulation::SystemTime::new();
    Arc::new(move || time.wall())
}

fn node(name: &str, last: u8, ready: bool) -> Node {
    Node {
        name: name.to_owned(),
        internal_ip: IpAddr::V4(Ipv4Addr::new(10, 0, 1, last)),
        external_ip: Some(IpAddr::V4(Ipv4Addr::new(203, 0, 113, last))),
        provider_id: format!("aws:///ap-northeast-2a/i-0123456789abcde{last:02x}"),
        instance_type: "t3.medium".to_owned(),
        region: "ap-northeast-2".to_owned(),
        zone: "ap-northeast-2a".to_owned(),
        architecture: "amd64".to_owned(),
        version: "v1.33.4-eks-99d6cc0".to_owned(),
        os_image: "Amazon Linux 2023.9.20251105".to_owned(),
        kernel_version: "6.12.53-69.119.amzn2023.x86_64".to_owned(),
        container_runtime: "containerd://2.1.4".to_owned(),
        cpu: 2,
        memory_mib: 3840,
        max_pods: 17,
        reserved_cpu_millis: 80,
        reserved_memory_mib: 542,
        labels: [("eks.amazonaws.com/nodegroup".to_owned(), "default".to_owned())].into(),
        ready_since: ready.then(|| wall_clock()()),
    }
}

/// A cluster that listens, and a kubeconfig for each of its users.
struct Cluster {
    state: ClusterState,
    endpoint: Endpoint,
    authority: Arc<Authority>,
    folder: tempfile::TempDir,
}

impl Cluster {
    async fn start() -> Self {
        let mut settings = ClusterSettings::new("seoul", "v1.33.4-eks-99d6cc0");
        settings.daemon_sets.push(Workload::new("aws-node", "registry.example/amazon-k8s-cni:v1.20.4"));
        let state = ClusterState::new(settings, wall_clock());
        state.add_node(&node("node-a", 11, true));
        state.add_node(&node("node-b", 12, true));
        let authority = Arc::new(Authority::new(wall_clock()()).unwrap());
        Self::listen(state, authority, None).await
    }

    async fn listen(state: ClusterState, authority: Arc<Authority>, port: Option<u16>) -> Self {
        let endpoint = Endpoint::start(EndpointSettings {
            cluster: "seoul".to_owned(),
            authority: Arc::clone(&authority),
            port,
            authenticator: Arc::new(Tokens),
            back: Arc::new(Builtin::new(state.clone())),
            clock: wall_clock(),
        })
        .await
        .unwrap();
        let cluster = Self { state, endpoint, authority, folder: tempfile::tempdir().unwrap() };
        for token in ["admin-token", "viewer-token", "wrong-token"] {
            cluster.write_kubeconfig(token, &serde_json::json!({"token": token}));
        }
        cluster
    }

    fn write_kubeconfig(&self, name: &str, user: &serde_json::Value) {
        let authority = base64::engine::general_purpose::STANDARD.encode(self.authority.certificate_pem());
        let config = serde_json::json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {
                "server": self.endpoint.url(), "certificate-authority-data": authority,
            }}],
            "users": [{"name": "u", "user": user}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        });
        std::fs::write(self.kubeconfig(name), config.to_string()).unwrap();
    }

    fn kubeconfig(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, user: &str, arguments: &str) -> Command {
        let mut command = Command::new("kubectl");
        command
            .args(arguments.split(' '))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("KUBECONFIG", self.kubeconfig(user));
        command
    }

    /// Runs `kubectl` as the administrator; it must succeed.
    async fn kubectl(&self, arguments: &str) -> String {
        let (output, text) = self.kubectl_as("admin-token", arguments).await;
        assert!(output.status.success(), "kubectl {arguments}: {text}");
        assert!(!text.contains("Warning"), "kubectl {arguments}: {text}");
        text
    }

    /// Runs `kubectl` as this user; the text is all that it printed.
    async fn kubectl_as(&self, user: &str, arguments: &str) -> (Output, String) {
        let mut command = self.command(user, arguments);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        let text = text.into_owned();
        (output, text)
    }
}

/// False, with one visible line for all tests, where `kubectl` is not installed.
fn has_kubectl() -> bool {
    static FOUND: LazyLock<bool> = LazyLock::new(|| {
        let found = Command::new("kubectl").args(["version", "--client"]).output().is_ok();
        if !found {
            // Not by a macro: the test harness keeps what those print of a test that passes.
            let line = "SKIPPED: kubectl is not installed; simulated clusters are not checked with it\n";
            std::io::stderr().write_all(line.as_bytes()).unwrap();
        }
        found
    });
    *FOUND
}

/// The lines of a table as lists of cells, which are two spaces or more apart.
fn rows(table: &str) -> Vec<Vec<&str>> {
    table
        .lines()
        .map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect())
        .collect()
}

fn has_all(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no «{part}» in:\n{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_a_cluster() {
    if !has_kubectl() {
        return;
    }
    let cluster = Cluster::start().await;
    has_all(&cluster.kubectl("version").await, &["Server Version: v1.33.4-eks-99d6cc0"]);

    let nodes = cluster.kubectl("get nodes -o wide").await;
    let nodes = rows(&nodes);
    let header = [
        "NAME",
        "STATUS",
        "ROLES",
        "AGE",
        "VERSION",
        "INTERNAL-IP",
        "EXTERNAL-IP",
        "OS-IMAGE",
        "KERNEL-VERSION",
        "CONTAINER-RUNTIME",
    ];
    assert_eq!(nodes[0], header);
    assert_eq!(nodes[1][..3], ["node-a", "Ready", "<none>"]);
    assert_eq!(
        nodes[2][4..8],
        ["v1.33.4-eks-99d6cc0", "10.0.1.12", "203.0.113.12", "Amazon Linux 2023.9.20251105"]
    );

    let node = cluster.kubectl("describe node node-a").await;
    let provider = "aws:///ap-northeast-2a/i-0123456789abcde0b";
    has_all(
        &node,
        &[provider, "KubeletReady", "HolderIdentity:  node-a", "Non-terminated Pods:", "kube-proxy-"],
    );

    let pods = cluster.kubectl("get pods -A").await;
    let pods = rows(&pods);
    assert_eq!(pods[0], ["NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "AGE"]);
    assert_eq!(pods.len(), 7, "two nodes with two pods each, two of coredns: {pods:?}");
    assert!(pods[1..].iter().all(|pod| pod[2..5] == ["1/1", "Running", "0"]), "{pods:?}");
    let on_a = cluster
        .kubectl("get pods -A --field-selector spec.nodeName=node-a -l k8s-app=aws-node -o name")
        .await;
    assert_eq!(on_a.lines().count(), 1, "{on_a}");

    let services = cluster.kubectl("get svc -A").await;
    assert_eq!(rows(&services)[1][..5], ["default", "kubernetes", "ClusterIP", "10.100.0.1", "<none>"]);
    assert_eq!(rows(&services)[2][5], "53/UDP,53/TCP,9153/TCP");
    assert_eq!(cluster.kubectl("get ns -o name").await.lines().count(), 4);
    assert_eq!(cluster.kubectl("get nodes --chunk-size=1 -o name").await, "node/node-a\nnode/node-b\n");
    has_all(
        &cluster.kubectl("get all -n kube-system").await,
        &["daemonset.apps/aws-node", "deployment.apps/coredns"],
    );
    assert_eq!(
        cluster.kubectl("get nodes node-b -o jsonpath={.status.nodeInfo.architecture}").await,
        "amd64"
    );
    let (missing, text) = cluster.kubectl_as("admin-token", "get node node-z").await;
    assert!(!missing.status.success());
    has_all(&text, &["Error from server (NotFound): nodes \"node-z\" not found"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn says_what_it_offers() {
    if !has_kubectl() {
        return;
    }
    let cluster = Cluster::start().await;
    let resources = cluster.kubectl("api-resources --no-headers").await;
    has_all(&resources, &["nodes", "ingresses", "networking.k8s.io/v1", "selfsubjectreviews"]);
    assert_eq!(resources.lines().count(), 18);
    assert_eq!(cluster.kubectl("api-versions").await.lines().count(), 7);
    let raw = cluster.kubectl("get --raw /apis/apps/v1").await;
    has_all(&raw, &["\"groupVersion\":\"apps/v1\"", "daemonsets"]);
    for absent in ["/apis/gateway.networking.k8s.io/v1/gateways", "/api/v1/secrets", "/nothing"] {
        let (output, text) = cluster.kubectl_as("admin-token", &format!("get --raw {absent}")).await;
        assert!(!output.status.success());
        has_all(&text, &["(NotFound)"]);
    }
    let (_, text) = cluster.kubectl_as("admin-token", "create namespace shop").await;
    has_all(&text, &["(MethodNotAllowed)", "simulated cluster \"seoul\"", "does not create namespaces"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tells_callers_apart() {
    if !has_kubectl() {
        return;
    }
    let cluster = Cluster::start().await;
    let who = cluster.kubectl("auth whoami").await;
    has_all(
        &who,
        &["kim", "uid-1", "system:masters system:authenticated", "arn:aws:iam::111122223333:user/kim"],
    );
    assert_eq!(cluster.kubectl("auth can-i list pods").await, "yes\n");
    let (output, text) = cluster.kubectl_as("admin-token", "auth can-i create pods").await;
    assert!(!output.status.success());
    has_all(&text, &["no - the simulated cluster \"seoul\" does not do this"]);

    let (output, text) = cluster.kubectl_as("viewer-token", "get nodes").await;
    assert!(!output.status.success());
    let words = "nodes is forbidden: User \"lee\" cannot list resource \"nodes\" in API group \"\" at the cluster scope";
    has_all(&text, &["Error from server (Forbidden)", words]);
    let (_, text) = cluster.kubectl_as("viewer-token", "auth can-i list pods").await;
    assert_eq!(text, "no\n");
    let (output, text) = cluster.kubectl_as("viewer-token", "auth whoami").await;
    assert!(output.status.success() && text.contains("lee"), "{text}");

    let (output, text) = cluster.kubectl_as("wrong-token", "get nodes").await;
    assert!(!output.status.success());
    has_all(&text, &["You must be logged in to the server (Unauthorized)"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_client_certificates() {
    if !has_kubectl() {
        return;
    }
    let cluster = Cluster::start().await;
    let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let stranger = Authority::new(wall_clock()()).unwrap();
    for (name, authority) in [("ours", &*cluster.authority), ("theirs", &stranger)] {
        let issued = authority
            .issue_client("park", Some("system:masters"), wall_clock()(), Duration::from_hours(1))
            .unwrap();
        let (certificate, key) = (encode(&issued.certificate_pem), encode(&issued.private_key_pem));
        let user = serde_json::json!({"client-certificate-data": certificate, "client-key-data": key});
        cluster.write_kubeconfig(name, &user);
    }
    let (output, text) = cluster.kubectl_as("ours", "auth whoami").await;
    assert!(output.status.success(), "{text}");
    has_all(&text, &["park", "system:masters"]);
    let (output, text) = cluster.kubectl_as("theirs", "get nodes").await;
    assert!(!output.status.success());
    has_all(&text, &["You must be logged in to the server"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn watches_nodes_come_and_go() {
    if !has_kubectl() {
        return;
    }
    let cluster = Cluster::start().await;
    let mut command =
        tokio::process::Command::from(cluster.command("admin-token", "get nodes -w --no-headers"));
    let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = async || {
        let line = tokio::time::timeout(Duration::from_secs(20), lines.next_line()).await;
        let line = line.expect("an event in time").unwrap().expect("the watch goes on");
        line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
    };
    assert_eq!((next().await, next().await), ("node-a Ready".to_owned(), "node-b Ready".to_owned()));
    cluster.state.add_node(&node("node-c", 13, false));
    assert_eq!(next().await, "node-c NotReady");
    assert!(cluster.state.set_node_ready("node-c", true));
    assert_eq!(next().await, "node-c Ready");
    assert!(cluster.state.set_node_version("node-c", "v1.34.1-eks-1"));
    assert_eq!(next().await, "node-c Ready");
    assert!(cluster.state.remove_node("node-c"));
    assert_eq!(next().await, "node-c Ready", "kubectl prints a deleted node once more");
    assert!(!cluster.state.remove_node("node-c"));
}

#[tokio::test(flavor = "multi_thread")]
async fn drains_a_node() {
    if !has_kubectl() {
        return;
    }
    let cluster = Cluster::start().await;
    let (output, text) =
        cluster.kubectl_as("admin-token", "drain node-a --ignore-daemonsets --timeout=20s").await;
    assert!(output.status.success(), "{text}");
    has_all(&cluster.kubectl("get nodes").await, &["Ready,SchedulingDisabled"]);
    let names = "get pods -A -l k8s-app=kube-dns -o jsonpath={.items[*].spec.nodeName}";
    assert_eq!(cluster.kubectl(names).await, "node-b node-b");
    cluster.kubectl("uncordon node-a").await;
    assert!(!cluster.kubectl("get nodes").await.contains("SchedulingDisabled"));
    let (output, text) = cluster.kubectl_as("admin-token", "label node node-a a=b").await;
    assert!(!output.status.success());
    has_all(&text, &["(MethodNotAllowed)", "spec.unschedulable alone"]);
    assert!(cluster.state.remove_node("node-b"));
    assert_eq!(cluster.kubectl(names).await, "node-a node-a", "pods of a lost node are made again elsewhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn deletes_children_when_the_cloud_is_done() {
    if !has_kubectl() {
        return;
    }
    let cluster = Cluster::start().await;
    cluster.state.put_load_balancer_service("shop", "web", "web-1234.elb.ap-northeast-2.amazonaws.com");
    cluster.state.put_ingress("shop", "front", "front-1234.elb.ap-northeast-2.amazonaws.com");
    cluster.state.put_persistent_volume(&PersistentVolume {
        name: "pvc-1".to_owned(),
        capacity_gib: 8,
        driver: "ebs.csi.aws.com".to_owned(),
        volume_handle: "vol-0123456789abcdef0".to_owned(),
        zone: "ap-northeast-2a".to_owned(),
        storage_class: "gp3".to_owned(),
        claim_namespace: "shop".to_owned(),
        claim_name: "data".to_owned(),
    });
    has_all(
        &cluster.kubectl("get svc,ingress,pv,pvc -n shop").await,
        &["web-1234.elb", "front-1234.elb", "shop/data"],
    );
    let told = Arc::new(Mutex::new(Vec::<Deletion>::new()));
    let hear = Arc::clone(&told);
    cluster.state.on_delete(move |deletion| {
        hear.lock().unwrap().push(deletion.clone());
        if deletion.kind == "Ingress" { Removal::Done } else { Removal::Pending }
    });
    cluster.kubectl("delete ingress front -n shop --timeout=20s").await;
    cluster.kubectl("delete service web -n shop --wait=false").await;
    cluster.kubectl("delete service web -n shop --wait=false").await;
    let deletion = {
        let told = told.lock().unwrap();
        assert_eq!(told.len(), 2, "each deletion is told once: {told:?}");
        assert_eq!(told[1].address, "web-1234.elb.ap-northeast-2.amazonaws.com");
        told[1].clone()
    };
    has_all(&cluster.kubectl("get service web -n shop -o yaml").await, &["deletionTimestamp"]);
    cluster.state.finish_removal(&Deletion { uid: "another".to_owned(), ..deletion.clone() });
    cluster.kubectl("get service web -n shop").await;
    cluster.state.finish_removal(&deletion);
    let (output, text) = cluster.kubectl_as("admin-token", "get service web -n shop").await;
    assert!(!output.status.success());
    has_all(&text, &["(NotFound)"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lives_on_after_a_restart() {
    if !has_kubectl() {
        return;
    }
    let before = Cluster::start().await;
    before.state.put_load_balancer_service("shop", "web", "web-1234.elb.ap-northeast-2.amazonaws.com");
    before.state.on_delete(|_| Removal::Pending);
    before.kubectl("delete service web -n shop --wait=false").await;
    let uids = "get pods,nodes,svc -A -o jsonpath={.items[*].metadata.uid}";
    let known = before.kubectl(uids).await;
    let world = serde_json::to_string(&before.state.snapshot()).unwrap();
    let authority = serde_json::to_string(&before.authority.snapshot()).unwrap();
    let port = before.endpoint.port();
    let kubeconfig = std::fs::read(before.kubeconfig("admin-token")).unwrap();
    drop(before);

    let authority = serde_json::from_str::<AuthoritySnapshot>(&authority).unwrap();
    let again = async || {
        let world = serde_json::from_str::<ClusterSnapshot>(&world).unwrap();
        let state = ClusterState::restore(world, wall_clock()).unwrap();
        Cluster::listen(state, Arc::new(Authority::restore(&authority).unwrap()), Some(port)).await
    };
    let mut after = again().await;
    // Another program's connection may have the port for a moment.
    for _ in 0..100 {
        if after.endpoint.port() == port {
            break;
        }
        drop(after);
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        after = again().await;
    }
    assert_eq!(after.endpoint.port(), port);
    std::fs::write(after.kubeconfig("admin-token"), kubeconfig).unwrap();
    assert_eq!(after.kubectl(uids).await, known);
    let told = Arc::new(AtomicUsize::new(0));
    let hear = Arc::clone(&told);
    after.state.on_delete(move |_| {
        hear.fetch_add(1, Ordering::SeqCst);
        Removal::Done
    });
    assert_eq!(told.load(Ordering::SeqCst), 1, "a deletion that was pending is told again");
    assert!(!after.kubectl("get svc -A").await.contains("web"));
}
