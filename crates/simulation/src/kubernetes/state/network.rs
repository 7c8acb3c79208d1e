//! Services, ingresses and volumes: the system's own, and those whose balancers and disks a controller has made.
//! Never makes a balancer: the cloud's simulator does, and tells its address.

use std::net::IpAddr;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::World;
use super::store::Key;
use super::workload::SYSTEM;
use crate::kubernetes::resource::{INGRESSES, PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, SERVICES};

/// The finalizer that keeps a Service until its balancer is gone.
///
/// Source: <https://kubernetes.io/docs/tasks/access-application-cluster/create-external-load-balancer/#garbage-collecting-load-balancers>
pub(super) const SERVICE_FINALIZER: &str = "service.kubernetes.io/load-balancer-cleanup";

/// A volume that a CSI driver has made, bound to a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersistentVolume {
    /// The object's name, such as `pvc-…`.
    pub name: String,
    /// The size in GiB.
    pub capacity_gib: u32,
    /// The CSI driver: `ebs.csi.aws.com`.
    pub driver: String,
    /// The cloud's identifier of the disk: `vol-…`.
    pub volume_handle: String,
    /// The zone that the disk is in.
    pub zone: String,
    /// The storage class.
    pub storage_class: String,
    /// The claim's namespace.
    pub claim_namespace: String,
    /// The claim's name.
    pub claim_name: String,
}

impl World {
    /// The API server makes its own service again whenever it is missing.
    pub(super) fn ensure_api_service(&mut self, now: Timestamp) {
        if self.store.get(&Key::new(&SERVICES, "default", "kubernetes")).is_some() {
            return;
        }
        let mut metadata = self.metadata(&SERVICES, "default", "kubernetes", now);
        metadata["labels"] = json!({"component": "apiserver", "provider": "kubernetes"});
        let ports = json!([{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 443}]);
        let spec = service_spec("ClusterIP", &self.service_address(0, 1), &ports);
        self.put_service(&metadata, &spec, &json!({}));
    }

    pub(super) fn put_dns_service(&mut self, now: Timestamp) {
        let mut metadata = self.metadata(&SERVICES, SYSTEM, "kube-dns", now);
        metadata["labels"] = json!({
            "k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS",
        });
        let ports = json!([
            {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
            {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53},
            {"name": "metrics", "port": 9153, "protocol": "TCP", "targetPort": 9153},
        ]);
        let mut spec = service_spec("ClusterIP", &self.service_address(0, 10), &ports);
        spec["selector"] = json!({"k8s-app": "kube-dns"});
        self.put_service(&metadata, &spec, &json!({}));
    }

    fn put_service(&mut self, metadata: &Value, spec: &Value, balancer: &Value) {
        self.put(
            &SERVICES,
            json!({
                "apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec,
                "status": {"loadBalancer": balancer},
            }),
        );
    }

    pub(super) fn put_load_balancer_service(
        &mut self,
        namespace: &str,
        name: &str,
        address: &str,
        now: Timestamp,
    ) {
        self.put_namespace(namespace, now);
        let mut metadata = self.metadata(&SERVICES, namespace, name, now);
        metadata["labels"] = json!({"app": name});
        metadata["finalizers"] = json!([SERVICE_FINALIZER]);
        let node_port = 30_000 + self.identifiers.below(2768);
        let ports = json!([{"port": 80, "protocol": "TCP", "targetPort": 80, "nodePort": node_port}]);
        let third = u8::try_from(self.identifiers.below(200)).unwrap_or_default() + 1;
        let fourth = u8::try_from(self.identifiers.below(250)).unwrap_or_default() + 1;
        let mut spec = service_spec("LoadBalancer", &self.service_address(third, fourth), &ports);
        spec["selector"] = json!({"app": name});
        spec["allocateLoadBalancerNodePorts"] = true.into();
        spec["externalTrafficPolicy"] = "Cluster".into();
        let mut entrance = entrance(address);
        if entrance["ip"].is_string() {
            entrance["ipMode"] = "VIP".into();
        }
        self.put_service(&metadata, &spec, &json!({"ingress": [entrance]}));
    }

    pub(super) fn put_ingress(&mut self, namespace: &str, name: &str, address: &str, now: Timestamp) {
        self.put_namespace(namespace, now);
        let mut metadata = self.metadata(&INGRESSES, namespace, name, now);
        metadata["generation"] = 1.into();
        metadata["finalizers"] = json!([self.settings.ingress_finalizer]);
        let backend = json!({"service": {"name": name, "port": {"number": 80}}});
        self.put(
            &INGRESSES,
            json!({
                "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata,
                "spec": {
                    "ingressClassName": self.settings.ingress_class,
                    "rules": [{"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}],
                },
                "status": {"loadBalancer": {"ingress": [entrance(address)]}},
            }),
        );
    }

    pub(super) fn put_persistent_volume(&mut self, volume: &PersistentVolume, now: Timestamp) {
        self.put_namespace(&volume.claim_namespace, now);
        let claim =
            self.metadata(&PERSISTENT_VOLUME_CLAIMS, &volume.claim_namespace, &volume.claim_name, now);
        let metadata = self.metadata(&PERSISTENT_VOLUMES, "", &volume.name, now);
        let capacity = json!({"storage": format!("{}Gi", volume.capacity_gib)});
        let reference = json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": volume.claim_namespace,
            "name": volume.claim_name, "uid": claim["uid"],
        });
        self.put(
            &PERSISTENT_VOLUMES,
            json!({
                "apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata,
                "spec": {
                    "accessModes": ["ReadWriteOnce"], "capacity": capacity, "claimRef": reference,
                    "csi": {"driver": volume.driver, "volumeHandle": volume.volume_handle, "fsType": "ext4"},
                    "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
                        {"key": "topology.kubernetes.io/zone", "operator": "In", "values": [volume.zone]},
                    ]}]}},
                    "persistentVolumeReclaimPolicy": "Delete", "storageClassName": volume.storage_class,
                    "volumeMode": "Filesystem",
                },
                "status": {"phase": "Bound"},
            }),
        );
        self.put(
            &PERSISTENT_VOLUME_CLAIMS,
            json!({
                "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": claim,
                "spec": {
                    "accessModes": ["ReadWriteOnce"], "resources": {"requests": capacity},
                    "storageClassName": volume.storage_class, "volumeMode": "Filesystem", "volumeName": volume.name,
                },
                "status": {"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": capacity},
            }),
        );
    }

    fn service_address(&self, third: u8, fourth: u8) -> String {
        let [first, second] = self.settings.service_network;
        format!("{first}.{second}.{third}.{fourth}")
    }
}

/// A balancer's address as the status of what it is for shows it: clouds give either a hostname or an IP address.
fn entrance(address: &str) -> Value {
    let key = if address.parse::<IpAddr>().is_ok() { "ip" } else { "hostname" };
    json!({ key: address })
}

fn service_spec(kind: &str, address: &str, ports: &Value) -> Value {
    json!({
        "type": kind, "clusterIP": address, "clusterIPs": [address], "ports": ports,
        "internalTrafficPolicy": "Cluster", "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack",
        "sessionAffinity": "None",
    })
}
