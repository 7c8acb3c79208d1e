//! What AKS knows of a cluster, its pools and their machines, and how the API shows it.

use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::Timestamp;
use pmks_simulation::kubernetes::ClusterEndpoint;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::arm::{key, last};
use crate::catalogue::{self, Size};
use crate::json::{extend, is_true, number, set, set_default, text};

/// A cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cluster {
    /// The whole id.
    pub(crate) id: String,
    /// Its resource group.
    pub(crate) group: String,
    /// Its region.
    pub(crate) location: String,
    /// What was asked for, without the pools and what only the service says.
    pub(crate) body: Value,
    /// Its pools, in the order in which they were made.
    pub(crate) pools: Vec<Pool>,
    /// The provisioning state.
    pub(crate) state: String,
    /// Whether it is stopped.
    pub(crate) stopped: bool,
    /// Whether its control plane stands.
    pub(crate) stands: bool,
    /// The control plane's version.
    pub(crate) version: String,
    /// What no later cluster of its name has.
    pub(crate) uid: String,
    /// Eight digits that are part of the names of what AKS makes for it.
    pub(crate) number: String,
    /// Its entity tag.
    pub(crate) etag: String,
    /// Its host name.
    pub(crate) fqdn: String,
    /// The object id of the identity that the system gave it.
    pub(crate) principal: Option<String>,
    /// The identity of its nodes: resource id, client id and object id.
    pub(crate) kubelet_identity: Option<(String, String, String)>,
    /// The operation that makes it busy.
    pub(crate) busy: Option<String>,
    /// When it was made.
    pub(crate) created: Timestamp,
    /// The application that asked for it.
    pub(crate) created_by: String,
    /// Where its API server listens.
    pub(crate) endpoint: Option<ClusterEndpoint>,
    /// Services for which its controller made addresses.
    pub(crate) entrances: Vec<Entrance>,
    /// The tenant that its identity is of.
    pub(crate) tenant: String,
    /// Code and message of what its last work failed of.
    #[serde(default)]
    pub(crate) failure: Option<(String, String)>,
    /// Properties that are shown over its own, because a test said so.
    #[serde(default)]
    pub(crate) shown_over: Map<String, Value>,
}

/// A Service with a public address.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Entrance {
    /// Its namespace.
    pub(crate) namespace: String,
    /// Its name.
    pub(crate) name: String,
    /// The public address.
    pub(crate) address: Ipv4Addr,
    /// The id of the address' resource.
    pub(crate) resource: String,
    /// Whether its Service is gone and the address follows.
    pub(crate) going: bool,
}

/// An agent pool.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pool {
    /// Its name.
    pub(crate) name: String,
    /// What was asked for, with the defaults.
    pub(crate) properties: Value,
    /// The provisioning state.
    pub(crate) state: String,
    /// The version that its nodes have.
    pub(crate) version: String,
    /// Its entity tag.
    pub(crate) etag: String,
    /// The operation that makes it busy.
    pub(crate) busy: Option<String>,
    /// Its scale set's name.
    pub(crate) scale_set: String,
    /// Its machines.
    pub(crate) machines: Vec<Machine>,
    /// The number of the next machine.
    pub(crate) next: u32,
    /// When it was made.
    pub(crate) created: Timestamp,
    /// Code and message of what its last work failed of.
    #[serde(default)]
    pub(crate) failure: Option<(String, String)>,
}

/// A machine of a scale set.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// Its number in the scale set.
    pub(crate) number: u32,
    /// Its own id.
    pub(crate) id: String,
    /// Its address.
    pub(crate) address: Ipv4Addr,
    /// Its zone, where the pool has zones.
    pub(crate) zone: Option<String>,
    /// The kubelet's version.
    pub(crate) version: String,
    /// When it was made.
    pub(crate) created: Timestamp,
    /// Since when its node is ready.
    pub(crate) ready_since: Option<Timestamp>,
}

/// How long a machine's node takes to be ready is a matter of its pool's operation; deleted Services take this long.
pub(super) const ENTRANCE_GOES: Duration = Duration::from_secs(20);

