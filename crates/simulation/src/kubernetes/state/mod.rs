//! What a simulated cluster holds: nodes that the cloud adds and removes, the system's pods on them, services.
//! Never acts on its own: the cloud's simulator says when a node is ready and when a balancer is gone.

#![expect(
    clippy::indexing_slicing,
    reason = "JSON values: what is missing reads as null, and members are set only in objects made or checked here"
)]

mod deletion;
mod endpoints;
mod identifiers;
mod network;
mod node;
mod pod;
mod snapshot;
pub(crate) mod store;
mod workload;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::sync::watch;

use self::identifiers::Identifiers;
use self::store::{Key, Store};
use super::WallClock;
use super::resource::{NAMESPACES, NODES, Resource};

pub use self::deletion::{Deletion, Removal};
pub use self::network::PersistentVolume;
pub use self::node::Node;
pub use self::snapshot::ClusterSnapshot;
pub use self::workload::{ClusterSettings, Workload};

/// The content of one simulated cluster. Cheap to clone; every clone is the same cluster.
#[derive(Clone)]
pub struct ClusterState {
    shared: Arc<Shared>,
}

struct Shared {
    world: Mutex<World>,
    changed: watch::Sender<u64>,
    hook: Mutex<Option<deletion::Hook>>,
    clock: WallClock,
}

/// What lies behind the lock.
pub(crate) struct World {
    pub(crate) settings: ClusterSettings,
    pub(crate) store: Store,
    identifiers: Identifiers,
    /// When it was made, while nobody has looked into it yet: what every cluster has is put for whoever does.
    unseen_since: Option<jiff::Timestamp>,
}

impl ClusterState {
    /// A new cluster without nodes: its namespaces, the services `kubernetes` and `kube-dns`, and the settings'
    /// workloads, whose pods wait for nodes.
    pub fn new(settings: ClusterSettings, clock: WallClock) -> Self {
        let created = clock();
        let identifiers = Identifiers::new(&settings.name, created);
        let world = World { settings, store: Store::at(0), identifiers, unseen_since: Some(created) };
        Self::over(world, clock)
    }

    fn over(world: World, clock: WallClock) -> Self {
        let changed = watch::Sender::new(world.store.version());
        Self { shared: Arc::new(Shared { world: Mutex::new(world), changed, hook: Mutex::new(None), clock }) }
    }

    /// The cluster's name.
    pub fn name(&self) -> String {
        self.read(|world| world.settings.name.clone())
    }

    /// The version that the API server says, such as `v1.33.4-eks-99d6cc0`.
    pub fn version(&self) -> String {
        self.read(|world| world.settings.version.clone())
    }

    /// Sets the version that the API server says (its control plane was upgraded).
    pub fn set_version(&self, version: &str) {
        self.change(|world, _| version.clone_into(&mut world.settings.version));
    }

    /// Adds a node, or replaces what is known of it. Its system pods appear with it.
    pub fn add_node(&self, node: &Node) {
        self.change(|world, now| world.put_node(node, now));
    }

    /// Says that a node is ready, or no longer, from now on. False if there is no such node.
    pub fn set_node_ready(&self, name: &str, ready: bool) -> bool {
        self.change(|world, now| world.edit_node(name, |object| node::set_ready(object, ready, now)))
    }

    /// Sets the version that a node's kubelet says. False if there is no such node.
    pub fn set_node_version(&self, name: &str, version: &str) -> bool {
        self.change(|world, _| world.edit_node(name, |object| node::set_version(object, version)))
    }

    /// Marks a node as taking no new pods, or as taking them again. False if there is no such node.
    pub fn set_node_unschedulable(&self, name: &str, unschedulable: bool) -> bool {
        self.change(|world, now| {
            world.edit_node(name, |object| node::set_unschedulable(object, unschedulable, now))
        })
    }

    /// Removes a node and what ran on it. False if there is no such node.
    pub fn remove_node(&self, name: &str) -> bool {
        self.change(|world, _| world.remove_node(name))
    }

    /// The names of the nodes, in order.
    pub fn node_names(&self) -> Vec<String> {
        self.read(|world| world.store.list(&NODES, None).map(|(key, _)| key.name.clone()).collect())
    }

