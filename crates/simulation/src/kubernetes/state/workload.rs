//! The cluster's own workloads (network plugin, proxy, DNS) and a small controller that keeps their pods in step with
//! the nodes. Never runs anything: a pod here is words.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::identifiers::template_hash;
use super::store::Key;
use super::{World, node, pod};
use crate::kubernetes::resource::{DAEMON_SETS, DEPLOYMENTS, NODES, PODS, REPLICA_SETS, Resource};

/// The namespace of the cluster's own workloads.
pub(super) const SYSTEM: &str = "kube-system";

/// What a cluster is made with.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterSettings {
    /// The cluster's name.
    pub name: String,
    /// What the API server says of its version, such as `v1.33.4-eks-99d6cc0`.
    pub version: String,
    /// The first two numbers of the /16 of service addresses: `10.100` gives `10.100.0.1` to `kubernetes`.
    pub service_network: [u8; 2],
    /// What runs once on every node: the cloud's network plugin, `kube-proxy`.
    pub daemon_sets: Vec<Workload>,
    /// What runs a number of times anywhere: `coredns`.
    pub deployments: Vec<Workload>,
    /// The class of Ingresses that the cloud's own controller makes balancers for (`alb`).
    pub ingress_class: String,
    /// The finalizer by which that controller keeps an Ingress until its balancer is gone.
    pub ingress_finalizer: String,
    /// The uid of `kube-system`, by which controllers tell their cluster from others; without one, it gets any.
    #[serde(default)]
    pub system_uid: Option<String>,
}

/// One of the cluster's own workloads, in `kube-system`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Workload {
    /// Its name, also of its container.
    pub name: String,
    /// The value of its label `k8s-app` (`kube-dns` for `coredns`).
    pub label: String,
    /// Its container's image.
    pub image: String,
    /// How many pods a deployment has; a daemon set has one a node.
    pub replicas: u32,
}

impl ClusterSettings {
    /// A cluster with `kube-proxy` on every node and two pods of `coredns`; a cloud adds its own network plugin.
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            service_network: [10, 100],
            daemon_sets: vec![Workload::new("kube-proxy", "registry.k8s.io/kube-proxy")],
            deployments: vec![Workload {
                label: "kube-dns".to_owned(),
                replicas: 2,
                ..Workload::new("coredns", "registry.k8s.io/coredns/coredns")
            }],
            ingress_class: "cloud".to_owned(),
            ingress_finalizer: "simulated.cloud/balancer".to_owned(),
            system_uid: None,
        }
    }
}

impl Workload {
    /// A workload of one pod (or one a node), labelled by its own name.
    pub fn new(name: &str, image: &str) -> Self {
        Self { name: name.to_owned(), label: name.to_owned(), image: image.to_owned(), replicas: 1 }
    }

    /// The hash that a template of this image has in its pods' labels and names.
    pub(super) fn template(&self) -> String {
        template_hash(&self.image)
    }
}

/// What the controllers need to know of a node.
struct Place {
    name: String,
    ready: bool,
    takes_pods: bool,
    address: String,
}

impl World {
    /// Brings pods and the counts of their owners in step with the nodes.
    pub(super) fn reconcile(&mut self, now: Timestamp) {
        self.ensure_api_service(now);
        let places: Vec<Place> = self.store.list(&NODES, None).map(|(_, node)| place(node)).collect();
        self.drop_pods_of_lost_nodes(&places);
        let settings = (self.settings.daemon_sets.clone(), self.settings.deployments.clone());
        for workload in &settings.0 {
            self.follow_daemon_set(workload, &places, now);
        }
        for workload in &settings.1 {
            self.follow_deployment(workload, &places, now);
        }
        self.follow_services(now);
    }

    fn drop_pods_of_lost_nodes(&mut self, places: &[Place]) {
        let lost: Vec<Key> = self
            .store
            .list(&PODS, None)
            .filter(|(_, pod)| {
                pod::node_name(pod).is_some_and(|node| places.iter().all(|place| place.name != node))
            })
            .map(|(key, _)| key.clone())
            .collect();
        for key in lost {
            self.store.remove(&key);
        }
    }

    fn follow_daemon_set(&mut self, workload: &Workload, places: &[Place], now: Timestamp) {
        let owner = self.owner(&DAEMON_SETS, &workload.name, workload, now);
        for place in places {
            let known = self.pods_of(workload).any(|(_, pod)| pod::node_name(pod) == Some(&place.name));
            if !known {
                let mut object = self.new_pod(workload, &owner, true, now);
                pod::bind(&mut object, &place.name, &place.address, now);
                self.put(&PODS, object);
            }
        }
        self.run_pods(workload, places, true, now);
        let running = self.running(workload);
        let status = json!({
            "currentNumberScheduled": places.len(), "desiredNumberScheduled": places.len(),
            "updatedNumberScheduled": places.len(), "numberMisscheduled": 0, "numberReady": running,
            "numberAvailable": running, "numberUnavailable": places.len().saturating_sub(running),
            "observedGeneration": 1,
        });
        self.put_owner(&DAEMON_SETS, workload, &owner, &status);
    }