impl Cluster {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        last(&self.id)
    }

    /// The resource group of what AKS makes for it.
    pub(crate) fn node_group(&self) -> &str {
        text(&self.body, "properties.nodeResourceGroup").unwrap_or_default()
    }

    /// The id of something of this kind and name in the node resource group.
    pub(crate) fn inner_id(&self, kind: &str, name: &str) -> String {
        self.id_in(self.node_group(), kind, name)
    }

    /// The name of the security group that AKS makes for the nodes' interfaces.
    pub(crate) fn security_group(&self) -> String {
        format!("aks-agentpool-{}-nsg", self.number)
    }

    /// The id of something of this kind and name in a resource group of the cluster's subscription.
    pub(crate) fn id_in(&self, group: &str, kind: &str, name: &str) -> String {
        let subscription = self.id.split('/').nth(2).unwrap_or_default();
        format!("/subscriptions/{subscription}/resourceGroups/{group}/providers/{kind}/{name}")
    }

    /// The id of a machine.
    pub(crate) fn machine_id(&self, _: &str, pool: &Pool, machine: &Machine) -> String {
        let set = self.inner_id("Microsoft.Compute/virtualMachineScaleSets", &pool.scale_set);
        format!("{set}/virtualMachines/{}", machine.number)
    }

    /// The subnet of a pool: the user's, or the one that AKS made.
    pub(crate) fn subnet_of(&self, _: &str, pool: &Pool) -> String {
        let own = || {
            let network = format!("aks-vnet-{}", self.number);
            format!("{}/subnets/aks-subnet", self.inner_id("Microsoft.Network/virtualNetworks", &network))
        };
        text(&pool.properties, "vnetSubnetID").map_or_else(own, str::to_owned)
    }

    /// The interfaces of its machines in a subnet, whose id is in lower case.
    pub(crate) fn interfaces_in(&self, subscription: &str, subnet: &str) -> Vec<String> {
        let pools = self.pools.iter().filter(|pool| key(&self.subnet_of(subscription, pool)) == subnet);
        let interface = |pool: &Pool, machine: &Machine| {
            let name = &pool.scale_set;
            let machine = self.machine_id(subscription, pool, machine);
            format!("{machine}/networkInterfaces/{name}/ipConfigurations/ipconfig1")
        };
        pools.flat_map(|pool| pool.machines.iter().map(move |machine| interface(pool, machine))).collect()
    }

    /// The pool of this name.
    pub(crate) fn pool(&self, name: &str) -> Option<&Pool> {
        self.pools.iter().find(|pool| pool.name == name)
    }

    /// The same, to change.
    pub(crate) fn pool_mut(&mut self, name: &str) -> Option<&mut Pool> {
        self.pools.iter_mut().find(|pool| pool.name == name)
    }

    /// Whether Entra ID proves who calls its API server.
    pub(crate) fn has_entra(&self) -> bool {
        is_true(&self.body, "properties.aadProfile.managed")
    }

    /// Whether certificates prove nobody there.
    pub(crate) fn disables_local_accounts(&self) -> bool {
        is_true(&self.body, "properties.disableLocalAccounts")
    }

    /// As the API shows it.
    pub(crate) fn show(&self) -> Value {
        let mut shown = self.body.clone();
        extend(
            &mut shown,
            json!({
                "id": self.id, "name": self.name(), "type": "Microsoft.ContainerService/ManagedClusters",
                "location": self.location, "eTag": self.etag,
                "systemData": {
                    "createdAt": self.created, "createdBy": self.created_by, "createdByType": "Application",
                },
            }),
        );
        if let Some(identity) = shown.get_mut("identity").filter(|identity| identity.is_object())
            && let Some(principal) = &self.principal
        {
            set(identity, "principalId", principal.as_str());
            set(identity, "tenantId", self.tenant.as_str());
        }
        let identity = self.kubelet_identity.as_ref().map(|(resource, client, object)| {
            json!({"kubeletidentity": {"resourceId": resource, "clientId": client, "objectId": object}})
        });
        let pools: Vec<Value> = self.pools.iter().map(|pool| pool.profile(self.stopped)).collect();
        if let Some(properties) = shown.get_mut("properties") {
            extend(
                properties,
                json!({
                    "provisioningState": self.state, "powerState": {"code": power(self.stopped)},
                    "currentKubernetesVersion": self.version, "fqdn": self.fqdn,
                    "azurePortalFQDN": self.fqdn.replacen(".hcp.", ".portal.hcp.", 1),
                    "maxAgentPools": 100, "resourceUID": self.uid, "agentPoolProfiles": pools,
                }),
            );
            if let Some(identity) = identity {
                set(properties, "identityProfile", identity);
            }
            show_failure(properties, self.failure.as_ref());
            extend(properties, Value::Object(self.shown_over.clone()));
        }
        shown
    }
}

/// Why the last work failed; left out where it did not.
fn show_failure(properties: &mut Value, failure: Option<&(String, String)>) {
    if let Some((code, message)) = failure {
        set(properties, "status", json!({"provisioningError": {"code": code, "message": message}}));
    }
}

fn power(stopped: bool) -> &'static str {
    if stopped { "Stopped" } else { "Running" }
}

impl Pool {
    /// How many nodes were asked for.
    pub(crate) fn count(&self) -> u32 {
        number(&self.properties, "count").and_then(|count| u32::try_from(count).ok()).unwrap_or_default()
    }

    /// Whether the cluster's autoscaler moves its count.
    pub(crate) fn auto_scaling(&self) -> bool {
        is_true(&self.properties, "enableAutoScaling")
    }

    /// The size of its machines.
    pub(crate) fn size(&self) -> Option<&'static Size> {
        text(&self.properties, "vmSize").and_then(catalogue::size)
    }

    /// Whether the system's own pods may run in it.
    pub(crate) fn is_system(&self) -> bool {
        text(&self.properties, "mode") == Some("System")
    }

    /// The properties as the API shows them.
    pub(crate) fn shown(&self, stopped: bool) -> Value {
        let mut shown = self.properties.clone();
        extend(
            &mut shown,
            json!({
                "provisioningState": self.state, "powerState": {"code": power(stopped)}, "eTag": self.etag,
                "currentOrchestratorVersion": self.version, "type": "VirtualMachineScaleSets",
            }),
        );
        set_default(&mut shown, "nodeImageVersion", super::versions::NODE_IMAGE);
        show_failure(&mut shown, self.failure.as_ref());
        shown
    }

    /// As part of its cluster.
    pub(crate) fn profile(&self, stopped: bool) -> Value {
        let mut shown = self.shown(stopped);
        set(&mut shown, "name", self.name.as_str());
        shown
    }

    /// As a resource.
    pub(crate) fn show(&self, cluster: &Cluster) -> Value {
        json!({
            "id": format!("{}/agentPools/{}", cluster.id, self.name), "name": self.name,
            "type": "Microsoft.ContainerService/managedClusters/agentPools", "properties": self.shown(cluster.stopped),
        })
    }
}