    /// Puts a Service of type `LoadBalancer` there whose balancer a controller has made, with the balancer's
    /// hostname or IP address in its status. The namespace is made if it is missing.
    pub fn put_load_balancer_service(&self, namespace: &str, name: &str, address: &str) {
        self.change(|world, now| world.put_load_balancer_service(namespace, name, address, now));
    }

    /// Puts an Ingress there whose balancer a controller has made, with the balancer's hostname or IP address in its
    /// status. The namespace is made if it is missing.
    pub fn put_ingress(&self, namespace: &str, name: &str, address: &str) {
        self.change(|world, now| world.put_ingress(namespace, name, address, now));
    }

    /// Puts a persistent volume there that a CSI driver has made, and the claim that it is bound to.
    pub fn put_persistent_volume(&self, volume: &PersistentVolume) {
        self.change(|world, now| world.put_persistent_volume(volume, now));
    }

    /// Reads under the lock.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.world())
    }

    /// Changes under the lock, lets the controllers follow, and wakes the watches.
    pub(crate) fn change<T>(&self, act: impl FnOnce(&mut World, jiff::Timestamp) -> T) -> T {
        let now = (self.shared.clock)();
        let (done, version) = {
            let mut world = self.world();
            let done = act(&mut world, now);
            world.reconcile(now);
            (done, world.store.version())
        };
        self.shared.changed.send_replace(version);
        done
    }

    /// Says the newest version at each change. Whoever holds it watches: the content is kept up to date by itself.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }

    /// Whether somebody waits for changes: else nobody notices if the content is brought up to date only when asked.
    pub fn is_watched(&self) -> bool {
        self.shared.changed.receiver_count() > 0
    }

    pub(crate) fn now(&self) -> jiff::Timestamp {
        (self.shared.clock)()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        let mut world = self.shared.world.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(created) = world.unseen_since.take() {
            world.begin(created);
        }
        world
    }
}

impl fmt::Debug for ClusterState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ClusterState").field("name", &self.name()).finish_non_exhaustive()
    }
}

impl World {
    /// Puts what every cluster has from its beginning.
    fn begin(&mut self, created: jiff::Timestamp) {
        for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
            self.put_namespace(name, created);
        }
        self.put_dns_service(created);
        self.reconcile(created);
    }

    /// The metadata that every object has, with a uid of its own; those of an object that exists are kept.
    fn metadata(&mut self, resource: &Resource, namespace: &str, name: &str, now: jiff::Timestamp) -> Value {
        let key = Key::new(resource, namespace, name);
        let (uid, created) = match self.store.get(&key) {
            Some(known) => (known["metadata"]["uid"].clone(), known["metadata"]["creationTimestamp"].clone()),
            None => (self.identifiers.uid().into(), timestamp(now).into()),
        };
        let mut metadata = json!({"name": name, "uid": uid, "creationTimestamp": created});
        if resource.namespaced {
            metadata["namespace"] = namespace.into();
        }
        metadata
    }

    fn put(&mut self, resource: &Resource, object: Value) {
        let metadata = &object["metadata"];
        let namespace = metadata["namespace"].as_str().unwrap_or_default();
        let key = Key::new(resource, namespace, metadata["name"].as_str().unwrap_or_default());
        self.store.put(key, object);
    }

    fn put_namespace(&mut self, name: &str, now: jiff::Timestamp) {
        if self.store.get(&Key::new(&NAMESPACES, "", name)).is_some() {
            return;
        }
        let mut metadata = self.metadata(&NAMESPACES, "", name, now);
        if let Some(uid) = self.settings.system_uid.as_deref().filter(|_| name == workload::SYSTEM) {
            metadata["uid"] = uid.into();
        }
        metadata["labels"] = json!({"kubernetes.io/metadata.name": name});
        self.put(
            &NAMESPACES,
            json!({
                "apiVersion": "v1", "kind": "Namespace", "metadata": metadata,
                "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"},
            }),
        );
    }
}

/// Kubernetes writes times in whole seconds.
pub(crate) fn timestamp(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