    fn follow_deployment(&mut self, workload: &Workload, places: &[Place], now: Timestamp) {
        let owner = self.owner(&DEPLOYMENTS, &workload.name, workload, now);
        let set_name = format!("{}-{}", workload.name, workload.template());
        let mut set = self.owner(&REPLICA_SETS, &set_name, workload, now);
        set["ownerReferences"] = json!([pod::owner_reference(&DEPLOYMENTS, &owner)]);
        while self.pods_of(workload).count() < workload.replicas as usize {
            let object = self.new_pod(workload, &set, false, now);
            self.put(&PODS, object);
        }
        self.schedule(workload, places, now);
        self.run_pods(workload, places, false, now);
        let running = self.running(workload);
        let status = json!({
            "observedGeneration": 1, "replicas": workload.replicas, "updatedReplicas": workload.replicas,
            "readyReplicas": running, "availableReplicas": running,
            "unavailableReplicas": (workload.replicas as usize).saturating_sub(running),
        });
        let set_status = json!({
            "observedGeneration": 1, "replicas": workload.replicas, "fullyLabeledReplicas": workload.replicas,
            "readyReplicas": running, "availableReplicas": running,
        });
        self.put_owner(&DEPLOYMENTS, workload, &owner, &status);
        self.put_owner(&REPLICA_SETS, workload, &set, &set_status);
    }

    /// Gives each waiting pod the node with the fewest pods of its workload, where one takes pods.
    fn schedule(&mut self, workload: &Workload, places: &[Place], now: Timestamp) {
        let waiting: Vec<Key> = self
            .pods_of(workload)
            .filter(|(_, pod)| pod::node_name(pod).is_none())
            .map(|(key, _)| key.clone())
            .collect();
        for key in waiting {
            let mut load: BTreeMap<&str, usize> = BTreeMap::new();
            for (_, pod) in self.pods_of(workload) {
                if let Some(place) = places.iter().find(|place| pod::node_name(pod) == Some(&place.name)) {
                    *load.entry(&place.name).or_default() += 1;
                }
            }
            let best = places
                .iter()
                .filter(|place| place.takes_pods)
                .min_by_key(|place| load.get(place.name.as_str()).copied().unwrap_or_default());
            let Some(best) = best else { return };
            self.edit_pod(&key, |pod| pod::bind(pod, &best.name, &best.address, now));
        }
    }

    /// Starts what is bound to a ready node. Pods of the host's network take the node's address.
    fn run_pods(&mut self, workload: &Workload, places: &[Place], host_network: bool, now: Timestamp) {
        let starting: Vec<(Key, String)> = self
            .pods_of(workload)
            .filter(|(_, pod)| !pod::is_running(pod))
            .filter_map(|(key, pod)| {
                let node = pod::node_name(pod)?;
                let place = places.iter().find(|place| place.ready && place.name == node)?;
                Some((key.clone(), place.address.clone()))
            })
            .collect();
        for (key, host) in starting {
            let number = self.identifiers.below(200) + 20;
            let address = if host_network { host } else { pod::neighbour(&host, number) };
            let container = self.identifiers.uid().replace('-', "");
            self.edit_pod(&key, |pod| pod::run(pod, &address, &container, now));
        }
    }

    fn edit_pod(&mut self, key: &Key, edit: impl FnOnce(&mut Value)) {
        if let Some(mut object) = self.store.get(key).map(|object| Value::clone(object)) {
            edit(&mut object);
            self.store.put(key.clone(), object);
        }
    }

    fn new_pod(&mut self, workload: &Workload, owner: &Value, daemon: bool, now: Timestamp) -> Value {
        let name = format!("{}-{}", owner["name"].as_str().unwrap_or_default(), self.identifiers.suffix(5));
        let metadata = self.metadata(&PODS, SYSTEM, &name, now);
        pod::pending(metadata, workload, owner, daemon, now)
    }

    fn pods_of<'a>(&'a self, workload: &'a Workload) -> impl Iterator<Item = (&'a Key, &'a Value)> {
        self.store
            .list(&PODS, Some(SYSTEM))
            .map(|(key, pod)| (key, pod.as_ref()))
            .filter(|(_, pod)| pod["metadata"]["labels"]["k8s-app"] == workload.label.as_str())
    }

    fn running(&self, workload: &Workload) -> usize {
        self.pods_of(workload).filter(|(_, pod)| pod::is_running(pod)).count()
    }

    fn owner(&mut self, resource: &Resource, name: &str, workload: &Workload, now: Timestamp) -> Value {
        let mut metadata = self.metadata(resource, SYSTEM, name, now);
        metadata["generation"] = 1.into();
        metadata["labels"] = json!({"k8s-app": workload.label});
        if resource == &REPLICA_SETS {
            metadata["labels"]["pod-template-hash"] = workload.template().into();
        }
        metadata
    }

    fn put_owner(&mut self, resource: &Resource, workload: &Workload, metadata: &Value, status: &Value) {
        let daemon = resource == &DAEMON_SETS;
        let mut spec = json!({
            "selector": {"matchLabels": {"k8s-app": workload.label}},
            "template": {
                "metadata": {"labels": {"k8s-app": workload.label}},
                "spec": pod::spec(workload, daemon),
            },
        });
        if daemon {
            spec["updateStrategy"] =
                json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": "10%"}});
        } else {
            spec["replicas"] = workload.replicas.into();
        }
        if resource == &DEPLOYMENTS {
            spec["strategy"] =
                json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 1}});
        }
        let object = json!({
            "apiVersion": resource.api_version(), "kind": resource.kind,
            "metadata": metadata, "spec": spec, "status": status,
        });
        self.put(resource, object);
    }
}

fn place(node: &Value) -> Place {
    let address = node["status"]["addresses"]
        .as_array()
        .and_then(|all| all.iter().find(|address| address["type"] == "InternalIP"))
        .and_then(|address| address["address"].as_str());
    let ready = node::is_ready(node);
    Place {
        name: node["metadata"]["name"].as_str().unwrap_or_default().to_owned(),
        ready,
        takes_pods: ready && node["spec"]["unschedulable"] != true,
        address: address.unwrap_or_default().to_owned(),
    }
}
